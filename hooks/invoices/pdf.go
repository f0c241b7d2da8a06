package invoices

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/document"
)

var unsafeInName = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// fileName is how a browser saves the document.
func fileName(inv *core.Record) string {
	return unsafeInName.ReplaceAllString(inv.GetString("number"), "-") + ".pdf"
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
	totals, err := collections.InvoiceTotals(inv)
	if err != nil {
		return document.Invoice{}, err
	}
	due, err := collections.Amount(inv, "due_minor")
	if err != nil {
		return document.Invoice{}, err
	}
	doc := document.Invoice{
		Brand: brand.Name, Accent: brand.Accent, Language: printedLanguage(inv), Number: inv.GetString("number"), Series: inv.GetString("series"),
		Status: document.Status(inv.GetString("status")), IssuedAt: collections.Time(inv, "issued_at"), DueAt: collections.Time(inv, "due_at"),
		Currency: inv.GetString("currency"), Subtotal: totals.Subtotal, Total: totals.Total, Due: due,
	}
	if collections.InvoiceStatus(inv) == billing.InvoiceOpen && brand.URL != "" {
		doc.PayURL = brand.URL + "/portal/invoices/" + inv.Id
	}
	if err := parties(inv, &doc); err != nil {
		return doc, err
	}
	lines, err := invoiceLines(app, inv)
	if err != nil {
		return doc, err
	}
	for _, l := range lines {
		line := document.Line{Description: l.Description, Quantity: l.Quantity, UnitPrice: l.UnitPrice, Amount: l.Amount}
		if l.Period != nil {
			line.Start, line.End = l.Period.Start, l.Period.End
		}
		doc.Lines = append(doc.Lines, line)
	}
	doc.Payments, err = printedPayments(app, inv)
	return doc, err
}

// printedLanguage is one the document speaks.
func printedLanguage(inv *core.Record) string {
	if lang, _, _ := strings.Cut(inv.GetString("language"), "-"); lang == "de" {
		return "de"
	}
	return "en"
}

func parties(inv *core.Record, doc *document.Invoice) error {
	seller, buyer := collections.Seller{}, collections.Buyer{}
	if err := json.Unmarshal([]byte(inv.GetString("seller")), &seller); err != nil {
		return fmt.Errorf("seller: %w", err)
	}
	if err := json.Unmarshal([]byte(inv.GetString("buyer")), &buyer); err != nil {
		return fmt.Errorf("buyer: %w", err)
	}
	doc.Seller = document.Party{Name: seller.Name, Address: seller.Address, VATID: seller.VATID, Registration: seller.Registration, Email: seller.Email, Bank: seller.Bank}
	doc.Buyer = document.Party{Name: buyer.Name, VATID: buyer.TaxID, Email: buyer.Email}
	if buyer.Company != "" {
		doc.Buyer.Name = buyer.Company
		doc.Buyer.Address = append(doc.Buyer.Address, buyer.Name)
	}
	if doc.Buyer.Name == "" {
		doc.Buyer.Name = buyer.Email
	}
	for _, l := range []string{buyer.Street, strings.TrimSpace(buyer.Postcode + " " + buyer.City), buyer.Region, buyer.Country} {
		if l != "" {
			doc.Buyer.Address = append(doc.Buyer.Address, l)
		}
	}
	return nil
}

func printedPayments(app core.App, inv *core.Record) ([]document.Payment, error) {
	found, err := collections.All(app, collections.PaymentTransactions, dbx.HashExp{"invoice": inv.Id, "status": "succeeded"}, "settled_at ASC")
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
		payments = append(payments, document.Payment{At: collections.Time(p, "settled_at"), Method: collections.GatewayName(p.GetString("gateway")), Amount: applied})
	}
	return payments, nil
}
