package gatewaytest

import (
	"bytes"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
)

// paidWebhooks pays a page and returns the deliveries.
func (h Harness) paidWebhooks(t *testing.T) []Webhook {
	t.Helper()
	p := h.open(t, h.page(h.customer(t), "a1"))
	h.pay(t, p.Reference, CardWorks)
	all := h.Webhooks()
	if len(all) == 0 {
		t.Fatal("no webhook came")
	}
	return all
}

// paymentWebhook returns a delivery that is about a payment.
func (h Harness) paymentWebhook(t *testing.T) Webhook {
	t.Helper()
	for _, w := range h.paidWebhooks(t) {
		if _, ok, err := h.Gateway.PaymentOf(w.Body); ok && err == nil {
			return w
		}
	}
	t.Fatal("no webhook is about a payment")
	return Webhook{}
}

func testWebhooks(t *testing.T, h Harness) {
	seen, payments := map[string]bool{}, 0
	for _, w := range h.paidWebhooks(t) {
		first, err := h.Gateway.ParseWebhook(w.Body, w.Header, h.Now())
		if err != nil || first.ID == "" || first.Type == "" || first.At.IsZero() {
			t.Fatalf("got %+v, %v, want an event", first, err)
		}
		again, err := h.Gateway.ParseWebhook(w.Body, w.Header, h.Now())
		if err != nil || again != first {
			t.Errorf("delivered again: got %+v, %v, want %+v", again, err, first)
		}
		if seen[first.ID] {
			t.Errorf("two events have the id %s", first.ID)
		}
		seen[first.ID] = true
		payments += h.payments(t, w, first)
	}
	if payments == 0 || payments == len(seen) {
		t.Errorf("%d of %d events are about a payment, want some and not all", payments, len(seen))
	}
}

// payments is 1 for an event about a payment, which must name that payment.
func (h Harness) payments(t *testing.T, w Webhook, e billing.Event) int {
	t.Helper()
	r, ok, err := h.Gateway.PaymentOf(w.Body)
	if err != nil {
		t.Errorf("PaymentOf %s: %v", e.Type, err)
	}
	if !ok {
		return 0
	}
	if e.Refetch && r.State != billing.PaymentOpen {
		t.Errorf("%s says that the payment is %s and must be read back, want that for payments alone that wait for us", e.Type, r.State)
	}
	if e.Object != r.Reference && e.Object != r.PageReference {
		t.Errorf("%s is about %q, want %q or %q", e.Type, e.Object, r.Reference, r.PageReference)
	}
	return 1
}

func testBadWebhooks(t *testing.T, h Harness) {
	w := h.paymentWebhook(t)
	now := h.Now()
	without := func(header map[string][]string) map[string][]string {
		out := map[string][]string{}
		for name := range header {
			out[name] = []string{""}
		}
		return out
	}
	other := h.Sign([]byte("{}"), now)
	changed := bytes.Replace(w.Body, []byte("19"), []byte("91"), 1)
	big := append(bytes.Repeat([]byte(" "), 10<<20), w.Body...)
	life := h.Traits.SignatureLife
	if life == 0 {
		life = 5 * time.Minute
	}
	scenarios := []struct {
		name   string
		body   []byte
		header map[string][]string
		now    time.Time
	}{
		{"no header", w.Body, nil, now},
		{"empty header", w.Body, without(w.Header), now},
		{"signature of another body", w.Body, other, now},
		{"changed body", changed, w.Header, now},
		{"truncated body", w.Body[:len(w.Body)/2], w.Header, now},
		{"empty body", nil, w.Header, now},
		{"replayed after a week", w.Body, w.Header, now.Add(7 * 24 * time.Hour)},
		{"signed too long ago", w.Body, h.Sign(w.Body, now.Add(-life-5*time.Minute)), now},
		{"signed ten minutes ahead", w.Body, h.Sign(w.Body, now.Add(10*time.Minute)), now},
		{"signed two days ahead", w.Body, h.Sign(w.Body, now.Add(48*time.Hour)), now},
		{"10 MB unsigned", big, w.Header, now},
		{"10 MB signed", big, h.Sign(big, now), now},
	}
	for _, s := range scenarios {
		if e, err := h.Gateway.ParseWebhook(s.body, s.header, s.now); !errors.Is(err, billing.ErrBadSignature) {
			t.Errorf("%s: got %+v, %v, want ErrBadSignature", s.name, e, err)
		}
	}
	if _, err := h.Gateway.ParseWebhook(w.Body, h.Sign(w.Body, now.Add(-time.Minute)), now); err != nil {
		t.Errorf("signed a minute ago: %v", err)
	}
	for _, broken := range [][]byte{nil, []byte("null"), []byte("[]"), []byte("{"), []byte("{}"), w.Body[:len(w.Body)/2]} {
		if r, ok, err := h.Gateway.PaymentOf(broken); ok || err == nil {
			t.Errorf("PaymentOf(%.20q): got %+v, %t, %v, want an error", broken, r, ok, err)
		}
	}
}

func testOtherVersion(t *testing.T, h Harness) {
	w := h.paymentWebhook(t)
	original, err := h.Gateway.ParseWebhook(w.Body, w.Header, h.Now())
	if err != nil {
		t.Fatalf("ParseWebhook: %v", err)
	}
	body := h.OtherVersion(w.Body)
	e, err := h.Gateway.ParseWebhook(body, h.Sign(body, h.Now()), h.Now())
	if err != nil || !e.Refetch || e.ID != original.ID || e.Object != original.Object {
		t.Fatalf("got %+v, %v, want %+v with Refetch", e, err, original)
	}
	if r, ok, err := h.Gateway.PaymentOf(body); !ok || err == nil || r.State != "" {
		t.Errorf("PaymentOf: got %+v, %t, %v, want a payment that is not believed", r, ok, err)
	}
	if r, err := h.Gateway.ReadPayment(t.Context(), e.Object); err != nil || r.AttemptID != "a1" {
		t.Errorf("read back: got %+v, %v, want attempt a1", r, err)
	}
}

func testNoSecret(t *testing.T, h Harness) {
	w := h.paymentWebhook(t)
	if e, err := h.NoSecret.ParseWebhook(w.Body, maps.Clone(w.Header), h.Now()); !errors.Is(err, billing.ErrNotConfigured) {
		t.Errorf("got %+v, %v, want ErrNotConfigured", e, err)
	}
}
