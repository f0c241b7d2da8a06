package testapp

import (
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
)

// plan is one plan of the test catalog; monthly are prices in minor units by
// currency, quarterly ones are three times as much.
type plan struct {
	slug     string
	platform string // kind
	status   string // "" is active
	monthly  map[string]int64
	setup    int64
	limited  bool
	stock    int64
	choices  bool // asks for template_id
}

// plans is the test catalog:
//
//	vps-s      4.90 EUR, unlimited
//	vps-m      9.90 EUR, unlimited, 5.00 set-up fee
//	vps-few    18.90 EUR, 3 in stock
//	vps-last   7.00 EUR, 1 in stock
//	vps-gone   36.90 EUR, sold out
//	vps-free   0 EUR
//	vps-old    archived
//	colo       49.00 EUR, built by staff (manual platform), no choices
//
// vps-* ask for template_id: 8 is Debian 12, 9 is Ubuntu.
var plans = []plan{
	{slug: "vps-s", platform: "virtfusion", choices: true, monthly: map[string]int64{"EUR": 490, "USD": 550, "JPY": 800, "KWD": 1700}},
	{slug: "vps-m", platform: "virtfusion", choices: true, setup: 500, monthly: map[string]int64{"EUR": 990, "USD": 1090, "JPY": 1600, "KWD": 3350}},
	{slug: "vps-few", platform: "virtfusion", choices: true, limited: true, stock: 3, monthly: map[string]int64{"EUR": 1890, "USD": 2090, "JPY": 3000, "KWD": 6400}},
	{slug: "vps-last", platform: "virtfusion", choices: true, limited: true, stock: 1, monthly: map[string]int64{"EUR": 700, "USD": 790}},
	{slug: "vps-gone", platform: "virtfusion", choices: true, limited: true, monthly: map[string]int64{"EUR": 3690, "USD": 3990, "JPY": 6000, "KWD": 12500}},
	{slug: "vps-free", platform: "virtfusion", choices: true, monthly: map[string]int64{"EUR": 0}},
	{slug: "vps-old", platform: "virtfusion", choices: true, status: "archived", monthly: map[string]int64{"EUR": 300}},
	{slug: "colo", platform: "manual", monthly: map[string]int64{"EUR": 4900, "USD": 5500}},
}

func seed(app core.App) error {
	if _, err := collections.Insert(app, collections.Gateways, map[string]any{"kind": "stripe", "label": "Card", "enabled": true, "position": 10}); err != nil {
		return err
	}
	if _, err := collections.Insert(app, collections.Platforms, map[string]any{"kind": "virtfusion", "name": "VirtFusion", "enabled": true}); err != nil {
		return err
	}
	err := collections.SaveSetting(app, "seller", collections.Seller{
		Name: "Test Hosting Ltd", Address: []string{"1 Test Street", "10115 Berlin"}, Country: "DE", VATID: "DE000000000", Email: "billing@hosting.test", Bank: []string{"IBAN DE00 0000"},
	})
	if err != nil {
		return err
	}
	for i, p := range plans {
		if err := p.save(app, i); err != nil {
			return fmt.Errorf("seed %s: %w", p.slug, err)
		}
	}
	return nil
}

func (p plan) save(app core.App, position int) error {
	platform, err := collections.First(app, collections.Platforms, dbx.HashExp{"kind": p.platform})
	if err != nil {
		return err
	}
	values := map[string]any{
		"name": "Plan " + p.slug, "slug": p.slug, "description": "for tests", "service_type": "vps", "platform": platform.Id, "status": "active", "position": position,
		"features": map[string]int64{"cpu_cores": 1, "ram_mb": 2048}, "stock_limited": p.limited, "stock": p.stock,
	}
	if p.status != "" {
		values["status"] = p.status
	}
	if p.choices {
		values["platform_settings"] = map[string]string{"package_id": "1", "group_id": "1"}
		values["choices"] = []map[string]any{{
			"name": "template_id", "label": "Operating system", "required": true,
			"options": []map[string]string{{"value": "8", "label": "Debian 12"}, {"value": "9", "label": "Ubuntu 24.04"}},
		}}
	}
	record, err := collections.Insert(app, collections.Plans, values)
	if err != nil {
		return err
	}
	for currency, amount := range p.monthly {
		for cycle, months := range map[string]int64{"monthly": 1, "quarterly": 3} {
			_, err := collections.Insert(app, collections.PlanPrices, map[string]any{
				"plan": record.Id, "currency": currency, "cycle": cycle, "amount_minor": amount * months, "setup_minor": p.setup, "active": true,
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// Plan finds a plan of the catalog by its slug.
func (a *App) Plan(slug string) *core.Record {
	a.Helper()
	return a.One(collections.Plans, dbx.HashExp{"slug": slug})
}

// Price finds a price of the catalog.
func (a *App) Price(slug, currency, cycle string) *core.Record {
	a.Helper()
	return a.One(collections.PlanPrices, dbx.HashExp{"plan": a.Plan(slug).Id, "currency": currency, "cycle": cycle})
}
