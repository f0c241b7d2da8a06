package pterodactyl

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/engine/provisioning/adaptertest"
	"github.com/ezscale/ezscale/integrations/panel"
	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
	"github.com/ezscale/ezscale/integrations/sandbox/pterobox"
)

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

// Only the panel's own answer proves that a server is gone.
func TestBareNotFoundIsNoProof(t *testing.T) {
	for body, mime := range map[string]string{"": "text/plain", "<html>404</html>": "text/html", failure(404, "NotFoundHttpException", "The route could not be found."): "application/json"} {
		c := answering(t, http.StatusNotFound, body, "Content-Type", mime)
		if gone, err := c.Terminate(t.Context(), "7"); gone || !errors.Is(err, provisioning.ErrPermanent) {
			t.Errorf("%q: Terminate = %t, %v; want ErrPermanent", body, gone, err)
		}
		if _, err := c.Status(t.Context(), "7"); errors.Is(err, provisioning.ErrNotFound) || !errors.Is(err, provisioning.ErrPermanent) {
			t.Errorf("%q: Status = %v, want ErrPermanent", body, err)
		}
	}
}

func TestRemoteIDsAreChecked(t *testing.T) {
	c := answering(t, http.StatusOK, `{"attributes":{"id":69,"uuid":"u"}}`)
	for _, id := range []string{"", "0", "-1", "1/../2", "1?x=0", "01", "x", "9223372036854775808"} {
		_, linked := c.SignInLink(t.Context(), "cus1", id)
		for name, err := range map[string]error{"Suspend": c.Suspend(t.Context(), id), "Power": c.Power(t.Context(), id, provisioning.PowerBoot), "SignInLink": linked} {
			if !errors.Is(err, provisioning.ErrPermanent) {
				t.Errorf("%s(%q) = %v, want ErrPermanent", name, id, err)
			}
		}
	}
	if err := c.Suspend(t.Context(), "70"); !errors.Is(err, provisioning.ErrTemporary) {
		t.Errorf("an answer about another server = %v, want ErrTemporary", err)
	}
}

// While it installs, suspending would make the panel forget how that ended.
func TestSuspensionWaitsForTheInstallation(t *testing.T) {
	g := newRig(t, pterobox.Options{})
	c, o := g.client(), testOrder("svc1")
	b := g.upTo(c, o, StepReady)
	if err := c.Suspend(t.Context(), b.RemoteID); !errors.Is(err, provisioning.ErrTemporary) || g.server(b.RemoteID).Suspended {
		t.Errorf("Suspend = %v, want ErrTemporary", err)
	}
	g.box.BreakBuilds(1)
	b = g.upTo(c, testOrder("svc2"), StepReinstall)
	if err := c.Suspend(t.Context(), b.RemoteID); err != nil || !g.server(b.RemoteID).Suspended {
		t.Errorf("Suspend of a failed installation = %v, want none", err)
	}
}

// A node that is down keeps a server from being suspended and deleted; both say
// so, neither believes it has happened, and both end when it is up.
func TestNodeDownKeepsServers(t *testing.T) {
	g := newRig(t, pterobox.Options{})
	c := g.client()
	b, _ := g.built(c, testOrder("svc1"))
	g.box.SetDaemon(false)
	st, err := c.Status(t.Context(), b.RemoteID)
	if err != nil || st.Power != provisioning.PowerUnknown || st.OwnerRef != b.RemoteUser || st.CPUPercent != -1 || st.MemoryUsed != -1 {
		t.Errorf("Status = %+v, %v; want the live figures unknown and the rest there", st, err)
	}
	if err := c.Suspend(t.Context(), b.RemoteID); !errors.Is(err, provisioning.ErrTemporary) {
		t.Errorf("Suspend = %v, want ErrTemporary", err)
	}
	if gone, err := c.Terminate(t.Context(), b.RemoteID); gone || !errors.Is(err, provisioning.ErrTemporary) || !strings.Contains(err.Error(), "force its deletion") {
		t.Errorf("Terminate = %t, %v; want ErrTemporary telling what to do", gone, err)
	}
	g.box.SetDaemon(true)
	if err := c.Suspend(t.Context(), b.RemoteID); err != nil {
		t.Errorf("Suspend = %v", err)
	}
	if gone, err := c.Terminate(t.Context(), b.RemoteID); !gone || err != nil {
		t.Errorf("Terminate = %t, %v", gone, err)
	}
}

func TestPanelSuspendsByItself(t *testing.T) {
	g := newRig(t, pterobox.Options{})
	c := g.client()
	b, _ := g.built(c, testOrder("svc1"))
	g.box.Suspend(1, true)
	st, err := c.Status(t.Context(), b.RemoteID)
	if err != nil || !st.Suspended || st.Power != provisioning.PowerStopped || st.Busy || len(st.Addresses) != 1 {
		t.Errorf("Status = %+v, %v; want it suspended and stopped", st, err)
	}
	if err := c.Power(t.Context(), b.RemoteID, provisioning.PowerBoot); !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), "suspended") {
		t.Errorf("Power = %v, want ErrPermanent", err)
	}
	if err := c.Suspend(t.Context(), b.RemoteID); err != nil {
		t.Errorf("Suspend = %v, want it done", err)
	}
}

func TestPowerNeedsAnInstalledServer(t *testing.T) {
	g := newRig(t, pterobox.Options{})
	c := g.client()
	b := g.upTo(c, testOrder("svc1"), StepReady)
	if err := c.Power(t.Context(), b.RemoteID, provisioning.PowerBoot); !errors.Is(err, provisioning.ErrTemporary) {
		t.Errorf("while it installs = %v, want ErrTemporary", err)
	}
	g.box.BreakBuilds(1)
	b = g.upTo(c, testOrder("svc2"), StepReinstall)
	if err := c.Power(t.Context(), b.RemoteID, provisioning.PowerBoot); !errors.Is(err, provisioning.ErrPermanent) {
		t.Errorf("after it failed = %v, want ErrPermanent", err)
	}
}

