package paypalbox

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// plan is the price of a subscription.
type plan struct {
	id           string
	price        sum
	months, days int
}

// AddPlan makes a plan of a price in the smallest unit of a currency, due every
// so many days, and returns its id.
func (b *Box) AddPlan(currency string, units int64, days int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := &plan{id: b.newID("P-"), price: sum{currency, units}, days: days}
	b.plans.put(p.id, p)
	return p.id
}

// AddMonthlyPlan is AddPlan for a price that is due every month.
func (b *Box) AddMonthlyPlan(currency string, units int64) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := &plan{id: b.newID("P-"), price: sum{currency, units}, months: 1}
	b.plans.put(p.id, p)
	return p.id
}

// AddAgreement makes a subscription that a payer agreed to and paid for long ago,
// as if it had been begun elsewhere; its next payment is due at next.
func (b *Box) AddAgreement(planID, payer string, next time.Time) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, known := payerByEmail(payer)
	pl, ok := b.plans.get(planID)
	if !known || !ok {
		return "", fmt.Errorf("add agreement to %s by %s: no such plan or payer", planID, payer)
	}
	a := &agreement{
		id: b.newID("I-"), status: "ACTIVE", plan: pl.id, price: pl.price, outstanding: sum{pl.price.currency, 0}, quantity: 1, payer: p.Email, email: p.Email,
		start: b.now(), next: next.UTC(), created: b.now(), updated: b.now(), base: b.opts.PublicURL,
	}
	a.last = &capture{id: b.newID(""), agreement: a.id, payer: p.Email, status: "COMPLETED", amount: pl.price, created: b.now(), updated: b.now()}
	b.agreements.put(a.id, a)
	b.emit("BILLING.SUBSCRIPTION.ACTIVATED", "subscription", a.render())
	return a.id, nil
}

// SetPayer has the payments of a subscription come from another account, or from
// the same one whose card has changed.
func (b *Box) SetPayer(id, payer string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, ok := b.agreements.get(id)
	if ok {
		a.payer = payer
	}
	return ok
}

// agreement is a subscription that PayPal bills.
type agreement struct {
	id, status, plan, customID, email, payer string
	quantity                                 int
	price                                    sum // of one, an override included
	outstanding                              sum
	failed                                   int
	start, next, created, updated            time.Time
	returnURL, cancelURL, base               string
	revised                                  *agreement // what the payer is asked to agree to
	paid                                     []string
	last                                     *capture
}

func (a *agreement) render() object {
	o := object{
		"id": a.id, "status": a.status, "plan_id": a.plan, "quantity": strconv.Itoa(a.quantity), "start_time": stamp(a.start),
		"create_time": stamp(a.created), "update_time": stamp(a.updated), "status_update_time": stamp(a.updated), "links": a.links(),
		"subscriber": object{"email_address": a.email, "name": object{"given_name": "Test", "surname": "Payer"}},
	}
	if a.customID != "" {
		o["custom_id"] = a.customID
	}
	if a.status != "APPROVAL_PENDING" {
		info := object{"outstanding_balance": object{"currency_code": a.price.currency, "value": a.outstanding.value()}, "failed_payments_count": a.failed, "cycle_executions": []object{}}
		if a.last != nil {
			info["last_payment"] = object{"amount": a.last.amount.render(), "time": stamp(a.last.created)}
		}
		if a.status == "ACTIVE" {
			info["next_billing_time"] = stamp(a.next)
		}
		o["billing_info"] = info
	}
	return o
}

func (a *agreement) links() []object {
	self := a.base + "/v1/billing/subscriptions/" + a.id
	all := []object{{"href": self, "rel": "self", "method": "GET"}}
	if a.status == "APPROVAL_PENDING" || a.revised != nil {
		all = append(all, object{"href": a.base + "/webapps/billing/subscriptions?ba_token=" + a.id, "rel": "approve", "method": "GET"})
	}
	return all
}

