package provisioning_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/integrations/sandbox/virtbox"
	"github.com/ezscale/ezscale/internal/testapp"
)

func status(app *testapp.App, o *testapp.Order) string {
	app.Helper()
	return app.Service(o).GetString("status")
}

// edit saves a service in the admin UI.
func edit(app *testapp.App, o *testapp.Order, fields map[string]any) *testapp.Answer {
	app.Helper()
	return app.Do(http.MethodPatch, "/api/collections/services/records/"+o.Services[0], app.Staff(), fields)
}

func server(app *testapp.App) virtbox.Server {
	app.Helper()
	servers := app.Panel.Snapshot().Servers
	if len(servers) != 1 {
		app.Fatalf("the panel has %d servers, want 1", len(servers))
	}
	return servers[0]
}

func TestAFullPlatformSaysWhyAndBuildsWhenThereIsRoom(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	app.Panel.SetRoom(0)
	o := app.Order(ada, testapp.Cart{})
	app.Pay(o)
	app.Eventually("the service says that hosts are full", func() bool {
		r := app.Do(http.MethodGet, "/api/v1/services/"+o.Services[0], ada.Token, nil)
		return strings.Contains(r.Text("action_note"), "full") && r.Text("status") == "provisioning" && r.Text("display") == "building"
	})
	app.Clock().Advance(2 * time.Hour)
	app.Quiet()
	if got := status(app, o); got != "provisioning" {
		t.Fatalf("the service is %s while there is no room, want provisioning", got)
	}
	app.Panel.SetRoom(1)
	app.Eventually("it is built", func() bool {
		app.Clock().Advance(time.Minute)
		return status(app, o) == "active"
	})
	if got := server(app).Builds; got != 1 {
		t.Errorf("built %d times, want once", got)
	}
	if got := app.Service(o).GetString("action_note"); got != "" {
		t.Errorf("the note stays: %q", got)
	}
}

func TestAWrongPanelTokenIsSaidToStaffAlone(t *testing.T) {
	app := testapp.New(t, testapp.WrongPanelToken())
	ada := app.Customer("ada")
	o := app.Order(ada, testapp.Cart{})
	app.Pay(o)
	app.Eventually("the service says that the team has to look", func() bool {
		r := app.Do(http.MethodGet, "/api/v1/services/"+o.Services[0], ada.Token, nil)
		if strings.Contains(string(r.Body), "not-the-token") || strings.Contains(strings.ToLower(string(r.Body)), "unauthenticated") {
			t.Fatalf("the customer sees the platform's words: %s", r)
		}
		return strings.Contains(r.Text("action_note"), "Our team")
	})
	platform := app.One("platforms", dbx.HashExp{"kind": "virtfusion"})
	r := app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/staff/platforms/"+platform.Id+"/test", app.Staff(), map[string]any{}))
	if r.At("ok") != false || r.Text("message") == "" || strings.Contains(string(r.Body), "not-the-token") {
		t.Errorf("the platform test says %s, want a failure with a reason and without the token", r)
	}
	if got := app.InvoiceStatus(o); got != "paid" {
		t.Errorf("the invoice is %s, want paid", got)
	}
}

func TestH1ALostAnswerBuildsOneServer(t *testing.T) {
	for _, kind := range []fault.Kind{fault.LostAnswer, fault.After500, fault.Truncated} {
		t.Run(string(kind), func(t *testing.T) {
			app := testapp.New(t)
			app.Panel.Faults().Add(fault.Fault{Match: "POST /api/v1/servers", Kind: kind, Times: 1})
			o := app.Order(app.Customer("ada"), testapp.Cart{})
			app.Pay(o)
			app.Eventually("it is built", func() bool {
				app.Clock().Advance(2 * time.Second)
				return status(app, o) == "active"
			})
			if snap := app.Panel.Snapshot(); snap.Created != 1 {
				t.Errorf("the panel made %d servers, want 1", snap.Created)
			}
		})
	}
}

func TestTwoUnitsAreTwoServers(t *testing.T) {
	app := testapp.New(t)
	o := app.Buy(app.Customer("ada"), testapp.Cart{Quantity: 2})
	if snap := app.Panel.Snapshot(); snap.Created != 2 || len(snap.Users) != 1 {
		t.Errorf("%d servers for %d panel users, want 2 for 1", snap.Created, len(snap.Users))
	}
	a, b := app.Record("services", o.Services[0]), app.Record("services", o.Services[1])
	if a.GetString("platform_service_id") == b.GetString("platform_service_id") || a.GetString("ipv4") == b.GetString("ipv4") {
		t.Errorf("two services share a server: %s, %s", a.GetString("platform_service_id"), a.GetString("ipv4"))
	}
}

