package stripe

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
)

func stripeError(typ, code string) string {
	return `{"error":{"type":"` + typ + `","code":"` + code + `","message":"what Stripe says","param":"amount"}}`
}

func TestErrorClasses(t *testing.T) {
	refused, credentials := billing.ErrGatewayRefused, billing.ErrGatewayCredentials
	temporary, unknown := billing.ErrGatewayTemporary, billing.ErrOutcomeUnknown
	scenarios := []struct {
		name        string
		status      int
		body        string
		read, write error
	}{
		{"bad parameter", 400, stripeError("invalid_request_error", "parameter_unknown"), refused, refused},
		{"key of another request", 400, stripeError("idempotency_error", ""), refused, refused},
		{"wrong key", 401, stripeError("invalid_request_error", ""), credentials, credentials},
		{"restricted key", 403, stripeError("invalid_request_error", "more_permissions_required"), credentials, credentials},
		{"no such object", 404, stripeError("invalid_request_error", "resource_missing"), refused, refused},
		{"key in use", 409, stripeError("idempotency_error", "idempotency_key_in_use"), temporary, unknown},
		{"too many requests", 429, stripeError("invalid_request_error", "rate_limit"), temporary, temporary},
		{"lock timeout", 429, stripeError("invalid_request_error", "lock_timeout"), temporary, temporary},
		{"too many requests, says a proxy", 429, "slow down", temporary, temporary},
		{"server error", 500, stripeError("api_error", ""), temporary, unknown},
		{"server error without a word", 500, "", temporary, unknown},
		{"proxy error", 502, "<html>", temporary, unknown},
		{"unavailable, not in Stripe's shape", 503, `{"message":"Service Unavailable"}`, temporary, unknown},
		{"proxy wants a login", 403, "<html>", temporary, unknown},
		{"proxy knows no such page", 404, "404 page not found", temporary, unknown},
		{"success that is no JSON", 200, "<html>", temporary, unknown},
		{"success cut in half", 200, `{"id":"pi_1","object":"paym`, temporary, unknown},
		{"success of the wrong types", 200, `{"id":7}`, temporary, unknown},
		{"success without a body", 200, "", temporary, unknown},
		{"an endless answer", 200, `"` + strings.Repeat("x", 9<<20), temporary, unknown},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			c := newCanned(t, s.status, s.body)
			ours := c.ours(t)
			calls := map[string]func() error{
				"read":  func() error { _, err := ours.ReadPayment(t.Context(), "pi_1"); return err },
				"write": func() error { _, err := ours.Charge(t.Context(), chargeRequest()); return err },
			}
			for name, want := range map[string]error{"read": s.read, "write": s.write} {
				err := calls[name]()
				for _, kind := range []error{refused, credentials, temporary, unknown} {
					if errors.Is(err, kind) != (kind == want) { //nolint:errorlint // which sentinel, not which chain
						t.Errorf("%s: got %v, want %v", name, err, want)
					}
				}
				if err == nil || len(err.Error()) > 800 || !strings.Contains(err.Error(), "req_canned") {
					t.Errorf("%s: got %v, want a short error with the request id", name, err)
				}
			}
			if n := c.calls.Load(); n != 2 && s.name != "key of another request" {
				t.Errorf("got %d requests, want 2", n)
			}
		})
	}
}

// TestNothingSent tells calls that Stripe cannot have seen from lost ones.
func TestNothingSent(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	silent := silentServer(t)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	scenarios := []struct {
		name string
		ctx  context.Context
		url  string
		hc   *http.Client
		want error
	}{
		{"nobody listens", t.Context(), closed, nil, billing.ErrGatewayTemporary},
		{"no such host", t.Context(), "https://stripe.invalid", nil, billing.ErrGatewayTemporary},
		{"context is over", over, silent, nil, billing.ErrGatewayTemporary},
		{"connected, then silence", t.Context(), silent, &http.Client{Timeout: 100 * time.Millisecond}, billing.ErrOutcomeUnknown},
		{"network code that tells nothing", t.Context(), silent, &http.Client{Transport: mute{}}, billing.ErrOutcomeUnknown},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			c, err := New(Config{SecretKey: testKey, APIURL: s.url}, s.hc)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Charge(s.ctx, chargeRequest())
			if !errors.Is(err, s.want) {
				t.Errorf("got %v, want %v", err, s.want)
			}
			if strings.Contains(err.Error(), "/v1/") {
				t.Errorf("the error shows the address: %v", err)
			}
		})
	}
}

type mute struct{}

func (mute) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("broken pipe") }

// silentServer accepts connections and never answers.
func silentServer(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
		}
	}()
	return "http://" + listener.Addr().String()
}

