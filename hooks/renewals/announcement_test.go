package renewals_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/mailbox"
	"github.com/ezscale/ezscale/internal/testapp"
)

// day is the date so many days from now.
func (s *shop) day(n int) string { return s.Clock().Now().UTC().AddDate(0, 0, n).Format(time.DateOnly) }

// wantPrice announces 5.90 for vps-s by the month, with more or other members.
func (s *shop) wantPrice(more object) object {
	s.Helper()
	body := object{"client_key": core.GenerateDefaultRandomId(), "amount_minor": 590, "effective_from": s.day(32)}
	for k, v := range more {
		body[k] = v
	}
	return body
}

func (s *shop) announcePath() string {
	s.Helper()
	return "/api/v1/staff/prices/" + s.Price("vps-s", "EUR", "monthly").Id + "/announcements"
}

// announce announces a price to customers with credit and waits until everybody
// is told.
func (s *shop) announce(more object) string {
	s.Helper()
	s.enrich()
	id := s.Want(http.StatusAccepted, s.Do(http.MethodPost, s.announcePath(), s.Staff(), s.wantPrice(more))).Text("id")
	s.Quiet()
	if got := s.announcement(id); got.Text("status") != "announced" {
		s.Fatalf("the announcement has not come to its end: %s", got)
	}
	return id
}

func (s *shop) announcement(id string) *testapp.Answer {
	s.Helper()
	return s.Want(http.StatusOK, s.Do(http.MethodGet, "/api/v1/staff/price-announcements/"+id, s.Staff(), nil))
}

// mailsAbout are a person's mails whose subject has a word.
func (s *shop) mailsAbout(to *testapp.Person, word string) []mailbox.Message {
	s.Helper()
	return slices.DeleteFunc(s.Mails(to.Email), func(m mailbox.Message) bool { return !strings.Contains(m.Subject, word) })
}

// charged lists what the renewals of a customer come to, less what was credited of
// them, by the start of their period.
func (s *shop) charged(user string) map[string]int64 {
	s.Helper()
	out := map[string]int64{}
	for _, i := range s.renewed(user) {
		if i.GetString("status") == "void" {
			continue
		}
		start := ""
		for _, l := range s.lines(i.Id) {
			if at := collections.Time(l, "period_start"); !at.IsZero() {
				start = at.Format(time.DateOnly)
			}
			out[start] += l.GetInt64("net_minor") - l.GetInt64("credited_minor")
		}
	}
	return out
}

