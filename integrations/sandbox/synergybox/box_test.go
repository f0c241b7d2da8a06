package synergybox

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
)

const integration = "integrationkey"

// bench is a box with a clock that tests move, called without a network.
type bench struct {
	*paneltest.Bench
	box *Box
}

func newBench(t *testing.T, o Options) *bench {
	t.Helper()
	clock := paneltest.NewClock()
	o.Key, o.Now = integration, clock.Now
	box := New(o)
	return &bench{&paneltest.Bench{T: t, Clock: clock, Handler: box.Handler(), Header: func(string) []string { return nil }}, box}
}

// as calls with a key, which the panel reads in the query.
func (b *bench) as(key, method, path, body string) paneltest.Reply {
	b.T.Helper()
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	return b.Call(method, path+sep+"key="+key, body)
}

// must is a call of the integration that ends with a status.
func (b *bench) must(status int, method, path, body string) paneltest.Reply {
	b.T.Helper()
	r := b.as(integration, method, path, body)
	if r.Status != status {
		b.T.Fatalf("%s %s %s = %d %s, want %d", method, path, body, r.Status, r.Body, status)
	}
	return r
}

const (
	ada   = `{"email":"ada@example.com","first":"Ada","last":"L.","billing_id":"ezs-1","password":""}`
	order = `{"client_id":1,"server_id":301,"ips_billing":"IP-29","pxe_profile_billing":"os-debian12","port_speed_billing":"speed-1000","nickname":"web1","password":"longenough",` +
		`"billing":{"id":9001,"max_bandwidth":"10TB"},"access":{"pxe":true,"ipmi":true,"switch":false}}`
)

// built makes client 1 and its finished server 301.
func (b *bench) built() {
	b.T.Helper()
	b.must(200, "POST", "/client", ada)
	b.must(200, "POST", "/server/provision", order)
	b.Sleep(time.Minute)
}

func TestRefusals(t *testing.T) {
	scenarios := []struct {
		name, method, path, body, says string
		status                         int
	}{
		{"an unknown route", "GET", "/nothing", "", "route", 404},
		{"an unknown field", "POST", "/client", strings.Replace(ada, "first", "name", 1), "not known", 400},
		{"no password field", "POST", "/client", strings.Replace(ada, `,"password":""`, "", 1), "password", 400},
		{"no address", "POST", "/client", strings.Replace(ada, "ada@example.com", "ada", 1), "email", 400},
		{"an address again", "POST", "/client", strings.Replace(ada, "ezs-1", "ezs-2", 1), "already exists", 400},
		{"an unknown filter", "GET", "/server?owner=1", "", "not known", 400},
		{"a page of words", "GET", "/server?page=x", "", "invalid", 400},
		{"a server in use", "POST", "/server/provision", strings.Replace(order, "9001", "9002", 1), "not available", 400},
		{"a billing id in use", "POST", "/server/provision", strings.Replace(order, "301", "302", 1), "already in use", 400},
		{"a billing id of letters", "POST", "/server/provision", strings.Replace(order, "9001", `"x"`, 1), "wrong type", 400},
		{"an unknown profile", "POST", "/server/provision", other("os-debian12", "os-none"), "profile", 400},
		{"a short password", "POST", "/server/provision", other("longenough", "short"), "8 characters", 400},
		{"an unknown speed", "POST", "/server/provision", other("speed-1000", "speed-1"), "port speed", 400},
		{"an unknown entity", "POST", "/server/provision", other("IP-29", "IP-8"), "IP entity", 400},
		{"an odd limit", "POST", "/server/provision", other("10TB", "10 apples"), "bandwidth", 400},
		{"an unknown client", "POST", "/server/provision", other(`"client_id":1`, `"client_id":7`), "client", 400},
		{"no JSON", "POST", "/server/provision", "x", "JSON", 400},
		{"wiping what is free", "PATCH", "/server/302", `{"wiped":true}`, "not found", 404},
		{"an unknown access", "PATCH", "/server/301/access/99", `{"is_active":true}`, "not found", 404},
		{"installing nothing", "POST", "/server/301/install", `{"pxe_profile_billing":"os-none"}`, "profile", 400},
		{"power by the integration", "GET", "/server/301/control", "", "permission", 403},
		{"a key of nobody", "POST", "/key", `{"owner_id":7,"owner_type":"client"}`, "owner", 400},
		{"an odd period", "GET", "/server/301/port/20301/bandwidth?start=x&end=y", "", "period", 400},
		{"another port", "GET", "/server/301/port/1/bandwidth/usage", "", "not found", 404},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			b := newBench(t, Options{})
			b.built()
			got := b.as(integration, s.method, s.path, s.body)
			if got.Status != s.status || !strings.Contains(got.Body, s.says) || got.At("error") != true {
				t.Errorf("%d %s, want %d saying %q", got.Status, got.Body, s.status, s.says)
			}
		})
	}
	b := newBench(t, Options{RefuseWith: 200})
	b.must(200, "POST", "/client", ada)
	if got := b.must(200, "POST", "/client", ada); got.At("error") != true || got.At("data", "id") != 1.0 {
		t.Errorf("a duplicate = %s, want the client that is there", got.Body)
	}
	if got := b.as("other", "GET", "/server", ""); got.Status != 401 {
		t.Errorf("another key = %d, want 401", got.Status)
	}
}

