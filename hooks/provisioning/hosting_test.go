package provisioning_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/integrations/sandbox/enhancebox"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/internal/testapp"
)

// site is a website on a domain.
func site(domain string) testapp.Cart {
	return testapp.Cart{Plan: "web-s", Hostname: domain, Choices: map[string]string{}}
}

// hosted is the panel's subscription of a service.
func hosted(app *testapp.App, service string) enhancebox.Subscription {
	app.Helper()
	parts := strings.Split(app.Record("services", service).GetString("platform_service_id"), ":")
	for _, s := range app.Web.Snapshot().Subscriptions {
		if len(parts) > 1 && strconv.FormatInt(s.ID, 10) == parts[1] {
			return s
		}
	}
	app.Fatalf("service %s has no subscription at the panel", service)
	return enhancebox.Subscription{}
}

func TestAWebsiteFromOrderToEnd(t *testing.T) {
	app := testapp.New(t, testapp.Hosting())
	r := &tenancy{App: app, who: app.Customer("ada")}
	r.order = app.Buy(r.who, site("www.ada.example"))
	app.Quiet()
	svc, s := app.Service(r.order), hosted(app, r.order.Services[0])
	if svc.GetString("hostname") != "ada.example" || s.Name != "ezs-"+svc.Id || !strings.HasSuffix(s.OrgName, "[ezs-"+r.who.Id+"]") || s.Websites[0] != "ada.example" || svc.GetString("ipv4") != "203.0.113.80" {
		t.Errorf("service %s at %s, subscription %+v", svc.GetString("hostname"), svc.GetString("ipv4"), s)
	}
	path := "/api/v1/services/" + svc.Id
	login := app.Want(http.StatusOK, app.Do(http.MethodPost, path+"/credentials", r.who.Token, map[string]any{}))
	if !app.Web.SignIn(login.Text("username"), login.Text("password")) {
		t.Errorf("the sign-in %s does not open the panel", login.Text("username"))
	}
	if link := app.Want(http.StatusOK, app.Do(http.MethodPost, path+"/sign-in", r.who.Token, map[string]any{})); !strings.HasPrefix(link.Text("url"), app.WebURL+"/login/sessions/sso?otp=") {
		t.Errorf("the link is %s", link)
	}
	if r := app.Want(http.StatusConflict, app.Do(http.MethodPost, path+"/power", r.who.Token, map[string]any{"action": "restart"})); r.Text("code") != "not_offered" {
		t.Errorf("power of a website = %s, want it refused", r)
	}

	r.becomes("web-m")
	r.Eventually("it has the larger plan", func() bool {
		app.Clock().Advance(2 * time.Second)
		return app.Service(r.order).GetString("plan") == app.Plan("web-m").Id
	})
	if s = hosted(app, svc.Id); s.Plan != 12 {
		t.Errorf("after the change it is %+v", s)
	}

	app.Want(http.StatusOK, edit(app, r.order, map[string]any{"status": "suspended"}))
	app.Eventually("it is suspended", func() bool { app.Clock().Advance(time.Second); return status(app, r.order) == "suspended" })
	if !hosted(app, svc.Id).Suspended {
		t.Error("the panel's subscription is not suspended")
	}
	app.Want(http.StatusOK, edit(app, r.order, map[string]any{"status": "active"}))
	app.Eventually("it is on again", func() bool { app.Clock().Advance(time.Second); return status(app, r.order) == "active" })
	app.Quiet()
	app.Want(http.StatusOK, edit(app, r.order, map[string]any{"status": "terminated"}))
	app.Eventually("it is gone", func() bool { app.Clock().Advance(time.Second); return status(app, r.order) == "terminated" })
	if snap := app.Web.Snapshot(); len(snap.Subscriptions) != 0 || snap.Made != 1 || len(snap.Customers) != 1 {
		t.Errorf("the panel has %d subscriptions of %d ever made", len(snap.Subscriptions), snap.Made)
	}
}

