package enhance

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/engine/provisioning/adaptertest"
	"github.com/ezscale/ezscale/integrations/sandbox/enhancebox"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
)

func TestBuildsAWebsite(t *testing.T) {
	g := newRig(t)
	c := g.client()
	b, secret := g.built(c, testOrder("svc1"))
	s := g.subscription(b.RemoteID)
	if s.Name != "ezs-svc1" || s.OrgName != "Ada L. [ezs-cus1]" || s.Plan != 11 || len(s.Websites) != 1 || s.Websites[0] != "svc1.example.org" || b.Hostname != "svc1.example.org" {
		t.Errorf("subscription = %+v of %+v", s, b)
	}
	if b.RemoteUser != s.Org || b.RemoteID != s.Org+":501" || len(b.Addresses) != 1 || b.Addresses[0] != (provisioning.Address{IP: "203.0.113.80", Primary: true}) {
		t.Errorf("build = %+v", b)
	}
	if secret.Username != "ada@example.com" || !g.box.SignIn(secret.Username, secret.Password) {
		t.Error("the password does not open the panel")
	}
	two, second := g.built(c, testOrder("svc2"))
	if snap := g.box.Snapshot(); len(snap.Customers) != 1 || snap.Logins != 1 || two.RemoteUser != b.RemoteUser || second.Username != secret.Username || second.Password != "" || !g.box.SignIn(secret.Username, secret.Password) {
		t.Errorf("the second = %+v with %v, want the same account with its password untouched", two, second)
	}
}

func TestBuildsAManagedDatabase(t *testing.T) {
	g := newRig(t)
	c := g.client()
	b, secret := g.built(c, testDatabase("svc1"))
	s := g.subscription(b.RemoteID)
	if !strings.HasSuffix(b.RemoteID, ":mysql") || b.Hostname != "svc1.db.hosting.example" || len(s.Databases) != 1 || b.Addresses[0].IP != "203.0.113.90" {
		t.Errorf("build = %+v of %+v", b, s)
	}
	if secret.Username != dbUser || g.box.DBSignIn(secret.Username, secret.Password) != "svc1.db.hosting.example" {
		t.Error("the password does not open the database")
	}
	reset, err := c.ResetPassword(t.Context(), b.RemoteID)
	if err != nil || g.box.DBSignIn(reset.Username, reset.Password) == "" || g.box.DBSignIn(secret.Username, secret.Password) != "" {
		t.Errorf("ResetPassword = %v, want another that works", err)
	}
}

func TestWrongOrdersLeaveNothing(t *testing.T) {
	scenarios := []struct {
		name string
		o    provisioning.Order
		want string
	}{
		{"no plan", with(testOrder("svc1"), SettingPlan, ""), SettingPlan},
		{"a plan in words", with(testOrder("svc1"), SettingPlan, "Start"), SettingPlan},
		{"an odd kind", with(testOrder("svc1"), SettingKind, "mail"), "website or mysql"},
		{"an odd group", with(testOrder("svc1"), SettingServerGroup, "1"), SettingServerGroup},
		{"an odd version", with(testOrder("svc1"), SettingPHP, "8.3"), "php83"},
		{"a database without a suffix", with(testDatabase("svc1"), SettingSuffix, ""), SettingSuffix},
		{"no domain", func() provisioning.Order { o := testOrder("svc1"); o.Hostname = "web1"; return o }(), "no domain"},
		{"a domain with umlauts", func() provisioning.Order { o := testOrder("svc1"); o.Hostname = "müller.example"; return o }(), "xn--"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			g := newRig(t)
			if _, err := g.advance(g.client(), s.o, provisioning.Build{}); !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), s.want) {
				t.Errorf("got %v, want ErrPermanent saying %q", err, s.want)
			}
			if snap := g.box.Snapshot(); len(snap.Customers) != 0 || snap.Logins != 0 {
				t.Errorf("panel = %+v, want nothing made", snap)
			}
		})
	}
	g := newRig(t)
	o := with(testOrder("svc1"), SettingPlan, "99")
	if _, err := g.advance(g.client(), o, g.upTo(g.client(), o, StepSubscription)); !errors.Is(err, provisioning.ErrPermanent) || errors.Is(err, provisioning.ErrNotFound) || !strings.Contains(err.Error(), "no plan 99") {
		t.Errorf("an unknown plan = %v, want it named", err)
	}
}

