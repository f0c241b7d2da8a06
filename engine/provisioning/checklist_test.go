package provisioning

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestAChecklistComesFromThePlanOrIsTheUsual(t *testing.T) {
	scenarios := []struct {
		name, setting string
		special       []string
		want          string
	}{
		{"the usual", "", nil, "[Switch the service on; Check that the customer can reach it;]"},
		{"nothing but separators", " ; \n;", nil, "[]"},
		{"the plan's", "Plug it in;? Send a photo\r\n  Tell the floor  ", nil, "[Plug it in; Send a photo?; Tell the floor;]"},
		{"special first", "Plug it in", []string{"memory: 2 → 4"}, "[memory: 2 → 4; Plug it in;]"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got := strings.Builder{}
			for _, item := range ChecklistFor(JobUnsuspend, map[string]string{"checklist_unsuspend": s.setting}, s.special...) {
				fmt.Fprintf(&got, "%s%s ", item.Text, map[bool]string{true: "?;", false: ";"}[item.Optional])
			}
			if text := "[" + strings.TrimSuffix(got.String(), " ") + "]"; text != s.want {
				t.Errorf("got %s, want %s", text, s.want)
			}
		})
	}
	for _, kind := range []JobKind{JobProvision, JobSuspend, JobUnsuspend, JobTerminate, JobChangePlan} {
		if list := ChecklistFor(kind, nil); len(list.Left()) == 0 {
			t.Errorf("%s has nothing that must be ticked", kind)
		}
	}
	if list := ChecklistFor(JobPower, nil); list != nil {
		t.Errorf("power has the list %v, want none", list)
	}
	long := ChecklistFor(JobSuspend, map[string]string{"checklist_suspend": strings.Repeat(strings.Repeat("ü", 400)+";", 80)})
	if len(long) != maxChecks || len([]rune(long[0].Text)) != maxCheckText {
		t.Errorf("%d items of %d runes, want the bounds", len(long), len([]rune(long[0].Text)))
	}
}

func TestRequiredItemsAreLeftUntilTheyAreTicked(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	list := ChecklistFor(JobSuspend, map[string]string{"checklist_suspend": "a;?b;c"})
	if got := fmt.Sprint(list.Left()); got != "[a c]" {
		t.Errorf("left: %s, want [a c]", got)
	}
	list[0].At, list[0].By = at, "staff:x"
	next := ChecklistFor(JobSuspend, map[string]string{"checklist_suspend": "c;a;d"}).Keep(list)
	if got := fmt.Sprint(next.Left()); got != "[c d]" || next[1].By != "staff:x" || !next[1].At.Equal(at) {
		t.Errorf("left: %s of %+v, want [c d] and the tick of a kept", got, next)
	}
	if len(list.Keep(nil).Left()) != len(list.Left()) {
		t.Error("with nothing earlier the ticks changed")
	}
}

func TestChecklistsMakeNoDifferenceBetweenPlans(t *testing.T) {
	w := PlanWish{FromPlan: "Rack 1", ToPlan: "Rack 2", From: map[string]string{"units": "1", "checklist_build": "a"}, To: map[string]string{"units": "2", "checklist_build": "b", "checklist_suspend": "c"}}
	if got := fmt.Sprint(w.Differences()); got != "[plan: Rack 1 → Rack 2 units: 1 → 2]" {
		t.Errorf("differences: %s", got)
	}
}
