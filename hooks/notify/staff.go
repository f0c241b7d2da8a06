package notify

import (
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/document/locales"
	"github.com/ezscale/ezscale/engine/document/mail"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/jobs"
)

// ofStaff begins the key of a mail that tells staff of many things at once; kind,
// gateway or platform, and day follow.
const ofStaff = "staff:"

// gathering is how long what happens together is gathered for one mail to staff.
const gathering = 10 * time.Minute

// DeadLetter tells staff, in the transaction that says so, that a delivery of a
// gateway was given up: by one mail a day, however many there are.
func (s *Subject) DeadLetter(tx core.App, gateway string) error {
	return s.gather(tx, mail.StaffDeadLetters, gateway)
}

// Found tells staff, in the transaction that keeps it, that a comparison with a
// gateway's books has found a difference: by one mail a day, however many there are.
func (s *Subject) Found(tx core.App, gateway string) error {
	return s.gather(tx, mail.StaffFindings, gateway)
}

// Uncompared tells staff, in the transaction that ends it, that a comparison with a
// gateway's books was given up: by one mail a day.
func (s *Subject) Uncompared(tx core.App, gateway string) error {
	return s.gather(tx, mail.StaffUncompared, gateway)
}

// gather queues a mail about a gateway or platform that is composed when it is sent,
// of what there is then.
func (s *Subject) gather(tx core.App, kind mail.Kind, of string) error {
	brand, err := collections.LoadBrand(tx)
	if err != nil || brand.Support == "" {
		return err
	}
	now := s.Now()
	key := ofStaff + string(kind) + ":" + of + ":" + now.UTC().Format(time.DateOnly)
	id, inserted, err := collections.Row(tx, collections.Mails, now, dbx.Params{
		"key": key, "kind": string(kind), "user": "", "recipient": brand.Support, "subject": "", "body_text": "", "body_html": "",
		"invoice": "", "attach_pdf": false, "secret": false, "status": "queued", "message_id": "", "error": "", "sent_at": "",
	})
	if err != nil || !inserted {
		return err
	}
	_, err = jobs.Enqueue(tx, now, jobs.Job{Kind: jobMail, Key: jobMail + ":" + id, Actor: "system", At: now.Add(gathering), Payload: mailPayload{Mail: id}})
	return err
}

// composeStaff writes the text of a gathered mail into its row. Errors:
// errNothingToTell when all of it was settled before its turn came.
func (s *Subject) composeStaff(app core.App, row *core.Record) error {
	parts := strings.Split(row.GetString("key"), ":")
	if len(parts) != 4 {
		return fmt.Errorf("mail %s: its key %q names no gateway or platform", row.Id, row.GetString("key"))
	}
	l, of, err := letter{kind: mail.Kind(parts[1])}, parts[2], error(nil)
	name := collections.VendorName(of)
	switch l.kind {
	case mail.StaffDeadLetters:
		l.data, err = deadLetters(app, of)
	case mail.StaffUncompared:
		l.data, err = uncompared(app, of)
	case mail.StaffWork:
		name, l.data, err = work(app, of)
	case mail.StaffDrift:
		name, l.data, err = drifted(app, of)
	default:
		l.data, err = findings(app, "reconcile_findings", "gateway", of)
	}
	if err != nil {
		return err
	}
	if l.data.Count == 0 {
		return errNothingToTell
	}
	brand, err := collections.LoadBrand(app)
	if err != nil {
		return err
	}
	l.data.Method, l.data.Link = name, admin(brand)
	m, err := s.text(app, l)
	if err != nil {
		return err
	}
	row.Load(map[string]any{"subject": m.Subject, "body_text": m.Text, "body_html": m.HTML})
	if err := collections.Update(app, row); err != nil {
		return fmt.Errorf("mail %s: %w", row.Id, err)
	}
	return nil
}

