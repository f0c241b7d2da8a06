package invoices

import (
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/hooks/op"
)

type byID struct {
	ID string `json:"-" path:"id"`
}

// taxView is a row of a document's breakdown of taxes.
type taxView struct {
	Category string       `json:"category"` // UNCL5305: S, Z, E, AE, O
	Name     string       `json:"name"`
	Country  string       `json:"country"`
	Region   string       `json:"region"`
	PPM      int64        `json:"rate_ppm"` // 190000 is 19 %
	Base     money.Amount `json:"base"`
	Tax      money.Amount `json:"tax"`
	Reason   string       `json:"reason"` // why nothing is due
	Note     string       `json:"note"`
}

// invoiceView is an invoice as customers and staff see it. Lists leave out what
// takes a further query: lines, payments and related documents.
type invoiceView struct {
	ID         string       `json:"id"`
	Number     string       `json:"number"`
	Kind       string       `json:"kind"`
	Status     string       `json:"status"`
	IssuedAt   *time.Time   `json:"issued_at"` // of a draft it is null
	DueAt      time.Time    `json:"due_at"`
	PaidAt     *time.Time   `json:"paid_at"`
	VoidedAt   *time.Time   `json:"voided_at"`
	Currency   string       `json:"currency"`
	Subtotal   money.Amount `json:"subtotal"`
	Tax        money.Amount `json:"tax"`
	Total      money.Amount `json:"total"`
	Paid       money.Amount `json:"paid"`
	Credited   money.Amount `json:"credited"` // what credit notes took off what is owed
	WrittenOff money.Amount `json:"written_off"`
	Due        money.Amount `json:"due"`
	Inclusive  bool         `json:"prices_include_tax"`
	Rounding   string       `json:"tax_rounding"`
	Note       string       `json:"note"`
	PDF        string       `json:"pdf_url"` // of a draft it is empty
	XML        string       `json:"xml_url"` // EN 16931, UBL

	Buyer    collections.Buyer `json:"buyer"`
	Taxes    []taxView         `json:"taxes"`
	Lines    []lineView        `json:"lines"`
	Payments []paymentView     `json:"payments"`
	Refunds  []refundRow       `json:"refunds"` // of its payments, as they stand
	Related  []documentRef     `json:"related"`
}

func (s *subject) viewInvoice(inv *core.Record, now time.Time) (invoiceView, error) {
	totals, err := collections.InvoiceTotals(inv)
	if err != nil {
		return invoiceView{}, err
	}
	v := invoiceView{
		ID: inv.Id, Number: inv.GetString("number"), Kind: inv.GetString("kind"), Status: inv.GetString("status"),
		IssuedAt: optional(collections.Time(inv, "issued_at")), DueAt: collections.Time(inv, "due_at"), PaidAt: optional(collections.Time(inv, "paid_at")), VoidedAt: optional(collections.Time(inv, "voided_at")),
		Currency: inv.GetString("currency"), Subtotal: totals.Subtotal, Tax: totals.Tax, Total: totals.Total,
		Inclusive: inv.GetBool("tax_inclusive"), Rounding: inv.GetString("tax_rounding"), Note: inv.GetString("note"),
		Taxes: []taxView{}, Lines: []lineView{}, Payments: []paymentView{}, Refunds: []refundRow{}, Related: []documentRef{},
	}
	for field, into := range map[string]*money.Amount{"paid_minor": &v.Paid, "credited_minor": &v.Credited, "written_off_minor": &v.WrittenOff, "due_minor": &v.Due} {
		if *into, err = collections.Amount(inv, field); err != nil {
			return v, err
		}
	}
	if err := collections.ReadJSON(inv, "buyer", &v.Buyer); err != nil {
		return v, err
	}
	if v.Status != string(billing.InvoiceDraft) {
		v.PDF, v.XML = s.link(invoicePDF, inv.Id, now), s.link(invoiceXML, inv.Id, now)
	}
	v.Taxes, err = viewTaxes(inv)
	return v, err
}

// wholeInvoice is the view with all that hangs on the invoice.
func (s *subject) wholeInvoice(app core.App, inv *core.Record, now time.Time) (invoiceView, error) {
	v, err := s.viewInvoice(inv, now)
	if err != nil {
		return v, err
	}
	if v.Lines, err = invoiceLines(app, inv); err != nil {
		return v, err
	}
	if v.Payments, err = invoicePayments(app, inv); err != nil {
		return v, err
	}
	if v.Refunds, err = refundsOn(app, inv); err != nil {
		return v, err
	}
	v.Related, err = related(app, inv)
	return v, err
}

// viewTaxes reads the frozen breakdown of an invoice or credit note.
func viewTaxes(doc *core.Record) ([]taxView, error) {
	groups := []tax.Group{}
	if err := collections.ReadJSON(doc, "taxes", &groups); err != nil {
		return nil, err
	}
	views := make([]taxView, len(groups))
	for i, g := range groups {
		base, err := money.New(g.Base, doc.GetString("currency"))
		if err != nil {
			return nil, fmt.Errorf("%s %s, tax %d: %w", doc.Collection().Name, doc.Id, i+1, err)
		}
		part, err := money.New(g.Tax, doc.GetString("currency"))
		if err != nil {
			return nil, fmt.Errorf("%s %s, tax %d: %w", doc.Collection().Name, doc.Id, i+1, err)
		}
		views[i] = taxView{string(g.Category), g.Name, g.Country, g.Region, g.PPM, base, part, string(g.Reason), g.Note}
	}
	return views, nil
}

// issued refuses drafts: to customers they do not exist.
func issued(inv *core.Record) error {
	if collections.InvoiceStatus(inv) == billing.InvoiceDraft {
		return op.NotFound()
	}
	return nil
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