// An address that has a login at the panel is not taken over, whenever it comes,
// and what was made for it is taken back.
func TestLoginsOfOthersAreLeftAlone(t *testing.T) {
	g := newRig(t)
	c, o := g.client(), testOrder("svc1")
	g.box.Register(o.Email)
	if _, err := g.advance(c, o, provisioning.Build{}); !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), "[ezs-cus1]") || strings.Contains(err.Error(), o.Email) {
		t.Errorf("a stranger = %v, want what staff has to do", err)
	}
	if n := len(g.box.Snapshot().Customers); n != 0 {
		t.Errorf("%d customers were made", n)
	}
	// The stranger was there when the organization was made, and our look missed it.
	g = newRig(t)
	c = g.client()
	b := g.upTo(c, o, StepOrg)
	g.box.Register(o.Email)
	g.Clock.Add(time.Minute)
	b, err := g.advance(c, o, b)
	if err != nil || b.Step != StepLogin {
		t.Fatalf("at %q = %v", b.Step, err)
	}
	if _, err := g.advance(c, o, b); !errors.Is(err, provisioning.ErrPermanent) || len(g.box.Snapshot().Customers) != 0 {
		t.Errorf("a stranger meanwhile = %v with %d customers, want the organization taken back", err, len(g.box.Snapshot().Customers))
	}
	next, err := g.advance(c, o, b)
	if err != nil || next.Step != StepCustomer || next.RemoteUser != "" {
		t.Errorf("once more = %+v, %v; want it to begin with the customer", next, err)
	}
}

// What another process left of an account is taken up: an organization without a
// login, a login that owns nothing yet.
func TestAHalfMadeAccountIsFinished(t *testing.T) {
	for _, step := range []string{StepLogin, StepMember} {
		g := newRig(t)
		g.upTo(g.client(), testOrder("svc1"), step)
		g.Clock.Add(time.Hour)
		b, secret := g.built(g.client(), testOrder("svc2"))
		if snap := g.box.Snapshot(); len(snap.Customers) != 1 || snap.Logins != 1 || snap.Customers[0].Owner != "ada@example.com" || !g.box.SignIn(secret.Username, secret.Password) {
			t.Errorf("left at %s: %+v, %+v", step, b, snap)
		}
	}
}

// Two services of a customer at once make one account.
func TestOneAccountForServicesAtOnce(t *testing.T) {
	g := newRig(t)
	c := g.client()
	g.box.Faults().Add(fault.Fault{Match: "POST " + orgs, Kind: fault.Slow, Delay: 20 * time.Millisecond, Times: 1})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			o, b := testOrder("svc"+strconv.Itoa(i)), provisioning.Build{Started: g.Clock.Now()}
			for b.Step == "" || b.Step == StepCustomer || b.Step == StepOrg || b.Step == StepLogin || b.Step == StepMember {
				next, err := c.Advance(t.Context(), o, b)
				switch {
				case err == nil:
					b = next
					b.Started = g.Clock.Now()
				case errors.Is(err, provisioning.ErrTemporary):
					time.Sleep(5 * time.Millisecond)
				default:
					t.Errorf("service %d at %q = %v", i, b.Step, err)
					return
				}
			}
		})
	}
	wg.Wait()
	if snap := g.box.Snapshot(); len(snap.Customers) != 1 || snap.Logins != 1 {
		t.Errorf("%d customers with %d logins, want one", len(snap.Customers), snap.Logins)
	}
}

// A domain that cannot be had is explained, and the subscription taken back; once
// it is free, a retry sets the service up.
func TestDomainsThatCannotBeHad(t *testing.T) {
	scenarios := map[string]func(g *rig){
		"another customer of the panel": func(g *rig) { g.box.Occupy("svc1.example.org", false) },
		"a deleted website still holds": func(g *rig) { g.box.Occupy("svc1.example.org", true) },
		"another website of this": func(g *rig) {
			g.box.Answer("POST "+orgs+"00030", 200, `{"status":"inUseCurrentOrg","websiteId":"x"}`, 1)
		},
		"does not allow the domain": func(g *rig) { g.box.Answer("POST "+orgs+"00030", 200, `{"status":"prohibited"}`, 1) },
	}
	for want, occupy := range scenarios {
		g := newRig(t)
		c, o := g.client(), testOrder("svc1")
		b := g.upTo(c, o, StepWebsite)
		occupy(g)
		if _, err := g.advance(c, o, b); !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "svc1.example.org") {
			t.Errorf("%s: %v, want it explained", want, err)
		}
		if snap := g.box.Snapshot(); len(snap.Subscriptions) != 0 || len(snap.Customers) != 1 {
			t.Errorf("%s: %+v, want the subscription taken back", want, snap)
		}
		o.Hostname = "other.example.org"
		for !b.Done {
			var err error
			if b, err = g.advance(c, o, b); err != nil {
				t.Fatalf("%s: another domain at %q = %v", want, b.Step, err)
			}
		}
		if snap := g.box.Snapshot(); len(snap.Subscriptions) != 1 || snap.Subscriptions[0].Websites[0] != "other.example.org" {
			t.Errorf("%s: %+v, want it set up", want, snap)
		}
	}
	// Taking back that fails is tried again before the refusal counts.
	g := newRig(t)
	c, o := g.client(), testOrder("svc1")
	b := g.upTo(c, o, StepWebsite)
	g.box.Occupy("svc1.example.org", false)
	g.box.Faults().Add(fault.Fault{Match: "DELETE " + orgs, Kind: fault.Error500, Times: 1})
	if _, err := g.advance(c, o, b); provisioning.Classify(err) != provisioning.ClassTemporary {
		t.Errorf("taking back that fails = %v, want ErrTemporary", err)
	}
}

