package adaptertest

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/ezscale/ezscale/engine/provisioning"
)

// RunByHand tests an adapter of a platform that is people. Of the contract remains:
// every act is a task (ErrStaff), however often and by however many at once it is
// asked for; nothing is ever said to be done, or found, by the adapter itself; a task
// names its service, and a change of plan what is to change; building has steps.
func RunByHand(t *testing.T, a provisioning.Creator) {
	t.Helper()
	o := provisioning.Order{ServiceID: "svc000000000001", UserID: "usr000000000001", Hostname: "rack.example.com", Settings: map[string]string{"units": "1"}}
	if len(a.Steps()) == 0 {
		t.Fatal("Steps is empty")
	}
	t.Run("builds", func(t *testing.T) {
		before := provisioning.Build{Step: a.Steps()[0], RemoteID: "rack-7", Data: map[string]string{"a": "b"}}
		b, err := a.Advance(t.Context(), o, before)
		mustBeTask(t, "build", err, o.ServiceID)
		if b.Done || b.RemoteID != before.RemoteID || b.Secret != nil {
			t.Errorf("Advance = %+v, want what was there before", b)
		}
		if b, err = a.Recover(t.Context(), o, before); err != nil || b.Done || b.Step != before.Step || b.RemoteID != before.RemoteID {
			t.Errorf("Recover = %+v, %v; want what was there before", b, err)
		}
	})
	for what, act := range actsByHand(a) {
		t.Run(what, func(t *testing.T) {
			for _, remoteID := range []string{"", "rack-7"} {
				for range 3 {
					mustBeTask(t, what, act(t.Context(), remoteID), remoteID)
				}
			}
			both := sync.WaitGroup{}
			for range 4 {
				both.Go(func() { mustBeTask(t, what, act(t.Context(), "rack-7"), "rack-7") })
			}
			both.Wait()
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			mustBeTask(t, what, act(ended, "rack-7"), "rack-7")
		})
	}
	t.Run("plan", func(t *testing.T) { testPlanByHand(t, a) })
}

// actsByHand are what the adapter can do to a service that stands.
func actsByHand(a provisioning.Creator) map[string]func(ctx context.Context, remoteID string) error {
	acts := map[string]func(ctx context.Context, remoteID string) error{}
	if s, ok := a.(provisioning.Suspender); ok {
		acts["suspend"], acts["unsuspend"] = s.Suspend, s.Unsuspend
	}
	if end, ok := a.(provisioning.Terminator); ok {
		acts["terminate"] = func(ctx context.Context, remoteID string) error {
			gone, err := end.Terminate(ctx, remoteID)
			if gone {
				return nil // it says that it is done, which it cannot know
			}
			return err
		}
	}
	return acts
}

func testPlanByHand(t *testing.T, a provisioning.Creator) {
	c, ok := a.(provisioning.PlanChanger)
	if !ok {
		t.Skip("people change no plans")
	}
	w := provisioning.PlanWish{ServiceID: "svc000000000001", FromPlan: "Rack 1", ToPlan: "Rack 2", From: map[string]string{"units": "1"}, To: map[string]string{"units": "2"}}
	_, err := c.ChangePlan(t.Context(), w)
	for what, err := range map[string]error{"check": c.CheckPlan(t.Context(), w), "change": err} {
		mustBeTask(t, what, err, w.ServiceID)
		for _, d := range w.Differences() {
			if err != nil && !strings.Contains(err.Error(), d) {
				t.Errorf("%s = %v, want a task that says %q", what, err, d)
			}
		}
	}
}

func mustBeTask(t *testing.T, what string, err error, service string) {
	t.Helper()
	if provisioning.Classify(err) != provisioning.ClassStaff || !strings.Contains(err.Error(), service) {
		t.Errorf("%s = %v, want a task for staff that names %q", what, err, service)
	}
	if wait, again := provisioning.Retry(provisioning.Classify(err), 1, 0); again {
		t.Errorf("%s is tried again after %s, want people to be left alone", what, wait)
	}
}
