package provisioning_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/internal/testapp"
)

// packages of the test's plans: the disks are 20, 40, 80 and 80 GB.
var packages = map[string]string{"vps-s": "1", "vps-m": "2", "vps-few": "3", "vps-last": "6"}

// tenancy is a customer with one service whose plan can be changed.
type tenancy struct {
	*testapp.App
	who   *testapp.Person
	order *testapp.Order
}

// upgradable is a shop with plans to change between.
func upgradable(t *testing.T) *testapp.App {
	t.Helper()
	app := testapp.New(t)
	settings := collections.DefaultInvoicing()
	settings.KeepCredit = true // else what a downgrade gave back pays for the next change before the test is ready
	if err := collections.SaveSetting(app.App, "invoicing", settings); err != nil {
		t.Fatal(err)
	}
	for slug, id := range packages {
		plan := app.Plan(slug)
		size, _ := strconv.Atoi(id)
		plan.Load(map[string]any{"upgrade_group": "vps", "platform_settings": map[string]string{"package_id": id, "group_id": "1"}, "features": map[string]int{"package": size}})
		if err := collections.Save(app.App, plan); err != nil {
			t.Fatal(err)
		}
	}
	return app
}

// rents is a customer of the shop with a running server of a plan.
func rents(t *testing.T, plan string) *tenancy {
	t.Helper()
	app := upgradable(t)
	r := &tenancy{App: app, who: app.Customer("ada")}
	r.order = app.Buy(r.who, testapp.Cart{Plan: plan})
	app.Quiet()
	return r
}

func (r *tenancy) subscription() *core.Record {
	r.Helper()
	return r.One(collections.Subscriptions, dbx.HashExp{"order": r.order.ID})
}

func (r *tenancy) ask(act string, body map[string]any) *testapp.Answer {
	r.Helper()
	return r.Do(http.MethodPost, "/api/v1/subscriptions/"+r.subscription().Id+"/changes"+act, r.who.Token, body)
}

// wish asks for another plan.
func (r *tenancy) wish(slug, timing string) map[string]any {
	r.Helper()
	return map[string]any{"price": r.Price(slug, "EUR", "monthly").Id, "timing": timing}
}

// agrees makes a change at the price that its preview shows.
func (r *tenancy) agrees(wish map[string]any) *testapp.Answer {
	r.Helper()
	shown := r.Want(http.StatusOK, r.ask("/preview", wish))
	wish["client_key"], wish["total_minor"], wish["credit_minor"] = core.GenerateDefaultRandomId(), shown.Int("total.minor"), shown.Int("credit.minor")
	return r.Want(http.StatusCreated, r.ask("", wish))
}

// becomes changes the plan now, and pays what it costs.
func (r *tenancy) becomes(slug string) {
	r.Helper()
	if change := r.agrees(r.wish(slug, "now")); change.Text("status") != "applied" {
		r.pays(change)
	}
}

// pays the invoice of a change, upon which it takes effect.
func (r *tenancy) pays(change *testapp.Answer) {
	r.Helper()
	invoice := change.Text("invoice_id")
	r.Want(http.StatusOK, r.Do(http.MethodPost, "/api/v1/staff/invoices/"+invoice+"/payments", r.Staff(), map[string]any{
		"amount_minor": change.Int("total.minor"), "currency": "EUR", "reference": "transfer " + invoice,
	}))
}

// show is the service as its customer sees it.
func (r *tenancy) show() *testapp.Answer {
	r.Helper()
	return r.Want(http.StatusOK, r.Do(http.MethodGet, "/api/v1/services/"+r.order.Services[0], r.who.Token, nil))
}

// has waits until the panel's server and our record are of a plan.
func (r *tenancy) has(slug string) {
	r.Helper()
	r.Eventually("the server is a "+slug, func() bool {
		r.Clock().Advance(2 * time.Second)
		svc := r.Service(r.order)
		return fmt.Sprint(server(r.App).PackageID) == packages[slug] && svc.GetString("plan") == r.Plan(slug).Id && svc.GetString("change_since") == ""
	})
	svc := r.Service(r.order)
	settings, err := collections.StringMap(svc, "order_settings")
	if err != nil || settings["package_id"] != packages[slug] || settings["template_id"] != "8" {
		r.Errorf("the service keeps %v (%v), want package %s and the customer's system", settings, err, packages[slug])
	}
	if got := r.Count("jobs", "`kind` = 'service.change_plan' AND `state` != 'done'"); got != 0 {
		r.Errorf("%d jobs to change it stay open", got)
	}
}

