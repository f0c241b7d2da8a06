package pterodactyl

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/engine/provisioning/adaptertest"
	"github.com/ezscale/ezscale/integrations/panel"
	"github.com/ezscale/ezscale/integrations/sandbox/pterobox"
)

func TestBuildsAServer(t *testing.T) {
	g := newRig(t, pterobox.Options{})
	b, secret := g.built(g.client(), testOrder("svc1"))
	s := g.server(b.RemoteID)
	if s.ExternalID != "ezs-svc1" || s.OwnerRef != "ezs-cus1" || s.Name != "My server svc1" || s.Power != "running" || s.Node != 1 {
		t.Errorf("server = %+v", s)
	}
	if s.Limits != (pterobox.Limits{Memory: 2048, Disk: 10240, IO: 500, CPU: 100}) || s.Features != (pterobox.Features{Backups: 1}) {
		t.Errorf("it has %+v and %+v", s.Limits, s.Features)
	}
	want := map[string]string{"SERVER_JARFILE": "server.jar", "MINECRAFT_VERSION": "1.20.1", "BUILD_NUMBER": "latest", "DL_PATH": ""}
	for name, value := range want {
		if s.Variables[name] != value {
			t.Errorf("%s = %q, want %q", name, s.Variables[name], value)
		}
	}
	if s.Image != "ghcr.io/pterodactyl/yolks:java_21" || !strings.Contains(s.Startup, "SERVER_JARFILE") {
		t.Errorf("it starts %q in %q, want the egg's", s.Startup, s.Image)
	}
	if b.Hostname != s.Address || len(b.Addresses) != 1 || b.Addresses[0] != (provisioning.Address{IP: "203.0.113.11", Primary: true}) {
		t.Errorf("address %q, %v; want %s", b.Hostname, b.Addresses, s.Address)
	}
	if n, _ := strconv.ParseInt(b.RemoteID, 10, 64); g.box.SignIn(secret.Username, secret.Password) != n {
		t.Errorf("%q does not open server %s", secret.Username, b.RemoteID)
	}
}

// The customer's second server leaves the password alone that the first one came
// with, and says the user name it is opened with.
func TestSecondServerLeavesThePasswordAlone(t *testing.T) {
	g := newRig(t, pterobox.Options{})
	c := g.client()
	one, first := g.built(c, testOrder("svc1"))
	two, second := g.built(c, testOrder("svc2"))
	if second.Password != "" || one.RemoteUser != two.RemoteUser {
		t.Errorf("the second came with a password, or for another user")
	}
	if g.box.SignIn(first.Username, first.Password) != 1 || g.box.SignIn(second.Username, first.Password) != 2 {
		t.Error("the first password does not open both servers")
	}
	reset, err := c.ResetPassword(t.Context(), two.RemoteID)
	if err != nil || g.box.SignIn(reset.Username, reset.Password) != 2 || g.box.SignIn(first.Username, reset.Password) != 1 || g.box.SignIn(first.Username, first.Password) != 0 {
		t.Errorf("ResetPassword = %v, %v; want one for both", reset, err)
	}
}

