package paypal

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plutov/paypal/v4"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// The traps of plutov/paypal v4.8.0. Each test shows the library falling in, then
// our client not doing so; when an update closes a trap, its test says so.

// canned is a PayPal that gives one answer to everything but requests for tokens.
type canned struct {
	*httptest.Server

	mu     sync.Mutex
	status int
	body   string
	paths  []string
	header []http.Header
	sent   [][]byte
}

func newCanned(t *testing.T, status int, body string) *canned {
	t.Helper()
	c := &canned{status: status, body: body}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/oauth2/token" {
			_, _ = io.WriteString(w, `{"access_token":"A21AAcannedtoken","token_type":"Bearer","expires_in":32400}`)
			return
		}
		raw, _ := io.ReadAll(r.Body)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.paths, c.header, c.sent = append(c.paths, r.URL.RequestURI()), append(c.header, r.Header), append(c.sent, raw)
		w.Header().Set("Paypal-Debug-Id", "f1d2a3b4c5d6e")
		w.WriteHeader(c.status)
		_, _ = io.WriteString(w, c.body)
	}))
	t.Cleanup(c.Close)
	return c
}

// library is a client as the library's documentation makes it.
func (c *canned) library(t *testing.T) *paypal.Client {
	t.Helper()
	lib, err := paypal.NewClient("AZ1", "EH1", c.URL)
	if err != nil {
		t.Fatal(err)
	}
	return lib
}

func (c *canned) ours(t *testing.T) *Client {
	t.Helper()
	ours, err := New(Config{ClientID: "AZ1", Secret: "EHverySecret", WebhookID: "8PT", APIURL: c.URL}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return ours
}

func (c *canned) last() (path string, header http.Header, sent string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.paths) == 0 {
		return "", nil, ""
	}
	n := len(c.paths) - 1
	return c.paths[n], c.header[n], string(c.sent[n])
}

func TestTrapWebhookIsWrittenAnew(t *testing.T) {
	c := newCanned(t, 200, `{"verification_status":"SUCCESS"}`)
	body := []byte(`{"id" : "WH-1", "payer" : "Smith & Co"}`)
	req := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	_, _ = c.library(t).VerifyWebhookSignature(t.Context(), req, "8PT")
	if _, _, sent := c.last(); strings.Contains(sent, string(body)) || !strings.Contains(sent, `\u0026`) {
		t.Errorf("the library now sends the event as it came: %s", sent)
	}
	ours := c.ours(t)
	if err := ours.verifyOnline(t.Context(), transmission{id: "1"}, body, errors.New("a test")); err != nil {
		t.Errorf("got %v", err)
	}
	if _, _, sent := c.last(); !strings.Contains(sent, string(body)) || !json.Valid([]byte(sent)) {
		t.Errorf("we send %s, want the event as it came", sent)
	}
}

func TestTrapRefundsAreAskedForElsewhere(t *testing.T) {
	c := newCanned(t, 404, `{"name":"RESOURCE_NOT_FOUND"}`)
	_, _ = c.library(t).GetRefund(t.Context(), "1JU08902781691411")
	if path, _, _ := c.last(); path != "/v2/payments/refund/1JU08902781691411" {
		t.Errorf("the library now asks at %s", path)
	}
	_, _ = c.ours(t).ReadRefund(t.Context(), "1JU08902781691411")
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.paths[1] != "/v2/payments/refunds/1JU08902781691411" {
		t.Errorf("we ask at %s", c.paths[1])
	}
}

func TestTrapStatusOfAPageIsLost(t *testing.T) {
	c := newCanned(t, 503, "<html><h1>Service Unavailable</h1></html>")
	_, err := c.library(t).GetOrder(t.Context(), "5O190127TN364715T")
	var said *paypal.ErrorResponse
	if err == nil || errors.As(err, &said) {
		t.Errorf("the library now says %v", err)
	}
	if _, err := c.ours(t).ReadPage(t.Context(), "5O190127TN364715T"); !errors.Is(err, billing.ErrGatewayTemporary) || !strings.Contains(err.Error(), "503") || strings.Contains(err.Error(), "html") {
		t.Errorf("got %v, want ErrGatewayTemporary with the status and without the page", err)
	}
}

