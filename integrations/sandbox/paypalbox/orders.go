package paypalbox

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"time"
)

// orderLife is how long an order that was not captured is kept. PayPal deletes
// such orders after some hours and then answers 404.
const orderLife = 6 * time.Hour

type order struct {
	id, status, reference, customID, invoiceID, description string
	amount                                                  sum
	email, customer, returnURL, cancelURL, locale           string
	store                                                   bool   // keep the payer's account in the vault
	payer                                                   string // e-mail of who agreed
	vaultID, vaultStatus                                    string
	captures                                                []string
	problem                                                 string // issue of the last capture, for the page
	base                                                    string
	created, updated                                        time.Time
}

func (b *Box) renderOrder(o *order) object {
	unit := object{"reference_id": o.reference, "amount": o.amount.render(), "payee": object{"merchant_id": "SANDBXMERCHNT"}}
	for name, v := range map[string]string{"custom_id": o.customID, "invoice_id": o.invoiceID, "description": o.description} {
		if v != "" {
			unit[name] = v
		}
	}
	if len(o.captures) > 0 {
		captures := []object{}
		for _, id := range o.captures {
			c, _ := b.captures.get(id)
			captures = append(captures, c.render())
		}
		unit["payments"] = object{"captures": captures}
	}
	paypal := object{}
	if o.email != "" {
		paypal["email_address"] = o.email
	}
	if p, ok := payerByEmail(o.payer); ok {
		maps.Copy(paypal, p.render())
	}
	if o.vaultStatus != "" {
		saved := object{"status": o.vaultStatus, "customer": object{"id": o.customer}}
		if o.vaultID != "" && o.vaultStatus == "VAULTED" {
			saved["id"] = o.vaultID
		}
		paypal["attributes"] = object{"vault": saved}
	}
	return object{
		"id": o.id, "intent": "CAPTURE", "status": o.status, "create_time": stamp(o.created), "update_time": stamp(o.updated),
		"purchase_units": []object{unit}, "payment_source": object{"paypal": paypal}, "links": o.links(),
	}
}

func (o *order) links() []object {
	self := o.base + "/v2/checkout/orders/" + o.id
	all := []object{{"href": self, "rel": "self", "method": "GET"}}
	switch o.status {
	case "PAYER_ACTION_REQUIRED":
		all = append(all, object{"href": o.base + "/checkoutnow?token=" + o.id, "rel": "payer-action", "method": "GET"})
	case "APPROVED":
		all = append(all, object{"href": self, "rel": "update", "method": "PATCH"}, object{"href": self + "/capture", "rel": "capture", "method": "POST"})
	}
	return all
}

func createOrder(b *Box, c *call) (reply, *apiError) {
	const unit = "purchase_units.0"
	if n := len(at(c.body, "purchase_units").([]any)); n != 1 {
		return reply{}, invalid("/purchase_units", "INVALID_ARRAY_MAX_ITEMS", "The sandbox takes one purchase unit, not %d.", n)
	}
	amount, err := readSum(at(c.body, unit+".amount"), "/purchase_units/0/amount")
	if err != nil {
		return reply{}, err
	}
	if str(c.body, "intent") != "CAPTURE" {
		return reply{}, invalid("/intent", "INVALID_PARAMETER_VALUE", "The sandbox knows the intent CAPTURE.")
	}
	const paypal = "payment_source.paypal"
	o := &order{
		id: b.newID(""), status: "PAYER_ACTION_REQUIRED", reference: "default", amount: amount, base: c.base,
		customID: str(c.body, unit+".custom_id"), invoiceID: str(c.body, unit+".invoice_id"), description: str(c.body, unit+".description"),
		email: str(c.body, paypal+".email_address"), customer: str(c.body, paypal+".attributes.customer.id"),
		store:     str(c.body, paypal+".attributes.vault.store_in_vault") == "ON_SUCCESS",
		returnURL: str(c.body, paypal+".experience_context.return_url"), cancelURL: str(c.body, paypal+".experience_context.cancel_url"),
		locale: str(c.body, paypal+".experience_context.locale"), created: b.now(), updated: b.now(),
	}
	if ref := str(c.body, unit+".reference_id"); ref != "" {
		o.reference = ref
	}
	if o.customer == "" {
		o.customer = b.newID("C")
	}
	if id := str(c.body, paypal+".vault_id"); id != "" {
		return b.chargeToken(o, id)
	}
	if at(c.body, paypal+".experience_context") == nil {
		return reply{}, refusedAt("/payment_source/paypal", "MISSING_REQUIRED_PARAMETER", "The sandbox takes orders with payment_source.paypal and an experience_context or a vault_id.")
	}
	if o.store && b.switches.VaultOff {
		return reply{}, refused("NOT_ENABLED_TO_VAULT_PAYMENT_SOURCE", "The API caller or the merchant on whose behalf the API call is initiated is not allowed to vault the given source. Please contact PayPal customer support for assistance.")
	}
	b.orders.put(o.id, o)
	return b.orderReply(o, http.StatusOK), nil
}

