package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() { m.Register(methodsUp, methodsDown) }

// wallet lets methods be told apart where there is no number, and remembers what
// the customer removed, so that a list read a moment before does not bring it back.
var wallet = change{name: "payment_methods", fields: []core.Field{text("account", 255), date("removed_at")}}

// methodsUp adds the pages on which methods are saved without a payment. A
// customer has at most one open at each gateway.
func methodsUp(app core.App) error {
	if err := alter(app, wallet); err != nil {
		return err
	}
	return create(app, table{
		name: "method_setups",
		fields: []core.Field{
			rel("user", "users"), choice("gateway", "stripe", "paypal"), choice("status", "created", "open", "done", "cancelled"),
			need("idempotency_key", 255), text("reference", 255), text("url", 3000), date("expires_at"),
			ref("subscription", "subscriptions"), text("back", 500), text("gateway_method_id", 255), date("done_at"),
		},
		indexes: []index{
			unique("idx_method_setups_key", "`idempotency_key`"),
			uniqueWhere("idx_method_setups_open", "`user`, `gateway`", "`status` IN ('created', 'open')"),
			lookup("idx_method_setups_reference", "`gateway`, `reference`"),
		},
	})
}

func methodsDown(app core.App) error {
	if err := drop(app, "method_setups"); err != nil {
		return err
	}
	return undo(app, wallet)
}
