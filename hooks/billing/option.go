package billing

import (
	"fmt"
	"strconv"

	"github.com/ezscale/ezscale/engine/billing"
)

// maxOption bounds how much of an option one unit may have.
const maxOption = 1000

// chosen is an option that a unit is ordered with.
type chosen struct {
	billing.RecurringItem
	option  *option
	value   string // of a choice
	label   string // of the value
	monthly int64  // what it adds to the most that a month by the hour costs
}

// setting is the option as the platform gets it, under its name.
func (c chosen) setting() string {
	if c.option.Kind == "choice" {
		return c.value
	}
	return strconv.FormatInt(c.Quantity, 10)
}

// choose checks a row's options against the catalog and prices them. What the
// catalog does not offer in this currency and cycle is a fault and never free.
func (p *pricing) choose(u *unit, at func(string) string) error {
	known := map[string]bool{}
	for _, o := range p.shelf.options[u.Plan] {
		known[o.Name] = true
		field := at("options." + o.Name)
		want, given := u.Options[o.Name]
		if !given {
			p.faults.Check(!o.Required, field, "required", "Choose: "+o.Label+".")
			continue
		}
		quantity := p.quantity(o, want, field)
		if quantity == 0 {
			continue
		}
		c, err := p.chosen(u, o, want.Value, quantity, field)
		if err != nil {
			return err
		}
		if c != nil {
			u.options = append(u.options, *c)
		}
	}
	for name := range u.Options {
		p.faults.Check(known[name], at("options."+name), "unknown_option", "This plan has no such option.")
	}
	return nil
}

// quantity is how many of an option are wanted: 0 for none, or for a fault.
func (p *pricing) quantity(o *option, want cartOption, field string) int64 {
	before := len(p.faults)
	most := o.Max
	if most == 0 {
		most = maxOption
	}
	n := want.Quantity
	switch o.Kind {
	case "choice":
		p.faults.Check(n == 0 || n == 1, field, "out_of_range", o.Label+" is chosen once.")
		p.faults.Check(want.Value != "" || !o.Required, field, "required", "Choose: "+o.Label+".")
		n = 1
		if want.Value == "" {
			n = 0
		}
	case "addon":
		p.faults.Check(n == 0 || n == 1, field, "out_of_range", o.Label+" is added once.")
		p.faults.Check(n == 1 || !o.Required, field, "required", "Choose: "+o.Label+".")
	default:
		least := o.Min
		if o.Required {
			least = max(least, 1)
		}
		p.faults.Check(n == 0 && !o.Required || n >= least && n <= most, field, "out_of_range", fmt.Sprintf("%s must be %d to %d.", o.Label, least, most))
	}
	p.faults.Check(o.Kind == "choice" || want.Value == "", field, "unknown_option", o.Label+" has no values to choose from.")
	if len(p.faults) > before {
		return 0
	}
	return n
}

// chosen prices an option; nil when it is not offered.
func (p *pricing) chosen(u *unit, o *option, value string, quantity int64, field string) (*chosen, error) {
	cycle := billing.Cycle(u.Cycle)
	price, offered := o.price(value, cycle)
	if p.wish.Agreed != nil {
		price, offered = p.wish.Agreed[u.row].option(o, value, price, offered, u.offer)
	}
	if !offered {
		p.faults.Add(field, "not_offered", o.Label+" is not offered with this billing cycle and currency.")
		return nil, nil
	}
	unit, setup, err := price.money()
	if err != nil {
		return nil, fmt.Errorf("option %s: %w", o.Name, err)
	}
	c := &chosen{option: o, value: value, RecurringItem: billing.RecurringItem{
		Key: o.Name, Kind: billing.LineOption, Description: o.Label, Quantity: quantity, Unit: unit, Setup: setup,
	}}
	if o.Kind == "choice" {
		c.label = price.Label
		c.Description += ": " + price.Label
	}
	if cycle == billing.Hourly {
		monthly, ok := o.price(value, billing.Monthly)
		if !ok {
			p.faults.Add(field, "not_offered", o.Label+" is not offered by the hour, since it has no monthly price.")
			return nil, nil
		}
		c.monthly = monthly.Amount * quantity
	}
	return c, nil
}
