package pterobox

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

type locationSpec struct {
	id          int64
	short, long string
}

func locations() []locationSpec {
	return []locationSpec{{1, "fra", "Frankfurt"}, {2, "ash", "Ashburn"}}
}

// nodeSpec is a seeded node; MB and percent.
type nodeSpec struct {
	id         int64
	name       string
	location   int64
	public     bool
	memory     int64
	disk       int64
	overMemory int64
	overDisk   int64
	alias      string
}

func nodes() []*nodeSpec {
	return []*nodeSpec{
		{1, "fra-1", 1, true, 65_536, 1_000_000, 0, 0, "fra-1.games.example"},
		{2, "ash-1", 2, true, 32_768, 500_000, 50, 0, ""},
		{3, "lab", 1, false, 262_144, 4_000_000, 0, 0, ""},
	}
}

// allocation is an address and port of a node.
type allocation struct {
	id     int64
	node   int64
	ip     string
	alias  string
	port   int64
	server int64
}

// endpoint is what players type.
func (a *allocation) endpoint() string {
	host := a.ip
	if a.alias != "" {
		host = a.alias
	}
	return fmt.Sprintf("%s:%d", host, a.port)
}

// allocations gives every node n ports on one address of its own.
func allocations(n int) []*allocation {
	var list []*allocation
	for _, node := range nodes() {
		for i := range n {
			list = append(list, &allocation{id: int64(len(list) + 1), node: node.id, ip: fmt.Sprintf("203.0.113.%d", 10+node.id), alias: node.alias, port: int64(25565 + i)})
		}
	}
	return list
}

type nestSpec struct {
	id   int64
	name string
}

func nests() []nestSpec { return []nestSpec{{1, "Minecraft"}, {2, "Source Engine"}} }

// variableSpec is a variable of an egg.
type variableSpec struct {
	env, name, value, rules string
	editable                bool
}

// eggSpec is a seeded egg; images are label and image by turns.
type eggSpec struct {
	id        int64
	nest      int64
	name      string
	images    []string
	startup   string
	variables []variableSpec
}

func eggs() []*eggSpec {
	const java = "java -Xms128M -Xmx{{SERVER_MEMORY}}M -jar {{SERVER_JARFILE}}"
	yolks := []string{"Java 21", "ghcr.io/pterodactyl/yolks:java_21", "Java 17", "ghcr.io/pterodactyl/yolks:java_17"}
	jar := variableSpec{"SERVER_JARFILE", "Server Jar File", "server.jar", `required|regex:/^([\w\d._-]+)(\.jar)$/`, true}
	return []*eggSpec{
		{1, 1, "Vanilla Minecraft", yolks, java, []variableSpec{jar, {"VANILLA_VERSION", "Server Version", "latest", "required|string|between:3,15", true}}},
		{3, 1, "Paper", yolks, java, []variableSpec{
			jar,
			{"MINECRAFT_VERSION", "Minecraft Version", "latest", "nullable|string|max:20", true},
			{"BUILD_NUMBER", "Build Number", "latest", "required|string|max:20", true},
			{"DL_PATH", "Download Path", "", "nullable|string", false},
		}},
		{5, 2, "Counter-Strike", []string{"Source", "ghcr.io/pterodactyl/games:source"}, "./srcds_run -game csgo +sv_setsteamaccount {{STEAM_ACC}}", []variableSpec{
			{"STEAM_ACC", "Steam Account Token", "", "required|string|alpha_num|size:32", true},
		}},
	}
}

// eggList is shared, so that eggs can be compared by pointer.
var eggList = eggs()

func findEgg(id int64) *eggSpec {
	if i := slices.IndexFunc(eggList, func(e *eggSpec) bool { return e.id == id }); i >= 0 {
		return eggList[i]
	}
	return nil
}

func findNode(id int64) *nodeSpec {
	list := nodes()
	if i := slices.IndexFunc(list, func(n *nodeSpec) bool { return n.id == id }); i >= 0 {
		return list[i]
	}
	return nil
}

var catalogMade = time.Date(2024, 3, 12, 22, 41, 31, 0, time.UTC)

func (b *Box) catalogEndpoints() []panelbox.Endpoint {
	return []panelbox.Endpoint{
		panelbox.Op("GET /application/locations", nil, paging, b.serveLocations),
		panelbox.Op("GET /application/nests", nil, paging, b.serveNests),
		panelbox.Op("GET /application/nests/{nest}/eggs", nil, including, b.serveEggs),
		panelbox.Op("GET /application/nests/{nest}/eggs/{egg}", nil, including, b.serveEgg),
		panelbox.Op("GET /application/nodes", nil, paging, b.serveNodes),
		panelbox.Op("GET /application/nodes/{id}", nil, including, b.serveNode),
	}
}

// item is the envelope of one object.
func item(kind string, attributes map[string]any) map[string]any {
	return map[string]any{"object": kind, "attributes": attributes}
}

