package synergycp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/engine/provisioning/adaptertest"
	"github.com/ezscale/ezscale/integrations/sandbox/synergybox"
)

func TestBuildsAServer(t *testing.T) {
	g := newRig(t, synergybox.Options{})
	b, secret := g.built(g.client(), testOrder("svc1"))
	s := g.server(b.RemoteID)
	if s.ClientRef != "ezs-cus1" || s.Nickname != "svc1.example.com" || s.Group != "LOC-FRA" || s.PortSpeed != "speed-1000" || s.MaxBits != 80e12 || s.Rights != (synergybox.Rights{IPMI: true}) || s.Installs != 2 {
		t.Errorf("server = %+v", s)
	}
	if b.RemoteID != fmt.Sprintf("%d:%d", s.ID, s.BillingID) || s.BillingID >= 1<<31 || b.RemoteUser != strconv.FormatInt(s.Client, 10) || b.Hostname != s.Nickname {
		t.Errorf("build = %+v of %+v", b, s)
	}
	if secret.Username != "root" || g.box.SignIn(secret.Password) != s.ID {
		t.Error("the password does not open the server")
	}
	if len(b.Addresses) != 6 || b.Addresses[0] != (provisioning.Address{IP: "203.0.10.2", Primary: true}) || b.Addresses[4].IP != "203.0.10.6" || b.Addresses[5].IP != "2001:db8:10:1::/64" {
		t.Errorf("addresses = %v", b.Addresses)
	}
	if b.Data[dataNonce] != "" {
		t.Error("the password could be drawn again")
	}
	two, second := g.built(g.client(), testOrder("svc2"))
	if two.RemoteUser != b.RemoteUser || len(g.box.Snapshot().Clients) != 1 || second.Password == secret.Password {
		t.Errorf("the second = %+v, want it for the same client with a password of its own", two)
	}
}

// Without a profile nothing is installed, and there is nothing to sign in with.
func TestBareServer(t *testing.T) {
	g := newRig(t, synergybox.Options{})
	b, secret := g.built(g.client(), with(testOrder("svc1"), SettingProfiles, "", SettingBandwidth, ""))
	if s := g.server(b.RemoteID); s.Installs != 0 || s.MaxBits != 0 || secret.Password != "" {
		t.Errorf("server = %+v with %v", s, secret)
	}
}

func TestWrongPlanLeavesNothing(t *testing.T) {
	scenarios := []struct{ name, key, value, want string }{
		{"no processor", SettingCPU, "", SettingCPU},
		{"no memory", SettingMemory, " ", SettingMemory},
		{"no location", SettingGroups, "", SettingGroups},
		{"no addresses", SettingIPs, "", SettingIPs},
		{"a limit without unit", SettingBandwidth, "10", "500GB or 10TB"},
		{"an odd limit", SettingBandwidth, "-1TB", "500GB or 10TB"},
		{"an odd right", SettingIPMI, "perhaps", "true or false"},
		{"software RAID", SettingAddons, "ADD-RAID1", "no part"},
		{"too many profiles", SettingProfiles, strings.Repeat("x,", 9), "more than 8"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			g := newRig(t, synergybox.Options{})
			_, err := g.client().Advance(t.Context(), with(testOrder("svc1"), s.key, s.value), provisioning.Build{Started: g.Clock.Now()})
			if !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), s.want) {
				t.Errorf("got %v, want ErrPermanent saying %q", err, s.want)
			}
			if snap := g.box.Snapshot(); len(snap.Clients) != 0 || snap.Made != 0 {
				t.Errorf("panel = %+v, want nothing made", snap)
			}
		})
	}
}

// advance makes one try of the next step.
func (g *rig) advance(c *Client, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	if b.Started.IsZero() {
		b.Started = g.Clock.Now()
	}
	return c.Advance(g.t.Context(), o, b)
}

