package paypal

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/integrations/sandbox/paypalbox"
)

var pingBody = []byte(`{"id":"WH-1","event_type":"X","event_version":"1.0","create_time":"2026-01-31T12:00:00Z"}`)

// TestCertificateAddresses: the header is written by whoever sends the webhook.
func TestCertificateAddresses(t *testing.T) {
	const path = "/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270"
	scenarios := []struct {
		name, api, address string
		allowed            bool
	}{
		{"live", "", "https://api.paypal.com" + path, true},
		{"live twin", "", "https://api-m.paypal.com" + path, true},
		{"sandbox for live", "", "https://api.sandbox.paypal.com" + path, false},
		{"sandbox for sandbox", sandboxURL, "https://api.sandbox.paypal.com" + path, true},
		{"live for sandbox", sandboxURL, "https://api.paypal.com" + path, false},
		{"plain http", "", "http://api.paypal.com" + path, false},
		{"another host", "", "https://evil.example" + path, false},
		{"a host that begins so", "", "https://api.paypal.com.evil.example" + path, false},
		{"a host that ends so", "", "https://evilapi.paypal.com" + path, false},
		{"PayPal as the user", "", "https://api.paypal.com@evil.example" + path, false},
		{"PayPal as a user's password", "", "https://x:y@api.paypal.com" + path, false},
		{"a port", "", "https://api.paypal.com:8443" + path, false},
		{"another path", "", "https://api.paypal.com/v1/other/CERT-1", false},
		{"a path that climbs", "", "https://api.paypal.com/v1/notifications/certs/../../../x", false},
		{"a path in disguise", "", "https://api.paypal.com/v1/notifications/certs/%2e%2e%2fx", false},
		{"a query", "", "https://api.paypal.com" + path + "?url=https://evil.example", false},
		{"a fragment", "", "https://api.paypal.com" + path + "#x", false},
		{"no address", "", "", false},
		{"a file", "", "file:///etc/passwd", false},
		{"a stand-in's own", "http://127.0.0.1:9", "http://127.0.0.1:9" + path, true},
		{"PayPal for a stand-in", "http://127.0.0.1:9", "https://api.paypal.com" + path, false},
	}
	for _, s := range scenarios {
		c, err := New(Config{ClientID: "AZ1", Secret: "EH1", WebhookID: "8PT", APIURL: s.api}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.allowed(s.address); (err == nil) != s.allowed {
			t.Errorf("%s: got %v, want allowed %t", s.name, err, s.allowed)
		}
	}
}

// TestHeaders spoils one header at a time.
func TestHeaders(t *testing.T) {
	s := newStage(t)
	now := s.clock.Now()
	genuine := s.box.SignedHeader(pingBody, now)
	if _, err := s.client.ParseWebhook(pingBody, genuine, now); err != nil {
		t.Fatalf("genuine: %v", err)
	}
	for name, spoil := range map[string]func(h http.Header){
		"no id":                   func(h http.Header) { h.Del("Paypal-Transmission-Id") },
		"another id":              func(h http.Header) { h.Set("Paypal-Transmission-Id", "1") },
		"no time":                 func(h http.Header) { h.Del("Paypal-Transmission-Time") },
		"another time":            func(h http.Header) { h.Set("Paypal-Transmission-Time", "2026-01-31T11:59:59Z") },
		"a time in words":         func(h http.Header) { h.Set("Paypal-Transmission-Time", "now") },
		"another algorithm":       func(h http.Header) { h.Set("Paypal-Auth-Algo", "none") },
		"no signature":            func(h http.Header) { h.Del("Paypal-Transmission-Sig") },
		"a signature of nothing":  func(h http.Header) { h.Set("Paypal-Transmission-Sig", "AAAA") },
		"half a signature":        func(h http.Header) { h.Set("Paypal-Transmission-Sig", h.Get("Paypal-Transmission-Sig")[:100]) },
		"two signatures":          func(h http.Header) { h.Add("Paypal-Transmission-Sig", h.Get("Paypal-Transmission-Sig")) },
		"a certificate elsewhere": func(h http.Header) { h.Set("Paypal-Cert-Url", "https://evil.example/v1/notifications/certs/CERT-1") },
		"a certificate nobody has": func(h http.Header) {
			h.Set("Paypal-Cert-Url", strings.Replace(h.Get("Paypal-Cert-Url"), "0001", "0002", 1))
		},
	} {
		h := genuine.Clone()
		spoil(h)
		if e, err := s.client.ParseWebhook(pingBody, h, now); !errors.Is(err, billing.ErrBadSignature) {
			t.Errorf("%s: got %+v, %v, want ErrBadSignature", name, e, err)
		}
	}
	for age, believed := range map[time.Duration]bool{
		0: true, oldest: true, oldest + time.Second: false, -ahead: true, -ahead - time.Second: false, 3 * 24 * time.Hour: true,
	} {
		_, err := s.client.ParseWebhook(pingBody, s.box.SignedHeader(pingBody, now.Add(-age)), now)
		if (err == nil) != believed {
			t.Errorf("sent %s ago: got %v, want believed %t", age, err, believed)
		}
	}
}

// TestAnotherRegistration: a delivery for another webhook, even of the same
// account, is not ours.
func TestAnotherRegistration(t *testing.T) {
	s := newStage(t)
	other := s.with(t, Config{ClientID: testID, Secret: testSecret, WebhookID: "9ZZ00000000000000"})
	if _, err := other.ParseWebhook(pingBody, s.box.SignedHeader(pingBody, s.clock.Now()), s.clock.Now()); !errors.Is(err, billing.ErrBadSignature) {
		t.Errorf("got %v, want ErrBadSignature", err)
	}
}

// TestUntrustedAuthority: a certificate of PayPal's name that nobody vouches for.
func TestUntrustedAuthority(t *testing.T) {
	s := newStage(t)
	c, err := New(Config{ClientID: testID, Secret: testSecret, WebhookID: testWebhook, APIURL: s.url, Now: s.clock.Now}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ParseWebhook(pingBody, s.box.SignedHeader(pingBody, s.clock.Now()), s.clock.Now()); !errors.Is(err, billing.ErrBadSignature) {
		t.Errorf("got %v, want ErrBadSignature", err)
	}
}

// TestForeignCertificates are chains that our authority vouches for and that are
// not PayPal's all the same.
func TestForeignCertificates(t *testing.T) {
	s := newStage(t)
	for name, chain := range paypalbox.ForeignChains() {
		cert, err := readChain([]byte(chain.PEM))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		c := s.with(t, Config{ClientID: testID, Secret: testSecret, WebhookID: testWebhook})
		if !c.roots.AppendCertsFromPEM([]byte(chain.Authority)) {
			t.Fatal(name)
		}
		if key, err := c.trusted(cert, s.clock.Now()); (err == nil) != chain.Genuine {
			t.Errorf("%s: got %v, %v, want trusted %t", name, key != nil, err, chain.Genuine)
		}
	}
	if _, err := readChain([]byte("no certificate")); err == nil {
		t.Error("a file without a certificate is read")
	}
}

// TestCertificateIsRemembered: one fetch serves many deliveries.
func TestCertificateIsRemembered(t *testing.T) {
	w := &witness{}
	s := newStageOn(t, w)
	for range 5 {
		if _, err := s.client.ParseWebhook(pingBody, s.box.SignedHeader(pingBody, s.clock.Now()), s.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(w.headers("CERT-SANDBOX-0001", "Accept")); n != 1 {
		t.Errorf("the certificate was fetched %d times, want once", n)
	}
}

// TestNeitherCheckCanBeMade: without certificate and without PayPal's own check
// a delivery is not accepted, and asked for again.
func TestNeitherCheckCanBeMade(t *testing.T) {
	for _, kind := range []fault.Kind{fault.Unavailable, fault.LostAnswer, fault.Truncated, fault.HTML502, fault.RateLimited, fault.RefuseConn} {
		s := newStage(t)
		s.faults.Add(fault.Fault{Match: "GET /v1/notifications/certs/", Kind: fault.Unavailable})
		s.faults.Add(fault.Fault{Match: "POST /v1/notifications/verify-webhook-signature", Kind: kind})
		h := s.box.SignedHeader(pingBody, s.clock.Now())
		if e, err := s.client.ParseWebhook(pingBody, h, s.clock.Now()); !errors.Is(err, billing.ErrGatewayTemporary) || errors.Is(err, billing.ErrBadSignature) {
			t.Errorf("%s: got %+v, %v, want ErrGatewayTemporary", kind, e, err)
		}
		s.faults.Clear()
		if _, err := s.client.ParseWebhook(pingBody, h, s.clock.Now()); err != nil {
			t.Errorf("%s, delivered again: %v", kind, err)
		}
	}
}

// TestCertificateRedirects: a certificate is not fetched from where a redirect
// leads.
func TestCertificateRedirects(t *testing.T) {
	var followed atomic.Bool
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Store(true) }))
	defer elsewhere.Close()
	api := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
	defer api.Close()
	c, err := New(Config{ClientID: testID, Secret: testSecret, WebhookID: testWebhook, APIURL: api.URL}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.certs.key(t.Context(), api.URL+"/v1/notifications/certs/CERT-1", time.Unix(1, 0)); err == nil || followed.Load() {
		t.Errorf("got %v, followed %t, want a failure", err, followed.Load())
	}
}

// TestSpliceIsNoInjection: what is no JSON value cannot become members of the
// question.
func TestSpliceIsNoInjection(t *testing.T) {
	s := newStage(t)
	s.faults.Add(fault.Fault{Match: "GET /v1/notifications/certs/", Kind: fault.Unavailable})
	body := []byte(`{},"webhook_id":"other","webhook_event":{}`)
	if _, err := s.client.ParseWebhook(body, s.box.SignedHeader(body, s.clock.Now()), s.clock.Now()); !errors.Is(err, billing.ErrBadSignature) {
		t.Errorf("got %v, want ErrBadSignature", err)
	}
}
