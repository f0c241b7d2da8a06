package payments_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/paypalbox"
	"github.com/ezscale/ezscale/integrations/sandbox/stripebox"
	"github.com/ezscale/ezscale/internal/testapp"
)

const eventsPath = "/api/v1/staff/webhook-events"

// incomplete is a genuine event about a payment whose body lacks what our version
// promises, and whose payment the gateway does not know.
func incomplete(id string) []byte {
	raw, err := json.Marshal(map[string]any{
		"id": id, "object": "event", "type": "payment_intent.succeeded", "api_version": stripebox.Version, "created": time.Now().Unix(),
		"data": map[string]any{"object": map[string]any{"id": "pi_nobody", "object": "payment_intent", "status": "succeeded"}},
	})
	if err != nil {
		panic(err)
	}
	return raw
}

// TestADeliveryThatCannotBeWorkedOffIsADeadLetter is told to staff once, stays, and
// can be looked at and replayed.
func TestADeliveryThatCannotBeWorkedOffIsADeadLetter(t *testing.T) {
	app := testapp.New(t)
	if r, err := deliver(app, incomplete("evt_dead")); err != nil || r.Status != http.StatusOK {
		t.Fatalf("got %v %v", r, err)
	}
	app.Eventually("it is given up", func() bool { return app.Count("webhook_events", "`status` = 'failed'") == 1 })
	list := app.Want(http.StatusOK, app.Do(http.MethodGet, eventsPath+"?status=failed", app.Staff(), nil))
	id := list.Text("items.0.id")
	if list.Len("items") != 1 || list.Text("items.0.event_id") != "evt_dead" || list.Text("items.0.note") == "" || list.Text("items.0.body") != "" {
		t.Errorf("listed: %s", list)
	}
	one := app.Want(http.StatusOK, app.Do(http.MethodGet, eventsPath+"/"+id, app.Staff(), nil))
	if !strings.Contains(one.Text("body"), "pi_nobody") {
		t.Errorf("shown: %s", one)
	}
	if n := app.Count("audit_logs", "`action` = 'webhook.dead_letter'"); n != 1 {
		t.Errorf("staff are told %d times, want once", n)
	}
	app.Want(http.StatusOK, app.Do(http.MethodPost, eventsPath+"/"+id+"/replay", app.Staff(), nil))
	app.Quiet()
	app.Eventually("it is given up again", func() bool { return app.Count("webhook_events", "`status` = 'failed'") == 1 })
	app.Want(http.StatusNotFound, app.Do(http.MethodPost, eventsPath+"/nosuchevent0001/replay", app.Staff(), nil))
	if n := app.Count("payment_transactions", "") + app.Count("unmatched_payments", ""); n != 0 {
		t.Errorf("%d payments came of it", n)
	}
}

// TestADeadLetterSettlesOnceItsCauseIsGone takes the gateway's keys away while a
// delivery has to be read back, and replays it when they are back.
func TestADeadLetterSettlesOnceItsCauseIsGone(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	app.Stripe.Set(stripebox.Switches{APIVersion: "2026-01-01.future"})
	o, events := paidSilently(app, ada)
	body := bytes.Replace(events["payment_intent.succeeded"], []byte(stripebox.Version), []byte("2026-01-01.future"), 1)
	body = bytes.ReplaceAll(body, []byte(`"pi_`), []byte(`"pi_x`)) // a payment that the gateway does not know
	if r, err := deliver(app, body); err != nil || r.Status != http.StatusOK {
		t.Fatalf("got %v %v", r, err)
	}
	app.Eventually("it is given up", func() bool { return app.Count("webhook_events", "`status` = 'failed'") == 1 })
	id := app.One(collections.WebhookEvents, dbx.HashExp{"status": "failed"}).Id
	if err := app.Exec("UPDATE `webhook_events` SET `body` = REPLACE(`body`, '\"pi_x', '\"pi_') WHERE `id` = '" + id + "'"); err != nil {
		t.Fatal(err)
	}
	app.Want(http.StatusOK, app.Do(http.MethodPost, eventsPath+"/"+id+"/replay", app.Staff(), nil))
	app.Eventually("the invoice is paid", func() bool { return app.InvoiceStatus(o) == "paid" })
	app.Active(o)
	settledOnce(app, ada, o)
}

