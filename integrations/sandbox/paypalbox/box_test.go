package paypalbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ezscale/ezscale/integrations/sandbox/fault"
)

// rig is a box on loopback with a clock and an access token.
type rig struct {
	*Box
	url   string
	token string

	mu  sync.Mutex
	now time.Time
}

func newRig(t *testing.T, o Options) *rig {
	t.Helper()
	r := &rig{now: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)}
	o.Now = func() time.Time { r.mu.Lock(); defer r.mu.Unlock(); return r.now }
	r.Box = New(o)
	t.Cleanup(r.Close)
	server := httptest.NewServer(r.Handler())
	t.Cleanup(server.Close)
	r.url = server.URL
	r.SetPublicURL(server.URL)
	r.token = "Bearer " + r.form(t, "/v1/oauth2/token", url.Values{"grant_type": {"client_credentials"}}).str("access_token")
	return r
}

func (r *rig) advance(d time.Duration) { r.mu.Lock(); defer r.mu.Unlock(); r.now = r.now.Add(d) }

type answerOf struct {
	status int
	header http.Header
	text   string
	body   object
}

func (a answerOf) str(path string) string { return str(a.body, path) }
func (a answerOf) issue() string          { return str(a.body, "details.0.issue") }

func send(t *testing.T, req *http.Request) answerOf {
	t.Helper()
	client := &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, _ := io.ReadAll(res.Body)
	a := answerOf{status: res.StatusCode, header: res.Header, text: string(raw), body: object{}}
	_ = json.Unmarshal(raw, &a.body)
	return a
}

