package stripebox

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// responseTime is how long we have to answer a dispute.
const responseTime = 9 * 24 * time.Hour

type dispute struct {
	id, charge, intent, currency, reason, status string
	amount, due, created                         int64
	moved                                        []*movement
}

func (d *dispute) render() object {
	lines := []object{}
	for _, m := range d.moved {
		lines = append(lines, m.render())
	}
	details := object{"due_by": nil, "has_evidence": false, "past_due": false, "submission_count": 0}
	if d.due > 0 {
		details["due_by"] = d.due
	}
	return object{
		"id": d.id, "object": "dispute", "amount": d.amount, "currency": d.currency, "charge": d.charge, "payment_intent": null(d.intent), "reason": d.reason,
		"status": d.status, "is_charge_refundable": d.inquiry(), "evidence": object{}, "evidence_details": details, "balance_transactions": lines,
		"metadata": object{}, "created": d.created, "livemode": false,
	}
}

func (d *dispute) inquiry() bool {
	return slices.Contains([]string{"warning_needs_response", "warning_under_review", "warning_closed"}, d.status)
}

// withdrawn reports whether the account lacks the money now.
func (d *dispute) withdrawn() bool { return len(d.moved)%2 == 1 }

func (d *dispute) closed() bool {
	return slices.Contains([]string{"warning_closed", "won", "lost"}, d.status)
}

var disputeStates = []string{"warning_needs_response", "warning_under_review", "warning_closed", "needs_response", "under_review", "won", "lost"}

func readDispute(b *Box, c *call) (object, *apiError) {
	d, ok := b.disputes.get(c.id)
	if !ok {
		return nil, noSuch("dispute", c.id, "dispute", http.StatusNotFound)
	}
	return d.render(), nil
}

func listDisputes(b *Box, c *call) (object, *apiError) {
	ids, items := []string{}, []*dispute{}
	for _, d := range b.disputes.all() {
		byIntent, byCharge := c.form.str("payment_intent"), c.form.str("charge")
		if (byIntent == "" || byIntent == d.intent) && (byCharge == "" || byCharge == d.charge) && within(c.form, d.created) {
			ids, items = append(ids, d.id), append(items, d)
		}
	}
	return page(c, "/v1/disputes", ids, items)
}

// Dispute lets the payer's bank claim a payment back: as an inquiry with the
// status warning_needs_response, or at once with needs_response, which takes the
// money. It returns the dispute's id.
func (b *Box) Dispute(payment, reason, status string) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, ok := b.intents.get(payment)
	if !ok || p.status != "succeeded" || !slices.Contains(disputeStates, status) {
		return "", fmt.Errorf("dispute payment %s as %s: there is no such payment or status", payment, status)
	}
	return b.dispute(p, reason, status), nil
}

func (b *Box) dispute(p *intent, reason, status string) string {
	d := &dispute{
		id: b.newID("du"), charge: p.charge, intent: p.id, currency: p.currency, reason: reason, amount: p.amount, created: b.unix(),
	}
	b.disputes.put(d.id, d)
	b.turn(d, status, "charge.dispute.created")
	return d.id
}

// MoveDispute says where a dispute stands from now on, and moves the money that
// goes with it. It reports whether there is such a dispute.
func (b *Box) MoveDispute(id, status string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	d, ok := b.disputes.get(id)
	if !ok || !slices.Contains(disputeStates, status) {
		return false
	}
	b.turn(d, status, "")
	return true
}

// turn changes a dispute's status and tells of it.
func (b *Box) turn(d *dispute, status, kind string) {
	d.status, d.due = status, 0
	if status == "needs_response" || status == "warning_needs_response" {
		d.due = b.opts.Now().Add(responseTime).Unix()
	}
	takes, gives := !d.inquiry() && status != "won" && !d.withdrawn(), status == "won" && d.withdrawn()
	switch {
	case takes:
		d.moved = append(d.moved, b.move("adjustment", d.id, d.currency, -d.amount, feeDispute))
	case gives:
		d.moved = append(d.moved, b.move("adjustment", d.id, d.currency, d.amount, 0))
	}
	if kind == "" {
		if kind = "charge.dispute.updated"; d.closed() {
			kind = "charge.dispute.closed"
		}
	}
	b.emit(kind, d.render(), nil)
	switch {
	case takes:
		b.emit("charge.dispute.funds_withdrawn", d.render(), nil)
	case gives:
		b.emit("charge.dispute.funds_reinstated", d.render(), nil)
	}
}

// disputed reports whether a charge cannot be refunded because of a dispute.
func (b *Box) disputed(charge string) bool {
	return slices.ContainsFunc(b.disputes.all(), func(d *dispute) bool { return d.charge == charge && !d.inquiry() })
}
