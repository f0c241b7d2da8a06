package invoices

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/hooks/op"
)

// Where the money of a refund goes.
const (
	toCredit = "credit" // it stays here as the customer's credit
	toSource = "source" // back through the gateway it came by
	toBank   = "manual" // a bank transfer that staff has made
)

func (s *subject) refundOps(t *op.Table) {
	op.Add(t, op.Spec{ID: "staff.refunds.create", Method: http.MethodPost, Path: "/api/v1/staff/invoices/{id}/refunds", Access: op.Staff, Status: http.StatusCreated, Summary: "Take back what was paid on an invoice, in whole or by lines: a credit note, and what was not paid from credit goes back; repeatable by its key"}, s.refundInvoice)
	op.Add(t, op.Spec{ID: "staff.refunds.pay_out", Method: http.MethodPost, Path: "/api/v1/staff/customers/{id}/refunds", Access: op.Staff, Status: http.StatusCreated, Summary: "Pay out a customer's credit; repeatable by its key"}, s.payOut)
}

// way is how money goes back.
type way struct {
	To        string `json:"to"`
	Reference string `json:"reference,omitzero"` // the bank's, of a transfer that was made
}

func (w way) check(f *op.Fields, known ...string) {
	ok := false
	for _, k := range known {
		ok = ok || w.To == k
	}
	f.Check(ok, "to", "unknown", "to must be "+strings.Join(known, ", ")+".")
	f.Check(w.To != toBank || strings.TrimSpace(w.Reference) != "", "reference", "required", "Give the bank's reference of the transfer that was made: it keeps the same money from being entered twice.")
	f.Check(len(w.Reference) <= 200, "reference", "too_long", "At most 200 characters fit.")
}

type refundRequest struct {
	noteRequest
	way
}

// Check refuses what no refund could be made from.
func (in refundRequest) Check(f *op.Fields) {
	in.noteRequest.Check(f)
	in.check(f, toCredit, toSource, toBank)
}

type refundView struct {
	ID        string       `json:"id"`
	Payment   string       `json:"payment"`
	Gateway   string       `json:"gateway"`
	Amount    money.Amount `json:"amount"`
	Status    string       `json:"status"`
	Reference string       `json:"reference"`
	Failure   string       `json:"failure"`
}

type refundAnswer struct {
	CreditNote noteView     `json:"credit_note"`
	Refunds    []refundView `json:"refunds"` // none where all stays as credit
}

// refundInvoice takes back what was paid: the credit note gives it to the
// customer's credit, and from there what was not paid from credit goes back.
func (s *subject) refundInvoice(r *op.Request, in refundRequest) (refundAnswer, error) {
	note, refunds := books.CreditNote{}, []books.Refund{}
	err := r.App.RunInTransaction(func(tx core.App) error {
		c, err := in.correction(tx, r)
		if err != nil {
			return err
		}
		d, err := books.Read(tx, in.ID)
		if err != nil {
			return err
		}
		if d.Paid.IsZero() {
			return op.NewProblem(http.StatusConflict, "not_paid", "Nothing was paid on this invoice; give a credit note or void it.")
		}
		held, err := books.PaidParts(tx, d)
		if err != nil {
			return err
		}
		if note, err = s.credit(tx, r, c); err != nil {
			return err
		}
		if in.To == toCredit || note.ToCredit.IsZero() {
			return nil
		}
		if note.Repeated {
			refunds, err = refundsOf(tx, note.ID)
			return err
		}
		refunds, err = s.payBack(tx, r, d, note, held, in)
		return err
	})
	if err != nil {
		return refundAnswer{}, refusal(err)
	}
	answer := refundAnswer{Refunds: viewRefunds(refunds)}
	answer.CreditNote, err = s.noteByID(r, note.ID)
	return answer, err
}

