package provisioning_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/integrations/sandbox/synergybox"
	"github.com/ezscale/ezscale/internal/testapp"
)

// iron is a dedicated server with Debian.
func iron() testapp.Cart {
	return testapp.Cart{Plan: "iron-s", Choices: map[string]string{"pxe_profile_billing": "os-debian12"}}
}

// hardware is the panel's server of a service.
func hardware(app *testapp.App, service string) synergybox.Server {
	app.Helper()
	id := app.Record("services", service).GetString("platform_service_id")
	for _, s := range app.Iron.Snapshot().Servers {
		if id == fmt.Sprintf("%d:%d", s.ID, s.BillingID) {
			return s
		}
	}
	app.Fatalf("service %s has no server at the panel", service)
	return synergybox.Server{}
}

// wipes lets the platform wipe what ends.
func wipes(app *testapp.App) {
	app.Helper()
	platform := app.One("platforms", dbx.HashExp{"kind": "synergycp"})
	app.Want(http.StatusOK, app.Do(http.MethodPatch, "/api/collections/platforms/records/"+platform.Id, app.Staff(), map[string]any{"settings": map[string]any{"wipe_on_terminate": true}}))
}

func TestADedicatedServerFromOrderToEnd(t *testing.T) {
	app := testapp.New(t, testapp.Hardware())
	wipes(app)
	ada := app.Customer("ada")
	o := app.Buy(ada, iron())
	app.Quiet()
	svc, s := app.Service(o), hardware(app, o.Services[0])
	if s.ClientRef != "ezs-"+ada.Id || s.Installs != 1 || svc.GetString("ipv4") != "203.0.10.2" || svc.GetString("power") != "unknown" {
		t.Errorf("service %s at %s, server %+v", svc.GetString("ipv4"), svc.GetString("power"), s)
	}
	path := "/api/v1/services/" + svc.Id
	login := app.Want(http.StatusOK, app.Do(http.MethodPost, path+"/credentials", ada.Token, map[string]any{}))
	if app.Iron.SignIn(login.Text("password")) != s.ID || login.Text("username") != "root" {
		t.Errorf("the sign-in %s does not open the server", login.Text("username"))
	}
	if link := app.Want(http.StatusOK, app.Do(http.MethodPost, path+"/sign-in", ada.Token, map[string]any{})); !strings.HasPrefix(link.Text("url"), app.IronURL+"/auth/sso?") {
		t.Errorf("the link is %s", link)
	}
	app.Want(http.StatusAccepted, app.Do(http.MethodPost, path+"/power", ada.Token, map[string]any{"action": "restart"}))
	app.Eventually("it was restarted", func() bool { app.Clock().Advance(time.Second); return hardware(app, svc.Id).LastCommand == "reset" })
	app.Quiet()

	app.Want(http.StatusOK, edit(app, o, map[string]any{"status": "suspended"}))
	app.Eventually("it is suspended", func() bool { app.Clock().Advance(time.Second); return status(app, o) == "suspended" })
	if !hardware(app, svc.Id).Suspended {
		t.Error("the client still has access")
	}
	app.Want(http.StatusOK, edit(app, o, map[string]any{"status": "active"}))
	app.Eventually("it is on again", func() bool { app.Clock().Advance(time.Second); return status(app, o) == "active" })
	app.Quiet()
	app.Want(http.StatusOK, edit(app, o, map[string]any{"status": "terminated"}))
	app.Eventually("it is gone", func() bool { app.Clock().Advance(time.Second); return status(app, o) == "terminated" })
	if snap := app.Iron.Snapshot(); len(snap.Servers) != 0 || snap.Made != 1 || snap.Wiped != 1 {
		t.Errorf("the panel has %d servers, %d given out and %d wiped", len(snap.Servers), snap.Made, snap.Wiped)
	}
	// The same hardware for the next customer is another service's.
	bob := app.Customer("bob")
	if next := app.Buy(bob, iron()); hardware(app, next.Services[0]).ID != s.ID {
		t.Errorf("the next server is %d, want %d again", hardware(app, next.Services[0]).ID, s.ID)
	}
}

// Without the setting nothing is wiped from here: the customer loses access, staff
// reads what to do, and the service ends once it is done.
func TestWipingIsForStaffUnlessSaid(t *testing.T) {
	app := testapp.New(t, testapp.Hardware())
	o := app.Buy(app.Customer("ada"), iron())
	id := hardware(app, o.Services[0]).ID
	app.Quiet()
	app.Want(http.StatusOK, edit(app, o, map[string]any{"status": "terminated"}))
	app.Eventually("it waits for staff", func() bool {
		app.Clock().Advance(time.Second)
		return strings.Contains(app.One("jobs", dbx.HashExp{"kind": "service.terminate"}).GetString("error"), "wipe server SRV-"+strconv.FormatInt(id, 10))
	})
	if s := hardware(app, o.Services[0]); !s.Suspended || status(app, o) == "terminated" {
		t.Errorf("server = %+v, service %s", s, status(app, o))
	}
}

