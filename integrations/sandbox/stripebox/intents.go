package stripebox

import "net/http"

func createIntent(b *Box, c *call) (object, *apiError) {
	f := c.form
	if err := b.checkIntent(f); err != nil {
		return nil, err
	}
	p := &intent{
		id: b.newID("pi"), amount: f.num("amount"), currency: f.str("currency"), customer: f.str("customer"),
		description: f.str("description"), metadata: f.under("metadata"), setup: f.str("setup_future_usage"),
		returnURL: f.str("return_url"), method: f.str("payment_method"), created: b.unix(),
		status: "requires_payment_method",
	}
	p.secret = p.id + "_secret_" + b.opts.NewID()
	if p.method != "" {
		p.status = "requires_confirmation"
	}
	b.intents.put(p.id, p)
	b.emit("payment_intent.created", p.render(), c)
	if f.yes("confirm") {
		if err := b.confirm(p, f.yes("off_session"), c); err != nil {
			return nil, err
		}
	}
	return p.render(), nil
}

func (b *Box) checkIntent(f form) *apiError {
	if err := checkAmount(f.num("amount"), f.str("currency"), "amount", "currency"); err != nil {
		return err
	}
	if f.has("off_session") && !f.yes("confirm") {
		return invalid("off_session", "", "The parameter `off_session` cannot be passed when creating a PaymentIntent unless `confirm` is set to true.")
	}
	if f.has("return_url") && !f.yes("confirm") {
		return invalid("return_url", "", "The parameter `return_url` cannot be passed when creating a PaymentIntent unless `confirm` is set to true.")
	}
	if f.yes("confirm") && !f.has("payment_method") {
		return invalid("payment_method", "parameter_missing", "You cannot confirm this PaymentIntent because it's missing a payment method.")
	}
	if f.yes("confirm") && !f.has("return_url") && f.str("automatic_payment_methods[allow_redirects]") != "never" {
		return invalid("return_url", "", "This PaymentIntent is configured to accept payment methods that might redirect your customer off of your page, you must provide a `return_url`, or set automatic_payment_methods[allow_redirects] to never.")
	}
	if customer := f.str("customer"); customer != "" {
		if _, ok := b.customers.get(customer); !ok {
			return noSuch("customer", customer, "customer", http.StatusBadRequest)
		}
	}
	return b.checkMethod(f.str("payment_method"), f.str("customer"))
}

func (b *Box) checkMethod(id, customer string) *apiError {
	if id == "" {
		return nil
	}
	m, ok := b.methods.get(id)
	switch {
	case !ok:
		return noSuch("PaymentMethod", id, "payment_method", http.StatusBadRequest)
	case m.customer != "" && m.customer != customer:
		return invalid("payment_method", "", "The provided PaymentMethod cannot be attached. The payment method %s belongs to a Customer other than the one given. Please include the Customer in the `customer` parameter on the PaymentIntent.", id)
	case m.customer == "" && customer != "":
		return invalid("payment_method", "payment_method_not_available", "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, or was detached from a Customer, and may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.")
	}
	return nil
}

func readIntent(b *Box, c *call) (object, *apiError) {
	p, fault := b.intent(c.id)
	if fault != nil {
		return nil, fault
	}
	return p.render(), nil
}

func (b *Box) intent(id string) (*intent, *apiError) {
	p, ok := b.intents.get(id)
	if !ok {
		return nil, noSuch("payment_intent", id, "intent", http.StatusNotFound)
	}
	return p, nil
}

func listIntents(b *Box, c *call) (object, *apiError) {
	ids, items := []string{}, []*intent{}
	for _, p := range b.intents.all() {
		if customer := c.form.str("customer"); (customer == "" || customer == p.customer) && within(c.form, p.created) {
			ids, items = append(ids, p.id), append(items, p)
		}
	}
	return page(c, "/v1/payment_intents", ids, items)
}

// within applies the created[…] filters.
func within(f form, created int64) bool {
	return (!f.has("created[gt]") || created > f.num("created[gt]")) &&
		(!f.has("created[gte]") || created >= f.num("created[gte]")) &&
		(!f.has("created[lt]") || created < f.num("created[lt]")) &&
		(!f.has("created[lte]") || created <= f.num("created[lte]"))
}

func confirmIntent(b *Box, c *call) (object, *apiError) {
	p, fault := b.intent(c.id)
	if fault != nil {
		return nil, fault
	}
	if p.status != "requires_payment_method" && p.status != "requires_confirmation" && p.status != "requires_action" {
		return nil, refusedNow("payment_intent_unexpected_state", "You cannot confirm this PaymentIntent because it has a status of %s.", p.status)
	}
	if id := c.form.str("payment_method"); id != "" {
		if fault := b.checkMethod(id, p.customer); fault != nil {
			return nil, fault
		}
		p.method = id
	}
	if p.method == "" {
		return nil, invalid("payment_method", "parameter_missing", "You cannot confirm this PaymentIntent because it's missing a payment method.")
	}
	if fault := b.confirm(p, c.form.yes("off_session"), c); fault != nil {
		return nil, fault
	}
	return p.render(), nil
}

func cancelIntent(b *Box, c *call) (object, *apiError) {
	p, fault := b.intent(c.id)
	if fault != nil {
		return nil, fault
	}
	if !b.cancel(p, c.form.str("cancellation_reason"), c) {
		return nil, refusedNow("payment_intent_unexpected_state", "You cannot cancel this PaymentIntent because it has a status of %s.", p.status)
	}
	return p.render(), nil
}

// cancel ends a payment that has not moved money.
func (b *Box) cancel(p *intent, reason string, c *call) bool {
	if p.status == "succeeded" || p.status == "canceled" || p.status == "processing" {
		return false
	}
	p.status, p.cancelReason, p.canceled = "canceled", reason, b.unix()
	b.emit("payment_intent.canceled", p.render(), c)
	return true
}
