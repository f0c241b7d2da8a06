package stripebox

// The objects, as far as our client and the pages need them, and how API version
// 2024-06-20 renders them. References render as ids and are expanded on request.

type customer struct {
	id, email, name, description string
	metadata                     map[string]string
	created                      int64
}

func (c *customer) render() object {
	return object{
		"id": c.id, "object": "customer", "email": null(c.email), "name": null(c.name),
		"description": null(c.description), "metadata": c.metadata, "created": c.created,
		"livemode": false, "balance": 0, "default_source": nil, "delinquent": false,
		"invoice_settings": object{"default_payment_method": nil},
	}
}

type method struct {
	id       string
	card     testCard
	customer string
	setUp    bool // the holder confirmed while it was saved
	created  int64

	month, year int // a card's expiry
}

func (m *method) render() object {
	o := object{
		"id": m.id, "object": "payment_method", "customer": null(m.customer), "created": m.created,
		"livemode": false, "metadata": object{}, "billing_details": object{"email": nil, "name": nil},
	}
	if m.card.kind == "sepa_debit" {
		o["type"] = "sepa_debit"
		o["sepa_debit"] = object{"last4": m.card.last4(), "fingerprint": m.card.fingerprint(), "country": "AT", "bank_code": "19043"}
		return o
	}
	o["type"] = "card"
	o["card"] = object{
		"brand": m.card.brand, "last4": m.card.last4(), "exp_month": m.month, "exp_year": m.year,
		"fingerprint": m.card.fingerprint(), "country": "US", "funding": "credit",
	}
	return o
}

type intent struct {
	id, currency, customer, method, status string
	invoice                                string // of a subscription, that it collects
	amount, received                       int64
	description, setup, charge, session    string
	secret, returnURL, actionURL           string
	cancelReason                           string
	canceled, created                      int64
	metadata                               map[string]string
	lastError                              object
}

func (p *intent) render() object {
	o := object{
		"id": p.id, "object": "payment_intent", "amount": p.amount, "amount_received": p.received,
		"amount_capturable": 0, "currency": p.currency, "status": p.status, "customer": null(p.customer),
		"payment_method": null(p.method), "latest_charge": null(p.charge), "capture_method": "automatic_async",
		"confirmation_method": "automatic", "metadata": p.metadata, "description": null(p.description),
		"setup_future_usage": null(p.setup), "client_secret": p.secret, "invoice": null(p.invoice), "next_action": nil,
		"last_payment_error": nil, "livemode": false, "created": p.created, "canceled_at": nil,
		"cancellation_reason": null(p.cancelReason), "payment_method_types": []string{"card", "sepa_debit"},
	}
	if p.canceled > 0 {
		o["canceled_at"] = p.canceled
	}
	if p.lastError != nil {
		o["last_payment_error"] = p.lastError
	}
	if p.status == "requires_action" {
		o["next_action"] = object{"type": "redirect_to_url", "redirect_to_url": object{"url": p.actionURL, "return_url": null(p.returnURL)}}
	}
	return o
}

type charge struct {
	id, intent, customer, method, currency, status string
	code, message, invoice                         string
	amount, refunded, created                      int64
	metadata                                       map[string]string
}

func (c *charge) render() object {
	return object{
		"id": c.id, "object": "charge", "amount": c.amount, "amount_refunded": c.refunded,
		"currency": c.currency, "payment_intent": c.intent, "customer": null(c.customer),
		"payment_method": null(c.method), "status": c.status, "paid": c.status == "succeeded",
		"captured": c.status == "succeeded", "refunded": c.refunded == c.amount, "disputed": false,
		"invoice": null(c.invoice), "failure_code": null(c.code), "failure_message": null(c.message), "balance_transaction": nil,
		"metadata": c.metadata, "created": c.created, "livemode": false,
	}
}

type session struct {
	id, currency, customer, email, creation, status, paymentStatus string
	intent, setup, description, reference, locale                  string
	mode, setupIntent                                              string // mode "" is payment
	successURL, cancelURL, url                                     string
	amount, created, expires                                       int64
	metadata, intentMetadata                                       map[string]string
}

func (s *session) render() object {
	o := object{
		"id": s.id, "object": "checkout.session", "mode": "payment", "status": s.status,
		"payment_status": s.paymentStatus, "amount_subtotal": s.amount, "amount_total": s.amount,
		"currency": s.currency, "customer": null(s.customer), "customer_email": null(s.email),
		"customer_creation": null(s.creation), "customer_details": nil, "client_reference_id": null(s.reference),
		"payment_intent": null(s.intent), "metadata": s.metadata, "success_url": s.successURL,
		"cancel_url": null(s.cancelURL), "created": s.created, "expires_at": s.expires,
		"locale": null(s.locale), "livemode": false, "setup_intent": nil, "subscription": nil,
		"payment_method_types": []string{"card", "sepa_debit"}, "ui_mode": "hosted", "url": nil,
	}
	if s.mode == "setup" {
		o["mode"], o["setup_intent"], o["amount_subtotal"], o["amount_total"], o["currency"] = s.mode, s.setupIntent, nil, nil, nil
	}
	if s.status == "open" {
		o["url"] = s.url
	}
	if s.email != "" {
		o["customer_details"] = object{"email": s.email}
	}
	return o
}

type refund struct {
	id, charge, intent, currency, reason, status, failure string
	amount, created                                       int64
	metadata                                              map[string]string
}

func (r *refund) render() object {
	o := object{
		"id": r.id, "object": "refund", "amount": r.amount, "currency": r.currency, "charge": r.charge,
		"payment_intent": r.intent, "reason": null(r.reason), "status": r.status,
		"metadata": r.metadata, "created": r.created, "balance_transaction": nil,
	}
	if r.failure != "" {
		o["failure_reason"] = r.failure
	}
	return o
}

type event struct {
	id, kind string
	created  int64
	object   object // as it was when the event happened
	before   object // what of it changed, where Stripe tells
	request  object
}

func (e *event) render(version string) object {
	data := object{"object": e.object}
	if e.before != nil {
		data["previous_attributes"] = e.before
	}
	return object{
		"id": e.id, "object": "event", "type": e.kind, "api_version": version, "created": e.created,
		"livemode": false, "pending_webhooks": 1, "request": e.request, "data": data,
	}
}

// null is what Stripe shows for a text that is not set.
func null(s string) any {
	if s == "" {
		return nil
	}
	return s
}
