package virtfusion

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/engine/provisioning/adaptertest"
	"github.com/ezscale/ezscale/integrations/sandbox/virtbox"
)

// Only the panel's own text proves that a server is gone.
func TestBareNotFoundIsNoProof(t *testing.T) {
	for _, body := range []string{"", "<html>404</html>", `{"message":"The route could not be found."}`} {
		c := answering(t, http.StatusNotFound, body)
		if gone, err := c.Terminate(t.Context(), "7"); gone || !errors.Is(err, provisioning.ErrPermanent) {
			t.Errorf("%q: Terminate = %t, %v; want ErrPermanent", body, gone, err)
		}
		if _, err := c.Status(t.Context(), "7"); errors.Is(err, provisioning.ErrNotFound) || !errors.Is(err, provisioning.ErrPermanent) {
			t.Errorf("%q: Status = %v, want ErrPermanent", body, err)
		}
	}
}

func TestAnswerAboutAnotherServerIsNotBelieved(t *testing.T) {
	c := fixture(t, "server.json") // server 69
	if err := c.Suspend(t.Context(), "70"); !errors.Is(err, provisioning.ErrTemporary) {
		t.Errorf("Suspend = %v, want ErrTemporary", err)
	}
}

func TestRemoteIDsAreChecked(t *testing.T) {
	c := answering(t, http.StatusOK, `{}`)
	for _, id := range []string{"", "0", "-1", "1/../2", "1?delay=0", "01", "x", "9223372036854775808"} {
		if err := c.Suspend(t.Context(), id); !errors.Is(err, provisioning.ErrPermanent) {
			t.Errorf("Suspend(%q) = %v, want ErrPermanent", id, err)
		}
		if _, err := c.Traffic(t.Context(), id); !errors.Is(err, provisioning.ErrPermanent) {
			t.Errorf("Traffic(%q) = %v, want ErrPermanent", id, err)
		}
		if _, err := c.SignInLink(t.Context(), "cus1", id); !errors.Is(err, provisioning.ErrPermanent) {
			t.Errorf("SignInLink(%q) = %v, want ErrPermanent", id, err)
		}
	}
}

func TestProtectedServerIsKept(t *testing.T) {
	g := newRig(t, virtbox.Options{})
	c := g.client()
	b := g.built(c, testOrder("svc1"))
	g.box.Protect(1, true)
	if gone, err := c.Terminate(t.Context(), b.RemoteID); gone || !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), "protect") {
		t.Errorf("Terminate = %t, %v; want ErrPermanent", gone, err)
	}
}

func TestSuspendedServerCannotBeSwitched(t *testing.T) {
	g := newRig(t, virtbox.Options{})
	c := g.client()
	b := g.built(c, testOrder("svc1"))
	if err := c.Suspend(t.Context(), b.RemoteID); err != nil {
		t.Fatalf("Suspend: %v", err)
	}
	if err := c.Power(t.Context(), b.RemoteID, provisioning.PowerBoot); !errors.Is(err, provisioning.ErrPermanent) {
		t.Errorf("Power = %v, want ErrPermanent", err)
	}
	if _, err := c.ResetPassword(t.Context(), b.RemoteID); !errors.Is(err, provisioning.ErrPermanent) {
		t.Errorf("ResetPassword = %v, want ErrPermanent", err)
	}
}

func TestLostPowerAnswerIsUnknown(t *testing.T) {
	g := newRig(t, virtbox.Options{})
	c := g.client()
	b := g.built(c, testOrder("svc1"))
	g.breakCall("POST /api/v1/servers/", adaptertest.LostAnswer)
	if err := c.Power(t.Context(), b.RemoteID, provisioning.PowerRestart); !errors.Is(err, provisioning.ErrOutcomeUnknown) {
		t.Errorf("Power = %v, want ErrOutcomeUnknown", err)
	}
	if _, err := c.ResetPassword(t.Context(), b.RemoteID); !errors.Is(err, provisioning.ErrTemporary) {
		t.Errorf("ResetPassword while the restart runs = %v, want ErrTemporary", err)
	}
}

func TestResetPasswordWaitsNoLongerThanItsCaller(t *testing.T) {
	g := newRig(t, virtbox.Options{TaskTime: time.Hour})
	c := g.client()
	b := g.built(c, testOrder("svc1"))
	ctx, cancel := g.Timeout()
	defer cancel()
	if cred, err := c.ResetPassword(ctx, b.RemoteID); !errors.Is(err, provisioning.ErrOutcomeUnknown) || cred.Password != "" {
		t.Errorf("ResetPassword = %v, %v; want ErrOutcomeUnknown", cred, err)
	}
}

