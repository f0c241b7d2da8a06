package provisioning_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/internal/testapp"
)

const office = "office@hosting.test"

// staffed has staff read mail.
func staffed(app *testapp.App, locale string) {
	app.Helper()
	brand, err := collections.LoadBrand(app)
	if err != nil {
		app.Fatal(err)
	}
	brand.Support, brand.StaffLocale = office, locale
	if err := collections.SaveSetting(app, "brand", brand); err != nil {
		app.Fatal(err)
	}
}

// toStaff are the mails to staff that were sent by a quarter of an hour from now.
func toStaff(app *testapp.App) []string {
	app.Helper()
	app.Clock().Advance(15 * time.Minute)
	app.Quiet()
	all := []string{}
	for _, m := range app.Mails(office) {
		all = append(all, m.Subject+"\n"+strings.Join(strings.Fields(m.Text), " "))
	}
	return all
}

func TestH1TheIndexRefusesOneServerForTwoServices(t *testing.T) {
	app := testapp.New(t)
	o := app.Buy(app.Customer("ada"), testapp.Cart{Quantity: 2})
	app.Quiet()
	first := app.Record("services", o.Services[0]).GetString("platform_service_id")
	err := app.Exec("UPDATE `services` SET `platform_service_id` = '" + first + "' WHERE `id` = '" + o.Services[1] + "'")
	if err == nil || !strings.Contains(err.Error(), "UNIQUE") {
		t.Errorf("got %v, want the database to refuse it", err)
	}
}

// TestH1AStaleOrderBuildsNothing: the job that builds is there once more, from an
// earlier time, when the service is long built, or gone.
func TestH1AStaleOrderBuildsNothing(t *testing.T) {
	app := testapp.New(t)
	o := app.Buy(app.Customer("ada"), testapp.Cart{})
	app.Quiet()
	again := func(when string) {
		t.Helper()
		svc := app.Service(o)
		added, err := jobs.Enqueue(app, app.Clock().Now(), jobs.Job{Kind: "service.provision", Key: "service.provision:" + svc.Id, Serial: "user:" + svc.GetString("user"), User: svc.GetString("user"), Service: svc.Id, Actor: "system", Payload: struct{}{}})
		if err != nil || !added {
			t.Fatalf("%s: added %t, %v", when, added, err)
		}
		app.Quiet()
		if made, open := app.Panel.Snapshot().Created, app.Count("jobs", "`kind` = 'service.provision' AND `state` != 'done'"); made != 1 || open != 0 {
			t.Errorf("%s: the panel has made %d servers and %d jobs stay open, want 1 and none", when, made, open)
		}
	}
	again("while it runs")
	app.Want(http.StatusOK, edit(app, o, map[string]any{"status": "terminated"}))
	app.Eventually("it is gone", func() bool { return status(app, o) == "terminated" })
	app.Quiet()
	again("when it is gone")
}

// TestH2ActiveOnlyOnceThePanelSaysSo: the panel took both calls and works on them.
func TestH2ActiveOnlyOnceThePanelSaysSo(t *testing.T) {
	app := testapp.New(t, testapp.Steady(), testapp.BuildTime(time.Hour))
	ada := app.Customer("ada")
	o := app.Order(ada, testapp.Cart{})
	app.Pay(o)
	app.Eventually("the panel installs", func() bool { return len(app.Panel.Snapshot().Servers) == 1 && server(app).Builds == 1 })
	for range 5 {
		app.Clock().Advance(time.Minute)
		app.Eventually("the panel was asked again", func() bool {
			return app.Count("jobs", "`kind` = 'service.provision' AND `state` = 'queued' AND `next_at` > '"+collections.Stamp(app.Clock().Now()).String()+"'") == 1
		})
	}
	if svc := app.Service(o); svc.GetString("status") != "provisioning" || svc.GetString("provisioned_at") != "" || ready(app, ada) != 0 {
		t.Errorf("while the panel installs it is %s since %q and %d mails say that it is ready", svc.GetString("status"), svc.GetString("provisioned_at"), ready(app, ada))
	}
	app.Clock().Advance(time.Hour)
	app.Active(o)
	app.Quiet()
	if n := ready(app, ada); n != 1 {
		t.Errorf("%d mails say that it is ready, want 1", n)
	}
}

// ready counts the mails that say that a server is ready.
func ready(app *testapp.App, who *testapp.Person) int {
	return app.Count("mails", "`kind` = 'service_ready' AND `recipient` = '"+who.Email+"'")
}

