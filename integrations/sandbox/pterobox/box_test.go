package pterobox

import (
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
)

const (
	applicationKey = "ptla_app"
	clientKey      = "ptlc_cli"
)

// bench is a box with a clock that tests move, called without a network.
type bench struct {
	*paneltest.Bench
	box *Box
}

func newBench(t *testing.T, o Options) *bench {
	t.Helper()
	clock := paneltest.NewClock()
	o.ApplicationKey, o.ClientKey, o.Now = applicationKey, clientKey, clock.Now
	box := New(o)
	return &bench{&paneltest.Bench{T: t, Clock: clock, Handler: box.Handler(), Path: "/api", Header: keyFor}, box}
}

func keyFor(path string) []string {
	if strings.HasPrefix(path, "/client") {
		return []string{"Authorization", "Bearer " + clientKey}
	}
	return []string{"Authorization", "Bearer " + applicationKey}
}

const (
	ada   = `{"external_id":"ezs-1","email":"ada@example.com","username":"ada_1","first_name":"Ada","last_name":"L."}`
	paper = `{"external_id":"ezs-svc1","name":"svc1","user":2,"egg":3,"docker_image":"ghcr.io/pterodactyl/yolks:java_21","startup":"java","environment":{"SERVER_JARFILE":"server.jar","BUILD_NUMBER":"latest"},` +
		`"limits":{"memory":2048,"swap":0,"disk":10240,"io":500,"cpu":100},"feature_limits":{"databases":0,"backups":1,"allocations":0},"deploy":{"locations":[1],"dedicated_ip":false,"port_range":[]},"start_on_completion":true}`
	servers = "/application/servers"
)

// built makes user 2 and a finished server 1.
func (b *bench) built() {
	b.T.Helper()
	b.Must(201, "POST", "/application/users", ada)
	b.Must(201, "POST", servers, paper)
	b.Sleep(time.Minute)
}

// with changes one member of the order.
func with(old, replacement string) string { return strings.Replace(paper, old, replacement, 1) }

func TestInstallationTakesItsTime(t *testing.T) {
	b := newBench(t, Options{})
	b.Must(201, "POST", "/application/users", ada)
	made := b.Must(201, "POST", servers, paper)
	if made.At("attributes", "status") != "installing" || made.At("attributes", "external_id") != "ezs-svc1" || made.At("attributes", "container", "installed") != 0.0 {
		t.Errorf("created = %s", made.Body)
	}
	uuid, _ := made.At("attributes", "uuid").(string)
	b.Must(409, "GET", "/client/servers/"+uuid+"/resources", "")
	b.Must(409, "POST", "/client/servers/"+uuid+"/power", `{"signal":"start"}`)
	b.Sleep(20 * time.Second)
	got := b.Must(200, "GET", servers+"/external/ezs-svc1?include=allocations", "")
	if got.At("attributes", "status") != nil || got.At("attributes", "relationships", "allocations", "data", 0, "attributes", "id") != got.At("attributes", "allocation") {
		t.Errorf("installed = %s", got.Body)
	}
	if live := b.Must(200, "GET", "/client/servers/"+uuid[:8]+"/resources", ""); live.At("attributes", "current_state") != "running" {
		t.Errorf("usage = %s", live.Body)
	}
}

func TestRefusals(t *testing.T) {
	b := newBench(t, Options{})
	b.built()
	b.Must(201, "POST", "/application/users", `{"email":"myada@example.com","username":"other","first_name":"O","last_name":"O"}`)
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
			if got := b.Call(s.method, s.path, s.body); got.Status != s.status || !strings.Contains(got.Body, s.says) {
				t.Errorf("%d %s, want %d saying %q", got.Status, got.Body, s.status, s.says)
			}
		})
	}
	if n := b.box.Snapshot().Created; n != 1 {
		t.Errorf("%d servers were made, want 1", n)
	}
	if got := b.Must(200, "GET", "/application/users?filter[email]=ada@example.com", ""); got.At("meta", "pagination", "total") != 2.0 {
		t.Errorf("search = %s, want it to find parts", got.Body)
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
		if got := b.Raw("GET", s.path, "", "Authorization", "Bearer "+s.key, "Accept", "application/json"); got.Status != s.status {
			t.Errorf("%s with %q = %d, want %d", s.path, s.key, got.Status, s.status)
		}
	}
	if got := b.Raw("GET", "/api/application/nodes", "", "Authorization", "Bearer "+applicationKey); got.Status != 302 || !strings.Contains(got.Body, "<html>") {
		t.Errorf("without Accept = %d, want a redirect as for browsers", got.Status)
	}
}

