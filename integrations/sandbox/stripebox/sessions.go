package stripebox

import (
	"net/http"
	"time"
)

// Limits of a page's life
// (docs.stripe.com/api/checkout/sessions/create#create_checkout_session-expires_at).
const (
	minPageLife = 30 * time.Minute
	maxPageLife = 24 * time.Hour
)

func createSession(b *Box, c *call) (object, *apiError) {
	f := c.form
	if f.str("mode") == "setup" {
		return createSetupSession(b, c)
	}
	if err := b.checkSession(f); err != nil {
		return nil, err
	}
	s := &session{
		id: b.newID("cs_test"), status: "open", paymentStatus: "unpaid",
		currency: f.str("line_items[0][price_data][currency]"), description: f.str("line_items[0][price_data][product_data][name]"),
		customer: f.str("customer"), email: f.str("customer_email"), creation: f.str("customer_creation"),
		setup: f.str("payment_intent_data[setup_future_usage]"), reference: f.str("client_reference_id"),
		locale: f.str("locale"), successURL: f.str("success_url"), cancelURL: f.str("cancel_url"),
		metadata: f.under("metadata"), intentMetadata: f.under("payment_intent_data[metadata]"),
		amount:  f.num("line_items[0][price_data][unit_amount]") * f.num("line_items[0][quantity]"),
		created: b.unix(), expires: f.num("expires_at"),
	}
	if cu, ok := b.customers.get(s.customer); ok {
		s.email = cu.email
	} else if s.creation == "" {
		s.creation = "if_required"
	}
	if s.expires == 0 {
		s.expires = b.opts.Now().Add(maxPageLife).Unix()
	}
	s.url = c.base + "/checkout/" + s.id
	b.sessions.put(s.id, s)
	return s.render(), nil
}

func (b *Box) checkSession(f form) *apiError {
	given := map[string]bool{}
	for name := range f {
		given[pattern(name)] = true
	}
	if err := lineItems.checkMissing(given); err != nil {
		return err
	}
	if f.has("line_items[1][quantity]") || !f.has("line_items[0][quantity]") {
		return invalid("line_items", "", "The sandbox takes exactly one line item, line_items[0].")
	}
	quantity := f.num("line_items[0][quantity]")
	if quantity < 1 || quantity > 999_999 {
		return invalid("line_items[0][quantity]", "parameter_invalid_integer", "This value must be between 1 and 999999.")
	}
	amount := f.num("line_items[0][price_data][unit_amount]")
	if amount > 99_999_999 {
		return invalid("line_items[0][price_data][unit_amount]", "amount_too_large", "Amount must be no more than 999,999.99.")
	}
	if err := checkAmount(amount*quantity, f.str("line_items[0][price_data][currency]"),
		"line_items[0][price_data][unit_amount]", "line_items[0][price_data][currency]"); err != nil {
		return err
	}
	for _, name := range []string{"success_url", "cancel_url"} {
		if f.has(name) && !validURL(f.str(name)) {
			return invalid(name, "url_invalid", "Not a valid URL")
		}
	}
	if err := b.checkPayer(f); err != nil {
		return err
	}
	return b.checkExpiry(f)
}

func (b *Box) checkPayer(f form) *apiError {
	if !f.has("customer") {
		return nil
	}
	for _, other := range []string{"customer_email", "customer_creation"} {
		if f.has(other) {
			return invalid(other, "", "You may only specify one of these parameters: customer, %s.", other)
		}
	}
	if _, ok := b.customers.get(f.str("customer")); !ok {
		return noSuch("customer", f.str("customer"), "customer", http.StatusBadRequest)
	}
	return nil
}

func (b *Box) checkExpiry(f form) *apiError {
	if !f.has("expires_at") {
		return nil
	}
	left := time.Unix(f.num("expires_at"), 0).Sub(b.opts.Now())
	switch {
	case left < minPageLife-time.Second: // the stamp has whole seconds
		return invalid("expires_at", "", "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.")
	case left > maxPageLife:
		return invalid("expires_at", "", "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.")
	}
	return nil
}

func readSession(b *Box, c *call) (object, *apiError) {
	s, ok := b.sessions.get(c.id)
	if !ok {
		return nil, noSuch("checkout.session", c.id, "session", http.StatusNotFound)
	}
	return s.render(), nil
}

func expireSession(b *Box, c *call) (object, *apiError) {
	s, ok := b.sessions.get(c.id)
	if !ok {
		return nil, noSuch("checkout.session", c.id, "session", http.StatusNotFound)
	}
	if s.status != "open" {
		return nil, refusedNow("", "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of `%s`.", s.status)
	}
	b.expire(s, c)
	return s.render(), nil
}

// expire closes a page for good and cancels the payment that was begun on it.
func (b *Box) expire(s *session, c *call) {
	s.status = "expired"
	if p, ok := b.intents.get(s.intent); ok {
		b.cancel(p, "automatic", c)
	}
	b.emit("checkout.session.expired", s.render(), c)
}

// sweep does what time has brought: pages expire, periods of subscriptions end.
func (b *Box) sweep() {
	now := b.unix()
	for _, s := range b.sessions.all() {
		if s.status == "open" && s.expires <= now {
			b.expire(s, nil)
		}
	}
	for _, s := range b.subscriptions.all() {
		b.renew(s)
	}
}

// Sweep expires the pages whose time is over on the sandbox's clock, as every
// request does too.
func (b *Box) Sweep() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweep()
}
