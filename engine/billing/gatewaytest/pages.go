package gatewaytest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

func testCustomer(t *testing.T, h Harness) {
	first := h.customer(t)
	if again := h.customer(t); again != first {
		t.Errorf("same key: got customer %q, want %q", again, first)
	}
	renamed, err := h.Gateway.EnsureCustomer(t.Context(), "customer_u1", "u1", "kim@elsewhere.example", "Kim Renamed")
	if err != nil || renamed != first {
		t.Errorf("same key after the customer edited the name: got %q, %v, want %q", renamed, err, first)
	}
	if n := h.Customers(); n != 1 && !h.Traits.NoCustomers {
		t.Errorf("got %d customers at the gateway, want 1", n)
	}
	other, err := h.Gateway.EnsureCustomer(t.Context(), "customer_u2", "u2", "", "")
	if err != nil || other == first {
		t.Errorf("another key: got %q, %v, want another customer", other, err)
	}
}

func testPageOnce(t *testing.T, h Harness) {
	r := h.page(h.customer(t), "a1")
	first := h.open(t, r)
	if !strings.Contains(first.URL, "://") || first.Reference == "" || !first.ExpiresAt.Equal(r.ExpiresAt.Truncate(time.Second)) {
		t.Errorf("got page %+v, want an address, a reference and the expiry %s", first, r.ExpiresAt)
	}
	h.Advance(10 * time.Minute)
	if again := h.open(t, r); again != first {
		t.Errorf("same key: got page %+v, want %+v", again, first)
	}
	if n := h.Pages(); n != 1 {
		t.Errorf("got %d pages at the gateway, want 1", n)
	}
	r.Amount = money.Must(2000, "EUR")
	if _, err := h.Gateway.OpenPage(t.Context(), r); !errors.Is(err, billing.ErrGatewayRefused) {
		t.Errorf("same key, another amount: got %v, want ErrGatewayRefused", err)
	}
}

// testExpiryLimits asks for lives beyond what gateways allow, and repeats each
// after the clock has moved: the repeat must still be the same request.
func testExpiryLimits(t *testing.T, h Harness) {
	customer := h.customer(t)
	for name, life := range map[string]time.Duration{
		"past": -time.Hour, "now": 0, "minute": time.Minute, "half": 30 * time.Minute, "hour": time.Hour,
		"day": 24 * time.Hour, "month": 30 * 24 * time.Hour,
	} {
		r := h.page(customer, name)
		r.ExpiresAt = h.Now().Add(life)
		first := h.open(t, r)
		if !first.ExpiresAt.After(h.Now()) {
			t.Errorf("page asked to live %s: expires at %s, which is over", life, first.ExpiresAt)
		}
		passed := time.Duration(0)
		for _, later := range []time.Duration{20 * time.Minute, 20 * time.Minute, 9 * time.Hour} {
			h.Advance(later)
			if passed += later; h.Traits.KeyLife > 0 && passed >= h.Traits.KeyLife {
				break
			}
			if again, err := h.Gateway.OpenPage(t.Context(), r); err != nil || again != first {
				t.Errorf("page asked to live %s, repeated %s later: got %+v, %v, want %+v", life, later, again, err, first)
			}
		}
	}
	r := h.page(customer, "never")
	r.ExpiresAt = time.Time{}
	h.open(t, r)
}

func testPaidPage(t *testing.T, h Harness) {
	for _, customer := range []string{h.customer(t), ""} {
		attempt := "a1" + customer
		p := h.open(t, h.page(customer, attempt))
		open, err := h.Gateway.ReadPage(t.Context(), p.Reference)
		if err != nil || open.State != billing.PaymentOpen || open.AttemptID != attempt || open.PageReference != p.Reference {
			t.Fatalf("ReadPage before: got %+v, %v, want it open", open, err)
		}
		h.pay(t, p.Reference, CardWorks)
		page, err := h.Gateway.ReadPage(t.Context(), p.Reference)
		if err != nil {
			t.Fatalf("ReadPage after: %v", err)
		}
		want := billing.PaymentReport{
			Reference: page.Reference, PageReference: p.Reference, AttemptID: attempt, InvoiceID: "inv_" + attempt,
			Customer: page.Customer, Method: page.Method, State: billing.PaymentSucceeded, Amount: money.Must(1999, "EUR"),
		}
		if page.Reference == "" || page.Customer == "" || page.Method == "" {
			t.Errorf("ReadPage: got %+v, want reference, customer and saved method", page)
		}
		wantSame(t, "ReadPage", page, want)
		payment, err := h.Gateway.ReadPayment(t.Context(), page.Reference)
		if err != nil {
			t.Fatalf("ReadPayment: %v", err)
		}
		wantSame(t, "ReadPayment", payment, want)
		wantSame(t, "PaymentOf", h.eventFor(t, page.Reference, billing.PaymentSucceeded), want)
		if n := h.Taken("inv_" + attempt); n != 1 {
			t.Errorf("money was taken %d times, want once", n)
		}
	}
}

