package virtfusion

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

const (
	kilobyte = 1 << 10
	megabyte = 1 << 20
	// gigabyte is 1024³, by which the shipped modules divide traffic; the vendor
	// does not define it.
	gigabyte = 1 << 30
)

// remoteState is what the hypervisor reports (GET /servers/{id}?remoteState=true).
// The vendor does not document it; the fields are those that shipped modules
// read from product version 7.0.0.
type remoteState struct {
	State  panel.Text               `json:"state"`
	CPU    panel.Number             `json:"cpu"`
	Memory panel.Maybe[guestMemory] `json:"memory"`
	Agent  panel.Maybe[struct {
		FSInfo panel.Many[filesystem] `json:"fsinfo"`
	}] `json:"agent"`
}

// guestMemory is in kilobytes. MemTotal and MemFree come from Windows guests, in
// place of the balloon driver's figures.
type guestMemory struct {
	Actual   panel.Number `json:"actual"`
	Unused   panel.Number `json:"unused"`
	Usable   panel.Number `json:"usable"`
	MemTotal panel.Number `json:"memtotal"`
	MemFree  panel.Number `json:"memfree"`
}

// filesystem is in bytes; it needs the guest agent.
type filesystem struct {
	Name  panel.Text   `json:"name"`
	Type  panel.Text   `json:"type"`
	Used  panel.Number `json:"used-bytes"`
	Total panel.Number `json:"total-bytes"`
}

// Status reads the live state (GET /servers/{id}?remoteState=true). It costs a
// round trip to the hypervisor: call it on view and keep the answer for 30
// seconds. OwnerRef is the panel's user id, Tag our service id if the name is
// one of ours, else the name.
func (c *Client) Status(ctx context.Context, remoteID string) (provisioning.Status, error) {
	s, err := c.readServerWith(ctx, "read server "+remoteID, remoteID, url.Values{"remoteState": {"true"}})
	if err != nil {
		return provisioning.Status{}, err
	}
	live := s.RemoteState.V
	st := provisioning.Status{
		Power:     powerState(string(live.State)),
		Suspended: bool(s.Suspended),
		Busy:      s.busy() || s.phase() == phaseWorking,
		Hostname:  string(s.Hostname),
		Addresses: s.addresses(),
		OwnerRef:  s.OwnerID.ID(),
		Tag:       strings.TrimPrefix(string(s.Name), c.prefix),
	}
	st.CPUPercent = percent(live.CPU)
	st.MemoryUsed, st.MemoryTotal = live.Memory.V.usage()
	if st.MemoryTotal < 0 {
		st.MemoryTotal = s.Settings.V.Resources.V.Memory.Times(megabyte)
	}
	st.DiskUsed, st.DiskTotal = diskUsage(live.Agent.V.FSInfo)
	if st.DiskTotal < 0 {
		st.DiskTotal = s.Settings.V.Resources.V.Storage.Times(gigabyte)
	}
	return st, nil
}

// powerState reads libvirt's words (virDomainState). Others are unknown.
func powerState(word string) provisioning.PowerState {
	switch strings.ToLower(strings.NewReplacer("_", " ", "-", " ").Replace(strings.TrimSpace(word))) {
	case "running", "blocked", "paused", "idle", "in shutdown", "pmsuspended":
		return provisioning.PowerRunning
	case "shut off", "shutoff", "stopped", "crashed", "off":
		return provisioning.PowerStopped
	}
	return provisioning.PowerUnknown
}

// percent rounds into 0–100; -1 when unset. Whether the panel means one core or
// all is not documented, so more than 100 is shown as 100.
func percent(n panel.Number) int {
	if !n.OK {
		return -1
	}
	return int(math.Round(min(max(n.Value, 0), 100)))
}

// usage is in bytes, -1 where unknown.
func (m guestMemory) usage() (used, total int64) {
	total, free := m.Actual.Times(kilobyte), m.Unused.Times(kilobyte)
	if free < 0 {
		free = m.Usable.Times(kilobyte)
	}
	if windows := m.MemTotal.Times(kilobyte); windows > 0 {
		total, free = windows, m.MemFree.Times(kilobyte)
	}
	if total < 0 || free < 0 || free > total {
		return -1, total
	}
	return total - free, total
}

// diskUsage sums the guest's file systems on disks, each device once.
func diskUsage(list []filesystem) (used, total int64) {
	seen := map[panel.Text]bool{}
	used, total = -1, -1
	for _, f := range list {
		u, t := f.Used.Times(1), f.Total.Times(1)
		if seen[f.Name] || t <= 0 || u < 0 || u > t || t > math.MaxInt64/64 || len(seen) >= 64 || !isDisk(string(f.Type)) {
			continue
		}
		seen[f.Name] = true
		used, total = max(used, 0)+u, max(total, 0)+t
	}
	return used, total
}

