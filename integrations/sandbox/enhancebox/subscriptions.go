package enhancebox

import (
	"maps"
	"net/http"
	"slices"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

func (b *Box) subscriptionEndpoints() []panelbox.Endpoint {
	create := panelbox.Schema{"planId": panelbox.Whole | panelbox.Required, "friendlyName": panelbox.Str}
	change := panelbox.Schema{"status": panelbox.Str, "isSuspended": panelbox.YesNo, "planId": panelbox.Whole, "friendlyName": panelbox.Str}
	return []panelbox.Endpoint{
		panelbox.Op("GET /orgs/{org}/customers/{customer}/subscriptions", nil, paging, b.listSubscriptions),
		panelbox.Op("POST /orgs/{org}/customers/{customer}/subscriptions", create, nil, b.createSubscription),
		panelbox.Op("GET /orgs/{org}/subscriptions/{id}", nil, nil, b.readSubscription),
		panelbox.Op("PATCH /orgs/{org}/subscriptions/{id}", change, nil, b.changeSubscription),
		panelbox.Op("DELETE /orgs/{org}/subscriptions/{id}", nil, panelbox.Schema{"force": panelbox.YesNo}, b.deleteSubscription),
		panelbox.Op("GET /orgs/{org}/subscriptions/{id}/bandwidth", nil, panelbox.Schema{"refreshCache": panelbox.YesNo}, b.bandwidth),
	}
}

func (b *Box) subObject(s *subscription) map[string]any {
	var all []any
	for _, name := range resources {
		r := map[string]any{"name": name, "usage": b.used(s, name)}
		if total, limited := s.plan.total[name]; limited {
			r["total"] = total
		}
		all = append(all, r)
	}
	out := map[string]any{
		"id": s.id, "planId": s.plan.id, "planName": s.plan.name, "subscriberId": s.org.id, "vendorId": SellerID, "status": s.status, "resources": all, "allowances": []any{}, "selections": []any{},
		"planType": "shared", "allowedPhpVersions": []any{"php83"}, "defaultPhpVersion": "php83", "redisAllowed": false, "friendlyName": s.name, "persistentAppsAllowed": false,
	}
	if s.suspended {
		out["suspendedBy"] = SellerID
	}
	return out
}

// listSubscriptions shows deleted ones too.
func (b *Box) listSubscriptions(c panelbox.Call) (int, any, *panelbox.Failure) {
	o, fail := b.orgOf(c, "customer")
	if fail != nil {
		return 0, nil, fail
	}
	var list []any
	for _, id := range slices.Sorted(maps.Keys(b.subs)) {
		if s := b.subs[id]; s.org == o {
			list = append(list, b.subObject(s))
		}
	}
	return http.StatusOK, items(c, list), nil
}

func (b *Box) createSubscription(c panelbox.Call) (int, any, *panelbox.Failure) {
	o, fail := b.orgOf(c, "customer")
	if fail != nil {
		return 0, nil, fail
	}
	p := findPlan(c.Body.Whole("planId"))
	if p == nil {
		return 0, nil, missing("plan")
	}
	s := &subscription{id: 500 + b.ids.Next("subscription"), org: o, plan: p, name: c.Body.Text("friendlyName"), status: active, usage: map[string]int64{}, made: b.opts.Now()}
	b.subs[s.id] = s
	b.made++
	return http.StatusCreated, map[string]any{"id": s.id}, nil
}

// subOf is the subscription of a path.
func (b *Box) subOf(c panelbox.Call) (*subscription, *panelbox.Failure) {
	o, fail := b.orgOf(c, "org")
	if fail != nil {
		return nil, fail
	}
	s := b.subs[c.ID("id")]
	if s == nil || s.org != o {
		return nil, missing("subscription")
	}
	return s, nil
}

func (b *Box) readSubscription(c panelbox.Call) (int, any, *panelbox.Failure) {
	s, fail := b.subOf(c)
	if fail != nil {
		return 0, nil, fail
	}
	return http.StatusOK, b.subObject(s), nil
}

func (b *Box) changeSubscription(c panelbox.Call) (int, any, *panelbox.Failure) {
	s, fail := b.subOf(c)
	if fail != nil {
		return 0, nil, fail
	}
	if c.Body.Has("planId") {
		p := findPlan(c.Body.Whole("planId"))
		if p == nil {
			return 0, nil, missing("plan")
		}
		s.plan = p
	}
	if c.Body.Has("isSuspended") {
		s.suspended = c.Body.Is("isSuspended")
	}
	if name := c.Body.Text("friendlyName"); name != "" {
		s.name = name
	}
	if c.Body.Text("status") == active {
		s.status = active
	}
	return http.StatusNoContent, nil, nil
}

func (b *Box) deleteSubscription(c panelbox.Call) (int, any, *panelbox.Failure) {
	s, fail := b.subOf(c)
	switch {
	case fail != nil:
		return 0, nil, fail
	case c.Is("force"):
		b.drop(s)
	default:
		b.remove(s)
	}
	return http.StatusNoContent, nil, nil
}

func (b *Box) bandwidth(c panelbox.Call) (int, any, *panelbox.Failure) {
	s, fail := b.subOf(c)
	if fail != nil {
		return 0, nil, fail
	}
	return http.StatusOK, b.used(s, "transfer"), nil
}
