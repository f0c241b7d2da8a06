package invoices

import (
	"fmt"
	"net/http"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/hooks/op"
)

// noteLine is what a credit note takes back of one line; what takes off, as a
// discount that goes back with its line, is negative.
type noteLine struct {
	Position    int           `json:"position"`
	Line        int           `json:"line"`   // position on the invoice
	Parent      int           `json:"parent"` // on the invoice: the line that a discount belongs to; 0 for none
	Kind        string        `json:"kind"`
	Description string        `json:"description"`
	Net         money.Amount  `json:"net"`
	Tax         money.Amount  `json:"tax"`
	Taxes       tax.LineTaxes `json:"taxes"`
	Period      *periodView   `json:"period"`
}

// noteView is a credit note. Lists leave the lines out.
type noteView struct {
	ID       string       `json:"id"`
	Number   string       `json:"number"`
	Invoice  noteInvoice  `json:"invoice"`
	IssuedAt time.Time    `json:"issued_at"`
	Currency string       `json:"currency"`
	Subtotal money.Amount `json:"subtotal"`
	Tax      money.Amount `json:"tax"`
	Total    money.Amount `json:"total"`
	ToDue    money.Amount `json:"to_due"`    // what it took off the amount due
	ToCredit money.Amount `json:"to_credit"` // what became credit
	Reason   string       `json:"reason"`
	PDF      string       `json:"pdf_url"`
	XML      string       `json:"xml_url"` // EN 16931, UBL
	Taxes    []taxView    `json:"taxes"`
	Lines    []noteLine   `json:"lines"`
}

type noteInvoice struct {
	ID       string    `json:"id"`
	Number   string    `json:"number"`
	IssuedAt time.Time `json:"issued_at"`
}

type noteQuery struct {
	Invoice string `json:"-" query:"invoice"`
	Page    int    `json:"-" query:"page"`
	PerPage int    `json:"-" query:"per_page"`
}

type noteList struct {
	Items   []noteView `json:"items"`
	Page    int        `json:"page"`
	PerPage int        `json:"per_page"`
	Total   int        `json:"total_items"`
}

func (s *subject) noteOps(t *op.Table) {
	op.Add(t, op.Spec{ID: "credit_notes.list", Method: http.MethodGet, Path: "/api/v1/credit-notes", Access: op.Customer, Summary: "The customer's credit notes, newest first"}, s.listNotes)
	op.Add(t, op.Spec{ID: "credit_notes.show", Method: http.MethodGet, Path: "/api/v1/credit-notes/{id}", Access: op.Customer, Summary: "One credit note with its lines and what became of it"}, s.showNote)
}

func (s *subject) listNotes(r *op.Request, in noteQuery) (noteList, error) {
	p := pages(r, in.Page, in.PerPage)
	list := noteList{Items: []noteView{}, Page: p.page, PerPage: p.perPage}
	where := dbx.HashExp{"user": r.Auth.Id}
	if in.Invoice != "" {
		where["invoice"] = in.Invoice
	}
	if err := r.App.RecordQuery(collections.CreditNotes).Select("count(*)").AndWhere(where).Row(&list.Total); err != nil {
		return list, fmt.Errorf("count credit notes: %w", err)
	}
	found := []*core.Record{}
	err := r.App.RecordQuery(collections.CreditNotes).AndWhere(where).OrderBy("issued_at DESC", "seq DESC").Limit(p.limit()).Offset(p.offset()).All(&found)
	if err != nil {
		return list, fmt.Errorf("list credit notes: %w", err)
	}
	for _, n := range found {
		v, err := s.viewNote(r.App, n, r.Now())
		if err != nil {
			return list, err
		}
		list.Items = append(list.Items, v)
	}
	return list, nil
}

func (s *subject) showNote(r *op.Request, in byID) (noteView, error) {
	n, err := collections.Owned(r.App, collections.CreditNotes, in.ID, r.Auth.Id)
	if err != nil {
		return noteView{}, err
	}
	return s.wholeNote(r.App, n, r.Now())
}

func (s *subject) wholeNote(app core.App, n *core.Record, now time.Time) (noteView, error) {
	v, err := s.viewNote(app, n, now)
	if err != nil {
		return v, err
	}
	v.Lines, err = noteLines(app, n)
	return v, err
}

func (s *subject) viewNote(app core.App, n *core.Record, now time.Time) (noteView, error) {
	inv, err := app.FindRecordById(collections.Invoices, n.GetString("invoice"))
	if err != nil {
		return noteView{}, fmt.Errorf("credit note %s: invoice: %w", n.GetString("number"), err)
	}
	totals, err := collections.InvoiceTotals(n)
	if err != nil {
		return noteView{}, err
	}
	v := noteView{
		ID: n.Id, Number: n.GetString("number"), IssuedAt: collections.Time(n, "issued_at"), Currency: n.GetString("currency"),
		Invoice:  noteInvoice{inv.Id, inv.GetString("number"), collections.Time(inv, "issued_at")},
		Subtotal: totals.Subtotal, Tax: totals.Tax, Total: totals.Total, Reason: n.GetString("reason"), PDF: s.link(notePDF, n.Id, now), XML: s.link(noteXML, n.Id, now), Lines: []noteLine{},
	}
	if v.ToDue, err = collections.Amount(n, "to_due_minor"); err != nil {
		return v, err
	}
	if v.ToCredit, err = collections.Amount(n, "to_credit_minor"); err != nil {
		return v, err
	}
	v.Taxes, err = viewTaxes(n)
	return v, err
}

func noteLines(app core.App, n *core.Record) ([]noteLine, error) {
	items, err := collections.All(app, collections.CreditNoteItems, dbx.HashExp{"credit_note": n.Id}, "position ASC")
	if err != nil {
		return nil, err
	}
	lines := make([]noteLine, len(items))
	for i, it := range items {
		if lines[i], err = viewNoteLine(app, it, n.GetString("currency")); err != nil {
			return nil, fmt.Errorf("line %d of credit note %s: %w", i+1, n.GetString("number"), err)
		}
	}
	return lines, nil
}

func viewNoteLine(app core.App, it *core.Record, currency string) (noteLine, error) {
	origin, err := app.FindRecordById(collections.InvoiceItems, it.GetString("invoice_item"))
	if err != nil {
		return noteLine{}, fmt.Errorf("line of the invoice: %w", err)
	}
	v := noteLine{Position: it.GetInt("position"), Line: origin.GetInt("position"), Parent: origin.GetInt("parent"), Kind: origin.GetString("kind"), Description: it.GetString("description"), Period: viewPeriod(it)}
	if v.Net, err = money.New(it.GetInt64("net_minor"), currency); err != nil {
		return v, err
	}
	if v.Tax, err = money.New(it.GetInt64("tax_minor"), currency); err != nil {
		return v, err
	}
	return v, collections.ReadJSON(it, "taxes", &v.Taxes)
}