// payBack shares out what a credit note made credit over the payments, and pays
// out what was not credit before.
func (s *subject) payBack(tx core.App, r *op.Request, d books.Document, note books.CreditNote, held []billing.PaidPart, in refundRequest) ([]books.Refund, error) {
	parts, err := billing.AllocateRefund(held, note.ToCredit)
	if err != nil {
		return nil, fmt.Errorf("refund invoice %s: %w", d.Number, err)
	}
	refunds := []books.Refund{}
	for i, part := range parts {
		if part.Gateway == billing.GatewayCredit {
			continue // it is credit again
		}
		p := books.Payout{
			User: d.User, Key: fmt.Sprintf("note:%s:%d", note.ID, i), Amount: part.Amount, Gateway: part.Gateway, Payment: part.Payment, CreditNote: note.ID, Reason: in.Reason, Actor: staffActor(r),
		}
		if in.To == toBank || part.Gateway == toBank {
			p.Gateway, p.Reference = toBank, numbered(in.Reference, len(refunds))
		}
		refund, err := s.begin(tx, r, p)
		if err != nil {
			return nil, err
		}
		refunds = append(refunds, refund)
	}
	return refunds, nil
}

// numbered tells the parts of one bank transfer apart.
func numbered(reference string, i int) string {
	reference = strings.TrimSpace(reference)
	if i == 0 || reference == "" {
		return reference
	}
	return reference + "/" + strconv.Itoa(i+1)
}

// begin draws a payout on the credit and leaves the call to the gateway, if there
// is one to be made.
func (s *subject) begin(tx core.App, r *op.Request, p books.Payout) (books.Refund, error) {
	if p.Reference == "" && p.Gateway == toBank {
		return books.Refund{}, op.Fields{{Field: "reference", Message: "This came by bank transfer and goes back by one: make it, then give its reference.", Code: "required"}}.Problem()
	}
	if p.Reference == "" && s.Refund == nil {
		return books.Refund{}, op.NewProblem(http.StatusConflict, "cannot_refund",
			collections.GatewayName(p.Gateway)+" payments cannot be paid back through their gateway from here. Refund by bank transfer, or leave the money as credit.")
	}
	refund, err := s.Books.BeginRefund(tx, r.Now(), p)
	if err != nil || refund.Repeated {
		return refund, err
	}
	if p.Reference == "" {
		_, err = jobs.Enqueue(tx, r.Now(), jobs.Job{Kind: jobRefund, Key: jobRefund + ":" + refund.ID, Serial: "payment:" + p.Payment, User: p.User, Actor: p.Actor, Payload: refundPayload{refund.ID}})
		if err != nil {
			return refund, err
		}
	}
	return refund, s.recordOf(tx, r, "refund.create", collections.Refunds, refund.ID, map[string]any{"amount": p.Amount, "gateway": p.Gateway, "payment": p.Payment, "reference": p.Reference, "reason": p.Reason})
}

type payOutRequest struct {
	ID       string `json:"-" path:"id"`
	Key      string `json:"key"`
	Amount   int64  `json:"amount_minor"`
	Currency string `json:"currency"`
	Payment  string `json:"payment,omitzero"` // it goes back to; needed for "source"
	Reason   string `json:"reason"`
	way
}

// Check refuses what no payout could be made from.
func (in payOutRequest) Check(f *op.Fields) {
	checkKey(f, in.Key)
	checkReason(f, in.Reason)
	in.check(f, toSource, toBank)
	f.Check(in.Amount > 0 && in.Amount <= money.Limit, "amount_minor", "out_of_range", "The amount must be positive, in minor units of the currency.")
	_, known := money.Exponent(in.Currency)
	f.Check(known, "currency", "unknown_currency", "The currency is not known.")
	f.Check(in.To != toSource || in.Payment != "", "payment", "required", "Name the payment that the money goes back to.")
}

