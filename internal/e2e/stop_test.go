package e2e

import (
	"strings"
	"testing"
	"time"
)

// TestStoppedDuringABuildGoesOnAfterwards asks the process to stop while the
// panel installs a system. It ends by itself, quickly and without an error, and
// the next start finishes the work.
func TestStoppedDuringABuildGoesOnAfterwards(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the real binary several times")
	}
	s := newShop(t)
	w := newWorld(t, copyDir(t, s.dir))
	building := make(chan struct{})
	w.tap.arm([]point{{"panel POST /api/v1/servers/{id}/build", 1, after}}, func() { close(building) })
	b := newBuyer(w, s)
	b.buy()
	select {
	case <-building:
	case <-time.After(patience):
		t.Fatalf("no build began\n%s", w.current().out)
	}
	began := time.Now()
	if err := w.current().terminate(10 * time.Second); err != nil {
		t.Fatalf("stop during a build: %v\n%s", err, w.current().out)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("stopping took %s, want at most 5 s", took)
	}
	w.boot()
	b.settled()
	b.mustHoldTrue(t)
}

// TestH6DataDirectoryInUseIsRefused starts a second process on the data of a
// running one: two workers would take each other's jobs.
func TestH6DataDirectoryInUseIsRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the real binary")
	}
	w := newWorld(t, t.TempDir())
	for _, command := range []string{"serve", "demo"} {
		second, err := start(w.binary, w.env, command, "--http", "127.0.0.1:0", "--dir", w.dir)
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-second.exited:
		case <-time.After(10 * time.Second):
			second.kill()
			t.Fatalf("%s: got a second process that runs, want it refused\n%s", command, second.out)
		}
		if second.err == nil || !strings.Contains(second.out.String(), "in use by another ezscale process") {
			t.Errorf("%s: got %v and %q, want a refusal that says why", command, second.err, second.out)
		}
	}
	if err := w.current().ready(t.Context(), w.site); err != nil {
		t.Errorf("the first process after the refusals: %v", err)
	}
}
