package invoices

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/op"
)

// movementView is one change of a customer's credit.
type movementView struct {
	At       time.Time    `json:"at"`
	Kind     string       `json:"kind"`   // "payment", "spent", "credit_note", "topup", "adjustment", "refund", "refund_failed"
	Amount   money.Amount `json:"amount"` // below zero where credit was used
	Invoice  string       `json:"invoice"`
	Document string       `json:"document"` // number of the invoice or credit note
	Reason   string       `json:"reason"`
}

type creditQuery struct {
	Page    int `json:"-" query:"page"`
	PerPage int `json:"-" query:"per_page"`
}

type creditView struct {
	Balances []money.Amount `json:"balances"` // one a currency, none when there never was credit
	Used     bool           `json:"used_automatically"`
	Items    []movementView `json:"items"`
	Page     int            `json:"page"`
	PerPage  int            `json:"per_page"`
	Total    int            `json:"total_items"`
}

func (s *subject) creditOps(t *op.Table) {
	op.Add(t, op.Spec{ID: "credit.show", Method: http.MethodGet, Path: "/api/v1/credit", Access: op.Customer, Summary: "The customer's credit and what changed it, newest first"}, s.showCredit)
	op.Add(t, op.Spec{ID: "credit.top_up", Method: http.MethodPost, Path: "/api/v1/credit/top-ups", Access: op.Customer, Status: http.StatusCreated, Summary: "Buy credit; repeatable by client_key"}, s.buyCredit)
	op.Add(t, op.Spec{ID: "invoices.apply_credit", Method: http.MethodPost, Path: "/api/v1/invoices/{id}/apply-credit", Access: op.Customer, Summary: "Pay an invoice from credit, in whole or in part"}, s.applyCredit)
	op.Add(t, op.Spec{ID: "staff.credit.show", Method: http.MethodGet, Path: "/api/v1/staff/customers/{id}/credit", Access: op.Staff, Summary: "A customer's credit and what changed it, newest first"}, s.staffCredit)
	op.Add(t, op.Spec{ID: "staff.credit.adjust", Method: http.MethodPost, Path: "/api/v1/staff/customers/{id}/credit", Access: op.Staff, Summary: "Give a customer credit, or take it back; repeatable by its key"}, s.adjust)
}

func (s *subject) showCredit(r *op.Request, in creditQuery) (creditView, error) {
	return s.creditOf(r.App, r.Auth.Id, pages(r, in.Page, in.PerPage))
}

type staffCreditQuery struct {
	ID      string `json:"-" path:"id"`
	Page    int    `json:"-" query:"page"`
	PerPage int    `json:"-" query:"per_page"`
}

func (s *subject) staffCredit(r *op.Request, in staffCreditQuery) (creditView, error) {
	if _, err := customerOf(r.App, in.ID); err != nil {
		return creditView{}, err
	}
	return s.creditOf(r.App, in.ID, pages(r, in.Page, in.PerPage))
}

func customerOf(app core.App, id string) (*core.Record, error) {
	user, err := collections.First(app, collections.Users, dbx.HashExp{"id": id})
	if err == nil && user == nil {
		err = op.NotFound()
	}
	return user, err
}

type movementRow struct {
	At       string `db:"at"`
	Posting  string `db:"posting"`
	Minor    int64  `db:"minor"`
	Currency string `db:"currency"`
	Invoice  string `db:"invoice"`
	Number   string `db:"number"`
	Note     string `db:"note"`
	Reason   string `db:"reason"`
}

func (s *subject) creditOf(app core.App, user string, p paging) (creditView, error) {
	settings, err := collections.LoadInvoicing(app)
	if err != nil {
		return creditView{}, err
	}
	v := creditView{Balances: []money.Amount{}, Used: !settings.KeepCredit, Items: []movementView{}, Page: p.page, PerPage: p.perPage}
	balances, err := collections.All(app, collections.CreditBalances, dbx.HashExp{"user": user}, "currency ASC")
	if err != nil {
		return v, err
	}
	for _, b := range balances {
		a, err := collections.Amount(b, "balance_minor")
		if err != nil {
			return v, err
		}
		v.Balances = append(v.Balances, a)
	}
	const from = " FROM `ledger_entries` `e` LEFT JOIN `invoices` `i` ON `i`.`id` = `e`.`invoice`" +
		" LEFT JOIN `credit_notes` `n` ON `e`.`posting` = 'credit_note:' || `n`.`id` LEFT JOIN `credit_adjustments` `a` ON `e`.`posting` = 'adjustment:' || `a`.`id` LEFT JOIN `refunds` `r` ON `r`.`id` = substr(`e`.`posting`, instr(`e`.`posting`, ':') + 1)" +
		" WHERE `e`.`user` = {:user} AND `e`.`account` = 'credit'"
	if err := app.DB().NewQuery("SELECT COUNT(*) FROM `ledger_entries` WHERE `user` = {:user} AND `account` = 'credit'").Bind(dbx.Params{"user": user}).Row(&v.Total); err != nil {
		return v, fmt.Errorf("credit of customer %s: %w", user, err)
	}
	rows := []movementRow{}
	err = app.DB().NewQuery("SELECT `e`.`at`, `e`.`posting`, -`e`.`amount_minor` AS `minor`, `e`.`currency`, `e`.`invoice`, IFNULL(`i`.`number`, '') AS `number`, IFNULL(`n`.`number`, '') AS `note`," +
		" COALESCE(`n`.`reason`, `a`.`reason`, `r`.`reason`, '') AS `reason`" + from + " ORDER BY `e`.`at` DESC, `e`.`rowid` DESC LIMIT {:limit} OFFSET {:offset}").
		Bind(dbx.Params{"user": user, "limit": p.limit(), "offset": p.offset()}).All(&rows)
	if err != nil {
		return v, fmt.Errorf("credit of customer %s: %w", user, err)
	}
	for _, row := range rows {
		m, err := row.view()
		if err != nil {
			return v, err
		}
		v.Items = append(v.Items, m)
	}
	return v, nil
}

