package billing_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/testapp"
)

// decide lets staff approve or reject an order.
func (s shop) decide(o *testapp.Order, what, reason string) *testapp.Answer {
	s.Helper()
	return s.Do(http.MethodPost, "/api/v1/staff/orders/"+o.ID+"/"+what, s.Staff(), object{"reason": reason})
}

func (s shop) queue() []string {
	s.Helper()
	r := s.Want(http.StatusOK, s.Do(http.MethodGet, "/api/v1/staff/orders", s.Staff(), nil))
	ids := []string{}
	for i := range r.Len("items") {
		ids = append(ids, r.Text(fmt.Sprintf("items.%d.id", i)))
	}
	return ids
}

func TestAnOrderThatWaitsIsPaidButNotDelivered(t *testing.T) {
	s := newShop(t)
	s.change(s.Plan("vps-few"), object{"needs_approval": true})
	ada := s.Customer("ada")
	o := s.Order(ada, testapp.Cart{Plan: "vps-few"})
	s.Pay(o)
	s.Quiet()
	order := s.Record("orders", o.ID)
	if order.GetString("status") != "paid" || order.GetString("review") != "waiting" || !strings.Contains(order.GetString("signals"), "plan_approval") {
		t.Fatalf("the order is %s, review %s with %s; want paid and waiting", order.GetString("status"), order.GetString("review"), order.GetString("signals"))
	}
	if svc, sub := s.Service(o).GetString("status"), s.subscription(o).GetString("status"); svc != "pending" || sub != "pending" {
		t.Fatalf("service %s, subscription %s; want both to wait", svc, sub)
	}
	if got := s.queue(); len(got) != 1 || got[0] != o.ID {
		t.Errorf("the queue holds %v, want the order", got)
	}
	r := s.Want(http.StatusOK, s.decide(o, "approve", ""))
	if r.Text("review") != "approved" || r.Text("email") != ada.Email || len(s.queue()) != 0 {
		t.Errorf("got %s, queue %v", r, s.queue())
	}
	s.Active(o)
	s.Want(http.StatusOK, s.decide(o, "approve", "")) // again changes nothing
	refused(t, "rejecting what is approved", s.decide(o, "reject", ""), 409, "", "not_waiting")
	if n := s.Count("audit_logs", "`action` = 'order.approve'"); n != 1 || s.subscription(o).GetString("status") != "active" {
		t.Errorf("%d audit rows, subscription %s", n, s.subscription(o).GetString("status"))
	}
	s.Quiet()
	if n := s.Count("mails", "`kind` IN ('order_in_review', 'order_approved') AND `user` = '"+ada.Id+"'"); n != 2 {
		t.Errorf("%d mails about the review, want 2", n)
	}
	if n := s.Count("mails", "`kind` = 'receipt'"); n != 1 {
		t.Errorf("%d receipts, want 1", n)
	}
}

func TestAnOrderApprovedBeforeItIsPaidIsDeliveredThen(t *testing.T) {
	s := newShop(t)
	s.change(s.Plan("vps-s"), object{"needs_approval": true})
	o := s.Order(s.Customer("ada"), testapp.Cart{})
	s.Want(http.StatusOK, s.decide(o, "approve", ""))
	if got := s.Service(o).GetString("status"); got != "pending" {
		t.Fatalf("the service is %s before the order is paid", got)
	}
	s.Pay(o)
	s.Active(o)
}

func TestARejectedOrderIsTakenBack(t *testing.T) {
	s := newShop(t)
	s.tax(nil)
	s.change(s.Plan("vps-few"), object{"needs_approval": true})
	s.coupon("HALF", "percent", object{"basis_points": 5000, "max_uses": 2})
	ada := s.Customer("ada")
	c := with(cart(s.row("vps-few", "monthly", nil)), object{"coupons": []string{"HALF"}})
	paid, unpaid := s.order(ada, c), s.order(ada, c)
	s.transfer(paid)
	for _, o := range []*testapp.Order{paid, unpaid} {
		s.Want(http.StatusOK, s.decide(o, "reject", "We do not sell there."))
		s.Want(http.StatusOK, s.decide(o, "reject", "")) // again changes nothing
	}
	s.Quiet()
	if got := s.Balance(ada.Id, "credit", "EUR"); got != -(945 + 180) {
		t.Errorf("credit: got %d, want all that was paid, -1125", got)
	}
	if n := s.Count("credit_notes", ""); n != 1 {
		t.Errorf("%d credit notes, want one for the paid order", n)
	}
	for o, want := range map[*testapp.Order]string{paid: "paid", unpaid: "cancelled"} {
		order, sub := s.Record("orders", o.ID), s.subscription(o)
		if order.GetString("status") != want || order.GetString("review") != "rejected" || order.GetString("review_note") == "" || sub.GetString("status") != "cancelled" || s.Service(o).GetString("status") != "terminated" {
			t.Errorf("order %s %s, subscription %s, service %s; want %s", order.GetString("status"), order.GetString("review"), sub.GetString("status"), s.Service(o).GetString("status"), want)
		}
	}
	coupon := s.One(collections.Coupons, nil)
	if left := s.Plan("vps-few").GetInt("stock"); left != 3 || coupon.GetInt("uses") != 0 {
		t.Errorf("stock %d, uses %d; want 3 and 0", left, coupon.GetInt("uses"))
	}
	if n := s.Count("audit_logs", "`action` = 'order.reject' AND `actor_kind` = 'staff'"); n != 2 {
		t.Errorf("%d audit rows, want 2", n)
	}
	if n := s.Count("mails", "`kind` = 'order_rejected'"); n != 2 {
		t.Errorf("%d mails, want 2", n)
	}
	refused(t, "approving what is rejected", s.decide(paid, "approve", ""), 409, "", "not_waiting")
	refused(t, "an order that is not there", s.Do(http.MethodPost, "/api/v1/staff/orders/nosuchorder1234/approve", s.Staff(), object{}), 404, "", "not_found")
}

