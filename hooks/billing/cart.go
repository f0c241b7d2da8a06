package billing

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/op"
)

// cartItem is one row of a customer's cart. Nothing of it but ids and choices
// is believed; prices are looked up.
type cartItem struct {
	Price    string                `json:"price"`
	Quantity int64                 `json:"quantity,omitzero"`
	Hostname string                `json:"hostname,omitzero"`
	Choices  map[string]string     `json:"choices,omitzero"`
	Options  map[string]cartOption `json:"options,omitzero"`
	Bundle   string                `json:"bundle,omitzero"` // slug of the bundle that the row is part of
}

// cartOption is what a row takes of one option: a value of a choice, or how many.
type cartOption struct {
	Value    string `json:"value,omitzero"`
	Quantity int64  `json:"quantity,omitzero"`
}

// wish is everything that a cart's price depends on beside the customer.
type wish struct {
	Currency string
	Items    []cartItem
	Coupons  []string
	// Agreed are the prices of a quote by staff, one for each item; nil where the
	// catalog's count.
	Agreed []agreed
}

// unit is one unit of a cart with what it refers to.
type unit struct {
	cartItem
	*offer
	row     int // of the cart's items
	item    billing.CartItem
	options []chosen
}

// pricedCart is a cart with its quote; Units and the quote's agree.
type pricedCart struct {
	Currency string
	Units    []unit
	Coupons  []billing.Coupon
	Quote    billing.Quote
	Priced   books.Priced
	Later    []laterPrice
	pricer   *books.Pricer
}

// lines are the quote's lines, in order.
func (c pricedCart) lines() []billing.Line {
	lines := make([]billing.Line, len(c.Quote.Lines))
	for i, l := range c.Quote.Lines {
		lines[i] = l.Line
	}
	return lines
}

// discount is what was taken off all of today's lines.
func (c pricedCart) discount() int64 {
	sum := int64(0)
	for _, u := range c.Quote.Units {
		sum += u.Discount.Minor()
	}
	return sum
}

var hostname = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)

// pricing is one run of priceCart.
type pricing struct {
	app    core.App
	who    shopper
	wish   wish
	now    time.Time
	shelf  shelf
	faults op.Fields
	cart   pricedCart
}

// priceCart looks a cart up and prices it: the one way in which anything that is
// ordered gets its price, be it shown or invoiced. Faults of the input are a
// Problem whose fields name the row.
func priceCart(app core.App, who shopper, w wish, now time.Time) (pricedCart, error) {
	p := &pricing{app: app, who: who, wish: w, now: now, cart: pricedCart{Currency: w.Currency}}
	if len(w.Items) == 0 {
		p.faults.Add("items", "required", "Choose at least one plan.")
	}
	ids := make([]string, len(w.Items))
	for i, it := range w.Items {
		ids[i] = it.Price
	}
	var err error
	if p.shelf, err = loadShelf(app, w.Currency, ids); err != nil {
		return p.cart, err
	}
	for i := range w.Items {
		if err := p.take(i); err != nil {
			return p.cart, err
		}
	}
	p.faults.Check(len(p.cart.Units) <= billing.MaxItems, "items", "too_many", fmt.Sprintf("At most %d units fit in one order.", billing.MaxItems))
	for _, step := range []func() error{p.bundles, p.history, p.quote, p.tax} {
		if err := p.faults.Problem(); err != nil {
			return p.cart, err
		}
		if err := step(); err != nil {
			return p.cart, err
		}
	}
	return p.cart, p.faults.Problem()
}