// TestH2TheSecondOfTwoCallsIsRefused: there is a server, and nothing on it.
func TestH2TheSecondOfTwoCallsIsRefused(t *testing.T) {
	app := testapp.New(t)
	staffed(app, "")
	app.Panel.Answer("POST /api/v1/servers/1/build", http.StatusUnprocessableEntity, `{"errors":["The template is broken."]}`, 1)
	ada := app.Customer("ada")
	o := app.Order(ada, testapp.Cart{})
	app.Pay(o)
	app.Eventually("it is given up", func() bool { return app.Count("jobs", "`state` = 'failed'") == 1 })
	if svc := app.Service(o); svc.GetString("status") != "provisioning" || svc.GetString("provisioned_at") != "" || ready(app, ada) != 0 {
		t.Errorf("the service is %s since %q, %d mails say that it is ready; want it unbuilt", svc.GetString("status"), svc.GetString("provisioned_at"), ready(app, ada))
	}
	if got := toStaff(app); len(got) != 1 || !strings.Contains(got[0], "The template is broken.") {
		t.Errorf("staff got %q, want one mail with the panel's reason", got)
	}
	job := app.One("jobs", dbx.HashExp{"state": "failed"})
	app.Want(http.StatusNoContent, app.Do(http.MethodPost, "/api/v1/staff/jobs/"+job.Id, app.Staff(), map[string]string{"action": "retry", "reason": "mended"}))
	app.Active(o)
	if snap := app.Panel.Snapshot(); snap.Created != 1 {
		t.Errorf("the panel made %d servers, want 1", snap.Created)
	}
}

// TestH2EachItemOfAnOrderStandsForItself: there is room for one of two.
func TestH2EachItemOfAnOrderStandsForItself(t *testing.T) {
	app := testapp.New(t)
	app.Panel.SetRoom(1)
	o := app.Order(app.Customer("ada"), testapp.Cart{Quantity: 2})
	app.Pay(o)
	active := func() int { return app.Count("services", "`status` = 'active'") }
	app.Eventually("one is built", func() bool { return active() == 1 })
	app.Clock().Advance(time.Hour)
	app.Quiet()
	if active() != 1 || len(app.Panel.Snapshot().Servers) != 1 {
		t.Errorf("%d of 2 are active with %d servers, want 1 of each", active(), len(app.Panel.Snapshot().Servers))
	}
	app.Panel.SetRoom(2)
	app.Eventually("both are built", func() bool { app.Clock().Advance(time.Minute); return active() == 2 })
	if got := len(app.Panel.Snapshot().Servers); got != 2 {
		t.Errorf("the panel has %d servers, want 2", got)
	}
}

// refusal is an act that the panel refuses once, and what shows that it was done.
type refusal struct {
	name, call string
	act        func(r *tenancy)
	done       func(r *tenancy) bool
}

func refusals() []refusal {
	statusIs := func(want string) func(r *tenancy) bool {
		return func(r *tenancy) bool { return status(r.App, r.order) == want }
	}
	becomes := func(wanted string) func(r *tenancy) {
		return func(r *tenancy) { r.Want(http.StatusOK, edit(r.App, r.order, map[string]any{"status": wanted})) }
	}
	return []refusal{
		{"suspend", "POST /api/v1/servers/1/suspend", becomes("suspended"), statusIs("suspended")},
		{"unsuspend", "POST /api/v1/servers/1/unsuspend", becomes("active"), statusIs("active")},
		{"terminate", "DELETE /api/v1/servers/1", becomes("terminated"), statusIs("terminated")},
		{"change plan", "PUT /api/v1/servers/1/package/", func(r *tenancy) { r.becomes("vps-m") }, func(r *tenancy) bool {
			return r.Service(r.order).GetString("plan") == r.Plan("vps-m").Id
		}},
	}
}

// moved are the fields of a service that an act may change only once it is confirmed.
var moved = []string{"status", "plan", "order_settings", "platform_service_id", "credentials", "ipv4", "provisioned_at", "suspended_at", "terminated_at"}

