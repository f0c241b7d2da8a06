package pterobox

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	applicationKey = "ptla_app"
	clientKey      = "ptlc_cli"
)

// bench is a box with a clock that tests move, called without a network.
type bench struct {
	t   *testing.T
	box *Box
	h   http.Handler
	mu  sync.Mutex
	now time.Time
}

func newBench(t *testing.T, o Options) *bench {
	t.Helper()
	b := &bench{t: t, now: time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)}
	o.ApplicationKey, o.ClientKey = applicationKey, clientKey
	o.Now = func() time.Time { b.mu.Lock(); defer b.mu.Unlock(); return b.now }
	b.box = New(o)
	b.h = b.box.Handler()
	return b
}

func (b *bench) sleep(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

// reply is a status and the decoded body, whatever it is.
type reply struct {
	status int
	body   string
	header http.Header
	v      map[string]any
}

// at walks a decoded body: keys of objects, indices of lists.
func (r reply) at(path ...any) any {
	var v any = r.v
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

func (b *bench) raw(method, path, body string, header ...string) reply {
	b.t.Helper()
	req := httptest.NewRequestWithContext(b.t.Context(), method, path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	b.h.ServeHTTP(rec, req)
	r := reply{status: rec.Code, body: rec.Body.String(), header: rec.Header()}
	_ = json.Unmarshal(rec.Body.Bytes(), &r.v) // lists and pages are looked at as text
	return r
}

// call is one API request as a careful client makes it.
func (b *bench) call(method, path, body string) reply {
	b.t.Helper()
	key := applicationKey
	if strings.HasPrefix(path, "/client") {
		key = clientKey
	}
	header := []string{"Authorization", "Bearer " + key, "Accept", "application/json"}
	if body != "" {
		header = append(header, "Content-Type", "application/json")
	}
	return b.raw(method, "/api"+path, body, header...)
}

func (b *bench) must(status int, method, path, body string) reply {
	b.t.Helper()
	r := b.call(method, path, body)
	if r.status != status {
		b.t.Fatalf("%s %s %s = %d %s, want %d", method, path, body, r.status, r.body, status)
	}
	return r
}

const (
	ada   = `{"external_id":"ezs-1","email":"ada@example.com","username":"ada_1","first_name":"Ada","last_name":"L."}`
	paper = `{"external_id":"ezs-svc1","name":"svc1","user":2,"egg":3,"docker_image":"ghcr.io/pterodactyl/yolks:java_21","startup":"java","environment":{"SERVER_JARFILE":"server.jar","BUILD_NUMBER":"latest"},` +
		`"limits":{"memory":2048,"swap":0,"disk":10240,"io":500,"cpu":100},"feature_limits":{"databases":0,"backups":1,"allocations":0},"deploy":{"locations":[1],"dedicated_ip":false,"port_range":[]},"start_on_completion":true}`
	servers = "/application/servers"
)

// built makes user 2 and a finished server 1.
func (b *bench) built() {
	b.t.Helper()
	b.must(201, "POST", "/application/users", ada)
	b.must(201, "POST", servers, paper)
	b.sleep(time.Minute)
}

// with changes one member of the order.
func with(old, replacement string) string { return strings.Replace(paper, old, replacement, 1) }

func TestInstallationTakesItsTime(t *testing.T) {
	b := newBench(t, Options{})
	b.must(201, "POST", "/application/users", ada)
	made := b.must(201, "POST", servers, paper)
	if made.at("attributes", "status") != "installing" || made.at("attributes", "external_id") != "ezs-svc1" || made.at("attributes", "container", "installed") != 0.0 {
		t.Errorf("created = %s", made.body)
	}
	uuid, _ := made.at("attributes", "uuid").(string)
	b.must(409, "GET", "/client/servers/"+uuid+"/resources", "")
	b.must(409, "POST", "/client/servers/"+uuid+"/power", `{"signal":"start"}`)
	b.sleep(20 * time.Second)
	got := b.must(200, "GET", servers+"/external/ezs-svc1?include=allocations", "")
	if got.at("attributes", "status") != nil || got.at("attributes", "relationships", "allocations", "data", 0, "attributes", "id") != got.at("attributes", "allocation") {
		t.Errorf("installed = %s", got.body)
	}
	if live := b.must(200, "GET", "/client/servers/"+uuid[:8]+"/resources", ""); live.at("attributes", "current_state") != "running" {
		t.Errorf("usage = %s", live.body)
	}
}

func TestRefusals(t *testing.T) {
	b := newBench(t, Options{})
	b.built()
	b.must(201, "POST", "/application/users", `{"email":"myada@example.com","username":"other","first_name":"O","last_name":"O"}`)
	other := with("ezs-svc1", "ezs-svc2")
	scenarios := []struct {
		name, method, path, body string
		status                   int
		says                     string
	}{
		{"an external id that is a number", "POST", servers, with(`"ezs-svc1"`, "7"), 422, "external_id"},
		{"an external id that is taken", "POST", servers, paper, 422, `"rule":"unique"`},
		{"an unknown field", "POST", servers, strings.Replace(other, `"name"`, `"pack":1,"name"`, 1), 422, "not known"},
		{"no environment", "POST", servers, strings.Replace(other, `"environment":{"SERVER_JARFILE":"server.jar","BUILD_NUMBER":"latest"},`, "", 1), 422, "environment"},
		{"a variable that is required", "POST", servers, strings.Replace(other, `,"BUILD_NUMBER":"latest"`, "", 1), 422, "environment.BUILD_NUMBER"},
		{"null for a list", "POST", servers, strings.Replace(other, `"locations":[1]`, `"locations":null`, 1), 422, "deploy.locations"},
		{"no feature limit of backups", "POST", servers, strings.Replace(other, `"backups":1,`, "", 1), 422, "feature_limits.backups"},
		{"an unknown egg", "POST", servers, strings.Replace(other, `"egg":3`, `"egg":9`, 1), 422, "egg"},
		{"an unknown user", "POST", servers, strings.Replace(other, `"user":2`, `"user":9`, 1), 422, "user"},
		{"too much memory", "POST", servers, strings.Replace(other, `"memory":2048`, `"memory":99999999`, 1), 400, "NoViableNodeException"},
		{"a location without nodes", "POST", servers, strings.Replace(other, `[1]`, `[7]`, 1), 400, "NoViableNodeException"},
		{"a port that no node has", "POST", servers, strings.Replace(other, `"port_range":[]`, `"port_range":["9000-9100"]`, 1), 400, "NoViableAllocationException"},
		{"an odd io", "POST", servers, strings.Replace(other, `"io":500`, `"io":5`, 1), 422, "limits.io"},
		{"malformed JSON", "POST", servers, `{`, 400, "malformed"},
		{"no such server", "GET", servers + "/99", "", 404, "requested resource"},
		{"no such route", "GET", "/application/nothing", "", 404, "route"},
		{"a taken address", "POST", "/application/users", strings.Replace(ada, "ada_1", "ada_2", 1), 422, "The email has already been taken."},
		{"a short username", "POST", "/application/users", `{"email":"b@example.com","username":"b","first_name":"B","last_name":"B"}`, 422, "username"},
		{"no last name", "POST", "/application/users", `{"email":"b@example.com","username":"bobby","first_name":"B","last_name":""}`, 422, "last_name"},
		{"a user with servers", "DELETE", "/application/users/2", "", 400, "active servers"},
		{"half a build", "PATCH", servers + "/1/build", `{"allocation":1,"limits":{"memory":1}}`, 422, "feature_limits"},
		{"an allocation of another", "PATCH", servers + "/1/build", `{"allocation":99999,"limits":{"memory":1,"swap":0,"disk":1,"io":500,"cpu":0},"feature_limits":{"databases":0,"backups":0}}`, 400, "allocation"},
		{"the integer id at the Client API", "GET", "/client/servers/1/resources", "", 404, "requested resource"},
		{"an unknown signal", "POST", "/client/servers/" + b.box.Snapshot().Servers[0].Identifier + "/power", `{"signal":"explode"}`, 422, "signal"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if got := b.call(s.method, s.path, s.body); got.status != s.status || !strings.Contains(got.body, s.says) {
				t.Errorf("%d %s, want %d saying %q", got.status, got.body, s.status, s.says)
			}
		})
	}
	if n := b.box.Snapshot().Created; n != 1 {
		t.Errorf("%d servers were made, want 1", n)
	}
	if got := b.must(200, "GET", "/application/users?filter[email]=ada@example.com", ""); got.at("meta", "pagination", "total") != 2.0 {
		t.Errorf("search = %s, want it to find parts", got.body)
	}
}

func TestKeysOpenTheirOwnAPI(t *testing.T) {
	b := newBench(t, Options{})
	for _, s := range []struct {
		path, key string
		status    int
	}{
		{"/api/application/nodes", applicationKey, 200},
		{"/api/application/nodes", clientKey, 200},
		{"/api/application/nodes", "wrong", 401},
		{"/api/application/nodes", "", 401},
		{"/api/client/account", clientKey, 200},
		{"/api/client/account", applicationKey, 403},
	} {
		if got := b.raw("GET", s.path, "", "Authorization", "Bearer "+s.key, "Accept", "application/json"); got.status != s.status {
			t.Errorf("%s with %q = %d, want %d", s.path, s.key, got.status, s.status)
		}
	}
	if got := b.raw("GET", "/api/application/nodes", "", "Authorization", "Bearer "+applicationKey); got.status != 302 || !strings.Contains(got.body, "<html>") {
		t.Errorf("without Accept = %d, want a redirect as for browsers", got.status)
	}
}

func TestSuspensionForgetsTheInstallation(t *testing.T) {
	b := newBench(t, Options{})
	b.must(201, "POST", "/application/users", ada)
	b.box.BreakBuilds(1)
	b.must(201, "POST", servers, paper)
	b.must(204, "POST", servers+"/1/suspend", "")
	b.sleep(time.Minute)
	b.must(204, "POST", servers+"/1/unsuspend", "")
	if got := b.must(200, "GET", servers+"/1", ""); got.at("attributes", "status") != nil {
		t.Errorf("status = %v, want it to look ready although the installation failed", got.at("attributes", "status"))
	}
	if p := b.box.Snapshot().Servers[0].Power; p != "offline" {
		t.Errorf("power = %s, want it left off", p)
	}
}

func TestDaemonThatIsDown(t *testing.T) {
	b := newBench(t, Options{CacheTime: -1})
	b.built()
	ref := b.box.Snapshot().Servers[0].Identifier
	b.box.SetDaemon(false)
	b.must(504, "POST", servers, with("ezs-svc1", "ezs-svc2"))
	b.must(504, "POST", servers+"/1/suspend", "")
	b.must(504, "DELETE", servers+"/1", "")
	b.must(504, "GET", "/client/servers/"+ref+"/resources", "")
	b.must(200, "PATCH", servers+"/1/startup", `{"startup":"x","egg":3,"image":"a:b","environment":{},"skip_scripts":false}`)
	if snap := b.box.Snapshot(); snap.Created != 1 || snap.Servers[0].Suspended || snap.Servers[0].Startup != "x" || snap.Servers[0].Variables["SERVER_JARFILE"] != "server.jar" {
		t.Errorf("panel = %+v", snap)
	}
	b.must(204, "DELETE", servers+"/1/force", "")
	b.box.SetDaemon(true)
	b.must(201, "POST", servers, paper)
}

func TestUsageIsSomeSecondsOld(t *testing.T) {
	b := newBench(t, Options{})
	b.built()
	path := "/client/servers/" + b.box.Snapshot().Servers[0].Identifier
	b.must(200, "GET", path+"/resources", "")
	b.must(204, "POST", path+"/power", `{"signal":"kill"}`)
	if got := b.must(200, "GET", path+"/resources", ""); got.at("attributes", "current_state") != "running" {
		t.Errorf("at once = %v, want what it was", got.at("attributes", "current_state"))
	}
	b.sleep(20 * time.Second)
	if got := b.must(200, "GET", path+"/resources", ""); got.at("attributes", "current_state") != "offline" {
		t.Errorf("later = %v", got.at("attributes", "current_state"))
	}
}

func TestPowerTakesItsTime(t *testing.T) {
	b := newBench(t, Options{CacheTime: -1, TaskTime: 3 * time.Second})
	b.built()
	path := "/client/servers/" + b.box.Snapshot().Servers[0].Identifier
	for _, s := range []struct {
		signal, at, later string
	}{{"stop", "stopping", "offline"}, {"start", "starting", "running"}, {"restart", "starting", "running"}, {"kill", "offline", "offline"}} {
		b.must(204, "POST", path+"/power", `{"signal":"`+s.signal+`"}`)
		at := b.must(200, "GET", path+"/resources", "").at("attributes", "current_state")
		b.sleep(3 * time.Second)
		if later := b.must(200, "GET", path+"/resources", "").at("attributes", "current_state"); at != s.at || later != s.later {
			t.Errorf("%s = %v, then %v; want %s, %s", s.signal, at, later, s.at, s.later)
		}
	}
}

func TestAllocationsAreFreedAndRunOut(t *testing.T) {
	b := newBench(t, Options{Ports: 1})
	b.built()
	if got := b.must(400, "POST", servers, with("ezs-svc1", "ezs-svc2")); !strings.Contains(got.body, "NoViableAllocation") {
		t.Errorf("the second = %s", got.body)
	}
	b.must(204, "DELETE", servers+"/1", "")
	b.must(404, "DELETE", servers+"/1", "")
	b.must(201, "POST", servers, paper)
	b.box.SetRoom(0)
	b.must(400, "POST", servers, strings.Replace(with("ezs-svc1", "ezs-svc3"), "[1]", "[]", 1))
}

func TestUsersAreChangedWhole(t *testing.T) {
	b := newBench(t, Options{})
	b.must(201, "POST", "/application/users", ada)
	b.must(422, "PATCH", "/application/users/2", `{"password":"new"}`)
	got := b.must(200, "PATCH", "/application/users/2", `{"email":"ada@example.org","username":"Ada_1","first_name":"A","last_name":"B","password":"new","language":"de"}`)
	if got.at("attributes", "external_id") != "ezs-1" || got.at("attributes", "email") != "ada@example.org" || got.at("attributes", "username") != "ada_1" || strings.Contains(got.body, "new") {
		t.Errorf("user = %s", got.body)
	}
	b.must(201, "POST", servers, paper)
	ref := b.box.Snapshot().Servers[0].Identifier
	if b.box.SignIn("ada_1."+ref, "new") != 1 || b.box.SignIn("ada_1."+ref, "old") != 0 || b.box.SignIn("ada_1", "new") != 0 {
		t.Error("the password does not open what it should")
	}
	b.must(204, "DELETE", servers+"/1", "")
	b.must(204, "DELETE", "/application/users/2", "")
	b.must(404, "GET", "/application/users/external/ezs-1", "")
}

func TestCatalogAndPages(t *testing.T) {
	b := newBench(t, Options{})
	b.built()
	if got := b.must(200, "GET", "/application/nodes?per_page=2&page=2", ""); got.at("meta", "pagination", "total_pages") != 2.0 || got.at("data", 0, "attributes", "name") != "lab" {
		t.Errorf("nodes = %s", got.body)
	}
	if got := b.must(200, "GET", "/application/nodes/1", ""); got.at("attributes", "allocated_resources", "memory") != 2048.0 {
		t.Errorf("node = %s", got.body)
	}
	if got := b.must(200, "GET", "/application/nests/1/eggs/3?include=variables", ""); got.at("attributes", "relationships", "variables", "data", 0, "attributes", "env_variable") != "SERVER_JARFILE" {
		t.Errorf("egg = %s", got.body)
	}
	b.must(404, "GET", "/application/nests/2/eggs/3", "")
	b.must(404, "GET", "/application/nests/9/eggs", "")
	if got := b.must(200, "GET", servers+"?page=9", ""); got.at("data", 0) != nil || got.at("meta", "pagination", "total") != 1.0 {
		t.Errorf("a page past the end = %s", got.body)
	}
	b.must(200, "GET", "/application/locations", "")
	b.must(400, "GET", "/application/locations?limit=3", "")
}

// FuzzRequest: no body and no path makes the panel fall over or answer with a
// server error.
func FuzzRequest(f *testing.F) {
	f.Add("POST", "/api/application/servers", paper)
	f.Add("PATCH", "/api/application/servers/1/build", `{"limits":[],"feature_limits":null}`)
	f.Add("GET", "/api/application/servers?per_page=200&page=9223372036854775807", "")
	f.Add("POST", "/api/application/users", `null`)
	f.Add("GET", "/api/client/servers/x/resources", "")
	box := New(Options{ApplicationKey: applicationKey, ClientKey: clientKey})
	h := box.Handler()
	f.Fuzz(func(t *testing.T, method, path, body string) {
		req, err := http.NewRequestWithContext(t.Context(), method, "http://panel"+path, strings.NewReader(body))
		if err != nil || !strings.HasPrefix(path, "/") {
			return
		}
		req.Header.Set("Authorization", "Bearer "+clientKey)
		req.Header.Set("Accept", "application/json")
		req.Header.Set("Content-Type", "application/json")
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, req)
		if rec.Code >= 500 {
			t.Errorf("%s %s %s = %d %s", method, path, body, rec.Code, rec.Body)
		}
	})
}
