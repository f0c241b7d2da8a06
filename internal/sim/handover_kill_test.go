package sim

import (
	"errors"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/hooks/books"
)

// transferal is a subscription whose first month was paid here and which the gateway
// bills from then on.
type transferal struct {
	sub, agreement string
	next           time.Time // when the gateway takes its next payment
}

// begin sells the subscription, here by the saved method, and has the gateway's own
// one begin, which is not linked yet.
func (d *transferal) begin(k *till) {
	k.t.Helper()
	plan, err := k.price("vps-s", "monthly")
	if err != nil {
		k.t.Fatal(err)
	}
	items := []any{map[string]any{"price": plan, "quantity": 1, "hostname": "web.ada.test"}}
	total, err := k.quote(&person{token: k.token}, items, &[]string{})
	if err != nil {
		k.t.Fatal(err)
	}
	r := k.ask("/api/v1/orders", k.token, map[string]any{"client_key": "order-of-ada-1", "gateway": k.gateway, "currency": "EUR", "terms": true, "total_minor": total, "items": items})
	k.want(r)
	k.want(k.ask("/api/v1/invoices/pay", k.token, map[string]any{"invoices": []any{r.str("order.invoice.id")}, "method": k.method}))
	k.until("the service runs", "`services` WHERE `status` = 'active'")
	sub, err := collections.First(k.app, collections.Subscriptions, dbx.HashExp{"user": k.customer})
	if err != nil || sub == nil {
		k.t.Fatal("no subscription: ", err)
	}
	price := int64(0)
	if err := k.app.DB().NewQuery("SELECT `total_minor` FROM `invoices`").Row(&price); err != nil {
		k.t.Fatal(err)
	}
	anchor := collections.Time(sub, "anchor")
	d.sub, d.next = sub.Id, anchor.AddDate(0, 1, 0)
	if k.gateway == "paypal" {
		d.agreement, err = k.vendors.paypal.AddAgreement(k.vendors.paypal.AddMonthlyPlan("EUR", price), payer, d.next)
	} else {
		d.agreement, err = k.vendors.stripe.AddSubscription(k.owner, k.saved, "eur", price, anchor)
	}
	if err != nil {
		k.t.Fatal(err)
	}
	k.tell()
}

// month lets time pass until the gateway takes its next payment, if it does.
func (d *transferal) month(k *till) {
	k.clock.to(d.next.Add(time.Minute))
	d.next = d.next.AddDate(0, 1, 0)
	if k.gateway == "paypal" {
		k.vendors.paypal.Bill(d.agreement)
	} else {
		k.vendors.stripe.Tick()
	}
}

// live is the way that can be cut off anywhere: the gateway bills a month, billing
// is handed over, and the month after is charged here.
func (d *transferal) live(k *till) {
	k.t.Helper()
	of := "/api/v1/staff/subscriptions/" + d.sub + "/agreement"
	k.want(k.ask(of, k.desk(), map[string]any{"gateway": k.gateway, "agreement": d.agreement, "accept_difference": k.gateway == "paypal"}))
	d.month(k)
	k.days("the gateway's month is known", "`payment_transactions` WHERE `kind` = 'agreement' AND `status` = 'succeeded'", 1)
	k.want(k.ask(of+"/handover", k.desk(), nil))
	k.until("billing is handed over", "`agreements` WHERE `status` = 'handed_over'")
	d.month(k)
	k.days("the first month of our own is paid", ours, 2) // the one that was bought is the first
}

const ours = "`payment_transactions` WHERE `kind` = 'off_session' AND `status` = 'succeeded'"

