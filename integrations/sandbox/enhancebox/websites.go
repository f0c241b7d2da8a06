package enhancebox

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

func (b *Box) websiteEndpoints() []panelbox.Endpoint {
	str := panelbox.Str | panelbox.Required
	list := panelbox.Schema{"offset": panelbox.Whole, "limit": panelbox.Whole, "search": panelbox.Str, "subscriptionId": panelbox.Whole, "status": panelbox.Str, "kind": panelbox.Str}
	create := panelbox.Schema{"domain": str, "subscriptionId": panelbox.Whole, "serverGroupId": panelbox.Str, "phpVersion": panelbox.Str}
	site := "/orgs/{org}/websites/{site}"
	return []panelbox.Endpoint{
		panelbox.Op("POST /orgs/{org}/domains/check", panelbox.Schema{"domain": str}, nil, b.checkDomain),
		panelbox.Op("GET /orgs/{org}/websites", nil, list, b.listWebsites),
		panelbox.Op("POST /orgs/{org}/websites", create, panelbox.Schema{"kind": panelbox.Str}, b.createWebsite),
		panelbox.Op("GET "+site, nil, nil, b.readWebsite),
		panelbox.Op("GET "+site+"/mysql-dbs", nil, nil, b.listDBs),
		panelbox.Op("POST "+site+"/mysql-dbs", panelbox.Schema{"name": str}, nil, b.createDB),
		panelbox.Op("GET "+site+"/mysql-users", nil, nil, b.listDBUsers),
		panelbox.Op("POST "+site+"/mysql-users", panelbox.Schema{"username": str, "password": str, "authPlugin": panelbox.Str}, nil, b.createDBUser),
		panelbox.Op("PUT "+site+"/mysql-users/{user}", panelbox.Schema{"password": str}, nil, b.setDBPassword),
		panelbox.Op("PUT "+site+"/mysql-users/{user}/privileges", panelbox.Schema{"dbName": str, "grants": panelbox.Strs | panelbox.Required}, nil, b.grant),
	}
}

func (b *Box) websiteObject(w *website, full bool) map[string]any {
	out := map[string]any{
		"id": w.id, "domain": map[string]any{"id": w.id, "domain": w.domain, "documentRoot": "public_html", "kind": "primary", "cloudflareStatus": "Disconnected"}, "aliases": []any{}, "subdomains": []any{},
		"status": w.status, "colorCode": "#336699", "size": 64 << 20, "orgId": w.org.id, "org": w.org.name, "kind": "normal", "unixUser": "site" + w.id[len(w.id)-4:], "createdAt": stamp(w.made),
	}
	if w.sub != nil {
		out["subscriptionId"], out["planId"], out["plan"] = w.sub.id, w.sub.plan.id, w.sub.plan.name
		if w.sub.suspended {
			out["suspendedBy"] = SellerID
		}
	}
	if full {
		ips := []any{map[string]any{"ip": "203.0.113.80", "isPrimary": true}}
		out["serverIps"], out["dbServerIps"], out["phpVersion"] = ips, []any{map[string]any{"ip": "203.0.113.90", "isPrimary": true}}, w.php
	}
	return out
}

// holder is the website that has a domain; one that is deleted softly keeps it.
func (b *Box) holder(domain string) *website {
	for _, w := range b.sortedWebsites() {
		if strings.EqualFold(w.domain, domain) {
			return w
		}
	}
	return nil
}

func (b *Box) checkDomain(c panelbox.Call) (int, any, *panelbox.Failure) {
	o, fail := b.orgOf(c, "org")
	if fail != nil {
		return 0, nil, fail
	}
	w := b.holder(c.Body.Text("domain"))
	switch {
	case !strings.Contains(c.Body.Text("domain"), "."):
		return http.StatusOK, map[string]any{"status": "prohibited"}, nil
	case w == nil:
		return http.StatusOK, map[string]any{"status": "notInUse"}, nil
	case w.status == gone:
		return http.StatusOK, map[string]any{"status": "inUseDeletedSite", "websiteId": w.id}, nil
	case w.org == o:
		return http.StatusOK, map[string]any{"status": "inUseCurrentOrg", "websiteId": w.id}, nil
	}
	return http.StatusOK, map[string]any{"status": "inUseAnotherOrg"}, nil
}

// listWebsites finds by parts of domains.
func (b *Box) listWebsites(c panelbox.Call) (int, any, *panelbox.Failure) {
	o, fail := b.orgOf(c, "org")
	if fail != nil {
		return 0, nil, fail
	}
	var list []any
	for _, w := range b.sortedWebsites() {
		sub := c.Query.Get("subscriptionId")
		if w.org != o || !strings.Contains(w.domain, c.Query.Get("search")) || sub != "" && (w.sub == nil || strconv.FormatInt(w.sub.id, 10) != sub) || w.status == gone && c.Query.Get("status") != gone {
			continue
		}
		list = append(list, b.websiteObject(w, false))
	}
	return http.StatusOK, items(c, list), nil
}

