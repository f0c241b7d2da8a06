package virtbox

import (
	"net/url"
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
		{"a fault", "/faults", `{"match":"GET /api/v1/packages","kind":"error_500","times":1}`, 204},
		{"an unknown fault", "/faults", `{"kind":"meteor"}`, 400},
		{"an unknown field", "/faults", `{"kind":"slow","x":1}`, 400},
		{"no JSON", "/faults", `kind=slow`, 400},
		{"failing builds", "/builds/break", `{"times":1}`, 204},
		{"failing builds of nothing", "/builds/break", `{}`, 400},
		{"room", "/room", `{"servers":0}`, 204},
		{"room by another name", "/room", `{"times":0}`, 400},
	}
	for _, s := range scenarios {
		if got := post(s.path, s.body); got.status != s.status {
			t.Errorf("%s = %d %s, want %d", s.name, got.status, got.body, s.status)
		}
	}
	if got := b.raw("POST", "/_sandbox/room", `{"servers":-1}`, "Content-Type", "text/plain"); got.status != 415 {
		t.Errorf("a form of another site = %d, want 415", got.status)
	}
	b.must(500, "GET", "/packages", "")
	b.must(200, "GET", "/packages", "")
	b.must(422, "POST", "/servers", `{"packageId":2,"userId":1,"hypervisorId":1}`)
	post("/room", `{"servers":-1}`)
	b.must(201, "POST", "/servers", `{"packageId":2,"userId":1,"hypervisorId":1}`)
	b.must(200, "POST", "/servers/2/build", `{"operatingSystemId":8}`)
	b.sleep(time.Minute)
	if got := b.must(200, "GET", "/servers/2", ""); got.at("data", "state") != "failed" || got.at("data", "commissionStatus") != 2.0 {
		t.Errorf("the broken build = %v", got.at("data", "state"))
	}
	b.must(200, "POST", "/servers/2/build", `{"operatingSystemId":8}`)
	b.sleep(time.Minute)
	if got := b.must(200, "GET", "/servers/2", ""); got.at("data", "state") != "complete" {
		t.Errorf("the next build = %v, want complete", got.at("data", "state"))
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
	if got := b.raw("GET", "/_sandbox/state", ""); got.at("created") != 2.0 || got.at("servers", 0, "name") != "svc1" {
		t.Errorf("state = %s", got.body)
	}
}

var inline = regexp.MustCompile(`(?i)<script|<style|\sstyle=|\son[a-z]+=|javascript:`)

func TestPagesHaveNothingInline(t *testing.T) {
	b := newBench(t, Options{})
	b.built()
	b.must(201, "PUT", "/servers/1/modify/name", `{"name":"<script>alert(1)</script>"}`)
	link := b.must(200, "POST", "/users/ezs-1/serverAuthenticationTokens/1?relStr=true", "").at("data", "authentication", "endpoint_complete")
	path, _ := link.(string)
	for at, want := range map[string]int{"/_sandbox/": 200, path: 200, "/token_authenticate/?1=x&2=y": 403} {
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

func TestSignInTokens(t *testing.T) {
	b := newBench(t, Options{})
	b.built()
	b.must(404, "POST", "/users/ezs-1/serverAuthenticationTokens/9?relStr=true", "")
	b.must(404, "POST", "/users/ezs-1/authenticationTokens", "")
	pair := func() url.Values {
		a := b.must(200, "POST", "/users/ezs-1/authenticationTokens?relStr=true", "")
		if ttl := a.at("data", "authentication", "expiry", "ttl"); ttl != 60.0 {
			t.Errorf("ttl = %v, want 60", ttl)
		}
		s, _ := a.at("data", "authentication", "endpoint_complete").(string)
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return u.Query()
	}
	visit := func(q url.Values) int { return b.raw("GET", "/token_authenticate/?"+q.Encode(), "").status }
	half := pair()
	half.Set("2", "wrong")
	if got := visit(half); got != 403 {
		t.Errorf("half a pair = %d, want 403", got)
	}
	q := pair()
	if got := visit(q); got != 200 {
		t.Errorf("first visit = %d, want 200", got)
	}
	if got := visit(q); got != 403 {
		t.Errorf("second visit = %d, want 403", got)
	}
	q = pair()
	b.sleep(signInLife + time.Second)
	if got := visit(q); got != 403 {
		t.Errorf("late visit = %d, want 403", got)
	}
}

func TestCannedAnswers(t *testing.T) {
	b := newBench(t, Options{})
	b.box.Answer("GET /api/v1/packages", 423, `{"msg":"locked"}`, 1)
	b.must(200, "GET", "/connect", "")
	b.must(423, "GET", "/packages", "")
	b.must(200, "GET", "/packages", "")
}
