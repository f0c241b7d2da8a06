package synergybox

import (
	"cmp"
	"crypto/rand"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

func (b *Box) clientEndpoints() []panelbox.Endpoint {
	create := panelbox.Schema{
		"email": panelbox.Str | panelbox.Required, "first": panelbox.Str, "last": panelbox.Str, "billing_id": panelbox.Str, "password": panelbox.Str | panelbox.Present,
	}
	search := panelbox.Schema{"billing_id": panelbox.Str, "email": panelbox.Str, "integration_id": panelbox.Str, "page": panelbox.Whole, "per_page": panelbox.Whole}
	return []panelbox.Endpoint{
		panelbox.Op("GET /client", nil, search, b.listClients),
		panelbox.Op("POST /client", create, nil, b.createClient),
		panelbox.Op("POST /key", panelbox.Schema{"owner_id": panelbox.Whole | panelbox.Required, "owner_type": panelbox.Str | panelbox.Required}, nil, b.createKey),
		panelbox.Op("DELETE /auth/key/{id}", nil, nil, b.deleteKey),
	}
}

func (c *client) object() map[string]any {
	return map[string]any{
		"id": c.id, "email": c.email, "first": c.first, "last": c.last, "billing_id": c.billing,
		"billing": map[string]any{"id": c.billing, "ignoreAutoSuspend": c.vip},
	}
}

func (b *Box) listClients(c panelbox.Call) (int, any, *panelbox.Failure) {
	if !callerOf(c).integration {
		return 0, nil, noRight
	}
	var list []any
	for _, id := range slices.Sorted(maps.Keys(b.clients)) {
		one := b.clients[id]
		// The panel's filter finds parts of addresses.
		if c.Query.Has("billing_id") && c.Query.Get("billing_id") != one.billing || !strings.Contains(one.email, c.Query.Get("email")) {
			continue
		}
		list = append(list, one.object())
	}
	return http.StatusOK, data(page(c, list)), nil
}

// createClient refuses a second client of one address or billing id, and says
// which is there.
func (b *Box) createClient(c panelbox.Call) (int, any, *panelbox.Failure) {
	if !callerOf(c).integration {
		return 0, nil, noRight
	}
	email, billing := c.Body.Text("email"), c.Body.Text("billing_id")
	if at := strings.Index(email, "@"); at < 1 || at == len(email)-1 {
		return 0, nil, b.refuse("The email must be a valid email address.", nil)
	}
	for _, other := range b.clients {
		if strings.EqualFold(other.email, email) || billing != "" && other.billing == billing {
			return 0, nil, b.refuse("The client already exists.", map[string]any{"id": other.id})
		}
	}
	one := &client{id: b.ids.Next("client"), billing: billing, email: email, first: c.Body.Text("first"), last: c.Body.Text("last")}
	b.clients[one.id] = one
	return http.StatusOK, data(one.object(), "Client created."), nil
}

func (b *Box) createKey(c panelbox.Call) (int, any, *panelbox.Failure) {
	owner := b.clients[c.Body.Whole("owner_id")]
	if !callerOf(c).integration {
		return 0, nil, noRight
	}
	if owner == nil || c.Body.Text("owner_type") != "client" {
		return 0, nil, b.refuse("The selected owner is invalid.", nil)
	}
	k := &key{id: b.ids.Next("key"), text: rand.Text() + rand.Text()[:24], client: owner.id}
	b.keys[k.id] = k
	return http.StatusOK, data(map[string]any{"id": k.id, "key": k.text, "owner": map[string]any{"id": owner.id, "type": "client"}, "expires_at": nil}), nil
}

// deleteKey takes the key with which it is called, as signing out does.
func (b *Box) deleteKey(c panelbox.Call) (int, any, *panelbox.Failure) {
	id := c.ID("id")
	if b.keys[id] == nil {
		return 0, nil, gone
	}
	if callerOf(c).key != id {
		return 0, nil, noRight
	}
	delete(b.keys, id)
	return http.StatusOK, data(nil), nil
}

// page is Laravel's paginator.
func page(c panelbox.Call, list []any) any {
	size := int(number(c, "per_page", 15))
	at := int(number(c, "page", 1))
	part, last := panelbox.Page(list, at, size)
	return map[string]any{"data": part, "current_page": max(at, 1), "last_page": last, "per_page": max(size, 1), "total": len(list)}
}

func number(c panelbox.Call, name string, byDefault int64) int64 {
	n := int64(0)
	for _, r := range c.Query.Get(name) {
		n = min(n*10+int64(r-'0'), 1<<31)
	}
	return cmp.Or(n, byDefault)
}
