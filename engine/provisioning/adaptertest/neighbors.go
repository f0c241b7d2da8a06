package adaptertest

import (
	"errors"
	"sync"
	"testing"

	"github.com/ezscale/ezscale/engine/provisioning"
)

// testNeighbors builds two services of one customer, whose servers look alike
// until they are named. An adapter promises: in one process both builds end by
// themselves, each with its own server; after a crash with both outcomes open
// each ends so or is left to a person; never do two services share a server and
// never are there more servers than services.
//
// The caller's part is played too: it gives Recover the remote ids it has stored
// for the customer's other services (Order.Taken).
func testNeighbors(t *testing.T, fresh func(*testing.T) Harness) {
	step := fresh(t).Create
	t.Run("at the same time, both answers lost", func(t *testing.T) {
		h := fresh(t)
		h.Break(step, LostAnswer)
		h.Break(step, LostAnswer)
		a, b := newDriver(h, 1), newDriver(h, 2)
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i, d := range []*driver{a, b} {
			wg.Go(func() { errs[i] = d.until(t.Context(), d.done) })
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatalf("build both: %v", err)
		}
		mustDiffer(t, h, a, b)
	})
	for _, first := range []Mishap{LostAnswer, HTML502, Truncated, Slow} {
		t.Run("in turns, the first "+string(first)+", the second lost", func(t *testing.T) { testTurns(t, fresh(t), step, first) })
		t.Run("after a crash, the first "+string(first)+", the second lost", func(t *testing.T) { testBothOpen(t, fresh(t), step, first) })
	}
}

func mustDiffer(t *testing.T, h Harness, a, b *driver) {
	t.Helper()
	a.mustBeWhole(t)
	b.mustBeWhole(t)
	if a.build.RemoteID == b.build.RemoteID {
		t.Errorf("both services have server %s", a.build.RemoteID)
	}
	mustHave(t, h, 2)
}

// testTurns interleaves two builds in one process, call by call.
func testTurns(t *testing.T, h Harness, step string, first Mishap) {
	a, b := newDriver(h, 1), newDriver(h, 2)
	reach(t, a, step)
	reach(t, b, step)
	h.Break(step, first)
	_ = a.try(t.Context()) // its failure is the scenario
	h.Break(step, LostAnswer)
	for range maxTries {
		for _, d := range []*driver{b, a} {
			if !d.done() {
				attempt(t, d)
			}
		}
		if a.done() && b.done() {
			mustDiffer(t, h, a, b)
			return
		}
		h.Sleep(pause)
	}
	t.Fatalf("the builds stand at %q and %q", a.build.Step, b.build.Step)
}

// testBothOpen crashes twice, so that two creates of one customer are open with
// no process that remembers either.
func testBothOpen(t *testing.T, h Harness, step string, first Mishap) {
	a, b := newDriver(h, 1), newDriver(h, 2)
	reach(t, a, step)
	reach(t, b, step)
	h.Break(step, first)
	_ = a.try(t.Context()) // its failure is the scenario
	b.adapter = h.Restart()
	h.Break(step, LostAnswer)
	_ = b.try(t.Context())
	next := h.Restart()
	a.adapter, b.adapter, a.unknown, b.unknown = next, next, true, true
	errA, errB := error(nil), error(nil)
	for range maxUnknown {
		errA, errB = settle(t, a, b), settle(t, b, a)
		if a.done() && b.done() {
			break
		}
		h.Sleep(pause)
	}
	for _, err := range []error{errA, errB} {
		if err != nil && provisioning.Classify(err) != provisioning.ClassUnknown {
			t.Errorf("ended with %v, want success or a person's decision", err)
		}
	}
	if id := a.build.RemoteID; id != "" && id == b.build.RemoteID {
		t.Errorf("both services have server %s", id)
	}
	if h.Made() > 2 {
		t.Errorf("%d servers were made for two services", h.Made())
	}
	if a.done() && b.done() {
		mustDiffer(t, h, a, b)
	}
}

// settle makes one try for d with the caller's knowledge of the other service,
// and waits out what is temporary.
func settle(t *testing.T, d, other *driver) error {
	t.Helper()
	if d.done() {
		return nil
	}
	d.order.Taken = nil
	if other.build.RemoteID != "" {
		d.order.Taken = []string{other.build.RemoteID}
	}
	err := d.try(t.Context())
	if provisioning.Classify(err) == provisioning.ClassTemporary {
		d.h.Sleep(pause)
		return nil
	}
	return err
}

func reach(t *testing.T, d *driver, step string) {
	t.Helper()
	if err := d.until(t.Context(), d.at(step)); err != nil {
		t.Fatalf("reach step %q: %v", step, err)
	}
}

// attempt makes one try of which only repeatable failures are expected.
func attempt(t *testing.T, d *driver) {
	t.Helper()
	err := d.try(t.Context())
	switch provisioning.Classify(err) {
	case provisioning.ClassNone, provisioning.ClassTemporary, provisioning.ClassUnknown:
	default:
		t.Fatalf("service %s at step %q: %v", d.order.ServiceID, d.build.Step, err)
	}
}
