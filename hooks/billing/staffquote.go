package billing

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/op"
)

// quoteItem is one row of a quote by staff. What has no price of its own costs
// what the catalog says when the quote is sent.
type quoteItem struct {
	Price    string                 `json:"price"`
	Quantity int64                  `json:"quantity,omitzero"`
	Hostname string                 `json:"hostname,omitzero"`
	Choices  map[string]string      `json:"choices,omitzero"`
	Options  map[string]quoteOption `json:"options,omitzero"`
	Unit     *int64                 `json:"unit_minor,omitempty"`
	Setup    *int64                 `json:"setup_minor,omitempty"`
}

type quoteOption struct {
	Value    string `json:"value,omitzero"`
	Quantity int64  `json:"quantity,omitzero"`
	Label    string `json:"label,omitzero"`
	Unit     *int64 `json:"unit_minor,omitempty"`
	Setup    *int64 `json:"setup_minor,omitempty"`
}

// agreed are the prices that staff and customer agreed on for one row of a quote;
// what is absent costs what the catalog says.
type agreed struct {
	Unit    *int64
	Setup   *int64
	Options map[string]quoteOption // by name
}

func (a agreed) unit(amount, setup int64) (int64, int64) {
	if a.Unit != nil {
		amount = *a.Unit
	}
	if a.Setup != nil {
		setup = *a.Setup
	}
	return amount, setup
}

// option is the agreed price of an option, also of one that the catalog does not
// offer with this cycle and currency.
func (a agreed) option(o *option, value string, listed optionPrice, offered bool, of *offer) (optionPrice, bool) {
	fixed := a.Options[o.Name]
	if fixed.Unit == nil {
		return listed, offered
	}
	p := optionPrice{Option: o.ID, Value: value, Label: listed.Label, Currency: of.Currency, Cycle: of.Cycle, Amount: *fixed.Unit}
	if fixed.Setup != nil {
		p.Setup = *fixed.Setup
	}
	switch {
	case fixed.Label != "":
		p.Label = fixed.Label
	case p.Label == "":
		p.Label = value
	}
	return p, true
}

// readQuote reads what a quote offers.
func readQuote(quote *core.Record) ([]quoteItem, error) {
	items := []quoteItem{}
	raw := quote.GetString("items")
	if raw == "" || raw == "null" {
		return items, nil
	}
	d := json.NewDecoder(strings.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&items); err != nil {
		return nil, fmt.Errorf(`items: must be a list such as [{"price":"<plan price id>","quantity":1,"unit_minor":900,"choices":{}}]: %w`, err)
	}
	for i, it := range items {
		if !it.bounded() {
			return nil, fmt.Errorf("items: entry %d: prices must be whole minor units from 0 to %d", i+1, money.Limit)
		}
	}
	return items, nil
}

// bounded reports whether every agreed price is an amount that can be asked for.
func (it quoteItem) bounded() bool {
	prices := []*int64{it.Unit, it.Setup}
	for _, o := range it.Options {
		prices = append(prices, o.Unit, o.Setup)
	}
	for _, p := range prices {
		if p != nil && (*p < 0 || *p > money.Limit) {
			return false
		}
	}
	return true
}

// wishOf is what a quote would order.
func wishOf(quote *core.Record) (wish, error) {
	items, err := readQuote(quote)
	w := wish{Currency: quote.GetString("currency"), Agreed: []agreed{}}
	for _, it := range items {
		options := map[string]cartOption{}
		for name, o := range it.Options {
			options[name] = cartOption{o.Value, o.Quantity}
		}
		w.Items = append(w.Items, cartItem{Price: it.Price, Quantity: it.Quantity, Hostname: it.Hostname, Choices: it.Choices, Options: options})
		w.Agreed = append(w.Agreed, agreed{it.Unit, it.Setup, it.Options})
	}
	return w, err
}

// buyerOfQuote is the customer a quote was made for; where no address is known
// its prices are shown as at home.
func buyerOfQuote(app core.App, quote *core.Record) (shopper, error) {
	customer, err := collections.LoadCustomer(app, quote.GetString("user"))
	who := shopper{customer, true}
	if err != nil || customer.Buyer.Country != "" {
		return who, err
	}
	policy, err := collections.LoadTaxing(app)
	who.Buyer.Country, who.Buyer.Region = policy.HomeCountry, policy.HomeRegion
	return who, err
}

// freeze writes into a quote every price as it is now, so that what is accepted
// is what was sent, whatever becomes of the catalog.
func freeze(quote *core.Record, cart pricedCart) error {
	items, err := readQuote(quote)
	if err != nil {
		return err
	}
	done := map[int]bool{}
	for _, u := range cart.Units {
		if done[u.row] {
			continue
		}
		done[u.row] = true
		it := &items[u.row]
		unit, setup := u.item.Unit.Minor(), u.item.Setup.Minor()
		it.Unit, it.Setup = &unit, &setup
		for _, o := range u.options {
			unit, setup := o.Unit.Minor(), o.Setup.Minor()
			it.Options[o.Key] = quoteOption{o.value, o.Quantity, o.label, &unit, &setup}
		}
	}
	quote.Set("items", items)
	return nil
}

// inWords makes of a problem with fields one sentence that names the field, as
// the admin area shows it.
func inWords(err error) error {
	var p *op.Problem
	if !errors.As(err, &p) {
		return err
	}
	if len(p.Errors) > 0 {
		return fmt.Errorf("%s: %s", p.Errors[0].Field, p.Errors[0].Message)
	}
	return errors.New(p.Detail)
}
