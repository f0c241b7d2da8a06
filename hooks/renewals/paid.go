package renewals

import (
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/hooks/books"
)

// extend follows an invoice that becomes paid: each subscription on it runs to
// the end of the period that its line names; nothing is added to what is stored,
// so that doing it twice changes nothing. A trial begins, hours begin to count,
// and the next renewal is looked at again.
//
// It is one statement, whatever hangs on the invoice: gateways deliver in bursts,
// and every settlement waits for the one writer. Its conditions are the
// lifecycle's: a cancelled subscription stays cancelled, a paused one paused, a
// line that was credited whole pays for nothing, and a paid-through date never
// moves back. An older invoice that is paid after a newer one moves nothing, but
// the renewals it held up go on. What staff has yet to approve does not begin.
func (s *Subject) extend(tx core.App, d books.Document) error {
	_, err := collections.Statement(tx, "UPDATE `subscriptions` AS `s` SET"+
		" `status` = CASE WHEN `s`.`status` = 'paused' THEN 'paused' WHEN `l`.`kind` = 'trial' THEN 'trialing' ELSE 'active' END,"+
		" `current_period_start` = CASE WHEN `l`.`period_end` <= `s`.`current_period_end` THEN `s`.`current_period_start` ELSE `l`.`period_start` END,"+
		" `current_period_end` = MAX(`l`.`period_end`, `s`.`current_period_end`),"+
		" `activated_at` = CASE WHEN `s`.`activated_at` = '' THEN {:now} ELSE `s`.`activated_at` END,"+
		" `next_invoice_at` = CASE WHEN `s`.`cycle` = 'one_time' THEN '' ELSE {:now} END, `updated` = {:now}"+
		" FROM (SELECT `subscription`, `kind`, `period_start`, MAX(`period_end`) AS `period_end` FROM `invoice_items` WHERE `invoice` = {:invoice} AND `kind` IN ('period', 'trial', 'hourly') AND `live` = TRUE GROUP BY `subscription`) AS `l`"+
		" WHERE `l`.`subscription` = `s`.`id` AND `s`.`status` != 'cancelled'"+
		" AND NOT (`s`.`status` = 'pending' AND EXISTS (SELECT 1 FROM `orders` `o` WHERE `o`.`id` = `s`.`order` AND `o`.`review` IN ('waiting', 'rejected')))").
		Bind(dbx.Params{"invoice": d.ID, "now": collections.Stamp(s.Now()).String()}).Execute()
	if err != nil {
		return fmt.Errorf("extend subscriptions of invoice %s: %w", d.Number, err)
	}
	return nil
}
