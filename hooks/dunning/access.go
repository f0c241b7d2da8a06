package dunning

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/dunning"
	"github.com/ezscale/ezscale/hooks/audit"
)

// accessAfter is what a step makes of the access to its services.
var accessAfter = map[dunning.Kind]dunning.Access{
	dunning.Suspend: dunning.AccessSuspended, dunning.Unsuspend: dunning.AccessOpen, dunning.Terminate: dunning.AccessEnded,
}

// reasons are why a subscription has this access.
var reasons = map[dunning.Access]string{dunning.AccessSuspended: string(dunning.Overdue), dunning.AccessOpen: ""}

// switchAccess records a step and gives or takes access to its services. Those
// who run services follow the field in the same transaction.
func (s *Subject) switchAccess(tx core.App, c *Case, step dunning.Step, now time.Time) (bool, error) {
	d := detail{Services: step.Services}
	if next, ok := announces[step.Kind]; ok {
		if on, known := dunning.When(c.Policy, c.Facts, now, next); known {
			d.On = on.UTC()
		}
	}
	_, fresh, err := claim(tx, c, step.Kind, step.N, now, now, d)
	if err != nil || !fresh {
		return false, err
	}
	for _, id := range step.Services {
		if err := s.setAccess(tx, id, accessAfter[step.Kind], now); err != nil {
			return false, err
		}
	}
	if len(step.Services) == 0 {
		return true, nil
	}
	return true, audit.Write(tx, now, audit.Entry{
		ActorKind: audit.System, Action: "dunning." + string(step.Kind), Resource: collections.Invoices, ResourceID: c.Invoice.ID,
		Changes: map[string]any{"invoice": c.Invoice.Number, "subscriptions": step.Services},
	})
}

// setAccess writes what is decided about a subscription. What ended stays ended.
func (s *Subject) setAccess(tx core.App, id string, access dunning.Access, now time.Time) error {
	sub, err := tx.FindRecordById(collections.Subscriptions, id)
	if err != nil {
		return fmt.Errorf("subscription %s: %w", id, err)
	}
	before := dunning.Access(sub.GetString("access"))
	if before == access || before == dunning.AccessEnded {
		return nil
	}
	if access == dunning.AccessEnded {
		sub.Set("cancel_reason", string(dunning.Overdue))
	} else {
		sub.Set("access", string(access))
		sub.Set("access_at", collections.Stamp(now))
		sub.Set("access_reason", reasons[access])
	}
	if err := collections.Update(tx, sub); err != nil {
		return fmt.Errorf("subscription %s: %w", id, err)
	}
	if access == dunning.AccessEnded {
		return s.End(tx, id, now)
	}
	return nil
}

// standing says of each running subscription on the invoice whether it is past
// due: whether any invoice that bills it is overdue. Cross joins keep the
// database from going through all open invoices or all active subscriptions.
func standing(tx core.App, c *Case, now time.Time) error {
	rows := []struct {
		ID   string `db:"id"`
		Late bool   `db:"late"`
	}{}
	err := collections.Statement(tx, "SELECT `id`, `late` FROM (SELECT `u`.`id`, `u`.`status`, EXISTS (SELECT 1 FROM `invoice_items` `l` CROSS JOIN `invoices` `i` ON `i`.`id` = `l`.`invoice`"+
		" WHERE `l`.`subscription` = `u`.`id` AND "+bills+" AND `i`.`status` = 'open' AND `i`.`due_minor` >= {:least} AND `i`.`due_at` < {:today}) AS `late`"+
		" FROM (SELECT DISTINCT `subscription` FROM `invoice_items` WHERE `invoice` = {:invoice} AND `subscription` != '') `b` CROSS JOIN `subscriptions` `u` ON `u`.`id` = `b`.`subscription`"+
		" WHERE `u`.`status` IN ('active', 'past_due')) WHERE (`status` = 'past_due') != `late`").
		Bind(dbx.Params{"invoice": c.Invoice.ID, "least": billing.SmallestPayment(c.Invoice.Due.Currency()), "today": collections.Stamp(dueDay(now)).String()}).All(&rows)
	if err != nil {
		return fmt.Errorf("standing of subscriptions: %w", err)
	}
	for _, r := range rows {
		sub, err := tx.FindRecordById(collections.Subscriptions, r.ID)
		if err != nil {
			return fmt.Errorf("subscription %s: %w", r.ID, err)
		}
		status := billing.SubscriptionActive
		if r.Late {
			status = billing.SubscriptionPastDue
		}
		sub.Set("status", string(status))
		if err := collections.Update(tx, sub); err != nil {
			return fmt.Errorf("subscription %s: %w", r.ID, err)
		}
	}
	return nil
}
