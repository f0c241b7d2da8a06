package gatewaytest

import (
	"errors"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

var transactionTests = map[string]func(t *testing.T, h Harness){
	"each movement once":    testTransactions,
	"many, page by page":    testManyTransactions,
	"ended, and unreadable": testTransactionFaults,
}

// list visits a range and returns the movements by id.
func (h Harness) list(t *testing.T, from, to time.Time) (map[string]billing.Transaction, time.Time) {
	t.Helper()
	found := map[string]billing.Transaction{}
	complete, err := as[billing.TransactionLister](t, h).Transactions(t.Context(), from, to, func(x billing.Transaction) error {
		if _, twice := found[x.ID]; twice {
			t.Errorf("movement %s is visited twice", x.ID)
		}
		found[x.ID] = x
		return nil
	})
	if err != nil {
		t.Fatalf("Transactions: %v", err)
	}
	return found, complete
}

func testTransactions(t *testing.T, h Harness) {
	begin := h.Now()
	payment := h.paid(t, "a1")
	refund := ""
	if g, ok := h.Gateway.(billing.Refunder); ok {
		r, err := g.Refund(t.Context(), refundOf(payment, "r1", 1200))
		if err != nil {
			t.Fatalf("Refund: %v", err)
		}
		refund = r.ID
	}
	h.Advance(h.More.BooksLag + time.Hour)
	found, complete := h.list(t, begin, h.Now())
	if complete.Before(h.Now().Add(-h.More.BooksLag-time.Minute)) || complete.After(h.Now()) {
		t.Errorf("the books are complete up to %s, want about %s", complete, h.Now().Add(-h.More.BooksLag))
	}
	want := billing.Transaction{
		ID: payment, Kind: billing.TransactionPayment, AttemptID: "a1", State: billing.PaymentSucceeded,
		Amount: money.Must(3000, "EUR"), Fee: money.Must(h.More.Fee, "EUR"), At: found[payment].At,
	}
	if got := found[payment]; got != want || got.At.IsZero() {
		t.Errorf("payment: got %+v, want %+v with a time", got, want)
	}
	if got := found[refund]; refund != "" && (got.Kind != billing.TransactionRefund || got.Related != payment || got.Amount != money.Must(-1200, "EUR")) {
		t.Errorf("refund: got %+v, want -12.00 EUR of payment %s", got, payment)
	}
	// Half-open ranges: what happened at the end of one belongs to the next.
	early, _ := h.list(t, begin.Add(-time.Hour), begin)
	late, _ := h.list(t, begin.Add(time.Hour), h.Now())
	if len(early)+len(late) != 0 {
		t.Errorf("outside: got %+v and %+v, want nothing", early, late)
	}
}

func testManyTransactions(t *testing.T, h Harness) {
	begin := h.Now()
	r := h.saved(t, "m", CardWorks)
	for i := range 40 {
		id := "m" + string(rune('a'+i/26)) + string(rune('a'+i%26))
		r.Key, r.AttemptID, r.InvoiceID = "charge_"+id, id, "inv_"+id
		if _, err := h.Gateway.Charge(t.Context(), r); err != nil {
			t.Fatalf("Charge: %v", err)
		}
		h.Advance(36 * time.Hour) // sixty days, beyond the longest range of any gateway
	}
	found, _ := h.list(t, begin, h.Now())
	attempts := map[string]bool{}
	for _, x := range found {
		if x.Kind == billing.TransactionPayment {
			attempts[x.AttemptID] = true
		}
	}
	if len(attempts) != 40 {
		t.Errorf("got %d payments, want 40", len(attempts))
	}
}

func testTransactionFaults(t *testing.T, h Harness) {
	begin := h.Now()
	h.paid(t, "a1")
	h.Advance(h.More.BooksLag + time.Hour)
	g, enough := as[billing.TransactionLister](t, h), errors.New("enough")
	if _, err := g.Transactions(t.Context(), begin, h.Now(), func(billing.Transaction) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("got %v, want what visit said", err)
	}
	for _, f := range everyFault {
		h.Fault(CallTransactions, f, 2)
		_, err := g.Transactions(t.Context(), begin, h.Now(), func(billing.Transaction) error { return nil })
		if err != nil && !errors.Is(err, billing.ErrGatewayTemporary) {
			t.Errorf("%s: got %v, want ErrGatewayTemporary", f, err)
		}
	}
}
