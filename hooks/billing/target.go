package billing

import (
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// Target looks up and prices what a subscription is to become, by the functions
// that price an order. Faults of the wish are a Problem whose fields name them.
func Target(app core.App, w billing.ChangeWish) (billing.Bargain, error) {
	shelf, err := loadShelf(app, w.Currency, []string{w.Price})
	if err != nil {
		return billing.Bargain{}, err
	}
	t := &target{ChangeWish: w, pricing: &pricing{app: app, shelf: shelf}}
	o := t.offered()
	if err := t.faults.Problem(); err != nil {
		return billing.Bargain{}, err
	}
	u := unit{cartItem: cartItem{Price: w.Price, Options: t.wanted(o)}, offer: o}
	t.wish = wish{Currency: w.Currency, Items: []cartItem{u.cartItem}, Agreed: []agreed{t.agreed(u.Options)}}
	legacy := t.takeLegacy(&u)
	if err := t.choose(&u, func(field string) string { return field }); err != nil {
		return billing.Bargain{}, err
	}
	if err := t.faults.Problem(); err != nil {
		return billing.Bargain{}, err
	}
	if err := t.price(&u); err != nil {
		return billing.Bargain{}, err
	}
	out := billing.Bargain{Price: o.ID, Plan: o.Plan, Name: o.Name, Cycle: u.item.Cycle, Unit: u.item.Unit, Setup: u.item.Setup, Cap: u.item.Cap}
	for _, c := range u.options {
		out.Options = append(out.Options, billing.AgreedOption{RecurringItem: c.RecurringItem, Option: c.option.ID, Addon: c.option.Kind == "addon", Value: c.value, Setting: c.setting()})
	}
	out.Options = append(out.Options, legacy...)
	return out, nil
}

// target is one run of Target.
type target struct {
	billing.ChangeWish
	*pricing
}

// offered is what the wanted price sells. The price that the subscription has
// already need not be on sale any more.
func (t *target) offered() *offer {
	o := t.shelf.offers[t.Price]
	if o != nil && t.Price == t.Kept.Price {
		o.Active, o.Status = true, "active"
		if _, capped := t.shelf.monthly[o.Plan]; !capped {
			t.shelf.monthly[o.Plan] = t.Kept.Cap.Minor()
		}
	}
	t.wish.Currency = t.Currency
	return t.offer(t.Price, "price")
}

// wanted are the options asked for, or those that go along to the plan.
func (t *target) wanted(o *offer) map[string]cartOption {
	wanted := map[string]cartOption{}
	for name, w := range t.Options {
		wanted[name] = cartOption(w)
	}
	if t.Options != nil {
		return wanted
	}
	for _, has := range t.Kept.Options {
		if o.Plan == t.Kept.Plan || t.sells(o.Plan, has.Key) {
			wanted[has.Key] = cartOption{Value: has.Value, Quantity: has.Quantity}
		}
	}
	return wanted
}

func (t *target) sells(plan, name string) bool { return t.option(plan, name) != nil }

func (t *target) option(plan, name string) *option {
	for _, o := range t.shelf.options[plan] {
		if o.Name == name {
			return o
		}
	}
	return nil
}

// agreed are the prices that go on: of the plan under the same price, and of
// options that keep their value with the same plan and cycle.
func (t *target) agreed(wanted map[string]cartOption) agreed {
	a := agreed{Options: map[string]quoteOption{}}
	if t.Price != t.Kept.Price {
		return a
	}
	unit := t.Kept.Unit.Minor()
	a.Unit = &unit
	for _, has := range t.Kept.Options {
		if o := t.option(t.Kept.Plan, has.Key); o != nil && wanted[has.Key].Value == has.Value {
			price := has.Unit.Minor()
			a.Options[has.Key] = quoteOption{Label: strings.TrimPrefix(has.Description, o.Label+": "), Unit: &price}
		}
	}
	return a
}

// takeLegacy takes options out of the wish that the plan has not on sale any more
// and that stay as they are.
func (t *target) takeLegacy(u *unit) []billing.AgreedOption {
	legacy := []billing.AgreedOption{}
	if t.Price != t.Kept.Price {
		return legacy
	}
	for _, has := range t.Kept.Options {
		w, wanted := u.Options[has.Key]
		if !wanted || t.sells(u.Plan, has.Key) || w.Value != has.Value || has.Value == "" && w.Quantity != has.Quantity {
			continue
		}
		delete(u.Options, has.Key)
		has.Setup = money.Amount{}
		legacy = append(legacy, has)
	}
	return legacy
}
