package payments

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/op"
)

func (s *Subject) unmatchedOps(t *op.Table) {
	const path = "/api/v1/staff/unmatched-payments"
	op.Add(t, op.Spec{ID: "staff.unmatched.list", Method: http.MethodGet, Path: path, Access: op.Staff, Summary: "Money that waits for somebody to say whose it is, oldest first"}, s.listStrays)
	op.Add(t, op.Spec{ID: "staff.unmatched.create", Method: http.MethodPost, Path: path, Access: op.Staff, Status: http.StatusCreated, Summary: "Enter a bank transfer that nobody can place; repeatable by its reference"}, s.enterStray)
	op.Add(t, op.Spec{ID: "staff.unmatched.assign", Method: http.MethodPost, Path: path + "/{id}/assign", Access: op.Staff, Summary: "Book unmatched money on an invoice, or as a customer's credit"}, s.assignStray)
	op.Add(t, op.Spec{ID: "staff.unmatched.return", Method: http.MethodPost, Path: path + "/{id}/return", Access: op.Staff, Summary: "Note that unmatched money was sent back"}, s.returnStray)
}

type strayList struct {
	Items []strayView `json:"items"`
}

func (s *Subject) listStrays(r *op.Request, _ op.None) (strayList, error) {
	list, rows := strayList{Items: []strayView{}}, []stray{}
	err := r.App.DB().NewQuery("SELECT `id`, `user`, `gateway`, `reference`, `currency`, `amount_minor`, `why`, `status`, `at`, `payment` FROM `unmatched_payments` WHERE `status` = 'open' ORDER BY `at`, `rowid` LIMIT 500").All(&rows)
	if err != nil {
		return list, fmt.Errorf("list unmatched payments: %w", err)
	}
	for _, m := range rows {
		v, err := m.view()
		if err != nil {
			return list, err
		}
		list.Items = append(list.Items, v)
	}
	return list, nil
}

type strayRequest struct {
	Amount    int64  `json:"amount_minor"`
	Currency  string `json:"currency"`
	Reference string `json:"reference"`
	Note      string `json:"note"`
}

// Check refuses what no bank statement says.
func (in strayRequest) Check(f *op.Fields) {
	manualRequest{Amount: in.Amount, Currency: in.Currency, Reference: in.Reference}.Check(f)
	f.Check(strings.TrimSpace(in.Note) != "" && len(in.Note) <= 500, "note", "required", "Say what the bank statement tells about the payer: it is all that helps to place the money.")
	_, known := money.Exponent(in.Currency)
	f.Check(known, "currency", "unknown_currency", "The currency is not known.")
}

func (s *Subject) enterStray(r *op.Request, in strayRequest) (strayView, error) {
	reference := strings.TrimSpace(in.Reference)
	m := stray{Gateway: Manual, Reference: reference, Currency: in.Currency, Minor: in.Amount, Why: in.Note}
	err := r.App.RunInTransaction(func(tx core.App) error {
		known, err := findAttempt(tx, byReference, dbx.Params{"gateway": Manual, "value": reference})
		if err != nil {
			return err
		}
		if known != nil {
			return op.NewProblem(http.StatusConflict, "reference_used", "This reference is already entered for an invoice.")
		}
		id, fresh, err := s.keep(tx, r.Now(), m)
		if err != nil {
			return err
		}
		if !fresh {
			return s.sameStray(tx, &m)
		}
		m.ID = id
		return s.auditStray(tx, r, "payment.unmatched", m, map[string]any{"reference": reference, "amount_minor": in.Amount, "currency": in.Currency, "note": in.Note})
	})
	if err != nil {
		return strayView{}, err
	}
	if m, err = findStray(r.App, m.ID); err != nil {
		return strayView{}, err
	}
	return m.view()
}