// TestH3ARefusalMovesNothing: neither date nor status, staff reads why, and once the
// panel agrees it is done.
func TestH3ARefusalMovesNothing(t *testing.T) {
	for _, s := range refusals() {
		t.Run(s.name, func(t *testing.T) {
			r := rents(t, "vps-s")
			staffed(r.App, "")
			if s.name == "unsuspend" {
				r.Want(http.StatusOK, edit(r.App, r.order, map[string]any{"status": "suspended"}))
				r.Eventually("it is suspended", func() bool { return status(r.App, r.order) == "suspended" })
				r.Quiet()
			}
			before, addresses := r.Service(r.order), r.Count("ip_assignments", "`valid_until` = ''")
			r.Panel.Answer(s.call, http.StatusUnprocessableEntity, `{"msg":"Not now, said the panel.","errors":["Not now, said the panel."]}`, 1)
			s.act(r)
			r.Eventually("it is given up", func() bool { return r.Count("jobs", "`state` IN ('failed', 'parked')") == 1 })
			paid := r.subscription().GetString("current_period_end")
			after := r.Service(r.order)
			for _, f := range moved {
				if before.GetString(f) != after.GetString(f) {
					t.Errorf("%s was %q and is %q after a refusal", f, before.GetString(f), after.GetString(f))
				}
			}
			if n := r.Count("ip_assignments", "`valid_until` = ''"); n != addresses || r.Count("provisioning_logs", "`status` = 'failed' AND `error` LIKE '%Not now, said the panel.%'") != 1 {
				t.Errorf("%d addresses, want %d, and one entry in the log that says why", n, addresses)
			}
			if got := toStaff(r.App); len(got) != 1 || !strings.Contains(got[0], "Not now, said the panel.") {
				t.Errorf("staff got %q, want one mail with the reason", got)
			}
			job := &struct {
				ID string `db:"id"`
			}{}
			if err := r.DB().NewQuery("SELECT `id` FROM `jobs` WHERE `state` IN ('failed', 'parked')").One(job); err != nil {
				t.Fatal(err)
			}
			r.Want(http.StatusNoContent, r.Do(http.MethodPost, "/api/v1/staff/jobs/"+job.ID, r.Staff(), map[string]string{"action": "retry", "reason": "the panel agrees now"}))
			r.Eventually("it is done", func() bool { return s.done(r) })
			if got := r.subscription().GetString("current_period_end"); got != paid || paid == "" {
				t.Errorf("it was paid until %q and is until %q", paid, got)
			}
		})
	}
}

// TestH3ARefusedBuildHasNoDate and is told to staff with the panel's words.
func TestH3ARefusedBuildHasNoDate(t *testing.T) {
	app := testapp.New(t)
	staffed(app, "de")
	app.Panel.Answer("POST /api/v1/servers", http.StatusUnprocessableEntity, `{"errors":["No such package here."]}`, 1)
	o := app.Order(app.Customer("ada"), testapp.Cart{})
	app.Pay(o)
	app.Eventually("it is given up", func() bool { return app.Count("jobs", "`state` = 'failed'") == 1 })
	if svc := app.Service(o); svc.GetString("status") != "provisioning" || svc.GetString("provisioned_at") != "" || svc.GetString("platform_service_id") != "" {
		t.Errorf("the service is %s since %q with %q", svc.GetString("status"), svc.GetString("provisioned_at"), svc.GetString("platform_service_id"))
	}
	if got := toStaff(app); len(got) != 1 || !strings.Contains(got[0], "Arbeit wartet auf Sie (1)") || !strings.Contains(got[0], "No such package here.") {
		t.Errorf("staff got %q, want one mail with the panel's reason", got)
	}
}

// TestH4ARefusalOnManyNightsIsOneJob, it outlives every purge, and only a person
// closes it.
func TestH4ARefusalOnManyNightsIsOneJob(t *testing.T) {
	app := testapp.New(t)
	o := app.Buy(app.Customer("ada"), testapp.Cart{})
	app.Quiet()
	id := app.Service(o).GetString("platform_service_id")
	app.Panel.Answer("POST /api/v1/servers/"+id+"/suspend", http.StatusUnprocessableEntity, `{"msg":"no"}`, 1_000_000)
	app.Want(http.StatusOK, edit(app, o, map[string]any{"status": "suspended", "status_reason": "abuse"}))
	app.Quiet()
	key := "`key` = 'service.suspend:" + o.Services[0] + "'"
	for night := range 20 {
		app.Clock().Advance(25 * time.Hour)
		app.RunTasks()
		app.Quiet()
		if all := app.Count("jobs", key); all != 1 || app.Count("jobs", key+" AND `state` = 'failed' AND `error` != ''") != 1 {
			t.Fatalf("night %d: %d jobs, want one that was given up and says why\n%s", night, all, app.Describe())
		}
	}
	rounds := app.Count("audit_logs", "`action` = 'job.given_up'")
	if rounds < 15 {
		t.Errorf("it was asked %d times in 20 nights, want about one a night", rounds)
	}
	if err := jobs.Purge(t.Context(), app.App, app.Clock().Now().AddDate(50, 0, 0)); err != nil {
		t.Fatal(err)
	}
	job := app.One("jobs", dbx.HashExp{"service": o.Services[0]})
	if app.Count("jobs", "`state` = 'done'") != 0 || job.GetString("state") != "failed" {
		t.Fatalf("the purge left %d done jobs and the other %s", app.Count("jobs", "`state` = 'done'"), job.GetString("state"))
	}
	if r := app.Do(http.MethodDelete, "/api/collections/jobs/records/"+job.Id, app.Staff(), nil); r.Status < 400 {
		t.Errorf("a job was deleted by hand: %s", r)
	}
	app.Want(http.StatusNoContent, app.Do(http.MethodPost, "/api/v1/staff/jobs/"+job.Id, app.Staff(), map[string]string{"action": "close", "reason": "settled with the customer"}))
	if got := app.Record("jobs", job.Id).GetString("state"); got != "done" || app.Count("audit_logs", "`action` = 'job.close'") != 1 {
		t.Errorf("closed by a person it is %s", got)
	}
}

