package adaptertest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
)

// testReinstall installs a built service anew: undisturbed, with every mishap on the
// call that destroys, by a new process, with a failed installation, and where it is
// to be refused. The system is installed once for each time that it was asked for.
func testReinstall(t *testing.T, fresh func(*testing.T) Harness) {
	if _, ok := fresh(t).Adapter.(provisioning.Reinstaller); !ok {
		t.Skip("the platform installs nothing anew")
	}
	t.Run("undisturbed", func(t *testing.T) {
		h := fresh(t)
		d, first := again(t, h)
		d.mustBeAnew(t, first)
	})
	for _, m := range append(Mishaps(), Late) {
		t.Run(string(m), func(t *testing.T) {
			h := fresh(t)
			d, first := again(t, h)
			d.reach(t, h.Wipe)
			h.Break(h.Wipe, m)
			err := d.try(t.Context())
			if got := provisioning.Classify(err); !allowed(m, got) {
				t.Errorf("class = %q (%v) after %s", got, err, m)
			}
			d.mustBeAnew(t, first)
		})
	}
	t.Run("crashed before the call", func(t *testing.T) { testReinstallCrashed(t, fresh(t), false, 0) })
	t.Run("crashed after the call", func(t *testing.T) { testReinstallCrashed(t, fresh(t), true, 0) })
	t.Run("crashed after the call, up again when it was done", func(t *testing.T) { testReinstallCrashed(t, fresh(t), true, time.Hour) })
	t.Run("failed once", func(t *testing.T) { testReinstallFailed(t, fresh(t)) })
	t.Run("refused", func(t *testing.T) { testReinstallRefused(t, fresh(t)) })
}

// again builds a service and returns a driver that installs it anew, and how often
// its system has been installed.
func again(t *testing.T, h Harness) (d *driver, installed int) {
	t.Helper()
	built := newDriver(h, 1)
	built.mustFinish(t)
	h.Sleep(time.Minute)
	d = &driver{h: h, adapter: provisioning.Anew(h.Adapter.(provisioning.Reinstaller), h.Image()), order: built.order}
	d.build = provisioning.Build{RemoteUser: built.build.RemoteUser, RemoteID: built.build.RemoteID}
	return d, h.Installed(d.build.RemoteID)
}

func (d *driver) reach(t *testing.T, step string) {
	t.Helper()
	if err := d.until(t.Context(), d.at(step)); err != nil {
		t.Fatalf("reach step %q: %v", step, err)
	}
}

// mustBeAnew goes on to the end and checks that the system was installed once more,
// with the image that was asked for, on the same server.
func (d *driver) mustBeAnew(t *testing.T, before int) {
	t.Helper()
	id := d.build.RemoteID
	if err := d.until(t.Context(), d.done); err != nil {
		t.Fatalf("reinstall at step %q: %v", d.build.Step, err)
	}
	d.h.Sleep(time.Minute)
	if got := d.h.Installed(id); got != before+1 || d.build.RemoteID != id {
		t.Errorf("server %s was installed %d times and is %s now, want %d times and the same", id, got, d.build.RemoteID, before+1)
	}
	if d.secret == nil && !d.h.SharedAccount || d.secret != nil && (d.secret.Username == "" || d.secret.Password == "") {
		t.Error("the reinstallation brought no sign-in")
	}
	if len(d.build.Addresses) == 0 {
		t.Error("its addresses are gone")
	}
	images, err := d.h.Adapter.(provisioning.Reinstaller).Images(t.Context(), d.order, id)
	if img, ok := provisioning.FindImage(images, d.h.Image()); err != nil || !ok || !img.Current || img.Name == "" {
		t.Errorf("afterwards the images are %+v, %v; want %q as the one that is there", images, err, d.h.Image())
	}
	mustHave(t, d.h, 1)
}

func testReinstallCrashed(t *testing.T, h Harness, called bool, down time.Duration) {
	d, first := again(t, h)
	d.reach(t, h.Wipe)
	d.intend()
	if called {
		if _, err := d.adapter.Advance(t.Context(), d.order, d.build); err != nil {
			t.Fatalf("reinstall: %v", err)
		}
	}
	h.Sleep(down)
	d.adapter, d.unknown = provisioning.Anew(h.Restart().(provisioning.Reinstaller), h.Image()), true
	d.mustBeAnew(t, first)
}

// testReinstallFailed: a failed installation is repeated by itself.
func testReinstallFailed(t *testing.T, h Harness) {
	if h.FailBuilds == nil {
		t.Skip("installations cannot fail")
	}
	d, first := again(t, h)
	h.FailBuilds(1)
	d.mustBeAnew(t, first+1)
}

// testReinstallRefused: nothing is destroyed of a service that is suspended, busy or
// gone, nor for an image that is not offered, nor with a wrong key.
func testReinstallRefused(t *testing.T, h Harness) {
	d, first := again(t, h)
	id := d.build.RemoteID
	refused := func(name string, a provisioning.Creator, want error) {
		t.Helper()
		d.adapter, d.build, d.unknown = a, provisioning.Build{RemoteUser: d.build.RemoteUser, RemoteID: id}, false
		if err := d.try(t.Context()); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	offered := provisioning.Anew(h.Adapter.(provisioning.Reinstaller), h.Image())
	refused("no such image", provisioning.Anew(h.Adapter.(provisioning.Reinstaller), "999999"), provisioning.ErrPermanent)
	if h.BadKey != nil {
		refused("a wrong key", provisioning.Anew(h.BadKey().(provisioning.Reinstaller), h.Image()), provisioning.ErrCredentials)
	}
	if s, ok := h.Adapter.(provisioning.Suspender); ok {
		repeat(t, h, "suspend", func(ctx context.Context) error { return s.Suspend(ctx, id) })
		refused("suspended", offered, provisioning.ErrPermanent)
		repeat(t, h, "unsuspend", func(ctx context.Context) error { return s.Unsuspend(ctx, id) })
	}
	if got := h.Installed(id); got != first {
		t.Errorf("what was refused installed the system: %d times, want %d", got, first)
	}
	h.Destroy(id)
	refused("destroyed", offered, provisioning.ErrNotFound)
}
