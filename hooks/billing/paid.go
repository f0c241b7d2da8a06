package billing

import (
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/hooks/books"
)

// applyPaid follows an invoice that becomes paid, inside the transaction that
// paid it: the order is paid and each subscription on it runs to the end of the
// period that the line names. Doing it twice changes nothing.
//
// It is two statements, whatever hangs on the invoice: gateways deliver
// in bursts, and every settlement waits for the one writer. Their conditions
// are the lifecycle's: only a pending order is paid, a cancelled subscription
// stays cancelled, and a paid-through date never moves back.
func (s *subject) applyPaid(tx core.App, d books.Document) error {
	params := dbx.Params{"invoice": d.ID, "now": collections.Stamp(s.Now()).String()}
	_, err := collections.Statement(tx, "UPDATE `orders` SET `status` = 'paid', `updated` = {:now} WHERE `invoice` = {:invoice} AND `invoice` != '' AND `status` = 'pending'").
		Bind(params).Execute()
	if err != nil {
		return fmt.Errorf("order of invoice %s is paid: %w", d.Number, err)
	}
	// The period is the one the line names; nothing is added to what is stored.
	_, err = collections.Statement(tx, "UPDATE `subscriptions` AS `s` SET `status` = 'active', `current_period_start` = `l`.`period_start`, `current_period_end` = `l`.`period_end`, `updated` = {:now}"+
		" FROM (SELECT `subscription`, `period_start`, `period_end` FROM `invoice_items` WHERE `invoice` = {:invoice} AND `kind` = 'period') AS `l`"+
		" WHERE `l`.`subscription` = `s`.`id` AND `s`.`status` != 'cancelled' AND (`s`.`status` != 'active' OR `l`.`period_end` > `s`.`current_period_end`)").
		Bind(params).Execute()
	if err != nil {
		return fmt.Errorf("extend subscriptions of invoice %s: %w", d.Number, err)
	}
	return nil
}
