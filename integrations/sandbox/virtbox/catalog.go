package virtbox

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

// packageSpec is a seeded server size.
type packageSpec struct {
	ID        int64
	Name      string
	Enabled   bool
	MemoryMB  int64
	DiskGB    int64
	TrafficGB int64
	Cores     int64
}

func packages() []packageSpec {
	return []packageSpec{
		{1, "VPS 1", true, 1024, 20, 1000, 1},
		{2, "VPS 2", true, 2048, 40, 2000, 2},
		{3, "VPS 4", true, 4096, 80, 4000, 2},
		{4, "VPS 8", true, 8192, 160, 0, 4},
		{5, "VPS 2016", false, 512, 10, 500, 1},
		{6, "Storage VPS 2", true, 2048, 80, 2000, 1},
	}
}

func findPackage(id int64) *packageSpec {
	list := packages()
	if i := slices.IndexFunc(list, func(p packageSpec) bool { return p.ID == id }); i >= 0 {
		return &list[i]
	}
	return nil
}

// groupSpec is a seeded hypervisor group with one hypervisor.
type groupSpec struct {
	ID         int64
	Name       string
	Enabled    bool
	Hypervisor int64
	MemoryMB   int64
	Cores      int64
	DiskGB     int64
}

func groups() []groupSpec {
	return []groupSpec{
		{1, "Frankfurt", true, 14, 1 << 20, 1024, 40_000},
		{2, "Ashburn", true, 15, 1 << 18, 256, 10_000},
		{3, "Retired", false, 16, 1 << 18, 256, 10_000},
	}
}

func findGroup(id int64) *groupSpec {
	list := groups()
	if i := slices.IndexFunc(list, func(g groupSpec) bool { return g.ID == id }); i >= 0 {
		return &list[i]
	}
	return nil
}

// templateSpec is a seeded operating system.
type templateSpec struct {
	id       int64
	family   string
	version  string
	variant  any // text or null
	kind     string
	memoryMB int64 // the least a package must have
}

func templates() []templateSpec {
	return []templateSpec{
		{8, "Debian", "12 (Bookworm)", "Minimal", "linux", 0},
		{9, "Ubuntu Server", "24.04 (Noble Numbat)", "Minimal", "linux", 0},
		{10, "AlmaLinux", "9", "Minimal", "linux", 0},
		{11, "Rocky Linux", "9", nil, "linux", 0},
		{20, "Windows Server", "2022", "Standard", "windows", 4096},
	}
}

func findTemplate(id int64) *templateSpec {
	list := templates()
	if i := slices.IndexFunc(list, func(t templateSpec) bool { return t.id == id }); i >= 0 {
		return &list[i]
	}
	return nil
}

// offers says whether a package can run a template.
func (p packageSpec) offers(t *templateSpec) bool { return t != nil && p.MemoryMB >= t.memoryMB }

var catalogMade = time.Date(2024, 3, 12, 22, 41, 31, 0, time.UTC)

func (b *Box) catalogEndpoints() []panelbox.Endpoint {
	return []panelbox.Endpoint{
		panelbox.Op("GET /connect", nil, nil, func(panelbox.Call) (int, any, *panelbox.Failure) { return http.StatusOK, []any{}, nil }),
		panelbox.Op("GET /packages", nil, nil, func(panelbox.Call) (int, any, *panelbox.Failure) { return http.StatusOK, data(packageObjects()), nil }),
		panelbox.Op("GET /packages/{id}", nil, nil, servePackage),
		panelbox.Op("GET /compute/hypervisors/groups", nil, paging, b.serveGroups),
		panelbox.Op("GET /compute/hypervisors/groups/{id}", nil, nil, serveGroup),
		panelbox.Op("GET /compute/hypervisors/groups/{id}/resources", nil, paging, b.serveResources),
		panelbox.Op("GET /media/templates/fromServerPackageSpec/{id}", nil, nil, servePackageTemplates),
	}
}

// data is the success envelope.
func data(v any) any { return map[string]any{"data": v} }

func packageObjects() []any {
	var list []any
	for _, p := range packages() {
		list = append(list, packageObject(p))
	}
	return list
}

func packageObject(p packageSpec) map[string]any {
	return map[string]any{
		"id": p.ID, "name": p.Name, "description": nil, "enabled": p.Enabled, "memory": p.MemoryMB, "primaryStorage": p.DiskGB,
		"traffic": p.TrafficGB, "cpuCores": p.Cores, "primaryNetworkSpeedIn": 0, "primaryNetworkSpeedOut": 0,
		"primaryDiskType": "inherit", "backupPlanId": 0, "primaryStorageReadBytesSec": nil, "primaryStorageWriteBytesSec": nil,
		"primaryStorageReadIopsSec": nil, "primaryStorageWriteIopsSec": nil, "primaryStorageProfile": 0, "primaryNetworkProfile": 0,
		"created": micro(catalogMade),
	}
}

