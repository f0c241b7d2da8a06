package renewals_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/testapp"
)

// stockOptions sells vps-s and vps-m with more memory, addresses and backups, and
// by the hour and the year.
func (s *shop) stockOptions() {
	s.Helper()
	for _, slug := range []string{"vps-s", "vps-m"} {
		plan := s.Plan(slug).Id
		for cycle, minor := range map[string]int64{"hourly": 2, "annual": 5000} {
			s.insert(collections.PlanPrices, object{"plan": plan, "currency": "EUR", "cycle": cycle, "amount_minor": minor, "active": true})
		}
		ram := s.insert(collections.PlanOptions, object{"plan": plan, "name": "ram", "label": "Memory", "kind": "choice", "active": true, "position": 1})
		ip := s.insert(collections.PlanOptions, object{"plan": plan, "name": "ip", "label": "Extra address", "kind": "quantity", "max_quantity": 8, "active": true, "position": 2})
		for _, cycle := range []string{"monthly", "quarterly", "annual", "hourly"} {
			for value, minor := range map[string]int64{"4": 0, "8": 400} {
				s.insert(collections.OptionPrices, object{"option": ram.Id, "value": value, "label": value + " GB", "currency": "EUR", "cycle": cycle, "amount_minor": minor, "active": true})
			}
			s.insert(collections.OptionPrices, object{"option": ip.Id, "label": "Extra address", "currency": "EUR", "cycle": cycle, "amount_minor": 150, "setup_minor": 100, "active": true})
		}
	}
}

func TestOptionsChangeByTheDay(t *testing.T) {
	s := openGroup(t)
	s.stockOptions()
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{})
	sub := s.subscription(o)
	of := length(sub)
	s.at(sub, 4)
	left := of - 4
	change := s.agree(ada, sub.Id, object{"timing": "now", "options": object{"ip": object{"quantity": 2}, "ram": object{"value": "8"}}})
	want := part(300, left, of) + part(400, left, of) + 100
	if change.Text("kind") != "options" || change.Int("total.minor") != want {
		t.Fatalf("got %s, want %d", change, want)
	}
	s.settle(change.Text("invoice_id"), want)
	v := s.Want(http.StatusOK, s.Do("GET", "/api/v1/subscriptions/"+sub.Id, ada.Token, nil))
	if v.Len("items") != 2 || v.Int("next_invoice.total.minor") != 490+400+300 {
		t.Errorf("got %s, want both options", v)
	}
	// One address less, the memory stays: its price is not touched by the catalog.
	for _, p := range []string{"vps-s", "vps-m"} {
		option := s.One(collections.PlanOptions, dbx.HashExp{"plan": s.Plan(p).Id, "name": "ram"})
		price := s.One(collections.OptionPrices, dbx.HashExp{"option": option.Id, "value": "8", "cycle": "monthly"})
		s.set(price, object{"active": false})
		s.insert(collections.OptionPrices, object{"option": option.Id, "value": "8", "label": "8 GB", "currency": "EUR", "cycle": "monthly", "amount_minor": 900, "active": true})
	}
	shown := s.preview(ada, sub.Id, object{"timing": "now", "options": object{"ip": object{"quantity": 1}, "ram": object{"value": "8"}}})
	if shown.Int("total.minor") != 0 || shown.Int("credit.minor") != part(300, left, of)-part(150, left, of) || shown.Int("next_invoice.total.minor") != 490+400+150 {
		t.Errorf("got %s, want credit for one address and the memory's old price", shown)
	}
	// None of it any more: what is unused comes back, and nothing is invoiced.
	gone := s.agree(ada, sub.Id, object{"timing": "now", "options": object{}})
	if gone.Text("status") != "applied" || gone.Text("invoice_id") != "" || s.credit(ada.Id) != part(300, left, of)+part(400, left, of) {
		t.Errorf("got %s and the credit %d", gone, s.credit(ada.Id))
	}
	if n := s.Count(collections.SubscriptionItems, "`active` = TRUE AND `subscription` = '"+sub.Id+"'"); n != 0 {
		t.Errorf("%d options are left", n)
	}
}

