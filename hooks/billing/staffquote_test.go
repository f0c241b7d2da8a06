package billing_test

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

// draft is a quote as staff writes it in the admin area.
func (s shop) draft(to *testapp.Person, items []object, more object) *testapp.Answer {
	s.Helper()
	fields := with(object{"user": to.Id, "title": "Two servers", "status": "draft", "currency": "EUR", "items": items, "note": "As discussed."}, more)
	return s.Do(http.MethodPost, "/api/collections/quotes/records", s.Staff(), fields)
}

func (s shop) sent(to *testapp.Person, items []object, more object) string {
	s.Helper()
	id := s.Want(http.StatusOK, s.draft(to, items, more)).Text("id")
	s.Want(http.StatusOK, s.Do(http.MethodPost, "/api/v1/staff/quotes/"+id+"/send", s.Staff(), object{}))
	return id
}

func (s shop) accept(by *testapp.Person, id string, total int64) *testapp.Answer {
	s.Helper()
	return s.Do(http.MethodPost, "/api/v1/quotes/"+id+"/accept", by.Token, object{"gateway": "manual", "terms": true, "total_minor": total})
}

// TestD10AQuoteIsOrderedAtItsOwnPrices: what was sent is what is ordered and what
// the subscription keeps, whatever becomes of the catalog.
func TestD10AQuoteIsOrderedAtItsOwnPrices(t *testing.T) {
	s := newShop(t)
	s.tax(nil)
	ada := s.Customer("ada")
	rows := []object{
		s.row("vps-m", "monthly", object{"quantity": 2, "unit_minor": 700, "setup_minor": 0, "options": object{"ip": object{"quantity": 2, "unit_minor": 100}, "backup": object{"quantity": 1}}}),
		s.row("vps-s", "monthly", nil),
	}
	id := s.sent(ada, rows, nil)
	const net = 2*(700+200+299) + 490
	total := int64(net + 2*(133+38+57) + 93)
	shown := s.Want(http.StatusOK, s.Do(http.MethodGet, "/api/v1/quotes/"+id, ada.Token, nil))
	if shown.Int("total.minor") != total || shown.Int("price.subtotal.minor") != net || shown.Text("status") != "sent" || shown.Int("price.recurring.0.amount.minor") != total {
		t.Errorf("shown: %s, want a total of %d", shown, total)
	}
	s.Eventually("the quote is mailed", func() bool { return len(s.Mails(ada.Email)) > 0 })
	for _, p := range []string{"vps-m", "vps-s"} {
		s.change(s.Price(p, "EUR", "monthly"), object{"amount_minor": 99_900, "active": false})
	}
	s.change(s.One(collections.OptionPrices, dbx.HashExp{"option": s.One(collections.PlanOptions, dbx.HashExp{"name": "backup"}).Id}), object{"amount_minor": 99_900})
	refused(t, "another total than was shown", s.accept(ada, id, total-1), 409, "", "price_changed")
	o := testapp.ReadOrder(s.Want(http.StatusCreated, s.accept(ada, id, total)))
	if got, want := s.invoiced(o.Invoice), "period 700, option 200, option 299, period 700, option 200, option 299, period 490"; got != want {
		t.Errorf("invoice: got %s, want %s", got, want)
	}
	for plan, want := range map[string]int{"vps-m": 700, "vps-s": 490} {
		if got := s.One(collections.Subscriptions, dbx.HashExp{"plan": s.Plan(plan).Id}).GetInt("amount_minor"); got != want {
			t.Errorf("%s renews at %d, want %d", plan, got, want)
		}
	}
	if it := s.One(collections.SubscriptionItems, dbx.HashExp{"name": "backup"}); it.GetInt("unit_minor") != 299 {
		t.Errorf("the backup renews at %d, want 299", it.GetInt("unit_minor"))
	}
	order, quote := s.Record(collections.Orders, o.ID), s.Record(collections.Quotes, id)
	if order.GetString("quote") != id || order.GetString("review") != "none" || quote.GetString("status") != "accepted" || quote.GetString("order") != o.ID {
		t.Errorf("order of quote %q, review %s; quote %s with order %q", order.GetString("quote"), order.GetString("review"), quote.GetString("status"), quote.GetString("order"))
	}
}

