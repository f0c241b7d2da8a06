package stripe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v79"
	"github.com/stripe/stripe-go/v79/client"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// The traps of stripe-go v79.12.0. Each test shows the library falling in, then
// our client not doing so; when an update closes a trap, its test says so.

// canned is a server that gives one answer and keeps the requests.
type canned struct {
	*httptest.Server

	status   int
	body     string
	header   http.Header
	calls    atomic.Int32
	requests chan *http.Request
}

func newCanned(t *testing.T, status int, body string) *canned {
	t.Helper()
	c := &canned{status: status, body: body, requests: make(chan *http.Request, 100), header: http.Header{}}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.calls.Add(1)
		_ = r.ParseForm()
		c.requests <- r
		w.Header().Set("Request-Id", "req_canned")
		for name, values := range c.header {
			w.Header()[name] = values
		}
		w.WriteHeader(c.status)
		_, _ = w.Write([]byte(c.body))
	}))
	t.Cleanup(c.Close)
	return c
}

// library is a client as the library's documentation makes it.
func (c *canned) library() *client.API {
	return client.New(testKey, stripe.NewBackendsWithConfig(&stripe.BackendConfig{
		URL: &c.URL, LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull}, MaxNetworkRetries: stripe.Int64(0),
	}))
}

func (c *canned) ours(t *testing.T) *Client {
	t.Helper()
	ours, err := New(Config{SecretKey: testKey, WebhookSecret: testSecret, APIURL: c.URL}, nil)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return ours
}

func chargeRequest() billing.ChargeRequest {
	return billing.ChargeRequest{
		Key: "env1_charge_1", AttemptID: "att_1", InvoiceID: "inv_1", Customer: "cus_R7a", Method: "pm_1Qw",
		Amount: money.Must(1999, "EUR"), Description: "Invoice INV-2026-000042",
	}
}

func refundRequest() billing.RefundRequest {
	return billing.RefundRequest{Key: "refund_1", RefundID: "r1", Payment: "pi_1", Amount: money.Must(1999, "EUR")}
}

func pageRequest() billing.PageRequest {
	return billing.PageRequest{
		Key: "env1_page_1", AttemptID: "att_1", InvoiceID: "inv_1", Customer: "cus_R7a", Email: "kim@example.com",
		Amount: money.Must(1999, "EUR"), Description: "Invoice INV-2026-000042", SaveMethod: true,
		ReturnURL: "https://portal.example/return", CancelURL: "https://portal.example/invoices", Locale: "de-AT",
	}
}

func TestTrapNilParamsSendNoKey(t *testing.T) {
	c := newCanned(t, 200, `{"id":"cs_1","object":"checkout.session","status":"expired","amount_total":1,"currency":"eur","created":1}`)
	_, _ = c.library().CheckoutSessions.Expire("cs_1", nil)
	if key := (<-c.requests).Header.Get("Idempotency-Key"); key != "" {
		t.Errorf("the library now sends key %q for nil params: the trap is closed", key)
	}
	_, _ = c.ours(t).ClosePage(t.Context(), "cs_1")
	if key := (<-c.requests).Header.Get("Idempotency-Key"); key == "" {
		t.Error("ClosePage sent no idempotency key")
	}
	_, _ = c.ours(t).Charge(t.Context(), chargeRequest())
	if key := (<-c.requests).Header.Get("Idempotency-Key"); key != "env1_charge_1" {
		t.Errorf("Charge: got key %q, want the caller's", key)
	}
}

func TestTrapEmptyKeyIsSentAsNone(t *testing.T) {
	c := newCanned(t, 200, `{"id":"cus_1"}`)
	params := &stripe.CustomerParams{}
	params.SetIdempotencyKey("  ")
	_, _ = c.library().Customers.New(params)
	if key := (<-c.requests).Header.Get("Idempotency-Key"); key != "" {
		t.Errorf("the library now sends key %q", key)
	}
	for _, key := range []string{"", "  ", " k", "k ", "a\nb", "ü", strings.Repeat("k", 256)} {
		r := chargeRequest()
		r.Key = key
		if _, err := c.ours(t).Charge(t.Context(), r); !errors.Is(err, billing.ErrGatewayRefused) {
			t.Errorf("key %q: got %v, want ErrGatewayRefused", key, err)
		}
	}
	if n := c.calls.Load(); n != 1 {
		t.Errorf("got %d requests, want the library's only", n)
	}
}