// payOut pays a customer's credit out: to a payment that brought it, or by bank.
func (s *subject) payOut(r *op.Request, in payOutRequest) (refundView, error) {
	if _, err := customerOf(r.App, in.ID); err != nil {
		return refundView{}, err
	}
	p := books.Payout{
		User: in.ID, Key: "staff:" + in.ID + ":" + in.Key, Amount: money.Must(in.Amount, in.Currency), Gateway: toBank, Payment: in.Payment, Reference: strings.TrimSpace(in.Reference), Reason: in.Reason, Actor: staffActor(r), // checked
	}
	if in.Payment != "" {
		payment, err := collections.First(r.App, collections.PaymentTransactions, dbx.HashExp{"id": in.Payment, "user": in.ID, "status": string(billing.PaymentSucceeded)})
		if err != nil {
			return refundView{}, err
		}
		if payment == nil || payment.GetString("gateway") == billing.GatewayCredit {
			return refundView{}, op.Fields{{Field: "payment", Message: "This customer has made no such payment.", Code: "unknown_payment"}}.Problem()
		}
		if in.To == toSource {
			p.Gateway, p.Reference = payment.GetString("gateway"), ""
		}
	}
	refund := books.Refund{}
	err := r.App.RunInTransaction(func(tx core.App) (err error) {
		refund, err = s.begin(tx, r, p)
		return err
	})
	if err != nil {
		return refundView{}, refusal(err)
	}
	return viewRefund(refund), nil
}

func refundsOf(app core.App, note string) ([]books.Refund, error) {
	rows, err := collections.All(app, collections.Refunds, dbx.HashExp{"credit_note": note}, "created ASC, rowid ASC")
	if err != nil {
		return nil, err
	}
	refunds := make([]books.Refund, len(rows))
	for i, row := range rows {
		if refunds[i], err = books.ReadRefund(app, row.Id); err != nil {
			return nil, err
		}
	}
	return refunds, nil
}

func viewRefunds(all []books.Refund) []refundView {
	views := make([]refundView, len(all))
	for i, r := range all {
		views[i] = viewRefund(r)
	}
	return views
}

func viewRefund(r books.Refund) refundView {
	return refundView{r.ID, r.Payment, r.Gateway, r.Amount, string(r.Status), r.Reference, r.Failure}
}

const (
	jobRefund = "refund.send"
	// refundAgain is how long to wait before a gateway is asked once more what
	// became of a refund.
	refundAgain = 10 * time.Minute
)

type refundPayload struct {
	Refund string `json:"refund"`
}

// sendRefund asks the gateway to pay a stored refund back, under the refund's key
// however often, and books what it says.
func (s *subject) sendRefund(r *jobs.Run) error {
	p := refundPayload{}
	if err := r.Payload(&p); err != nil {
		return err
	}
	refund, err := books.ReadRefund(r.App, p.Refund)
	if err != nil {
		return err
	}
	if refund.Status == billing.RefundSucceeded || refund.Status == billing.RefundFailed {
		return nil
	}
	if err := r.Intent(nil); err != nil {
		return err
	}
	rep, err := s.Refund(r.Context(), r.App, refund)
	if err != nil {
		return errors.Join(fmt.Errorf("refund %s of payment %s: %w", refund.ID, refund.Payment, err), s.unknown(r, refund, err))
	}
	if err := r.Outcome(func(tx core.App) error { return s.Books.SettleRefund(tx, r.Now(), refund.ID, rep) }); err != nil {
		return err
	}
	if rep.Status == billing.RefundPending {
		return jobs.Later(refundAgain)
	}
	return nil
}

// unknown notes that the gateway's answer was lost, for staff to see while it is
// asked again.
func (s *subject) unknown(r *jobs.Run, refund books.Refund, cause error) error {
	if !errors.Is(cause, billing.ErrOutcomeUnknown) {
		return nil
	}
	return r.App.RunInTransaction(func(tx core.App) error {
		return s.Books.SettleRefund(tx, r.Now(), refund.ID, books.RefundReport{Status: billing.RefundUnknown})
	})
}