func TestChangeAtPeriodEnd(t *testing.T) {
	s := openGroup(t)
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{Plan: "vps-few"})
	sub, stock := s.subscription(o), s.Plan("vps-few").GetInt64("stock")
	s.days(18)
	old := s.renewed(ada.Id)[0]
	change := s.agree(ada, sub.Id, s.toPlan("vps-s", "period_end"))
	if change.Text("status") != "scheduled" || change.Text("invoice_id") != "" || s.status(old.Id) != "void" {
		t.Fatalf("got %s and the old invoice %s", change, s.status(old.Id))
	}
	v := s.Want(http.StatusOK, s.Do("GET", "/api/v1/subscriptions/"+sub.Id, ada.Token, nil))
	if v.Text("change.id") != change.Text("id") || v.Int("next_invoice.total.minor") != 490 || v.Text("plan.name") != "Plan vps-few" {
		t.Errorf("view: got %s", v)
	}
	s.days(7)
	if n := len(s.renewed(ada.Id)); n != 1 {
		t.Errorf("%d renewals before the change takes effect", n)
	}
	s.days(10)
	fresh := s.subscription(o)
	if fresh.GetString("plan") != s.Plan("vps-s").Id || fresh.GetString("anchor") != sub.GetString("anchor") || s.Plan("vps-few").GetInt64("stock") != stock+1 {
		t.Errorf("plan %s, stock %d: the change did not take effect", fresh.GetString("plan"), s.Plan("vps-few").GetInt64("stock"))
	}
	invoices := s.renewed(ada.Id)
	if len(invoices) != 2 || invoices[1].GetInt64("total_minor") != 490 || s.lines(invoices[1].Id)[0].GetString("period_start") != sub.GetString("current_period_end") {
		t.Errorf("%d renewals, want the period from %s at the new price", len(invoices), sub.GetString("current_period_end"))
	}
	if got := s.credit(ada.Id); got != 0 {
		t.Errorf("credit is %d", got)
	}
}

func TestAScheduledChangeIsUndone(t *testing.T) {
	s := openGroup(t)
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{})
	sub, stock := s.subscription(o), s.Plan("vps-few").GetInt64("stock")
	s.days(18)
	s.agree(ada, sub.Id, s.toPlan("vps-few", "period_end"))
	s.Want(200, s.post(ada, sub.Id, "changes/cancel", nil))
	s.run()
	invoices := s.renewed(ada.Id)
	if len(invoices) != 2 || invoices[1].GetInt64("total_minor") != 490 || s.Plan("vps-few").GetInt64("stock") != stock {
		t.Errorf("%d renewals and %d in stock, want the old terms", len(invoices), s.Plan("vps-few").GetInt64("stock"))
	}
	s.agree(ada, sub.Id, s.toPlan("vps-few", "period_end"))
	s.cancel(ada, sub.Id, "period_end") // ends the change, too
	if got := s.Plan("vps-few").GetInt64("stock"); got != stock {
		t.Errorf("stock is %d after the cancellation", got)
	}
}

// TestChangesOfHours goes from months to hours and back.
func TestChangesOfHours(t *testing.T) {
	s := openGroup(t)
	s.stockOptions()
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{})
	sub := s.subscription(o)
	of := length(sub)
	s.at(sub, 3)
	hourly := s.agree(ada, sub.Id, object{"price": s.Price("vps-s", "EUR", "hourly").Id, "timing": "now"})
	unused := part(490, of-3, of)
	if hourly.Text("status") != "applied" || s.credit(ada.Id) != unused {
		t.Fatalf("got %s and the credit %d, want %d back", hourly, s.credit(ada.Id), unused)
	}
	if got := s.subscription(o); got.GetString("cycle") != "hourly" || got.GetInt64("cap_minor") != 490 || got.GetString("current_period_end") != "" {
		t.Errorf("subscription: cycle %s, cap %d", got.GetString("cycle"), got.GetInt64("cap_minor"))
	}
	s.Clock().Advance(90 * time.Minute)
	back := s.agree(ada, sub.Id, object{"price": s.Price("vps-s", "EUR", "monthly").Id, "timing": "now"})
	if back.Int("total.minor") != 490 {
		t.Fatalf("back: got %s, want a full month", back)
	}
	left := s.Record(collections.Invoices, back.Text("invoice_id")).GetInt64("due_minor")
	if left < 490-unused || left > 490-unused+50 { // the credit paid the rest, and leaves what a card takes
		t.Errorf("%d is left to pay", left)
	}
	s.settle(back.Text("invoice_id"), left)
	fresh := s.subscription(o)
	if fresh.GetString("cycle") != "monthly" || fresh.GetString("plan") != sub.GetString("plan") || !collections.Time(fresh, "anchor").Equal(collections.Time(fresh, "current_period_start")) {
		t.Errorf("subscription: %v", fresh)
	}
	hours := s.One(collections.Invoices, dbx.HashExp{"user": ada.Id, "kind": "usage"})
	if hours.GetInt64("total_minor") != 2*2 {
		t.Errorf("hours invoiced for %d, want two started ones", hours.GetInt64("total_minor"))
	}
	s.settle(hours.Id, 4)
	s.days(40)
	if n := len(s.renewed(ada.Id)); n != 1 {
		t.Errorf("%d renewals, want the next month", n)
	}
}

