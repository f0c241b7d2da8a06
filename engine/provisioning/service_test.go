package provisioning

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/engine/lifecycle"
)

// steps are all that a service may do and the job each needs; every other pair
// is refused and has no job.
var steps = map[[2]ServiceStatus]JobKind{
	{"pending", "provisioning"}:    JobProvision,
	{"pending", "terminated"}:      "",
	{"provisioning", "active"}:     "",
	{"provisioning", "terminated"}: JobTerminate,
	{"active", "suspended"}:        JobSuspend,
	{"active", "terminated"}:       JobTerminate,
	{"suspended", "active"}:        JobUnsuspend,
	{"suspended", "terminated"}:    JobTerminate,
}

func TestServiceLife(t *testing.T) {
	known := []ServiceStatus{"pending", "provisioning", "active", "suspended", "terminated"}
	all := append([]ServiceStatus{"", "lost"}, known...)
	for i, from := range all {
		for j, to := range all {
			t.Run(fmt.Sprintf("%s to %s", from, to), func(t *testing.T) {
				job, listed := steps[[2]ServiceStatus{from, to}]
				allowed := listed || from == to && i >= 2 && j >= 2
				if err := CheckServiceTransition(from, to); allowed != (err == nil) || err != nil && !errors.Is(err, lifecycle.ErrTransition) {
					t.Errorf("got error %v, want allowed %v", err, allowed)
				}
				if got, ok := JobFor(from, to); got != job || ok != (job != "") {
					t.Errorf("got job %q, %v, want %q", got, ok, job)
				}
			})
		}
	}
}

func TestParsePowerAction(t *testing.T) {
	for _, want := range []PowerAction{PowerBoot, PowerRestart, PowerShutdown, PowerOff} {
		if got, ok := ParsePowerAction(string(want)); !ok || got != want {
			t.Errorf("ParsePowerAction(%q): got %q, %v", want, got, ok)
		}
	}
	for _, text := range []string{"", "Boot", "power_off", "../boot"} {
		if got, ok := ParsePowerAction(text); ok || got != "" {
			t.Errorf("ParsePowerAction(%q): got %q, %v, want it refused", text, got, ok)
		}
	}
}

func TestCredentialsAreNeverPrinted(t *testing.T) {
	c := Credentials{Username: "root", Password: "hunter2"}
	build := Build{Secret: &c}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, v := range []any{c, &c, build, []Credentials{c}} {
			if text := fmt.Sprintf(format, v); strings.Contains(text, "hunter2") {
				t.Errorf("%s of %T prints the password: %s", format, v, text)
			}
		}
	}
}
