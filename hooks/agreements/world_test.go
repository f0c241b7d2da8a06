package agreements_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/internal/testapp"
)

// both are the gateways; most stories are told of each.
var both = []string{"stripe", "paypal"}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	for _, gateway := range both {
		t.Run(gateway, func(t *testing.T) { f(t, open(t, gateway, 490)) })
		if testing.Short() {
			return // the other one follows the same code
		}
	}
}

// world is a customer whose first month was paid here and whose next ones a
// gateway bills, which is not linked yet.
type world struct {
	*testapp.App
	gateway, agreement, sub, first string
	ada                            *testapp.Person
	customer, method               string // at Stripe
}

func open(t *testing.T, gateway string, price int64) *world {
	t.Helper()
	app := testapp.New(t, testapp.PayPal())
	w := &world{App: app, gateway: gateway, ada: app.Customer("ada")}
	o := app.Buy(w.ada, testapp.Cart{})
	app.Quiet()
	sub := app.One(collections.Subscriptions, dbx.HashExp{"order": o.ID})
	w.sub, w.first = sub.Id, o.Invoice
	w.customer = app.One(collections.GatewayCustomers, dbx.HashExp{"user": w.ada.Id, "gateway": "stripe"}).GetString("customer_id")
	app.Eventually("the card is saved", func() bool { return app.Count(collections.PaymentMethods, "`user` = '"+w.ada.Id+"'") == 1 })
	w.method = app.One(collections.PaymentMethods, dbx.HashExp{"user": w.ada.Id}).GetString("gateway_method_id")
	app.Hold() // months are exact from here on
	w.agreement = w.begin(price, collections.Time(sub, "anchor"))
	app.Quiet()
	return w
}

// begin has the gateway's own subscription begin, whose first month is over when the
// one paid here is.
func (w *world) begin(price int64, anchor time.Time) string {
	w.Helper()
	id, err := "", error(nil)
	if w.gateway == "stripe" {
		id, err = w.Stripe.AddSubscription(w.customer, w.method, "eur", price, anchor)
	} else {
		id, err = w.PayPal.AddAgreement(w.PayPal.AddMonthlyPlan("EUR", price), testapp.PayerWorks, anchor.AddDate(0, 1, 0))
	}
	if err != nil {
		w.Fatal(err)
	}
	return id
}

// due lets a month pass and the gateway bill, which tells us.
func (w *world) due() {
	w.Helper()
	w.month()
	w.Quiet()
}

func (w *world) month() {
	w.Helper()
	next := collections.Time(w.row(), "next_payment_at")
	w.Clock().Advance(next.Sub(w.Clock().Now()) + time.Minute)
	w.take()
}

func (w *world) take() {
	if w.gateway == "stripe" {
		w.Stripe.Tick()
	} else {
		w.PayPal.Bill(w.agreement)
	}
}

func (w *world) bill() {
	w.Helper()
	w.take()
	w.Quiet()
}

// pays decides whether the payer's money arrives from now on.
func (w *world) pays(works bool) {
	w.Helper()
	if w.gateway == "paypal" {
		w.PayPal.SetPayer(w.agreement, map[bool]string{true: testapp.PayerWorks, false: testapp.PayerDeclines}[works])
		return
	}
	id, err := w.method, error(nil)
	if !works {
		id, err = w.Stripe.SaveCard(w.customer, testapp.CardNoFunds)
	}
	if err != nil || !w.Stripe.SetMethod(w.agreement, id) {
		w.Fatal("the payer's method cannot be set: ", err)
	}
}

func (w *world) path(more string) string {
	return "/api/v1/staff/subscriptions/" + w.sub + "/agreement" + more
}

func (w *world) link() *testapp.Answer {
	w.Helper()
	return w.Do(http.MethodPost, w.path(""), w.Staff(), map[string]any{"gateway": w.gateway, "agreement": w.agreement, "accept_difference": w.gateway == "paypal"})
}