func TestHoursChangeAtTheEndOfTheMonth(t *testing.T) {
	s := openGroup(t)
	s.stockOptions()
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{})
	sub := s.subscription(o)
	s.agree(ada, sub.Id, object{"price": s.Price("vps-s", "EUR", "hourly").Id, "timing": "now"})
	change := s.agree(ada, sub.Id, object{"price": s.Price("vps-s", "EUR", "annual").Id, "timing": "period_end"})
	if change.Text("status") != "scheduled" {
		t.Fatalf("got %s", change)
	}
	s.days(45)
	fresh := s.subscription(o)
	anchor := collections.Time(fresh, "anchor")
	if fresh.GetString("cycle") != "annual" || anchor.Day() != 1 || anchor.Hour() != 0 {
		t.Errorf("cycle %s from %s, want years from the first of the month", fresh.GetString("cycle"), anchor)
	}
	hours, year := int64(0), int64(0)
	for _, i := range s.renewed(ada.Id) {
		for _, l := range s.lines(i.Id) {
			if l.GetString("kind") == "hourly" {
				hours += l.GetInt64("amount_minor")
			} else {
				year += l.GetInt64("amount_minor")
			}
		}
	}
	if year != 5000 || hours <= 0 || hours > 490 {
		t.Errorf("invoiced %d for hours and %d for the year", hours, year)
	}
}

// TestATrialChangesForNothing changes what a trial leads to.
func TestATrialChangesForNothing(t *testing.T) {
	s := openGroup(t)
	s.set(s.Plan("vps-s"), object{"trial_days": 10})
	ada := s.Customer("ada")
	body := s.Body(testapp.Cart{})
	body["total_minor"] = 0
	o := testapp.ReadOrder(s.Want(http.StatusCreated, s.Do("POST", "/api/v1/orders", ada.Token, body)))
	s.Active(o)
	sub := s.subscription(o)
	if sub.GetString("status") != "trialing" {
		t.Fatalf("subscription is %s", sub.GetString("status"))
	}
	s.days(8) // the first period is invoiced ahead
	first := s.renewed(ada.Id)
	if len(first) != 1 {
		t.Fatalf("%d invoices before the trial ends", len(first))
	}
	change := s.agree(ada, sub.Id, s.toPlan("vps-m", "now"))
	if change.Text("status") != "applied" || s.status(first[0].Id) != "void" {
		t.Errorf("got %s and the first invoice %s", change, s.status(first[0].Id))
	}
	s.run()
	invoices := s.renewed(ada.Id)
	if len(invoices) != 2 || invoices[1].GetInt64("total_minor") != 990+500 {
		t.Errorf("%d invoices, want one over the new plan and its set-up", len(invoices))
	}
}

