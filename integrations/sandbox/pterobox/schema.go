package pterobox

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

// kind is the type that a rule asks for.
type kind int

const (
	whole  kind = iota // integer
	str                // string
	yesNo              // boolean
	wholes             // array of integers
	strs               // array of strings
	object             // object of texts, numbers and booleans
)

// Added to the kind of a field.
const (
	required = 64  // there, neither null nor empty
	present  = 128 // there
	nullable = 256 // may be null
)

// schema names the fields of a request, nested ones with dots.
type schema map[string]kind

// fields are the checked values of a body by dotted name.
type fields map[string]any

func (f fields) text(name string) string {
	s, _ := f[name].(string)
	return s
}

func (f fields) whole(name string) int64 {
	n, _ := f[name].(float64)
	return int64(n)
}

// count is whole, and what null is stored as.
func (f fields) count(name string, byDefault int64) int64 {
	if n, ok := f[name].(float64); ok {
		return int64(n)
	}
	return byDefault
}

func (f fields) is(name string) bool {
	v, _ := f[name].(bool)
	return v
}

func (f fields) list(name string) []any {
	v, _ := f[name].([]any)
	return v
}

func (f fields) has(name string) bool {
	_, there := f[name]
	return there
}

// readBody decodes a JSON object and checks it. A field that the panel's request
// lacks is refused, though the panel ignores it: a wrong name must not pass.
func readBody(r *http.Request, want schema) (fields, *failure) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(raw) > maxBody {
		return nil, told(http.StatusBadRequest, "BadRequestHttpException", "The body cannot be read or is too long.")
	}
	got := fields{}
	if want == nil {
		if len(raw) > 0 {
			return nil, invalid("body", "prohibited", "This call takes no body.")
		}
		return got, nil
	}
	if mime, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); mime != "application/json" {
		return nil, told(http.StatusBadRequest, "BadRequestHttpException", "The Content-Type must be application/json.")
	}
	tree := map[string]any{}
	if err := json.Unmarshal(raw, &tree); err != nil || tree == nil {
		return nil, told(http.StatusBadRequest, "BadRequestHttpException", "The JSON data passed in the request appears to be malformed.")
	}
	flatten("", tree, want, got)
	return got, check(got, want)
}

// flatten puts nested objects under dotted names, those apart that are values.
func flatten(prefix string, tree map[string]any, want schema, into fields) {
	for name, v := range tree {
		full := prefix + name
		nested, isObject := v.(map[string]any)
		if k, known := want[full]; isObject && (!known || k&^(required|present|nullable) != object) {
			flatten(full+".", nested, want, into)
			continue
		}
		if s, isText := v.(string); isText {
			v = strings.TrimSpace(s) // as the panel does with all it is sent
		}
		into[full] = v
	}
}

func check(got fields, want schema) *failure {
	for _, name := range slices.Sorted(maps.Keys(got)) {
		k, known := want[name]
		if !known {
			return invalid(name, "prohibited", "The "+name+" field is not known.")
		}
		v := got[name]
		if v == nil && k&nullable != 0 {
			continue
		}
		if v == nil && k&required != 0 || v == "" && k&required != 0 {
			return invalid(name, "required", "The "+name+" field is required.")
		}
		if !fits(v, k&^(required|present|nullable)) {
			return invalid(name, rules[k&^(required|present|nullable)], "The "+name+" field has the wrong type.")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if want[name]&(required|present) != 0 && !got.has(name) {
			rule := map[bool]string{true: "required", false: "present"}[want[name]&required != 0]
			return invalid(name, rule, "The "+name+" field must be "+rule+".")
		}
	}
	return nil
}

var rules = map[kind]string{whole: "integer", str: "string", yesNo: "boolean", wholes: "array", strs: "array", object: "array"}

func fits(v any, k kind) bool {
	switch k {
	case whole:
		n, ok := v.(float64)
		return ok && n == math.Trunc(n) && math.Abs(n) < 1<<53
	case str:
		_, ok := v.(string)
		return ok
	case yesNo:
		_, ok := v.(bool)
		return ok
	case wholes, strs:
		list, ok := v.([]any)
		of := map[kind]kind{wholes: whole, strs: str}[k]
		return ok && !slices.ContainsFunc(list, func(x any) bool { return !fits(x, of) })
	case object:
		m, ok := v.(map[string]any)
		for _, x := range m {
			switch x.(type) {
			case string, float64, bool, nil:
			default:
				return false
			}
		}
		return ok
	}
	return false
}

// The parameters of paged lists, of lists that can be searched, and of items.
var (
	including = schema{"include": str}
	paging    = schema{"page": whole, "per_page": whole, "include": str}
)

func checkQuery(q url.Values, want schema) *failure {
	for _, name := range slices.Sorted(maps.Keys(q)) {
		k, known := want[name]
		if !known {
			return told(http.StatusBadRequest, "BadRequestHttpException", "The query parameter "+name+" is not allowed.")
		}
		if n, err := strconv.Atoi(q.Get(name)); k == whole && (err != nil || n < 1) {
			return invalid(name, "integer", "The "+name+" must be a whole number.")
		}
	}
	return nil
}

// paged cuts a page out of a list and wraps it as the panel does; links are an
// empty array where there is one page.
func (b *Box) paged(c call, list []any) any {
	size, page := 50, 1
	if n, err := strconv.Atoi(c.query.Get("per_page")); err == nil {
		size = n
	}
	if n, err := strconv.Atoi(c.query.Get("page")); err == nil {
		page = n
	}
	last := max((len(list)+size-1)/size, 1)
	from := min((min(page, last+1)-1)*size, len(list)) // a page past the end is empty
	to := min(from+size, len(list))
	links := any([]any{})
	if page < last {
		links = map[string]any{"next": b.opts.PanelURL + c.r.URL.Path + "?page=" + strconv.Itoa(page+1)}
	}
	out := listOf(list[from:to])
	out["meta"] = map[string]any{"pagination": map[string]any{
		"total": len(list), "count": to - from, "per_page": size, "current_page": page, "total_pages": last, "links": links,
	}}
	return out
}
