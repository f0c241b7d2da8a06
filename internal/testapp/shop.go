package testapp

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
)

// Card numbers of the sandbox that tests use.
const (
	CardWorks        = "4242424242424242"
	CardWorksToo     = "5555555555554444"
	CardNoFunds      = "4000000000009995"
	CardLost         = "4000000000009987"
	CardAuthenticate = "4000002500003155"
	CardAlwaysAsks   = "4000002760003184"
	CardFailsLater   = "4000000000000341" // can be saved, declines later
	DebitArrives     = "AT611904300234573201"
	DebitFails       = "AT861904300235473202"
)

// Cart says what to order; the zero value is one vps-s by card in euros.
type Cart struct {
	Plan      string // slug; "" is vps-s
	Currency  string // "" is EUR
	Cycle     string // "" is monthly
	Gateway   string // "" is stripe
	Hostname  string
	Quantity  int64 // 0 is 1
	ClientKey string
	Total     int64             // minor units; 0 is the right total
	Choices   map[string]string // nil is Debian, for plans that ask
}

// Order is a placed order.
type Order struct {
	ID, Invoice string
	Services    []string
	PageURL     string
	Answer      *Answer
}

// Session is the gateway's id of the payment page.
func (o *Order) Session() string { return o.PageURL[strings.LastIndex(o.PageURL, "/")+1:] }

// Body is the request that orders a cart.
func (a *App) Body(c Cart) map[string]any {
	a.Helper()
	price := a.Price(or(c.Plan, "vps-s"), or(c.Currency, "EUR"), or(c.Cycle, "monthly"))
	quantity := max(c.Quantity, 1)
	total := c.Total
	if total == 0 {
		total = quantity * (price.GetInt64("amount_minor") + price.GetInt64("setup_minor"))
	}
	choices := c.Choices
	if choices == nil && c.Plan != "colo" {
		choices = map[string]string{"template_id": "8"}
	}
	item := map[string]any{"price": price.Id, "quantity": quantity}
	if c.Hostname != "" {
		item["hostname"] = c.Hostname
	}
	if choices != nil {
		item["choices"] = choices
	}
	return map[string]any{
		"client_key": or(c.ClientKey, core.GenerateDefaultRandomId()), "gateway": or(c.Gateway, "stripe"), "currency": or(c.Currency, "EUR"),
		"total_minor": total, "terms": true, "items": []any{item},
	}
}

// Order places an order for a customer and fails the test if it is refused.
func (a *App) Order(by *Person, c Cart) *Order {
	a.Helper()
	return ReadOrder(a.Want(http.StatusCreated, a.Do(http.MethodPost, "/api/v1/orders", by.Token, a.Body(c))))
}

// ReadOrder reads what orders.create answered.
func ReadOrder(r *Answer) *Order {
	o := &Order{ID: r.Text("order.id"), Invoice: r.Text("order.invoice.id"), PageURL: r.Text("payment.url"), Answer: r}
	for i := range r.Len("order.services") {
		o.Services = append(o.Services, r.Text(fmt.Sprintf("order.services.%d.id", i)))
	}
	return o
}

// PayWith pays the order's page with a test card, as the customer would, and
// returns what the page says of a decline, "" after success. It does not wait
// for the product to hear of it.
func (a *App) PayWith(o *Order, card string) string {
	a.Helper()
	declined, err := a.Stripe.PayPage(o.Session(), card)
	if err != nil {
		a.Fatal(err)
	}
	return declined
}

// Pay pays the order's page and waits until the invoice is paid.
func (a *App) Pay(o *Order) {
	a.Helper()
	if declined := a.PayWith(o, CardWorks); declined != "" {
		a.Fatalf("pay order %s: %s", o.ID, declined)
	}
	a.Eventually("the invoice is paid", func() bool { return a.InvoiceStatus(o) == "paid" })
}

// Buy orders, pays and waits until every service is active.
func (a *App) Buy(by *Person, c Cart) *Order {
	a.Helper()
	o := a.Order(by, c)
	a.Pay(o)
	a.Active(o)
	return o
}

// Active waits until every service of an order is active.
func (a *App) Active(o *Order) {
	a.Helper()
	for _, id := range o.Services {
		a.Eventually("service "+id+" is active", func() bool { return a.Record(collections.Services, id).GetString("status") == "active" })
	}
}

// Service reads the first service of an order.
func (a *App) Service(o *Order) *core.Record {
	a.Helper()
	return a.Record(collections.Services, o.Services[0])
}

// InvoiceStatus reads the status of an order's invoice.
func (a *App) InvoiceStatus(o *Order) string {
	a.Helper()
	return a.Record(collections.Invoices, o.Invoice).GetString("status")
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