func TestStaffSuspendsAndTerminatesByEditingTheStatus(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	o := app.Buy(ada, testapp.Cart{})
	app.Quiet()

	app.Panel.Faults().Add(fault.Fault{Match: "POST /api/v1/servers/1/suspend", Kind: fault.Error500, Times: 2})
	app.Want(http.StatusOK, edit(app, o, map[string]any{"status": "suspended", "status_reason": "abuse report 17"}))
	if svc := app.Service(o); svc.GetString("status") != "active" || svc.GetString("action") != "suspend" {
		t.Errorf("before the panel confirmed: status %s, action %q; want active, suspend", svc.GetString("status"), svc.GetString("action"))
	}
	app.Eventually("it is suspended", func() bool { app.Clock().Advance(5 * time.Second); return status(app, o) == "suspended" })
	if !server(app).Suspended {
		t.Error("the panel's server is not suspended")
	}
	if svc := app.Service(o); svc.GetString("action") != "" || svc.GetString("suspended_at") == "" {
		t.Errorf("after the panel confirmed: action %q, suspended_at %q", svc.GetString("action"), svc.GetString("suspended_at"))
	}
	app.Eventually("the customer is told why", func() bool {
		for _, m := range app.Mails(ada.Email) {
			if strings.Contains(m.Text, "abuse report 17") {
				return true
			}
		}
		return false
	})
	r := app.Do(http.MethodPost, "/api/v1/services/"+o.Services[0]+"/power", ada.Token, map[string]string{"action": "boot"})
	if r.Status != http.StatusConflict || r.Code() != "not_active" {
		t.Errorf("power on a suspended service: got %s, want 409 not_active", r)
	}

	app.Want(http.StatusOK, edit(app, o, map[string]any{"status": "active"}))
	app.Eventually("it is active again", func() bool { return status(app, o) == "active" })
	if server(app).Suspended {
		t.Error("the panel's server is still suspended")
	}

	app.Want(http.StatusOK, edit(app, o, map[string]any{"status": "terminated"}))
	app.Eventually("it is terminated", func() bool { app.Clock().Advance(time.Minute); return status(app, o) == "terminated" })
	if got := len(app.Panel.Snapshot().Servers); got != 0 {
		t.Errorf("the panel still has %d servers", got)
	}
	if svc := app.Service(o); svc.GetString("credentials") != "" {
		t.Error("the credentials of a terminated service are kept")
	}
	if got := app.Count("ip_assignments", "`valid_until` = ''"); got != 0 {
		t.Errorf("%d addresses are still assigned", got)
	}
	if got := app.Count("audit_logs", "`action` = 'service.status' AND `actor_kind` = 'staff'"); got != 3 {
		t.Errorf("%d audit rows of staff's edits, want 3", got)
	}
}

func TestForbiddenEditsOfAServiceAreRefusedWithTheReason(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	active, waiting, gone := app.Buy(ada, testapp.Cart{}), app.Order(ada, testapp.Cart{}), app.Buy(ada, testapp.Cart{})
	app.Want(http.StatusOK, edit(app, gone, map[string]any{"status": "terminated"}))
	app.Eventually("it is terminated", func() bool { app.Clock().Advance(time.Minute); return status(app, gone) == "terminated" })
	app.Quiet()
	servers := len(app.Panel.Snapshot().Servers)
	scenarios := []struct {
		name   string
		of     *testapp.Order
		fields map[string]any
		word   string // in the answer
	}{
		{"terminated becomes active", gone, map[string]any{"status": "active"}, "terminated"},
		{"terminated becomes suspended", gone, map[string]any{"status": "suspended"}, "terminated"},
		{"active becomes pending", active, map[string]any{"status": "pending"}, "pending"},
		{"active becomes provisioning", active, map[string]any{"status": "provisioning"}, "provisioning"},
		{"pending becomes suspended", waiting, map[string]any{"status": "suspended"}, "suspended"},
		{"a status that does not exist", active, map[string]any{"status": "paused"}, "status"},
		{"somebody else's", active, map[string]any{"user": app.Customer("eve").Id}, "user"},
		{"another platform", active, map[string]any{"platform": app.One("platforms", dbx.HashExp{"kind": "manual"}).Id}, "platform"},
		{"credentials", active, map[string]any{"credentials": "secret"}, "credentials"},
	}
	for _, s := range scenarios {
		before := status(app, s.of)
		r := edit(app, s.of, s.fields)
		if r.Status != http.StatusBadRequest || !strings.Contains(string(r.Body), s.word) {
			t.Errorf("%s: got %s, want 400 that names %q", s.name, r, s.word)
		}
		if got := status(app, s.of); got != before {
			t.Errorf("%s: the status became %s", s.name, got)
		}
	}
	app.Quiet()
	if got := len(app.Panel.Snapshot().Servers); got != servers {
		t.Errorf("refused edits changed the panel: %d servers, want %d", got, servers)
	}
	if r := app.Do(http.MethodDelete, "/api/collections/services/records/"+active.Services[0], app.Staff(), nil); r.Status != http.StatusBadRequest {
		t.Errorf("delete: got %s, want 400", r)
	}
	svc := app.Service(gone)
	svc.Set("status", "active")
	if err := app.Save(svc); err == nil {
		t.Error("our own code revived a terminated service")
	}
}

