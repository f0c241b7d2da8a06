package agreements_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/testapp"
)

func TestLinkReadsBackAndCompares(t *testing.T) {
	w := open(t, "stripe", 490)
	for name, c := range map[string]struct {
		code string
		id   func() string
	}{
		"unknown":          {"unknown_agreement", func() string { return "sub_nobody" }},
		"other sum":        {"amount_differs", func() string { return w.begin(999, collections.Time(w.subscription(), "anchor")) }},
		"time billed here": {"billed_here", func() string { return w.begin(490, collections.Time(w.subscription(), "anchor").AddDate(0, 0, -10)) }},
	} {
		r := w.Do(http.MethodPost, w.path(""), w.Staff(), map[string]any{"gateway": "stripe", "agreement": c.id()})
		if r.Status != http.StatusConflict || r.Code() != c.code {
			t.Errorf("%s: got %s, want %s", name, r, c.code)
		}
	}
	if sub := w.subscription(); sub.GetString("billing_owner") != "platform" || sub.GetString("gateway_subscription_id") != "" {
		t.Errorf("after refusals the subscription is %s's", sub.GetString("billing_owner"))
	}
	var wait sync.WaitGroup
	for range 3 { // two at once, and again
		wait.Go(func() {
			if r, err := w.Try(http.MethodPost, w.path(""), w.Staff(), map[string]any{"gateway": "stripe", "agreement": w.agreement}); err != nil || r.Status != http.StatusOK {
				t.Errorf("link: %v, %v", r, err)
			}
		})
	}
	wait.Wait()
	if n := w.Count(collections.Agreements, ""); n != 1 {
		t.Errorf("%d agreements, want 1", n)
	}
	if sub := w.subscription(); sub.GetString("billing_owner") != "gateway" || sub.GetString("gateway_subscription_id") != w.agreement || sub.GetString("next_invoice_at") != "" {
		t.Errorf("linked: %v", sub.PublicExport())
	}
	eve := w.Customer("eve")
	other := w.Buy(eve, testapp.Cart{})
	w.Quiet()
	sub := w.One(collections.Subscriptions, dbx.HashExp{"order": other.ID}).Id
	for id, code := range map[string]string{w.agreement: "taken", w.begin(490, w.Clock().Now()): "customer_differs"} {
		r := w.Do(http.MethodPost, "/api/v1/staff/subscriptions/"+sub+"/agreement", w.Staff(), map[string]any{"gateway": "stripe", "agreement": id, "accept_difference": true})
		if r.Status != http.StatusConflict || r.Code() != code {
			t.Errorf("for another customer: got %s, want %s", r, code)
		}
	}
}

// TestAPaymentThereIsOneInvoiceHere: bugs A1, A6, A7 and B3 of gateway-owned
// subscriptions. The same payment by event, repeated event and look is one invoice
// of its period, and nothing is charged here.
func TestAPaymentThereIsOneInvoiceHere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.linked()
		for month := 1; month <= 2; month++ {
			w.due()
			for range 2 {
				if err := w.Exec("UPDATE `agreements` SET `look_at` = '2000-01-01 00:00:00.000Z'"); err != nil {
					t.Fatal(err)
				}
				w.Settle()
			}
			w.wantCharges(month, 1)
			row, sub := w.row(), w.subscription()
			if row.GetInt("periods") != month || sub.GetString("current_period_end") != row.GetString("billed_through") || sub.GetString("status") != "active" {
				t.Errorf("month %d: billed through %s, subscription %s through %s", month, row.GetString("billed_through"), sub.GetString("status"), sub.GetString("current_period_end"))
			}
		}
		why := w.Want(http.StatusOK, w.Do(http.MethodGet, "/api/v1/subscriptions/"+w.sub+"/why", w.ada.Token, nil))
		if why.Text("billed_by.owner") != "gateway" || why.Text("billed_by.gateway") != w.gateway || why.At("billed_by.next_payment_at") == nil {
			t.Errorf("who bills: %s", why)
		}
		mentions(t, why.Text("next_invoice.text"), "charges next")
		if v := w.Want(http.StatusOK, w.Do(http.MethodGet, "/api/v1/subscriptions/"+w.sub, w.ada.Token, nil)); v.Text("billed_by") != w.gateway {
			t.Errorf("billed by: %s", v)
		}
		for _, e := range w.Stripe.EventsFrom(0) {
			w.Stripe.Resend(e.ID)
		}
		w.Quiet()
		w.wantCharges(2, 1)
		w.wantAlerts()
		if n := w.Count(collections.UnmatchedPayments, ""); n != 0 {
			t.Errorf("%d payments wait to be assigned, want none", n)
		}
	})
}

