package paypalbox

import (
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// spec lists the members of a body by path: "a.b" is a nested one, "a[].b" one of
// a list's items. PayPal passes over members it does not know; the sandbox
// refuses them, as they are misspelled ones.
type spec map[string]rule

// rule says what a member may hold; the zero value is a text of 1 to 127
// characters.
type rule struct {
	kind     kind
	required bool // where its parent is there
	max      int
	shape    *regexp.Regexp
	enum     []string
}

type kind int

const (
	text kind = iota
	boolean
	list  // of objects
	group // an object
	other // anything: checked by the call
)

func must(r rule) rule { r.required = true; return r }

func oneOf(values ...string) rule { return rule{enum: values, max: 255} }

func merged(specs ...spec) spec {
	all := spec{}
	for _, s := range specs {
		for path, r := range s {
			all[path] = r
		}
	}
	return all
}

// under puts a spec below a path.
func under(path string, r rule, s spec) spec {
	out := spec{path: r}
	for p, r := range s {
		if strings.HasPrefix(p, "[") {
			out[path+p] = r
		} else {
			out[path+"."+p] = r
		}
	}
	return out
}

// check compares a body with the spec. pointer is where it stands, such as
// "/purchase_units/0"; path is the same in the spec's terms.
func (s spec) check(v object, path, pointer string) *apiError {
	names := make([]string, 0, len(v))
	for name := range v {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		at := strings.TrimPrefix(path+"."+name, ".")
		r, known := s[at]
		if !known {
			return invalid(pointer+"/"+name, "INVALID_PARAMETER_SYNTAX", "The sandbox knows no member %s.", at)
		}
		if err := s.member(r, v[name], at, pointer+"/"+name); err != nil {
			return err
		}
	}
	return s.missing(v, path, pointer)
}

func (s spec) missing(v object, path, pointer string) *apiError {
	lacks := []string{}
	for at, r := range s {
		parent, name := "", at
		if i := strings.LastIndex(at, "."); i >= 0 {
			parent, name = at[:i], at[i+1:]
		}
		if _, there := v[name]; r.required && parent == path && !there {
			lacks = append(lacks, name)
		}
	}
	if len(lacks) == 0 {
		return nil
	}
	sort.Strings(lacks)
	return invalid(pointer+"/"+lacks[0], "MISSING_REQUIRED_PARAMETER", "A required field or parameter is missing.")
}

func (s spec) member(r rule, v any, path, pointer string) *apiError {
	switch r.kind {
	case other:
		return nil
	case group:
		o, ok := v.(object)
		if !ok {
			return invalid(pointer, "INVALID_PARAMETER_SYNTAX", "An object is expected.")
		}
		return s.check(o, path, pointer)
	case list:
		items, ok := v.([]any)
		if !ok || len(items) == 0 || len(items) > max(r.max, 1) {
			return invalid(pointer, "INVALID_ARRAY_MIN_ITEMS", "A list of 1 to %d items is expected.", max(r.max, 1))
		}
		for i, item := range items {
			o, ok := item.(object)
			if !ok {
				return invalid(pointer+"/"+strconv.Itoa(i), "INVALID_PARAMETER_SYNTAX", "An object is expected.")
			}
			if err := s.check(o, path+"[]", pointer+"/"+strconv.Itoa(i)); err != nil {
				return err
			}
		}
		return nil
	case boolean:
		if _, ok := v.(bool); !ok {
			return invalid(pointer, "INVALID_PARAMETER_SYNTAX", "true or false is expected.")
		}
		return nil
	case text:
	}
	return r.text(v, pointer)
}

func (r rule) text(v any, pointer string) *apiError {
	t, ok := v.(string)
	limit := r.max
	if limit == 0 {
		limit = 127
	}
	switch {
	case !ok:
		return invalid(pointer, "INVALID_PARAMETER_SYNTAX", "A text is expected.")
	case t == "" || len([]rune(t)) > limit:
		return invalid(pointer, "INVALID_STRING_LENGTH", "The value of a field is either too short or too long: 1 to %d characters.", limit)
	case len(r.enum) > 0 && !slices.Contains(r.enum, t):
		return invalid(pointer, "INVALID_PARAMETER_VALUE", "The value must be one of %s.", strings.Join(r.enum, ", "))
	case r.shape != nil && !r.shape.MatchString(t):
		return invalid(pointer, "INVALID_PARAMETER_SYNTAX", "The value of a field does not conform to the expected format.")
	}
	return nil
}

// at reads a member by its path; list items by their number: "a.0.b".
func at(v any, path string) any {
	for part := range strings.SplitSeq(path, ".") {
		switch here := v.(type) {
		case object:
			v = here[part]
		case []any:
			n, err := strconv.Atoi(part)
			if err != nil || n >= len(here) {
				return nil
			}
			v = here[n]
		default:
			return nil
		}
	}
	return v
}

func str(v any, path string) string {
	s, _ := at(v, path).(string)
	return s
}

// Parameters describes the members that each call's body may have, by route. The
// tests hold it against PayPal's published descriptions.
func Parameters() map[string][]string {
	all := map[string][]string{}
	for route, e := range routes() {
		paths := []string{}
		for path, r := range e.body {
			if r.kind == text || r.kind == boolean {
				paths = append(paths, path)
			}
		}
		sort.Strings(paths)
		all[route] = paths
	}
	return all
}
