package renewals_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/testapp"
)

type object = map[string]any

// openGroup is a shop whose plans can be changed between.
func openGroup(t *testing.T) *shop {
	t.Helper()
	s := open(t)
	for _, slug := range []string{"vps-s", "vps-m", "vps-few", "vps-last", "vps-gone", "vps-free", "vps-old"} {
		s.set(s.Plan(slug), object{"upgrade_group": "vps"})
	}
	return s
}

// set saves fields of a record as staff would.
func (s *shop) set(r *core.Record, values object) {
	s.Helper()
	r.Load(values)
	if err := collections.Save(s.App, r); err != nil {
		s.Fatal(err)
	}
}

func (s *shop) insert(collection string, values object) *core.Record {
	s.Helper()
	r, err := collections.Insert(s.App, collection, values)
	if err != nil {
		s.Fatal(err)
	}
	return r
}

// preview asks what a change costs.
func (s *shop) preview(by *testapp.Person, sub string, wish object) *testapp.Answer {
	s.Helper()
	return s.Want(http.StatusOK, s.post(by, sub, "changes/preview", wish))
}

// agree asks for a change at the price that its preview shows.
func (s *shop) agree(by *testapp.Person, sub string, wish object) *testapp.Answer {
	s.Helper()
	shown := s.preview(by, sub, wish)
	body := object{"client_key": core.GenerateDefaultRandomId(), "total_minor": shown.Int("total.minor"), "credit_minor": shown.Int("credit.minor")}
	for k, v := range wish {
		body[k] = v
	}
	return s.Want(http.StatusCreated, s.post(by, sub, "changes", body))
}

func (s *shop) toPlan(slug, timing string) object {
	s.Helper()
	return object{"price": s.Price(slug, "EUR", "monthly").Id, "timing": timing}
}

// at moves the clock into the running period of a subscription: so many days
// after its start.
func (s *shop) at(sub *core.Record, days int) {
	s.Helper()
	to := collections.Time(sub, "current_period_start").AddDate(0, 0, days)
	if d := to.Sub(s.Clock().Now()); d > 0 {
		s.Clock().Advance(d + time.Minute)
	}
}

// length is how many days the running period of a subscription has.
func length(sub *core.Record) int64 {
	start, end := collections.Time(sub, "current_period_start"), collections.Time(sub, "current_period_end")
	return int64(end.Truncate(24*time.Hour).Sub(start.Truncate(24*time.Hour)).Hours() / 24)
}

// part is a price for so many of all days, rounded half up.
func part(price, days, of int64) int64 { return (price*days*2 + of) / (2 * of) }

func (s *shop) invoiceOf(change *testapp.Answer) *core.Record {
	s.Helper()
	return s.Record(collections.Invoices, change.Text("invoice_id"))
}

// TestE7UpgradeNow pays the difference for the days left of the full period.
func TestE7UpgradeNow(t *testing.T) {
	s := openGroup(t)
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{})
	sub := s.subscription(o)
	of := length(sub)
	s.at(sub, 5)
	want := part(990, of-5, of) - part(490, of-5, of)
	shown := s.preview(ada, sub.Id, s.toPlan("vps-m", "now"))
	if shown.Int("total.minor") != want || shown.Len("lines") != 2 || shown.Int("credit.minor") != 0 || shown.Int("next_invoice.total.minor") != 990 {
		t.Fatalf("preview: got %s, want %d for %d of %d days", shown, want, of-5, of)
	}
	change := s.agree(ada, sub.Id, s.toPlan("vps-m", "now"))
	invoice := s.invoiceOf(change)
	if change.Text("status") != "pending" || invoice.GetInt64("total_minor") != want || invoice.GetString("kind") != "change" || !invoice.GetBool("auto_charge") {
		t.Fatalf("got %s and an invoice over %d, want a pending change over %d", change, invoice.GetInt64("total_minor"), want)
	}
	if got := s.subscription(o).GetString("plan"); got != sub.GetString("plan") {
		t.Error("the plan changed before it was paid for")
	}
	s.settle(invoice.Id, want)
	fresh := s.subscription(o)
	if fresh.GetString("plan") != s.Plan("vps-m").Id || fresh.GetInt64("amount_minor") != 990 || fresh.GetString("current_period_end") != sub.GetString("current_period_end") || fresh.GetString("anchor") != sub.GetString("anchor") {
		t.Errorf("subscription is %v, want the larger plan to the old date", fresh)
	}
	s.days(20)
	if invoices := s.renewed(ada.Id); len(invoices) != 1 || invoices[0].GetInt64("total_minor") != 990 {
		t.Errorf("%d renewals, want one at the new price", len(invoices))
	}
}

