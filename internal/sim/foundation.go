package sim

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"golang.org/x/crypto/bcrypt"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/tax"

	_ "github.com/ezscale/ezscale/pb_migrations" // the schema
)

const (
	staffAddress = "staff@hosting.test"
	password     = "correct-horse-1" //nolint:gosec // everybody's, in here
)

// foundation holds the files of a migrated and stocked data directory, made once
// per process.
var foundation = sync.OnceValues(func() (map[string][]byte, error) {
	dir, err := os.MkdirTemp("", "ezscale-simulation-")
	if err != nil {
		return nil, fmt.Errorf("foundation: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir, DBConnect: plain})
	err = app.Bootstrap()
	if err == nil {
		err = app.RunAllMigrations()
	}
	if err == nil {
		err = app.RunInTransaction(openShop)
	}
	if err := errors.Join(err, app.ClearBootstrap()); err != nil {
		return nil, fmt.Errorf("foundation: %w", err)
	}
	files := map[string][]byte{}
	for _, name := range []string{"data.db", "auxiliary.db"} { // closed, so their journals are in them
		if files[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			return nil, fmt.Errorf("foundation: %w", err)
		}
	}
	return files, nil
})

// layFoundation fills an empty data directory.
func layFoundation(dir string) error {
	files, err := foundation()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("foundation: %w", err)
	}
	for name, content := range files {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return fmt.Errorf("%s holds data already; a simulation needs an empty directory", dir)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return fmt.Errorf("foundation: %w", err)
		}
	}
	return nil
}

// plan is one plan of the simulated shop; monthly is its price in euro cents.
type plan struct {
	slug    string
	monthly int64
	setup   int64
	stock   int64 // 0 is unlimited
	trial   int   // days
}

// plans are what is sold. Stock is scarce, so that people come too late.
var plans = []plan{
	{slug: "vps-s", monthly: 490},
	{slug: "vps-m", monthly: 990, setup: 500},
	{slug: "vps-l", monthly: 1799, trial: 14},
	{slug: "vps-few", monthly: 1333, stock: 12},
}

// cycles are how people pay: most by the month.
var cycles = []string{"monthly", "monthly", "monthly", "quarterly", "quarterly", "annual", "annual", "hourly"}

// months is the length of the paid cycles.
var months = map[string]int64{"monthly": 1, "quarterly": 3, "annual": 12}

// price is what a cycle of the plan costs.
func (p plan) price(cycle string) int64 {
	if cycle == "hourly" {
		return p.monthly / 300
	}
	return p.monthly * months[cycle]
}

// coupons are given away; some are scarce.
var coupons = []map[string]any{
	{"code": "TEN", "kind": "percent", "basis_points": 1000, "periods": 0},
	{"code": "THREE", "kind": "percent", "basis_points": 2500, "periods": 3, "per_customer": 1},
	{"code": "FEW", "kind": "fixed", "amounts": map[string]int64{"EUR": 200}, "periods": 1, "max_uses": 15, "stackable": true},
	{"code": "SETUP", "kind": "free_setup", "periods": 1, "stackable": true},
	{"code": "TRY", "kind": "trial_days", "trial_days": 10, "periods": 1},
}

// openShop writes what staff would: ways to pay, a platform, the seller and the
// catalog. Hashing a password is made cheap, and nobody keeps a log of requests.
func openShop(app core.App) error {
	app.Settings().Logs.MaxDays = 0
	app.Settings().RateLimits.Enabled = false
	app.Settings().SMTP = core.SMTPConfig{Enabled: true, Host: "127.0.0.1", Port: 3}
	app.Settings().Meta.AppURL = "https://shop.test"
	app.Settings().Meta.SenderName, app.Settings().Meta.SenderAddress = "Simulated Hosting", "billing@hosting.test"
	if err := app.Save(app.Settings()); err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	if err := cheapPasswords(app); err != nil {
		return err
	}
	for collection, values := range map[string]map[string]any{
		collections.Gateways:  {"kind": "stripe", "label": "Card", "enabled": true, "position": 10},
		collections.Platforms: {"kind": "virtfusion", "name": "VirtFusion", "enabled": true},
	} {
		if _, err := collections.Insert(app, collection, values); err != nil {
			return err
		}
	}
	err := collections.SaveSetting(app, "seller", collections.Seller{
		Name: "Simulated Hosting Ltd", Address: []string{"1 Test Street", "10115 Berlin"}, Country: "DE", VATID: "DE000000000", Email: "billing@hosting.test", Bank: []string{"IBAN DE00 0000"},
	})
	if err != nil {
		return err
	}
	for country, ppm := range map[string]int64{"DE": 190_000, "AT": 200_000, "FR": 200_000} {
		if _, err := collections.Insert(app, collections.TaxRates, map[string]any{"name": "VAT", "country": country, "level": 1, "ppm": ppm, "valid_from": "2020-01-01 00:00:00.000Z"}); err != nil {
			return err
		}
	}
	for _, c := range coupons {
		c["status"] = "active"
		if _, err := collections.Insert(app, collections.Coupons, c); err != nil {
			return err
		}
	}
	for i, p := range plans {
		if err := p.save(app, i); err != nil {
			return fmt.Errorf("plan %s: %w", p.slug, err)
		}
	}
	return nil
}

