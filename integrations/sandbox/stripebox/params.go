package stripebox

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// spec lists the parameters of an endpoint: "a[b]" is a nested one, "[#]" an
// index of a list and "[*]" a free key. What is not listed is refused.
type spec map[string]param

// param says what a parameter may hold.
type param struct {
	kind     kind
	required bool
	enum     []string
	max      int // characters; 0 is Stripe's general 5000
}

type kind int

const (
	text kind = iota
	integer
	boolean
)

func required(p param) param { p.required = true; return p }

func oneOf(values ...string) param { return param{enum: values} }

func merged(specs ...spec) spec {
	all := spec{}
	for _, s := range specs {
		for name, p := range s {
			all[name] = p
		}
	}
	return all
}

// form holds the parameters of one request by their full name.
type form map[string]string

func (f form) str(name string) string { return f[name] }
func (f form) has(name string) bool   { _, ok := f[name]; return ok }
func (f form) yes(name string) bool   { return f[name] == "true" }
func (f form) num(name string) int64  { n, _ := strconv.ParseInt(f[name], 10, 64); return n }

// under returns the entries of a free-key parameter such as metadata.
func (f form) under(name string) map[string]string {
	out := map[string]string{}
	for key, value := range f {
		if rest, ok := strings.CutPrefix(key, name+"["); ok && value != "" {
			out[strings.TrimSuffix(rest, "]")] = value
		}
	}
	return out
}

// list returns the values of a list parameter in the order of their indexes.
func (f form) list(name string) []string {
	keys := []string{}
	for key := range f {
		if strings.HasPrefix(key, name+"[") {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	out := make([]string, 0, len(keys))
	for _, key := range keys {
		out = append(out, f[key])
	}
	return out
}

// canonical writes the parameters in one order, to compare requests.
func (f form) canonical() string {
	v := url.Values{}
	for key, value := range f {
		v.Set(key, value)
	}
	return v.Encode()
}

// readForm reads the parameters: the query of a GET, the form body otherwise.
func readForm(r *http.Request) (form, *apiError) {
	raw := r.URL.RawQuery
	if r.Method != http.MethodGet {
		media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			return nil, invalid("", "", "The request body could not be read.")
		}
		if len(body) > 0 && strings.TrimSpace(media) != "application/x-www-form-urlencoded" {
			return nil, invalid("", "", "Invalid request: send the parameters as application/x-www-form-urlencoded, not %s.", media)
		}
		raw = string(body)
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, invalid("", "", "Invalid request: the parameters are not form-encoded.")
	}
	f := form{}
	for key, all := range values {
		for i, value := range all {
			if name, listed := strings.CutSuffix(key, "[]"); listed {
				f[name+"["+strconv.Itoa(i)+"]"] = value
			} else if i == 0 {
				f[key] = value
			} else {
				return nil, invalid(key, "", "Invalid request: %s is given twice.", key)
			}
		}
	}
	return f, nil
}

var (
	indexPart = regexp.MustCompile(`\[\d+\]`)
	freePart  = regexp.MustCompile(`(^|\[)metadata(\]?)\[[^\[\]]+\]`)
)

func pattern(name string) string {
	return indexPart.ReplaceAllString(freePart.ReplaceAllString(name, "${1}metadata${2}[*]"), "[#]")
}

// check compares the parameters with the spec.
func (s spec) check(f form) *apiError {
	names := make([]string, 0, len(f))
	for name := range f {
		names = append(names, name)
	}
	sort.Strings(names)
	given := map[string]bool{}
	for _, name := range names {
		p, known := s[pattern(name)]
		if !known {
			return invalid(name, "parameter_unknown", "Received unknown parameter: %s", name)
		}
		given[pattern(name)] = true
		if err := p.check(name, f[name]); err != nil {
			return err
		}
	}
	return s.checkMissing(given)
}

func (s spec) checkMissing(given map[string]bool) *apiError {
	missing := []string{}
	for name, p := range s {
		if p.required && !given[name] {
			missing = append(missing, strings.ReplaceAll(name, "[#]", "[0]"))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	sort.Strings(missing)
	return invalid(missing[0], "parameter_missing", "Missing required param: %s.", missing[0])
}

func (p param) check(name, value string) *apiError {
	limit := p.max
	if limit == 0 {
		limit = 5000
	}
	if strings.Contains(name, "metadata[") {
		return checkMetadata(name, value)
	}
	switch {
	case value == "" && !slices.Contains(p.enum, ""): // an empty value unsets what can be unset
		return invalid(name, "parameter_invalid_empty", "You passed an empty string for '%s'. We assume empty values are an attempt to unset a parameter; however '%s' cannot be unset. You should remove '%s' from your request or supply a non-empty value.", name, name, name)
	case len(value) > limit:
		return invalid(name, "parameter_invalid_string_length", "Invalid string: must be at most %d characters", limit)
	case len(p.enum) > 0 && !slices.Contains(p.enum, value):
		return invalid(name, "", "Invalid %s: must be one of %s", name, strings.Join(p.enum, ", "))
	case p.kind == boolean && value != "true" && value != "false":
		return invalid(name, "", "Invalid boolean: %s", value)
	case p.kind == integer:
		if _, err := strconv.ParseInt(value, 10, 64); err != nil {
			return invalid(name, "parameter_invalid_integer", "Invalid integer: %s", value)
		}
	}
	return nil
}

// checkMetadata applies Stripe's limits: keys of 40 and values of 500 characters.
func checkMetadata(name, value string) *apiError {
	key := strings.TrimSuffix(name[strings.LastIndex(name, "[")+1:], "]")
	if len(key) > 40 {
		return invalid(name, "", "Metadata keys must be at most 40 characters.")
	}
	if len(value) > 500 {
		return invalid(name, "", "Metadata values can have up to 500 characters, but you passed in a value that is %d characters.", len(value))
	}
	return nil
}