func (b *Box) orderReply(o *order, status int) reply {
	return reply{status: status, body: b.renderOrder(o), again: func() object { return b.renderOrder(o) }}
}

// order finds an order that PayPal still knows.
func (b *Box) order(id string) (*order, *apiError) {
	o, ok := b.orders.get(id)
	if !ok || o.status != "COMPLETED" && b.now().Sub(o.created) >= orderLife {
		return nil, notFound(id)
	}
	return o, nil
}

func readOrder(b *Box, c *call) (reply, *apiError) {
	o, err := b.order(c.id)
	if err != nil {
		return reply{}, err
	}
	return b.orderReply(o, http.StatusOK), nil
}

var patchPath = regexp.MustCompile(`^/purchase_units/@reference_id=='([^']+)'/(custom_id|invoice_id|description|amount)$`)

// patchOrder replaces the members of an order that PayPal documents as
// patchable, as far as our client uses them.
func patchOrder(b *Box, c *call) (reply, *apiError) {
	o, err := b.order(c.id)
	if err != nil {
		return reply{}, err
	}
	if o.status == "COMPLETED" {
		return reply{}, refused("ORDER_ALREADY_COMPLETED", "The order cannot be patched after it is completed.")
	}
	for _, p := range c.body["patches"].([]any) {
		if err := b.patch(o, p.(object)); err != nil {
			return reply{}, err
		}
	}
	o.updated = b.now()
	return reply{status: http.StatusNoContent}, nil
}

func (b *Box) patch(o *order, p object) *apiError {
	m := patchPath.FindStringSubmatch(str(p, "path"))
	if m == nil || m[1] != o.reference {
		return refusedAt("path", "NOT_PATCHABLE", "Cannot be patched.")
	}
	if str(p, "op") == "remove" {
		p["value"] = ""
	} else if value, ok := p["value"].(string); m[2] != "amount" && (!ok || value == "" || len(value) > 127) {
		return refusedAt("value", "INVALID_STRING_LENGTH", "A text of 1 to 127 characters is expected.")
	}
	switch m[2] {
	case "custom_id":
		o.customID = str(p, "value")
	case "invoice_id":
		o.invoiceID = str(p, "value")
	case "description":
		o.description = str(p, "value")
	case "amount":
		amount, err := readSum(p["value"], "value")
		if err != nil {
			return err
		}
		o.amount = amount
	}
	return nil
}

