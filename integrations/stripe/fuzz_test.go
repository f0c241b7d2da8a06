package stripe

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v79/webhook"

	"github.com/ezscale/ezscale/engine/billing"
)

var fuzzNow = time.Unix(1767225601, 0)

// events are the samples that fuzzing starts from.
func events(f *testing.F) [][]byte {
	f.Helper()
	names, err := filepath.Glob("testdata/event_*.json")
	if err != nil || len(names) == 0 {
		f.Fatalf("no samples: %v", err)
	}
	all := [][]byte{}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, raw)
	}
	return all
}

func signed(body []byte, secret string, at time.Time) string {
	return webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: body, Secret: secret, Timestamp: at}).Header
}

// FuzzParseWebhook: whatever header and body come, nothing passes that the
// secret did not sign within the tolerance, and what we believe the library
// believes too, its missing bound on future stamps aside.
func FuzzParseWebhook(f *testing.F) {
	for _, body := range events(f) {
		f.Add(body, signed(body, testSecret, fuzzNow))
		f.Add(body, signed(body, "", fuzzNow))
		f.Add(body, signed(body, testSecret, fuzzNow.Add(time.Hour)))
	}
	f.Add([]byte(`{}`), "t=1,t=2,v1=00")
	f.Add([]byte(nil), "t=,v1=")
	c, err := New(Config{SecretKey: testKey, WebhookSecret: testSecret}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte, header string) {
		got, err := c.ParseWebhook(body, map[string][]string{"Stripe-Signature": {header}}, fuzzNow)
		if err != nil {
			if got != (billing.Event{}) {
				t.Fatalf("an event beside the error: %+v, %v", got, err)
			}
			return
		}
		if err := webhook.ValidatePayloadIgnoringTolerance(body, strings.ReplaceAll(header, " ", ""), testSecret); err != nil {
			t.Fatalf("verified %q with header %q, the library says %v", body, header, err)
		}
		if got.ID == "" || got.Type == "" {
			t.Fatalf("an event without id or type: %+v", got)
		}
	})
}

// FuzzForgery signs with every secret but ours.
func FuzzForgery(f *testing.F) {
	for _, body := range events(f) {
		f.Add(body, "whsec_other")
		f.Add(body, "")
	}
	c, err := New(Config{SecretKey: testKey, WebhookSecret: testSecret}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte, secret string) {
		_, err := c.ParseWebhook(body, map[string][]string{"Stripe-Signature": {signed(body, secret, fuzzNow)}}, fuzzNow)
		// HMAC pads its key with zeros, so a secret followed by zeros is the same.
		if err == nil && strings.TrimRight(secret, "\x00") != testSecret {
			t.Fatalf("verified a body signed with %q", secret)
		}
	})
}

// FuzzPaymentOf: no panic, and what is reported as paid has all that settling
// needs.
func FuzzPaymentOf(f *testing.F) {
	for _, body := range events(f) {
		f.Add(body)
	}
	c, err := New(Config{SecretKey: testKey}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, ok, err := c.PaymentOf(body)
		switch {
		case err != nil && r.State != "":
			t.Fatalf("a state beside the error: %+v, %v", r, err)
		case err != nil || !ok:
		case r.State == "" || r.Amount.Sign() <= 0 || r.At.IsZero():
			t.Fatalf("half a report: %+v", r)
		case r.State == billing.PaymentSucceeded && r.Reference == "":
			t.Fatalf("paid without a reference: %+v", r)
		}
	})
}