func TestCheckInPlainWords(t *testing.T) {
	scenarios := []struct {
		name   string
		status int
		body   string
		want   string // "" is no error
	}{
		{"works", 200, `{"object":"balance"}`, ""},
		{"wrong key", 401, stripeError("invalid_request_error", ""), "copy it again"},
		{"restricted key", 403, stripeError("invalid_request_error", ""), "let it read the balance"},
		{"not Stripe", 200, `{}`, "is the API address right"},
		{"a redirect", 301, ``, "is the API address right"},
	}
	for _, s := range scenarios {
		err := newCanned(t, s.status, s.body).ours(t).Check(t.Context())
		if (err == nil) != (s.want == "") || err != nil && !strings.Contains(err.Error(), s.want) {
			t.Errorf("%s: got %v, want %q", s.name, err, s.want)
		}
	}
}

func TestDeclineKinds(t *testing.T) {
	soft, hard, authenticate := billing.DeclineSoft, billing.DeclineHard, billing.DeclineAuthenticate
	for reason, want := range map[string]billing.DeclineKind{
		"insufficient_funds": soft, "processing_error": soft, "issuer_not_available": soft, "try_again_later": soft,
		"generic_decline": soft, "a_code_of_tomorrow": soft, "": soft,
		"lost_card": hard, "stolen_card": hard, "pickup_card": hard, "fraudulent": hard, "do_not_honor": hard,
		"expired_card": hard, "incorrect_number": hard, "revocation_of_authorization": hard,
		"revocation_of_all_authorizations": hard, "stop_payment_order": hard,
		"authentication_required": authenticate,
	} {
		body := `{"error":{"type":"card_error","code":"card_declined","decline_code":"` + reason + `","payment_intent":{"id":"pi_1"}}}`
		r, err := newCanned(t, 402, body).ours(t).Charge(t.Context(), chargeRequest())
		if err != nil || r.Decline != want || r.Reference != "pi_1" || r.Reason == "" {
			t.Errorf("%q: got %+v, %v, want %s", reason, r, err, want)
		}
	}
	for _, body := range []string{`{"error":{"type":"card_error","code":"expired_card"}}`, `{"error":{"type":"card_error","code":"authentication_required"}}`} {
		r, err := newCanned(t, 402, body).ours(t).Charge(t.Context(), chargeRequest())
		if err != nil || r.Decline == soft || r.Reference != "" || r.AttemptID != "att_1" {
			t.Errorf("%s: got %+v, %v, want a decline by its code", body, r, err)
		}
	}
}

// TestStoredServerError is the case in which repeating cannot help: Stripe did
// the work, answered 500 and replays that for as long as it knows the key.
func TestStoredServerError(t *testing.T) {
	s := newStage(t)
	customer, err := s.client.EnsureCustomer(t.Context(), "c1", "u1", "", "")
	if err != nil {
		t.Fatal(err)
	}
	r := chargeRequest()
	r.Customer = customer
	if r.Method, err = s.box.SaveCard(customer, "4242424242424242"); err != nil {
		t.Fatal(err)
	}
	sw := s.box.Switches()
	sw.StoredErrors = 1
	s.box.Set(sw)
	if _, err := s.client.Charge(t.Context(), r); !errors.Is(err, billing.ErrOutcomeUnknown) {
		t.Fatalf("first: got %v, want ErrOutcomeUnknown", err)
	}
	got, err := s.client.Charge(t.Context(), r)
	if err != nil || got.State != billing.PaymentSucceeded || got.AttemptID != r.AttemptID {
		t.Errorf("repeated: got %+v, %v, want the payment that was made", got, err)
	}
	r.Description = "Invoice INV-2026-000042, second notice"
	if got, err = s.client.Charge(t.Context(), r); err != nil || got.State != billing.PaymentSucceeded {
		t.Errorf("repeated with another description: got %+v, %v, want the payment that was made", got, err)
	}
	if n := s.box.Paid(r.InvoiceID); n != 1 {
		t.Errorf("money was taken %d times, want once", n)
	}
}

func TestLocale(t *testing.T) {
	for tag, want := range map[string]string{
		"": "auto", "en": "en", "de": "de", "de-AT": "de", "en-GB": "en-GB", "EN-gb": "en-GB", "pt-BR": "pt-BR",
		"no": "nb", "nn-NO": "nb", "zh-Hant-TW": "zh", "xx": "auto", "es-MX": "es", "tlh": "auto", "-": "auto",
	} {
		if got := locale(tag); got != want {
			t.Errorf("locale(%q): got %q, want %q", tag, got, want)
		}
	}
}
