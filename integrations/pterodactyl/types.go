package pterodactyl

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// The panel's JSON comes from PHP: numbers may be text, an empty object may be
// []. The types below take what they can use and leave the rest unset, so that an
// odd field never hides the ones we need.

// number is a JSON number or a text holding one; null and all else is unset.
type number struct {
	value float64
	ok    bool
}

// UnmarshalJSON never fails: what is no finite number is unset.
func (n *number) UnmarshalJSON(raw []byte) error {
	*n = number{}
	s := strings.Trim(string(raw), "\" \t\r\n")
	if v, err := strconv.ParseFloat(s, 64); err == nil && !math.IsInf(v, 0) && !math.IsNaN(v) {
		*n = number{v, true}
	}
	return nil
}

// id returns a positive whole number as text, or "" for anything else.
func (n number) id() string {
	if !n.ok || n.value < 1 || n.value > 1<<53 || n.value != math.Trunc(n.value) {
		return ""
	}
	return strconv.FormatInt(int64(n.value), 10)
}

// whole is the value without its fraction, and what stands for unset.
func (n number) whole(unset int64) int64 {
	if !n.ok || math.Abs(n.value) > 1<<53 {
		return unset
	}
	return int64(n.value)
}

// times returns the value times unit, between 0 and 2^62, or -1 when unset.
func (n number) times(unit int64) int64 {
	if !n.ok || n.value < 0 {
		return -1
	}
	return int64(min(n.value*float64(unit), 1<<62))
}

// flag is a JSON boolean, 0 or 1, or a text holding one of these.
type flag bool

// UnmarshalJSON never fails: what is not true is false.
func (f *flag) UnmarshalJSON(raw []byte) error {
	s := strings.Trim(string(raw), "\" \t\r\n")
	*f = s == "true" || s == "1"
	return nil
}

// text is a JSON string, number or boolean; anything else is "".
type text string

// UnmarshalJSON never fails: what is neither text nor number is "".
func (t *text) UnmarshalJSON(raw []byte) error {
	*t = ""
	var s string
	if json.Unmarshal(raw, &s) == nil {
		*t = text(s)
	} else if c := raw[0]; c == '-' || '0' <= c && c <= '9' || c == 't' || c == 'f' {
		*t = text(raw)
	}
	return nil
}

// maybe is an object that may come as null or [] when it is empty.
type maybe[T any] struct{ v T }

// UnmarshalJSON never fails: what is no object is empty.
func (m *maybe[T]) UnmarshalJSON(raw []byte) error {
	*m = maybe[T]{}
	if raw[0] == '{' {
		_ = json.Unmarshal(raw, &m.v) // an odd part stays unset
	}
	return nil
}

// many is a list that may come as an object keyed by anything, or as nothing.
type many[T any] []T

// UnmarshalJSON never fails: entries that do not decode are left out.
func (m *many[T]) UnmarshalJSON(raw []byte) error {
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

// item is the envelope of one object.
type item[T any] struct {
	Attributes T `json:"attributes"`
}

// list is the envelope of a list. Of a list that is read to prove absence no
// entry may be missing, so its entries are decoded apart.
type list struct {
	Data json.RawMessage `json:"data"`
	Meta struct {
		Pagination struct {
			CurrentPage number `json:"current_page"`
			TotalPages  number `json:"total_pages"`
		} `json:"pagination"`
	} `json:"meta"`
}

// wholeList decodes a list of which no entry may be missing.
func wholeList[T any](raw json.RawMessage) (out []T, ok bool) {
	if len(raw) == 0 || raw[0] != '[' {
		return nil, false
	}
	for _, part := range elements(raw) {
		var one item[T]
		if part[0] != '{' || json.Unmarshal(part, &one) != nil {
			return nil, false
		}
		out = append(out, one.Attributes)
	}
	return out, true
}

type userObject struct {
	ID         number `json:"id"`
	ExternalID text   `json:"external_id"`
	Username   text   `json:"username"`
	Email      text   `json:"email"`
	FirstName  text   `json:"first_name"`
	LastName   text   `json:"last_name"`
	RootAdmin  flag   `json:"root_admin"`
}

// server holds the fields we use of a server object of the Application API.
type server struct {
	ID         number `json:"id"`
	ExternalID text   `json:"external_id"`
	UUID       text   `json:"uuid"`
	Identifier text   `json:"identifier"`
	Name       text   `json:"name"`
	Status     text   `json:"status"` // "" (null) is usable
	Limits     struct {
		Memory      number `json:"memory"`
		Swap        number `json:"swap"`
		Disk        number `json:"disk"`
		IO          number `json:"io"`
		CPU         number `json:"cpu"`
		Threads     text   `json:"threads"`
		OOMDisabled *flag  `json:"oom_disabled"`
	} `json:"limits"`
	Features struct {
		Databases   number `json:"databases"`
		Allocations number `json:"allocations"`
		Backups     number `json:"backups"`
	} `json:"feature_limits"`
	User       number `json:"user"`
	Node       number `json:"node"`
	Allocation number `json:"allocation"`
	Nest       number `json:"nest"`
	Egg        number `json:"egg"`
	Container  struct {
		Startup     text                   `json:"startup_command"`
		Image       text                   `json:"image"`
		Environment maybe[map[string]text] `json:"environment"`
	} `json:"container"`
	Relations maybe[struct {
		Allocations maybe[struct {
			Data many[item[allocation]] `json:"data"`
		}] `json:"allocations"`
		User maybe[item[maybe[userObject]]] `json:"user"`
	}] `json:"relationships"`
}

type allocation struct {
	ID    number `json:"id"`
	IP    text   `json:"ip"`
	Alias text   `json:"alias"`
	Port  number `json:"port"`
}

// The words of a server's status.
const (
	statusReady           = ""
	statusInstalling      = "installing"
	statusInstallFailed   = "install_failed"
	statusReinstallFailed = "reinstall_failed"
	statusSuspended       = "suspended"
)

// failed says that the last installation did not succeed.
func (s server) failed() bool {
	return s.Status == statusInstallFailed || s.Status == statusReinstallFailed
}

func (s server) suspended() bool { return s.Status == statusSuspended }

// busy says whether the panel works on the server; words that we do not know
// count as such.
func (s server) busy() bool {
	return s.Status != statusReady && !s.failed() && !s.suspended()
}
