package stripebox

import (
	"net/http"
	"strings"
)

// setupIntent is a method on its way to being saved without a payment.
type setupIntent struct {
	id, customer, method, status, description string
	metadata                                  map[string]string
	created                                   int64
}

func (s *setupIntent) render() object {
	return object{
		"id": s.id, "object": "setup_intent", "status": s.status, "customer": null(s.customer), "payment_method": null(s.method),
		"usage": "off_session", "description": null(s.description), "metadata": s.metadata, "created": s.created, "livemode": false,
		"client_secret": s.id + "_secret", "next_action": nil, "last_setup_error": nil, "payment_method_types": []string{"card"},
	}
}

// createSetupSession opens a page in setup mode
// (docs.stripe.com/api/checkout/sessions/create#create_checkout_session-mode).
func createSetupSession(b *Box, c *call) (object, *apiError) {
	f := c.form
	for name := range f {
		if strings.HasPrefix(name, "line_items") || strings.HasPrefix(name, "payment_intent_data") {
			return nil, invalid(name, "", "You can not pass `%s` in `setup` mode.", name)
		}
	}
	if f.str("customer") == "" {
		return nil, invalid("customer", "parameter_missing", "The sandbox saves methods of customers alone.")
	}
	if !f.has("payment_method_types[0]") {
		return nil, invalid("currency", "parameter_missing", "You must provide `currency` or `payment_method_types` in `setup` mode.")
	}
	if err := b.checkPayer(f); err != nil {
		return nil, err
	}
	if err := b.checkExpiry(f); err != nil {
		return nil, err
	}
	cu, _ := b.customers.get(f.str("customer"))
	intent := &setupIntent{
		id: b.newID("seti"), customer: cu.id, status: "requires_payment_method", description: f.str("setup_intent_data[description]"),
		metadata: f.under("setup_intent_data[metadata]"), created: b.unix(),
	}
	b.setups.put(intent.id, intent)
	s := &session{
		id: b.newID("cs_test"), mode: "setup", setupIntent: intent.id, status: "open", paymentStatus: "no_payment_required",
		description: intent.description, customer: cu.id, email: cu.email, reference: f.str("client_reference_id"), locale: f.str("locale"),
		successURL: f.str("success_url"), cancelURL: f.str("cancel_url"), metadata: f.under("metadata"), created: b.unix(), expires: f.num("expires_at"),
	}
	if s.expires == 0 {
		s.expires = b.opts.Now().Add(maxPageLife).Unix()
	}
	s.url = c.base + "/checkout/" + s.id
	b.sessions.put(s.id, s)
	return s.render(), nil
}

// saveOn tries to save a card on an open page in setup mode. The bank of a card
// that asks for authentication confirms by itself here. It returns where the
// customer goes next, or what went wrong.
func (b *Box) saveOn(s *session, card testCard, c *call) (next, problem string) {
	intent, _ := b.setups.get(s.setupIntent)
	if card.kind == "sepa_debit" {
		return "", "This page saves cards alone."
	}
	if card.code != "" && !card.keepsOnly {
		b.emit("setup_intent.setup_failed", intent.render(), c)
		return "", card.message()
	}
	m := b.addMethod(card)
	m.setUp, m.customer = true, s.customer
	intent.method, intent.status, s.status = m.id, "succeeded", "complete"
	b.emit("payment_method.attached", m.render(), c)
	b.emit("setup_intent.succeeded", intent.render(), c)
	b.emit("checkout.session.completed", s.render(), c)
	return s.successAddress(), ""
}

func readSetup(b *Box, c *call) (object, *apiError) {
	intent, ok := b.setups.get(c.id)
	if !ok {
		return nil, noSuch("setupintent", c.id, "intent", http.StatusNotFound)
	}
	return intent.render(), nil
}
