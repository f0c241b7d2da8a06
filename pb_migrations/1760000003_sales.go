package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
	"github.com/pocketbase/pocketbase/tools/types"
)

func init() { m.Register(salesUp, salesDown) }

// salesUp adds orders, subscriptions and invoices.
func salesUp(app core.App) error {
	visible := ownerRule + ` && status != "draft"`
	err := create(app,
		table{
			name: "invoice_series",
			fields: []core.Field{
				title("series", 20), count("year", 9999),
				count("last_seq", 1e12),
			},
			indexes: []index{unique("idx_invoice_series_one", "`series`, `year`")},
		},
		table{
			name: "invoices", rule: visible,
			fields: []core.Field{
				rel("user", "users"),
				&core.TextField{Name: "number", Max: 60, Presentable: true},
				text("series", 20), count("year", 9999), count("seq", 1e12),
				choice("status", "draft", "open", "paid", "void", "uncollectible"),
				currency(), minor("subtotal_minor"), minor("tax_minor"), minor("total_minor"), price("due_minor"), price("paid_minor"),
				date("issued_at"), date("due_at"), date("paid_at"), date("voided_at"),
				object("seller", 20_000), object("buyer", 20_000),
				text("language", 20),
			},
			indexes: []index{
				uniqueWhere("idx_invoices_number", "`number`", "`number` != ''"),
				uniqueWhere("idx_invoices_seq", "`series`, `year`, `seq`", "`seq` > 0"),
				lookup("idx_invoices_user", "`user`, `issued_at`"),
				lookup("idx_invoices_status", "`status`, `due_at`"),
			},
		},
		table{
			name: "orders", owner: true,
			fields: []core.Field{
				rel("user", "users"),
				&core.TextField{Name: "client_key", Max: 80, Required: true, Help: "a repeated order with the same key is the same order"},
				choice("status", "pending", "paid", "expired", "cancelled"),
				currency(), price("total_minor"), choice("gateway", "stripe", "paypal", "manual"),
				ref("invoice", "invoices"), date("placed_at"), date("expires_at"), date("terms_at"),
				hidden("ip", 60, ""), hidden("user_agent", 400, ""),
			},
			indexes: []index{
				unique("idx_orders_client_key", "`user`, `client_key`"),
				uniqueWhere("idx_orders_invoice", "`invoice`", "`invoice` != ''"),
				lookup("idx_orders_user", "`user`"),
				lookup("idx_orders_status", "`status`, `expires_at`"),
			},
		},
		table{
			name: "subscriptions", owner: true,
			fields: []core.Field{
				rel("user", "users"), rel("plan", "plans"), rel("price", "plan_prices"), ref("order", "orders"),
				choice("status", "pending", "trialing", "active", "past_due", "paused", "cancelled"),
				choice("billing_owner", "platform", "gateway"), maybe("gateway", "stripe", "paypal", "manual"),
				text("gateway_subscription_id", 255), text("gateway_customer_id", 255), text("gateway_price_id", 255),
				currency(), price("amount_minor"), count("quantity", 1000),
				choice("cycle", "hourly", "monthly", "quarterly", "semi_annual", "annual", "biennial", "triennial", "one_time"),
				date("anchor"), count("period", 1e6), date("current_period_start"), date("current_period_end"),
				date("trial_ends_at"), date("cancelled_at"), date("ends_at"),
			},
			indexes: []index{
				uniqueWhere("idx_subscriptions_gateway", "`gateway`, `gateway_subscription_id`", "`gateway_subscription_id` != ''"),
				lookup("idx_subscriptions_user", "`user`"),
				lookup("idx_subscriptions_due", "`status`, `current_period_end`"),
			},
		},
	)
	if err != nil {
		return err
	}
	return linesUp(app)
}

// linesUp adds the rows of orders and invoices.
func linesUp(app core.App) error {
	return create(app,
		table{
			name: "order_items", rule: ownerRule,
			fields: []core.Field{
				rel("user", "users"), rel("order", "orders"), rel("plan", "plans"), rel("price", "plan_prices"),
				&core.NumberField{Name: "quantity", OnlyInt: true, Required: true, Min: types.Pointer(1.0), Max: types.Pointer(100.0)},
				price("unit_minor"), price("setup_minor"),
				text("hostname", 253), object("choices", 10_000), rel("subscription", "subscriptions"),
			},
			indexes: []index{lookup("idx_order_items_order", "`order`")},
		},
		table{
			name: "invoice_items", rule: ownerRule + ` && invoice.status != "draft"`,
			fields: []core.Field{
				rel("user", "users"), rel("invoice", "invoices"), count("position", 100_000),
				choice("kind", "period", "setup"),
				title("description", 500), count("quantity", 1000), price("unit_minor"), minor("amount_minor"),
				ref("subscription", "subscriptions"), date("period_start"), date("period_end"),
			},
			indexes: []index{
				unique("idx_invoice_items_position", "`invoice`, `position`"),
				uniqueWhere("idx_invoice_items_period", "`subscription`, `period_start`", "`kind` = 'period'"),
			},
		},
	)
}

func salesDown(app core.App) error {
	return drop(app, "invoice_items", "order_items", "subscriptions", "orders", "invoices", "invoice_series")
}
