package renewals_test

import (
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/internal/testapp"
)

// enrich gives every customer credit that pays each invoice at once.
func (s *shop) enrich() {
	s.Helper()
	users, err := collections.All(s.App, collections.Users, dbx.HashExp{"verified": []any{true, false}}, "")
	if err != nil {
		s.Fatal(err)
	}
	for _, u := range users {
		s.Want(http.StatusOK, s.Do(http.MethodPost, "/api/v1/staff/customers/"+u.Id+"/credit", s.Staff(), object{"key": "riches-1", "amount_minor": 50_000, "currency": "EUR", "reason": "goodwill"}))
	}
}

// priceFrom is the day on which the announced price of an order begins.
func (s *shop) priceFrom(o *testapp.Order) string {
	s.Helper()
	return collections.Time(s.One("subscription_changes", dbx.HashExp{"subscription": s.subscription(o).Id, "kind": "price"}), "effective_at").Format(time.DateOnly)
}

// TestAnAnnouncedPriceFallsAway with what it is about: another plan, the end of
// the subscription.
func TestAnAnnouncedPriceFallsAway(t *testing.T) {
	s := openGroup(t)
	ada, ben := s.Customer("ada"), s.Customer("ben")
	changes, ends := s.subscription(s.Buy(ada, testapp.Cart{})), s.subscription(s.Buy(ben, testapp.Cart{}))
	id := s.announce(nil)
	s.Clock().Advance(2 * 24 * time.Hour)
	change := s.agree(ada, changes.Id, s.toPlan("vps-few", "now"))
	if change.Text("status") != "applied" {
		t.Fatalf("got %s, want a change that credit has paid", change)
	}
	s.cancel(ben, ends.Id, "now")
	for _, sub := range []string{changes.Id, ends.Id} {
		if got := s.One("subscription_changes", dbx.HashExp{"subscription": sub, "kind": "price"}).GetString("status"); got != "cancelled" {
			t.Errorf("the announced price is %s", got)
		}
	}
	if got := s.announcement(id); got.Int("progress.fell_away") != 2 || got.Int("progress.scheduled") != 0 {
		t.Errorf("progress: %s", got)
	}
	s.days(70)
	for start, minor := range s.charged(ada.Id) {
		if minor != 1890 {
			t.Errorf("the period from %s costs %d, want that of the other plan", start, minor)
		}
	}
}

// TestACancellationThatIsUndoneKeepsTheAnnouncedPrice: only a real end drops it.
func TestACancellationThatIsUndoneKeepsTheAnnouncedPrice(t *testing.T) {
	s := open(t)
	ada := s.Customer("ada")
	sub := s.subscription(s.Buy(ada, testapp.Cart{}))
	s.announce(nil)
	s.cancel(ada, sub.Id, "period_end")
	s.Want(http.StatusOK, s.post(ada, sub.Id, "keep", nil))
	s.days(75)
	if got := s.Record(collections.Subscriptions, sub.Id).GetInt64("amount_minor"); got != 590 {
		t.Errorf("the price is %d", got)
	}
}

// TestAnAnnouncementIsCalledOff after periods at the new price were invoiced
// ahead: they are invoiced anew at the old one, and who was told is told so.
func TestAnAnnouncementIsCalledOff(t *testing.T) {
	s := open(t)
	ada, ben := s.Customer("ada"), s.Customer("ben")
	o := s.Buy(ada, testapp.Cart{})
	s.Buy(ben, testapp.Cart{})
	second := collections.Time(s.subscription(o), "current_period_end").AddDate(0, 1, 0)
	id := s.announce(object{"effective_from": second.AddDate(0, 0, -1).Format(time.DateOnly)})
	s.days(int(second.Sub(s.Clock().Now()).Hours()/24) - 10)
	if got := s.charged(ada.Id); len(got) != 2 || got[s.priceFrom(o)] != 590 {
		t.Fatalf("charged %v, want the new price invoiced ahead from %s on", got, s.priceFrom(o))
	}
	paid := s.credit(ada.Id)
	path := "/api/v1/staff/price-announcements/" + id + "/cancel"
	if r := s.Do(http.MethodPost, path, s.Staff(), object{}); r.Status != http.StatusUnprocessableEntity {
		t.Errorf("without a reason: got %s", r)
	}
	for range 2 {
		s.Want(http.StatusOK, s.Do(http.MethodPost, path, s.Staff(), object{"reason": "we found the money"}))
		s.Quiet()
	}
	if got := s.announcement(id); got.Text("status") != "cancelled" || got.Int("progress.fell_away") != 2 || s.Count("audit_logs", "`action` = 'price.call_off'") != 1 {
		t.Errorf("got %s, want it off and one audit row", got)
	}
	for _, p := range []*testapp.Person{ada, ben} {
		if n := len(s.mailsAbout(p, "stays as it is")); n != 1 {
			t.Errorf("%s got %d mails that the price stays", p.Email, n)
		}
	}
	s.days(3)
	if got := s.credit(ada.Id) - paid; got != 100 {
		t.Errorf("%d came back, want the difference", got)
	}
	s.days(30)
	for _, sub := range []string{s.subscription(o).Id} {
		if got := s.Record(collections.Subscriptions, sub).GetInt64("amount_minor"); got != 490 {
			t.Errorf("the price is %d", got)
		}
	}
}

