package provisioning_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/integrations/sandbox/pterobox"
	"github.com/ezscale/ezscale/internal/testapp"
)

const driftPath = "/api/v1/staff/drift"

// arcade is a game server and the panel behind it.
type arcade struct {
	*testapp.App
	service  string
	order    *testapp.Order
	platform string
	list     string // start of the panel's list call
}

func newArcade(t *testing.T) *arcade {
	t.Helper()
	app := testapp.New(t, testapp.Games())
	o := app.Buy(app.Customer("ada"), minecraft())
	app.Quiet()
	platform := app.One(collections.Platforms, dbx.HashExp{"kind": "pterodactyl"})
	return &arcade{app, o.Services[0], o, platform.Id, "GET /api/application/servers"}
}

func (a *arcade) server() pterobox.Server { return game(a.App, a.service) }

// compared runs the comparison now, to its end, and returns the open findings.
func (a *arcade) compared() *testapp.Answer {
	a.Helper()
	a.Want(http.StatusOK, a.Do(http.MethodPost, driftPath+"/runs", a.Staff(), map[string]any{"platform": a.platform}))
	a.Eventually("the comparison ends", func() bool { return a.Count("drift_runs", "`status` = 'running'") == 0 })
	a.Quiet()
	return a.findings("")
}

func (a *arcade) findings(status string) *testapp.Answer {
	a.Helper()
	return a.Want(http.StatusOK, a.Do(http.MethodGet, driftPath+"/findings?platform="+a.platform+"&status="+status, a.Staff(), nil))
}

// must is the one open finding.
func (a *arcade) must(r *testapp.Answer, kind, ours, theirs string) string {
	a.Helper()
	if r.Len("items") != 1 || r.Text("items.0.kind") != kind || !strings.Contains(r.Text("items.0.ours"), ours) || !strings.Contains(r.Text("items.0.theirs"), theirs) {
		a.Fatalf("findings: %s, want one %s, ours %q and theirs %q", r, kind, ours, theirs)
	}
	return r.Text("items.0.id")
}

func (a *arcade) repair(id string, want int) *testapp.Answer {
	a.Helper()
	r := a.Want(want, a.Do(http.MethodPost, driftPath+"/findings/"+id+"/repair", a.Staff(), nil))
	a.Quiet()
	return r
}

// TestDriftIsFoundOnceRepairedAndGone causes each kind that a job can put right.
func TestDriftIsFoundOnceRepairedAndGone(t *testing.T) {
	for _, sc := range []struct {
		name, kind, ours, theirs string
		cause                    func(a *arcade)
		right                    func(a *arcade) bool
	}{
		{"suspended there", "wrong_state", "active", "suspended", func(a *arcade) { a.Games.Suspend(a.server().ID, true) }, func(a *arcade) bool { return !a.server().Suspended }},
		{"suspended here alone", "wrong_state", "suspended", "active", func(a *arcade) {
			a.Want(http.StatusOK, edit(a.App, a.order, map[string]any{"status": "suspended", "status_reason": "abuse"}))
			a.Quiet()
			a.Games.Suspend(a.server().ID, false)
		}, func(a *arcade) bool { return a.server().Suspended && status(a.App, a.order) == "suspended" }},
		{"another plan", "wrong_plan", "memory 2048 MB", "memory 8192 MB", func(a *arcade) { a.Games.Resize(a.server().ID, 8192) }, func(a *arcade) bool { return a.server().Limits.Memory == 2048 }},
		{"another address", "address_changed", "", ".", func(a *arcade) { a.Games.Readdress(a.server().ID) }, func(a *arcade) bool {
			return a.Count("ip_assignments", "`service` = '"+a.service+"' AND `valid_until` != ''") == 1 && a.Count("ip_assignments", "`service` = '"+a.service+"' AND `valid_until` = ''") == 1
		}},
	} {
		t.Run(sc.name, func(t *testing.T) {
			a := newArcade(t)
			if got := a.compared(); got.Len("items") != 0 {
				t.Fatalf("before anything happened: %s", got)
			}
			sc.cause(a)
			first := a.must(a.compared(), sc.kind, sc.ours, sc.theirs)
			a.Clock().Advance(time.Hour)
			again := a.compared()
			if id := a.must(again, sc.kind, sc.ours, sc.theirs); id != first || again.Text("items.0.first_seen_at") == again.Text("items.0.last_seen_at") || a.Count("drift_findings", "1 = 1") != 1 {
				t.Errorf("found again it is %s, want the same row, seen later", again)
			}
			if sc.right(a) {
				t.Fatal("it is right although the setting repairs nothing")
			}
			a.repair(first, http.StatusAccepted)
			if !sc.right(a) {
				t.Errorf("the repair changed nothing: server %+v", a.server())
			}
			if got := a.compared(); got.Len("items") != 0 || a.findings("gone").Len("items") != 1 {
				t.Errorf("after the repair: %s", got)
			}
			if status(a.App, a.order) == "terminated" || a.Count("jobs", "`kind` IN ('service.terminate')") != 0 {
				t.Error("a repair has terminated something")
			}
			if n := a.Count("audit_logs", "`action` IN ('drift.finding', 'drift.repair')"); n != 2 {
				t.Errorf("%d audit rows, want one of the finding and one of the repair", n)
			}
			a.Want(http.StatusConflict, a.Do(http.MethodPost, driftPath+"/findings/"+first+"/repair", a.Staff(), nil))
		})
	}
}

