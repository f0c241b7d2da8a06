package payments

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/jobs"
)

// Why an attempt ended that never reached its gateway, beside the gateways' own
// classes of declines.
const (
	declineOutage = "outage" // the gateway could not be reached, or refused our key
	declineUnused = "unused" // the invoice changed before the call
)

// How many tries a charge has before its gateway counts as down: about a minute
// of failures, or a key that is refused twice.
const (
	triesDown = 6
	triesKey  = 2
)

// unreached handles a charge that brought no answer. A call that provably did
// nothing is tried again for a while and then given up, so that dunning can
// begin anew once the gateway is back; one whose outcome is open stays open.
func (s *Subject) unreached(r *jobs.Run, a *attempt, open bool, cause error) error {
	credentials := errors.Is(cause, billing.ErrGatewayCredentials) || errors.Is(cause, billing.ErrNotConfigured)
	switch {
	case open:
		return classed(cause)
	case errors.Is(cause, billing.ErrGatewayRefused): // the saved method is of no use, such as a card that was removed there
		return r.Complete(func(tx core.App) error {
			return end(tx, r.Now(), a, attemptFailed, string(billing.DeclineHard), cause.Error())
		})
	case !credentials && !errors.Is(cause, billing.ErrGatewayTemporary):
		return classed(cause)
	}
	if r.Attempt < triesDown && !credentials || r.Attempt < triesKey {
		return errors.Join(classed(cause), r.Outcome(nil))
	}
	return r.Complete(func(tx core.App) error {
		if err := down(tx, r.Now(), a.Gateway, cause); err != nil {
			return err
		}
		return end(tx, r.Now(), a, attemptCancelled, declineOutage, cause.Error())
	})
}

// end ends a live charge attempt of which the gateway knows nothing.
func end(tx core.App, now time.Time, a *attempt, status, decline, why string) error {
	_, err := tx.DB().Update(collections.PaymentTransactions,
		dbx.Params{"status": status, "decline": decline, "reason": collections.Cut(why, 200), "updated": collections.Stamp(now).String()},
		dbx.HashExp{"id": a.ID, "status": live}).Execute()
	if err != nil {
		return fmt.Errorf("payment attempt %s: %w", a.ID, err)
	}
	return wake(tx, now, a.Invoice)
}

// down notes that a gateway does not work: nobody is charged by it, and nothing
// is suspended for want of it, until it works again.
func down(tx core.App, now time.Time, gateway string, cause error) error {
	why := collections.Cut(cause.Error(), 300)
	res, err := collections.Statement(tx, "UPDATE `gateways` SET `down_since` = {:now}, `health_note` = {:why} WHERE `kind` = {:kind} AND `recovered_at` >= `down_since`").
		Bind(dbx.Params{"kind": gateway, "now": collections.Stamp(now).String(), "why": why}).Execute()
	if err != nil {
		return fmt.Errorf("gateway %s is down: %w", gateway, err)
	}
	return changedHealth(tx, now, res, gateway, "gateway.down", why)
}

// recovered notes that a gateway works.
func recovered(tx core.App, now time.Time, gateway string) error {
	res, err := collections.Statement(tx, "UPDATE `gateways` SET `recovered_at` = {:now}, `health_note` = '' WHERE `kind` = {:kind} AND `recovered_at` < `down_since`").
		Bind(dbx.Params{"kind": gateway, "now": collections.Stamp(now).String()}).Execute()
	if err != nil {
		return fmt.Errorf("gateway %s is back: %w", gateway, err)
	}
	return changedHealth(tx, now, res, gateway, "gateway.recovered", "")
}

// changedHealth tells staff, if anything changed.
func changedHealth(tx core.App, now time.Time, res interface{ RowsAffected() (int64, error) }, gateway, action, why string) error {
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return audit.Write(tx, now, audit.Entry{ActorKind: audit.System, Action: action, Resource: collections.Gateways, ResourceID: gateway, Changes: map[string]any{"gateway": gateway, "why": why}})
}

// Probe asks each gateway whether it works: one that was down is back as soon as
// it answers, and one that fails twice in a row is down, even while nobody is
// charged. It is a task of the schedule.
func (s *Subject) Probe(ctx context.Context, app core.App, now time.Time) error {
	enabled, err := collections.All(app, collections.Gateways, dbx.HashExp{"enabled": true}, "position ASC")
	if err != nil {
		return err
	}
	failed := []error{}
	for _, g := range enabled {
		if kind := g.GetString("kind"); kind != Manual && ctx.Err() == nil {
			failed = append(failed, s.probe(ctx, app, now, g))
		}
	}
	return errors.Join(failed...)
}

func (s *Subject) probe(ctx context.Context, app core.App, now time.Time, record *core.Record) error {
	kind := record.GetString("kind")
	gateway, err := s.gateway(app, kind)
	if err == nil {
		err = gateway.Check(ctx)
	}
	isDown := record.GetDateTime("recovered_at").Before(record.GetDateTime("down_since"))
	lost := errors.Is(err, billing.ErrGatewayTemporary) || errors.Is(err, billing.ErrOutcomeUnknown)
	s.mu.Lock()
	if lost {
		s.misses[kind]++
	} else {
		s.misses[kind] = 0
	}
	often := s.misses[kind] >= 2
	s.mu.Unlock()
	switch {
	case isDown && err == nil:
		return app.RunInTransaction(func(tx core.App) error { return recovered(tx, now, kind) })
	case !isDown && often:
		return app.RunInTransaction(func(tx core.App) error { return down(tx, now, kind, err) })
	}
	return nil // a key that may not read its balance may still charge
}
