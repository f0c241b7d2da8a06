package virtbox

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
)

const token = "tok"

// bench is a box with a clock that tests move, called without a network.
type bench struct {
	*paneltest.Bench
	box *Box
}

func newBench(t *testing.T, o Options) *bench {
	t.Helper()
	clock := paneltest.NewClock()
	o.Token, o.Now = token, clock.Now
	box := New(o)
	return &bench{&paneltest.Bench{
		T: t, Clock: clock, Handler: box.Handler(), Path: "/api/v1", Header: func(string) []string { return []string{"Authorization", "Bearer " + token} },
	}, box}
}

// built makes user 1 and a finished server 1.
func (b *bench) built() {
	b.T.Helper()
	b.Must(201, "POST", "/users", `{"name":"Ada","email":"ada@example.com","relStr":"ezs-1","sendMail":false}`)
	b.Must(201, "POST", "/servers", `{"packageId":2,"userId":1,"hypervisorId":1,"ipv4":1}`)
	b.Must(200, "POST", "/servers/1/build", `{"operatingSystemId":8,"name":"svc1","ipv6":true}`)
	b.Sleep(time.Minute)
}

func TestBuildTakesItsTime(t *testing.T) {
	b := newBench(t, Options{BuildTime: 20 * time.Second})
	b.Must(201, "POST", "/users", `{"name":"Ada","email":"ada@example.com","relStr":"ezs-1"}`)
	made := b.Must(201, "POST", "/servers", `{"packageId":2,"userId":1,"hypervisorId":1}`)
	if made.At("data", "state") != "allocated" || made.At("data", "network", "interfaces", 0, "ipv4", 0, "address") != "203.0.113.2" {
		t.Errorf("created = %s", made.Body)
	}
	built := b.Must(200, "POST", "/servers/1/build", `{"operatingSystemId":8,"name":"svc1","hostname":"vm1.example.com","ipv6":true,"swap":1.5}`)
	if p, _ := built.At("data", "settings", "decryptedPassword").(string); p == "" || built.At("data", "tasks", "active") != true {
		t.Errorf("built = %s", built.Body)
	}
	steps := []struct {
		after    time.Duration
		state    string
		progress float64
		busy     bool
		subnets  int
	}{
		{0, "queued", 0, true, 0},
		{10 * time.Second, "building", 50, true, 0},
		{9 * time.Second, "building", 95, true, 0},
		{time.Second, "complete", 100, false, 0},
		{5 * time.Second, "complete", 100, false, 1},
	}
	for _, s := range steps {
		b.Sleep(s.after)
		got := b.Must(200, "GET", "/servers/1", "")
		queue := b.Must(200, "GET", "/queue/1", "")
		v6, _ := got.At("data", "network", "interfaces", 0, "ipv6").([]any)
		if got.At("data", "state") != s.state || queue.At("data", "progress") != s.progress || got.At("data", "tasks", "active") != s.busy || len(v6) != s.subnets {
			t.Errorf("after %s: state %v, progress %v, busy %v, %d subnets; want %+v", s.after, got.At("data", "state"), queue.At("data", "progress"), got.At("data", "tasks", "active"), len(v6), s)
		}
		if done := queue.At("data", "finished") != nil; done == s.busy {
			t.Errorf("after %s: finished %t while busy %t", s.after, done, s.busy)
		}
	}
}