// TestEventsLostAreFoundByTheLook: bug B1.
func TestEventsLostAreFoundByTheLook(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.linked().lose()
		w.due()
		if g, _ := w.charges(); g != 0 {
			t.Errorf("%d payments are known without an event", g)
		}
		w.Pass(2)
		w.wantCharges(1, 1)
		w.due()
		w.Clock().Advance(31 * 24 * time.Hour)
		w.bill()
		w.Pass(1)
		w.wantCharges(3, 1)
	})
}

// TestMoneyOfAnUnknownAgreementWaits: bug B3. It is not guessed whose it is.
func TestMoneyOfAnUnknownAgreementWaits(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Clock().Advance(31 * 24 * time.Hour)
		w.bill()
		if n := w.Count(collections.UnmatchedPayments, "`status` = 'open' AND `amount_minor` = 490"); n != 1 {
			t.Errorf("%d payments wait to be assigned, want 1", n)
		}
		if n := w.Count("payment_transactions", "`kind` = 'agreement'"); n != 0 {
			t.Errorf("%d are booked, want none", n)
		}
	})
}

// TestAFailedPaymentFollowsTheGateway: the period is invoiced and past due, nobody
// charges it here or opens a page for it (bugs A3, A4, A5), and the gateway's own
// retry pays it.
func TestAFailedPaymentFollowsTheGateway(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.linked().pays(false)
		w.due()
		w.Pass(3)
		open := w.One(collections.Invoices, dbx.HashExp{"status": "open"})
		if s := w.subscription().GetString("status"); s != "past_due" || open.GetBool("auto_charge") {
			t.Errorf("the subscription is %s, charged here: %t", s, open.GetBool("auto_charge"))
		}
		r := w.Want(http.StatusOK, w.Do(http.MethodPost, "/api/v1/invoices/"+open.Id+"/pay", w.ada.Token, map[string]any{"gateway": "stripe"}))
		if r.Text("payment.url") != "" || r.Text("url") != "" {
			t.Errorf("pay here: got %s, want no page", r)
		}
		if r := w.handOver(); r.Code() != "unpaid" {
			t.Errorf("hand over: got %s, want unpaid", r)
		}
		w.wantCharges(0, 1)
		w.pays(true)
		if w.gateway == "stripe" {
			w.Stripe.Retry(w.agreement)
		} else if err := w.PayPal.PayOutstanding(w.agreement); err != nil {
			t.Fatal(err)
		}
		w.Quiet()
		w.Settle()
		w.wantCharges(1, 1)
		if s := w.subscription().GetString("status"); s != "active" {
			t.Errorf("after the gateway's retry the subscription is %s", s)
		}
		w.wantAlerts("agreement.payment_failed")
		if s := w.Record(collections.Invoices, open.Id).GetString("status"); s != "paid" {
			t.Errorf("the invoice is %s", s)
		}
	})
}

