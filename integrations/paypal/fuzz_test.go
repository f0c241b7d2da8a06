package paypal

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/integrations/sandbox/paypalbox"
)

var fuzzNow = time.Date(2026, 1, 31, 12, 0, 1, 0, time.UTC)

// samples are bodies that fuzzing starts from: what the sandbox sends, and the
// shapes that PayPal documents.
func samples(f *testing.F, box *paypalbox.Box) [][]byte {
	f.Helper()
	if _, err := box.SaveToken("customer1", "works@payer.example"); err != nil {
		f.Fatal(err)
	}
	all := [][]byte{
		[]byte(`{"id":"WH-1","event_version":"1.0","create_time":"2026-02-01T10:12:30.000Z","resource_type":"sale","event_type":"PAYMENT.SALE.COMPLETED","resource":{"id":"1AB23456CD789012E","state":"completed","billing_agreement_id":"I-BW452GLLEP1G","custom":"svc_000017","amount":{"total":"9.99","currency":"EUR"},"transaction_fee":{"value":"0.59","currency":"EUR"},"create_time":"2026-02-01T10:12:05Z"}}`),
		[]byte(`{"id":"WH-2","event_version":"1.0","create_time":"2026-02-01T10:12:30Z","resource_version":"2.0","event_type":"PAYMENT.CAPTURE.COMPLETED","resource":{"id":"3C679366HH908993F","status":"COMPLETED","amount":{"currency_code":"EUR","value":"19.99"},"custom_id":"a1.inv_a1.p0","create_time":"2026-02-01T10:12:05Z","supplementary_data":{"related_ids":{"order_id":"8AC96375H7512345K"}}}}`),
		[]byte(`{"id":"WH-3","event_version":"1.0","create_time":"2026-02-01T10:12:30Z","resource_version":"2.0","event_type":"CHECKOUT.ORDER.APPROVED","resource":{"id":"8AC96375H7512345K","status":"APPROVED","create_time":"2026-02-01T10:12:05Z","purchase_units":[{"custom_id":"a1.inv_a1.p0","amount":{"currency_code":"JPY","value":"1999"}}]}}`),
		[]byte(`{"id":"WH-4","event_version":"1.0","create_time":"2026-02-01T10:12:30Z","event_type":"CUSTOMER.DISPUTE.CREATED","resource":{"dispute_id":"PP-D-1","disputed_transactions":[{"seller_transaction_id":"3C679366HH908993F"}]}}`),
		[]byte(`{"id":"WH-5","event_version":"1.0","create_time":"2026-02-01T10:12:30Z","resource_version":"2.0","event_type":"PAYMENT.CAPTURE.REFUNDED","resource":{"id":"1JU08902781691411","links":[{"rel":"up","href":"https://api-m.paypal.com/v2/payments/captures/3C679366HH908993F"}]}}`),
	}
	for _, e := range box.EventsFrom(0) {
		all = append(all, e.Body)
	}
	return all
}

// listener is a client that trusts a sandbox's certificate.
func listener(f *testing.F) (*Client, *paypalbox.Box) {
	f.Helper()
	box := paypalbox.New(paypalbox.Options{WebhookID: testWebhook, Now: func() time.Time { return fuzzNow }})
	f.Cleanup(box.Close)
	api := httptest.NewServer(box.Handler())
	f.Cleanup(api.Close)
	box.SetPublicURL(api.URL)
	c, err := New(Config{
		ClientID: testID, Secret: testSecret, WebhookID: testWebhook, APIURL: api.URL, CertAuthority: paypalbox.Authority(), Now: func() time.Time { return fuzzNow },
	}, nil)
	if err != nil {
		f.Fatal(err)
	}
	return c, box
}