func servePackage(c panelbox.Call) (int, any, *panelbox.Failure) {
	p := findPackage(c.ID("id"))
	if p == nil {
		return 0, nil, told(http.StatusNotFound, "package not found")
	}
	return http.StatusOK, data(packageObject(*p)), nil
}

func groupObject(g groupSpec) map[string]any {
	return map[string]any{
		"id": g.ID, "name": g.Name, "label": nil, "description": nil, "distributionType": 5, "enabled": g.Enabled, "default": g.ID == 1,
		"created": seconds(catalogMade), "updated": seconds(catalogMade),
	}
}

func (b *Box) serveGroups(c panelbox.Call) (int, any, *panelbox.Failure) {
	var list []any
	for _, g := range groups() {
		list = append(list, groupObject(g))
	}
	return http.StatusOK, b.paged(c, list), nil
}

func serveGroup(c panelbox.Call) (int, any, *panelbox.Failure) {
	g := findGroup(c.ID("id"))
	if g == nil {
		return 0, nil, told(http.StatusNotFound, "hypervisor group not found")
	}
	return http.StatusOK, data(groupObject(*g)), nil
}

func (b *Box) serveResources(c panelbox.Call) (int, any, *panelbox.Failure) {
	g := findGroup(c.ID("id"))
	if g == nil {
		return 0, nil, told(http.StatusNotFound, "hypervisor group not found")
	}
	return http.StatusOK, b.paged(c, []any{map[string]any{
		"hypervisor": map[string]any{
			"id": g.Hypervisor, "name": fmt.Sprintf("HV %d", g.Hypervisor), "enabled": g.Enabled, "prohibit": false, "accept": false, "commissioned": true,
		},
		"resources": b.resources(g),
	}}), nil
}

// used sums what a group's servers take.
func (b *Box) used(g *groupSpec) (servers, memory, cores, disk int64) {
	for _, s := range b.servers {
		if s.group.ID == g.ID {
			servers, memory, cores, disk = servers+1, memory+s.pkg.MemoryMB, cores+s.pkg.Cores, disk+s.pkg.DiskGB
		}
	}
	return servers, memory, cores, disk
}

func (b *Box) resources(g *groupSpec) map[string]any {
	servers, memory, cores, disk := b.used(g)
	measure := func(units string, most, used int64) map[string]any {
		m := map[string]any{"units": units, "max": most, "allocated": used, "free": most - used, "percent": nil}
		if most > 0 {
			m["percent"] = float64(used*1000/most) / 10
		}
		return m
	}
	local := measure("GB", g.DiskGB, disk)
	local["enabled"], local["name"], local["storageType"] = 1, "Local (Default mountpoint)", 0
	most := int64(0) // no limit
	if b.room >= 0 {
		most = servers + int64(b.room)
	}
	return map[string]any{
		"servers": measure("#", most, servers), "memory": measure("MB", g.MemoryMB, memory), "cpuCores": measure("#", g.Cores, cores),
		"localStorage": local, "otherStorage": []any{},
		"network": map[string]any{"total": map[string]any{"ipv4": map[string]any{"free": b.freeIPv4()}}},
	}
}

func servePackageTemplates(c panelbox.Call) (int, any, *panelbox.Failure) {
	p := findPackage(c.ID("id"))
	if p == nil {
		return 0, nil, told(http.StatusNotFound, "package not found")
	}
	return http.StatusOK, data(templateGroups(*p)), nil
}

// templateGroups lists what a package can run, one group a family.
func templateGroups(p packageSpec) []any {
	list := []any{}
	for _, t := range templates() {
		if !p.offers(&t) {
			continue
		}
		list = append(list, map[string]any{
			"name": t.family, "description": t.family + " is an operating system.", "icon": "os_logo.png", "id": t.id,
			"templates": []any{map[string]any{
				"id": t.id, "name": t.family, "version": t.version, "variant": t.variant, "arch": 1, "description": "Base installation.",
				"icon": "os_logo.png", "eol": false, "eol_date": "2034-03-12 00:00:00", "eol_warning": false, "deploy_type": 1, "vnc": false, "type": t.kind,
			}},
		})
	}
	return list
}

// seconds and micro are the panel's two forms of time with a zone.
func seconds(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05+00:00") }
func micro(t time.Time) string   { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
