package provisioning

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestDifferencesTellPeopleWhatToChange(t *testing.T) {
	w := PlanWish{
		FromPlan: "VPS S", ToPlan: "VPS M",
		From: map[string]string{"memory": "2", "ipv4": "1", "root_password": "old", "same": "x"},
		To:   map[string]string{"memory": "4", "backup": "daily", "root_password": "new", "same": "x"},
	}
	want := []string{"plan: VPS S → VPS M", "backup: none → daily", "ipv4: 1 → none", "memory: 2 → 4", "root_password: (hidden) → (hidden)"}
	if got := w.Differences(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := w.Besides("memory", "backup", "root_password"); !slices.Equal(got, []string{"ipv4: 1 → none"}) {
		t.Errorf("besides: got %q, want the addresses", got)
	}
	if err := w.ByStaff(); Classify(err) != ClassStaff || !strings.Contains(err.Error(), "memory: 2 → 4") {
		t.Errorf("ByStaff = %v, want a task that names the difference", err)
	}
	if got := (PlanWish{FromPlan: "A", ToPlan: "A"}).Differences(); len(got) != 0 {
		t.Errorf("nothing changes, got %q", got)
	}
}

func TestImpossibleIsPermanent(t *testing.T) {
	err := error(&ImpossibleError{Code: "disk_shrinks", Setting: "package_id", Reason: "The disk cannot shrink."})
	if !errors.Is(err, ErrPermanent) || Classify(err) != ClassPermanent {
		t.Errorf("Classify = %s, want permanent", Classify(err))
	}
}

func TestSettingsOfWhatWasSold(t *testing.T) {
	small := map[string]string{"package_id": "1", "group_id": "1", "template_id": "8", "only_small": "x"}
	large := map[string]string{"package_id": "2", "group_id": "1", "template_id": "8"}
	scenarios := []struct {
		name string
		sold Sold
		want map[string]string
	}{
		{
			"another plan: the customer's system and staff's additions stay",
			Sold{Stored: map[string]string{"package_id": "1", "group_id": "1", "template_id": "9", "only_small": "x", "rack": "7"}, Chosen: []string{"template_id", "gone"}},
			map[string]string{"package_id": "2", "group_id": "1", "template_id": "9", "rack": "7"},
		},
		{
			"another value of an option: what was sold of the plan stays",
			Sold{Stored: map[string]string{"package_id": "7", "ipv4": "2"}, Options: map[string]string{"ipv4": "3"}, Once: []string{"ipv4"}, Kept: true},
			map[string]string{"package_id": "7", "ipv4": "3"},
		},
		{
			"an option that is gone",
			Sold{Stored: map[string]string{"package_id": "1", "ipv4": "2"}, Once: []string{"ipv4"}, Kept: true},
			map[string]string{"package_id": "1"},
		},
		{
			"an option that stood in the plan's place",
			Sold{Stored: map[string]string{"package_id": "4"}, Once: []string{"package_id"}, Kept: true},
			map[string]string{"package_id": "2"},
		},
		{"an option that the new plan lacks", Sold{Stored: map[string]string{"package_id": "1", "ipv4": "2"}, Once: []string{"ipv4"}, Chosen: []string{"ipv4"}}, large},
		{"nothing is stored", Sold{}, large},
	}
	for _, s := range scenarios {
		s.sold.Before, s.sold.Plan = small, large
		if got := s.sold.Settings(); !maps.Equal(got, s.want) {
			t.Errorf("%s: got %v, want %v", s.name, got, s.want)
		}
	}
}
