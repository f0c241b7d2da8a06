package manual

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
)

func TestBuildWaitsForStaff(t *testing.T) {
	a, o := New(), provisioning.Order{ServiceID: "svc1", Hostname: "vm1.example.com"}
	b, err := a.Advance(t.Context(), o, provisioning.Build{})
	if err != nil || b.Done || b.Wait != time.Hour || b.Step != StepStaff {
		t.Fatalf("Advance = %+v, %v; want an hour's wait", b, err)
	}
	if b, err = a.Recover(t.Context(), o, b); err != nil || b.Done {
		t.Fatalf("Recover = %+v, %v; want it unchanged", b, err)
	}
	// What staff said is stored as JSON before the next look.
	b.Data = map[string]string{DataDone: "true"}
	b.Addresses = []provisioning.Address{{IP: "203.0.113.7", Primary: true}}
	raw, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	var stored provisioning.Build
	if err := json.Unmarshal(raw, &stored); err != nil {
		t.Fatal(err)
	}
	got, err := a.Advance(t.Context(), o, stored)
	if err != nil || !got.Done || got.Wait != 0 || got.Hostname != o.Hostname || len(got.Addresses) != 1 {
		t.Fatalf("Advance = %+v, %v; want it done with its address", got, err)
	}
}

func TestUnknownStepIsRefused(t *testing.T) {
	_, err := New().Advance(t.Context(), provisioning.Order{ServiceID: "svc1"}, provisioning.Build{Step: "create"})
	if !errors.Is(err, provisioning.ErrPermanent) {
		t.Errorf("err = %v, want ErrPermanent", err)
	}
}

func TestChangesAreTasksForStaff(t *testing.T) {
	a := New()
	for name, call := range map[string]func(context.Context, string) error{
		"suspend": a.Suspend, "unsuspend": a.Unsuspend,
		"terminate": func(ctx context.Context, id string) error {
			gone, err := a.Terminate(ctx, id)
			if gone {
				t.Error("terminate says gone, want a task")
			}
			return err
		},
	} {
		for _, id := range []string{"", "rack-7"} {
			err := call(t.Context(), id)
			if provisioning.Classify(err) != provisioning.ClassStaff {
				t.Errorf("%s %q = %v, want ErrStaff", name, id, err)
			}
		}
	}
	if wait, again := provisioning.Retry(provisioning.ClassStaff, 1, 0); again {
		t.Errorf("Retry = %s, want none: people are not retried", wait)
	}
}
