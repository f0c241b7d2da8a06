package virtbox

import (
	"cmp"
	"strconv"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

// paging are the parameters of a paged list.
var paging = panelbox.Schema{"results": panelbox.PageSize, "page": panelbox.Whole}

// paged cuts a page out of a list and wraps it in the vendor's flat paginator.
func (b *Box) paged(c panelbox.Call, list []any) any {
	size, _ := strconv.Atoi(cmp.Or(c.Query.Get("results"), "20"))
	page, _ := strconv.Atoi(cmp.Or(c.Query.Get("page"), "1"))
	page = max(page, 1)
	part, last := panelbox.Page(list, page, size)
	path := b.opts.PanelURL + c.R.URL.Path
	link := func(n int) any {
		if n < 1 || n > last {
			return nil
		}
		return path + "?results=" + strconv.Itoa(size) + "&page=" + strconv.Itoa(n)
	}
	out := map[string]any{
		"current_page": page, "data": part, "first_page_url": link(1), "from": nil, "last_page": last,
		"last_page_url": link(last), "links": []any{}, "next_page_url": link(page + 1), "path": path, "per_page": size,
		"prev_page_url": link(page - 1), "to": nil, "total": len(list),
	}
	if len(part) > 0 {
		from := (page - 1) * size
		out["from"], out["to"] = from+1, from+len(part)
	}
	return out
}