// sameStray finds the earlier entry with this reference, which must be the same
// money.
func (s *Subject) sameStray(tx core.App, m *stray) error {
	earlier, err := collections.First(tx, collections.UnmatchedPayments, dbx.HashExp{"gateway": m.Gateway, "reference": m.Reference})
	if err != nil {
		return err
	}
	if earlier == nil || earlier.GetInt64("amount_minor") != m.Minor || earlier.GetString("currency") != m.Currency {
		return op.NewProblem(http.StatusConflict, "reference_used", "This reference is already entered with another amount.")
	}
	m.ID = earlier.Id
	return nil
}

type assignRequest struct {
	ID       string `json:"-" path:"id"`
	Invoice  string `json:"invoice,omitzero"`
	Customer string `json:"customer,omitzero"`
}

// Check wants one of the two.
func (in assignRequest) Check(f *op.Fields) {
	f.Check((in.Invoice == "") != (in.Customer == ""), "invoice", "required", "Name the invoice that was paid, or the customer whose credit it becomes.")
}

func (s *Subject) assignStray(r *op.Request, in assignRequest) (strayView, error) {
	m, err := findStray(r.App, in.ID)
	if err != nil {
		return strayView{}, err
	}
	user := in.Customer
	if in.Invoice != "" {
		invoice, err := collections.First(r.App, collections.Invoices, dbx.HashExp{"id": in.Invoice})
		if err != nil {
			return strayView{}, err
		}
		if invoice == nil || collections.InvoiceStatus(invoice) == billing.InvoiceDraft {
			return strayView{}, op.Fields{{Field: "invoice", Message: "There is no such invoice, or it is a draft.", Code: "unknown_invoice"}}.Problem()
		}
		user = invoice.GetString("user")
	} else if customer, err := collections.First(r.App, collections.Users, dbx.HashExp{"id": in.Customer}); err != nil || customer == nil {
		return strayView{}, errors.Join(err, op.Fields{{Field: "customer", Message: "There is no such customer.", Code: "unknown_customer"}}.Problem())
	}
	err = r.App.RunInTransaction(func(tx core.App) error {
		if m, err = findStray(tx, in.ID); err != nil {
			return err
		}
		if m.Payment, err = s.assign(tx, r.Now(), m, user, in.Invoice, "staff:"+r.Auth.Id); err != nil {
			return err
		}
		return s.auditStray(tx, r, "payment.assign", m, map[string]any{"reference": m.Reference, "invoice": in.Invoice, "customer": user, "payment": m.Payment})
	})
	if errors.Is(err, ErrAssigned) {
		return strayView{}, conflict(err)
	}
	if err != nil {
		return strayView{}, err
	}
	if m, err = findStray(r.App, in.ID); err != nil {
		return strayView{}, err
	}
	return m.view()
}

type returnRequest struct {
	ID   string `json:"-" path:"id"`
	Note string `json:"note"`
}

// Check wants to know how the money went back.
func (in returnRequest) Check(f *op.Fields) {
	f.Check(strings.TrimSpace(in.Note) != "" && len(in.Note) <= 500, "note", "required", "Say how the money was sent back, with the bank's or the gateway's reference.")
}

func (s *Subject) returnStray(r *op.Request, in returnRequest) (strayView, error) {
	var m stray
	err := r.App.RunInTransaction(func(tx core.App) (err error) {
		if m, err = findStray(tx, in.ID); err != nil {
			return err
		}
		if m.Status != "open" {
			return conflict(ErrAssigned)
		}
		if err := closeStray(tx, r.Now(), m, "returned", m.User, "", "staff:"+r.Auth.Id); err != nil {
			return err
		}
		m.Status = "returned"
		return s.auditStray(tx, r, "payment.return", m, map[string]any{"reference": m.Reference, "note": in.Note})
	})
	if err != nil {
		return strayView{}, err
	}
	return m.view()
}

func (s *Subject) auditStray(tx core.App, r *op.Request, action string, m stray, changes map[string]any) error {
	return audit.Write(tx, r.Now(), audit.Entry{
		ActorKind: audit.Staff, Actor: r.Auth.Id, Action: action, Resource: collections.UnmatchedPayments, ResourceID: m.ID, IP: r.RealIP(), UserAgent: r.Agent(), Changes: changes,
	})
}