func TestSuspensionForgetsTheInstallation(t *testing.T) {
	b := newBench(t, Options{})
	b.Must(201, "POST", "/application/users", ada)
	b.box.BreakBuilds(1)
	b.Must(201, "POST", servers, paper)
	b.Must(204, "POST", servers+"/1/suspend", "")
	b.Sleep(time.Minute)
	b.Must(204, "POST", servers+"/1/unsuspend", "")
	if got := b.Must(200, "GET", servers+"/1", ""); got.At("attributes", "status") != nil {
		t.Errorf("status = %v, want it to look ready although the installation failed", got.At("attributes", "status"))
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
	b.Must(504, "POST", servers, with("ezs-svc1", "ezs-svc2"))
	b.Must(504, "POST", servers+"/1/suspend", "")
	b.Must(504, "DELETE", servers+"/1", "")
	b.Must(504, "GET", "/client/servers/"+ref+"/resources", "")
	b.Must(200, "PATCH", servers+"/1/startup", `{"startup":"x","egg":3,"image":"a:b","environment":{},"skip_scripts":false}`)
	if snap := b.box.Snapshot(); snap.Created != 1 || snap.Servers[0].Suspended || snap.Servers[0].Startup != "x" || snap.Servers[0].Variables["SERVER_JARFILE"] != "server.jar" {
		t.Errorf("panel = %+v", snap)
	}
	b.Must(204, "DELETE", servers+"/1/force", "")
	b.box.SetDaemon(true)
	b.Must(201, "POST", servers, paper)
}

func TestUsageIsSomeSecondsOld(t *testing.T) {
	b := newBench(t, Options{})
	b.built()
	path := "/client/servers/" + b.box.Snapshot().Servers[0].Identifier
	b.Must(200, "GET", path+"/resources", "")
	b.Must(204, "POST", path+"/power", `{"signal":"kill"}`)
	if got := b.Must(200, "GET", path+"/resources", ""); got.At("attributes", "current_state") != "running" {
		t.Errorf("at once = %v, want what it was", got.At("attributes", "current_state"))
	}
	b.Sleep(20 * time.Second)
	if got := b.Must(200, "GET", path+"/resources", ""); got.At("attributes", "current_state") != "offline" {
		t.Errorf("later = %v", got.At("attributes", "current_state"))
	}
}

func TestPowerTakesItsTime(t *testing.T) {
	b := newBench(t, Options{CacheTime: -1, TaskTime: 3 * time.Second})
	b.built()
	path := "/client/servers/" + b.box.Snapshot().Servers[0].Identifier
	for _, s := range []struct {
		signal, at, later string
	}{{"stop", "stopping", "offline"}, {"start", "starting", "running"}, {"restart", "starting", "running"}, {"kill", "offline", "offline"}} {
		b.Must(204, "POST", path+"/power", `{"signal":"`+s.signal+`"}`)
		at := b.Must(200, "GET", path+"/resources", "").At("attributes", "current_state")
		b.Sleep(3 * time.Second)
		if later := b.Must(200, "GET", path+"/resources", "").At("attributes", "current_state"); at != s.at || later != s.later {
			t.Errorf("%s = %v, then %v; want %s, %s", s.signal, at, later, s.at, s.later)
		}
	}
}

func TestAllocationsAreFreedAndRunOut(t *testing.T) {
	b := newBench(t, Options{Ports: 1})
	b.built()
	if got := b.Must(400, "POST", servers, with("ezs-svc1", "ezs-svc2")); !strings.Contains(got.Body, "NoViableAllocation") {
		t.Errorf("the second = %s", got.Body)
	}
	b.Must(204, "DELETE", servers+"/1", "")
	b.Must(404, "DELETE", servers+"/1", "")
	b.Must(201, "POST", servers, paper)
	b.box.SetRoom(0)
	b.Must(400, "POST", servers, strings.Replace(with("ezs-svc1", "ezs-svc3"), "[1]", "[]", 1))
}

func TestUsersAreChangedWhole(t *testing.T) {
	b := newBench(t, Options{})
	b.Must(201, "POST", "/application/users", ada)
	b.Must(422, "PATCH", "/application/users/2", `{"password":"new"}`)
	got := b.Must(200, "PATCH", "/application/users/2", `{"email":"ada@example.org","username":"Ada_1","first_name":"A","last_name":"B","password":"new","language":"de"}`)
	if got.At("attributes", "external_id") != "ezs-1" || got.At("attributes", "email") != "ada@example.org" || got.At("attributes", "username") != "ada_1" || strings.Contains(got.Body, "new") {
		t.Errorf("user = %s", got.Body)
	}
	b.Must(201, "POST", servers, paper)
	ref := b.box.Snapshot().Servers[0].Identifier
	if b.box.SignIn("ada_1."+ref, "new") != 1 || b.box.SignIn("ada_1."+ref, "old") != 0 || b.box.SignIn("ada_1", "new") != 0 {
		t.Error("the password does not open what it should")
	}
	b.Must(204, "DELETE", servers+"/1", "")
	b.Must(204, "DELETE", "/application/users/2", "")
	b.Must(404, "GET", "/application/users/external/ezs-1", "")
}

func TestCatalogAndPages(t *testing.T) {
	b := newBench(t, Options{})
	b.built()
	if got := b.Must(200, "GET", "/application/nodes?per_page=2&page=2", ""); got.At("meta", "pagination", "total_pages") != 2.0 || got.At("data", 0, "attributes", "name") != "lab" {
		t.Errorf("nodes = %s", got.Body)
	}
	if got := b.Must(200, "GET", "/application/nodes/1", ""); got.At("attributes", "allocated_resources", "memory") != 2048.0 {
		t.Errorf("node = %s", got.Body)
	}
	if got := b.Must(200, "GET", "/application/nests/1/eggs/3?include=variables", ""); got.At("attributes", "relationships", "variables", "data", 0, "attributes", "env_variable") != "SERVER_JARFILE" {
		t.Errorf("egg = %s", got.Body)
	}
	b.Must(404, "GET", "/application/nests/2/eggs/3", "")
	b.Must(404, "GET", "/application/nests/9/eggs", "")
	if got := b.Must(200, "GET", servers+"?page=9", ""); got.At("data", 0) != nil || got.At("meta", "pagination", "total") != 1.0 {
		t.Errorf("a page past the end = %s", got.Body)
	}
	b.Must(200, "GET", "/application/locations", "")
	b.Must(400, "GET", "/application/locations?limit=3", "")
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
		paneltest.Fuzz(t, h, method, path, body, "Authorization", "Bearer "+clientKey)
	})
}
