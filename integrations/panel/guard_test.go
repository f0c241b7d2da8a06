package panel

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
)

// watched is a caller with a guard, of a panel whose answers are switched.
type watched struct {
	*Caller
	t      *testing.T
	clock  *paneltest.Clock
	status atomic.Int64 // of all answers; 0 hangs up
	calls  atomic.Int64
}

func watch(t *testing.T) *watched {
	w := &watched{t: t, clock: paneltest.NewClock()}
	w.Caller = caller(t, w.clock, func(rw http.ResponseWriter, _ *http.Request) {
		w.calls.Add(1)
		status := int(w.status.Load())
		if status == 0 {
			panic(http.ErrAbortHandler)
		}
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(status)
		_, _ = rw.Write([]byte("{}"))
	})
	w.Guard = NewGuard(w.clock.Now)
	return w
}

func (w *watched) call(ctx context.Context) error {
	return w.Do(ctx, Call{Op: "try", Effect: Writes, Method: http.MethodPost, Path: "/x"}, nil)
}

// gives makes n calls that are answered with a status.
func (w *watched) gives(status int64, n int) {
	w.status.Store(status)
	for range n {
		_ = w.call(w.t.Context())
	}
}

func (w *watched) want(state provisioning.CircuitState, calls int64) {
	w.t.Helper()
	if h := w.Health(); h.State != state || w.calls.Load() != calls {
		w.t.Fatalf("it is %+v after %d calls, want %s after %d", h, w.calls.Load(), state, calls)
	}
}

func (w *watched) Health() provisioning.Health { return w.Guard.Health() }

func TestASilentPanelIsLeftAloneUntilItAnswers(t *testing.T) {
	w := watch(t)
	w.gives(0, trips)
	w.want(provisioning.CircuitOpen, trips)

	err := w.call(t.Context())
	if wait, held := provisioning.Held(err); !held || wait != firstPause || provisioning.Classify(err) != provisioning.ClassTemporary {
		t.Errorf("while it is open: %v, held %v for %s", err, held, wait)
	}
	w.clock.Add(firstPause - time.Second)
	_ = w.call(t.Context())
	w.want(provisioning.CircuitOpen, trips)

	// Many wait for the pause to end; one of them looks.
	w.clock.Add(time.Second)
	w.want(provisioning.CircuitHalfOpen, trips)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if err := w.call(t.Context()); err == nil {
				t.Error("a call to a panel that is gone went well")
			}
		})
	}
	all.Wait()
	w.want(provisioning.CircuitOpen, trips+1)

	// Still silent: it is asked less and less often, but asked.
	for range 10 {
		w.clock.Add(lastPause - time.Second)
		w.gives(0, 3)
	}
	if n := w.calls.Load(); n < trips+4 || n > trips+11 {
		t.Errorf("%d calls in %s", n, 10*lastPause)
	}
	w.clock.Add(lastPause)
	w.gives(http.StatusOK, 1)
	if h := w.Health(); h.State != provisioning.CircuitClosed || h.Problem != "" || h.Failures != 0 || !h.Answered.Equal(w.clock.Now()) {
		t.Errorf("after an answer it is %+v", h)
	}
	before := w.calls.Load()
	w.gives(http.StatusOK, 20)
	w.want(provisioning.CircuitClosed, before+20)
}

