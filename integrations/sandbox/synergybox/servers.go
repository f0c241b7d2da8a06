package synergybox

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

func (b *Box) serverEndpoints() []panelbox.Endpoint {
	search := panelbox.Schema{
		"billing_id": panelbox.Str, "integration_id": panelbox.Str, "available": panelbox.YesNo, "parts[exact]": panelbox.Str, "cpu_billing": panelbox.Str, "mem_billing": panelbox.Str,
		"disks_billing[]": panelbox.Str, "addons_billing[]": panelbox.Str, "ip_group_billing[]": panelbox.Str, "page": panelbox.Whole, "per_page": panelbox.Whole,
		"force_refresh_count": panelbox.YesNo,
	}
	order := panelbox.Schema{
		"client_id": panelbox.Whole | panelbox.Required, "server_id": panelbox.Whole | panelbox.Required, "ips_billing": panelbox.Str | panelbox.Required,
		"pxe_profile_billing": panelbox.Str, "port_speed_billing": panelbox.Str, "nickname": panelbox.Str, "password": panelbox.Str, "server.fields": panelbox.Object,
		"billing.id": panelbox.Whole | panelbox.Required, "billing.max_bandwidth": panelbox.Any, "access.pxe": panelbox.YesNo, "access.ipmi": panelbox.YesNo, "access.switch": panelbox.YesNo,
	}
	change := panelbox.Schema{"wiped": panelbox.YesNo, "auto": panelbox.YesNo, "billing.max_bandwidth": panelbox.Any}
	right := panelbox.Schema{
		"is_active": panelbox.YesNo, "auto": panelbox.YesNo, "suspension_reason": panelbox.Str, "pxe": panelbox.YesNo, "ipmi": panelbox.YesNo, "switch": panelbox.YesNo,
	}
	again := panelbox.Schema{"pxe_profile_billing": panelbox.Str | panelbox.Required, "password": panelbox.Str, "parent.id": panelbox.Whole, "queue": panelbox.YesNo}
	paged := panelbox.Schema{"is_primary": panelbox.Whole, "page": panelbox.Whole, "per_page": panelbox.Whole}
	return []panelbox.Endpoint{
		panelbox.Op("GET /server", nil, search, b.listServers),
		panelbox.Op("POST /server/provision", order, nil, b.provision),
		panelbox.Op("PATCH /server/{id}", change, nil, b.changeServer),
		panelbox.Op("GET /server/{id}/access", nil, paged, b.listAccess),
		panelbox.Op("PATCH /server/{id}/access/{access}", right, nil, b.changeAccess),
		panelbox.Op("GET /server/{id}/install", nil, paged, b.listInstalls),
		panelbox.Op("POST /server/{id}/install", again, nil, b.addInstall),
	}
}

func (a *access) object() map[string]any {
	return map[string]any{
		"id": a.id, "client": map[string]any{"id": a.client.id, "email": a.client.email}, "is_active": a.active, "suspension_reason": a.reason,
		"pxe": a.rights.PXE, "ipmi": a.rights.IPMI, "switch": a.rights.Switch,
	}
}

// object is a server as lists show it.
func (b *Box) object(s *server) map[string]any {
	out := map[string]any{
		"id": s.id, "srv_id": s.srv(), "nickname": s.nickname, "status_desc": "In Inventory", "billing": nil, "access": nil, "usage": nil,
		"cpu": map[string]any{"billing_id": s.model.cpu, "name": s.model.name}, "mem": map[string]any{"billing_id": s.model.mem},
		"group": map[string]any{"id": s.group.id, "name": s.group.name, "billing_id": s.group.billing}, "is_pxe_ready": true, "is_ipmi_ready": true,
	}
	if s.owner == nil {
		return out
	}
	in, outgoing := b.counted(s, b.cycleStart(s), b.opts.Now())
	out["status_desc"], out["access"] = "In Use", s.primary().object()
	out["billing"] = map[string]any{"id": s.billing, "date": s.cycle.UTC().Format("2006-01-02T15:04:05Z"), "integration": map[string]any{"id": 1}, "max_bandwidth": orNull(s.limit)}
	out["usage"] = map[string]any{"used": in + outgoing, "max": orNull(s.limit), "percent": percent(in+outgoing, s.limit)}
	return out
}

func orNull(bits int64) any {
	if bits == 0 {
		return nil
	}
	return bits
}

func percent(used, limit int64) any {
	if limit == 0 {
		return nil
	}
	return float64(used) * 100 / float64(limit)
}

