package virtfusion

import (
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/engine/provisioning/adaptertest"
	"github.com/ezscale/ezscale/integrations/panel"
	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
	"github.com/ezscale/ezscale/integrations/sandbox/virtbox"
)

// atCreate brings a service to the step that makes its server.
func (g *rig) atCreate(c *Client, o provisioning.Order) provisioning.Build {
	g.t.Helper()
	b, err := c.Advance(g.t.Context(), o, provisioning.Build{Started: g.Clock.Now()})
	if err != nil || b.Step != StepCreate {
		g.t.Fatalf("Advance = %+v, %v; want it at %q", b, err, StepCreate)
	}
	b.Started = g.Clock.Now()
	return b
}

// lose makes the next create end without an effect and without an answer.
func (g *rig) lose(c *Client, o provisioning.Order, b provisioning.Build) {
	g.t.Helper()
	g.breakCall("POST /api/v1/servers", adaptertest.HTML502)
	if _, err := c.Advance(g.t.Context(), o, b); !errors.Is(err, provisioning.ErrOutcomeUnknown) {
		g.t.Fatalf("Advance = %v, want ErrOutcomeUnknown", err)
	}
	g.Sleep(2 * time.Minute) // what was not there by now never comes
}

// The create of svc2 was lost without an effect. What else the customer has must
// not be taken for it.
func TestRecoverTakesNothingThatIsNotOurs(t *testing.T) {
	unknown := provisioning.ErrOutcomeUnknown
	scenarios := []struct {
		name   string
		before func(g *rig, c *Client) // before svc2 starts
		during func(g *rig, c *Client) // after svc2 stored its intent
		taken  []string
		adopt  string
		err    error
	}{
		{name: "nothing there"},
		{name: "an unused server from before", before: func(g *rig, c *Client) { g.user(c); g.box.Allocate(1, 2) }},
		{name: "another service's finished server", during: func(g *rig, c *Client) { g.built(c, testOrder("svc1")) }},
		{name: "another service's fresh server, not named yet", during: func(g *rig, c *Client) { g.upTo(c, "svc1", StepTag) }},
		{name: "another service's fresh server, named", during: func(g *rig, c *Client) {
			// A different client: nothing but the name tells.
			g.upTo(g.client(), "svc1", StepBuild)
		}},
		{name: "another service's fresh server, told by the caller", taken: []string{"1"}, during: func(g *rig, c *Client) {
			g.upTo(g.client(), "svc1", StepTag)
		}},
		{name: "an unused server of another size", err: unknown, during: func(g *rig, _ *Client) { g.box.Allocate(1, 3) }},
		{name: "two that fit", err: unknown, during: func(g *rig, _ *Client) { g.box.Allocate(1, 2); g.box.Allocate(1, 2) }},
		{name: "one that fits", adopt: "1", during: func(g *rig, _ *Client) { g.box.Allocate(1, 2) }},
		{name: "one that fits besides one that does not", adopt: "2", during: func(g *rig, _ *Client) { g.box.Allocate(1, 3); g.box.Allocate(1, 2) }},
		{name: "one made long after", err: unknown, during: func(g *rig, _ *Client) {
			g.Clock.Add(time.Hour)
			g.box.Allocate(1, 2)
			g.Clock.Add(-time.Hour)
		}},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			g := newRig(t, virtbox.Options{})
			c, o := g.client(), testOrder("svc2")
			o.Taken = s.taken
			if s.before != nil {
				s.before(g, c)
			}
			b := g.atCreate(c, o)
			if s.during != nil {
				s.during(g, c)
			}
			g.lose(c, o, b)
			got, err := c.Recover(t.Context(), o, b)
			if !errors.Is(err, s.err) || s.err == nil && err != nil {
				t.Fatalf("Recover = %v, want %v", err, s.err)
			}
			if got.RemoteID != s.adopt || (got.Step == StepTag) != (s.adopt != "") {
				t.Errorf("Recover = server %q at step %q, want %q", got.RemoteID, got.Step, s.adopt)
			}
		})
	}
}

// user makes the customer's account alone.
func (g *rig) user(c *Client) { g.atCreate(c, testOrder("other")) }

// upTo builds a service until a step is next.
func (g *rig) upTo(c *Client, service, step string) provisioning.Build {
	g.t.Helper()
	o, b := testOrder(service), provisioning.Build{}
	for b.Step != step {
		if b.Started.IsZero() {
			b.Started = g.Clock.Now()
		}
		var err error
		if b, err = c.Advance(g.t.Context(), o, b); err != nil {
			g.t.Fatalf("Advance(%q): %v", b.Step, err)
		}
	}
	return b
}

func TestRecoverFindsItsOwnName(t *testing.T) {
	g := newRig(t, virtbox.Options{})
	c, o := g.client(), testOrder("svc1")
	done := g.built(c, o)
	b := provisioning.Build{Step: StepCreate, RemoteUser: done.RemoteUser, Started: g.Clock.Now().Add(-48 * time.Hour)}
	got, err := c.Recover(t.Context(), o, b)
	if err != nil || got.RemoteID != done.RemoteID || got.Step != StepTag {
		t.Errorf("Recover = %+v, %v; want server %s", got, err, done.RemoteID)
	}
}

