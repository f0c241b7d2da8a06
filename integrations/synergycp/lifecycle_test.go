package synergycp

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/engine/provisioning/adaptertest"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/integrations/sandbox/synergybox"
)

// Hardware outlives its customers: what is done for a service that ended never
// reaches the server's next one.
func TestTheNextCustomerOfAServerIsSafe(t *testing.T) {
	g := newRig(t, synergybox.Options{Spare: 1})
	c := g.client()
	first, _ := g.built(c, testOrder("svc1"))
	if gone, err := c.Terminate(t.Context(), first.RemoteID); !gone || err != nil {
		t.Fatalf("Terminate = %t, %v", gone, err)
	}
	o := testOrder("svc2")
	o.UserID, o.Email = "cus2", "bob@example.com"
	second, _ := g.built(c, o)
	if number(first.RemoteID) != number(second.RemoteID) || first.RemoteID == second.RemoteID {
		t.Fatalf("%s and %s, want the same hardware under two names", first.RemoteID, second.RemoteID)
	}
	for name, call := range map[string]func() error{
		"suspend":   func() error { return c.Suspend(t.Context(), first.RemoteID) },
		"unsuspend": func() error { return c.Unsuspend(t.Context(), first.RemoteID) },
		"power":     func() error { return c.Power(t.Context(), first.RemoteID, provisioning.PowerOff) },
		"link":      func() error { _, err := c.SignInLink(t.Context(), "cus1", first.RemoteID); return err },
	} {
		if err := call(); !errors.Is(err, provisioning.ErrNotFound) {
			t.Errorf("%s of the ended service = %v, want ErrNotFound", name, err)
		}
	}
	if gone, err := c.Terminate(t.Context(), first.RemoteID); !gone || err != nil {
		t.Errorf("Terminate again = %t, %v; want gone", gone, err)
	}
	if s := g.server(second.RemoteID); s.Suspended || s.LastCommand != "" || s.ClientRef != "ezs-cus2" {
		t.Errorf("the next customer's server = %+v", s)
	}
}

// Staff moves a service to other hardware: the billing id goes with it.
func TestReplacedHardwareIsFollowed(t *testing.T) {
	g := newRig(t, synergybox.Options{})
	c := g.client()
	b, _ := g.built(c, testOrder("svc1"))
	old := number(b.RemoteID)
	g.box.Replace(old, 303)
	if err := c.Suspend(t.Context(), b.RemoteID); err != nil || !g.server(b.RemoteID).Suspended || g.server(b.RemoteID).ID != 303 {
		t.Errorf("Suspend = %v at %+v", err, g.server(b.RemoteID))
	}
	if gone, err := c.Terminate(t.Context(), b.RemoteID); !gone || err != nil || len(g.box.Snapshot().Servers) != 0 {
		t.Errorf("Terminate = %t, %v", gone, err)
	}
}

// Everybody who may use a server loses it while it is suspended, and all get it
// back.
func TestSharedAccessIsSuspendedToo(t *testing.T) {
	g := newRig(t, synergybox.Options{})
	c := g.client()
	b, _ := g.built(c, testOrder("svc1"))
	id := number(b.RemoteID)
	friend := g.box.Register("", "friend@example.com")
	g.box.Share(id, friend)
	link := func() int {
		k, err := c.createKey(t.Context(), "try", strconv.FormatInt(friend, 10))
		if err != nil {
			t.Fatal(err)
		}
		body := g.get(g.URL + "/auth/sso?view_type=server&view_id=" + strconv.FormatInt(id, 10) + "&key=" + k.text)
		return strings.Count(body, "SRV-")
	}
	if link() != 1 {
		t.Fatal("the friend has no access to begin with")
	}
	// One of the two calls fails: a repeat does what is left.
	g.box.Faults().Add(fault.Fault{Match: "PATCH /server/", Kind: fault.Error500, Times: 1})
	if err := c.Suspend(t.Context(), b.RemoteID); !errors.Is(err, provisioning.ErrTemporary) {
		t.Errorf("half of it = %v, want ErrTemporary", err)
	}
	if err := c.Suspend(t.Context(), b.RemoteID); err != nil || !g.server(b.RemoteID).Suspended || link() != 0 {
		t.Errorf("Suspend = %v", err)
	}
	if err := c.Unsuspend(t.Context(), b.RemoteID); err != nil || g.server(b.RemoteID).Suspended || link() != 1 {
		t.Errorf("Unsuspend = %v", err)
	}
}