// job is the open job that changes the plan.
func (r *tenancy) job() *core.Record {
	r.Helper()
	found := &core.Record{}
	if err := r.RecordQuery(collections.Jobs).AndWhere(dbx.NewExp("`kind` = 'service.change_plan' AND `state` != 'done'")).Limit(1).One(found); err != nil {
		r.Fatalf("the open job: %v", err)
	}
	return found
}

func (r *tenancy) acts(action string) {
	r.Helper()
	r.Want(http.StatusNoContent, r.Do(http.MethodPost, "/api/v1/staff/jobs/"+r.job().Id, r.Staff(), map[string]string{"action": action, "reason": "looked at it"}))
}

// restarts does what the mail asks for.
func (r *tenancy) restarts() {
	r.Helper()
	r.Quiet()
	r.Want(http.StatusAccepted, r.Do(http.MethodPost, "/api/v1/services/"+r.order.Services[0]+"/power", r.who.Token, map[string]string{"action": "restart"}))
	r.Eventually("the restart is done", func() bool { return r.show().At("restart_needed") == false && r.show().Text("action") == "" })
	r.Quiet()
}

func (r *tenancy) restartMails() int {
	n := 0
	for _, m := range r.Mails(r.who.Email) {
		if strings.Contains(m.Subject, "restart") {
			n++
		}
	}
	return n
}

// TestAPaidUpgradeReachesTheServer is the whole way: agreed, paid, done at the
// panel, shown, and told what is left to the customer.
func TestAPaidUpgradeReachesTheServer(t *testing.T) {
	r := rents(t, "vps-s")
	before := server(r.App)
	change := r.agrees(r.wish("vps-m", "now"))
	r.Quiet()
	if got := server(r.App); got.PackageID != before.PackageID {
		t.Fatal("the server changed before the change was paid for")
	}
	r.pays(change)
	r.has("vps-m")
	got := server(r.App)
	if got.MemoryMB != 2048 || got.Cores != 2 || got.DiskGB != 40 || got.TrafficGB != 2000 || got.ID != before.ID || got.Builds != 1 {
		t.Errorf("the server is %+v, want the same one larger", got)
	}
	shown := r.show()
	if shown.Text("plan.name") != "Plan vps-m" || shown.Int("features.package") != 2 || shown.At("plan_change") != nil || shown.At("restart_needed") != true || shown.Text("activity.0.action") != "change_plan" {
		t.Errorf("the customer sees %s", shown)
	}
	log := r.One(collections.ProvisioningLogs, dbx.HashExp{"action": "change_plan"})
	if log.GetString("status") != "done" || !strings.Contains(log.GetString("response"), "package_id: 1 → 2") {
		t.Errorf("the log says %q", log.GetString("response"))
	}
	if n := r.Count("audit_logs", "`action` = 'service.change_plan.done'"); n != 1 {
		t.Errorf("%d audit rows, want 1", n)
	}
	r.Eventually("the customer is asked to restart it", func() bool { return r.restartMails() == 1 })
	r.Quiet()
	r.restarts()
	if got := server(r.App); got.LiveMemoryMB != 2048 {
		t.Errorf("after the restart it runs with %d MB", got.LiveMemoryMB)
	}
}

// TestAChangeSurvivesEveryMishapOfEveryCall: lost answers, a panel that is down, busy,
// in a hurry or behind a broken proxy, twice in a row, at each call of the chain.
func TestAChangeSurvivesEveryMishapOfEveryCall(t *testing.T) {
	kinds := []fault.Kind{fault.LostAnswer, fault.After500, fault.Truncated, fault.RefuseConn, fault.Error500, fault.HTML502, fault.RateLimited, fault.Unavailable, "locked"}
	for _, call := range []string{"GET /api/v1/servers/1", "GET /api/v1/packages/", "PUT /api/v1/servers/1/package/"} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			r := rents(t, "vps-last")
			for _, kind := range kinds {
				r.disturbed(call, kind)
			}
			if got := server(r.App); got.Builds != 1 || got.ID != 1 {
				t.Errorf("the server is %+v, want the first one", got)
			}
		})
	}
}