// TestD10ANewPriceIsAnnouncedAndThenCounts is the whole story: a preview that
// changes nothing, one mail to each customer in their language, the price shown
// wherever they look, the old price for what begins before the day and the new one
// for what begins later.
func TestD10ANewPriceIsAnnouncedAndThenCounts(t *testing.T) {
	s := open(t)
	ada, eva := s.Customer("ada"), s.Customer("eva")
	s.set(s.Record(collections.Users, eva.Id), object{"locale": "de"})
	o := s.Buy(ada, testapp.Cart{})
	s.Buy(eva, testapp.Cart{})
	s.Buy(eva, testapp.Cart{Plan: "vps-m"})
	s.enrich()
	s.Quiet()
	before := s.Rows()
	body := s.wantPrice(nil)
	key := body["client_key"]
	delete(body, "client_key")
	shown := s.Want(http.StatusOK, s.Do(http.MethodPost, s.announcePath()+"/preview", s.Staff(), body))
	if shown.Int("customers") != 2 || shown.Int("subscriptions") != 2 || shown.Int("before.minor") != 980 || shown.Int("after.minor") != 1180 || shown.Text("per") != "month" {
		t.Fatalf("preview: got %s", shown)
	}
	s.Unchanged(before)
	body["client_key"] = key
	made := s.Want(http.StatusAccepted, s.Do(http.MethodPost, s.announcePath(), s.Staff(), body))
	s.Quiet()
	again := s.Want(http.StatusAccepted, s.Do(http.MethodPost, s.announcePath(), s.Staff(), body))
	s.Quiet()
	if again.Text("id") != made.Text("id") || again.Int("progress.told") != 2 || again.Int("progress.scheduled") != 2 || s.Count("subscription_changes", "`kind` = 'price'") != 2 {
		t.Fatalf("announced again: got %s after %s", again, made)
	}
	if n := s.Count("audit_logs", "`action` = 'price.announce'"); n != 1 {
		t.Errorf("%d audit rows", n)
	}
	sub := s.subscription(o)
	from := collections.Time(s.One("subscription_changes", dbx.HashExp{"subscription": sub.Id}), "effective_at")
	english, german := s.mailsAbout(ada, "price of"), s.mailsAbout(eva, "Der Preis von")
	if len(english) != 1 || !strings.Contains(english[0].Text, "€5.90") || !strings.Contains(english[0].Text, "€4.90") || !strings.Contains(english[0].Text, "cancel it in the portal") || !strings.Contains(english[0].Text, from.Format("2 January 2006")) {
		t.Errorf("ada's mails: %+v, want one with both prices, the day and how to cancel", english)
	}
	if len(german) != 1 || !strings.Contains(german[0].Text, "5,90 €") || !strings.Contains(german[0].Text, "4,90 €") || !strings.Contains(german[0].Text, "kündigen") {
		t.Errorf("eva's mails: %+v, want one in German", german)
	}
	s.shows(ada, sub, from)
	for _, path := range []string{"/api/v1/subscriptions/" + sub.Id, "/api/v1/services/" + s.Service(o).Id + "/why"} {
		s.Want(http.StatusNotFound, s.Do(http.MethodGet, path, eva.Token, nil))
	}
	if r := s.Do(http.MethodGet, "/api/collections/price_announcements/records", ada.Token, nil); r.Status != http.StatusForbidden {
		t.Errorf("a customer lists announcements: %s", r)
	}
	s.days(int(from.Sub(s.Clock().Now()).Hours()/24) - 1) // invoiced ahead at the new price, which the running period knows nothing of
	if got := s.subscription(o).GetInt64("amount_minor"); got != 490 {
		t.Errorf("the price is %d before its day", got)
	}
	s.days(40)
	if got := s.subscription(o).GetInt64("amount_minor"); got != 590 {
		t.Errorf("the price is %d after its day", got)
	}
	for start, minor := range s.charged(ada.Id) {
		want := int64(490)
		if start >= from.Format(time.DateOnly) {
			want = 590
		}
		if minor != want {
			t.Errorf("the period from %s costs %d, want %d", start, minor, want)
		}
	}
	if got := s.announcement(made.Text("id")); got.Int("progress.applied") != 2 {
		t.Errorf("progress: %s", got)
	}
}

// shows checks that a customer sees the announced price wherever they look.
func (s *shop) shows(by *testapp.Person, sub *core.Record, from time.Time) {
	s.Helper()
	at := from.Format(time.RFC3339)
	v := s.Want(http.StatusOK, s.Do(http.MethodGet, "/api/v1/subscriptions/"+sub.Id, by.Token, nil))
	if v.Int("price_change.unit_price.minor") != 590 || !strings.HasPrefix(v.Text("price_change.from"), at[:19]) || v.Int("unit_price.minor") != 490 {
		s.Errorf("subscription: got %s", v)
	}
	svc := s.One(collections.Services, dbx.HashExp{"subscription": sub.Id})
	v = s.Want(http.StatusOK, s.Do(http.MethodGet, "/api/v1/services/"+svc.Id, by.Token, nil))
	if v.Int("price.minor") != 490 || v.Int("price_change.price.minor") != 590 {
		s.Errorf("service: got %s", v)
	}
	v = s.Want(http.StatusOK, s.Do(http.MethodGet, "/api/v1/services/"+svc.Id+"/why", by.Token, nil))
	if !strings.Contains(string(v.Body), "The price changes from €4.90 to €5.90") {
		s.Errorf("why: got %s", v)
	}
}

