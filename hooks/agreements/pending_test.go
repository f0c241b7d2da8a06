package agreements_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
)

// TestAPendingPaymentIsWaitedFor: PayPal has taken the month's payment by eCheck,
// which arrives or bounces days later, when the hand-over is asked for. Until then
// nobody else bills. What arrives pays that month, and ours begin after it; when it
// bounces, that month is the first of ours: nobody has paid it.
func TestAPendingPaymentIsWaitedFor(t *testing.T) {
	for payer, arrives := range map[string]bool{"echeck@payer.example": true, "echeck-fails@payer.example": false} {
		t.Run(payer, func(t *testing.T) {
			w := open(t, "paypal", 490).linked()
			w.PayPal.SetPayer(w.agreement, payer)
			begun := collections.Time(w.row(), "next_payment_at")
			w.due()
			if g, h := w.charges(); g != 0 || h != 1 {
				t.Fatalf("%d and %d periods are charged while the payment is pending", g, h)
			}
			w.Want(http.StatusOK, w.handOver())
			w.patient()
			w.Pass(3)
			if w.subscription().GetString("billing_owner") != "gateway" || w.row().GetString("wish") != "handover" || w.alive() {
				t.Fatalf("while the payment is pending %s bills, with wish %q; alive: %t", w.subscription().GetString("billing_owner"), w.row().GetString("wish"), w.alive())
			}
			w.wantCharges(0, 1)
			w.PayPal.Settle()
			w.Quiet()
			w.patient()
			if !arrives {
				w.wantHandedOver(begun)
				w.Pass(9) // what is invoiced late has a week
				w.wantCharges(0, 2)
				w.Pass(31)
				w.wantCharges(0, 3)
				return
			}
			w.wantHandedOver(collections.Time(w.row(), "billed_through"))
			w.wantCharges(1, 1)
			w.Pass(33)
			w.wantCharges(1, 2)
		})
	}
}

// TestADebitThatTakesDaysIsNoFailure: Stripe takes a month by bank debit, which is
// under way for days. Nobody is told that it failed, the hand-over waits, and what
// comes of it counts: the month is paid there, or is open like any that failed.
func TestADebitThatTakesDaysIsNoFailure(t *testing.T) {
	for account, arrives := range map[string]bool{"AT611904300234573201": true, "AT861904300235473202": false} {
		t.Run(account, func(t *testing.T) {
			w := open(t, "stripe", 490).linked()
			debit, err := w.Stripe.SaveCard(w.customer, account)
			if err != nil || !w.Stripe.SetMethod(w.agreement, debit) {
				t.Fatal("the debit cannot be set: ", err)
			}
			w.due()
			w.Want(http.StatusOK, w.handOver())
			w.Pass(4)
			w.wantAlerts()
			if n := w.Count(collections.Invoices, "`status` = 'open'"); n != 0 || w.subscription().GetString("billing_owner") != "gateway" {
				t.Errorf("%d invoices are open while the debit is under way, %s bills", n, w.subscription().GetString("billing_owner"))
			}
			w.lose() // nobody tells what comes of it
			w.Stripe.Settle()
			w.Pass(2)
			if !arrives {
				w.wantAlerts("agreement.payment_failed")
				w.wantCharges(0, 1)
				return
			}
			w.wantHandedOver(collections.Time(w.row(), "billed_through"))
			w.wantCharges(1, 1)
			w.wantAlerts()
		})
	}
}

// TestAPaymentAfterTheEndIsCredit: the subscription was cancelled here, the gateway
// could not be told for a month and took another payment. It is the customer's
// credit, staff is told, and then the gateway's subscription ends as well.
func TestAPaymentAfterTheEndIsCredit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.linked()
		set := w.faults()
		set.Add(fault.Fault{Kind: fault.Unavailable}) // nothing gets through
		w.Want(http.StatusOK, w.Do(http.MethodPost, "/api/v1/subscriptions/"+w.sub+"/cancel", w.ada.Token, map[string]any{"at": "period_end", "client_key": "cancel-1-at-end"}))
		w.Eventually("the job has tried", func() bool { return w.Count("jobs", "`kind` = 'agreement.end' AND `attempts` >= 1") > 0 })
		w.month()
		w.Settle()
		if s := w.subscription().GetString("status"); s != "cancelled" {
			t.Fatalf("after its end the subscription is %s", s)
		}
		set.Clear()
		w.patient()
		w.Clock().Advance(24 * time.Hour)
		w.Settle()
		if got := w.Balance(w.ada.Id, "credit", "EUR"); got != -490 {
			t.Errorf("credit of %d, want 4.90 EUR", -got)
		}
		if n := w.alerts("paid_after_end"); n != 1 {
			t.Errorf("staff was told %d times of the payment, want once", n)
		}
		if g, h := w.charges(); g != 0 || h != 1 {
			t.Errorf("%d and %d periods charged, want none by the gateway", g, h)
		}
		if w.alive() || w.row().GetString("status") != "ended" {
			t.Errorf("alive: %t, the agreement is %s", w.alive(), w.row().GetString("status"))
		}
	})
}
