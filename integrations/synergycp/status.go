package synergycp

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// Status reads what the panel says of a server. It knows whether the client has
// access and whether something is being installed; it does not say whether the
// server runs, nor what it uses. OwnerRef is the panel's client id, Tag the
// server's billing id.
func (c *Client) Status(ctx context.Context, remoteID string) (provisioning.Status, error) {
	op := "read server " + remoteID
	s, err := c.readServer(ctx, op, remoteID)
	if err != nil {
		return provisioning.Status{}, err
	}
	list, err := c.addresses(ctx, op, s)
	if err != nil {
		return provisioning.Status{}, err
	}
	installs, err := c.readInstalls(ctx, op, s)
	if err != nil {
		return provisioning.Status{}, err
	}
	return provisioning.Status{
		Power: provisioning.PowerUnknown, Suspended: s.suspended(), Busy: len(installs) > 0, Hostname: panel.Clean(string(s.Nickname)), Addresses: list,
		OwnerRef: s.owner(), Tag: s.Billing.V.ID.ID(), CPUPercent: -1, MemoryUsed: -1, MemoryTotal: -1, DiskUsed: -1, DiskTotal: -1,
	}, nil
}

// maxRange bounds how many addresses of one block are listed one by one.
const maxRange = 256

// addresses lists the addresses of a server's entities (GET /entity?server=), the
// first usable IPv4 address first.
func (c *Client) addresses(ctx context.Context, op string, s server) ([]provisioning.Address, error) {
	entities, err := readPages[entity](ctx, c, panel.Call{Op: op, Path: "/entity", Query: url.Values{"server": {s.ID.ID()}, "include_pool_ips": {"true"}}})
	if err != nil {
		return nil, err
	}
	var v4, v6 []provisioning.Address
	for _, e := range entities {
		for _, ip := range e.v4() {
			v4 = append(v4, provisioning.Address{IP: ip.String()})
		}
		if ip, ok := parseV6(string(e.V6)); ok {
			v6 = append(v6, provisioning.Address{IP: ip})
		}
	}
	all := append(v4, v6...)
	if len(all) > 0 {
		all[0].Primary = true
	}
	return all, nil
}

// v4 reads a block, which the panel writes as "203.0.113.4 - 10": the last number
// of its last address.
func (e entity) v4() []netip.Addr {
	from, to, isRange := strings.Cut(string(e.FullIP), "-")
	first, err := netip.ParseAddr(strings.TrimSpace(from))
	if err != nil || !first.Is4() {
		if first, err = netip.ParseAddr(strings.TrimSpace(string(e.Address))); err != nil || !first.Is4() {
			return nil
		}
		return []netip.Addr{first}
	}
	last := first
	if raw := first.As4(); isRange {
		n, err := strconv.ParseUint(strings.TrimSpace(to), 10, 8)
		if err != nil {
			return []netip.Addr{first}
		}
		raw[3] = byte(n)
		last = netip.AddrFrom4(raw)
	}
	var list []netip.Addr
	for ip := first; ip.Compare(last) <= 0 && len(list) < maxRange; ip = ip.Next() {
		list = append(list, ip)
	}
	return list
}

// parseV6 reads an IPv6 address that may carry the length of its network, which
// stands for the whole of it.
func parseV6(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if net, err := netip.ParsePrefix(s); err == nil && net.Addr().Is6() {
		return net.Masked().String(), true
	}
	if ip, err := netip.ParseAddr(s); err == nil && ip.Is6() && ip.Zone() == "" {
		return ip.String(), true
	}
	return "", false
}

// Traffic reads the counter of the present cycle, which begins monthly on the
// day of the order: each port's sums by direction (GET
// /server/{id}/port/{id}/bandwidth), and limit and cycle of its usage record. The
// panel counts bits.
func (c *Client) Traffic(ctx context.Context, remoteID string) (provisioning.Traffic, error) {
	op := "read the traffic of server " + remoteID
	s, err := c.readServer(ctx, op, remoteID)
	if err != nil {
		return provisioning.Traffic{}, err
	}
	path := "/server/" + s.ID.ID() + "/port"
	ports, err := readPages[struct {
		ID panel.Number `json:"id"`
	}](ctx, c, panel.Call{Op: op, Path: path})
	if err != nil {
		return provisioning.Traffic{}, err
	}
	t := provisioning.Traffic{}
	for _, p := range ports {
		if p.ID.ID() == "" {
			continue
		}
		if err := c.countPort(ctx, op, path+"/"+p.ID.ID()+"/bandwidth", &t); err != nil {
			return provisioning.Traffic{}, err
		}
	}
	if t.Start.IsZero() {
		return provisioning.Traffic{}, vendor.Refuse(provisioning.ErrTemporary, op, "the panel has not counted any yet")
	}
	return t, nil
}

// countPort adds what one port counted.
func (c *Client) countPort(ctx context.Context, op, path string, t *provisioning.Traffic) error {
	records, err := readPages[struct {
		Max   panel.Number `json:"max"`
		Cycle panel.Maybe[struct {
			At panel.Text `json:"iso_8601"`
		}] `json:"cycle_started_at"`
	}](ctx, c, panel.Call{Op: op, Path: path + "/usage"})
	if err != nil || len(records) == 0 {
		return err
	}
	start, err := time.Parse(time.RFC3339, string(records[0].Cycle.V.At))
	if err != nil {
		return nil //nolint:nilerr // a port without a cycle is not counted
	}
	if t.Start.IsZero() || start.Before(t.Start) {
		t.Start, t.End = start.UTC(), start.UTC().AddDate(0, 1, 0)
	}
	t.Limit += max(records[0].Max.Times(1), 0) / 8
	call := panel.Call{Op: op, Method: http.MethodGet, Path: path, Query: url.Values{"start": {start.UTC().Format(time.DateTime)}, "end": {c.now().UTC().Format(time.DateTime)}}}
	var got struct {
		Stats panel.Many[struct {
			Sum panel.Number `json:"sum"`
		}] `json:"stats"`
	}
	if err := c.do(ctx, call, &got); err != nil {
		return err
	}
	for i, stat := range got.Stats {
		bytes := max(stat.Sum.Times(1), 0) / 8
		if i%2 == 0 {
			t.BytesIn += bytes
		} else {
			t.BytesOut += bytes
		}
	}
	return nil
}
