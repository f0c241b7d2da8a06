// Package stripebox is a small stateful Stripe for tests and the demo: the part
// of the API that our client uses, the hosted Checkout page a person can click,
// and signed webhooks. It checks every request against what Stripe documents for
// API version 2024-06-20 and refuses what Stripe would refuse, so that a wrong
// request fails here and not with a customer's money. Everything is in memory.
package stripebox

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/ezscale/ezscale/integrations/sandbox/fault"
)

// Version is the API version the sandbox speaks.
const Version = "2024-06-20"

// Options configure a Box. The zero value works: any test key is accepted and
// no webhooks are sent.
type Options struct {
	// Now is the sandbox's clock; nil is time.Now. Expiry, idempotency keys and
	// webhook stamps follow it, delays between webhook attempts are real time.
	Now func() time.Time
	// WebhookURL receives events signed with WebhookSecret; "" sends none.
	WebhookURL, WebhookSecret string
	// SecretKey is the only key accepted; "" accepts every sk_test_ and rk_test_ key.
	SecretKey string
	// Faults disturb the API under /v1/; nil is none.
	Faults *fault.Set
	// HTTPClient delivers webhooks; nil is a client with a 10 second timeout.
	HTTPClient *http.Client
	// PublicURL is the address of the hosted pages; "" takes it from each request.
	PublicURL string
	// RetryDelays are the waits before the repeats of a failed webhook; nil is
	// 50 ms, 200 ms, 1 s, 2 s and 5 s. After the last the event stays undelivered.
	RetryDelays []time.Duration
	// NewID returns the random part of an object's id; nil draws one. Ids must
	// not repeat over restarts, as the product keeps them for good.
	NewID func() string
}

// Box is the sandbox. Safe for concurrent use.
type Box struct {
	opts    Options
	faults  *fault.Set
	courier *courier
	keys    *keyring

	mu            sync.Mutex // guards what follows
	customers     shelf[*customer]
	methods       shelf[*method]
	sessions      shelf[*session]
	intents       shelf[*intent]
	charges       shelf[*charge]
	refunds       shelf[*refund]
	setups        shelf[*setupIntent]
	disputes      shelf[*dispute]
	calculations  int
	payouts       shelf[*payout]
	movements     shelf[*movement]
	events        shelf[*event]
	subscriptions shelf[*subscription]
	bills         shelf[*bill]
	switches      Switches
	complaints    []string
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
		o.NewID = rand.Text
	}
	if o.RetryDelays == nil {
		o.RetryDelays = []time.Duration{50 * time.Millisecond, 200 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second}
	}
	b := &Box{opts: o, faults: o.Faults}
	b.keys = &keyring{now: o.Now, entries: map[string]*keyEntry{}}
	b.courier = newCourier(o)
	return b
}

// Handler serves the API under /v1/, the hosted pages under /checkout/ and
// /authenticate/, and the control page under /_sandbox/.
func (b *Box) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/v1/", b.faults.Wrap(b.api()))
	b.servePages(mux)
	b.serveControl(mux)
	return mux
}

// Close stops the delivery of webhooks; what is queued is lost.
func (b *Box) Close() { b.courier.close() }

// SetWebhook says where events go from now on; "" sends none.
func (b *Box) SetWebhook(url, secret string) { b.courier.setTarget(url, secret) }

// Complaints lists what callers did that Stripe answers all the same but a
// careful client does not do: another API version, a write without a key.
func (b *Box) Complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string{}, b.complaints...)
}

func (b *Box) complain(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = append(b.complaints, fmt.Sprintf(format, args...))
}

// newID returns a fresh id such as "pi_…".
func (b *Box) newID(prefix string) string { return prefix + "_" + b.opts.NewID() }

func (b *Box) unix() int64 { return b.opts.Now().Unix() }

// base is the address of the hosted pages as the caller of r reaches them.
func (b *Box) base(r *http.Request) string {
	if b.opts.PublicURL != "" {
		return strings.TrimRight(b.opts.PublicURL, "/")
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
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
		out = append(out, s.byID[id])
	}
	return out
}