// TestA9AQuoteBecomesOneOrder accepts one ten times at once, and declines it.
func TestA9AQuoteBecomesOneOrder(t *testing.T) {
	s := newShop(t)
	ada := s.Customer("ada")
	id := s.sent(ada, []object{s.row("vps-few", "monthly", object{"unit_minor": 1000})}, nil)
	answers, wg := make([]*testapp.Answer, 10), sync.WaitGroup{}
	for i := range answers {
		wg.Go(func() {
			answers[i], _ = s.Try(http.MethodPost, "/api/v1/quotes/"+id+"/accept", ada.Token, object{"gateway": "manual", "terms": true, "total_minor": 1000})
		})
	}
	wg.Wait()
	orders := map[string]bool{}
	for _, r := range answers {
		orders[s.Want(http.StatusCreated, r).Text("order.id")] = true
	}
	if len(orders) != 1 || s.Count("orders", "") != 1 || s.Plan("vps-few").GetInt("stock") != 2 {
		t.Errorf("%d orders, stock %d; want one and 2", s.Count("orders", ""), s.Plan("vps-few").GetInt("stock"))
	}
	refused(t, "declining it now", s.Do(http.MethodPost, "/api/v1/quotes/"+id+"/decline", ada.Token, object{}), 409, "", "quote_closed")
	refused(t, "its key for another order", s.try(ada, with(cart(s.row("vps-s", "monthly", nil)), object{"client_key": "quote:" + id}), 490), 422, "client_key", "invalid")
}

func TestAQuoteEnds(t *testing.T) {
	s := newShop(t)
	ada, eve := s.Customer("ada"), s.Customer("eve")
	row := []object{s.row("vps-s", "monthly", nil)}
	draft := s.Want(http.StatusOK, s.draft(ada, row, nil)).Text("id")
	refused(t, "a draft, shown", s.Do(http.MethodGet, "/api/v1/quotes/"+draft, ada.Token, nil), 404, "", "not_found")
	refused(t, "a draft, accepted", s.accept(ada, draft, 490), 404, "", "not_found")
	id := s.sent(ada, row, object{"valid_until": collections.Stamp(s.Clock().Now().Add(48 * time.Hour))})
	refused(t, "somebody else's", s.accept(eve, id, 490), 404, "", "not_found")
	list := s.Want(http.StatusOK, s.Do(http.MethodGet, "/api/v1/quotes", ada.Token, nil))
	if list.Len("items") != 1 || list.Text("items.0.id") != id || s.Want(http.StatusOK, s.Do(http.MethodGet, "/api/v1/quotes", eve.Token, nil)).Len("items") != 0 {
		t.Errorf("the list is %s", list)
	}
	declined := s.sent(ada, row, nil)
	for range 2 {
		if r := s.Want(http.StatusOK, s.Do(http.MethodPost, "/api/v1/quotes/"+declined+"/decline", ada.Token, object{})); r.Text("status") != "declined" {
			t.Errorf("declined: %s", r)
		}
	}
	refused(t, "a declined one", s.accept(ada, declined, 490), 409, "", "quote_closed")
	s.Clock().Advance(49 * time.Hour)
	refused(t, "one that is too old", s.accept(ada, id, 490), 409, "", "quote_expired")
	s.Eventually("the quote has expired", func() bool { return s.Record(collections.Quotes, id).GetString("status") == "expired" })
	s.Want(http.StatusOK, s.Do(http.MethodPatch, "/api/collections/quotes/records/"+id, s.Staff(), object{"status": "sent", "valid_until": collections.Stamp(s.Clock().Now().Add(48 * time.Hour))}))
	s.Want(http.StatusCreated, s.accept(ada, id, 490))
	if n := s.Count("mails", "`kind` = 'quote_sent' AND `user` = '"+ada.Id+"'"); n != 3 {
		t.Errorf("%d mails, want one each time a quote was sent", n)
	}
}

