package provisioning_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/internal/testapp"
)

// stuck is a paid service whose server was made while the answer was lost, beside
// another unused server of the same customer: which is the right one, nothing tells.
type stuck struct {
	*testapp.App
	ada, eve *testapp.Person
	o, other *testapp.Order
	made     int64  // what our lost call made
	foreign  string // eve's server
}

func getStuck(t *testing.T) *stuck {
	t.Helper()
	app := testapp.New(t)
	s := &stuck{App: app, ada: app.Customer("ada"), eve: app.Customer("eve")}
	s.foreign = app.Service(app.Buy(s.eve, testapp.Cart{})).GetString("platform_service_id")
	s.other = app.Buy(s.ada, testapp.Cart{})
	app.Quiet()
	app.Panel.Faults().Add(fault.Fault{Match: "POST /api/v1/servers", Kind: fault.LostAnswer, Times: 1})
	app.Panel.Faults().Add(fault.Fault{Match: "GET /api/v1/servers/user/", Kind: fault.Error500, Times: 3})
	s.o = app.Order(s.ada, testapp.Cart{})
	app.Pay(s.o)
	app.Eventually("the answer is lost", func() bool {
		app.Clock().Advance(time.Second)
		return app.Panel.Snapshot().Created == 3
	})
	servers := app.Panel.Snapshot().Servers
	s.made = servers[len(servers)-1].ID
	app.Panel.Allocate(s.owner(app.Service(s.other).GetString("platform_service_id")), 1)
	app.Eventually("it is given up", func() bool {
		app.Clock().Advance(11 * time.Minute)
		return app.Count("jobs", "`kind` = 'service.provision' AND `state` = 'failed'") == 1
	})
	return s
}

// owner is the panel's user who has a server.
func (s *stuck) owner(remote string) int64 {
	s.Helper()
	for _, srv := range s.Panel.Snapshot().Servers {
		if strconv.FormatInt(srv.ID, 10) == remote {
			return srv.Owner
		}
	}
	s.Fatalf("there is no server %s", remote)
	return 0
}

func (s *stuck) job() *core.Record {
	s.Helper()
	return s.One("jobs", dbx.HashExp{"service": s.o.Services[0], "kind": "service.provision"})
}

func (s *stuck) act(in map[string]string) *testapp.Answer {
	s.Helper()
	in["reason"] = "looked at the panel"
	return s.Do(http.MethodPost, "/api/v1/staff/jobs/"+s.job().Id, s.Staff(), in)
}

func (s *stuck) hand(way, reason string) *testapp.Answer {
	s.Helper()
	return s.Do(http.MethodPost, "/api/v1/staff/services/"+s.o.Services[0]+"/"+way, s.Staff(), map[string]string{"reason": reason})
}

func TestStaffAdoptsTheServerWhoseAnswerWasLost(t *testing.T) {
	s := getStuck(t)
	if got := s.job().GetString("error"); !strings.Contains(got, "could all be it") {
		t.Fatalf("the job failed with %q", got)
	}
	made := strconv.FormatInt(s.made, 10)
	for _, no := range []struct{ name, remote, code, word string }{
		{"somebody else's", s.foreign, "taken", ""},
		{"another service of the same customer", s.Service(s.other).GetString("platform_service_id"), "taken", ""},
		{"none", "4711", "not_theirs", "not found"},
		{"no id at all", "../users", "not_theirs", "no server id"},
	} {
		if r := s.act(map[string]string{"action": "adopt", "remote_id": no.remote}); r.Code() != no.code || !strings.Contains(string(r.Body), no.word) {
			t.Errorf("%s: %s, want %s", no.name, r, no.code)
		}
	}
	// unknown here, but the panel knows whose it is
	if err := s.Exec("UPDATE `services` SET `platform_service_id` = 'x' WHERE `platform_service_id` = '" + s.foreign + "'"); err != nil {
		t.Fatal(err)
	}
	if r := s.act(map[string]string{"action": "adopt", "remote_id": s.foreign}); r.Code() != "not_theirs" || !strings.Contains(string(r.Body), "belongs to panel user") {
		t.Errorf("a stranger's server: %s, want not_theirs with its owner", r)
	}
	if r := s.act(map[string]string{"action": "adopt"}); r.Status != http.StatusUnprocessableEntity {
		t.Errorf("no id: %s, want 422", r)
	}
	if got := s.Service(s.o).GetString("platform_service_id"); got != "" {
		t.Fatalf("refused, and yet the service has server %s", got)
	}
	s.Want(http.StatusNoContent, s.act(map[string]string{"action": "adopt", "remote_id": made}))
	s.Active(s.o)
	s.Quiet()
	if svc := s.Service(s.o); svc.GetString("platform_service_id") != made || svc.GetString("credentials") == "" || svc.GetString("ipv4") == "" {
		t.Errorf("the service has server %s, ipv4 %q; want %s with address and sign-in", svc.GetString("platform_service_id"), svc.GetString("ipv4"), made)
	}
	if snap := s.Panel.Snapshot(); snap.Created != 4 {
		t.Errorf("%d servers were made, want the four that there were", snap.Created)
	}
	if n := s.Count("audit_logs", "`action` = 'job.adopt' AND `changes` LIKE '%\"remote_id\":\""+made+"\"%'"); n != 1 {
		t.Errorf("%d audit rows, want 1", n)
	}
	if r := s.act(map[string]string{"action": "adopt", "remote_id": made}); r.Code() != "not_given_up" {
		t.Errorf("once more: %s, want not_given_up", r)
	}
}

