package billing

import (
	"encoding/json"
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// offer is a price with the plan that is sold at it.
type offer struct {
	ID       string `db:"id"`
	Currency string `db:"currency"`
	Cycle    string `db:"cycle"`
	Amount   int64  `db:"amount_minor"`
	Setup    int64  `db:"setup_minor"`
	Active   bool   `db:"active"`

	Plan          string `db:"plan"`
	Name          string `db:"name"`
	Slug          string `db:"slug"`
	Status        string `db:"status"`
	ServiceType   string `db:"service_type"`
	Platform      string `db:"platform"`
	Settings      string `db:"platform_settings"`
	ChoiceList    string `db:"choices"`
	StockLimited  bool   `db:"stock_limited"`
	TrialDays     int    `db:"trial_days"`
	NeedsCard     bool   `db:"trial_needs_card"`
	CustomerLimit int64  `db:"customer_limit"`
	NeedsApproval bool   `db:"needs_approval"`
}

// option is something that a plan is sold with.
type option struct {
	ID       string `db:"id"`
	Plan     string `db:"plan"`
	Name     string `db:"name"`
	Label    string `db:"label"`
	Text     string `db:"description"`
	Kind     string `db:"kind"` // "choice", "quantity" or "addon"
	Required bool   `db:"required"`
	Min      int64  `db:"min_quantity"`
	Max      int64  `db:"max_quantity"`

	prices []optionPrice
}

// optionPrice is what an option, or one value of a choice, costs in one currency
// and cycle. Without one it is not offered there, which is not the same as free.
type optionPrice struct {
	Option   string `db:"option"`
	Value    string `db:"value"`
	Label    string `db:"label"`
	Currency string `db:"currency"`
	Cycle    string `db:"cycle"`
	Amount   int64  `db:"amount_minor"`
	Setup    int64  `db:"setup_minor"`
}

// shelf is what the prices of a cart refer to, read from the catalog at once.
type shelf struct {
	offers  map[string]*offer    // by the id of the price
	options map[string][]*option // by plan, as customers see them
	monthly map[string]int64     // by plan: what an hour's price never exceeds in a month
}

const (
	offerColumns = "SELECT `p`.`id`, `p`.`currency`, `p`.`cycle`, `p`.`amount_minor`, `p`.`setup_minor`, `p`.`active`, `l`.`id` AS `plan`, `l`.`name`, `l`.`slug`, `l`.`status`, `l`.`service_type`, `l`.`platform`," +
		" IFNULL(`l`.`platform_settings`, '') AS `platform_settings`, IFNULL(`l`.`choices`, '') AS `choices`, `l`.`stock_limited`, `l`.`trial_days`, `l`.`trial_needs_card`, `l`.`customer_limit`, `l`.`needs_approval`" +
		" FROM `plan_prices` `p` JOIN `plans` `l` ON `l`.`id` = `p`.`plan`"
	optionColumns = "SELECT `id`, `plan`, `name`, `label`, `description`, `kind`, `required`, `min_quantity`, `max_quantity` FROM `plan_options` WHERE `active` = TRUE"
	optionPrices  = "SELECT `v`.`option`, `v`.`value`, `v`.`label`, `v`.`currency`, `v`.`cycle`, `v`.`amount_minor`, `v`.`setup_minor` FROM `option_prices` `v`" +
		" WHERE `v`.`option` IN (SELECT `value` FROM json_each({:ids})) AND `v`.`active` = TRUE AND `v`.`currency` = {:currency} AND ({:cycles} = '' OR instr({:cycles}, `v`.`cycle`) > 0) ORDER BY `v`.`amount_minor`, `v`.`label`"
)

// loadShelf reads what the given prices refer to. Ids that do not exist are
// absent.
func loadShelf(app core.App, currency string, prices []string) (shelf, error) {
	s := shelf{offers: map[string]*offer{}, options: map[string][]*option{}, monthly: map[string]int64{}}
	offers := []*offer{}
	if err := those(app, offerColumns+" WHERE `p`.`id` IN (SELECT `value` FROM json_each({:ids}))", prices, nil).All(&offers); err != nil {
		return s, fmt.Errorf("prices: %w", err)
	}
	plans, hourly, cycles := []string{}, []string{}, ""
	for _, o := range offers {
		s.offers[o.ID] = o
		plans, cycles = append(plans, o.Plan), cycles+" "+o.Cycle
		if billing.Cycle(o.Cycle) == billing.Hourly {
			hourly, cycles = append(hourly, o.Plan), cycles+" "+string(billing.Monthly)
		}
	}
	if len(plans) == 0 {
		return s, nil
	}
	if err := s.loadOptions(app, currency, cycles, plans); err != nil || len(hourly) == 0 {
		return s, err
	}
	return s, s.loadCaps(app, currency, hourly)
}

// loadOptions reads the options of plans with their prices in these cycles, which
// are written one after the other; "" for all.
func (s *shelf) loadOptions(app core.App, currency, cycles string, plans []string) error {
	options := []*option{}
	if err := those(app, optionColumns+" AND `plan` IN (SELECT `value` FROM json_each({:ids})) ORDER BY `position`, `name`", plans, nil).All(&options); err != nil {
		return fmt.Errorf("options: %w", err)
	}
	return s.stock(app, currency, cycles, options)
}

// stock puts options with their prices on the shelf.
func (s *shelf) stock(app core.App, currency, cycles string, options []*option) error {
	if len(options) == 0 {
		return nil
	}
	byID, ids := map[string]*option{}, []string{}
	for _, o := range options {
		s.options[o.Plan] = append(s.options[o.Plan], o)
		byID[o.ID], ids = o, append(ids, o.ID)
	}
	prices := []optionPrice{}
	err := those(app, optionPrices, ids, dbx.Params{"currency": currency, "cycles": cycles}).All(&prices)
	if err != nil {
		return fmt.Errorf("prices of options: %w", err)
	}
	for _, p := range prices {
		byID[p.Option].prices = append(byID[p.Option].prices, p)
	}
	return nil
}

func (s *shelf) loadCaps(app core.App, currency string, plans []string) error {
	rows := []struct {
		Plan   string `db:"plan"`
		Amount int64  `db:"amount_minor"`
	}{}
	err := those(app, "SELECT `plan`, `amount_minor` FROM `plan_prices` WHERE `active` = TRUE AND `cycle` = 'monthly' AND `currency` = {:currency} AND `plan` IN (SELECT `value` FROM json_each({:ids}))",
		plans, dbx.Params{"currency": currency}).All(&rows)
	if err != nil {
		return fmt.Errorf("monthly prices: %w", err)
	}
	for _, r := range rows {
		s.monthly[r.Plan] = r.Amount
	}
	return nil
}

// those is a query about a list of ids, which it names {:ids}.
func those(app core.App, query string, ids []string, params dbx.Params) *dbx.Query {
	if params == nil {
		params = dbx.Params{}
	}
	raw, err := json.Marshal(ids)
	if err != nil {
		panic("billing: a list of texts is always JSON: " + err.Error())
	}
	params["ids"] = string(raw)
	return collections.Statement(app, query).Bind(params)
}

// price is what the option costs in a cycle; ok is false where it is not offered.
func (o *option) price(value string, c billing.Cycle) (p optionPrice, ok bool) {
	for _, p := range o.prices {
		if p.Value == value && billing.Cycle(p.Cycle) == c {
			return p, true
		}
	}
	return optionPrice{}, false
}

// money are an option's amounts.
func (p optionPrice) money() (unit, setup money.Amount, err error) {
	if unit, err = money.New(p.Amount, p.Currency); err == nil {
		setup, err = money.New(p.Setup, p.Currency)
	}
	return unit, setup, err
}
