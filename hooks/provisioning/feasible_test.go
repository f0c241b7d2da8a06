package provisioning_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/internal/testapp"
)

// TestWhatThePlatformCannotDoIsRefusedBeforeItIsBought, in the preview and again
// when it is agreed, at once and for later, by customer and staff.
func TestWhatThePlatformCannotDoIsRefusedBeforeItIsBought(t *testing.T) {
	r := rents(t, "vps-few")
	sub := r.subscription().Id
	before := r.Rows()
	for _, timing := range []string{"now", "period_end"} {
		wish := r.wish("vps-m", timing)
		for name, got := range map[string]*testapp.Answer{
			"preview":        r.ask("/preview", wish),
			"staff's":        r.Do(http.MethodPost, "/api/v1/staff/subscriptions/"+sub+"/changes/preview", r.Staff(), wish),
			"without asking": r.ask("", map[string]any{"price": wish["price"], "timing": timing, "client_key": core.GenerateDefaultRandomId(), "total_minor": 0}),
		} {
			if got.Status != http.StatusUnprocessableEntity || got.Text("errors.0.field") != "price" || got.Text("errors.0.code") != "disk_shrinks" || !strings.Contains(got.Text("errors.0.message"), "80 GB to 40 GB") {
				t.Errorf("%s, %s: got %s, want a fault of the field price", timing, name, got)
			}
		}
	}
	r.Unchanged(before)
}

// TestASilentPanelIsNoRefusal: what it does not say now the job finds out.
func TestASilentPanelIsNoRefusal(t *testing.T) {
	r := rents(t, "vps-s")
	r.Panel.Faults().Add(fault.Fault{Kind: fault.Unavailable})
	if got := r.Want(http.StatusOK, r.ask("/preview", r.wish("vps-m", "now"))); got.At("by_staff") != false {
		t.Errorf("got %s", got)
	}
	r.becomes("vps-m")
	r.Panel.Faults().Clear()
	r.has("vps-m")
}

// TestAShrinkingDiskThatNobodyForesawWaitsForStaff: the panel could not be asked.
func TestAShrinkingDiskThatNobodyForesawWaitsForStaff(t *testing.T) {
	r := rents(t, "vps-few")
	r.Panel.Faults().Add(fault.Fault{Kind: fault.Unavailable})
	r.becomes("vps-m")
	r.Panel.Faults().Clear()
	r.Eventually("it waits for staff", func() bool { return r.Count("jobs", "`kind` = 'service.change_plan' AND `state` = 'parked'") == 1 })
	if text := r.job().GetString("error"); !strings.Contains(text, "disk of a server cannot shrink") {
		t.Errorf("staff reads %q", text)
	}
	if got := server(r.App); got.PackageID != 3 || got.MemoryMB != 4096 {
		t.Errorf("the server is %+v, want nothing of it done", got)
	}
	r.becomes("vps-few") // staff, or the customer, takes it back
	r.has("vps-few")
}

// TestAPlatformOfPeopleIsToldWhatToChange: it is allowed, said before, and a task.
func TestAPlatformOfPeopleIsToldWhatToChange(t *testing.T) {
	app := testapp.New(t)
	r := &tenancy{App: app, who: app.Customer("ada")}
	larger, colo := app.Plan("vps-gone"), app.Plan("colo")
	for _, plan := range []*core.Record{colo, larger} {
		plan.Load(map[string]any{"upgrade_group": "racks", "platform": colo.GetString("platform"), "stock_limited": false, "choices": nil, "platform_settings": map[string]string{"units": plan.GetString("slug")}})
		if err := collections.Save(app.App, plan); err != nil {
			t.Fatal(err)
		}
	}
	r.order = app.Order(r.who, testapp.Cart{Plan: "colo"})
	app.Pay(r.order)
	app.Quiet()
	tickAll(app, waitingTask(app))
	app.Want(http.StatusOK, edit(app, r.order, map[string]any{"status": "active", "ipv4": "192.0.2.7"}))
	app.Quiet()
	if got := r.Want(http.StatusOK, r.ask("/preview", r.wish("vps-gone", "now"))); got.At("by_staff") != true {
		t.Errorf("the preview says %s, want by_staff", got)
	}
	r.becomes("vps-gone")
	app.Eventually("it waits for staff", func() bool { return app.Count("jobs", "`kind` = 'service.change_plan' AND `state` = 'parked'") == 1 })
	if text := r.job().GetString("error"); !strings.Contains(text, "Plan colo → Plan vps-gone") || !strings.Contains(text, "units: colo → vps-gone") {
		t.Errorf("staff reads %q, want what to change", text)
	}
	if shown := r.show(); shown.Text("plan_change.state") != "staff" {
		t.Errorf("the customer sees %s", shown)
	}
	if refused := r.Do(http.MethodPost, "/api/v1/staff/jobs/"+r.job().Id, r.Staff(), map[string]string{"action": "close", "reason": "done"}); refused.Status != http.StatusConflict || refused.Text("code") != "unticked" {
		t.Errorf("closed with nothing ticked: got %s, want 409", refused)
	}
	tickAll(app, waitingTask(app))
	r.acts("close")
	if shown := r.show(); shown.Text("plan.name") != "Plan vps-gone" || shown.At("plan_change") != nil {
		t.Errorf("the customer sees %s, want the change done", shown)
	}
}

// TestOptionsReachTheServer: more addresses by themselves, fewer and what the panel
// does not know by staff, which is said before.
func TestOptionsReachTheServer(t *testing.T) {
	r := rents(t, "vps-m")
	plan := r.Plan("vps-m").Id
	insert := func(collection string, values map[string]any) string {
		made, err := collections.Insert(r.App.App, collection, values)
		if err != nil {
			t.Fatal(err)
		}
		return made.Id
	}
	for _, name := range []string{"ipv4", "backups"} {
		option := insert(collections.PlanOptions, map[string]any{"plan": plan, "name": name, "label": name, "kind": "quantity", "max_quantity": 8, "active": true, "position": 1})
		insert(collections.OptionPrices, map[string]any{"option": option, "label": name, "currency": "EUR", "cycle": "monthly", "amount_minor": 150, "active": true})
	}
	with := func(options map[string]any, byStaff bool) {
		t.Helper()
		wish := map[string]any{"timing": "now", "options": options}
		if got := r.Want(http.StatusOK, r.ask("/preview", wish)); got.At("by_staff") != byStaff {
			t.Errorf("the preview of %v says by_staff %v", options, got.At("by_staff"))
		}
		if change := r.agrees(wish); change.Text("status") != "applied" {
			r.pays(change)
		}
	}
	one := func(n int) map[string]any { return map[string]any{"quantity": n} }
	with(map[string]any{"ipv4": one(3)}, false)
	r.has("vps-m")
	if got := server(r.App).Addresses; len(got) != 3 {
		t.Fatalf("the server has %v, want three addresses", got)
	}
	r.Eventually("the customer sees them", func() bool { return r.show().Len("addresses") == 3 })
	parked := func() bool { return r.Count("jobs", "`kind` = 'service.change_plan' AND `state` = 'parked'") == 1 }
	for _, wanted := range []map[string]any{{"ipv4": one(3), "backups": one(1)}, {"ipv4": one(1), "backups": one(1)}} {
		with(wanted, true)
		r.Eventually("it waits for staff", parked)
		r.acts("close")
		r.has("vps-m")
	}
	if got := server(r.App); len(got.Addresses) != 3 || got.MemoryMB != 2048 {
		t.Errorf("the server is %+v, want nothing taken away by itself", got)
	}
}
