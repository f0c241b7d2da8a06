package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
	"github.com/pocketbase/pocketbase/tools/types"
)

func init() { m.Register(scheduleUp, scheduleDown) }

var schedule = []change{
	{name: "orders", fields: []core.Field{
		minor("subtotal_minor"), minor("tax_minor"), price("discount_minor"),
		choiceOf("review", "none", "waiting", "approved", "rejected"), staffObject("signals", 20_000),
		hidden("reviewed_by", 60, ""), date("reviewed_at"), hidden("review_note", 500, ""), hidden("ip_country", 2, ""),
		text("quote", 60),
	}, indexes: []index{lookup("idx_orders_review", "`review`, `placed_at`")}},
	{name: "order_items", fields: []core.Field{object("options", 10_000), price("discount_minor"), text("bundle", 60), flag("trial")}},
	{name: "subscriptions", fields: []core.Field{
		count("next_period", 1e6), date("next_invoice_at"), price("cap_minor"), count("trial_days", 400), price("pending_setup_minor"),
		object("discounts", 20_000), text("payment_method", 60),
		flag("cancel_at_end"), text("cancel_reason", 500), date("pause_from"), date("resumed_at"),
		choiceOf("access", "open", "suspended", "ended"), text("access_reason", 60), date("access_at"),
		date("activated_at"),
	}, indexes: []index{{"idx_subscriptions_invoice", false, "`next_invoice_at`", "`next_invoice_at` != ''"}}},
	{name: "invoices", values: map[string][]string{}, fields: []core.Field{
		maybe("kind", "order", "renewal", "change", "manual", "late_fee", "usage", "correction", "topup"),
		ref("parent", "invoices"), price("credited_minor"), price("written_off_minor"), flag("auto_charge"), date("next_step_at"),
		date("delivered_at"), flag("tax_inclusive"), maybe("tax_rounding", "line", "document"), object("taxes", 20_000),
		hidden("evidence", 5000, "what the tax was decided on"), text("note", 1000), date("pause_dunning_until"),
	}, indexes: []index{
		lookup("idx_invoices_step", "`status`, `next_step_at`"),
		uniqueWhere("idx_invoices_fee", "`parent`", "`kind` = 'late_fee'"),
	}},
	{name: "invoice_items", values: map[string][]string{"kind": {"trial", "option", "discount", "charge", "unused", "late_fee", "usage", "hourly", "manual", "topup"}}, fields: []core.Field{
		minor("net_minor"), minor("tax_minor"), object("taxes", 5000), minor("credited_minor"), minor("credited_tax_minor"),
		&core.BoolField{Name: "live", Help: "bills its period; cleared when the invoice is void or the line is credited whole"},
		object("detail", 5000), date("tax_date"), count("parent", 100_000), text("item", 60),
	}, without: []string{"idx_invoice_items_period"}, indexes: []index{
		uniqueWhere("idx_invoice_items_once", "`subscription`, `period_start`", "`kind` = 'period' AND `live` = TRUE"),
		lookup("idx_invoice_items_subscription", "`subscription`, `period_start`"),
	}},
}

// choiceOf is a select whose first value is what an empty one means; rows from
// before the field are empty.
func choiceOf(name string, values ...string) *core.SelectField { return maybe(name, values...) }