// once lets another month pass and checks that one side billed each month, once.
func (d *transferal) once(k *till) {
	k.t.Helper()
	d.month(k)
	k.days("the second month of our own is paid", ours, 3)
	for range 5 { // what comes late changes nothing
		k.quarter()
	}
	var bills bool
	taken := 0
	if k.gateway == "paypal" {
		bills = k.vendors.paypal.Bills(d.agreement)
		for _, p := range k.vendors.paypal.Payments() {
			if p.Status == "COMPLETED" {
				taken++
			}
		}
	} else {
		bills = k.vendors.stripe.Bills(d.agreement)
		for _, c := range k.vendors.stripe.Charges() {
			if c.Status == "succeeded" {
				taken++
			}
		}
	}
	if bills {
		k.t.Error("the gateway would bill as well")
	}
	const period = "`invoice_items` `l` JOIN `invoices` `i` ON `i`.`id` = `l`.`invoice` WHERE `l`.`kind` = 'period' AND `l`.`live`"
	for what, n := range map[string]struct{ got, want int }{
		"payments that the gateway took":       {taken, 4},
		"payments":                             {k.count("`payment_transactions` WHERE `status` = 'succeeded'"), 4},
		"attempts to pay":                      {k.count("`payment_transactions` WHERE `kind` != 'page'"), 4},
		"payments by its calendar":             {k.count("`payment_transactions` WHERE `kind` = 'agreement'"), 1},
		"months billed":                        {k.count(period), 4},
		"paid months":                          {k.count(period + " AND `i`.`status` = 'paid' AND `i`.`paid_minor` = `i`.`total_minor`"), 4},
		"invoices":                             {k.count("`invoices`"), 4},
		"months that do not follow on another": {k.count(period + " AND `l`.`period_start` NOT IN (SELECT `period_end` FROM `invoice_items` WHERE `kind` = 'period' AND `live`)"), 1},
		"receipts":                             {k.count("`mails` WHERE `kind` = 'receipt'"), 4},
		"hand-overs":                           {k.count("`audit_logs` WHERE `action` = 'agreement.handed_over'"), 1},
		"links":                                {k.count("`audit_logs` WHERE `action` = 'agreement.link'"), 1},
		"alerts":                               {k.count("`agreements` WHERE `alert` != ''"), 0},
		"wishes":                               {k.count("`agreements` WHERE `wish` != ''"), 0},
		"payments to be assigned":              {k.count("`unmatched_payments`"), 0},
		"balances of credit":                   {k.count("`credit_balances` WHERE `balance_minor` != 0"), 0},
		"subscriptions we bill":                {k.count("`subscriptions` WHERE `billing_owner` = 'platform' AND `gateway_subscription_id` = '' AND `status` = 'active'"), 1},
	} {
		if n.got != n.want {
			k.t.Errorf("%d %s, want %d", n.got, what, n.want)
		}
	}
	if found, err := books.Audit(k.app.DB()); err != nil || len(found) > 0 {
		k.t.Errorf("the books: %v %v", found, err)
	}
}

// want expects that something was done.
func (k *till) want(r reply) {
	k.t.Helper()
	if !r.ok() {
		k.t.Fatalf("%d %.300s", r.status, r.text)
	}
}

// days lets days pass, with the timed tasks of each, until there are n of something.
func (k *till) days(what, query string, n int) {
	k.t.Helper()
	for range 40 {
		if k.quarter(); k.count(query) >= n {
			return
		}
	}
	k.t.Fatalf("did not happen: %s", what)
}

// quarter does what is due, and lets a quarter of a day pass.
func (k *till) quarter() {
	k.t.Helper()
	k.tell()
	for _, task := range []string{"agreements", "renewals", "dunning"} {
		err := k.driver.Task(k.t.Context(), task)
		if died, restart := k.alive(); died {
			err = restart
		}
		if err = errors.Join(err, k.work()); err != nil {
			k.t.Fatal(err)
		}
	}
	k.clock.to(k.clock.world().Add(6 * time.Hour))
}

// TestKilledAnywhereInTheHandOver kills the process at every write, commit and call
// to the gateway, before and after its effect, from the link of a subscription that
// the gateway bills, through a month that it takes and the hand-over, to the first
// month that is charged here. Whatever the place, each month is paid once, to one
// side, and the gateway takes nothing any more.
func TestKilledAnywhereInTheHandOver(t *testing.T) {
	killEverywhere(t, func() story { return &transferal{} }, 100, 11)
}
