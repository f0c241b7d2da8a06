package agreements_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
)

// patient lets the queue repeat what failed, for some hours.
func (w *world) patient() {
	w.Helper()
	for range 14 {
		w.Clock().Advance(15 * time.Minute)
		w.Quiet()
	}
}

// wantHandedOver expects that billing is ours from where the gateway's paid time
// ends.
func (w *world) wantHandedOver(from time.Time) {
	w.Helper()
	row, sub := w.row(), w.subscription()
	if row.GetString("status") != "handed_over" || row.GetString("wish") != "" || sub.GetString("billing_owner") != "platform" || sub.GetString("gateway_subscription_id") != "" {
		w.Fatalf("the agreement is %s with wish %q, %s bills (%q)", row.GetString("status"), row.GetString("wish"), sub.GetString("billing_owner"), sub.GetString("gateway_subscription_id"))
	}
	if got := collections.Time(sub, "current_period_end"); got.Sub(from).Abs() > time.Second || !got.Equal(collections.Time(row, "paid_through")) {
		w.Errorf("paid through %s, want %s, where the gateway's paid time ends", got, from)
	}
	if w.alive() {
		w.Error("the gateway would bill as well")
	}
}

// TestHandedOverEachPeriodIsChargedOnce: the gateway bills a month, the hand-over
// is asked for, and the months after are charged here, each once, by the saved
// method, and never by the gateway: double charge after a migration.
func TestHandedOverEachPeriodIsChargedOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.linked().due()
		paid := collections.Time(w.row(), "next_payment_at")
		for range 2 {
			w.Want(http.StatusOK, w.handOver())
		}
		w.Quiet()
		w.wantHandedOver(paid)
		w.Want(http.StatusOK, w.handOver())
		w.wantCharges(1, 1)
		w.Pass(int(paid.Sub(w.Clock().Now()).Hours()/24) + 2)
		w.bill()
		w.wantCharges(1, 2)
		w.Pass(31)
		w.bill()
		w.wantCharges(1, 3)
		w.wantAlerts()
		if n := w.Count("payment_transactions", "`kind` = 'off_session' AND `status` = 'succeeded'"); n != 2 {
			t.Errorf("%d charges of the saved method, want 2", n)
		}
	})
}

// TestHandOverSurvivesEveryFailure breaks each call of the hand-over, before and
// after its effect, and each of its commits, as a kill at that moment does: what
// was not committed is gone, what the gateway did stays. In the end billing has
// changed hands once.
func TestHandOverSurvivesEveryFailure(t *testing.T) {
	calls := 7
	if testing.Short() {
		calls = 1
	}
	for _, gateway := range both {
		for call := range calls {
			for _, kind := range []fault.Kind{fault.RefuseConn, fault.LostAnswer} {
				t.Run(fmt.Sprintf("%s, call %d, %s", gateway, call, kind), func(t *testing.T) {
					w := open(t, gateway, 490).linked()
					paid := collections.Time(w.row(), "next_payment_at")
					w.breakCall(call, kind)
					w.Want(http.StatusOK, w.handOver())
					w.patient()
					w.wantHandedOver(paid)
					w.Pass(33)
					w.bill()
					w.wantCharges(0, 2)
				})
			}
		}
	}
}

// breakCall breaks the n-th call from now on, counted from 0, once.
func (w *world) breakCall(n int, kind fault.Kind) {
	seen, set := atomic.Int32{}, w.faults()
	set.Before = func(r *http.Request) {
		if r.URL.Path != "/v1/oauth2/token" && int(seen.Add(1)) == n+1 {
			set.Add(fault.Fault{Match: r.Method + " " + r.URL.Path, Kind: kind, Times: 1})
		}
	}
}

// TestHandOverSurvivesLostCommits has the database refuse each commit of the
// hand-over for a while.
func TestHandOverSurvivesLostCommits(t *testing.T) {
	for name, when := range map[string]string{
		"what is paid is noted": "NEW.`wish` = 'handover' AND NEW.`paid_through` != OLD.`paid_through` OR NEW.`wish` = 'handover' AND OLD.`wish` = 'handover'",
		"billing changes hands": "NEW.`status` = 'handed_over'",
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				w.linked()
				paid := collections.Time(w.row(), "next_payment_at")
				if err := w.Exec("CREATE TRIGGER `test_lost` BEFORE UPDATE ON `agreements` WHEN " + when + " BEGIN SELECT RAISE(ABORT, 'the process was killed'); END"); err != nil {
					t.Fatal(err)
				}
				w.Want(http.StatusOK, w.handOver())
				w.Eventually("the job has tried twice", func() bool {
					w.Clock().Advance(time.Second)
					return w.Count("jobs", "`kind` = 'agreement.end' AND `attempts` >= 2") > 0
				})
				if w.subscription().GetString("billing_owner") != "gateway" {
					t.Error("we bill though nothing was committed")
				}
				if err := w.Exec("DROP TRIGGER `test_lost`"); err != nil {
					t.Fatal(err)
				}
				w.patient()
				w.wantHandedOver(paid)
				w.Pass(33)
				w.bill()
				w.wantCharges(0, 2)
			})
		})
	}
}