func TestANewPriceNeedsNotice(t *testing.T) {
	s := open(t)
	s.Buy(s.Customer("ada"), testapp.Cart{})
	before := s.Rows()
	scenarios := []struct {
		name  string
		more  object
		field string
	}{
		{"tomorrow", object{"effective_from": s.day(1)}, "effective_from"},
		{"a day short", object{"effective_from": s.day(29)}, "effective_from"},
		{"on the thirtieth day, which has begun", object{"effective_from": s.day(30)}, "effective_from"},
		{"in ten years", object{"effective_from": s.day(3650)}, "effective_from"},
		{"on no day", object{"effective_from": "2027-02-30"}, "effective_from"},
		{"below zero", object{"amount_minor": -1}, "amount_minor"},
		{"amount and catalog", object{"catalog": true}, "amount_minor"},
		{"neither", object{"amount_minor": nil}, "amount_minor"},
		{"a cap by the month", object{"cap_minor": 100}, "cap_minor"},
		{"an unknown scope", object{"scope": "all"}, "scope"},
		{"no key", object{"client_key": ""}, "client_key"},
	}
	for _, c := range scenarios {
		r := s.Do(http.MethodPost, s.announcePath(), s.Staff(), s.wantPrice(c.more))
		if r.Status != http.StatusUnprocessableEntity || !slices.Contains(r.Fields(), c.field) {
			t.Errorf("%s: got %s, want 422 about %s", c.name, r, c.field)
		}
	}
	if r := s.Do(http.MethodPost, s.announcePath(), s.Staff(), s.wantPrice(object{"amount_minor": 490})); r.Code() != "nobody" {
		t.Errorf("the price they have: got %s", r)
	}
	s.Unchanged(before)
	if err := collections.SaveSetting(s.App, "invoicing", object{"notice_days": 60}); err != nil {
		t.Fatal(err)
	}
	r := s.Do(http.MethodPost, s.announcePath(), s.Staff(), s.wantPrice(nil))
	if r.Status != http.StatusUnprocessableEntity || !strings.Contains(r.Text("detail"), s.day(61)) {
		t.Errorf("got %s, want the first possible day %s", r, s.day(61))
	}
}

