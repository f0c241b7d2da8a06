package invoices

import (
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/document"
	"github.com/ezscale/ezscale/hooks/op"
)

// signedNote is the credit note that a signed link leads to.
func (s *subject) signedNote(r *op.Request) (*core.Record, error) {
	if err := s.verify(r); err != nil {
		return nil, err
	}
	n, err := collections.First(r.App, collections.CreditNotes, dbx.HashExp{"id": r.Path("id")})
	if err == nil && n == nil {
		err = op.NotFound()
	}
	return n, err
}

func (s *subject) notePDF(r *op.Request) error {
	n, err := s.signedNote(r)
	if err != nil {
		return err
	}
	body, err := RenderNotePDF(r.App, n)
	if err != nil {
		return err
	}
	return send(r, "application/pdf", n.GetString("number")+".pdf", body)
}

// RenderNotePDF renders a credit note from what is frozen on it. The same note
// gives the same bytes.
func RenderNotePDF(app core.App, n *core.Record) ([]byte, error) {
	doc, err := printedNote(app, n)
	if err != nil {
		return nil, fmt.Errorf("credit note %s: %w", n.GetString("number"), err)
	}
	body, err := document.RenderCreditNote(doc)
	if err != nil {
		return nil, fmt.Errorf("credit note %s: %w", n.GetString("number"), err)
	}
	return body, nil
}

func printedNote(app core.App, n *core.Record) (document.CreditNote, error) {
	brand, err := collections.LoadBrand(app)
	if err != nil {
		return document.CreditNote{}, err
	}
	inv, err := app.FindRecordById(collections.Invoices, n.GetString("invoice"))
	if err != nil {
		return document.CreditNote{}, fmt.Errorf("invoice: %w", err)
	}
	doc := document.CreditNote{
		Brand: brand.Name, Accent: brand.Accent, Language: speaks(n.GetString("language")), Number: n.GetString("number"), Series: n.GetString("series"),
		IssuedAt: collections.Time(n, "issued_at"), Currency: n.GetString("currency"), Reason: n.GetString("reason"),
		Corrects: document.Reference{Number: inv.GetString("number"), IssuedAt: collections.Time(inv, "issued_at")}, Prices: prices(inv),
	}
	totals, err := collections.InvoiceTotals(n)
	if err != nil {
		return doc, err
	}
	doc.Subtotal, doc.Total = totals.Subtotal, totals.Total
	if doc.Reduced, err = collections.Amount(n, "to_due_minor"); err != nil {
		return doc, err
	}
	if doc.ToBalance, err = collections.Amount(n, "to_credit_minor"); err != nil {
		return doc, err
	}
	if doc.Seller, doc.Buyer, err = parties(n); err != nil {
		return doc, err
	}
	if doc.Taxes, err = printedTaxes(n); err != nil {
		return doc, err
	}
	lines, err := noteLines(app, n)
	if err != nil {
		return doc, err
	}
	for _, l := range lines {
		line, err := l.printed(inv.GetBool("tax_inclusive"))
		if err != nil {
			return doc, fmt.Errorf("line %d: %w", l.Position, err)
		}
		doc.Lines = append(doc.Lines, line)
	}
	return doc, nil
}

func (l noteLine) printed(inclusive bool) (document.Line, error) {
	amount, err := asPriced(l.Net, l.Tax, inclusive)
	if err != nil {
		return document.Line{}, err
	}
	line := document.Line{Kind: printedKind(billing.LineKind(l.Kind)), Description: l.Description, Quantity: 1, UnitPrice: amount, Amount: amount}
	line.Rates, line.Category = printedRates(l.Taxes)
	if l.Period != nil {
		line.Start, line.End = l.Period.Start, l.Period.End
	}
	return line, nil
}