// A lost password call is not repeated while the first may still come: it would
// void the password that the customer was given.
func TestLatePasswordDoesNotVoidTheNext(t *testing.T) {
	g := newRig(t, pterobox.Options{})
	c, o := g.client(), testOrder("svc1")
	b := g.upTo(c, o, StepPassword)
	g.breakCall(calls[StepPassword], adaptertest.Late)
	ctx, cancel := g.Timeout()
	defer cancel()
	if _, err := c.Advance(ctx, o, b); !errors.Is(err, provisioning.ErrOutcomeUnknown) {
		t.Fatalf("Advance = %v, want ErrOutcomeUnknown", err)
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
	if err != nil || !next.Done {
		t.Fatalf("Advance = %+v, %v", next, err)
	}
	g.Sleep(time.Minute)
	if g.box.SignIn(next.Secret.Username, next.Secret.Password) != 1 {
		t.Error("the password that was handed out does not work")
	}
}

// Another build of the customer makes the account between our two looks for it:
// the account with the customer's address is the customer's own.
func TestAccountMadeByAnotherBuildIsNoStrangers(t *testing.T) {
	g := newRig(t, pterobox.Options{})
	other := sync.OnceFunc(func() {
		b, err := g.client().Advance(t.Context(), testOrder("svc2"), provisioning.Build{Step: StepAccount, Started: g.Clock.Now()})
		if err != nil || b.Step != StepCreate {
			t.Errorf("the other build = %+v, %v", b, err)
		}
	})
	g.box.Faults().Before = func(r *http.Request) {
		if r.URL.Query().Has("filter[email]") {
			other()
		}
	}
	b, _ := g.built(g.client(), testOrder("svc1"))
	if snap := g.box.Snapshot(); len(snap.Users) != 1 || snap.Servers[0].OwnerRef != "ezs-cus1" || b.RemoteUser != strconv.FormatInt(snap.Users[0].ID, 10) {
		t.Errorf("built %+v at %+v, want it on the one account", b, snap)
	}
}

// A wrong plan is refused by name before anything is made.
func TestWrongPlanLeavesNothing(t *testing.T) {
	scenarios := []struct{ name, key, value, want string }{
		{"no nest", SettingNest, "", "nest_id"},
		{"no egg", SettingEgg, "", "egg_id"},
		{"no memory", SettingMemory, "", "memory"},
		{"memory in GB", SettingMemory, "4", "in MB"},
		{"disk is a word", SettingDisk, "big", `"big"`},
		{"cpu is negative", SettingCPU, "-1", "cpu"},
		{"one percent", SettingCPU, "1", "percent of one thread"},
		{"swap too low", SettingSwap, "-2", "swap"},
		{"io too high", SettingIO, "2000", "10 to 1000"},
		{"threads are words", SettingThreads, "all", "threads"},
		{"databases are words", SettingDatabases, "some", "databases"},
		{"locations are words", SettingLocations, "fra", "location_ids"},
		{"ports are words", SettingPorts, "any", "port_range"},
		{"an address perhaps", SettingDedicatedIP, "perhaps", "dedicated_ip"},
		{"the egg does not exist", SettingEgg, "99", "no egg 99 in nest 1"},
		{"the egg is of another nest", SettingNest, "2", "no egg 3 in nest 2"},
		{"the egg lacks the image", SettingImage, "Java 8", "Java 17, Java 21"},
		{"the egg lacks the variable", VariablePrefix + "MAP", "de_dust", "variable that egg 3 does not have"},
		{"a required variable is empty", VariablePrefix + "BUILD_NUMBER", "", "env_BUILD_NUMBER"},
		{"the panel refuses the value", VariablePrefix + "MINECRAFT_VERSION", strings.Repeat("1", 30), "environment.MINECRAFT_VERSION"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			g := newRig(t, pterobox.Options{})
			o := testOrder("svc1")
			o.Settings[s.key] = s.value
			g.refused(o, provisioning.ErrPermanent, s.want)
			if made := g.box.Snapshot().Created; made != 0 {
				t.Errorf("%d servers were made, want none", made)
			}
		})
	}
	g := newRig(t, pterobox.Options{})
	o := testOrder("svc1")
	o.Settings[SettingNest], o.Settings[SettingEgg] = "2", "5"
	delete(o.Settings, VariablePrefix+"MINECRAFT_VERSION")
	g.refused(o, provisioning.ErrPermanent, "requires a value for STEAM_ACC (Steam Account Token): set env_STEAM_ACC")
}

// refused builds until it fails, which it must.
func (g *rig) refused(o provisioning.Order, class error, want string) {
	g.t.Helper()
	c, b := g.client(), provisioning.Build{}
	var err error
	for range 50 {
		b.Started = g.Clock.Now()
		if b, err = c.Advance(g.t.Context(), o, b); err != nil || b.Done {
			break
		}
		g.Sleep(b.Wait)
	}
	if !errors.Is(err, class) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), o.Email) {
		g.t.Errorf("err = %v, want %v saying %q and no address", err, class, want)
	}
}

