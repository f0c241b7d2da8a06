package billing

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/op"
)

type brandView struct {
	Name    string `json:"name"`
	Support string `json:"support_email"`
}

type configView struct {
	Brand      brandView               `json:"brand"`
	Currencies []string                `json:"currencies"`
	Gateways   []billing.GatewayChoice `json:"gateways"`
	TermsURL   string                  `json:"terms_url"`
	Demo       bool                    `json:"demo"`
	Now        time.Time               `json:"now"`
}

type priceView struct {
	ID      string       `json:"id"`
	Cycle   string       `json:"cycle"`
	Amount  money.Amount `json:"amount"`
	Setup   money.Amount `json:"setup_fee"`
	Monthly money.Amount `json:"monthly_equivalent"`
}

type choiceView struct {
	Name     string       `json:"name"`
	Label    string       `json:"label"`
	Required bool         `json:"required"`
	Options  []optionView `json:"options"`
}

type optionView struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

type planView struct {
	ID          string           `json:"id"`
	Slug        string           `json:"slug"`
	Name        string           `json:"name"`
	Description string           `json:"description"`
	ServiceType string           `json:"service_type"`
	Features    map[string]int64 `json:"features"`
	Badges      []string         `json:"badges"`
	Stock       *int64           `json:"stock"`
	SoldOut     bool             `json:"sold_out"`
	Prices      []priceView      `json:"prices"`
	Choices     []choiceView     `json:"choices"`
}

type catalogView struct {
	Currency string     `json:"currency"`
	Plans    []planView `json:"plans"`
}

type catalogQuery struct {
	Currency string `json:"-" query:"currency"`
}

func (s *subject) catalogOps(t *op.Table) {
	op.Add(t, op.Spec{ID: "config.show", Method: http.MethodGet, Path: "/api/v1/config", Access: op.Public, Summary: "Brand, currencies and ways to pay"}, s.config)
	op.Add(t, op.Spec{ID: "catalog.show", Method: http.MethodGet, Path: "/api/v1/catalog", Access: op.Public, Summary: "Plans for sale in one currency"}, s.catalog)
}

func (s *subject) config(r *op.Request, _ op.None) (configView, error) {
	brand, err := collections.LoadBrand(r.App)
	if err != nil {
		return configView{}, err
	}
	currencies, err := currencies(r.App)
	if err != nil {
		return configView{}, err
	}
	gateways, err := s.Gateways(r.App)
	if err != nil {
		return configView{}, err
	}
	return configView{brandView{brand.Name, brand.Support}, currencies, gateways, brand.Terms, s.Demo, r.Now().UTC()}, nil
}

// currencies lists what anything is sold in, EUR and USD first if present.
func currencies(app core.App) ([]string, error) {
	found := []string{}
	err := app.DB().NewQuery("SELECT DISTINCT `p`.`currency` FROM `plan_prices` `p` JOIN `plans` `l` ON `l`.`id` = `p`.`plan`" +
		" WHERE `p`.`active` AND `l`.`status` = 'active' ORDER BY `p`.`currency` != 'EUR', `p`.`currency` != 'USD', `p`.`currency`").Column(&found)
	if err != nil {
		return nil, fmt.Errorf("list currencies: %w", err)
	}
	return found, nil
}

func (s *subject) catalog(r *op.Request, in catalogQuery) (catalogView, error) {
	known, err := currencies(r.App)
	if err != nil {
		return catalogView{}, err
	}
	if in.Currency == "" && len(known) > 0 {
		in.Currency = known[0]
	}
	if in.Currency != "" && !slices.Contains(known, in.Currency) {
		return catalogView{}, op.Fields{{Field: "currency", Message: "Nothing is sold in this currency.", Code: "unknown_currency"}}.Problem()
	}
	view := catalogView{Currency: in.Currency, Plans: []planView{}}
	plans, err := collections.All(r.App, collections.Plans, dbx.HashExp{"status": "active"}, "position ASC, name ASC")
	if err != nil {
		return view, err
	}
	prices, err := collections.All(r.App, collections.PlanPrices, dbx.HashExp{"active": true, "currency": in.Currency}, "")
	if err != nil {
		return view, err
	}
	for _, plan := range plans {
		p, err := viewPlan(plan, prices)
		if err != nil {
			return view, err
		}
		if len(p.Prices) > 0 { // no price in this currency: not for sale in it
			view.Plans = append(view.Plans, p)
		}
	}
	return view, nil
}

func viewPlan(plan *core.Record, prices []*core.Record) (planView, error) {
	v := planView{
		ID: plan.Id, Slug: plan.GetString("slug"), Name: plan.GetString("name"), Description: plan.GetString("description"),
		ServiceType: plan.GetString("service_type"), Badges: plan.GetStringSlice("badges"), Features: map[string]int64{},
	}
	if err := collections.ReadJSON(plan, "features", &v.Features); err != nil {
		return v, err
	}
	choices, err := planChoices(plan)
	if err != nil {
		return v, err
	}
	v.Choices = choices
	if plan.GetBool("stock_limited") {
		left := plan.GetInt64("stock")
		v.Stock, v.SoldOut = &left, left <= 0
	}
	for _, price := range prices {
		if price.GetString("plan") != plan.Id {
			continue
		}
		pv, err := viewPrice(price)
		if err != nil {
			return v, err
		}
		v.Prices = append(v.Prices, pv)
	}
	order := billing.Cycles()
	slices.SortFunc(v.Prices, func(a, b priceView) int {
		return slices.Index(order, billing.Cycle(a.Cycle)) - slices.Index(order, billing.Cycle(b.Cycle))
	})
	return v, nil
}

func viewPrice(price *core.Record) (priceView, error) {
	amount, err := collections.Amount(price, "amount_minor")
	if err != nil {
		return priceView{}, err
	}
	setup, err := collections.Amount(price, "setup_minor")
	if err != nil {
		return priceView{}, err
	}
	cycle, err := billing.ParseCycle(price.GetString("cycle"))
	if err != nil {
		return priceView{}, fmt.Errorf("price %s: %w", price.Id, err)
	}
	return priceView{price.Id, string(cycle), amount, setup, billing.MonthlyEquivalent(amount, cycle)}, nil
}

// planChoices reads what the customer chooses when ordering a plan.
func planChoices(plan *core.Record) ([]choiceView, error) {
	choices := []choiceView{}
	return choices, collections.ReadJSON(plan, "choices", &choices)
}
