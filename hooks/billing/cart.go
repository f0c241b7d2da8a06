package billing

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/op"
)

// cartItem is one row of a customer's cart. Nothing of it but ids and choices
// is believed; prices are looked up.
type cartItem struct {
	Price    string            `json:"price"`
	Quantity int64             `json:"quantity,omitzero"`
	Hostname string            `json:"hostname,omitzero"`
	Choices  map[string]string `json:"choices,omitzero"`
}

// unit is one unit of a cart with what it refers to.
type unit struct {
	cartItem
	plan  *core.Record
	price *core.Record
}

// pricedCart is a cart with its quote; Units and the quote's item indexes agree.
type pricedCart struct {
	Currency string
	Units    []unit
	Quote    billing.Quote
	Priced   books.Priced
}

// lines are the quote's lines, in order.
func (c pricedCart) lines() []billing.Line {
	lines := make([]billing.Line, len(c.Quote.Lines))
	for i, l := range c.Quote.Lines {
		lines[i] = l.Line
	}
	return lines
}

var hostname = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)

// priceCart looks a cart up and prices it. Faults of the input are a Problem
// whose fields name the row.
func priceCart(app core.App, customer collections.Customer, currency string, items []cartItem, now time.Time) (pricedCart, error) {
	faults := op.Fields{}
	cart := pricedCart{Currency: currency}
	if len(items) == 0 {
		faults.Add("items", "required", "Choose at least one plan.")
	}
	lines := []billing.Item{}
	for i, it := range items {
		u, err := lookUp(app, currency, i, it, &faults)
		if err != nil {
			return cart, err
		}
		if u == nil {
			continue
		}
		line, err := u.item()
		if err != nil {
			return cart, err
		}
		for range max(it.Quantity, 1) {
			cart.Units = append(cart.Units, *u)
			lines = append(lines, line)
		}
	}
	faults.Check(len(cart.Units) <= billing.MaxItems, "items", "too_many", fmt.Sprintf("At most %d units fit in one order.", billing.MaxItems))
	if err := faults.Problem(); err != nil {
		return cart, err
	}
	quote, err := billing.QuoteCart(currency, lines, now)
	if err != nil {
		return cart, fmt.Errorf("quote: %w", err)
	}
	cart.Quote = quote
	pricer, err := books.NewPricer(app)
	if err != nil {
		return cart, err
	}
	if cart.Priced, err = pricer.Price(app, customer, cart.lines(), now); err != nil {
		return cart, fmt.Errorf("quote: %w", err)
	}
	return cart, nil
}

// lookUp finds what a row refers to and checks its choices; nil if faulty.
func lookUp(app core.App, currency string, i int, it cartItem, faults *op.Fields) (*unit, error) {
	at := func(field string) string { return fmt.Sprintf("items.%d.%s", i, field) }
	before := len(*faults)
	faults.Check(it.Quantity >= 0 && it.Quantity <= billing.MaxItems, at("quantity"), "out_of_range", fmt.Sprintf("Quantity must be 1 to %d.", billing.MaxItems))
	it.Hostname = strings.ToLower(strings.TrimSpace(it.Hostname))
	faults.Check(it.Hostname == "" || len(it.Hostname) <= 253 && hostname.MatchString(it.Hostname), at("hostname"), "invalid",
		"A host name has letters, digits, hyphens and dots, such as web-1.example.com.")
	price, err := collections.First(app, collections.PlanPrices, dbx.HashExp{"id": it.Price})
	if err != nil {
		return nil, err
	}
	if price == nil || !price.GetBool("active") {
		faults.Add(at("price"), "unknown_price", "This plan is not for sale any more. Please choose again.")
		return nil, nil
	}
	plan, err := collections.First(app, collections.Plans, dbx.HashExp{"id": price.GetString("plan")})
	if err != nil {
		return nil, err
	}
	if plan == nil || plan.GetString("status") == "archived" {
		faults.Add(at("price"), "unknown_plan", "This plan is not for sale any more. Please choose again.")
		return nil, nil
	}
	faults.Check(price.GetString("currency") == currency, at("price"), "wrong_currency", "This price is in another currency than the order.")
	if err := checkChoices(plan, &it, at, faults); err != nil {
		return nil, err
	}
	if len(*faults) > before {
		return nil, nil
	}
	return &unit{it, plan, price}, nil
}

