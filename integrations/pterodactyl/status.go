package pterodactyl

import (
	"context"
	"math"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

const (
	// megabyte is the daemon's of memory, mebibyte that of disks.
	megabyte = 1_000_000
	mebibyte = 1 << 20
)

// usage is what the node reports (GET /api/client/servers/{uuid}/resources).
type usage struct {
	State     panel.Text `json:"current_state"`
	Resources struct {
		Memory panel.Number `json:"memory_bytes"`
		CPU    panel.Number `json:"cpu_absolute"` // percent of one thread
		Disk   panel.Number `json:"disk_bytes"`
	} `json:"resources"`
}

func (c *Client) readUsage(ctx context.Context, op string, s server) (usage, error) {
	var got item[usage]
	err := c.do(ctx, panel.Call{Op: op, API: onClient, Method: http.MethodGet, Path: "/servers/" + url.PathEscape(string(s.UUID)) + "/resources"}, &got)
	return got.Attributes, err
}

// Status reads the server and its live figures. The latter are up to 20 seconds
// old at the panel; after a power action Busy says so until they are new. Where
// there are none, because the server is suspended or installs, its node does not
// answer or the client key is refused, they are unknown and the rest still
// counts: whether a server may be suspended must not hang on its node.
func (c *Client) Status(ctx context.Context, remoteID string) (provisioning.Status, error) {
	op := "read server " + remoteID
	s, err := c.readServer(ctx, op, remoteID)
	if err != nil {
		return provisioning.Status{}, err
	}
	st := provisioning.Status{
		Power: provisioning.PowerUnknown, Suspended: s.suspended(), Busy: s.busy() || c.recent.stale(remoteID, c.now()), Hostname: s.endpoint(),
		Addresses: s.addresses(), OwnerRef: s.User.ID(), Tag: strings.TrimPrefix(string(s.ExternalID), c.prefix),
		CPUPercent: -1, MemoryUsed: -1, MemoryTotal: s.limit(s.Limits.Memory, megabyte), DiskUsed: -1, DiskTotal: s.limit(s.Limits.Disk, mebibyte),
	}
	if s.suspended() {
		st.Power = provisioning.PowerStopped // the panel stops what it suspends
	}
	if s.Status != statusReady {
		return st, nil
	}
	live, err := c.readUsage(ctx, op, s)
	if err != nil {
		return st, nil //nolint:nilerr // no live figures: shown as unknown
	}
	st.Power = powerState(string(live.State))
	st.CPUPercent = percent(live.Resources.CPU, s.Limits.CPU)
	st.MemoryUsed, st.DiskUsed = live.Resources.Memory.Times(1), live.Resources.Disk.Times(1)
	return st, nil
}

// limit is a size in bytes, -1 where it is unlimited.
func (s server) limit(n panel.Number, unit int64) int64 {
	if n.Value <= 0 {
		return -1
	}
	return n.Times(unit)
}

// powerState reads the daemon's words. Others are unknown.
func powerState(word string) provisioning.PowerState {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "running", "starting", "stopping":
		return provisioning.PowerRunning
	case "offline", "stopped":
		return provisioning.PowerStopped
	}
	return provisioning.PowerUnknown
}

// percent is what is used of what was given, 0 to 100; -1 when unset. Where no
// limit is, 100 is one thread.
func percent(used, limit panel.Number) int {
	if !used.OK {
		return -1
	}
	share := used.Value
	if limit.Value > 0 {
		share = used.Value * 100 / limit.Value
	}
	return int(math.Round(min(max(share, 0), 100)))
}

// addresses lists the addresses of a server's ports, each once, that of the
// primary port first. What is no address is left out.
func (s server) addresses() []provisioning.Address {
	var list []provisioning.Address
	seen := map[string]bool{}
	add := func(a allocation, primary bool) {
		ip, err := netip.ParseAddr(string(a.IP))
		if err != nil || ip.Zone() != "" || seen[ip.String()] {
			return
		}
		seen[ip.String()] = true
		list = append(list, provisioning.Address{IP: ip.String(), Primary: primary})
	}
	if a, ok := s.primary(); ok {
		add(a, true)
	}
	for _, a := range s.Relations.V.Allocations.V.Data {
		add(a.Attributes, false)
	}
	return list
}

// primary is the port that players use.
func (s server) primary() (allocation, bool) {
	for _, a := range s.Relations.V.Allocations.V.Data {
		if a.Attributes.ID.ID() == s.Allocation.ID() && s.Allocation.ID() != "" {
			return a.Attributes, true
		}
	}
	return allocation{}, false
}

// endpoint is what players type: the alias of the address where there is one, and
// the port.
func (s server) endpoint() string {
	a, ok := s.primary()
	if !ok {
		return ""
	}
	host := strings.TrimSpace(string(a.Alias))
	if host == "" {
		host = string(a.IP)
	}
	return net.JoinHostPort(host, strconv.FormatInt(a.Port.Whole(0), 10))
}
