// Package paypalbox is a small stateful PayPal for tests and the demo: Orders v2
// with its hosted approval page, the vault, refunds, disputes, subscriptions,
// transaction search, and webhooks signed by a certificate of its own. It checks
// every request against what PayPal documents and refuses what PayPal would
// refuse, so that a wrong request fails here and not with a customer's money.
// Everything is in memory.
package paypalbox

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/ezscale/ezscale/integrations/sandbox/fault"
)

// Options configure a Box. The zero value works: any client id and secret are
// accepted and no webhooks are sent.
type Options struct {
	// Now is the sandbox's clock; nil is time.Now. Ids of requests, tokens and
	// webhook stamps follow it, delays between webhook attempts are real time.
	Now func() time.Time
	// ClientID and Secret are the only credentials accepted; "" accepts all.
	ClientID, Secret string
	// WebhookURL receives events signed for the registration WebhookID; "" sends
	// none.
	WebhookURL, WebhookID string
	// Faults disturb the API under /v1/, /v2/ and /v3/; nil is none.
	Faults *fault.Set
	// HTTPClient delivers webhooks; nil is a client with a 10 second timeout.
	HTTPClient *http.Client
	// PublicURL is the address of the API, the hosted pages and the certificate
	// that webhooks name; "" takes pages' addresses from each request.
	PublicURL string
	// RetryDelays are the waits before the repeats of a failed webhook; nil is
	// 50 ms, 200 ms, 1 s, 2 s and 5 s. PayPal repeats 25 times over three days.
	RetryDelays []time.Duration
	// NewID returns the random part of an object's id, upper-case letters and
	// digits; nil draws one. Ids must not repeat over restarts.
	NewID func() string
}

// Box is the sandbox. Safe for concurrent use.
type Box struct {
	opts    Options
	faults  *fault.Set
	courier *courier

	mu          sync.Mutex // guards what follows
	public      string
	tokens      map[string]time.Time // access tokens and when they end
	requests    map[string]*remembered
	orders      shelf[*order]
	captures    shelf[*capture]
	refunds     shelf[*refund]
	vault       shelf[*token]
	setups      shelf[*setup]
	disputes    shelf[*dispute]
	plans       shelf[*plan]
	agreements  shelf[*agreement]
	withdrawals shelf[*withdrawal]
	events      shelf[*event]
	switches    Switches
	complaints  []string
}

// New returns a sandbox. Close it to stop its webhooks.
func New(o Options) *Box {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Faults == nil {
		o.Faults = &fault.Set{}
	}
	if o.NewID == nil {
		o.NewID = func() string { return rand.Text()[:17] }
	}
	if o.RetryDelays == nil {
		o.RetryDelays = []time.Duration{50 * time.Millisecond, 200 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second}
	}
	b := &Box{opts: o, faults: o.Faults, public: strings.TrimRight(o.PublicURL, "/"), tokens: map[string]time.Time{}, requests: map[string]*remembered{}}
	b.courier = newCourier(b)
	return b
}

// Handler serves the API under /v1/, /v2/ and /v3/, the hosted pages under
// /checkoutnow, /agreements/ and /webapps/, and the control page under
// /_sandbox/.
func (b *Box) Handler() http.Handler {
	mux := http.NewServeMux()
	api := b.faults.Wrap(b.api())
	for _, version := range []string{"/v1/", "/v2/", "/v3/"} {
		mux.Handle(version, api)
	}
	b.servePages(mux)
	b.serveControl(mux)
	return mux
}

// Close stops the delivery of webhooks; what is queued is lost.
func (b *Box) Close() { b.courier.close() }

// SetWebhook says where events go from now on; "" sends none.
func (b *Box) SetWebhook(url string) { b.courier.setTarget(url) }

// SetPublicURL says at which address the sandbox is reached.
func (b *Box) SetPublicURL(url string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.public = strings.TrimRight(url, "/")
}

// Complaints lists what callers did that PayPal answers all the same but a
// careful client does not do, such as a payment without a PayPal-Request-Id.
func (b *Box) Complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string{}, b.complaints...)
}

func (b *Box) complain(format string, args ...any) {
	b.complaints = append(b.complaints, fmt.Sprintf(format, args...))
}

// newID returns a fresh id; PayPal's of orders and payments have no prefix, so
// that nothing in an id tells what it is of.
func (b *Box) newID(prefix string) string { return prefix + b.opts.NewID() }

func (b *Box) now() time.Time { return b.opts.Now().UTC() }

// stamp writes a time as PayPal does.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// base is the address of the sandbox as the caller of r reaches it. The box is
// locked.
func (b *Box) base(r *http.Request) string {
	if b.public != "" {
		return b.public
	}
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// shelf keeps objects by id in the order they came.
type shelf[T any] struct {
	byID  map[string]T
	order []string
}

func (s *shelf[T]) put(id string, v T) {
	if s.byID == nil {
		s.byID = map[string]T{}
	}
	if _, there := s.byID[id]; !there {
		s.order = append(s.order, id)
	}
	s.byID[id] = v
}

func (s *shelf[T]) get(id string) (T, bool) {
	v, ok := s.byID[id]
	return v, ok
}

// all returns the objects, oldest first.
func (s *shelf[T]) all() []T {
	out := make([]T, 0, len(s.order))
	for _, id := range s.order {
		if v, ok := s.byID[id]; ok {
			out = append(out, v)
		}
	}
	return out
}