// TestH5NoCallIsMadeWithinATransaction: whatever is called, from the first to the
// last call of a service's life, somebody else can write at that moment.
func TestH5NoCallIsMadeWithinATransaction(t *testing.T) {
	r := &tenancy{App: upgradable(t)}
	app, mu, blocked, calls := r.App, sync.Mutex{}, map[string]int{}, atomic.Int32{}
	app.Panel.Faults().Before = func(req *http.Request) {
		calls.Add(1)
		for range 2 { // another writer may have been in the way once
			limited, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			_, err := app.NonconcurrentDB().NewQuery("UPDATE `settings` SET `updated` = `updated`").WithContext(limited).Execute()
			cancel()
			if err == nil {
				return
			}
		}
		mu.Lock()
		defer mu.Unlock()
		blocked[req.Method+" "+req.URL.Path]++
	}
	r.who = app.Customer("ada")
	r.order = app.Buy(r.who, testapp.Cart{Plan: "vps-s"})
	app.Quiet()
	path := "/api/v1/services/" + r.order.Services[0]
	r.becomes("vps-m")
	r.has("vps-m")
	app.Quiet()
	for _, act := range []struct {
		path string
		body map[string]string
	}{{"/power", map[string]string{"action": "restart"}}, {"/reset-password", map[string]string{}}, {"/refresh", map[string]string{}}} {
		app.Want(http.StatusAccepted, app.Do(http.MethodPost, path+act.path, r.who.Token, act.body))
		app.Eventually("it is done", func() bool { return app.Service(r.order).GetString("action") == "" })
		app.Quiet()
	}
	app.Want(http.StatusOK, app.Do(http.MethodPost, path+"/sign-in", r.who.Token, map[string]any{}))
	app.Clock().Advance(25 * time.Hour)
	app.RunTasks() // compares the panel's list
	app.Quiet()
	for _, next := range []string{"suspended", "active", "terminated"} {
		app.Want(http.StatusOK, edit(app, r.order, map[string]any{"status": next}))
		app.Eventually("it is "+next, func() bool { return status(app, r.order) == next })
		app.Quiet()
	}
	mu.Lock()
	defer mu.Unlock()
	if len(blocked) > 0 || calls.Load() < 20 {
		t.Errorf("during %v of %d calls nobody could write", blocked, calls.Load())
	}
}

// TestH5OthersWorkWhileThePanelTakesSeconds: a customer's write takes no longer.
func TestH5OthersWorkWhileThePanelTakesSeconds(t *testing.T) {
	const answer, most = 6 * time.Second, 3 * time.Second // a busy machine is slow, a lock lasts as long as the call
	app := testapp.New(t)
	bob := app.Customer("bob")
	his := app.Buy(bob, testapp.Cart{})
	app.Quiet()
	app.Panel.Faults().Add(fault.Fault{Match: "POST /api/v1/servers", Kind: fault.Slow, Delay: answer, Times: 1})
	began := atomic.Bool{}
	app.Panel.Faults().Before = func(r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Path == "/api/v1/servers" {
			began.Store(true)
		}
	}
	o := app.Order(app.Customer("ada"), testapp.Cart{})
	app.Pay(o)
	app.Eventually("the panel is asked", began.Load)
	slowest, writes := time.Duration(0), 0
	for end := time.Now().Add(answer - most); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		at := time.Now()
		app.Want(http.StatusOK, app.Do(http.MethodPatch, "/api/v1/services/"+his.Services[0], bob.Token, map[string]string{"label": fmt.Sprint("shop ", writes)}))
		slowest, writes = max(slowest, time.Since(at)), writes+1
	}
	if len(app.Panel.Snapshot().Servers) != 1 {
		t.Fatal("the panel has answered already")
	}
	if slowest > most || writes < 3 {
		t.Errorf("%d writes beside the call, the slowest took %s; want many within %s", writes, slowest, most)
	}
	app.Active(o)
}
