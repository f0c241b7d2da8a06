package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
	"github.com/pocketbase/pocketbase/tools/types"
)

func init() { m.Register(offersUp, offersDown) }

var cycles = []string{"hourly", "monthly", "quarterly", "semi_annual", "annual", "biennial", "triennial", "one_time"}

var offers = []change{
	{name: "plans", fields: []core.Field{
		&core.NumberField{Name: "trial_days", OnlyInt: true, Min: types.Pointer(0.0), Max: types.Pointer(365.0), Help: "free days before the first period; 0: no trial"},
		&core.BoolField{Name: "trial_needs_card", Help: "a trial or free order asks for a payment method all the same"},
		&core.TextField{Name: "upgrade_group", Max: 60, Help: "customers change between plans of the same group"},
		&core.NumberField{Name: "customer_limit", OnlyInt: true, Min: types.Pointer(0.0), Max: types.Pointer(1000.0), Help: "most a customer may have at a time; 0: no limit"},
		&core.SelectField{Name: "change_policy", Values: []string{"prorate", "new_cycle"}, MaxSelect: 1, Help: "prorate (the default) keeps the date, new_cycle starts a full period on the day of the change"},
		&core.BoolField{Name: "needs_approval", Help: "paid orders wait until staff approves them"},
	}},
}

// offersUp adds what plans are sold with: options, bundles, coupons, and the
// taxes on them.
func offersUp(app core.App) error {
	if err := alter(app, offers...); err != nil {
		return err
	}
	return create(app,
		table{
			name: "plan_options",
			fields: []core.Field{
				rel("plan", "plans"),
				&core.TextField{Name: "name", Max: 60, Required: true, Pattern: `^[a-z][a-z0-9_]*$`, Help: "also the name under which the platform gets the value"},
				title("label", 120), text("description", 500),
				choice("kind", "choice", "quantity", "addon"),
				flag("required"), count("min_quantity", 1000), count("max_quantity", 1000), count("position", 10_000), flag("active"),
			},
			indexes: []index{unique("idx_plan_options_name", "`plan`, `name`")},
		},
		table{
			name: "option_prices",
			fields: []core.Field{
				rel("option", "plan_options"),
				&core.TextField{Name: "value", Max: 120, Help: "of a choice; empty for quantities and add-ons"},
				title("label", 120), currency(), choice("cycle", cycles...),
				price("amount_minor"), price("setup_minor"), flag("active"),
			},
			indexes: []index{uniqueWhere("idx_option_prices_one", "`option`, `value`, `currency`, `cycle`", "`active` = TRUE"), lookup("idx_option_prices_option", "`option`")},
		},
		table{
			name: "bundles",
			fields: []core.Field{
				title("name", 120), pattern("slug", `^[a-z0-9]+(-[a-z0-9]+)*$`, "lower case, digits and hyphens"), text("description", 2000),
				&core.JSONField{Name: "items", MaxSize: 20_000, Help: `[{"plan":"<plan slug>","quantity":2}]`},
				&core.NumberField{Name: "discount_bp", OnlyInt: true, Min: types.Pointer(0.0), Max: types.Pointer(10_000.0), Help: "basis points off every period of the bundle: 1000 is 10 %"},
				choice("status", "active", "hidden", "archived"), count("position", 10_000),
			},
			indexes: []index{unique("idx_bundles_slug", "`slug`")},
		},
		table{
			name: "coupons",
			fields: []core.Field{
				&core.TextField{Name: "code", Max: 40, Required: true, Presentable: true, Pattern: `^[A-Z0-9][A-Z0-9_-]*$`, Help: "upper case; customers may type it as they like"},
				text("description", 300), choice("kind", "percent", "fixed", "trial_days", "free_setup"),
				&core.NumberField{Name: "basis_points", OnlyInt: true, Min: types.Pointer(0.0), Max: types.Pointer(10_000.0)},
				&core.JSONField{Name: "amounts", MaxSize: 2000, Help: `minor units by currency: {"EUR":500}`},
				count("trial_days", 365),
				&core.RelationField{Name: "plans", CollectionId: "plans", MaxSelect: 100, Help: "none: all plans"},
				&core.SelectField{Name: "cycles", Values: cycles, MaxSelect: len(cycles), Help: "none: all cycles"},
				&core.NumberField{Name: "periods", OnlyInt: true, Min: types.Pointer(0.0), Max: types.Pointer(1000.0), Help: "1: the first period alone, N: so many, 0: for ever"},
				count("max_uses", 1e6), count("uses", 1e6), count("per_customer", 1000),
				flag("new_customers"), flag("stackable"), date("starts_at"), date("expires_at"),
				choice("status", "active", "archived"),
			},
			indexes: []index{unique("idx_coupons_code", "`code`")},
		},
		table{
			name: "tax_rates",
			fields: []core.Field{
				title("name", 60),
				&core.TextField{Name: "country", Max: 2, Required: true, Pattern: `^[A-Z]{2}$`, Help: "ISO 3166 code"},
				&core.TextField{Name: "region", Max: 60, Help: "as in the customer's address; empty: the whole country"},
				&core.NumberField{Name: "level", OnlyInt: true, Required: true, Min: types.Pointer(1.0), Max: types.Pointer(2.0), Help: "2 for a second tax beside the first"},
				&core.NumberField{Name: "ppm", OnlyInt: true, Min: types.Pointer(0.0), Max: types.Pointer(1e6), Help: "parts per million: 190000 is 19 %"},
				&core.BoolField{Name: "compound", Help: "level 2 alone: on the net amount plus the first tax"},
				&core.BoolField{Name: "consumers_only", Help: "businesses account for this tax themselves"},
				&core.DateField{Name: "valid_from", Required: true},
			},
			indexes: []index{unique("idx_tax_rates_one", "`country`, `region`, `level`, `valid_from`")},
		},
		table{
			name: "exchange_rates",
			fields: []core.Field{
				&core.TextField{Name: "base", Max: 3, Required: true, Pattern: `^[A-Z]{3}$`}, &core.TextField{Name: "quote", Max: 3, Required: true, Pattern: `^[A-Z]{3}$`},
				&core.NumberField{Name: "ppm", OnlyInt: true, Required: true, Min: types.Pointer(1.0), Max: types.Pointer(1e14), Help: "one base in quote, in millionths; for reports only"},
				&core.TextField{Name: "date", Max: 10, Required: true, Pattern: `^\d{4}-\d{2}-\d{2}$`}, text("source", 120),
			},
			indexes: []index{unique("idx_exchange_rates_one", "`base`, `quote`, `date`")},
		},
	)
}

func offersDown(app core.App) error {
	if err := drop(app, "exchange_rates", "tax_rates", "coupons", "bundles", "option_prices", "plan_options"); err != nil {
		return err
	}
	return undo(app, offers...)
}