// deadLetters is what there is to say of the deliveries that were given up.
func deadLetters(app core.App, gateway string) (mail.Data, error) {
	rows := []struct {
		Type string `db:"type"`
		Note string `db:"error"`
		All  int    `db:"all"`
	}{}
	err := app.DB().NewQuery("SELECT `type`, `error`, COUNT(*) OVER () AS `all` FROM `webhook_events` WHERE `gateway` = {:gateway} AND `status` = 'failed' ORDER BY `rowid` DESC LIMIT 1").
		Bind(dbx.Params{"gateway": gateway}).All(&rows)
	if err != nil || len(rows) == 0 {
		return mail.Data{}, err
	}
	return mail.Data{Count: rows[0].All, Title: rows[0].Type, Reason: collections.Cut(rows[0].Note, 300)}, nil
}

// findings is what there is to say of the differences in a table that are open, with
// a gateway's books or a platform's list.
func findings(app core.App, table, column, of string) (mail.Data, error) {
	rows, data := []struct {
		Kind string `db:"kind"`
		N    int    `db:"n"`
	}{}, mail.Data{}
	err := app.DB().NewQuery("SELECT `kind`, COUNT(*) AS `n` FROM `" + table + "` WHERE `" + column + "` = {:of} AND `status` = 'open' GROUP BY `kind` ORDER BY `n` DESC, `kind`").
		Bind(dbx.Params{"of": of}).All(&rows)
	for _, r := range rows {
		data.Count += r.N
		data.Counts = append(data.Counts, mail.Count{Kind: r.Kind, N: r.N})
	}
	return data, err
}

// uncompared is what there is to say of a comparison that was given up, unless a
// later one has succeeded.
func uncompared(app core.App, gateway string) (mail.Data, error) {
	rows := []struct {
		Status string `db:"status"`
		Note   string `db:"error"`
		Until  string `db:"until"`
	}{}
	err := app.DB().NewQuery("SELECT `status`, `error`, IFNULL((SELECT MAX(`until_at`) FROM `reconcile_runs` WHERE `gateway` = {:gateway} AND `status` = 'done'), '') AS `until`" +
		" FROM `reconcile_runs` WHERE `gateway` = {:gateway} AND `status` != 'running' ORDER BY `rowid` DESC LIMIT 1").Bind(dbx.Params{"gateway": gateway}).All(&rows)
	if err != nil || len(rows) == 0 || rows[0].Status != "failed" {
		return mail.Data{}, err
	}
	until, err := collections.ParseStamp(rows[0].Until)
	return mail.Data{Count: 1, Reason: collections.Cut(rows[0].Note, 300), On: until}, err
}

// AgreementNews is what somebody has to look at of a subscription that a gateway
// bills.
type AgreementNews struct {
	Agreement *core.Record
	Alert     string
	Amount    money.Amount // the zero value where no payment is meant
	Invoice   string       // its number, where one is meant
	Details   string       // of a failure
}

// Agreement tells staff of it, in the transaction that notes it: once for each alert
// and day.
func (s *Subject) Agreement(tx core.App, news AgreementNews) error {
	brand, err := collections.LoadBrand(tx)
	if err != nil || brand.Support == "" {
		return err
	}
	row := news.Agreement
	data := mail.Data{
		Alert: news.Alert, Number: row.GetString("agreement"), Method: collections.VendorName(row.GetString("gateway")),
		Amount: news.Amount, Invoice: news.Invoice, Reason: news.Details, Link: admin(brand),
	}
	customer, err := tx.FindRecordById(collections.Users, row.GetString("user"))
	if err != nil {
		return fmt.Errorf("mail about agreement %s: %w", row.Id, err)
	}
	data.User = customer.Email()
	svc, err := collections.First(tx, collections.Services, dbx.HashExp{"subscription": row.GetString("subscription")})
	if err != nil {
		return err
	}
	if svc != nil {
		data.Service = svc.GetString("label")
	}
	key := strings.Join([]string{string(mail.StaffAgreement), row.Id, news.Alert, s.Now().UTC().Format(time.DateOnly)}, ":")
	return s.write(tx, letter{key: key, kind: mail.StaffAgreement, to: brand.Support, data: data})
}

// admin is the address of the admin area.
func admin(b collections.Brand) string { return strings.TrimSuffix(b.URL, "/") + "/_/" }

// staffLocale is the language of mails to staff.
func staffLocale(b collections.Brand) *locales.Locale {
	l, ok := locales.Get(b.StaffLocale)
	if !ok {
		l, _ = locales.Get(locales.Default)
	}
	return l
}