// A process that has just begun cannot know when the one before it called.
func TestRecoverAfterRestartDoubtsAbsence(t *testing.T) {
	g := newRig(t, virtbox.Options{})
	o := testOrder("svc1")
	c := g.client()
	b := g.atCreate(c, o)
	g.Clock.Add(time.Hour) // earlier tries were refused for want of room
	b2, err := g.client().Recover(t.Context(), o, b)
	if !errors.Is(err, provisioning.ErrTemporary) || b2.Step != StepCreate {
		t.Errorf("Recover at once = %+v, %v; want ErrTemporary", b2, err)
	}
	next := g.client()
	g.Clock.Add(defaultSettle)
	if b2, err = next.Recover(t.Context(), o, b); err != nil || b2.Step != StepCreate || b2.RemoteID != "" {
		t.Errorf("Recover later = %+v, %v; want it unchanged", b2, err)
	}
}

// A list that is not one must not prove that nothing is there.
func TestRecoverNeedsAWholeList(t *testing.T) {
	for _, body := range []string{`{}`, `{"data":null}`, `{"data":"none"}`, `{"data":[null]}`, `{"data":[{"name":"x"}]}`, `{"message":"maintenance"}`, `[]`, ``, `{"data":[{"id":1}`} {
		t.Run(body, func(t *testing.T) {
			g := newRig(t, virtbox.Options{})
			c, o := g.client(), testOrder("svc1")
			b := g.atCreate(c, o)
			g.lose(c, o, b)
			g.box.Answer("GET /api/v1/servers/user/", http.StatusOK, body, 1)
			got, err := c.Recover(t.Context(), o, b)
			if !errors.Is(err, provisioning.ErrTemporary) || got.Step != StepCreate {
				t.Errorf("Recover = %+v, %v; want ErrTemporary", got, err)
			}
		})
	}
}

// Two services hold the same id after a double crash: the panel's name decides,
// and the loser looks for its own again.
func TestTagGivesBackAnothersServer(t *testing.T) {
	g := newRig(t, virtbox.Options{})
	c := g.client()
	g.upTo(c, "svc1", StepBuild)
	o := testOrder("svc2")
	b := provisioning.Build{Step: StepTag, RemoteUser: "1", RemoteID: "1", Data: map[string]string{dataBaseline: "0"}, Started: g.Clock.Now()}
	if _, err := c.Advance(t.Context(), o, b); !errors.Is(err, provisioning.ErrOutcomeUnknown) {
		t.Fatalf("Advance = %v, want ErrOutcomeUnknown", err)
	}
	g.Sleep(2 * time.Minute)
	got, err := c.Recover(t.Context(), o, b)
	if err != nil || got.Step != StepCreate || got.RemoteID != "" {
		t.Fatalf("Recover = %+v, %v; want it back at %q", got, err, StepCreate)
	}
	for !got.Done {
		if got.Started.IsZero() {
			got.Started = g.Clock.Now()
		}
		if got, err = c.Advance(t.Context(), o, got); err != nil {
			t.Fatalf("Advance: %v", err)
		}
		g.Sleep(got.Wait)
	}
	if got.RemoteID != "2" {
		t.Errorf("RemoteID = %s, want a server of its own", got.RemoteID)
	}
}

// More servers than a page holds are all seen.
func TestRecoverReadsEveryPage(t *testing.T) {
	g := newRig(t, virtbox.Options{PageUserLists: true})
	c, o := g.client(), testOrder("svc1")
	g.user(c)
	for range 205 {
		if g.box.Allocate(1, 1) == 0 {
			t.Fatal("no room for the older servers")
		}
	}
	b := g.atCreate(c, o)
	if b.Data[dataBaseline] != "205" {
		t.Errorf("baseline = %s, want 205", b.Data[dataBaseline])
	}
	g.breakCall("POST /api/v1/servers", adaptertest.LostAnswer)
	if _, err := c.Advance(t.Context(), o, b); !errors.Is(err, provisioning.ErrOutcomeUnknown) {
		t.Fatalf("Advance = %v, want ErrOutcomeUnknown", err)
	}
	got, err := c.Recover(t.Context(), o, b)
	if err != nil || got.RemoteID != "206" {
		t.Errorf("Recover = %q, %v; want server 206", got.RemoteID, err)
	}
}

// While one service's create is open, another of the customer waits; a person
// who never comes does not stop it for ever.
func TestCreatesOfOneCustomerTakeTurns(t *testing.T) {
	g := newRig(t, virtbox.Options{})
	c, o1, o2 := g.client(), testOrder("svc1"), testOrder("svc2")
	b1, b2 := g.atCreate(c, o1), g.atCreate(c, o2)
	g.lose(c, o1, b1)
	if _, err := c.Advance(t.Context(), o2, b2); !errors.Is(err, provisioning.ErrTemporary) {
		t.Errorf("Advance of the other = %v, want ErrTemporary", err)
	}
	if _, err := c.Recover(t.Context(), o2, b2); !errors.Is(err, provisioning.ErrTemporary) {
		t.Errorf("Recover of the other = %v, want ErrTemporary", err)
	}
	g.Clock.Add(panel.OpenFor)
	if got, err := c.Advance(t.Context(), o2, b2); err != nil || got.RemoteID == "" {
		t.Errorf("Advance of the other after %s = %+v, %v; want a server", panel.OpenFor, got, err)
	}
	if n := len(g.box.Snapshot().Servers); n != 1 {
		t.Errorf("%d servers, want 1", n)
	}
}

func TestClaimsAreForgotten(t *testing.T) {
	now, c := paneltest.NewClock().Now(), newCreates(time.Now)
	for i := range 1000 {
		at := now.Add(time.Duration(i) * time.Hour)
		c.claim(strconv.Itoa(i), "svc", at)
	}
	if len(c.claims) > 26 {
		t.Errorf("%d claims are kept, want a day's", len(c.claims))
	}
	if c.claim("999", "other", now.Add(1000*time.Hour)) || !c.claimed("999", "other") {
		t.Error("a fresh claim was given to another service")
	}
}
