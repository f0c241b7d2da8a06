package virtfusion

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The panel's JSON comes from PHP: numbers may be text, an empty object may be
// [], a missing one false. The types below take what they can use and leave the
// rest unset, so that an odd field never hides the ones we need.

// number is a JSON number, a text holding one, or a boolean.
type number struct {
	value float64
	ok    bool
}

// UnmarshalJSON never fails: what is no finite number is unset.
func (n *number) UnmarshalJSON(raw []byte) error {
	*n = number{}
	s := strings.Trim(string(raw), "\" \t\r\n")
	switch s {
	case "true":
		*n = number{1, true}
		return nil
	case "false":
		*n = number{0, raw[0] != '"'}
		return nil
	}
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

// text is a JSON string or number; anything else is "".
type text string

// UnmarshalJSON never fails: what is neither text nor number is "".
func (t *text) UnmarshalJSON(raw []byte) error {
	*t = ""
	var s string
	if json.Unmarshal(raw, &s) == nil {
		*t = text(s)
	} else if c := raw[0]; c == '-' || '0' <= c && c <= '9' {
		*t = text(raw)
	}
	return nil
}

// maybe is an object that may come as false, null or [] when it is empty.
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

// answer is the success envelope.
type answer[T any] struct {
	Data T `json:"data"`
}

// page is the flat paginator; an unpaged list leaves the page numbers unset.
type page struct {
	Data        json.RawMessage `json:"data"`
	CurrentPage number          `json:"current_page"`
	LastPage    number          `json:"last_page"`
}

// wholeList decodes a list of which no entry may be missing: what is absent from
// it is taken for absent at the panel. ok is false for anything but a list (or
// an object of entries, PHP's list with gaps) whose every entry decodes.
func wholeList[T any](raw json.RawMessage) (list []T, ok bool) {
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

type userObject struct {
	ID    number `json:"id"`
	Email text   `json:"email"`
}

// server holds the fields we use of a server object. The same fields appear in
// the answers of create, build and read and, without created, owner and
// settings, in the list of a user's servers.
type server struct {
	ID               number          `json:"id"`
	OwnerID          number          `json:"ownerId"`
	Name             text            `json:"name"`
	Hostname         text            `json:"hostname"`
	CommissionStatus number          `json:"commissionStatus"`
	State            text            `json:"state"`
	Suspended        flag            `json:"suspended"`
	Protected        flag            `json:"protected"`
	BuildFailed      flag            `json:"buildFailed"`
	Created          text            `json:"created"`
	Settings         maybe[settings] `json:"settings"`
	Hypervisor       maybe[struct {
		GroupID number `json:"groupId"`
	}] `json:"hypervisor"`
	Network maybe[struct {
		Interfaces many[netInterface] `json:"interfaces"`
	}] `json:"network"`
	Tasks maybe[struct {
		Active flag `json:"active"`
	}] `json:"tasks"`
	RemoteState maybe[remoteState] `json:"remoteState"`
}

type settings struct {
	OSTemplateID      number           `json:"osTemplateInstallId"`
	DecryptedPassword text             `json:"decryptedPassword"`
	Resources         maybe[resources] `json:"resources"`
}

// resources are in MB, GB and cores.
type resources struct {
	Memory   number `json:"memory"`
	Storage  number `json:"storage"`
	CPUCores number `json:"cpuCores"`
	Traffic  number `json:"traffic"`
}

type netInterface struct {
	Order number `json:"order"`
	IPv4  many[struct {
		Order   number `json:"order"`
		Address text   `json:"address"`
	}] `json:"ipv4"`
	IPv6 many[struct {
		Subnet text   `json:"subnet"`
		CIDR   number `json:"cidr"`
	}] `json:"ipv6"`
}

// phase is how far the installation of a server is.
type phase int

const (
	phaseWorking   phase = iota // queued, building, or a word we do not know
	phaseAllocated              // it exists without a system
	phaseFailed
	phaseComplete
)

// phase reads state and commissionStatus, which say the same twice. Unknown
// words count as in progress. Either failure signal is believed, except that a
// build under way overrides the mark of an earlier one.
func (s server) phase() phase {
	var p phase
	switch strings.ToLower(string(s.State)) {
	case "allocated":
		p = phaseAllocated
	case "failed":
		p = phaseFailed
	case "complete":
		p = phaseComplete
	case "queued", "building":
		return phaseWorking
	case "":
		if s.CommissionStatus.ok {
			p = map[float64]phase{0: phaseAllocated, 2: phaseFailed, 3: phaseComplete}[s.CommissionStatus.value]
		}
	}
	if bool(s.BuildFailed) && !s.busy() {
		p = phaseFailed
	}
	return p
}

// busy says whether the panel works on the server. Pending actions do not
// count: some only wait for a power action.
func (s server) busy() bool { return bool(s.Tasks.v.Active) }

func (s server) createdAt() (time.Time, bool) { return parseTime(string(s.Created)) }

// parseTime reads the panel's three forms of time; the one without a zone is
// taken as UTC.
func parseTime(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
