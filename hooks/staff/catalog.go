package staff

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/money"
)

func userIs(id string) dbx.Expression { return dbx.HashExp{"user": id} }

// checkCatalog refuses what no order could be made from, with a sentence that
// names the field.
func (s *subject) checkCatalog(app core.App) {
	check := func(collection string, checks ...func(core.App, *core.Record) error) {
		h := &hook.Handler[*core.RecordEvent]{Id: "staffCheck_" + collection, Func: func(e *core.RecordEvent) error {
			for _, c := range checks {
				if err := c(e.App, e.Record); err != nil {
					return apis.NewBadRequestError(err.Error(), nil)
				}
			}
			return e.Next()
		}}
		app.OnRecordCreate(collection).Bind(h)
		app.OnRecordUpdate(collection).Bind(h)
	}
	check(collections.Plans, checkPlan)
	check(collections.PlanPrices, checkCurrency("currency"), keepPrice)
	check(collections.PlanOptions, checkOption)
	check(collections.OptionPrices, checkCurrency("currency"), checkOptionPrice, keepOptionPrice)
	check(collections.Bundles, checkBundle)
	check(collections.Coupons, checkCoupon)
	check(collections.TaxRates, checkTaxRate)
	check(collections.ExchangeRates, checkCurrency("base"), checkCurrency("quote"), checkExchangeRate)
	app.OnRecordDelete(collections.PlanOptions).Bind(&hook.Handler[*core.RecordEvent]{Id: "staffKeepOption", Func: func(e *core.RecordEvent) error {
		if err := unusedOption(e.App, e.Record.Id, "id"); err != nil {
			return apis.NewBadRequestError(err.Error(), nil)
		}
		return e.Next()
	}})
}

// checkCurrency refuses codes that nothing could be counted in.
func checkCurrency(field string) func(core.App, *core.Record) error {
	return func(_ core.App, r *core.Record) error {
		if _, known := money.Exponent(r.GetString(field)); !known {
			return fmt.Errorf("%s: %q is not an ISO 4217 code we know", field, r.GetString(field))
		}
		return nil
	}
}

// keepPrice refuses to change the amount of a price that somebody subscribed
// at: what they pay never changes by itself.
func keepPrice(app core.App, price *core.Record) error {
	if price.IsNew() {
		return nil
	}
	before := price.Original()
	for _, f := range []string{"plan", "currency", "cycle", "amount_minor", "setup_minor"} {
		if before.GetString(f) == price.GetString(f) {
			continue
		}
		used, err := app.CountRecords(collections.Subscriptions, dbx.HashExp{"price": price.Id})
		if err != nil {
			return fmt.Errorf("price %s: %w", price.Id, err)
		}
		if used > 0 {
			return fmt.Errorf("%s: customers subscribed at this price, so it stays as it is; switch it off and create a new price", f)
		}
	}
	return nil
}

func checkPlan(app core.App, plan *core.Record) error {
	if _, err := collections.StringMap(plan, "platform_settings"); err != nil {
		return err
	}
	features := map[string]int64{}
	if err := optionalJSON(plan, "features", &features); err != nil {
		return errors.New(`features: must be an object of whole numbers such as {"ram_mb": 4096}`)
	}
	choices := []struct {
		Name     string `json:"name"`
		Label    string `json:"label"`
		Required bool   `json:"required"`
		Options  []struct {
			Value string `json:"value"`
			Label string `json:"label"`
		} `json:"options"`
	}{}
	if err := optionalJSON(plan, "choices", &choices); err != nil {
		return errors.New(`choices: must be a list such as [{"name":"template_id","label":"Operating system","required":true,"options":[{"value":"8","label":"Debian 12"}]}]`)
	}
	for i, c := range choices {
		if c.Name == "" || c.Label == "" || len(c.Options) == 0 {
			return fmt.Errorf("choices: entry %d needs name, label and at least one option", i+1)
		}
		if other, err := collections.First(app, collections.PlanOptions, dbx.HashExp{"plan": plan.Id, "name": c.Name}); err != nil || other != nil {
			return errors.Join(fmt.Errorf("choices: the plan has an option named %s already", c.Name), err)
		}
	}
	return checkPanelSettings(app, plan)
}

func optionalJSON(r *core.Record, field string, into any) error {
	raw := r.GetString(field)
	if raw == "" || raw == "null" {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(into)
}