// TestAPriceInForceIsNotCalledOff refuses with the reason.
func TestAPriceInForceIsNotCalledOff(t *testing.T) {
	s := open(t)
	s.Buy(s.Customer("ada"), testapp.Cart{})
	id := s.announce(nil)
	s.days(33)
	before := s.Rows()
	if r := s.Do(http.MethodPost, "/api/v1/staff/price-announcements/"+id+"/cancel", s.Staff(), object{"reason": "too late"}); r.Status != http.StatusConflict || r.Code() != "in_force" {
		t.Errorf("got %s, want 409 in_force", r)
	}
	s.Unchanged(before)
}

// TestAnUnsentAnnouncementIsNotTakenBackByMail: nobody hears of a price that was
// called off before their mail went out.
func TestAnUnsentAnnouncementIsNotTakenBackByMail(t *testing.T) {
	s := open(t)
	ada := s.Customer("ada")
	s.Buy(ada, testapp.Cart{})
	s.Quiet()
	settings := s.Settings()
	settings.SMTP.Enabled = false
	id := s.Want(http.StatusAccepted, s.Do(http.MethodPost, s.announcePath(), s.Staff(), s.wantPrice(nil))).Text("id")
	s.Eventually("the announcement is made", func() bool { return s.announcement(id).Text("status") == "announced" })
	s.Want(http.StatusOK, s.Do(http.MethodPost, "/api/v1/staff/price-announcements/"+id+"/cancel", s.Staff(), object{"reason": "a mistake"}))
	s.Eventually("it is off", func() bool { return s.announcement(id).Text("status") == "cancelled" })
	settings.SMTP.Enabled = true
	before := len(s.Mails(ada.Email))
	s.Pass(2)
	if got := s.Mails(ada.Email)[before:]; len(got) != 0 {
		t.Errorf("%d mails once mail works again, the first %q", len(got), got[0].Subject)
	}
	if n := s.Count(collections.Mails, "`kind` LIKE 'price_change%' AND `status` = 'queued'"); n != 0 {
		t.Errorf("%d mails about the price wait for ever", n)
	}
}

// TestAHeldUpPeriodKeepsItsPrice makes up after an outage what began before the
// day at the old price.
func TestAHeldUpPeriodKeepsItsPrice(t *testing.T) {
	s := open(t)
	ada := s.Customer("ada")
	sub := s.subscription(s.Buy(ada, testapp.Cart{}))
	s.announce(nil)
	from := collections.Time(s.One("subscription_changes", dbx.HashExp{"subscription": sub.Id}), "effective_at")
	s.Clock().Advance(from.Sub(s.Clock().Now()) + 26*24*time.Hour) // nothing ran meanwhile
	s.run()
	s.run()
	got := s.charged(ada.Id)
	if len(got) != 3 {
		t.Errorf("periods: %v, want three", got)
	}
	for start, minor := range got {
		if want := map[bool]int64{true: 490, false: 590}[start < from.Format(time.DateOnly)]; minor != want {
			t.Errorf("the period from %s costs %d, want %d", start, minor, want)
		}
	}
	if got := s.Record(collections.Subscriptions, sub.Id).GetInt64("amount_minor"); got != 590 {
		t.Errorf("the price is %d", got)
	}
}

// TestDiscountsApplyToTheNewPrice keeps a coupon that holds for ever.
func TestDiscountsApplyToTheNewPrice(t *testing.T) {
	s := open(t)
	s.insert(collections.Coupons, object{"code": "HALF", "kind": "percent", "basis_points": 5000, "periods": 0, "status": "active"})
	ada := s.Customer("ada")
	body := s.Body(testapp.Cart{})
	body["coupons"], body["total_minor"] = []string{"HALF"}, 245
	o := testapp.ReadOrder(s.Want(http.StatusCreated, s.Do(http.MethodPost, "/api/v1/orders", ada.Token, body)))
	s.Pay(o)
	s.announce(nil)
	from := collections.Time(s.One("subscription_changes", dbx.HashExp{"subscription": s.subscription(o).Id}), "effective_at").Format(time.DateOnly)
	s.days(75)
	got := s.charged(ada.Id)
	if got[from] != 295 {
		t.Errorf("charged %v, want half of the new price from %s on", got, from)
	}
}