// settle draws what differs between businesses: how prices and taxes are meant.
func (w *world) settle() error {
	policy := tax.Policy{
		Inclusive: w.draw.IntN(2) == 0, Rounding: pick(w.draw, tax.PerLine, tax.PerDocument),
		HomeCountry: "DE", EUVAT: true, OSS: w.draw.IntN(2) == 0,
	}
	if err := policy.Check(); err != nil {
		return err
	}
	return collections.SaveSetting(w.app, "tax", policy)
}

func cheapPasswords(app core.App) error {
	users, err := app.FindCollectionByNameOrId(collections.Users)
	if err != nil {
		return fmt.Errorf("customers: %w", err)
	}
	field, ok := users.Fields.GetByName(core.FieldNamePassword).(*core.PasswordField)
	if !ok {
		return errors.New("customers have no password")
	}
	field.Cost = bcrypt.MinCost
	if err := app.Save(users); err != nil {
		return fmt.Errorf("customers: %w", err)
	}
	staff, err := collections.New(app, core.CollectionNameSuperusers)
	if err != nil {
		return err
	}
	staff.SetEmail(staffAddress)
	staff.SetPassword(password)
	if err := app.Save(staff); err != nil {
		return fmt.Errorf("staff: %w", err)
	}
	return nil
}

func (p plan) save(app core.App, position int) error {
	platform, err := collections.First(app, collections.Platforms, dbx.HashExp{"kind": "virtfusion"})
	if err != nil {
		return err
	}
	record, err := collections.Insert(app, collections.Plans, map[string]any{
		"name": "Plan " + p.slug, "slug": p.slug, "description": "simulated", "service_type": "vps", "platform": platform.Id, "status": "active", "position": position,
		"features": map[string]int64{"cpu_cores": 1, "ram_mb": 2048}, "stock_limited": p.stock > 0, "stock": p.stock, "trial_days": p.trial, "upgrade_group": "vps",
		"change_policy":     map[bool]string{true: "new_cycle", false: "prorate"}[p.setup > 0],
		"platform_settings": map[string]string{"package_id": "1", "group_id": "1", "template_id": "8"},
	})
	if err != nil {
		return err
	}
	for _, c := range []string{"monthly", "quarterly", "annual", "hourly"} {
		_, err := collections.Insert(app, collections.PlanPrices, map[string]any{
			"plan": record.Id, "currency": "EUR", "cycle": c, "amount_minor": p.price(c), "setup_minor": p.setup, "active": true,
		})
		if err != nil {
			return err
		}
	}
	return saveOptions(app, record.Id)
}

// saveOptions sells more memory and addresses with a plan.
func saveOptions(app core.App, plan string) error {
	ram, err := collections.Insert(app, collections.PlanOptions, map[string]any{"plan": plan, "name": "ram", "label": "Memory", "kind": "choice", "active": true, "position": 1})
	if err != nil {
		return err
	}
	ip, err := collections.Insert(app, collections.PlanOptions, map[string]any{"plan": plan, "name": "ip", "label": "Extra address", "kind": "quantity", "max_quantity": 8, "active": true, "position": 2})
	if err != nil {
		return err
	}
	for _, c := range []string{"monthly", "quarterly", "annual", "hourly"} {
		factor := max(months[c], 1)
		for _, price := range []map[string]any{
			{"option": ram.Id, "value": "4", "label": "4 GB", "amount_minor": 0},
			{"option": ram.Id, "value": "8", "label": "8 GB", "amount_minor": 400 * factor},
			{"option": ip.Id, "label": "Extra address", "amount_minor": 150 * factor, "setup_minor": 100},
		} {
			price["currency"], price["cycle"], price["active"] = "EUR", c, true
			if _, err := collections.Insert(app, collections.OptionPrices, price); err != nil {
				return err
			}
		}
	}
	return nil
}