// TestSumsThatDiffer: bug B7. What the gateway took is booked, no more and no less.
func TestSumsThatDiffer(t *testing.T) {
	for _, c := range []struct {
		name   string
		takes  int64
		credit int64
		status string
	}{{"more", 600, 110, "paid"}, {"less", 400, 0, "open"}} {
		t.Run(c.name, func(t *testing.T) {
			w := open(t, "stripe", c.takes)
			w.Want(http.StatusOK, w.Do(http.MethodPost, w.path(""), w.Staff(), map[string]any{"gateway": "stripe", "agreement": w.agreement, "accept_difference": true}))
			w.due()
			inv := w.One(collections.Invoices, dbx.HashExp{"kind": "renewal"})
			if inv.GetString("status") != c.status || inv.GetInt64("paid_minor") != min(c.takes, 490) || w.Balance(w.ada.Id, "credit", "EUR") != -c.credit {
				t.Errorf("invoice %s with %d paid, credit %d", inv.GetString("status"), inv.GetInt64("paid_minor"), w.Balance(w.ada.Id, "credit", "EUR"))
			}
			w.wantAlerts("agreement.amount_differs")
			mentions(t, w.row().GetString("alert_text"), inv.GetString("number"))
			w.Want(http.StatusOK, w.Do(http.MethodPost, w.path("/seen"), w.Staff(), nil))
			if w.row().GetString("alert") != "" {
				t.Error("the alert stays after it was seen")
			}
		})
	}
}

// TestThePayerEndsItThere: the subscription ends with what is paid, and taking that
// back, where the gateway lets him, takes it back here.
func TestThePayerEndsItThere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.linked().endIt("period_end")
		sub := w.subscription()
		if sub.GetString("ends_at") != sub.GetString("current_period_end") || !sub.GetBool("cancel_at_end") {
			t.Errorf("it ends at %q, want %s", sub.GetString("ends_at"), sub.GetString("current_period_end"))
		}
		w.wantAlerts("agreement.ended_by_payer")
		if w.gateway == "stripe" {
			w.endIt("never")
			if w.subscription().GetString("ends_at") != "" {
				t.Error("it still ends after the payer took that back")
			}
			w.endIt("period_end")
		}
		w.Pass(33)
		if s := w.subscription().GetString("status"); s != "cancelled" {
			t.Errorf("after its end it is %s", s)
		}
		w.wantCharges(0, 1)
	})
}

// TestThePayerSuspendsItThere: the service pauses when what is paid runs out and
// goes on with the payments; the time between is not billed.
func TestThePayerSuspendsItThere(t *testing.T) {
	w := open(t, "paypal", 490).linked()
	w.PayPal.EndAgreement(w.agreement, "SUSPENDED")
	w.Quiet()
	if s := w.subscription(); s.GetString("status") != "active" || s.GetString("pause_from") != s.GetString("current_period_end") {
		t.Errorf("%s, pauses at %q", s.GetString("status"), s.GetString("pause_from"))
	}
	w.Pass(40)
	if s := w.subscription(); s.GetString("status") != "paused" || s.GetString("access") != "suspended" {
		t.Errorf("%s with access %s, want it paused", s.GetString("status"), s.GetString("access"))
	}
	w.PayPal.Postpone(w.agreement, w.Clock().Now().Add(time.Hour))
	w.PayPal.EndAgreement(w.agreement, "ACTIVE")
	w.Quiet()
	if s := w.subscription(); s.GetString("status") != "active" || s.GetString("access") != "open" {
		t.Errorf("%s with access %s, want it to go on", s.GetString("status"), s.GetString("access"))
	}
	w.due()
	w.wantCharges(1, 1)
	w.wantAlerts("agreement.suspended", "agreement.resumed")
}

