package virtfusion

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/engine/provisioning/adaptertest"
	"github.com/ezscale/ezscale/integrations/panel"
	"github.com/ezscale/ezscale/integrations/sandbox/virtbox"
)

func TestBuildsAServer(t *testing.T) {
	g := newRig(t, virtbox.Options{})
	o := testOrder("svc9001")
	o.Settings[SettingIPv6], o.Settings[SettingSwap], o.Settings[SettingIPv4] = "true", "1.5", "2"
	b := g.built(g.client(), o)
	if b.Secret != nil {
		t.Error("the secret is handed out again with the last step, want it once")
	}
	want := []provisioning.Address{{IP: "203.0.113.2", Primary: true}, {IP: "203.0.113.3"}, {IP: "2001:db8:0:1::/64"}}
	if len(b.Addresses) != 3 || b.Addresses[0] != want[0] || b.Addresses[1] != want[1] || b.Addresses[2] != want[2] {
		t.Errorf("Addresses = %v, want %v", b.Addresses, want)
	}
	snap := g.box.Snapshot()
	if len(snap.Servers) != 1 || snap.Servers[0].Name != "ezs-svc9001" || snap.Servers[0].OwnerRelation != "ezs-cus1" || snap.Servers[0].Hostname != o.Hostname {
		t.Errorf("servers = %+v, want one named and owned", snap.Servers)
	}
	if b.Hostname != o.Hostname || b.RemoteUser != "1" {
		t.Errorf("hostname %q, remote user %q; want %q, 1", b.Hostname, b.RemoteUser, o.Hostname)
	}
}

func TestWindowsHasAnAdministrator(t *testing.T) {
	g := newRig(t, virtbox.Options{TaskTime: -1})
	c, o := g.client(), testOrder("svc1")
	o.Settings[SettingPackage], o.Settings[SettingTemplate] = "3", "20"
	b := provisioning.Build{}
	var secret *provisioning.Credentials
	for !b.Done {
		if b.Started.IsZero() {
			b.Started = g.Clock.Now()
		}
		var err error
		if b, err = c.Advance(t.Context(), o, b); err != nil {
			t.Fatalf("Advance(%q): %v", b.Step, err)
		}
		if b.Secret != nil {
			secret = b.Secret
		}
		g.Sleep(b.Wait)
	}
	if secret == nil || secret.Username != "Administrator" {
		t.Errorf("Secret = %v, want one of Administrator", secret)
	}
	cred, err := c.ResetPassword(t.Context(), b.RemoteID)
	if err != nil || cred.Username != "Administrator" || cred.Password == "" || cred.Password == secret.Password {
		t.Errorf("ResetPassword = %q, %v; want a new one of Administrator", cred.Username, err)
	}
}

// A wrong plan is refused by name before anything is made.
func TestWrongPlanLeavesNothing(t *testing.T) {
	scenarios := []struct{ name, key, value, want string }{
		{"no package", SettingPackage, "", "package_id"},
		{"no group", SettingGroup, "", "group_id"},
		{"no template", SettingTemplate, "", "template_id"},
		{"package is a word", SettingPackage, "small", `"small"`},
		{"package is negative", SettingPackage, "-1", "package_id"},
		{"too many addresses", SettingIPv4, "65", "0 to 64"},
		{"addresses are a word", SettingIPv4, "one", "ipv4"},
		{"IPv6 is a word", SettingIPv6, "yes please", "ipv6"},
		{"swap is not offered", SettingSwap, "7", "256, 512"},
		{"the package lacks the template", SettingTemplate, "20", "does not offer"},
		{"the package does not exist", SettingPackage, "99", "package not found"},
		{"the package is retired", SettingPackage, "5", "disabled package"},
		{"the group is retired", SettingGroup, "3", "disabled hypervisor group"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			g := newRig(t, virtbox.Options{})
			c, o := g.client(), testOrder("svc1")
			o.Settings[s.key] = s.value
			b := provisioning.Build{}
			var err error
			for range 5 {
				b.Started = g.Clock.Now()
				if b, err = c.Advance(t.Context(), o, b); err != nil {
					break
				}
			}
			if !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), s.want) {
				t.Errorf("err = %v, want ErrPermanent saying %q", err, s.want)
			}
			if made := g.box.Snapshot().Created; made != 0 {
				t.Errorf("%d servers were made, want none", made)
			}
		})
	}
}

