package paypal

import (
	"bytes"
	"context"
	"errors"
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
	"github.com/ezscale/ezscale/integrations/sandbox/paypalbox"
)

const (
	testID      = "AZsandboxClient0000"
	testSecret  = "EHsandboxSecret0000"
	testWebhook = "8PT597110X687430L"
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
	box    *paypalbox.Box
	faults *fault.Set
	clock  *clock
	inbox  *inbox
	url    string
	client *Client
	wire   http.RoundTripper // between client and sandbox
}

func newStage(t *testing.T) *stage { return newStageOn(t, &http.Transport{}) }

func newStageOn(t *testing.T, wire http.RoundTripper) *stage {
	t.Helper()
	s := &stage{faults: &fault.Set{}, clock: newClock(), inbox: &inbox{}, wire: wire}
	hooks := httptest.NewServer(s.inbox)
	t.Cleanup(hooks.Close)
	s.box = paypalbox.New(paypalbox.Options{
		Now: s.clock.Now, Faults: s.faults, ClientID: testID, Secret: testSecret, WebhookURL: hooks.URL, WebhookID: testWebhook,
	})
	t.Cleanup(s.box.Close)
	api := httptest.NewServer(s.box.Handler())
	t.Cleanup(api.Close)
	s.url = api.URL
	s.box.SetPublicURL(api.URL)
	s.client = s.with(t, Config{ClientID: testID, Secret: testSecret, WebhookID: testWebhook})
	return s
}

// with returns another client of the same sandbox.
func (s *stage) with(t *testing.T, c Config) *Client {
	t.Helper()
	c.APIURL, c.Now, c.CertAuthority = s.url, s.clock.Now, paypalbox.Authority()
	client, err := New(c, &http.Client{Timeout: 20 * time.Second, Transport: s.wire})
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return client
}

var payers = map[gatewaytest.Card]string{
	gatewaytest.CardWorks:       "works@payer.example",
	gatewaytest.CardSoftDecline: "declined@payer.example",
	gatewaytest.CardHardDecline: "locked@payer.example",
	gatewaytest.CardNeedsAction: "action@payer.example",
	gatewaytest.CardSlow:        "echeck@payer.example",
	gatewaytest.CardSlowDecline: "echeck-fails@payer.example",
}

var paths = map[gatewaytest.Call]string{
	gatewaytest.CallOpenPage:      "POST /v2/checkout/orders",
	gatewaytest.CallReadPage:      "GET /v2/checkout/orders/",
	gatewaytest.CallClosePage:     "PATCH /v2/checkout/orders/",
	gatewaytest.CallCharge:        "POST /v2/checkout/orders",
	gatewaytest.CallReadPayment:   "GET /v2/payments/captures/",
	gatewaytest.CallMethods:       "GET /v3/vault/payment-tokens",
	gatewaytest.CallRefund:        "POST /v2/payments/captures/",
	gatewaytest.CallReadRefund:    "GET /v2/payments/refunds/",
	gatewaytest.CallRemove:        "DELETE /v3/vault/payment-tokens/",
	gatewaytest.CallOpenSetup:     "POST /v3/vault/setup-tokens",
	gatewaytest.CallReadSetup:     "POST /v3/vault/payment-tokens",
	gatewaytest.CallTransactions:  "GET /v1/reporting/transactions",
	gatewaytest.CallReadDispute:   "GET /v1/customer/disputes/",
	gatewaytest.CallOpenAgreement: "POST /v1/billing/subscriptions",
	gatewaytest.CallSuspend:       "POST /v1/billing/subscriptions/",
	gatewaytest.CallEnd:           "POST /v1/billing/subscriptions/",
}

var kinds = map[gatewaytest.Fault]fault.Kind{
	gatewaytest.LostAnswer: fault.LostAnswer, gatewaytest.After500: fault.After500, gatewaytest.Truncated: fault.Truncated,
	gatewaytest.RefuseConn: fault.RefuseConn, gatewaytest.Error500: fault.Error500, gatewaytest.HTML502: fault.HTML502,
	gatewaytest.Unavailable: fault.Unavailable, gatewaytest.RateLimited: fault.RateLimited, gatewaytest.Slow: fault.Slow,
}

var errNotPaid = errors.New("nothing was paid")

// pay is a payer's whole way: agree on the page, come back, be captured. A
// decline is no failure: the page tells of it.
func (s *stage) pay(ctx context.Context, reference string, c gatewaytest.Card) error {
	if err := s.box.Approve(reference, payers[c]); err != nil {
		return err
	}
	r, err := s.client.ReadPage(ctx, reference)
	if err == nil && r.State == billing.PaymentCancelled {
		return fmt.Errorf("page %s: %w", reference, errNotPaid)
	}
	return err
}

