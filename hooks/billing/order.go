package billing

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/risk"
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
	Coupons   []string   `json:"coupons,omitzero"`
	// Where the customer is, kept as the billing address if none is known yet.
	Country  string `json:"country,omitzero"`
	Region   string `json:"region,omitzero"`
	Postcode string `json:"postcode,omitzero"`
	VATID    string `json:"vat_id,omitzero"`
}

// Check refuses what no cart could make right.
func (in orderRequest) Check(f *op.Fields) {
	f.Check(len(in.ClientKey) >= 8 && len(in.ClientKey) <= 80, "client_key", "invalid", "client_key must have 8 to 80 characters; use a random one per order.")
	f.Check(!strings.HasPrefix(in.ClientKey, quoteKey), "client_key", "invalid", "client_key must not begin with "+quoteKey)
	f.Check(in.Terms, "terms", "required", "Please accept the terms.")
}

type orderAnswer struct {
	Order   orderView       `json:"order"`
	Payment billing.Payment `json:"payment"`
}

// purchase is what is about to be ordered, by whichever door.
type purchase struct {
	key     string // client key: the same one again is the same order
	gateway string
	total   int64 // what the customer was shown
	wish    wish
	where   whereabouts
	quote   string // id of the accepted quote, "" for none
	facts   risk.Facts
}

// create places an order. The same client key again returns the same order, so
// a double click or a repeated request never orders twice.
func (s *subject) create(r *op.Request, in orderRequest) (orderAnswer, error) {
	faults := op.Fields{}
	where := readWhereabouts(whereabouts{in.Country, in.Region, in.Postcode, in.VATID}, &faults)
	if err := faults.Problem(); err != nil {
		return orderAnswer{}, err
	}
	return s.buy(r, purchase{
		key: in.ClientKey, gateway: in.Gateway, total: in.Total, where: where,
		wish: wish{Currency: in.Currency, Items: in.Items, Coupons: in.Coupons},
	})
}