func TestCreateWithoutStoredIntentIsRefused(t *testing.T) {
	g := newRig(t, virtbox.Options{})
	c, o := g.client(), testOrder("svc1")
	b := g.atCreate(c, o)
	b.Started = time.Time{}
	if _, err := c.Advance(t.Context(), o, b); !errors.Is(err, provisioning.ErrPermanent) {
		t.Errorf("Advance = %v, want ErrPermanent", err)
	}
	b.Step = "dance"
	if _, err := c.Advance(t.Context(), o, b); !errors.Is(err, provisioning.ErrPermanent) {
		t.Errorf("an unknown step = %v, want ErrPermanent", err)
	}
	if _, err := c.Recover(t.Context(), o, b); !errors.Is(err, provisioning.ErrPermanent) {
		t.Errorf("recovery of an unknown step = %v, want ErrPermanent", err)
	}
}

// An account that somebody else made is never taken over by its address.
func TestTakenEmailIsForStaff(t *testing.T) {
	g := newRig(t, virtbox.Options{})
	stranger, err := New(Config{BaseURL: g.URL, Token: testToken, RelationPrefix: "other-", Now: g.Clock.Now}, g.HTTP)
	if err != nil {
		t.Fatal(err)
	}
	g.atCreate(stranger, testOrder("svc0"))
	_, err = g.client().Advance(t.Context(), testOrder("svc1"), provisioning.Build{Started: g.Clock.Now()})
	if !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), "ezs-cus1") || strings.Contains(err.Error(), "ada@") {
		t.Errorf("Advance = %v, want ErrPermanent telling the relation and not the address", err)
	}
	if users := g.box.Snapshot().Users; len(users) != 1 {
		t.Errorf("%d users, want the stranger alone", len(users))
	}
}

// The call of an earlier try may arrive between our look and our create.
func TestUserMadeMeanwhileIsFound(t *testing.T) {
	g := newRig(t, virtbox.Options{})
	g.user(g.client())
	g.box.Answer("GET /api/v1/users/ezs-cus1/byExtRelation", http.StatusNotFound, `{"msg":"user not found"}`, 1)
	b, err := g.client().Advance(t.Context(), testOrder("svc1"), provisioning.Build{Started: g.Clock.Now()})
	if err != nil || b.RemoteUser != "1" {
		t.Errorf("Advance = %+v, %v; want user 1", b, err)
	}
}

// The same call installs and reinstalls, so an installed server is never built
// again, however late and by whichever process the step is repeated.
func TestInstalledServerIsNotBuiltAgain(t *testing.T) {
	for _, wait := range []time.Duration{0, 5 * time.Second, time.Hour} {
		t.Run(wait.String(), func(t *testing.T) {
			g := newRig(t, virtbox.Options{})
			c, o := g.client(), testOrder("svc1")
			b := g.upTo(c, "svc1", StepBuild)
			b.Started = g.Clock.Now()
			if _, err := c.Advance(t.Context(), o, b); err != nil {
				t.Fatalf("Advance: %v", err)
			}
			g.Sleep(wait)
			next, err := g.client().Advance(t.Context(), o, b)
			if err != nil || next.Step != StepReady || next.Data[dataNoPass] != "true" {
				t.Errorf("Advance = %+v, %v; want it at %q without a password", next, err, StepReady)
			}
			if builds := g.box.Snapshot().Servers[0].Builds; builds != 1 {
				t.Errorf("%d builds, want 1", builds)
			}
		})
	}
}

