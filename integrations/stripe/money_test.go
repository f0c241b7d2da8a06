package stripe

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/integrations/sandbox/stripebox"
)

// pay charges a saved card 30.00 EUR and returns the payment.
func (s *stage) pay(t *testing.T) string {
	t.Helper()
	customer, err := s.client.EnsureCustomer(t.Context(), "c1", "u1", "", "")
	if err != nil {
		t.Fatal(err)
	}
	r := chargeRequest()
	r.Customer, r.Amount = customer, money.Must(3000, "EUR")
	if r.Method, err = s.box.SaveCard(customer, "4242424242424242"); err != nil {
		t.Fatal(err)
	}
	r.Key = "charge_" + r.Method
	paid, err := s.client.Charge(t.Context(), r)
	if err != nil || paid.State != billing.PaymentSucceeded {
		t.Fatalf("charge: got %+v, %v", paid, err)
	}
	return paid.Reference
}

func partOf(payment string) billing.RefundRequest {
	r := refundRequest()
	r.Payment, r.Amount = payment, money.Must(1000, "EUR")
	return r
}

// TestA5RefundAfterTheKeyIsForgotten: the answer is lost, and is asked for days
// later, when Stripe has forgotten the key and would pay once more.
func TestA5RefundAfterTheKeyIsForgotten(t *testing.T) {
	s := newStage(t)
	r := partOf(s.pay(t))
	sw := s.box.Switches()
	sw.StoredErrors = 1
	s.box.Set(sw)
	if got, err := s.client.Refund(t.Context(), r); !errors.Is(err, billing.ErrOutcomeUnknown) {
		t.Fatalf("first: got %+v, %v, want ErrOutcomeUnknown", got, err)
	}
	s.clock.Advance(72 * time.Hour)
	got, err := s.client.Refund(t.Context(), r)
	if err != nil || got.State != billing.RefundSucceeded {
		t.Errorf("days later: got %+v, %v, want it found", got, err)
	}
	if all := s.box.Refunds(); len(all) != 1 {
		t.Errorf("got %+v, want one refund", all)
	}
}

