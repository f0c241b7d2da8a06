package invoices

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/document/einvoice"
	"github.com/ezscale/ezscale/engine/document/locales"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/hooks/op"
)

func (s *subject) xml(r *op.Request) error {
	inv, err := s.signedInvoice(r)
	if err != nil {
		return err
	}
	doc, err := structured(r.App, inv)
	if err != nil {
		return fmt.Errorf("invoice %s: %w", inv.GetString("number"), err)
	}
	return sendXML(r, inv.GetString("number"), doc)
}

func (s *subject) noteXML(r *op.Request) error {
	n, err := s.signedNote(r)
	if err != nil {
		return err
	}
	doc, err := structuredNote(r.App, n)
	if err != nil {
		return fmt.Errorf("credit note %s: %w", n.GetString("number"), err)
	}
	return sendXML(r, n.GetString("number"), doc)
}

// sendXML answers with the file, or with the rules that keep it from being one:
// what the norm cannot say is not said approximately.
func sendXML(r *op.Request, number string, doc einvoice.Document) error {
	body, err := einvoice.Render(doc)
	var refused *einvoice.Refusal
	if errors.As(err, &refused) {
		faults := []string{}
		for _, v := range refused.Violations {
			faults = append(faults, v.String())
		}
		return op.NewProblem(http.StatusConflict, "no_xml", "This document cannot be written as XML of EN 16931: "+strings.Join(faults, "; ")+".").Because(err)
	}
	if err != nil {
		return err
	}
	return send(r, "application/xml", number+".xml", body)
}

// structured is an invoice in the terms of EN 16931, from what is frozen on it.
func structured(app core.App, inv *core.Record) (einvoice.Document, error) {
	doc, err := structuredHead(inv)
	if err != nil {
		return doc, err
	}
	doc.Type, doc.DueAt = einvoice.Invoice, collections.Time(inv, "due_at")
	if doc.Prepaid, err = collections.Amount(inv, "paid_minor"); err != nil {
		return doc, err
	}
	if doc.Due, err = doc.Total.Sub(doc.Prepaid); err != nil {
		return doc, err
	}
	refs, err := related(app, inv)
	if err != nil {
		return doc, err
	}
	for _, ref := range refs {
		if ref.Relation == "corrects" {
			doc.Type, doc.Preceding = einvoice.Corrected, []einvoice.Reference{{Number: ref.Number, IssuedAt: ref.IssuedAt}}
		}
	}
	lines, err := invoiceLines(app, inv)
	if err != nil {
		return doc, err
	}
	sheet := xmlLines{at: map[int]int{}}
	for _, l := range lines {
		sheet.add(l.Position, l.Parent, l.Description, l.Quantity, l.Net, l.Taxes, l.Period)
	}
	doc.Lines, err = sheet.all()
	return doc, err
}

// structuredNote is a credit note in the terms of EN 16931.
func structuredNote(app core.App, n *core.Record) (einvoice.Document, error) {
	doc, err := structuredHead(n)
	if err != nil {
		return doc, err
	}
	inv, err := app.FindRecordById(collections.Invoices, n.GetString("invoice"))
	if err != nil {
		return doc, fmt.Errorf("invoice: %w", err)
	}
	doc.Type, doc.Note, doc.Due, doc.Terms = einvoice.CreditNote, n.GetString("reason"), doc.Total, n.GetString("reason")
	doc.Preceding = []einvoice.Reference{{Number: inv.GetString("number"), IssuedAt: collections.Time(inv, "issued_at")}}
	lines, err := noteLines(app, n)
	if err != nil {
		return doc, err
	}
	sheet := xmlLines{at: map[int]int{}}
	for _, l := range lines {
		sheet.add(l.Line, l.Parent, l.Description, 1, l.Net, l.Taxes, l.Period)
	}
	doc.Lines, err = sheet.all()
	return doc, err
}