// taken counts the payments that name an invoice and moved money.
func (s *stage) taken(invoice string) int {
	n := 0
	for _, p := range s.box.Payments() {
		if readMark(p.CustomID).invoice == invoice && p.Status != "DECLINED" && p.Status != "PENDING" {
			n++
		}
	}
	return n
}

func (s *stage) harness(t *testing.T) gatewaytest.Harness {
	return gatewaytest.Harness{
		Traits: gatewaytest.Traits{
			NoCustomers: true, SilentDeclines: true, TakesCents: true, KeyLife: 6 * time.Hour, SignatureLife: oldest, MaxMethods: 50, Wallet: "paypal",
		},
		More:     s.more(t),
		Gateway:  s.client,
		WrongKey: s.with(t, Config{ClientID: testID, Secret: "wrong", WebhookID: testWebhook}),
		NoSecret: s.with(t, Config{ClientID: testID, Secret: testSecret}),
		Now:      s.clock.Now, Advance: s.clock.Advance,
		PayPage:    func(reference string, c gatewaytest.Card) error { return s.pay(t.Context(), reference, c) },
		SaveMethod: func(customer string, c gatewaytest.Card) (string, error) { return s.box.SaveToken(customer, payers[c]) },
		Settle:     func() { s.box.Settle() },
		Fault: func(c gatewaytest.Call, f gatewaytest.Fault, times int) {
			s.faults.Clear() // the network code may have left some of the last
			s.faults.Add(fault.Fault{Match: paths[c], Kind: kinds[f], Times: times, Delay: 2 * time.Second})
		},
		Taken:     s.taken,
		Customers: func() int { return 0 },
		Pages:     func() int { return s.box.Snapshot().Orders },
		Webhooks: func() []gatewaytest.Webhook {
			s.flush(t)
			return s.inbox.list()
		},
		Sign: func(body []byte, at time.Time) map[string][]string { return s.box.SignedHeader(body, at) },
		OtherVersion: func(body []byte) []byte {
			return bytes.Replace(body, []byte(`"resource_version":"2.0"`), []byte(`"resource_version":"7.0"`), 1)
		},
	}
}

func (s *stage) more(t *testing.T) gatewaytest.More {
	stages := map[billing.DisputeStatus][3]string{
		billing.DisputeWarning:       {"INQUIRY", "WAITING_FOR_BUYER_RESPONSE", ""},
		billing.DisputeNeedsResponse: {"CHARGEBACK", "WAITING_FOR_SELLER_RESPONSE", ""},
		billing.DisputeUnderReview:   {"CHARGEBACK", "UNDER_REVIEW", ""},
		billing.DisputeWon:           {"CHARGEBACK", "RESOLVED", "RESOLVED_SELLER_FAVOUR"},
		billing.DisputeLost:          {"CHARGEBACK", "RESOLVED", "RESOLVED_BUYER_FAVOUR"},
	}
	return gatewaytest.More{
		SlowRefund: func(fail bool) { s.box.Set(paypalbox.Switches{SlowRefunds: true, RefundsFail: fail}) },
		Reversed:   func(reference string) { s.box.Reverse(reference) },
		Dispute: func(reference string) string {
			id, err := s.box.Dispute(reference, "UNAUTHORISED")
			if err != nil {
				t.Fatal(err)
			}
			return id
		},
		MoveDispute: func(id string, to billing.DisputeStatus) {
			if m := stages[to]; !s.box.MoveDispute(id, m[0], m[1], m[2]) {
				t.Fatalf("no dispute %s", id)
			}
		},
		Save: func(reference string, c gatewaytest.Card) error { return s.box.ApproveSetup(reference, payers[c]) },
		Fee:  109, BooksLag: 3 * time.Hour,
		Plan: func() string { return s.box.AddPlan("EUR", 999, 30) },
		Agree: func(agreement string, c gatewaytest.Card) {
			if err := s.box.Agree(agreement, payers[c]); err != nil {
				t.Fatal(err)
			}
		},
		Bill: func(agreement string) { s.box.Bill(agreement) },
		Imported: func(c gatewaytest.Card) string {
			id, err := s.box.AddAgreement(s.box.AddPlan("EUR", 999, 30), payers[c], s.clock.Now().AddDate(0, 0, 30))
			if err != nil {
				t.Fatal(err)
			}
			return id
		},
	}
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
	c, err := New(Config{ClientID: "AZ1", Secret: "EH1", WebhookID: "8PT"}, nil)
	fmt.Println(c, err)
	// Output: paypal config (https://api-m.paypal.com, client id set: true, webhook id set: true) <nil>
}