// approve is what a payer does on the hosted page. The box is locked.
func (b *Box) approve(o *order, p testPayer) bool {
	if o.status != "PAYER_ACTION_REQUIRED" && o.status != "APPROVED" || b.now().Sub(o.created) >= orderLife {
		return false
	}
	at := b.now()
	if !at.Truncate(time.Second).After(o.updated.Truncate(time.Second)) {
		at = o.updated.Add(time.Second) // people take longer than a clock that stands still
	}
	o.status, o.payer, o.problem, o.updated = "APPROVED", p.Email, "", at
	b.emit("CHECKOUT.ORDER.APPROVED", "checkout-order", b.renderOrder(o))
	return true
}

func captureOrder(b *Box, c *call) (reply, *apiError) {
	o, err := b.order(c.id)
	if err != nil {
		return reply{}, err
	}
	switch {
	case o.status == "COMPLETED":
		return reply{}, refused("ORDER_ALREADY_CAPTURED", "Order already captured.If 'intent=CAPTURE' only one capture per order is allowed.")
	case o.status != "APPROVED":
		e := refused("ORDER_NOT_APPROVED", "Payer has not yet approved the Order for payment. Please redirect the payer to the 'rel':'approve' url returned as part of the HATEOAS links within the Create Order call or provide a valid `payment_source` in the request.")
		e.remember = false
		return reply{}, e
	}
	p, _ := payerByEmail(o.payer)
	if err := b.pay(o, p, p.present); err != nil {
		o.problem = err.issue
		err.links = []object{{"href": o.base + "/checkoutnow?token=" + o.id, "rel": "redirect", "method": "GET"}}
		return reply{}, err
	}
	if o.store {
		b.keep(o, p)
	}
	b.emitCapture(o)
	return b.orderReply(o, http.StatusCreated), nil
}

// keep puts the payer's account into the vault.
func (b *Box) keep(o *order, p testPayer) {
	t := b.addToken(o.customer, p)
	o.vaultID, o.vaultStatus = t.id, "VAULTED"
	if p.slow {
		o.vaultStatus, t.hidden = "APPROVED", true // the token follows by webhook
		return
	}
	b.emit("VAULT.PAYMENT-TOKEN.CREATED", "payment_token", t.render(o.base))
}

// chargeToken pays an order by a saved token, at once and without the payer.
func (b *Box) chargeToken(o *order, id string) (reply, *apiError) {
	t, ok := b.vault.get(id)
	if !ok || t.gone || t.hidden {
		return reply{}, refused("TOKEN_ID_NOT_FOUND", "Specified token was not found. Verify the token and try the request again.")
	}
	o.payer, o.customer = t.payer.Email, t.customer
	if err := b.pay(o, t.payer, t.payer.later); err != nil {
		return reply{}, err
	}
	b.orders.put(o.id, o)
	b.emitCapture(o)
	return b.orderReply(o, http.StatusCreated), nil
}

// pay moves the money of an order, or says why not.
func (b *Box) pay(o *order, p testPayer, issue string) *apiError {
	if issue != "" {
		return refused(issue, "%s", refusals[issue])
	}
	if o.invoiceID != "" && slices.ContainsFunc(b.captures.all(), func(c *capture) bool { return c.invoiceID == o.invoiceID && c.status != "DECLINED" }) {
		return refused("DUPLICATE_INVOICE_ID", "Duplicate Invoice ID detected. To avoid a potential duplicate transaction your account setting requires that Invoice Id be unique for each transaction.")
	}
	c := &capture{
		id: b.newID(""), order: o.id, payer: p.Email, status: "COMPLETED", amount: o.amount, customID: o.customID, invoiceID: o.invoiceID,
		base: o.base, created: b.now(), updated: b.now(),
	}
	if p.pending != "" {
		c.status, c.reason = "PENDING", p.pending
	}
	b.captures.put(c.id, c)
	o.captures, o.status, o.problem, o.updated = append(o.captures, c.id), "COMPLETED", "", b.now()
	return nil
}

// copied is a deep copy: an event keeps its resource as it was.
func copied(o object) object {
	var out object
	raw, _ := json.Marshal(o)
	_ = json.Unmarshal(raw, &out)
	return out
}
