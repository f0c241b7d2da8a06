package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/document/locales"
	"github.com/ezscale/ezscale/engine/document/mail"
	"github.com/ezscale/ezscale/engine/dunning"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/books"
)

// ofStep begins the key of a mail that a step of dunning asked for; the step's
// id follows.
const ofStep = "dunning:"

// errSettled says that a mail about an unpaid invoice is not sent: it was paid or
// cancelled before the mail's turn came.
var errSettled = errors.New("not sent: the invoice is settled")

// Collect queues the mail of a dunning step, in the transaction that claimed it.
// It is composed when it is sent, of what is owed then.
func (s *Subject) Collect(tx core.App, step string, kind dunning.Kind, n int, d books.Document) error {
	which := mailsOf[kind]
	if len(which) == 0 {
		return fmt.Errorf("no mail for a step of kind %s", kind)
	}
	_, err := s.announce(tx, ofStep+step, which[min(max(n, 1), len(which))-1], d.User, d.ID, kind == dunning.Reminder || kind == dunning.Notice)
	return err
}

// mailsOf are the mails of each kind of step, by its number; the last one serves
// all that follow.
var mailsOf = map[dunning.Kind][]mail.Kind{
	dunning.Reminder:                 {mail.PaymentReminder},
	dunning.Notice:                   {mail.OverdueNotice1, mail.OverdueNotice2, mail.OverdueNotice3},
	dunning.FinalWarning:             {mail.FinalWarning},
	dunning.AskAuthentication:        {mail.ConfirmPayment},
	dunning.AskNewMethod:             {mail.MethodNeeded},
	dunning.Kind(mail.PaymentFailed): {mail.PaymentFailed},
}

// stepDetail is what a step remembers for its mail.
type stepDetail struct {
	On     time.Time `json:"on"`
	Method string    `json:"method"`
	Reason string    `json:"reason"`
}

// collecting completes what a mail about an unpaid invoice says. Errors:
// errSettled when there is nothing to say any more.
func collecting(app core.App, key string, inv, user *core.Record, data *mail.Data) error {
	status := collections.InvoiceStatus(inv)
	if status != billing.InvoiceOpen && status != billing.InvoiceUncollectible {
		return errSettled
	}
	step, err := app.FindRecordById(collections.DunningSteps, strings.TrimPrefix(key, ofStep))
	if err != nil {
		return fmt.Errorf("step of mail %s: %w", key, err)
	}
	d := stepDetail{}
	if err := collections.ReadJSON(step, "detail", &d); err != nil {
		return err
	}
	data.On, data.Reason = d.On, locales.Decline(user.GetString("locale"), d.Reason)
	if data.Amount, err = owed(inv); err != nil {
		return err
	}
	if data.Service, err = servicesOf(app, inv.Id); err != nil {
		return err
	}
	data.Method, err = collections.MethodName(app, d.Method)
	if err == nil && step.GetString("kind") == string(dunning.Reminder) && !d.On.IsZero() {
		data.Method, err = defaultMethod(app, user.Id)
	}
	return err
}

// owed is what is still to be paid on an invoice, written off or not.
func owed(inv *core.Record) (money.Amount, error) {
	due, err := collections.Amount(inv, "due_minor")
	if err != nil {
		return due, err
	}
	off, err := collections.Amount(inv, "written_off_minor")
	if err != nil {
		return due, err
	}
	return due.Add(off)
}

// servicesOf names the services that an invoice bills.
func servicesOf(app core.App, invoice string) (string, error) {
	names := []string{}
	err := app.DB().NewQuery("SELECT `label` FROM `services` WHERE `status` != 'terminated' AND `subscription` IN (SELECT `subscription` FROM `invoice_items` WHERE `invoice` = {:invoice} AND `subscription` != '') ORDER BY `label`").
		Bind(dbx.Params{"invoice": invoice}).Column(&names)
	if err != nil {
		return "", fmt.Errorf("services of invoice %s: %w", invoice, err)
	}
	return strings.Join(names, ", "), nil
}

// defaultMethod names what a customer pays by, "" for nothing saved.
func defaultMethod(app core.App, user string) (string, error) {
	m, err := collections.First(app, collections.PaymentMethods, dbx.HashExp{"user": user, "is_default": true, "active": true})
	if err != nil || m == nil {
		return "", err
	}
	return collections.MethodName(app, m.GetString("gateway_method_id"))
}

// suspension tells why an unpaid service was switched off: the invoice that
// demanded it and, where that is known, when the service will be deleted. ok is
// false when no step of dunning did it.
func suspension(tx core.App, svc *core.Record, data *mail.Data) (ok bool, err error) {
	rows := []struct {
		Invoice string `db:"invoice"`
		Detail  string `db:"detail"`
	}{}
	err = tx.DB().NewQuery("SELECT `s`.`invoice`, `s`.`detail` FROM `dunning_steps` `s` JOIN `invoice_items` `l` ON `l`.`invoice` = `s`.`invoice` WHERE `l`.`subscription` = {:subscription} AND `s`.`kind` = 'suspend' ORDER BY `s`.`at` DESC LIMIT 1").
		Bind(dbx.Params{"subscription": svc.GetString("subscription")}).All(&rows)
	if err != nil || len(rows) == 0 {
		return false, err
	}
	d := stepDetail{}
	if err := json.Unmarshal([]byte(rows[0].Detail), &d); err != nil {
		return false, fmt.Errorf("step of invoice %s: %w", rows[0].Invoice, err)
	}
	inv, err := tx.FindRecordById(collections.Invoices, rows[0].Invoice)
	if err != nil {
		return false, fmt.Errorf("invoice %s: %w", rows[0].Invoice, err)
	}
	data.On, data.Number = d.On, inv.GetString("number")
	if data.Amount, err = owed(inv); err != nil {
		return false, err
	}
	data.Link, err = portal(tx, "/invoices/"+inv.Id)
	return data.Amount.Sign() > 0, err
}
