package stripebox

import (
	"fmt"
	"net/http"
	"time"
)

// subscription is one that Stripe bills by its own calendar. None can be created
// through the API here, as our client creates none: AddSubscription imports one.
type subscription struct {
	id, customer, method, currency, price, status, latest string
	unit, quantity                                        int64
	anchor                                                time.Time
	periods                                               int // begun so far, the first included
	months                                                int // of a period
	atEnd                                                 bool
	paused, comment                                       string
	created, canceled, ended                              int64
	metadata                                              map[string]string
}

// boundary is the end of period n, counted from 1: the anchor's day of the month,
// or the month's last.
func (s *subscription) boundary(n int) int64 {
	first := time.Date(s.anchor.Year(), s.anchor.Month()+time.Month(n*s.months), 1, s.anchor.Hour(), s.anchor.Minute(), s.anchor.Second(), 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(s.anchor.Day(), last)-1).Unix()
}

func (s *subscription) render() object {
	price := object{
		"id": s.price, "object": "price", "currency": s.currency, "unit_amount": s.unit, "type": "recurring", "active": true, "product": "prod_sandbox", "livemode": false,
		"recurring": object{"interval": "month", "interval_count": s.months, "usage_type": "licensed"},
	}
	item := object{"id": "si_" + s.id[4:], "object": "subscription_item", "price": price, "quantity": s.quantity, "subscription": s.id, "metadata": object{}, "created": s.created}
	o := object{
		"id": s.id, "object": "subscription", "status": s.status, "customer": s.customer, "currency": s.currency, "livemode": false, "metadata": s.metadata,
		"created": s.created, "start_date": s.created, "billing_cycle_anchor": s.anchor.Unix(), "collection_method": "charge_automatically",
		"current_period_start": s.boundary(s.periods - 1), "current_period_end": s.boundary(s.periods), "cancel_at_period_end": s.atEnd, "cancel_at": nil, "canceled_at": nil, "ended_at": nil,
		"default_payment_method": s.method, "latest_invoice": null(s.latest), "pause_collection": nil,
		"cancellation_details": object{"comment": null(s.comment), "feedback": nil, "reason": nil},
		"items":                object{"object": "list", "has_more": false, "url": "/v1/subscription_items?subscription=" + s.id, "data": []object{item}},
	}
	if s.atEnd {
		o["cancel_at"] = s.boundary(s.periods)
	}
	if s.canceled > 0 {
		o["canceled_at"] = s.canceled
	}
	if s.ended > 0 {
		o["ended_at"] = s.ended
	}
	if s.paused != "" {
		o["pause_collection"] = object{"behavior": s.paused, "resumes_at": nil}
	}
	return o
}

// AddSubscription imports a monthly subscription that a customer's saved method
// pays, as if it had been begun elsewhere: what its first period costs is paid.
// The period began at start.
func (b *Box) AddSubscription(customerID, methodID, currency string, unit int64, start time.Time) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m, ok := b.methods.get(methodID); !ok || m.customer != customerID {
		return "", fmt.Errorf("add subscription of %s by %s: the method is not the customer's", customerID, methodID)
	}
	s := &subscription{
		id: b.newID("sub"), customer: customerID, method: methodID, currency: currency, price: b.newID("price"), status: "active", unit: unit, quantity: 1,
		anchor: start.UTC(), periods: 1, months: 1, created: b.unix(), metadata: map[string]string{},
	}
	b.subscriptions.put(s.id, s)
	b.emit("customer.subscription.created", s.render(), nil)
	return s.id, nil
}

// SetMethod has a subscription paid by another saved method from now on.
func (b *Box) SetMethod(subscriptionID, methodID string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.subscriptions.get(subscriptionID)
	if ok {
		s.method = methodID
	}
	return ok
}

// Tick does what the calendar has brought by now: periods that end, with their
// payments.
func (b *Box) Tick() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweep()
}

// renew lets the periods of a subscription end whose time has come.
func (b *Box) renew(s *subscription) {
	for s.status != "canceled" && s.boundary(s.periods) <= b.unix() {
		if s.atEnd {
			b.endSubscription(s, nil)
			return
		}
		before := object{"current_period_end": s.boundary(s.periods), "current_period_start": s.boundary(s.periods - 1)}
		s.periods++
		b.invoice(s)
		b.emitChange("customer.subscription.updated", s.render(), before, nil)
	}
}

func (b *Box) endSubscription(s *subscription, c *call) {
	s.status, s.ended = "canceled", b.unix()
	if s.canceled == 0 {
		s.canceled = s.ended
	}
	b.emit("customer.subscription.deleted", s.render(), c)
}

func readSubscription(b *Box, c *call) (object, *apiError) {
	s, ok := b.subscriptions.get(c.id)
	if !ok {
		return nil, noSuch("subscription", c.id, "id", http.StatusNotFound)
	}
	return s.render(), nil
}

func changeSubscription(b *Box, c *call) (object, *apiError) {
	s, ok := b.subscriptions.get(c.id)
	switch {
	case !ok:
		return nil, noSuch("subscription", c.id, "id", http.StatusNotFound)
	case s.status == "canceled":
		return nil, refusedNow("", "A canceled subscription can only update its cancellation_details and metadata.")
	case c.form.has("pause_collection") && c.form.has("pause_collection[behavior]"):
		return nil, invalid("pause_collection", "", "Invalid object")
	}
	b.change(s, c)
	return s.render(), nil
}

func (b *Box) change(s *subscription, c *call) {
	if c.form.has("pause_collection") {
		s.paused = ""
	}
	if c.form.has("pause_collection[behavior]") {
		s.paused = c.form.str("pause_collection[behavior]")
	}
	before := object{}
	if c.form.has("cancel_at_period_end") {
		before["cancel_at_period_end"] = s.atEnd
		s.atEnd, s.canceled = c.form.yes("cancel_at_period_end"), 0
		if s.atEnd {
			s.canceled = b.unix()
		}
	}
	b.emitChange("customer.subscription.updated", s.render(), before, c)
}

func cancelSubscription(b *Box, c *call) (object, *apiError) {
	s, ok := b.subscriptions.get(c.id)
	if !ok || s.status == "canceled" {
		return nil, noSuch("subscription", c.id, "id", http.StatusNotFound)
	}
	s.comment = c.form.str("cancellation_details[comment]")
	b.endSubscription(s, c)
	return s.render(), nil
}

// EndSubscription is what the customer does in Stripe's own portal: end with the
// period, take that back, or cancel at once.
func (b *Box) EndSubscription(id string, how string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.subscriptions.get(id)
	if !ok || s.status == "canceled" {
		return false
	}
	if how == "now" {
		b.endSubscription(s, nil)
		return true
	}
	before := object{"cancel_at_period_end": s.atEnd}
	s.atEnd = how == "period_end"
	b.emitChange("customer.subscription.updated", s.render(), before, nil)
	return true
}

// Bills reports whether a subscription will take another payment.
func (b *Box) Bills(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweep()
	s, ok := b.subscriptions.get(id)
	return ok && s.status != "canceled" && !s.atEnd && s.paused == ""
}
