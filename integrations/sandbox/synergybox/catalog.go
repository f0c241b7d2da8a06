package synergybox

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

// paging are the parameters of a paged list.
var paging = panelbox.Schema{"page": panelbox.Whole, "per_page": panelbox.Whole}

func (b *Box) catalogEndpoints() []panelbox.Endpoint {
	return []panelbox.Endpoint{
		panelbox.Op("GET /part", nil, panelbox.Schema{"part_type": panelbox.Str, "page": panelbox.Whole, "per_page": panelbox.Whole}, b.listParts),
		panelbox.Op("GET /group", nil, paging, b.listGroups),
		panelbox.Op("GET /port-speed", nil, paging, b.listSpeeds),
		panelbox.Op("GET /pxe/profile", nil, paging, b.listProfiles),
		panelbox.Op("GET /entity", nil, panelbox.Schema{
			"group[billing][]": panelbox.Str, "billing_id": panelbox.Str, "server": panelbox.Str, "include_pool_ips": panelbox.YesNo, "page": panelbox.Whole, "per_page": panelbox.Whole,
		}, b.listEntities),
	}
}

func named(id int64, billing, name string) map[string]any {
	return map[string]any{"id": id, "billing_id": billing, "name": name}
}

func (b *Box) listParts(c panelbox.Call) (int, any, *panelbox.Failure) {
	var list []any
	for _, p := range parts() {
		if c.Query.Get("part_type") == p.kind {
			list = append(list, named(p.id, p.billing, p.name))
		}
	}
	return http.StatusOK, data(page(c, list)), nil
}

func (b *Box) listGroups(c panelbox.Call) (int, any, *panelbox.Failure) {
	var list []any
	for _, g := range groupList {
		list = append(list, named(g.id, g.billing, g.name))
	}
	return http.StatusOK, data(page(c, list)), nil
}

func (b *Box) listSpeeds(c panelbox.Call) (int, any, *panelbox.Failure) {
	var list []any
	for _, s := range speedList {
		list = append(list, named(s.id, s.billing, s.name))
	}
	return http.StatusOK, data(page(c, list)), nil
}

func (b *Box) listProfiles(c panelbox.Call) (int, any, *panelbox.Failure) {
	var list []any
	for _, p := range profileList {
		list = append(list, named(p.id, p.billing, p.name))
	}
	return http.StatusOK, data(page(c, list)), nil
}

// listEntities finds free ones ("none") or those of a server.
func (b *Box) listEntities(c panelbox.Call) (int, any, *panelbox.Failure) {
	q := c.Query
	var list []any
	for _, e := range b.entities {
		switch of := q.Get("server"); {
		case of == "none" && !b.free(e), of != "none" && of != "" && strconv.FormatInt(e.server, 10) != of:
			continue
		}
		if groups := q["group[billing][]"]; len(groups) > 0 && !slices.Contains(groups, e.group.billing) || q.Has("billing_id") && q.Get("billing_id") != e.billing {
			continue
		}
		list = append(list, e.object())
	}
	return http.StatusOK, data(page(c, list)), nil
}
