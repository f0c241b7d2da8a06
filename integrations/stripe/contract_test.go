package stripe

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/billing/gatewaytest"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/integrations/sandbox/stripebox"
)

const (
	testKey    = "sk_test_51Sandbox0000000000000000"
	testSecret = "whsec_c2FuZGJveA"
)

// clock is a settable time.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// inbox keeps what a webhook endpoint receives.
type inbox struct {
	mu  sync.Mutex
	all []gatewaytest.Webhook
}

func (i *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body bytes.Buffer
	_, _ = body.ReadFrom(r.Body)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.all = append(i.all, gatewaytest.Webhook{Body: body.Bytes(), Header: r.Header})
	w.WriteHeader(http.StatusNoContent)
}

func (i *inbox) list() []gatewaytest.Webhook {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]gatewaytest.Webhook{}, i.all...)
}

// stage is a client on a sandbox with an inbox for its webhooks.
type stage struct {
	box    *stripebox.Box
	faults *fault.Set
	clock  *clock
	inbox  *inbox
	url    string
	client *Client
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{faults: &fault.Set{}, clock: newClock(), inbox: &inbox{}}
	hooks := httptest.NewServer(s.inbox)
	t.Cleanup(hooks.Close)
	s.box = stripebox.New(stripebox.Options{
		Now: s.clock.Now, Faults: s.faults, SecretKey: testKey, WebhookURL: hooks.URL, WebhookSecret: testSecret,
	})
	t.Cleanup(s.box.Close)
	api := httptest.NewServer(s.box.Handler())
	t.Cleanup(api.Close)
	s.url = api.URL
	s.client = s.with(t, Config{SecretKey: testKey, WebhookSecret: testSecret})
	return s
}

// with returns another client of the same sandbox.
func (s *stage) with(t *testing.T, c Config) *Client {
	t.Helper()
	c.APIURL, c.Now = s.url, s.clock.Now
	client, err := New(c, &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{}})
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return client
}

var numbers = map[gatewaytest.Card]string{
	gatewaytest.CardWorks:       "4242424242424242",
	gatewaytest.CardSoftDecline: "4000000000009995",
	gatewaytest.CardHardDecline: "4000000000009987",
	gatewaytest.CardNeedsAction: "4000002500003155",
	gatewaytest.CardSlow:        "AT611904300234573201",
	gatewaytest.CardSlowDecline: "AT861904300235473202",
}

var paths = map[gatewaytest.Call]string{
	gatewaytest.CallCustomer:    "POST /v1/customers",
	gatewaytest.CallOpenPage:    "POST /v1/checkout/sessions",
	gatewaytest.CallReadPage:    "GET /v1/checkout/sessions/",
	gatewaytest.CallClosePage:   "POST /v1/checkout/sessions/",
	gatewaytest.CallCharge:      "POST /v1/payment_intents",
	gatewaytest.CallReadPayment: "GET /v1/payment_intents/",
	gatewaytest.CallMethods:     "GET /v1/customers/",

	gatewaytest.CallRefund:       "POST /v1/refunds",
	gatewaytest.CallReadRefund:   "GET /v1/refunds/",
	gatewaytest.CallRemove:       "POST /v1/payment_methods/",
	gatewaytest.CallOpenSetup:    "POST /v1/checkout/sessions",
	gatewaytest.CallReadSetup:    "GET /v1/checkout/sessions/",
	gatewaytest.CallTransactions: "GET /v1/balance_transactions",
	gatewaytest.CallReadDispute:  "GET /v1/disputes/",
	gatewaytest.CallEnd:          "POST /v1/subscriptions/",
}

var kinds = map[gatewaytest.Fault]fault.Kind{
	gatewaytest.LostAnswer: fault.LostAnswer, gatewaytest.After500: fault.After500, gatewaytest.Truncated: fault.Truncated,
	gatewaytest.RefuseConn: fault.RefuseConn, gatewaytest.Error500: fault.Error500, gatewaytest.HTML502: fault.HTML502,
	gatewaytest.Unavailable: fault.Unavailable, gatewaytest.RateLimited: fault.RateLimited, gatewaytest.Slow: fault.Slow,
}

