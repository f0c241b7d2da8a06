package pterobox

import (
	"maps"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func (b *Box) serverEndpoints() []endpoint {
	limits := schema{
		"limits.memory": whole | required, "limits.swap": whole | required, "limits.disk": whole | required, "limits.io": whole | required,
		"limits.cpu": whole | required, "limits.threads": str | nullable,
		"feature_limits.databases": whole | present | nullable, "feature_limits.backups": whole | present | nullable, "feature_limits.allocations": whole | nullable,
	}
	create := schema{
		"external_id": str | nullable, "name": str | required, "description": str | nullable, "user": whole | required, "egg": whole | required,
		"docker_image": str | required, "startup": str | required, "environment": object | present, "skip_scripts": yesNo, "oom_disabled": yesNo,
		"allocation.default": whole, "allocation.additional": wholes, "deploy.locations": wholes, "deploy.dedicated_ip": yesNo, "deploy.port_range": strs,
		"start_on_completion": yesNo,
	}
	build := schema{"allocation": whole | required, "oom_disabled": yesNo, "add_allocations": wholes, "remove_allocations": wholes}
	maps.Copy(create, limits)
	maps.Copy(build, limits)
	startup := schema{"startup": str | required, "egg": whole | required, "image": str | required, "environment": object | present, "skip_scripts": yesNo | present}
	search := schema{"filter[external_id]": str, "filter[name]": str, "filter[uuid]": str}
	maps.Copy(search, paging)
	return []endpoint{
		{"GET /application/servers", nil, search, b.listServers},
		{"POST /application/servers", create, nil, b.createServer},
		{"GET /application/servers/{id}", nil, including, b.readServer},
		{"GET /application/servers/external/{ref}", nil, including, b.readExternalServer},
		{"POST /application/servers/{id}/suspend", nil, nil, b.suspendServer(true)},
		{"POST /application/servers/{id}/unsuspend", nil, nil, b.suspendServer(false)},
		{"POST /application/servers/{id}/reinstall", nil, nil, b.reinstall},
		{"PATCH /application/servers/{id}/build", build, nil, b.changeBuild},
		{"PATCH /application/servers/{id}/startup", startup, nil, b.changeStartup},
		{"DELETE /application/servers/{id}", nil, nil, b.deleteServer},
		{"DELETE /application/servers/{id}/force", nil, nil, b.deleteServer},
	}
}

func limitsOf(f fields) Limits {
	return Limits{f.whole("limits.memory"), f.whole("limits.swap"), f.whole("limits.disk"), f.whole("limits.io"), f.whole("limits.cpu"), f.text("limits.threads")}
}

var threads = regexp.MustCompile(`^[0-9-,]*$`)

// checkLimits refuses figures outside the panel's bounds.
func checkLimits(l Limits, f Features) *failure {
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
func (b *Box) createServer(c call) (int, any, *failure) {
	f := c.body
	u, e := b.users[f.whole("user")], findEgg(f.whole("egg"))
	switch {
	case u == nil:
		return 0, nil, invalid("user", "exists", "The selected user is invalid.")
	case e == nil:
		return 0, nil, invalid("egg", "exists", "The selected egg is invalid.")
	case f.text("external_id") != "" && b.byExternal(f.text("external_id")) != nil:
		return 0, nil, invalid("external_id", "unique", "The external id has already been taken.")
	}
	limits := limitsOf(f)
	features := Features{f.count("feature_limits.databases", 0), f.count("feature_limits.allocations", -1), f.count("feature_limits.backups", 0)}
	if fail := checkLimits(limits, features); fail != nil {
		return 0, nil, fail
	}
	if fail := checkImage("docker_image", f.text("docker_image")); fail != nil {
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
		id: b.nextID("server"), externalID: f.text("external_id"), name: f.text("name"), description: f.text("description"), owner: u, node: findNode(at.node),
		egg: e, primary: at, image: f.text("docker_image"), startup: f.text("startup"), variables: variables, limits: limits, features: features, created: now, updated: now,
	}
	s.uuid, at.server = uuid("server", s.id), s.id
	b.servers[s.id] = s
	b.created++
	b.install(s, f.is("start_on_completion"))
	return http.StatusCreated, b.object(s, call{}), nil
}

var image = regexp.MustCompile(`^~?[\w./\-:@ ]*$`)

func checkImage(field, s string) *failure {
	if !image.MatchString(s) || len(s) > 191 {
		return invalid(field, "regex", "The "+field+" format is invalid.")
	}
	return nil
}

// checkVariables applies the rules of an egg's variables, as far as they are
// "required" and sizes; what the egg does not know is left out, as by the panel.
func checkVariables(e *eggSpec, given any) (map[string]string, *failure) {
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
func (b *Box) place(f fields, l Limits) (*allocation, *failure) {
	if f.has("allocation.default") {
		i := slices.IndexFunc(b.allocations, func(a *allocation) bool { return a.id == f.whole("allocation.default") && a.server == 0 })
		if i < 0 {
			return nil, invalid("allocation.default", "exists", "The selected allocation.default is invalid.")
		}
		return b.allocations[i], nil
	}
	for _, name := range []string{"deploy.locations", "deploy.dedicated_ip", "deploy.port_range"} {
		if !f.has(name) {
			return nil, invalid(name, "present", "The "+name+" field must be present.")
		}
	}
	var viable []int64
	for _, n := range nodes() {
		memory, disk := b.used(n.id)
		inPlace := len(f.list("deploy.locations")) == 0 || slices.Contains(f.list("deploy.locations"), any(float64(n.location)))
		if b.room != 0 && n.public && inPlace && memory+l.Memory <= n.memory*(100+n.overMemory)/100 && disk+l.Disk <= n.disk*(100+n.overDisk)/100 {
			viable = append(viable, n.id)
		}
	}
	if len(viable) == 0 {
		return nil, refused("NoViableNodeException", "No nodes satisfying the requirements specified for automatic deployment could be found.")
	}
	return b.freeAllocation(f, viable)
}

func (b *Box) freeAllocation(f fields, viable []int64) (*allocation, *failure) {
	usedIP := map[string]bool{}
	for _, a := range b.allocations {
		usedIP[a.ip] = usedIP[a.ip] || a.server != 0
	}
	free := slices.DeleteFunc(slices.Clone(b.allocations), func(a *allocation) bool {
		return a.server != 0 || !slices.Contains(viable, a.node) || f.is("deploy.dedicated_ip") && usedIP[a.ip] || !inRange(a.port, f.list("deploy.port_range"))
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

func (b *Box) listServers(c call) (int, any, *failure) {
	var list []any
	for _, s := range b.sorted() {
		if strings.Contains(s.externalID, c.query.Get("filter[external_id]")) && strings.Contains(s.name, c.query.Get("filter[name]")) && strings.Contains(s.uuid, c.query.Get("filter[uuid]")) {
			list = append(list, b.object(s, c))
		}
	}
	return http.StatusOK, b.paged(c, list), nil
}

func (b *Box) readServer(c call) (int, any, *failure) {
	s := b.servers[c.id("id")]
	if s == nil {
		return 0, nil, gone
	}
	return http.StatusOK, b.object(s, c), nil
}

func (b *Box) readExternalServer(c call) (int, any, *failure) {
	s := b.byExternal(c.r.PathValue("ref"))
	if s == nil {
		return 0, nil, gone
	}
	return http.StatusOK, b.object(s, c), nil
}

// suspendServer serves suspend and unsuspend. Unsuspending starts nothing.
func (b *Box) suspendServer(on bool) handler {
	return func(c call) (int, any, *failure) {
		s := b.servers[c.id("id")]
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

func (b *Box) reinstall(c call) (int, any, *failure) {
	s := b.servers[c.id("id")]
	switch {
	case s == nil:
		return 0, nil, gone
	case b.daemonDown:
		return 0, nil, daemon
	}
	b.install(s, s.boots)
	return http.StatusNoContent, nil, nil
}

func (b *Box) deleteServer(c call) (int, any, *failure) {
	s := b.servers[c.id("id")]
	switch {
	case s == nil:
		return 0, nil, gone
	case b.daemonDown && !strings.HasSuffix(c.r.URL.Path, "/force"):
		return 0, nil, daemon
	}
	b.remove(s)
	return http.StatusNoContent, nil, nil
}

// changeBuild replaces limits and feature limits whole, also while the daemon is
// down: the panel only logs that.
func (b *Box) changeBuild(c call) (int, any, *failure) {
	s, f := b.servers[c.id("id")], c.body
	if s == nil {
		return 0, nil, gone
	}
	limits := limitsOf(f)
	features := Features{f.count("feature_limits.databases", -1), f.count("feature_limits.allocations", -1), f.count("feature_limits.backups", 0)}
	if fail := checkLimits(limits, features); fail != nil {
		return 0, nil, fail
	}
	i := slices.IndexFunc(b.allocations, func(a *allocation) bool { return a.id == f.whole("allocation") && a.server == s.id })
	if i < 0 {
		return 0, nil, refused("DisplayException", "The requested default allocation is not currently assigned to this server.")
	}
	s.primary, s.limits, s.features, s.updated = b.allocations[i], limits, features, b.opts.Now()
	return http.StatusOK, b.object(s, call{}), nil
}

// changeStartup sets the start and the variables; an empty environment leaves
// the latter alone.
func (b *Box) changeStartup(c call) (int, any, *failure) {
	s, f := b.servers[c.id("id")], c.body
	if s == nil {
		return 0, nil, gone
	}
	e := findEgg(f.whole("egg"))
	if e == nil {
		return 0, nil, invalid("egg", "exists", "The selected egg is invalid.")
	}
	if fail := checkImage("image", f.text("image")); fail != nil {
		return 0, nil, fail
	}
	if env, _ := f["environment"].(map[string]any); len(env) > 0 {
		variables, fail := checkVariables(e, f["environment"])
		if fail != nil {
			return 0, nil, fail
		}
		s.variables = variables
	}
	s.egg, s.image, s.startup, s.updated = e, f.text("image"), f.text("startup"), b.opts.Now()
	return http.StatusOK, b.object(s, call{}), nil
}
