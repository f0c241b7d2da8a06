package stripe

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v79"
	"github.com/stripe/stripe-go/v79/webhook"

	"github.com/ezscale/ezscale/engine/billing"
)

// listener is a client with a webhook secret, and one without when secret is "".
func listener(t *testing.T, secret string) *Client {
	t.Helper()
	c, err := New(Config{SecretKey: testKey, WebhookSecret: secret}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func ping(version string) []byte {
	return []byte(`{"id":"evt_1","object":"event","type":"ping","created":1,"api_version":"` + version + `"}`)
}

func signedHeader(body []byte, secret string, at time.Time) http.Header {
	return http.Header{"Stripe-Signature": {signed(body, secret, at)}}
}

func TestTrapEmptySecretVerifies(t *testing.T) {
	now, body := time.Now(), ping(stripe.APIVersion)
	h := signedHeader(body, "", now)
	if _, err := webhook.ConstructEvent(body, h.Get("Stripe-Signature"), ""); err != nil {
		t.Errorf("the library now says %v", err)
	}
	if _, err := listener(t, "").ParseWebhook(body, h, now); !errors.Is(err, billing.ErrNotConfigured) {
		t.Errorf("got %v, want ErrNotConfigured", err)
	}
	if _, err := listener(t, testSecret).ParseWebhook(body, h, now); !errors.Is(err, billing.ErrBadSignature) {
		t.Errorf("with a secret: got %v, want ErrBadSignature", err)
	}
}

func TestTrapFutureStampsPass(t *testing.T) {
	now, body, c := time.Now(), ping(stripe.APIVersion), listener(t, testSecret)
	h := signedHeader(body, testSecret, now.Add(48*time.Hour))
	if _, err := webhook.ConstructEvent(body, h.Get("Stripe-Signature"), testSecret); err != nil {
		t.Errorf("the library now says %v", err)
	}
	for ahead, believed := range map[time.Duration]bool{
		48 * time.Hour: false, 302 * time.Second: false, 299 * time.Second: true, 0: true, -299 * time.Second: true, -302 * time.Second: false,
	} {
		_, err := c.ParseWebhook(body, signedHeader(body, testSecret, now.Add(ahead)), now)
		if believed != (err == nil) || !believed && !errors.Is(err, billing.ErrBadSignature) {
			t.Errorf("%s ahead: got %v, want believed %t", ahead, err, believed)
		}
	}
}

func TestTrapOtherVersionsAreRejected(t *testing.T) {
	now, body := time.Now(), ping("2025-03-31.basil")
	h := signedHeader(body, testSecret, now)
	if _, err := webhook.ConstructEvent(body, h.Get("Stripe-Signature"), testSecret); err == nil {
		t.Error("the library accepts it now")
	}
	if e, err := listener(t, testSecret).ParseWebhook(body, h, now); err != nil || !e.Refetch {
		t.Errorf("got %+v, %v, want Refetch", e, err)
	}
}

func TestTrapEventWithoutData(t *testing.T) {
	now, c := time.Now(), listener(t, testSecret)
	var decoded stripe.Event
	if err := json.Unmarshal(ping(stripe.APIVersion), &decoded); err != nil || decoded.Data != nil {
		t.Errorf("the library decodes %+v, %v", decoded.Data, err)
	}
	for _, data := range []string{``, `,"data":null`, `,"data":{}`, `,"data":{"object":null}`, `,"data":{"object":[]}`, `,"data":{"object":"pi_1"}`} {
		for _, kind := range []string{"ping", "payment_intent.succeeded", "checkout.session.completed"} {
			body := []byte(`{"id":"evt_1","object":"event","type":"` + kind + `","created":1,"api_version":"2024-06-20"` + data + `}`)
			if e, err := c.ParseWebhook(body, signedHeader(body, testSecret, now), now); err != nil || e.Object != "" {
				t.Errorf("%s: got %+v, %v, want an event about nothing", body, e, err)
			}
			if r, ok, err := c.PaymentOf(body); ok != (kind != "ping") || ok != errors.Is(err, ErrPayload) {
				t.Errorf("%s: got %+v, %t, %v", body, r, ok, err)
			}
		}
	}
}

// TestSignatureHeaders are headers around a genuine signature.
func TestSignatureHeaders(t *testing.T) {
	now, body, c := time.Now(), ping(stripe.APIVersion), listener(t, testSecret)
	genuine := signed(body, testSecret, now)
	stamp, sig, _ := strings.Cut(genuine, ",")
	scenarios := []struct {
		name     string
		headers  []string
		believed bool
	}{
		{"genuine", []string{genuine}, true},
		{"while the secret is rolled", []string{stamp + ",v1=00ff," + sig}, true},
		{"with the test scheme", []string{genuine + ",v0=00"}, true},
		{"the test scheme alone", []string{stamp + "," + strings.Replace(sig, "v1", "v0", 1)}, false},
		{"no stamp", []string{sig}, false},
		{"two stamps", []string{"t=1," + genuine}, false},
		{"a stamp in words", []string{"t=now," + sig}, false},
		{"a stamp before time", []string{"t=-1," + sig}, false},
		{"a stamp beyond time", []string{"t=9223372036854775807," + sig}, false},
		{"no signature", []string{stamp}, false},
		{"an empty signature", []string{stamp + ",v1="}, false},
		{"half a signature", []string{stamp + "," + sig[:20]}, false},
		{"two headers", []string{genuine, genuine}, false},
		{"none", nil, false},
	}
	for _, s := range scenarios {
		_, err := c.ParseWebhook(body, http.Header{"Stripe-Signature": s.headers}, now)
		if s.believed != (err == nil) || !s.believed && !errors.Is(err, billing.ErrBadSignature) {
			t.Errorf("%s: got %v, want believed %t", s.name, err, s.believed)
		}
	}
}

// TestPaymentsThatStripeCollects: what Stripe takes for an invoice of its own is
// reported by that invoice alone, also by versions that name its subscription
// elsewhere.
func TestPaymentsThatStripeCollects(t *testing.T) {
	c := newStage(t).client
	intent := []byte(`{"id":"evt_1","object":"event","api_version":"2024-06-20","type":"payment_intent.succeeded","created":1767225600,"data":{"object":{"id":"pi_1","object":"payment_intent","amount":999,"amount_received":999,"currency":"eur","status":"succeeded","created":1767225600,"invoice":"in_1"}}}`)
	if r, ok, err := c.PaymentOf(intent); ok || err != nil {
		t.Errorf("PaymentOf: got %+v, %t, %v, want none of ours", r, ok, err)
	}
	basil := []byte(`{"id":"evt_2","object":"event","api_version":"2025-03-31.basil","type":"invoice.paid","created":1767225600,"data":{"object":{"id":"in_1","object":"invoice","parent":{"subscription_details":{"subscription":"sub_1"}}}}}`)
	if f, ok, err := c.FactOf(basil); !ok || err != nil || f.Agreement != "sub_1" {
		t.Errorf("FactOf: got %+v, %t, %v, want subscription sub_1", f, ok, err)
	}
	if p, ok, err := c.AgreementPaymentOf(basil); !ok || !errors.Is(err, ErrPayload) {
		t.Errorf("AgreementPaymentOf: got %+v, %t, %v, want ErrPayload: its figures are elsewhere", p, ok, err)
	}
}
