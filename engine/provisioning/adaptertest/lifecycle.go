package adaptertest

import (
	"context"
	"errors"
	"testing"

	"github.com/ezscale/ezscale/engine/provisioning"
)

// testLifecycle suspends, unsuspends and terminates, each twice, undisturbed and
// with every mishap on the first call.
func testLifecycle(t *testing.T, fresh func(*testing.T) Harness) {
	t.Run("undisturbed", func(t *testing.T) { runLifecycle(t, fresh(t), func(string) {}) })
	for _, m := range Mishaps() {
		t.Run(string(m), func(t *testing.T) {
			h := fresh(t)
			runLifecycle(t, h, func(call string) { h.Break(call, m) })
		})
	}
}

func runLifecycle(t *testing.T, h Harness, disturb func(call string)) {
	d := newDriver(h, 1)
	d.mustFinish(t)
	id := d.build.RemoteID
	if s, ok := h.Adapter.(provisioning.Suspender); ok {
		for _, want := range []bool{true, false} {
			name, call := "unsuspend", s.Unsuspend
			if want {
				name, call = "suspend", s.Suspend
			}
			disturb(name)
			for range 2 {
				repeat(t, h, name, func(ctx context.Context) error { return call(ctx, id) })
				if got := h.Servers(); len(got) != 1 || got[0].Suspended != want {
					t.Fatalf("after %s: %+v, want suspended %t", name, got, want)
				}
			}
		}
	}
	term, ok := h.Adapter.(provisioning.Terminator)
	if !ok {
		return
	}
	disturb("terminate")
	for range 2 {
		terminate(t, h, term, id)
		if got := h.Servers(); len(got) != 0 {
			t.Fatalf("after terminate: %+v, want none", got)
		}
	}
	if h.Made() != 1 {
		t.Errorf("%d servers were made, want 1", h.Made())
	}
}

// errStill says that the platform is not through with it.
var errStill = errors.New("not gone yet")

func terminate(t *testing.T, h Harness, term provisioning.Terminator, id string) {
	t.Helper()
	repeat(t, h, "terminate", func(ctx context.Context) error {
		gone, err := term.Terminate(ctx, id)
		if err == nil && !gone {
			return errStill // without a class: an unknown outcome, which is repeated
		}
		return err
	})
}

func testPower(t *testing.T, h Harness) {
	p, ok := h.Adapter.(provisioning.Power)
	if !ok {
		t.Skip("the platform has no power switch")
	}
	d := newDriver(h, 1)
	d.mustFinish(t)
	ctx, id := t.Context(), d.build.RemoteID
	if err := p.Power(ctx, id, provisioning.PowerRestart); err != nil {
		t.Fatalf("restart: %v", err)
	}
	if err := p.Power(ctx, id, provisioning.PowerOff); !h.OffAlways && !errors.Is(err, provisioning.ErrTemporary) {
		t.Errorf("power off while the restart runs = %v, want ErrTemporary", err)
	}
	for _, want := range []struct {
		action provisioning.PowerAction
		state  provisioning.PowerState
	}{
		{provisioning.PowerOff, provisioning.PowerStopped},
		{provisioning.PowerBoot, provisioning.PowerRunning},
		{provisioning.PowerShutdown, provisioning.PowerStopped},
	} {
		h.Sleep(pause)
		if err := p.Power(ctx, id, want.action); err != nil {
			t.Fatalf("%s: %v", want.action, err)
		}
		h.Sleep(pause)
		if sr, ok := h.Adapter.(provisioning.StatusReader); ok {
			if st, err := sr.Status(ctx, id); err != nil || st.Power != h.power(want.state) {
				t.Errorf("after %s: power %q, %v; want %q", want.action, st.Power, err, h.power(want.state))
			}
		}
	}
	if err := p.Power(ctx, id, "explode"); !errors.Is(err, provisioning.ErrPermanent) {
		t.Errorf("an unknown action = %v, want ErrPermanent", err)
	}
}

func testDestroyed(t *testing.T, h Harness) {
	d := newDriver(h, 1)
	d.mustFinish(t)
	ctx, id := t.Context(), d.build.RemoteID
	h.Destroy(id)
	calls := map[string]func() error{}
	if a, ok := h.Adapter.(provisioning.StatusReader); ok {
		calls["status"] = func() error { _, err := a.Status(ctx, id); return err }
	}
	if a, ok := h.Adapter.(provisioning.Suspender); ok {
		calls["suspend"] = func() error { return a.Suspend(ctx, id) }
		calls["unsuspend"] = func() error { return a.Unsuspend(ctx, id) }
	}
	if a, ok := h.Adapter.(provisioning.Power); ok {
		calls["power"] = func() error { return a.Power(ctx, id, provisioning.PowerBoot) }
	}
	if a, ok := h.Adapter.(provisioning.TrafficReader); ok {
		calls["traffic"] = func() error { _, err := a.Traffic(ctx, id); return err }
	}
	if a, ok := h.Adapter.(provisioning.PasswordResetter); ok {
		calls["reset password"] = func() error { _, err := a.ResetPassword(ctx, id); return err }
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, provisioning.ErrNotFound) {
			t.Errorf("%s = %v, want ErrNotFound", name, err)
		}
	}
	if a, ok := h.Adapter.(provisioning.PlanChanger); ok {
		w := d.wish(h.Order(1).Settings, h.Larger(1))
		calls["change plan"] = func() error { _, err := a.ChangePlan(ctx, w); return err }
		calls["check plan"] = func() error { return a.CheckPlan(ctx, w) }
	}
	if a, ok := h.Adapter.(provisioning.Terminator); ok {
		if gone, err := a.Terminate(ctx, id); !gone || err != nil {
			t.Errorf("terminate = %t, %v; want gone", gone, err)
		}
	}
}

func testBadKey(t *testing.T, h Harness) {
	if h.BadKey == nil {
		t.Skip("the platform has no credentials")
	}
	d := newDriver(h, 1)
	d.mustFinish(t)
	ctx, id, a := t.Context(), d.build.RemoteID, h.BadKey()
	other := newDriver(h, 2)
	other.adapter = a
	calls := map[string]func() error{"build": func() error { return other.try(ctx) }}
	if a, ok := a.(provisioning.Tester); ok {
		calls["test"] = func() error { return a.Test(ctx).Err() }
	}
	if a, ok := a.(provisioning.StatusReader); ok {
		calls["status"] = func() error { _, err := a.Status(ctx, id); return err }
	}
	if a, ok := a.(provisioning.Suspender); ok {
		calls["suspend"] = func() error { return a.Suspend(ctx, id) }
	}
	if a, ok := a.(provisioning.Terminator); ok {
		calls["terminate"] = func() error { _, err := a.Terminate(ctx, id); return err }
	}
	if a, ok := a.(provisioning.Power); ok {
		calls["power"] = func() error { return a.Power(ctx, id, provisioning.PowerBoot) }
	}
	if a, ok := a.(provisioning.PlanChanger); ok {
		w := d.wish(h.Order(1).Settings, h.Larger(1))
		calls["change plan"] = func() error { _, err := a.ChangePlan(ctx, w); return err }
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, provisioning.ErrCredentials) {
			t.Errorf("%s = %v, want ErrCredentials", name, err)
		}
	}
	mustHave(t, h, 1)
}