// TestAnOptionIsAddedWhileAPriceIsAnnounced: before the day at the old price, and
// the new one comes all the same.
func TestAnOptionIsAddedWhileAPriceIsAnnounced(t *testing.T) {
	for _, timing := range []string{"now", "period_end"} {
		t.Run(timing, func(t *testing.T) {
			s := openGroup(t)
			s.stockOptions()
			ada := s.Customer("ada")
			o := s.Buy(ada, testapp.Cart{})
			sub := s.subscription(o)
			s.announce(nil)
			from := collections.Time(s.One("subscription_changes", dbx.HashExp{"subscription": sub.Id}), "effective_at")
			s.days(int(from.Sub(s.Clock().Now()).Hours()/24) - 5) // the next period is invoiced ahead at the new price
			s.agree(ada, sub.Id, object{"timing": timing, "options": object{"ip": object{"quantity": 1}}})
			v := s.Want(http.StatusOK, s.Do(http.MethodGet, "/api/v1/subscriptions/"+sub.Id, ada.Token, nil))
			if v.Int("unit_price.minor") != 490 || v.Int("next_invoice.total.minor") != 590+150 {
				t.Errorf("got %s, want the old price now and the new one in the next invoice", v)
			}
			s.days(40)
			first := map[string]int64{"now": 590 + 150, "period_end": 590}[timing] // what is paid ahead stays as it is
			got := s.charged(ada.Id)
			later := slices.Max(slices.Collect(maps.Keys(got)))
			if got[s.priceFrom(o)] != first || got[later] != 590+150 || s.Record(collections.Subscriptions, sub.Id).GetInt64("amount_minor") != 590 {
				t.Errorf("charged %v, want %d from %s and the new price with the option from %s", got, first, s.priceFrom(o), later)
			}
		})
	}
}

// TestHoursCostTheNewPriceFromTheirMonthOn changes the hour and the cap.
func TestHoursCostTheNewPriceFromTheirMonthOn(t *testing.T) {
	s := open(t)
	price := s.insert(collections.PlanPrices, object{"plan": s.Plan("vps-s").Id, "currency": "EUR", "cycle": "hourly", "amount_minor": 1, "active": true})
	ada := s.Customer("ada")
	o := testapp.ReadOrder(s.Want(http.StatusCreated, s.Do(http.MethodPost, "/api/v1/orders", ada.Token, object{
		"client_key": "by-the-hour", "gateway": "stripe", "currency": "EUR", "total_minor": 0, "terms": true, "items": []any{object{"price": price.Id, "choices": object{"template_id": "8"}}},
	})))
	sub := s.subscription(o)
	s.Want(http.StatusAccepted, s.Do(http.MethodPost, "/api/v1/staff/prices/"+price.Id+"/announcements", s.Staff(), object{"client_key": "hours-by-2", "amount_minor": 2, "cap_minor": 700, "effective_from": s.day(32)}))
	s.Quiet()
	from := collections.Time(s.One("subscription_changes", dbx.HashExp{"subscription": sub.Id}), "effective_at")
	if month := billing.CalendarMonth(from); !month.Start.Equal(from) {
		t.Fatalf("the price begins on %s, want the start of a month", from)
	}
	s.Clock().Advance(from.AddDate(0, 1, 0).Add(time.Hour).Sub(s.Clock().Now()))
	s.run()
	all := s.renewed(ada.Id)
	lines := s.lines(all[len(all)-1].Id)
	for i, l := range append(lines[:0:0], lines...) {
		start, hours := collections.Time(l, "period_start"), l.GetInt64("quantity")
		want := min(hours, 490)
		if !start.Before(from) {
			want = min(hours*2, 700)
		}
		if l.GetInt64("amount_minor") != want {
			t.Errorf("line %d from %s: %d for %d hours, want %d", i, start, l.GetInt64("amount_minor"), hours, want)
		}
	}
	if fresh := s.Record(collections.Subscriptions, sub.Id); fresh.GetInt64("amount_minor") != 2 || fresh.GetInt64("cap_minor") != 700 {
		t.Errorf("an hour costs %d, at most %d a month", fresh.GetInt64("amount_minor"), fresh.GetInt64("cap_minor"))
	}
}
