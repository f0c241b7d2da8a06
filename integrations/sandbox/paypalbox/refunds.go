package paypalbox

import (
	"net/http"
	"time"
)

type refund struct {
	id, capture, sale, customID, note, status, reason string
	amount                                            sum
	base                                              string
	created, updated                                  time.Time
}

func (r *refund) render() object {
	o := object{
		"id": r.id, "status": r.status, "amount": r.amount.render(), "create_time": stamp(r.created), "update_time": stamp(r.updated),
		"seller_payable_breakdown": object{"gross_amount": r.amount.render(), "net_amount": r.amount.render(), "total_refunded_amount": r.amount.render()},
		"links": []object{
			{"href": r.base + "/v2/payments/refunds/" + r.id, "rel": "self", "method": "GET"},
			{"href": r.base + "/v2/payments/captures/" + r.capture, "rel": "up", "method": "GET"},
		},
	}
	for name, v := range map[string]string{"custom_id": r.customID, "note_to_payer": r.note} {
		if v != "" {
			o[name] = v
		}
	}
	if r.reason != "" {
		o["status_details"] = object{"reason": r.reason}
	}
	return o
}

func refundCapture(b *Box, c *call) (reply, *apiError) {
	paid, ok := b.captures.get(c.id)
	if !ok || paid.agreement != "" {
		return reply{}, notFound(c.id)
	}
	if paid.status == "PENDING" || paid.status == "DECLINED" {
		return reply{}, refused("CAPTURE_STATUS_NOT_VALID", "Refunds cannot be processed for a capture with this status.")
	}
	left := sum{paid.amount.currency, paid.amount.units - paid.refunded}
	amount := left
	if given := at(c.body, "amount"); given != nil {
		var err *apiError
		if amount, err = readSum(given, "/amount"); err != nil {
			return reply{}, err
		}
	}
	switch {
	case left.units == 0:
		return reply{}, refused("CAPTURE_FULLY_REFUNDED", "The capture has already been fully refunded.")
	case amount.currency != left.currency:
		return reply{}, refused("REFUND_CAPTURE_CURRENCY_MISMATCH", "Refund must be in the same currency as the capture.")
	case amount.units > left.units:
		return reply{}, refused("REFUND_AMOUNT_EXCEEDED", "The refund amount must be less than or equal to the capture amount that has not yet been refunded.")
	}
	r := &refund{
		id: b.newID(""), capture: paid.id, customID: str(c.body, "custom_id"), note: str(c.body, "note_to_payer"), status: "COMPLETED",
		amount: amount, base: c.base, created: b.now(), updated: b.now(),
	}
	if b.switches.SlowRefunds {
		r.status, r.reason = "PENDING", "ECHECK"
	}
	b.refunds.put(r.id, r)
	paid.refunded += amount.units
	paid.updated = b.now()
	if paid.status = "PARTIALLY_REFUNDED"; paid.refunded == paid.amount.units {
		paid.status = "REFUNDED"
	}
	if r.status == "COMPLETED" {
		b.emit("PAYMENT.CAPTURE.REFUNDED", "refund", r.render())
	}
	return reply{status: http.StatusCreated, body: r.render(), again: r.render}, nil
}

func readRefund(b *Box, c *call) (reply, *apiError) {
	r, ok := b.refunds.get(c.id)
	if !ok || r.sale != "" {
		return reply{}, notFound(c.id)
	}
	return reply{status: http.StatusOK, body: r.render()}, nil
}

// settleRefunds ends the refunds that wait: they fail when the switch says so.
func (b *Box) settleRefunds() int {
	n := 0
	for _, r := range b.refunds.all() {
		if r.status != "PENDING" {
			continue
		}
		n++
		r.status, r.reason, r.updated = "COMPLETED", "", b.now()
		if b.switches.RefundsFail {
			r.status = "FAILED"
			b.giveBack(r)
			continue
		}
		b.emit("PAYMENT.CAPTURE.REFUNDED", "refund", r.render())
	}
	return n
}

// giveBack undoes a refund on its payment.
func (b *Box) giveBack(r *refund) {
	paid, ok := b.captures.get(r.capture)
	if !ok {
		return
	}
	paid.refunded -= r.amount.units
	if paid.status = "PARTIALLY_REFUNDED"; paid.refunded == 0 {
		paid.status = "COMPLETED"
	}
}

// Reverse takes a payment back, as PayPal or the payer's bank may.
func (b *Box) Reverse(captureID string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	paid, ok := b.captures.get(captureID)
	if !ok || paid.refunded > 0 {
		return false
	}
	r := &refund{id: b.newID(""), capture: paid.id, status: "COMPLETED", amount: paid.amount, base: paid.base, created: b.now(), updated: b.now()}
	b.refunds.put(r.id, r)
	paid.status, paid.refunded, paid.updated = "REFUNDED", paid.amount.units, b.now()
	b.emit("PAYMENT.CAPTURE.REVERSED", "refund", r.render())
	return true
}