func TestTrapEmptyAnswerIsAFailure(t *testing.T) {
	c := newCanned(t, 204, "")
	lib := c.library(t)
	req, err := lib.NewRequest(t.Context(), http.MethodDelete, c.URL+"/v3/vault/payment-tokens/8kk8451t", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := lib.SendWithAuth(req, &struct{}{}); !errors.Is(err, io.EOF) {
		t.Errorf("the library now says %v", err)
	}
	x := c.ours(t).begin("test", true)
	if err := x.send(t.Context(), http.MethodDelete, "/v3/vault/payment-tokens/8kk8451t", "", nil, nil); err != nil {
		t.Errorf("got %v, want success", err)
	}
	if _, _, sent := c.last(); sent != "" {
		t.Errorf("we send the body %q with a DELETE", sent)
	}
}

func TestTrapOAuthErrorsAreEmpty(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"invalid_client","error_description":"Client Authentication failed"}`)
	}))
	defer server.Close()
	c := &canned{Server: server}
	_, err := c.library(t).GetAccessToken(t.Context())
	var said *paypal.ErrorResponse
	if !errors.As(err, &said) || said.Name != "" || said.Message != "" {
		t.Errorf("the library now says %v", err)
	}
	if _, err := c.ours(t).Methods(t.Context(), "customer1"); !errors.Is(err, billing.ErrGatewayCredentials) || !strings.Contains(err.Error(), "Client Authentication failed") {
		t.Errorf("got %v, want ErrGatewayCredentials and what PayPal said", err)
	}
}

func TestTrapNoTimeout(t *testing.T) {
	c := newCanned(t, 200, "{}")
	if lib := c.library(t); lib.Client.Timeout != 0 {
		t.Errorf("the library now has a timeout of %s", lib.Client.Timeout)
	}
	if ours := c.ours(t); ours.http.Timeout != defaultTimeout || ours.api.Client.Timeout != defaultTimeout {
		t.Errorf("got %s, want %s", ours.http.Timeout, defaultTimeout)
	}
}

func TestTrapVaultIsNotRead(t *testing.T) {
	const answer = `{"id":"5O190127TN364715T","status":"COMPLETED","create_time":"2026-01-31T12:00:00Z",
		"purchase_units":[{"custom_id":"a1.inv_a1.p0","amount":{"currency_code":"EUR","value":"19.99"},"payments":{"captures":[
		{"id":"3C679366HH908993F","status":"COMPLETED","amount":{"currency_code":"EUR","value":"19.99"},"create_time":"2026-01-31T12:00:00Z"}]}}],
		"payment_source":{"paypal":{"attributes":{"vault":{"id":"8kk8451t","status":"VAULTED","customer":{"id":"customer1"}}}}}}`
	c := newCanned(t, 200, answer)
	o, err := c.library(t).GetOrder(t.Context(), "5O190127TN364715T")
	if err != nil {
		t.Fatal(err)
	}
	if raw, _ := json.Marshal(o); bytes.Contains(raw, []byte("8kk8451t")) {
		t.Errorf("the library now reads the vault: %s", raw)
	}
	if r, err := c.ours(t).ReadPage(t.Context(), "5O190127TN364715T"); err != nil || r.Method != "8kk8451t" || r.Customer != "customer1" {
		t.Errorf("got %+v, %v, want the saved method", r, err)
	}
}

func TestTrapBalanceLosesItsCurrency(t *testing.T) {
	const answer = `{"id":"I-BW452GLLEP1G","status":"ACTIVE","plan_id":"P-1","create_time":"2026-01-31T12:00:00Z",
		"billing_info":{"outstanding_balance":{"currency_code":"EUR","value":"9.99"},"failed_payments_count":1}}`
	c := newCanned(t, 200, answer)
	sub, err := c.library(t).GetSubscriptionDetails(t.Context(), "I-BW452GLLEP1G")
	if err != nil || sub.BillingInfo.OutstandingBalance.Currency != "" {
		t.Errorf("the library now reads %+v, %v", sub.BillingInfo.OutstandingBalance, err)
	}
	if a, err := c.ours(t).ReadAgreement(t.Context(), "I-BW452GLLEP1G"); err != nil || a.Outstanding != money.Must(999, "EUR") {
		t.Errorf("got %+v, %v, want 9.99 EUR", a, err)
	}
}

func TestTrapLocalTimesAreSentAsUTC(t *testing.T) {
	c := newCanned(t, 200, `{"id":"I-BW452GLLEP1G","status":"ACTIVE","plan_id":"P-1","create_time":"2026-01-31T12:00:00Z","transactions":[]}`)
	berlin := time.FixedZone("CET", 3600)
	midnight := time.Date(2026, 2, 1, 0, 0, 0, 0, berlin)
	_, _ = c.library(t).GetSubscriptionTransactions(t.Context(), paypal.SubscriptionTransactionsParams{SubscriptionId: "I-BW452GLLEP1G", StartTime: midnight, EndTime: midnight})
	if path, _, _ := c.last(); !strings.Contains(path, "2026-02-01T00:00:00Z") {
		t.Errorf("the library now asks %s", path)
	}
	if _, err := c.ours(t).AgreementPayments(t.Context(), "I-BW452GLLEP1G", midnight, midnight); err != nil {
		t.Fatal(err)
	}
	if path, _, _ := c.last(); !strings.Contains(path, "2026-01-31T23%3A00%3A00") {
		t.Errorf("we ask %s, want UTC", path)
	}
}

func TestTrapNullsAreSent(t *testing.T) {
	raw, err := json.Marshal(paypal.SubscriptionPlan{})
	if err != nil || !bytes.Contains(raw, []byte(":null")) {
		t.Errorf("the library now sends %s, %v", raw, err)
	}
	order, _, err := pageOrder("test", (&stage{clock: newClock()}).pageRequest("a1"))
	if err != nil {
		t.Fatal(err)
	}
	charge, err := chargeOrder("test", billing.ChargeRequest{Key: "k", AttemptID: "a", InvoiceID: "i", Customer: "customer1", Method: "8kk8451t", Amount: money.Must(1, "EUR")})
	if err != nil {
		t.Fatal(err)
	}
	agreement, err := agreementRequest("test", billing.AgreementRequest{Plan: "P-1", ReturnURL: "https://a.example", CancelURL: "https://a.example"})
	if err != nil {
		t.Fatal(err)
	}
	for _, ours := range []any{order, charge, agreement, wireRefundRequest{}} {
		if raw, err := json.Marshal(ours); err != nil || bytes.Contains(raw, []byte("null")) || bytes.Contains(raw, []byte("0001-01-01")) || bytes.Contains(raw, []byte("captures")) {
			t.Errorf("we send %s, %v", raw, err)
		}
	}
}

func TestTrapCaptureSwitchesAHeaderForAll(t *testing.T) {
	c := newCanned(t, 200, `{"id":"5O190127TN364715T"}`)
	lib := c.library(t)
	prefer := func() string { _, h, _ := c.last(); return h.Get("Prefer") }
	_, _ = lib.GetOrder(t.Context(), "5O190127TN364715T")
	before := prefer()
	_, _ = lib.CaptureOrder(t.Context(), "5O190127TN364715T", paypal.CaptureOrderRequest{})
	_, _ = lib.GetOrder(t.Context(), "5O190127TN364715T")
	if before == prefer() {
		t.Errorf("the library's header was %q and is %q", before, prefer())
	}
	_, _ = c.ours(t).ReadPage(t.Context(), "5O190127TN364715T")
	if got := prefer(); got != "return=representation" {
		t.Errorf("we send %q from the first call on, want return=representation", got)
	}
}

func TestTrapZerosAreDecodedWithoutAnError(t *testing.T) {
	for _, body := range []string{`{}`, `null`, `{"id":"5O190127TN364715T","status":"COMPLETED"}`, `[]`} {
		c := newCanned(t, 200, body)
		ours := c.ours(t)
		if r, err := ours.ReadPage(t.Context(), "5O190127TN364715T"); !errors.Is(err, ErrPayload) || !errors.Is(err, billing.ErrGatewayTemporary) {
			t.Errorf("%s, read: got %+v, %v, want ErrPayload and ErrGatewayTemporary", body, r, err)
		}
		if p, err := ours.OpenPage(t.Context(), (&stage{clock: newClock()}).pageRequest("a1")); !errors.Is(err, billing.ErrOutcomeUnknown) {
			t.Errorf("%s, page: got %+v, %v, want ErrOutcomeUnknown", body, p, err)
		}
		if r, err := ours.Refund(t.Context(), billing.RefundRequest{Key: "k", RefundID: "r", Payment: "3C679366HH908993F", Amount: money.Must(1, "EUR")}); !errors.Is(err, billing.ErrOutcomeUnknown) {
			t.Errorf("%s, refund: got %+v, %v, want ErrOutcomeUnknown", body, r, err)
		}
		if m, err := ours.Methods(t.Context(), "customer1"); !errors.Is(err, billing.ErrGatewayTemporary) {
			t.Errorf("%s, methods: got %+v, %v, want ErrGatewayTemporary", body, m, err)
		}
	}
}

// TestTimesOfPayPal: with a zone in each of its ways, the library reads some.
func TestTimesOfPayPal(t *testing.T) {
	want := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for _, text := range []string{"2026-01-31T12:00:00Z", "2026-01-31T12:00:00+00:00", "2026-01-31T13:00:00+0100", "2026-01-31T12:00:00.000Z", "2026-01-31T07:00:00-05:00"} {
		var got wireTime
		if err := json.Unmarshal([]byte(`"`+text+`"`), &got); err != nil || !got.Equal(want) {
			t.Errorf("%s: got %s, %v, want %s", text, got, err, want)
		}
	}
	var lib paypal.JSONTime
	if err := json.Unmarshal([]byte(`"2026-01-31T12:00:00+00:00"`), &lib); err == nil && time.Time(lib).Equal(want) {
		t.Error("the library now reads +00:00")
	}
	for _, text := range []string{`""`, `null`, `0`, `"soon"`, `{}`} {
		got := wireTime{want}
		if err := json.Unmarshal([]byte(text), &got); err != nil || text != "null" && !got.IsZero() {
			t.Errorf("%s: got %s, %v, want no time", text, got, err)
		}
	}
}
