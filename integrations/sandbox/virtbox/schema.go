package virtbox

import (
	"encoding/json"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// kind is a documented type of a field.
type kind int

const (
	whole   kind = iota // integer
	decimal             // number
	str                 // string
	yesNo               // boolean
	wholes              // array of integers
)

// required is added to the kind of a field that must be there.
const required = 64

// schema names the fields of an operation and their types.
type schema map[string]kind

// fields are the checked values of a body: float64, string, bool or []any.
type fields map[string]any

func (f fields) text(name string) string {
	s, _ := f[name].(string)
	return s
}

func (f fields) whole(name string) int64 {
	n, _ := f[name].(float64)
	return int64(n)
}

func (f fields) is(name string) bool {
	v, _ := f[name].(bool)
	return v
}

// readBody decodes a JSON object and checks it against the documented fields.
// A field that the document lacks is refused: a wrong name must not pass.
func readBody(r *http.Request, want schema) (fields, *failure) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(raw) > maxBody {
		return nil, refused("the body cannot be read or is too long")
	}
	got := fields{}
	if want == nil {
		if len(raw) > 0 {
			return nil, refused("this operation takes no body")
		}
		return got, nil
	}
	if mime, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); mime != "application/json" {
		return nil, refused("the Content-Type must be application/json")
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		return nil, refused("the body is not a JSON object")
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		k, known := want[name]
		if !known {
			return nil, refused("The field %s is not known.", name)
		}
		if !fits(got[name], k&^required) {
			return nil, refused("The field %s has the wrong type.", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if _, there := got[name]; want[name]&required != 0 && !there {
			return nil, refused("The %s field is required.", name)
		}
	}
	return got, nil
}

func fits(v any, k kind) bool {
	switch k {
	case whole:
		n, ok := v.(float64)
		return ok && n == math.Trunc(n) && math.Abs(n) < 1<<53
	case decimal:
		_, ok := v.(float64)
		return ok
	case str:
		_, ok := v.(string)
		return ok
	case yesNo:
		_, ok := v.(bool)
		return ok
	case wholes:
		list, ok := v.([]any)
		return ok && !slices.ContainsFunc(list, func(x any) bool { return !fits(x, whole) })
	}
	return false
}

func checkQuery(q url.Values, want schema) *failure {
	for _, name := range slices.Sorted(maps.Keys(q)) {
		k, known := want[name]
		if !known {
			return refused("The query parameter %s is not known.", name)
		}
		v := q.Get(name)
		switch k {
		case whole:
			n, err := strconv.Atoi(v)
			if err != nil || n < 0 || name == "results" && (n < 1 || n > 200) {
				return refused("The query parameter %s is invalid.", name)
			}
		case yesNo:
			if v != "true" && v != "false" {
				return refused("The query parameter %s must be true or false.", name)
			}
		default: // any text
		}
	}
	return nil
}

// paging are the parameters of a paged list.
var paging = schema{"results": whole, "page": whole}

// paged cuts a page out of a list and wraps it in the vendor's flat paginator.
func (b *Box) paged(c call, list []any) any {
	size, page := 20, 1
	if n, err := strconv.Atoi(c.query.Get("results")); err == nil {
		size = n
	}
	if n, err := strconv.Atoi(c.query.Get("page")); err == nil {
		page = max(n, 1)
	}
	last := max((len(list)+size-1)/size, 1)
	from := min((min(page, last+1)-1)*size, len(list)) // a page past the end is empty
	to := min(from+size, len(list))
	path := b.opts.PanelURL + c.r.URL.Path
	link := func(n int) any {
		if n < 1 || n > last {
			return nil
		}
		return path + "?results=" + strconv.Itoa(size) + "&page=" + strconv.Itoa(n)
	}
	out := map[string]any{
		"current_page": page, "data": append([]any{}, list[from:to]...), "first_page_url": link(1), "from": nil, "last_page": last,
		"last_page_url": link(last), "links": []any{}, "next_page_url": link(page + 1), "path": path, "per_page": size,
		"prev_page_url": link(page - 1), "to": nil, "total": len(list),
	}
	if to > from {
		out["from"], out["to"] = from+1, to
	}
	return out
}
