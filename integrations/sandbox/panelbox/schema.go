package panelbox

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

// maxBody bounds a request in bytes.
const maxBody = 1 << 20

// Kind is a documented type of a field.
type Kind int

// The kinds. Of a query parameter they are the meaning of its text.
const (
	Whole    Kind = iota // integer
	PageSize             // integer, 1 to 200
	Decimal              // number
	Str                  // string
	YesNo                // boolean
	Wholes               // array of integers
	Strs                 // array of strings
	Object               // object of texts, numbers and booleans
	Any                  // a number or a string
)

// Added to the kind of a field.
const (
	Required Kind = 64  // there, neither null nor empty
	Present  Kind = 128 // there
	Nullable Kind = 256 // may be null
	kinds    Kind = 63
)

// Schema names the fields of a request, nested ones with dots.
type Schema map[string]Kind

// Fields are the checked values of a body by dotted name: float64, string, bool,
// []any or map[string]any.
type Fields map[string]any

// Text is a text, "" where there is none.
func (f Fields) Text(name string) string {
	s, _ := f[name].(string)
	return s
}

// Whole is an integer, 0 where there is none.
func (f Fields) Whole(name string) int64 { return f.Count(name, 0) }

// Count is an integer, and what stands for none.
func (f Fields) Count(name string, byDefault int64) int64 {
	if n, ok := f[name].(float64); ok {
		return int64(n)
	}
	return byDefault
}

// Is says whether a boolean is true.
func (f Fields) Is(name string) bool {
	v, _ := f[name].(bool)
	return v
}

// List is an array.
func (f Fields) List(name string) []any {
	v, _ := f[name].([]any)
	return v
}

// Has says whether a field came, be it null.
func (f Fields) Has(name string) bool {
	_, there := f[name]
	return there
}

// Malformed says that a body is no JSON object.
const Malformed = "The body is not a JSON object."

// Dialect is how a vendor refuses what it cannot read.
type Dialect struct {
	NoRoute *Failure
	// BadBody refuses a body that cannot be read; why is a sentence, Malformed for
	// what is no JSON object.
	BadBody func(why string) *Failure
	// BadQuery refuses a query parameter that is not known, or not of its kind.
	BadQuery func(name string, known bool, kind Kind) *Failure
	// Broken refuses a field: rule is "unknown", "type", "required" or "present",
	// and kind what the field must be.
	Broken func(field, rule string, kind Kind) *Failure
	// Trim takes blanks off texts, as Laravel's middleware does.
	Trim bool
}

// readBody decodes a JSON object and checks it. A field that the vendor does not
// document is refused, though the vendor may ignore it: a wrong name must not pass.
func (d Dialect) readBody(r *http.Request, want Schema) (Fields, *Failure) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(raw) > maxBody {
		return nil, d.BadBody("The body cannot be read or is too long.")
	}
	got := Fields{}
	if want == nil {
		if len(raw) > 0 {
			return nil, d.BadBody("This operation takes no body.")
		}
		return got, nil
	}
	if mime, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); mime != "application/json" {
		return nil, d.BadBody("The Content-Type must be application/json.")
	}
	tree := map[string]any{}
	if err := json.Unmarshal(raw, &tree); err != nil || tree == nil {
		return nil, d.BadBody(Malformed)
	}
	d.flatten("", tree, want, got)
	return got, d.check(got, want)
}

// flatten puts nested objects under dotted names, those apart that are values.
func (d Dialect) flatten(prefix string, tree map[string]any, want Schema, into Fields) {
	for name, v := range tree {
		full := prefix + name
		nested, isObject := v.(map[string]any)
		if k, known := want[full]; isObject && (!known || k&kinds != Object) {
			d.flatten(full+".", nested, want, into)
			continue
		}
		if s, isText := v.(string); isText && d.Trim {
			v = strings.TrimSpace(s)
		}
		into[full] = v
	}
}

func (d Dialect) check(got Fields, want Schema) *Failure {
	for _, name := range slices.Sorted(maps.Keys(got)) {
		k, known := want[name]
		v := got[name]
		switch {
		case !known:
			return d.Broken(name, "unknown", 0)
		case v == nil && k&Nullable != 0:
		case k&Required != 0 && (v == nil || v == ""):
			return d.Broken(name, "required", k&kinds)
		case !fits(v, k&kinds):
			return d.Broken(name, "type", k&kinds)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		k := want[name]
		if k&(Required|Present) == 0 || got.Has(name) {
			continue
		}
		return d.Broken(name, map[bool]string{true: "required", false: "present"}[k&Required != 0], k&kinds)
	}
	return nil
}

func fits(v any, k Kind) bool {
	switch k {
	case Whole:
		n, ok := v.(float64)
		return ok && n == math.Trunc(n) && math.Abs(n) < 1<<53
	case Decimal:
		_, ok := v.(float64)
		return ok
	case Str:
		_, ok := v.(string)
		return ok
	case YesNo:
		_, ok := v.(bool)
		return ok
	case Any:
		return fits(v, Str) || fits(v, Whole)
	case Wholes, Strs:
		list, ok := v.([]any)
		of := map[Kind]Kind{Wholes: Whole, Strs: Str}[k]
		return ok && !slices.ContainsFunc(list, func(x any) bool { return !fits(x, of) })
	case Object:
		return isFlat(v)
	case PageSize, Required, Present, Nullable, kinds: // of a query, or no kinds
	}
	return false
}

func isFlat(v any) bool {
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

func (d Dialect) checkQuery(q url.Values, want Schema) *Failure {
	for _, name := range slices.Sorted(maps.Keys(q)) {
		k, known := want[name]
		if !known {
			return d.BadQuery(name, false, 0)
		}
		n, err := strconv.Atoi(q.Get(name))
		switch {
		case k == Whole && (err != nil || n < 0), k == PageSize && (err != nil || n < 1 || n > 200), k == YesNo && q.Get(name) != "true" && q.Get(name) != "false":
			return d.BadQuery(name, true, k)
		}
	}
	return nil
}

// Page cuts a page out of a list; the first is 1, and one past the end is empty.
func Page(list []any, page, size int) (part []any, last int) {
	size, page = max(size, 1), max(page, 1)
	last = max((len(list)+size-1)/size, 1)
	from := len(list)
	if page <= last {
		from = (page - 1) * size
	}
	return append([]any{}, list[from:min(from+size, len(list))]...), last
}
