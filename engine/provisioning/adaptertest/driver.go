package adaptertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
)

const (
	// maxTries bounds the calls of one build; each try moves the clock.
	maxTries = 400
	// pause is how far the clock moves before a repeat.
	pause = 5 * time.Second
	// maxUnknown is how often Recover may say "a person must decide" before the
	// driver believes it.
	maxUnknown = 30
)

// driver builds one service the way the job worker does.
type driver struct {
	h       Harness
	adapter provisioning.Creator
	order   provisioning.Order
	build   provisioning.Build
	secret  *provisioning.Credentials
	unknown bool // the outcome of the current step is open
}

func newDriver(h Harness, n int) *driver {
	return &driver{h: h, adapter: h.Adapter, order: h.Order(n)}
}

// store keeps what a step returned as the database would: as JSON, the secret
// apart. What an adapter keeps outside is lost here.
func (d *driver) store(b provisioning.Build) error {
	if b.Secret != nil {
		d.secret = b.Secret
	}
	raw, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("store the build: %w", err)
	}
	var kept provisioning.Build
	if err := json.Unmarshal(raw, &kept); err != nil {
		return fmt.Errorf("load the build: %w", err)
	}
	d.build = kept
	d.h.Sleep(b.Wait)
	return nil
}

// intend stores that the current step is about to be called.
func (d *driver) intend() {
	if d.build.Started.IsZero() {
		d.build.Started = d.h.Now()
	}
}

// try makes one call: Advance, or Recover while an outcome is open.
func (d *driver) try(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, d.h.Deadline)
	defer cancel()
	if d.unknown {
		b, err := d.adapter.Recover(ctx, d.order, d.build)
		if err != nil {
			return err
		}
		d.unknown = false
		return d.store(b)
	}
	d.intend()
	b, err := d.adapter.Advance(ctx, d.order, d.build)
	if err != nil {
		d.unknown = errors.Is(err, provisioning.ErrOutcomeUnknown)
		return err
	}
	return d.store(b)
}

// until repeats until stop says so. Temporary failures and open outcomes are
// repeated, every other failure is returned.
func (d *driver) until(ctx context.Context, stop func() bool) error {
	open := 0
	for range maxTries {
		if stop() {
			return nil
		}
		err := d.try(ctx)
		switch provisioning.Classify(err) {
		case provisioning.ClassNone:
			continue
		case provisioning.ClassTemporary:
		case provisioning.ClassUnknown:
			if open++; open > maxUnknown {
				return err
			}
		default:
			return err
		}
		d.h.Sleep(pause)
	}
	return fmt.Errorf("the build stands at step %q after %d tries", d.build.Step, maxTries)
}

func (d *driver) done() bool { return d.build.Done }

// at says whether a step is the next one; the first is "" too.
func (d *driver) at(step string) func() bool {
	return func() bool {
		return !d.unknown && (d.build.Step == step || d.build.Step == "" && step == d.adapter.Steps()[0])
	}
}

// mustFinish builds to the end and checks the result.
func (d *driver) mustFinish(t *testing.T) {
	t.Helper()
	if err := d.until(t.Context(), d.done); err != nil {
		t.Fatalf("finish service %s at step %q: %v", d.order.ServiceID, d.build.Step, err)
	}
	d.mustBeWhole(t)
}

// mustBeWhole checks a finished build: its server exists, carries the service's
// name and can be signed in to.
func (d *driver) mustBeWhole(t *testing.T) {
	t.Helper()
	if d.build.RemoteID == "" || len(d.build.Addresses) == 0 || d.secret == nil || d.secret.Username == "" || d.secret.Password == "" && !d.h.SharedAccount {
		t.Errorf("service %s: id %q, %d addresses, credentials %t; want all three",
			d.order.ServiceID, d.build.RemoteID, len(d.build.Addresses), d.secret != nil)
	}
	i := slices.IndexFunc(d.h.Servers(), func(r Remote) bool { return r.ID == d.build.RemoteID })
	if i < 0 {
		t.Fatalf("service %s: server %q does not exist", d.order.ServiceID, d.build.RemoteID)
	}
	if got := d.h.Servers()[i].Tag; got != d.tag() {
		t.Errorf("server %s carries the name %q, want %q", d.build.RemoteID, got, d.tag())
	}
}

// tag is what the platform keeps of whose the server is.
func (d *driver) tag() string {
	if d.h.Tag == nil {
		return d.order.ServiceID
	}
	return d.h.Tag(d.build)
}

// mustHave checks how many servers exist and were ever made.
func mustHave(t *testing.T, h Harness, want int) {
	t.Helper()
	if servers, made := h.Servers(), h.Made(); len(servers) != want || made != want {
		t.Errorf("%d servers of %d ever made, want %d: %+v", len(servers), made, want, servers)
	}
}

// repeat calls until it succeeds, as a retried job does.
func repeat(t *testing.T, h Harness, what string, call func(ctx context.Context) error) {
	t.Helper()
	for range maxTries {
		err := withDeadline(t.Context(), h, call)
		switch provisioning.Classify(err) {
		case provisioning.ClassNone:
			return
		case provisioning.ClassTemporary, provisioning.ClassUnknown, provisioning.ClassCredentials:
			h.Sleep(pause)
		default:
			t.Fatalf("%s: %v", what, err)
		}
	}
	t.Fatalf("%s has not succeeded after %d tries", what, maxTries)
}

func withDeadline(ctx context.Context, h Harness, call func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, h.Deadline)
	defer cancel()
	return call(ctx)
}
