package invoices

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/op"
)

type byID struct {
	ID string `json:"-" path:"id"`
}

type periodView struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

type lineView struct {
	Description string       `json:"description"`
	Quantity    int64        `json:"quantity"`
	UnitPrice   money.Amount `json:"unit_price"`
	Amount      money.Amount `json:"amount"`
	Period      *periodView  `json:"period"`
}

type paymentView struct {
	At      time.Time    `json:"at"`
	Gateway string       `json:"gateway"`
	Amount  money.Amount `json:"amount"`
	State   string       `json:"state"`
	Reason  string       `json:"reason"`
}

type invoiceView struct {
	ID       string        `json:"id"`
	Number   string        `json:"number"`
	Status   string        `json:"status"`
	IssuedAt time.Time     `json:"issued_at"`
	DueAt    time.Time     `json:"due_at"`
	PaidAt   *time.Time    `json:"paid_at"`
	Currency string        `json:"currency"`
	Subtotal money.Amount  `json:"subtotal"`
	Tax      money.Amount  `json:"tax"`
	Total    money.Amount  `json:"total"`
	Due      money.Amount  `json:"due"`
	PDF      string        `json:"pdf_url"`
	Lines    []lineView    `json:"lines"`
	Payments []paymentView `json:"payments"`
}

type invoiceQuery struct {
	Status  string `json:"-" query:"status"`
	Page    int    `json:"-" query:"page"`
	PerPage int    `json:"-" query:"per_page"`
}

type invoiceList struct {
	Items   []invoiceView `json:"items"`
	Page    int           `json:"page"`
	PerPage int           `json:"per_page"`
	Total   int           `json:"total_items"`
}

func (s *subject) ops(t *op.Table) {
	op.Add(t, op.Spec{ID: "invoices.list", Method: http.MethodGet, Path: "/api/v1/invoices", Access: op.Customer, Summary: "The customer's invoices, newest first"}, s.listInvoices)
	op.Add(t, op.Spec{ID: "invoices.show", Method: http.MethodGet, Path: "/api/v1/invoices/{id}", Access: op.Customer, Summary: "One invoice with lines and payments"}, s.showInvoice)
	op.Add(t, op.Spec{ID: "invoices.pay", Method: http.MethodPost, Path: "/api/v1/invoices/{id}/pay", Access: op.Customer, Summary: "Open the payment of an open invoice"}, s.payInvoice)
	op.AddRaw(t, op.Spec{ID: "invoices.pdf", Method: http.MethodGet, Path: "/api/v1/invoices/{id}/pdf", Access: op.Signed, Summary: "The invoice as PDF, by the signed link of invoices.show", Produces: "application/pdf"}, s.pdf)
}

func (s *subject) listInvoices(r *op.Request, in invoiceQuery) (invoiceList, error) {
	in.Page, in.PerPage = max(in.Page, 1), min(max(in.PerPage, 1), 200)
	if r.Request.URL.Query().Get("per_page") == "" {
		in.PerPage = 50
	}
	list := invoiceList{Items: []invoiceView{}, Page: in.Page, PerPage: in.PerPage}
	where := dbx.And(dbx.HashExp{"user": r.Auth.Id}, dbx.Not(dbx.HashExp{"status": string(billing.InvoiceDraft)}))
	if in.Status != "" {
		known := []string{"open", "paid", "void", "uncollectible"}
		if !slices.Contains(known, in.Status) {
			return list, op.Fields{{Field: "status", Message: "status must be open, paid, void or uncollectible", Code: "unknown_status"}}.Problem()
		}
		where = dbx.And(where, dbx.HashExp{"status": in.Status})
	}
	if err := r.App.RecordQuery(collections.Invoices).Select("count(*)").AndWhere(where).Row(&list.Total); err != nil {
		return list, fmt.Errorf("count invoices: %w", err)
	}
	found := []*core.Record{}
	err := r.App.RecordQuery(collections.Invoices).AndWhere(where).OrderBy("issued_at DESC", "seq DESC").
		Limit(int64(in.PerPage)).Offset(int64((in.Page - 1) * in.PerPage)).All(&found)
	if err != nil {
		return list, fmt.Errorf("list invoices: %w", err)
	}
	for _, inv := range found {
		v, err := s.viewInvoice(inv, r.Now())
		if err != nil {
			return list, err
		}
		list.Items = append(list.Items, v)
	}
	return list, nil
}