// TestDowngradeNow takes effect at once; what is unused becomes credit.
func TestDowngradeNow(t *testing.T) {
	s := openGroup(t)
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{Plan: "vps-few"})
	sub, stock := s.subscription(o), s.Plan("vps-few").GetInt64("stock")
	of := length(sub)
	s.at(sub, 10)
	want := part(1890, of-10, of) - part(490, of-10, of)
	change := s.agree(ada, sub.Id, s.toPlan("vps-s", "now"))
	if change.Text("status") != "applied" || s.invoiceOf(change).GetString("status") != "paid" {
		t.Errorf("got %s, want it applied at once", change)
	}
	if got := s.credit(ada.Id); got != want {
		t.Errorf("credit is %d, want %d", got, want)
	}
	if got := s.subscription(o).GetString("plan"); got != s.Plan("vps-s").Id {
		t.Errorf("the plan is %s", got)
	}
	if got := s.Plan("vps-few").GetInt64("stock"); got != stock+1 {
		t.Errorf("stock of the old plan is %d, want %d", got, stock+1)
	}
}

// TestAnUnpaidChangeLapses: the invoice is void after some days, the unit of the
// new plan is for sale again, and late money is credit.
func TestAnUnpaidChangeLapses(t *testing.T) {
	s := openGroup(t)
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{})
	sub, stock := s.subscription(o), s.Plan("vps-few").GetInt64("stock")
	s.at(sub, 3)
	change := s.agree(ada, sub.Id, s.toPlan("vps-few", "now"))
	if got := s.Plan("vps-few").GetInt64("stock"); got != stock-1 {
		t.Errorf("stock is %d, want one held", got)
	}
	if r := s.post(ada, sub.Id, "changes/preview", s.toPlan("vps-m", "now")); r.Code() != "changing" {
		t.Errorf("another change meanwhile: got %s", r)
	}
	invoice := s.invoiceOf(change)
	s.Clock().Advance(4 * 24 * time.Hour)
	s.Eventually("the change lapses", func() bool { return s.status(invoice.Id) == "void" })
	if got := s.Record(collections.SubscriptionChanges, change.Text("id")); got.GetString("status") != "cancelled" || s.Plan("vps-few").GetInt64("stock") != stock {
		t.Errorf("change is %s and the stock %d, want both as before", got.GetString("status"), s.Plan("vps-few").GetInt64("stock"))
	}
	s.settle(invoice.Id, 100)
	if got := s.subscription(o).GetString("plan"); got != sub.GetString("plan") || s.credit(ada.Id) != 100 {
		t.Errorf("late money: plan %s, credit %d", got, s.credit(ada.Id))
	}
	s.agree(ada, sub.Id, s.toPlan("vps-m", "now")) // and another may be agreed
}

func TestAPendingChangeIsCancelled(t *testing.T) {
	s := openGroup(t)
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{})
	sub := s.subscription(o)
	change := s.agree(ada, sub.Id, s.toPlan("vps-few", "now"))
	r := s.Want(200, s.post(ada, sub.Id, "changes/cancel", nil))
	if r.At("change") != nil || s.status(change.Text("invoice_id")) != "void" {
		t.Errorf("got %s and the invoice %s", r, s.status(change.Text("invoice_id")))
	}
	if r := s.post(ada, sub.Id, "changes/cancel", nil); r.Code() != "no_change" {
		t.Errorf("an end twice: got %s", r)
	}
	if list := s.Want(200, s.Do("GET", "/api/v1/subscriptions/"+sub.Id+"/changes", ada.Token, nil)); list.Len("items") != 1 || list.Text("items.0.status") != "cancelled" {
		t.Errorf("list: %s", list)
	}
}

// TestA9TwoChangesAtOnceAreOne asks for the same change many times at once, by
// the same key and by others.
func TestA9TwoChangesAtOnceAreOne(t *testing.T) {
	s := openGroup(t)
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{})
	sub := s.subscription(o)
	s.at(sub, 2)
	shown := s.preview(ada, sub.Id, s.toPlan("vps-m", "now"))
	group, answers := sync.WaitGroup{}, make(chan *testapp.Answer, 8)
	for i := range 8 {
		body := s.toPlan("vps-m", "now")
		body["total_minor"], body["client_key"] = shown.Int("total.minor"), "the-same-key"
		if i >= 5 {
			body["client_key"] = "another-" + core.GenerateDefaultRandomId()
		}
		group.Go(func() {
			r, err := s.Try("POST", "/api/v1/subscriptions/"+sub.Id+"/changes", ada.Token, body)
			if err != nil {
				t.Error(err)
			}
			answers <- r
		})
	}
	group.Wait()
	close(answers)
	ids := map[string]bool{}
	for r := range answers {
		switch {
		case r.Status == http.StatusCreated:
			ids[r.Text("id")] = true
		case r.Code() != "changing":
			t.Errorf("got %s, want the one change or a refusal", r)
		}
	}
	if len(ids) != 1 || s.Count(collections.Invoices, "`kind` = 'change'") != 1 {
		t.Errorf("%d changes and %d invoices, want one of each", len(ids), s.Count(collections.Invoices, "`kind` = 'change'"))
	}
}

