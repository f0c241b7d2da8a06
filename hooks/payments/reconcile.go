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

const (
	jobReconcile = "payment.reconcile"
	// reconcileHour is when the nightly comparison begins, in UTC.
	reconcileHour = 2
	// reconcileWindow is what one round of the job compares.
	reconcileWindow = 24 * time.Hour
	// reconcileOverlap is compared again: debits and eChecks change for a week.
	reconcileOverlap = 7 * 24 * time.Hour
	// reconcileBack bounds how far back the first comparison goes.
	reconcileBack = 90 * 24 * time.Hour
	// reconcileBatch bounds how many movements are matched in one commit.
	reconcileBatch = 500
)

// ErrRunning says that a comparison with this gateway's book is under way.
var ErrRunning = errors.New("a comparison is under way")

// reconcileRun is a row of reconcile_runs.
type reconcileRun struct {
	ID      string `db:"id"`
	Gateway string `db:"gateway"`
	Status  string `db:"status"`
	From    string `db:"from_at"`
	Until   string `db:"until_at"`
	DoneTo  string `db:"done_until"`
	Seen    int64  `db:"seen"`
	Matched int64  `db:"matched"`
	Error   string `db:"error"`
	Started string `db:"started_at"`
	Ended   string `db:"ended_at"`
}

type runPayload struct {
	Run string `json:"run"`
}

