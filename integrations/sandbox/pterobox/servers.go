package pterobox

import (
	"maps"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

func (b *Box) serverEndpoints() []panelbox.Endpoint {
	limits := panelbox.Schema{
		"limits.memory": panelbox.Whole | panelbox.Required, "limits.swap": panelbox.Whole | panelbox.Required, "limits.disk": panelbox.Whole | panelbox.Required, "limits.io": panelbox.Whole | panelbox.Required,
		"limits.cpu": panelbox.Whole | panelbox.Required, "limits.threads": panelbox.Str | panelbox.Nullable,
		"feature_limits.databases": panelbox.Whole | panelbox.Present | panelbox.Nullable, "feature_limits.backups": panelbox.Whole | panelbox.Present | panelbox.Nullable, "feature_limits.allocations": panelbox.Whole | panelbox.Nullable,
	}
	create := panelbox.Schema{
		"external_id": panelbox.Str | panelbox.Nullable, "name": panelbox.Str | panelbox.Required, "description": panelbox.Str | panelbox.Nullable, "user": panelbox.Whole | panelbox.Required, "egg": panelbox.Whole | panelbox.Required,
		"docker_image": panelbox.Str | panelbox.Required, "startup": panelbox.Str | panelbox.Required, "environment": panelbox.Object | panelbox.Present, "skip_scripts": panelbox.YesNo, "oom_disabled": panelbox.YesNo,
		"allocation.default": panelbox.Whole, "allocation.additional": panelbox.Wholes, "deploy.locations": panelbox.Wholes, "deploy.dedicated_ip": panelbox.YesNo, "deploy.port_range": panelbox.Strs,
		"start_on_completion": panelbox.YesNo,
	}
	build := panelbox.Schema{"allocation": panelbox.Whole | panelbox.Required, "oom_disabled": panelbox.YesNo, "add_allocations": panelbox.Wholes, "remove_allocations": panelbox.Wholes}
	maps.Copy(create, limits)
	maps.Copy(build, limits)
	startup := panelbox.Schema{"startup": panelbox.Str | panelbox.Required, "egg": panelbox.Whole | panelbox.Required, "image": panelbox.Str | panelbox.Required, "environment": panelbox.Object | panelbox.Present, "skip_scripts": panelbox.YesNo | panelbox.Present}
	search := panelbox.Schema{"filter[external_id]": panelbox.Str, "filter[name]": panelbox.Str, "filter[uuid]": panelbox.Str, "sort": panelbox.Str}
	maps.Copy(search, paging)
	return []panelbox.Endpoint{
		panelbox.Op("GET /application/servers", nil, search, b.listServers),
		panelbox.Op("POST /application/servers", create, nil, b.createServer),
		panelbox.Op("GET /application/servers/{id}", nil, including, b.readServer),
		panelbox.Op("GET /application/servers/external/{ref}", nil, including, b.readExternalServer),
		panelbox.Op("POST /application/servers/{id}/suspend", nil, nil, b.suspendServer(true)),
		panelbox.Op("POST /application/servers/{id}/unsuspend", nil, nil, b.suspendServer(false)),
		panelbox.Op("POST /application/servers/{id}/reinstall", nil, nil, b.reinstall),
		panelbox.Op("PATCH /application/servers/{id}/build", build, nil, b.changeBuild),
		panelbox.Op("PATCH /application/servers/{id}/startup", startup, nil, b.changeStartup),
		panelbox.Op("DELETE /application/servers/{id}", nil, nil, b.deleteServer),
		panelbox.Op("DELETE /application/servers/{id}/force", nil, nil, b.deleteServer),
	}
}

func limitsOf(f panelbox.Fields) Limits {
	return Limits{f.Whole("limits.memory"), f.Whole("limits.swap"), f.Whole("limits.disk"), f.Whole("limits.io"), f.Whole("limits.cpu"), f.Text("limits.threads")}
}

var threads = regexp.MustCompile(`^[0-9-,]*$`)

// checkLimits refuses figures outside the panel's bounds.
func checkLimits(l Limits, f Features) *panelbox.Failure {
	for name, bad := range map[string]bool{
		"limits.memory": l.Memory < 0, "limits.swap": l.Swap < -1, "limits.disk": l.Disk < 0, "limits.io": l.IO < 10 || l.IO > 1000, "limits.cpu": l.CPU < 0,
		"limits.threads": !threads.MatchString(l.Threads), "feature_limits.databases": f.Databases < -1, "feature_limits.backups": f.Backups < 0, "feature_limits.allocations": f.Allocations < -1,
	} {
		if bad {
			return invalid(name, "min", "The "+name+" is out of its bounds.")
		}
	}
	return nil
}

// createServer stores the row and hands it to the daemon; a daemon that does not
// answer takes the row away again.
func (b *Box) createServer(c panelbox.Call) (int, any, *panelbox.Failure) {
	f := c.Body
	u, e := b.users[f.Whole("user")], findEgg(f.Whole("egg"))
	switch {
	case u == nil:
		return 0, nil, invalid("user", "exists", "The selected user is invalid.")
	case e == nil:
		return 0, nil, invalid("egg", "exists", "The selected egg is invalid.")
	case f.Text("external_id") != "" && b.byExternal(f.Text("external_id")) != nil:
		return 0, nil, invalid("external_id", "unique", "The external id has already been taken.")
	}
	limits := limitsOf(f)
	features := Features{f.Count("feature_limits.databases", 0), f.Count("feature_limits.allocations", -1), f.Count("feature_limits.backups", 0)}
	if fail := checkLimits(limits, features); fail != nil {
		return 0, nil, fail
	}
	if fail := checkImage("docker_image", f.Text("docker_image")); fail != nil {
		return 0, nil, fail
	}
	variables, fail := checkVariables(e, f["environment"])
	if fail != nil {
		return 0, nil, fail
	}
	at, fail := b.place(f, limits)
	if fail != nil {
		return 0, nil, fail
	}
	if b.daemonDown {
		return 0, nil, daemon
	}
	if b.room > 0 {
		b.room--
	}
	now := b.opts.Now()
	s := &server{
		id: b.ids.Next("server"), externalID: f.Text("external_id"), name: f.Text("name"), description: f.Text("description"), owner: u, node: findNode(at.node),
		egg: e, primary: at, image: f.Text("docker_image"), startup: f.Text("startup"), variables: variables, limits: limits, features: features, created: now, updated: now,
	}
	s.uuid, at.server = uuid("server", s.id), s.id
	b.servers[s.id] = s
	b.created++
	b.install(s, f.Is("start_on_completion"))
	return http.StatusCreated, b.object(s, panelbox.Call{}), nil
}

var image = regexp.MustCompile(`^~?[\w./\-:@ ]*$`)

func checkImage(field, s string) *panelbox.Failure {
	if !image.MatchString(s) || len(s) > 191 {
		return invalid(field, "regex", "The "+field+" format is invalid.")
	}
	return nil
}

// checkVariables applies the rules of an egg's variables, as far as they are
// "required" and sizes; what the egg does not know is left out, as by the panel.
func checkVariables(e *eggSpec, given any) (map[string]string, *panelbox.Failure) {
	env, _ := given.(map[string]any)
	out := map[string]string{}
	for _, v := range e.variables {
		value := ""
		switch x := env[v.env].(type) {
		case string:
			value = strings.TrimSpace(x)
		case float64:
			value = strconv.FormatFloat(x, 'f', -1, 64)
		case bool:
			value = strconv.FormatBool(x)
		}
		field := "environment." + v.env
		for rule := range strings.SplitSeq(v.rules, "|") {
			switch name, arg, _ := strings.Cut(rule, ":"); {
			case name == "required" && value == "":
				return nil, invalid(field, "required", "The "+v.name+" variable field is required.")
			case name == "size" && value != "" && strconv.Itoa(len(value)) != arg:
				return nil, invalid(field, "size", "The "+v.name+" variable must be "+arg+" characters.")
			case name == "max" && len(arg) < 3 && len(value) > 20:
				return nil, invalid(field, "max", "The "+v.name+" variable may not be greater than "+arg+" characters.")
			}
		}
		out[v.env] = value
	}
	return out, nil
}

// place finds an allocation: the one named, or by itself.
func (b *Box) place(f panelbox.Fields, l Limits) (*allocation, *panelbox.Failure) {
	if f.Has("allocation.default") {
		i := slices.IndexFunc(b.allocations, func(a *allocation) bool { return a.id == f.Whole("allocation.default") && a.server == 0 })
		if i < 0 {
			return nil, invalid("allocation.default", "exists", "The selected allocation.default is invalid.")
		}
		return b.allocations[i], nil
	}
	for _, name := range []string{"deploy.locations", "deploy.dedicated_ip", "deploy.port_range"} {
		if !f.Has(name) {
			return nil, invalid(name, "present", "The "+name+" field must be present.")
		}
	}
	var viable []int64
	for _, n := range nodes() {
		memory, disk := b.used(n.id)
		inPlace := len(f.List("deploy.locations")) == 0 || slices.Contains(f.List("deploy.locations"), any(float64(n.location)))
		if b.room != 0 && n.public && inPlace && memory+l.Memory <= n.memory*(100+n.overMemory)/100 && disk+l.Disk <= n.disk*(100+n.overDisk)/100 {
			viable = append(viable, n.id)
		}
	}
	if len(viable) == 0 {
		return nil, refused("NoViableNodeException", "No nodes satisfying the requirements specified for automatic deployment could be found.")
	}
	return b.freeAllocation(f, viable)
}

func (b *Box) freeAllocation(f panelbox.Fields, viable []int64) (*allocation, *panelbox.Failure) {
	usedIP := map[string]bool{}
	for _, a := range b.allocations {
		usedIP[a.ip] = usedIP[a.ip] || a.server != 0
	}
	free := slices.DeleteFunc(slices.Clone(b.allocations), func(a *allocation) bool {
		return a.server != 0 || !slices.Contains(viable, a.node) || f.Is("deploy.dedicated_ip") && usedIP[a.ip] || !inRange(a.port, f.List("deploy.port_range"))
	})
	if len(free) == 0 {
		return nil, refused("NoViableAllocationException", "No allocations satisfying the requirements for automatic deployment were found.")
	}
	return free[rand.IntN(len(free))], nil //nolint:gosec // the panel chooses at random, and nothing secret hangs on it
}

// inRange reads ranges such as "25565" and "25570-25580"; none is any port.
func inRange(port int64, ranges []any) bool {
	for _, r := range ranges {
		text, _ := r.(string)
		from, to, isRange := strings.Cut(text, "-")
		if !isRange {
			to = from
		}
		low, errLow := strconv.ParseInt(from, 10, 64)
		high, errHigh := strconv.ParseInt(to, 10, 64)
		if errLow == nil && errHigh == nil && low <= port && port <= high {
			return true
		}
	}
	return len(ranges) == 0
}

func (b *Box) byExternal(ref string) *server {
	for _, s := range b.servers {
		if s.externalID != "" && s.externalID == ref {
			return s
		}
	}
	return nil
}

func (b *Box) listServers(c panelbox.Call) (int, any, *panelbox.Failure) {
	var list []any
	for _, s := range b.sorted() {
		if strings.Contains(s.externalID, c.Query.Get("filter[external_id]")) && strings.Contains(s.name, c.Query.Get("filter[name]")) && strings.Contains(s.uuid, c.Query.Get("filter[uuid]")) {
			list = append(list, b.object(s, c))
		}
	}
	return http.StatusOK, b.paged(c, list), nil
}

func (b *Box) readServer(c panelbox.Call) (int, any, *panelbox.Failure) {
	s := b.servers[c.ID("id")]
	if s == nil {
		return 0, nil, gone
	}
	return http.StatusOK, b.object(s, c), nil
}

func (b *Box) readExternalServer(c panelbox.Call) (int, any, *panelbox.Failure) {
	s := b.byExternal(c.R.PathValue("ref"))
	if s == nil {
		return 0, nil, gone
	}
	return http.StatusOK, b.object(s, c), nil
}

// suspendServer serves suspend and unsuspend. Unsuspending starts nothing.
func (b *Box) suspendServer(on bool) panelbox.Handler {
	return func(c panelbox.Call) (int, any, *panelbox.Failure) {
		s := b.servers[c.ID("id")]
		switch {
		case s == nil:
			return 0, nil, gone
		case (s.status == statusSuspended) == on:
			return http.StatusNoContent, nil, nil
		case b.daemonDown:
			if on {
				s.status = "" // rolled back, whatever it was
			}
			return 0, nil, daemon
		}
		s.setSuspended(on)
		s.updated = b.opts.Now()
		return http.StatusNoContent, nil, nil
	}
}

func (b *Box) reinstall(c panelbox.Call) (int, any, *panelbox.Failure) {
	s := b.servers[c.ID("id")]
	switch {
	case s == nil:
		return 0, nil, gone
	case b.daemonDown:
		return 0, nil, daemon
	}
	b.install(s, s.boots)
	return http.StatusNoContent, nil, nil
}

func (b *Box) deleteServer(c panelbox.Call) (int, any, *panelbox.Failure) {
	s := b.servers[c.ID("id")]
	switch {
	case s == nil:
		return 0, nil, gone
	case b.daemonDown && !strings.HasSuffix(c.R.URL.Path, "/force"):
		return 0, nil, daemon
	}
	b.remove(s)
	return http.StatusNoContent, nil, nil
}

// changeBuild replaces limits and feature limits whole, also while the daemon is
// down: the panel only logs that.
func (b *Box) changeBuild(c panelbox.Call) (int, any, *panelbox.Failure) {
	s, f := b.servers[c.ID("id")], c.Body
	if s == nil {
		return 0, nil, gone
	}
	limits := limitsOf(f)
	features := Features{f.Count("feature_limits.databases", -1), f.Count("feature_limits.allocations", -1), f.Count("feature_limits.backups", 0)}
	if fail := checkLimits(limits, features); fail != nil {
		return 0, nil, fail
	}
	i := slices.IndexFunc(b.allocations, func(a *allocation) bool { return a.id == f.Whole("allocation") && a.server == s.id })
	if i < 0 {
		return 0, nil, refused("DisplayException", "The requested default allocation is not currently assigned to this server.")
	}
	s.primary, s.limits, s.features, s.updated = b.allocations[i], limits, features, b.opts.Now()
	return http.StatusOK, b.object(s, panelbox.Call{}), nil
}

// changeStartup sets the start and the variables; an empty environment leaves
// the latter alone.
func (b *Box) changeStartup(c panelbox.Call) (int, any, *panelbox.Failure) {
	s, f := b.servers[c.ID("id")], c.Body
	if s == nil {
		return 0, nil, gone
	}
	e := findEgg(f.Whole("egg"))
	if e == nil {
		return 0, nil, invalid("egg", "exists", "The selected egg is invalid.")
	}
	if fail := checkImage("image", f.Text("image")); fail != nil {
		return 0, nil, fail
	}
	if env, _ := f["environment"].(map[string]any); len(env) > 0 {
		variables, fail := checkVariables(e, f["environment"])
		if fail != nil {
			return 0, nil, fail
		}
		s.variables = variables
	}
	s.egg, s.image, s.startup, s.updated = e, f.Text("image"), f.Text("startup"), b.opts.Now()
	return http.StatusOK, b.object(s, panelbox.Call{}), nil
}
