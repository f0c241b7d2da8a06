package pterobox

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/integrations/sandbox/fault"
)

func TestControlSwitches(t *testing.T) {
	b := newBench(t, Options{})
	b.built()
	post := func(path, body string) reply {
		return b.raw("POST", "/_sandbox"+path, body, "Content-Type", "application/json")
	}
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
		if got := post(s.path, s.body); got.status != s.status {
			t.Errorf("%s = %d %s, want %d", s.name, got.status, got.body, s.status)
		}
	}
	if got := b.raw("POST", "/_sandbox/room", `{"servers":-1}`, "Content-Type", "text/plain"); got.status != 415 {
		t.Errorf("a form of another site = %d, want 415", got.status)
	}
	b.must(500, "GET", "/application/nodes", "")
	b.must(200, "GET", "/application/nodes", "")
	b.must(400, "POST", servers, with("ezs-svc1", "ezs-svc2"))
	post("/room", `{"servers":-1}`)
	b.must(504, "POST", servers, with("ezs-svc1", "ezs-svc2"))
	post("/daemon", `{"up":1}`)
	b.must(201, "POST", servers, with("ezs-svc1", "ezs-svc2"))
	b.sleep(time.Minute)
	if got := b.must(200, "GET", servers+"/2", ""); got.at("attributes", "status") != "install_failed" {
		t.Errorf("the broken installation = %v", got.at("attributes", "status"))
	}
	b.must(204, "POST", servers+"/2/reinstall", "")
	b.sleep(time.Minute)
	if got := b.must(200, "GET", servers+"/2", ""); got.at("attributes", "status") != nil {
		t.Errorf("the next installation = %v", got.at("attributes", "status"))
	}
	if got := b.raw("DELETE", "/_sandbox/servers/2", ""); got.status != 204 {
		t.Errorf("destroy = %d, want 204", got.status)
	}
	if got := b.raw("DELETE", "/_sandbox/servers/2", ""); got.status != 404 {
		t.Errorf("destroy again = %d, want 404", got.status)
	}
	b.box.Faults().Add(fault.Fault{Kind: fault.Error500})
	if got := b.raw("DELETE", "/_sandbox/faults", ""); got.status != 204 || len(b.box.Faults().List()) != 0 {
		t.Errorf("clear = %d and %v", got.status, b.box.Faults().List())
	}
	if got := b.raw("GET", "/_sandbox/state", ""); got.at("created") != 2.0 || got.at("servers", 0, "external_id") != "ezs-svc1" {
		t.Errorf("state = %s", got.body)
	}
}

var inline = regexp.MustCompile(`(?i)<script|<style|\sstyle=|\son[a-z]+=|javascript:`)

func TestPagesHaveNothingInline(t *testing.T) {
	b := newBench(t, Options{})
	b.must(201, "POST", "/application/users", ada)
	b.must(201, "POST", servers, with(`"name":"svc1"`, `"name":"<script>alert(1)</script>"`))
	ref := b.box.Snapshot().Servers[0].Identifier
	for at, want := range map[string]int{"/_sandbox/": 200, "/server/" + ref: 200, "/server/none": 404} {
		got := b.raw("GET", at, "")
		if got.status != want || inline.MatchString(got.body) || strings.Count(got.body, "<title>") != 1 {
			t.Errorf("%s = %d %s", at, got.status, got.body)
		}
	}
	if got := b.raw("GET", "/_sandbox/style.css", ""); got.status != 200 || got.body == "" {
		t.Errorf("style = %d", got.status)
	}
	if got := b.raw("GET", "/", ""); got.status != 302 {
		t.Errorf("front page = %d, want 302", got.status)
	}
}

func TestCannedAnswers(t *testing.T) {
	b := newBench(t, Options{})
	b.box.Answer("GET /api/application/nests", 409, `{"errors":[]}`, 1)
	b.must(200, "GET", "/application/nodes", "")
	b.must(409, "GET", "/application/nests", "")
	b.must(200, "GET", "/application/nests", "")
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
	if got := b.must(200, "GET", "/client/account", ""); got.at("attributes", "admin") != false {
		t.Errorf("account = %s", got.body)
	}
}
