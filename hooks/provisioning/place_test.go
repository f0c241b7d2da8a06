package provisioning_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/integrations/sandbox/virtbox"
	"github.com/ezscale/ezscale/internal/testapp"
)

// second is another VirtFusion panel in the group of the first, with its own address
// and token in its record.
func second(app *testapp.App, values map[string]any) (*core.Record, *virtbox.Box) {
	app.Helper()
	srv := httptest.NewUnstartedServer(nil)
	url := "http://" + srv.Listener.Addr().String()
	box := virtbox.New(virtbox.Options{Token: "second-token", Now: app.Clock().Now, BuildTime: 2 * time.Second, TaskTime: 500 * time.Millisecond, PanelURL: url})
	srv.Config.Handler = box.Handler()
	srv.Start()
	app.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	all := map[string]any{"kind": "virtfusion", "name": "VirtFusion 2", "enabled": true, "url": url, "token": "second-token", "group": "vps"}
	for name, value := range values {
		all[name] = value
	}
	p, err := collections.Insert(app.App, collections.Platforms, all)
	if err != nil {
		app.Fatal(err)
	}
	set(app, home(app), map[string]any{"group": "vps"})
	return p, box
}

func home(app *testapp.App) *core.Record {
	app.Helper()
	return app.One(collections.Platforms, dbx.HashExp{"name": "VirtFusion"})
}

func set(app *testapp.App, r *core.Record, values map[string]any) {
	app.Helper()
	r.Load(values)
	if err := collections.Save(app.App, r); err != nil {
		app.Fatal(err)
	}
}

func TestOrdersAreSharedByWeight(t *testing.T) {
	app := testapp.New(t)
	other, box := second(app, map[string]any{"weight": 2})
	o := app.Buy(app.Customer("ada"), testapp.Cart{Quantity: 6})
	if first, there := app.Panel.Snapshot().Created, box.Snapshot().Created; first != 2 || there != 4 {
		t.Errorf("%d and %d servers, want 2 and 4", first, there)
	}
	at := 0
	for _, id := range o.Services {
		svc := app.Record("services", id)
		if svc.GetString("platform") == other.Id {
			at++
		}
		if svc.GetString("placed_at") == "" {
			t.Errorf("service %s has no place", id)
		}
	}
	if at != 4 {
		t.Errorf("%d services are noted at the second panel, want 4", at)
	}
}

// Many customers order at the same moment: no panel gets more than it may have, and
// what is too much waits until there is room.
func TestOrdersAtTheSameTimeDoNotOverfillAPanel(t *testing.T) {
	app := testapp.New(t)
	_, box := second(app, map[string]any{"capacity": 3})
	set(app, home(app), map[string]any{"capacity": 2})
	orders := make([]*testapp.Order, 8)
	for i := range orders {
		orders[i] = app.Order(app.Customer("c"+string(rune('a'+i))), testapp.Cart{})
	}
	var all sync.WaitGroup
	for _, o := range orders {
		all.Go(func() { app.Pay(o) })
	}
	all.Wait()
	app.Eventually("both panels have what they may have", func() bool {
		app.Clock().Advance(2 * time.Second)
		return app.Panel.Snapshot().Created == 2 && box.Snapshot().Created == 3 && app.Count("services", "`status` = 'active'") == 5
	})
	app.Clock().Advance(2 * time.Hour)
	app.Quiet()
	if first, there := app.Panel.Snapshot().Created, box.Snapshot().Created; first != 2 || there != 3 {
		t.Fatalf("%d and %d servers, want 2 and 3", first, there)
	}
	job := app.One("jobs", dbx.HashExp{"kind": "service.provision", "error_class": "capacity"})
	if why := job.GetString("error"); !strings.Contains(why, "VirtFusion is full (2 of 2); VirtFusion 2 is full (3 of 3)") && !strings.Contains(why, "VirtFusion 2 is full (3 of 3); VirtFusion is full (2 of 2)") {
		t.Errorf("staff reads %q", why)
	}
	set(app, home(app), map[string]any{"capacity": 5})
	app.Eventually("the rest is built", func() bool {
		app.Clock().Advance(10 * time.Minute)
		return app.Count("services", "`status` = 'active'") == 8
	})
	if first, there := app.Panel.Snapshot().Created, box.Snapshot().Created; first != 5 || there != 3 {
		t.Errorf("%d and %d servers, want 5 and 3", first, there)
	}
}