// disturbed upgrades while a call goes wrong twice, and takes it back in peace.
func (r *tenancy) disturbed(call string, kind fault.Kind) {
	r.Helper()
	mails := r.restartMails()
	change := r.agrees(r.wish("vps-few", "now")) // looks at the panel too: faults come after it
	if kind == "locked" {
		r.Panel.Answer(call, http.StatusLocked, `{"msg":"the server is locked"}`, 2)
	} else {
		r.Panel.Faults().Add(fault.Fault{Match: call, Kind: kind, Times: 2})
	}
	r.pays(change)
	r.has("vps-few")
	r.Quiet()
	for _, f := range r.Panel.Faults().List() {
		if f.Times == 2 {
			r.Errorf("%s: the fault %s was not met", call, kind)
		}
	}
	r.Panel.Faults().Clear()
	if got := r.restartMails() - mails; got != 1 {
		r.Errorf("%s %s: %d mails about one restart", call, kind, got)
	}
	r.becomes("vps-last")
	r.has("vps-last")
	r.restarts()
}

func TestTheLastOfSeveralChangesCounts(t *testing.T) {
	scenarios := map[string][]string{
		"up and up":          {"vps-m", "vps-few"},
		"up, back and up":    {"vps-m", "vps-s", "vps-few"},
		"there and back":     {"vps-m", "vps-s"},
		"twice the same way": {"vps-m", "vps-s", "vps-m"},
	}
	for name, way := range scenarios {
		t.Run("while the panel is away: "+name, func(t *testing.T) {
			r := rents(t, "vps-s")
			r.Panel.Faults().Add(fault.Fault{Kind: fault.Unavailable})
			for _, slug := range way {
				r.becomes(slug)
				r.Clock().Advance(time.Minute)
			}
			r.Panel.Faults().Clear()
			r.has(way[len(way)-1])
		})
	}
	t.Run("while the call is under way", func(t *testing.T) {
		r := rents(t, "vps-s")
		overtaken := false
		r.Panel.Faults().After = func(q *http.Request) {
			if q.Method == http.MethodPut && !overtaken {
				overtaken = true
				r.becomes("vps-few")
			}
		}
		r.becomes("vps-m")
		r.has("vps-few")
		if !overtaken {
			t.Error("nothing came between")
		}
	})
	t.Run("its answer lost, then back", func(t *testing.T) {
		r := rents(t, "vps-last")
		r.Panel.Faults().After = func(q *http.Request) {
			if q.Method == http.MethodPut {
				r.Panel.Faults().After = nil
				r.Panel.Faults().Add(fault.Fault{Kind: fault.Unavailable})
				panic(http.ErrAbortHandler) // it took effect, and then the panel is away
			}
		}
		r.becomes("vps-few")
		r.Eventually("it was begun", func() bool { return r.Panel.Snapshot().Servers[0].PackageID == 3 })
		r.becomes("vps-last")
		r.Panel.Faults().Clear()
		r.has("vps-last")
	})
}

func TestAChangeOfASuspendedServiceWaits(t *testing.T) {
	r := rents(t, "vps-s")
	r.Want(http.StatusOK, edit(r.App, r.order, map[string]any{"status": "suspended"}))
	r.Eventually("it is suspended", func() bool { return status(r.App, r.order) == "suspended" })
	r.becomes("vps-m")
	r.Quiet()
	if got := server(r.App).PackageID; got != 1 {
		t.Errorf("the suspended server is of package %d", got)
	}
	if shown := r.show(); shown.Text("plan_change.state") != "waiting" || shown.Text("plan_change.plan.name") != "Plan vps-m" || shown.Text("plan.name") != "Plan vps-s" {
		t.Errorf("the customer sees %s", shown)
	}
	r.Want(http.StatusOK, edit(r.App, r.order, map[string]any{"status": "active"}))
	r.has("vps-m")
}

func TestAChangeOfAServiceThatIsBeingBuilt(t *testing.T) {
	app := upgradable(t)
	r := &tenancy{App: app, who: app.Customer("ada")}
	app.Panel.SetRoom(0)
	r.order = app.Order(r.who, testapp.Cart{})
	app.Pay(r.order)
	app.Eventually("it waits for room", func() bool { return r.show().Text("action_note") != "" })
	r.becomes("vps-m")
	app.Quiet()
	app.Panel.SetRoom(-1)
	app.Eventually("it is built", func() bool { app.Clock().Advance(time.Minute); return status(app, r.order) == "active" })
	r.has("vps-m")
	if got := server(app); got.Builds != 1 {
		t.Errorf("it was built %d times", got.Builds)
	}
}

func TestADowngradeAtPeriodEnd(t *testing.T) {
	r := rents(t, "vps-few")
	if got := r.agrees(r.wish("vps-last", "period_end")); got.Text("status") != "scheduled" {
		t.Fatalf("got %s, want it scheduled", got)
	}
	r.Pass(3)
	if got := server(r.App); got.PackageID != 3 {
		t.Fatal("the server changed before the end of the period")
	}
	r.Pass(30)
	r.has("vps-last")
	if got := server(r.App); got.MemoryMB != 2048 || got.DiskGB != 80 {
		t.Errorf("the server is %+v, want less memory and the same disk", got)
	}
}

