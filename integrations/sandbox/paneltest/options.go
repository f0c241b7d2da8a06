package paneltest

import (
	"slices"
	"testing"

	"github.com/ezscale/ezscale/engine/provisioning"
)

// Offers checks lists of options: each setting offers at least the values given, as
// "value label", none has a problem, and no other setting is listed.
func Offers(t *testing.T, got []provisioning.OptionList, want map[string][]string) {
	t.Helper()
	for _, list := range got {
		values, known := want[list.Setting]
		if !known || list.Problem != "" || list.Label == "" || list.Options == nil {
			t.Errorf("list %+v, want no problem and one of %d settings", list, len(want))
		}
		for _, v := range values {
			if !slices.ContainsFunc(list.Options, func(o provisioning.Option) bool { return o.Value+" "+o.Label == v }) {
				t.Errorf("%s: %q is not in %+v", list.Setting, v, list.Options)
			}
		}
		if values == nil && len(list.Options) > 0 {
			t.Errorf("%s: %+v, want none before %s is chosen", list.Setting, list.Options, list.After)
		}
		delete(want, list.Setting)
	}
	for setting := range want {
		t.Errorf("%s is not listed", setting)
	}
}

// HasProblem checks that a setting's list says in words why it is empty, and that the
// others are there all the same.
func HasProblem(t *testing.T, got []provisioning.OptionList, setting string, says func(problem string) bool) {
	t.Helper()
	for _, list := range got {
		switch {
		case list.Setting == setting && (len(list.Options) > 0 || !says(list.Problem)):
			t.Errorf("%s: problem %q with %d options", setting, list.Problem, len(list.Options))
		case list.Setting != setting && list.Problem != "":
			t.Errorf("%s has the problem %q too", list.Setting, list.Problem)
		}
	}
}