func (b *Box) agreement(id string) (*agreement, *apiError) {
	a, ok := b.agreements.get(id)
	if !ok {
		return nil, notFound(id)
	}
	return a, nil
}

// terms reads plan, quantity and price of a request.
func (b *Box) terms(c *call, a *agreement) *apiError {
	if id := str(c.body, "plan_id"); id != "" {
		p, ok := b.plans.get(id)
		if !ok {
			return refused("INVALID_RESOURCE_ID", "The plan %s does not exist.", id)
		}
		if a.price.currency != "" && a.price.currency != p.price.currency {
			return refused("CURRENCY_MISMATCH", "The currency code of the new plan must be the same as that of the current one.")
		}
		a.plan, a.price = p.id, p.price
	}
	if q := number(str(c.body, "quantity"), max(1, a.quantity)); q > 0 {
		a.quantity = q
	}
	if price := at(c.body, "plan.billing_cycles.0.pricing_scheme.fixed_price"); price != nil {
		override, err := readSum(price, "/plan/billing_cycles/0/pricing_scheme/fixed_price")
		if err != nil {
			return err
		}
		if override.currency != a.price.currency {
			return refused("CURRENCY_MISMATCH", "The currency code must be that of the plan.")
		}
		a.price = override
	}
	a.returnURL, a.cancelURL, a.base = str(c.body, "application_context.return_url"), str(c.body, "application_context.cancel_url"), c.base
	return nil
}

func createAgreement(b *Box, c *call) (reply, *apiError) {
	a := &agreement{
		id: b.newID("I-"), status: "APPROVAL_PENDING", customID: str(c.body, "custom_id"), email: str(c.body, "subscriber.email_address"),
		quantity: 1, start: b.now(), created: b.now(), updated: b.now(),
	}
	if err := b.terms(c, a); err != nil {
		return reply{}, err
	}
	if given := str(c.body, "start_time"); given != "" {
		start, err := time.Parse(time.RFC3339, given)
		if err != nil || start.Before(b.now()) {
			return reply{}, refused("INVALID_START_TIME", "The start time must be in the future.")
		}
		a.start = start.UTC()
	}
	a.next = a.start
	a.outstanding = sum{a.price.currency, 0}
	b.agreements.put(a.id, a)
	b.emit("BILLING.SUBSCRIPTION.CREATED", "subscription", a.render())
	return reply{status: http.StatusCreated, body: a.render(), again: a.render}, nil
}

func readAgreement(b *Box, c *call) (reply, *apiError) {
	a, err := b.agreement(c.id)
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, body: a.render()}, nil
}

func wrongStatus() *apiError {
	return refused("SUBSCRIPTION_STATUS_INVALID", "Invalid subscription status for this action; subscription status should be active or suspended.")
}

func reviseAgreement(b *Box, c *call) (reply, *apiError) {
	a, err := b.agreement(c.id)
	switch {
	case err != nil:
		return reply{}, err
	case a.status != "ACTIVE" && a.status != "SUSPENDED":
		return reply{}, wrongStatus()
	}
	asked := *a
	asked.revised = nil
	if err := b.terms(c, &asked); err != nil {
		return reply{}, err
	}
	a.revised = &asked
	body := object{"plan_id": asked.plan, "quantity": strconv.Itoa(asked.quantity), "links": a.links()}
	return reply{status: http.StatusOK, body: body}, nil
}

func suspendAgreement(b *Box, c *call) (reply, *apiError) {
	return b.moveAgreement(c, "SUSPENDED", "ACTIVE")
}

func activateAgreement(b *Box, c *call) (reply, *apiError) {
	if a, ok := b.agreements.get(c.id); ok && a.outstanding.units > 0 {
		return reply{}, refused("OUTSTANDING_BALANCE_EXISTS", "The outstanding balance must be settled first.")
	}
	return b.moveAgreement(c, "ACTIVE", "SUSPENDED")
}