// form posts a form, with credentials where it asks for a token.
func (r *rig) form(t *testing.T, path string, values url.Values) answerOf {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, r.url+path, strings.NewReader(values.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth("AZ1", "EH1")
	return send(t, req)
}

// do makes a call of the API; id is its PayPal-Request-Id.
func (r *rig) do(t *testing.T, call, id, body string) answerOf {
	t.Helper()
	method, path, _ := strings.Cut(call, " ")
	req, err := http.NewRequest(method, r.url+path, bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", r.token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Prefer", "return=representation")
	if id != "" {
		req.Header.Set("PayPal-Request-Id", id)
	}
	return send(t, req)
}

const hosted = `"payment_source":{"paypal":{"attributes":{"customer":{"id":"customer1"},"vault":{"store_in_vault":"ON_SUCCESS","usage_type":"MERCHANT"}},"experience_context":{"return_url":"https://shop.example/ok","cancel_url":"https://shop.example/no"}}}`

func orderBody(value, source string) string {
	return fmt.Sprintf(`{"intent":"CAPTURE","purchase_units":[{"custom_id":"c1","invoice_id":"i1","description":"Invoice 1","amount":{"currency_code":"EUR","value":%q}}],%s}`, value, source)
}

func (r *rig) order(t *testing.T, id string) answerOf {
	t.Helper()
	o := r.do(t, "POST /v2/checkout/orders", id, orderBody("19.99", hosted))
	if o.status != 200 || o.str("status") != "PAYER_ACTION_REQUIRED" || o.str("links.1.rel") != "payer-action" {
		t.Fatalf("order: got %d %v", o.status, o.body)
	}
	return o
}

func TestRefusedRequests(t *testing.T) {
	r := newRig(t, Options{})
	source := func(paypal string) string { return `"payment_source":{"paypal":` + paypal + `}` }
	scenarios := []struct {
		name, call, id, body string
		status               int
		issue                string
	}{
		{"no such call", "GET /v2/checkout/nothing", "", "", 404, "INVALID_RESOURCE_ID"},
		{"no body", "POST /v2/checkout/orders", "k", "", 400, "MALFORMED_REQUEST_JSON"},
		{"no JSON", "POST /v2/checkout/orders", "k", "{", 400, "MALFORMED_REQUEST_JSON"},
		{"a list", "POST /v2/checkout/orders", "k", "[1]", 400, "INVALID_PARAMETER_SYNTAX"},
		{"a member nobody knows", "POST /v2/checkout/orders", "k", `{"intent":"CAPTURE","intents":1}`, 400, "INVALID_PARAMETER_SYNTAX"},
		{"nothing to buy", "POST /v2/checkout/orders", "k", `{"intent":"CAPTURE"}`, 400, "MISSING_REQUIRED_PARAMETER"},
		{"null", "POST /v2/checkout/orders", "k", orderBody("1.00", `"payment_source":null`), 400, "INVALID_PARAMETER_SYNTAX"},
		{"three decimals", "POST /v2/checkout/orders", "k", orderBody("1.001", hosted), 422, "DECIMAL_PRECISION"},
		{"nothing", "POST /v2/checkout/orders", "k", orderBody("0.00", hosted), 422, "CANNOT_BE_ZERO_OR_NEGATIVE"},
		{"a fortune", "POST /v2/checkout/orders", "k", orderBody("10000000.00", hosted), 422, "MAX_VALUE_EXCEEDED"},
		{"words", "POST /v2/checkout/orders", "k", orderBody("ten", hosted), 400, "INVALID_PARAMETER_SYNTAX"},
		{"decimals of yen", "POST /v2/checkout/orders", "k", strings.Replace(orderBody("10.50", hosted), "EUR", "JPY", 1), 422, "DECIMAL_PRECISION"},
		{"another currency", "POST /v2/checkout/orders", "k", strings.Replace(orderBody("10.50", hosted), "EUR", "KWD", 1), 422, "CURRENCY_NOT_SUPPORTED"},
		{"no return address", "POST /v2/checkout/orders", "k", orderBody("1.00", source(`{"experience_context":{"cancel_url":"https://a.example"}}`)), 400, "MISSING_REQUIRED_PARAMETER"},
		{"a language of two letters and more", "POST /v2/checkout/orders", "k", orderBody("1.00", source(`{"experience_context":{"locale":"deutsch","return_url":"https://a.example","cancel_url":"https://a.example"}}`)), 400, "INVALID_PARAMETER_SYNTAX"},
		{"a token nobody has", "POST /v2/checkout/orders", "k", orderBody("1.00", source(`{"vault_id":"nobodys1"}`)), 422, "TOKEN_ID_NOT_FOUND"},
		{"a request id too long", "POST /v2/checkout/orders", strings.Repeat("k", 109), orderBody("1.00", hosted), 400, "INVALID_STRING_LENGTH"},
		{"vault without a request id", "POST /v3/vault/payment-tokens", "", `{"payment_source":{"token":{"id":"x","type":"SETUP_TOKEN"}}}`, 400, "PAYPAL_REQUEST_ID_REQUIRED"},
		{"a customer too short", "GET /v3/vault/payment-tokens?customer_id=u1", "", "", 400, "INVALID_STRING_LENGTH"},
		{"an unknown parameter", "GET /v3/vault/payment-tokens?customer=u1", "", "", 400, "INVALID_PARAMETER_SYNTAX"},
		{"a search of months", "GET /v1/reporting/transactions?start_date=2026-01-01T00:00:00Z&end_date=2026-03-01T00:00:00Z", "", "", 400, "INVALID_PARAMETER_VALUE"},
		{"no such order", "GET /v2/checkout/orders/5O190127TN364715T", "", "", 404, "INVALID_RESOURCE_ID"},
	}
	for i, s := range scenarios {
		id := s.id
		if id == "k" {
			id = fmt.Sprintf("k%d", i)
		}
		if got := r.do(t, s.call, id, s.body); got.status != s.status || got.issue() != s.issue || got.str("debug_id") == "" {
			t.Errorf("%s: got %d %v, want %d %s", s.name, got.status, got.body, s.status, s.issue)
		}
	}
	r.token = "Bearer A21AAnobodys"
	if got := r.do(t, "GET /v2/checkout/orders/5O190127TN364715T", "", ""); got.status != 401 || got.str("name") != "AUTHENTICATION_FAILURE" {
		t.Errorf("another token: got %d %v", got.status, got.body)
	}
	if n := r.Snapshot().Orders; n != 0 {
		t.Errorf("got %d orders, want none", n)
	}
}

func TestRequestIDs(t *testing.T) {
	r := newRig(t, Options{})
	first := r.order(t, "k1")
	if again := r.order(t, "k1"); again.str("id") != first.str("id") {
		t.Errorf("the same id: got order %s, want %s", again.str("id"), first.str("id"))
	}
	if got := r.do(t, "POST /v2/checkout/orders", "k1", orderBody("20.00", hosted)); got.status != 422 || got.issue() != "PAYPAL_REQUEST_ID_PREVIOUSLY_USED" {
		t.Errorf("another body: got %d %v", got.status, got.body)
	}
	id := first.str("id")
	if got := r.do(t, "POST /v2/checkout/orders/"+id+"/capture", "c1", "{}"); got.issue() != "ORDER_NOT_APPROVED" {
		t.Errorf("capture before: got %d %v", got.status, got.body)
	}
	if err := r.Approve(id, "works@payer.example"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{201, 200} {
		if got := r.do(t, "POST /v2/checkout/orders/"+id+"/capture", "c1", "{}"); got.status != want || got.str("status") != "COMPLETED" {
			t.Errorf("capture: got %d %v, want %d", got.status, got.body, want)
		}
	}
	if got := r.do(t, "POST /v2/checkout/orders", "k1", orderBody("19.99", hosted)); got.str("status") != "COMPLETED" {
		t.Errorf("the first id afterwards: got %v, want the latest state", got.body)
	}
	if got := r.do(t, "POST /v2/checkout/orders/"+id+"/capture", "c2", "{}"); got.issue() != "ORDER_ALREADY_CAPTURED" {
		t.Errorf("another id: got %d %v", got.status, got.body)
	}
	r.advance(6 * time.Hour)
	r.RevokeTokens()
	r.token = "Bearer " + r.form(t, "/v1/oauth2/token", url.Values{"grant_type": {"client_credentials"}}).str("access_token")
	if again := r.order(t, "k1"); again.str("id") == id {
		t.Error("the id is remembered after six hours")
	}
	if n := len(r.Payments()); n != 1 || len(r.Complaints()) != 0 {
		t.Errorf("got %d payments and complaints %v, want one and none", n, r.Complaints())
	}
	r.do(t, "POST /v2/checkout/orders", "", orderBody("19.99", hosted))
	if len(r.Complaints()) != 1 {
		t.Errorf("got complaints %v, want one of a missing id", r.Complaints())
	}
}

func TestTokenEndpoint(t *testing.T) {
	r := newRig(t, Options{})
	if got := r.form(t, "/v1/oauth2/token", url.Values{"grant_type": {"password"}}); got.status != 400 || got.str("error") != "unsupported_grant_type" {
		t.Errorf("another grant: got %d %v", got.status, got.body)
	}
	strict := New(Options{ClientID: "AZ1", Secret: "other"})
	defer strict.Close()
	server := httptest.NewServer(strict.Handler())
	defer server.Close()
	r.url = server.URL
	if got := r.form(t, "/v1/oauth2/token", url.Values{"grant_type": {"client_credentials"}}); got.status != 401 || got.str("error") != "invalid_client" {
		t.Errorf("a wrong secret: got %d %v", got.status, got.body)
	}
}

// TestSetupTokens saves an account without a payment.
func TestSetupTokens(t *testing.T) {
	r := newRig(t, Options{})
	const ask = `{"customer":{"id":"customer1"},"payment_source":{"paypal":{"usage_type":"MERCHANT","experience_context":{"return_url":"https://shop.example/ok","cancel_url":"https://shop.example/no"}}}}`
	s := r.do(t, "POST /v3/vault/setup-tokens", "s1", ask)
	id := s.str("id")
	if s.status != 201 || s.str("status") != "PAYER_ACTION_REQUIRED" || s.str("links.1.rel") != "approve" {
		t.Fatalf("got %d %v", s.status, s.body)
	}
	exchange := `{"payment_source":{"token":{"id":"` + id + `","type":"SETUP_TOKEN"}}}`
	if got := r.do(t, "POST /v3/vault/payment-tokens", "t1", exchange); got.status != 422 {
		t.Errorf("before the payer agreed: got %d %v", got.status, got.body)
	}
	back := r.form(t, "/agreements/approve?approval_session_id="+id, url.Values{"answer": {"yes"}, "payer": {"works@payer.example"}})
	if back.status != http.StatusSeeOther || !strings.HasPrefix(back.header.Get("Location"), "https://shop.example/ok?") {
		t.Errorf("got %d %v, want back to the shop", back.status, back.header)
	}
	if got := r.do(t, "GET /v3/vault/setup-tokens/"+id, "", ""); got.str("status") != "APPROVED" {
		t.Errorf("got %v", got.body)
	}
	saved := r.do(t, "POST /v3/vault/payment-tokens", "t1", exchange)
	if saved.status != 201 || saved.str("customer.id") != "customer1" || saved.str("payment_source.paypal.email_address") != "works@payer.example" {
		t.Fatalf("got %d %v", saved.status, saved.body)
	}
	paid := r.do(t, "POST /v2/checkout/orders", "p1", orderBody("5.00", `"payment_source":{"paypal":{"vault_id":"`+saved.str("id")+`"}}`))
	if paid.status != 201 || paid.str("status") != "COMPLETED" {
		t.Errorf("charge: got %d %v", paid.status, paid.body)
	}
	if err := r.ApproveSetup(id, "works@payer.example"); err == nil {
		t.Error("a token that is saved can be approved again")
	}
	r.Set(Switches{VaultOff: true})
	if got := r.do(t, "POST /v3/vault/setup-tokens", "s2", ask); got.status != 403 || got.issue() != "PERMISSION_DENIED" {
		t.Errorf("without permission: got %d %v", got.status, got.body)
	}
}

// hooks receives webhooks; failures many are answered with 500 first.
type hooks struct {
	*httptest.Server

	mu       sync.Mutex
	failures int
	types    []string
	ids      []string
}

func newHooks(t *testing.T) *hooks {
	t.Helper()
	h := &hooks{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		var e object
		_ = json.Unmarshal(raw, &e)
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.failures > 0 {
			h.failures--
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		h.types, h.ids = append(h.types, str(e, "event_type")), append(h.ids, str(e, "id"))
		if r.Header.Get("Paypal-Auth-Algo") != "SHA256withRSA" || !strings.Contains(r.Header.Get("Paypal-Cert-Url"), "/v1/notifications/certs/") {
			t.Errorf("got the headers %v", r.Header)
		}
	}))
	t.Cleanup(h.Close)
	return h
}

func flush(t *testing.T, b *Box) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := b.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestWebhooks(t *testing.T) {
	h := newHooks(t)
	r := newRig(t, Options{WebhookURL: h.URL, WebhookID: "8PT", RetryDelays: []time.Duration{time.Millisecond, time.Millisecond}})
	id := r.order(t, "k1").str("id")
	if err := r.Approve(id, "works@payer.example"); err != nil {
		t.Fatal(err)
	}
	r.do(t, "POST /v2/checkout/orders/"+id+"/capture", "c1", "{}")
	flush(t, r.Box)
	if want := []string{"CHECKOUT.ORDER.APPROVED", "VAULT.PAYMENT-TOKEN.CREATED", "PAYMENT.CAPTURE.COMPLETED"}; !slices.Equal(h.types, want) {
		t.Errorf("got %v, want %v", h.types, want)
	}
	h.mu.Lock()
	h.failures = 1
	h.mu.Unlock()
	r.Set(Switches{Duplicate: 1})
	if _, err := r.SaveToken("customer1", "works@payer.example"); err != nil {
		t.Fatal(err)
	}
	flush(t, r.Box)
	if n := len(h.ids); n != 5 || h.ids[3] != h.ids[4] {
		t.Errorf("got %v, want the last twice in spite of a failure", h.ids)
	}
	r.Set(Switches{Drop: 1})
	token, err := r.SaveToken("customer1", "works@payer.example")
	if err != nil || !r.RemoveToken(token) || r.RemoveToken(token) {
		t.Fatalf("got %q, %v", token, err)
	}
	flush(t, r.Box)
	if last := h.types[len(h.types)-1]; len(h.types) != 6 || last != "VAULT.PAYMENT-TOKEN.DELETED" {
		t.Errorf("got %v, want one lost", h.types)
	}
	if !r.Resend(h.ids[0]) || r.Resend("WH-none") {
		t.Error("resend must know its events")
	}
	r.Set(Switches{DelayType: "VAULT.PAYMENT-TOKEN.CREATED", Delay: 50 * time.Millisecond})
	if token, err = r.SaveToken("customer1", "works@payer.example"); err != nil || !r.RemoveToken(token) {
		t.Fatal(err)
	}
	flush(t, r.Box)
	if n := len(h.types); h.types[n-1] != "VAULT.PAYMENT-TOKEN.CREATED" || h.types[n-2] != "VAULT.PAYMENT-TOKEN.DELETED" {
		t.Errorf("got %v, want the last two the other way round", h.types)
	}
}

// TestEventsByHand: whoever drives time takes events and signs them at times of
// their own.
func TestEventsByHand(t *testing.T) {
	r := newRig(t, Options{WebhookID: "8PT"})
	plan := r.AddPlan("EUR", 999, 30)
	a := r.do(t, "POST /v1/billing/subscriptions", "g1", `{"plan_id":"`+plan+`","application_context":{"return_url":"https://shop.example/","cancel_url":"https://shop.example/"}}`)
	if err := r.Agree(a.str("id"), "works@payer.example"); err != nil {
		t.Fatal(err)
	}
	kinds := []string{}
	for _, e := range r.EventsFrom(0) {
		kinds = append(kinds, e.Type)
		h := r.SignedHeader(e.Body, time.Unix(1767225600, 0))
		if h.Get("Paypal-Transmission-Time") != "2026-01-01T00:00:00Z" || !json.Valid(e.Body) {
			t.Errorf("got %v for %s", h, e.Body)
		}
	}
	if want := []string{"BILLING.SUBSCRIPTION.CREATED", "BILLING.SUBSCRIPTION.ACTIVATED", "PAYMENT.SALE.COMPLETED"}; !slices.Equal(kinds, want) || len(r.EventsFrom(2)) != 1 || len(r.EventsFrom(9)) != 0 {
		t.Errorf("got %v, want %v", kinds, want)
	}
	if !r.EndAgreement(a.str("id"), "CANCELLED") || r.Bill(a.str("id")) {
		t.Error("a subscription that the payer ended is billed")
	}
}

func TestHostedPage(t *testing.T) {
	r := newRig(t, Options{})
	id := r.order(t, "k1").str("id")
	page := func(values url.Values) answerOf { return r.form(t, "/checkoutnow?token="+id, values) }
	if got := page(url.Values{"answer": {"no"}}); got.status != http.StatusSeeOther || !strings.HasPrefix(got.header.Get("Location"), "https://shop.example/no?") {
		t.Errorf("cancel: got %d %v", got.status, got.header)
	}
	if got := page(url.Values{"answer": {"yes"}, "payer": {"nobody"}}); got.status != http.StatusUnprocessableEntity || strings.Contains(got.text, "<script") {
		t.Errorf("nobody's account: got %d %s", got.status, got.text)
	}
	if got := page(url.Values{"answer": {"yes"}, "payer": {"declined@payer.example"}}); got.status != http.StatusSeeOther || !strings.Contains(got.header.Get("Location"), "token="+id) {
		t.Errorf("agree: got %d %v", got.status, got.header)
	}
	if got := r.do(t, "POST /v2/checkout/orders/"+id+"/capture", "c1", "{}"); got.issue() != "INSTRUMENT_DECLINED" || !strings.Contains(got.str("links.0.href"), "/checkoutnow?token="+id) {
		t.Errorf("capture: got %d %v, want a decline that leads back", got.status, got.body)
	}
	req, err := http.NewRequest(http.MethodGet, r.url+"/checkoutnow?token="+id, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := send(t, req); !strings.Contains(got.text, "declined by the processor") || got.header.Get("Content-Security-Policy") == "" {
		t.Errorf("the page afterwards: got %s", got.text)
	}
	r.advance(7 * time.Hour)
	if got := page(url.Values{"answer": {"yes"}, "payer": {"works@payer.example"}}); got.status != http.StatusNotFound {
		t.Errorf("hours later: got %d", got.status)
	}
	if len(r.Payments()) != 0 {
		t.Errorf("got %v, want no payment", r.Payments())
	}
}

func TestControl(t *testing.T) {
	faults := &fault.Set{}
	r := newRig(t, Options{Faults: faults})
	for _, s := range []struct {
		call, body string
		want       int
	}{
		{"POST /_sandbox/faults", `{"match":"POST /v2/","kind":"error_500","times":1}`, 204},
		{"POST /_sandbox/faults", `{"kind":"nonsense"}`, 400},
		{"DELETE /_sandbox/faults", ``, 204},
		{"PUT /_sandbox/switches", `{"duplicate":1,"vault_off":true}`, 204},
		{"PUT /_sandbox/switches", `{"duplicate":-1}`, 400},
		{"PUT /_sandbox/switches", `{"unknown":1}`, 400},
		{"POST /_sandbox/settle", ``, 204},
		{"POST /_sandbox/events/WH-x/resend", ``, 404},
		{"GET /_sandbox/state", ``, 200},
		{"GET /_sandbox/", ``, 200},
	} {
		if got := r.do(t, s.call, "", s.body); got.status != s.want {
			t.Errorf("%s %s: got %d %s, want %d", s.call, s.body, got.status, got.text, s.want)
		}
	}
	if !r.Switches().VaultOff || len(faults.List()) != 0 {
		t.Errorf("got %+v and %v", r.Switches(), faults.List())
	}
}
