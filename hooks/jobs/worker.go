package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/provisioning"
)

const (
	lanes    = 8                // jobs at the same time
	lease    = 10 * time.Minute // longest a job may hold its row
	deadline = 3 * time.Minute  // longest a job may take
	lookup   = time.Second      // how often the worker looks by itself
	patience = 2 * time.Second  // longest it leaves the writer to others
	pause    = 10 * time.Millisecond
)

type runContext = context.Context

// Context ends when the worker stops or the job took too long.
func (r *Run) Context() context.Context { return r.ctx }

// Worker runs jobs. Register all kinds before Start.
type Worker struct {
	app      core.App
	now      func() time.Time
	handlers map[string]Handler
	failed   []GivenUp
	urgent   func() bool
	jitter   func() float64
	again    func(ctx context.Context, app core.App, err error) bool
	owner    string
	bell     chan struct{}
	classes  []*class
	stop     context.CancelFunc
	done     sync.WaitGroup
}

// NewWorker makes a worker that has not started.
func NewWorker(app core.App, now func() time.Time) *Worker {
	w := &Worker{app: app, now: now, handlers: map[string]Handler{}, jitter: rand.Float64, owner: core.GenerateDefaultRandomId(), bell: make(chan struct{}, lanes)}
	app.Store().Set(wakeKey, w.bells())
	return w
}

// Handle registers the handler of a kind. It panics on a second one.
func (w *Worker) Handle(kind string, h Handler) {
	if _, taken := w.handlers[kind]; taken {
		panic("jobs: kind " + kind + " has two handlers")
	}
	w.handlers[kind] = h
}

// GivenUp follows a job that is given up or parked, in the transaction that
// says so.
type GivenUp func(tx core.App, r *Run, cause error) error

// OnGivenUp registers what happens when a job is given up or parked.
func (w *Worker) OnGivenUp(f GivenUp) {
	w.failed = append(w.failed, f)
}

// YieldTo makes the worker leave the database's one writer to more urgent work
// for as long as urgent reports some, but never longer than patience at a time.
func (w *Worker) YieldTo(urgent func() bool) { w.urgent = urgent }

// SpreadBy sets where the worker draws from, in [0, 1), to spread the retries of
// many jobs; a simulation draws from its seed.
func (w *Worker) SpreadBy(draw func() float64) { w.jitter = draw }

// OnceMore sets what is asked about an error before it counts: true says that its
// cause is gone, and the job is done once more at once.
func (w *Worker) OnceMore(again func(ctx context.Context, app core.App, err error) bool) {
	w.again = again
}

// yield waits while there is more urgent work.
func (w *Worker) yield(ctx context.Context) {
	for waited := time.Duration(0); w.urgent != nil && waited < patience && w.urgent() && ctx.Err() == nil; waited += pause {
		time.Sleep(pause)
	}
}

// Release frees what an earlier process held. The caller guarantees that no
// other process works on this database.
func (w *Worker) Release() error {
	_, err := w.app.DB().Update(collections.Jobs, dbx.Params{"state": Queued, "lease_until": "", "lease_owner": ""},
		dbx.HashExp{"state": Running}).Execute()
	if err != nil {
		return fmt.Errorf("release jobs of an earlier process: %w", err)
	}
	return nil
}