func TestCapacityGone(t *testing.T) {
	scenarios := []struct {
		name string
		opts pterobox.Options
		edit func(g *rig, s map[string]string)
		want string
	}{
		{"nodes full", pterobox.Options{}, func(g *rig, _ map[string]string) { g.box.SetRoom(0) }, "No nodes"},
		{"too large for any", pterobox.Options{}, func(_ *rig, s map[string]string) { s[SettingMemory] = "70000" }, "No nodes"},
		{"no node in the location", pterobox.Options{}, func(_ *rig, s map[string]string) { s[SettingLocations] = "9" }, "No nodes"},
		{"no free port", pterobox.Options{Ports: 1}, func(g *rig, _ map[string]string) {
			o := testOrder("before")
			o.UserID, o.Email = "cus9", "before@example.com"
			g.built(g.client(), o)
		}, "No allocations"},
		{"no address of its own", pterobox.Options{}, func(g *rig, s map[string]string) {
			g.built(g.client(), testOrder("before"))
			s[SettingDedicatedIP] = "true"
		}, "No allocations"},
		{"no port in the range", pterobox.Options{}, func(_ *rig, s map[string]string) { s[SettingPorts] = "9000, 9100-9200" }, "No allocations"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			g := newRig(t, s.opts)
			o := testOrder("svc1")
			s.edit(g, o.Settings)
			g.refused(o, provisioning.ErrCapacity, s.want)
		})
	}
}

// An account that somebody else made is never taken over by its address, and an
// address that only contains the customer's is another.
func TestAccountsOfOthersAreLeftAlone(t *testing.T) {
	g := newRig(t, pterobox.Options{})
	similar := g.box.Register("", "myada@example.com", false)
	b, _ := g.built(g.client(), testOrder("svc1"))
	if b.RemoteUser == strconv.FormatInt(similar, 10) {
		t.Error("the server went to the account of an address that only looks alike")
	}

	g = newRig(t, pterobox.Options{})
	g.box.Register("", "ADA@example.com", false)
	g.refused(testOrder("svc1"), provisioning.ErrPermanent, "(panel user 2) with this customer's e-mail address that is not linked to the customer; if it is theirs, set its External ID in the panel to ezs-cus1")
	if snap := g.box.Snapshot(); len(snap.Users) != 1 || snap.Created != 0 {
		t.Errorf("panel = %+v, want the stranger alone", snap)
	}

	// The stranger comes between our look and our create.
	g = newRig(t, pterobox.Options{})
	c, o := g.client(), testOrder("svc1")
	b = g.upTo(c, o, StepAccount)
	g.box.Register("", "ada@example.com", false)
	if _, err := c.Advance(t.Context(), o, b); !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), "ezs-cus1") {
		t.Errorf("Advance = %v, want ErrPermanent telling the external id", err)
	}

	// A person links the account: the build goes on with it.
	g = newRig(t, pterobox.Options{})
	linked := g.box.Register("ezs-cus1", "ada@example.com", false)
	b, secret := g.built(g.client(), testOrder("svc1"))
	if b.RemoteUser != strconv.FormatInt(linked, 10) || secret.Password != "" || g.box.SignIn(secret.Username, "theirs") != 1 {
		t.Errorf("build = %+v, want it for panel user %d with the password they have", b, linked)
	}
}

// The call of an earlier try may arrive between our look and our create.
func TestUserMadeMeanwhileIsFound(t *testing.T) {
	g := newRig(t, pterobox.Options{})
	c, o := g.client(), testOrder("svc1")
	b := g.upTo(c, o, StepAccount)
	if _, err := c.Advance(t.Context(), o, b); err != nil {
		t.Fatal(err)
	}
	g.box.Answer("GET /api/application/users/external/", 404, failure(404, "NotFoundHttpException", "The requested resource could not be found on the server."), 1)
	next, err := c.Advance(t.Context(), o, b)
	if err != nil || next.RemoteUser != "2" || len(g.box.Snapshot().Users) != 1 {
		t.Errorf("Advance = %+v, %v; want user 2", next, err)
	}
}

// The server that a lost call made is found by our id, whoever repeats the step.
func TestServerMadeMeanwhileIsFound(t *testing.T) {
	for name, blind := range map[string]bool{"by the look": false, "by the refusal": true} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, pterobox.Options{})
			c, o := g.client(), testOrder("svc1")
			b := g.upTo(c, o, StepCreate)
			if _, err := c.Advance(t.Context(), o, b); err != nil {
				t.Fatal(err)
			}
			if blind {
				g.box.Answer("GET /api/application/servers/external/", 404, failure(404, "NotFoundHttpException", "The requested resource could not be found on the server."), 1)
			}
			next, err := g.client().Advance(t.Context(), o, b)
			if err != nil || next.RemoteID != "1" || g.box.Snapshot().Created != 1 {
				t.Errorf("Advance = %+v, %v; want server 1", next, err)
			}
		})
	}
}

