package gatewaytest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
)

var everyFault = []Fault{LostAnswer, After500, Truncated, RefuseConn, Error500, HTML502, Unavailable, RateLimited}

func testReadFaults(t *testing.T, h Harness) {
	charge := h.saved(t, "a1", CardWorks)
	paid, err := h.Gateway.Charge(t.Context(), charge)
	if err != nil {
		t.Fatalf("Charge: %v", err)
	}
	p := h.open(t, h.page(charge.Customer, "a2"))
	reads := map[Call]func(context.Context) error{
		CallReadPage:    func(ctx context.Context) error { _, err := h.Gateway.ReadPage(ctx, p.Reference); return err },
		CallReadPayment: func(ctx context.Context) error { _, err := h.Gateway.ReadPayment(ctx, paid.Reference); return err },
		CallMethods:     func(ctx context.Context) error { _, err := h.Gateway.Methods(ctx, charge.Customer); return err },
	}
	for call, read := range reads {
		for _, f := range everyFault {
			h.Fault(call, f, 2)
			failed := read(t.Context())
			if !errors.Is(failed, billing.ErrGatewayTemporary) {
				t.Errorf("%s, %s: got %v, want ErrGatewayTemporary", call, f, failed)
			}
			for range 3 {
				if failed = read(t.Context()); failed == nil {
					break
				}
			}
			if failed != nil {
				t.Errorf("%s after %s: got %v, want none", call, f, failed)
			}
		}
	}
}

// testWriteFaults repeats each write with its key until it works and counts
// what exists afterwards.
func testWriteFaults(t *testing.T, h Harness) {
	customer := h.customer(t)
	pages, customers := h.Pages(), h.Customers()
	for i, f := range everyFault {
		id := "w" + string(rune('a'+i))
		writes := map[Call]func() error{
			CallOpenPage: func() error { _, err := h.Gateway.OpenPage(t.Context(), h.page(customer, id)); return err },
			CallCustomer: func() error { _, err := h.Gateway.EnsureCustomer(t.Context(), id, id, "", "Kim"); return err },
		}
		if h.Traits.NoCustomers {
			delete(writes, CallCustomer)
		}
		for call, write := range writes {
			h.Fault(call, f, 2)
			err := write()
			if !errors.Is(err, billing.ErrOutcomeUnknown) && (!errors.Is(err, billing.ErrGatewayTemporary) || f != RateLimited && f != Unavailable) {
				t.Errorf("%s, %s: got %v", call, f, err)
			}
			for range 3 {
				if err = write(); err == nil {
					break
				}
			}
			if err != nil {
				t.Errorf("%s after %s: got %v, want none", call, f, err)
			}
		}
	}
	if n := h.Pages() - pages; n != len(everyFault) {
		t.Errorf("got %d pages at the gateway, want %d", n, len(everyFault))
	}
	if n := h.Customers() - customers; n != len(everyFault) && !h.Traits.NoCustomers {
		t.Errorf("got %d customers at the gateway, want %d", n, len(everyFault))
	}
}

func testWrongKey(t *testing.T, h Harness) {
	charge := h.saved(t, "a1", CardWorks)
	p := h.open(t, h.page(charge.Customer, "a2"))
	g, ctx := h.WrongKey, t.Context()
	calls := map[string]func() error{
		"EnsureCustomer": func() error { _, err := g.EnsureCustomer(ctx, "k1", "u1", "", ""); return err },
		"OpenPage":       func() error { _, err := g.OpenPage(ctx, h.page(charge.Customer, "a3")); return err },
		"ReadPage":       func() error { _, err := g.ReadPage(ctx, p.Reference); return err },
		"ClosePage":      func() error { _, err := g.ClosePage(ctx, p.Reference); return err },
		"Charge":         func() error { _, err := g.Charge(ctx, charge); return err },
		"Methods":        func() error { _, err := g.Methods(ctx, charge.Customer); return err },
		"Check":          func() error { return g.Check(ctx) },
	}
	if h.Traits.NoCustomers {
		delete(calls, "EnsureCustomer")
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, billing.ErrGatewayCredentials) {
			t.Errorf("%s: got %v, want ErrGatewayCredentials", name, err)
		}
	}
	if n := h.Taken("inv_a1"); n != 0 {
		t.Errorf("money was taken %d times, want never", n)
	}
}

func testContext(t *testing.T, h Harness) {
	r := h.saved(t, "a1", CardWorks)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := h.Gateway.Charge(over, r); !errors.Is(err, context.Canceled) || !errors.Is(err, billing.ErrGatewayTemporary) {
		t.Errorf("context over before the call: got %+v, %v, want Canceled and ErrGatewayTemporary", got, err)
	}
	h.Fault(CallCharge, Slow, 1)
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	done := make(chan error, 1)
	go func() { _, err := h.Gateway.Charge(short, r); done <- err }()
	select {
	case err := <-done:
		if !errors.Is(err, billing.ErrOutcomeUnknown) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("context over during the call: got %v, want DeadlineExceeded and ErrOutcomeUnknown", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the call outlives its context")
	}
	if got, err := h.Gateway.Charge(t.Context(), r); err != nil || got.State != billing.PaymentSucceeded {
		t.Errorf("same key meanwhile: got %+v, %v, want succeeded", got, err)
	}
	if n := h.Taken("inv_a1"); n != 1 {
		t.Errorf("money was taken %d times, want once", n)
	}
}

func testCheck(t *testing.T, h Harness) {
	if err := h.Gateway.Check(t.Context()); err != nil {
		t.Errorf("Check: %v", err)
	}
	if err := h.NoSecret.Check(t.Context()); !errors.Is(err, billing.ErrNotConfigured) {
		t.Errorf("Check without a webhook secret: got %v, want ErrNotConfigured", err)
	}
}
