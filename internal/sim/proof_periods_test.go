package sim

import (
	"strings"
	"testing"
)

// subscriber is a customer who bought one subscription, in good weather.
type subscriber struct {
	*world
	t            *testing.T
	person       *person
	subscription string
}

// subscribe lets somebody order a plan by the month and pay for it.
func subscribe(t *testing.T, slug string) *subscriber {
	t.Helper()
	w, err := newWorld(Options{Seed: 1, Customers: 1, Dir: t.TempDir(), Public: public})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.close() })
	h := &subscriber{world: w, t: t}
	h.must(w.signUp())
	h.person, w.agenda = w.people[0], agenda{}
	h.person.number = 4 // one who pays
	w.agenda.addTrouble(start.Add(tick), w.timed)
	price, err := w.price(slug, "monthly")
	h.must(err)
	items := []any{map[string]any{"price": price, "quantity": 1, "hostname": "web-1.test"}}
	total, err := w.quote(h.person, items, &[]string{})
	h.must(err)
	made := h.post("/api/v1/orders", map[string]any{"client_key": "the-order", "gateway": "stripe", "currency": "EUR", "terms": true, "total_minor": total, "items": items})
	h.must(w.payInvoice(h.person, made.str("order.invoice.id")))
	h.must(w.app.DB().NewQuery("SELECT `id` FROM `subscriptions`").Row(&h.subscription))
	return h
}

func (h *subscriber) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// post is a request that has to be done.
func (h *subscriber) post(path string, body any) reply {
	h.t.Helper()
	r, ok, err := h.press(path, h.person.token, body)
	if err != nil || !ok {
		h.t.Fatalf("%s: %s, %v", path, r.text, err)
	}
	return r
}

// days pass; nobody does anything new.
func (h *subscriber) days(n int) {
	h.t.Helper()
	for range n {
		h.must(h.day(true))
		h.must(h.prove(false))
	}
}

// change agrees a change at once, at the price of its preview, and names its invoice.
func (h *subscriber) change(slug, cycle string) string {
	h.t.Helper()
	price, err := h.price(slug, cycle)
	h.must(err)
	wish, base := map[string]any{"timing": "now", "price": price}, "/api/v1/subscriptions/"+h.subscription+"/changes"
	shown := h.post(base+"/preview", wish)
	wish["client_key"], wish["total_minor"], wish["credit_minor"] = h.key(), shown.at("total.minor"), shown.at("credit.minor")
	made := h.post(base, wish)
	h.changed[h.subscription] = append(h.changed[h.subscription], h.clock.world())
	return made.str("invoice_id")
}

// TestAnOfferedChangeStandsBesideWhatIsInvoicedAhead changes to another cycle when
// the next month is invoiced, which bills the same days as long as nobody pays.
// Once the change is paid, what was invoiced ahead has to be gone.
func TestAnOfferedChangeStandsBesideWhatIsInvoicedAhead(t *testing.T) {
	const law = "each period of a subscription is billed once"
	h := subscribe(t, "vps-s")
	h.days(20)
	ahead, err := h.open(h.person)
	h.must(err)
	change := h.change("vps-s", "quarterly")
	if both, err := h.open(h.person); err != nil || len(ahead) != 1 || len(both) != 2 {
		t.Fatalf("open are %v and then %v, %v; want the next month and then the change, too", ahead, both, err)
	}
	h.must(h.prove(true))
	h.must(h.prove(false))

	h.must(h.payInvoice(h.person, change))
	h.must(h.day(true))
	if left, err := h.open(h.person); err != nil || len(left) != 0 {
		t.Errorf("open are %v, %v; want none once the change is paid", left, err)
	}
	h.statements(t, []string{"DROP TRIGGER `guard_invoice_items_UPDATE`", "UPDATE `invoice_items` SET `live` = TRUE WHERE `invoice` = '" + ahead[0] + "'"})
	if broken := h.prove(false); broken == nil || !strings.Contains(broken.Error(), law) {
		t.Errorf("got %v when the next month was not taken back, want that it breaks %q", broken, law)
	}
	h.statements(t, []string{"UPDATE `invoice_items` SET `live` = FALSE WHERE `invoice` = '" + ahead[0] + "'"})
	h.must(h.prove(true))
}

// TestAnOfferedChangeStandsBesideWhatIsOwed changes plan when the month that runs is
// invoiced and not paid: what is left of it is taken back once the change is paid.
func TestAnOfferedChangeStandsBesideWhatIsOwed(t *testing.T) {
	const law = "each period of a subscription is billed once"
	h := subscribe(t, "vps-s")
	h.days(2)
	// Invoiced late, it is due some days after its month began.
	h.statements(t, []string{"UPDATE `subscriptions` SET `next_invoice_at` = datetime(`current_period_end`, '-2 days') || '.000Z'"})
	h.days(31)
	change := h.change("vps-m", "monthly")
	if both, err := h.open(h.person); err != nil || len(both) != 2 {
		t.Fatalf("open are %v, %v; want the month that runs and the change", both, err)
	}
	h.must(h.prove(true))
	h.must(h.prove(false))

	h.must(h.payInvoice(h.person, change))
	h.must(h.day(true))
	h.statements(t, []string{"DROP TRIGGER `guard_invoice_items_UPDATE`", "UPDATE `invoice_items` SET `credited_minor` = 0 WHERE `invoice` != '" + change + "'"})
	if broken := h.prove(false); broken == nil || !strings.Contains(broken.Error(), law) {
		t.Errorf("got %v when nothing of the month was taken back, want that it breaks %q", broken, law)
	}
}
