package pterobox

import (
	"cmp"
	"strconv"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

// The parameters of paged lists, of lists that can be searched, and of items.
var (
	including = panelbox.Schema{"include": panelbox.Str}
	paging    = panelbox.Schema{"page": panelbox.Whole, "per_page": panelbox.Whole, "include": panelbox.Str}
)

// paged cuts a page out of a list and wraps it as the panel does; links are an
// empty array where there is one page.
func (b *Box) paged(c panelbox.Call, list []any) any {
	size, _ := strconv.Atoi(cmp.Or(c.Query.Get("per_page"), "50"))
	page, _ := strconv.Atoi(cmp.Or(c.Query.Get("page"), "1"))
	part, last := panelbox.Page(list, page, size)
	links := any([]any{})
	if page < last {
		links = map[string]any{"next": b.opts.PanelURL + c.R.URL.Path + "?page=" + strconv.Itoa(page+1)}
	}
	out := listOf(part)
	out["meta"] = map[string]any{"pagination": map[string]any{
		"total": len(list), "count": len(part), "per_page": size, "current_page": page, "total_pages": last, "links": links,
	}}
	return out
}