// checkChoices takes options from the catalog by name and drops nothing
// silently: an unknown choice is a fault.
func checkChoices(plan *core.Record, it *cartItem, at func(string) string, faults *op.Fields) error {
	choices, err := planChoices(plan)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, c := range choices {
		known[c.Name] = true
		value, chosen := it.Choices[c.Name]
		if !chosen || value == "" {
			faults.Check(!c.Required, at("choices."+c.Name), "required", "Choose: "+c.Label+".")
			continue
		}
		offered := false
		for _, o := range c.Options {
			offered = offered || o.Value == value
		}
		faults.Check(offered, at("choices."+c.Name), "unknown_option", c.Label+": this option is not offered.")
	}
	for name := range it.Choices {
		faults.Check(known[name], at("choices."+name), "unknown_choice", "This plan has no such choice.")
	}
	return nil
}

// item is what the engine prices.
func (u *unit) item() (billing.Item, error) {
	amount, err := collections.Amount(u.price, "amount_minor")
	if err != nil {
		return billing.Item{}, err
	}
	setup, err := collections.Amount(u.price, "setup_minor")
	if err != nil {
		return billing.Item{}, err
	}
	cycle, err := billing.ParseCycle(u.price.GetString("cycle"))
	if err != nil {
		return billing.Item{}, fmt.Errorf("price %s: %w", u.price.Id, err)
	}
	return billing.Item{Plan: u.plan.GetString("name"), Host: u.Hostname, Cycle: cycle, Unit: amount, Setup: setup}, nil
}

type quoteRequest struct {
	Currency string     `json:"currency"`
	Items    []cartItem `json:"items"`
}

type periodView struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

type lineView struct {
	Description string       `json:"description"`
	Quantity    int64        `json:"quantity"`
	UnitPrice   money.Amount `json:"unit_price"`
	Amount      money.Amount `json:"amount"`
	Period      *periodView  `json:"period"`
}

type recurringView struct {
	Cycle  string       `json:"cycle"`
	Amount money.Amount `json:"amount"`
	Next   time.Time    `json:"next"`
}

type quoteView struct {
	Currency  string          `json:"currency"`
	Lines     []lineView      `json:"lines"`
	Subtotal  money.Amount    `json:"subtotal"`
	Tax       money.Amount    `json:"tax"`
	Total     money.Amount    `json:"total"`
	Recurring []recurringView `json:"recurring"`
}

func (s *subject) quote(r *op.Request, in quoteRequest) (quoteView, error) {
	customer, err := buyerOf(r)
	if err != nil {
		return quoteView{}, err
	}
	cart, err := priceCart(r.App, customer, in.Currency, in.Items, r.Now())
	if err != nil {
		return quoteView{}, err
	}
	return viewQuote(cart), nil
}

// buyerOf is who asks: a customer as we know them, or a visitor of whom nothing
// is known but that prices must be shown, taxed as at home.
func buyerOf(r *op.Request) (collections.Customer, error) {
	if r.Auth != nil && r.Auth.Collection().Name == collections.Users {
		return collections.LoadCustomer(r.App, r.Auth.Id)
	}
	policy, err := collections.LoadTaxing(r.App)
	return collections.Customer{Language: "en", Buyer: collections.Buyer{Country: policy.HomeCountry, Region: policy.HomeRegion}}, err
}

func viewQuote(cart pricedCart) quoteView {
	q := cart.Quote
	v := quoteView{Currency: cart.Currency, Subtotal: cart.Priced.Totals.Subtotal, Tax: cart.Priced.Totals.Tax, Total: cart.Priced.Totals.Total, Lines: []lineView{}, Recurring: []recurringView{}}
	for _, l := range q.Lines {
		v.Lines = append(v.Lines, lineView{l.Description, l.Quantity, l.UnitPrice, l.Amount, viewPeriod(l.Period)})
	}
	for _, rec := range q.Recurring {
		v.Recurring = append(v.Recurring, recurringView{string(rec.Cycle), rec.Amount, rec.Next})
	}
	return v
}

func viewPeriod(p billing.Period) *periodView {
	if p.Start.IsZero() || p.End.IsZero() {
		return nil
	}
	return &periodView{p.Start, p.End}
}

// soldOut tells which plan has no stock left.
func soldOut(plan *core.Record) error {
	return op.NewProblem(http.StatusConflict, "sold_out", plan.GetString("name")+" is sold out just now. Nothing was ordered and nothing charged.")
}
