package stripe

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ezscale/ezscale/engine/billing"
)

func TestEventsOfAnotherVersionAreReadBack(t *testing.T) {
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		if r.URL.Path != "/v1/payment_intents/pi_1" {
			t.Errorf("read %s, want the payment the event is about", r.URL.Path)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"id":"pi_1","object":"payment_intent","amount":990,"amount_received":990,"currency":"eur","status":"succeeded","created":1767225600,"metadata":{"attempt_id":"att1","invoice_id":"inv1"}}`))
	}))
	defer server.Close()
	c, err := New(Config{SecretKey: "sk_test_1", APIURL: server.URL}, nil)
	if err != nil {
		t.Fatal(err)
	}
	rep, ok, err := c.Refetch(t.Context(), billing.Event{ID: "evt_1", Type: "payment_intent.succeeded", Object: "pi_1", Refetch: true})
	if err != nil || !ok || rep.State != billing.PaymentSucceeded || rep.AttemptID != "att1" {
		t.Fatalf("Refetch = %+v, %t, %v; want the payment as it is now", rep, ok, err)
	}
	if _, ok, err := c.Refetch(t.Context(), billing.Event{Type: "customer.created", Object: "cus_1", Refetch: true}); ok || err != nil {
		t.Errorf("Refetch of a customer event = %t, %v; want it passed over", ok, err)
	}
	if calls != 1 {
		t.Errorf("Stripe was asked %d times, want once", calls)
	}
}
