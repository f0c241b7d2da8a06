package enhance

import (
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/sandbox/enhancebox"
	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
)

const testToken = "tok_9f2c-secret"

// rig is a panel behind a network.
type rig struct {
	*paneltest.Network
	t   *testing.T
	box *enhancebox.Box
}

func newRig(t *testing.T) *rig {
	t.Helper()
	clock := paneltest.NewClock()
	var box *enhancebox.Box
	n := paneltest.Listen(t, clock, func(url string) http.Handler {
		box = enhancebox.New(enhancebox.Options{Token: testToken, Now: clock.Now, PanelURL: url})
		return box.Handler()
	})
	return &rig{n, t, box}
}

func (g *rig) client() *Client { return g.clientWith(testToken) }

func (g *rig) clientWith(token string) *Client {
	g.t.Helper()
	c, err := New(Config{BaseURL: g.URL, Token: token, OrgID: enhancebox.SellerID, Now: g.Clock.Now}, g.HTTP)
	if err != nil {
		g.t.Fatalf("New: %v", err)
	}
	return c
}

// testOrder is a website.
func testOrder(service string) provisioning.Order {
	return provisioning.Order{
		ServiceID: service, UserID: "cus1", Email: "ada@example.com", Name: "Ada L.", Hostname: "www." + service + ".example.org",
		Settings: map[string]string{SettingPlan: "11"},
	}
}

// testDatabase is a managed MySQL.
func testDatabase(service string) provisioning.Order {
	return with(testOrder(service), SettingPlan, "21", SettingKind, "mysql", SettingSuffix, "db.hosting.example")
}

// with is an order with other settings, by name and value in turns.
func with(o provisioning.Order, pairs ...string) provisioning.Order {
	o.Settings = maps.Clone(o.Settings)
	for i := 0; i+1 < len(pairs); i += 2 {
		o.Settings[pairs[i]] = pairs[i+1]
	}
	return o
}

// built builds a service to the end, as its caller would, and returns what its
// customer signs in with.
func (g *rig) built(c *Client, o provisioning.Order) (provisioning.Build, provisioning.Credentials) {
	g.t.Helper()
	return g.UpTo(c, o, "")
}

// upTo builds a service until a step is next.
func (g *rig) upTo(c *Client, o provisioning.Order, step string) provisioning.Build {
	g.t.Helper()
	b, _ := g.UpTo(c, o, step)
	return b
}

// advance makes one try of the next step.
func (g *rig) advance(c *Client, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	if b.Started.IsZero() {
		b.Started = g.Clock.Now()
	}
	return c.Advance(g.t.Context(), o, b)
}

// number is the panel's number of the subscription in a remote id.
func number(remoteID string) int64 {
	parts := strings.Split(remoteID, ":")
	n, _ := strconv.ParseInt(parts[1], 10, 64)
	return n
}

// subscription is the panel's subscription of a service.
func (g *rig) subscription(remoteID string) enhancebox.Subscription {
	g.t.Helper()
	for _, s := range g.box.Snapshot().Subscriptions {
		if s.ID == number(remoteID) {
			return s
		}
	}
	g.t.Fatalf("there is no subscription %s", remoteID)
	return enhancebox.Subscription{}
}
