package payments

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/op"
)

type manualRequest struct {
	Invoice   string `json:"-" path:"id"`
	Amount    int64  `json:"amount_minor"`
	Currency  string `json:"currency"`
	Reference string `json:"reference"`
	Note      string `json:"note,omitzero"`
}

// Check refuses what no bank statement says.
func (in manualRequest) Check(f *op.Fields) {
	f.Check(in.Amount > 0 && in.Amount <= money.Limit, "amount_minor", "out_of_range", "The amount must be positive, in minor units of the currency.")
	f.Check(strings.TrimSpace(in.Reference) != "" && len(in.Reference) <= 200, "reference", "required", "Give the bank's reference of this transfer: it keeps the same money from being entered twice.")
}

type manualAnswer struct {
	Payment string `json:"payment"`
	Invoice string `json:"invoice_status"`
	Repeat  bool   `json:"repeated"`
}

func (s *Subject) manualOps(t *op.Table) {
	op.Add(t, op.Spec{ID: "staff.payments.create", Method: http.MethodPost, Path: "/api/v1/staff/invoices/{id}/payments", Access: op.Staff, Summary: "Enter a bank transfer for an invoice; repeatable by its reference"}, s.enterManual)
}

func (s *Subject) enterManual(r *op.Request, in manualRequest) (manualAnswer, error) {
	invoice, err := collections.First(r.App, collections.Invoices, dbx.HashExp{"id": in.Invoice})
	if err != nil {
		return manualAnswer{}, err
	}
	if invoice == nil {
		return manualAnswer{}, op.NotFound()
	}
	amount, err := money.New(in.Amount, in.Currency)
	if err != nil {
		return manualAnswer{}, op.Fields{{Field: "currency", Message: "The currency is not known.", Code: "unknown_currency"}}.Problem()
	}
	answer := manualAnswer{}
	err = r.App.RunInTransaction(func(tx core.App) error {
		id, repeat, err := s.enter(tx, invoice, amount, in.Reference, in.Note)
		if err != nil {
			return err
		}
		answer.Payment, answer.Repeat = id, repeat
		if repeat {
			return nil
		}
		return audit.Write(tx, r.Now(), audit.Entry{
			ActorKind: audit.Staff, Actor: r.Auth.Id, Action: "payment.enter", Resource: collections.PaymentTransactions, ResourceID: id, IP: r.RealIP(), UserAgent: r.Agent(),
			Changes: map[string]any{"invoice": invoice.GetString("number"), "amount": amount, "reference": in.Reference, "note": in.Note},
		})
	})
	if err != nil {
		return answer, err
	}
	if invoice, err = r.App.FindRecordById(collections.Invoices, in.Invoice); err != nil {
		return answer, err
	}
	answer.Invoice = invoice.GetString("status")
	return answer, nil
}

// enter settles money that arrived outside any gateway. The reference is its
// identity: entering it again returns the first entry.
func (s *Subject) enter(tx core.App, invoice *core.Record, amount money.Amount, reference, note string) (id string, repeat bool, err error) {
	reference = strings.TrimSpace(reference)
	known, err := findAttempt(tx, byReference, dbx.Params{"gateway": Manual, "value": reference})
	if err != nil {
		return "", false, err
	}
	if known != nil {
		if known.Invoice != invoice.Id || known.Minor != amount.Minor() || known.Currency != amount.Currency() {
			return "", false, op.NewProblem(http.StatusConflict, "reference_used", "This reference is already entered for another invoice or amount.")
		}
		return known.ID, true, nil
	}
	if collections.InvoiceStatus(invoice) == billing.InvoiceDraft {
		return "", false, op.NewProblem(http.StatusConflict, "draft", "A draft cannot be paid; issue it first.")
	}
	now := s.Now()
	p := row(attempt{
		User: invoice.GetString("user"), Invoice: invoice.Id, Gateway: Manual, Kind: "manual", Status: attemptCancelled,
		Key: "manual:" + reference, Currency: amount.Currency(), Minor: amount.Minor(),
	})
	p["description"] = collections.Cut(note, 500)
	id, inserted, err := collections.Row(tx, collections.PaymentTransactions, now, p)
	if err == nil && !inserted {
		err = fmt.Errorf("manual payment %q is being entered already", reference)
	}
	if err != nil {
		return "", false, err
	}
	return id, false, s.settle(tx, now, Manual, billing.PaymentReport{Reference: reference, AttemptID: id, State: billing.PaymentSucceeded, Amount: amount, At: now})
}

// guard lets staff enter a bank transfer in the admin UI by creating a payment
// there, and refuses every other hand on payments. Both doors end in enter.
func (s *Subject) guard(app core.App) {
	app.OnRecordCreateRequest(collections.PaymentTransactions).Bind(&hook.Handler[*core.RecordRequestEvent]{Id: "paymentsManualEntry", Func: func(e *core.RecordRequestEvent) error {
		p := e.Record
		if p.GetString("gateway") != Manual {
			return apis.NewBadRequestError("Only bank transfers (gateway manual) are entered by hand; gateways report their own payments.", nil)
		}
		reference := strings.TrimSpace(p.GetString("gateway_transaction_id"))
		amount, err := money.New(p.GetInt64("amount_minor"), p.GetString("currency"))
		if err != nil || amount.Sign() <= 0 || reference == "" {
			return apis.NewBadRequestError("Give amount_minor, currency and the bank's reference in gateway_transaction_id.", nil)
		}
		invoice, err := collections.First(e.App, collections.Invoices, dbx.HashExp{"id": p.GetString("invoice")})
		if err != nil {
			return err
		}
		if invoice == nil {
			return apis.NewBadRequestError("Choose the invoice that was paid.", nil)
		}
		id := ""
		err = e.App.RunInTransaction(func(tx core.App) error {
			if id, _, err = s.enter(tx, invoice, amount, reference, p.GetString("description")); err != nil {
				return err
			}
			return audit.Write(tx, s.Now(), audit.Entry{
				ActorKind: audit.Staff, Actor: e.Auth.Id, Action: "payment.enter", Resource: collections.PaymentTransactions, ResourceID: id,
				IP: e.RealIP(), UserAgent: e.Request.UserAgent(), Changes: map[string]any{"invoice": invoice.GetString("number"), "amount": amount, "reference": reference},
			})
		})
		if err != nil {
			return apis.NewBadRequestError(err.Error(), nil)
		}
		saved, err := e.App.FindRecordById(collections.PaymentTransactions, id)
		if err != nil {
			return err
		}
		return e.JSON(http.StatusOK, saved)
	}})
}