// get reads a page of the panel.
func (g *rig) get(url string) string {
	g.t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return string(body)
}

// What the panel itself suspends, at its bandwidth limit, is seen as such and
// given back when asked.
func TestSuspendedByThePanelItself(t *testing.T) {
	g := newRig(t, synergybox.Options{})
	c := g.client()
	b, _ := g.built(c, with(testOrder("svc1"), SettingBandwidth, "1GB"))
	g.Clock.Add(24 * time.Hour)
	g.box.Suspend(number(b.RemoteID), true)
	if st, err := c.Status(t.Context(), b.RemoteID); err != nil || !st.Suspended {
		t.Errorf("Status = %+v, %v; want it suspended", st, err)
	}
	list, err := listAll(t, c)
	if err != nil || len(list) != 1 || !list[0].Suspended || !strings.Contains(list[0].Why, "bandwidth limit") || list[0].Plan != "bandwidth limit 1 GB" {
		t.Errorf("List = %+v, %v; want it suspended at its limit of 1 GB", list, err)
	}
	if err := c.Suspend(t.Context(), b.RemoteID); err != nil {
		t.Errorf("Suspend = %v, want nothing to do", err)
	}
	if err := c.Power(t.Context(), b.RemoteID, provisioning.PowerBoot); !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), "suspended") {
		t.Errorf("Power = %v, want ErrPermanent", err)
	}
	if err := c.Unsuspend(t.Context(), b.RemoteID); err != nil || g.server(b.RemoteID).Suspended {
		t.Errorf("Unsuspend = %v", err)
	}
}

// A client whom staff exempted is not suspended and not wiped, and staff reads
// why, whatever status the panel refuses with.
func TestExemptClientsAreExplained(t *testing.T) {
	for _, status := range []int{http.StatusOK, http.StatusBadRequest} {
		g := newRig(t, synergybox.Options{RefuseWith: status})
		c := g.client()
		b, _ := g.built(c, testOrder("svc1"))
		g.box.SetVIP(g.server(b.RemoteID).Client, true)
		err := c.Suspend(t.Context(), b.RemoteID)
		gone, ended := c.Terminate(t.Context(), b.RemoteID)
		for name, err := range map[string]error{"suspend": err, "terminate": ended} {
			if !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), "VIP") {
				t.Errorf("%d: %s = %v, want it explained", status, name, err)
			}
		}
		if gone || g.server(b.RemoteID).Suspended {
			t.Errorf("%d: the server was touched", status)
		}
	}
}

// Nothing is wiped unless the platform's settings say so.
func TestWithoutTheSettingNothingIsWiped(t *testing.T) {
	g := newRig(t, synergybox.Options{})
	c := g.clientWith(testKey, false)
	b, secret := g.built(c, testOrder("svc1"))
	for range 2 {
		gone, err := c.Terminate(t.Context(), b.RemoteID)
		if gone || !errors.Is(err, provisioning.ErrStaff) || !strings.Contains(err.Error(), "wipe server SRV-") {
			t.Errorf("Terminate = %t, %v; want a task for staff", gone, err)
		}
		if s := g.server(b.RemoteID); !s.Suspended || g.box.SignIn(secret.Password) != s.ID {
			t.Errorf("server = %+v, want it without access and with its data", s)
		}
	}
	g.box.Destroy(number(b.RemoteID))
	if gone, err := c.Terminate(t.Context(), b.RemoteID); !gone || err != nil {
		t.Errorf("once staff wiped it = %t, %v; want gone", gone, err)
	}
}

// The whole contract holds where the panel refuses with status 200.
func TestContractOfAPanelThatRefusesWith200(t *testing.T) {
	adaptertest.Run(t, func(t *testing.T) adaptertest.Harness {
		return harness(t, synergybox.Options{TaskTime: -1, RefuseWith: http.StatusOK, Spare: 50})
	})
}
