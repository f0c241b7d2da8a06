package stripebox

import (
	"net/http"
	"regexp"
	"strings"
)

func createCustomer(b *Box, c *call) (object, *apiError) {
	f := c.form
	if email := f.str("email"); email != "" && !strings.Contains(email, "@") {
		return nil, invalid("email", "email_invalid", "Invalid email address: %s", email)
	}
	cu := b.addCustomer(f.str("email"), f.str("name"), f.under("metadata"))
	cu.description = f.str("description")
	b.emit("customer.created", cu.render(), c)
	return cu.render(), nil
}

func (b *Box) addCustomer(email, name string, metadata map[string]string) *customer {
	cu := &customer{id: b.newID("cus"), email: email, name: name, metadata: metadata, created: b.unix()}
	b.customers.put(cu.id, cu)
	return cu
}

func readCustomer(b *Box, c *call) (object, *apiError) {
	cu, ok := b.customers.get(c.id)
	if !ok {
		return nil, noSuch("customer", c.id, "id", http.StatusNotFound)
	}
	return cu.render(), nil
}

func listCustomers(b *Box, c *call) (object, *apiError) {
	ids, items := []string{}, []*customer{}
	for _, cu := range b.customers.all() {
		if email := c.form.str("email"); email == "" || email == cu.email {
			ids, items = append(ids, cu.id), append(items, cu)
		}
	}
	return page(c, "/v1/customers", ids, items)
}

var metadataQuery = regexp.MustCompile(`^metadata\['([^']+)'\]:'([^']*)'$`)

// searchCustomers answers the one form of query our client asks.
func searchCustomers(b *Box, c *call) (object, *apiError) {
	q := metadataQuery.FindStringSubmatch(c.form.str("query"))
	if q == nil {
		return nil, invalid("query", "", "We were unable to parse your search query. The sandbox knows metadata['key']:'value'.")
	}
	data := []object{}
	for _, cu := range b.customers.all() {
		if cu.metadata[q[1]] == q[2] {
			data = append(data, cu.render())
		}
	}
	return object{"object": "search_result", "url": "/v1/customers/search", "has_more": false, "data": data}, nil
}

func listMethods(b *Box, c *call) (object, *apiError) {
	if _, ok := b.customers.get(c.id); !ok {
		return nil, noSuch("customer", c.id, "customer", http.StatusNotFound)
	}
	ids, items := []string{}, []*method{}
	for _, m := range b.methods.all() {
		wanted := c.form.str("type")
		if m.customer == c.id && (wanted == "" || wanted == m.render()["type"]) {
			ids, items = append(ids, m.id), append(items, m)
		}
	}
	return page(c, "/v1/customers/"+c.id+"/payment_methods", ids, items)
}

func readMethod(b *Box, c *call) (object, *apiError) {
	m, ok := b.methods.get(c.id)
	if !ok {
		return nil, noSuch("PaymentMethod", c.id, "payment_method", http.StatusNotFound)
	}
	return m.render(), nil
}

// addMethod records a card that was typed; it belongs to nobody yet.
func (b *Box) addMethod(card testCard) *method {
	m := &method{id: b.newID("pm"), card: card, created: b.unix(), month: 12, year: 2034}
	b.methods.put(m.id, m)
	return m
}

func readBalance(_ *Box, _ *call) (object, *apiError) {
	money := []object{{"amount": 0, "currency": "eur", "source_types": object{"card": 0}}}
	return object{"object": "balance", "livemode": false, "available": money, "pending": money}, nil
}

func readAccount(_ *Box, _ *call) (object, *apiError) {
	return object{
		"id": "acct_sandbox", "object": "account", "charges_enabled": true, "payouts_enabled": true,
		"country": "DE", "default_currency": "eur", "email": "owner@example.com", "type": "standard",
	}, nil
}
