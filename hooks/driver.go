package hooks

import (
	"context"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/hooks/op"
	"github.com/ezscale/ezscale/hooks/payments"
	"github.com/ezscale/ezscale/hooks/schedule"
)

// Driver does by hand what otherwise runs by itself beside the requests. A
// simulation thereby decides what happens when, one thing after the other in one
// goroutine, and the same decisions give the same books. Give one to Register,
// one for each app.
type Driver struct {
	// Jitter spreads the retries of jobs; it returns values in [0, 1).
	Jitter func() float64

	app    core.App
	worker *jobs.Worker
	pay    *payments.Subject
	timed  *schedule.Schedule
}

// take binds the operations and hands queue, inbox and tasks over.
func (d *Driver) take(app core.App, table *op.Table, worker *jobs.Worker, pay *payments.Subject, timed *schedule.Schedule) {
	d.app, d.worker, d.pay, d.timed = app, worker, pay, timed
	worker.SpreadBy(d.Jitter)
	app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{Id: "ezscaleDriver", Func: func(e *core.ServeEvent) error {
		table.Bind(e)
		if err := e.Next(); err != nil {
			return err
		}
		return worker.Release()
	}})
}

// Step does the next thing that is due now, money first, and reports whether
// there was any.
func (d *Driver) Step(ctx context.Context) (worked bool, err error) {
	if d.pay.Busy() && d.pay.Settle(d.app) {
		return true, nil
	}
	worked, err = d.worker.Once(ctx)
	if worked || err != nil {
		return worked, err
	}
	return d.pay.Settle(d.app), nil // it looks by itself, too
}

// Tasks runs every task of the schedule once; each does all that is due now.
func (d *Driver) Tasks(ctx context.Context) error { return d.timed.RunAll(ctx) }

// Task runs one task of the schedule now.
func (d *Driver) Task(ctx context.Context, name string) error { return d.timed.Run(ctx, name) }
