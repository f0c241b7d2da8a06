package billing

import (
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
)

// draft saves an invoice without number, to which lines are added.
func (s *subject) draft(tx core.App, user *core.Record, currency string, totals billing.Totals, now time.Time) (*core.Record, error) {
	language := user.GetString("locale")
	if language == "" {
		language = "en"
	}
	return collections.Insert(tx, collections.Invoices, map[string]any{
		"user": user.Id, "status": string(billing.InvoiceDraft), "currency": currency, "language": language,
		"subtotal_minor": totals.Subtotal.Minor(), "tax_minor": totals.Tax.Minor(), "total_minor": totals.Total.Minor(), "due_minor": totals.Total.Minor(),
	})
}

// issue finalizes a draft: it draws the number, freezes seller and buyer, opens
// the invoice and books it, all in the caller's transaction. An invoice over
// nothing is paid at once.
func (s *subject) issue(tx core.App, invoice *core.Record, now, dueAt time.Time) error {
	user, err := tx.FindRecordById(collections.Users, invoice.GetString("user"))
	if err != nil {
		return fmt.Errorf("issue invoice %s: %w", invoice.Id, err)
	}
	if err := freeze(tx, invoice, user); err != nil {
		return fmt.Errorf("issue invoice %s: %w", invoice.Id, err)
	}
	settings, err := collections.LoadInvoicing(tx)
	if err != nil {
		return err
	}
	year := now.UTC().Year()
	seq, err := collections.NextInvoiceSeq(tx, now, settings.Series, year)
	if err != nil {
		return err
	}
	number, err := billing.FormatNumber(settings.Format, year, seq)
	if err != nil {
		return err
	}
	invoice.Load(map[string]any{
		"status": string(billing.InvoiceOpen), "number": number, "series": settings.Series, "year": year, "seq": seq,
		"issued_at": collections.Stamp(now), "due_at": collections.Stamp(dueAt),
	})
	if err := collections.Save(tx, invoice); err != nil {
		return fmt.Errorf("issue invoice %s: %w", number, err)
	}
	totals, err := collections.InvoiceTotals(invoice)
	if err != nil {
		return err
	}
	if err := collections.Post(tx, now, "invoice:"+invoice.Id, user.Id, invoice.Id, "", billing.PostInvoice(totals)); err != nil {
		return err
	}
	if totals.Total.IsZero() {
		invoice.Set("status", string(billing.InvoicePaid))
		invoice.Set("paid_at", collections.Stamp(now))
		return collections.Save(tx, invoice)
	}
	return nil
}

// freeze copies who sells and who buys onto the document.
func freeze(tx core.App, invoice, user *core.Record) error {
	seller, err := collections.LoadSeller(tx)
	if err != nil {
		return err
	}
	buyer, err := collections.LoadBuyer(tx, user)
	if err != nil {
		return err
	}
	invoice.Set("seller", seller)
	invoice.Set("buyer", buyer)
	return nil
}

// void ends an open invoice that nothing was paid on and books its reversal.
func void(tx core.App, invoice *core.Record, now time.Time) error {
	if invoice.GetInt64("paid_minor") != 0 {
		return fmt.Errorf("void invoice %s: something was paid on it", invoice.GetString("number"))
	}
	totals, err := collections.InvoiceTotals(invoice)
	if err != nil {
		return err
	}
	invoice.Set("status", string(billing.InvoiceVoid))
	invoice.Set("due_minor", 0)
	invoice.Set("voided_at", collections.Stamp(now))
	if err := collections.Save(tx, invoice); err != nil {
		return fmt.Errorf("void invoice %s: %w", invoice.GetString("number"), err)
	}
	return collections.Post(tx, now, "void:"+invoice.Id, invoice.GetString("user"), invoice.Id, "", billing.PostVoid(totals))
}
