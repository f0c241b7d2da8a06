package jobs

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
)

const (
	// paceLanes is how many jobs of a class run at the same time: at 20 a second the
	// vendor may take longer than a second for each.
	paceLanes = 32
	// slack is how much of a class's time can be made up when the machine was busy.
	// At 20 a second no second sees more than 25.
	slack = 250 * time.Millisecond
)

// class is work that comes in thousands, such as the charges of a month's end, or
// whose vendor may be slow. It has lanes of its own, so that however much of it
// waits, and however slow the vendor is, all other jobs go on as if it were not
// there.
type class struct {
	name  string
	rate  func() float64 // jobs that may begin in a second; nil is any number
	bell  chan struct{}
	lanes chan struct{}

	mu   sync.Mutex
	next time.Time // when the next job may begin
}

// Pace gives the jobs of a class lanes of their own, in which so many begin in a
// second. The rate is asked for each time; one that is not positive holds them.
// Register all classes before Start.
func (w *Worker) Pace(name string, rate func() float64) {
	w.addClass(name, paceLanes, rate)
}

// Apart gives the jobs of a class so many lanes of their own, which they share with
// nobody. Register all classes before Start.
func (w *Worker) Apart(name string, lanes int) { w.addClass(name, lanes, nil) }

func (w *Worker) addClass(name string, lanes int, rate func() float64) {
	w.classes = append(w.classes, &class{name: name, rate: rate, bell: make(chan struct{}, 1), lanes: make(chan struct{}, lanes)})
	w.app.Store().Set(wakeKey, w.bells())
}

// bells are what Wake rings.
func (w *Worker) bells() []chan struct{} {
	all := []chan struct{}{w.bell}
	for _, c := range w.classes {
		all = append(all, c.bell)
	}
	return all
}

// unpaced gives jobs whose class nobody paces any more to the other lanes.
func (w *Worker) unpaced() error {
	known := []any{""}
	for _, c := range w.classes {
		known = append(known, c.name)
	}
	_, err := w.app.DB().Update(collections.Jobs, dbx.Params{"class": ""}, dbx.And(dbx.NotIn("class", known...), dbx.NewExp("`state` != 'done'"))).Execute()
	return err
}

// reserve takes the class's next moment and says how long it is until then.
func (c *class) reserve(now time.Time) time.Duration {
	step := time.Duration(float64(time.Second) / c.rate())
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next.Before(now.Add(-slack)) || c.next.After(now.Add(step+slack)) { // long ago, or the clock was put back
		c.next = now.Add(-slack)
	}
	wait := c.next.Sub(now)
	c.next = c.next.Add(step)
	return max(wait, 0)
}

// leave gives a lane back and has the next job looked for: it may have waited for
// this one's serial.
func (c *class) leave() {
	<-c.lanes
	select {
	case c.bell <- struct{}{}:
	default:
	}
}

// pace begins the jobs of a class, each in a lane of its own, until ctx ends.
func (w *Worker) pace(ctx context.Context, c *class) {
	tick := time.NewTicker(lookup)
	defer tick.Stop()
	for {
		for w.begin(ctx, c) {
		}
		select {
		case <-ctx.Done():
			return
		case <-c.bell:
		case <-tick.C:
		}
	}
}

// waits reports whether a job of a class is due.
func (w *Worker) waits(ctx context.Context, class string) bool {
	found := 0
	err := w.app.ConcurrentDB().NewQuery("SELECT 1 FROM `jobs` WHERE `class` = {:class} AND " + due + " LIMIT 1").
		Bind(dbx.Params{"class": class, "now": collections.Stamp(w.now()).String()}).WithContext(ctx).Row(&found)
	if err != nil && ignoreNone(err) != nil {
		w.app.Logger().Error("Job queue cannot be read", slog.String("class", class), slog.Any("error", err))
	}
	return err == nil
}

// begin waits for a free lane and the class's next moment and begins the job that
// is due then. It reports false when there is none.
func (w *Worker) begin(ctx context.Context, c *class) bool {
	w.yield(ctx)
	if !w.waits(ctx, c.name) || c.rate != nil && c.rate() <= 0 {
		return false
	}
	select {
	case c.lanes <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	if c.rate != nil {
		select {
		case <-time.After(c.reserve(w.now())):
		case <-ctx.Done():
			<-c.lanes
			return false
		}
	}
	r, err := w.claim(ctx, "`class` = {:class} AND ", c.name)
	if err != nil {
		w.app.Logger().Error("Job queue cannot be read", slog.String("class", c.name), slog.Any("error", err))
	}
	if r == nil {
		<-c.lanes
		return false
	}
	w.done.Go(func() {
		defer c.leave()
		w.attempt(ctx, r)
	})
	return true
}
