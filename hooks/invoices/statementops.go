package invoices

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/engine/document"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/op"
)

const (
	statementPDF = "/api/v1/statement/pdf"
	statementCSV = "/api/v1/statement/csv"
	// longestStatement bounds the time of one statement.
	longestStatement = 10 * 366 * 24 * time.Hour
)

func (s *subject) statementOps(t *op.Table) {
	const summary = "; from is the first day and to the day after the last, both in UTC"
	op.Add(t, op.Spec{ID: "statement.show", Method: http.MethodGet, Path: "/api/v1/statement", Access: op.Customer, Summary: "The customer's statement of account" + summary}, s.statement)
	op.Add(t, op.Spec{ID: "staff.statement.show", Method: http.MethodGet, Path: "/api/v1/staff/customers/{id}/statement", Access: op.Staff, Summary: "A customer's statement of account" + summary}, s.staffStatement)
	op.AddRaw(t, op.Spec{ID: "statement.pdf", Method: http.MethodGet, Path: statementPDF, Access: op.Signed, Summary: "The statement as PDF, by the signed link of statement.show", Produces: "application/pdf"}, s.statementFile)
	op.AddRaw(t, op.Spec{ID: "statement.csv", Method: http.MethodGet, Path: statementCSV, Access: op.Signed, Summary: "The statement for spreadsheets, by the signed link of statement.show", Produces: "text/csv"}, s.statementFile)
}

type statementQuery struct {
	Currency string `json:"-" query:"currency"` // the customer's own unless given
	From     string `json:"-" query:"from"`     // this year's first day unless given
	To       string `json:"-" query:"to"`       // tomorrow unless given
}

// Check refuses days that are none, and a time that has no length or too much.
func (in statementQuery) Check(f *op.Fields) {
	before := len(*f)
	checkDay(f, "from", in.From)
	checkDay(f, "to", in.To)
	_, known := money.Exponent(in.Currency)
	f.Check(in.Currency == "" || known, "currency", "unknown_currency", "The currency is not known.")
	if len(*f) > before || in.From == "" || in.To == "" {
		return
	}
	f.Check(in.From < in.To && day(in.To).Sub(day(in.From)) <= longestStatement, "to", "out_of_range", "to is the day after the last one, at most ten years after from.")
}

// span is the time asked for, in whole days of UTC.
func (in statementQuery) span(now time.Time) (from, to time.Time, err error) {
	from, to = time.Date(now.UTC().Year(), time.January, 1, 0, 0, 0, 0, time.UTC), now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
	if in.From != "" {
		from = day(in.From)
	}
	if in.To != "" {
		to = day(in.To)
	}
	if !from.Before(to) || to.Sub(from) > longestStatement {
		return from, to, op.Fields{{Field: "from", Message: "from is before to, at most ten years.", Code: "out_of_range"}}.Problem()
	}
	return from, to, nil
}

type statementView struct {
	Currency string         `json:"currency"`
	From     time.Time      `json:"from"`
	To       time.Time      `json:"to"` // its first moment is beyond the statement
	Opening  money.Amount   `json:"opening"`
	Closing  money.Amount   `json:"closing"`
	PDF      string         `json:"pdf_url"`
	CSV      string         `json:"csv_url"`
	Rows     []statementRow `json:"rows"`
}

func (s *subject) statement(r *op.Request, in statementQuery) (statementView, error) {
	return s.statementOf(r, r.Auth, in)
}

type staffStatementQuery struct {
	ID       string `json:"-" path:"id"`
	Currency string `json:"-" query:"currency"`
	From     string `json:"-" query:"from"`
	To       string `json:"-" query:"to"`
}

// Check is that of the customer's own.
func (in staffStatementQuery) Check(f *op.Fields) {
	statementQuery{in.Currency, in.From, in.To}.Check(f)
}

func (s *subject) staffStatement(r *op.Request, in staffStatementQuery) (statementView, error) {
	user, err := customerOf(r.App, in.ID)
	if err != nil {
		return statementView{}, err
	}
	return s.statementOf(r, user, statementQuery{in.Currency, in.From, in.To})
}

func (s *subject) statementOf(r *op.Request, user *core.Record, in statementQuery) (statementView, error) {
	currency, err := accountCurrency(r.App, user, in.Currency)
	if err != nil {
		return statementView{}, err
	}
	from, to, err := in.span(r.Now())
	if err != nil {
		return statementView{}, err
	}
	a, err := readAccount(r.App, user.Id, currency, from, to)
	if err != nil {
		return statementView{}, err
	}
	link := func(path string) string {
		q := url.Values{"customer": {user.Id}, "currency": {currency}, "from": {from.Format(time.DateOnly)}, "to": {to.Format(time.DateOnly)}}
		return s.signed(path, q, r.Now())
	}
	return statementView{currency, from, to, a.Opening, a.Closing, link(statementPDF), link(statementCSV), a.Rows}, nil
}

// accountCurrency is the asked one, the customer's own, or the one anything was
// ever booked in.
func accountCurrency(app core.App, user *core.Record, asked string) (string, error) {
	if asked != "" {
		return asked, nil
	}
	if own := user.GetString("currency"); own != "" {
		return own, nil
	}
	found := []string{}
	err := app.DB().NewQuery("SELECT `currency` FROM `ledger_entries` WHERE `user` = {:user} ORDER BY `at` DESC LIMIT 1").Bind(dbx.Params{"user": user.Id}).Column(&found)
	if err != nil {
		return "", fmt.Errorf("currency of customer %s: %w", user.Id, err)
	}
	if len(found) == 0 {
		return "", op.Fields{{Field: "currency", Message: "Nothing was booked yet; name a currency.", Code: "required"}}.Problem()
	}
	return found[0], nil
}

// statementFile serves what a signed link names: its query is ours and checked.
func (s *subject) statementFile(r *op.Request) error {
	if err := s.verify(r); err != nil {
		return err
	}
	q := r.Request.URL.Query()
	a, err := readAccount(r.App, q.Get("customer"), q.Get("currency"), day(q.Get("from")), day(q.Get("to")))
	if err != nil {
		return err
	}
	name := fmt.Sprintf("statement-%s-%s-%s", q.Get("from"), a.To.AddDate(0, 0, -1).Format(time.DateOnly), a.Currency)
	if r.Request.URL.Path == statementCSV {
		body, err := a.csv()
		if err != nil {
			return err
		}
		return send(r, "text/csv; charset=utf-8", name+".csv", body)
	}
	doc, err := a.printed(r.App, r.Now())
	if err != nil {
		return err
	}
	body, err := document.RenderStatement(doc)
	if err != nil {
		return fmt.Errorf("statement of customer %s: %w", a.User, err)
	}
	return send(r, "application/pdf", name+".pdf", body)
}