// TestAnnouncingIsCutOffAndGoesOn cuts announcing off in the middle of a commit,
// then goes on twice at once: everybody is told once.
func TestAnnouncingIsCutOffAndGoesOn(t *testing.T) {
	s := open(t)
	people := []*testapp.Person{}
	for _, name := range []string{"ada", "ben", "cleo", "dora", "emil"} {
		p := s.Customer(name)
		people = append(people, p)
		s.Buy(p, testapp.Cart{Quantity: 2})
	}
	row := s.insert(collections.PriceAnnouncements, object{
		"price": s.Price("vps-s", "EUR", "monthly").Id, "scope": "price", "client_key": "cut-off-1", "amount_minor": 590, "currency": "EUR", "cycle": "monthly", "effective_from": s.day(32) + " 00:00:00.000Z",
		"notice_days": 30, "exclude": []string{}, "status": "running", "at": collections.Stamp(s.Clock().Now()),
	})
	told := map[string]int{}
	mu := sync.Mutex{}
	power := true
	s.renewals.PriceMail = func(_ core.App, _, user string, _ bool) error {
		mu.Lock()
		defer mu.Unlock()
		if power && len(told) == 3 {
			return errors.New("the power fails")
		}
		told[user]++
		return nil
	}
	for range 3 { // a customer each; the fourth is cut off
		if _, err := s.renewals.AnnounceBatch(s.App, row.Id, 1); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.renewals.AnnounceBatch(s.App, row.Id, 1); err == nil {
		t.Fatal("the power did not fail")
	}
	if n := s.Count("subscription_changes", "`kind` = 'price'"); n != 6 {
		t.Errorf("%d new prices, want the 6 of the commits that were made", n)
	}
	power = false
	group := sync.WaitGroup{}
	for range 3 {
		group.Go(func() {
			for more := true; more; {
				var err error
				if more, err = s.renewals.AnnounceBatch(s.App, row.Id, 1); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	for _, p := range people {
		if told[p.Id] != 1 {
			t.Errorf("%s was told %d times", p.Email, told[p.Id])
		}
	}
	if n := s.Count("subscription_changes", "`kind` = 'price' AND `status` = 'scheduled'"); n != 10 || s.Record(collections.PriceAnnouncements, row.Id).GetString("status") != "announced" {
		t.Errorf("%d new prices, want 10", n)
	}
}

// TestTwoServicesOfACustomerShareAMail names both prices in it.
func TestTwoServicesOfACustomerShareAMail(t *testing.T) {
	s := open(t)
	ada := s.Customer("ada")
	s.Buy(ada, testapp.Cart{Hostname: "a.example.com"})
	s.Clock().Advance(3 * 24 * time.Hour)
	second := s.Buy(ada, testapp.Cart{Hostname: "b.example.com"})
	s.set(s.subscription(second), object{"amount_minor": 300}) // agreed with this customer
	s.announce(nil)
	mails := s.mailsAbout(ada, "prices of your services")
	if len(mails) != 1 || !strings.Contains(mails[0].Text, "€3.00") || !strings.Contains(mails[0].Text, "€4.90") || !strings.Contains(mails[0].Text, "€5.90") {
		t.Errorf("got %+v, want one mail that names all prices", mails)
	}
}

// TestWhomANewPriceDoesNotConcern counts who is left out, each with the reason,
// and moves the others to the catalog's price.
func TestWhomANewPriceDoesNotConcern(t *testing.T) {
	s := open(t)
	buy := func(name string) *core.Record { return s.subscription(s.Buy(s.Customer(name), testapp.Cart{})) }
	moved, excluded, ending, gateway, same := buy("ada"), buy("ben"), buy("cleo"), buy("dora"), buy("emil")
	s.enrich()
	old := s.Price("vps-s", "EUR", "monthly")
	s.set(old, object{"active": false})
	fresh := s.insert(collections.PlanPrices, object{"plan": old.GetString("plan"), "currency": "EUR", "cycle": "monthly", "amount_minor": 690, "active": true})
	s.set(same, object{"price": fresh.Id, "amount_minor": 690})
	s.set(gateway, object{"billing_owner": "gateway"})
	s.Want(http.StatusOK, s.Do(http.MethodPost, "/api/v1/staff/subscriptions/"+ending.Id+"/cancel", s.Staff(), object{"at": "period_end", "client_key": "ending-1"}))
	path := "/api/v1/staff/prices/" + old.Id + "/announcements"
	body := object{"catalog": true, "scope": "plan", "effective_from": s.day(32), "exclude": []string{excluded.GetString("user")}}
	shown := s.Want(http.StatusOK, s.Do(http.MethodPost, path+"/preview", s.Staff(), body))
	if shown.Int("subscriptions") != 1 || shown.Int("amount.minor") != 690 || shown.Int("skipped.excluded") != 1 || shown.Int("skipped.ending") != 1 || shown.Int("skipped.gateway") != 1 || shown.Int("skipped.same") != 1 {
		t.Fatalf("preview: got %s", shown)
	}
	body["client_key"] = "to-the-catalog"
	s.Want(http.StatusAccepted, s.Do(http.MethodPost, path, s.Staff(), body))
	s.Quiet()
	delete(body, "client_key")
	if shown = s.Want(http.StatusOK, s.Do(http.MethodPost, path+"/preview", s.Staff(), body)); shown.Int("skipped.announced") != 1 || shown.Int("subscriptions") != 0 {
		t.Errorf("preview of what is announced: got %s", shown)
	}
	s.set(s.Record(collections.Subscriptions, gateway.Id), object{"billing_owner": "platform"})
	s.days(75)
	if got := s.Record(collections.Subscriptions, moved.Id); got.GetInt64("amount_minor") != 690 || got.GetString("price") != fresh.Id {
		t.Errorf("%d at %s, want the catalog's price", got.GetInt64("amount_minor"), got.GetString("price"))
	}
	if got := s.Record(collections.Subscriptions, excluded.Id).GetInt64("amount_minor"); got != 490 {
		t.Errorf("who was left out pays %d", got)
	}
}