func TestAFreeTrialMayWaitToo(t *testing.T) {
	s := newShop(t)
	s.change(s.Plan("vps-s"), object{"needs_approval": true, "trial_days": 14})
	ada := s.Customer("ada")
	o := s.order(ada, cart(s.row("vps-s", "monthly", nil)))
	if sub := s.subscription(o); sub.GetString("status") != "pending" || s.Service(o).GetString("status") != "pending" {
		t.Fatalf("the trial began: subscription %s", sub.GetString("status"))
	}
	other := s.order(s.Customer("bob"), cart(s.row("vps-s", "monthly", nil)))
	s.Want(http.StatusOK, s.decide(o, "approve", ""))
	s.Want(http.StatusOK, s.decide(other, "reject", ""))
	s.Active(o)
	if sub := s.subscription(o); sub.GetString("status") != "trialing" {
		t.Errorf("the subscription is %s, want trialing", sub.GetString("status"))
	}
	if n := s.Count("credit_notes", ""); n != 0 {
		t.Errorf("%d credit notes over nothing", n)
	}
}

func TestSignsOfFraudMakeAnOrderWait(t *testing.T) {
	s := newShop(t)
	s.Settings().TrustedProxy.Headers = []string{"CF-Connecting-IP"}
	if err := s.Save(s.Settings()); err != nil {
		t.Fatal(err)
	}
	if err := collections.SaveSetting(s.App, "review", object{"threshold": 100, "high_amount_minor": object{"EUR": 4000}, "flagged_countries": []string{"AQ"}, "orders_per_hour": 2, "weights": object{"orders_address": 100}}); err != nil {
		t.Fatal(err)
	}
	place := func(by *testapp.Person, plan, ip, from string) *core.Record {
		t.Helper()
		price := s.Price(plan, "EUR", "monthly")
		choices := ""
		if plan != "colo" {
			choices = `,"choices":{"template_id":"8"}`
		}
		body := fmt.Sprintf(`{"client_key":%q,"gateway":"manual","terms":true,"total_minor":%d,"currency":"EUR","items":[{"price":%q%s}]}`,
			core.GenerateDefaultRandomId(), price.GetInt("amount_minor"), price.Id, choices)
		req, err := http.NewRequest(http.MethodPost, s.URL+"/api/v1/orders", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"Content-Type": "application/json", "Authorization": by.Token, "CF-Connecting-IP": ip, "CF-IPCountry": from} {
			req.Header.Set(name, value)
		}
		r, err := s.Send(req)
		if err != nil {
			t.Fatal(err)
		}
		return s.Record("orders", s.Want(http.StatusCreated, r).Text("order.id"))
	}
	ada := s.Customer("ada")
	scenarios := []struct {
		name, plan, ip, from, review, signal string
	}{
		{"an ordinary order", "vps-s", "203.0.113.1", "DE", "none", ""},
		{"one weak sign alone", "vps-s", "203.0.113.2", "FR", "none", "country_ip"},
		{"a large order", "colo", "203.0.113.3", "DE", "waiting", "high_amount"},
		{"from a country on the list", "vps-s", "203.0.113.4", "AQ", "waiting", "flagged_country"},
		{"the second of an hour", "vps-s", "203.0.113.1", "DE", "none", ""},
		{"the third of an hour", "vps-s", "203.0.113.1", "DE", "waiting", "orders_address"},
	}
	for _, sc := range scenarios {
		order := place(ada, sc.plan, sc.ip, sc.from)
		if order.GetString("review") != sc.review || !strings.Contains(order.GetString("signals"), sc.signal) || order.GetString("ip_country") != sc.from {
			t.Errorf("%s: review %s with %s, from %s; want %s with %q", sc.name, order.GetString("review"), order.GetString("signals"), order.GetString("ip_country"), sc.review, sc.signal)
		}
	}
	twin := s.Customer("ada+again")
	if order := place(twin, "vps-s", "203.0.113.9", "FR"); order.GetString("review") != "waiting" || !strings.Contains(order.GetString("signals"), "shared_mailbox") {
		t.Errorf("a second account of the same mailbox: review %s with %s, want waiting", order.GetString("review"), order.GetString("signals"))
	}
	setting := s.One(collections.Settings, dbx.HashExp{"key": "review"})
	r := s.Do(http.MethodPatch, "/api/collections/settings/records/"+setting.Id, s.Staff(), object{"value": object{"threshold": 0}})
	if r.Status != http.StatusBadRequest || !strings.Contains(string(r.Body), "threshold") {
		t.Errorf("a policy that makes no sense: got %s, want 400 that names the field", r)
	}
}
