package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() { m.Register(moneyUp, moneyDown) }

// moneyUp adds payments, the webhook inbox and the ledger.
func moneyUp(app core.App) error {
	return create(app,
		table{
			name: "gateway_customers",
			fields: []core.Field{
				rel("user", "users"), choice("gateway", "stripe", "paypal", "manual"), title("customer_id", 255),
			},
			indexes: []index{
				unique("idx_gateway_customers_user", "`user`, `gateway`"),
				unique("idx_gateway_customers_id", "`gateway`, `customer_id`"),
			},
		},
		table{
			name: "payment_methods", owner: true,
			fields: []core.Field{
				rel("user", "users"), choice("gateway", "stripe", "paypal", "manual"),
				need("gateway_method_id", 255), need("kind", 40), text("brand", 40), text("last4", 4),
				count("exp_month", 12), count("exp_year", 9999), hidden("fingerprint", 255, ""),
				flag("is_default"), flag("active"),
			},
			indexes: []index{
				unique("idx_payment_methods_id", "`gateway`, `gateway_method_id`"),
				uniqueWhere("idx_payment_methods_default", "`user`", "`is_default` = TRUE"),
				lookup("idx_payment_methods_user", "`user`"),
			},
		},
		table{
			name: "payment_transactions",
			fields: []core.Field{
				rel("user", "users"), rel("invoice", "invoices"), choice("gateway", "stripe", "paypal", "manual"),
				choice("kind", "page", "off_session", "manual"),
				choice("status", "created", "open", "pending", "needs_action", "unknown", "succeeded", "failed", "cancelled"),
				&core.TextField{Name: "gateway_transaction_id", Max: 255, Presentable: true},
				need("idempotency_key", 255),
				text("page_reference", 255), text("page_url", 3000), date("page_expires_at"),
				text("gateway_method_id", 255), text("action_url", 3000),
				currency(), price("amount_minor"), price("applied_minor"), price("excess_minor"), minor("fee_minor"),
				text("reason", 200), text("decline", 40), text("description", 500), date("settled_at"),
			},
			indexes: []index{
				unique("idx_payment_transactions_key", "`idempotency_key`"),
				uniqueWhere("idx_payment_transactions_reference", "`gateway`, `gateway_transaction_id`", "`gateway_transaction_id` != ''"),
				uniqueWhere("idx_payment_transactions_page", "`gateway`, `page_reference`", "`page_reference` != ''"),
				uniqueWhere("idx_payment_transactions_live", "`invoice`", "`status` IN ('created', 'open', 'pending', 'needs_action', 'unknown')"),
				lookup("idx_payment_transactions_invoice", "`invoice`"),
			},
		},
		table{
			name: "webhook_events",
			fields: []core.Field{
				choice("gateway", "stripe", "paypal", "manual"), title("event_id", 255), text("type", 120), text("object", 255),
				choice("status", "new", "retrying", "done", "ignored", "failed"), flag("refetch"),
				&core.TextField{Name: "body", Max: 1_000_000, Hidden: true, Help: "raw, as received and verified"},
				date("received_at"), date("done_at"), text("error", 1000),
			},
			indexes: []index{
				unique("idx_webhook_events_id", "`gateway`, `event_id`"),
				lookup("idx_webhook_events_status", "`status`, `received_at`"),
			},
		},
		table{
			name: "ledger_entries",
			fields: []core.Field{
				title("posting", 80), rel("user", "users"), need("account", 60), currency(), minor("amount_minor"),
				ref("invoice", "invoices"), ref("payment", "payment_transactions"), date("at"),
			},
			indexes: []index{
				unique("idx_ledger_entries_once", "`posting`, `account`"),
				lookup("idx_ledger_entries_user", "`user`, `account`"),
			},
		},
	)
}

func moneyDown(app core.App) error {
	return drop(app, "ledger_entries", "webhook_events", "payment_transactions", "payment_methods", "gateway_customers")
}
