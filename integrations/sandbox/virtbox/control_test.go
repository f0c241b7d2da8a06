package virtbox

import (
	"net/url"
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
		if got := b.Switch(s.path, s.body); got.Status != s.status {
			t.Errorf("%s = %d %s, want %d", s.name, got.Status, got.Body, s.status)
		}
	}
	if got := b.Raw("POST", "/_sandbox/room", `{"servers":-1}`, "Content-Type", "text/plain"); got.Status != 415 {
		t.Errorf("a form of another site = %d, want 415", got.Status)
	}
	b.Must(500, "GET", "/packages", "")
	b.Must(200, "GET", "/packages", "")
	b.Must(422, "POST", "/servers", `{"packageId":2,"userId":1,"hypervisorId":1}`)
	b.Switch("/room", `{"servers":-1}`)
	b.Must(201, "POST", "/servers", `{"packageId":2,"userId":1,"hypervisorId":1}`)
	b.Must(200, "POST", "/servers/2/build", `{"operatingSystemId":8}`)
	b.Sleep(time.Minute)
	if got := b.Must(200, "GET", "/servers/2", ""); got.At("data", "state") != "failed" || got.At("data", "commissionStatus") != 2.0 {
		t.Errorf("the broken build = %v", got.At("data", "state"))
	}
	b.Must(200, "POST", "/servers/2/build", `{"operatingSystemId":8}`)
	b.Sleep(time.Minute)
	if got := b.Must(200, "GET", "/servers/2", ""); got.At("data", "state") != "complete" {
		t.Errorf("the next build = %v, want complete", got.At("data", "state"))
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
	if got := b.Raw("GET", "/_sandbox/state", ""); got.At("created") != 2.0 || got.At("servers", 0, "name") != "svc1" {
		t.Errorf("state = %s", got.Body)
	}
}

func TestPagesHaveNothingInline(t *testing.T) {
	b := newBench(t, Options{})
	b.built()
	b.Must(201, "PUT", "/servers/1/modify/name", `{"name":"<script>alert(1)</script>"}`)
	link := b.Must(200, "POST", "/users/ezs-1/serverAuthenticationTokens/1?relStr=true", "").At("data", "authentication", "endpoint_complete")
	path, _ := link.(string)
	b.Pages(map[string]int{"/_sandbox/": 200, path: 200, "/token_authenticate/?1=x&2=y": 403})
}

func TestSignInTokens(t *testing.T) {
	b := newBench(t, Options{})
	b.built()
	b.Must(404, "POST", "/users/ezs-1/serverAuthenticationTokens/9?relStr=true", "")
	b.Must(404, "POST", "/users/ezs-1/authenticationTokens", "")
	pair := func() url.Values {
		a := b.Must(200, "POST", "/users/ezs-1/authenticationTokens?relStr=true", "")
		if ttl := a.At("data", "authentication", "expiry", "ttl"); ttl != 60.0 {
			t.Errorf("ttl = %v, want 60", ttl)
		}
		s, _ := a.At("data", "authentication", "endpoint_complete").(string)
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return u.Query()
	}
	visit := func(q url.Values) int { return b.Raw("GET", "/token_authenticate/?"+q.Encode(), "").Status }
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
	b.Sleep(signInLife + time.Second)
	if got := visit(q); got != 403 {
		t.Errorf("late visit = %d, want 403", got)
	}
}

func TestCannedAnswers(t *testing.T) {
	b := newBench(t, Options{})
	b.box.Answer("GET /api/v1/packages", 423, `{"msg":"locked"}`, 1)
	b.Must(200, "GET", "/connect", "")
	b.Must(423, "GET", "/packages", "")
	b.Must(200, "GET", "/packages", "")
}
