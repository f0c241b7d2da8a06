package gatewaytest

import (
	"errors"
	"strconv"
	"testing"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

func testCharge(t *testing.T, h Harness) {
	r := h.saved(t, "a1", CardWorks)
	first, err := h.Gateway.Charge(t.Context(), r)
	if err != nil {
		t.Fatalf("Charge: %v", err)
	}
	want := billing.PaymentReport{
		Reference: first.Reference, AttemptID: "a1", InvoiceID: "inv_a1", Customer: r.Customer, Method: r.Method,
		State: billing.PaymentSucceeded, Amount: money.Must(3000, "EUR"),
	}
	if first.Reference == "" || first.Method != r.Method || first.Customer != r.Customer {
		t.Errorf("Charge: got %+v, want reference, customer and method", first)
	}
	wantSame(t, "Charge", first, want)
	again, err := h.Gateway.Charge(t.Context(), r)
	if err != nil {
		t.Fatalf("Charge again: %v", err)
	}
	wantSame(t, "Charge again", again, want)
	read, err := h.Gateway.ReadPayment(t.Context(), first.Reference)
	if err != nil {
		t.Fatalf("ReadPayment: %v", err)
	}
	wantSame(t, "ReadPayment", read, want)
	wantSame(t, "PaymentOf", h.eventFor(t, first.Reference, billing.PaymentSucceeded), want)
	if n := h.Taken("inv_a1"); n != 1 {
		t.Errorf("money was taken %d times, want once", n)
	}
}

func testSoftDecline(t *testing.T, h Harness) {
	h.declines(t, CardSoftDecline, billing.PaymentDeclined, billing.DeclineSoft)
}

func testHardDecline(t *testing.T, h Harness) {
	h.declines(t, CardHardDecline, billing.PaymentDeclined, billing.DeclineHard)
}

func testNeedsAction(t *testing.T, h Harness) {
	h.declines(t, CardNeedsAction, billing.PaymentNeedsAction, billing.DeclineAuthenticate)
}

// declines charges a card twice with one key; answer, read and webhook must say
// the same, and no money may move.
func (h Harness) declines(t *testing.T, card Card, state billing.PaymentState, kind billing.DeclineKind) {
	t.Helper()
	r := h.saved(t, "a1", card)
	first, err := h.Gateway.Charge(t.Context(), r)
	if err != nil || first.State != state || first.Decline != kind || first.Reason == "" || (first.Reference == "") != h.Traits.SilentDeclines {
		t.Fatalf("got %+v, %v, want %s and %s with reference and reason", first, err, state, kind)
	}
	want := first
	want.AttemptID, want.InvoiceID, want.Customer, want.Method, want.Amount = r.AttemptID, r.InvoiceID, r.Customer, r.Method, r.Amount
	again, err := h.Gateway.Charge(t.Context(), r)
	if err != nil {
		t.Fatalf("same key: %v", err)
	}
	reports := map[string]billing.PaymentReport{"Charge": first, "same key": again}
	if !h.Traits.SilentDeclines {
		if reports["ReadPayment"], err = h.Gateway.ReadPayment(t.Context(), first.Reference); err != nil {
			t.Fatalf("ReadPayment: %v", err)
		}
		reports["PaymentOf"] = h.eventFor(t, first.Reference, state)
	}
	for what, got := range reports {
		wantSame(t, what, got, want)
		if got.Decline != kind || got.Reason != first.Reason || got.Method != r.Method {
			t.Errorf("%s: got %+v, want %s for %s of method %s", what, got, kind, first.Reason, r.Method)
		}
	}
	if n := h.Taken(r.InvoiceID); n != 0 {
		t.Errorf("money was taken %d times, want never", n)
	}
}

func testDelayedCharge(t *testing.T, h Harness) {
	r := h.saved(t, "a1", CardSlow)
	got, err := h.Gateway.Charge(t.Context(), r)
	if err != nil || got.State != billing.PaymentPending {
		t.Fatalf("Charge: got %+v, %v, want pending", got, err)
	}
	h.Settle()
	if got, err = h.Gateway.ReadPayment(t.Context(), got.Reference); err != nil || got.State != billing.PaymentSucceeded {
		t.Errorf("ReadPayment: got %+v, %v, want succeeded", got, err)
	}
}

// testChargeFaults loses the answers of two tries in a row, as the network code
// may repeat the first by itself, and then repeats with the same key.
func testChargeFaults(t *testing.T, h Harness) {
	for i, f := range everyFault {
		r := h.saved(t, "a"+strconv.Itoa(i), CardWorks)
		h.Fault(CallCharge, f, 2)
		failures := 0
		got, err := h.Gateway.Charge(t.Context(), r)
		for ; err != nil && failures < 5; failures++ {
			lost, temporary := errors.Is(err, billing.ErrOutcomeUnknown), errors.Is(err, billing.ErrGatewayTemporary)
			if lost == temporary || temporary && f != RateLimited && f != Unavailable || lost && f == RateLimited {
				t.Errorf("%s: got %v", f, err)
			}
			got, err = h.Gateway.Charge(t.Context(), r)
		}
		if failures == 0 {
			t.Errorf("%s: no failure was reported", f)
		}
		if err != nil || got.State != billing.PaymentSucceeded {
			t.Errorf("%s: got %+v, %v, want succeeded in the end", f, got, err)
		}
		if n := h.Taken(r.InvoiceID); n != 1 {
			t.Errorf("%s: money was taken %d times, want once", f, n)
		}
	}
}

func testNewKey(t *testing.T, h Harness) {
	r := h.saved(t, "a1", CardWorks)
	for _, attempt := range []string{"a1", "a2"} {
		r.Key, r.AttemptID = "charge_"+attempt, attempt
		if got, err := h.Gateway.Charge(t.Context(), r); err != nil || got.AttemptID != attempt {
			t.Errorf("attempt %s: got %+v, %v", attempt, got, err)
		}
	}
	if n := h.Taken("inv_a1"); n != 2 {
		t.Errorf("money was taken %d times, want twice", n)
	}
}

func testKeyReused(t *testing.T, h Harness) {
	r := h.saved(t, "a1", CardWorks)
	if _, err := h.Gateway.Charge(t.Context(), r); err != nil {
		t.Fatalf("Charge: %v", err)
	}
	r.Amount = money.Must(3001, "EUR")
	if got, err := h.Gateway.Charge(t.Context(), r); !errors.Is(err, billing.ErrGatewayRefused) {
		t.Errorf("got %+v, %v, want ErrGatewayRefused", got, err)
	}
	if n := h.Taken("inv_a1"); n != 1 {
		t.Errorf("money was taken %d times, want once", n)
	}
}

func testBadCalls(t *testing.T, h Harness) {
	good := h.saved(t, "a1", CardWorks)
	stranger, err := h.Gateway.EnsureCustomer(t.Context(), "customer_u2", "u2", "", "")
	if err != nil {
		t.Fatalf("EnsureCustomer: %v", err)
	}
	for name, spoil := range map[string]func(*billing.ChargeRequest){
		"no key":                 func(r *billing.ChargeRequest) { r.Key = "" },
		"key of 256 characters":  func(r *billing.ChargeRequest) { r.Key = string(make([]byte, 256)) },
		"no customer":            func(r *billing.ChargeRequest) { r.Customer = "" },
		"no method":              func(r *billing.ChargeRequest) { r.Method = "" },
		"method nobody knows":    func(r *billing.ChargeRequest) { r.Method += "x" },
		"method of another":      func(r *billing.ChargeRequest) { r.Customer = stranger },
		"nothing to pay":         func(r *billing.ChargeRequest) { r.Amount = money.Must(0, "EUR") },
		"money back":             func(r *billing.ChargeRequest) { r.Amount = money.Must(-100, "EUR") },
		"one cent":               func(r *billing.ChargeRequest) { r.Amount = money.Must(1, "EUR") },
		"a fortune":              func(r *billing.ChargeRequest) { r.Amount = money.Must(money.Limit, "EUR") },
		"amount without a money": func(r *billing.ChargeRequest) { r.Amount = money.Amount{} },
	} {
		r := good
		r.Key = "bad_" + name[:4]
		spoil(&r)
		if name == "one cent" && h.Traits.TakesCents {
			continue
		}
		got, err := h.Gateway.Charge(t.Context(), r)
		if name == "method nobody knows" && err == nil && got.State == billing.PaymentDeclined && got.Decline == billing.DeclineHard {
			continue // as good: it was removed at the gateway
		}
		if !errors.Is(err, billing.ErrGatewayRefused) {
			t.Errorf("%s: got %+v, %v, want ErrGatewayRefused", name, got, err)
		}
	}
	if n := h.Taken("inv_a1"); n != 0 {
		t.Errorf("money was taken %d times, want never", n)
	}
}

func testMethods(t *testing.T, h Harness) {
	customer := h.customer(t)
	if got, err := h.Gateway.Methods(t.Context(), customer); err != nil || len(got) != 0 {
		t.Errorf("new customer: got %+v, %v, want none", got, err)
	}
	r := h.saved(t, "a1", CardWorks)
	slow, err := h.SaveMethod(customer, CardSlow)
	if err != nil {
		t.Fatalf("SaveMethod: %v", err)
	}
	got, err := h.Gateway.Methods(t.Context(), customer)
	if err != nil || len(got) != 2 {
		t.Fatalf("got %+v, %v, want two", got, err)
	}
	byID := map[string]billing.SavedMethod{}
	for _, m := range got {
		byID[m.ID] = m
	}
	if h.Traits.Wallet == "" {
		wantCard(t, byID[r.Method])
	} else if m := byID[r.Method]; m.Kind != h.Traits.Wallet || m.Account == "" || m.Fingerprint == "" {
		t.Errorf("wallet: got %+v, want its account", m)
	}
	if m := byID[slow]; m.Kind == "" || m.Kind == "card" {
		t.Errorf("delayed method: got %+v, want its kind", m)
	}
	if h.Traits.NoCustomers {
		return
	}
	if _, err := h.Gateway.Methods(t.Context(), customer+"x"); !errors.Is(err, billing.ErrGatewayRefused) {
		t.Errorf("unknown customer: got %v, want ErrGatewayRefused", err)
	}
}

// wantCard expects all that is shown of a card and used to tell cards apart.
func wantCard(t *testing.T, card billing.SavedMethod) {
	t.Helper()
	if card.Kind != "card" || card.Brand == "" || len(card.Last4) != 4 || card.Fingerprint == "" {
		t.Errorf("card: got %+v, want all of it", card)
	}
	if card.ExpMonth < 1 || card.ExpMonth > 12 || card.ExpYear < 2000 {
		t.Errorf("card: got expiry %d/%d", card.ExpMonth, card.ExpYear)
	}
}

func testManyMethods(t *testing.T, h Harness) {
	customer := h.customer(t)
	many := 130 // more than one page of any gateway
	if n := h.Traits.MaxMethods; n > 0 {
		many = n
	}
	for range many {
		if _, err := h.SaveMethod(customer, CardWorks); err != nil {
			t.Fatalf("SaveMethod: %v", err)
		}
	}
	got, err := h.Gateway.Methods(t.Context(), customer)
	seen := map[string]bool{}
	for _, m := range got {
		seen[m.ID] = true
	}
	if err != nil || len(got) != many || len(seen) != many {
		t.Errorf("got %d methods, %d different ones, %v, want %d", len(got), len(seen), err, many)
	}
}