// TestTwoHandOversAtOnce and everything else at once.
func TestTwoHandOversAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.linked()
		paid := collections.Time(w.row(), "next_payment_at")
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				if r, err := w.Try(http.MethodPost, w.path("/handover"), w.Staff(), nil); err != nil || r.Status != http.StatusOK {
					t.Errorf("hand over: %v, %v", r, err)
				}
			})
			wait.Go(func() { w.RunTasks() })
		}
		wait.Wait()
		w.patient()
		w.wantHandedOver(paid)
		w.Pass(33)
		w.wantCharges(0, 2)
		if n := w.Count(collections.AuditLogs, "`action` = 'agreement.handed_over'"); n != 1 {
			t.Errorf("handed over %d times", n)
		}
	})
}

// TestAPaymentInTheMiddleOfTheHandOver: the gateway bills another month between the
// staff's wish and its own answer. That month is the gateway's, ours begin after it.
func TestAPaymentInTheMiddleOfTheHandOver(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.linked()
		set := w.faults()
		set.Add(fault.Fault{Kind: fault.Unavailable}) // nothing gets through
		w.Want(http.StatusOK, w.handOver())
		w.Eventually("the job has tried", func() bool { return w.Count("jobs", "`kind` = 'agreement.end' AND `attempts` >= 1") > 0 })
		w.month()
		set.Clear()
		w.patient()
		row := w.row()
		w.wantHandedOver(collections.Time(row, "billed_through"))
		w.wantCharges(1, 1)
		w.Pass(33)
		w.bill()
		w.wantCharges(1, 2)
	})
}

// TestAPaymentAfterTheHandOverIsCredit: money that the gateway takes all the same is
// the customer's, staff is told, and no period is charged twice.
func TestAPaymentAfterTheHandOverIsCredit(t *testing.T) {
	w := open(t, "paypal", 490).linked()
	w.Want(http.StatusOK, w.handOver())
	w.Quiet()
	w.PayPal.EndAgreement(w.agreement, "ACTIVE") // against all that PayPal promises
	w.PayPal.Bill(w.agreement)
	w.Quiet()
	if got := w.Balance(w.ada.Id, "credit", "EUR"); got != -490 {
		t.Errorf("credit of %d, want 4.90 EUR", -got)
	}
	if w.alerts("late_payment") != 1 || w.alerts("revived") != 1 {
		t.Errorf("%d alerts of the payment, %d of the agreement", w.alerts("late_payment"), w.alerts("revived"))
	}
	w.patient()
	if w.alive() {
		t.Error("it is alive again at the gateway, and stays so")
	}
	if g, h := w.charges(); g != 0 || h != 1 {
		t.Errorf("%d and %d periods charged", g, h)
	}
}

// TestTheEndIsTakenBackAfterTheHandOver: Stripe lets payers do so until the paid
// period ends.
func TestTheEndIsTakenBackAfterTheHandOver(t *testing.T) {
	w := open(t, "stripe", 490).linked()
	w.Want(http.StatusOK, w.handOver())
	w.Quiet()
	w.endIt("never")
	w.patient()
	if w.alive() || w.alerts("revived") != 1 {
		t.Errorf("alive: %t, %d alerts", w.alive(), w.alerts("revived"))
	}
	w.Pass(34)
	w.wantCharges(0, 2)
}

// TestWhatThePayerEndedCanBeHandedOver until the paid time is over.
func TestWhatThePayerEndedCanBeHandedOver(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.linked().endIt("period_end")
		paid := collections.Time(w.subscription(), "current_period_end")
		w.Want(http.StatusOK, w.handOver())
		w.Quiet()
		w.wantHandedOver(paid)
		if sub := w.subscription(); sub.GetString("ends_at") != "" || sub.GetBool("cancel_at_end") {
			t.Errorf("it still ends at %s", sub.GetString("ends_at"))
		}
		w.Pass(33)
		w.wantCharges(0, 2)
	})
}