// TestReplayingWhatWasAppliedChangesNothing replays every delivery of two
// purchases, one at each gateway.
func TestReplayingWhatWasAppliedChangesNothing(t *testing.T) {
	app := testapp.New(t, testapp.PayPal())
	ada := app.Customer("ada")
	app.Buy(ada, testapp.Cart{})
	o := app.Order(ada, byPayPal)
	app.PayByPayPal(o)
	app.Active(o)
	app.Quiet()
	before, replayed := app.Rows(), 0
	for next := ""; ; {
		page := app.Want(http.StatusOK, app.Do(http.MethodGet, eventsPath+"?before="+next, app.Staff(), nil))
		for _, item := range page.At("items").([]any) {
			replayed++
			app.Want(http.StatusOK, app.Do(http.MethodPost, eventsPath+"/"+item.(map[string]any)["id"].(string)+"/replay", app.Staff(), nil))
		}
		if next = page.Text("next"); next == "" {
			break
		}
	}
	app.Quiet()
	app.Eventually("all are worked off", func() bool { return app.Count("webhook_events", "`status` NOT IN ('done', 'ignored')") == 0 })
	app.Unchanged(before, "jobs", "audit_logs", "_authOrigins")
	if replayed < 6 || app.Count("payment_transactions", "`status` = 'succeeded'") != 2 {
		t.Errorf("%d replayed, %d payments", replayed, app.Count("payment_transactions", "`status` = 'succeeded'"))
	}
}

// TestOldDeliveriesArePurged keeps what waits or was given up, however old.
func TestOldDeliveriesArePurged(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	app.Buy(ada, testapp.Cart{})
	if _, err := deliver(app, incomplete("evt_dead")); err != nil {
		t.Fatal(err)
	}
	app.Quiet()
	app.Eventually("one is given up", func() bool { return app.Count("webhook_events", "`status` = 'failed'") == 1 })
	worked := app.Count("webhook_events", "`status` IN ('done', 'ignored')")
	app.Clock().Advance(89 * 24 * time.Hour)
	app.RunTasks()
	if n := app.Count("webhook_events", "`status` IN ('done', 'ignored')"); n < worked || worked == 0 {
		t.Errorf("%d of %d are left before their time", n, worked)
	}
	app.Clock().Advance(48 * time.Hour)
	app.RunTasks()
	if n := app.Count("webhook_events", "`status` IN ('done', 'ignored') AND `received_at` < '"+collections.Stamp(app.Clock().Now().AddDate(0, 0, -90)).String()+"'"); n != 0 {
		t.Errorf("%d old deliveries are left", n)
	}
	if app.Count("webhook_events", "`status` = 'failed'") != 1 || app.Count("audit_logs", "`action` = 'webhook.purge'") == 0 {
		t.Error("the dead letter is gone, or nobody noted the purge")
	}
	r := app.Do(http.MethodPost, "/api/collections/settings/records", app.Staff(), map[string]any{"key": "inbox", "value": map[string]any{"keep_days": 1}})
	if r.Status != http.StatusBadRequest {
		t.Errorf("a day: got %s, want it refused", r)
	}
	app.Quiet()
}