func TestLateBuildIsNotRepeated(t *testing.T) {
	g := newRig(t, virtbox.Options{BuildTime: 5 * time.Second})
	c, o := g.client(), testOrder("svc1")
	b := g.upTo(c, "svc1", StepBuild)
	b.Started = g.Clock.Now()
	g.breakCall("POST /api/v1/servers/", adaptertest.Late)
	ctx, cancel := g.Timeout()
	defer cancel()
	if _, err := c.Advance(ctx, o, b); !errors.Is(err, provisioning.ErrOutcomeUnknown) {
		t.Fatalf("Advance = %v, want ErrOutcomeUnknown", err)
	}
	for range 100 {
		next, err := c.Recover(t.Context(), o, b)
		if err == nil {
			b = next
			break
		}
		g.Sleep(time.Second)
	}
	if builds := g.box.Snapshot().Servers[0].Builds; builds != 1 || b.Step != StepReady {
		t.Errorf("%d builds and step %q, want 1 and %q", builds, b.Step, StepReady)
	}
}

// The lost password is replaced once the server runs; a failing reset is asked
// for again, and not for ever.
func TestLostPasswordIsReplaced(t *testing.T) {
	for _, failures := range []int{0, 1, maxResets} {
		g := newRig(t, virtbox.Options{})
		c, o := g.client(), testOrder("svc1")
		b := g.upTo(c, "svc1", StepReady)
		b.Data[dataNoPass] = "true"
		g.Sleep(time.Minute)
		g.box.Answer("GET /api/v1/queue/", http.StatusOK, `{"data":{"id":9,"failed":true,"finished":"2026-01-31T10:00:00+00:00"}}`, failures)
		var secret *provisioning.Credentials
		var err error
		for range 50 {
			if b, err = c.Advance(t.Context(), o, b); err != nil || b.Done {
				break
			}
			if b.Secret != nil {
				secret = b.Secret
			}
			g.Sleep(b.Wait)
		}
		if failures == maxResets {
			if !errors.Is(err, provisioning.ErrPermanent) {
				t.Errorf("%d failures: %v, want ErrPermanent", failures, err)
			}
			continue
		}
		if err != nil || !b.Done || secret == nil || secret.Password == "" {
			t.Errorf("%d failures: %+v, %v; want a new password", failures, b, err)
		}
	}
}

func TestServerOfAnotherUserIsLeftAlone(t *testing.T) {
	g := newRig(t, virtbox.Options{})
	c := g.client()
	stranger := testOrder("svc9")
	stranger.UserID, stranger.Email = "cus2", "bob@example.com"
	theirs := g.built(c, stranger)
	g.user(c)
	for _, step := range []string{StepTag, StepBuild, StepReady, StepPassword} {
		b := provisioning.Build{Step: step, RemoteUser: "2", RemoteID: theirs.RemoteID, Started: g.Clock.Now()}
		if _, err := c.Advance(t.Context(), testOrder("svc1"), b); !errors.Is(err, provisioning.ErrPermanent) {
			t.Errorf("%s = %v, want ErrPermanent", step, err)
		}
	}
	if s := g.box.Snapshot().Servers[0]; s.Name != "ezs-svc9" || s.Builds != 1 {
		t.Errorf("server = %+v, want it untouched", s)
	}
}

func TestEndlessInstallationIsReported(t *testing.T) {
	g := newRig(t, virtbox.Options{BuildTime: 100 * time.Hour})
	c, o := g.client(), testOrder("svc1")
	b := g.upTo(c, "svc1", StepReady)
	b.Started = g.Clock.Now()
	waits := map[time.Duration]bool{}
	var err error
	for range 2000 {
		if b, err = c.Advance(t.Context(), o, b); err != nil {
			break
		}
		waits[b.Wait] = true
		g.Sleep(b.Wait)
	}
	if !errors.Is(err, provisioning.ErrPermanent) || !waits[panel.PollSoon] || !waits[panel.PollLater] {
		t.Errorf("err = %v, waits %v; want ErrPermanent after %s and %s", err, waits, panel.PollSoon, panel.PollLater)
	}
}
