package pterobox

import "github.com/ezscale/ezscale/integrations/sandbox/panelbox"

// object is a server as the Application API shows it.
func (b *Box) object(s *server, c panelbox.Call) map[string]any {
	out := map[string]any{
		"id": s.id, "external_id": orNull(s.externalID), "uuid": s.uuid, "identifier": s.identifier(), "name": s.name, "description": s.description,
		"status": orNull(s.status), "suspended": s.status == statusSuspended,
		"limits": map[string]any{
			"memory": s.limits.Memory, "swap": s.limits.Swap, "disk": s.limits.Disk, "io": s.limits.IO, "cpu": s.limits.CPU,
			"threads": orNull(s.limits.Threads), "oom_disabled": true,
		},
		"feature_limits": map[string]any{"databases": count(s.features.Databases), "allocations": count(s.features.Allocations), "backups": s.features.Backups},
		"user":           s.owner.id, "node": s.node.id, "allocation": s.primary.id, "nest": s.egg.nest, "egg": s.egg.id,
		"container":  map[string]any{"startup_command": s.startup, "image": s.image, "installed": b.installed(s), "environment": b.environment(s)},
		"updated_at": stamp(s.updated), "created_at": stamp(s.created),
	}
	if c.R == nil {
		return item("server", out)
	}
	relations := map[string]any{}
	if includes(c, "allocations") {
		relations["allocations"] = listOf(b.allocationsOf(s))
	}
	if includes(c, "user") {
		relations["user"] = s.owner.object()
	}
	if includes(c, "node") {
		relations["node"] = b.nodeObject(s.node)
	}
	if len(relations) > 0 {
		out["relationships"] = relations
	}
	return item("server", out)
}

// count is a feature limit; -1 is null.
func count(n int64) any {
	if n < 0 {
		return nil
	}
	return n
}

func (b *Box) installed(s *server) int {
	if s.status == statusInstalling || s.status == statusFailed {
		return 0
	}
	return 1
}

// environment has the panel's own variables beside the egg's.
func (b *Box) environment(s *server) map[string]any {
	out := map[string]any{
		"STARTUP": s.startup, "P_SERVER_LOCATION": "fra", "P_SERVER_UUID": s.uuid, "P_SERVER_ALLOCATION_LIMIT": count(s.features.Allocations),
	}
	for name, value := range s.variables {
		out[name] = value
	}
	return out
}

func (b *Box) allocationsOf(s *server) []any {
	var list []any
	for _, a := range b.allocations {
		if a.server == s.id {
			list = append(list, item("allocation", map[string]any{"id": a.id, "ip": a.ip, "alias": orNull(a.alias), "port": a.port, "notes": nil, "assigned": true}))
		}
	}
	return list
}