// What the lost call made is not forgotten while people work on the service.
func TestStaffTakesABuildOverAndHandsItBack(t *testing.T) {
	s := getStuck(t)
	s.Want(http.StatusNoContent, s.act(map[string]string{"action": "take_over"}))
	s.Eventually("it waits for staff", func() bool { return s.job().GetString("state") == "parked" })
	if r := s.Do(http.MethodGet, "/api/v1/services/"+s.o.Services[0], s.ada.Token, nil); !strings.Contains(r.Text("action_note"), "by hand") || r.Text("display") != "building" && r.Text("display") != "failed" {
		t.Errorf("the customer sees %s", r)
	}
	if r := s.act(map[string]string{"action": "retry"}); r.Code() != "by_hand" {
		t.Errorf("retry: %s, want by_hand", r)
	}
	if r := s.hand("take-over", "again"); r.Code() != "by_hand" {
		t.Errorf("taken over twice: %s", r)
	}
	s.Panel.Destroy(s.made + 1) // the other one, so that nothing is in doubt any more
	s.Want(http.StatusNoContent, s.hand("hand-back", "the panel is tidy"))
	s.Active(s.o)
	if got := s.Service(s.o).GetString("platform_service_id"); got != strconv.FormatInt(s.made, 10) {
		t.Errorf("it has server %s, want %d", got, s.made)
	}
	if snap := s.Panel.Snapshot(); snap.Created != 4 {
		t.Errorf("%d servers were made, want 4", snap.Created)
	}
}

func TestStaffSetsAServiceUpByHand(t *testing.T) {
	s := getStuck(t)
	s.Want(http.StatusNoContent, s.act(map[string]string{"action": "take_over"}))
	s.Eventually("it waits for staff", func() bool { return s.job().GetString("state") == "parked" })
	s.Want(http.StatusOK, edit(s.App, s.o, map[string]any{"status": "active", "ipv4": "192.0.2.9"}))
	svc := s.Service(s.o)
	if svc.GetString("status") != "active" || s.job().GetString("state") != "done" {
		t.Errorf("it is %s and its job %s, want active and done", svc.GetString("status"), s.job().GetString("state"))
	}
	path := "/api/v1/services/" + svc.Id
	if r := s.Do(http.MethodPost, path+"/power", s.ada.Token, map[string]string{"action": "restart"}); r.Code() != "not_offered" {
		t.Errorf("power by hand: %s, want not_offered", r)
	}
	if r := s.hand("hand-back", "done"); r.Code() != "no_server" {
		t.Errorf("handed back without a server: %s", r)
	}
	eves := strconv.FormatInt(s.Panel.Allocate(s.owner(s.foreign), 1), 10)
	s.Want(http.StatusOK, edit(s.App, s.o, map[string]any{"platform_service_id": eves}))
	if r := s.hand("hand-back", "done"); r.Code() != "not_theirs" {
		t.Errorf("handed back with eve's server: %s, want 409", r)
	}
	s.Want(http.StatusOK, edit(s.App, s.o, map[string]any{"platform_service_id": strconv.FormatInt(s.made, 10)}))
	s.Want(http.StatusNoContent, s.hand("hand-back", "done"))
	if r := s.Want(http.StatusOK, s.Do(http.MethodGet, path, s.ada.Token, nil)); !strings.Contains(string(r.Body), `"power"`) {
		t.Errorf("after it was handed back: %s, want its abilities", r)
	}
}

// A password that cannot be set holds a server back that runs; staff leaves the step
// out, and the customer sets one.
func TestStaffSkipsAStep(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	app.Panel.Faults().Add(fault.Fault{Match: "POST /api/v1/servers/1/build", Kind: fault.LostAnswer, Times: 1})
	app.Panel.Answer("POST /api/v1/servers/1/resetPassword", http.StatusUnprocessableEntity, `{"errors":["guest agent missing"]}`, 1)
	o := app.Order(ada, testapp.Cart{})
	app.Pay(o)
	app.Eventually("it is given up", func() bool { app.Clock().Advance(5 * time.Second); return app.Count("jobs", "`state` = 'failed'") == 1 })
	job := app.One("jobs", dbx.HashExp{"state": "failed"})
	app.Want(http.StatusNoContent, app.Do(http.MethodPost, "/api/v1/staff/jobs/"+job.Id, app.Staff(), map[string]string{"action": "skip", "reason": "no guest agent"}))
	app.Active(o)
	if svc := app.Service(o); svc.GetString("credentials") != "" || svc.GetString("ipv4") == "" {
		t.Errorf("credentials %t, ipv4 %q; want none and an address", svc.GetString("credentials") != "", svc.GetString("ipv4"))
	}
	if n := app.Count("audit_logs", "`action` = 'job.skip'"); n != 1 {
		t.Errorf("%d audit rows, want 1", n)
	}
}

func TestWhatCannotBeSkipped(t *testing.T) {
	s := getStuck(t)
	if r := s.act(map[string]string{"action": "skip"}); r.Code() != "not_skippable" {
		t.Errorf("skip the making of the server: %s, want not_skippable", r)
	}
	if got := s.job().GetString("state"); got != "failed" {
		t.Errorf("the job is %s, want failed", got)
	}
}