// TestARefundThatComesBack: the bank returns it weeks after it succeeded.
func TestARefundThatComesBack(t *testing.T) {
	s := newStage(t)
	r := partOf(s.pay(t))
	made, err := s.client.Refund(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	s.clock.Advance(20 * 24 * time.Hour)
	if !s.box.FailRefund(made.ID, "lost_or_stolen_card") {
		t.Fatal("no such refund")
	}
	for name, read := range map[string]func() (billing.RefundReport, error){
		"read":     func() (billing.RefundReport, error) { return s.client.ReadRefund(t.Context(), made.ID) },
		"repeated": func() (billing.RefundReport, error) { return s.client.Refund(t.Context(), r) },
	} {
		if got, err := read(); err != nil || got.State != billing.RefundFailed || got.Reason != "lost_or_stolen_card" {
			t.Errorf("%s: got %+v, %v, want failed with its reason", name, got, err)
		}
	}
}

func TestRefundsThatStripeRefuses(t *testing.T) {
	s := newStage(t)
	payment := s.pay(t)
	if _, err := s.box.Dispute(payment, "fraudulent", "needs_response"); err != nil {
		t.Fatal(err)
	}
	if got, err := s.client.Refund(t.Context(), partOf(payment)); !errors.Is(err, billing.ErrGatewayRefused) {
		t.Errorf("of a disputed payment: got %+v, %v, want ErrGatewayRefused", got, err)
	}
	other := s.pay(t)
	if _, err := s.box.Dispute(other, "general", "warning_needs_response"); err != nil {
		t.Fatal(err)
	}
	r := partOf(other)
	r.Key, r.RefundID = "refund_2", "r2"
	if got, err := s.client.Refund(t.Context(), r); err != nil {
		t.Errorf("of a payment that is asked about: got %+v, %v, want it made", got, err)
	}
	s.box.Set(stripebox.Switches{RefundError: "insufficient_funds"})
	r.Key, r.RefundID = "refund_3", "r3"
	if got, err := s.client.Refund(t.Context(), r); !errors.Is(err, billing.ErrGatewayRefused) {
		t.Errorf("of an empty account: got %+v, %v, want ErrGatewayRefused", got, err)
	}
}

// TestTheMoneyOfADispute: what was withdrawn, what came back, and the fee.
func TestTheMoneyOfADispute(t *testing.T) {
	s := newStage(t)
	id, err := s.box.Dispute(s.pay(t), "fraudulent", "warning_needs_response")
	if err != nil {
		t.Fatal(err)
	}
	fee := money.Must(1500, "EUR")
	for _, step := range []struct {
		status    string
		want      billing.DisputeStatus
		withdrawn bool
		fee       money.Amount
		due       bool
	}{
		{"warning_needs_response", billing.DisputeWarning, false, money.Amount{}, true},
		{"warning_under_review", billing.DisputeWarning, false, money.Amount{}, false},
		{"needs_response", billing.DisputeNeedsResponse, true, fee, true},
		{"under_review", billing.DisputeUnderReview, true, fee, false},
		{"won", billing.DisputeWon, false, fee, false},
	} {
		s.box.MoveDispute(id, step.status)
		d, err := s.client.ReadDispute(t.Context(), id)
		if err != nil || d.Status != step.want || d.Withdrawn != step.withdrawn || d.Fee != step.fee || d.RespondBy.IsZero() == step.due {
			t.Errorf("%s: got %+v, %v", step.status, d, err)
		}
	}
}

// TestTheAccountsBook lists every kind of movement.
func TestTheAccountsBook(t *testing.T) {
	s := newStage(t)
	begin, payment := s.clock.Now(), s.pay(t)
	refund, err := s.client.Refund(t.Context(), partOf(payment))
	if err != nil {
		t.Fatal(err)
	}
	s.box.FailRefund(refund.ID, "unknown")
	dispute, err := s.box.Dispute(payment, "fraudulent", "needs_response")
	if err != nil {
		t.Fatal(err)
	}
	s.box.MoveDispute(dispute, "won")
	payout := s.box.PayOut(2000, "eur")
	if err := s.box.FailPayout(payout); err != nil {
		t.Fatal(err)
	}
	s.box.Charged(200, "eur")
	s.clock.Advance(time.Hour)
	got := []string{}
	_, err = s.client.Transactions(t.Context(), begin, s.clock.Now(), func(x billing.Transaction) error {
		got = append(got, string(x.Kind)+" "+x.Amount.String()+" fee "+x.Fee.String()+" of "+map[string]string{payment: "payment", payout: "payout", "": "none"}[x.Related])
		return nil
	})
	slices.Reverse(got)
	want := []string{
		"payment 30.00 EUR fee 0.70 EUR of none", "refund -10.00 EUR fee 0.00 EUR of payment", "other 10.00 EUR fee 0.00 EUR of payment",
		"reversal -30.00 EUR fee 15.00 EUR of payment", "reversal 30.00 EUR fee 0.00 EUR of payment",
		"payout -20.00 EUR fee 0.00 EUR of none", "payout 20.00 EUR fee 0.00 EUR of payout", "fee -2.00 EUR fee 0.00 EUR of none",
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v,\nwant %q", got, err, want)
	}
}

// TestMethodFacts: whose card was renewed by its issuer, or taken away, where the
// card itself says nobody's any more.
func TestMethodFacts(t *testing.T) {
	s := newStage(t)
	customer, err := s.client.EnsureCustomer(t.Context(), "c1", "u1", "", "")
	if err != nil {
		t.Fatal(err)
	}
	method, err := s.box.SaveCard(customer, "4242424242424242")
	if err != nil {
		t.Fatal(err)
	}
	s.box.RenewCard(method, 3, 2030)
	if err := s.client.RemoveMethod(t.Context(), customer, method); err != nil {
		t.Fatal(err)
	}
	s.flush(t)
	n := 0
	for _, w := range s.inbox.list() {
		f, ok, err := s.client.FactOf(w.Body)
		if err != nil || !ok {
			continue
		}
		if n++; f.Kind != billing.FactMethod || f.Object != method || f.Customer != customer {
			t.Errorf("got %+v, want method %s of %s", f, method, customer)
		}
	}
	if n != 3 {
		t.Errorf("got %d facts, want saved, renewed and taken away", n)
	}
}
