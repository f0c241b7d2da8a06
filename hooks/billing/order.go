package billing

import (
	"fmt"
	"net/http"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/hooks/op"
)

type orderRequest struct {
	ClientKey string     `json:"client_key"`
	Gateway   string     `json:"gateway"`
	Currency  string     `json:"currency"`
	Total     int64      `json:"total_minor"`
	Terms     bool       `json:"terms"`
	Items     []cartItem `json:"items"`
}

// Check refuses what no cart could make right.
func (in orderRequest) Check(f *op.Fields) {
	f.Check(len(in.ClientKey) >= 8 && len(in.ClientKey) <= 80, "client_key", "invalid", "client_key must have 8 to 80 characters; use a random one per order.")
	f.Check(in.Terms, "terms", "required", "Please accept the terms.")
}

type orderAnswer struct {
	Order   orderView       `json:"order"`
	Payment billing.Payment `json:"payment"`
}

// create places an order. The same client key again returns the same order, so
// a double click or a repeated request never orders twice.
func (s *subject) create(r *op.Request, in orderRequest) (orderAnswer, error) {
	if err := s.checkGateway(r.App, in.Gateway); err != nil {
		return orderAnswer{}, err
	}
	var order *core.Record
	err := r.App.RunInTransaction(func(tx core.App) error {
		var err error
		order, err = s.place(tx, r, in)
		return err
	})
	if err != nil {
		return orderAnswer{}, err
	}
	invoice, err := r.App.FindRecordById(collections.Invoices, order.GetString("invoice"))
	if err != nil {
		return orderAnswer{}, fmt.Errorf("order %s: %w", order.Id, err)
	}
	payment, err := s.pay(r, invoice, in.Gateway)
	if err != nil {
		return orderAnswer{}, err
	}
	view, err := viewOrder(r.App, order.Id)
	return orderAnswer{view, payment}, err
}

// pay opens the payment of an invoice. When the gateway cannot be reached the
// order stands and says so: the customer tries again from its page.
func (s *subject) pay(r *op.Request, invoice *core.Record, gateway string) (billing.Payment, error) {
	if collections.InvoiceStatus(invoice) != billing.InvoiceOpen {
		return s.PaymentOf(r.App, invoice)
	}
	return s.Pay(r.Request.Context(), r.App, invoice, gateway)
}

func (s *subject) checkGateway(app core.App, gateway string) error {
	choices, err := s.Gateways(app)
	if err != nil {
		return err
	}
	if billing.Offered(choices, gateway) {
		return nil
	}
	return op.Fields{{Field: "gateway", Message: "This way to pay is not offered. Please choose another.", Code: "unknown_gateway"}}.Problem()
}

// place writes order, subscriptions, services and invoice in one transaction,
// or returns the order that the same client key made before.
func (s *subject) place(tx core.App, r *op.Request, in orderRequest) (*core.Record, error) {
	if earlier, err := collections.First(tx, collections.Orders, dbx.HashExp{"user": r.Auth.Id, "client_key": in.ClientKey}); err != nil || earlier != nil {
		return earlier, err
	}
	now := r.Now()
	user, err := tx.FindRecordById(collections.Users, r.Auth.Id)
	if err != nil {
		return nil, fmt.Errorf("customer %s: %w", r.Auth.Id, err)
	}
	customer, err := collections.LoadCustomer(tx, user.Id)
	if err != nil {
		return nil, err
	}
	cart, err := priceCart(tx, customer, in.Currency, in.Items, now)
	if err != nil {
		return nil, err
	}
	if total := cart.Priced.Totals.Total; total.Minor() != in.Total {
		return nil, op.NewProblem(http.StatusConflict, "price_changed", fmt.Sprintf("The price is now %s. Nothing was ordered; please look at the new total.", total.Format("en")))
	}
	if err := fixCurrency(tx, user, in.Currency); err != nil {
		return nil, err
	}
	if err := reserve(tx, cart); err != nil {
		return nil, err
	}
	order, err := s.saveOrder(tx, r, in, cart)
	if err != nil {
		return nil, err
	}
	invoice, err := s.invoice(tx, user, order, cart, in.Gateway, now)
	if err != nil {
		return nil, err
	}
	return order, s.recordOrder(tx, r, order, invoice)
}

