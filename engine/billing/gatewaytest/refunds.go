package gatewaytest

import (
	"errors"
	"strconv"
	"testing"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

var refundTests = map[string]func(t *testing.T, h Harness){
	"in parts, to the end":                testRefundParts,
	"one key refunds once through faults": testRefundFaults,
	"what cannot be right":                testBadRefunds,
	"slow, and failing late":              testSlowRefunds,
}

// paid charges a saved method 30.00 EUR and returns the payment's reference.
func (h Harness) paid(t *testing.T, attempt string) string {
	t.Helper()
	r, err := h.Gateway.Charge(t.Context(), h.saved(t, attempt, CardWorks))
	if err != nil || r.State != billing.PaymentSucceeded {
		t.Fatalf("Charge: got %+v, %v, want succeeded", r, err)
	}
	return r.Reference
}

func refundOf(payment, id string, minor int64) billing.RefundRequest {
	return billing.RefundRequest{Key: "refund_" + id, RefundID: id, Payment: payment, Amount: money.Must(minor, "EUR"), Note: "For you & yours"}
}

func testRefundParts(t *testing.T, h Harness) {
	g, payment := as[billing.Refunder](t, h), h.paid(t, "a1")
	for i, minor := range []int64{1, 999, 2000} {
		r := refundOf(payment, "r"+strconv.Itoa(i), minor)
		first, err := g.Refund(t.Context(), r)
		want := billing.RefundReport{ID: first.ID, RefundID: r.RefundID, Payment: payment, State: billing.RefundSucceeded, Amount: r.Amount, At: first.At}
		if err != nil || first != want || first.ID == "" || first.At.IsZero() {
			t.Fatalf("refund of %s: got %+v, %v, want %+v with id and time", r.Amount, first, err, want)
		}
		if again, err := g.Refund(t.Context(), r); err != nil || again != first {
			t.Errorf("same key: got %+v, %v, want %+v", again, err, first)
		}
		if read, err := g.ReadRefund(t.Context(), first.ID); err != nil || read != first {
			t.Errorf("ReadRefund: got %+v, %v, want %+v", read, err, first)
		}
		paid, err := h.Gateway.ReadPayment(t.Context(), payment)
		if err != nil || paid.State != billing.PaymentSucceeded || paid.Amount != money.Must(3000, "EUR") {
			t.Errorf("the payment afterwards: got %+v, %v, want it succeeded in full", paid, err)
		}
	}
	if r, err := g.Refund(t.Context(), refundOf(payment, "r9", 1)); !errors.Is(err, billing.ErrGatewayRefused) {
		t.Errorf("a cent beyond the payment: got %+v, %v, want ErrGatewayRefused", r, err)
	}
}

func testRefundFaults(t *testing.T, h Harness) {
	g := as[billing.Refunder](t, h)
	for i, f := range everyFault {
		payment := h.paid(t, "a"+strconv.Itoa(i))
		r := refundOf(payment, "r"+strconv.Itoa(i), 2000)
		h.Fault(CallRefund, f, 2)
		got, err := g.Refund(t.Context(), r)
		if !errors.Is(err, billing.ErrOutcomeUnknown) && (!errors.Is(err, billing.ErrGatewayTemporary) || f != RateLimited && f != Unavailable) {
			t.Errorf("%s: got %+v, %v", f, got, err)
		}
		for range 3 {
			if got, err = g.Refund(t.Context(), r); err == nil {
				break
			}
		}
		if err != nil || got.State != billing.RefundSucceeded {
			t.Errorf("%s: got %+v, %v, want it succeeded in the end", f, got, err)
		}
		// This also clears what a gateway that looks before it repeats has left of the faults.
		h.Fault(CallReadRefund, f, 1)
		if _, err := g.ReadRefund(t.Context(), got.ID); err != nil && !errors.Is(err, billing.ErrGatewayTemporary) {
			t.Errorf("%s, read: got %v, want ErrGatewayTemporary", f, err)
		}
		// A second refund of as much would fit only if the first was not made.
		if _, err := g.Refund(t.Context(), refundOf(payment, "s"+strconv.Itoa(i), 2000)); !errors.Is(err, billing.ErrGatewayRefused) {
			t.Errorf("%s: money went back %v, want once", f, err)
		}
	}
}

func testBadRefunds(t *testing.T, h Harness) {
	g, payment := as[billing.Refunder](t, h), h.paid(t, "a1")
	good := refundOf(payment, "r1", 1000)
	if _, err := g.Refund(t.Context(), good); err != nil {
		t.Fatalf("Refund: %v", err)
	}
	for name, spoil := range map[string]func(*billing.RefundRequest){
		"no key":                 func(r *billing.RefundRequest) { r.Key = "" },
		"no payment":             func(r *billing.RefundRequest) { r.Payment = "" },
		"a payment nobody knows": func(r *billing.RefundRequest) { r.Payment = r.Payment[:len(r.Payment)-3] + "QQQ" },
		"a path for a payment":   func(r *billing.RefundRequest) { r.Payment = "../refunds" },
		"no refund id":           func(r *billing.RefundRequest) { r.RefundID = "" },
		"nothing":                func(r *billing.RefundRequest) { r.Amount = money.Must(0, "EUR") },
		"money taken":            func(r *billing.RefundRequest) { r.Amount = money.Must(-100, "EUR") },
		"more than was paid":     func(r *billing.RefundRequest) { r.Amount = money.Must(3001, "EUR") },
		"more than is left":      func(r *billing.RefundRequest) { r.Amount = money.Must(2001, "EUR") },
		"another currency":       func(r *billing.RefundRequest) { r.Amount = money.Must(100, "USD") },
		"a used key":             func(r *billing.RefundRequest) { r.Key, r.Amount = good.Key, money.Must(999, "EUR") },
	} {
		r := good
		r.Key = "bad_refund_" + strconv.Itoa(len(name)) + name[:1]
		spoil(&r)
		if got, err := g.Refund(t.Context(), r); !errors.Is(err, billing.ErrGatewayRefused) {
			t.Errorf("%s: got %+v, %v, want ErrGatewayRefused", name, got, err)
		}
	}
	for _, id := range []string{"", "../x", "nobody?x=1"} {
		if got, err := g.ReadRefund(t.Context(), id); !errors.Is(err, billing.ErrGatewayRefused) {
			t.Errorf("ReadRefund(%q): got %+v, %v, want ErrGatewayRefused", id, got, err)
		}
	}
}

func testSlowRefunds(t *testing.T, h Harness) {
	g := as[billing.Refunder](t, h)
	for fail, end := range map[bool]billing.RefundStatus{false: billing.RefundSucceeded, true: billing.RefundFailed} {
		payment := h.paid(t, "a"+strconv.FormatBool(fail))
		h.More.SlowRefund(fail)
		r, err := g.Refund(t.Context(), refundOf(payment, "r"+strconv.FormatBool(fail), 3000))
		if err != nil || r.State != billing.RefundPending {
			t.Fatalf("got %+v, %v, want pending", r, err)
		}
		h.Settle()
		read, err := g.ReadRefund(t.Context(), r.ID)
		if err != nil || read.State != end || fail == (read.Reason == "") {
			t.Errorf("settled: got %+v, %v, want %s", read, err, end)
		}
	}
}