// TestStaffAndCustomerReadOfASuspension: staff of each alert, once while it waits to
// be seen; the customer where it changes something, and in their language.
func TestStaffAndCustomerReadOfASuspension(t *testing.T) {
	w := open(t, "paypal", 490).linked()
	if err := collections.SaveSetting(w, "brand", collections.Brand{Name: "Nordlicht", Support: "office@hosting.test", StaffLocale: "de"}); err != nil {
		t.Fatal(err)
	}
	if err := w.Exec("UPDATE `users` SET `locale` = 'de' WHERE `id` = '" + w.ada.Id + "'"); err != nil {
		t.Fatal(err)
	}
	read := func(to, word string) (n int) {
		for _, m := range w.Mails(to) {
			if strings.Contains(m.Subject, word) {
				n++
			}
		}
		return n
	}
	for range 2 {
		w.PayPal.EndAgreement(w.agreement, "SUSPENDED")
		w.Quiet()
		w.PayPal.EndAgreement(w.agreement, "ACTIVE") // before what is paid runs out
		w.Quiet()
		w.Clock().Advance(time.Second)
	}
	office, ada := "office@hosting.test", w.ada.Email
	if s, r := read(office, "die Zahlungen sind ausgesetzt"), read(office, "die Zahlungen laufen wieder"); s != 1 || r != 1 {
		t.Errorf("staff read %d times of the suspension and %d times of its end, want once each on a day", s, r)
	}
	if s, r := read(ada, "sind ausgesetzt"), read(ada, "laufen weiter"); s != 2 || r != 2 {
		t.Errorf("the customer read %d times of the suspension and %d times of its end, want each time", s, r)
	}
	w.PayPal.EndAgreement(w.agreement, "SUSPENDED")
	w.Quiet()
	w.Pass(33)
	if s := w.subscription().GetString("status"); s != "paused" {
		t.Fatalf("the subscription is %s", s)
	}
	w.PayPal.Postpone(w.agreement, w.Clock().Now().Add(time.Hour))
	w.PayPal.EndAgreement(w.agreement, "ACTIVE")
	w.Quiet()
	if n := read(ada, "laufen weiter"); n != 2 {
		t.Errorf("of payments after a pause the customer read %d times more: the mail about the service tells", n-2)
	}
	if read(ada, "wieder") == 0 {
		t.Errorf("the customer never read that the service goes on")
	}
	w.pays(false)
	w.due()
	if n := read(office, "eine Zahlung ist fehlgeschlagen"); n != 1 {
		t.Errorf("staff read %d times of the failed payment, want once", n)
	}
}

// TestCancelledHereEndsThere: a subscription that is cancelled here is never left
// alive at its gateway, whatever the gateway does meanwhile.
func TestCancelledHereEndsThere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.linked()
		w.faults().Add(faultOn("", 3))
		r := w.Want(http.StatusOK, w.Do(http.MethodPost, "/api/v1/subscriptions/"+w.sub+"/cancel", w.ada.Token, map[string]any{"at": "period_end", "client_key": "cancel-1-at-end"}))
		if r.Text("ends_at") == "" {
			t.Errorf("cancel: %s", r)
		}
		for range 12 {
			w.Clock().Advance(10 * time.Minute)
			w.Quiet()
		}
		if w.alive() {
			t.Error("it is alive at the gateway")
		}
		w.Pass(34)
		w.bill()
		if s := w.subscription().GetString("status"); s != "cancelled" || w.row().GetString("status") != "ended" {
			t.Errorf("the subscription is %s, the agreement %s", s, w.row().GetString("status"))
		}
		w.wantCharges(0, 1)
	})
}

func TestCancelledAtOnceEndsThereAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.linked()
		w.faults().Add(lostOn("", 2))
		w.Want(http.StatusOK, w.Do(http.MethodPost, "/api/v1/subscriptions/"+w.sub+"/cancel", w.ada.Token, map[string]any{"at": "now", "client_key": "cancel-2-at-once"}))
		for range 12 {
			w.Clock().Advance(10 * time.Minute)
			w.Quiet()
		}
		if w.alive() || w.row().GetString("status") != "ended" {
			t.Errorf("alive: %t, the agreement is %s", w.alive(), w.row().GetString("status"))
		}
		if r := w.handOver(); r.Code() != "over" {
			t.Errorf("hand over: got %s, want over", r)
		}
	})
}

// TestOnlyItsEndCanBeAgreedHere: plan, options and pauses are the gateway's.
func TestOnlyItsEndCanBeAgreedHere(t *testing.T) {
	w := open(t, "stripe", 490).linked()
	for path, body := range map[string]any{
		"/pause": map[string]any{}, "/changes": map[string]any{"timing": "now", "client_key": "change-of-theirs"},
	} {
		if r := w.Do(http.MethodPost, "/api/v1/subscriptions/"+w.sub+path, w.ada.Token, body); r.Code() != "gateway_owned" {
			t.Errorf("%s: got %s, want gateway_owned", path, r)
		}
	}
}
