package manual

import (
	"context"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/engine/provisioning"
)

func TestBuildIsATaskForStaff(t *testing.T) {
	a, o := New(), provisioning.Order{ServiceID: "svc1", Hostname: "vm1.example.com"}
	b, err := a.Advance(t.Context(), o, provisioning.Build{Step: a.Steps()[0]})
	if provisioning.Classify(err) != provisioning.ClassStaff || b.Done {
		t.Fatalf("Advance = %+v, %v; want a task for staff", b, err)
	}
	if b, err = a.Recover(t.Context(), o, b); err != nil || b.Done || b.Step != StepStaff {
		t.Fatalf("Recover = %+v, %v; want it unchanged", b, err)
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

func TestAChangeOfPlanTellsStaffWhatToChange(t *testing.T) {
	a := New()
	w := provisioning.PlanWish{ServiceID: "svc1", FromPlan: "Rack 1", ToPlan: "Rack 2", From: map[string]string{"power": "1"}, To: map[string]string{"power": "2"}}
	_, err := a.ChangePlan(t.Context(), w)
	for name, err := range map[string]error{"check": a.CheckPlan(t.Context(), w), "change": err} {
		if provisioning.Classify(err) != provisioning.ClassStaff || !strings.Contains(err.Error(), "Rack 1 → Rack 2") || !strings.Contains(err.Error(), "power: 1 → 2") {
			t.Errorf("%s = %v, want a task that says what to change", name, err)
		}
	}
}
