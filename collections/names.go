// Package collections is what the product stores: the names of the collections,
// how a record and an engine value become each other, and how records are
// found. It decides nothing; the rules are in engine.
package collections

// The collections of the database. Their fields are made in pb_migrations.
const (
	Users               = "users"
	UserProfiles        = "user_profiles"
	Settings            = "settings"
	AuditLogs           = "audit_logs"
	Gateways            = "gateways"
	Platforms           = "platforms"
	Plans               = "plans"
	PlanPrices          = "plan_prices"
	Orders              = "orders"
	OrderItems          = "order_items"
	Subscriptions       = "subscriptions"
	InvoiceSeries       = "invoice_series"
	Invoices            = "invoices"
	InvoiceItems        = "invoice_items"
	GatewayCustomers    = "gateway_customers"
	PaymentMethods      = "payment_methods"
	PaymentTransactions = "payment_transactions"
	WebhookEvents       = "webhook_events"
	LedgerEntries       = "ledger_entries"
	Services            = "services"
	IPAssignments       = "ip_assignments"
	Jobs                = "jobs"
	ProvisioningLogs    = "provisioning_logs"
	Mails               = "mails"
)