// A refusal is an answer, and a panel that answers something is not silent.
func TestWhatOpensABreaker(t *testing.T) {
	scenarios := []struct {
		name string
		do   func(w *watched)
		want provisioning.CircuitState
	}{
		{"no answer", func(w *watched) { w.gives(0, trips) }, provisioning.CircuitOpen},
		{"errors of the panel or of what is in front of it", func(w *watched) { w.gives(http.StatusBadGateway, trips) }, provisioning.CircuitOpen},
		{"one less", func(w *watched) { w.gives(0, trips-1) }, provisioning.CircuitClosed},
		{"refusals", func(w *watched) { w.gives(http.StatusUnprocessableEntity, 3*trips) }, provisioning.CircuitClosed},
		{"a wrong key", func(w *watched) { w.gives(http.StatusUnauthorized, 3*trips) }, provisioning.CircuitClosed},
		{"too many calls", func(w *watched) { w.gives(http.StatusTooManyRequests, 3*trips) }, provisioning.CircuitClosed},
		{"an answer in between", func(w *watched) { w.gives(0, trips-1); w.gives(404, 1); w.gives(0, trips-1) }, provisioning.CircuitClosed},
		{"now and then over a long time", func(w *watched) {
			for range 3 * trips {
				w.gives(0, 1)
				w.clock.Add(window / 3)
			}
		}, provisioning.CircuitClosed},
		{"calls that we ended ourselves", func(w *watched) {
			w.HTTP.Transport = hang{}
			for range 3 * trips {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Millisecond, cancel)
				_ = w.call(ctx)
			}
		}, provisioning.CircuitClosed},
	}
	for _, s := range scenarios {
		w := watch(t)
		s.do(w)
		if h := w.Health(); h.State != s.want {
			t.Errorf("%s: %+v, want %s", s.name, h, s.want)
		}
	}
}

// hang answers nothing until the caller gives up.
type hang struct{}

func (hang) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// Somebody who tests the connection is not told to wait, and what they learn counts.
func TestATestLooksAtOnce(t *testing.T) {
	w := watch(t)
	w.gives(0, trips)
	if err := w.call(Anyway(t.Context())); err == nil || w.calls.Load() != trips+1 {
		t.Errorf("%v after %d calls, want it to be made", err, w.calls.Load())
	}
	w.status.Store(http.StatusOK)
	if err := w.call(Anyway(t.Context())); err != nil {
		t.Error(err)
	}
	w.want(provisioning.CircuitClosed, trips+2)
}

func TestCallsKeepToThePace(t *testing.T) {
	clock := paneltest.NewClock()
	g := NewGuard(clock.Now)
	take := func(want int) {
		t.Helper()
		n := 0
		for range 100 {
			if wait, mine := g.reserve(); mine && wait <= 0 {
				n++
			} else if mine {
				g.tokens++ // it would have waited for it
				break
			}
		}
		if n != want {
			t.Errorf("%d calls at once, want %d", n, want)
		}
	}
	take(100) // no limit
	g.Pace(2, 6)
	take(6)
	take(0)
	clock.Add(time.Second)
	take(2)
	clock.Add(time.Hour)
	take(6)
	g.Pace(2, 6) // the same again gives nothing
	take(0)
	g.Pace(3, 0)
	take(3)
	g.Pace(0, 0)
	take(100)

	// What must wait longer than a moment is sent back with the time.
	g.Pace(1, 1)
	for range 3 {
		g.reserve()
	}
	if wait, mine := g.reserve(); mine || wait != 3*time.Second {
		t.Errorf("the fourth: %s, mine %v; want to be sent back for 3s", wait, mine)
	}
}

func TestACallThatIsDueInAMomentWaitsForIt(t *testing.T) {
	w := watch(t)
	w.Guard.Pace(20, 1)
	begun := time.Now()
	w.gives(http.StatusOK, 3)
	if took := time.Since(begun); took < 90*time.Millisecond {
		t.Errorf("three calls at 20 a second took %s", took)
	}
	w.want(provisioning.CircuitClosed, 3)
	w.Guard.Pace(1, 1)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = w.Guard.reserve()
	if wait := w.Guard.turn(ended); wait <= 0 {
		t.Error("a call whose caller is gone got its turn")
	}
	for range 3 {
		_, _ = w.Guard.reserve()
	}
	err := w.call(t.Context())
	if wait, held := provisioning.Held(err); !held || wait < time.Second || !errors.Is(err, provisioning.ErrTemporary) {
		t.Errorf("beyond the pace: %v, held %v for %s", err, held, wait)
	}
	w.want(provisioning.CircuitClosed, 3)
}
