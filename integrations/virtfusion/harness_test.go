package virtfusion

import (
	"net/http"
	"testing"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
	"github.com/ezscale/ezscale/integrations/sandbox/virtbox"
)

const testToken = "tok_9f2c-secret"

// rig is a panel behind a network.
type rig struct {
	*paneltest.Network
	t   *testing.T
	box *virtbox.Box
}

func newRig(t *testing.T, opts virtbox.Options) *rig {
	t.Helper()
	clock := paneltest.NewClock()
	opts.Token, opts.Now = testToken, clock.Now
	box := virtbox.New(opts)
	return &rig{paneltest.Listen(t, clock, func(string) http.Handler { return box.Handler() }), t, box}
}

func (g *rig) client() *Client { return g.clientWith(testToken) }

func (g *rig) clientWith(token string) *Client {
	g.t.Helper()
	c, err := New(Config{BaseURL: g.URL, Token: token, Now: g.Clock.Now}, g.HTTP)
	if err != nil {
		g.t.Fatalf("New: %v", err)
	}
	return c
}

func testOrder(service string) provisioning.Order {
	return provisioning.Order{
		ServiceID: service, UserID: "cus1", Email: "ada@example.com", Name: "Ada L.", Hostname: service + ".example.com",
		Settings: map[string]string{SettingPackage: "2", SettingGroup: "1", SettingTemplate: "8"},
	}
}

// built builds a service to the end, as its caller would.
func (g *rig) built(c *Client, o provisioning.Order) provisioning.Build {
	g.t.Helper()
	b, _ := g.UpTo(c, o, "")
	return b
}
