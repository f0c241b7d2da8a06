package gatewaytest

import (
	"errors"
	"testing"

	"github.com/ezscale/ezscale/engine/billing"
)

var removeTests = map[string]func(t *testing.T, h Harness){
	"gone and not charged again": testRemove,
	"in spite of lost answers":   testRemoveFaults,
}

func testRemove(t *testing.T, h Harness) {
	g, r := as[billing.MethodRemover](t, h), h.saved(t, "a1", CardWorks)
	stranger, err := h.Gateway.EnsureCustomer(t.Context(), "customer_stranger", "stranger", "", "")
	if err != nil {
		t.Fatalf("EnsureCustomer: %v", err)
	}
	if err := g.RemoveMethod(t.Context(), stranger, r.Method); !errors.Is(err, billing.ErrGatewayRefused) {
		t.Errorf("by another customer: got %v, want ErrGatewayRefused", err)
	}
	if all, err := h.Gateway.Methods(t.Context(), r.Customer); err != nil || len(all) != 1 {
		t.Fatalf("afterwards: got %+v, %v, want the method", all, err)
	}
	for _, turn := range []string{"first", "second"} {
		if err := g.RemoveMethod(t.Context(), r.Customer, r.Method); err != nil {
			t.Errorf("%s time: %v", turn, err)
		}
	}
	if all, err := h.Gateway.Methods(t.Context(), r.Customer); err != nil || len(all) != 0 {
		t.Errorf("afterwards: got %+v, %v, want none", all, err)
	}
	h.cannotCharge(t, r)
	for _, id := range []string{"", "../x", "a?b=c"} {
		if err := g.RemoveMethod(t.Context(), r.Customer, id); !errors.Is(err, billing.ErrGatewayRefused) {
			t.Errorf("RemoveMethod(%q): got %v, want ErrGatewayRefused", id, err)
		}
	}
}

func (h Harness) cannotCharge(t *testing.T, r billing.ChargeRequest) {
	t.Helper()
	got, err := h.Gateway.Charge(t.Context(), r)
	if !errors.Is(err, billing.ErrGatewayRefused) && (err != nil || got.State != billing.PaymentDeclined || got.Decline != billing.DeclineHard) {
		t.Errorf("charged afterwards: got %+v, %v, want a refusal or a hard decline", got, err)
	}
	if n := h.Taken(r.InvoiceID); n != 0 {
		t.Errorf("money was taken %d times, want never", n)
	}
}

func testRemoveFaults(t *testing.T, h Harness) {
	g := as[billing.MethodRemover](t, h)
	for _, f := range everyFault {
		r := h.saved(t, "a1", CardWorks)
		h.Fault(CallRemove, f, 2)
		err := g.RemoveMethod(t.Context(), r.Customer, r.Method)
		for range 3 {
			if err == nil {
				break
			}
			if !errors.Is(err, billing.ErrOutcomeUnknown) && !errors.Is(err, billing.ErrGatewayTemporary) {
				t.Errorf("%s: got %v", f, err)
			}
			err = g.RemoveMethod(t.Context(), r.Customer, r.Method)
		}
		if all, listed := h.Gateway.Methods(t.Context(), r.Customer); err != nil || listed != nil || len(all) != 0 {
			t.Errorf("%s: got %v, then %+v, %v, want none left", f, err, all, listed)
		}
	}
}
