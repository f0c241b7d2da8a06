package renewals

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/jobs"
)

const jobLapse = "subscription.lapse"

type lapsePayload struct {
	Invoice string `json:"invoice"`
}

// lapseRetry is how long to wait at first while a payment may still arrive.
const lapseRetry = 10 * time.Minute

// lapseLater cancels an offer that nobody pays: its invoice is voided after the
// days that changes stay on offer.
func (d *deed) lapseLater(invoice books.Document) error {
	return lapseAt(d.tx, d.now, invoice, d.now.AddDate(0, 0, d.session.Invoicing().ChangeDays))
}

func lapseAt(tx core.App, now time.Time, invoice books.Document, at time.Time) error {
	_, err := jobs.Enqueue(tx, now, jobs.Job{
		Kind: jobLapse, Key: jobLapse + ":" + invoice.ID, Serial: "invoice:" + invoice.ID, User: invoice.User, Actor: audit.System, At: at, Payload: lapsePayload{invoice.ID},
	})
	return err
}

// lapse voids the invoice of an offer that nobody paid in time. A payment page is
// closed first; while money may still arrive, the offer stands.
func (s *Subject) lapse(r *jobs.Run) error {
	p := lapsePayload{}
	if err := r.Payload(&p); err != nil {
		return err
	}
	invoice, err := collections.First(r.App, collections.Invoices, dbx.HashExp{"id": p.Invoice})
	if err != nil || invoice == nil || collections.InvoiceStatus(invoice) != billing.InvoiceOpen {
		return err
	}
	closed, err := s.Close(r.Context(), r.App, invoice)
	if err != nil {
		return fmt.Errorf("invoice %s is not paid in time: %w", invoice.GetString("number"), err)
	}
	if !closed {
		return r.Patiently(lapseRetry)
	}
	return r.App.RunInTransaction(func(tx core.App) error {
		return s.withdraw(tx, r.Now(), p.Invoice, "It was not paid in time.", audit.System)
	})
}

// offeredAgain follows a correction that takes the place of an offer's invoice: the
// offer stands for as long as before, or as a new one where that is not written
// down, and the pause that it ends has its first period billed again.
func (s *Subject) offeredAgain(tx core.App, d books.Document) error {
	if d.Kind != books.KindCorrection {
		return nil
	}
	change, err := collections.First(tx, collections.SubscriptionChanges, dbx.HashExp{"invoice": d.ID, "status": string(billing.ChangePending)})
	if err != nil {
		return err
	}
	if change != nil {
		return lapseAt(tx, s.Now(), d, collections.Time(change, "expires_at"))
	}
	resumes, err := s.restarts(tx, d, 1)
	if err != nil || resumes == 0 {
		return err
	}
	settings, err := collections.LoadInvoicing(tx)
	if err != nil {
		return err
	}
	return lapseAt(tx, s.Now(), d, s.Now().AddDate(0, 0, settings.ChangeDays))
}

// withdraw takes back an invoice for something that will not happen. What was
// paid on it becomes credit.
func (s *Subject) withdraw(tx core.App, now time.Time, invoice, reason, by string) error {
	d, err := books.Read(tx, invoice)
	if err != nil || d.Status != billing.InvoiceOpen {
		return err
	}
	if err := s.withdrawn(tx, d); err != nil {
		return err
	}
	if d.Paid.IsZero() && d.Credited.IsZero() && d.WrittenOff.IsZero() {
		return s.Books.Void(tx, now, invoice)
	}
	_, err = s.Books.CreditNote(tx, now, books.Correction{Invoice: invoice, Key: "withdraw:" + invoice, Reason: reason, Actor: by})
	if err != nil {
		return fmt.Errorf("withdraw invoice %s: %w", d.Number, err)
	}
	return nil
}

// withdrawn undoes what was prepared for when the invoice is paid. It follows
// invoices that are cancelled by whatever door.
func (s *Subject) withdrawn(tx core.App, d books.Document) error {
	if err := s.notResumed(tx, d); err != nil {
		return err
	}
	if err := s.unbilled(tx, d); err != nil {
		return err
	}
	change, err := collections.First(tx, collections.SubscriptionChanges, dbx.HashExp{"invoice": d.ID, "status": string(billing.ChangePending)})
	if err != nil || change == nil {
		return err
	}
	return drop(tx, s.Now(), change, "Its invoice was not paid.")
}
