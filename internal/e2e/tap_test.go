package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// phase is when a call is cut off: as it arrives, before anything happened; after
// its effect and before its answer arrives; or, where the vendor is the caller,
// right after it got its answer and will not call again.
type phase string

const (
	before   phase = "before"
	after    phase = "after"
	answered phase = "answered"
)

// point is one moment in the traffic with vendors: the nth call of a kind.
type point struct {
	Call  string
	Nth   int // from 1
	Phase phase
}

// String names the point, which is also the name of its subtest.
func (p point) String() string { return fmt.Sprintf("%s %s, no. %d", p.Phase, p.Call, p.Nth) }

// tap sees every call between the product and its vendors, in both directions,
// and does something at some of them.
type tap struct {
	mu    sync.Mutex
	armed []point // each fires once
	fire  func()
	count map[point]int
	seen  []point
}

// arm sets what happens, once each, when points are reached.
func (t *tap) arm(points []point, fire func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.armed, t.fire = slices.Clone(points), fire
}

// missed lists the armed points that were not reached.
func (t *tap) missed() []point {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.armed)
}

// reach notes a call and reports whether it was an armed one.
func (t *tap) reach(call string, when phase) bool {
	fire := t.note(call, when)
	if fire == nil {
		return false
	}
	fire()
	return true
}

func (t *tap) note(call string, when phase) (fire func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count == nil {
		t.count = map[point]int{}
	}
	t.count[point{call, 0, when}]++
	p := point{call, t.count[point{call, 0, when}], when}
	t.seen = append(t.seen, p)
	i := slices.Index(t.armed, p)
	if i < 0 {
		return nil
	}
	t.armed = slices.Delete(t.armed, i, i+1)
	return t.fire
}

// points lists every moment seen so far, in order.
func (t *tap) points() []point {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.seen)
}

// hooks are for the fault set of the vendor with a name. A call that is cut off
// before its effect never happens.
func (t *tap) hooks(vendor string) (onArrival, onEffect func(*http.Request)) {
	onArrival = func(r *http.Request) {
		if t.reach(kindOf(vendor, r), before) {
			panic(http.ErrAbortHandler)
		}
	}
	onEffect = func(r *http.Request) { t.reach(kindOf(vendor, r), after) }
	return onArrival, onEffect
}

// identifier matches what differs from run to run in a path.
var identifier = regexp.MustCompile(`/([0-9]+|[a-z]+(_test)?_[A-Za-z0-9]{10,}|[^/]*[a-z0-9]{15})(/|$)`)

func kindOf(vendor string, r *http.Request) string {
	path := r.URL.Path
	for identifier.MatchString(path) {
		path = identifier.ReplaceAllString(path, "/{id}$3")
	}
	return vendor + " " + r.Method + " " + path
}

// RoundTrip delivers the webhooks of the sandbox.
func (t *tap) RoundTrip(r *http.Request) (*http.Response, error) {
	event := struct {
		Type string `json:"type"`
	}{}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err := json.Unmarshal(body, &event); err != nil {
		return nil, err
	}
	t.reach("webhook "+event.Type, before) // a dead product refuses the connection
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if t.reach("webhook "+event.Type, after) {
		_ = res.Body.Close()
		return nil, errLost
	}
	if res.StatusCode == http.StatusOK {
		t.reach("webhook "+event.Type, answered)
	}
	return res, nil
}

var errLost = errors.New("the answer was lost")

// mailListener sees the conversations with the mail server.
type mailListener struct {
	net.Listener
	tap *tap
}

// Accept returns the next connection.
func (l mailListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &mailConn{Conn: c, tap: l.tap}, nil
}

// mailConn watches what the server says (RFC 5321 §4.2): 354 asks for the
// message, and the 250 after it tells that it was taken.
type mailConn struct {
	net.Conn
	tap  *tap
	data bool
}

// Write sends what the server says.
func (c *mailConn) Write(b []byte) (int, error) {
	said := string(b)
	switch {
	case strings.HasPrefix(said, "354"):
		c.data = true
		if c.tap.reach("mail message", before) {
			return 0, errLost
		}
	case c.data && strings.HasPrefix(said, "250"):
		c.data = false
		if c.tap.reach("mail message", after) {
			return 0, errLost
		}
	}
	return c.Conn.Write(b)
}