func TestRefusals(t *testing.T) {
	b := newBench(t, Options{})
	b.built()
	b.Must(201, "POST", "/ssh_keys", `{"userId":1,"name":"k","publicKey":"ssh-ed25519 AAAA"}`)
	b.Must(201, "POST", "/servers", `{"packageId":2,"userId":1,"hypervisorId":1}`) // 2: no system
	b.Must(201, "POST", "/servers", `{"packageId":2,"userId":1,"hypervisorId":1}`) // 3: being built
	b.Must(200, "POST", "/servers/3/build", `{"operatingSystemId":8}`)
	scenarios := []struct {
		name, method, path, body string
		status                   int
		says                     string
	}{
		{"an unknown field", "POST", "/servers", `{"packageId":2,"userId":1,"hypervisorId":1,"name":"x"}`, 422, "name is not known"},
		{"a text for a number", "POST", "/servers", `{"packageId":"2","userId":1,"hypervisorId":1}`, 422, "packageId has the wrong type"},
		{"a fraction", "POST", "/servers", `{"packageId":2.5,"userId":1,"hypervisorId":1}`, 422, "wrong type"},
		{"a missing field", "POST", "/servers", `{"packageId":2,"userId":1}`, 422, "hypervisorId field is required"},
		{"no JSON", "POST", "/servers", `packageId=2`, 422, "not a JSON object"},
		{"an unknown user", "POST", "/servers", `{"packageId":2,"userId":9,"hypervisorId":1}`, 422, "user is invalid"},
		{"an unknown package", "POST", "/servers", `{"packageId":9,"userId":1,"hypervisorId":1}`, 422, "package"},
		{"a disabled package", "POST", "/servers", `{"packageId":5,"userId":1,"hypervisorId":1}`, 422, "disabled package"},
		{"a disabled group", "POST", "/servers", `{"packageId":2,"userId":1,"hypervisorId":3}`, 422, "hypervisor group"},
		{"too many addresses", "POST", "/servers", `{"packageId":2,"userId":1,"hypervisorId":1,"ipv4":254}`, 422, "IPv4"},
		{"too much memory", "POST", "/servers", `{"packageId":2,"userId":1,"hypervisorId":1,"memory":99999999}`, 422, "enough resources"},
		{"too little memory", "POST", "/servers", `{"packageId":2,"userId":1,"hypervisorId":1,"memory":1}`, 422, "resources are invalid"},
		{"a dry run with a body error", "POST", "/servers?dryRun=true", `{"packageId":9,"userId":1,"hypervisorId":1}`, 422, "package"},
		{"an unknown parameter", "GET", "/servers/1?remote=true", "", 422, "remote is not known"},
		{"a parameter of another type", "GET", "/servers/1?remoteState=1", "", 422, "must be true or false"},
		{"a page too long", "GET", "/servers?results=201", "", 422, "results"},
		{"a list of an unknown kind", "GET", "/servers?type=all", "", 422, "simple or full"},
		{"a template of another package", "POST", "/servers/2/build", `{"operatingSystemId":20}`, 422, "operating system"},
		{"an odd swap", "POST", "/servers/2/build", `{"operatingSystemId":8,"swap":7}`, 422, "swap"},
		{"an odd hostname", "POST", "/servers/2/build", `{"operatingSystemId":8,"hostname":"a b"}`, 422, "hostname"},
		{"another's key", "POST", "/servers/2/build", `{"operatingSystemId":8,"sshKeys":[7]}`, 422, "SSH key"},
		{"a build while it builds", "POST", "/servers/3/build", `{"operatingSystemId":8}`, 423, "locked"},
		{"suspension while it builds", "POST", "/servers/3/suspend", "", 423, "locked"},
		{"deletion while it builds", "DELETE", "/servers/3?delay=0", "", 423, "locked"},
		{"power without a system", "POST", "/servers/2/power/boot", "", 422, "no operating system"},
		{"power with a body", "POST", "/servers/1/power/boot", `{"x":1}`, 422, "takes no body"},
		{"an unknown power action", "POST", "/servers/1/power/explode", "", 404, "route"},
		{"a password of another user", "POST", "/servers/1/resetPassword", `{"user":"Administrator"}`, 422, "user is invalid"},
		{"a delay too long", "DELETE", "/servers/1?delay=43801", "", 422, "delay"},
		{"no such server", "GET", "/servers/99", "", 404, "server not found"},
		{"a server by word", "GET", "/servers/abc", "", 404, "server not found"},
		{"no such queue item", "GET", "/queue/99", "", 404, "queue item"},
		{"no such user", "GET", "/users/ezs-9/byExtRelation?relStr=true", "", 404, "user not found"},
		{"the string without relStr", "GET", "/users/ezs-1/byExtRelation", "", 404, "user not found"},
		{"servers of no user", "GET", "/servers/user/9", "", 404, "user not found"},
		{"a taken address", "POST", "/users", `{"name":"Bob","email":"ADA@example.com"}`, 409, "already exists"},
		{"a taken relation", "POST", "/users", `{"name":"Bob","email":"bob@example.com","relStr":"ezs-1"}`, 422, "already in use"},
		{"no address", "POST", "/users", `{"name":"Bob","email":"bob"}`, 422, "email"},
		{"no name", "POST", "/users", `{"name":" ","email":"bob@example.com"}`, 422, "name"},
		{"a key that is none", "POST", "/ssh_keys", `{"userId":1,"name":"k","publicKey":"x"}`, 422, "public key"},
		{"an empty name", "PUT", "/servers/1/modify/name", `{"name":" "}`, 422, "name"},
		{"a user with servers", "DELETE", "/users/ezs-1/byExtRelation?relStr=true", "", 409, "has servers"},
		{"no such route", "GET", "/nothing", "", 404, "route"},
		{"no such part", "GET", "/servers/1/nothing", "", 404, "route"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got := b.Call(s.method, s.path, s.body)
			if got.Status != s.status || !strings.Contains(got.Body, s.says) {
				t.Errorf("%d %s, want %d saying %q", got.Status, got.Body, s.status, s.says)
			}
		})
	}
	if n := b.box.Snapshot().Created; n != 3 {
		t.Errorf("%d servers were made, want 3", n)
	}
}

