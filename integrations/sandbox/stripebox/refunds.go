package stripebox

import (
	"fmt"
	"net/http"
)

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
	case b.switches.RefundError != "":
		return nil, refusedNow(b.switches.RefundError, "The refund was refused (%s).", b.switches.RefundError)
	case b.disputed(ch.id):
		return nil, refusedNow("charge_disputed", "Charge %s has been charged back; cannot issue a refund.", ch.id)
	case left == 0:
		return nil, refusedNow("charge_already_refunded", "Charge %s has already been refunded.", ch.id)
	case amount < 1:
		return nil, invalid("amount", "parameter_invalid_integer", "This value must be greater than or equal to 1.")
	case amount > left:
		return nil, refusedNow("", "Refund amount (%s) is greater than unrefunded amount on charge (%s)", display(amount, ch.currency), display(left, ch.currency))
	}
	return b.refund(ch, amount, c.form.str("reason"), c.form.under("metadata"), c).render(), nil
}

// refund gives money of a charge back, at once or later as the switches say.
func (b *Box) refund(ch *charge, amount int64, reason string, metadata map[string]string, c *call) *refund {
	r := &refund{
		id: b.newID("re"), charge: ch.id, intent: ch.intent, currency: ch.currency, amount: amount,
		reason: reason, status: "succeeded", metadata: metadata, created: b.unix(),
	}
	if b.switches.SlowRefunds {
		r.status = "pending"
	}
	ch.refunded += amount
	b.refunds.put(r.id, r)
	b.move("refund", r.id, r.currency, -amount, 0)
	b.emit("refund.created", r.render(), c)
	b.emit("charge.refunded", ch.render(), c)
	return r
}

// RefundByHand gives money of a payment back as the dashboard does: nothing on the
// refund says whose it is. 0 is all that is left. It returns the refund's id.
func (b *Box) RefundByHand(payment string, amount int64) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, _ := b.intents.get(payment)
	if p == nil || p.status != "succeeded" {
		return "", fmt.Errorf("refund payment %s: there is no such payment", payment)
	}
	ch, _ := b.charges.get(p.charge)
	if amount == 0 {
		amount = ch.amount - ch.refunded
	}
	if amount <= 0 || amount > ch.amount-ch.refunded || b.disputed(ch.id) {
		return "", fmt.Errorf("refund %d of payment %s: that much is not left", amount, payment)
	}
	return b.refund(ch, amount, "requested_by_customer", map[string]string{}, nil).id, nil
}

// FailRefund lets a refund come back from the bank, however long ago it was made.
// It reports whether there is such a refund that has not failed.
func (b *Box) FailRefund(id, reason string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, ok := b.refunds.get(id)
	if !ok || r.status == "failed" {
		return false
	}
	b.endRefund(r, reason)
	return true
}

// endRefund ends a refund: with a reason in failure, and the money comes back. Two
// events tell of it, as at Stripe.
func (b *Box) endRefund(r *refund, failure string) {
	if r.status, r.failure = "succeeded", failure; failure != "" {
		r.status = "failed"
		if ch, ok := b.charges.get(r.charge); ok {
			ch.refunded -= r.amount
		}
		b.move("refund_failure", r.id, r.currency, r.amount, 0)
	}
	b.emit("refund.updated", r.render(), nil)
	b.emit("charge.refund.updated", r.render(), nil)
}

// settleRefunds ends the refunds that wait and returns how many there were.
func (b *Box) settleRefunds() int {
	n, failure := 0, ""
	if b.switches.RefundsFail {
		failure = "expired_or_canceled_card"
	}
	for _, r := range b.refunds.all() {
		if r.status == "pending" {
			n++
			b.endRefund(r, failure)
		}
	}
	return n
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
