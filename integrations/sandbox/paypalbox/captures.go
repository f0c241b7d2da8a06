package paypalbox

import (
	"net/http"
	"time"
)

type capture struct {
	id, order, agreement, payer, status, reason string
	amount                                      sum
	customID, invoiceID                         string
	refunded                                    int64
	base                                        string
	created, updated                            time.Time
}

func (c *capture) render() object {
	o := object{
		"id": c.id, "status": c.status, "amount": c.amount.render(), "final_capture": true,
		"seller_protection": object{"status": "ELIGIBLE", "dispute_categories": []string{"ITEM_NOT_RECEIVED", "UNAUTHORIZED_TRANSACTION"}},
		"create_time":       stamp(c.created), "update_time": stamp(c.updated),
		"supplementary_data": object{"related_ids": object{"order_id": c.order}},
		"links": []object{
			{"href": c.base + "/v2/payments/captures/" + c.id, "rel": "self", "method": "GET"},
			{"href": c.base + "/v2/payments/captures/" + c.id + "/refund", "rel": "refund", "method": "POST"},
			{"href": c.base + "/v2/checkout/orders/" + c.order, "rel": "up", "method": "GET"},
		},
	}
	for name, v := range map[string]string{"custom_id": c.customID, "invoice_id": c.invoiceID} {
		if v != "" {
			o[name] = v
		}
	}
	if c.reason != "" {
		o["status_details"] = object{"reason": c.reason}
	}
	if c.status != "PENDING" && c.status != "DECLINED" {
		fee := c.amount.fee()
		o["seller_receivable_breakdown"] = object{
			"gross_amount": c.amount.render(), "paypal_fee": fee.render(), "net_amount": sum{c.amount.currency, c.amount.units - fee.units}.render(),
		}
	}
	return o
}

func (b *Box) emitCapture(o *order) {
	c, _ := b.captures.get(o.captures[len(o.captures)-1])
	b.emitState(c)
}

func (b *Box) emitState(c *capture) {
	kind := map[string]string{"COMPLETED": "COMPLETED", "PENDING": "PENDING", "DECLINED": "DENIED"}[c.status]
	b.emit("PAYMENT.CAPTURE."+kind, "capture", c.render())
}

func readCapture(b *Box, c *call) (reply, *apiError) {
	found, ok := b.captures.get(c.id)
	if !ok || found.agreement != "" {
		return reply{}, notFound(c.id)
	}
	return reply{status: http.StatusOK, body: found.render()}, nil
}

// Settle brings to its end whatever waits: payments under way, tokens that
// follow, refunds by eCheck. It returns how many there were.
func (b *Box) Settle() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, c := range b.captures.all() {
		if c.status != "PENDING" {
			continue
		}
		n++
		c.status, c.reason, c.updated = "COMPLETED", "", b.now()
		if p, _ := payerByEmail(c.payer); p.fails {
			c.status = "DECLINED"
		}
		if c.agreement != "" {
			b.emitSale(c)
			continue
		}
		b.emitState(c)
	}
	for _, o := range b.orders.all() {
		if t, ok := b.vault.get(o.vaultID); ok && o.vaultStatus == "APPROVED" {
			n++
			o.vaultStatus, t.hidden = "VAULTED", false
			b.emit("VAULT.PAYMENT-TOKEN.CREATED", "payment_token", t.render(o.base))
		}
	}
	return n + b.settleRefunds()
}