func TestAFullPanelPassesTheBuildOn(t *testing.T) {
	app := testapp.New(t)
	other, box := second(app, map[string]any{"weight": 1})
	set(app, home(app), map[string]any{"weight": 1000}) // it is asked first
	app.Panel.SetRoom(0)
	o := app.Buy(app.Customer("ada"), testapp.Cart{})
	svc := app.Service(o)
	if svc.GetString("platform") != other.Id || box.Snapshot().Created != 1 || app.Panel.Snapshot().Created != 0 {
		t.Fatalf("it is at %s; %d and %d servers", svc.GetString("platform"), app.Panel.Snapshot().Created, box.Snapshot().Created)
	}
	if got := app.Count("audit_logs", "`action` = 'service.placed' AND `resource_id` = '"+svc.Id+"'"); got != 1 {
		t.Errorf("%d audit rows of the move, want 1", got)
	}
	if svc.GetString("action_note") != "" || strings.Contains(svc.GetString("steps"), "waiting") || strings.Contains(svc.GetString("steps"), "active") {
		t.Errorf("note %q, steps %s", svc.GetString("action_note"), svc.GetString("steps"))
	}
	// Everything else is done where it is.
	app.Want(http.StatusOK, edit(app, o, map[string]any{"status": "suspended"}))
	app.Eventually("it is suspended", func() bool { app.Clock().Advance(time.Second); return status(app, o) == "suspended" })
	if !box.Snapshot().Servers[0].Suspended {
		t.Error("it runs on at its panel")
	}
}

func TestWhenAllAreFullItWaitsForTheFirstWithRoom(t *testing.T) {
	app := testapp.New(t)
	other, box := second(app, nil)
	app.Panel.SetRoom(0)
	box.SetRoom(0)
	ada := app.Customer("ada")
	o := app.Order(ada, testapp.Cart{})
	app.Pay(o)
	app.Eventually("the service says that hosts are full", func() bool {
		return strings.Contains(app.Do(http.MethodGet, "/api/v1/services/"+o.Services[0], ada.Token, nil).Text("action_note"), "full")
	})
	app.Quiet()
	if svc := app.Service(o); svc.GetString("placed_at") != "" || svc.GetString("platform") != home(app).Id {
		t.Errorf("it takes room at %s since %s", svc.GetString("platform"), svc.GetString("placed_at"))
	}
	why := app.One("jobs", dbx.HashExp{"key": "service.provision:" + o.Services[0]}).GetString("error")
	if !strings.Contains(why, "VirtFusion says that it has no room") || !strings.Contains(why, "VirtFusion 2 says") || !strings.Contains(why, "hypervisor") {
		t.Errorf("staff reads %q, want both panels and their words", why)
	}
	box.SetRoom(1)
	app.Eventually("it is built", func() bool { app.Clock().Advance(time.Minute); return status(app, o) == "active" })
	if got := app.Service(o).GetString("platform"); got != other.Id || box.Snapshot().Created != 1 || app.Panel.Snapshot().Created != 0 {
		t.Errorf("it is at %s", got)
	}
}

// Once a call may have built something, the service stays where that is, whatever
// room there is elsewhere.
func TestAnUnknownOutcomeIsNeverMovedAwayFrom(t *testing.T) {
	app := testapp.New(t)
	_, box := second(app, nil)
	set(app, home(app), map[string]any{"weight": 1000})
	app.Panel.Faults().Add(fault.Fault{Match: "POST /api/v1/servers", Kind: fault.LostAnswer, Times: 1})
	o := app.Order(app.Customer("ada"), testapp.Cart{})
	app.Pay(o)
	app.Eventually("the call was made", func() bool { return app.Panel.Snapshot().Created == 1 })
	app.Panel.SetRoom(0)
	set(app, home(app), map[string]any{"closed_to_new": true, "capacity": 1})
	app.Eventually("it is built", func() bool { app.Clock().Advance(2 * time.Second); return status(app, o) == "active" })
	if app.Panel.Snapshot().Created != 1 || box.Snapshot().Created != 0 || app.Service(o).GetString("platform") != home(app).Id {
		t.Errorf("%d and %d servers", app.Panel.Snapshot().Created, box.Snapshot().Created)
	}
}