// take puts the units of one row into the cart, or notes what is wrong with it.
func (p *pricing) take(i int) error {
	it := p.wish.Items[i]
	at := func(field string) string { return fmt.Sprintf("items.%d.%s", i, field) }
	before := len(p.faults)
	p.faults.Check(it.Quantity >= 0 && it.Quantity <= billing.MaxItems, at("quantity"), "out_of_range", fmt.Sprintf("Quantity must be 1 to %d.", billing.MaxItems))
	it.Hostname = strings.ToLower(strings.TrimSpace(it.Hostname))
	p.faults.Check(it.Hostname == "" || len(it.Hostname) <= 253 && hostname.MatchString(it.Hostname), at("hostname"), "invalid",
		"A host name has letters, digits, hyphens and dots, such as web-1.example.com.")
	o := p.offer(it.Price, at("price"))
	if o == nil {
		return nil
	}
	u := unit{cartItem: it, offer: o, row: i}
	if err := checkChoices(o, &it, at, &p.faults); err != nil {
		return err
	}
	if err := p.choose(&u, at); err != nil || len(p.faults) > before {
		return err
	}
	if err := p.price(&u); err != nil {
		return fmt.Errorf("price %s: %w", o.ID, err)
	}
	for range max(it.Quantity, 1) {
		p.cart.Units = append(p.cart.Units, u)
	}
	return nil
}

// offer is what a price sells in this cart; nil, and a fault, where it does not.
func (p *pricing) offer(price, field string) *offer {
	o := p.shelf.offers[price]
	if o == nil || o.Status == "archived" || !o.Active && p.wish.Agreed == nil {
		p.faults.Add(field, "unknown_price", "This plan is not for sale any more. Please choose again.")
		return nil
	}
	if o.Currency != p.wish.Currency { // its options have no price in that currency either
		p.faults.Add(field, "wrong_currency", "This price is in another currency than the order.")
		return nil
	}
	if _, capped := p.shelf.monthly[o.Plan]; billing.Cycle(o.Cycle) == billing.Hourly && !capped {
		p.faults.Add(field, "no_cap", "This plan is not sold by the hour in this currency, since it has no monthly price.")
		return nil
	}
	return o
}

// checkChoices takes what is free to choose from the catalog by name and drops
// nothing silently: an unknown choice is a fault.
func checkChoices(o *offer, it *cartItem, at func(string) string, faults *op.Fields) error {
	choices, err := parseChoices(o.ChoiceList)
	if err != nil {
		return fmt.Errorf("plan %s: %w", o.Slug, err)
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

// price makes of a unit what the engine prices.
func (p *pricing) price(u *unit) error {
	cycle, err := billing.ParseCycle(u.Cycle)
	if err != nil {
		return err
	}
	amount, setup := u.Amount, u.Setup
	if p.wish.Agreed != nil {
		amount, setup = p.wish.Agreed[u.row].unit(amount, setup)
	}
	it := billing.CartItem{Plan: u.Plan, Name: u.Name, Host: u.Hostname, Cycle: cycle, TrialDays: u.TrialDays}
	if it.Unit, err = money.New(amount, u.Currency); err != nil {
		return err
	}
	if it.Setup, err = money.New(setup, u.Currency); err != nil {
		return err
	}
	monthly := p.shelf.monthly[u.Plan]
	for _, o := range u.options {
		it.Options = append(it.Options, o.RecurringItem)
		monthly += o.monthly
	}
	if cycle == billing.Hourly {
		if it.Cap, err = money.New(monthly, u.Currency); err != nil {
			return err
		}
	}
	u.item = it
	return nil
}

// quote accepts the coupons and computes the lines.
func (p *pricing) quote() error {
	cart := billing.Cart{Currency: p.wish.Currency}
	for _, u := range p.cart.Units {
		cart.Items = append(cart.Items, u.item)
	}
	if err := p.coupons(&cart); err != nil {
		return p.excess(err)
	}
	if len(p.faults) > 0 {
		return nil
	}
	p.cart.Coupons = cart.Coupons
	var err error
	p.cart.Quote, err = billing.QuoteCart(cart, p.now)
	return p.excess(err)
}

// excess makes a fault of an order that is larger than any amount may be.
func (p *pricing) excess(err error) error {
	switch {
	case errors.Is(err, money.ErrOverflow):
		p.faults.Add("items", "too_large", "This order is larger than what can be billed at once.")
		return nil
	case err != nil:
		return fmt.Errorf("quote: %w", err)
	}
	return nil
}