// other is an order of a second server with one thing in place of another.
func other(old, replacement string) string {
	s := strings.Replace(strings.Replace(order, "301", "302", 1), "9001", "9002", 1)
	return strings.Replace(s, old, replacement, 1)
}

func TestAServersLife(t *testing.T) {
	b := newBench(t, Options{BuildTime: 20 * time.Second})
	b.must(200, "POST", "/client", ada)
	query := "/server?available=true&parts[exact]=1&cpu_billing=CPU-E2388G&mem_billing=MEM-32&disks_billing[0]=SSD-960&disks_billing[1]=SSD-960&ip_group_billing[]=LOC-FRA"
	if got := b.must(200, "GET", query, ""); got.At("data", "total") != 4.0 || got.At("data", "data", 0, "billing") != nil {
		t.Errorf("inventory = %s", got.Body)
	}
	if got := b.must(200, "GET", strings.Replace(query, "&disks_billing[1]=SSD-960", "", 1), ""); got.At("data", "total") != 0.0 {
		t.Errorf("one disk = %s, want no exact match", got.Body)
	}
	b.must(200, "POST", "/server/provision", order)
	if got := b.must(200, "GET", query, ""); got.At("data", "total") != 3.0 {
		t.Errorf("inventory after the order = %s", got.Body)
	}
	found := b.must(200, "GET", "/server?billing_id=9001&integration_id=me", "")
	if found.At("data", "data", 0, "id") != 301.0 || found.At("data", "data", 0, "access", "client", "id") != 1.0 || found.At("data", "data", 0, "billing", "max_bandwidth") != 80e12 {
		t.Errorf("found = %s", found.Body)
	}
	b.must(200, "POST", "/server/301/install", `{"pxe_profile_billing":"format-quick","password":"","parent":{"id":1}}`)
	for _, step := range []struct {
		wait time.Duration
		left float64
	}{{15 * time.Second, 2}, {10 * time.Second, 1}, {30 * time.Second, 0}} {
		b.Sleep(step.wait)
		if got := b.must(200, "GET", "/server/301/install", ""); got.At("data", "total") != step.left {
			t.Errorf("installations = %s, want %v", got.Body, step.left)
		}
	}
	if got := b.must(200, "GET", "/entity?server=301", ""); got.At("data", "data", 0, "full_ip") != "203.0.10.2 - 6" {
		t.Errorf("entities = %s", got.Body)
	}
	b.must(200, "PATCH", "/server/301", `{"wiped":true,"auto":true}`)
	if got := b.must(200, "GET", "/server?billing_id=9001", ""); got.At("data", "total") != 0.0 {
		t.Errorf("after the wipe = %s", got.Body)
	}
	if got := b.must(200, "GET", "/entity?server=none&billing_id=IP-29&group[billing][]=LOC-FRA", ""); got.At("data", "total") != 12.0 {
		t.Errorf("free entities = %s", got.Body)
	}
}

// A client's key opens what the client may do, and takes itself away.
func TestClientKeys(t *testing.T) {
	b := newBench(t, Options{TaskTime: -1})
	b.built()
	made := b.must(200, "POST", "/key", `{"owner_id":1,"owner_type":"client"}`)
	key, _ := made.At("data", "key").(string)
	if got := b.as(key, "GET", "/server/301/control", ""); got.Status != 200 || got.At("data", "data", 0, "id") != 10301.0 {
		t.Errorf("control = %s", got.Body)
	}
	if got := b.as(key, "POST", "/server/301/control/10301/command", `{"power":"off"}`); got.Status != 200 || b.box.Snapshot().Servers[0].Running {
		t.Errorf("power = %s", got.Body)
	}
	if got := b.as(key, "POST", "/server/301/control/10301/command", `{"power":"explode"}`); got.Status != 400 {
		t.Errorf("odd power = %s", got.Body)
	}
	for _, path := range []string{"/server", "/client", "/server/301/access"} {
		if got := b.as(key, "GET", path, ""); got.Status != 403 {
			t.Errorf("%s by a client = %d, want 403", path, got.Status)
		}
	}
	b.box.Suspend(301, true)
	if got := b.as(key, "GET", "/server/301/control", ""); got.Status != 403 {
		t.Errorf("control of a suspended one = %d, want 403", got.Status)
	}
	b.must(403, "DELETE", "/auth/key/1", "")
	if got := b.as(key, "DELETE", "/auth/key/1", ""); got.Status != 200 {
		t.Errorf("signing out = %s", got.Body)
	}
	if got := b.as(key, "GET", "/server/301/control", ""); got.Status != 401 {
		t.Errorf("a key that is gone = %d, want 401", got.Status)
	}
	b.must(404, "DELETE", "/auth/key/1", "")
}