func TestALocationIsChosen(t *testing.T) {
	app := testapp.New(t)
	other, _ := second(app, map[string]any{"location": "Rome"})
	set(app, home(app), map[string]any{"weight": 1000, "location": "Paris"})
	plan := app.Plan("vps-s")
	choices := []map[string]any{}
	if err := collections.ReadJSON(plan, "choices", &choices); err != nil {
		t.Fatal(err)
	}
	where := []map[string]string{{"value": "Paris", "label": "Paris"}, {"value": "Rome", "label": "Rome"}, {"value": "Oslo", "label": "Oslo"}}
	set(app, plan, map[string]any{"choices": append(choices, map[string]any{"name": "location", "label": "Location", "required": true, "options": where})})
	ada := app.Customer("ada")
	for _, want := range []struct{ where, platform string }{{"Rome", other.Id}, {"Paris", home(app).Id}} {
		o := app.Buy(ada, testapp.Cart{Choices: map[string]string{"template_id": "8", "location": want.where}})
		if got := app.Service(o).GetString("platform"); got != want.platform {
			t.Errorf("%s: it is at %s", want.where, got)
		}
	}
	o := app.Order(ada, testapp.Cart{Choices: map[string]string{"template_id": "8", "location": "Oslo"}})
	app.Pay(o)
	app.Eventually("staff is asked", func() bool { return app.Count("jobs", "`state` = 'failed' AND `error` LIKE '%Oslo%'") == 1 })
}

// Packages and systems have other ids at the second panel. What was sold stays in the
// words of the first, also through a change of plan.
func TestEachPanelGetsItsOwnSettings(t *testing.T) {
	app := testapp.New(t)
	other, box := second(app, nil)
	set(app, home(app), map[string]any{"closed_to_new": true})
	plan := app.Plan("vps-s")
	words := map[string]any{"package_id": "2", "template_id": map[string]string{"8": "9", "9": "8"}}
	set(app, plan, map[string]any{"upgrade_group": "vps", "panel_settings": map[string]any{other.Id: words}})
	set(app, app.Plan("vps-m"), map[string]any{"upgrade_group": "vps", "platform_settings": map[string]string{"package_id": "2", "group_id": "1"}, "panel_settings": map[string]any{other.Id: map[string]any{"package_id": "3", "template_id": map[string]string{"8": "9"}}}})
	r := &tenancy{App: app, who: app.Customer("ada")}
	r.order = app.Buy(r.who, testapp.Cart{Choices: map[string]string{"template_id": "8"}})
	svc, s := app.Service(r.order), box.Snapshot().Servers[0]
	if s.PackageID != 2 || s.TemplateID != 9 {
		t.Errorf("the panel built package %d, system %d; want 2 and 9", s.PackageID, s.TemplateID)
	}
	if sold, err := collections.StringMap(svc, "order_settings"); err != nil || sold["package_id"] != "1" || sold["template_id"] != "8" {
		t.Errorf("what was sold became %v, %v", sold, err)
	}
	// A later change of the plan changes nothing for those who have it.
	set(app, plan, map[string]any{"panel_settings": map[string]any{other.Id: map[string]any{"package_id": "77", "template_id": map[string]string{"8": "9"}}}})
	r.becomes("vps-m")
	r.Eventually("it has the larger package", func() bool {
		app.Clock().Advance(2 * time.Second)
		return app.Service(r.order).GetString("plan") == app.Plan("vps-m").Id
	})
	if got := box.Snapshot().Servers[0].PackageID; got != 3 {
		t.Errorf("the panel has package %d, want 3", got)
	}
	if sold, _ := collections.StringMap(app.Service(r.order), "order_settings"); sold["package_id"] != "2" {
		t.Errorf("sold is %v", sold)
	}
}

func TestAPanelWithoutASettingIsPassedOver(t *testing.T) {
	app := testapp.New(t)
	other, box := second(app, map[string]any{"weight": 1000})
	set(app, app.Plan("vps-s"), map[string]any{"panel_settings": map[string]any{other.Id: map[string]any{"template_id": map[string]string{"9": "8"}}}})
	app.Buy(app.Customer("ada"), testapp.Cart{Choices: map[string]string{"template_id": "8"}})
	if app.Panel.Snapshot().Created != 1 || box.Snapshot().Created != 0 {
		t.Errorf("%d and %d servers, want 1 and 0", app.Panel.Snapshot().Created, box.Snapshot().Created)
	}
}