func TestWantOfStockIsCapacity(t *testing.T) {
	g := newRig(t, synergybox.Options{Spare: 1})
	c := g.client()
	g.built(c, testOrder("svc1"))
	b := g.upTo(c, testOrder("svc2"), StepOrder)
	if _, err := g.advance(c, testOrder("svc2"), b); !errors.Is(err, provisioning.ErrCapacity) || !strings.Contains(err.Error(), "CPU-E2388G + MEM-32 + SSD-960 + SSD-960 in LOC-FRA") {
		t.Errorf("no server = %v, want ErrCapacity that names what is missing", err)
	}
	elsewhere := with(testOrder("svc2"), SettingGroups, "LOC-FRA,LOC-ASH")
	g.box.SetAddresses(false)
	if _, err := g.advance(c, elsewhere, b); !errors.Is(err, provisioning.ErrCapacity) || !strings.Contains(err.Error(), "IP-29") {
		t.Errorf("no addresses = %v, want ErrCapacity", err)
	}
	g.box.SetAddresses(true)
	if _, err := g.advance(c, elsewhere, b); err != nil {
		t.Errorf("another location = %v", err)
	}
	if n, err := c.Free(t.Context(), testOrder("").Settings); n != 0 || err != nil {
		t.Errorf("Free = %d, %v; want none", n, err)
	}
}

// A server that goes to somebody else between the look and the order is replaced
// by another; when they are always faster, the order is tried again later.
func TestTheServerGoesToSomebodyElse(t *testing.T) {
	g := newRig(t, synergybox.Options{})
	c := g.client()
	b := g.upTo(c, testOrder("svc1"), StepOrder)
	g.box.Steal(2)
	next, err := g.advance(c, testOrder("svc1"), b)
	if err != nil || g.server(next.RemoteID).ClientRef != "ezs-cus1" {
		t.Errorf("after two were taken = %+v, %v", next, err)
	}
	g.box.Steal(1)
	b = g.upTo(c, testOrder("svc2"), StepOrder)
	if _, err := g.advance(c, testOrder("svc2"), b); !errors.Is(err, provisioning.ErrTemporary) {
		t.Errorf("the last was taken = %v, want ErrTemporary", err)
	}
	if made := g.box.Snapshot().Made; made != 1 {
		t.Errorf("%d servers were made, want 1", made)
	}
	// What the panel refuses for the order's own sake is for a person.
	odd := with(testOrder("svc3"), SettingProfiles, "os-none", SettingGroups, "LOC-ASH")
	if _, err := g.advance(c, odd, g.upTo(c, odd, StepOrder)); !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), "The selected profile is invalid.") {
		t.Errorf("an unknown profile = %v, want ErrPermanent with the panel's words", err)
	}
}

// The panel reserves nothing: orders look and order one after the other, so that
// none is refused for the sake of another.
func TestOrdersAreSerialized(t *testing.T) {
	g := newRig(t, synergybox.Options{Spare: 8})
	c := g.client()
	var mu sync.Mutex
	var seen []string
	g.box.Faults().Before = func(r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case r.URL.Query().Has("available"):
			seen = append(seen, "look")
		case r.URL.Path == "/server/provision":
			seen = append(seen, "order")
		}
	}
	builds := make([]provisioning.Build, 8)
	order := func(i int) provisioning.Order {
		o := testOrder("svc" + strconv.Itoa(i))
		o.UserID, o.Email = "cus"+strconv.Itoa(i), fmt.Sprintf("c%d@example.com", i)
		return o
	}
	for i := range builds {
		builds[i] = g.upTo(c, order(i), StepOrder)
	}
	var wg sync.WaitGroup
	for i := range builds {
		wg.Go(func() {
			next, err := g.advance(c, order(i), builds[i])
			if err != nil {
				t.Errorf("order %d = %v", i, err)
			}
			builds[i] = next
		})
	}
	wg.Wait()
	ids := map[int64]bool{}
	for _, b := range builds {
		ids[number(b.RemoteID)] = true
	}
	if want := strings.Repeat("look order ", 8); strings.Join(seen, " ")+" " != want || len(ids) != 8 {
		t.Errorf("calls = %v for %d servers, want eight orders one after the other", seen, len(ids))
	}
}