// Reconcile begins the nightly comparison with each gateway's own book, once a
// day. It is a task of the schedule; the comparing itself is a job that goes on
// window by window, also after a crash.
func (s *Subject) Reconcile(ctx context.Context, app core.App, now time.Time) error {
	gateways, err := collections.All(app, collections.Gateways, dbx.HashExp{"kind": []any{"stripe", "paypal"}}, "position ASC")
	if err != nil {
		return err
	}
	if err := s.endStranded(app, now); err != nil {
		return err
	}
	due := time.Date(now.UTC().Year(), now.UTC().Month(), now.UTC().Day(), reconcileHour, 0, 0, 0, time.UTC)
	failed := []error{}
	for _, g := range gateways {
		if ctx.Err() != nil {
			break
		}
		kind := g.GetString("kind")
		last, err := lastRun(app, kind, "")
		if err != nil {
			return err
		}
		if started, err := collections.ParseStamp(last.Started); err != nil || now.Before(due) || !started.Before(due) {
			failed = append(failed, err)
			continue
		}
		err = s.beginReconcile(app, kind, audit.System, now)
		if errors.Is(err, ErrRunning) || errors.Is(err, billing.ErrNotConfigured) {
			err = nil
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// endStranded ends runs whose job somebody closed: nobody would go on with them,
// and none could begin beside them.
func (s *Subject) endStranded(app core.App, now time.Time) error {
	_, err := app.DB().NewQuery("UPDATE `reconcile_runs` SET `status` = 'failed', `error` = 'its job was closed', `ended_at` = {:now} WHERE `status` = 'running'" +
		" AND NOT EXISTS (SELECT 1 FROM `jobs` WHERE `key` = '" + jobReconcile + ":' || `gateway` || ':' || `reconcile_runs`.`id` AND `state` != 'done')").Bind(dbx.Params{"now": collections.Stamp(now).String()}).Execute()
	if err != nil {
		return fmt.Errorf("end stranded comparisons: %w", err)
	}
	return nil
}

// lastRun is the newest comparison with a gateway, of a status where one is given;
// the zero value when there was none.
func lastRun(app core.App, gateway, status string) (reconcileRun, error) {
	rows := []reconcileRun{}
	err := app.DB().NewQuery("SELECT `id`, `gateway`, `status`, `from_at`, `until_at`, `done_until`, `seen`, `matched`, `error`, `started_at`, `ended_at` FROM `reconcile_runs`" +
		" WHERE `gateway` = {:gateway} AND {:status} IN ('', `status`) ORDER BY `started_at` DESC, `rowid` DESC LIMIT 1").Bind(dbx.Params{"gateway": gateway, "status": status}).All(&rows)
	if err != nil {
		return reconcileRun{}, fmt.Errorf("last comparison with %s: %w", gateway, err)
	}
	if len(rows) == 0 {
		return reconcileRun{}, nil
	}
	return rows[0], nil
}

// beginReconcile begins a comparison, unless one is under way or there is nothing
// to compare. Errors: ErrRunning, billing.ErrNotConfigured.
func (s *Subject) beginReconcile(app core.App, kind, actor string, now time.Time) error {
	gateway, err := s.gateway(app, kind)
	if err != nil {
		return err
	}
	if _, able := gateway.(billing.TransactionLister); !able {
		return fmt.Errorf("gateway %s shows no book: %w", kind, billing.ErrNotConfigured)
	}
	from, err := reconcileFrom(app, kind, now)
	if err != nil || from.IsZero() {
		return err
	}
	return app.RunInTransaction(func(tx core.App) error {
		begin := collections.Stamp(from).String()
		id, fresh, err := collections.Row(tx, collections.ReconcileRuns, now, dbx.Params{
			"gateway": kind, "status": "running", "from_at": begin, "until_at": collections.Stamp(now).String(), "done_until": begin, "seen": 0, "matched": 0,
			"error": "", "started_at": collections.Stamp(now).String(), "ended_at": "", "actor": actor,
		})
		if err != nil {
			return err
		}
		if !fresh {
			return fmt.Errorf("gateway %s: %w", kind, ErrRunning)
		}
		_, err = jobs.Enqueue(tx, now, jobs.Job{Kind: jobReconcile, Key: jobReconcile + ":" + kind + ":" + id, Serial: jobReconcile + ":" + kind, Actor: actor, Payload: runPayload{id}})
		return err
	})
}

// reconcileFrom is where a comparison begins: where the last one ended, with an
// overlap, or at the first payment. It is zero where no payment is a day old.
func reconcileFrom(app core.App, kind string, now time.Time) (time.Time, error) {
	last, err := lastRun(app, kind, "done")
	if err != nil {
		return time.Time{}, err
	}
	if until, err := collections.ParseStamp(last.DoneTo); err != nil || !until.IsZero() {
		return until.Add(-reconcileOverlap), err
	}
	first := ""
	err = app.DB().NewQuery("SELECT IFNULL(MIN(`settled_at`), '') FROM `payment_transactions` WHERE `gateway` = {:kind} AND `status` = 'succeeded'").Bind(dbx.Params{"kind": kind}).Row(&first)
	if err != nil {
		return time.Time{}, fmt.Errorf("first payment by %s: %w", kind, err)
	}
	from, err := collections.ParseStamp(first)
	if err != nil || from.IsZero() || now.Sub(from) < reconcileWindow {
		return time.Time{}, err
	}
	if from = from.Add(-time.Hour); now.Sub(from) > reconcileBack {
		from = now.Add(-reconcileBack)
	}
	return from, nil
}

// reconcileJob compares one window of a run and asks for the next. A window that
// was cut off is compared again, which changes nothing.
func (s *Subject) reconcileJob(r *jobs.Run) error {
	p := runPayload{}
	if err := r.Payload(&p); err != nil {
		return err
	}
	run, err := findRun(r.App, p.Run)
	if err != nil || run.Status != "running" {
		return err
	}
	gateway, err := s.gateway(r.App, run.Gateway)
	if err != nil {
		return classed(err)
	}
	lister, able := gateway.(billing.TransactionLister)
	if !able {
		return classed(fmt.Errorf("gateway %s shows no book: %w", run.Gateway, billing.ErrGatewayRefused))
	}
	more, err := s.compareWindow(r.Context(), r.App, lister, run, r.Now())
	if err != nil {
		return classed(err)
	}
	if more {
		return jobs.Later(0)
	}
	if err := s.missingThere(r.Context(), r.App, gateway, run.ID, r.Now()); err != nil {
		return classed(err)
	}
	return s.endRun(r.App, run.ID, r.Now())
}

func findRun(app core.App, id string) (reconcileRun, error) {
	run := reconcileRun{}
	err := app.DB().NewQuery("SELECT `id`, `gateway`, `status`, `from_at`, `until_at`, `done_until`, `seen`, `matched`, `error`, `started_at`, `ended_at` FROM `reconcile_runs` WHERE `id` = {:id}").Bind(dbx.Params{"id": id}).One(&run)
	if err != nil {
		return run, fmt.Errorf("comparison %s: %w", id, err)
	}
	return run, nil
}

// compareWindow compares what the gateway's book has in the next window of a run,
// batch by batch, and reports whether there is more.
func (s *Subject) compareWindow(ctx context.Context, app core.App, lister billing.TransactionLister, run reconcileRun, now time.Time) (more bool, err error) {
	from, err := collections.ParseStamp(run.DoneTo)
	if err != nil {
		return false, err
	}
	until, err := collections.ParseStamp(run.Until)
	if err != nil || !from.Before(until) {
		return false, err
	}
	to := from.Add(reconcileWindow)
	if to.After(until) {
		to = until
	}
	batch, seen, matched := make([]billing.Transaction, 0, reconcileBatch), int64(0), int64(0)
	flush := func() error {
		fits := int64(0)
		err := app.RunInTransaction(func(tx core.App) error {
			fits = 0
			for _, t := range batch {
				ok, err := s.compare(tx, now, run.Gateway, t)
				if err != nil {
					return fmt.Errorf("movement %s: %w", t.ID, err)
				}
				if ok {
					fits++
				}
			}
			return nil
		})
		seen, matched, batch = seen+int64(len(batch)), matched+fits, batch[:0]
		return err
	}
	complete, err := lister.Transactions(ctx, from, to, func(t billing.Transaction) error {
		if batch = append(batch, t); len(batch) < reconcileBatch {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return false, fmt.Errorf("compare with %s from %s: %w", run.Gateway, from.Format(time.RFC3339), err)
	}
	if !complete.Before(to) {
		complete = to
	}
	if complete.Before(from) {
		complete = from
	}
	_, err = app.DB().NewQuery("UPDATE `reconcile_runs` SET `done_until` = {:to}, `seen` = `seen` + {:seen}, `matched` = `matched` + {:matched}, `updated` = {:now} WHERE `id` = {:id} AND `status` = 'running'").
		Bind(dbx.Params{"id": run.ID, "to": collections.Stamp(complete).String(), "seen": seen, "matched": matched, "now": collections.Stamp(now).String()}).Execute()
	if err != nil {
		return false, fmt.Errorf("comparison %s: %w", run.ID, err)
	}
	return !complete.Before(to) && to.Before(until), nil // what the gateway has not written yet is left to the next run
}

// endRun closes what has disappeared and then the run.
func (s *Subject) endRun(app core.App, id string, now time.Time) error {
	run, err := findRun(app, id)
	if err != nil {
		return err
	}
	if err := s.closeSettled(app, run.Gateway, now); err != nil {
		return err
	}
	_, err = app.DB().Update(collections.ReconcileRuns, dbx.Params{"status": "done", "error": "", "ended_at": collections.Stamp(now).String()}, dbx.HashExp{"id": id, "status": "running"}).Execute()
	if err != nil {
		return fmt.Errorf("comparison %s: %w", id, err)
	}
	return nil
}

// reconcileGivenUp ends a run whose job was given up, and tells staff. The next
// night begins where the last complete one ended.
func (s *Subject) reconcileGivenUp(tx core.App, r *jobs.Run, cause error) error {
	if r.Kind != jobReconcile {
		return nil
	}
	p := runPayload{}
	if err := r.Payload(&p); err != nil {
		return err
	}
	why := collections.Cut(cause.Error(), 900)
	_, err := tx.DB().Update(collections.ReconcileRuns, dbx.Params{"status": "failed", "error": why, "ended_at": collections.Stamp(r.Now()).String()}, dbx.HashExp{"id": p.Run, "status": "running"}).Execute()
	if err != nil {
		return fmt.Errorf("comparison %s: %w", p.Run, err)
	}
	run, err := findRun(tx, p.Run)
	if err != nil {
		return err
	}
	if err := s.Uncompared(tx, run.Gateway); err != nil {
		return err
	}
	return audit.Write(tx, r.Now(), audit.Entry{ActorKind: audit.System, Action: "reconcile.failed", Resource: collections.ReconcileRuns, ResourceID: p.Run, Changes: map[string]any{"why": why}})
}