func TestDifferencesOfPanelsAreChecked(t *testing.T) {
	app := testapp.New(t)
	other, _ := second(app, nil)
	manual := app.One(collections.Platforms, dbx.HashExp{"kind": "manual"})
	scenarios := map[string]struct {
		settings any
		words    []string
	}{
		"a platform that is none": {map[string]any{"VirtFusion 2": map[string]any{"package_id": 2}}, []string{"VirtFusion 2 (" + other.Id + ")"}},
		"another kind":            {map[string]any{manual.Id: map[string]any{"package_id": 2}}, []string{manual.Id, other.Id}},
		"its own platform":        {map[string]any{home(app).Id: map[string]any{"package_id": 2}}, []string{"platform_settings"}},
		"one value for a choice":  {map[string]any{other.Id: map[string]any{"template_id": 2}}, []string{"customers choose template_id"}},
		"a list":                  {map[string]any{other.Id: map[string]any{"package_id": []int{2}}}, []string{"package_id"}},
	}
	for name, s := range scenarios {
		r := app.Do(http.MethodPatch, "/api/collections/plans/records/"+app.Plan("vps-s").Id, app.Staff(), map[string]any{"panel_settings": s.settings})
		missing := slices.ContainsFunc(s.words, func(w string) bool { return !strings.Contains(string(r.Body), w) })
		if r.Status != http.StatusBadRequest || missing {
			t.Errorf("%s: got %s, want 400 with %v", name, r, s.words)
		}
	}
}

// A panel that is gone is left alone, however much there is to do there; new orders go
// elsewhere, and all that waited is done once it is back.
func TestADeadPanelIsNotHammered(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	old := app.Buy(ada, testapp.Cart{Quantity: 12})
	_, box := second(app, nil)
	set(app, home(app), map[string]any{"weight": 1000})
	app.Quiet()
	calls := atomic.Int64{}
	faults := app.Panel.Faults()
	faults.Before = func(*http.Request) { calls.Add(1) }
	faults.Add(fault.Fault{Kind: fault.RefuseConn, Times: -1})
	for _, id := range old.Services {
		app.Want(http.StatusOK, app.Do(http.MethodPatch, "/api/collections/services/records/"+id, app.Staff(), map[string]any{"status": "suspended", "status_reason": "abuse"}))
	}
	state := func() (circuit map[string]any, refuses string) {
		p := listOf(t, app.Want(http.StatusOK, app.Do(http.MethodGet, "/api/v1/staff/platforms", app.Staff(), nil)), "items", "name", "VirtFusion")
		circuit, _ = p["circuit"].(map[string]any)
		refuses, _ = p["refuses"].(string)
		return circuit, refuses
	}
	app.Eventually("its breaker is open", func() bool {
		app.Clock().Advance(time.Second)
		circuit, refuses := state()
		return circuit["state"] == "open" && circuit["problem"] != "" && circuit["retry_at"] != nil && strings.Contains(refuses, "does not answer")
	})
	// What customers see is the last that was known.
	if r := app.Do(http.MethodGet, "/api/v1/services/"+old.Services[0], ada.Token, nil); r.Text("status") != "active" || r.Text("display") != "running" {
		t.Errorf("the customer sees %s", r)
	}
	app.Buy(app.Customer("bob"), testapp.Cart{})
	if box.Snapshot().Created != 1 {
		t.Errorf("the new order is not at the second panel")
	}
	before := calls.Load()
	for range 12 {
		app.Clock().Advance(10 * time.Minute)
		app.Quiet()
	}
	if n := calls.Load() - before; n < 1 || n > 24 {
		t.Errorf("%d calls in two hours to a panel that is gone", n)
	}
	if n := app.Count("jobs", "`kind` = 'service.suspend' AND `state` = 'queued' AND `error_class` = 'temporary'"); n != 12 {
		t.Errorf("%d of 12 jobs wait", n)
	}
	faults.Clear()
	app.Eventually("all of them are suspended", func() bool {
		app.Clock().Advance(5 * time.Minute)
		return app.Count("services", "`status` = 'suspended'") == 12
	})
	if circuit, refuses := state(); circuit["state"] != "closed" || refuses != "" {
		t.Errorf("afterwards it is %v, refuses %q", circuit, refuses)
	}
}
