package virtfusion

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
)

// maxPages bounds a paged list, 200 entries each.
const maxPages = 500

// Package is a server size the panel offers.
type Package struct {
	ID        string
	Name      string
	Enabled   bool
	MemoryMB  int64
	DiskGB    int64
	TrafficGB int64 // 0 is unmetered
	CPUCores  int64
}

// Group is a hypervisor group; new servers are placed in one.
type Group struct {
	ID      string
	Name    string
	Enabled bool
}

// Room is what is free on one hypervisor that takes new servers; a negative
// value is unlimited.
type Room struct {
	Hypervisor string
	Servers    int64
	MemoryMB   int64
	CPUCores   int64
	DiskGB     int64 // on the hypervisor's own storage
	IPv4       int64 // of the blocks it can use, shared with others
}

// Template is an operating system that can be installed.
type Template struct {
	ID      string
	Name    string // "Debian 12 (Bookworm) Minimal"
	Family  string // "Debian"
	Windows bool
	EOL     bool // its maker no longer supports it
}

type packageObject struct {
	ID             number `json:"id"`
	Name           text   `json:"name"`
	Enabled        flag   `json:"enabled"`
	Memory         number `json:"memory"`
	PrimaryStorage number `json:"primaryStorage"`
	Traffic        number `json:"traffic"`
	CPUCores       number `json:"cpuCores"`
}

type templateObject struct {
	ID      number `json:"id"`
	Name    text   `json:"name"`
	Version text   `json:"version"`
	Variant text   `json:"variant"`
	Type    text   `json:"type"`
	EOL     flag   `json:"eol"`
}

func (t templateObject) windows() bool {
	return strings.Contains(strings.ToLower(string(t.Type)), "windows")
}

type templateGroup struct {
	Name      text                 `json:"name"`
	Templates many[templateObject] `json:"templates"`
}

// Test proves the address, the token and its permissions by reading what a
// build reads: GET /connect alone succeeds with a token that may do nothing.
func (c *Client) Test(ctx context.Context) error {
	probes := []struct{ path, need string }{
		{"/connect", "a valid token"},
		{"/compute/hypervisors/groups?results=1", "the permission to read hypervisor groups"},
		{"/packages", "the permission to read packages"},
		{"/servers?results=1", "the permission to read servers"},
	}
	for _, p := range probes {
		path, rawQuery, _ := strings.Cut(p.path, "?")
		query, err := url.ParseQuery(rawQuery)
		if err != nil {
			return fmt.Errorf("virtfusion: probe %s: %w", path, err)
		}
		var got any
		if err := c.do(ctx, request{op: "test the connection (" + path + ")", method: http.MethodGet, path: path, query: query}, &got); err != nil {
			return fmt.Errorf("virtfusion: the connection needs %s: %w", p.need, err)
		}
	}
	return nil
}

// Packages lists the panel's packages (GET /packages).
func (c *Client) Packages(ctx context.Context) ([]Package, error) {
	var got answer[many[packageObject]]
	if err := c.do(ctx, request{op: "list packages", method: http.MethodGet, path: "/packages"}, &got); err != nil {
		return nil, err
	}
	list := make([]Package, 0, len(got.Data))
	for _, p := range got.Data {
		list = append(list, Package{
			ID: p.ID.id(), Name: string(p.Name), Enabled: bool(p.Enabled), MemoryMB: p.Memory.times(1),
			DiskGB: p.PrimaryStorage.times(1), TrafficGB: p.Traffic.times(1), CPUCores: p.CPUCores.times(1),
		})
	}
	return list, nil
}

func (c *Client) readPackage(ctx context.Context, id int64) (packageObject, error) {
	s := strconv.FormatInt(id, 10)
	var got answer[packageObject]
	err := c.do(ctx, request{op: "read package " + s, method: http.MethodGet, path: "/packages/" + s}, &got)
	return got.Data, err
}

// Groups lists the hypervisor groups (GET /compute/hypervisors/groups).
func (c *Client) Groups(ctx context.Context) ([]Group, error) {
	type groupObject struct {
		ID      number `json:"id"`
		Name    text   `json:"name"`
		Enabled flag   `json:"enabled"`
	}
	got, err := readPages[groupObject](ctx, c, "list hypervisor groups", "/compute/hypervisors/groups")
	if err != nil {
		return nil, err
	}
	list := make([]Group, 0, len(got))
	for _, g := range got {
		list = append(list, Group{ID: g.ID.id(), Name: string(g.Name), Enabled: bool(g.Enabled)})
	}
	return list, nil
}