func TestQuotesThatCannotBeOrderedAreRefusedInWords(t *testing.T) {
	s := newShop(t)
	ada, usd := s.Customer("ada"), s.Customer("usd")
	s.change(usd.Record, object{"currency": "USD"})
	row := func(more object) []object { return []object{s.row("vps-m", "monthly", more)} }
	scenarios := []struct {
		name  string
		to    *testapp.Person
		items []object
		more  object
		word  string
	}{
		{"nothing", ada, []object{}, nil, "items"},
		{"a price that is not there", ada, row(object{"price": "nosuchprice1234"}), nil, "items.0.price"},
		{"a missing choice", ada, row(object{"choices": object{}}), nil, "items.0.choices.template_id"},
		{"an option that is not offered", ada, row(object{"options": object{"gpu": object{"quantity": 1}}}), nil, "items.0.options.gpu"},
		{"a price below zero", ada, row(object{"unit_minor": -1}), nil, "items"},
		{"a price past every bound", ada, row(object{"unit_minor": int64(1e13)}), nil, "items"},
		{"a price with decimals", ada, row(object{"unit_minor": 4.9}), nil, "items"},
		{"a mistyped member", ada, row(object{"unit": 900}), nil, "items"},
		{"another currency than the price", ada, row(nil), object{"currency": "USD"}, "items.0.price"},
		{"another currency than the customer's", usd, row(nil), nil, "currency"},
		{"sent before it is a draft", ada, row(nil), object{"status": "sent"}, "status"},
		{"accepted by staff", ada, row(nil), object{"status": "accepted"}, "status"},
		{"no title", ada, row(nil), object{"title": ""}, "title"},
	}
	for _, sc := range scenarios {
		r := s.draft(sc.to, sc.items, sc.more)
		if r.Status != http.StatusBadRequest || !strings.Contains(strings.ToLower(string(r.Body)), sc.word) {
			t.Errorf("%s: got %s, want 400 that names %s", sc.name, r, sc.word)
		}
	}
	id := s.sent(ada, row(nil), nil)
	for field, value := range map[string]any{"items": row(object{"unit_minor": 1}), "user": usd.Id, "status": "accepted", "title": "Other"} {
		if r := s.Do(http.MethodPatch, "/api/collections/quotes/records/"+id, s.Staff(), object{field: value}); r.Status != http.StatusBadRequest || !strings.Contains(strings.ToLower(string(r.Body)), field) {
			t.Errorf("%s of a sent quote: got %s, want 400 that names it", field, r)
		}
	}
	if r := s.Do(http.MethodPatch, "/api/collections/quotes/records/"+id, s.Staff(), object{"total_minor": 1, "order": "x"}); s.Record(collections.Quotes, id).GetInt("total_minor") != 1490 {
		t.Errorf("staff set the total: %s", r)
	}
	if r := s.Do(http.MethodDelete, "/api/collections/quotes/records/"+id, s.Staff(), nil); r.Status != http.StatusBadRequest {
		t.Errorf("delete of a sent quote: got %s, want 400", r)
	}
	late := s.Want(http.StatusOK, s.draft(ada, row(nil), object{"valid_until": "2020-01-01 00:00:00.000Z"})).Text("id")
	if r := s.Do(http.MethodPost, "/api/v1/staff/quotes/"+late+"/send", s.Staff(), object{}); r.Status != http.StatusBadRequest || !strings.Contains(strings.ToLower(r.Text("detail")), "valid_until") {
		t.Errorf("sent after its end: got %s, want 400 that names valid_until", r)
	}
}