// structuredHead is what invoice and credit note have in common.
func structuredHead(rec *core.Record) (einvoice.Document, error) {
	totals, err := collections.InvoiceTotals(rec)
	if err != nil {
		return einvoice.Document{}, err
	}
	doc := einvoice.Document{
		Number: rec.GetString("number"), IssuedAt: collections.Time(rec, "issued_at"), Currency: rec.GetString("currency"), Note: rec.GetString("note"),
		Net: totals.Subtotal, Tax: totals.Tax, Total: totals.Total,
	}
	seller, buyer := collections.Seller{}, collections.Buyer{}
	if err := collections.ReadJSON(rec, "seller", &seller); err != nil {
		return doc, err
	}
	if err := collections.ReadJSON(rec, "buyer", &buyer); err != nil {
		return doc, err
	}
	doc.Seller = einvoice.Party{Name: seller.Name, Street: seller.Address, Country: seller.Country, VATID: seller.VATID, Registration: seller.Registration, Email: seller.Email}
	doc.Buyer = structuredBuyer(buyer)
	doc.Payment = transferTo(seller, doc.Number)
	views, err := viewTaxes(rec)
	if err != nil {
		return doc, err
	}
	if doc.Taxes, err = structuredTaxes(views, rec.GetString("language")); err != nil {
		return doc, err
	}
	if len(doc.Taxes) > 0 && doc.Taxes[0].Category == einvoice.OutOfScope { // BR-O-02: no ids for VAT where there is none
		doc.Seller.TaxNumber, doc.Seller.VATID, doc.Buyer.VATID = "", "", ""
	}
	return doc, nil
}

func structuredBuyer(b collections.Buyer) einvoice.Party {
	to := printedBuyer(b)
	p := einvoice.Party{Name: to.Name, City: b.City, PostCode: b.Postcode, Region: b.Region, Country: b.Country, VATID: b.TaxID, Email: b.Email}
	if b.Street != "" {
		p.Street = []string{b.Street}
	}
	if b.Company != "" {
		p.Contact = b.Name
	}
	return p
}

// transferTo reads the seller's account out of what is printed of it: lines that
// begin with IBAN and BIC.
func transferTo(s collections.Seller, number string) einvoice.Payment {
	p := einvoice.Payment{}
	for _, line := range s.Bank {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch strings.ToUpper(strings.TrimSuffix(name, ":")) {
		case "IBAN":
			p.Means, p.Account, p.Holder, p.Reference = einvoice.SEPATransfer, strings.ReplaceAll(value, " ", ""), s.Name, number
		case "BIC":
			p.BIC = strings.TrimSpace(value)
		}
	}
	return p
}

// structuredTaxes groups the frozen breakdown by category and rate, as the norm
// does.
func structuredTaxes(views []taxView, language string) ([]einvoice.Tax, error) {
	l, _ := locales.Get(speaks(language))
	rows := []einvoice.Tax{}
	for _, v := range views {
		row := einvoice.Tax{Category: einvoice.Category(v.Category), PPM: v.PPM, Base: v.Base, Amount: v.Tax, ReasonCode: tax.Reason(v.Reason).VATEX(), Reason: v.Note}
		if v.Reason != "" {
			row.Reason = strings.TrimSpace(l.Text("tax.reason."+v.Reason) + " " + v.Note)
		}
		same := false
		for i := range rows {
			if rows[i].Category != row.Category || rows[i].PPM != row.PPM {
				continue
			}
			var err error
			if rows[i].Base, err = rows[i].Base.Add(row.Base); err != nil {
				return nil, err
			}
			if rows[i].Amount, err = rows[i].Amount.Add(row.Amount); err != nil {
				return nil, err
			}
			same = true
		}
		if !same {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// xmlLines collects lines; at says where the line of a position stands.
type xmlLines struct {
	lines []einvoice.Line
	at    map[int]int
	two   bool // a line bears two taxes
}

// all are the lines; the norm has no place for two taxes of one.
func (x *xmlLines) all() ([]einvoice.Line, error) {
	if x.two {
		return nil, op.NewProblem(http.StatusConflict, "no_xml", "This document has lines with two taxes, which XML of EN 16931 cannot say.")
	}
	return x.lines, nil
}

// add writes a line, or the allowance of the line it is a discount of.
func (x *xmlLines) add(position, parent int, text string, quantity int64, net money.Amount, t tax.LineTaxes, p *periodView) {
	if i, known := x.at[parent]; known && parent > 0 && net.Sign() < 0 {
		l := &x.lines[i]
		l.Allowances = append(l.Allowances, einvoice.Allowance{Amount: net.Neg(), Reason: text, Code: einvoice.DiscountCode})
		l.Net = money.Must(l.Net.Minor()+net.Minor(), net.Currency()) // of a sum that was issued
		return
	}
	line := einvoice.Line{Name: text, Quantity: quantity, Net: net, Category: einvoice.Category(t.Category)}
	if len(t.Components) > 0 {
		line.PPM = t.Components[0].PPM
	}
	x.two = x.two || len(t.Components) > 1
	if net.Sign() < 0 {
		line.Quantity = -quantity
	}
	if p != nil {
		line.Start, line.End = p.Start, p.End
	}
	x.at[position] = len(x.lines)
	x.lines = append(x.lines, line)
}
