package stripebox

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ezscale/ezscale/integrations/sandbox/fault"
)

// hookServer receives webhooks; failures many are answered with status first.
type hookServer struct {
	*httptest.Server

	mu       sync.Mutex
	failures int
	status   int
	events   []map[string]any
	sigs     []string
}

func newHooks(t *testing.T) *hookServer {
	t.Helper()
	e := &hookServer{status: http.StatusInternalServerError}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.failures > 0 {
			e.failures--
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(e.status)
			return
		}
		var event map[string]any
		if json.Unmarshal(body, &event) != nil {
			t.Errorf("a webhook that is no JSON: %s", body)
		}
		at, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Stripe-Signature"), "t="), ",")
		if at != "1769860800" && at != "1769864400" { // the clock of the rig, or an hour later
			t.Errorf("got stamp %q, want the sandbox's time", at)
		}
		e.events = append(e.events, event)
		e.sigs = append(e.sigs, r.Header.Get("Stripe-Signature"))
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *hookServer) types() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := []string{}
	for _, event := range e.events {
		kind, _ := event["type"].(string)
		out = append(out, kind)
	}
	return out
}

func (e *hookServer) got(kind string) bool { return slices.Contains(e.types(), kind) }

func flush(t *testing.T, b *Box) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := b.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

var quick = []time.Duration{time.Millisecond, time.Millisecond}