func TestAuthorization(t *testing.T) {
	b := newBench(t, Options{})
	for _, auth := range []string{"", "Bearer", "Bearer wrong", "Basic " + token, "Bearer " + token + "x"} {
		if got := b.Raw("GET", "/api/v1/connect", "", "Authorization", auth, "Accept", "application/json"); got.Status != 401 || got.Body != "401 Unauthorized" {
			t.Errorf("%q = %d %q, want a plain 401", auth, got.Status, got.Body)
		}
	}
	if got := b.Raw("GET", "/api/v1/connect", "", "Authorization", "Bearer "+token); got.Status != 406 {
		t.Errorf("without Accept = %d, want 406", got.Status)
	}
	if got := b.Must(200, "GET", "/connect", ""); strings.TrimSpace(got.Body) != "[]" {
		t.Errorf("connect = %q, want []", got.Body)
	}
}

func TestTasksExcludeEachOther(t *testing.T) {
	b := newBench(t, Options{TaskTime: 3 * time.Second})
	b.built()
	b.Must(200, "POST", "/servers/1/power/restart", "")
	for _, path := range []string{"/power/boot", "/suspend", "/build"} {
		body := map[string]string{"/build": `{"operatingSystemId":8}`}[path]
		b.Must(423, "POST", "/servers/1"+path, body)
	}
	b.Sleep(3 * time.Second)
	b.Must(204, "POST", "/servers/1/suspend", "")
	b.Must(204, "POST", "/servers/1/suspend", "")
	b.Must(423, "POST", "/servers/1/power/boot", "")
	if got := b.Must(200, "GET", "/servers/1?remoteState=true", ""); got.At("data", "suspended") != true || got.At("data", "remoteState", "state") != "shut off" {
		t.Errorf("suspended = %s", got.Body)
	}
	b.Must(204, "POST", "/servers/1/unsuspend", "")
	b.Must(200, "POST", "/servers/1/power/poweroff", "")
}

func TestDeletionFreesAddresses(t *testing.T) {
	b := newBench(t, Options{TaskTime: 2 * time.Second})
	b.built()
	b.Must(204, "DELETE", "/servers/1?delay=10", "")
	b.Must(200, "GET", "/servers/1", "")
	b.Must(204, "DELETE", "/servers/1?delay=0", "")
	b.Must(200, "GET", "/servers/1", "")
	b.Sleep(2 * time.Second)
	b.Must(404, "GET", "/servers/1", "")
	again := b.Must(201, "POST", "/servers", `{"packageId":2,"userId":1,"hypervisorId":1}`)
	if again.At("data", "id") != 2.0 || again.At("data", "network", "interfaces", 0, "ipv4", 0, "address") != "203.0.113.2" {
		t.Errorf("the next server = %s, want id 2 with the freed address", again.Body)
	}
	if snap := b.box.Snapshot(); snap.Created != 2 || snap.Deleted != 1 {
		t.Errorf("%d made, %d removed; want 2 and 1", snap.Created, snap.Deleted)
	}
}

func TestRoomAndDryRun(t *testing.T) {
	b := newBench(t, Options{})
	b.Must(201, "POST", "/users", `{"name":"Ada","email":"ada@example.com","extRelationId":7}`)
	order := `{"packageId":2,"userId":1,"hypervisorId":1}`
	b.box.SetRoom(1)
	b.Must(200, "POST", "/servers?dryRun=true", order)
	b.Must(201, "POST", "/servers", order)
	b.Must(422, "POST", "/servers", order)
	if n := b.box.Snapshot().Created; n != 1 {
		t.Errorf("%d servers, want 1", n)
	}
	b.Must(200, "GET", "/users/7/byExtRelation", "")
}

