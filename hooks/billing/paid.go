package billing

import (
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/hooks/books"
)

// applyPaid follows an invoice that becomes paid, inside the transaction that
// paid it: only a pending order is paid. Doing it twice changes nothing. One that was
// paid in part and then credited whole is cancelled: nothing of it was bought.
func (s *subject) applyPaid(tx core.App, d books.Document) error {
	if d.Credited.Sign() > 0 {
		kept, err := collections.First(tx, collections.InvoiceItems, dbx.HashExp{"invoice": d.ID, "live": true})
		if err != nil {
			return err
		}
		if kept == nil {
			return s.voided(tx, d)
		}
	}
	params := dbx.Params{"invoice": d.ID, "now": collections.Stamp(s.Now()).String()}
	_, err := collections.Statement(tx, "UPDATE `orders` SET `status` = 'paid', `updated` = {:now} WHERE `invoice` = {:invoice} AND `invoice` != '' AND `status` = 'pending'").
		Bind(params).Execute()
	if err != nil {
		return fmt.Errorf("order of invoice %s is paid: %w", d.Number, err)
	}
	if d.Credited.Sign() > 0 {
		return s.endCredited(tx, d.ID)
	}
	return nil
}

// endCredited ends what an order would have delivered but for a credit note over
// its line: it was paid for by nobody, and waits for nothing any more.
func (s *subject) endCredited(tx core.App, invoice string) error {
	subs := []*core.Record{}
	const line = "EXISTS (SELECT 1 FROM `invoice_items` `l` WHERE `l`.`invoice` = {:invoice} AND `l`.`subscription` = `subscriptions`.`id` AND `l`.`kind` IN ('period', 'trial', 'hourly', 'charge')"
	err := tx.RecordQuery(collections.Subscriptions).AndWhere(dbx.NewExp("`status` = 'pending' AND "+line+") AND NOT "+line+" AND `l`.`live`)", dbx.Params{"invoice": invoice})).OrderBy("rowid").All(&subs)
	if err != nil {
		return fmt.Errorf("subscriptions of invoice %s: %w", invoice, err)
	}
	for _, sub := range subs {
		if err := endUnit(tx, sub, "What it cost was credited before it was paid.", s.Now()); err != nil {
			return err
		}
	}
	return nil
}
