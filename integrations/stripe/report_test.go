package stripe

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/engine/billing"
)

// event returns a sample event with fields of its object replaced.
func event(t *testing.T, name string, fields map[string]any) []byte {
	t.Helper()
	var e map[string]any
	if err := json.Unmarshal(sample(t, name+".json"), &e); err != nil {
		t.Fatal(err)
	}
	object, _ := e["data"].(map[string]any)["object"].(map[string]any)
	for field, value := range fields {
		if strings.HasPrefix(field, "event.") {
			e[strings.TrimPrefix(field, "event.")] = value
			continue
		}
		object[field] = value
	}
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestPayloadsThatAreNotBelieved are events that a newer API version, or a
// mistake, would decode into zeros.
func TestPayloadsThatAreNotBelieved(t *testing.T) {
	const paid, session = "event_payment_succeeded", "event_session_completed"
	type fields = map[string]any
	scenarios := []struct {
		name   string
		sample string
		fields fields
	}{
		{"payment without an id", paid, fields{"id": ""}},
		{"payment without an amount", paid, fields{"amount": 0}},
		{"payment without a currency", paid, fields{"currency": nil}},
		{"payment in no currency we know", paid, fields{"currency": "zzz"}},
		{"payment with nothing received", paid, fields{"amount_received": nil}},
		{"payment with less than nothing received", paid, fields{"amount_received": -1}},
		{"payment without a time", paid, fields{"created": 0}},
		{"payment without a status", paid, fields{"status": ""}},
		{"payment with a status of tomorrow", paid, fields{"status": "requires_magic"}},
		{"payment that waits for a capture", paid, fields{"status": "requires_capture"}},
		{"succeeded event, other status", paid, fields{"status": "processing"}},
		{"payment that is a charge", paid, fields{"object": "charge"}},
		{"amount as a text", paid, fields{"amount": "1999"}},
		{"event without a time", paid, fields{"event.created": 0}},
		{"event of a newer version", paid, fields{"event.api_version": "2025-03-31.basil"}},
		{"event without a version", paid, fields{"event.api_version": nil}},
		{"page without an id", session, fields{"id": nil}},
		{"page without a total", session, fields{"amount_total": nil}},
		{"page without a currency", session, fields{"currency": ""}},
		{"page without a payment", session, fields{"payment_intent": nil}},
		{"page without a status", session, fields{"status": nil}},
		{"page without a payment status", session, fields{"payment_status": nil}},
		{"page for nothing", session, fields{"payment_status": "no_payment_required"}},
		{"page without a time", session, fields{"created": nil}},
	}
	c := listener(t, testSecret)
	for _, s := range scenarios {
		r, ok, err := c.PaymentOf(event(t, s.sample, s.fields))
		if !ok || !errors.Is(err, ErrPayload) || r.State != "" || !r.Amount.IsZero() {
			t.Errorf("%s: got %+v, %t, %v, want ErrPayload and no state", s.name, r, ok, err)
		}
		if _, gone := s.fields["id"]; !gone && r.Reference+r.PageReference == "" {
			t.Errorf("%s: the reference to read back is missing", s.name)
		}
	}
}

func TestStatesOfEvents(t *testing.T) {
	type fields = map[string]any
	scenarios := []struct {
		name, sample string
		fields       fields
		state        billing.PaymentState
		decline      billing.DeclineKind
		method       string
	}{
		{"canceled", "event_payment_failed", fields{"event.type": "payment_intent.canceled", "status": "canceled"}, billing.PaymentCancelled, "", "pm_1Qw"},
		{"processing", "event_payment_failed", fields{"event.type": "payment_intent.processing", "status": "processing"}, billing.PaymentPending, "", "pm_1Qw"},
		{"failed without a word", "event_payment_failed", fields{"last_payment_error": nil}, billing.PaymentDeclined, billing.DeclineSoft, "pm_1Qw"},
		{"method kept by the page", "event_payment_succeeded", fields{"metadata": nil, "setup_future_usage": "off_session"}, billing.PaymentSucceeded, "", "pm_1Qw"},
		{"method not kept", "event_payment_succeeded", fields{"metadata": nil}, billing.PaymentSucceeded, "", ""},
		{"no customer", "event_payment_succeeded", fields{"customer": nil}, billing.PaymentSucceeded, "", "pm_1Qw"},
		{"complete, not paid yet", "event_session_completed", fields{"payment_status": "unpaid"}, billing.PaymentPending, "", ""},
		{"paid later", "event_session_completed", fields{"event.type": "checkout.session.async_payment_succeeded"}, billing.PaymentSucceeded, "", ""},
		{"action without an address", "event_payment_requires_action", fields{"next_action": nil}, billing.PaymentNeedsAction, billing.DeclineAuthenticate, ""},
	}
	c := listener(t, testSecret)
	for _, s := range scenarios {
		r, ok, err := c.PaymentOf(event(t, s.sample, s.fields))
		if err != nil || !ok || r.State != s.state || r.Decline != s.decline || r.Method != s.method {
			t.Errorf("%s: got %+v, %t, %v, want %s %s %q", s.name, r, ok, err, s.state, s.decline, s.method)
		}
	}
	r, _, err := c.PaymentOf(event(t, "event_payment_requires_action", nil))
	if err != nil || r.ActionURL != "https://hooks.stripe.com/redirect/authenticate/src_1" {
		t.Errorf("action: got %q, %v, want the address to confirm at", r.ActionURL, err)
	}
}

func TestPagesThatAreRefused(t *testing.T) {
	c := newCanned(t, 200, `{}`)
	ours := c.ours(t)
	for name, spoil := range map[string]func(*billing.PageRequest){
		"no key":             func(r *billing.PageRequest) { r.Key = "" },
		"no attempt":         func(r *billing.PageRequest) { r.AttemptID = "" },
		"no invoice":         func(r *billing.PageRequest) { r.InvoiceID = "" },
		"no description":     func(r *billing.PageRequest) { r.Description = "" },
		"another's customer": func(r *billing.PageRequest) { r.Customer = "pm_1" },
		"relative return":    func(r *billing.PageRequest) { r.ReturnURL = "/return" },
		"script as cancel":   func(r *billing.PageRequest) { r.CancelURL = "javascript:alert(1)" },
		"broken address":     func(r *billing.PageRequest) { r.CancelURL = "https://%zz" },
	} {
		r := pageRequest()
		spoil(&r)
		if p, err := ours.OpenPage(t.Context(), r); !errors.Is(err, billing.ErrGatewayRefused) {
			t.Errorf("%s: got %+v, %v, want ErrGatewayRefused", name, p, err)
		}
	}
	for _, user := range []string{"", "u'1", `u"1`, `u\1`} {
		if id, err := ours.EnsureCustomer(t.Context(), "k", user, "", ""); !errors.Is(err, billing.ErrGatewayRefused) {
			t.Errorf("user %q: got %q, %v, want ErrGatewayRefused", user, id, err)
		}
	}
	if n := c.calls.Load(); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
}
