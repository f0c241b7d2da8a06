package billing_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/testapp"
)

func TestOptionsBecomeItemsAndSettings(t *testing.T) {
	s := newShop(t)
	o := s.order(s.Customer("ada"), cart(s.row("vps-m", "monthly", object{"options": object{"ram": object{"value": "8"}, "ip": object{"quantity": 3}, "backup": object{"quantity": 1}}})))
	if got, want := s.invoiced(o.Invoice), "period 990, option 400, option 450, option 299, setup 500, setup 100"; got != want {
		t.Errorf("invoice: got %s, want %s", got, want)
	}
	sub := s.subscription(o)
	items, err := collections.All(s.App, collections.SubscriptionItems, dbx.HashExp{"subscription": sub.Id}, "name ASC")
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, it := range items {
		got += fmt.Sprintf("%s %s %s %s %d×%d; ", it.GetString("kind"), it.GetString("name"), it.GetString("value"), it.GetString("label"), it.GetInt("quantity"), it.GetInt("unit_minor"))
	}
	if want := "addon backup  Daily backup 1×299; option ip  Extra address 3×150; option ram 8 Memory: 8 GB 1×400; "; got != want {
		t.Errorf("items: got %s\nwant %s", got, want)
	}
	settings := map[string]string{}
	if err := collections.ReadJSON(s.Service(o), "order_settings", &settings); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"ram": "8", "ip": "3", "backup": "1", "template_id": "8", "package_id": "1"} {
		if settings[name] != want {
			t.Errorf("setting %s: got %q, want %q", name, settings[name], want)
		}
	}
	if sub.GetInt("next_period") != 1 || sub.GetInt("amount_minor") != 990 {
		t.Errorf("subscription: %v", sub)
	}
}

func TestATrialIsFreeUntilItEnds(t *testing.T) {
	s := newShop(t, testapp.Steady())
	s.change(s.Plan("vps-m"), object{"trial_days": 10})
	s.coupon("WEEK", "trial_days", object{"trial_days": 7})
	ada := s.Customer("ada")
	c := with(cart(s.row("vps-m", "monthly", object{"options": object{"ip": object{"quantity": 2}}})), object{"coupons": []string{"WEEK"}})
	q := s.Want(http.StatusOK, s.quote(nil, c))
	if q.Int("total.minor") != 0 || q.Int("recurring.0.amount.minor") != 990+300+500+100 || q.Int("recurring.0.regular.minor") != 1290 {
		t.Errorf("quote: %s", q)
	}
	o := s.order(ada, c)
	if o.Answer.Text("order.status") != "paid" || s.invoiced(o.Invoice) != "trial 0" {
		t.Errorf("the order is %s with %s, want paid with a trial", o.Answer.Text("order.status"), s.invoiced(o.Invoice))
	}
	sub := s.subscription(o)
	anchor := collections.Time(sub, "anchor")
	days := anchor.Sub(collections.Time(s.Record("orders", o.ID), "placed_at")).Hours() / 24
	if days != 17 || sub.GetInt("trial_days") != 17 || !collections.Time(sub, "trial_ends_at").Equal(anchor) || !collections.Time(sub, "current_period_end").Equal(anchor) {
		t.Errorf("a trial of %v days to %v, paid through %v; want 17", days, anchor, collections.Time(sub, "current_period_end"))
	}
	if sub.GetString("status") != "trialing" || sub.GetInt("next_period") != 0 || sub.GetInt("pending_setup_minor") != 500 || collections.Time(sub, "activated_at").IsZero() {
		t.Errorf("subscription: %v", sub)
	}
	if it := s.One(collections.SubscriptionItems, dbx.HashExp{"subscription": sub.Id}); it.GetInt("pending_setup_minor") != 100 {
		t.Errorf("item: %v", it)
	}
	s.Active(o)
}

// TestA10ATrialIsGivenOnce: one unit of a plan, one time.
func TestA10ATrialIsGivenOnce(t *testing.T) {
	s := newShop(t)
	s.change(s.Plan("vps-s"), object{"trial_days": 10})
	ada, c := s.Customer("ada"), cart(s.row("vps-s", "monthly", object{"quantity": 3}))
	o := s.order(ada, c)
	if got := s.invoiced(o.Invoice); got != "trial 0, period 490, period 490" {
		t.Errorf("three units: got %s, want one to try", got)
	}
	s.Want(http.StatusOK, s.Do(http.MethodPost, "/api/v1/orders/"+o.ID+"/cancel", ada.Token, object{})) // nothing was tried
	if got := s.invoiced(s.order(ada, cart(s.row("vps-s", "monthly", nil))).Invoice); got != "trial 0" {
		t.Errorf("after an order that came to nothing: got %s, want a trial", got)
	}
	if got := s.invoiced(s.order(ada, cart(s.row("vps-s", "monthly", nil))).Invoice); got != "period 490" {
		t.Errorf("a second time: got %s, want no trial", got)
	}
	s.Quiet()
}