func (b *Box) listServers(c panelbox.Call) (int, any, *panelbox.Failure) {
	if !callerOf(c).integration {
		return 0, nil, noRight
	}
	var list []any
	for _, s := range b.sorted() {
		if b.listed(c, s) {
			list = append(list, b.object(s))
		}
	}
	return http.StatusOK, data(page(c, list)), nil
}

// listed says whether a server is among what a query asks for.
func (b *Box) listed(c panelbox.Call, s *server) bool {
	q := c.Query
	if q.Has("billing_id") && (s.owner == nil || strconv.FormatInt(s.billing, 10) != q.Get("billing_id")) || q.Get("integration_id") == "me" && s.owner == nil {
		return false
	}
	return !c.Is("available") || s.owner == nil && b.room != 0 && s.matches(q)
}

// matches says whether a server has the parts that a query names, and lies in one
// of its groups. Parts are exact where the query says so.
func (s *server) matches(q url.Values) bool {
	same := func(has []string, name string) bool {
		want := slices.Sorted(slices.Values(q[name]))
		return slices.Equal(slices.Sorted(slices.Values(has)), want) || len(want) == 0 && q.Get("parts[exact]") != "1"
	}
	is := func(has, name string) bool { return !q.Has(name) || q.Get(name) == has }
	return is(s.model.cpu, "cpu_billing") && is(s.model.mem, "mem_billing") && same(s.model.disks, "disks_billing[]") && same(s.model.addons, "addons_billing[]") &&
		(len(q["ip_group_billing[]"]) == 0 || slices.Contains(q["ip_group_billing[]"], s.group.billing))
}

// provision gives a server out, with addresses and, where a profile is named, an
// installation that is only queued here.
func (b *Box) provision(c panelbox.Call) (int, any, *panelbox.Failure) {
	s, owner, f := b.servers[c.Body.Whole("server_id")], b.clients[c.Body.Whole("client_id")], c.Body
	if b.stolen > 0 && s != nil && s.owner == nil {
		b.stolen--
		other := &client{id: b.ids.Next("client"), email: "walk-in@elsewhere.example"}
		b.clients[other.id] = other
		b.hand(s, other, 900_000+s.id)
		b.made-- // not through the API
	}
	if fail := b.refuses(s, owner, f); fail != nil {
		return 0, nil, fail
	}
	limit, ok := bandwidth(f["billing.max_bandwidth"])
	if !ok {
		return 0, nil, b.refuse("The bandwidth limit is invalid.", nil)
	}
	if !b.assign(s, f.Text("ips_billing")) {
		return 0, nil, b.refuse("No IP entity is available.", nil)
	}
	b.hand(s, owner, f.Whole("billing.id"))
	b.room = max(b.room-1, -1)
	s.nickname, s.speed, s.limit = f.Text("nickname"), f.Text("port_speed_billing"), limit
	s.primary().rights = Rights{f.Is("access.pxe"), f.Is("access.ipmi"), f.Is("access.switch")}
	if p := findProfile(f.Text("pxe_profile_billing")); p != nil {
		b.queueInstall(s, p, f.Text("password"), 0)
	}
	return http.StatusOK, data(map[string]any{"server": b.object(s)}, "Server provisioned."), nil
}

func (b *Box) refuses(s *server, owner *client, f panelbox.Fields) *panelbox.Failure {
	profile := f.Text("pxe_profile_billing")
	switch {
	case owner == nil:
		return b.refuse("The selected client is invalid.", nil)
	case s == nil || s.owner != nil || b.room == 0:
		return b.refuse("The server is not available.", nil)
	case slices.ContainsFunc(b.sorted(), func(o *server) bool { return o.owner != nil && o.billing == f.Whole("billing.id") }):
		return b.refuse("The billing ID is already in use.", nil)
	case profile != "" && findProfile(profile) == nil:
		return b.refuse("The selected profile is invalid.", nil)
	case profile != "" && findProfile(profile).system && len(f.Text("password")) < 8:
		return b.refuse("The password must be at least 8 characters.", nil)
	case f.Text("port_speed_billing") != "" && !slices.ContainsFunc(speedList, func(v speed) bool { return v.billing == f.Text("port_speed_billing") }):
		return b.refuse("The selected port speed is invalid.", nil)
	}
	return nil
}

// bandwidth reads a limit: a number of bits, a text such as 10TB, nothing.
func bandwidth(v any) (bits int64, ok bool) {
	switch v := v.(type) {
	case nil:
		return 0, true
	case float64:
		return int64(v), v >= 0
	case string:
		for unit, bytes := range map[string]int64{"GB": 1e9, "TB": 1e12} {
			if n, err := strconv.ParseInt(strings.TrimSuffix(v, unit), 10, 32); err == nil && strings.HasSuffix(v, unit) {
				return n * bytes * 8, true
			}
		}
		return 0, v == ""
	}
	return 0, false
}

