package dunning

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/dunning"
	"github.com/ezscale/ezscale/hooks/audit"
)

const (
	batch = 200 // invoices that are listed at once; each is a transaction of its own
	// again is when to look again at an invoice that could not be looked at, or
	// whose open payment page could not be closed.
	again = 15 * time.Minute
	// rounds bounds how often one look acts and asks what is next.
	rounds = 6
	// recheck is how long an overdue invoice goes without a look, so that the loss
	// of an event mends by itself.
	recheck = 24 * time.Hour
	// settled is the same for an invoice that can have no more consequences: its
	// services have ended, and what is left to do is up to staff.
	settled = 30 * recheck
)

// Run looks at every invoice whose time has come and carries out what it needs.
// It is a task of the schedule and makes up what was missed. Running it often,
// late, or several times at once does the same as running it once. What fails
// for one invoice is noted on it and does not keep the others waiting.
func (s *Subject) Run(ctx context.Context, app core.App, now time.Time) error {
	seen := map[string]bool{}
	for ctx.Err() == nil {
		ids := []string{}
		err := app.DB().NewQuery("SELECT `id` FROM `invoices` WHERE `status` IN ('open', 'uncollectible') AND `next_step_at` != '' AND `next_step_at` <= {:now} ORDER BY `next_step_at` LIMIT {:limit}").
			Bind(dbx.Params{"now": collections.Stamp(now).String(), "limit": batch}).Column(&ids)
		if err != nil {
			return fmt.Errorf("invoices to collect: %w", err)
		}
		fresh := false
		for _, id := range ids {
			if seen[id] || ctx.Err() != nil {
				continue
			}
			seen[id], fresh = true, true
			if err := s.collect(ctx, app, id, now); err != nil {
				s.failed(app, id, now, err)
			}
		}
		if !fresh {
			return s.restoreOrphans(ctx, app, now)
		}
	}
	return nil
}

// restoreOrphans gives back what is suspended though no overdue invoice bills it
// any more, which happens when an event gets lost.
func (s *Subject) restoreOrphans(ctx context.Context, app core.App, now time.Time) error {
	ids, err := orphans(app, "", now)
	if err != nil {
		return err
	}
	failed := []error{}
	for _, id := range ids {
		if ctx.Err() != nil {
			break
		}
		failed = append(failed, app.RunInTransaction(func(tx core.App) error { return s.restore(tx, id, now) }))
	}
	return errors.Join(failed...)
}

// orphans are the subscriptions, of one invoice or of all, that are suspended though
// no overdue invoice bills them. An invoice that is not due yet is no reason.
func orphans(app core.App, invoice string, now time.Time) ([]string, error) {
	of, params := "", dbx.Params{"today": collections.Stamp(dueDay(now)).String()}
	if invoice != "" {
		of, params["invoice"] = " AND `id` IN (SELECT `subscription` FROM `invoice_items` WHERE `invoice` = {:invoice})", invoice
	}
	ids := []string{}
	err := app.DB().NewQuery("SELECT `id` FROM `subscriptions` `u` WHERE `access` = 'suspended' AND `access_reason` = 'overdue'" + of + " AND NOT EXISTS (SELECT 1 FROM `invoice_items` `l` CROSS JOIN `invoices` `i` ON `i`.`id` = `l`.`invoice`" +
		" WHERE `l`.`subscription` = `u`.`id` AND " + bills + " AND (`i`.`status` = 'open' AND `i`.`due_at` < {:today} OR `i`.`status` = 'uncollectible')) ORDER BY `rowid`").
		Bind(params).Column(&ids)
	if err != nil {
		return nil, fmt.Errorf("suspended without an invoice: %w", err)
	}
	return ids, nil
}

func (s *Subject) restore(tx core.App, subscription string, now time.Time) error {
	if err := s.setAccess(tx, subscription, dunning.AccessOpen, now); err != nil {
		return err
	}
	return audit.Write(tx, now, audit.Entry{
		ActorKind: audit.System, Action: "dunning.unsuspend", Resource: collections.Subscriptions, ResourceID: subscription,
		Changes: map[string]any{"subscriptions": []string{subscription}, "why": "no overdue invoice bills it"},
	})
}