// scheduleUp adds what subscriptions need to run for years: their items,
// changes and redemptions, quotes, and the explanations of every line.
func scheduleUp(app core.App) error {
	if err := exec(app, "DROP TRIGGER `guard_invoice_items_UPDATE`"); err != nil {
		return err
	}
	if err := alter(app, schedule...); err != nil {
		return err
	}
	if err := backfill(app); err != nil {
		return err
	}
	return create(app,
		table{
			name: "subscription_items", owner: true,
			fields: []core.Field{
				rel("user", "users"), rel("subscription", "subscriptions"), choice("kind", "option", "addon"),
				ref("option", "plan_options"), need("name", 60), text("value", 120), title("label", 240),
				&core.NumberField{Name: "quantity", OnlyInt: true, Required: true, Min: types.Pointer(1.0), Max: types.Pointer(1000.0)},
				currency(), price("unit_minor"), price("pending_setup_minor"), flag("active"), date("ended_at"),
			},
			indexes: []index{uniqueWhere("idx_subscription_items_one", "`subscription`, `name`", "`active` = TRUE")},
		},
		table{
			name: "subscription_changes", owner: true,
			fields: []core.Field{
				rel("user", "users"), rel("subscription", "subscriptions"), need("client_key", 80),
				choice("kind", "plan", "options", "cycle", "price"), choice("timing", "now", "period_end"),
				choice("status", "pending", "scheduled", "applied", "cancelled"),
				object("from", 20_000), object("to", 20_000), ref("invoice", "invoices"), currency(), minor("total_minor"),
				date("requested_at"), date("effective_at"), date("applied_at"), date("announced_at"), date("expires_at"), text("actor", 80), text("note", 500),
			},
			indexes: []index{
				unique("idx_subscription_changes_key", "`user`, `client_key`"),
				uniqueWhere("idx_subscription_changes_open", "`subscription`", "`status` IN ('pending', 'scheduled') AND `kind` != 'price'"),
				uniqueWhere("idx_subscription_changes_price", "`subscription`, `effective_at`", "`kind` = 'price' AND `status` = 'scheduled'"),
				lookup("idx_subscription_changes_due", "`status`, `effective_at`"),
			},
		},
		table{
			name: "coupon_redemptions", owner: true,
			fields: []core.Field{
				rel("coupon", "coupons"), rel("user", "users"), rel("order", "orders"),
				&core.NumberField{Name: "slot", OnlyInt: true, Required: true, Min: types.Pointer(1.0), Help: "the customer's first, second… use"},
				choice("status", "used", "returned"), object("terms", 5000), date("at"),
			},
			indexes: []index{
				unique("idx_coupon_redemptions_order", "`coupon`, `order`"),
				uniqueWhere("idx_coupon_redemptions_slot", "`coupon`, `user`, `slot`", "`status` = 'used'"),
			},
		},
		table{
			name: "quotes", rule: ownerRule + ` && status != "draft"`,
			fields: []core.Field{
				rel("user", "users"), title("title", 200), choice("status", "draft", "sent", "accepted", "declined", "expired"), currency(),
				&core.JSONField{Name: "items", MaxSize: 50_000, Help: `[{"price":"<plan price id>","quantity":1,"unit_minor":900,"choices":{}}]; unit_minor is optional and overrides the list price`},
				text("note", 2000), date("valid_until"), ref("order", "orders"), date("sent_at"), date("answered_at"), price("total_minor"),
			},
			indexes: []index{lookup("idx_quotes_user", "`user`")},
		},
		table{
			name: "cancellation_surveys", owner: true,
			fields: []core.Field{
				rel("user", "users"), rel("subscription", "subscriptions"), need("client_key", 80), text("reason", 60), text("comment", 2000), date("at"),
			},
			indexes: []index{unique("idx_cancellation_surveys_key", "`user`, `client_key`"), lookup("idx_cancellation_surveys_subscription", "`subscription`")},
		},
		table{
			name: "billable_items", owner: true,
			fields: []core.Field{
				rel("user", "users"), ref("subscription", "subscriptions"), need("key", 200),
				choice("kind", "usage", "hourly", "manual", "setup"), title("description", 500),
				&core.NumberField{Name: "quantity", OnlyInt: true, Required: true, Min: types.Pointer(1.0), Max: types.Pointer(1e9)},
				currency(), price("unit_minor"), price("amount_minor"), date("period_start"), date("period_end"), object("detail", 20_000),
				choice("status", "pending", "invoiced", "cancelled"), ref("invoice", "invoices"), date("due_from"),
			},
			indexes: []index{unique("idx_billable_items_key", "`key`"), lookup("idx_billable_items_due", "`status`, `due_from`"), lookup("idx_billable_items_user", "`user`, `status`")},
		},
	)
}

// backfill gives rows from before this migration what the new columns promise.
func backfill(app core.App) error {
	return exec(app,
		"UPDATE `orders` SET `review` = 'none', `subtotal_minor` = `total_minor`",
		"UPDATE `invoices` SET `kind` = 'order', `tax_rounding` = 'line', `delivered_at` = `issued_at` WHERE `status` != 'draft'",
		"UPDATE `invoices` SET `next_step_at` = `due_at` WHERE `status` = 'open'",
		"UPDATE `invoice_items` SET `net_minor` = `amount_minor`, `tax_date` = CASE WHEN `period_start` != '' THEN `period_start` ELSE `created` END, `live` = (SELECT `status` != 'void' FROM `invoices` WHERE `id` = `invoice_items`.`invoice`)",
		"UPDATE `subscriptions` SET `access` = CASE `status` WHEN 'cancelled' THEN 'ended' ELSE 'open' END, `next_period` = CASE WHEN `status` IN ('pending', 'active', 'past_due') THEN 1 ELSE 0 END,"+
			" `activated_at` = `current_period_start`",
		// Fourteen days before the end of what is paid, the setting's default; the renewal run corrects it by its own setting.
		"UPDATE `subscriptions` SET `next_invoice_at` = strftime('%Y-%m-%d %H:%M:%f', `current_period_end`, '-14 days') || 'Z' WHERE `current_period_end` != '' AND `status` IN ('active', 'past_due') AND `cycle` NOT IN ('one_time', 'hourly')",
	)
}

func scheduleDown(app core.App) error {
	if err := drop(app, "billable_items", "cancellation_surveys", "quotes", "coupon_redemptions", "subscription_changes", "subscription_items"); err != nil {
		return err
	}
	return undo(app, schedule...)
}