// listOf is the envelope of a list that is not paged.
func listOf(items []any) map[string]any {
	return map[string]any{"object": "list", "data": append([]any{}, items...)}
}

func (b *Box) serveLocations(c panelbox.Call) (int, any, *panelbox.Failure) {
	var list []any
	for _, l := range locations() {
		list = append(list, item("location", map[string]any{"id": l.id, "short": l.short, "long": l.long, "created_at": stamp(catalogMade), "updated_at": stamp(catalogMade)}))
	}
	return http.StatusOK, b.paged(c, list), nil
}

func (b *Box) serveNests(c panelbox.Call) (int, any, *panelbox.Failure) {
	var list []any
	for _, n := range nests() {
		list = append(list, item("nest", map[string]any{
			"id": n.id, "uuid": uuid("nest", n.id), "author": "support@pterodactyl.io", "name": n.name, "description": nil,
			"created_at": stamp(catalogMade), "updated_at": stamp(catalogMade),
		}))
	}
	return http.StatusOK, b.paged(c, list), nil
}

func (e *eggSpec) object(variables bool) map[string]any {
	images := map[string]any{}
	for i := 0; i+1 < len(e.images); i += 2 {
		images[e.images[i]] = e.images[i+1]
	}
	out := map[string]any{
		"id": e.id, "uuid": uuid("egg", e.id), "name": e.name, "nest": e.nest, "author": "support@pterodactyl.io", "description": "", "docker_image": e.images[1],
		"docker_images": images, "config": map[string]any{"files": []any{}, "stop": "stop", "file_denylist": []any{}}, "startup": e.startup,
		"script":     map[string]any{"privileged": true, "install": "", "entry": "bash", "container": "alpine", "extends": nil},
		"created_at": stamp(catalogMade), "updated_at": stamp(catalogMade),
	}
	if !variables {
		return item("egg", out)
	}
	var list []any
	for i, v := range e.variables {
		list = append(list, item("egg_variable", map[string]any{
			"id": e.id*100 + int64(i), "egg_id": e.id, "name": v.name, "description": "", "env_variable": v.env, "default_value": v.value, "user_viewable": true,
			"user_editable": v.editable, "rules": v.rules, "created_at": stamp(catalogMade), "updated_at": stamp(catalogMade),
		}))
	}
	out["relationships"] = map[string]any{"variables": listOf(list)}
	return item("egg", out)
}

// with says whether a relation is asked for.
func includes(c panelbox.Call, name string) bool {
	return slices.Contains(strings.Split(c.Query.Get("include"), ","), name)
}

func (b *Box) serveEggs(c panelbox.Call) (int, any, *panelbox.Failure) {
	if !slices.ContainsFunc(nests(), func(n nestSpec) bool { return n.id == c.ID("nest") }) {
		return 0, nil, gone
	}
	var list []any
	for _, e := range eggList {
		if e.nest == c.ID("nest") {
			list = append(list, e.object(includes(c, "variables")))
		}
	}
	return http.StatusOK, listOf(list), nil
}

func (b *Box) serveEgg(c panelbox.Call) (int, any, *panelbox.Failure) {
	e := findEgg(c.ID("egg"))
	if e == nil || e.nest != c.ID("nest") {
		return 0, nil, gone
	}
	return http.StatusOK, e.object(includes(c, "variables")), nil
}

// used sums what a node's servers were given.
func (b *Box) used(node int64) (memory, disk int64) {
	for _, s := range b.servers {
		if s.node.id == node {
			memory, disk = memory+s.limits.Memory, disk+s.limits.Disk
		}
	}
	return memory, disk
}

func (b *Box) nodeObject(n *nodeSpec) map[string]any {
	memory, disk := b.used(n.id)
	return item("node", map[string]any{
		"id": n.id, "uuid": uuid("node", n.id), "public": n.public, "name": n.name, "description": "", "location_id": n.location, "fqdn": n.name + ".panel.example",
		"scheme": "https", "behind_proxy": false, "maintenance_mode": false, "memory": n.memory, "memory_overallocate": n.overMemory, "disk": n.disk,
		"disk_overallocate": n.overDisk, "upload_size": 100, "daemon_listen": 8080, "daemon_sftp": 2022, "daemon_base": "/var/lib/pterodactyl/volumes",
		"allocated_resources": map[string]any{"memory": memory, "disk": disk}, "created_at": stamp(catalogMade), "updated_at": stamp(catalogMade),
	})
}

func (b *Box) serveNodes(c panelbox.Call) (int, any, *panelbox.Failure) {
	var list []any
	for _, n := range nodes() {
		list = append(list, b.nodeObject(n))
	}
	return http.StatusOK, b.paged(c, list), nil
}

func (b *Box) serveNode(c panelbox.Call) (int, any, *panelbox.Failure) {
	n := findNode(c.ID("id"))
	if n == nil {
		return 0, nil, gone
	}
	return http.StatusOK, b.nodeObject(n), nil
}
