package payments_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/integrations/sandbox/stripebox"
	"github.com/ezscale/ezscale/internal/testapp"
)

// event is a delivery about an object that Stripe does not have.
func event(id, kind, object string) []byte {
	raw, err := json.Marshal(map[string]any{
		"id": id, "object": "event", "type": kind, "api_version": stripebox.Version, "created": time.Now().Unix(), "livemode": false,
		"data": map[string]any{"object": map[string]any{
			"id": object, "object": "payment_intent", "status": "succeeded", "amount": 490, "amount_received": 490, "currency": "eur", "created": time.Now().Unix(), "metadata": map[string]string{},
		}},
	})
	if err != nil {
		panic(err)
	}
	return raw
}

func TestBadDeliveriesAreRefusedAndStoreNothing(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	o, events := paidSilently(app, ada)
	good := events["payment_intent.succeeded"]
	now := app.Clock().Now()
	signed := func(body []byte, secret string, at time.Time) http.Header {
		return stripebox.SignedHeader(body, secret, at)
	}
	huge := bytes.Repeat([]byte("x"), 10<<20)
	altered := bytes.Replace(good, []byte("490"), []byte("049"), 1)
	scenarios := []struct {
		name   string
		path   string
		body   []byte
		header http.Header
		status int
	}{
		{"no signature", "/webhooks/stripe", good, http.Header{}, 400},
		{"signature under another secret", "/webhooks/stripe", good, signed(good, "whsec_other", now), 400},
		{"signature of another body", "/webhooks/stripe", altered, signed(good, testapp.WebhookSecret, now), 400},
		{"signature of an hour ago", "/webhooks/stripe", good, signed(good, testapp.WebhookSecret, now.Add(-time.Hour)), 400},
		{"garbage for a signature", "/webhooks/stripe", good, http.Header{"Stripe-Signature": {"t=x,v1=y"}}, 400},
		{"10 MB", "/webhooks/stripe", huge, signed(huge, testapp.WebhookSecret, now), 413},
		{"truncated JSON, well signed", "/webhooks/stripe", good[:len(good)/2], signed(good[:len(good)/2], testapp.WebhookSecret, now), 400},
		{"no JSON at all, well signed", "/webhooks/stripe", []byte("hello"), signed([]byte("hello"), testapp.WebhookSecret, now), 400},
		{"empty", "/webhooks/stripe", nil, signed(nil, testapp.WebhookSecret, now), 400},
		{"unknown gateway", "/webhooks/nobody", good, signed(good, testapp.WebhookSecret, now), 404},
		{"gateway without webhooks", "/webhooks/manual", good, signed(good, testapp.WebhookSecret, now), 404},
	}
	before := app.Rows()
	for _, s := range scenarios {
		req, err := http.NewRequest(http.MethodPost, app.URL+s.path, bytes.NewReader(s.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = s.header
		r, err := app.Send(req)
		if err != nil {
			if s.status == http.StatusRequestEntityTooLarge {
				continue // refused while we were still sending
			}
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		if r.Status != s.status {
			t.Errorf("%s: got %s, want %d", s.name, r, s.status)
		}
		if strings.Contains(string(r.Body), "whsec") {
			t.Errorf("%s: the answer shows a secret", s.name)
		}
	}
	app.Unchanged(before)
	if got := app.InvoiceStatus(o); got != "open" {
		t.Errorf("the invoice is %s after refused deliveries, want open", got)
	}
}

func TestDeliveriesThatChangeNothing(t *testing.T) {
	scenarios := []struct {
		name   string
		body   []byte
		status string // of the stored event
	}{
		{"an event that we do not know", event("evt_unknown2", "customer.tax_id.created", "txi_1"), "ignored"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			app := testapp.New(t)
			before := app.Rows()
			for range 3 {
				if r, err := deliver(app, s.body); err != nil || r.Status != http.StatusOK {
					t.Fatalf("got %v %v, want 200", r, err)
				}
			}
			app.Quiet()
			if got := app.Count("webhook_events", ""); got != 1 {
				t.Errorf("%d stored deliveries, want 1", got)
			}
			if got := app.One("webhook_events", dbx.HashExp{"gateway": "stripe"}).GetString("status"); got != s.status {
				t.Errorf("the event is %s, want %s", got, s.status)
			}
			app.Unchanged(before, "webhook_events")
		})
	}
}

func TestAnEventOfAnotherVersionIsReadBack(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	app.Stripe.Set(stripebox.Switches{APIVersion: "2026-01-01.future"})
	o := app.Order(ada, testapp.Cart{})
	app.Pay(o)
	if got := app.Count("webhook_events", "`refetch` = TRUE AND `status` = 'done'"); got == 0 {
		t.Error("no event was read back from Stripe")
	}
	settledOnce(app, ada, o)
}

func TestAReplayLongAfterwardsChangesNothing(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	o := app.Buy(ada, testapp.Cart{})
	app.Quiet()
	before := app.Rows()
	for _, d := range app.Stripe.Deliveries() {
		app.Stripe.Resend(d.EventID)
	}
	app.Clock().Advance(30 * 24 * time.Hour)
	if err := app.Stripe.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	app.Quiet()
	app.Unchanged(before, "ip_assignments")
	settledOnce(app, ada, o)
}

func TestDeliveriesWhileThePaymentCannotBeReadAreTriedAgain(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	app.Stripe.Set(stripebox.Switches{APIVersion: "2026-01-01.future"})
	o := app.Order(ada, testapp.Cart{})
	app.StripeFaults.Add(faultOn("GET /v1/", 5))
	app.Pay(o)
	settledOnce(app, ada, o)
}

func TestAWrongStripeKeyIsSaidAndHarmless(t *testing.T) {
	app := testapp.New(t, testapp.WrongStripeKey())
	ada := app.Customer("ada")
	r := app.Want(http.StatusCreated, app.Do(http.MethodPost, "/api/v1/orders", ada.Token, app.Body(testapp.Cart{})))
	if r.Text("payment.state") != "unknown" || r.Text("payment.url") != "" || r.Text("payment.reason") == "" {
		t.Errorf("got %s, want an order whose payment says why it cannot be opened", r)
	}
	if strings.Contains(string(r.Body), "sk_test") || strings.Contains(strings.ToLower(string(r.Body)), "api key") {
		t.Errorf("the answer tells customers about our key: %s", r)
	}
	if got := app.Count("orders", "`status` = 'pending'"); got != 1 {
		t.Errorf("%d pending orders, want 1", got)
	}
	app.Clock().Advance(40 * time.Minute)
	app.Eventually("the order expires all the same", func() bool { return app.Count("orders", "`status` = 'expired'") == 1 })
}

func TestALostAnswerOpensOnePage(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	app.StripeFaults.Add(lostOn("POST /v1/checkout/sessions", 10))
	r := app.Want(http.StatusCreated, app.Do(http.MethodPost, "/api/v1/orders", ada.Token, app.Body(testapp.Cart{})))
	if got := r.Text("payment.state"); got != "unknown" {
		t.Fatalf("payment state: got %q, want unknown", got)
	}
	app.StripeFaults.Clear()
	o := testapp.ReadOrder(r)
	again := app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/invoices/"+o.Invoice+"/pay", ada.Token, map[string]string{"gateway": "stripe"}))
	o.PageURL = again.Text("payment.url")
	if got := app.Stripe.Snapshot().Sessions; got != 1 {
		t.Errorf("Stripe has %d pages, want 1", got)
	}
	app.Pay(o)
	settledOnce(app, ada, o)
}