// linked is the world after linking.
func (w *world) linked() *world {
	w.Helper()
	w.Want(http.StatusOK, w.link())
	return w
}

func (w *world) row() *core.Record {
	w.Helper()
	return w.One(collections.Agreements, dbx.HashExp{"agreement": w.agreement})
}

func (w *world) subscription() *core.Record { return w.Record(collections.Subscriptions, w.sub) }

func (w *world) alerts(code string) int {
	return w.Count(collections.AuditLogs, "`action` = 'agreement."+code+"'")
}

func (w *world) wantAlerts(codes ...string) {
	w.Helper()
	got := []string{}
	if err := w.DB().NewQuery("SELECT `action` FROM `audit_logs` WHERE `resource` = 'agreements' AND `actor_kind` = 'system' ORDER BY `seq`").Column(&got); err != nil {
		w.Fatal(err)
	}
	if fmt.Sprint(got) != fmt.Sprint(codes) {
		w.Errorf("got alerts %q, want %q", got, codes)
	}
}

// charges counts the periods by who charged them: those of the gateway's own
// calendar, and those that a saved method paid here.
func (w *world) charges() (gateway, here int) {
	paid := func(kinds string) int {
		return w.Count("payment_transactions", "`status` = 'succeeded' AND `applied_minor` > 0 AND `kind` IN ("+kinds+") AND `invoice` IN (SELECT `invoice` FROM `invoice_items` WHERE `subscription` = '"+w.sub+"' AND `kind` = 'period' AND `live`)")
	}
	return paid("'agreement'"), paid("'off_session', 'page'")
}

// wantCharges compares them, and what the gateways took, with what there should be;
// one payment on a page bought the first month.
func (w *world) wantCharges(gateway, here int) {
	w.Helper()
	if g, h := w.charges(); g != gateway || h != here {
		w.Errorf("%d periods were charged by the gateway and %d here, want %d and %d", g, h, gateway, here)
	}
	periods := w.Count("invoice_items", "`subscription` = '"+w.sub+"' AND `kind` = 'period' AND `live`")
	if n := w.Count("invoice_items", "`subscription` = '"+w.sub+"' AND `kind` = 'period' AND `live` AND `invoice` IN (SELECT `id` FROM `invoices` WHERE `status` = 'paid')"); n != gateway+here {
		w.Errorf("%d of %d periods are paid, want %d", n, periods, gateway+here)
	}
	taken := 0
	for _, c := range w.Stripe.Charges() {
		if c.Status == "succeeded" {
			taken++
		}
	}
	if w.gateway == "stripe" && taken != gateway+here {
		w.Errorf("Stripe took %d payments, want %d", taken, gateway+here)
	}
}

func (w *world) faults() *fault.Set {
	if w.gateway == "stripe" {
		return w.StripeFaults
	}
	return w.PayPalFaults
}

// lose has the gateway's deliveries get lost from now on.
func (w *world) lose() {
	w.Helper()
	if w.gateway == "stripe" {
		w.Stripe.SetWebhook("", "")
	} else {
		w.PayPal.SetWebhook("")
	}
}

func (w *world) handOver() *testapp.Answer {
	w.Helper()
	return w.Do(http.MethodPost, w.path("/handover"), w.Staff(), nil)
}

// endIt is what the payer does at the gateway.
func (w *world) endIt(how string) {
	w.Helper()
	if w.gateway == "stripe" {
		w.Stripe.EndSubscription(w.agreement, how)
	} else {
		w.PayPal.EndAgreement(w.agreement, "CANCELLED")
	}
	w.Quiet()
}

// alive reports whether the gateway would bill again.
func (w *world) alive() bool {
	w.Helper()
	w.Clock().Advance(0)
	if w.gateway == "stripe" {
		return w.Stripe.Bills(w.agreement)
	}
	return w.PayPal.Bills(w.agreement)
}

func mentions(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%q does not mention %q", text, word)
		}
	}
}