func testDeclinedPage(t *testing.T, h Harness) {
	p := h.open(t, h.page(h.customer(t), "a1"))
	h.pay(t, p.Reference, CardSoftDecline)
	r, err := h.Gateway.ReadPage(t.Context(), p.Reference)
	if err != nil || r.State != billing.PaymentOpen || r.Method != "" {
		t.Errorf("after a decline: got %+v, %v, want the page open and nothing saved", r, err)
	}
	h.pay(t, p.Reference, CardWorks)
	if r, err = h.Gateway.ReadPage(t.Context(), p.Reference); err != nil || r.State != billing.PaymentSucceeded {
		t.Errorf("after a second card: got %+v, %v, want succeeded", r, err)
	}
	if !h.Traits.SilentDeclines {
		h.eventFor(t, r.Reference, billing.PaymentDeclined)
	}
	h.eventFor(t, r.Reference, billing.PaymentSucceeded)
}

func testDelayedPage(t *testing.T, h Harness) {
	for card, end := range map[Card]billing.PaymentState{CardSlow: billing.PaymentSucceeded, CardSlowDecline: billing.PaymentDeclined} {
		p := h.open(t, h.page(h.customer(t), string(end)))
		h.pay(t, p.Reference, card)
		r, err := h.Gateway.ReadPage(t.Context(), p.Reference)
		if err != nil || r.State != billing.PaymentPending {
			t.Fatalf("card that is %s: got %+v, %v, want pending", card, r, err)
		}
		h.eventFor(t, r.Reference, billing.PaymentPending)
		h.Settle()
		if r, err = h.Gateway.ReadPage(t.Context(), p.Reference); err != nil || r.State != end {
			t.Errorf("card that is %s, settled: got %+v, %v, want %s", card, r, err, end)
		}
		wantSame(t, "PaymentOf", h.eventFor(t, r.Reference, end), r)
	}
}

func testCloseOpen(t *testing.T, h Harness) {
	p := h.open(t, h.page(h.customer(t), "a1"))
	for _, turn := range []string{"first", "second"} {
		r, err := h.Gateway.ClosePage(t.Context(), p.Reference)
		if err != nil || r.State != billing.PaymentCancelled || r.AttemptID != "a1" {
			t.Errorf("%s close: got %+v, %v, want cancelled", turn, r, err)
		}
	}
	if h.PayPage(p.Reference, CardWorks) == nil {
		t.Error("a closed page could be paid")
	}
	if n := h.Taken("inv_a1"); n != 0 {
		t.Errorf("money was taken %d times, want never", n)
	}
}

func testClosePaid(t *testing.T, h Harness) {
	p := h.open(t, h.page(h.customer(t), "a1"))
	h.pay(t, p.Reference, CardWorks)
	r, err := h.Gateway.ClosePage(t.Context(), p.Reference)
	if err != nil || r.State != billing.PaymentSucceeded || r.Reference == "" || r.Amount != money.Must(1999, "EUR") {
		t.Errorf("got %+v, %v, want succeeded with the payment", r, err)
	}
}

func testCloseExpired(t *testing.T, h Harness) {
	p := h.open(t, h.page(h.customer(t), "a1"))
	h.Advance(3 * time.Hour)
	r, err := h.Gateway.ReadPage(t.Context(), p.Reference)
	if err != nil || r.State != billing.PaymentCancelled {
		t.Errorf("ReadPage: got %+v, %v, want cancelled", r, err)
	}
	if r, err = h.Gateway.ClosePage(t.Context(), p.Reference); err != nil || r.State != billing.PaymentCancelled {
		t.Errorf("ClosePage: got %+v, %v, want cancelled", r, err)
	}
	if h.PayPage(p.Reference, CardWorks) == nil {
		t.Error("an expired page could be paid")
	}
}

func testCloseLost(t *testing.T, h Harness) {
	for _, f := range []Fault{After500, LostAnswer, Truncated} {
		p := h.open(t, h.page(h.customer(t), string(f[:3])))
		h.Fault(CallClosePage, f, 2)
		r, err := h.Gateway.ClosePage(t.Context(), p.Reference)
		for range 3 {
			if err == nil {
				break
			}
			if !errors.Is(err, billing.ErrOutcomeUnknown) {
				t.Errorf("%s: got %v, want ErrOutcomeUnknown", f, err)
			}
			r, err = h.Gateway.ClosePage(t.Context(), p.Reference)
		}
		if err != nil || r.State != billing.PaymentCancelled {
			t.Errorf("%s: got %+v, %v, want cancelled in the end", f, r, err)
		}
	}
}

func testUnknownPage(t *testing.T, h Harness) {
	p := h.open(t, h.page(h.customer(t), "a1"))
	for _, reference := range []string{p.Reference + "x", "", "../customers", "x?limit=1"} {
		if r, err := h.Gateway.ReadPage(t.Context(), reference); !errors.Is(err, billing.ErrGatewayRefused) {
			t.Errorf("ReadPage(%q): got %+v, %v, want ErrGatewayRefused", reference, r, err)
		}
		if r, err := h.Gateway.ClosePage(t.Context(), reference); !errors.Is(err, billing.ErrGatewayRefused) {
			t.Errorf("ClosePage(%q): got %+v, %v, want ErrGatewayRefused", reference, r, err)
		}
		if r, err := h.Gateway.ReadPayment(t.Context(), reference); !errors.Is(err, billing.ErrGatewayRefused) {
			t.Errorf("ReadPayment(%q): got %+v, %v, want ErrGatewayRefused", reference, r, err)
		}
	}
}
