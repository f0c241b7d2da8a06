package adaptertest

import (
	"context"
	"errors"
	"testing"

	"github.com/ezscale/ezscale/engine/provisioning"
)

// wish is a change of the driver's built service.
func (d *driver) wish(from, to map[string]string) provisioning.PlanWish {
	return provisioning.PlanWish{ServiceID: d.order.ServiceID, RemoteID: d.build.RemoteID, FromPlan: "Before", ToPlan: "After", From: from, To: to}
}

// testPlan changes the plan of a built service: undisturbed, with every mishap on
// every call, by a new process in the middle, twice in a row, and to what cannot be.
func testPlan(t *testing.T, fresh func(*testing.T) Harness) {
	h := fresh(t)
	if _, ok := h.Adapter.(provisioning.PlanChanger); !ok {
		t.Skip("the platform changes no plans by itself")
	}
	t.Run("undisturbed", func(t *testing.T) { runPlan(t, h, func() {}) })
	for _, call := range h.Changes {
		for _, m := range Mishaps() {
			t.Run(call+", "+string(m), func(t *testing.T) {
				h := fresh(t)
				runPlan(t, h, func() { h.Break(call, m) })
			})
		}
		t.Run(call+", killed after it", func(t *testing.T) { testPlanKilled(t, fresh(t), call) })
		t.Run(call+", then another wish", func(t *testing.T) { testPlanOvertaken(t, fresh(t), call) })
	}
	t.Run("impossible", func(t *testing.T) { testPlanImpossible(t, fresh(t)) })
}

// runPlan grows a service in two steps, each asked for twice, and compares it with
// one that was built so large.
func runPlan(t *testing.T, h Harness, disturb func()) {
	d, twin := newDriver(h, 1), newDriver(h, 2)
	twin.order.Settings = h.Larger(2)
	d.mustFinish(t)
	twin.mustFinish(t)
	c := h.Adapter.(provisioning.PlanChanger)
	if err := c.CheckPlan(t.Context(), d.wish(h.Larger(0), h.Larger(2))); err != nil {
		t.Fatalf("check a larger plan = %v, want nil", err)
	}
	disturb()
	for n := range 2 {
		for range 2 {
			d.becomes(t, c, h.Larger(n), h.Larger(n+1))
		}
	}
	if got, want := h.Size(d.build.RemoteID), h.Size(twin.build.RemoteID); got != want {
		t.Errorf("after the changes it is %s, one that was built so is %s", got, want)
	}
	mustHave(t, h, 2)
}

// becomes repeats a change until it succeeds, as a job does.
func (d *driver) becomes(t *testing.T, c provisioning.PlanChanger, from, to map[string]string) {
	t.Helper()
	repeat(t, d.h, "change plan", func(ctx context.Context) error { _, err := c.ChangePlan(ctx, d.wish(from, to)); return err })
}

// begun makes one try whose answer is lost.
func (d *driver) begun(t *testing.T, call string) {
	t.Helper()
	d.h.Break(call, LostAnswer)
	err := withDeadline(t.Context(), d.h, func(ctx context.Context) error {
		_, err := d.h.Adapter.(provisioning.PlanChanger).ChangePlan(ctx, d.wish(d.h.Larger(0), d.h.Larger(1)))
		return err
	})
	if err != nil && provisioning.Classify(err) != provisioning.ClassUnknown && provisioning.Classify(err) != provisioning.ClassTemporary {
		t.Fatalf("a lost answer = %v, want a repeat", err)
	}
}

func testPlanKilled(t *testing.T, h Harness, call string) {
	d, twin := newDriver(h, 1), newDriver(h, 2)
	twin.order.Settings = h.Larger(1)
	d.mustFinish(t)
	twin.mustFinish(t)
	d.begun(t, call)
	d.becomes(t, h.Restart().(provisioning.PlanChanger), h.Larger(0), h.Larger(1))
	if got, want := h.Size(d.build.RemoteID), h.Size(twin.build.RemoteID); got != want {
		t.Errorf("it is %s, want %s", got, want)
	}
}

// testPlanOvertaken wants more while the outcome of the first change is open: what
// it was before is not what it is.
func testPlanOvertaken(t *testing.T, h Harness, call string) {
	d, twin := newDriver(h, 1), newDriver(h, 2)
	twin.order.Settings = h.Larger(2)
	d.mustFinish(t)
	twin.mustFinish(t)
	d.begun(t, call)
	d.becomes(t, h.Adapter.(provisioning.PlanChanger), h.Larger(0), h.Larger(2))
	if got, want := h.Size(d.build.RemoteID), h.Size(twin.build.RemoteID); got != want {
		t.Errorf("it is %s, want %s", got, want)
	}
}

func testPlanImpossible(t *testing.T, h Harness) {
	if h.Impossible == nil {
		t.Skip("the platform can do everything")
	}
	d := newDriver(h, 1)
	d.order.Settings = h.Larger(1)
	d.mustFinish(t)
	before, w := h.Size(d.build.RemoteID), d.wish(h.Larger(1), h.Impossible())
	c := h.Adapter.(provisioning.PlanChanger)
	_, changeErr := c.ChangePlan(t.Context(), w)
	for name, err := range map[string]error{"check": c.CheckPlan(t.Context(), w), "change": changeErr} {
		var no *provisioning.ImpossibleError
		if !errors.As(err, &no) || provisioning.Classify(err) != provisioning.ClassPermanent || no.Code == "" || no.Reason == "" {
			t.Errorf("%s = %v, want an ImpossibleError with a code and a reason", name, err)
		}
	}
	if got := h.Size(d.build.RemoteID); got != before {
		t.Errorf("what cannot be changed was %s and is %s", before, got)
	}
}
