package invoices_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/invoices"
	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/hooks/op"
	"github.com/ezscale/ezscale/internal/testapp"
)

// TestRefundsThroughAGateway drives the queue by hand with a gateway whose answers
// are lost, late or a refusal: it is asked under one key, and the books follow.
func TestRefundsThroughAGateway(t *testing.T) {
	lost := errors.New("the answer was lost")
	scenarios := []struct {
		name    string
		answers []any // of the gateway, in order: an error or a status
		want    billing.RefundStatus
		credit  int64
	}{
		{"that works", []any{billing.RefundSucceeded}, billing.RefundSucceeded, 400},
		{"whose answer is lost", []any{lost, lost, billing.RefundSucceeded}, billing.RefundSucceeded, 400},
		{"that takes days", []any{billing.RefundPending, billing.RefundPending, billing.RefundSucceeded}, billing.RefundSucceeded, 400},
		{"that refuses", []any{billing.RefundFailed}, billing.RefundFailed, 1000},
		{"that fails in the end", []any{billing.RefundPending, billing.RefundFailed}, billing.RefundFailed, 1000},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			app, now := testapp.Bare(t), time.Now()
			clock := func() time.Time { return now }
			bk, worker, keys, asked := books.New(clock), jobs.NewWorker(app, clock), map[string]int{}, 0
			invoices.Register(app, op.NewTable(clock), worker, invoices.Deps{
				Now: clock, Books: bk, Key: make([]byte, 32),
				Refund: func(_ context.Context, _ core.App, r books.Refund) (books.RefundReport, error) {
					keys[r.Key]++
					asked++
					switch a := s.answers[asked-1].(type) {
					case error:
						return books.RefundReport{}, a
					default:
						return books.RefundReport{Status: a.(billing.RefundStatus), Reference: "re_1"}, nil
					}
				},
			})
			user, refund := paidByCard(t, app, bk, now)
			for range 20 {
				if _, err := worker.Once(t.Context()); err != nil {
					t.Log(err)
				}
				now = now.Add(time.Hour)
			}
			got, err := books.ReadRefund(app, refund)
			if err != nil || got.Status != s.want {
				t.Errorf("it is %s (%v), want %s", got.Status, err, s.want)
			}
			if balance, err := books.Credit(app, user, "EUR"); err != nil || balance.Minor() != s.credit {
				t.Errorf("credit is %v (%v), want %d", balance, err, s.credit)
			}
			if len(keys) != 1 || keys[got.Key] != len(s.answers) {
				t.Errorf("the gateway was asked %v, want %d times under one key", keys, len(s.answers))
			}
			if faults, err := books.Audit(app.DB()); err != nil || len(faults) > 0 {
				t.Errorf("the books: %v %v", faults, err)
			}
		})
	}
}

// paidByCard makes a customer with 10.00 of credit from a card, of which 6.00 are
// about to go back.
func paidByCard(t *testing.T, app core.App, bk *books.Books, now time.Time) (user, refund string) {
	t.Helper()
	r, err := collections.New(app, collections.Users)
	if err != nil {
		t.Fatal(err)
	}
	r.SetEmail("ada@customer.test")
	r.SetPassword(testapp.Password)
	r.Set("status", "active")
	if err := collections.Save(app, r); err != nil {
		t.Fatal(err)
	}
	eur := func(minor int64) money.Amount { return money.Must(minor, "EUR") }
	err = app.RunInTransaction(func(tx core.App) error {
		payment, _, err := collections.Row(tx, collections.PaymentTransactions, now, dbx.Params{
			"user": r.Id, "invoice": "", "gateway": "stripe", "kind": "page", "status": "succeeded", "idempotency_key": "test", "gateway_transaction_id": "pi_1",
			"currency": "EUR", "amount_minor": 1000, "applied_minor": 0, "excess_minor": 1000, "settled_at": collections.Stamp(now).String(),
		})
		if err != nil {
			return err
		}
		if err := collections.Post(tx, now, "payment:"+payment, r.Id, "", payment, billing.PostPayment("stripe", billing.Application{Applied: eur(0), Excess: eur(1000)})); err != nil {
			return err
		}
		begun, err := bk.BeginRefund(tx, now, books.Payout{User: r.Id, Key: "test", Amount: eur(600), Gateway: "stripe", Payment: payment, Reason: "test"})
		if err != nil {
			return err
		}
		refund = begun.ID
		_, err = jobs.Enqueue(tx, now, jobs.Job{Kind: "refund.send", Key: "refund.send:" + refund, User: r.Id, Actor: "system", Payload: map[string]string{"refund": refund}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return r.Id, refund
}