// FuzzParseWebhook: whatever headers and body come, nothing passes that the
// certificate did not sign within the time allowed.
func FuzzParseWebhook(f *testing.F) {
	c, box := listener(f)
	for _, body := range samples(f, box) {
		h := box.SignedHeader(body, fuzzNow)
		f.Add(body, h.Get("Paypal-Transmission-Id"), h.Get("Paypal-Transmission-Time"), h.Get("Paypal-Transmission-Sig"))
		f.Add(append(body, ' '), h.Get("Paypal-Transmission-Id"), h.Get("Paypal-Transmission-Time"), h.Get("Paypal-Transmission-Sig"))
	}
	f.Add([]byte(`{}`), "", "", "")
	key, err := c.certs.key(f.Context(), box.SignedHeader(nil, fuzzNow).Get("Paypal-Cert-Url"), fuzzNow)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte, id, sent, signature string) {
		h := box.SignedHeader(nil, fuzzNow)
		h.Set("Paypal-Transmission-Id", id)
		h.Set("Paypal-Transmission-Time", sent)
		h.Set("Paypal-Transmission-Sig", signature)
		got, err := c.ParseWebhook(body, h, fuzzNow)
		if err != nil {
			if got != (billing.Event{}) {
				t.Fatalf("an event beside the error: %+v, %v", got, err)
			}
			return
		}
		digest := sha256.Sum256(fmt.Appendf(nil, "%s|%s|%s|%d", id, sent, testWebhook, crc32.ChecksumIEEE(body)))
		raw, _ := base64.StdEncoding.DecodeString(signature)
		if rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], raw) != nil {
			t.Fatalf("verified %q with %q, %q, %q", body, id, sent, signature)
		}
		at, err := time.Parse(time.RFC3339, sent)
		if err != nil || fuzzNow.Sub(at) > oldest || at.Sub(fuzzNow) > ahead || got.ID == "" || got.Type == "" {
			t.Fatalf("got %+v, sent at %q", got, sent)
		}
	})
}

// FuzzEvents reads bodies that were verified once: money is never more than a
// report says, and what cannot be believed names nothing but an id.
func FuzzEvents(f *testing.F) {
	c, box := listener(f)
	for _, body := range samples(f, box) {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, ok, err := c.PaymentOf(body)
		switch {
		case err != nil && (r != billing.PaymentReport{Reference: r.Reference, PageReference: r.PageReference}):
			t.Errorf("beside an error: %+v", r)
		case err == nil && ok && (r.Amount.Sign() <= 0 || r.State == "" || r.Reference == "" && r.State == billing.PaymentSucceeded):
			t.Errorf("got %+v", r)
		}
		if p, ok, err := c.AgreementPaymentOf(body); err == nil && ok && (p.Reference == "" || p.Agreement == "" || p.Amount.Sign() <= 0 || p.State == "") {
			t.Errorf("got %+v", p)
		}
		if fact, ok, err := c.FactOf(body); err == nil && ok && (fact.Object == "" || fact.Kind == "") {
			t.Errorf("got %+v", fact)
		}
	})
}

// FuzzCertificateAddress: an allowed address is at an allowed host, as the
// network code will see it.
func FuzzCertificateAddress(f *testing.F) {
	for _, s := range []string{"https://api.paypal.com/v1/notifications/certs/CERT-1", "https://api.paypal.com@evil.example/v1/notifications/certs/x", "//api.paypal.com/", "https://api.paypal.com\\@x/"} {
		f.Add(s)
	}
	c, err := New(Config{ClientID: "AZ1", Secret: "EH1", WebhookID: "8PT"}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, address string) {
		if c.allowed(address) != nil {
			return
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil || req.URL.Scheme != "https" || req.URL.Host != "api.paypal.com" && req.URL.Host != "api-m.paypal.com" || !strings.HasPrefix(req.URL.Path, "/v1/notifications/certs/") {
			t.Errorf("allowed %q: %v", address, err)
		}
	})
}

// FuzzChain reads certificate files.
func FuzzChain(f *testing.F) {
	f.Add([]byte(paypalbox.Authority()))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if cert, err := readChain(raw); err == nil && cert.leaf == nil {
			t.Error("a chain without a certificate")
		}
	})
}