func TestSignInLinkStaysOnThePanel(t *testing.T) {
	g := newRig(t, virtbox.Options{})
	c := g.client()
	b := g.built(c, testOrder("svc1"))
	link, err := c.SignInLink(t.Context(), "cus1", b.RemoteID)
	if err != nil || !strings.HasPrefix(link, g.URL+"/token_authenticate/?1=") {
		t.Fatalf("SignInLink = %v; want one on the panel", err)
	}
	for i, want := range []int{http.StatusOK, http.StatusForbidden} {
		if got := g.get(link); got != want {
			t.Errorf("visit %d = %d, want %d", i+1, got, want)
		}
	}
	if link, err = c.SignInLink(t.Context(), "cus1", b.RemoteID); err != nil {
		t.Fatal(err)
	}
	g.Clock.Add(2 * time.Minute)
	if got := g.get(link); got != http.StatusForbidden {
		t.Errorf("visit after two minutes = %d, want 403", got)
	}
	if _, err := c.SignInLink(t.Context(), "cus2", b.RemoteID); err == nil {
		t.Error("a stranger got a link, want an error")
	}
	for _, endpoint := range []string{"//evil.example/x", "https://evil.example/", "@evil.example/", ".evil.example/", "", "x", `\\evil.example`, "/\x7f"} {
		if link, ok := c.joinPanel(endpoint); ok {
			if u, err := url.Parse(link); err != nil || u.Host != c.base.Host {
				t.Errorf("joinPanel(%q) = %q, want it refused", endpoint, link)
			}
		}
	}
}

// get visits an address of the sandbox and returns the status.
func (g *rig) get(link string) int {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), http.MethodGet, link, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	resp, err := g.HTTP.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func TestCatalogReads(t *testing.T) {
	g := newRig(t, virtbox.Options{})
	c := g.client()
	packages, err := c.Packages(t.Context())
	if want := (Package{ID: "2", Name: "VPS 2", Enabled: true, MemoryMB: 2048, DiskGB: 40, TrafficGB: 2000, CPUCores: 2}); err != nil || len(packages) != 6 || packages[1] != want {
		t.Errorf("Packages = %+v, %v; want the second to be %+v", packages, err, want)
	}
	groups, err := c.Groups(t.Context())
	if err != nil || len(groups) != 3 || groups[0] != (Group{ID: "1", Name: "Frankfurt", Enabled: true}) {
		t.Errorf("Groups = %+v, %v", groups, err)
	}
	templates, err := c.Templates(t.Context(), "3")
	if err != nil || len(templates) != 5 || templates[0].Name != "Debian 12 (Bookworm) Minimal" || !templates[4].Windows {
		t.Errorf("Templates = %+v, %v", templates, err)
	}
}

func TestCapacityFollowsTheServers(t *testing.T) {
	g := newRig(t, virtbox.Options{})
	c := g.client()
	g.built(c, testOrder("svc1"))
	room, err := c.Capacity(t.Context(), "1")
	if want := (Room{Hypervisor: "HV 14", Servers: -1, MemoryMB: 1<<20 - 2048, CPUCores: 1022, DiskGB: 39_960, IPv4: 252}); err != nil || len(room) != 1 || room[0] != want {
		t.Errorf("Capacity = %+v, %v; want %+v", room, err, want)
	}
	g.box.SetRoom(3)
	if room, err = c.Capacity(t.Context(), "1"); err != nil || room[0].Servers != 3 {
		t.Errorf("Capacity = %+v, %v; want 3 servers", room, err)
	}
}

// The connection test alone passes with a token that may do nothing.
func TestTestNamesTheMissingPermission(t *testing.T) {
	g := newRig(t, virtbox.Options{})
	g.box.Answer("GET /api/v1/packages", http.StatusForbidden, `{"message":"This action is unauthorized."}`, 1)
	err := g.client().Test(t.Context()).Err()
	if !errors.Is(err, provisioning.ErrCredentials) || !strings.Contains(err.Error(), "lacks the right to read packages") {
		t.Errorf("Test = %v, want it to name the permission", err)
	}
}