func TestATrialMayAskForACard(t *testing.T) {
	s := newShop(t)
	s.change(s.Plan("vps-s"), object{"trial_days": 10, "trial_needs_card": true})
	ada := s.Customer("ada")
	before := s.Rows()
	refused(t, "without a card", s.try(ada, cart(s.row("vps-s", "monthly", nil)), 0), 409, "", "method_needed")
	s.Unchanged(before)
	s.Buy(ada, testapp.Cart{Plan: "vps-few"})
	s.Eventually("the card is saved", func() bool { return s.Count("payment_methods", "`user` = '"+ada.Id+"'") == 1 })
	o := s.order(ada, cart(s.row("vps-s", "monthly", nil)))
	if got, want := s.subscription(o).GetString("payment_method"), s.One(collections.PaymentMethods, nil).Id; got != want {
		t.Errorf("the subscription is paid by %q, want %q", got, want)
	}
	s.Active(o)
}

func TestByTheHourIsPaidAfterwards(t *testing.T) {
	s := newShop(t, testapp.Steady())
	c := cart(s.row("vps-m", "hourly", object{"options": object{"ram": object{"value": "8"}, "ip": object{"quantity": 2}}}))
	q := s.Want(http.StatusOK, s.quote(nil, c))
	if q.Int("recurring.0.amount.minor") != 2+1+2 || q.Int("recurring.0.cap.minor") != 990+400+300 || q.Text("recurring.0.cycle") != "hourly" {
		t.Errorf("quote: %s", q)
	}
	o := s.order(s.Customer("ada"), c)
	sub := s.subscription(o)
	if s.invoiced(o.Invoice) != "hourly 0" || sub.GetString("status") != "active" || sub.GetInt("cap_minor") != 1690 || sub.GetInt("amount_minor") != 2 || sub.GetInt("next_period") != 0 {
		t.Errorf("invoice %s, subscription %v", s.invoiced(o.Invoice), sub)
	}
	if collections.Time(sub, "activated_at").IsZero() || sub.GetString("next_invoice_at") == "" {
		t.Errorf("the hours do not count: %v", sub)
	}
	s.Active(o)
}

func TestWhatIsBoughtOnceIsNeverRenewed(t *testing.T) {
	s := newShop(t)
	o := s.order(s.Customer("ada"), cart(s.row("vps-m", "one_time", nil)))
	s.transfer(o)
	sub := s.subscription(o)
	if sub.GetString("status") != "active" || sub.GetString("next_invoice_at") != "" || sub.GetString("current_period_end") != "" {
		t.Errorf("subscription: %v", sub)
	}
	s.Quiet()
}

// TestA10APurchaseLimitHolds counts what the customer has, in the order's own
// transaction.
func TestA10APurchaseLimitHolds(t *testing.T) {
	s := newShop(t)
	s.change(s.Plan("vps-s"), object{"customer_limit": 2})
	ada := s.Customer("ada")
	one := cart(s.row("vps-s", "monthly", nil))
	refused(t, "three at once", s.quote(nil, cart(s.row("vps-s", "monthly", nil), s.row("vps-s", "monthly", object{"quantity": 2}))), 422, "items.1.quantity", "customer_limit")
	first := s.order(ada, one)
	s.order(ada, one)
	refused(t, "a third, quoted", s.quote(ada, one), 422, "items.0.quantity", "customer_limit")
	refused(t, "a third, ordered", s.try(ada, one, 490), 422, "items.0.quantity", "customer_limit")
	s.Want(http.StatusOK, s.Do(http.MethodPost, "/api/v1/orders/"+first.ID+"/cancel", ada.Token, object{}))
	s.order(ada, one) // the cancelled one no longer counts
	s.order(s.Customer("bob"), one)
}

