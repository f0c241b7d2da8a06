package invoices

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/books"
)

// draft is an invoice that has no number yet. Customers do not see it, nothing
// is booked for it, and its taxes are a preview: they are decided when it is
// issued.
type draft struct {
	books.Invoice
	now time.Time
}

// save writes a draft over an earlier one with its id.
func (d draft) save(tx core.App) error {
	if err := d.erase(tx); err != nil {
		return err
	}
	customer, err := collections.LoadCustomer(tx, d.User)
	if err != nil {
		return fmt.Errorf("draft: %w", err)
	}
	pricer, err := books.NewPricer(tx)
	if err != nil {
		return err
	}
	priced, err := pricer.Price(tx, customer, d.Lines, d.now)
	if err != nil {
		return fmt.Errorf("draft: %w", err)
	}
	taxes, err := json.Marshal(priced.Taxes)
	if err != nil {
		return fmt.Errorf("draft: taxes: %w", err)
	}
	if err := d.insert(tx, collections.Invoices, dbx.Params{
		"id": d.ID, "user": d.User, "kind": d.Kind, "parent": d.Parent, "status": string(billing.InvoiceDraft), "currency": d.Currency, "language": customer.Language,
		"subtotal_minor": priced.Totals.Subtotal.Minor(), "tax_minor": priced.Totals.Tax.Minor(), "total_minor": priced.Totals.Total.Minor(),
		"due_minor": priced.Totals.Total.Minor(), "due_at": collections.Stamp(d.DueAt).String(), "auto_charge": d.AutoCharge, "note": d.Note,
		"taxes": string(taxes), "tax_inclusive": pricer.Inclusive(),
	}); err != nil {
		return err
	}
	for i, l := range priced.Lines {
		if err := d.saveLine(tx, i, l); err != nil {
			return fmt.Errorf("draft: line %d (%s): %w", i+1, l.Description, err)
		}
	}
	return adopt(tx, d.ID, priced.Totals)
}

func (d draft) saveLine(tx core.App, i int, l books.PricedLine) error {
	detail, err := json.Marshal(l.Detail)
	if err != nil {
		return err
	}
	taxes, err := json.Marshal(l.Taxes)
	if err != nil {
		return err
	}
	return d.insert(tx, collections.InvoiceItems, dbx.Params{
		"id": core.GenerateDefaultRandomId(), "user": d.User, "invoice": d.ID, "position": i + 1, "kind": string(l.Kind), "description": l.Description, "quantity": l.Quantity,
		"unit_minor": l.UnitPrice.Minor(), "amount_minor": l.Amount.Minor(), "net_minor": l.Net.Minor(), "tax_minor": l.Tax.Minor(), "taxes": string(taxes), "live": true,
		"subscription": l.Subscription, "item": l.Item, "period_start": collections.Stamp(l.Period.Start).String(), "period_end": collections.Stamp(l.Period.End).String(),
		"tax_date": collections.Stamp(l.TaxDate).String(), "parent": l.Parent, "detail": string(detail),
	})
}

func (d draft) insert(tx core.App, collection string, row dbx.Params) error {
	now := collections.Stamp(d.now).String()
	row["created"], row["updated"] = now, now
	if _, err := tx.DB().Insert(collection, row).Execute(); err != nil {
		return fmt.Errorf("save draft %s: %w", d.ID, err)
	}
	return nil
}

// erase removes a draft; the database refuses it for anything issued.
func (d draft) erase(tx core.App) error {
	for _, c := range []struct{ collection, column string }{{collections.InvoiceItems, "invoice"}, {collections.Invoices, "id"}} {
		if _, err := tx.DB().Delete(c.collection, dbx.HashExp{c.column: d.ID}).Execute(); err != nil {
			return fmt.Errorf("erase draft %s: %w", d.ID, err)
		}
	}
	return nil
}

