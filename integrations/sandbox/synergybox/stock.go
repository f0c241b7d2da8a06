package synergybox

import (
	"fmt"
	"slices"
)

// part is a component that can be sold by its billing id.
type part struct {
	id                  int64
	kind, billing, name string
}

// parts is the catalog of components.
func parts() []part {
	return []part{
		{1, "cpu", "CPU-E2388G", "Xeon E-2388G"},
		{2, "cpu", "CPU-7443P", "EPYC 7443P"},
		{3, "mem", "MEM-32", "32 GB DDR4"},
		{4, "mem", "MEM-128", "128 GB DDR4"},
		{5, "disk", "SSD-960", "960 GB SATA SSD"},
		{6, "disk", "NVME-1920", "1.92 TB NVMe"},
		{7, "add-on", "HW-RAID", "Hardware RAID controller"},
	}
}

// group is a location with its class of addresses.
type group struct {
	id            int64
	billing, name string
	net           int // third octet of its IPv4 network, and last group of its IPv6 one
}

var groupList = []*group{{1, "LOC-FRA", "Frankfurt", 10}, {2, "LOC-ASH", "Ashburn", 20}}

// speed is a port speed.
type speed struct {
	id            int64
	billing, name string
	bits          int64
}

var speedList = []speed{{1, "speed-1000", "1 Gbit/s", 1e9}, {2, "speed-10000", "10 Gbit/s", 1e10}}

// profile is an operating system, or a step before one.
type profile struct {
	id            int64
	billing, name string
	system        bool // it leaves a system with the given password
}

var profileList = []*profile{
	{1, "format-quick", "Quick format", false},
	{2, "os-debian12", "Debian 12", true},
	{3, "os-ubuntu2404", "Ubuntu 24.04", true},
	{4, "os-win2022", "Windows Server 2022", true},
}

func findProfile(billing string) *profile {
	if i := slices.IndexFunc(profileList, func(p *profile) bool { return p.billing == billing }); i >= 0 {
		return profileList[i]
	}
	return nil
}

// model is a kind of server: the billing ids of its parts.
type model struct {
	name     string
	cpu, mem string
	disks    []string
	addons   []string
}

func models() []*model {
	return []*model{
		{"E-2388G, 32 GB, 2 SSDs", "CPU-E2388G", "MEM-32", []string{"SSD-960", "SSD-960"}, nil},
		{"E-2388G, 32 GB, 2 SSDs, RAID", "CPU-E2388G", "MEM-32", []string{"SSD-960", "SSD-960"}, []string{"HW-RAID"}},
		{"EPYC 7443P, 128 GB, 2 NVMe", "CPU-7443P", "MEM-128", []string{"NVME-1920", "NVME-1920"}, nil},
	}
}

// entity is a block of addresses that is given as one.
type entity struct {
	id       int64
	billing  string
	group    *group
	net, low int // 203.0.<net>.<low> is its gateway
	usable   int
	server   int64
}

func (e *entity) address() string { return fmt.Sprintf("203.0.%d.%d", e.net, e.low+1) }

// full is the usable range, as the panel writes it.
func (e *entity) full() string {
	if e.usable == 1 {
		return e.address()
	}
	return fmt.Sprintf("%s - %d", e.address(), e.low+e.usable)
}

func (e *entity) object() map[string]any {
	return map[string]any{
		"id": e.id, "name": fmt.Sprintf("203.0.%d.%d/%d", e.net, e.low-1, map[int]int{1: 30, 5: 29}[e.usable]), "billing_id": e.billing, "address": e.address(), "full_ip": e.full(),
		"gateway": fmt.Sprintf("203.0.%d.%d", e.net, e.low), "subnet_mask": map[int]string{1: "255.255.255.252", 5: "255.255.255.248"}[e.usable],
		"v6_address": fmt.Sprintf("2001:db8:%d:%d::/64", e.group.net, e.id), "v6_gateway": fmt.Sprintf("2001:db8:%d:%d::1", e.group.net, e.id),
		"group": map[string]any{"id": e.group.id, "name": e.group.name, "billing_id": e.group.billing}, "server": orNone(e.server),
	}
}

func orNone(server int64) any {
	if server == 0 {
		return nil
	}
	return map[string]any{"id": server}
}

// stock fills the inventory: servers of each model in each group, and entities
// for them.
func (b *Box) stock() {
	for _, g := range groupList {
		for _, m := range models() {
			for range b.opts.Spare {
				s := &server{id: 300 + b.ids.Next("server"), model: m, group: g}
				b.servers[s.id] = s
			}
		}
		for i := range 3 * b.opts.Spare {
			b.entities = append(b.entities,
				&entity{id: b.ids.Next("entity"), billing: "IP-29", group: g, net: g.net + i/16, low: i%16*16 + 1, usable: 5},
				&entity{id: b.ids.Next("entity"), billing: "IP-30", group: g, net: g.net + i/16, low: i%16*16 + 9, usable: 1})
		}
	}
}
