package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() { m.Register(accessUp, accessDown) }

var access = []change{
	{name: "services", fields: []core.Field{
		maybe("hold", "overdue", "staff", "paused", "ended"),
	}, indexes: []index{lookup("idx_services_status", "`status`, `hold`")}},
	{name: "subscriptions", indexes: []index{lookup("idx_subscriptions_access", "`access`, `access_at`")}},
	{name: "payment_transactions", fields: []core.Field{
		&core.BoolField{Name: "automatic", Help: "begun by dunning, without the customer"},
	}},
	{name: "gateways", fields: []core.Field{date("down_since"), date("recovered_at"), text("health_note", 300)}},
	{name: "invoices", fields: []core.Field{hidden("step_error", 500, "why dunning could not look at this invoice")}},
}

// accessUp keeps why a service is suspended, which attempts dunning began, and
// since when a gateway does not work. What was suspended so far, staff did.
func accessUp(app core.App) error {
	if err := alter(app, access...); err != nil {
		return err
	}
	return exec(app, "UPDATE `services` SET `hold` = 'staff' WHERE `status` = 'suspended'")
}

func accessDown(app core.App) error { return undo(app, access...) }