func TestATerminatedServiceIsNotChanged(t *testing.T) {
	r := rents(t, "vps-s")
	r.Panel.Answer("PUT /api/v1/servers/1/package/", http.StatusUnprocessableEntity, `{"errors":["No."]}`, 1000)
	r.becomes("vps-m")
	r.Eventually("it waits for staff", func() bool { return r.Count("jobs", "`kind` = 'service.change_plan' AND `state` = 'parked'") == 1 })
	r.Want(http.StatusOK, edit(r.App, r.order, map[string]any{"status": "terminated"}))
	r.Eventually("it is terminated", func() bool { r.Clock().Advance(time.Minute); return status(r.App, r.order) == "terminated" })
	r.Quiet()
	if got := r.Count("jobs", "`kind` = 'service.change_plan' AND `state` != 'done'"); got != 0 {
		t.Errorf("%d jobs to change it stay open", got)
	}
	if shown := r.show(); shown.At("plan_change") != nil {
		t.Errorf("the customer sees %s", shown)
	}
}

// TestH2ARefusedChangeWaitsForStaffInPlainWords: the customer pays for more and does
// not get it, so that somebody must see it.
func TestH2ARefusedChangeWaitsForStaffInPlainWords(t *testing.T) {
	r := rents(t, "vps-s")
	r.Panel.Answer("PUT /api/v1/servers/1/package/", http.StatusUnprocessableEntity, `{"errors":["Package 2 is not for this host."]}`, 1)
	r.becomes("vps-m")
	r.Eventually("it waits for staff", func() bool { return r.Count("jobs", "`kind` = 'service.change_plan' AND `state` = 'parked'") == 1 })
	text := r.job().GetString("error")
	for _, part := range []string{"billed", "Plan vps-s → Plan vps-m", "Package 2 is not for this host", "close this job"} {
		if !strings.Contains(text, part) {
			t.Errorf("staff reads %q, want %q in it", text, part)
		}
	}
	shown := r.show()
	if shown.Text("plan_change.state") != "staff" || shown.Text("plan.name") != "Plan vps-s" || shown.Text("display") != "running" || strings.Contains(string(shown.Body), "not for this host") {
		t.Errorf("the customer sees %s", shown)
	}
	if r := r.Do(http.MethodPost, "/api/v1/services/"+r.order.Services[0]+"/power", r.who.Token, map[string]string{"action": "restart"}); r.Status != http.StatusAccepted {
		t.Errorf("the service cannot be used meanwhile: %s", r)
	}
	r.Quiet()
	r.RunTasks()
	r.Quiet()
	if got := r.job().GetString("state"); got != "parked" {
		t.Errorf("the job is %s after a round of reconciling, want parked", got)
	}
	r.acts("retry")
	r.has("vps-m")
}

// TestStaffClosesAChange says that it was made by hand, or will not be made.
func TestStaffClosesAChange(t *testing.T) {
	r := rents(t, "vps-s")
	r.Panel.Answer("PUT /api/v1/servers/1/package/", http.StatusUnprocessableEntity, `{"errors":["No."]}`, 1000)
	r.becomes("vps-m")
	r.Eventually("it waits for staff", func() bool { return r.Count("jobs", "`state` = 'parked'") == 1 })
	r.acts("close")
	if shown := r.show(); shown.Text("plan.name") != "Plan vps-m" || shown.At("plan_change") != nil {
		t.Errorf("the customer sees %s, want the new plan", shown)
	}
	r.RunTasks()
	r.Quiet()
	if got := r.Count("jobs", "`kind` = 'service.change_plan' AND `state` != 'done'"); got != 0 {
		t.Errorf("%d jobs came back", got)
	}
}

// TestALostJobIsQueuedAgain by the round that compares what is with what should be.
func TestALostJobIsQueuedAgain(t *testing.T) {
	r := rents(t, "vps-s")
	r.Panel.Faults().Add(fault.Fault{Kind: fault.Unavailable})
	r.becomes("vps-m")
	r.Eventually("it was tried", func() bool { return r.job().GetString("error") != "" })
	if err := r.Exec("UPDATE `jobs` SET `state` = 'done' WHERE `kind` = 'service.change_plan'"); err != nil {
		t.Fatal(err)
	}
	r.Panel.Faults().Clear()
	r.RunTasks()
	r.has("vps-m")
}