// While the outcome of an order is open, its server is not given to another, and
// whoever waits too long for the line is told so.
func TestAnOpenOrderKeepsItsServer(t *testing.T) {
	g := newRig(t, synergybox.Options{Spare: 1})
	c := g.client()
	one, two := testOrder("svc1"), testOrder("svc2")
	a, b := g.upTo(c, one, StepOrder), g.upTo(c, two, StepOrder)
	g.breakCall(calls[StepOrder], adaptertest.Late)
	ctx, cancel := g.Timeout()
	defer cancel()
	a.Started = g.Clock.Now()
	if _, err := c.Advance(ctx, one, a); !errors.Is(err, provisioning.ErrOutcomeUnknown) {
		t.Fatalf("a late order = %v", err)
	}
	if _, err := g.advance(c, two, b); !errors.Is(err, provisioning.ErrTemporary) {
		t.Errorf("the other = %v, want it to wait for the last server", err)
	}
	g.Sleep(30 * time.Second)
	a, err := c.Recover(t.Context(), one, a)
	if err != nil || g.server(a.RemoteID).Client == 0 {
		t.Fatalf("Recover = %+v, %v", a, err)
	}
	if _, err := g.advance(c, two, b); !errors.Is(err, provisioning.ErrCapacity) {
		t.Errorf("the other = %v, want no stock", err)
	}
	c.line.turn <- struct{}{}
	gone, end := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer end()
	b.Started = g.Clock.Now()
	if _, err := c.Advance(gone, two, b); !errors.Is(err, provisioning.ErrTemporary) || !strings.Contains(err.Error(), "other orders") {
		t.Errorf("a line that does not move = %v, want ErrTemporary", err)
	}
}

func TestClientsOfOthersAreLeftAlone(t *testing.T) {
	for _, billing := range []string{"", "4711"} {
		g := newRig(t, synergybox.Options{})
		c, o := g.client(), testOrder("svc1")
		id := strconv.FormatInt(g.box.Register(billing, o.Email), 10)
		_, err := g.advance(c, o, provisioning.Build{})
		if !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), "client "+id) || !strings.Contains(err.Error(), "ezs-cus1") || strings.Contains(err.Error(), o.Email) {
			t.Errorf("billing id %q: %v, want what staff has to do", billing, err)
		}
	}
	// The stranger comes between our look and our create.
	g := newRig(t, synergybox.Options{})
	c, o := g.client(), testOrder("svc1")
	b := g.upTo(c, o, StepAccount)
	g.box.Register("", o.Email)
	if _, err := g.advance(c, o, b); !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), "ezs-cus1") {
		t.Errorf("a stranger meanwhile = %v, want it explained", err)
	}
	// A part of the address is not the address, and our own client is no stranger.
	g = newRig(t, synergybox.Options{})
	g.box.Register("", "x"+o.Email)
	b = g.upTo(g.client(), o, StepAccount)
	mine := g.box.Register("ezs-cus1", o.Email)
	if next, err := g.advance(g.client(), o, b); err != nil || next.RemoteUser != strconv.FormatInt(mine, 10) {
		t.Errorf("our own made meanwhile = %+v, %v", next, err)
	}
}

// The number of a service is drawn: one that is in use is not taken, and a server
// with ours that belongs to another client is not either.
func TestBillingIDs(t *testing.T) {
	g := newRig(t, synergybox.Options{})
	c, o := g.client(), testOrder("svc1")
	first, err := c.chooseBilling(t.Context(), o.ServiceID)
	if err != nil {
		t.Fatal(err)
	}
	stranger := g.box.Register("", "other@example.com")
	g.box.Occupy(324, stranger, whole(first))
	b := g.upTo(c, o, StepOrder)
	if b.Data[dataBilling] == first {
		t.Error("a billing id in use was chosen")
	}
	g.box.Occupy(323, stranger, whole(b.Data[dataBilling]))
	if _, err := g.advance(c, o, b); !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), "SRV-323") {
		t.Errorf("our billing id at a stranger's server = %v, want it explained", err)
	}
	g.box.Occupy(322, stranger, whole(b.Data[dataBilling]))
	if _, err := c.Status(t.Context(), remoteID("322", b.Data[dataBilling])); !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), "both carry") {
		t.Errorf("two servers with one billing id = %v, want it explained", err)
	}
	for _, odd := range []string{"", "301", "301:", "301:x", "301:-1", "../x:7", "301:07"} {
		if _, err := c.Status(t.Context(), odd); !errors.Is(err, provisioning.ErrPermanent) {
			t.Errorf("remote id %q = %v, want ErrPermanent", odd, err)
		}
	}
}

func TestWhatStaffDoesDuringABuildIsExplained(t *testing.T) {
	acts := map[string]func(g *rig, id int64){
		"wiped":                    func(g *rig, id int64) { g.box.Destroy(id) },
		"suspended in the panel":   func(g *rig, id int64) { g.box.Suspend(id, true) },
		"belongs to panel client ": func(g *rig, id int64) { g.box.Give(id, g.box.Register("", "other@example.com")) },
	}
	for want, act := range acts {
		for _, step := range []string{StepQueue, StepInstall, StepReady} {
			g := newRig(t, synergybox.Options{})
			c, o := g.client(), testOrder("svc1")
			b := g.upTo(c, o, step)
			act(g, number(b.RemoteID))
			if _, err := g.advance(c, o, b); !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s at %s = %v, want it explained", want, step, err)
			}
			b.Started = g.Clock.Now()
			if _, err := c.Recover(t.Context(), o, b); step == StepInstall && !errors.Is(err, provisioning.ErrPermanent) {
				t.Errorf("%s, recovered at %s = %v, want it explained", want, step, err)
			}
			if made := g.box.Snapshot().Made; made != 1 {
				t.Errorf("%s: %d servers were made", want, made)
			}
		}
	}
}

