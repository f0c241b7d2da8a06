package invoices

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/document"
	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/hooks/op"
)

func (s *subject) fileOps(t *op.Table) {
	files := []struct {
		id, path, what, media string
		serve                 func(r *op.Request) error
	}{
		{"invoices.pdf", invoicePDF, "The invoice as PDF, by the signed link of invoices.show", "application/pdf", s.pdf},
		{"invoices.xml", invoiceXML, "The invoice as XML of EN 16931 (UBL), by the signed link of invoices.show", "application/xml", s.xml},
		{"credit_notes.pdf", notePDF, "The credit note as PDF, by the signed link of credit_notes.show", "application/pdf", s.notePDF},
		{"credit_notes.xml", noteXML, "The credit note as XML of EN 16931 (UBL), by the signed link of credit_notes.show", "application/xml", s.noteXML},
	}
	for _, f := range files {
		op.AddRaw(t, op.Spec{ID: f.id, Method: http.MethodGet, Path: f.path, Access: op.Signed, Summary: f.what, Produces: f.media}, f.serve)
	}
}

// signedInvoice is the issued invoice that a signed link leads to.
func (s *subject) signedInvoice(r *op.Request) (*core.Record, error) {
	if err := s.verify(r); err != nil {
		return nil, err
	}
	inv, err := anyInvoice(r.App, r.Path("id"))
	if err != nil {
		return nil, err
	}
	return inv, issued(inv)
}

func (s *subject) pdf(r *op.Request) error {
	inv, err := s.signedInvoice(r)
	if err != nil {
		return err
	}
	body, err := RenderPDF(r.App, inv)
	if err != nil {
		return err
	}
	return send(r, "application/pdf", inv.GetString("number")+".pdf", body)
}

// RenderPDF renders an issued invoice from what is frozen on it. The same
// invoice in the same state gives the same bytes.
func RenderPDF(app core.App, inv *core.Record) ([]byte, error) {
	doc, err := printed(app, inv)
	if err != nil {
		return nil, fmt.Errorf("invoice %s: %w", inv.GetString("number"), err)
	}
	body, err := document.RenderInvoice(doc)
	if err != nil {
		return nil, fmt.Errorf("invoice %s: %w", inv.GetString("number"), err)
	}
	return body, nil
}

func printed(app core.App, inv *core.Record) (document.Invoice, error) {
	brand, err := collections.LoadBrand(app)
	if err != nil {
		return document.Invoice{}, err
	}
	doc := document.Invoice{
		Brand: brand.Name, Accent: brand.Accent, Language: speaks(inv.GetString("language")), Number: inv.GetString("number"), Series: inv.GetString("series"),
		Status: document.Status(inv.GetString("status")), IssuedAt: collections.Time(inv, "issued_at"), DueAt: collections.Time(inv, "due_at"),
		Currency: inv.GetString("currency"), Prices: prices(inv), Rounding: document.Rounding(inv.GetString("tax_rounding")),
	}
	totals, err := collections.InvoiceTotals(inv)
	if err != nil {
		return doc, err
	}
	doc.Subtotal, doc.Total = totals.Subtotal, totals.Total
	if doc.Due, err = collections.Amount(inv, "due_minor"); err != nil {
		return doc, err
	}
	if doc.WrittenOff, err = collections.Amount(inv, "written_off_minor"); err != nil {
		return doc, err
	}
	if doc.Due.Sign() > 0 && collections.InvoiceStatus(inv) == billing.InvoiceOpen && brand.URL != "" {
		doc.PayURL = brand.URL + "/portal/invoices/" + inv.Id
	}
	if note := strings.TrimSpace(inv.GetString("note")); note != "" {
		doc.Notes = []string{note}
	}
	if doc.Seller, doc.Buyer, err = parties(inv); err != nil {
		return doc, err
	}
	if doc.Taxes, err = printedTaxes(inv); err != nil {
		return doc, err
	}
	if doc.Lines, err = printedLines(app, inv, doc.Language); err != nil {
		return doc, err
	}
	if doc.Payments, err = printedPayments(app, inv); err != nil {
		return doc, err
	}
	return doc, printedRelations(app, inv, &doc)
}

