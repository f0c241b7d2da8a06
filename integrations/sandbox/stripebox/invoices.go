package stripebox

import "net/http"

// bill is an invoice of a subscription.
type bill struct {
	id, subscription, customer, currency, intent, status string
	amount, attempts, created, paid, start, end          int64
	metadata                                             map[string]string // of the subscription
}

func (i *bill) render() object {
	taken, rest := int64(0), i.amount
	if i.status == "paid" {
		taken, rest = i.amount, 0
	}
	line := object{
		"id": "il_" + i.id[3:], "object": "line_item", "type": "subscription", "amount": i.amount, "currency": i.currency, "proration": false, "subscription": i.subscription,
		"quantity": 1, "period": object{"start": i.start, "end": i.end}, "description": "1 × Sandbox", "livemode": false, "metadata": object{},
	}
	o := object{
		"id": i.id, "object": "invoice", "customer": i.customer, "subscription": i.subscription, "status": i.status, "currency": i.currency, "billing_reason": "subscription_cycle",
		"total": i.amount, "amount_due": i.amount, "amount_paid": taken, "amount_remaining": rest, "attempt_count": i.attempts, "attempted": i.attempts > 0,
		"paid": i.status == "paid", "paid_out_of_band": false, "payment_intent": null(i.intent), "auto_advance": i.status == "open", "created": i.created,
		"period_start": i.start, "period_end": i.start, "livemode": false, "metadata": object{}, "subscription_details": object{"metadata": i.metadata},
		"lines":              object{"object": "list", "has_more": false, "url": "/v1/invoices/" + i.id + "/lines", "data": []object{line}},
		"status_transitions": object{"finalized_at": i.created, "marked_uncollectible_at": nil, "paid_at": nil, "voided_at": nil},
	}
	if i.status == "paid" {
		o["status_transitions"].(object)["paid_at"] = i.paid
	}
	return o
}

// invoice bills the period that has begun and collects it.
func (b *Box) invoice(s *subscription) {
	i := &bill{
		id: b.newID("in"), subscription: s.id, customer: s.customer, currency: s.currency, status: "open", amount: s.unit * s.quantity, created: b.unix(),
		start: s.boundary(s.periods - 1), end: s.boundary(s.periods), metadata: s.metadata,
	}
	b.bills.put(i.id, i)
	s.latest = i.id
	if s.paused != "" {
		i.status = "void"
		b.emit("invoice.voided", i.render(), nil)
		return
	}
	b.emit("invoice.finalized", i.render(), nil)
	b.collect(s, i)
}

// collect tries to take what an invoice is over.
func (b *Box) collect(s *subscription, i *bill) {
	p, ok := b.intents.get(i.intent)
	if !ok {
		p = &intent{
			id: b.newID("pi"), amount: i.amount, currency: i.currency, customer: i.customer, description: "Subscription update", metadata: map[string]string{},
			created: b.unix(), invoice: i.id,
		}
		p.secret = p.id + "_secret_" + b.opts.NewID()
		b.intents.put(p.id, p)
		i.intent = p.id
	}
	p.method, p.status = s.method, "requires_confirmation"
	i.attempts++
	_ = b.confirm(p, true, &call{}) // the payment's status says what came of it
	if p.status != "processing" {   // else a debit is on its way, see Settle
		b.collected(s, i, p)
	}
}

// collected notes how the payment of an invoice ended.
func (b *Box) collected(s *subscription, i *bill, p *intent) {
	if p.status != "succeeded" {
		s.status = "past_due"
		b.emit("invoice.payment_failed", i.render(), nil)
		return
	}
	i.status, i.paid, s.status = "paid", b.unix(), "active"
	b.emit("invoice.paid", i.render(), nil)
}

// Retry tries the open invoice of a subscription again, as Stripe does by a
// schedule of its own. It reports whether it is paid now.
func (b *Box) Retry(subscriptionID string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.subscriptions.get(subscriptionID)
	if !ok {
		return false
	}
	i, ok := b.bills.get(s.latest)
	if !ok || i.status != "open" {
		return false
	}
	ended := s.status
	b.collect(s, i)
	if ended == "canceled" {
		s.status = ended
		return i.status == "paid"
	}
	b.emitChange("customer.subscription.updated", s.render(), object{"status": ended}, nil)
	return i.status == "paid"
}

func listBills(b *Box, c *call) (object, *apiError) {
	if id := c.form.str("subscription"); id != "" {
		if _, ok := b.subscriptions.get(id); !ok {
			return nil, noSuch("subscription", id, "subscription", http.StatusBadRequest)
		}
	}
	ids, items := []string{}, []*bill{}
	for _, i := range b.bills.all() {
		subscription, status := c.form.str("subscription"), c.form.str("status")
		if (subscription == "" || subscription == i.subscription) && (status == "" || status == i.status) && within(c.form, i.created) {
			ids, items = append(ids, i.id), append(items, i)
		}
	}
	return page(c, "/v1/invoices", ids, items)
}
