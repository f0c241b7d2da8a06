package paypalbox

import (
	"fmt"
	"net/http"
	"time"
)

type dispute struct {
	id, capture, reason, status, stage, outcome string
	amount                                      sum
	respondBy                                   time.Time
	base                                        string
	created, updated                            time.Time
}

func (d *dispute) render(full bool) object {
	o := object{
		"dispute_id": d.id, "create_time": stamp(d.created), "update_time": stamp(d.updated), "reason": d.reason, "status": d.status,
		"dispute_state": "REQUIRED_ACTION", "dispute_amount": d.amount.render(), "dispute_life_cycle_stage": d.stage, "dispute_channel": "INTERNAL",
		"links": []object{{"href": d.base + "/v1/customer/disputes/" + d.id, "rel": "self", "method": "GET"}},
	}
	if !d.respondBy.IsZero() {
		o["seller_response_due_date"] = stamp(d.respondBy)
	}
	if d.status == "RESOLVED" {
		o["dispute_state"] = "RESOLVED"
	}
	if full {
		delete(o, "dispute_state")
		o["disputed_transactions"] = []object{{"seller_transaction_id": d.capture, "gross_amount": d.amount.render(), "transaction_status": "COMPLETED"}}
		if d.outcome != "" {
			o["dispute_outcome"] = object{"outcome_code": d.outcome}
		}
	}
	return o
}

// responseTime is how long a merchant has to answer.
const responseTime = 10 * 24 * time.Hour

func readDispute(b *Box, c *call) (reply, *apiError) {
	d, ok := b.disputes.get(c.id)
	if !ok {
		return reply{}, notFound(c.id)
	}
	return reply{status: http.StatusOK, body: d.render(true)}, nil
}

func listDisputes(b *Box, c *call) (reply, *apiError) {
	size, from := number(c.query.Get("page_size"), 10), number(c.query.Get("next_page_token"), 0)
	after, err := time.Parse(time.RFC3339, c.query.Get("update_time_after"))
	if size < 1 || size > 50 || from < 0 || err != nil && c.query.Has("update_time_after") {
		return reply{}, invalid("page_size", "INVALID_PARAMETER_VALUE", "page_size is 1 to 50, update_time_after a time.")
	}
	found := []object{}
	for _, d := range b.disputes.all() {
		if !d.updated.Before(after) {
			found = append(found, d.render(false))
		}
	}
	from = min(from, len(found))
	to := min(from+size, len(found))
	body := object{"items": found[from:to], "links": []object{{"href": c.base + "/v1/customer/disputes", "rel": "self", "method": "GET"}}}
	if to < len(found) {
		next := fmt.Sprintf("%s/v1/customer/disputes?page_size=%d&next_page_token=%d", c.base, size, to)
		if c.query.Has("update_time_after") {
			next += "&update_time_after=" + c.query.Get("update_time_after")
		}
		body["links"] = append(body["links"].([]object), object{"href": next, "rel": "next", "method": "GET"})
	}
	return reply{status: http.StatusOK, body: body}, nil
}

// Dispute lets the payer claim a payment back and returns the dispute's id. It
// begins as an inquiry: no money has moved.
func (b *Box) Dispute(captureID, reason string) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, ok := b.captures.get(captureID)
	if !ok {
		return "", fmt.Errorf("dispute payment %s: there is no such payment", captureID)
	}
	d := &dispute{
		id: b.newID("PP-D-"), capture: c.id, reason: reason, status: "WAITING_FOR_SELLER_RESPONSE", stage: "INQUIRY", amount: c.amount,
		respondBy: b.now().Add(responseTime), base: c.base, created: b.now(), updated: b.now(),
	}
	b.disputes.put(d.id, d)
	b.emit("CUSTOMER.DISPUTE.CREATED", "dispute", d.render(true))
	return d.id, nil
}

// MoveDispute says where a dispute stands from now on: stage and status as PayPal
// names them; outcome, such as RESOLVED_BUYER_FAVOUR, with the status RESOLVED.
func (b *Box) MoveDispute(id, stage, status, outcome string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	d, ok := b.disputes.get(id)
	if !ok {
		return false
	}
	d.stage, d.status, d.outcome, d.updated = stage, status, outcome, b.now()
	kind := "UPDATED"
	if status == "RESOLVED" {
		kind = "RESOLVED"
	}
	if d.respondBy = (time.Time{}); status == "WAITING_FOR_SELLER_RESPONSE" {
		d.respondBy = b.now().Add(responseTime)
	}
	b.emit("CUSTOMER.DISPUTE."+kind, "dispute", d.render(true))
	return true
}
