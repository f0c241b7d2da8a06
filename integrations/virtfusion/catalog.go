package virtfusion

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
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
	ID             panel.Number `json:"id"`
	Name           panel.Text   `json:"name"`
	Enabled        panel.Flag   `json:"enabled"`
	Memory         panel.Number `json:"memory"`
	PrimaryStorage panel.Number `json:"primaryStorage"`
	Traffic        panel.Number `json:"traffic"`
	CPUCores       panel.Number `json:"cpuCores"`
}

type templateObject struct {
	ID      panel.Number `json:"id"`
	Name    panel.Text   `json:"name"`
	Version panel.Text   `json:"version"`
	Variant panel.Text   `json:"variant"`
	Type    panel.Text   `json:"type"`
	EOL     panel.Flag   `json:"eol"`
}

func (t templateObject) windows() bool {
	return strings.Contains(strings.ToLower(string(t.Type)), "windows")
}

type templateGroup struct {
	Name      panel.Text                 `json:"name"`
	Templates panel.Many[templateObject] `json:"templates"`
}

// Packages lists the panel's packages (GET /packages).
func (c *Client) Packages(ctx context.Context) ([]Package, error) {
	var got answer[panel.Many[packageObject]]
	if err := c.do(ctx, panel.Call{Op: "list packages", Method: http.MethodGet, Path: "/packages"}, &got); err != nil {
		return nil, err
	}
	list := make([]Package, 0, len(got.Data))
	for _, p := range got.Data {
		list = append(list, Package{
			ID: p.ID.ID(), Name: string(p.Name), Enabled: bool(p.Enabled), MemoryMB: p.Memory.Times(1),
			DiskGB: p.PrimaryStorage.Times(1), TrafficGB: p.Traffic.Times(1), CPUCores: p.CPUCores.Times(1),
		})
	}
	return list, nil
}

func (c *Client) readPackage(ctx context.Context, id int64) (packageObject, error) {
	s := strconv.FormatInt(id, 10)
	var got answer[packageObject]
	err := c.do(ctx, panel.Call{Op: "read package " + s, Method: http.MethodGet, Path: "/packages/" + s}, &got)
	return got.Data, err
}

// Groups lists the hypervisor groups (GET /compute/hypervisors/groups).
func (c *Client) Groups(ctx context.Context) ([]Group, error) {
	type groupObject struct {
		ID      panel.Number `json:"id"`
		Name    panel.Text   `json:"name"`
		Enabled panel.Flag   `json:"enabled"`
	}
	got, err := readPages[groupObject](ctx, c, "list hypervisor groups", "/compute/hypervisors/groups")
	if err != nil {
		return nil, err
	}
	list := make([]Group, 0, len(got))
	for _, g := range got {
		list = append(list, Group{ID: g.ID.ID(), Name: string(g.Name), Enabled: bool(g.Enabled)})
	}
	return list, nil
}

// Capacity lists what is free in a group, one entry for each hypervisor that
// takes new servers (GET /compute/hypervisors/groups/{id}/resources).
func (c *Client) Capacity(ctx context.Context, groupID string) ([]Room, error) {
	type measure struct {
		Max  panel.Number `json:"max"`
		Free panel.Number `json:"free"`
	}
	type hypervisorRoom struct {
		Hypervisor struct {
			Name         panel.Text `json:"name"`
			Enabled      panel.Flag `json:"enabled"`
			Prohibit     panel.Flag `json:"prohibit"`
			Commissioned panel.Flag `json:"commissioned"`
		} `json:"hypervisor"`
		Resources struct {
			Servers      panel.Maybe[measure] `json:"servers"`
			Memory       panel.Maybe[measure] `json:"memory"`
			CPUCores     panel.Maybe[measure] `json:"cpuCores"`
			LocalStorage panel.Maybe[measure] `json:"localStorage"`
			Network      panel.Maybe[struct {
				Total panel.Maybe[struct {
					IPv4 panel.Maybe[measure] `json:"ipv4"`
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
			Hypervisor: string(h.Hypervisor.Name), Servers: -1, MemoryMB: max(h.Resources.Memory.V.Free.Times(1), 0),
			CPUCores: max(h.Resources.CPUCores.V.Free.Times(1), 0), DiskGB: max(h.Resources.LocalStorage.V.Free.Times(1), 0),
			IPv4: max(h.Resources.Network.V.Total.V.IPv4.V.Free.Times(1), 0),
		}
		if h.Resources.Servers.V.Max.Value > 0 { // 0 is no limit
			room.Servers = max(h.Resources.Servers.V.Free.Times(1), 0)
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
	return templatesOf(groups), nil
}

// templatesOf flattens the panel's groups.
func templatesOf(groups []templateGroup) []Template {
	list := []Template{}
	for _, g := range groups {
		for _, t := range g.Templates {
			name := strings.Join(strings.Fields(string(t.Name)+" "+string(t.Version)+" "+string(t.Variant)), " ")
			list = append(list, Template{ID: t.ID.ID(), Name: name, Family: string(g.Name), Windows: t.windows(), EOL: bool(t.EOL)})
		}
	}
	return list
}

func (c *Client) readTemplates(ctx context.Context, op, path string) ([]templateGroup, error) {
	var got answer[panel.Many[templateGroup]]
	err := c.do(ctx, panel.Call{Op: op, Method: http.MethodGet, Path: path}, &got)
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
	return Template{}, vendor.Refuse(provisioning.ErrPermanent, "check the plan",
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
	if slices.ContainsFunc(list, func(s server) bool { return s.ID.ID() == "" }) {
		return nil, vendor.Refuse(provisioning.ErrTemporary, op, "an entry has no id")
	}
	return list, err
}

// readPages reads a list to its end.
func readPages[T any](ctx context.Context, c *Client, op, path string) ([]T, error) {
	var all []T
	err := eachPage(ctx, c, op, path, func(part []T, _ panel.Number) error {
		all = append(all, part...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// eachPage reads a list to its end by page number and gives each page, with what it
// says of the number of entries in all. The addresses in the answer are not followed:
// they may name the panel's internal host.
func eachPage[T any](ctx context.Context, c *Client, op, path string, each func(part []T, total panel.Number) error) error {
	for n := 1; n <= maxPages; n++ {
		query := url.Values{"results": {"200"}}
		if n > 1 {
			query.Set("page", strconv.Itoa(n))
		}
		r := panel.Call{Op: op, Method: http.MethodGet, Path: path, Query: query}
		var got page
		if err := c.do(ctx, r, &got); err != nil {
			return err
		}
		part, ok := panel.WholeList[T](got.Data)
		if !ok {
			return vendor.Unreadable(r, http.StatusOK, "the answer is not a list")
		}
		if err := each(part, got.Total); err != nil {
			return err
		}
		if !got.LastPage.OK || got.LastPage.Value <= float64(n) {
			return nil
		}
		if got.CurrentPage.Value != float64(n) {
			return vendor.Unreadable(r, http.StatusOK, "the list repeats itself")
		}
	}
	return vendor.Refuse(provisioning.ErrPermanent, op, "the list is longer than %d pages", maxPages)
}
