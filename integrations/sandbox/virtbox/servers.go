package virtbox

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

func (b *Box) serverEndpoints() []panelbox.Endpoint {
	create := panelbox.Schema{
		"packageId": panelbox.Whole | panelbox.Required, "userId": panelbox.Whole | panelbox.Required, "hypervisorId": panelbox.Whole | panelbox.Required, "ipv4": panelbox.Whole, "storage": panelbox.Whole,
		"traffic": panelbox.Whole, "memory": panelbox.Whole, "cpuCores": panelbox.Whole, "networkSpeedInbound": panelbox.Whole, "networkSpeedOutbound": panelbox.Whole,
		"storageProfile": panelbox.Whole, "networkProfile": panelbox.Whole, "firewallRulesets": panelbox.Wholes, "hypervisorAssetGroups": panelbox.Wholes,
		"additionalStorage1Enable": panelbox.YesNo, "additionalStorage2Enable": panelbox.YesNo, "additionalStorage1Profile": panelbox.Whole,
		"additionalStorage2Profile": panelbox.Whole, "additionalStorage1Capacity": panelbox.Whole, "additionalStorage2Capacity": panelbox.Whole,
	}
	list := panelbox.Schema{"type": panelbox.Str, "hypervisorId": panelbox.Whole, "hypervisorId[]": panelbox.Whole}
	maps.Copy(list, paging)
	return []panelbox.Endpoint{
		panelbox.Op("POST /servers", create, panelbox.Schema{"dryRun": panelbox.YesNo}, b.createServer),
		panelbox.Op("GET /servers", nil, list, b.listServers),
		panelbox.Op("GET /servers/{id}", nil, panelbox.Schema{"remoteState": panelbox.YesNo}, b.readServer),
		panelbox.Op("GET /servers/{id}/{what}", nil, paging, b.readPart),
		panelbox.Op("DELETE /servers/{id}", nil, panelbox.Schema{"delay": panelbox.Whole}, b.deleteServer),
		panelbox.Op("POST /servers/{id}/suspend", nil, nil, b.setSuspended(true)),
		panelbox.Op("POST /servers/{id}/unsuspend", nil, nil, b.setSuspended(false)),
		panelbox.Op("PUT /servers/{id}/package/{packageId}", packageFlags, nil, b.changePackage),
		panelbox.Op("POST /servers/{id}/ipv4Qty", panelbox.Schema{"interface": panelbox.Str | panelbox.Required, "quantity": panelbox.Whole | panelbox.Required}, nil, b.addIPv4),
		panelbox.Op("PUT /servers/{id}/modify/name", panelbox.Schema{"name": panelbox.Str | panelbox.Required}, nil, b.rename),
	}
}

// createServer allocates a server without a system.
func (b *Box) createServer(c panelbox.Call) (int, any, *panelbox.Failure) {
	u := b.users[c.Body.Whole("userId")]
	p, g := findPackage(c.Body.Whole("packageId")), findGroup(c.Body.Whole("hypervisorId"))
	switch {
	case u == nil:
		return 0, nil, refused("The selected user is invalid.")
	case p == nil || !p.Enabled:
		return 0, nil, refused("Invalid or disabled package")
	case g == nil || !g.Enabled:
		return 0, nil, refused("Invalid or disabled hypervisor group")
	}
	size, count, fail := sizeOf(*p, c.Body)
	if fail != nil {
		return 0, nil, fail
	}
	if fail := b.fits(g, size, count); fail != nil {
		return 0, nil, fail
	}
	if c.Is("dryRun") {
		return http.StatusOK, data(map[string]any{}), nil
	}
	s, fail := b.allocate(u, size, g, count)
	if fail != nil {
		return 0, nil, fail
	}
	if b.room > 0 {
		b.room--
	}
	return http.StatusCreated, data(b.answer(s)), nil
}

// answer is the object as create and build give it: without the live state.
func (b *Box) answer(s *server) map[string]any {
	out := b.object(s)
	delete(out, "remoteState")
	return out
}

// sizeOf is a package with the body's own figures in place of its, and the number
// of IPv4 addresses, one by default.
func sizeOf(p packageSpec, body panelbox.Fields) (size packageSpec, ipv4 int64, fail *panelbox.Failure) {
	ipv4 = 1
	for name, dst := range map[string]*int64{"memory": &p.MemoryMB, "storage": &p.DiskGB, "traffic": &p.TrafficGB, "cpuCores": &p.Cores, "ipv4": &ipv4} {
		if _, there := body[name]; there {
			*dst = body.Whole(name)
		}
	}
	if ipv4 < 0 || p.MemoryMB < 256 || p.DiskGB < 1 || p.Cores < 1 || p.TrafficGB < 0 {
		return p, 0, refused("The resources are invalid.")
	}
	return p, ipv4, nil
}

// fits refuses what the group has no room for.
func (b *Box) fits(g *groupSpec, p packageSpec, ipv4 int64) *panelbox.Failure {
	_, memory, cores, disk := b.used(g)
	switch {
	case b.room == 0 || memory+p.MemoryMB > g.MemoryMB || cores+p.Cores > g.Cores || disk+p.DiskGB > g.DiskGB:
		return refused("No hypervisor with enough resources is available in this group")
	case ipv4 > int64(b.freeIPv4()):
		return refused("Not enough IPv4 addresses are available")
	}
	return nil
}

