package stripebox

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

const key = "sk_test_51Sandbox"

// rig is a sandbox on a server with a settable clock.
type rig struct {
	*Box

	url string
	mu  sync.Mutex
	now time.Time
}

func newRig(t *testing.T, o Options) *rig {
	t.Helper()
	r := &rig{now: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)}
	o.Now = func() time.Time {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.now
	}
	r.Box = New(o)
	t.Cleanup(r.Close)
	server := httptest.NewServer(r.Handler())
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

func (r *rig) advance(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

// reply is a decoded answer.
type reply struct {
	status int
	header http.Header
	body   map[string]any
}

// at reads a nested field: at("error", "code").
func (r reply) at(path ...string) any {
	var v any = r.body
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

func (r reply) str(path ...string) string {
	s, _ := r.at(path...).(string)
	return s
}

// do calls the API; pairs are "name=value".
func (r *rig) do(t *testing.T, call, idemKey string, pairs ...string) reply {
	t.Helper()
	method, path, _ := strings.Cut(call, " ")
	form := url.Values{}
	for _, p := range pairs {
		name, value, _ := strings.Cut(p, "=")
		form.Add(name, value)
	}
	address, body := r.url+path, ""
	if method == http.MethodGet {
		address += "?" + form.Encode()
	} else {
		body = form.Encode()
	}
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Stripe-Version", Version)
	if idemKey != "" {
		req.Header.Set("Idempotency-Key", idemKey)
	}
	return send(t, req)
}

func send(t *testing.T, req *http.Request) reply {
	t.Helper()
	res, err := http.DefaultTransport.RoundTrip(req) // follows no redirect
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	out := reply{status: res.StatusCode, header: res.Header, body: map[string]any{}}
	if bytes.HasPrefix(raw, []byte("{")) {
		if err := json.Unmarshal(raw, &out.body); err != nil {
			t.Fatalf("%s %s: %v in %s", req.Method, req.URL, err, raw)
		}
	}
	out.body["(text)"] = string(raw)
	return out
}

var sessionParams = []string{
	"mode=payment", "success_url=https://portal.example/ok?session={CHECKOUT_SESSION_ID}", "cancel_url=https://portal.example/back",
	"line_items[0][quantity]=1", "line_items[0][price_data][currency]=eur", "line_items[0][price_data][unit_amount]=1999",
	"line_items[0][price_data][product_data][name]=Invoice 1", "metadata[invoice_id]=inv_1",
	"payment_intent_data[metadata][invoice_id]=inv_1", "payment_intent_data[setup_future_usage]=off_session",
	"customer_email=kim@example.com",
}

// session opens a page with these parameters in place of the usual ones and
// returns its id.
func (r *rig) session(t *testing.T, other ...string) string {
	t.Helper()
	replaced := map[string]bool{}
	for _, p := range other {
		name, _, _ := strings.Cut(p, "=")
		replaced[name] = true
	}
	params := append([]string{}, other...)
	for _, p := range sessionParams {
		if name, _, _ := strings.Cut(p, "="); !replaced[name] {
			params = append(params, p)
		}
	}
	s := r.do(t, "POST /v1/checkout/sessions", "", params...)
	if s.status != http.StatusOK {
		t.Fatalf("session: %v", s.body)
	}
	return s.str("id")
}

// saved makes a customer with a saved card.
func (r *rig) saved(t *testing.T, number string) (customer, method string) {
	t.Helper()
	customer = r.do(t, "POST /v1/customers", "", "email=kim@example.com").str("id")
	method, err := r.SaveCard(customer, number)
	if err != nil {
		t.Fatal(err)
	}
	return customer, method
}

func charging(customer, method string, extra ...string) []string {
	return append([]string{
		"amount=3000", "currency=eur", "customer=" + customer, "payment_method=" + method, "off_session=true", "confirm=true",
		"automatic_payment_methods[enabled]=true", "automatic_payment_methods[allow_redirects]=never", "metadata[invoice_id]=inv_2",
	}, extra...)
}

func TestKeyAndVersion(t *testing.T) {
	r := newRig(t, Options{SecretKey: key})
	for name, header := range map[string]string{
		"none": "", "wrong": "Bearer sk_test_other", "live": "Bearer sk_" + "live_51Sandbox", "publishable": "Bearer pk_test_51Sandbox",
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+"/v1/balance", nil)
		if err != nil {
			t.Fatal(err)
		}
		if header != "" {
			req.Header.Set("Authorization", header)
		}
		got := send(t, req)
		if got.status != 401 || got.str("error", "type") != "invalid_request_error" || strings.Contains(got.str("error", "message"), "51Sandbox") {
			t.Errorf("%s key: got %d %v, want 401 without the key", name, got.status, got.body)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/v1/customers", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(key, "")
	req.Header.Set("Stripe-Version", "2030-01-01")
	if got := send(t, req); got.status != 200 || got.header.Get("Stripe-Version") != Version || got.header.Get("Request-Id") == "" {
		t.Errorf("basic key, other version: got %d %v", got.status, got.header)
	}
	if c := r.Complaints(); len(c) != 2 || !strings.Contains(c[0], "2030-01-01") || !strings.Contains(c[1], "idempotency") {
		t.Errorf("got complaints %q, want version and missing idempotency key", c)
	}
}

func TestIdempotency(t *testing.T) {
	r := newRig(t, Options{})
	first := r.do(t, "POST /v1/customers", "k1", "name=Kim", "metadata[a]=1")
	again := r.do(t, "POST /v1/customers", "k1", "metadata[a]=1", "name=Kim")
	if again.str("id") != first.str("id") || again.header.Get("Idempotent-Replayed") != "true" || first.header.Get("Idempotent-Replayed") != "" {
		t.Errorf("repeat: got %v, want a replay of %v", again.body, first.body)
	}
	other := r.do(t, "POST /v1/customers", "k1", "name=Lee")
	if other.status != 400 || other.str("error", "type") != "idempotency_error" {
		t.Errorf("other parameters: got %d %v, want 400 idempotency_error", other.status, other.body)
	}
	if got := r.do(t, "POST /v1/refunds", "k1", "name=Kim"); got.str("error", "type") != "idempotency_error" {
		t.Errorf("other call: got %v, want idempotency_error", got.body)
	}
	if got := r.do(t, "POST /v1/customers", "k2", "bogus=1"); got.status != 400 {
		t.Errorf("invalid request: got %d", got.status)
	}
	if got := r.do(t, "POST /v1/customers", "k2", "name=Kim"); got.status != 200 {
		t.Errorf("the key of an invalid request: got %d %v, want it free", got.status, got.body)
	}
}

func TestKeysInUseAndForgotten(t *testing.T) {
	r := newRig(t, Options{})
	first := r.do(t, "POST /v1/customers", "k1", "name=Kim")
	if _, fault := r.keys.claim("k3", "POST /v1/customers?name=Kim"); fault != nil {
		t.Fatal(fault)
	}
	if got := r.do(t, "POST /v1/customers", "k3", "name=Kim"); got.status != 409 || got.str("error", "code") != "idempotency_key_in_use" {
		t.Errorf("key in use: got %d %v, want 409", got.status, got.body)
	}
	r.advance(24 * time.Hour)
	if got := r.do(t, "POST /v1/customers", "k1", "name=Kim"); got.str("id") != first.str("id") {
		t.Error("the key was forgotten within 24 hours")
	}
	r.advance(time.Second)
	if got := r.do(t, "POST /v1/customers", "k1", "name=Lee"); got.status != 200 {
		t.Errorf("after more than 24 hours: got %d %v, want the key free", got.status, got.body)
	}
}

func TestDeclinesAreStored(t *testing.T) {
	r := newRig(t, Options{})
	customer, method := r.saved(t, "4000000000009995")
	for range 2 {
		if got := r.do(t, "POST /v1/payment_intents", "k4", charging(customer, method)...); got.status != 402 {
			t.Errorf("a decline: got %d", got.status)
		}
	}
	if n := len(r.Charges()); n != 1 {
		t.Errorf("a repeated decline made %d tries, want one", n)
	}
}

// TestOneKeyAtOnce sends one key many times at once: one executes, the others
// are told to wait or get its answer.
func TestOneKeyAtOnce(t *testing.T) {
	r := newRig(t, Options{})
	customer, method := r.saved(t, "4242424242424242")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			got := r.do(t, "POST /v1/payment_intents", "same", charging(customer, method)...)
			if got.status != 200 && got.status != 409 {
				t.Errorf("got %d %v, want 200 or 409", got.status, got.body)
			}
		})
	}
	wg.Wait()
	if n := r.Paid("inv_2"); n != 1 {
		t.Errorf("money was taken %d times, want once", n)
	}
}