// atPayPal posts a body to our webhook with the given headers.
func atPayPal(app *testapp.App, body []byte, header http.Header) (*testapp.Answer, error) {
	req, err := http.NewRequest(http.MethodPost, app.URL+"/webhooks/paypal", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header = header
	return app.Send(req)
}

func TestBadDeliveriesOfPayPalAreRefusedAndStoreNothing(t *testing.T) {
	app := testapp.New(t, testapp.PayPal())
	ada := app.Customer("ada")
	o := app.Order(ada, byPayPal)
	app.PayByPayPal(o)
	app.Active(o)
	app.Quiet()
	good := app.PayPal.Deliveries()[0].Body
	now := app.Clock().Now()
	signed := func(body []byte, at time.Time) http.Header { return app.PayPal.SignedHeader(body, at) }
	without := signed(good, now)
	without.Del("Paypal-Transmission-Sig")
	elsewhere := signed(good, now)
	elsewhere.Set("Paypal-Cert-Url", "https://evil.example/v1/notifications/certs/x")
	huge := bytes.Repeat([]byte("x"), 10<<20)
	scenarios := []struct {
		name   string
		body   []byte
		header http.Header
		status int
	}{
		{"no signature", good, without, 400},
		{"another body", bytes.Replace(good, []byte("COMPLETED"), []byte("COMPLETEd"), 1), signed(good, now), 400},
		{"a certificate from elsewhere", good, elsewhere, 400},
		{"future-dated", good, signed(good, now.Add(48*time.Hour)), 400},
		{"weeks old", good, signed(good, now.AddDate(0, 0, -14)), 400},
		{"truncated, well signed", good[:len(good)/2], signed(good[:len(good)/2], now), 400},
		{"no JSON, well signed", []byte("hello"), signed([]byte("hello"), now), 400},
		{"10 MB", huge, signed(huge, now), 413},
	}
	if bytes.Equal(scenarios[1].body, good) {
		scenarios[1].body = append([]byte(" "), good...)
	}
	before := app.Rows()
	for _, s := range scenarios {
		r, err := atPayPal(app, s.body, s.header)
		if err != nil {
			if s.status != http.StatusRequestEntityTooLarge {
				t.Errorf("%s: %v", s.name, err)
			}
			continue
		}
		if r.Status != s.status {
			t.Errorf("%s: got %s, want %d", s.name, r, s.status)
		}
	}
	app.Unchanged(before)
	for range 3 { // replayed: stored once
		if r, err := atPayPal(app, good, signed(good, now)); err != nil || r.Status != http.StatusOK {
			t.Errorf("replayed: %v %v", r, err)
		}
	}
	app.Quiet()
	app.Unchanged(before)
	takenOnce(app, o)
}

func TestPayPalTellsOfWhatWeDoNotKnow(t *testing.T) {
	app := testapp.New(t, testapp.PayPal())
	before := app.Rows()
	at := app.Clock().Now().UTC().Format("2006-01-02T15:04:05Z")
	for i, kind := range []string{"CATALOG.PRODUCT.CREATED", "PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.COMPLETED"} {
		body, err := json.Marshal(map[string]any{
			"id": "WH-" + string(rune('A'+i)), "event_type": kind, "event_version": "1.0", "resource_version": "2.0", "create_time": at, "resource_type": "x",
			"resource": map[string]any{"id": "0XX00000XX000000X", "links": []any{}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if r, err := atPayPal(app, body, app.PayPal.SignedHeader(body, app.Clock().Now())); err != nil || r.Status != http.StatusOK {
			t.Fatalf("%s: %v %v", kind, r, err)
		}
	}
	app.Eventually("each has an end", func() bool { return app.Count("webhook_events", "`status` IN ('done', 'ignored', 'failed')") == 3 })
	app.Quiet()
	app.Unchanged(before, "webhook_events", "jobs", "audit_logs")
}

// TestPayPalOutOfOrder holds the approval back until the capture was told of.
func TestPayPalOutOfOrder(t *testing.T) {
	app := testapp.New(t, testapp.PayPal())
	ada := app.Customer("ada")
	app.PayPal.Set(paypalbox.Switches{DelayType: "CHECKOUT.ORDER.APPROVED", Delay: 700 * time.Millisecond, Duplicate: 1})
	o := app.Order(ada, byPayPal)
	app.Approve(o, testapp.PayerWorks)
	app.Want(http.StatusOK, app.Return(o, ada))
	app.Eventually("the invoice is paid", func() bool { return app.InvoiceStatus(o) == "paid" })
	if err := app.PayPal.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	app.Active(o)
	app.Quiet()
	takenOnce(app, o)
}
