package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() { m.Register(catalogUp, catalogDown) }

// catalogUp adds the vendors' accounts and what is for sale.
func catalogUp(app core.App) error {
	return create(app,
		table{
			name: "gateways",
			fields: []core.Field{
				choice("kind", "stripe", "paypal", "manual"),
				title("label", 60), flag("enabled"), count("position", 1000),
				hidden("secret_key", 2000, "sealed when saved; type a new value to replace it"),
				hidden("webhook_secret", 2000, "sealed when saved; type a new value to replace it"),
				&core.TextField{Name: "api_url", Max: 300, Pattern: `^(https?://\S+)?$`, Help: "empty: the vendor's own address"},
				&core.JSONField{Name: "instructions", MaxSize: 10_000, Help: `for bank transfer: [{"label":"IBAN","value":"…"}]`},
			},
			indexes: []index{unique("idx_gateways_kind", "`kind`")},
		},
		table{
			name: "platforms",
			fields: []core.Field{
				choice("kind", "virtfusion", "pterodactyl", "synergycp", "enhance", "manual"),
				title("name", 100), flag("enabled"),
				&core.TextField{Name: "url", Max: 300, Pattern: `^(https?://\S+)?$`},
				hidden("token", 4000, "sealed when saved; type a new value to replace it"),
				text("location", 60),
				staffObject("settings", 50_000),
			},
			indexes: []index{unique("idx_platforms_name", "`name`")},
		},
		table{
			name: "plans",
			fields: []core.Field{
				title("name", 120),
				pattern("slug", `^[a-z0-9]+(-[a-z0-9]+)*$`, "lower case, digits and hyphens"),
				text("description", 2000),
				choice("service_type", "vps", "dedicated", "hosting", "game_server", "mysql"),
				rel("platform", "platforms"),
				&core.JSONField{Name: "platform_settings", MaxSize: 50_000, Hidden: true, Help: `for VirtFusion: {"package_id":"1","group_id":"1"}`},
				&core.JSONField{Name: "features", MaxSize: 10_000, Help: `{"cpu_cores":2,"ram_mb":4096,"disk_gb":80,"bandwidth_gb":2000}`},
				&core.JSONField{Name: "choices", MaxSize: 50_000, Help: `[{"name":"template_id","label":"Operating system","required":true,"options":[{"value":"8","label":"Debian 12"}]}]`},
				&core.SelectField{Name: "badges", Values: []string{"popular", "best_value"}, MaxSelect: 2},
				flag("stock_limited"), count("stock", 1e6),
				choice("status", "active", "hidden", "archived"), count("position", 10_000),
			},
			indexes: []index{unique("idx_plans_slug", "`slug`"), lookup("idx_plans_status", "`status`, `position`")},
		},
		table{
			name: "plan_prices",
			fields: []core.Field{
				rel("plan", "plans"), currency(),
				choice("cycle", "hourly", "monthly", "quarterly", "semi_annual", "annual", "biennial", "triennial", "one_time"),
				price("amount_minor"), price("setup_minor"), flag("active"),
				text("stripe_price_id", 255), text("paypal_plan_id", 255),
			},
			indexes: []index{
				uniqueWhere("idx_plan_prices_one", "`plan`, `currency`, `cycle`", "`active` = TRUE"),
				lookup("idx_plan_prices_plan", "`plan`"),
			},
		},
	)
}

func catalogDown(app core.App) error {
	return drop(app, "plan_prices", "plans", "platforms", "gateways")
}