// TestATrialWhoseFirstPeriodIsPaid cannot be changed at once until that begins; at
// its end it can.
func TestATrialWhoseFirstPeriodIsPaid(t *testing.T) {
	s := openGroup(t)
	s.set(s.Plan("vps-s"), object{"trial_days": 10})
	ada := s.Customer("ada")
	body := s.Body(testapp.Cart{})
	body["total_minor"] = 0
	o := testapp.ReadOrder(s.Want(http.StatusCreated, s.Do("POST", "/api/v1/orders", ada.Token, body)))
	s.Active(o)
	sub := s.subscription(o)
	s.days(8)
	first := s.renewed(ada.Id)[0]
	s.settle(first.Id, first.GetInt64("due_minor"))
	begins := s.subscription(o).GetString("anchor")[:10]
	path := "/api/v1/subscriptions/" + sub.Id + "/changes/preview"
	if r := s.Want(http.StatusConflict, s.Do(http.MethodPost, path, ada.Token, s.toPlan("vps-m", "now"))); r.Code() != "not_begun" || !strings.Contains(r.Text("detail"), begins) {
		t.Errorf("got %s, want that it begins on %s", r, begins)
	}
	s.agree(ada, sub.Id, s.toPlan("vps-m", "period_end"))
}

// TestDiscountsGoOn changes under a coupon for ever.
func TestDiscountsGoOn(t *testing.T) {
	s := openGroup(t)
	ada := s.Customer("ada")
	s.insert(collections.Coupons, object{"code": "HALF", "kind": "percent", "basis_points": 5000, "status": "active"})
	body := s.Body(testapp.Cart{})
	body["total_minor"], body["coupons"] = 245, []string{"HALF"}
	o := testapp.ReadOrder(s.Want(http.StatusCreated, s.Do("POST", "/api/v1/orders", ada.Token, body)))
	s.Pay(o)
	sub := s.subscription(o)
	of := length(sub)
	s.at(sub, 6)
	left := of - 6
	charge := part(990, left, of)
	want := charge - (charge*5000+5000)/10_000 - part(245, left, of)
	change := s.agree(ada, sub.Id, s.toPlan("vps-m", "now"))
	if got := change.Int("total.minor"); got != want {
		t.Errorf("costs %d, want %d: half of the new plan less what was paid for the old", got, want)
	}
	s.settle(change.Text("invoice_id"), want)
	v := s.Want(http.StatusOK, s.Do("GET", "/api/v1/subscriptions/"+sub.Id, ada.Token, nil))
	if v.Int("next_invoice.total.minor") != 495 || v.Text("discounts.0.code") != "HALF" || v.At("discounts.0.periods_left") != nil {
		t.Errorf("got %s, want the discount for ever", v)
	}
}

// TestAFreePlanChanges has nothing to give back and bills the period all the same
// once.
func TestAFreePlanChanges(t *testing.T) {
	s := openGroup(t)
	ada := s.Customer("ada")
	o := testapp.ReadOrder(s.Want(http.StatusCreated, s.Do("POST", "/api/v1/orders", ada.Token, s.Body(testapp.Cart{Plan: "vps-free"}))))
	s.Active(o)
	sub := s.subscription(o)
	change := s.agree(ada, sub.Id, s.toPlan("vps-s", "now"))
	if change.Int("total.minor") != 490 {
		t.Fatalf("got %s, want all of the first day's period", change)
	}
	s.settle(change.Text("invoice_id"), 490)
	back := s.agree(ada, sub.Id, s.toPlan("vps-free", "now"))
	if back.Text("status") != "applied" || s.credit(ada.Id) != 490 {
		t.Errorf("back: got %s and the credit %d", back, s.credit(ada.Id))
	}
}

func TestStaffChangesForACustomer(t *testing.T) {
	s := openGroup(t)
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{Plan: "vps-m"})
	sub := s.subscription(o)
	path := "/api/v1/staff/subscriptions/" + sub.Id
	shown := s.Want(200, s.Do("POST", path+"/changes/preview", s.Staff(), s.toPlan("vps-s", "now")))
	body := s.toPlan("vps-s", "now")
	body["client_key"], body["credit_minor"] = core.GenerateDefaultRandomId(), shown.Int("credit.minor")
	change := s.Want(201, s.Do("POST", path+"/changes", s.Staff(), body))
	if again := s.Want(201, s.Do("POST", path+"/changes", s.Staff(), body)); again.Text("id") != change.Text("id") {
		t.Errorf("the same key made %s and %s", change, again)
	}
	if got := s.One(collections.AuditLogs, dbx.HashExp{"action": "subscription.change"}); got.GetString("actor_kind") != "staff" {
		t.Errorf("audit: %v", got)
	}
}