// TestPaidTwiceAppliesOnce pays the invoice of a change by card and, at the same
// time, by bank transfer.
func TestPaidTwiceAppliesOnce(t *testing.T) {
	s := openGroup(t)
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{})
	sub := s.subscription(o)
	s.at(sub, 2)
	change := s.agree(ada, sub.Id, s.toPlan("vps-m", "now"))
	invoice := s.invoiceOf(change)
	total := invoice.GetInt64("total_minor")
	group := sync.WaitGroup{}
	for _, reference := range []string{"one", "two", "two", "three"} {
		group.Go(func() {
			_, err := s.Try("POST", "/api/v1/staff/invoices/"+invoice.Id+"/payments", s.Staff(), object{"amount_minor": total, "currency": "EUR", "reference": reference})
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := s.Count(collections.AuditLogs, "`action` = 'subscription.changed'"); n != 1 {
		t.Errorf("it took effect %d times", n)
	}
	if got := s.credit(ada.Id); got != 2*total {
		t.Errorf("credit is %d, want the two payments too many", got)
	}
}

// TestAChangeReplacesWhatIsInvoicedAhead upgrades when the next period is invoiced
// and unpaid: that invoice is made again at the new price.
func TestAChangeReplacesWhatIsInvoicedAhead(t *testing.T) {
	for _, paid := range []bool{false, true} {
		s := openGroup(t)
		ada := s.Customer("ada")
		o := s.Buy(ada, testapp.Cart{})
		sub := s.subscription(o)
		of := length(sub)
		s.days(18)
		old := s.renewed(ada.Id)[0]
		if paid {
			s.settle(old.Id, 490)
		}
		left := of - 18
		shown := s.preview(ada, sub.Id, s.toPlan("vps-m", "now"))
		if want := part(990, left, of) - part(490, left, of); shown.Int("total.minor") != want || shown.Text("replaced_invoices.0") != old.GetString("number") || shown.Int("next_invoice.total.minor") != 990 {
			t.Fatalf("preview: got %s, want %d and %s replaced", shown, want, old.GetString("number"))
		}
		change := s.agree(ada, sub.Id, s.toPlan("vps-m", "now"))
		s.settle(change.Text("invoice_id"), shown.Int("total.minor"))
		want := map[bool]string{false: "void", true: "paid"}[paid]
		if got := s.status(old.Id); got != want {
			t.Errorf("paid %t: the old invoice is %s, want %s", paid, got, want)
		}
		if got := s.subscription(o); got.GetString("current_period_end") != sub.GetString("current_period_end") || got.GetInt("next_period") != 1 {
			t.Errorf("paid through %s with period %d next, want %s and 1", got.GetString("current_period_end"), got.GetInt("next_period"), sub.GetString("current_period_end"))
		}
		s.run()
		invoices := s.renewed(ada.Id)
		if len(invoices) != 2 || invoices[1].GetInt64("total_minor") != 990 {
			t.Fatalf("paid %t: %d renewals, want a new one at the new price", paid, len(invoices))
		}
		due := int64(990)
		if paid {
			due = 500 // its credit paid the rest
		}
		if got := invoices[1].GetInt64("due_minor"); got != due {
			t.Errorf("paid %t: %d is due on it, want %d", paid, got, due)
		}
	}
}

// TestAnotherCycleIsANewCycle changes from monthly to quarterly: a full period
// begins today.
func TestAnotherCycleIsANewCycle(t *testing.T) {
	s := openGroup(t)
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{})
	sub := s.subscription(o)
	of := length(sub)
	s.at(sub, 10)
	wish := object{"price": s.Price("vps-s", "EUR", "quarterly").Id, "timing": "now"}
	change := s.agree(ada, sub.Id, wish)
	want := 3*490 - part(490, of-10, of)
	if change.Text("kind") != "cycle" || change.Int("total.minor") != want {
		t.Fatalf("got %s, want %d", change, want)
	}
	s.settle(change.Text("invoice_id"), want)
	fresh := s.subscription(o)
	start, end := collections.Time(fresh, "current_period_start"), collections.Time(fresh, "current_period_end")
	if fresh.GetString("cycle") != "quarterly" || !collections.Time(fresh, "anchor").Equal(start) || end.Before(start.AddDate(0, 3, -3)) || fresh.GetInt("next_period") != 1 {
		t.Errorf("subscription %s from %s to %s at period %d", fresh.GetString("cycle"), start, end, fresh.GetInt("next_period"))
	}
	back := s.agree(ada, sub.Id, object{"price": s.Price("vps-s", "EUR", "monthly").Id, "timing": "now"})
	if back.Text("status") != "applied" || s.credit(ada.Id) != 2*490 { // on the same day: all of it, less a month
		t.Errorf("back: got %s and the credit %d, want %d", back, s.credit(ada.Id), 2*490)
	}
	if got := s.subscription(o); collections.Time(got, "current_period_end").After(start.AddDate(0, 1, 1)) {
		t.Errorf("paid through %s, want a month", got.GetString("current_period_end"))
	}
}

func TestWhatCannotBeChangedTo(t *testing.T) {
	s := openGroup(t)
	ada, eve := s.Customer("ada"), s.Customer("eve")
	o := s.Buy(ada, testapp.Cart{})
	sub := s.subscription(o)
	s.set(s.Plan("vps-last"), object{"upgrade_group": "other"})
	s.set(s.Plan("vps-m"), object{"customer_limit": 1})
	s.Order(ada, testapp.Cart{Plan: "vps-m"})
	scenarios := []struct {
		name string
		wish object
		code string
	}{
		{"another group", s.toPlan("vps-last", "now"), "not_in_group"},
		{"sold out", s.toPlan("vps-gone", "now"), "sold_out"},
		{"archived", s.toPlan("vps-old", "now"), "invalid"},
		{"another currency", object{"price": s.Price("vps-m", "USD", "monthly").Id, "timing": "now"}, "invalid"},
		{"no such price", object{"price": "nosuchprice0001", "timing": "now"}, "invalid"},
		{"what it has", s.toPlan("vps-s", "now"), "nothing_changes"},
		{"nothing", object{"timing": "period_end"}, "nothing_changes"},
		{"more than one customer may have", s.toPlan("vps-m", "now"), "limit"},
		{"no such moment", s.toPlan("vps-few", "tomorrow"), "invalid"},
		{"an unknown option", object{"timing": "now", "options": object{"gold": object{"quantity": 1}}}, "invalid"},
	}
	before := s.Rows()
	for _, sc := range scenarios {
		if r := s.post(ada, sub.Id, "changes/preview", sc.wish); r.Code() != sc.code {
			t.Errorf("%s: got %s, want %s", sc.name, r, sc.code)
		}
	}
	body := s.toPlan("vps-few", "now")
	body["client_key"], body["total_minor"] = "a-wrong-total", 1
	if r := s.post(ada, sub.Id, "changes", body); r.Code() != "price_changed" {
		t.Errorf("a total that was not shown: got %s", r)
	}
	if r := s.post(eve, sub.Id, "changes/preview", s.toPlan("vps-few", "now")); r.Status != 404 {
		t.Errorf("somebody else: got %s", r)
	}
	s.Unchanged(before)
}

// TestE9ALatePayerKeepsTheDate: paying late leaves anchor and periods as they are.
func TestE9ALatePayerKeepsTheDate(t *testing.T) {
	s := openGroup(t)
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{})
	sub := s.subscription(o)
	s.days(40)
	if r := s.post(ada, sub.Id, "changes/preview", s.toPlan("vps-m", "now")); r.Code() != "overdue" {
		t.Errorf("a change while something is overdue: got %s", r)
	}
	s.settle(s.renewed(ada.Id)[0].Id, 490)
	fresh := s.subscription(o)
	if fresh.GetString("anchor") != sub.GetString("anchor") || fresh.GetString("current_period_start") != sub.GetString("current_period_end") {
		t.Errorf("paid from %s by the anchor %s, want from %s on", fresh.GetString("current_period_start"), fresh.GetString("anchor"), sub.GetString("current_period_end"))
	}
}

func (s *shop) lines(invoice string) []*core.Record {
	s.Helper()
	found, err := collections.All(s.App, collections.InvoiceItems, dbx.HashExp{"invoice": invoice}, "position ASC")
	if err != nil {
		s.Fatal(err)
	}
	return found
}