// Start releases what an earlier process held and begins to work.
func (w *Worker) Start() error {
	if err := w.Release(); err != nil {
		return err
	}
	if err := w.unpaced(); err != nil {
		return fmt.Errorf("jobs of a class that is no more: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	for _, c := range w.classes {
		w.done.Go(func() { w.pace(ctx, c) })
	}
	for range lanes {
		w.done.Add(1)
		go func() {
			defer w.done.Done()
			w.loop(ctx)
		}()
	}
	return nil
}

// Stop ends the worker and waits for jobs in flight: their calls are cancelled,
// their rows stay leased or queued, and the next start goes on from there.
func (w *Worker) Stop() {
	if w.stop != nil {
		w.stop()
		w.done.Wait()
	}
}

func (w *Worker) loop(ctx context.Context) {
	tick := time.NewTicker(lookup)
	defer tick.Stop()
	for {
		for ctx.Err() == nil {
			w.yield(ctx)
			worked, err := w.once(ctx, "`class` = '' AND ")
			if err != nil {
				w.app.Logger().Error("Job queue cannot be read", slog.Any("error", err))
			}
			if !worked || err != nil {
				break
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-w.bell:
		case <-tick.C:
		}
	}
}

// Once claims and runs one due job of whatever class, at no pace; worked is false
// when none is due. It is for those who work the queue by hand.
func (w *Worker) Once(ctx context.Context) (worked bool, err error) { return w.once(ctx, "") }

func (w *Worker) once(ctx context.Context, of string) (worked bool, err error) {
	r, err := w.claim(ctx, of, "")
	if err != nil || r == nil {
		return false, err
	}
	w.attempt(ctx, r)
	return true, nil
}

// attempt runs a claimed job and writes down how it ended.
func (w *Worker) attempt(ctx context.Context, r *Run) {
	err := w.run(ctx, r)
	if err != nil && ctx.Err() != nil {
		err = errStopping
	}
	w.finish(r, err)
}

// errStopping ends an attempt that the worker's own end cut off. It is nobody's
// failure: the next start goes on, and looks first where an outcome is open.
var errStopping = errors.New("the worker is stopping")

type row struct {
	ID       string `db:"id"`
	Kind     string `db:"kind"`
	Key      string `db:"key"`
	User     string `db:"user"`
	Service  string `db:"service"`
	Actor    string `db:"actor"`
	Payload  string `db:"payload"`
	Attempts int    `db:"attempts"`
	InFlight bool   `db:"in_flight"`
	QueuedAt string `db:"queued_at"`
}

const due = "`state` = 'queued' AND `next_at` <= {:now}"

// claim leases the longest waiting due job whose serial is free: nobody with
// the same serial runs, or left an outcome open. Of is a condition on its class.
func (w *Worker) claim(ctx context.Context, of, class string) (*Run, error) {
	now := w.now()
	at := collections.Stamp(now).String()
	waiting := 0
	if err := w.app.ConcurrentDB().NewQuery("SELECT 1 FROM `jobs` WHERE " + of + due + " LIMIT 1").
		Bind(dbx.Params{"now": at, "class": class}).WithContext(ctx).Row(&waiting); err != nil {
		return nil, ignoreNone(err) // reading costs no writer
	}
	found := row{}
	err := w.app.NonconcurrentDB().NewQuery("UPDATE `jobs` SET `state` = 'running', `attempts` = `attempts` + 1, `lease_owner` = {:owner}, `lease_until` = {:until}, `updated` = {:now}" +
		" WHERE `id` = (SELECT `id` FROM `jobs` AS `j` WHERE " + of + due + " AND (`serial` = '' OR NOT EXISTS" +
		" (SELECT 1 FROM `jobs` AS `o` WHERE `o`.`serial` = `j`.`serial` AND `o`.`state` IN ('running', 'queued') AND `o`.`id` != `j`.`id` AND (`o`.`state` = 'running' OR (`o`.`state` = 'queued' AND `o`.`in_flight`))))" +
		" ORDER BY `next_at`, `rowid` LIMIT 1)" +
		" RETURNING `id`, `kind`, `key`, `user`, `service`, `actor`, `payload`, `attempts`, `in_flight`, `queued_at`").
		Bind(dbx.Params{"owner": w.owner, "until": collections.Stamp(now.Add(lease)).String(), "now": at, "class": class}).
		WithContext(ctx).One(&found)
	if err != nil {
		return nil, ignoreNone(err)
	}
	queued, _ := time.Parse("2006-01-02 15:04:05.000Z", found.QueuedAt)
	return &Run{
		App: w.app, ID: found.ID, Kind: found.Kind, Key: found.Key, User: found.User, Service: found.Service, Actor: found.Actor,
		Attempt: found.Attempts, InFlight: found.InFlight, Queued: queued, payload: found.Payload, now: w.now,
	}, nil
}

func ignoreNone(err error) error {
	if errors.Is(err, sql.ErrNoRows) || errors.Is(err, context.Canceled) {
		return nil
	}
	return fmt.Errorf("claim a job: %w", err)
}

// run calls the handler and turns a panic into an error of unknown outcome.
func (w *Worker) run(ctx context.Context, r *Run) (err error) {
	h, ok := w.handlers[r.Kind]
	if !ok {
		return fmt.Errorf("no handler for jobs of kind %q: %w", r.Kind, provisioning.ErrPermanent)
	}
	defer func() {
		if p := recover(); p != nil {
			w.app.Logger().Error("Job panicked", slog.String("job", r.Key), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			err = fmt.Errorf("job %s panicked: %w", r.Key, provisioning.ErrOutcomeUnknown)
		}
	}()
	limited, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	r.ctx = limited
	if err = h(r); err != nil && w.again != nil && w.again(limited, w.app, err) {
		err = h(r)
	}
	return err
}

// finish writes down how the attempt ended.
func (w *Worker) finish(r *Run, cause error) {
	if r.completed {
		return
	}
	now := w.now()
	next := dbx.Params{"lease_until": "", "lease_owner": "", "updated": collections.Stamp(now).String()}
	var later LaterError
	givenUp := false
	switch {
	case cause == nil:
		next = done(now)
	case errors.Is(cause, errStopping):
		next["state"], next["attempts"], next["next_at"] = Queued, r.Attempt-1, collections.Stamp(now).String()
	case errors.As(cause, &later):
		next["state"], next["attempts"], next["next_at"] = Queued, 0, collections.Stamp(now.Add(later.After)).String()
	case errors.Is(cause, provisioning.ErrStaff):
		next["state"], next["error"], givenUp = Parked, short(cause), true
	default:
		class := provisioning.Classify(cause)
		next["error"], next["error_class"] = short(cause), string(class)
		wait, again := provisioning.Retry(class, r.Attempt, w.jitter())
		if held, is := provisioning.Held(cause); is { // nothing was sent: it counts as no attempt
			wait, again, next["attempts"] = spread(held, w.jitter()), true, r.Attempt-1
		}
		if again {
			next["state"], next["next_at"] = Queued, collections.Stamp(now.Add(wait)).String()
		} else {
			next["state"], givenUp = Failed, true
		}
		w.app.Logger().Warn("Job failed", slog.String("job", r.Key), slog.Int("attempt", r.Attempt), slog.String("class", string(class)), slog.Bool("again", again), slog.String("error", short(cause)))
	}
	if err := w.save(r, next, givenUp, cause); err != nil {
		w.app.Logger().Error("Outcome of a job could not be saved", slog.String("job", r.Key), slog.Any("error", err))
	}
}

// spread lets jobs that were held back until one time come one after the other.
func spread(held time.Duration, jitter float64) time.Duration {
	return max(held, time.Second) + time.Duration(jitter*float64(max(held/2, time.Second)))
}

// save stores how an attempt ended, together with what follows a job that is
// given up. The job's own state is saved even if what follows fails.
func (w *Worker) save(r *Run, next dbx.Params, givenUp bool, cause error) error {
	update := func(app core.App) error {
		_, err := app.DB().Update(collections.Jobs, next, dbx.HashExp{"id": r.ID, "lease_owner": w.owner}).Execute()
		return err
	}
	if !givenUp {
		return update(w.app)
	}
	err := w.app.RunInTransaction(func(tx core.App) error {
		for _, f := range w.failed {
			if err := f(tx, r, cause); err != nil {
				return err
			}
		}
		return update(tx)
	})
	if err == nil {
		return nil
	}
	return errors.Join(fmt.Errorf("report that the job is given up: %w", err), update(w.app))
}

// short cuts an error to what the column holds.
func short(err error) string {
	s := []rune(err.Error())
	if len(s) > 900 {
		s = append(s[:900], '…')
	}
	return string(s)
}
