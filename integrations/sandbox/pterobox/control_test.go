package pterobox

import (
	"testing"
	"time"

	"github.com/ezscale/ezscale/integrations/sandbox/fault"
)

func TestControlSwitches(t *testing.T) {
	b := newBench(t, Options{})
	b.built()
	scenarios := []struct {
		name, path, body string
		status           int
	}{
		{"a fault", "/faults", `{"match":"GET /api/application/nodes","kind":"error_500","times":1}`, 204},
		{"an unknown fault", "/faults", `{"kind":"meteor"}`, 400},
		{"no JSON", "/faults", `kind=slow`, 400},
		{"failing installations", "/builds/break", `{"times":1}`, 204},
		{"failing installations of nothing", "/builds/break", `{}`, 400},
		{"room", "/room", `{"servers":0}`, 204},
		{"daemons", "/daemon", `{"up":0}`, 204},
		{"daemons by another name", "/daemon", `{"down":1}`, 400},
	}
	for _, s := range scenarios {
		if got := b.Switch(s.path, s.body); got.Status != s.status {
			t.Errorf("%s = %d %s, want %d", s.name, got.Status, got.Body, s.status)
		}
	}
	if got := b.Raw("POST", "/_sandbox/room", `{"servers":-1}`, "Content-Type", "text/plain"); got.Status != 415 {
		t.Errorf("a form of another site = %d, want 415", got.Status)
	}
	b.Must(500, "GET", "/application/nodes", "")
	b.Must(200, "GET", "/application/nodes", "")
	b.Must(400, "POST", servers, with("ezs-svc1", "ezs-svc2"))
	b.Switch("/room", `{"servers":-1}`)
	b.Must(504, "POST", servers, with("ezs-svc1", "ezs-svc2"))
	b.Switch("/daemon", `{"up":1}`)
	b.Must(201, "POST", servers, with("ezs-svc1", "ezs-svc2"))
	b.Sleep(time.Minute)
	if got := b.Must(200, "GET", servers+"/2", ""); got.At("attributes", "status") != "install_failed" {
		t.Errorf("the broken installation = %v", got.At("attributes", "status"))
	}
	b.Must(204, "POST", servers+"/2/reinstall", "")
	b.Sleep(time.Minute)
	if got := b.Must(200, "GET", servers+"/2", ""); got.At("attributes", "status") != nil {
		t.Errorf("the next installation = %v", got.At("attributes", "status"))
	}
	if got := b.Raw("DELETE", "/_sandbox/servers/2", ""); got.Status != 204 {
		t.Errorf("destroy = %d, want 204", got.Status)
	}
	if got := b.Raw("DELETE", "/_sandbox/servers/2", ""); got.Status != 404 {
		t.Errorf("destroy again = %d, want 404", got.Status)
	}
	b.box.Faults().Add(fault.Fault{Kind: fault.Error500})
	if got := b.Raw("DELETE", "/_sandbox/faults", ""); got.Status != 204 || len(b.box.Faults().List()) != 0 {
		t.Errorf("clear = %d and %v", got.Status, b.box.Faults().List())
	}
	if got := b.Raw("GET", "/_sandbox/state", ""); got.At("created") != 2.0 || got.At("servers", 0, "external_id") != "ezs-svc1" {
		t.Errorf("state = %s", got.Body)
	}
}

func TestPagesHaveNothingInline(t *testing.T) {
	b := newBench(t, Options{})
	b.Must(201, "POST", "/application/users", ada)
	b.Must(201, "POST", servers, with(`"name":"svc1"`, `"name":"<script>alert(1)</script>"`))
	ref := b.box.Snapshot().Servers[0].Identifier
	b.Pages(map[string]int{"/_sandbox/": 200, "/server/" + ref: 200, "/server/none": 404})
}

func TestCannedAnswers(t *testing.T) {
	b := newBench(t, Options{})
	b.box.Answer("GET /api/application/nests", 409, `{"errors":[]}`, 1)
	b.Must(200, "GET", "/application/nodes", "")
	b.Must(409, "GET", "/application/nests", "")
	b.Must(200, "GET", "/application/nests", "")
}

// What staff does in the panel.
func TestStaffActs(t *testing.T) {
	b := newBench(t, Options{})
	b.built()
	b.box.Suspend(1, true)
	if !b.box.Snapshot().Servers[0].Suspended {
		t.Error("it is not suspended")
	}
	b.box.Suspend(1, false)
	id := b.box.Register("", "bob@example.com", false)
	b.box.Give(1, id)
	if s := b.box.Snapshot().Servers[0]; s.Owner != id || s.Suspended {
		t.Errorf("server = %+v", s)
	}
	b.box.SetAdmin(false)
	if got := b.Must(200, "GET", "/client/account", ""); got.At("attributes", "admin") != false {
		t.Errorf("account = %s", got.Body)
	}
}