func (b *Box) allocate(u *user, p packageSpec, g *groupSpec, ipv4 int64) (*server, *panelbox.Failure) {
	v4, ok := b.takeIPv4(ipv4)
	if !ok {
		return nil, refused("Not enough IPv4 addresses are available")
	}
	now := b.opts.Now()
	s := &server{id: b.ids.Next("server"), owner: u, group: g, pkg: p, state: stateAllocated, created: now, updated: now, v4: v4}
	sum := sha256.Sum256([]byte("server " + strconv.FormatInt(s.id, 10)))
	s.uuid = fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
	b.servers[s.id] = s
	b.created++
	return s, nil
}

// sorted are the servers by id.
func (b *Box) sorted() []*server {
	return slices.SortedFunc(maps.Values(b.servers), func(x, y *server) int { return cmp.Compare(x.id, y.id) })
}

func (b *Box) listServers(c panelbox.Call) (int, any, *panelbox.Failure) {
	if t := c.Query.Get("type"); t != "" && t != "simple" && t != "full" {
		return 0, nil, refused("The type must be simple or full.")
	}
	wanted := c.Query["hypervisorId[]"]
	if h := c.Query.Get("hypervisorId"); h != "" {
		wanted = append(wanted, h)
	}
	var list []any
	for _, s := range b.sorted() {
		if len(wanted) > 0 && !slices.Contains(wanted, strconv.FormatInt(s.group.Hypervisor, 10)) {
			continue
		}
		if c.Query.Get("type") == "full" {
			list = append(list, b.object(s))
			continue
		}
		list = append(list, map[string]any{
			"id": s.id, "uuid": s.uuid, "name": s.name, "commissioned": commission(s.state), "owner": s.owner.id, "hypervisorId": s.group.Hypervisor,
			"suspended": s.suspended, "protected": s.protected, "updated": seconds(s.updated), "created": seconds(s.created),
		})
	}
	return http.StatusOK, b.paged(c, list), nil
}

func (b *Box) readServer(c panelbox.Call) (int, any, *panelbox.Failure) {
	s := b.servers[c.ID("id")]
	if s == nil {
		return 0, nil, serverGone
	}
	out := b.object(s)
	if c.Is("remoteState") {
		out["remoteState"] = b.remoteState(s)
	}
	return http.StatusOK, data(out), nil
}

// readPart serves GET /servers/user/{id}, /servers/{id}/traffic and
// /servers/{id}/templates, whose patterns would overlap.
func (b *Box) readPart(c panelbox.Call) (int, any, *panelbox.Failure) {
	what := c.R.PathValue("what")
	if c.R.PathValue("id") == "user" {
		return b.userServers(c, what)
	}
	s := b.servers[c.ID("id")]
	switch {
	case what != "traffic" && what != "templates":
		return 0, nil, &panelbox.Failure{Status: http.StatusNotFound, Body: map[string]string{"message": "The route could not be found."}}
	case s == nil:
		return 0, nil, serverGone
	case what == "templates":
		return http.StatusOK, data(templateGroups(s.pkg)), nil
	}
	return http.StatusOK, data(map[string]any{"monthly": b.months(s)}), nil
}

func (b *Box) userServers(c panelbox.Call, userID string) (int, any, *panelbox.Failure) {
	id, err := strconv.ParseInt(userID, 10, 64)
	if err != nil || b.users[id] == nil {
		return 0, nil, noUser
	}
	list := []any{}
	for _, s := range b.sorted() {
		if s.owner.id == id {
			list = append(list, b.listed(s))
		}
	}
	if b.opts.PageUserLists {
		return http.StatusOK, b.paged(c, list), nil
	}
	return http.StatusOK, data(list), nil
}

func (b *Box) deleteServer(c panelbox.Call) (int, any, *panelbox.Failure) {
	s := b.servers[c.ID("id")]
	if s == nil {
		return 0, nil, serverGone
	}
	if s.protected {
		return 0, nil, refused("The server is protected")
	}
	delay := int64(5) // minutes; some report this default, so a caller must say what it wants
	if v := c.Query.Get("delay"); v != "" {
		delay, _ = strconv.ParseInt(v, 10, 64) // checked to be a number
	}
	if delay > 43800 {
		return 0, nil, refused("The delay must be 0 to 43800.")
	}
	if b.busy(s) && s.destroyAt.IsZero() {
		return 0, nil, locked
	}
	at := b.opts.Now().Add(time.Duration(delay)*time.Minute + b.opts.TaskTime)
	if s.destroyAt.IsZero() || at.Before(s.destroyAt) {
		s.destroyAt = at
	}
	b.tick()
	return http.StatusNoContent, nil, nil
}

// setSuspended serves suspend and unsuspend. A suspended system does not run.
func (b *Box) setSuspended(on bool) panelbox.Handler {
	return func(c panelbox.Call) (int, any, *panelbox.Failure) {
		s := b.servers[c.ID("id")]
		if s == nil {
			return 0, nil, serverGone
		}
		if b.busy(s) {
			return 0, nil, locked
		}
		if s.suspended != on {
			s.suspended, s.updated = on, b.opts.Now()
			s.power(!on && s.state == stateComplete)
		}
		return http.StatusNoContent, nil, nil
	}
}

func (b *Box) rename(c panelbox.Call) (int, any, *panelbox.Failure) {
	s := b.servers[c.ID("id")]
	if s == nil {
		return 0, nil, serverGone
	}
	name := strings.TrimSpace(c.Body.Text("name"))
	if name == "" || len(name) > 255 {
		return 0, nil, refused("The name is invalid.")
	}
	s.name, s.updated = name, b.opts.Now()
	return http.StatusCreated, nil, nil
}
