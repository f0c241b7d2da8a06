package panel

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// The JSON of panels comes from PHP: numbers may be text, an empty object may be
// [], a missing one false. The types below take what they can use and leave the
// rest unset, so that an odd field never hides the ones we need.

// Number is a JSON number, a text holding one, or a boolean; null and all else is
// unset.
type Number struct {
	Value float64
	OK    bool
}

// UnmarshalJSON never fails: what is no finite number is unset.
func (n *Number) UnmarshalJSON(raw []byte) error {
	*n = Number{}
	s := strings.Trim(string(raw), "\" \t\r\n")
	switch s {
	case "true":
		*n = Number{1, true}
		return nil
	case "false":
		*n = Number{0, raw[0] != '"'}
		return nil
	}
	if v, err := strconv.ParseFloat(s, 64); err == nil && !math.IsInf(v, 0) && !math.IsNaN(v) {
		*n = Number{v, true}
	}
	return nil
}

// ID returns a positive whole number as text, or "" for anything else.
func (n Number) ID() string {
	if !n.OK || n.Value < 1 || n.Value > 1<<53 || n.Value != math.Trunc(n.Value) {
		return ""
	}
	return strconv.FormatInt(int64(n.Value), 10)
}

// Whole is the value without its fraction, and what stands for unset.
func (n Number) Whole(unset int64) int64 {
	if !n.OK || math.Abs(n.Value) > 1<<53 {
		return unset
	}
	return int64(n.Value)
}

// Times returns the value times unit, between 0 and 2^62, or -1 when unset.
func (n Number) Times(unit int64) int64 {
	if !n.OK || n.Value < 0 {
		return -1
	}
	return int64(min(n.Value*float64(unit), 1<<62))
}

// Flag is a JSON boolean, 0 or 1, or a text holding one of these.
type Flag bool

// UnmarshalJSON never fails: what is not true is false.
func (f *Flag) UnmarshalJSON(raw []byte) error {
	s := strings.Trim(string(raw), "\" \t\r\n")
	*f = s == "true" || s == "1"
	return nil
}

// Text is a JSON string or number; anything else is "".
type Text string

// UnmarshalJSON never fails: what is neither text nor number is "".
func (t *Text) UnmarshalJSON(raw []byte) error {
	*t = ""
	var s string
	if json.Unmarshal(raw, &s) == nil {
		*t = Text(s)
	} else if c := raw[0]; c == '-' || '0' <= c && c <= '9' {
		*t = Text(raw)
	}
	return nil
}

// Maybe is an object that may come as false, null or [] when it is empty.
type Maybe[T any] struct{ V T }

// UnmarshalJSON never fails: what is no object is empty.
func (m *Maybe[T]) UnmarshalJSON(raw []byte) error {
	*m = Maybe[T]{}
	if raw[0] == '{' {
		_ = json.Unmarshal(raw, &m.V) // an odd part stays unset
	}
	return nil
}

// Many is a list that may come as an object keyed by anything, or as nothing.
type Many[T any] []T

// UnmarshalJSON never fails: entries that do not decode are left out.
func (m *Many[T]) UnmarshalJSON(raw []byte) error {
	*m = nil
	for _, part := range elements(raw) {
		var item T
		if bytes.Equal(part, []byte("null")) || json.Unmarshal(part, &item) != nil {
			continue
		}
		*m = append(*m, item)
	}
	return nil
}

// WholeList decodes a list of which no entry may be missing: what is absent from
// it is taken for absent at the panel. ok is false for anything but a list (or an
// object of entries, PHP's list with gaps) whose every entry is an object and
// decodes.
func WholeList[T any](raw json.RawMessage) (list []T, ok bool) {
	if len(raw) == 0 || raw[0] != '[' && raw[0] != '{' {
		return nil, false
	}
	for _, part := range elements(raw) {
		var item T
		if part[0] != '{' || json.Unmarshal(part, &item) != nil {
			return nil, false
		}
		list = append(list, item)
	}
	return list, true
}

// elements splits a JSON list, or an object into its values by sorted key.
func elements(raw json.RawMessage) []json.RawMessage {
	var parts []json.RawMessage
	switch raw[0] {
	case '[':
		_ = json.Unmarshal(raw, &parts) // raw has been parsed once, so this succeeds
	case '{':
		var keyed map[string]json.RawMessage
		_ = json.Unmarshal(raw, &keyed)
		for _, k := range slices.Sorted(maps.Keys(keyed)) {
			parts = append(parts, keyed[k])
		}
	}
	return parts
}
