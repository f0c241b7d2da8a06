package adaptertest

import (
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
)

func testBuild(t *testing.T, fresh func(*testing.T) Harness) {
	h := fresh(t)
	d := newDriver(h, 1)
	d.mustFinish(t)
	mustHave(t, h, 1)
	if sr, ok := h.Adapter.(provisioning.StatusReader); ok {
		st, err := sr.Status(t.Context(), d.build.RemoteID)
		if err != nil || st.Power != h.power(provisioning.PowerRunning) || st.Suspended || st.Tag != d.tag() || st.OwnerRef != d.build.RemoteUser {
			t.Errorf("Status = %+v, %v; want it running, named %s, owned by %s", st, err, d.tag(), d.build.RemoteUser)
		}
	}
	if ts, ok := h.Adapter.(provisioning.Tester); ok {
		if err := ts.Test(t.Context()).Err(); err != nil {
			t.Errorf("Test = %v, want none", err)
		}
	}
	steps := h.Adapter.Steps()
	if len(steps) == 0 {
		t.Error("Steps is empty")
	}
}

// power is the state that the platform is to tell where a system is in one.
func (h Harness) power(is provisioning.PowerState) provisioning.PowerState {
	if h.NoPowerState {
		return provisioning.PowerUnknown
	}
	return is
}

// testInterrupted breaks the call of every step in every way.
func testInterrupted(t *testing.T, fresh func(*testing.T) Harness) {
	for _, step := range fresh(t).Effects {
		for _, m := range append(Mishaps(), Late) {
			t.Run(step+"/"+string(m), func(t *testing.T) {
				h := fresh(t)
				d := newDriver(h, 1)
				if err := d.until(t.Context(), d.at(step)); err != nil {
					t.Fatalf("reach the step: %v", err)
				}
				h.Break(step, m)
				err := d.try(t.Context())
				if got := provisioning.Classify(err); !allowed(m, got) {
					t.Errorf("class = %q (%v) after %s", got, err, m)
				}
				d.mustFinish(t)
				h.Sleep(time.Minute)
				mustHave(t, h, 1)
			})
		}
	}
}

// allowed says which classes a mishap may have. A mishap that leaves the outcome
// open may also have been settled by the adapter's own look.
func allowed(m Mishap, c provisioning.ErrorClass) bool {
	switch m {
	case Refused, RateLimited, Locked:
		return c == provisioning.ClassTemporary
	case Unauthorized, Forbidden:
		return c == provisioning.ClassCredentials
	case LostAnswer, After500, Truncated, HTML502, Slow, Late:
		return c == provisioning.ClassUnknown || c == provisioning.ClassTemporary || c == provisioning.ClassNone
	}
	return false
}

// testCrashed loses the process at every step: once with the intent stored but
// nothing called, once with the effect done but nothing stored.
func testCrashed(t *testing.T, fresh func(*testing.T) Harness) {
	for _, step := range fresh(t).Effects {
		for _, called := range []bool{false, true} {
			name := map[bool]string{false: "before the call", true: "after the call"}[called]
			t.Run(step+"/"+name, func(t *testing.T) {
				h := fresh(t)
				d := newDriver(h, 1)
				if err := d.until(t.Context(), d.at(step)); err != nil {
					t.Fatalf("reach the step: %v", err)
				}
				d.intend()
				if called {
					if _, err := d.adapter.Advance(t.Context(), d.order, d.build); err != nil {
						t.Fatalf("Advance(%q): %v", step, err)
					}
				}
				d.adapter, d.unknown = h.Restart(), true
				d.mustFinish(t)
				mustHave(t, h, 1)
			})
		}
	}
}

func testCapacity(t *testing.T, h Harness) {
	if h.Exhaust == nil {
		t.Skip("the platform has no capacity to exhaust")
	}
	d := newDriver(h, 1)
	h.Exhaust(true)
	err := d.until(t.Context(), d.done)
	if got := provisioning.Classify(err); got != provisioning.ClassCapacity {
		t.Errorf("class = %q (%v), want %q", got, err, provisioning.ClassCapacity)
	}
	mustHave(t, h, 0)
	h.Exhaust(false)
	d.mustFinish(t)
	mustHave(t, h, 1)
}

// testFailedBuild: one failed installation is repaired without a person, or is
// reported; none leaves a second server.
func testFailedBuild(t *testing.T, fresh func(*testing.T) Harness) {
	if fresh(t).FailBuilds == nil {
		t.Skip("installations cannot fail")
	}
	t.Run("once", func(t *testing.T) {
		h := fresh(t)
		h.FailBuilds(1)
		newDriver(h, 1).mustFinish(t)
		mustHave(t, h, 1)
	})
	t.Run("always", func(t *testing.T) {
		h := fresh(t)
		h.FailBuilds(1000)
		d := newDriver(h, 1)
		err := d.until(t.Context(), d.done)
		if got := provisioning.Classify(err); got != provisioning.ClassPermanent {
			t.Errorf("class = %q (%v), want %q", got, err, provisioning.ClassPermanent)
		}
		mustHave(t, h, 1)
	})
}