func (s *stage) harness(t *testing.T) gatewaytest.Harness {
	return gatewaytest.Harness{
		More:     s.more(t),
		Gateway:  s.client,
		WrongKey: s.with(t, Config{SecretKey: "sk_test_wrong", WebhookSecret: testSecret}),
		NoSecret: s.with(t, Config{SecretKey: testKey}),
		Now:      s.clock.Now, Advance: s.clock.Advance,
		PayPage: func(reference string, c gatewaytest.Card) error {
			_, err := s.box.PayPage(reference, numbers[c])
			return err
		},
		SaveMethod: func(customer string, c gatewaytest.Card) (string, error) { return s.box.SaveCard(customer, numbers[c]) },
		Settle:     func() { s.box.Settle() },
		Fault: func(c gatewaytest.Call, f gatewaytest.Fault, times int) {
			s.faults.Clear() // the network code may have left some of the last
			s.faults.Add(fault.Fault{Match: paths[c], Kind: kinds[f], Times: times, Delay: 2 * time.Second})
		},
		Taken:     s.box.Paid,
		Customers: func() int { return s.box.Snapshot().Customers },
		Pages:     func() int { return s.box.Snapshot().Sessions },
		Webhooks: func() []gatewaytest.Webhook {
			s.flush(t)
			return s.inbox.list()
		},
		Sign: func(body []byte, at time.Time) map[string][]string {
			return stripebox.SignedHeader(body, testSecret, at)
		},
		OtherVersion: func(body []byte) []byte {
			return bytes.Replace(body, []byte(stripebox.Version), []byte("2025-03-31.basil"), 1)
		},
	}
}

func (s *stage) more(t *testing.T) gatewaytest.More {
	states := map[billing.DisputeStatus]string{
		billing.DisputeWarning: "warning_needs_response", billing.DisputeNeedsResponse: "needs_response", billing.DisputeUnderReview: "under_review",
		billing.DisputeWon: "won", billing.DisputeLost: "lost",
	}
	return gatewaytest.More{
		SlowRefund: func(fail bool) { s.box.Set(stripebox.Switches{SlowRefunds: true, RefundsFail: fail}) },
		Dispute: func(reference string) string {
			id, err := s.box.Dispute(reference, "fraudulent", "needs_response")
			if err != nil {
				t.Fatal(err)
			}
			return id
		},
		MoveDispute: func(id string, to billing.DisputeStatus) {
			if !s.box.MoveDispute(id, states[to]) {
				t.Fatalf("no dispute %s", id)
			}
		},
		Fee: 70, BooksLag: booksLag,
		Save: func(reference string, c gatewaytest.Card) error {
			_, err := s.box.PayPage(reference, numbers[c])
			return err
		},
		Bill:     func(string) { s.box.Tick() },
		Imported: func(c gatewaytest.Card) string { return s.subscribed(t, c) },
	}
}

// subscribed is a subscription of a new customer that was begun elsewhere.
func (s *stage) subscribed(t *testing.T, c gatewaytest.Card) string {
	t.Helper()
	user := fmt.Sprint("u", s.box.Snapshot().Customers)
	customer, err := s.client.EnsureCustomer(t.Context(), "imported_"+user, user, "kim@example.com", "Kim")
	if err != nil {
		t.Fatal(err)
	}
	method, err := s.box.SaveCard(customer, numbers[c])
	if err != nil {
		t.Fatal(err)
	}
	id, err := s.box.AddSubscription(customer, method, "eur", 999, s.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (s *stage) flush(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := s.box.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestContract runs the shared suite on the sandbox, which must not have had to
// complain about a single request.
func TestContract(t *testing.T) {
	gatewaytest.Run(t, func(t *testing.T) gatewaytest.Harness {
		s := newStage(t)
		t.Cleanup(func() {
			if c := s.box.Complaints(); len(c) > 0 {
				t.Errorf("the sandbox complains: %s", strings.Join(c, "; "))
			}
		})
		return s.harness(t)
	})
}

func ExampleClient_String() {
	c, err := New(Config{SecretKey: "sk_live_abc", WebhookSecret: "whsec_def"}, nil)
	fmt.Println(c, err)
	// Output: stripe config (live key, webhook secret set: true, API ) <nil>
}
