package virtfusion

import (
	"testing"

	"github.com/ezscale/ezscale/integrations/sandbox/virtbox"
)

func TestBuildsAServer(t *testing.T) {
	g := newRig(t, virtbox.Options{})
	o := testOrder("svc9001")
	o.Settings[SettingIPv6], o.Settings[SettingSwap] = "true", "1.5"
	b := g.built(g.client(), o)
	if b.Secret == nil || b.Secret.Username != "root" || b.Secret.Password == "" {
		t.Errorf("Secret = %v, want root and a password", b.Secret)
	}
	if len(b.Addresses) != 2 || b.Addresses[0].IP != "203.0.113.2" || !b.Addresses[0].Primary || b.Addresses[1].IP != "2001:db8:0:1::/64" {
		t.Errorf("Addresses = %v, want an IPv4 and a subnet", b.Addresses)
	}
	snap := g.box.Snapshot()
	if len(snap.Servers) != 1 || snap.Servers[0].Name != "ezs-svc9001" || snap.Servers[0].OwnerRelation != "ezs-cus1" || snap.Servers[0].Hostname != o.Hostname {
		t.Errorf("servers = %+v, want one named and owned", snap.Servers)
	}
}