func (s *subject) showInvoice(r *op.Request, in byID) (invoiceView, error) {
	inv, err := collections.Owned(r.App, collections.Invoices, in.ID, r.Auth.Id)
	if err != nil {
		return invoiceView{}, err
	}
	if collections.InvoiceStatus(inv) == billing.InvoiceDraft {
		return invoiceView{}, op.NotFound()
	}
	v, err := s.viewInvoice(inv, r.Now())
	if err != nil {
		return v, err
	}
	if v.Lines, err = invoiceLines(r.App, inv); err != nil {
		return v, err
	}
	v.Payments, err = invoicePayments(r.App, inv)
	return v, err
}

func (s *subject) viewInvoice(inv *core.Record, now time.Time) (invoiceView, error) {
	totals, err := collections.InvoiceTotals(inv)
	if err != nil {
		return invoiceView{}, err
	}
	due, err := collections.Amount(inv, "due_minor")
	if err != nil {
		return invoiceView{}, err
	}
	return invoiceView{
		ID: inv.Id, Number: inv.GetString("number"), Status: inv.GetString("status"),
		IssuedAt: collections.Time(inv, "issued_at"), DueAt: collections.Time(inv, "due_at"), PaidAt: optional(collections.Time(inv, "paid_at")),
		Currency: inv.GetString("currency"), Subtotal: totals.Subtotal, Tax: totals.Tax, Total: totals.Total, Due: due,
		PDF: s.link(inv.Id, now.Add(linkLife)), Lines: []lineView{}, Payments: []paymentView{},
	}, nil
}

func invoiceLines(app core.App, inv *core.Record) ([]lineView, error) {
	lines := []lineView{}
	items, err := collections.All(app, collections.InvoiceItems, dbx.HashExp{"invoice": inv.Id}, "position ASC")
	if err != nil {
		return nil, err
	}
	for _, it := range items {
		unit, err := money.New(it.GetInt64("unit_minor"), inv.GetString("currency"))
		if err != nil {
			return nil, fmt.Errorf("line %s: %w", it.Id, err)
		}
		amount, err := money.New(it.GetInt64("amount_minor"), inv.GetString("currency"))
		if err != nil {
			return nil, fmt.Errorf("line %s: %w", it.Id, err)
		}
		period := billing.Period{Start: collections.Time(it, "period_start"), End: collections.Time(it, "period_end")}
		lines = append(lines, lineView{it.GetString("description"), it.GetInt64("quantity"), unit, amount, viewPeriod(period)})
	}
	return lines, nil
}

func invoicePayments(app core.App, inv *core.Record) ([]paymentView, error) {
	views := []paymentView{}
	found, err := collections.All(app, collections.PaymentTransactions, dbx.HashExp{"invoice": inv.Id}, "created ASC")
	if err != nil {
		return nil, err
	}
	for _, p := range found {
		if p.GetString("status") == "created" {
			continue // nothing has happened yet
		}
		amount, err := collections.Amount(p, "amount_minor")
		if err != nil {
			return nil, err
		}
		at := collections.Time(p, "settled_at")
		if at.IsZero() {
			at = collections.Time(p, "created")
		}
		views = append(views, paymentView{at, p.GetString("gateway"), amount, p.GetString("status"), p.GetString("reason")})
	}
	return views, nil
}

func viewPeriod(p billing.Period) *periodView {
	if p.Start.IsZero() || p.End.IsZero() {
		return nil
	}
	return &periodView{p.Start, p.End}
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
