package testapp

import (
	"sync/atomic"
	"time"

	"github.com/ezscale/ezscale/hooks/jobs"
)

// Clock is the time of product and vendors: it runs like the real one, and a
// test can put it forward. Safe for concurrent use.
type Clock struct {
	ahead atomic.Int64
	moved func()
}

// Now is the present moment on this clock.
func (c *Clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())).Round(0) }

// Advance puts the clock forward and wakes who waits for a moment to come.
func (c *Clock) Advance(d time.Duration) {
	c.ahead.Add(int64(d))
	if c.moved != nil {
		c.moved()
	}
}

// ToNoon puts the clock forward to the next noon, for what has to happen on one
// and the same day.
func (c *Clock) ToNoon() {
	now := c.Now().UTC()
	noon := time.Date(now.Year(), now.Month(), now.Day(), 12, 0, 0, 0, time.UTC)
	if !noon.After(now) {
		noon = noon.AddDate(0, 0, 1)
	}
	c.Advance(noon.Sub(now))
}

// Clock is the one clock of product and vendors.
func (a *App) Clock() *Clock { return a.clock }

// Wake makes the job worker look for due work at once.
func (a *App) Wake() { jobs.Wake(a.App) }

// patience is how long Eventually waits in real time.
const patience = 20 * time.Second

// Eventually waits until cond holds and fails the test when it does not come
// true. Meanwhile the clock runs fast, so that pauses of the product pass
// quickly: 250 ms for each 10 ms, unless the app is Steady.
func (a *App) Eventually(what string, cond func() bool) {
	a.Helper()
	if !a.Within(patience, cond) {
		a.Fatalf("did not happen: %s\n%s", what, a.Describe())
	}
}

// Hold keeps the clock from moving by itself while Eventually waits, from now on;
// an app that is Steady has it so from the start.
func (a *App) Hold() { a.options.drift = 0 }

// Within is Eventually with a limit in real time; it reports instead of failing.
func (a *App) Within(limit time.Duration, cond func() bool) bool {
	for end := time.Now().Add(limit); ; {
		if cond() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
		if a.options.drift == 0 { // nobody waits for the clock
			time.Sleep(3 * time.Millisecond)
			continue
		}
		time.Sleep(10 * time.Millisecond)
		a.clock.Advance(a.options.drift)
	}
}

// RunTasks runs every task of the schedule once: in tests none runs by itself.
func (a *App) RunTasks() {
	a.Helper()
	if err := a.tasks.RunAll(a.Context()); err != nil {
		a.Fatalf("tasks: %v", err)
	}
}

// RunTask does what is due of one task.
func (a *App) RunTask(name string) {
	a.Helper()
	if err := a.tasks.Run(a.Context(), name); err != nil {
		a.Fatalf("task %s: %v", name, err)
	}
}

// Pass lets days pass, one after the other, with all that is due on each.
func (a *App) Pass(days int) {
	a.Helper()
	for range days {
		a.clock.Advance(24 * time.Hour)
		a.Settle()
	}
}

// Settle runs the tasks until nothing more is due now: what they caused has
// happened, and what that caused.
func (a *App) Settle() {
	a.Helper()
	for range 10 {
		a.RunTasks()
		a.Quiet()
		if a.Count("invoices", "`status` IN ('open', 'uncollectible') AND `next_step_at` != '' AND `next_step_at` <= '"+stamp(a.clock.Now())+"'") == 0 {
			return
		}
	}
}

// Quiet waits until the gateways have delivered their webhooks, they are processed, and
// no job is due or running, so that nothing more happens by itself. A clock that does
// not run by itself jumps to the jobs that are due shortly.
func (a *App) Quiet() {
	a.Helper()
	calm := 0
	a.Eventually("product and vendors come to rest", func() bool {
		now := a.clock.Now()
		busy := a.queued() + a.Count("webhook_events", "`status` = 'new'") + a.Count("jobs", "`state` = 'running' OR `state` = 'queued' AND `next_at` <= '"+stamp(now)+"'")
		soon := a.Count("jobs", "`state` = 'queued' AND `next_at` > '"+stamp(now)+"' AND `next_at` <= '"+stamp(now.Add(30*time.Second))+"'")
		if busy+soon > 0 {
			calm = 0
			if busy == 0 && a.options.drift == 0 {
				a.clock.Advance(time.Second)
			}
			return false
		}
		calm++
		return calm >= 3
	})
}

// queued is how many webhooks are on their way.
func (a *App) queued() int {
	n := a.Stripe.Snapshot().Queued
	if a.PayPal != nil {
		n += a.PayPal.Snapshot().Queued
	}
	return n
}
