package notify

import (
	"fmt"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/document/mail"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/jobs"
)

// onRecords writes mails in the transactions of what they tell.
func (s *Subject) onRecords(app core.App) {
	s.Books.OnIssued(s.issued)
	s.Books.OnPaid(s.paid)
	s.Books.OnRefund(s.refunded)
	app.OnRecordUpdateExecute(collections.Services).Bind(&hook.Handler[*core.RecordEvent]{Id: "notifyService", Priority: 10, Func: func(e *core.RecordEvent) error {
		before, restart := e.Record.Original().GetString("status"), e.Record.Original().GetBool("restart_needed")
		installed := collections.Time(e.Record.Original(), "reinstalled_at")
		if err := e.Next(); err != nil {
			return err
		}
		if at := collections.Time(e.Record, "reinstalled_at"); !at.Equal(installed) {
			return s.readyMail(e.App, e.Record, fmt.Sprintf("service:%s:reinstalled:%d", e.Record.Id, at.UnixMilli()))
		}
		if !restart && e.Record.GetBool("restart_needed") {
			return s.restartMail(e.App, e.Record)
		}
		return s.serviceMail(e.App, e.Record, before)
	}})
	app.OnRecordUpdateExecute(collections.Orders).Bind(&hook.Handler[*core.RecordEvent]{Id: "notifyReview", Priority: 10, Func: func(e *core.RecordEvent) error {
		before := e.Record.Original().GetString("review")
		if err := e.Next(); err != nil {
			return err
		}
		return s.reviewMail(e.App, e.Record, before)
	}})
	app.OnRecordUpdateExecute(collections.Quotes).Bind(&hook.Handler[*core.RecordEvent]{Id: "notifyQuote", Priority: 10, Func: func(e *core.RecordEvent) error {
		before := e.Record.Original().GetString("status")
		if err := e.Next(); err != nil {
			return err
		}
		return s.quoteMail(e.App, e.Record, before)
	}})
}

// issued sends an invoice that is due later. What is paid on a page at once gets
// its receipt instead.
func (s *Subject) issued(tx core.App, d books.Document) error {
	if d.Kind == "order" {
		if err := s.inReview(tx, d); err != nil {
			return err
		}
	}
	if d.Due.Sign() <= 0 || d.Kind == "order" && !d.DueAt.After(d.IssuedAt) {
		return nil
	}
	_, err := s.announce(tx, "invoice:"+d.ID, mail.Invoice, d.User, d.ID, true)
	return err
}

// paid sends the receipt of an invoice that was paid. Nobody is asked any more to
// pay it: a mail with the invoice that was not written yet, as when credit pays
// it in the moment of its issue, gives way to the receipt.
func (s *Subject) paid(tx core.App, d books.Document) error {
	if d.Total.Sign() <= 0 {
		return nil
	}
	_, err := collections.Statement(tx, "DELETE FROM `mails` WHERE `key` = {:key} AND `status` = 'queued' AND `body_text` = ''").Bind(dbx.Params{"key": "invoice:" + d.ID}).Execute()
	if err != nil {
		return fmt.Errorf("mail with invoice %s: %w", d.Number, err)
	}
	_, err = s.announce(tx, "receipt:"+d.ID, mail.Receipt, d.User, d.ID, true)
	return err
}

// SendInvoice queues the mail with an invoice once more, as a receipt when it is
// paid, and reports whether it is new: the same key again is the same mail.
func (s *Subject) SendInvoice(tx core.App, inv *core.Record, key string) (bool, error) {
	kind := mail.Invoice
	if collections.InvoiceStatus(inv) == billing.InvoicePaid {
		kind = mail.Receipt
	}
	return s.announce(tx, "again:"+inv.Id+":"+key, kind, inv.GetString("user"), inv.Id, true)
}

// announce queues a mail about an invoice. It is composed when it is sent: an
// issued invoice does not change, and settling a payment stays short.
func (s *Subject) announce(tx core.App, key string, kind mail.Kind, user, invoice string, attach bool) (added bool, err error) {
	now := s.Now()
	id, inserted, err := collections.Row(tx, collections.Mails, now, dbx.Params{
		"key": key, "kind": string(kind), "user": user, "recipient": "", "subject": "", "body_text": "", "body_html": "",
		"invoice": invoice, "attach_pdf": attach, "secret": false, "status": "queued", "message_id": "", "error": "", "sent_at": "",
	})
	if err != nil || !inserted {
		return false, err
	}
	_, err = jobs.Enqueue(tx, now, jobs.Job{Kind: jobMail, Key: jobMail + ":" + id, User: user, Actor: "system", Payload: mailPayload{Mail: id}})
	return true, err
}

// compose writes the text of an announced mail into its row.
func (s *Subject) compose(app core.App, row *core.Record) error {
	if key := row.GetString("key"); strings.HasPrefix(key, ofPrice) || strings.HasPrefix(key, ofPriceOff) {
		return s.composePrice(app, row)
	}
	if strings.HasPrefix(row.GetString("key"), ofStaff) {
		return s.composeStaff(app, row)
	}
	inv, err := app.FindRecordById(collections.Invoices, row.GetString("invoice"))
	if err != nil {
		return fmt.Errorf("mail %s: invoice: %w", row.Id, err)
	}
	user, err := app.FindRecordById(collections.Users, row.GetString("user"))
	if err != nil {
		return fmt.Errorf("mail %s: customer: %w", row.Id, err)
	}
	data, err := invoiceData(app, inv, mail.Kind(row.GetString("kind")))
	if err != nil {
		return err
	}
	if key := row.GetString("key"); strings.HasPrefix(key, ofStep) {
		if err := collecting(app, key, inv, user, &data); err != nil {
			return err
		}
	}
	m, err := s.text(app, letter{kind: mail.Kind(row.GetString("kind")), user: user, data: data})
	if err != nil {
		return err
	}
	row.Load(map[string]any{"recipient": user.Email(), "subject": m.Subject, "body_text": m.Text, "body_html": m.HTML})
	if err := collections.Update(app, row); err != nil {
		return fmt.Errorf("mail %s: %w", row.Id, err)
	}
	return nil
}