func (row movementRow) view() (movementView, error) {
	amount, err := money.New(row.Minor, row.Currency)
	if err != nil {
		return movementView{}, fmt.Errorf("posting %s: %w", row.Posting, err)
	}
	at, err := collections.ParseStamp(row.At)
	kind, _, _ := strings.Cut(row.Posting, ":")
	if kind == "payment" && amount.Sign() < 0 {
		kind = "spent"
	}
	document := row.Number
	if row.Note != "" {
		document = row.Note
	}
	return movementView{at, kind, amount, row.Invoice, document, row.Reason}, err
}

type applyRequest struct {
	ID     string `json:"-" path:"id"`
	Amount int64  `json:"amount_minor,omitzero"` // at most so much; as much as possible unless given
}

// Check refuses what is no amount.
func (in applyRequest) Check(f *op.Fields) {
	f.Check(in.Amount >= 0 && in.Amount <= money.Limit, "amount_minor", "out_of_range", "The amount must be positive, in minor units of the currency.")
}

type applyAnswer struct {
	Spent   money.Amount `json:"spent"`
	Invoice invoiceView  `json:"invoice"`
}

func (s *subject) applyCredit(r *op.Request, in applyRequest) (applyAnswer, error) {
	inv, err := collections.Owned(r.App, collections.Invoices, in.ID, r.Auth.Id)
	if err != nil {
		return applyAnswer{}, err
	}
	if err := issued(inv); err != nil {
		return applyAnswer{}, err
	}
	return s.payFromCredit(r, inv, in.Amount)
}

func (s *subject) staffApplyCredit(r *op.Request, in applyRequest) (applyAnswer, error) {
	inv, err := anyInvoice(r.App, in.ID)
	if err != nil {
		return applyAnswer{}, err
	}
	return s.payFromCredit(r, inv, in.Amount)
}

// payFromCredit spends credit on an invoice. An open page, which asks for the
// whole, is closed first.
func (s *subject) payFromCredit(r *op.Request, inv *core.Record, most int64) (applyAnswer, error) {
	if collections.InvoiceStatus(inv) != billing.InvoiceOpen || inv.GetString("kind") == books.KindTopUp {
		return applyAnswer{}, refusal(fmt.Errorf("invoice %s: %w", inv.GetString("number"), books.ErrState))
	}
	if err := s.stopPayments(r, inv); err != nil {
		return applyAnswer{}, err
	}
	answer, limit := applyAnswer{}, money.Must(most, inv.GetString("currency")) // checked
	err := r.App.RunInTransaction(func(tx core.App) (err error) {
		answer.Spent, err = s.spend(tx, r, inv, limit)
		return err
	})
	if err != nil {
		return answer, refusal(err)
	}
	if answer.Spent.IsZero() {
		return answer, refusal(fmt.Errorf("invoice %s: %w", inv.GetString("number"), books.ErrCredit))
	}
	fresh, err := r.App.FindRecordById(collections.Invoices, inv.Id)
	if err != nil {
		return answer, fmt.Errorf("invoice %s: %w", inv.Id, err)
	}
	answer.Invoice, err = s.wholeInvoice(r.App, fresh, r.Now())
	return answer, err
}

// spend pays an invoice from credit, with the audit row.
func (s *subject) spend(tx core.App, r *op.Request, inv *core.Record, most money.Amount) (money.Amount, error) {
	spent, err := s.Books.SpendCredit(tx, r.Now(), inv.Id, most)
	if err != nil || spent.IsZero() {
		return spent, err
	}
	return spent, s.record(tx, r, "invoice.apply_credit", inv.Id, map[string]any{"number": inv.GetString("number"), "amount": spent})
}

type adjustRequest struct {
	ID       string `json:"-" path:"id"`
	Key      string `json:"key"`
	Amount   int64  `json:"amount_minor"` // below zero takes credit back
	Currency string `json:"currency"`
	Reason   string `json:"reason"`
}

// Check refuses what changes nothing or cannot be booked.
func (in adjustRequest) Check(f *op.Fields) {
	checkKey(f, in.Key)
	checkReason(f, in.Reason)
	f.Check(in.Amount != 0 && in.Amount >= -money.Limit && in.Amount <= money.Limit, "amount_minor", "out_of_range", "Give the amount in minor units of the currency; below zero takes credit back.")
	_, known := money.Exponent(in.Currency)
	f.Check(known, "currency", "unknown_currency", "The currency is not known.")
}

func (s *subject) adjust(r *op.Request, in adjustRequest) (creditView, error) {
	if _, err := customerOf(r.App, in.ID); err != nil {
		return creditView{}, err
	}
	a := books.Adjustment{User: in.ID, Key: "staff:" + in.ID + ":" + in.Key, Reason: in.Reason, Actor: staffActor(r), Amount: money.Must(in.Amount, in.Currency)} // checked
	err := r.App.RunInTransaction(func(tx core.App) error {
		fresh, err := s.Books.Adjust(tx, r.Now(), a)
		if err != nil || !fresh {
			return err
		}
		return s.recordOf(tx, r, "credit.adjust", collections.Users, in.ID, map[string]any{"amount": a.Amount, "reason": in.Reason})
	})
	if err != nil {
		return creditView{}, refusal(err)
	}
	return s.creditOf(r.App, in.ID, paging{1, 50})
}