func cancelAgreement(b *Box, c *call) (reply, *apiError) {
	return b.moveAgreement(c, "CANCELLED", "ACTIVE", "SUSPENDED")
}

func (b *Box) moveAgreement(c *call, to string, from ...string) (reply, *apiError) {
	a, err := b.agreement(c.id)
	if err != nil {
		return reply{}, err
	}
	for _, status := range from {
		if a.status == status {
			b.setAgreement(a, to)
			return reply{status: http.StatusNoContent}, nil
		}
	}
	return reply{}, wrongStatus()
}

func (b *Box) setAgreement(a *agreement, status string) {
	kind := map[string]string{"ACTIVE": "RE-ACTIVATED", "SUSPENDED": "SUSPENDED", "CANCELLED": "CANCELLED", "EXPIRED": "EXPIRED"}[status]
	if a.status == "APPROVAL_PENDING" {
		kind = "ACTIVATED"
	}
	a.status, a.updated = status, b.now()
	b.emit("BILLING.SUBSCRIPTION."+kind, "subscription", a.render())
}

// agree is what a payer does on the hosted page of a subscription.
func (b *Box) agree(a *agreement, p testPayer) bool {
	switch {
	case a.revised != nil:
		a.plan, a.price, a.quantity, a.revised, a.updated = a.revised.plan, a.revised.price, a.revised.quantity, nil, b.now()
		b.emit("BILLING.SUBSCRIPTION.UPDATED", "subscription", a.render())
	case a.status == "APPROVAL_PENDING":
		a.payer, a.email = p.Email, p.Email
		b.setAgreement(a, "ACTIVE")
		if !a.next.After(b.now()) {
			b.bill(a)
		}
	default:
		return false
	}
	return true
}

// Agree accepts a subscription, or its revision, as a payer would.
func (b *Box) Agree(id, payer string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, known := payerByEmail(payer)
	a, ok := b.agreements.get(id)
	if !ok || !known || !b.agree(a, p) {
		return fmt.Errorf("agree to %s as %s: nothing waits for this payer", id, payer)
	}
	return nil
}

// Bill takes the next payment of a subscription, as PayPal's calendar would.
func (b *Box) Bill(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, ok := b.agreements.get(id)
	if !ok || a.status != "ACTIVE" {
		return false
	}
	b.bill(a)
	return true
}

func (b *Box) bill(a *agreement) {
	due := sum{a.price.currency, a.price.units * int64(a.quantity)}
	if p, ok := b.plans.get(a.plan); ok {
		a.next = a.next.AddDate(0, p.months, p.days)
	}
	p, _ := payerByEmail(a.payer)
	if p.later != "" {
		a.failed++
		a.outstanding.units += due.units
		a.updated = b.now()
		b.emit("BILLING.SUBSCRIPTION.PAYMENT.FAILED", "subscription", a.render())
		return
	}
	b.sell(a, due)
}

// EndAgreement lets the payer end or pause a subscription inside PayPal.
func (b *Box) EndAgreement(id, status string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, ok := b.agreements.get(id)
	if ok {
		b.setAgreement(a, status)
	}
	return ok
}

// Bills reports whether a subscription will take another payment.
func (b *Box) Bills(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, ok := b.agreements.get(id)
	return ok && a.status == "ACTIVE"
}

// PayOutstanding collects what a payment failed to bring, as PayPal's own retry
// does.
func (b *Box) PayOutstanding(id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, ok := b.agreements.get(id)
	if !ok || a.outstanding.units == 0 {
		return fmt.Errorf("pay what is outstanding of %s: there is nothing", id)
	}
	due := a.outstanding
	a.outstanding.units, a.failed = 0, 0
	b.sell(a, due)
	return nil
}

// Postpone moves the next payment of a subscription.
func (b *Box) Postpone(id string, next time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a, ok := b.agreements.get(id); ok {
		a.next = next.UTC()
	}
}