func TestTrapEmptyIDListsEverything(t *testing.T) {
	c := newCanned(t, 200, `{"object":"list","data":[]}`)
	if pi, err := c.library().PaymentIntents.Get("", nil); err != nil || pi.ID != "" {
		t.Errorf("the library: got %+v, %v", pi, err)
	}
	if got := (<-c.requests).URL.Path; got != "/v1/payment_intents/" {
		t.Errorf("the library asks for %s", got)
	}
	for _, id := range []string{"", "pi_", "cus_1", "pi_1/confirm", "pi_1?x=1", "..", "pi_../x"} {
		if r, err := c.ours(t).ReadPayment(t.Context(), id); !errors.Is(err, billing.ErrGatewayRefused) {
			t.Errorf("ReadPayment(%q): got %+v, %v, want ErrGatewayRefused", id, r, err)
		}
	}
}

func TestTrapErrorComesWithAnEmptyStruct(t *testing.T) {
	c := newCanned(t, 404, `{"error":{"type":"invalid_request_error","code":"resource_missing","message":"No such payment_intent"}}`)
	pi, err := c.library().PaymentIntents.Get("pi_1", nil)
	if err == nil || pi == nil {
		t.Errorf("the library: got %+v, %v, want an error and a struct", pi, err)
	}
	r, err := c.ours(t).ReadPayment(t.Context(), "pi_1")
	if !errors.Is(err, billing.ErrGatewayRefused) || r != (billing.PaymentReport{}) {
		t.Errorf("got %+v, %v, want nothing but ErrGatewayRefused", r, err)
	}
}

func TestTrapZerosAreDecodedWithoutAnError(t *testing.T) {
	for _, body := range []string{`{}`, `null`, `{"id":"pi_1","object":"payment_intent","status":"succeeded"}`, `{"object":"list","data":[]}`} {
		c := newCanned(t, 200, body)
		if _, err := c.library().PaymentIntents.Get("pi_1", nil); err != nil {
			t.Errorf("%s: the library now says %v", body, err)
		}
		if r, err := c.ours(t).ReadPayment(t.Context(), "pi_1"); !errors.Is(err, ErrPayload) || !errors.Is(err, billing.ErrGatewayTemporary) {
			t.Errorf("%s, read: got %+v, %v, want ErrPayload and ErrGatewayTemporary", body, r, err)
		}
		if r, err := c.ours(t).Charge(t.Context(), chargeRequest()); !errors.Is(err, ErrPayload) || !errors.Is(err, billing.ErrOutcomeUnknown) {
			t.Errorf("%s, charge: got %+v, %v, want ErrPayload and ErrOutcomeUnknown", body, r, err)
		}
		if p, err := c.ours(t).OpenPage(t.Context(), pageRequest()); !errors.Is(err, billing.ErrOutcomeUnknown) {
			t.Errorf("%s, page: got %+v, %v, want ErrOutcomeUnknown", body, p, err)
		}
	}
}

func TestTrapVersionCanBeOverridden(t *testing.T) {
	c := newCanned(t, 200, `{"object":"balance"}`)
	params := &stripe.BalanceParams{}
	params.Headers = http.Header{"Stripe-Version": {"2030-01-01.random"}}
	_, _ = c.library().Balance.Get(params)
	if v := (<-c.requests).Header.Get("Stripe-Version"); v != "2030-01-01.random" {
		t.Errorf("the library sends version %q", v)
	}
	ours := c.ours(t)
	_ = ours.Check(t.Context())
	_, _ = ours.EnsureCustomer(t.Context(), "k", "u1", "", "")
	_, _ = ours.Methods(t.Context(), "cus_1")
	_, _ = ours.ReadPage(t.Context(), "cs_1")
	close(c.requests)
	n := 0
	for r := range c.requests {
		n++
		if v := r.Header.Get("Stripe-Version"); v != "2024-06-20" {
			t.Errorf("%s %s: got version %q, want the pinned one", r.Method, r.URL.Path, v)
		}
	}
	if n != 4 {
		t.Errorf("got %d requests, want 4", n)
	}
}

