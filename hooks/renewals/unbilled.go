package renewals

import (
	"errors"
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/books"
)

// unbilled follows an invoice that is void: the last periods that it billed of
// running subscriptions are billed by nothing now, so they are to be invoiced
// again. Who takes back what is ahead of a subscription decides by itself when
// that is.
func (s *Subject) unbilled(tx core.App, d books.Document) error {
	if d.Status != billing.InvoiceVoid || !d.Credited.IsZero() || d.Kind == kindChange {
		return nil
	}
	rows := []struct {
		Subscription string `db:"subscription"`
		Start        string `db:"period_start"`
	}{}
	err := collections.Statement(tx, "SELECT `l`.`subscription`, `l`.`period_start` FROM `invoice_items` `l` CROSS JOIN `subscriptions` `u` ON `u`.`id` = `l`.`subscription`"+
		" WHERE `l`.`invoice` = {:invoice} AND `l`.`kind` = 'period' AND `l`.`period_start` >= `u`.`anchor` AND `u`.`status` IN ('trialing', 'active', 'past_due') ORDER BY `l`.`period_start` DESC, `l`.`position`").
		Bind(dbx.Params{"invoice": d.ID}).All(&rows)
	if err != nil {
		return fmt.Errorf("periods of void invoice %s: %w", d.Number, err)
	}
	now := s.Now()
	for _, row := range rows {
		sub, err := loadOne(tx, row.Subscription, now)
		if err != nil {
			return err
		}
		start, err := collections.ParseStamp(row.Start)
		if err != nil {
			return fmt.Errorf("periods of void invoice %s: %w", d.Number, err)
		}
		schedule := sub.renewal.Schedule
		if _, months := schedule.Cycle.Months(); !months {
			continue
		}
		n, period, err := schedule.At(start)
		if errors.Is(err, billing.ErrBeforeAnchor) {
			continue
		}
		if err != nil {
			return fmt.Errorf("subscription %s: %w", sub.ID, err)
		}
		if n+1 != schedule.NextPeriod || !period.Start.Equal(start) {
			continue // it is of other terms, or later ones are taken back as well
		}
		_, err = collections.Statement(tx, "UPDATE `subscriptions` SET `next_period` = {:n}, `next_invoice_at` = {:now}, `updated` = {:now} WHERE `id` = {:id}").
			Bind(dbx.Params{"id": sub.ID, "n": n, "now": collections.Stamp(now).String()}).Execute()
		if err != nil {
			return fmt.Errorf("subscription %s: %w", sub.ID, err)
		}
	}
	return nil
}
