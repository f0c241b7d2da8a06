package renewals

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
)

// drop cancels a change that has not taken effect: the unit that was held for it
// goes back to the stock. Its invoice is another matter.
func drop(tx core.App, now time.Time, change *core.Record, why string) error {
	if err := billing.CheckChangeTransition(billing.ChangeStatus(change.GetString("status")), billing.ChangeCancelled); err != nil {
		return fmt.Errorf("drop change %s: %w", change.Id, err)
	}
	from, to, err := readTerms(change)
	if err != nil {
		return err
	}
	change.Load(map[string]any{"status": string(billing.ChangeCancelled), "note": why})
	if err := collections.Update(tx, change); err != nil {
		return fmt.Errorf("drop change %s: %w", change.Id, err)
	}
	if to.Plan == "" || to.Plan == from.Plan {
		return nil
	}
	return returnUnit(tx, to.Plan)
}

// returnUnit gives a unit of a plan back to the stock, where stock is limited.
func returnUnit(tx core.App, plan string) error {
	_, err := collections.Statement(tx, "UPDATE `plans` SET `stock` = `stock` + 1 WHERE `id` = {:id} AND `stock_limited` = TRUE").Bind(dbx.Params{"id": plan}).Execute()
	if err != nil {
		return fmt.Errorf("return stock of plan %s: %w", plan, err)
	}
	return nil
}

// dropChange cancels the subscription's change that has not taken effect, if
// any, and withdraws its invoice.
func (d *deed) dropChange(why string) error {
	change, err := openChange(d.tx, d.sub.ID)
	if err != nil || change == nil {
		return err
	}
	if err := drop(d.tx, d.now, change, why); err != nil {
		return err
	}
	if invoice := change.GetString("invoice"); invoice != "" {
		return d.withdraw(d.tx, d.now, invoice, why, d.by.String())
	}
	return nil
}