func TestTrapHostNameIsSent(t *testing.T) {
	c := newCanned(t, 200, `{"object":"balance"}`)
	_, _ = c.library().Balance.Get(nil)
	if ua := (<-c.requests).Header.Get("X-Stripe-Client-User-Agent"); !strings.Contains(ua, "uname") {
		t.Errorf("the library sends %q: the trap is closed", ua)
	}
	ours := c.ours(t)
	for range 2 { // telemetry would come with the second
		_ = ours.Check(t.Context())
		r := <-c.requests
		for name := range r.Header {
			if strings.HasPrefix(name, "X-Stripe-Client") {
				t.Errorf("we send %s: %s", name, r.Header.Get(name))
			}
		}
	}
}

func TestTrapRetriesIgnoreTheContext(t *testing.T) {
	c := newCanned(t, 502, "<html><h1>Bad Gateway</h1></html>")
	quick, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	params := &stripe.BalanceParams{}
	params.Context = quick
	api := client.New(testKey, stripe.NewBackendsWithConfig(&stripe.BackendConfig{
		URL: &c.URL, LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull},
	}))
	start := time.Now()
	_, _ = api.Balance.Get(params)
	if took := time.Since(start); took < 400*time.Millisecond {
		t.Errorf("the library returned after %s: the trap is closed", took)
	}
	before := c.calls.Load()
	if err := c.ours(t).Check(t.Context()); !errors.Is(err, billing.ErrGatewayTemporary) {
		t.Errorf("got %v, want ErrGatewayTemporary", err)
	}
	if n := c.calls.Load() - before; n != 1 {
		t.Errorf("got %d requests, want one", n)
	}
}

func TestTrapRedirectsAreFollowed(t *testing.T) {
	elsewhere := newCanned(t, 200, `{"object":"balance"}`)
	c := newCanned(t, 302, "")
	c.header.Set("Location", elsewhere.URL)
	if _, err := c.library().Customers.New(&stripe.CustomerParams{}); err != nil {
		t.Errorf("the library: %v", err)
	}
	if r := <-elsewhere.requests; r.Method != http.MethodGet {
		t.Errorf("the library follows with %s", r.Method)
	}
	if id, err := c.ours(t).EnsureCustomer(t.Context(), "k", "u1", "", ""); !errors.Is(err, billing.ErrOutcomeUnknown) {
		t.Errorf("got %q, %v, want ErrOutcomeUnknown", id, err)
	}
	if n := elsewhere.calls.Load(); n != 1 {
		t.Errorf("our client followed the redirect")
	}
}

func TestTrapErrorsPrintClientSecrets(t *testing.T) {
	c := newCanned(t, 400, `{"error":{"type":"invalid_request_error","message":"key `+testKey+` and sk_live_abc, pi_1_secret_xyz","payment_intent":{"id":"pi_1","client_secret":"pi_1_secret_k"}}}`)
	_, err := c.library().PaymentIntents.New(&stripe.PaymentIntentParams{})
	if err == nil || !strings.Contains(err.Error(), "pi_1_secret_k") {
		t.Errorf("the library: got %v", err)
	}
	_, err = c.ours(t).Charge(t.Context(), chargeRequest())
	text := fmt.Sprintf("%v %+v %#v", err, err, err)
	for _, secret := range []string{testKey, "sk_live_abc", "secret_xyz", "secret_k"} {
		if strings.Contains(text, secret) {
			t.Errorf("the error %q shows %q", text, secret)
		}
	}
	for _, want := range []string{"att_1", "req_canned", "stripe:"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error %q does not show %q", err, want)
		}
	}
}