func TestTheAdminUISendsTheWholeRecordBack(t *testing.T) {
	app := testapp.New(t)
	o := app.Buy(app.Customer("ada"), testapp.Cart{})
	app.Quiet()
	form, _ := app.Do(http.MethodGet, "/api/collections/services/records/"+o.Services[0], app.Staff(), nil).Value().(map[string]any)
	before := app.Service(o)
	form["status"], form["action"], form["busy"], form["power"], form["steps"] = "suspended", "terminate", true, "unknown", []any{}
	app.Want(http.StatusOK, edit(app, o, form))
	app.Eventually("it is suspended", func() bool { return status(app, o) == "suspended" })
	after := app.Service(o)
	for _, field := range []string{"credentials", "build", "steps", "platform_service_id", "user"} {
		if before.GetString(field) != after.GetString(field) {
			t.Errorf("%s became %s, want %s", field, after.GetString(field), before.GetString(field))
		}
	}
	app.Quiet()
	if got := len(app.Panel.Snapshot().Servers); got != 1 {
		t.Errorf("the panel has %d servers, want 1: a form cannot terminate by its action field", got)
	}
}

func TestStaffBuildsByHand(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	o := app.Order(ada, testapp.Cart{Plan: "colo"})
	app.Pay(o)
	app.Eventually("the work waits for staff", func() bool { return status(app, o) == "provisioning" })
	app.Quiet()
	if r := edit(app, o, map[string]any{"status": "active", "ipv4": "192.0.2.7"}); r.Status != http.StatusBadRequest || !strings.Contains(string(r.Body), "Tick first") {
		t.Errorf("with nothing ticked: got %s, want 400 with what is left", r)
	}
	tickAll(app, waitingTask(app))
	app.Want(http.StatusOK, edit(app, o, map[string]any{"status": "active", "ipv4": "192.0.2.7"}))
	if got := status(app, o); got != "active" {
		t.Errorf("the service is %s, want active", got)
	}
	app.Quiet()
	if got := app.Count("jobs", "`state` != 'done' AND `service` = '"+o.Services[0]+"'"); got != 0 {
		t.Errorf("%d jobs stay open", got)
	}
	app.Eventually("the customer is told", func() bool {
		for _, m := range app.Mails(ada.Email) {
			if strings.Contains(m.Text, "192.0.2.7") {
				return true
			}
		}
		return false
	})
}

