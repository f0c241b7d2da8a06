package gatewaytest

import (
	"testing"

	"github.com/ezscale/ezscale/engine/billing"
)

var factTests = map[string]func(t *testing.T, h Harness){
	"what happened is named once":   testFacts,
	"bodies that are no deliveries": testBadFacts,
}

// fact returns the last fact of a kind among the deliveries so far.
func (h Harness) fact(t *testing.T, kind billing.FactKind) billing.Fact {
	t.Helper()
	var found billing.Fact
	for _, w := range h.Webhooks() {
		if _, err := h.Gateway.ParseWebhook(w.Body, w.Header, h.Now()); err != nil {
			t.Fatalf("ParseWebhook: %v", err)
		}
		f, ok, err := as[billing.WebhookFacts](t, h).FactOf(w.Body)
		if err != nil {
			t.Fatalf("FactOf: %v", err)
		}
		if ok && f.Kind == kind {
			found = f
		}
	}
	if found.Object == "" || found.At.IsZero() {
		t.Fatalf("no webhook names a %s: got %+v", kind, found)
	}
	return found
}

func testFacts(t *testing.T, h Harness) {
	charge := h.saved(t, "a1", CardWorks)
	if f := h.fact(t, billing.FactMethod); f.Object != charge.Method || f.Customer != charge.Customer {
		t.Errorf("method: got %+v, want %s of %s", f, charge.Method, charge.Customer)
	}
	payment := h.paid(t, "a2")
	if g, ok := h.Gateway.(billing.Refunder); ok {
		r, err := g.Refund(t.Context(), refundOf(payment, "r1", 1000))
		if err != nil {
			t.Fatalf("Refund: %v", err)
		}
		if f := h.fact(t, billing.FactRefund); f.Object != r.ID || f.Payment != payment {
			t.Errorf("refund: got %+v, want %s of %s", f, r.ID, payment)
		}
	}
	if _, ok := h.Gateway.(billing.DisputeReader); ok {
		id := h.More.Dispute(payment)
		if f := h.fact(t, billing.FactDispute); f.Object != id || f.Payment != payment {
			t.Errorf("dispute: got %+v, want %s of %s", f, id, payment)
		}
	}
	if h.More.Reversed != nil {
		other := h.paid(t, "a3")
		h.More.Reversed(other)
		if f := h.fact(t, billing.FactReversal); f.Object != other || f.Payment != other {
			t.Errorf("reversal: got %+v, want %s", f, other)
		}
	}
}

func testBadFacts(t *testing.T, h Harness) {
	g := as[billing.WebhookFacts](t, h)
	for _, broken := range [][]byte{nil, []byte("null"), []byte("[]"), []byte("{"), []byte("{}")} {
		if f, ok, err := g.FactOf(broken); ok || err == nil {
			t.Errorf("FactOf(%.20q): got %+v, %t, %v, want an error", broken, f, ok, err)
		}
	}
	if f, ok, err := g.FactOf(h.paymentWebhook(t).Body); ok || err != nil {
		t.Errorf("a payment: got %+v, %t, %v, want no fact", f, ok, err)
	}
}
