package billing

import (
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
)

// onPaid follows an invoice that becomes paid, inside the transaction that paid
// it: the order is paid and each subscription on it runs to the end of the
// period that the line names. Doing it twice changes nothing.
func (s *subject) onPaid(app core.App) {
	app.OnRecordUpdateExecute(collections.Invoices).Bind(&hook.Handler[*core.RecordEvent]{
		Id: "billingInvoicePaid", Priority: -10,
		Func: func(e *core.RecordEvent) error {
			before := collections.InvoiceStatus(e.Record.Original())
			if err := e.Next(); err != nil {
				return err
			}
			if before == billing.InvoicePaid || collections.InvoiceStatus(e.Record) != billing.InvoicePaid {
				return nil
			}
			return s.applyPaid(e.App, e.Record)
		},
	})
}

// applyPaid is two statements, whatever hangs on the invoice: gateways deliver
// in bursts, and every settlement waits for the one writer. Their conditions
// are the lifecycle's: only a pending order is paid, a cancelled subscription
// stays cancelled, and a paid-through date never moves back.
func (s *subject) applyPaid(tx core.App, invoice *core.Record) error {
	params := dbx.Params{"invoice": invoice.Id, "now": collections.Stamp(s.Now()).String()}
	_, err := collections.Statement(tx, "UPDATE `orders` SET `status` = 'paid', `updated` = {:now} WHERE `invoice` = {:invoice} AND `invoice` != '' AND `status` = 'pending'").
		Bind(params).Execute()
	if err != nil {
		return fmt.Errorf("order of invoice %s is paid: %w", invoice.GetString("number"), err)
	}
	// The period is the one the line names; nothing is added to what is stored.
	_, err = collections.Statement(tx, "UPDATE `subscriptions` AS `s` SET `status` = 'active', `current_period_start` = `l`.`period_start`, `current_period_end` = `l`.`period_end`, `updated` = {:now}"+
		" FROM (SELECT `subscription`, `period_start`, `period_end` FROM `invoice_items` WHERE `invoice` = {:invoice} AND `kind` = 'period') AS `l`"+
		" WHERE `l`.`subscription` = `s`.`id` AND `s`.`status` != 'cancelled' AND (`s`.`status` != 'active' OR `l`.`period_end` > `s`.`current_period_end`)").
		Bind(params).Execute()
	if err != nil {
		return fmt.Errorf("extend subscriptions of invoice %s: %w", invoice.GetString("number"), err)
	}
	return nil
}
