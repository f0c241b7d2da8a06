package provisioning_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/integrations/sandbox/pterobox"
	"github.com/ezscale/ezscale/internal/testapp"
)

// minecraft is a game server of the version 1.20.1.
func minecraft() testapp.Cart {
	return testapp.Cart{Plan: "game-s", Choices: map[string]string{"env_MINECRAFT_VERSION": "1.20.1"}}
}

// game is the panel's server of a service.
func game(app *testapp.App, service string) pterobox.Server {
	app.Helper()
	id := app.Record("services", service).GetString("platform_service_id")
	for _, s := range app.Games.Snapshot().Servers {
		if strconv.FormatInt(s.ID, 10) == id {
			return s
		}
	}
	app.Fatalf("service %s has no server at the panel", service)
	return pterobox.Server{}
}

func TestAGameServerFromOrderToEnd(t *testing.T) {
	app := testapp.New(t, testapp.Games())
	r := &tenancy{App: app, who: app.Customer("ada")}
	r.order = app.Buy(r.who, minecraft())
	app.Quiet()
	svc, s := app.Service(r.order), game(app, r.order.Services[0])
	if svc.GetString("hostname") != s.Address || s.ExternalID != "ezs-"+svc.Id || s.OwnerRef != "ezs-"+r.who.Id || s.Variables["MINECRAFT_VERSION"] != "1.20.1" {
		t.Errorf("service %s at %s, server %+v", svc.Id, svc.GetString("hostname"), s)
	}
	path := "/api/v1/services/" + svc.Id
	login := app.Want(http.StatusOK, app.Do(http.MethodPost, path+"/credentials", r.who.Token, map[string]any{}))
	if app.Games.SignIn(login.Text("username"), login.Text("password")) != s.ID {
		t.Errorf("the sign-in %s does not open the server", login.Text("username"))
	}
	if link := app.Want(http.StatusOK, app.Do(http.MethodPost, path+"/sign-in", r.who.Token, map[string]any{})); link.Text("url") != app.GamesURL+"/server/"+s.Identifier {
		t.Errorf("the link is %s", link)
	}

	r.becomes("game-m")
	r.Eventually("it has the larger plan", func() bool {
		app.Clock().Advance(2 * time.Second)
		return app.Service(r.order).GetString("plan") == app.Plan("game-m").Id
	})
	s = game(app, svc.Id)
	if s.Limits.Memory != 4096 || s.Limits.Disk != 20480 || s.Limits.CPU != 200 || s.Features.Backups != 2 || s.Variables["MINECRAFT_VERSION"] != "1.20.1" || !app.Service(r.order).GetBool("restart_needed") {
		t.Errorf("after the change it is %+v", s)
	}

	app.Want(http.StatusOK, edit(app, r.order, map[string]any{"status": "suspended"}))
	app.Eventually("it is suspended", func() bool { app.Clock().Advance(time.Second); return status(app, r.order) == "suspended" })
	if !game(app, svc.Id).Suspended {
		t.Error("the panel's server is not suspended")
	}
	app.Want(http.StatusOK, edit(app, r.order, map[string]any{"status": "active"}))
	app.Eventually("it is on again", func() bool { app.Clock().Advance(time.Second); return status(app, r.order) == "active" })
	app.Quiet()
	app.Want(http.StatusOK, edit(app, r.order, map[string]any{"status": "terminated"}))
	app.Eventually("it is gone", func() bool { app.Clock().Advance(time.Second); return status(app, r.order) == "terminated" })
	if snap := app.Games.Snapshot(); len(snap.Servers) != 0 || snap.Created != 1 {
		t.Errorf("the panel has %d servers of %d ever made", len(snap.Servers), snap.Created)
	}
}

