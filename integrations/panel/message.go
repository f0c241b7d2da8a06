package panel

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Message finds the first text of an error body under the first of the names that
// has one, in whatever lists and objects it lies. Anything else, an HTML page or
// nothing, gives "".
func Message(body []byte, names ...string) string {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return ""
	}
	for _, name := range names {
		var v any
		if len(fields[name]) == 0 || json.Unmarshal(fields[name], &v) != nil {
			continue
		}
		if s := firstText(v, 4); s != "" {
			return Clean(s)
		}
	}
	return ""
}

// firstText finds the first text in nested lists and objects, the latter by
// sorted key so that the same body gives the same message.
func firstText(v any, depth int) string {
	if depth == 0 {
		return ""
	}
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v)
	case []any:
		for _, item := range v {
			if s := firstText(item, depth-1); s != "" {
				return s
			}
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if s := firstText(v[k], depth-1); s != "" {
				return s
			}
		}
	}
	return ""
}
