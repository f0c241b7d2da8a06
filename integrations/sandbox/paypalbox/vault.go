package paypalbox

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// token is a saved payment method.
type token struct {
	id, customer string
	payer        testPayer
	hidden, gone bool
	created      time.Time
}

func (t *token) render(base string) object {
	paypal := t.payer.render()
	paypal["usage_type"], paypal["customer_type"] = "MERCHANT", "CONSUMER"
	self := base + "/v3/vault/payment-tokens/" + t.id
	return object{
		"id": t.id, "customer": object{"id": t.customer}, "payment_source": object{"paypal": paypal},
		"links": []object{{"href": self, "rel": "self", "method": "GET"}, {"href": self, "rel": "delete", "method": "DELETE"}},
	}
}

func (b *Box) addToken(customer string, p testPayer) *token {
	t := &token{id: strings.ToLower(b.newID("")), customer: customer, payer: p, created: b.now()}
	b.vault.put(t.id, t)
	return t
}

func (b *Box) token(id string) (*token, *apiError) {
	t, ok := b.vault.get(id)
	if !ok || t.gone || t.hidden {
		return nil, notFound(id)
	}
	return t, nil
}

func readToken(b *Box, c *call) (reply, *apiError) {
	t, err := b.token(c.id)
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, body: t.render(c.base)}, nil
}

// deleteToken answers 204 for tokens that are gone too.
func deleteToken(b *Box, c *call) (reply, *apiError) {
	if t, err := b.token(c.id); err == nil {
		b.forget(t, c.base)
	}
	return reply{status: http.StatusNoContent}, nil
}

func (b *Box) forget(t *token, base string) {
	t.gone = true
	b.emit("VAULT.PAYMENT-TOKEN.DELETED", "payment_token", t.render(base))
}

// listTokens pages by five, as PayPal does unless asked otherwise.
func listTokens(b *Box, c *call) (reply, *apiError) {
	customer := c.query.Get("customer_id")
	if len(customer) < 7 || len(customer) > 36 {
		return reply{}, invalid("customer_id", "INVALID_STRING_LENGTH", "customer_id has 7 to 36 characters.")
	}
	size, page := number(c.query.Get("page_size"), 5), number(c.query.Get("page"), 1)
	if size < 1 || size > 20 || page < 1 {
		return reply{}, invalid("page_size", "INVALID_PARAMETER_VALUE", "page_size is 1 to 20, page at least 1.")
	}
	items := []object{}
	for _, t := range b.vault.all() {
		if t.customer == customer && !t.gone && !t.hidden {
			items = append(items, t.render(c.base))
		}
	}
	body := object{"customer": object{"id": customer}, "links": []object{{"href": c.base + "/v3/vault/payment-tokens", "rel": "self", "method": "GET"}}}
	if c.query.Get("total_required") == "true" && len(items) > 0 {
		body["total_items"], body["total_pages"] = len(items), (len(items)+size-1)/size
	}
	from := min((page-1)*size, len(items))
	body["payment_tokens"] = items[from:min(from+size, len(items))]
	return reply{status: http.StatusOK, body: body}, nil
}

func number(given string, otherwise int) int {
	if given == "" {
		return otherwise
	}
	n, err := strconv.Atoi(given)
	if err != nil {
		return -1
	}
	return n
}

// setup is a token on its way into the vault: the payer must agree first.
type setup struct {
	id, status, customer, payer, returnURL, cancelURL, base string
}

func (s *setup) render() object {
	o := object{"id": s.id, "status": s.status, "customer": object{"id": s.customer}, "payment_source": object{"paypal": object{}}}
	self := object{"href": s.base + "/v3/vault/setup-tokens/" + s.id, "rel": "self", "method": "GET"}
	if o["links"] = []object{self}; s.status == "PAYER_ACTION_REQUIRED" {
		o["links"] = []object{self, {"href": s.base + "/agreements/approve?approval_session_id=" + s.id, "rel": "approve", "method": "GET"}}
	}
	return o
}

func createSetup(b *Box, c *call) (reply, *apiError) {
	if b.switches.VaultOff {
		return reply{}, &apiError{status: http.StatusForbidden, name: "NOT_AUTHORIZED", issue: "PERMISSION_DENIED", text: "You do not have permission to vault this payment source."}
	}
	s := &setup{
		id: b.newID(""), status: "PAYER_ACTION_REQUIRED", customer: str(c.body, "customer.id"), base: c.base,
		returnURL: str(c.body, "payment_source.paypal.experience_context.return_url"), cancelURL: str(c.body, "payment_source.paypal.experience_context.cancel_url"),
	}
	if s.customer == "" {
		s.customer = b.newID("C")
	}
	b.setups.put(s.id, s)
	return reply{status: http.StatusCreated, body: s.render(), again: s.render}, nil
}

func readSetup(b *Box, c *call) (reply, *apiError) {
	s, ok := b.setups.get(c.id)
	if !ok {
		return reply{}, notFound(c.id)
	}
	return reply{status: http.StatusOK, body: s.render()}, nil
}

func createToken(b *Box, c *call) (reply, *apiError) {
	if str(c.body, "payment_source.token.type") != "SETUP_TOKEN" {
		return reply{}, refused("TOKEN_ID_NOT_FOUND", "The sandbox knows no billing agreements.")
	}
	s, ok := b.setups.get(str(c.body, "payment_source.token.id"))
	p, known := payerByEmail("")
	if ok {
		p, known = payerByEmail(s.payer)
	}
	if !ok || !known || s.status != "APPROVED" {
		e := refused("TOKEN_ID_NOT_FOUND", "The setup token was not found or was not approved by the payer.")
		e.remember = false
		return reply{}, e
	}
	t := b.addToken(s.customer, p)
	s.status = "VAULTED"
	b.emit("VAULT.PAYMENT-TOKEN.CREATED", "payment_token", t.render(c.base))
	again := func() object { return t.render(c.base) }
	return reply{status: http.StatusCreated, body: again(), again: again}, nil
}