// buy places an order and opens its payment.
func (s *subject) buy(r *op.Request, p purchase) (orderAnswer, error) {
	if err := s.checkGateway(r.App, p.gateway); err != nil {
		return orderAnswer{}, err
	}
	var err error
	if p.facts, err = evidence(r, r.Now()); err != nil {
		return orderAnswer{}, err
	}
	var order *core.Record
	err = r.App.RunInTransaction(func(tx core.App) error {
		var err error
		order, err = s.place(tx, r, p)
		return err
	})
	if err != nil {
		return orderAnswer{}, err
	}
	invoice, err := r.App.FindRecordById(collections.Invoices, order.GetString("invoice"))
	if err != nil {
		return orderAnswer{}, fmt.Errorf("order %s: %w", order.Id, err)
	}
	payment, err := s.pay(r, invoice, p.gateway)
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
func (s *subject) place(tx core.App, r *op.Request, p purchase) (*core.Record, error) {
	if earlier, err := collections.First(tx, collections.Orders, dbx.HashExp{"user": r.Auth.Id, "client_key": p.key}); err != nil || earlier != nil {
		return earlier, err
	}
	now := r.Now()
	user, err := tx.FindRecordById(collections.Users, r.Auth.Id)
	if err != nil {
		return nil, fmt.Errorf("customer %s: %w", r.Auth.Id, err)
	}
	who, err := settleAddress(tx, user.Id, p.where)
	if err != nil {
		return nil, err
	}
	cart, err := priceCart(tx, who, p.wish, now)
	if err != nil {
		return nil, err
	}
	if total := cart.Priced.Totals.Total; total.Minor() != p.total {
		return nil, op.NewProblem(http.StatusConflict, "price_changed", fmt.Sprintf("The price is now %s. Nothing was ordered; please look at the new total.", total.Format("en")))
	}
	if err := fixCurrency(tx, user, p.wish.Currency); err != nil {
		return nil, err
	}
	method, err := neededMethod(tx, user.Id, cart)
	if err != nil {
		return nil, err
	}
	if err := reserve(tx, cart); err != nil {
		return nil, err
	}
	order, err := saveOrder(tx, r, p, cart, now)
	if err != nil {
		return nil, err
	}
	if err := redeem(tx, order, cart, now); err != nil {
		return nil, err
	}
	if p.quote != "" {
		if err := s.accepted(tx, p.quote, order, now); err != nil {
			return nil, err
		}
	}
	invoice, err := s.invoice(tx, sale{user: user.Id, order: order, cart: cart, gateway: p.gateway, method: method, now: now})
	if err != nil {
		return nil, err
	}
	return order, s.recordOrder(tx, r, order, invoice)
}

// neededMethod is the saved method of a customer who gets something without
// paying now, where a plan asks for one; "" where none does.
func neededMethod(tx core.App, user string, cart pricedCart) (string, error) {
	asks := ""
	for i, u := range cart.Units {
		if u.NeedsCard && (cart.Quote.Units[i].TrialDays > 0 || cart.Priced.Totals.Total.IsZero()) {
			asks = u.Name
		}
	}
	if asks == "" {
		return "", nil
	}
	ids := []string{}
	err := tx.DB().Select("id").From(collections.PaymentMethods).Where(dbx.HashExp{"user": user, "active": true}).OrderBy("is_default DESC", "created ASC").Limit(1).Column(&ids)
	if err != nil {
		return "", fmt.Errorf("payment methods of customer %s: %w", user, err)
	}
	if len(ids) == 0 {
		return "", op.NewProblem(http.StatusConflict, "method_needed", asks+" asks for a saved payment method before it starts, even where nothing is due yet. Add one under payment methods, which costs nothing, then order again.")
	}
	return ids[0], nil
}

// sale is an order about to be written with all that belongs to it.
type sale struct {
	user    string
	order   *core.Record
	cart    pricedCart
	gateway string
	method  string // saved method of its subscriptions, "" for the customer's default
	now     time.Time
}

// invoice writes what the order consists of and issues its invoice.
func (s *subject) invoice(tx core.App, sold sale) (books.Document, error) {
	subscriptions, err := sold.saveUnits(tx)
	if err != nil {
		return books.Document{}, err
	}
	lines := sold.cart.lines()
	for i := range lines {
		lines[i].Subscription = subscriptions[sold.cart.Quote.Lines[i].Unit]
	}
	// The order names its invoice before there is one: whoever follows the invoice
	// looks for its order.
	sold.order.Set("invoice", core.GenerateDefaultRandomId())
	if err := collections.Update(tx, sold.order); err != nil {
		return books.Document{}, fmt.Errorf("order %s: %w", sold.order.Id, err)
	}
	session, err := s.Books.Open(tx, sold.now)
	if err != nil {
		return books.Document{}, err
	}
	due := sold.now
	if sold.gateway == "manual" {
		due = sold.now.AddDate(0, 0, session.Invoicing().DueDays)
	}
	return session.Issue(books.Invoice{ID: sold.order.GetString("invoice"), User: sold.user, Kind: "order", Currency: sold.cart.Currency, Lines: lines, DueAt: due})
}

func saveOrder(tx core.App, r *op.Request, p purchase, cart pricedCart, now time.Time) (*core.Record, error) {
	settings, err := collections.LoadOrdering(tx)
	if err != nil {
		return nil, err
	}
	if p.facts.BillingCountry == "" {
		p.facts.BillingCountry = p.where.Country
	}
	status, signals, err := review(tx, cart, p.facts, p.quote)
	if err != nil {
		return nil, err
	}
	totals := cart.Priced.Totals
	return collections.Insert(tx, collections.Orders, map[string]any{
		"user": r.Auth.Id, "client_key": p.key, "status": string(billing.OrderPending), "currency": cart.Currency, "quote": p.quote,
		"subtotal_minor": totals.Subtotal.Minor(), "tax_minor": totals.Tax.Minor(), "total_minor": totals.Total.Minor(), "discount_minor": cart.discount(),
		"gateway": p.gateway, "review": string(status), "signals": signals, "ip_country": p.facts.IPCountry,
		"placed_at": collections.Stamp(now), "expires_at": collections.Stamp(now.Add(settings.Hold(p.gateway))),
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
		if !u.StockLimited {
			continue
		}
		res, err := tx.DB().NewQuery("UPDATE `plans` SET `stock` = `stock` - 1 WHERE `id` = {:id} AND `stock` >= 1").Bind(dbx.Params{"id": u.Plan}).Execute()
		if err != nil {
			return fmt.Errorf("reserve %s: %w", u.Slug, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return op.NewProblem(http.StatusConflict, "sold_out", u.Name+" is sold out just now. Nothing was ordered and nothing charged.")
		}
	}
	return nil
}
