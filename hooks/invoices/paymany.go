package invoices

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/op"
)

// mostAtOnce bounds how many invoices are paid in one go.
const mostAtOnce = 50

type payManyRequest struct {
	Invoices []string `json:"invoices"` // paid in this order
	Credit   bool     `json:"credit,omitzero"`
	Gateway  string   `json:"gateway,omitzero"`
	Method   string   `json:"method,omitzero"` // a saved method's id; "" opens a page
}

// Check refuses what cannot be paid together.
func (in payManyRequest) Check(f *op.Fields) {
	f.Check(len(in.Invoices) > 0, "invoices", "required", "Choose at least one invoice.")
	f.Check(len(in.Invoices) <= mostAtOnce, "invoices", "too_many", fmt.Sprintf("At most %d invoices are paid at once.", mostAtOnce))
	f.Check(in.Credit || in.Gateway != "" || in.Method != "", "gateway", "required", "Choose how to pay.")
}

type payManyAnswer struct {
	Payment  billing.Payment `json:"payment"` // of the page or the charges; kind "none" when credit paid all
	Spent    money.Amount    `json:"spent"`   // from credit
	Due      money.Amount    `json:"due"`     // that the page or the charges are over
	Invoices []invoiceView   `json:"invoices"`
}

// payMany pays several invoices: what the customer's credit reaches for, in the
// given order, and the rest by one page over the sum or by a charge of the saved
// method for each. Each invoice has at most one live attempt throughout.
func (s *subject) payMany(r *op.Request, in payManyRequest) (payManyAnswer, error) {
	all, err := s.payable(r, in.Invoices)
	if err != nil {
		return payManyAnswer{}, err
	}
	var method *core.Record
	if in.Method != "" {
		method, err = s.ownMethod(r, in.Method)
	} else if in.Gateway != "" {
		err = s.checkGateway(r.App, in.Gateway)
	}
	if err != nil {
		return payManyAnswer{}, err
	}
	answer := payManyAnswer{Payment: billing.Payment{Kind: "none", State: string(billing.PaymentSucceeded), Instructions: []billing.Instruction{}}, Spent: money.Must(0, all[0].GetString("currency"))}
	if in.Credit {
		if answer.Spent, err = s.spendOn(r, all); err != nil {
			return answer, refusal(err)
		}
	}
	open, due, err := s.stillOpen(r.App, all)
	if err != nil {
		return answer, err
	}
	answer.Due = due
	switch {
	case len(open) == 0:
	case method != nil:
		answer.Payment, err = s.chargeEach(r, open, method)
	case in.Gateway == "":
		answer.Payment.State = string(billing.PaymentOpen) // credit alone was wanted and did not reach
	case len(open) == 1:
		answer.Payment, err = s.Pay(r.Request.Context(), r.App, open[0], in.Gateway)
	default:
		answer.Payment, err = s.PayMany(r.Request.Context(), r.App, open, in.Gateway)
	}
	if err != nil {
		return answer, err
	}
	answer.Invoices, err = s.viewMany(r, all)
	return answer, err
}

// payable are the caller's own open invoices of one currency, each once.
func (s *subject) payable(r *op.Request, ids []string) ([]*core.Record, error) {
	all, seen := []*core.Record{}, []string{}
	for i, id := range ids {
		if slices.Contains(seen, id) {
			continue
		}
		inv, err := collections.Owned(r.App, collections.Invoices, id, r.Auth.Id)
		if err != nil {
			return nil, err
		}
		if err := issued(inv); err != nil {
			return nil, err
		}
		field := fmt.Sprintf("invoices.%d", i)
		switch {
		case collections.InvoiceStatus(inv) != billing.InvoiceOpen:
			return nil, op.Fields{{Field: field, Message: "Invoice " + inv.GetString("number") + " is not open.", Code: "not_open"}}.Problem()
		case inv.GetString("kind") == books.KindTopUp:
			return nil, op.Fields{{Field: field, Message: "A top-up is paid by itself.", Code: "topup"}}.Problem()
		case len(all) > 0 && all[0].GetString("currency") != inv.GetString("currency"):
			return nil, op.Fields{{Field: field, Message: "Invoices in two currencies cannot be paid together.", Code: "wrong_currency"}}.Problem()
		}
		all, seen = append(all, inv), append(seen, id)
	}
	return all, nil
}

// spendOn pays the invoices from credit in their order, after their pages were
// closed.
func (s *subject) spendOn(r *op.Request, all []*core.Record) (money.Amount, error) {
	sum := money.Must(0, all[0].GetString("currency"))
	balance, err := books.Credit(r.App, r.Auth.Id, sum.Currency())
	if err != nil || balance.IsZero() {
		return sum, err
	}
	for _, inv := range all {
		if err := s.stopPayments(r, inv); err != nil {
			return sum, err
		}
	}
	err = r.App.RunInTransaction(func(tx core.App) error {
		for _, inv := range all {
			spent, err := s.spend(tx, r, inv, sum.Zero())
			if err != nil {
				return err
			}
			if sum, err = sum.Add(spent); err != nil {
				return err
			}
		}
		return nil
	})
	return sum, err
}

// stillOpen reads the invoices again and sums what is due.
func (s *subject) stillOpen(app core.App, all []*core.Record) ([]*core.Record, money.Amount, error) {
	open, sum := []*core.Record{}, money.Must(0, all[0].GetString("currency"))
	for _, inv := range all {
		fresh, err := app.FindRecordById(collections.Invoices, inv.Id)
		if err != nil {
			return nil, sum, fmt.Errorf("invoice %s: %w", inv.Id, err)
		}
		if collections.InvoiceStatus(fresh) != billing.InvoiceOpen {
			continue
		}
		due, err := collections.Amount(fresh, "due_minor")
		if err != nil {
			return nil, sum, err
		}
		if sum, err = sum.Add(due); err != nil {
			return nil, sum, op.NewProblem(http.StatusConflict, "too_much", "The sum is beyond what one payment can hold. Please pay fewer invoices at once.").Because(err)
		}
		open = append(open, fresh)
	}
	return open, sum, nil
}

// chargeEach queues a charge of the saved method for each invoice, in order; one
// that has a payment on its way keeps it.
func (s *subject) chargeEach(r *op.Request, open []*core.Record, method *core.Record) (billing.Payment, error) {
	for _, inv := range open {
		if err := s.ChargeSaved(r.Request.Context(), r.App, inv, method, "customer:"+r.Auth.Id); err != nil {
			return billing.Payment{}, err
		}
	}
	return s.PaymentOf(r.App, open[len(open)-1])
}

func (s *subject) viewMany(r *op.Request, all []*core.Record) ([]invoiceView, error) {
	views := make([]invoiceView, len(all))
	for i, inv := range all {
		fresh, err := r.App.FindRecordById(collections.Invoices, inv.Id)
		if err != nil {
			return nil, fmt.Errorf("invoice %s: %w", inv.Id, err)
		}
		if views[i], err = s.viewInvoice(fresh, r.Now()); err != nil {
			return nil, err
		}
	}
	return views, nil
}