// readDraft is a stored draft with its lines.
func readDraft(app core.App, inv *core.Record, now time.Time) (draft, error) {
	d := draft{now: now, Invoice: books.Invoice{
		ID: inv.Id, User: inv.GetString("user"), Kind: inv.GetString("kind"), Currency: inv.GetString("currency"), DueAt: collections.Time(inv, "due_at"),
		AutoCharge: inv.GetBool("auto_charge"), Parent: inv.GetString("parent"), Note: inv.GetString("note"),
	}}
	var err error
	d.Lines, err = storedLines(app, inv)
	return d, err
}

// storedLines are the lines of an invoice as they were handed to pricing.
func storedLines(app core.App, inv *core.Record) ([]billing.Line, error) {
	items, err := collections.All(app, collections.InvoiceItems, dbx.HashExp{"invoice": inv.Id}, "position ASC")
	if err != nil {
		return nil, err
	}
	lines := make([]billing.Line, len(items))
	for i, it := range items {
		if lines[i], err = storedLine(it, inv.GetString("currency")); err != nil {
			return nil, fmt.Errorf("line %d of invoice %s: %w", i+1, inv.Id, err)
		}
	}
	return lines, nil
}

func storedLine(it *core.Record, currency string) (billing.Line, error) {
	l := billing.Line{
		Kind: billing.LineKind(it.GetString("kind")), TaxDate: collections.Time(it, "tax_date"), Subscription: it.GetString("subscription"), Item: it.GetString("item"), Parent: it.GetInt("parent"),
		InvoiceLine: billing.InvoiceLine{
			Description: it.GetString("description"), Quantity: it.GetInt64("quantity"),
			Period: billing.Period{Start: collections.Time(it, "period_start"), End: collections.Time(it, "period_end")},
		},
	}
	var err error
	if l.UnitPrice, err = money.New(it.GetInt64("unit_minor"), currency); err != nil {
		return l, err
	}
	if l.Amount, err = money.New(it.GetInt64("amount_minor"), currency); err != nil {
		return l, err
	}
	return l, collections.ReadJSON(it, "detail", &l.Detail)
}

// issue gives a draft its number: the draft goes and the issued invoice has its
// id. A customer without a currency has the invoice's from here on.
func (s *subject) issue(tx core.App, d draft) (books.Document, error) {
	if err := d.erase(tx); err != nil {
		return books.Document{}, err
	}
	session, err := s.Books.Open(tx, d.now)
	if err != nil {
		return books.Document{}, err
	}
	if d.DueAt.Before(d.now) { // a draft may lie for a while
		d.DueAt = d.now.AddDate(0, 0, session.Invoicing().MinTermDays)
	}
	_, err = tx.DB().Update(collections.Users, dbx.Params{"currency": d.Currency}, dbx.HashExp{"id": d.User, "currency": ""}).Execute()
	if err != nil {
		return books.Document{}, fmt.Errorf("currency of customer %s: %w", d.User, err)
	}
	doc, err := session.Issue(d.Invoice)
	if err != nil {
		return doc, err
	}
	totals, err := totalsOf(tx, doc.ID)
	if err != nil {
		return doc, err
	}
	return doc, adopt(tx, doc.ID, totals)
}

func totalsOf(app core.App, id string) (billing.Totals, error) {
	inv, err := app.FindRecordById(collections.Invoices, id)
	if err != nil {
		return billing.Totals{}, fmt.Errorf("invoice %s: %w", id, err)
	}
	return collections.InvoiceTotals(inv)
}

// adopt lets the order of a corrected invoice ask for the corrected sum.
func adopt(tx core.App, invoice string, t billing.Totals) error {
	_, err := tx.DB().Update(collections.Orders, dbx.Params{"subtotal_minor": t.Subtotal.Minor(), "tax_minor": t.Tax.Minor(), "total_minor": t.Total.Minor()}, dbx.HashExp{"invoice": invoice}).Execute()
	if err != nil {
		return fmt.Errorf("order of invoice %s: %w", invoice, err)
	}
	return nil
}