// TestF3CancellingAnOrderEndsAllOfIt, by the customer and by whoever voids its
// invoice.
func TestF3CancellingAnOrderEndsAllOfIt(t *testing.T) {
	s := newShop(t)
	ada := s.Customer("ada")
	cancel := func(o *testapp.Order, by *testapp.Person) *testapp.Answer {
		return s.Do(http.MethodPost, "/api/v1/orders/"+o.ID+"/cancel", by.Token, object{})
	}
	o := s.Order(ada, testapp.Cart{Plan: "vps-few", Quantity: 2})
	r := s.Want(http.StatusOK, cancel(o, ada))
	if r.Text("order.status") != "cancelled" || r.Text("payment.state") != "cancelled" || s.InvoiceStatus(o) != "void" || s.Plan("vps-few").GetInt("stock") != 3 {
		t.Errorf("got %s; invoice %s, stock %d", r, s.InvoiceStatus(o), s.Plan("vps-few").GetInt("stock"))
	}
	if n := s.Count("subscriptions", "`order` = '"+o.ID+"' AND `status` = 'cancelled' AND `access` = 'ended' AND `next_invoice_at` = ''"); n != 2 {
		t.Errorf("%d subscriptions ended, want 2", n)
	}
	if _, err := s.Stripe.PayPage(o.Session(), testapp.CardWorks); err == nil {
		t.Error("the page of a cancelled order can still be paid")
	}
	s.Want(http.StatusOK, cancel(o, ada)) // again changes nothing
	if n := s.Count("audit_logs", "`action` = 'order.cancel'"); n != 1 || s.Plan("vps-few").GetInt("stock") != 3 {
		t.Errorf("cancelled twice: %d audit rows, stock %d", n, s.Plan("vps-few").GetInt("stock"))
	}
	other := s.Order(ada, testapp.Cart{})
	refused(t, "somebody else's", cancel(other, s.Customer("bob")), 404, "", "not_found")
	s.Pay(other)
	refused(t, "a paid one", cancel(other, ada), 409, "", "order_paid")
	s.Active(other)
	onTheWay := s.Order(ada, testapp.Cart{})
	s.PayWith(onTheWay, testapp.DebitArrives)
	s.Eventually("the payment is pending", func() bool {
		return s.One("payment_transactions", dbx.HashExp{"invoice": onTheWay.Invoice}).GetString("status") == "pending"
	})
	refused(t, "one with money on its way", cancel(onTheWay, ada), 409, "", "payment_pending")
	s.Stripe.Settle()
	s.Active(onTheWay)
}

// TestB10MoneyForACancelledOrderIsTheCustomers: it becomes credit and wakes
// nothing up.
func TestB10MoneyForACancelledOrderIsTheCustomers(t *testing.T) {
	s := newShop(t)
	s.coupon("HALF", "percent", object{"basis_points": 5000, "max_uses": 1})
	ada := s.Customer("ada")
	o := s.order(ada, with(cart(s.row("vps-few", "monthly", nil)), object{"coupons": []string{"HALF"}}))
	s.Want(http.StatusOK, s.Do(http.MethodPost, "/api/v1/orders/"+o.ID+"/cancel", ada.Token, object{}))
	s.Want(http.StatusOK, s.Do(http.MethodPost, "/api/v1/staff/invoices/"+o.Invoice+"/payments", s.Staff(), object{"amount_minor": 945, "currency": "EUR", "reference": "late"}))
	s.Quiet()
	if got := s.Balance(ada.Id, "credit", "EUR"); got != -945 {
		t.Errorf("credit: got %d, want -945", got)
	}
	sub := s.subscription(o)
	if s.Service(o).GetString("status") != "terminated" || sub.GetString("status") != "cancelled" || s.Record("orders", o.ID).GetString("status") != "cancelled" {
		t.Errorf("the money woke up: service %s, subscription %s", s.Service(o).GetString("status"), sub.GetString("status"))
	}
	if left, uses := s.Plan("vps-few").GetInt("stock"), s.Count("coupon_redemptions", "`status` = 'used'"); left != 3 || uses != 0 {
		t.Errorf("stock %d, uses %d; want 3 and 0", left, uses)
	}
}

// TestA9TheSameKeyUsesACouponOnce: a repeated order is the first one, also where
// it could not be placed a second time.
func TestA9TheSameKeyUsesACouponOnce(t *testing.T) {
	s := newShop(t)
	s.coupon("ONE", "percent", object{"basis_points": 5000, "max_uses": 1, "per_customer": 1})
	ada := s.Customer("ada")
	body := with(with(cart(s.row("vps-last", "monthly", nil)), object{"coupons": []string{"ONE"}}), object{"client_key": "pressed-twice", "gateway": "manual", "terms": true, "total_minor": 350})
	first := s.Want(http.StatusCreated, s.Do(http.MethodPost, "/api/v1/orders", ada.Token, body))
	again := s.Want(http.StatusCreated, s.Do(http.MethodPost, "/api/v1/orders", ada.Token, body))
	if first.Text("order.id") != again.Text("order.id") || s.Count("orders", "") != 1 || s.Count("coupon_redemptions", "") != 1 || s.Plan("vps-last").GetInt("stock") != 0 {
		t.Errorf("%d orders, %d uses, stock %d; want one of each", s.Count("orders", ""), s.Count("coupon_redemptions", ""), s.Plan("vps-last").GetInt("stock"))
	}
}
