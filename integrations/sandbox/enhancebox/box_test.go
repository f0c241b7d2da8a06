package enhancebox

import (
	"strings"
	"sync"
	"testing"

	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
)

const (
	token  = "tok"
	seller = "/orgs/" + SellerID
	ada    = `{"email":"ada@example.com","password":"longenough","name":"Ada L."}`
)

// bench is a box with a clock that tests move, called without a network.
type bench struct {
	*paneltest.Bench
	box *Box
	org string // path of the customer that built makes
}

func newBench(t *testing.T) *bench {
	t.Helper()
	clock := paneltest.NewClock()
	box := New(Options{Token: token, Now: clock.Now, PanelURL: "http://panel"})
	return &bench{Bench: &paneltest.Bench{
		T: t, Clock: clock, Handler: box.Handler(), Path: "/api", Header: func(string) []string { return []string{"Authorization", "Bearer " + token} },
	}, box: box}
}

// built makes a customer with its owner, subscription 501 and a website.
func (b *bench) built() {
	b.T.Helper()
	id := func(r paneltest.Reply) string { s, _ := r.At("id").(string); return s }
	org := id(b.Must(201, "POST", seller+"/customers", `{"name":"Ada L."}`))
	login := id(b.Must(201, "POST", "/logins?orgId="+org, ada))
	b.org = "/orgs/" + org
	b.Must(201, "POST", b.org+"/members", `{"loginId":"`+login+`","roles":["Owner"]}`)
	b.Must(201, "POST", seller+"/customers/"+org+"/subscriptions", `{"planId":11,"friendlyName":"svc1"}`)
	b.Must(201, "POST", b.org+"/websites?kind=normal", `{"domain":"example.org","subscriptionId":501}`)
}

func TestRefusals(t *testing.T) {
	scenarios := []struct {
		name, method, path, body, says string
		status                         int
	}{
		{"an unknown route", "GET", "/nothing", "", "Not Found", 404},
		{"an id that is none", "GET", "/orgs/7", "", "UUID parsing failed", 404},
		{"an unknown organization", "GET", "/orgs/6f1c0000-0000-4000-8000-000000000009", "", "not_found", 404},
		{"a name of nothing", "POST", seller + "/customers", `{}`, "missing field name", 400},
		{"an unknown field", "POST", seller + "/customers", `{"name":"x","email":"y"}`, "unknown field", 400},
		{"an unknown parameter", "GET", seller + "/customers?search=x", "", "unknown query", 400},
		{"a page of words", "GET", seller + "/customers?limit=x", "", "invalid value", 400},
		{"a login again", "POST", "/logins?orgId=ORG", ada, "already_exists", 409},
		{"a login of nobody", "POST", "/logins", ada, "not_found", 404},
		{"a short password", "POST", "/logins?orgId=ORG", strings.Replace(ada, "longenough", "short", 1), "too short", 400},
		{"no address", "POST", "/logins?orgId=ORG", strings.Replace(ada, "@", "", 1), "e-mail", 400},
		{"a member of nothing", "POST", "ORG/members", `{"loginId":"x","roles":["Owner"]}`, "not_found", 404},
		{"a plan as text", "POST", seller + "/customers/ORG/subscriptions", `{"planId":"11"}`, "expected i32", 400},
		{"an unknown plan", "POST", seller + "/customers/ORG/subscriptions", `{"planId":99}`, "plan", 404},
		{"an unknown plan for a change", "PATCH", "ORG/subscriptions/501", `{"planId":99}`, "plan", 404},
		{"an unknown subscription", "GET", "ORG/subscriptions/502", "", "subscription", 404},
		{"a domain that is taken", "POST", "ORG/websites", `{"domain":"example.org","subscriptionId":501}`, "already_exists", 409},
		{"more websites than the plan has", "POST", "ORG/websites", `{"domain":"two.example.org","subscriptionId":501}`, "resource_limit", 403},
		{"no domain", "POST", "ORG/websites", `{"domain":"example","subscriptionId":501}`, "domain", 400},
		{"a website of nothing", "GET", "ORG/websites/x", "", "website", 404},
		{"a link for nobody", "GET", "ORG/members/x/sso", "", "member", 404},
		{"a password for nobody", "PUT", "/v2/logins/x/password", `{"newPassword":"longenough"}`, "login", 404},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			b := newBench(t)
			b.built()
			path := strings.Replace(s.path, "ORG", b.org, 1)
			if !strings.HasPrefix(s.path, "ORG") {
				path = strings.Replace(s.path, "ORG", strings.TrimPrefix(b.org, "/orgs/"), 1)
			}
			if got := b.Call(s.method, path, s.body); got.Status != s.status || !strings.Contains(got.Body, s.says) {
				t.Errorf("%d %s, want %d saying %q", got.Status, got.Body, s.status, s.says)
			}
		})
	}
	b := newBench(t)
	if got := b.Raw("GET", "/api"+seller, "", "Authorization", "Bearer other"); got.Status != 401 || got.At("code") != "invalid_session_token" {
		t.Errorf("another token = %d %s", got.Status, got.Body)
	}
	if got := b.Raw("GET", "/api/version", ""); got.Status != 200 || got.Body != "\"12.21.3\"\n" {
		t.Errorf("version = %s", got.Body)
	}
}

