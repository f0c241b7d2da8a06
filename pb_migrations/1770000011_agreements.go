package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() { m.Register(agreementsUp, agreementsDown) }

// agreementMoney tells payments apart that a gateway took by its own calendar.
var agreementMoney = change{name: "payment_transactions", values: map[string][]string{"kind": {"agreement"}}}

// agreementsUp adds the subscriptions that a gateway bills by itself: which of ours
// each pays, how it stands there, what is to become of it, and, for good, what
// became of it. A gateway's subscription pays one of ours, and one of ours is paid
// by one at a time.
func agreementsUp(app core.App) error {
	if err := alter(app, agreementMoney); err != nil {
		return err
	}
	return create(app, table{
		name: "agreements",
		fields: []core.Field{
			rel("user", "users"), rel("subscription", "subscriptions"), choice("gateway", "stripe", "paypal"), need("agreement", 255),
			choice("status", "following", "handed_over", "ended"),
			maybe("wish", "end", "handover"), date("wish_at"), text("wish_by", 80),
			choice("state", "pending", "active", "suspended", "cancelled", "expired"), flag("ends"), date("next_payment_at"),
			currency(), price("amount_minor"),
			date("linked_at"), date("starts_at"), count("periods", 1e6), date("billed_through"), date("paid_through"), date("closed_at"),
			date("checked_at"), date("look_at"), text("alert", 60), text("alert_text", 500), date("alert_at"),
		},
		indexes: []index{
			unique("idx_agreements_agreement", "`gateway`, `agreement`"),
			uniqueWhere("idx_agreements_subscription", "`subscription`", "`status` = 'following'"),
			lookup("idx_agreements_history", "`subscription`"),
			uniqueWhere("idx_agreements_look", "`look_at`, `id`", "`look_at` != ''"),
		},
	})
}

func agreementsDown(app core.App) error {
	if err := drop(app, "agreements"); err != nil {
		return err
	}
	return undo(app, agreementMoney)
}