func TestPowerMishaps(t *testing.T) {
	for m, want := range map[adaptertest.Mishap]error{
		adaptertest.LostAnswer: provisioning.ErrOutcomeUnknown, adaptertest.HTML502: provisioning.ErrOutcomeUnknown, adaptertest.RateLimited: provisioning.ErrTemporary,
		adaptertest.Locked: provisioning.ErrTemporary, adaptertest.Unauthorized: provisioning.ErrCredentials, adaptertest.Refused: provisioning.ErrTemporary,
	} {
		g := newRig(t, pterobox.Options{})
		c := g.client()
		b, _ := g.built(c, testOrder("svc1"))
		g.breakCall("POST /api/client/servers/", m)
		if err := c.Power(t.Context(), b.RemoteID, provisioning.PowerRestart); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", m, err, want)
		}
	}
}

// The panel's figures are up to 20 seconds old: after a power action the status
// says that it is not final.
func TestStatusAfterPowerIsNotFinal(t *testing.T) {
	g := newRig(t, pterobox.Options{})
	c := g.client()
	b, _ := g.built(c, testOrder("svc1"))
	if st, err := c.Status(t.Context(), b.RemoteID); err != nil || st.Busy || st.Power != provisioning.PowerRunning {
		t.Fatalf("Status = %+v, %v", st, err)
	}
	if err := c.Power(t.Context(), b.RemoteID, provisioning.PowerOff); err != nil {
		t.Fatal(err)
	}
	if st, err := c.Status(t.Context(), b.RemoteID); err != nil || !st.Busy {
		t.Errorf("at once = %+v, %v; want Busy", st, err)
	}
	g.Sleep(usageAge)
	if st, err := c.Status(t.Context(), b.RemoteID); err != nil || st.Busy || st.Power != provisioning.PowerStopped {
		t.Errorf("later = %+v, %v; want it stopped", st, err)
	}
}

func TestStatusFigures(t *testing.T) {
	g := newRig(t, pterobox.Options{})
	c, o := g.client(), testOrder("svc1")
	o.Settings[SettingCPU] = "200"
	b, _ := g.built(c, o)
	st, err := c.Status(t.Context(), b.RemoteID)
	if err != nil || st.CPUPercent < 1 || st.CPUPercent > 50 || st.MemoryTotal != 2048*megabyte || st.MemoryUsed < 1 || st.MemoryUsed > st.MemoryTotal || st.DiskTotal != 10240*mebibyte || st.DiskUsed < 1 {
		t.Errorf("Status = %+v, %v", st, err)
	}
	if st.Hostname != g.server(b.RemoteID).Address || st.Tag != "svc1" {
		t.Errorf("Status = %+v", st)
	}
	g.box.Answer("GET /api/client/servers/", 403, failure(403, "AccessDeniedHttpException", "No."), 1)
	if st, err := c.Status(t.Context(), b.RemoteID); err != nil || st.Power != provisioning.PowerUnknown {
		t.Errorf("with a bad client key = %+v, %v; want the rest all the same", st, err)
	}
	for _, s := range []struct {
		used, limit string
		want        int
	}{{"87.3", "200", 44}, {"87.3", "0", 87}, {"312", "0", 100}, {"-1", "100", 0}, {"x", "100", -1}} {
		var used, limit panel.Number
		_ = used.UnmarshalJSON([]byte(s.used))
		_ = limit.UnmarshalJSON([]byte(s.limit))
		if got := percent(used, limit); got != s.want {
			t.Errorf("percent(%s, %s) = %d, want %d", s.used, s.limit, got, s.want)
		}
	}
}

// Whoever could reset an administrator's password would have the panel.
func TestAdministratorsKeepTheirPassword(t *testing.T) {
	g := newRig(t, pterobox.Options{})
	g.box.Register("ezs-cus1", "ada@example.com", true)
	c := g.client()
	b, _ := g.built(c, testOrder("svc1"))
	if cred, err := c.ResetPassword(t.Context(), b.RemoteID); !errors.Is(err, provisioning.ErrPermanent) || cred.Password != "" {
		t.Errorf("ResetPassword = %v, %v; want ErrPermanent", cred, err)
	}
}

func TestSignInLinkLeadsToTheOwnServer(t *testing.T) {
	g := newRig(t, pterobox.Options{})
	c := g.client()
	b, _ := g.built(c, testOrder("svc1"))
	link, err := c.SignInLink(t.Context(), "cus1", b.RemoteID)
	if err != nil || link != g.URL+"/server/"+g.server(b.RemoteID).Identifier || g.get(link) != http.StatusOK {
		t.Errorf("SignInLink = %q, %v", link, err)
	}
	if _, err := c.SignInLink(t.Context(), "cus2", b.RemoteID); !errors.Is(err, provisioning.ErrPermanent) {
		t.Errorf("a stranger's = %v, want ErrPermanent", err)
	}
}

func TestOldNotesAreForgotten(t *testing.T) {
	r, now := newRecent(), paneltest.NewClock().Now()
	for i := range 1000 {
		r.power(strings.Repeat("x", i), now.Add(time.Duration(i)*time.Minute))
	}
	if len(r.switched) > 62 {
		t.Errorf("%d notes are kept, want an hour's", len(r.switched))
	}
}