// A node that does not answer makes the panel take the server back: nothing is
// left, and the build ends once the node is up.
func TestNodeThatIsDownIsWaitedFor(t *testing.T) {
	g := newRig(t, pterobox.Options{})
	c, o := g.client(), testOrder("svc1")
	b := g.upTo(c, o, StepCreate)
	g.box.SetDaemon(false)
	if _, err := c.Advance(t.Context(), o, b); !errors.Is(err, provisioning.ErrOutcomeUnknown) || !strings.Contains(err.Error(), "daemon") {
		t.Fatalf("Advance = %v, want ErrOutcomeUnknown naming the daemon", err)
	}
	if next, err := c.Recover(t.Context(), o, b); err != nil || next.Step != StepCreate || next.RemoteID != "" {
		t.Errorf("Recover = %+v, %v; want it unchanged", next, err)
	}
	g.box.SetDaemon(true)
	if b, err := c.Advance(t.Context(), o, b); err != nil || b.RemoteID == "" {
		t.Errorf("Advance = %+v, %v", b, err)
	}
}

// What was only found may have been an attempt that the panel took back, and is
// made again as often as that happens; what it had confirmed was deleted by
// somebody, and is made again once.
func TestServerDeletedWhileItIsInstalled(t *testing.T) {
	for name, found := range map[string]bool{"confirmed": false, "found": true} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, pterobox.Options{})
			c, o := g.client(), testOrder("svc1")
			b := g.upTo(c, o, StepCreate)
			create := func() {
				t.Helper()
				b.Started = g.Clock.Now()
				next, err := c.Advance(t.Context(), o, b)
				if err == nil && found {
					next, err = c.Recover(t.Context(), o, b)
				}
				if err != nil || next.Step != StepReady {
					t.Fatalf("create = %+v, %v", next, err)
				}
				b = next
			}
			for n := range int64(2) {
				create()
				g.box.Destroy(n + 1)
				next, err := c.Advance(t.Context(), o, b)
				if n == 1 && !found {
					if !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), "twice; terminate the service here") || !strings.Contains(err.Error(), "External ID ezs-svc1") {
						t.Errorf("the second time = %v, want it left to a person", err)
					}
					continue
				}
				if err != nil || next.Step != StepCreate || next.RemoteID != "" {
					t.Fatalf("Advance = %+v, %v; want it back at %q", next, err, StepCreate)
				}
				b = next
			}
			// A person makes one by hand, or the build does.
			byHand := b
			byHand.Step, byHand.RemoteID, byHand.Started = StepCreate, "", g.Clock.Now()
			if _, err := c.Advance(t.Context(), o, byHand); err != nil {
				t.Fatal(err)
			}
			b.Started = g.Clock.Now()
			next, err := c.Advance(t.Context(), o, b)
			if err != nil || next.RemoteID != "3" || next.Step != StepReady || len(g.box.Snapshot().Servers) != 1 {
				t.Errorf("Advance = %+v, %v; want server 3", next, err)
			}
		})
	}
}

func TestWhatStaffDoesDuringABuildIsExplained(t *testing.T) {
	scenarios := []struct {
		name string
		act  func(g *rig)
		want string
	}{
		{"suspended", func(g *rig) { g.box.Suspend(1, true) }, "unsuspend it there"},
		{"given to another", func(g *rig) { g.box.Give(1, 1) }, "belongs to panel user 1, not 2"},
		{"the external id is another", func(g *rig) {
			g.box.Answer("GET /api/application/servers/1", 200, `{"attributes":{"id":1,"external_id":"x","uuid":"u","user":2}}`, 1)
		}, `External ID in the panel is "x", not "ezs-svc1"`},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			g := newRig(t, pterobox.Options{})
			c, o := g.client(), testOrder("svc1")
			b := g.upTo(c, o, StepReady)
			s.act(g)
			if _, err := c.Advance(t.Context(), o, b); !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), s.want) {
				t.Errorf("Advance = %v, want ErrPermanent saying %q", err, s.want)
			}
		})
	}
	g := newRig(t, pterobox.Options{})
	c, o := g.client(), testOrder("svc1")
	b := g.upTo(c, o, StepReady)
	g.box.Give(1, 1)
	b.Step = StepCreate
	if _, err := c.Recover(t.Context(), o, b); !errors.Is(err, provisioning.ErrPermanent) {
		t.Errorf("Recover of another's server = %v, want ErrPermanent", err)
	}
}

