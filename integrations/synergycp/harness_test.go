package synergycp

import (
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
	"github.com/ezscale/ezscale/integrations/sandbox/synergybox"
)

const testKey = "k9f2csecretintegrationkeyk9f2csecretintegrationkey"

// rig is a panel behind a network.
type rig struct {
	*paneltest.Network
	t   *testing.T
	box *synergybox.Box
}

func newRig(t *testing.T, opts synergybox.Options) *rig {
	t.Helper()
	clock := paneltest.NewClock()
	opts.Key, opts.Now = testKey, clock.Now
	box := synergybox.New(opts)
	return &rig{paneltest.Listen(t, clock, func(string) http.Handler { return box.Handler() }), t, box}
}

// client wipes on termination.
func (g *rig) client() *Client { return g.clientWith(testKey, true) }

func (g *rig) clientWith(key string, wipe bool) *Client {
	g.t.Helper()
	c, err := New(Config{BaseURL: g.URL, Key: key, WipeOnTerminate: wipe, Now: g.Clock.Now}, g.HTTP)
	if err != nil {
		g.t.Fatalf("New: %v", err)
	}
	return c
}

// testOrder is a server that is formatted before Debian is installed.
func testOrder(service string) provisioning.Order {
	return provisioning.Order{
		ServiceID: service, UserID: "cus1", Email: "ada@example.com", Name: "Ada L.", Hostname: service + ".example.com",
		Settings: map[string]string{
			SettingCPU: "CPU-E2388G", SettingMemory: "MEM-32", SettingDisks: "SSD-960,SSD-960", SettingGroups: "LOC-FRA", SettingIPs: "IP-29",
			SettingProfiles: "format-quick,os-debian12", SettingPortSpeed: "speed-1000", SettingBandwidth: "10TB", SettingIPMI: "true",
		},
	}
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

// server is the panel's server of a service.
func (g *rig) server(remoteID string) synergybox.Server {
	g.t.Helper()
	_, billing, _ := strings.Cut(remoteID, ":")
	for _, s := range g.box.Snapshot().Servers {
		if strconv.FormatInt(s.BillingID, 10) == billing {
			return s
		}
	}
	g.t.Fatalf("there is no server %s", remoteID)
	return synergybox.Server{}
}

// number is the panel's id of the server in a remote id.
func number(remoteID string) int64 {
	id, _, _ := strings.Cut(remoteID, ":")
	n, _ := strconv.ParseInt(id, 10, 64)
	return n
}