// Whatever call of the chain loses its answer: one account, one server, found
// again, and a password that works.
func TestH1ALostAnswerMakesOneGameServer(t *testing.T) {
	for _, call := range []string{"POST /api/application/users", "POST /api/application/servers", "PATCH /api/application/users/", "GET /api/application/"} {
		for _, kind := range []fault.Kind{fault.LostAnswer, fault.After500, fault.Truncated, fault.HTML502} {
			t.Run(call+", "+string(kind), func(t *testing.T) {
				app := testapp.New(t, testapp.Games())
				app.Games.Faults().Add(fault.Fault{Match: call, Kind: kind, Times: 1})
				ada := app.Customer("ada")
				o := app.Order(ada, minecraft())
				app.Pay(o)
				app.Eventually("it is built", func() bool { app.Clock().Advance(2 * time.Second); return status(app, o) == "active" })
				if snap := app.Games.Snapshot(); snap.Created != 1 || len(snap.Users) != 1 {
					t.Errorf("the panel made %d servers for %d users, want one each", snap.Created, len(snap.Users))
				}
				login := app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/services/"+o.Services[0]+"/credentials", ada.Token, map[string]any{}))
				if app.Games.SignIn(login.Text("username"), login.Text("password")) != game(app, o.Services[0]).ID {
					t.Error("the password does not work")
				}
			})
		}
	}
}

func TestASecondGameServerKeepsTheAccountsPassword(t *testing.T) {
	app := testapp.New(t, testapp.Games())
	ada := app.Customer("ada")
	first, second := app.Buy(ada, minecraft()), app.Buy(ada, minecraft())
	login := app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/services/"+first.Services[0]+"/credentials", ada.Token, map[string]any{}))
	own := app.Service(second).GetString("username")
	if app.Games.SignIn(own, login.Text("password")) != game(app, second.Services[0]).ID {
		t.Errorf("the account's password does not open the second server as %s", own)
	}
	r := app.Want(http.StatusConflict, app.Do(http.MethodPost, "/api/v1/services/"+second.Services[0]+"/credentials", ada.Token, map[string]any{}))
	if r.Text("code") != "account_password" {
		t.Errorf("the second says %s, want where its password is", r)
	}
	app.Want(http.StatusAccepted, app.Do(http.MethodPost, "/api/v1/services/"+second.Services[0]+"/reset-password", ada.Token, map[string]any{}))
	app.Eventually("there is a new one", func() bool {
		app.Clock().Advance(time.Second)
		r := app.Do(http.MethodPost, "/api/v1/services/"+second.Services[0]+"/credentials", ada.Token, map[string]any{})
		return app.Games.SignIn(r.Text("username"), r.Text("password")) == game(app, second.Services[0]).ID
	})
}

// A customer whose address has an account of somebody else at the panel gets no
// server of theirs; staff reads what to do, and the build goes on afterwards.
func TestAForeignAccountIsForStaff(t *testing.T) {
	app := testapp.New(t, testapp.Games())
	ada := app.Customer("ada")
	app.Games.Register("", ada.Email, false)
	o := app.Order(ada, minecraft())
	app.Pay(o)
	app.Eventually("the job is given up", func() bool {
		return app.Count("jobs", "`kind` = 'service.provision' AND `state` = 'failed'") == 1
	})
	job := app.One("jobs", dbx.HashExp{"kind": "service.provision"})
	if cause := job.GetString("error"); !strings.Contains(cause, "External ID") || !strings.Contains(cause, "ezs-"+ada.Id) || strings.Contains(cause, ada.Email) {
		t.Errorf("staff reads %q", cause)
	}
	if n := app.Games.Snapshot().Created; n != 0 {
		t.Errorf("%d servers were made", n)
	}
}

func TestThePlatformTestNamesTheWrongKey(t *testing.T) {
	app := testapp.New(t, testapp.Games())
	platform := app.One("platforms", dbx.HashExp{"kind": "pterodactyl"})
	test := func() *testapp.Answer {
		return app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/staff/platforms/"+platform.Id+"/test", app.Staff(), map[string]any{}))
	}
	if r := test(); r.At("ok") != true {
		t.Errorf("the test says %s", r)
	}
	for token, want := range map[string]string{
		testapp.GamesApplicationKey + " ptlc_wrong": "refuses the client key", "ptla_wrong " + testapp.GamesClientKey: "refuses the application key",
		testapp.GamesApplicationKey: "client key (ptlc_…) is missing",
	} {
		app.Want(http.StatusOK, app.Do(http.MethodPatch, "/api/collections/platforms/records/"+platform.Id, app.Staff(), map[string]any{"token": token}))
		if r := test(); r.At("ok") != false || !strings.Contains(r.Text("message"), want) || strings.Contains(string(r.Body), "_wrong") {
			t.Errorf("the test says %s, want %q", r, want)
		}
	}
}