func TestControlSwitches(t *testing.T) {
	b := newBench(t, Options{})
	b.must(200, "POST", "/client", ada)
	for path, body := range map[string]string{"/faults": `{"match":"GET /part","kind":"error_500","times":1}`, "/steal": `{"times":1}`, "/addresses": `{"there":0}`} {
		if got := b.Switch(path, body); got.Status != 204 {
			t.Errorf("%s = %d %s", path, got.Status, got.Body)
		}
	}
	b.must(500, "GET", "/part?part_type=cpu", "")
	b.must(200, "GET", "/part?part_type=cpu", "")
	b.must(400, "POST", "/server/provision", order) // it is stolen
	if got := b.must(400, "POST", "/server/provision", strings.Replace(order, "301", "302", 1)); !strings.Contains(got.Body, "IP entity") {
		t.Errorf("without addresses = %s", got.Body)
	}
	b.Switch("/addresses", `{"there":1}`)
	b.Switch("/room", `{"servers":1}`)
	b.must(200, "POST", "/server/provision", strings.Replace(order, "301", "302", 1))
	if got := b.must(200, "GET", "/server?available=true", ""); got.At("data", "total") != 0.0 {
		t.Errorf("without room = %s", got.Body)
	}
	if got := b.Raw("DELETE", "/_sandbox/servers/302", ""); got.Status != 204 {
		t.Errorf("destroy = %d", got.Status)
	}
	if got := b.Raw("DELETE", "/_sandbox/servers/302", ""); got.Status != 404 {
		t.Errorf("destroy again = %d, want 404", got.Status)
	}
	b.box.Faults().Add(fault.Fault{Kind: fault.Error500})
	if got := b.Raw("DELETE", "/_sandbox/faults", ""); got.Status != 204 || len(b.box.Faults().List()) != 0 {
		t.Errorf("clear = %d", got.Status)
	}
	if got := b.Raw("GET", "/_sandbox/state", ""); got.At("made") != 1.0 || got.At("wiped") != 1.0 {
		t.Errorf("state = %s", got.Body)
	}
	b.box.Answer("GET /group", http.StatusLocked, "{}", 1)
	b.must(423, "GET", "/group", "")
	b.must(200, "GET", "/group", "")
}

func TestPagesHaveNothingInline(t *testing.T) {
	b := newBench(t, Options{})
	b.must(200, "POST", "/client", strings.Replace(ada, "ezs-1", "<script>alert(1)</script>", 1))
	b.must(200, "POST", "/server/provision", strings.Replace(order, "web1", "<script>alert(1)</script>", 1))
	key, _ := b.must(200, "POST", "/key", `{"owner_id":1,"owner_type":"client"}`).At("data", "key").(string)
	b.Pages(map[string]int{"/_sandbox/": 200, "/auth/sso?view_type=server&view_id=301&key=" + key: 200, "/auth/sso?key=x": 403})
}

// Many orders at once get servers and addresses of their own.
func TestConcurrentOrders(t *testing.T) {
	b := newBench(t, Options{})
	b.must(200, "POST", "/client", ada)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for id := range 12 {
				b.as(integration, "POST", "/server/provision", strings.NewReplacer("301", strconv.Itoa(300+id), "9001", strconv.Itoa(9000+100*i+id)).Replace(order))
				b.as(integration, "GET", "/server?integration_id=me", "")
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, s := range b.box.Snapshot().Servers {
		for _, a := range s.Addresses {
			if seen[a] {
				t.Errorf("addresses %s were given twice", a)
			}
			seen[a] = true
		}
	}
	if len(seen) != 11 {
		t.Errorf("%d servers were given out, want 11", len(seen))
	}
}

// FuzzRequest: no body and no path makes the panel fall over or answer with a
// server error.
func FuzzRequest(f *testing.F) {
	f.Add("POST", "/server/provision", order)
	f.Add("PATCH", "/server/301", `{"billing":{"max_bandwidth":1e300}}`)
	f.Add("GET", "/server?per_page=99999999999&page=9223372036854775807", "")
	f.Add("GET", "/entity?server=x&group[billing][3]=y", "")
	f.Add("POST", "/key", `null`)
	box := New(Options{Key: integration})
	h := box.Handler()
	f.Fuzz(func(t *testing.T, method, path, body string) {
		sep := "?"
		if strings.Contains(path, "?") {
			sep = "&"
		}
		paneltest.Fuzz(t, h, method, path+sep+"key="+integration, body)
	})
}
