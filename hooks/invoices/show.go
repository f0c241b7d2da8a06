package invoices

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/op"
)

// paging is which part of a list is asked for.
type paging struct {
	page, perPage int
}

// pages reads the usual parameters: 50 rows unless asked, 200 at most.
func pages(r *op.Request, page, perPage int) paging {
	if r.Request.URL.Query().Get("per_page") == "" {
		perPage = 50
	}
	return paging{max(page, 1), min(max(perPage, 1), 200)}
}

func (p paging) limit() int64  { return int64(p.perPage) }
func (p paging) offset() int64 { return int64((p.page - 1) * p.perPage) }

type invoiceQuery struct {
	Status  string `json:"-" query:"status"`
	From    string `json:"-" query:"from"`
	To      string `json:"-" query:"to"`
	Text    string `json:"-" query:"text"`
	Page    int    `json:"-" query:"page"`
	PerPage int    `json:"-" query:"per_page"`
}

// Check refuses filters that would find nothing by mistake.
func (in invoiceQuery) Check(f *op.Fields) {
	known := []string{"", "open", "overdue", "paid", "void", "uncollectible"}
	f.Check(slices.Contains(known, in.Status), "status", "unknown_status", "status must be open, overdue, paid, void or uncollectible")
	checkDay(f, "from", in.From)
	checkDay(f, "to", in.To)
	f.Check(len(in.Text) <= 100, "text", "too_long", "Search for at most 100 characters.")
}

// checkDay accepts an empty day or one such as 2026-01-31.
func checkDay(f *op.Fields, field, day string) {
	_, err := time.Parse(time.DateOnly, day)
	f.Check(day == "" || err == nil, field, "malformed", field+" must be a day such as 2026-01-31.")
}

// day is the start of a checked day in UTC; the zero time for none.
func day(s string) time.Time {
	t, _ := time.Parse(time.DateOnly, s) // checked, or empty
	return t
}

type invoiceList struct {
	Items   []invoiceView `json:"items"`
	Page    int           `json:"page"`
	PerPage int           `json:"per_page"`
	Total   int           `json:"total_items"`
}

func (s *subject) showOps(t *op.Table) {
	op.Add(t, op.Spec{ID: "invoices.list", Method: http.MethodGet, Path: "/api/v1/invoices", Access: op.Customer, Summary: "The customer's invoices, newest first; from is the first day and to the day after the last"}, s.listInvoices)
	op.Add(t, op.Spec{ID: "invoices.show", Method: http.MethodGet, Path: "/api/v1/invoices/{id}", Access: op.Customer, Summary: "One invoice with its lines and how they came about, taxes, payments and related documents"}, s.showInvoice)
	op.Add(t, op.Spec{ID: "staff.invoices.show", Method: http.MethodGet, Path: "/api/v1/staff/invoices/{id}", Access: op.Staff, Summary: "Any invoice or draft as the customer sees or will see it"}, s.staffInvoice)
}

// filter is the condition of a list; drafts are never in it.
func (in invoiceQuery) filter(user string, now time.Time) dbx.Expression {
	where := []dbx.Expression{dbx.HashExp{"user": user}, dbx.Not(dbx.HashExp{"status": string(billing.InvoiceDraft)})}
	switch in.Status {
	case "":
	case "overdue":
		where = append(where, dbx.HashExp{"status": string(billing.InvoiceOpen)}, dbx.NewExp("`due_at` < {:now}", dbx.Params{"now": collections.Stamp(now).String()}))
	default:
		where = append(where, dbx.HashExp{"status": in.Status})
	}
	if in.From != "" {
		where = append(where, dbx.NewExp("`issued_at` >= {:from}", dbx.Params{"from": collections.Stamp(day(in.From)).String()}))
	}
	if in.To != "" {
		where = append(where, dbx.NewExp("`issued_at` < {:to}", dbx.Params{"to": collections.Stamp(day(in.To)).String()}))
	}
	if text := strings.TrimSpace(in.Text); text != "" {
		where = append(where, dbx.NewExp("instr(lower(`number`), {:text}) > 0 OR EXISTS (SELECT 1 FROM `invoice_items` `l` WHERE `l`.`invoice` = `invoices`.`id` AND instr(lower(`l`.`description`), {:text}) > 0)",
			dbx.Params{"text": strings.ToLower(text)}))
	}
	return dbx.And(where...)
}

func (s *subject) listInvoices(r *op.Request, in invoiceQuery) (invoiceList, error) {
	p := pages(r, in.Page, in.PerPage)
	list := invoiceList{Items: []invoiceView{}, Page: p.page, PerPage: p.perPage}
	where := in.filter(r.Auth.Id, r.Now())
	if err := r.App.RecordQuery(collections.Invoices).Select("count(*)").AndWhere(where).Row(&list.Total); err != nil {
		return list, fmt.Errorf("count invoices: %w", err)
	}
	found := []*core.Record{}
	err := r.App.RecordQuery(collections.Invoices).AndWhere(where).OrderBy("issued_at DESC", "seq DESC").Limit(p.limit()).Offset(p.offset()).All(&found)
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
	if err := issued(inv); err != nil {
		return invoiceView{}, err
	}
	return s.wholeInvoice(r.App, inv, r.Now())
}

func (s *subject) staffInvoice(r *op.Request, in byID) (invoiceView, error) {
	inv, err := anyInvoice(r.App, in.ID)
	if err != nil {
		return invoiceView{}, err
	}
	return s.wholeInvoice(r.App, inv, r.Now())
}

// anyInvoice finds an invoice or draft of any customer, for staff.
func anyInvoice(app core.App, id string) (*core.Record, error) {
	inv, err := collections.First(app, collections.Invoices, dbx.HashExp{"id": id})
	if err == nil && inv == nil {
		err = op.NotFound()
	}
	return inv, err
}
