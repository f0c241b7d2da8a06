package staff

import (
	"errors"
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
)

// checkOption refuses options that could not be told from the plan's own choices
// or chosen within their bounds, and other meanings for those that customers
// have.
func checkOption(app core.App, o *core.Record) error {
	name, kind := o.GetString("name"), o.GetString("kind")
	if name == billing.PlanKey {
		return fmt.Errorf("name: %q means the plan itself; choose another", name)
	}
	plan, err := collections.First(app, collections.Plans, dbx.HashExp{"id": o.GetString("plan")})
	if err != nil {
		return err
	}
	if plan == nil {
		return errors.New("plan: choose the plan that is sold with this option")
	}
	if err := notAChoice(plan, name); err != nil {
		return err
	}
	least, most := o.GetInt("min_quantity"), o.GetInt("max_quantity")
	if kind == "quantity" && most > 0 && least > most {
		return fmt.Errorf("max_quantity: %d is less than min_quantity %d", most, least)
	}
	if kind != "quantity" && (least > 0 || most > 0) {
		return fmt.Errorf("min_quantity: an option of kind %s has no quantity; leave min_quantity and max_quantity at 0", kind)
	}
	if o.IsNew() {
		return nil
	}
	for _, f := range []string{"plan", "name", "kind"} {
		if o.Original().GetString(f) != o.GetString(f) {
			return unusedOption(app, o.Id, f)
		}
	}
	return nil
}

// notAChoice refuses a name under which the platform gets something else.
func notAChoice(plan *core.Record, name string) error {
	choices := []struct {
		Name string `json:"name"`
	}{}
	if err := collections.ReadJSON(plan, "choices", &choices); err != nil {
		return err
	}
	for _, c := range choices {
		if c.Name == name {
			return fmt.Errorf("name: the plan has a choice named %s already", name)
		}
	}
	return nil
}

// unusedOption refuses to touch what customers have.
func unusedOption(app core.App, option, field string) error {
	used, err := app.CountRecords(collections.SubscriptionItems, dbx.HashExp{"option": option})
	if err != nil {
		return fmt.Errorf("option %s: %w", option, err)
	}
	if used > 0 {
		return fmt.Errorf("%s: customers have this option, so it stays as it is; switch it off and create a new one", field)
	}
	return nil
}

// checkOptionPrice wants a value where there is something to choose, and none
// where there is not.
func checkOptionPrice(app core.App, p *core.Record) error {
	o, err := collections.First(app, collections.PlanOptions, dbx.HashExp{"id": p.GetString("option")})
	if err != nil {
		return err
	}
	switch {
	case o == nil:
		return errors.New("option: choose the option that has this price")
	case o.GetString("kind") == "choice" && p.GetString("value") == "":
		return errors.New("value: each value of a choice has its own price, so name the value")
	case o.GetString("kind") != "choice" && p.GetString("value") != "":
		return fmt.Errorf("value: an option of kind %s has nothing to choose from; leave it empty", o.GetString("kind"))
	}
	return nil
}

// keepOptionPrice is keepPrice for options.
func keepOptionPrice(app core.App, p *core.Record) error {
	if p.IsNew() {
		return nil
	}
	before := p.Original()
	for _, f := range []string{"option", "value", "currency", "cycle", "amount_minor", "setup_minor"} {
		if before.GetString(f) == p.GetString(f) {
			continue
		}
		used := 0
		err := app.DB().NewQuery("SELECT COUNT(*) FROM `subscription_items` `i` JOIN `subscriptions` `s` ON `s`.`id` = `i`.`subscription`" +
			" WHERE `i`.`option` = {:option} AND `i`.`value` = {:value} AND `i`.`currency` = {:currency} AND `s`.`cycle` = {:cycle}").
			Bind(dbx.Params{"option": before.GetString("option"), "value": before.GetString("value"), "currency": before.GetString("currency"), "cycle": before.GetString("cycle")}).Row(&used)
		if err != nil {
			return fmt.Errorf("price %s: %w", p.Id, err)
		}
		if used > 0 {
			return fmt.Errorf("%s: customers have the option at this price, so it stays as it is; switch it off and create a new price", f)
		}
	}
	return nil
}

// checkBundle wants plans that exist, each once.
func checkBundle(app core.App, b *core.Record) error {
	items := []struct {
		Plan     string `json:"plan"`
		Quantity int    `json:"quantity"`
	}{}
	if err := optionalJSON(b, "items", &items); err != nil {
		return errors.New(`items: must be a list such as [{"plan":"vps-s","quantity":2}]`)
	}
	seen, units := map[string]bool{}, 0
	for i, it := range items {
		plan, err := collections.First(app, collections.Plans, dbx.HashExp{"slug": it.Plan})
		switch {
		case err != nil:
			return err
		case plan == nil:
			return fmt.Errorf("items: entry %d: there is no plan with the slug %q", i+1, it.Plan)
		case seen[it.Plan]:
			return fmt.Errorf("items: entry %d: %s is in the list twice; raise its quantity", i+1, it.Plan)
		case it.Quantity < 1:
			return fmt.Errorf("items: entry %d: quantity must be 1 or more", i+1)
		}
		seen[it.Plan] = true
		units += it.Quantity
	}
	if units < 2 || units > billing.MaxItems {
		return fmt.Errorf("items: a bundle has 2 to %d units, not %d", billing.MaxItems, units)
	}
	return nil
}