// invoice writes what the order consists of and issues its invoice.
func (s *subject) invoice(tx core.App, user, order *core.Record, cart pricedCart, gateway string, now time.Time) (books.Document, error) {
	subscriptions, err := saveUnits(tx, user, order, cart, gateway, now)
	if err != nil {
		return books.Document{}, err
	}
	lines := cart.lines()
	for i := range lines {
		lines[i].Subscription = subscriptions[cart.Quote.Lines[i].Unit]
	}
	// The order names its invoice before there is one: whoever follows the invoice
	// looks for its order.
	order.Set("invoice", core.GenerateDefaultRandomId())
	if err := collections.Update(tx, order); err != nil {
		return books.Document{}, fmt.Errorf("order %s: %w", order.Id, err)
	}
	session, err := s.Books.Open(tx, now)
	if err != nil {
		return books.Document{}, err
	}
	due := now
	if gateway == "manual" {
		due = now.AddDate(0, 0, session.Invoicing().DueDays)
	}
	return session.Issue(books.Invoice{ID: order.GetString("invoice"), User: user.Id, Kind: "order", Currency: cart.Currency, Lines: lines, DueAt: due})
}

func (s *subject) saveOrder(tx core.App, r *op.Request, in orderRequest, cart pricedCart) (*core.Record, error) {
	settings, err := collections.LoadOrdering(tx)
	if err != nil {
		return nil, err
	}
	now := r.Now()
	return collections.Insert(tx, collections.Orders, map[string]any{
		"user": r.Auth.Id, "client_key": in.ClientKey, "status": string(billing.OrderPending), "currency": cart.Currency,
		"subtotal_minor": cart.Priced.Totals.Subtotal.Minor(), "tax_minor": cart.Priced.Totals.Tax.Minor(), "total_minor": cart.Priced.Totals.Total.Minor(),
		"gateway": in.Gateway, "review": "none",
		"placed_at": collections.Stamp(now), "expires_at": collections.Stamp(now.Add(settings.Hold(in.Gateway))),
		"terms_at": collections.Stamp(now), "ip": r.RealIP(), "user_agent": collections.Cut(r.Agent(), 400),
	})
}

// recordOrder leaves the audit row and the timer that gives the stock back.
func (s *subject) recordOrder(tx core.App, r *op.Request, order *core.Record, invoice books.Document) error {
	err := audit.Write(tx, r.Now(), audit.Entry{
		ActorKind: audit.Customer, Actor: r.Auth.Id, Action: "order.place", Resource: collections.Orders, ResourceID: order.Id,
		IP: r.RealIP(), UserAgent: r.Agent(),
		Changes: map[string]any{"invoice": invoice.Number, "total_minor": order.GetInt64("total_minor"), "currency": order.GetString("currency")},
	})
	if err != nil {
		return err
	}
	if invoice.Status != billing.InvoiceOpen {
		return nil // nothing to pay, nothing to expire
	}
	_, err = jobs.Enqueue(tx, r.Now(), jobs.Job{
		Kind: jobExpire, Key: jobExpire + ":" + order.Id, Serial: "invoice:" + invoice.ID, User: r.Auth.Id, Actor: audit.System,
		At: collections.Time(order, "expires_at").Add(expiryMargin), Payload: expirePayload{Order: order.Id},
	})
	return err
}

// fixCurrency binds a customer to the currency of the first order.
func fixCurrency(tx core.App, user *core.Record, currency string) error {
	switch fixed := user.GetString("currency"); fixed {
	case currency:
		return nil
	case "":
		user.Set("currency", currency)
		if err := collections.Save(tx, user); err != nil {
			return fmt.Errorf("customer %s: %w", user.Id, err)
		}
		return nil
	default:
		return op.NewProblem(http.StatusConflict, "wrong_currency", fmt.Sprintf("Your account is billed in %s. Please order in that currency, or ask support to change it.", fixed))
	}
}

// reserve takes the units from the stock by a conditional update, so that
// concurrency cannot sell what is not there.
func reserve(tx core.App, cart pricedCart) error {
	for _, u := range cart.Units {
		if !u.plan.GetBool("stock_limited") {
			continue
		}
		res, err := tx.DB().NewQuery("UPDATE `plans` SET `stock` = `stock` - 1 WHERE `id` = {:id} AND `stock` >= 1").Bind(dbx.Params{"id": u.plan.Id}).Execute()
		if err != nil {
			return fmt.Errorf("reserve %s: %w", u.plan.GetString("slug"), err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return soldOut(u.plan)
		}
	}
	return nil
}