// A failed installation is repeated once, whatever happens to that call.
func TestFailedInstallationIsRepeatedOnce(t *testing.T) {
	for _, m := range append(adaptertest.Mishaps(), adaptertest.Late) {
		t.Run(string(m), func(t *testing.T) {
			g := newRig(t, pterobox.Options{BuildTime: 5 * time.Second})
			c, o := g.client(), testOrder("svc1")
			g.box.BreakBuilds(1)
			b := g.upTo(c, o, StepReinstall)
			g.breakCall("POST /api/application/servers/", m)
			ctx, cancel := g.Timeout()
			_, err := c.Advance(ctx, o, b)
			cancel()
			unknown := errors.Is(err, provisioning.ErrOutcomeUnknown)
			for range 100 {
				if unknown {
					next, err := c.Recover(t.Context(), o, b)
					if err == nil {
						b, unknown = next, false
						continue
					}
				} else if next, err := c.Advance(t.Context(), o, b); err == nil {
					if b = next; b.Done {
						break
					}
				}
				g.Sleep(time.Second)
			}
			g.Sleep(time.Minute)
			if s := g.server(b.RemoteID); !b.Done || s.Installs != 2 || s.Status != "" {
				t.Errorf("build done %t, server %+v; want it installed twice", b.Done, s)
			}
		})
	}
}

func TestEndlessInstallationIsReported(t *testing.T) {
	g := newRig(t, pterobox.Options{BuildTime: 100 * time.Hour})
	c, o := g.client(), testOrder("svc1")
	b := g.upTo(c, o, StepReady)
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

func TestStepsThatAreNone(t *testing.T) {
	g := newRig(t, pterobox.Options{})
	c, o := g.client(), testOrder("svc1")
	b := g.upTo(c, o, StepCreate)
	b.Started = time.Time{}
	if _, err := c.Advance(t.Context(), o, b); !errors.Is(err, provisioning.ErrPermanent) {
		t.Errorf("a create without a stored intent = %v, want ErrPermanent", err)
	}
	b.Step = "dance"
	_, advance := c.Advance(t.Context(), o, b)
	_, recovery := c.Recover(t.Context(), o, b)
	if !errors.Is(advance, provisioning.ErrPermanent) || !errors.Is(recovery, provisioning.ErrPermanent) {
		t.Errorf("an unknown step = %v and %v, want ErrPermanent", advance, recovery)
	}
}

func TestNamesThatPanelsTake(t *testing.T) {
	for name, want := range map[string][2]string{"": {"Customer", "-"}, "Ada": {"Ada", "-"}, " Ada  Lovelace King\n": {"Ada", "Lovelace King"}} {
		if first, last := names(provisioning.Order{Name: name}); first != want[0] || last != want[1] {
			t.Errorf("names(%q) = %q, %q; want %q", name, first, last, want)
		}
	}
	for email, want := range map[string]string{"Ada.L+x@example.com": "adalx_cus1", "ä@example.com": "u_cus1", strings.Repeat("a", 40) + "@x": "aaaaaaaaaaaaaaaa_cus1"} {
		if got := username(provisioning.Order{Email: email, UserID: "cus1"}); got != want {
			t.Errorf("username(%q) = %q, want %q", email, got, want)
		}
	}
	g := newRig(t, pterobox.Options{})
	o := testOrder("svc1")
	o.Name, o.Email, o.Hostname = strings.Repeat("ü", 300), "ä@example.com", ""
	b, _ := g.built(g.client(), o)
	if s := g.server(b.RemoteID); s.Name != "ezs-svc1" {
		t.Errorf("name = %q, want the external id for want of another", s.Name)
	}
	if g.get(g.URL+"/_sandbox/") != http.StatusOK {
		t.Error("the sandbox's page is gone")
	}
}