// A password is drawn from the key: with another one it is not known, which is
// said before a server is ordered or handed over with a wrong password.
func TestAKeyThatChangesDuringABuild(t *testing.T) {
	for _, step := range []string{StepOrder, StepInstall, StepReady} {
		g := newRig(t, synergybox.Options{BuildTime: time.Second})
		c, o := g.client(), testOrder("svc1")
		b := g.upTo(c, o, step)
		g.Sleep(time.Minute)
		b.Data[dataSeen] = "true"
		c.key = testKey + "2"
		b.Started = g.Clock.Now()
		c.caller.Sign = g.client().caller.Sign // the panel takes the new one
		if _, err := c.Advance(t.Context(), o, b); !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), "key was changed") {
			t.Errorf("at %s = %v, want it explained", step, err)
		}
	}
}

// An installation that ran while nobody looked is over where the panel took its
// order. A server that was only found is installed once more, as people may have
// set it up: only then is the password known to work.
func TestAnInstallationThatNobodySaw(t *testing.T) {
	for lost, installs := range map[bool]int{false: 1, true: 2} {
		g := newRig(t, synergybox.Options{})
		c, o := g.client(), with(testOrder("svc1"), SettingProfiles, "os-debian12")
		b := g.upTo(c, o, StepOrder)
		b.Started = g.Clock.Now()
		if lost {
			g.breakCall(calls[StepOrder], adaptertest.LostAnswer)
		}
		next, err := c.Advance(t.Context(), o, b)
		g.Sleep(time.Hour)
		if lost {
			next, err = c.Recover(t.Context(), o, b)
		}
		for range 100 {
			if err != nil {
				t.Fatalf("at %q = %v", b.Step, err)
			}
			if b = next; b.Done {
				break
			}
			if b.Started.IsZero() {
				b.Started = g.Clock.Now()
			}
			g.Sleep(b.Wait)
			next, err = c.Advance(t.Context(), o, b)
		}
		if s := g.server(b.RemoteID); !b.Done || s.Installs != installs || b.Secret == nil || g.box.SignIn(b.Secret.Password) != s.ID {
			t.Errorf("lost %t: build = %+v at %+v, want %d installations", lost, b, s, installs)
		}
	}
}

func TestEndlessInstallationIsReported(t *testing.T) {
	g := newRig(t, synergybox.Options{BuildTime: 8 * time.Hour})
	c, o := g.client(), testOrder("svc1")
	b := g.upTo(c, o, StepReady)
	b.Started = g.Clock.Now()
	var err error
	for range 5000 {
		var next provisioning.Build
		if next, err = c.Advance(t.Context(), o, b); err != nil {
			break
		}
		b = next
		g.Clock.Add(10 * b.Wait)
	}
	if !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), buildLimit.String()) {
		t.Errorf("got %v, want it given up after %s", err, buildLimit)
	}
}

func TestStepsThatAreNone(t *testing.T) {
	g := newRig(t, synergybox.Options{})
	c, o := g.client(), testOrder("svc1")
	b := provisioning.Build{Step: "dance", Started: g.Clock.Now()}
	for name, call := range map[string]func(context.Context, provisioning.Order, provisioning.Build) (provisioning.Build, error){"Advance": c.Advance, "Recover": c.Recover} {
		if got, err := call(t.Context(), o, b); !errors.Is(err, provisioning.ErrPermanent) || got.Step != "dance" {
			t.Errorf("%s = %+v, %v", name, got, err)
		}
	}
	if _, err := c.Advance(t.Context(), o, provisioning.Build{Step: StepOrder, Started: g.Clock.Now()}); !errors.Is(err, provisioning.ErrPermanent) {
		t.Errorf("an order without a client = %v, want ErrPermanent", err)
	}
	if !slices.Contains(c.Steps(), StepQueue) {
		t.Error("Steps lacks one")
	}
}