// Whatever call of the chain loses its answer: one client, one server, found
// again, and a password that works.
func TestH1ALostAnswerOrdersOneDedicatedServer(t *testing.T) {
	for _, call := range []string{"POST /client", "POST /server/provision", "GET /server", "GET /entity"} {
		for _, kind := range []fault.Kind{fault.LostAnswer, fault.After500, fault.Truncated, fault.HTML502} {
			t.Run(call+", "+string(kind), func(t *testing.T) {
				app := testapp.New(t, testapp.Hardware())
				app.Iron.Faults().Add(fault.Fault{Match: call, Kind: kind, Times: 1})
				ada := app.Customer("ada")
				o := app.Order(ada, iron())
				app.Pay(o)
				app.Eventually("it is built", func() bool { app.Clock().Advance(2 * time.Second); return status(app, o) == "active" })
				if snap := app.Iron.Snapshot(); snap.Made != 1 || len(snap.Clients) != 1 {
					t.Errorf("the panel gave out %d servers to %d clients, want one each", snap.Made, len(snap.Clients))
				}
				login := app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/services/"+o.Services[0]+"/credentials", ada.Token, map[string]any{}))
				if app.Iron.SignIn(login.Text("password")) != hardware(app, o.Services[0]).ID {
					t.Error("the password does not work")
				}
			})
		}
	}
}

// A paid order waits for stock and is served when some is there.
func TestADedicatedServerWaitsForStock(t *testing.T) {
	app := testapp.New(t, testapp.Hardware())
	app.Iron.SetRoom(0)
	o := app.Order(app.Customer("ada"), iron())
	app.Pay(o)
	app.Eventually("it waits for room", func() bool {
		app.Clock().Advance(time.Second)
		return strings.Contains(app.Service(o).GetString("action_note"), "room")
	})
	app.Iron.SetRoom(1)
	app.Eventually("it is built", func() bool { app.Clock().Advance(time.Minute); return status(app, o) == "active" })
	if n := app.Iron.Snapshot().Made; n != 1 {
		t.Errorf("%d servers were given out", n)
	}
}

// A server that the panel suspends by itself is explained to both sides, once, and
// the note goes when it is given back.
func TestASuspensionByThePanelIsExplained(t *testing.T) {
	app := testapp.New(t, testapp.Hardware())
	ada := app.Customer("ada")
	o := app.Buy(ada, iron())
	app.Quiet()
	look := func() string {
		app.Clock().Advance(time.Minute)
		app.Want(http.StatusAccepted, app.Do(http.MethodPost, "/api/v1/services/"+o.Services[0]+"/refresh", ada.Token, map[string]any{}))
		app.Quiet()
		return app.Service(o).GetString("action_note")
	}
	id := hardware(app, o.Services[0]).ID
	app.Iron.Suspend(id, true)
	for range 2 {
		if note := look(); !strings.Contains(note, "host has suspended") || status(app, o) != "active" {
			t.Errorf("the customer reads %q of a service that is %s", note, status(app, o))
		}
	}
	if n := app.Count("provisioning_logs", "`error` LIKE '%has suspended this server%'"); n != 1 {
		t.Errorf("staff reads it %d times, want once", n)
	}
	app.Iron.Suspend(id, false)
	if note := look(); note != "" {
		t.Errorf("given back, the customer reads %q", note)
	}
}

// What staff reads where the panel has somebody else's client, and what the test
// of the platform says.
func TestHardwareIsExplainedToStaff(t *testing.T) {
	app := testapp.New(t, testapp.Hardware())
	ada := app.Customer("ada")
	app.Iron.Register("", ada.Email)
	o := app.Order(ada, iron())
	app.Pay(o)
	app.Eventually("the job is given up", func() bool {
		return app.Count("jobs", "`kind` = 'service.provision' AND `state` = 'failed'") == 1
	})
	job := app.One("jobs", dbx.HashExp{"kind": "service.provision"})
	if cause := job.GetString("error"); !strings.Contains(cause, "Billing ID") || !strings.Contains(cause, "ezs-"+ada.Id) || strings.Contains(cause, ada.Email) {
		t.Errorf("staff reads %q", cause)
	}
	platform := app.One("platforms", dbx.HashExp{"kind": "synergycp"})
	test := func() *testapp.Answer {
		return app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/staff/platforms/"+platform.Id+"/test", app.Staff(), map[string]any{}))
	}
	if r := test(); r.At("ok") != true {
		t.Errorf("the test says %s", r)
	}
	app.Iron.Answer("GET /entity", http.StatusForbidden, `{"error":true,"data":null,"messages":[]}`, 1)
	if r := test(); r.At("ok") != false || !strings.Contains(r.Text("message"), "IP Entities") {
		t.Errorf("the test says %s, want the right that is missing", r)
	}
}