// Capacity lists what is free in a group, one entry for each hypervisor that
// takes new servers (GET /compute/hypervisors/groups/{id}/resources).
func (c *Client) Capacity(ctx context.Context, groupID string) ([]Room, error) {
	type measure struct {
		Max  number `json:"max"`
		Free number `json:"free"`
	}
	type hypervisorRoom struct {
		Hypervisor struct {
			Name         text `json:"name"`
			Enabled      flag `json:"enabled"`
			Prohibit     flag `json:"prohibit"`
			Commissioned flag `json:"commissioned"`
		} `json:"hypervisor"`
		Resources struct {
			Servers      maybe[measure] `json:"servers"`
			Memory       maybe[measure] `json:"memory"`
			CPUCores     maybe[measure] `json:"cpuCores"`
			LocalStorage maybe[measure] `json:"localStorage"`
			Network      maybe[struct {
				Total maybe[struct {
					IPv4 maybe[measure] `json:"ipv4"`
				}] `json:"total"`
			}] `json:"network"`
		} `json:"resources"`
	}
	op := "read the capacity of group " + groupID
	id, err := serverID(op, groupID)
	if err != nil {
		return nil, err
	}
	got, err := readPages[hypervisorRoom](ctx, c, op, "/compute/hypervisors/groups/"+id+"/resources")
	if err != nil {
		return nil, err
	}
	var list []Room
	for _, h := range got {
		if !h.Hypervisor.Enabled || !h.Hypervisor.Commissioned || h.Hypervisor.Prohibit {
			continue
		}
		room := Room{
			Hypervisor: string(h.Hypervisor.Name), Servers: -1, MemoryMB: max(h.Resources.Memory.v.Free.times(1), 0),
			CPUCores: max(h.Resources.CPUCores.v.Free.times(1), 0), DiskGB: max(h.Resources.LocalStorage.v.Free.times(1), 0),
			IPv4: max(h.Resources.Network.v.Total.v.IPv4.v.Free.times(1), 0),
		}
		if h.Resources.Servers.v.Max.value > 0 { // 0 is no limit
			room.Servers = max(h.Resources.Servers.v.Free.times(1), 0)
		}
		list = append(list, room)
	}
	return list, nil
}

// Templates lists the operating systems of a package (GET
// /media/templates/fromServerPackageSpec/{packageId}).
func (c *Client) Templates(ctx context.Context, packageID string) ([]Template, error) {
	op := "list the templates of package " + packageID
	id, err := serverID(op, packageID)
	if err != nil {
		return nil, err
	}
	groups, err := c.readTemplates(ctx, op, "/media/templates/fromServerPackageSpec/"+id)
	if err != nil {
		return nil, err
	}
	var list []Template
	for _, g := range groups {
		for _, t := range g.Templates {
			name := strings.Join(strings.Fields(string(t.Name)+" "+string(t.Version)+" "+string(t.Variant)), " ")
			list = append(list, Template{ID: t.ID.id(), Name: name, Family: string(g.Name), Windows: t.windows(), EOL: bool(t.EOL)})
		}
	}
	return list, nil
}

func (c *Client) readTemplates(ctx context.Context, op, path string) ([]templateGroup, error) {
	var got answer[many[templateGroup]]
	err := c.do(ctx, request{op: op, method: http.MethodGet, path: path}, &got)
	return got.Data, err
}

// findTemplate refuses a template that the plan's package does not offer.
func (c *Client) findTemplate(ctx context.Context, p plan) (Template, error) {
	list, err := c.Templates(ctx, strconv.FormatInt(p.packageID, 10))
	if err != nil {
		return Template{}, err
	}
	for _, t := range list {
		if t.ID == strconv.FormatInt(p.templateID, 10) {
			return t, nil
		}
	}
	return Template{}, refuse(provisioning.ErrPermanent, "check the plan",
		"the setting %s is %d, which package %d does not offer", SettingTemplate, p.templateID, p.packageID)
}

// userServers lists all servers of a remote user (GET /servers/user/{userId}).
// The vendor's example is not paged; should a panel page it, all pages are read.
func (c *Client) userServers(ctx context.Context, userID string) ([]server, error) {
	op := "list the servers of panel user " + userID
	id, err := serverID(op, userID)
	if err != nil {
		return nil, err
	}
	list, err := readPages[server](ctx, c, op, "/servers/user/"+id)
	if slices.ContainsFunc(list, func(s server) bool { return s.ID.id() == "" }) {
		return nil, refuse(provisioning.ErrTemporary, op, "an entry has no id")
	}
	return list, err
}

// readPages reads a list to its end by page number. The addresses in the answer
// are not followed: they may name the panel's internal host.
func readPages[T any](ctx context.Context, c *Client, op, path string) ([]T, error) {
	var all []T
	for n := 1; n <= maxPages; n++ {
		query := url.Values{"results": {"200"}}
		if n > 1 {
			query.Set("page", strconv.Itoa(n))
		}
		r := request{op: op, method: http.MethodGet, path: path, query: query}
		var got page
		if err := c.do(ctx, r, &got); err != nil {
			return nil, err
		}
		part, ok := wholeList[T](got.Data)
		if !ok {
			return nil, undecodable(r, http.StatusOK, "the answer is not a list")
		}
		all = append(all, part...)
		if !got.LastPage.ok || got.LastPage.value <= float64(n) {
			return all, nil
		}
		if got.CurrentPage.value != float64(n) {
			return nil, undecodable(r, http.StatusOK, "the list repeats itself")
		}
	}
	return nil, refuse(provisioning.ErrPermanent, op, "the list is longer than %d pages", maxPages)
}
