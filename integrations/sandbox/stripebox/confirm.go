package stripebox

import "net/http"

// confirm tries to take the money with the payment's method.
func (b *Box) confirm(p *intent, offSession bool, c *call) *apiError {
	m, _ := b.methods.get(p.method)
	p.lastError, p.actionURL = nil, ""
	card := m.card
	if card.authenticate && (card.always || !m.setUp) {
		if offSession {
			return b.decline(p, m, "authentication_required", "authentication_required",
				"Your card was declined. This transaction requires authentication.", c)
		}
		p.status, p.actionURL = "requires_action", c.base+"/authenticate/"+p.id
		b.emit("payment_intent.requires_action", p.render(), c)
		return nil
	}
	return b.take(p, m, offSession, c)
}

// take is what happens once the holder need not confirm (any more).
func (b *Box) take(p *intent, m *method, offSession bool, c *call) *apiError {
	card := m.card
	switch {
	case card.delayed:
		p.status = "processing"
		b.keep(p, m, c)
		b.emit("payment_intent.processing", p.render(), c)
		return nil
	case card.code != "" && (!card.keepsOnly || offSession):
		return b.decline(p, m, card.code, card.decline, card.message(), c)
	}
	b.succeed(p, m, c)
	return nil
}

func (b *Box) succeed(p *intent, m *method, c *call) {
	ch := b.addCharge(p, m, "succeeded")
	p.status, p.received, p.lastError = "succeeded", p.amount, nil
	b.keep(p, m, c)
	b.book(ch)
	b.emit("charge.succeeded", ch.render(), c)
	b.emit("payment_intent.succeeded", p.render(), c)
	if m.card.disputed {
		b.dispute(p, "fraudulent", "needs_response")
	}
}

// keep attaches the method to the customer when the payment asks for it.
func (b *Box) keep(p *intent, m *method, c *call) {
	if p.setup == "" || p.customer == "" || m.customer != "" {
		return
	}
	m.customer = p.customer
	b.emit("payment_method.attached", m.render(), c)
}

// decline fails a try and returns the 402 that a caller of the API gets.
func (b *Box) decline(p *intent, m *method, code, reason, message string, c *call) *apiError {
	ch := b.addCharge(p, m, "failed")
	ch.code, ch.message = code, message
	fields := object{
		"type": "card_error", "code": code, "message": message, "charge": ch.id, "payment_method": m.render(),
		"doc_url": "https://stripe.com/docs/error-codes/" + code,
	}
	if reason != "" {
		fields["decline_code"] = reason
	}
	p.status, p.method, p.lastError = "requires_payment_method", "", fields
	b.emit("charge.failed", ch.render(), c)
	b.emit("payment_intent.payment_failed", p.render(), c)
	answer := object{"payment_intent": p.render()}
	for name, value := range fields {
		answer[name] = value
	}
	return &apiError{status: http.StatusPaymentRequired, fields: answer, executed: true}
}

func (b *Box) addCharge(p *intent, m *method, status string) *charge {
	ch := &charge{
		id: b.newID("ch"), intent: p.id, customer: p.customer, method: m.id, currency: p.currency,
		status: status, amount: p.amount, created: b.unix(), metadata: p.metadata, invoice: p.invoice,
	}
	b.charges.put(ch.id, ch)
	p.charge = ch.id
	return ch
}

// Settle brings every delayed payment and refund to its end and returns how many
// there were: bank debits take days, this is when they have passed.
func (b *Box) Settle() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.settleRefunds()
	for _, p := range b.intents.all() {
		if p.status != "processing" {
			continue
		}
		n++
		m, _ := b.methods.get(p.method)
		outcome := "checkout.session.async_payment_succeeded"
		if m.card.code == "" {
			b.succeed(p, m, nil)
		} else {
			b.decline(p, m, m.card.code, m.card.decline, m.card.message(), nil)
			outcome = "checkout.session.async_payment_failed"
		}
		if i, ok := b.bills.get(p.invoice); ok {
			of, _ := b.subscriptions.get(i.subscription)
			b.collected(of, i, p)
		}
		s, ok := b.sessions.get(p.session)
		if !ok {
			continue
		}
		if p.status == "succeeded" {
			s.paymentStatus = "paid"
		}
		b.emit(outcome, s.render(), nil)
	}
	return n
}