// What is deleted softly keeps its domain, and comes back when its status is set.
func TestSoftDeletion(t *testing.T) {
	b := newBench(t)
	b.built()
	check := func() any {
		return b.Must(200, "POST", seller+"/domains/check", `{"domain":"example.org"}`).At("status")
	}
	if got := check(); got != "inUseAnotherOrg" {
		t.Errorf("in use = %v", got)
	}
	b.Must(204, "DELETE", b.org+"/subscriptions/501?force=false", "")
	if got := b.Must(200, "GET", b.org+"/subscriptions/501", ""); got.At("status") != "deleted" || check() != "inUseDeletedSite" {
		t.Errorf("deleted = %s, its domain %v", got.Body, check())
	}
	if got := b.Must(200, "GET", b.org+"/websites?subscriptionId=501", ""); got.At("total") != 0.0 {
		t.Errorf("websites = %s", got.Body)
	}
	b.Must(204, "PATCH", b.org+"/subscriptions/501", `{"status":"active"}`)
	if got := b.Must(200, "GET", b.org+"/subscriptions/501", ""); got.At("status") != "active" {
		t.Errorf("restored = %s", got.Body)
	}
	b.Must(204, "DELETE", b.org+"/subscriptions/501?force=true", "")
	b.Must(404, "GET", b.org+"/subscriptions/501", "")
	if got := check(); got != "notInUse" {
		t.Errorf("wiped = %v", got)
	}
}

// Suspension shows as who did it, on its own level.
func TestSuspension(t *testing.T) {
	b := newBench(t)
	b.built()
	b.Must(204, "PATCH", b.org+"/subscriptions/501", `{"isSuspended":true}`)
	if got := b.Must(200, "GET", b.org+"/subscriptions/501", ""); got.At("suspendedBy") != SellerID {
		t.Errorf("subscription = %s", got.Body)
	}
	if got := b.Must(200, "GET", b.org, ""); got.At("suspendedBy") != nil || got.At("ownerEmail") != "ada@example.com" {
		t.Errorf("organization = %s", got.Body)
	}
	b.box.SuspendOrg(strings.TrimPrefix(b.org, "/orgs/"), true)
	b.Must(204, "PATCH", b.org+"/subscriptions/501", `{"isSuspended":false}`)
	if got := b.Must(200, "GET", b.org, ""); got.At("suspendedBy") != SellerID {
		t.Errorf("organization = %s", got.Body)
	}
}

func TestPagesAndSwitches(t *testing.T) {
	b := newBench(t)
	b.built()
	members := b.Must(200, "GET", b.org+"/members", "")
	member, _ := members.At("items", 0, "id").(string)
	got := b.Must(201, "GET", b.org+"/members/"+member+"/sso", "")
	link := strings.TrimPrefix(strings.Trim(got.Body, "\"\n"), "http://panel")
	b.Must(201, "POST", seller+"/customers", `{"name":"<script>alert(1)</script>"}`)
	b.Pages(map[string]int{"/_sandbox/": 200, link: 200, "/login/sessions/sso?otp=x": 403})
	if got := b.Raw("GET", link, ""); got.Status != 403 {
		t.Errorf("a link twice = %d, want 403", got.Status)
	}
	b.Switch("/faults", `{"match":"GET /api/status","kind":"error_500","times":1}`)
	b.Must(500, "GET", "/status", "")
	b.Must(200, "GET", "/status", "")
	b.box.Answer("GET /api/status", 423, "{}", 1)
	b.Must(423, "GET", "/status", "")
	if got := b.Raw("DELETE", "/_sandbox/servers/501", ""); got.Status != 204 {
		t.Errorf("destroy = %d", got.Status)
	}
	if got := b.Raw("DELETE", "/_sandbox/servers/501", ""); got.Status != 404 {
		t.Errorf("destroy again = %d, want 404", got.Status)
	}
	if got := b.Raw("GET", "/_sandbox/state", ""); got.At("made") != 1.0 || got.At("logins") != 1.0 {
		t.Errorf("state = %s", got.Body)
	}
}

// Lists are cut into pages by offset.
func TestPaging(t *testing.T) {
	b := newBench(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 30 {
				b.Call("POST", seller+"/customers", `{"name":"x"}`)
			}
		})
	}
	wg.Wait()
	for query, want := range map[string]int{"": 100, "?offset=200": 40, "?offset=300": 0, "?limit=500": 240} {
		got := b.Must(200, "GET", seller+"/customers"+query, "")
		if list, _ := got.At("items").([]any); len(list) != want || got.At("total") != 240.0 {
			t.Errorf("%q: %d of %v, want %d", query, len(list), got.At("total"), want)
		}
	}
}

// FuzzRequest: no body and no path makes the panel fall over or answer with a
// server error.
func FuzzRequest(f *testing.F) {
	f.Add("POST", "/api"+seller+"/customers", `{"name":"x"}`)
	f.Add("PATCH", "/api"+seller+"/subscriptions/1", `{"planId":1e300}`)
	f.Add("GET", "/api"+seller+"/customers?offset=99999999999&limit=0", "")
	f.Add("POST", "/api/orgs/x/members", `{"loginId":null,"roles":[1]}`)
	box := New(Options{Token: token})
	h := box.Handler()
	f.Fuzz(func(t *testing.T, method, path, body string) {
		paneltest.Fuzz(t, h, method, path, body, "Authorization", "Bearer "+token)
	})
}
