package stripebox

import "net/http"

func createRefund(b *Box, c *call) (object, *apiError) {
	ch, fault := b.refundable(c.form)
	if fault != nil {
		return nil, fault
	}
	left := ch.amount - ch.refunded
	amount := left
	if c.form.has("amount") {
		amount = c.form.num("amount")
	}
	switch {
	case left == 0:
		return nil, refusedNow("charge_already_refunded", "Charge %s has already been refunded.", ch.id)
	case amount < 1:
		return nil, invalid("amount", "parameter_invalid_integer", "This value must be greater than or equal to 1.")
	case amount > left:
		return nil, refusedNow("", "Refund amount (%s) is greater than unrefunded amount on charge (%s)", display(amount, ch.currency), display(left, ch.currency))
	}
	r := &refund{
		id: b.newID("re"), charge: ch.id, intent: ch.intent, currency: ch.currency, amount: amount,
		reason: c.form.str("reason"), status: "succeeded", metadata: c.form.under("metadata"), created: b.unix(),
	}
	ch.refunded += amount
	b.refunds.put(r.id, r)
	b.emit("refund.created", r.render(), c)
	b.emit("charge.refunded", ch.render(), c)
	return r.render(), nil
}

// refundable finds the charge a refund names, by itself or by its payment.
func (b *Box) refundable(f form) (*charge, *apiError) {
	if f.has("charge") == f.has("payment_intent") {
		return nil, invalid("payment_intent", "parameter_missing", "One of the following params should be provided for this request: payment_intent or charge.")
	}
	id, param, kind := f.str("charge"), "charge", "charge"
	if p, ok := b.intents.get(f.str("payment_intent")); ok {
		id = p.charge
	} else if f.has("payment_intent") {
		id, param, kind = f.str("payment_intent"), "payment_intent", "payment_intent"
	}
	ch, ok := b.charges.get(id)
	switch {
	case !ok && f.has("payment_intent") && id == "":
		return nil, refusedNow("", "This PaymentIntent does not have a successful charge to refund.")
	case !ok:
		return nil, noSuch(kind, id, param, http.StatusBadRequest)
	case ch.status != "succeeded":
		return nil, refusedNow("", "This PaymentIntent does not have a successful charge to refund.")
	}
	return ch, nil
}

func readRefund(b *Box, c *call) (object, *apiError) {
	r, ok := b.refunds.get(c.id)
	if !ok {
		return nil, noSuch("refund", c.id, "refund", http.StatusNotFound)
	}
	return r.render(), nil
}

func listRefunds(b *Box, c *call) (object, *apiError) {
	ids, items := []string{}, []*refund{}
	for _, r := range b.refunds.all() {
		byIntent, byCharge := c.form.str("payment_intent"), c.form.str("charge")
		if (byIntent == "" || byIntent == r.intent) && (byCharge == "" || byCharge == r.charge) {
			ids, items = append(ids, r.id), append(items, r)
		}
	}
	return page(c, "/v1/refunds", ids, items)
}
