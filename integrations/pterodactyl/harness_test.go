package pterodactyl

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
	"github.com/ezscale/ezscale/integrations/sandbox/pterobox"
)

const (
	testApplicationKey = "ptla_9f2csecretapplication"
	testClientKey      = "ptlc_71aasecretclient"
)

// rig is a panel behind a network.
type rig struct {
	*paneltest.Network
	t   *testing.T
	box *pterobox.Box
}

func newRig(t *testing.T, opts pterobox.Options) *rig {
	t.Helper()
	clock := paneltest.NewClock()
	opts.ApplicationKey, opts.ClientKey, opts.Now = testApplicationKey, testClientKey, clock.Now
	box := pterobox.New(opts)
	return &rig{paneltest.Listen(t, clock, func(string) http.Handler { return box.Handler() }), t, box}
}

func (g *rig) client() *Client { return g.clientWith(testApplicationKey, testClientKey) }

func (g *rig) clientWith(application, client string) *Client {
	g.t.Helper()
	c, err := New(Config{BaseURL: g.URL, ApplicationKey: application, ClientKey: client, Now: g.Clock.Now}, g.HTTP)
	if err != nil {
		g.t.Fatalf("New: %v", err)
	}
	return c
}

// testOrder is a Paper server.
func testOrder(service string) provisioning.Order {
	return provisioning.Order{
		ServiceID: service, UserID: "cus1", Email: "ada@example.com", Name: "Ada L.", Hostname: "My server " + service,
		Settings: map[string]string{
			SettingNest: "1", SettingEgg: "3", SettingMemory: "2048", SettingDisk: "10240", SettingCPU: "100", SettingLocations: "1", SettingBackups: "1",
			VariablePrefix + "MINECRAFT_VERSION": "1.20.1",
		},
	}
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

// server is one server of the panel.
func (g *rig) server(id string) pterobox.Server {
	g.t.Helper()
	for _, s := range g.box.Snapshot().Servers {
		if strconv.FormatInt(s.ID, 10) == id {
			return s
		}
	}
	g.t.Fatalf("there is no server %s", id)
	return pterobox.Server{}
}
