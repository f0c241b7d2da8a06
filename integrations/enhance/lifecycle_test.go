package enhance

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
)

// The panel suspends on levels that know nothing of each other: one that we do not
// lift is explained.
func TestASuspendedCustomerIsExplained(t *testing.T) {
	g := newRig(t)
	c := g.client()
	b, _ := g.built(c, testOrder("svc1"))
	if err := c.Suspend(t.Context(), b.RemoteID); err != nil || !g.subscription(b.RemoteID).Suspended {
		t.Fatalf("Suspend = %v", err)
	}
	g.box.SuspendOrg(b.RemoteUser, true)
	if err := c.Unsuspend(t.Context(), b.RemoteID); !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), b.RemoteUser) || g.subscription(b.RemoteID).Suspended {
		t.Errorf("Unsuspend = %v, want what staff has to do", err)
	}
	g.box.SuspendOrg(b.RemoteUser, false)
	if err := c.Unsuspend(t.Context(), b.RemoteID); err != nil {
		t.Errorf("once it is lifted = %v", err)
	}
	g.box.Suspend(number(b.RemoteID), true)
	if st, err := c.Status(t.Context(), b.RemoteID); err != nil || !st.Suspended {
		t.Errorf("suspended by the panel: Status = %+v, %v", st, err)
	}
}

// The end of a service is soft: the customer stays, and so does what else they have.
func TestTerminateIsSoft(t *testing.T) {
	g := newRig(t)
	c := g.client()
	one, _ := g.built(c, testOrder("svc1"))
	two, _ := g.built(c, testOrder("svc2"))
	if gone, err := c.Terminate(t.Context(), one.RemoteID); !gone || err != nil {
		t.Fatalf("Terminate = %t, %v", gone, err)
	}
	if snap := g.box.Snapshot(); len(snap.Customers) != 1 || len(snap.Subscriptions) != 1 || snap.Subscriptions[0].ID != number(two.RemoteID) {
		t.Errorf("panel = %+v, want the customer with the other service", snap)
	}
	if _, err := c.Status(t.Context(), one.RemoteID); !errors.Is(err, provisioning.ErrNotFound) {
		t.Errorf("Status = %v, want ErrNotFound", err)
	}
	for body, mime := range map[string]string{"UUID parsing failed": "text/plain", "<html>": "text/html", `{"message":"no route"}`: "application/json"} {
		if gone, err := answering(t, 404, body, "Content-Type", mime).Terminate(t.Context(), one.RemoteID); gone || !errors.Is(err, provisioning.ErrPermanent) || errors.Is(err, provisioning.ErrNotFound) {
			t.Errorf("a 404 of %q = %t, %v; want no proof", body, gone, err)
		}
	}
}

func TestStatusAndTraffic(t *testing.T) {
	g := newRig(t)
	c := g.client()
	b, _ := g.built(c, with(testOrder("svc1"), SettingPlan, "13"))
	g.Clock.Add(36 * time.Hour)
	st, err := c.Status(t.Context(), b.RemoteID)
	if err != nil || st.Hostname != "svc1.example.org" || st.DiskUsed != 64<<20 || st.DiskTotal != 200<<30 || st.MemoryTotal != -1 || len(st.Addresses) != 1 || st.OwnerRef != b.RemoteUser || st.Tag != "svc1" {
		t.Errorf("Status = %+v, %v", st, err)
	}
	tr, err := c.Traffic(t.Context(), b.RemoteID)
	if err != nil || tr.BytesOut != 36*3600*2000 || tr.Limit != 5<<40 || !tr.Start.Equal(time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)) || !tr.End.Equal(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("Traffic = %+v, %v", tr, err)
	}
}

// A plan that allows less than is used is refused with what to remove.
func TestPlansThatAreTooSmall(t *testing.T) {
	g := newRig(t)
	c := g.client()
	b, _ := g.built(c, with(testOrder("svc1"), SettingPlan, "12"))
	wish := provisioning.PlanWish{ServiceID: "svc1", RemoteID: b.RemoteID, From: with(testOrder(""), SettingPlan, "12").Settings, To: testOrder("").Settings}
	for resource, want := range map[string]string{"mailboxes": "uses 11 mailboxes, and this plan allows 10", "diskspace": "MB of disk space"} {
		g.box.Use(number(b.RemoteID), resource, map[string]int64{"mailboxes": 11, "diskspace": 11 << 30}[resource])
		var no *provisioning.ImpossibleError
		if err := c.CheckPlan(t.Context(), wish); !errors.As(err, &no) || !strings.Contains(no.Reason, want) || no.Setting != SettingPlan {
			t.Errorf("%s: CheckPlan = %v, want it refused", resource, err)
		}
		if _, err := c.ChangePlan(t.Context(), wish); !errors.As(err, &no) || g.subscription(b.RemoteID).Plan != 12 {
			t.Errorf("%s: ChangePlan = %v, want it refused", resource, err)
		}
		g.box.Use(number(b.RemoteID), resource, 0)
	}
	if _, err := c.ChangePlan(t.Context(), wish); err != nil || g.subscription(b.RemoteID).Plan != 11 {
		t.Errorf("ChangePlan = %v", err)
	}
	wish.From, wish.To = wish.To, with(testOrder(""), SettingServerGroup, "6f1c0000-0000-4000-8000-000000000009", "backup", "daily").Settings
	if _, err := c.ChangePlan(t.Context(), wish); !errors.Is(err, provisioning.ErrStaff) || !strings.Contains(err.Error(), "backup: none → daily") {
		t.Errorf("what the panel cannot do = %v, want a task", err)
	}
	wish.To = with(testOrder(""), SettingPlan, "99").Settings
	if err := c.CheckPlan(t.Context(), wish); !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), "no plan 99") {
		t.Errorf("an unknown plan = %v", err)
	}
}

func TestSignInLinkIsTheOwners(t *testing.T) {
	g := newRig(t)
	c := g.client()
	b, _ := g.built(c, testOrder("svc1"))
	link, err := c.SignInLink(t.Context(), "cus1", b.RemoteID)
	if err != nil || !strings.HasPrefix(link, g.URL+"/login/sessions/sso?otp=") || !strings.Contains(g.get(link), "ada@example.com") {
		t.Errorf("SignInLink = %q, %v", link, err)
	}
	if strings.Contains(g.get(link), "ada@") {
		t.Error("the link works twice")
	}
	if _, err := c.SignInLink(t.Context(), "cus2", b.RemoteID); !errors.Is(err, provisioning.ErrPermanent) {
		t.Errorf("a stranger's = %v, want ErrPermanent", err)
	}
	reset, err := c.ResetPassword(t.Context(), b.RemoteID)
	if err != nil || !g.box.SignIn(reset.Username, reset.Password) {
		t.Errorf("ResetPassword = %v", err)
	}
	g.box.Answer("GET "+orgs+b.RemoteUser+"/members/", 200, `"javascript:alert(1)"`, 1)
	if _, err := c.SignInLink(t.Context(), "cus1", b.RemoteID); err == nil {
		t.Error("what is no link was passed on")
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