// TestDriftForPeople is what no job puts right.
func TestDriftForPeople(t *testing.T) {
	for _, sc := range []struct {
		name, kind, ours, theirs string
		cause                    func(a *arcade)
	}{
		{"missing", "missing", "active", "", func(a *arcade) { a.Games.Destroy(a.server().ID) }},
		{"a second one", "extra", "", "by hand", func(a *arcade) { a.Games.Make(1, "ezs-nosuchservice01", 128) }},
		{"another owner", "wrong_owner", "", "1", func(a *arcade) { a.Games.Give(a.server().ID, 1) }},
		{"terminated here and still there", "wrong_state", "terminated", "active", func(a *arcade) {
			if err := a.Exec("UPDATE `services` SET `status` = 'terminated' WHERE `id` = '" + a.service + "'"); err != nil {
				a.Fatal(err)
			}
		}},
	} {
		t.Run(sc.name, func(t *testing.T) {
			a := newArcade(t)
			a.Games.Make(1, "", 128) // of others
			sc.cause(a)
			id := a.must(a.compared(), sc.kind, sc.ours, sc.theirs)
			servers := len(a.Games.Snapshot().Servers)
			if r := a.repair(id, http.StatusConflict); r.Code() != "by_hand" {
				t.Errorf("repair: %s, want by_hand", r)
			}
			a.Want(http.StatusUnprocessableEntity, a.Do(http.MethodPost, driftPath+"/findings/"+id+"/ignore", a.Staff(), map[string]any{"reason": " "}))
			a.Want(http.StatusOK, a.Do(http.MethodPost, driftPath+"/findings/"+id+"/ignore", a.Staff(), map[string]any{"reason": "known"}))
			if got := a.compared(); got.Len("items") != 0 || a.findings("ignored").Text("items.0.note") != "known" {
				t.Errorf("what is ignored came back: %s", got)
			}
			if n := len(a.Games.Snapshot().Servers); n != servers {
				t.Errorf("the panel has %d servers, had %d", n, servers)
			}
			if sc.kind == "wrong_state" { // the test's own edit, which the books would not bear
				if err := a.Exec("UPDATE `services` SET `status` = 'active' WHERE `id` = '" + a.service + "'"); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestIgnoredDriftReturnsWhenItIsAnother: staff agreed to one thing alone.
func TestIgnoredDriftReturnsWhenItIsAnother(t *testing.T) {
	a := newArcade(t)
	a.Games.Resize(a.server().ID, 8192)
	id := a.must(a.compared(), "wrong_plan", "2048", "8192")
	a.Want(http.StatusOK, a.Do(http.MethodPost, driftPath+"/findings/"+id+"/ignore", a.Staff(), map[string]any{"reason": "a present"}))
	a.Games.Resize(a.server().ID, 16384)
	if again := a.must(a.compared(), "wrong_plan", "2048", "16384"); again != id {
		t.Errorf("a second row %s", again)
	}
}

// TestAPanelThatBreaksOffProvesNothing is down after the first of two pages, which
// shows a difference already.
func TestAPanelThatBreaksOffProvesNothing(t *testing.T) {
	a := newArcade(t)
	for range 120 {
		a.Games.Make(1, "", 128)
	}
	a.Games.Suspend(a.server().ID, true)
	broken := true
	a.Games.Faults().After = func(r *http.Request) {
		if broken && r.URL.Query().Get("page") == "1" {
			a.Games.Faults().Add(fault.Fault{Match: a.list, Kind: fault.HTML502, Times: 1})
		}
	}
	a.Want(http.StatusOK, a.Do(http.MethodPost, driftPath+"/runs", a.Staff(), map[string]any{"platform": a.platform}))
	a.Eventually("it was tried", func() bool { return a.Count("jobs", "`kind` = 'platform.drift' AND `attempts` > 1") == 1 })
	if n := a.Count("drift_findings", "1 = 1"); n != 0 || a.Count("drift_runs", "`status` = 'running'") != 1 {
		t.Errorf("%d findings of half a list, want none and the comparison going on", n)
	}
	a.Want(http.StatusConflict, a.Do(http.MethodPost, driftPath+"/runs", a.Staff(), map[string]any{"platform": a.platform}))
	broken = false
	a.Eventually("the comparison ends", func() bool {
		a.Clock().Advance(time.Minute)
		return a.Count("drift_runs", "`status` = 'done' AND `seen` = 121 AND `known` = 1") == 1
	})
	a.must(a.findings(""), "wrong_state", "active", "suspended")
}

// TestAServiceBeingWorkedOnIsNotDrift leaves out what a job is about to change.
func TestAServiceBeingWorkedOnIsNotDrift(t *testing.T) {
	a := newArcade(t)
	a.Games.SetDaemon(false)
	a.Want(http.StatusOK, edit(a.App, a.order, map[string]any{"status": "suspended", "status_reason": "abuse"}))
	a.Eventually("the panel could not", func() bool {
		return a.Count("jobs", "`kind` = 'service.suspend' AND `attempts` > 0 AND `state` != 'done'") == 1
	})
	a.Games.Resize(a.server().ID, 8192)
	a.Want(http.StatusOK, a.Do(http.MethodPost, driftPath+"/runs", a.Staff(), map[string]any{"platform": a.platform}))
	a.Eventually("the comparison ends", func() bool { return a.Count("drift_runs", "`status` = 'done'") == 1 })
	if got := a.findings(""); got.Len("items") != 0 {
		t.Errorf("findings about a service with an open job: %s", got)
	}
	a.Games.SetDaemon(true)
}

// TestTheNightRepairsWhatTheSettingSays runs as the schedule does it.
func TestTheNightRepairsWhatTheSettingSays(t *testing.T) {
	a := newArcade(t)
	a.Clock().ToNoon() // past the hour of the comparison, on whatever day the test runs
	a.Pass(1)
	if n := a.Count("drift_runs", "`platform` = '"+a.platform+"' AND `status` = 'done'"); n != 1 {
		t.Fatalf("%d comparisons in a night, want one", n)
	}
	if err := a.Exec("INSERT INTO `settings` (`id`, `key`, `value`) VALUES ('driftsetting001', 'services', '{\"drift_repair\":[\"wrong_state\"]}') ON CONFLICT (`key`) DO UPDATE SET `value` = excluded.`value`"); err != nil {
		t.Fatal(err)
	}
	a.Games.Suspend(a.server().ID, true)
	a.Games.Resize(a.server().ID, 8192)
	a.Pass(1)
	if s := a.server(); s.Suspended || s.Limits.Memory != 8192 {
		t.Errorf("the server is %+v, want it on, and the memory left to people", s)
	}
	a.Pass(1)
	a.must(a.findings(""), "wrong_plan", "2048", "8192")
	if a.findings("gone").Text("items.0.kind") != "wrong_state" || a.Count("jobs", "`kind` = 'service.unsuspend'") != 1 {
		t.Errorf("gone: %s, want the repaired one after one job", a.findings("gone"))
	}
}

// TestAnotherPanelsListIsNotBelieved lists nothing of a whole fleet.
func TestAnotherPanelsListIsNotBelieved(t *testing.T) {
	a := newArcade(t)
	for n := range 25 {
		id := "driftfleet" + strconv.Itoa(10000+n)
		if err := a.Exec("INSERT INTO `services` (`id`, `user`, `subscription`, `plan`, `platform`, `status`, `platform_service_id`) SELECT '" + id + "', `user`, '" + id + "', `plan`, `platform`, 'active', '" + strconv.Itoa(9000+n) + "' FROM `services` WHERE `id` = '" + a.service + "'"); err != nil {
			t.Fatal(err)
		}
	}
	got := a.compared()
	runs := a.Want(http.StatusOK, a.Do(http.MethodGet, driftPath+"/runs", a.Staff(), nil))
	if got.Len("items") != 0 || runs.Text("items.0.status") != "failed" || !strings.Contains(runs.Text("items.0.error"), "does not list 25 of our 26") {
		t.Errorf("findings %s, runs %s; want a refusal", got, runs)
	}
	if err := a.Exec("DELETE FROM `services` WHERE `id` LIKE 'driftfleet%'"); err != nil {
		t.Fatal(err)
	}
}
