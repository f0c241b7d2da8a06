package panel

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
)

// How a circuit breaker works: it opens after trips failures in a row within window,
// stays open for firstPause and twice as long after each probe that fails, up to
// lastPause. A probe that never ends makes room for another after probeTime.
const (
	trips      = 5
	window     = 10 * time.Minute
	firstPause = 30 * time.Second
	lastPause  = 10 * time.Minute
	probeTime  = 3 * time.Minute
	// whileProbed is how long others wait while one call looks.
	whileProbed = 5 * time.Second
	// mostPatient is the longest that a call waits for its turn by itself.
	mostPatient = 2 * time.Second
)

// Guard stands in front of all calls to one panel: a circuit breaker, so that one that
// does not answer is left alone, and a token bucket, so that one that answers is not
// overrun. It is safe for concurrent use.
type Guard struct {
	now func() time.Time

	mu       sync.Mutex
	state    provisioning.CircuitState
	since    time.Time
	failures int
	begun    time.Time // of the failures in a row
	until    time.Time // while open: when it may be probed
	pause    time.Duration
	probe    time.Time // when the running probe began; zero where there is none
	problem  string
	answered time.Time

	rate, most, tokens float64
	filled             time.Time
}

// NewGuard starts closed, without a limit.
func NewGuard(now func() time.Time) *Guard {
	return &Guard{now: now, state: provisioning.CircuitClosed}
}

// Pace bounds how many calls are made; see provisioning.Pacer.
func (g *Guard) Pace(perSecond, burst int) {
	if burst == 0 {
		burst = perSecond
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.rate == float64(perSecond) && g.most == float64(burst) {
		return
	}
	g.rate, g.most, g.tokens, g.filled = float64(perSecond), float64(burst), float64(burst), g.now()
}

// Health is how the panel is.
func (g *Guard) Health() provisioning.Health {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := provisioning.Health{State: g.state, Failures: g.failures, Since: g.since, Problem: g.problem, Answered: g.answered}
	if h.State == provisioning.CircuitOpen {
		if h.Rests = max(g.until.Sub(g.now()), 0); h.Rests == 0 {
			h.State = provisioning.CircuitHalfOpen // the next call looks
		}
	}
	return h
}

type anyway struct{}

// Anyway makes the calls of ctx although a circuit breaker is open: somebody wants to
// know how the panel is right now. An answer closes it.
func Anyway(ctx context.Context) context.Context { return context.WithValue(ctx, anyway{}, true) }

// turn waits until a call is due by the pace. It is not positive where the call may be
// made, and otherwise how long its turn is away.
func (g *Guard) turn(ctx context.Context) time.Duration {
	wait, mine := g.reserve()
	if wait <= 0 || !mine {
		return wait
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return 0
	case <-ctx.Done():
		return wait
	}
}

// reserve takes a token, also one that is not there yet if it comes soon.
func (g *Guard) reserve() (wait time.Duration, mine bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.rate == 0 {
		return 0, true
	}
	now := g.now()
	g.tokens = min(g.tokens+now.Sub(g.filled).Seconds()*g.rate, g.most)
	g.filled = now
	if g.tokens < 1 {
		wait = time.Duration((1 - g.tokens) / g.rate * float64(time.Second))
	}
	if mine = wait <= mostPatient; mine {
		g.tokens--
	}
	return wait, mine
}

// rests is how long no call is made; it is 0 where one may look.
func (g *Guard) rests() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.resting(g.now())
}

func (g *Guard) resting(now time.Time) time.Duration {
	switch {
	case g.state == provisioning.CircuitClosed:
		return 0
	case now.Before(g.until):
		return g.until.Sub(now)
	case !g.probe.IsZero() && now.Sub(g.probe) < probeTime:
		return whileProbed
	}
	return 0
}

// enter lets a call through, or says how long none is. The first one after a pause is
// the probe: until it has ended, no other one is made.
func (g *Guard) enter(ctx context.Context) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	if wait := g.resting(now); wait > 0 && ctx.Value(anyway{}) == nil {
		return wait
	}
	if g.state == provisioning.CircuitOpen {
		g.probe = now
	}
	return 0
}

// outcome notes how a call ended.
func (g *Guard) outcome(of verdict, problem string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	probing := !g.probe.IsZero()
	g.probe = time.Time{}
	switch of {
	case saidNothing:
		return
	case answered:
		if g.answered = now; g.state != provisioning.CircuitClosed {
			g.state, g.since = provisioning.CircuitClosed, now
		}
		g.failures, g.pause, g.problem = 0, 0, ""
		return
	case failed:
	}
	g.problem = problem
	if g.failures == 0 || now.Sub(g.begun) > window {
		g.failures, g.begun = 0, now
	}
	g.failures++
	switch {
	case g.state == provisioning.CircuitOpen && probing:
		g.pause = min(2*g.pause, lastPause)
		g.until = now.Add(g.pause)
	case g.state == provisioning.CircuitClosed && g.failures >= trips:
		g.state, g.since, g.pause = provisioning.CircuitOpen, now, firstPause
		g.until = now.Add(g.pause)
	}
}

// verdict is what the end of a call says of its panel.
type verdict int

const (
	saidNothing verdict = iota // we gave up ourselves
	answered                   // whatever it said
	failed                     // no answer, or that of something in front of it
)

// admit says whether a call may be made now, waiting a moment for its turn. The error
// is an ErrTemporary of a call that was not sent.
func (c *Caller) admit(ctx context.Context, call Call) error {
	unsent := func(wait time.Duration, why string) error {
		return &Error{
			Vendor: c.Vendor, Op: call.Op, Message: fmt.Sprintf("%s for %s", why, wait.Round(time.Second)), RetryAfter: wait, Unsent: true, Class: provisioning.ErrTemporary,
		}
	}
	if wait := c.waits(call.API); wait > 0 {
		return unsent(wait, "the panel takes no calls with this key (rate limit)")
	}
	if c.Guard == nil {
		return nil
	}
	const silent = "the panel did not answer the last calls, so none is made"
	if wait := c.Guard.rests(); wait > 0 && ctx.Value(anyway{}) == nil {
		return unsent(wait, silent)
	}
	if wait := c.Guard.turn(ctx); wait > 0 {
		return unsent(wait, "the pace that is set for the panel (calls_per_second) allows no call")
	}
	if wait := c.Guard.enter(ctx); wait > 0 {
		return unsent(wait, silent)
	}
	return nil
}

// noted tells the guard how a call ended and passes its error on.
func (c *Caller) noted(ctx context.Context, of verdict, err error) error {
	if c.Guard == nil {
		return err
	}
	if of == failed && ctx.Err() == context.Canceled {
		of = saidNothing
	}
	problem := ""
	if err != nil {
		problem = Clean(err.Error())
	}
	c.Guard.outcome(of, problem)
	return err
}