// composeLate writes the text of a mail that could not be composed at once.
func (s *Subject) composeLate(app core.App, row *core.Record, data mail.Data) error {
	l := letter{kind: mail.Kind(row.GetString("kind")), data: data}
	if id := row.GetString("user"); id != "" {
		var err error
		if l.user, err = app.FindRecordById(collections.Users, id); err != nil {
			return fmt.Errorf("mail %s: customer: %w", row.Id, err)
		}
	}
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

// invoiceData is what a mail says of an invoice: what is still to pay, or what was
// paid.
func invoiceData(app core.App, inv *core.Record, kind mail.Kind) (mail.Data, error) {
	link, err := portal(app, "/invoices/"+inv.Id)
	if err != nil {
		return mail.Data{}, err
	}
	field := "total_minor"
	if kind == mail.Invoice {
		field = "due_minor"
	}
	amount, err := collections.Amount(inv, field)
	if err != nil {
		return mail.Data{}, err
	}
	method, err := paidBy(app, inv.Id)
	return mail.Data{
		Number: inv.GetString("number"), Amount: amount, Link: link, DueAt: collections.Time(inv, "due_at"),
		At: collections.Time(inv, "paid_at"), Method: method,
	}, err
}

// paidBy names the way the last payment of an invoice came.
func paidBy(tx core.App, invoice string) (string, error) {
	gateways := []string{}
	err := tx.DB().NewQuery("SELECT `gateway` FROM `payment_transactions` WHERE `invoice` = {:invoice} AND `status` = 'succeeded' ORDER BY `settled_at` DESC LIMIT 1").
		Bind(dbx.Params{"invoice": invoice}).Column(&gateways)
	if err != nil || len(gateways) == 0 {
		return "", err
	}
	return collections.GatewayName(gateways[0]), nil
}

// restartMail asks a customer to restart a service that was changed: the system gets
// what was added with its next start.
func (s *Subject) restartMail(tx core.App, svc *core.Record) error {
	user, err := tx.FindRecordById(collections.Users, svc.GetString("user"))
	if err != nil {
		return fmt.Errorf("mail about service %s: %w", svc.Id, err)
	}
	link, err := portal(tx, "/services/"+svc.Id)
	if err != nil {
		return err
	}
	key := fmt.Sprintf("service:%s:restart:%d", svc.Id, s.Now().UnixMilli())
	data := mail.Data{Link: link, Service: svc.GetString("label"), Hostname: svc.GetString("hostname")}
	return s.write(tx, letter{key: key, kind: mail.RestartNeeded, user: user, data: data})
}

func (s *Subject) serviceMail(tx core.App, svc *core.Record, before string) error {
	after := svc.GetString("status")
	if before == after {
		return nil
	}
	change := before + " > " + after
	kinds := map[string]mail.Kind{
		"provisioning > active": mail.ServiceReady, "active > suspended": mail.ServiceSuspended, "suspended > active": mail.ServiceUnsuspended,
		"active > terminated": mail.Terminated, "suspended > terminated": mail.Terminated,
	}
	kind, tell := kinds[change]
	if !tell {
		return nil
	}
	if kind == mail.ServiceReady {
		return s.readyMail(tx, svc, "service:"+svc.Id+":ready")
	}
	user, err := tx.FindRecordById(collections.Users, svc.GetString("user"))
	if err != nil {
		return fmt.Errorf("mail about service %s: %w", svc.Id, err)
	}
	link, err := portal(tx, "/services/"+svc.Id)
	if err != nil {
		return err
	}
	data := mail.Data{Link: link, Service: svc.GetString("label"), Hostname: svc.GetString("hostname"), User: svc.GetString("username"), Amount: money.Amount{}}
	if kind == mail.ServiceSuspended && svc.GetString("hold") == "overdue" {
		unpaid, err := suspension(tx, svc, &data)
		if err != nil {
			return err
		}
		if unpaid {
			kind = mail.SuspendedUnpaid
		}
	}
	if kind == mail.ServiceSuspended {
		data.Reason = svc.GetString("status_reason")
		if data.Reason == "" {
			data.Reason = "Suspended by our staff. Please contact support."
		}
	}
	key := fmt.Sprintf("service:%s:%s:%d", svc.Id, after, s.Now().UnixMilli())
	return s.write(tx, letter{key: key, kind: kind, user: user, data: data})
}

// readyMail tells how to get into a service that was built, or installed anew.
func (s *Subject) readyMail(tx core.App, svc *core.Record, key string) error {
	user, err := tx.FindRecordById(collections.Users, svc.GetString("user"))
	if err != nil {
		return fmt.Errorf("mail about service %s: %w", svc.Id, err)
	}
	link, err := portal(tx, "/services/"+svc.Id)
	if err != nil {
		return err
	}
	data := mail.Data{Link: link, Service: svc.GetString("label"), Hostname: svc.GetString("hostname"), User: svc.GetString("username"), Amount: money.Amount{}}
	if data.IPs, err = builtAddresses(svc); err != nil {
		return err
	}
	return s.write(tx, letter{key: key, kind: mail.ServiceReady, user: user, data: data})
}