func TestTheCustomerWorksOnAService(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	o := app.Buy(ada, testapp.Cart{Hostname: "web.example.com"})
	app.Quiet()
	path := "/api/v1/services/" + o.Services[0]
	first := app.Want(http.StatusOK, app.Do(http.MethodPost, path+"/credentials", ada.Token, map[string]any{}))
	if first.Text("password") == "" {
		t.Fatalf("no password in %s", first)
	}
	if got := app.Count("audit_logs", "`action` = 'service.reveal_credentials'"); got != 1 {
		t.Errorf("%d audit rows of the reveal, want 1", got)
	}
	app.Want(http.StatusAccepted, app.Do(http.MethodPost, path+"/power", ada.Token, map[string]string{"action": "poweroff"}))
	busy := app.Do(http.MethodPost, path+"/power", ada.Token, map[string]string{"action": "boot"})
	if busy.Status != http.StatusConflict && busy.Status != http.StatusAccepted {
		t.Errorf("a second action at once: got %s, want 409, or 202 when the first is done", busy)
	}
	app.Eventually("it has stopped", func() bool {
		return app.Service(o).GetString("power") == "stopped" || busy.Status == http.StatusAccepted
	})
	app.Eventually("nothing is under way", func() bool { return app.Service(o).GetString("action") == "" })
	app.Want(http.StatusAccepted, app.Do(http.MethodPost, path+"/reset-password", ada.Token, map[string]any{}))
	app.Eventually("the password is new", func() bool {
		return app.Service(o).GetString("action") == "" && app.Do(http.MethodPost, path+"/credentials", ada.Token, map[string]any{}).Text("password") != first.Text("password")
	})
	if r := app.Want(http.StatusOK, app.Do(http.MethodPost, path+"/sign-in", ada.Token, map[string]any{})); !strings.HasPrefix(r.Text("url"), app.PanelURL) {
		t.Errorf("the sign-in link is %q, want one to the panel", r.Text("url"))
	}
	app.Want(http.StatusOK, app.Do(http.MethodPatch, path, ada.Token, map[string]string{"label": "  shop  "}))
	if got := app.Service(o).GetString("label"); got != "shop" {
		t.Errorf("label: got %q, want shop", got)
	}
	bad := []struct {
		name, method, path string
		body               any
		status             int
	}{
		{"unknown action", "POST", path + "/power", map[string]string{"action": "explode"}, 422},
		{"no action", "POST", path + "/power", map[string]string{}, 422},
		{"empty label", "PATCH", path, map[string]string{"label": " "}, 422},
		{"label too long", "PATCH", path, map[string]string{"label": strings.Repeat("ü", 81)}, 422},
		{"status", "PATCH", path, map[string]string{"label": "x", "status": "terminated"}, 400},
	}
	for _, s := range bad {
		if r := app.Do(s.method, s.path, ada.Token, s.body); r.Status != s.status {
			t.Errorf("%s: got %s, want %d", s.name, r, s.status)
		}
	}
}

func TestAServerRemovedBehindOurBackIsNoticed(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	o := app.Buy(ada, testapp.Cart{})
	app.Quiet()
	app.Panel.Destroy(server(app).ID)
	app.Clock().Advance(time.Minute)
	app.Want(http.StatusAccepted, app.Do(http.MethodPost, "/api/v1/services/"+o.Services[0]+"/refresh", ada.Token, map[string]any{}))
	app.Eventually("the service says so", func() bool { return strings.Contains(app.Service(o).GetString("action_note"), "does not find") })
	app.Want(http.StatusOK, edit(app, o, map[string]any{"status": "terminated"}))
	app.Eventually("it can be terminated all the same", func() bool { return status(app, o) == "terminated" })
}

func TestAGivenUpBuildWaitsForStaffAndIsRetried(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	plan := app.Plan("vps-s")
	plan.Set("platform_settings", map[string]string{"package_id": "999", "group_id": "1"})
	if err := app.Save(plan); err != nil {
		t.Fatal(err)
	}
	o := app.Order(ada, testapp.Cart{})
	app.Pay(o)
	failed := func() bool { return app.Count("jobs", "`state` IN ('failed', 'parked')") == 1 }
	app.Eventually("the build is given up", failed)
	r := app.Do(http.MethodGet, "/api/v1/services/"+o.Services[0], ada.Token, nil)
	if r.Text("display") != "failed" || !strings.Contains(r.Text("action_note"), "Our team") || strings.Contains(string(r.Body), "999") {
		t.Errorf("the customer sees %s, want a failed build in our words", r)
	}
	job := app.One("jobs", dbx.HashExp{"service": o.Services[0]})
	for _, bad := range []map[string]string{{"action": "retry"}, {"action": "explode", "reason": "x"}, {}} {
		if r := app.Do(http.MethodPost, "/api/v1/staff/jobs/"+job.Id, app.Staff(), bad); r.Status != http.StatusUnprocessableEntity {
			t.Errorf("%v: got %s, want 422", bad, r)
		}
	}
	svc := app.Service(o)
	settings := map[string]string{"package_id": "1", "group_id": "1", "template_id": "8"}
	app.Want(http.StatusOK, edit(app, o, map[string]any{"order_settings": settings}))
	app.Want(http.StatusNoContent, app.Do(http.MethodPost, "/api/v1/staff/jobs/"+job.Id, app.Staff(), map[string]string{"action": "retry", "reason": "package fixed"}))
	app.Active(o)
	if got := app.Count("audit_logs", "`action` = 'job.retry' AND `resource_id` = '"+job.Id+"'"); got != 1 {
		t.Errorf("%d audit rows of the retry of %s, want 1", got, svc.Id)
	}
	if r := app.Do(http.MethodPost, "/api/v1/staff/jobs/"+job.Id, app.Staff(), map[string]string{"action": "retry", "reason": "again"}); r.Status != http.StatusConflict {
		t.Errorf("retrying a finished job: got %s, want 409", r)
	}
}
