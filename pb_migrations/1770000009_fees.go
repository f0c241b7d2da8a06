package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() { m.Register(feesUp, feesDown) }

var feeChanges = []change{
	{name: "gateways", fields: []core.Field{date("books_until")}},
	{name: "refunds", indexes: []index{lookup("idx_refunds_requested", "`requested_at`")}},
	{name: "disputes", indexes: []index{lookup("idx_disputes_payment", "`payment`")}},
}

// feesUp adds what moves a gateway's account besides customers' money: fees of
// their own, and payouts to the bank. Such a posting belongs to no customer.
func feesUp(app core.App) error {
	if err := alter(app, feeChanges...); err != nil {
		return err
	}
	if err := ledgerUser(app, false); err != nil {
		return err
	}
	err := create(app, table{
		name: "gateway_movements",
		fields: []core.Field{
			choice("gateway", "stripe", "paypal"), choice("kind", "fee", "payout"), title("reference", 255), ref("payment", "payment_transactions"),
			currency(), minor("amount_minor"), date("at"),
		},
		indexes: []index{unique("idx_gateway_movements_once", "`gateway`, `kind`, `reference`"), lookup("idx_gateway_movements_at", "`at`")},
	})
	if err != nil {
		return err
	}
	return exec(app,
		forbid("gateway_movements", "UPDATE", "", "a movement of a gateway is never edited"),
		forbid("gateway_movements", "DELETE", "", "a movement of a gateway is never deleted"),
	)
}

// ledgerUser says whether each posting belongs to a customer.
func ledgerUser(app core.App, required bool) error {
	c, err := app.FindCollectionByNameOrId("ledger_entries")
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	user, ok := c.Fields.GetByName("user").(*core.RelationField)
	if !ok {
		return fmt.Errorf("ledger: user is no relation")
	}
	user.Required = required
	return app.Save(c)
}

func feesDown(app core.App) error {
	if err := drop(app, "gateway_movements"); err != nil {
		return err
	}
	if err := ledgerUser(app, true); err != nil {
		return err
	}
	return undo(app, feeChanges...)
}
