package paneltest

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/engine/provisioning/adaptertest"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
)

// Deadline bounds a call in real time: it leaves room for a busy machine. Slow
// calls wait longer.
const Deadline = 500 * time.Millisecond

// lateBy is how long a late request is under way.
const lateBy = 20 * time.Second

// Network is a sandbox behind a network on which single calls go wrong, with the
// clock that panel and adapter share.
type Network struct {
	t     *testing.T
	Clock *Clock
	URL   string
	HTTP  *http.Client // what the adapter calls with

	next http.RoundTripper
	mu   sync.Mutex
	bad  []badCall
	late []lateCall
}

// badCall is one call that goes wrong on our side of the network: it is not sent
// at all, or its answer comes after the caller has given up.
type badCall struct {
	match string // start of "METHOD /path"
	how   adaptertest.Mishap
}

// lateCall has left us and not yet reached the panel.
type lateCall struct {
	due time.Time
	r   *http.Request
}

// Listen serves a sandbox. Its handler is made once the address is known.
func Listen(t *testing.T, clock *Clock, handler func(url string) http.Handler) *Network {
	t.Helper()
	srv := httptest.NewUnstartedServer(nil)
	srv.Config.Handler = handler("http://" + srv.Listener.Addr().String())
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // cut connections are expected
	srv.Start()
	t.Cleanup(srv.Close)
	n := &Network{t: t, Clock: clock, URL: srv.URL, next: srv.Client().Transport}
	n.HTTP = &http.Client{Transport: n}
	return n
}

// Through puts another transport between adapter and panel, which passes on to
// the one it is given.
func (n *Network) Through(wrap func(next http.RoundTripper) http.RoundTripper) { n.next = wrap(n.next) }

// Timeout is a context that ends soon.
func (n *Network) Timeout() (context.Context, context.CancelFunc) {
	return context.WithTimeout(n.t.Context(), Deadline)
}

// Sleep moves the clock and delivers what becomes due.
func (n *Network) Sleep(d time.Duration) {
	n.Clock.Add(d)
	for _, r := range n.due() {
		if resp, err := n.next.RoundTrip(r); err == nil {
			_ = resp.Body.Close()
		}
	}
}

func (n *Network) due() []*http.Request {
	n.mu.Lock()
	defer n.mu.Unlock()
	var list []*http.Request
	n.late = slices.DeleteFunc(n.late, func(l lateCall) bool {
		if n.Clock.Now().Before(l.due) {
			return false
		}
		list = append(list, l.r)
		return true
	})
	return list
}

// Break makes the next call that starts with match go wrong, and says whether it
// knows how: Locked, Unauthorized and Forbidden are in the panel's own words, which
// its sandbox gives.
func (n *Network) Break(faults *fault.Set, match string, m adaptertest.Mishap) bool {
	kinds := map[adaptertest.Mishap]fault.Kind{
		adaptertest.LostAnswer: fault.LostAnswer, adaptertest.After500: fault.After500, adaptertest.Truncated: fault.Truncated,
		adaptertest.HTML502: fault.HTML502, adaptertest.RateLimited: fault.RateLimited,
	}
	if k, ok := kinds[m]; ok {
		faults.Add(fault.Fault{Match: match, Kind: k, Times: 1})
		return true
	}
	if m != adaptertest.Refused && m != adaptertest.Slow && m != adaptertest.Late {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.bad = append(n.bad, badCall{match, m})
	return true
}

// Answered calls do when a sandbox has answered the n-th call that starts with match.
func Answered(faults *fault.Set, match string, do func(n int)) {
	calls := 0
	faults.After = func(r *http.Request) {
		if strings.HasPrefix(r.Method+" "+r.URL.Path, match) {
			calls++
			do(calls)
		}
	}
}

func (n *Network) take(r *http.Request) adaptertest.Mishap {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i, b := range n.bad {
		if strings.HasPrefix(r.Method+" "+r.URL.Path, b.match) {
			n.bad = slices.Delete(n.bad, i, i+1)
			return b.how
		}
	}
	return ""
}

// RoundTrip is of http.RoundTripper.
func (n *Network) RoundTrip(r *http.Request) (*http.Response, error) {
	switch n.take(r) { //nolint:exhaustive // every other mishap befalls the answer, below
	case "":
		return n.next.RoundTrip(r)
	case adaptertest.Late:
		return nil, n.postpone(r)
	case adaptertest.Refused:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	}
	resp, err := n.next.RoundTrip(r.WithContext(context.WithoutCancel(r.Context())))
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// postpone keeps a copy of a request for later and lets its caller wait.
func (n *Network) postpone(r *http.Request) error {
	cp := r.Clone(context.WithoutCancel(r.Context()))
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return err
		}
		cp.Body = body
	}
	n.mu.Lock()
	n.late = append(n.late, lateCall{n.Clock.Now().Add(lateBy), cp})
	n.mu.Unlock()
	<-r.Context().Done()
	return r.Context().Err()
}

// UpTo builds a service until a step is next, as its caller would; "" is to the
// end. It returns what its customer signs in with, too.
func (n *Network) UpTo(c provisioning.Creator, o provisioning.Order, step string) (provisioning.Build, provisioning.Credentials) {
	n.t.Helper()
	b, secret := provisioning.Build{}, provisioning.Credentials{}
	for range 100 {
		if b.Started.IsZero() {
			b.Started = n.Clock.Now()
		}
		if step != "" && b.Step == step {
			return b, secret
		}
		next, err := c.Advance(n.t.Context(), o, b)
		if err != nil {
			n.t.Fatalf("Advance(%q): %v", b.Step, err)
		}
		if next.Secret != nil {
			secret = *next.Secret
		}
		if b = next; b.Done {
			return b, secret
		}
		n.Sleep(b.Wait)
	}
	n.t.Fatalf("the build of %s has not ended: %+v", o.ServiceID, b)
	return b, secret
}

// Answering is the address of a panel that gives one answer to everything, and
// what calls it. Headers come in pairs.
func Answering(t *testing.T, status int, body string, header ...string) (url string, client *http.Client) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(srv.Close)
	return srv.URL, srv.Client()
}