func TestWhatStaffDoesDuringABuildIsExplained(t *testing.T) {
	g := newRig(t)
	c, o := g.client(), testOrder("svc1")
	b := g.upTo(c, o, StepPassword)
	g.box.Suspend(number(b.RemoteID), true)
	if _, err := g.advance(c, o, b); !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), "suspended in the panel") {
		t.Errorf("suspended = %v, want it explained", err)
	}
	g.box.Destroy(number(b.RemoteID))
	if _, err := g.advance(c, o, b); !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), "deleted its subscription") {
		t.Errorf("deleted = %v, want it explained", err)
	}
}

// A password call that is lost and comes late does not void the one that the
// customer was given.
func TestLatePasswordDoesNotVoidTheNext(t *testing.T) {
	g := newRig(t)
	c, o := g.client(), testOrder("svc1")
	b := g.upTo(c, o, StepPassword)
	b.Started = g.Clock.Now()
	g.breakCall(calls(StepPassword, kindWebsite), adaptertest.Late)
	ctx, cancel := g.Timeout()
	defer cancel()
	if _, err := c.Advance(ctx, o, b); !errors.Is(err, provisioning.ErrOutcomeUnknown) {
		t.Fatalf("Advance = %v", err)
	}
	for {
		_, err := c.Recover(t.Context(), o, b)
		if err == nil {
			break
		}
		if !errors.Is(err, provisioning.ErrTemporary) {
			t.Fatalf("Recover = %v", err)
		}
		g.Sleep(5 * time.Second)
	}
	next, err := c.Advance(t.Context(), o, b)
	g.Sleep(time.Minute)
	if err != nil || !next.Done || !g.box.SignIn(next.Secret.Username, next.Secret.Password) {
		t.Errorf("Advance = %+v, %v; want a password that works", next, err)
	}
}

// What carries our name twice is for a person.
func TestTwinsAreForStaff(t *testing.T) {
	g := newRig(t)
	c, o := g.client(), testOrder("svc1")
	b := g.upTo(c, o, StepSubscription)
	create := func(path, body string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+testToken)
		req.Header.Set("Content-Type", "application/json")
		resp, err := g.HTTP.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	for range 2 {
		create(orgs+enhancebox.SellerID+"/customers/"+b.RemoteUser+"/subscriptions", `{"planId":11,"friendlyName":"ezs-svc1"}`)
	}
	if _, err := g.advance(c, o, b); !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), "501 and 502") {
		t.Errorf("two subscriptions = %v, want both named", err)
	}
	create(orgs+enhancebox.SellerID+"/customers", `{"name":"Other [ezs-cus1]"}`)
	if _, err := g.advance(c, o, provisioning.Build{}); !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), "two customers") {
		t.Errorf("two customers = %v, want them named", err)
	}
}

func TestStepsAndIDsThatAreNone(t *testing.T) {
	g := newRig(t)
	c, o := g.client(), testOrder("svc1")
	b := provisioning.Build{Step: "dance", Started: g.Clock.Now()}
	for name, call := range map[string]func(context.Context, provisioning.Order, provisioning.Build) (provisioning.Build, error){"Advance": c.Advance, "Recover": c.Recover} {
		if _, err := call(t.Context(), o, b); !errors.Is(err, provisioning.ErrPermanent) {
			t.Errorf("%s = %v", name, err)
		}
	}
	for _, odd := range []string{"", "7", enhancebox.SellerID, enhancebox.SellerID + ":", enhancebox.SellerID + ":07", enhancebox.SellerID + ":x", "../x:7", enhancebox.SellerID + ":7:mail", enhancebox.SellerID + ":99999999999"} {
		if _, err := c.Status(t.Context(), odd); !errors.Is(err, provisioning.ErrPermanent) {
			t.Errorf("remote id %q = %v, want ErrPermanent", odd, err)
		}
	}
}