// collect looks at one invoice. A payment page that is open in the way of a
// charge is closed first, outside of any transaction, and settled if it was paid
// meanwhile; then everything is read again.
func (s *Subject) collect(ctx context.Context, app core.App, id string, now time.Time) error {
	blocked, err := s.lookIn(app, id, now)
	if err != nil || !blocked {
		return err
	}
	invoice, err := app.FindRecordById(collections.Invoices, id)
	if err != nil {
		return fmt.Errorf("invoice %s: %w", id, err)
	}
	closed, err := s.Close(ctx, app, invoice)
	if errors.Is(err, billing.ErrGatewayTemporary) || errors.Is(err, billing.ErrOutcomeUnknown) {
		return nil // the look has said when to try again
	}
	if err != nil || !closed {
		return err
	}
	_, err = s.lookIn(app, id, now)
	return err
}

func (s *Subject) lookIn(app core.App, id string, now time.Time) (blocked bool, err error) {
	err = app.RunInTransaction(func(tx core.App) error {
		blocked, err = s.look(tx, id, now)
		return err
	})
	return blocked, err
}

// failed notes why an invoice could not be looked at.
func (s *Subject) failed(app core.App, id string, now time.Time, cause error) {
	app.Logger().Error("Invoice cannot be collected", slog.String("invoice", id), slog.Any("error", cause))
	_, err := app.DB().Update(collections.Invoices, dbx.Params{"next_step_at": collections.Stamp(now.Add(again)).String(), "step_error": collections.Cut(cause.Error(), 500)}, dbx.HashExp{"id": id}).Execute()
	if err != nil {
		app.Logger().Error("Failure of an invoice cannot be noted", slog.String("invoice", id), slog.Any("error", err))
	}
}

// look carries out what an invoice needs at now and notes when to look next, in
// the transaction of tx. blocked says that an open payment page keeps a charge
// from being made.
func (s *Subject) look(tx core.App, id string, now time.Time) (blocked bool, err error) {
	for range rounds {
		c, err := Load(tx, id, now)
		if err != nil {
			return false, err
		}
		steps, next := dunning.Next(c.Policy, c.Facts, now)
		did, waits, err := s.takeAll(tx, c, steps, now)
		if err != nil {
			return false, err
		}
		blocked = waits
		if did {
			continue
		}
		if blocked {
			next = now.Add(again)
		}
		if err := standing(tx, c, now); err != nil {
			return false, err
		}
		return blocked, c.sleep(tx, next, now)
	}
	return false, fmt.Errorf("invoice %s still has steps due after %d rounds", id, rounds)
}

// takeAll carries out the steps that are due, and tells of payments that failed.
func (s *Subject) takeAll(tx core.App, c *Case, steps []dunning.Step, now time.Time) (did, blocked bool, err error) {
	for _, step := range steps {
		done, err := s.take(tx, c, step, now)
		if err != nil {
			return did, blocked, fmt.Errorf("%s %d: %w", step.Kind, step.N, err)
		}
		did = did || done
		blocked = blocked || !done && step.Kind == dunning.Charge
	}
	told, err := s.tellFailures(tx, c, now)
	return did || told, blocked, err
}

// sleep notes when to look at the invoice next.
func (c *Case) sleep(tx core.App, next, now time.Time) error {
	latest := now.Add(recheck)
	if next.IsZero() && len(c.Facts.Services) > 0 && !c.alive() {
		latest = now.Add(settled)
	}
	if overdueFrom := dueDay(c.Invoice.DueAt).AddDate(0, 0, 1); latest.Before(overdueFrom) {
		latest = overdueFrom
	}
	if next.IsZero() || next.After(latest) {
		next = latest
	}
	if c.Invoice.Status != billing.InvoiceOpen && (c.Invoice.Status != billing.InvoiceUncollectible || !c.alive()) {
		next = time.Time{}
	}
	_, err := collections.Statement(tx, "UPDATE `invoices` SET `next_step_at` = {:next}, `step_error` = '' WHERE `id` = {:id}").
		Bind(dbx.Params{"id": c.Invoice.ID, "next": collections.Stamp(next).String()}).Execute()
	if err != nil {
		return fmt.Errorf("next look at invoice %s: %w", c.Invoice.Number, err)
	}
	return nil
}

// alive says whether the invoice can still have consequences for a service.
func (c *Case) alive() bool {
	for _, service := range c.Facts.Services {
		if service.Access != dunning.AccessEnded {
			return true
		}
	}
	return false
}

// dueDay is the UTC day of a due date: what is due on a day is overdue from the
// next one on.
func dueDay(t time.Time) time.Time {
	y, m, d := t.UTC().Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