func TestWebhooksOfAPayment(t *testing.T) {
	hook := newHooks(t)
	r := newRig(t, Options{WebhookURL: hook.URL, WebhookSecret: "whsec_1"})
	if _, err := r.PayPage(r.session(t), "4242424242424242"); err != nil {
		t.Fatal(err)
	}
	flush(t, r.Box)
	want := []string{
		"customer.created", "payment_intent.created", "payment_method.attached", "charge.succeeded",
		"payment_intent.succeeded", "checkout.session.completed",
	}
	if got := hook.types(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for i, d := range r.Deliveries() {
		if d.Status != 200 || d.Attempt != 1 || d.Header.Get("Stripe-Signature") != hook.sigs[i] ||
			SignedHeader(d.Body, "whsec_1", d.At).Get("Stripe-Signature") != hook.sigs[i] {
			t.Errorf("delivery %d: got %+v, want it signed and taken at once", i, d)
		}
	}
	list := r.do(t, "GET /v1/events", "", "types[0]=payment_intent.*", "types[1]=charge.succeeded", "delivery_success=true", "created[gte]=1769860800")
	if data, _ := list.at("data").([]any); len(data) != 3 {
		t.Errorf("events: got %v, want three", list.body)
	}
	first := hook.events[0]["id"].(string)
	if got := r.do(t, "GET /v1/events/"+first, ""); got.str("type") != "customer.created" || got.str("api_version") != Version {
		t.Errorf("event: got %v", got.body)
	}
}

func TestWebhookRetries(t *testing.T) {
	hook := newHooks(t)
	hook.failures, hook.status = 2, http.StatusFound // a redirect is a failure
	r := newRig(t, Options{WebhookURL: hook.URL, WebhookSecret: "whsec_1", RetryDelays: quick})
	r.do(t, "POST /v1/customers", "")
	flush(t, r.Box)
	if d := r.Deliveries(); len(d) != 3 || d[0].Status != http.StatusFound || d[2].Attempt != 3 || !hook.got("customer.created") {
		t.Errorf("got %+v, want two failures and a success", d)
	}
	hook.mu.Lock()
	hook.failures = 1000
	hook.mu.Unlock()
	r.do(t, "POST /v1/customers", "")
	flush(t, r.Box)
	if n := len(r.Deliveries()); n != 6 {
		t.Errorf("got %d attempts, want the sandbox to give up after three more", n)
	}
	undelivered := r.do(t, "GET /v1/events", "", "delivery_success=false")
	data, _ := undelivered.at("data").([]any)
	if len(data) != 1 {
		t.Fatalf("undelivered: got %v, want one", undelivered.body)
	}
	hook.mu.Lock()
	hook.failures = 0
	hook.mu.Unlock()
	if !r.Resend(data[0].(map[string]any)["id"].(string)) || r.Resend("evt_none") {
		t.Error("resend must know its events")
	}
	flush(t, r.Box)
	if n := len(hook.types()); n != 2 {
		t.Errorf("got %d events taken, want 2", n)
	}
}

func TestSwitches(t *testing.T) {
	hook := newHooks(t)
	r := newRig(t, Options{WebhookURL: hook.URL, WebhookSecret: "whsec_1"})
	created := func(name string) { r.do(t, "POST /v1/customers", "", "name="+name); flush(t, r.Box) }
	r.Set(Switches{Duplicate: 2})
	created("twice more")
	r.Set(Switches{Drop: 1})
	created("lost")
	r.Set(Switches{APIVersion: "2025-03-31.basil"})
	created("newer")
	if got := hook.types(); len(got) != 4 || hook.events[0]["id"] != hook.events[2]["id"] || hook.events[3]["api_version"] != "2025-03-31.basil" {
		t.Errorf("got %v, want three of one event and one of another version", hook.events)
	}
	r.Set(Switches{DelayType: "payment_intent", Delay: 50 * time.Millisecond})
	if _, err := r.PayPage(r.session(t), "4242424242424242"); err != nil {
		t.Fatal(err)
	}
	flush(t, r.Box)
	got := hook.types()[4:]
	if slices.Index(got, "payment_intent.succeeded") < slices.Index(got, "checkout.session.completed") {
		t.Errorf("got %v, want the payment's events overtaken", got)
	}
	r.Set(Switches{StoredErrors: 1})
	for range 2 {
		if got := r.do(t, "POST /v1/customers", "k", "name=x"); got.status != 500 {
			t.Errorf("stored error: got %d, want 500 each time", got.status)
		}
	}
}

func TestNoWebhookAddress(t *testing.T) {
	hook := newHooks(t)
	r := newRig(t, Options{})
	r.do(t, "POST /v1/customers", "")
	r.SetWebhook(hook.URL, "whsec_1")
	r.do(t, "POST /v1/customers", "")
	flush(t, r.Box)
	if n := len(hook.types()); n != 1 {
		t.Errorf("got %d events, want the one after the address was set", n)
	}
}

func TestCloseEndsFlush(t *testing.T) {
	hook := newHooks(t)
	hook.failures = 1000
	b := New(Options{WebhookURL: hook.URL, RetryDelays: []time.Duration{time.Hour}})
	b.mu.Lock()
	b.emit("customer.created", object{}, nil)
	b.mu.Unlock()
	short, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if err := b.Flush(short); err == nil {
		t.Error("flush did not wait")
	}
	b.Close()
	if err := b.Flush(t.Context()); err == nil {
		t.Error("flush of a closed sandbox says that all was delivered")
	}
}

func TestControl(t *testing.T) {
	faults := &fault.Set{}
	r := newRig(t, Options{Faults: faults})
	if got := r.visit(t, "/_sandbox/faults", url.Values{"match": {"POST /v1/customers"}, "kind": {"error_500"}, "times": {"1"}, "delay_ms": {"0"}}); got.status != http.StatusSeeOther {
		t.Errorf("add by form: got %d %s", got.status, got.str("(text)"))
	}
	page := r.visit(t, "/_sandbox/", nil)
	if !strings.Contains(page.str("(text)"), "POST /v1/customers") || strings.Contains(page.str("(text)"), "<script") || page.header.Get("Content-Security-Policy") == "" {
		t.Errorf("page: got %s", page.str("(text)"))
	}
	if got := r.do(t, "POST /v1/customers", ""); got.status != 500 {
		t.Errorf("the fault: got %d, want 500", got.status)
	}
	if got := r.visit(t, "/_sandbox/faults", nil); strings.TrimSpace(got.str("(text)")) != "[]" {
		t.Errorf("a spent fault is listed: %s", got.str("(text)"))
	}
	post := func(method, path, body string) reply {
		req, err := http.NewRequestWithContext(t.Context(), method, r.url+path, bytes.NewBufferString(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		return send(t, req)
	}
	scenarios := []struct {
		method, path, body string
		want               int
	}{
		{"POST", "/_sandbox/faults", `{"kind":"rate_limited"}`, 204},
		{"POST", "/_sandbox/faults", `{"kind":"nonsense"}`, 400},
		{"POST", "/_sandbox/faults", `{"kind":"slow","delay_ns":-1}`, 400},
		{"POST", "/_sandbox/faults", `{`, 400},
		{"DELETE", "/_sandbox/faults", ``, 204},
		{"PUT", "/_sandbox/switches", `{"duplicate":1}`, 204},
		{"PUT", "/_sandbox/switches", `{"duplicate":-1}`, 400},
		{"PUT", "/_sandbox/switches", `{"unknown":1}`, 400},
		{"POST", "/_sandbox/settle", ``, 204},
		{"POST", "/_sandbox/events/evt_x/resend", ``, 404},
		{"GET", "/_sandbox/state", ``, 200},
		{"GET", "/_sandbox/switches", ``, 200},
	}
	for _, s := range scenarios {
		if got := post(s.method, s.path, s.body); got.status != s.want {
			t.Errorf("%s %s %s: got %d %s, want %d", s.method, s.path, s.body, got.status, got.str("(text)"), s.want)
		}
	}
	if r.Switches().Duplicate != 1 || len(faults.List()) != 0 {
		t.Errorf("got %+v and %v, want one duplicate and no fault", r.Switches(), faults.List())
	}
	if got := r.visit(t, "/_sandbox/settle", url.Values{}, "Sec-Fetch-Site", "cross-site"); got.status != http.StatusForbidden {
		t.Errorf("a form of another site: got %d, want 403", got.status)
	}
}