func (b *Box) createWebsite(c panelbox.Call) (int, any, *panelbox.Failure) {
	o, fail := b.orgOf(c, "org")
	if fail != nil {
		return 0, nil, fail
	}
	s, domain := b.subs[c.Body.Whole("subscriptionId")], strings.ToLower(c.Body.Text("domain"))
	switch {
	case s == nil || s.org != o || s.status != active:
		return 0, nil, missing("subscription")
	case !strings.Contains(domain, "."):
		return 0, nil, invalid("invalid domain")
	case b.holder(domain) != nil:
		return 0, nil, told(http.StatusConflict, "already_exists", "domain")
	case s.plan.total["websites"] > 0 && b.used(s, "websites") >= s.plan.total["websites"]:
		return 0, nil, told(http.StatusForbidden, "resource_limit", "websites")
	}
	w := &website{id: b.uuid("website"), org: o, sub: s, domain: domain, php: c.Body.Text("phpVersion"), status: active, users: map[string]*dbUser{}, made: b.opts.Now()}
	if w.php == "" {
		w.php = "php83"
	}
	b.websites[w.id] = w
	return http.StatusCreated, map[string]any{"id": w.id}, nil
}

// siteOf is the website of a path.
func (b *Box) siteOf(c panelbox.Call) (*website, *panelbox.Failure) {
	o, fail := b.orgOf(c, "org")
	if fail != nil {
		return nil, fail
	}
	w := b.websites[c.R.PathValue("site")]
	if w == nil || w.org != o || w.status == gone {
		return nil, missing("website")
	}
	return w, nil
}

func (b *Box) readWebsite(c panelbox.Call) (int, any, *panelbox.Failure) {
	w, fail := b.siteOf(c)
	if fail != nil {
		return 0, nil, fail
	}
	return http.StatusOK, b.websiteObject(w, true), nil
}

func (b *Box) listDBs(c panelbox.Call) (int, any, *panelbox.Failure) {
	w, fail := b.siteOf(c)
	if fail != nil {
		return 0, nil, fail
	}
	list := []any{}
	for _, name := range w.dbs {
		list = append(list, map[string]any{"name": name, "size": 0, "createdAt": stamp(w.made)})
	}
	return http.StatusOK, map[string]any{"items": list}, nil
}

func (b *Box) createDB(c panelbox.Call) (int, any, *panelbox.Failure) {
	w, fail := b.siteOf(c)
	name := c.Body.Text("name")
	switch {
	case fail != nil:
		return 0, nil, fail
	case slices.Contains(w.dbs, name):
		return 0, nil, told(http.StatusConflict, "already_exists", "database")
	case w.sub != nil && w.sub.plan.total["mysqlDbs"] > 0 && b.used(w.sub, "mysqlDbs") >= w.sub.plan.total["mysqlDbs"]:
		return 0, nil, told(http.StatusForbidden, "resource_limit", "mysqlDbs")
	}
	w.dbs = append(w.dbs, name)
	return http.StatusCreated, nil, nil
}

func (b *Box) listDBUsers(c panelbox.Call) (int, any, *panelbox.Failure) {
	w, fail := b.siteOf(c)
	if fail != nil {
		return 0, nil, fail
	}
	list := []any{}
	for _, name := range slices.Sorted(maps.Keys(w.users)) {
		grants := map[string]any{}
		for db, rights := range w.users[name].grants {
			grants[db] = rights
		}
		list = append(list, map[string]any{"username": name, "accessHosts": []any{"localhost"}, "authPlugin": "caching_sha2_password", "internal": false, "grants": grants, "createdAt": stamp(w.made)})
	}
	return http.StatusOK, map[string]any{"items": list}, nil
}

func (b *Box) createDBUser(c panelbox.Call) (int, any, *panelbox.Failure) {
	w, fail := b.siteOf(c)
	if fail != nil {
		return 0, nil, fail
	}
	name := c.Body.Text("username")
	if w.users[name] != nil {
		return 0, nil, told(http.StatusConflict, "already_exists", "user")
	}
	w.users[name] = &dbUser{password: c.Body.Text("password"), grants: map[string][]string{}}
	return http.StatusCreated, nil, nil
}

func (b *Box) setDBPassword(c panelbox.Call) (int, any, *panelbox.Failure) {
	w, fail := b.siteOf(c)
	if fail != nil {
		return 0, nil, fail
	}
	u := w.users[c.R.PathValue("user")]
	if u == nil {
		return 0, nil, missing("user")
	}
	u.password = c.Body.Text("password")
	return http.StatusOK, nil, nil
}

func (b *Box) grant(c panelbox.Call) (int, any, *panelbox.Failure) {
	w, fail := b.siteOf(c)
	if fail != nil {
		return 0, nil, fail
	}
	u, db := w.users[c.R.PathValue("user")], c.Body.Text("dbName")
	if u == nil || !slices.Contains(w.dbs, db) {
		return 0, nil, missing("user or database")
	}
	u.grants[db] = nil
	for _, right := range c.Body.List("grants") {
		u.grants[db] = append(u.grants[db], fmt.Sprint(right))
	}
	return http.StatusCreated, nil, nil
}