// prices says what the amounts of an invoice's lines contain; without tax there
// is nothing to be said.
func prices(inv *core.Record) document.Prices {
	switch {
	case inv.GetInt64("tax_minor") == 0:
		return ""
	case inv.GetBool("tax_inclusive"):
		return document.Inclusive
	}
	return document.Exclusive
}

// speaks is the language of documents for somebody who reads the given one.
func speaks(language string) string {
	if lang, _, _ := strings.Cut(language, "-"); lang == "de" {
		return "de"
	}
	return "en"
}

// parties reads the frozen seller and buyer of an invoice or credit note.
func parties(doc *core.Record) (from, to document.Party, err error) {
	seller, buyer := collections.Seller{}, collections.Buyer{}
	if err := collections.ReadJSON(doc, "seller", &seller); err != nil {
		return from, to, err
	}
	if err := collections.ReadJSON(doc, "buyer", &buyer); err != nil {
		return from, to, err
	}
	return printedSeller(seller), printedBuyer(buyer), nil
}

func printedSeller(s collections.Seller) document.Party {
	return document.Party{Name: s.Name, Address: s.Address, VATID: s.VATID, Registration: s.Registration, Email: s.Email, Bank: s.Bank}
}

func printedBuyer(b collections.Buyer) document.Party {
	to := document.Party{Name: b.Name, VATID: b.TaxID, Email: b.Email}
	if b.Company != "" {
		to.Name = b.Company
		to.Address = append(to.Address, b.Name)
	}
	if to.Name == "" {
		to.Name = b.Email
	}
	for _, l := range []string{b.Street, strings.TrimSpace(b.Postcode + " " + b.City), b.Region, b.Country} {
		if l != "" {
			to.Address = append(to.Address, l)
		}
	}
	return to
}

// printedTaxes is the frozen breakdown. A seller without taxes prints none.
func printedTaxes(doc *core.Record) ([]document.TaxRow, error) {
	views, err := viewTaxes(doc)
	if err != nil {
		return nil, err
	}
	rows := []document.TaxRow{}
	for _, v := range views {
		if v.Reason == string(tax.ReasonNoTax) {
			continue
		}
		rows = append(rows, document.TaxRow{Category: v.Category, Name: v.Name, PPM: v.PPM, Base: v.Base, Amount: v.Tax, Reason: v.Reason, Note: v.Note})
	}
	return rows, nil
}

func printedPayments(app core.App, inv *core.Record) ([]document.Payment, error) {
	found, err := succeeded(app, inv)
	if err != nil {
		return nil, err
	}
	payments := []document.Payment{}
	for _, p := range found {
		applied, err := collections.Amount(p, "applied_minor")
		if err != nil {
			return nil, err
		}
		if applied.IsZero() {
			continue // became credit, is not on this document
		}
		gateway := p.GetString("gateway")
		payments = append(payments, document.Payment{At: collections.Time(p, "settled_at"), Method: collections.GatewayName(gateway), Amount: applied, Balance: gateway == billing.GatewayCredit})
	}
	return payments, nil
}

// printedRelations names the documents that the invoice corrects or is corrected
// by.
func printedRelations(app core.App, inv *core.Record, doc *document.Invoice) error {
	refs, err := related(app, inv)
	if err != nil {
		return err
	}
	for _, r := range refs {
		switch r.Relation {
		case "corrects":
			doc.Corrects = append(doc.Corrects, document.Reference{Number: r.Number, IssuedAt: r.IssuedAt})
		case "credit_note":
			note, err := app.FindRecordById(collections.CreditNotes, r.ID)
			if err != nil {
				return fmt.Errorf("credit note %s: %w", r.Number, err)
			}
			reduced, err := collections.Amount(note, "to_due_minor")
			if err != nil {
				return err
			}
			doc.Corrected = append(doc.Corrected, document.Correction{Reference: document.Reference{Number: r.Number, IssuedAt: r.IssuedAt}, Reduced: reduced})
		}
	}
	return nil
}