func TestListsArePaged(t *testing.T) {
	b := newBench(t, Options{PageUserLists: true})
	b.Must(201, "POST", "/users", `{"name":"Ada","email":"ada@example.com"}`)
	for range 5 {
		b.box.Allocate(1, 1)
	}
	for _, path := range []string{"/servers?results=2&page=3", "/servers/user/1?results=2&page=3", "/servers?type=full&results=2&page=3"} {
		got := b.Must(200, "GET", path, "")
		list, _ := got.At("data").([]any)
		if len(list) != 1 || got.At("last_page") != 3.0 || got.At("total") != 5.0 || got.At("next_page_url") != nil || got.At("from") != 5.0 {
			t.Errorf("%s = %s", path, got.Body)
		}
	}
	if got := b.Must(200, "GET", "/servers?results=2&page=9", ""); got.At("from") != nil {
		t.Errorf("a page past the end = %s", got.Body)
	}
	if got := b.Must(200, "GET", "/servers?hypervisorId=15", ""); got.At("total") != 0.0 {
		t.Errorf("another hypervisor = %s, want none", got.Body)
	}
}

func TestUsersAndKeys(t *testing.T) {
	b := newBench(t, Options{})
	b.Must(201, "POST", "/users", `{"name":"Ada","email":"ada@example.com","relStr":"ezs-1"}`)
	rel := "/users/ezs-1/byExtRelation"
	b.Must(201, "PUT", rel+"?relStr=true", `{"name":"Ada L.","email":"ada@example.org","enabled":false}`)
	got := b.Must(200, "GET", rel+"?relStr=true", "")
	if got.At("data", "name") != "Ada L." || got.At("data", "suspended") != true || got.At("data", "password") != nil {
		t.Errorf("user = %s", got.Body)
	}
	if p, _ := b.Must(201, "POST", rel+"/resetPassword?relStr=true", "").At("data", "password").(string); p == "" {
		t.Error("no new password")
	}
	b.Must(201, "POST", "/ssh_keys", `{"userId":1,"name":"k","publicKey":"ssh-ed25519 AAAA"}`)
	if got := b.Must(200, "GET", "/ssh_keys/user/1", ""); got.At("data", 0, "name") != "k" {
		t.Errorf("keys = %s", got.Body)
	}
	b.Must(200, "GET", "/ssh_keys/1", "")
	b.Must(204, "DELETE", "/ssh_keys/1", "")
	b.Must(404, "GET", "/ssh_keys/1", "")
	b.Must(404, "DELETE", "/ssh_keys/1", "")
	b.Must(204, "DELETE", rel+"?relStr=true", "")
	b.Must(404, "GET", rel+"?relStr=true", "")
}

// Many callers at once get servers and addresses of their own.
func TestConcurrentCreates(t *testing.T) {
	b := newBench(t, Options{})
	b.Must(201, "POST", "/users", `{"name":"Ada","email":"ada@example.com"}`)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				b.Call("POST", "/servers", `{"packageId":1,"userId":1,"hypervisorId":1}`)
				b.Call("GET", "/servers/user/1", "")
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, s := range b.box.Snapshot().Servers {
		for _, a := range s.Addresses {
			if seen[a] {
				t.Errorf("address %s was given twice", a)
			}
			seen[a] = true
		}
	}
	if len(seen) != 80 {
		t.Errorf("%d addresses, want 80", len(seen))
	}
}

func TestLiveFiguresAreTheSameAtTheSameMoment(t *testing.T) {
	b := newBench(t, Options{})
	b.built()
	first, again := b.Must(200, "GET", "/servers/1?remoteState=true", ""), b.Must(200, "GET", "/servers/1?remoteState=true", "")
	if first.Body != again.Body {
		t.Error("two reads at one moment differ")
	}
	b.Sleep(30 * time.Second)
	later := b.Must(200, "GET", "/servers/1?remoteState=true", "")
	for _, path := range [][]any{{"cpu"}, {"memory", "unused"}, {"disk", "vda", "wr.bytes"}, {"agent", "fsinfo", 0, "used-bytes"}} {
		full := append([]any{"data", "remoteState"}, path...)
		if first.At(full...) == nil || first.At(full...) == later.At(full...) {
			t.Errorf("%v = %v and %v, want it to move", path, first.At(full...), later.At(full...))
		}
	}
	for i := range 30 {
		got := b.Must(200, "GET", "/servers/1/traffic", "")
		months, _ := got.At("data", "monthly").([]any)
		if want := min(i+1, 24); len(months) != want || got.At("data", "monthly", 0, "month") != float64(i+1) {
			t.Fatalf("month %d: %d periods, the newest %v: want %d\n%s", i, len(months), got.At("data", "monthly", 0, "month"), want, strconv.Quote(got.Body[:200]))
		}
		b.Sleep(31 * 24 * time.Hour)
	}
}