func isDisk(fsType string) bool {
	switch strings.ToLower(fsType) {
	case "tmpfs", "devtmpfs", "squashfs", "overlay", "iso9660", "cdfs", "udf":
		return false
	}
	return true
}

// addresses lists the first interface's addresses, the primary IPv4 first.
// IPv6 comes as whole subnets. What is no address is left out.
func (s server) addresses() []provisioning.Address {
	if len(s.Network.V.Interfaces) == 0 {
		return nil
	}
	nic := slices.MinFunc(s.Network.V.Interfaces, func(a, b netInterface) int { return cmp.Compare(a.Order.Value, b.Order.Value) })
	v4 := slices.Clone(nic.IPv4)
	slices.SortStableFunc(v4, func(a, b struct {
		Order   panel.Number `json:"order"`
		Address panel.Text   `json:"address"`
	},
	) int {
		return cmp.Compare(a.Order.Value, b.Order.Value)
	})
	var list []provisioning.Address
	for _, a := range v4 {
		if ip, err := netip.ParseAddr(string(a.Address)); err == nil && ip.Zone() == "" {
			list = append(list, provisioning.Address{IP: ip.String(), Primary: len(list) == 0})
		}
	}
	for _, n := range nic.IPv6 {
		ip, err := netip.ParseAddr(string(n.Subnet))
		if err != nil || !n.CIDR.OK || n.CIDR.Value < 0 || n.CIDR.Value > 128 || !ip.Is6() || ip.Zone() != "" {
			continue
		}
		list = append(list, provisioning.Address{IP: netip.PrefixFrom(ip, int(n.CIDR.Value)).String(), Primary: len(list) == 0})
	}
	return list
}

func hasIPv6(list []provisioning.Address) bool {
	return slices.ContainsFunc(list, func(a provisioning.Address) bool { return strings.Contains(a.IP, ":") })
}

// Traffic reads the counter of the newest period (GET /servers/{id}/traffic).
// Periods run from the server's creation day, not with our billing. The panel's
// limit and bought blocks are GB of 1024³ bytes; a limit of 0 is unmetered.
func (c *Client) Traffic(ctx context.Context, remoteID string) (provisioning.Traffic, error) {
	op := "read the traffic of server " + remoteID
	id, err := serverID(op, remoteID)
	if err != nil {
		return provisioning.Traffic{}, err
	}
	r := panel.Call{Op: op, Method: http.MethodGet, Path: "/servers/" + id + "/traffic"}
	var got answer[struct {
		Monthly panel.Many[period] `json:"monthly"`
	}]
	if err := c.do(ctx, r, &got); err != nil {
		return provisioning.Traffic{}, err
	}
	if len(got.Data.Monthly) == 0 {
		return provisioning.Traffic{}, vendor.Refuse(provisioning.ErrTemporary, op, "the panel has not counted any yet")
	}
	newest := slices.MaxFunc(got.Data.Monthly, func(a, b period) int { return cmp.Compare(a.Month.Value, b.Month.Value) })
	t, ok := newest.traffic()
	if !ok {
		return provisioning.Traffic{}, vendor.Unreadable(r, http.StatusOK, "the newest period is not as documented")
	}
	return t, nil
}

type period struct {
	Month  panel.Number `json:"month"`
	Start  panel.Text   `json:"start"`
	End    panel.Text   `json:"end"`
	RX     panel.Number `json:"rx"`
	TX     panel.Number `json:"tx"`
	Limit  panel.Number `json:"limit"`
	Blocks panel.Many[struct {
		Traffic panel.Number `json:"traffic"`
	}] `json:"blocks"`
}

// traffic makes the period half-open: the panel's end is its last second.
func (p period) traffic() (provisioning.Traffic, bool) {
	start, okStart := parseTime(string(p.Start))
	end, okEnd := parseTime(string(p.End))
	if !okStart || !okEnd || !p.RX.OK || !p.TX.OK || p.RX.Value < 0 || p.TX.Value < 0 {
		return provisioning.Traffic{}, false
	}
	t := provisioning.Traffic{Start: start, End: end.Truncate(time.Second).Add(time.Second), BytesIn: p.RX.Times(1), BytesOut: p.TX.Times(1)}
	if !p.Limit.OK || p.Limit.Value <= 0 {
		return t, true
	}
	gb := p.Limit
	for _, b := range p.Blocks {
		gb.Value += max(b.Traffic.Value, 0)
	}
	t.Limit = gb.Times(gigabyte)
	return t, true
}
