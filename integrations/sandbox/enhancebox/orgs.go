package enhancebox

import (
	"cmp"
	"crypto/rand"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

var paging = panelbox.Schema{"offset": panelbox.Whole, "limit": panelbox.Whole, "sortOrder": panelbox.Str, "sortBy": panelbox.Str}

func (b *Box) orgEndpoints() []panelbox.Endpoint {
	str := panelbox.Str | panelbox.Required
	return []panelbox.Endpoint{
		panelbox.Op("GET /version", nil, nil, func(panelbox.Call) (int, any, *panelbox.Failure) { return http.StatusOK, "12.21.3", nil }),
		panelbox.Op("GET /status", nil, nil, func(panelbox.Call) (int, any, *panelbox.Failure) { return http.StatusOK, "ready", nil }),
		panelbox.Op("GET /orgs/{org}", nil, nil, b.readOrg),
		panelbox.Op("DELETE /orgs/{org}", nil, panelbox.Schema{"force": panelbox.YesNo}, b.deleteOrg),
		panelbox.Op("GET /orgs/{org}/plans", nil, paging, b.listPlans),
		panelbox.Op("GET /orgs/{org}/customers", nil, paging, b.listCustomers),
		panelbox.Op("POST /orgs/{org}/customers", panelbox.Schema{"name": str}, nil, b.createCustomer),
		panelbox.Op("GET /v2/orgs/{org}/customers/logins", nil, paging, b.listLogins),
		panelbox.Op("POST /logins", panelbox.Schema{"email": str, "password": str, "name": str}, panelbox.Schema{"orgId": panelbox.Str}, b.createLogin),
		panelbox.Op("PUT /v2/logins/{login}/password", panelbox.Schema{"newPassword": str}, nil, b.setPassword),
		panelbox.Op("GET /orgs/{org}/members", nil, paging, b.listMembers),
		panelbox.Op("POST /orgs/{org}/members", panelbox.Schema{"loginId": str, "roles": panelbox.Strs | panelbox.Required}, nil, b.createMember),
		panelbox.Op("GET /orgs/{org}/members/{member}/sso", nil, nil, b.signInLink),
	}
}

// stamp is a time as the panel writes it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func (b *Box) orgObject(o *org) map[string]any {
	out := map[string]any{"id": o.id, "name": o.name, "status": o.status, "subscriptionsCount": 0, "websitesCount": 0, "createdAt": stamp(o.made), "locale": "en"}
	if o.parent != "" {
		out["parentId"] = o.parent
	}
	if o.suspended {
		out["suspendedBy"] = SellerID
	}
	if m := o.owner(); m != nil {
		out["owner"], out["ownerEmail"], out["ownerId"], out["ownerLoginId"] = m.login.name, m.login.email, m.id, m.login.id
	}
	return out
}

// items is a page of a list.
func items(c panelbox.Call, list []any) map[string]any {
	offset, _ := strconv.Atoi(c.Query.Get("offset"))
	limit, _ := strconv.Atoi(cmp.Or(c.Query.Get("limit"), "100"))
	from := min(offset, len(list))
	return map[string]any{"items": append([]any{}, list[from:min(from+limit, len(list))]...), "total": len(list)}
}

func (b *Box) readOrg(c panelbox.Call) (int, any, *panelbox.Failure) {
	o, fail := b.orgOf(c, "org")
	if fail != nil {
		return 0, nil, fail
	}
	return http.StatusOK, b.orgObject(o), nil
}

func (b *Box) deleteOrg(c panelbox.Call) (int, any, *panelbox.Failure) {
	o, fail := b.orgOf(c, "org")
	if fail != nil {
		return 0, nil, fail
	}
	o.status = gone
	for _, s := range b.subs {
		if s.org == o {
			b.remove(s)
		}
	}
	return http.StatusNoContent, nil, nil
}

func (b *Box) listPlans(c panelbox.Call) (int, any, *panelbox.Failure) {
	if _, fail := b.orgOf(c, "org"); fail != nil {
		return 0, nil, fail
	}
	var list []any
	for _, p := range planList {
		var all []any
		for _, name := range resources {
			r := map[string]any{"name": name}
			if total, limited := p.total[name]; limited {
				r["total"] = total
			}
			all = append(all, r)
		}
		list = append(list, map[string]any{
			"id": p.id, "name": p.name, "orgId": SellerID, "resources": all, "allowances": []any{}, "selections": []any{}, "subscriptionsCount": 0, "createdAt": "2026-01-05T10:00:00Z",
			"planType": "shared", "allowedPhpVersions": []any{"php83"}, "defaultPhpVersion": "php83", "redisAllowed": false,
		})
	}
	return http.StatusOK, items(c, list), nil
}