func TestAManagedDatabase(t *testing.T) {
	app := testapp.New(t, testapp.Hosting())
	ada := app.Customer("ada")
	o := app.Buy(ada, testapp.Cart{Plan: "mysql-s", Choices: map[string]string{}})
	app.Quiet()
	path := "/api/v1/services/" + o.Services[0]
	login := func() *testapp.Answer {
		return app.Do(http.MethodPost, path+"/credentials", ada.Token, map[string]any{})
	}
	first := app.Want(http.StatusOK, login())
	if got := app.Web.DBSignIn(first.Text("username"), first.Text("password")); got != o.Services[0]+".db.hosting.example" {
		t.Errorf("the sign-in opens %q", got)
	}
	app.Want(http.StatusAccepted, app.Do(http.MethodPost, path+"/reset-password", ada.Token, map[string]any{}))
	app.Eventually("there is a new password", func() bool {
		app.Clock().Advance(time.Second)
		now := login()
		return now.Text("password") != first.Text("password") && app.Web.DBSignIn(now.Text("username"), now.Text("password")) != ""
	})
}

// Whatever call of the chain loses its answer: one customer, one subscription, one
// website, found again, and a password that works.
func TestH1ALostAnswerMakesOneWebsite(t *testing.T) {
	seller := "POST /api/orgs/" + enhancebox.SellerID + "/customers"
	for _, call := range []string{seller, "POST /api/logins", "POST /api/orgs/00030", seller + "/", "PUT /api/v2/logins/", "GET /api/orgs/"} {
		for _, kind := range []fault.Kind{fault.LostAnswer, fault.After500, fault.Truncated, fault.HTML502} {
			t.Run(call+", "+string(kind), func(t *testing.T) {
				app := testapp.New(t, testapp.Hosting())
				app.Web.Faults().Add(fault.Fault{Match: call, Kind: kind, Times: 1})
				ada := app.Customer("ada")
				o := app.Order(ada, site("ada.example"))
				app.Pay(o)
				app.Eventually("it is built", func() bool { app.Clock().Advance(2 * time.Second); return status(app, o) == "active" })
				if snap := app.Web.Snapshot(); snap.Made != 1 || len(snap.Customers) != 1 || snap.Logins != 1 || len(snap.Subscriptions[0].Websites) != 1 {
					t.Errorf("the panel has %+v, want one of each", snap)
				}
				login := app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/services/"+o.Services[0]+"/credentials", ada.Token, map[string]any{}))
				if !app.Web.SignIn(login.Text("username"), login.Text("password")) {
					t.Error("the password does not work")
				}
			})
		}
	}
}

// What staff reads where a domain cannot be had, and what the test of the platform
// says; the smaller plan that does not fit is refused before it is bought.
func TestHostingIsExplained(t *testing.T) {
	app := testapp.New(t, testapp.Hosting())
	app.Web.Occupy("ada.example", true)
	o := app.Order(app.Customer("ada"), site("ada.example"))
	app.Pay(o)
	app.Eventually("the job is given up", func() bool {
		return app.Count("jobs", "`kind` = 'service.provision' AND `state` = 'failed'") == 1
	})
	if cause := app.One("jobs", dbx.HashExp{"kind": "service.provision"}).GetString("error"); !strings.Contains(cause, "a deleted website still holds the domain ada.example") {
		t.Errorf("staff reads %q", cause)
	}
	if n := len(app.Web.Snapshot().Subscriptions); n != 0 {
		t.Errorf("%d subscriptions are left", n)
	}
	platform := app.One("platforms", dbx.HashExp{"kind": "enhance"})
	test := func() *testapp.Answer {
		return app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/staff/platforms/"+platform.Id+"/test", app.Staff(), map[string]any{}))
	}
	if r := test(); r.At("ok") != true {
		t.Errorf("the test says %s", r)
	}
	app.Want(http.StatusOK, app.Do(http.MethodPatch, "/api/collections/platforms/records/"+platform.Id, app.Staff(), map[string]any{"token": testapp.HostingToken}))
	if r := test(); r.At("ok") != false || !strings.Contains(r.Text("message"), "organization") {
		t.Errorf("the test says %s, want the organization missed", r)
	}
}
