package paypalbox

import (
	"net/http"
	"time"
)

// A sale is a payment of a subscription. It has the shape of version 1 of the
// API; in the account's book it is a payment like any other.

func (c *capture) sale() object {
	o := object{
		"id": c.id, "state": map[string]string{"COMPLETED": "completed", "PENDING": "pending", "DECLINED": "denied"}[c.status], "billing_agreement_id": c.agreement, "payment_mode": "INSTANT_TRANSFER",
		"amount":          object{"total": c.amount.value(), "currency": c.amount.currency, "details": object{"subtotal": c.amount.value()}},
		"transaction_fee": object{"value": c.amount.fee().value(), "currency": c.amount.currency},
		"create_time":     stamp(c.created), "update_time": stamp(c.updated),
		"links": []object{{"href": c.base + "/v1/payments/sale/" + c.id, "rel": "self", "method": "GET"}},
	}
	if c.customID != "" {
		o["custom"] = c.customID
	}
	return o
}

func (b *Box) sell(a *agreement, due sum) {
	c := &capture{
		id: b.newID(""), agreement: a.id, payer: a.payer, status: "COMPLETED", amount: due, customID: a.customID, base: a.base,
		created: b.now(), updated: b.now(),
	}
	b.captures.put(c.id, c)
	a.paid, a.last, a.updated = append(a.paid, c.id), c, b.now()
	if p, _ := payerByEmail(a.payer); p.pending != "" {
		c.status, c.reason = "PENDING", p.pending
	}
	b.emitSale(c)
}

// emitSale tells how a sale stands: one by eCheck is pending until Settle.
func (b *Box) emitSale(c *capture) {
	b.emit(map[string]string{"COMPLETED": "PAYMENT.SALE.COMPLETED", "PENDING": "PAYMENT.SALE.PENDING", "DECLINED": "PAYMENT.SALE.DENIED"}[c.status], "sale", c.sale())
}

func captureOutstanding(b *Box, c *call) (reply, *apiError) {
	a, err := b.agreement(c.id)
	if err != nil {
		return reply{}, err
	}
	amount, err := readSum(at(c.body, "amount"), "/amount")
	switch {
	case err != nil:
		return reply{}, err
	case a.status != "ACTIVE" && a.status != "SUSPENDED":
		return reply{}, wrongStatus()
	case amount.currency != a.price.currency:
		return reply{}, refused("CURRENCY_MISMATCH", "The currency code is different from the subscription's currency code.")
	case a.outstanding.units == 0:
		return reply{}, refused("ZERO_OUTSTANDING_BALANCE", "Current outstanding balance should be greater than zero.")
	case amount.units > a.outstanding.units:
		return reply{}, refused("AMOUNT_GREATER_THAN_OUTSTANDING_BALANCE", "The capture amount can not be greater than the current outstanding balance.")
	}
	a.outstanding.units -= amount.units
	if a.outstanding.units == 0 {
		a.failed = 0
	}
	b.sell(a, amount)
	answer := func() object { return object{"status": "COMPLETED", "id": a.paid[len(a.paid)-1]} }
	return reply{status: http.StatusAccepted, body: answer(), again: answer}, nil
}

func listPayments(b *Box, c *call) (reply, *apiError) {
	a, fail := b.agreement(c.id)
	if fail != nil {
		return reply{}, fail
	}
	from, err := time.Parse(time.RFC3339, c.query.Get("start_time"))
	to, err2 := time.Parse(time.RFC3339, c.query.Get("end_time"))
	if err != nil || err2 != nil {
		return reply{}, invalid("start_time", "MISSING_REQUIRED_PARAMETER", "start_time and end_time are required.")
	}
	items := []object{}
	for _, id := range a.paid {
		p, _ := b.captures.get(id)
		if p.created.Before(from) || p.created.After(to) {
			continue
		}
		fee := p.amount.fee()
		items = append(items, object{
			"id": p.id, "status": p.status, "time": stamp(p.created), "payer_email": a.email,
			"amount_with_breakdown": object{
				"gross_amount": p.amount.render(), "fee_amount": fee.render(), "net_amount": sum{fee.currency, p.amount.units - fee.units}.render(),
			},
		})
	}
	links := []object{{"href": c.base + "/v1/billing/subscriptions/" + a.id + "/transactions", "rel": "self", "method": "GET"}}
	return reply{status: http.StatusOK, body: object{"transactions": items, "total_items": len(items), "total_pages": 1, "links": links}}, nil
}

func (r *refund) sale1() object {
	return object{
		"id": r.id, "state": map[string]string{"COMPLETED": "completed", "PENDING": "pending", "FAILED": "failed"}[r.status], "sale_id": r.sale,
		"amount":      object{"total": r.amount.value(), "currency": r.amount.currency},
		"create_time": stamp(r.created), "update_time": stamp(r.updated), "invoice_number": r.customID, "description": r.note,
	}
}

func refundSale(b *Box, c *call) (reply, *apiError) {
	paid, ok := b.captures.get(c.id)
	if !ok || paid.agreement == "" {
		return reply{}, notFound(c.id)
	}
	amount := sum{paid.amount.currency, paid.amount.units - paid.refunded}
	if given := at(c.body, "amount"); given != nil {
		var err *apiError
		if amount, err = readSum(object{"currency_code": str(given, "currency"), "value": str(given, "total")}, "/amount"); err != nil {
			return reply{}, err
		}
	}
	if amount.currency != paid.amount.currency || amount.units > paid.amount.units-paid.refunded || amount.units == 0 {
		return reply{}, refused("REFUND_AMOUNT_EXCEEDED", "The refund amount exceeds what is left of the sale.")
	}
	r := &refund{
		id: b.newID(""), capture: paid.id, sale: paid.id, customID: str(c.body, "invoice_number"), note: str(c.body, "description"),
		status: "COMPLETED", amount: amount, base: c.base, created: b.now(), updated: b.now(),
	}
	b.refunds.put(r.id, r)
	paid.refunded += amount.units
	b.emit("PAYMENT.SALE.REFUNDED", "refund", r.sale1())
	return reply{status: http.StatusCreated, body: r.sale1(), again: r.sale1}, nil
}

func readSaleRefund(b *Box, c *call) (reply, *apiError) {
	r, ok := b.refunds.get(c.id)
	if !ok || r.sale == "" {
		return reply{}, notFound(c.id)
	}
	return reply{status: http.StatusOK, body: r.sale1()}, nil
}