func (b *Box) listCustomers(c panelbox.Call) (int, any, *panelbox.Failure) {
	parent, fail := b.orgOf(c, "org")
	if fail != nil {
		return 0, nil, fail
	}
	var list []any
	for _, id := range slices.Sorted(maps.Keys(b.orgs)) {
		if o := b.orgs[id]; o.parent == parent.id && o.status == active {
			list = append(list, b.orgObject(o))
		}
	}
	return http.StatusOK, items(c, list), nil
}

// createCustomer makes an organization; names need not be unique.
func (b *Box) createCustomer(c panelbox.Call) (int, any, *panelbox.Failure) {
	parent, fail := b.orgOf(c, "org")
	if fail != nil {
		return 0, nil, fail
	}
	o := &org{id: b.uuid("org"), parent: parent.id, name: c.Body.Text("name"), status: active, made: b.opts.Now()}
	b.orgs[o.id] = o
	return http.StatusCreated, map[string]any{"id": o.id}, nil
}

func (b *Box) listLogins(c panelbox.Call) (int, any, *panelbox.Failure) {
	var list []any
	for _, id := range slices.Sorted(maps.Keys(b.logins)) {
		l := b.logins[id]
		list = append(list, map[string]any{"id": l.id, "email": l.email, "name": l.name, "colorCode": "#336699", "registeredAt": stamp(l.made), "authMethod": "basic", "locale": "en"})
	}
	return http.StatusOK, items(c, list), nil
}

func (b *Box) createLogin(c panelbox.Call) (int, any, *panelbox.Failure) {
	if o := b.orgs[c.Query.Get("orgId")]; o == nil || o.status != active {
		return 0, nil, missing("org")
	}
	email := c.Body.Text("email")
	switch {
	case !strings.Contains(email, "@"):
		return 0, nil, invalid("invalid e-mail address")
	case len(c.Body.Text("password")) < 8:
		return 0, nil, invalid("the password is too short")
	case b.loginOf(email) != nil:
		return 0, nil, told(http.StatusConflict, "already_exists", "login")
	}
	return http.StatusCreated, map[string]any{"id": b.addLogin(email, c.Body.Text("name"), c.Body.Text("password")).id}, nil
}

func (b *Box) setPassword(c panelbox.Call) (int, any, *panelbox.Failure) {
	l := b.logins[c.R.PathValue("login")]
	if l == nil {
		return 0, nil, missing("login")
	}
	if len(c.Body.Text("newPassword")) < 8 {
		return 0, nil, invalid("the password is too short")
	}
	l.password = c.Body.Text("newPassword")
	return http.StatusOK, nil, nil
}

func (b *Box) listMembers(c panelbox.Call) (int, any, *panelbox.Failure) {
	o, fail := b.orgOf(c, "org")
	if fail != nil {
		return 0, nil, fail
	}
	var list []any
	for _, m := range o.members {
		list = append(list, map[string]any{
			"id": m.id, "loginId": m.login.id, "isActive": true, "email": m.login.email, "name": m.login.name, "roles": m.roles, "siteAccesses": []any{}, "notifications": []any{},
			"joinedAt": m.made.UTC().Format(time.DateOnly), "colorCode": "#336699", "authMethod": "basic",
		})
	}
	return http.StatusOK, items(c, list), nil
}

func (b *Box) createMember(c panelbox.Call) (int, any, *panelbox.Failure) {
	o, fail := b.orgOf(c, "org")
	if fail != nil {
		return 0, nil, fail
	}
	l := b.logins[c.Body.Text("loginId")]
	if l == nil {
		return 0, nil, missing("login")
	}
	if slices.ContainsFunc(o.members, func(m *member) bool { return m.login == l }) {
		return 0, nil, told(http.StatusConflict, "already_exists", "member")
	}
	m := &member{id: b.uuid("member"), login: l, made: b.opts.Now()}
	for _, role := range c.Body.List("roles") {
		m.roles = append(m.roles, role.(string))
	}
	o.members = append(o.members, m)
	return http.StatusCreated, map[string]any{"id": m.id}, nil
}

// signInLink makes a one-time link; the panel answers 201 to a GET.
func (b *Box) signInLink(c panelbox.Call) (int, any, *panelbox.Failure) {
	o, fail := b.orgOf(c, "org")
	if fail != nil {
		return 0, nil, fail
	}
	i := slices.IndexFunc(o.members, func(m *member) bool { return m.id == c.R.PathValue("member") })
	if i < 0 {
		return 0, nil, missing("member")
	}
	otp := rand.Text()
	b.links[otp] = o.members[i].login.email
	return http.StatusCreated, b.opts.PanelURL + "/login/sessions/sso?otp=" + otp, nil
}