// inUse is the server of a path, if somebody has it.
func (b *Box) inUse(c panelbox.Call) (*server, *panelbox.Failure) {
	s := b.servers[c.ID("id")]
	switch {
	case s == nil || s.owner == nil:
		return nil, gone
	case !callerOf(c).integration:
		return nil, noRight
	}
	return s, nil
}

// changeServer wipes a server, or changes its limit.
func (b *Box) changeServer(c panelbox.Call) (int, any, *panelbox.Failure) {
	s, fail := b.inUse(c)
	if fail != nil {
		return 0, nil, fail
	}
	if c.Body.Is("wiped") {
		if c.Body.Is("auto") && s.owner.vip {
			return 0, nil, b.refuse("The client is a VIP: the server was not wiped.", map[string]any{"ignored": true})
		}
		b.wipe(s)
		return http.StatusOK, data(b.object(s), "Server wiped."), nil
	}
	if c.Body.Has("billing.max_bandwidth") {
		limit, ok := bandwidth(c.Body["billing.max_bandwidth"])
		if !ok {
			return 0, nil, b.refuse("The bandwidth limit is invalid.", nil)
		}
		s.limit = limit
	}
	return http.StatusOK, data(b.object(s), "Server updated."), nil
}

func (b *Box) listAccess(c panelbox.Call) (int, any, *panelbox.Failure) {
	s, fail := b.inUse(c)
	if fail != nil {
		return 0, nil, fail
	}
	var list []any
	for i, a := range s.access {
		if c.Query.Has("is_primary") && (c.Query.Get("is_primary") == "1") != (i == 0) {
			continue
		}
		list = append(list, a.object())
	}
	return http.StatusOK, data(page(c, list)), nil
}

func (b *Box) changeAccess(c panelbox.Call) (int, any, *panelbox.Failure) {
	s, fail := b.inUse(c)
	if fail != nil {
		return 0, nil, fail
	}
	i := slices.IndexFunc(s.access, func(a *access) bool { return a.id == c.ID("access") })
	if i < 0 {
		return 0, nil, gone
	}
	a, f := s.access[i], c.Body
	if f.Has("is_active") && !f.Is("is_active") && f.Is("auto") && a.client.vip {
		return 0, nil, b.refuse("The client is a VIP: the server was not suspended.", map[string]any{"ignored": true})
	}
	for name, to := range map[string]*bool{"is_active": &a.active, "pxe": &a.rights.PXE, "ipmi": &a.rights.IPMI, "switch": &a.rights.Switch} {
		if f.Has(name) {
			*to = f.Is(name)
		}
	}
	a.reason = f.Text("suspension_reason")
	return http.StatusOK, data(a.object(), "Access updated."), nil
}

// listInstalls shows what is under way: a finished one is not listed any more.
func (b *Box) listInstalls(c panelbox.Call) (int, any, *panelbox.Failure) {
	s, fail := b.inUse(c)
	if fail != nil {
		return 0, nil, fail
	}
	var list []any
	for _, in := range s.queue {
		done, step := int64(0), "Queued"
		if past := b.opts.Now().Sub(in.start); !in.start.IsZero() {
			done, step = int64(past*100/b.opts.BuildTime), "Installing"
		}
		list = append(list, map[string]any{"id": in.id, "percent": done, "step_desc": step, "profile": map[string]any{"id": in.profile.id, "name": in.profile.name}, "server": map[string]any{"id": s.id}})
	}
	return http.StatusOK, data(page(c, list)), nil
}

func (b *Box) addInstall(c panelbox.Call) (int, any, *panelbox.Failure) {
	s, fail := b.inUse(c)
	if fail != nil {
		return 0, nil, fail
	}
	p := findProfile(c.Body.Text("pxe_profile_billing"))
	switch {
	case p == nil:
		return 0, nil, b.refuse("The selected profile is invalid.", nil)
	case p.system && len(c.Body.Text("password")) < 8:
		return 0, nil, b.refuse("The password must be at least 8 characters.", nil)
	}
	in := b.queueInstall(s, p, c.Body.Text("password"), c.Body.Whole("parent.id"))
	return http.StatusOK, data(map[string]any{"id": in.id, "percent": 0, "step_desc": "Queued", "profile": map[string]any{"id": p.id, "name": p.name}}, "Installation queued."), nil
}
