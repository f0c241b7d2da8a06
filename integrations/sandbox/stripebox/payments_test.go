package stripebox

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestOffSessionCharges(t *testing.T) {
	scenarios := []struct {
		number, status, code, decline string
	}{
		{"4242424242424242", "succeeded", "", ""},
		{"4000000000009995", "", "card_declined", "insufficient_funds"},
		{"4000000000000002", "", "card_declined", "generic_decline"},
		{"4000000000009987", "", "card_declined", "lost_card"},
		{"4000000000000069", "", "expired_card", ""},
		{"4000000000000341", "", "card_declined", "generic_decline"},
		{"4000002500003155", "", "authentication_required", "authentication_required"},
		{"4000002760003184", "", "authentication_required", "authentication_required"},
		{"AT611904300234573201", "processing", "", ""},
	}
	r := newRig(t, Options{})
	for _, s := range scenarios {
		customer, method := r.saved(t, s.number)
		got := r.do(t, "POST /v1/payment_intents", "", charging(customer, method)...)
		if s.status != "" {
			if got.status != 200 || got.str("status") != s.status || got.str("payment_method") != method {
				t.Errorf("%s: got %d %v, want %s", s.number, got.status, got.body, s.status)
			}
			continue
		}
		if got.status != 402 || got.str("error", "type") != "card_error" || got.str("error", "code") != s.code || got.str("error", "decline_code") != s.decline {
			t.Errorf("%s: got %d %v, want 402 %s %s", s.number, got.status, got.body, s.code, s.decline)
		}
		if got.str("error", "payment_intent", "status") != "requires_payment_method" || got.str("error", "payment_method", "id") != method ||
			got.str("error", "charge") == "" || got.str("error", "payment_intent", "metadata", "invoice_id") != "inv_2" {
			t.Errorf("%s: got %v, want the payment, its method and its charge", s.number, got.body)
		}
	}
}

func TestIntentLife(t *testing.T) {
	r := newRig(t, Options{})
	customer, method := r.saved(t, "4000000000009995")
	id := r.do(t, "POST /v1/payment_intents", "", charging(customer, method)...).str("error", "payment_intent", "id")
	better, err := r.SaveCard(customer, "4242424242424242")
	if err != nil {
		t.Fatal(err)
	}
	if got := r.do(t, "POST /v1/payment_intents/"+id+"/confirm", ""); got.str("error", "code") != "parameter_missing" {
		t.Errorf("confirm without a method: got %v", got.body)
	}
	got := r.do(t, "POST /v1/payment_intents/"+id+"/confirm", "", "payment_method="+better, "expand[0]=latest_charge", "expand[1]=payment_method", "expand[2]=customer")
	if got.str("status") != "succeeded" || got.str("latest_charge", "status") != "succeeded" || got.str("payment_method", "card", "last4") != "4242" || got.str("customer", "id") != customer {
		t.Errorf("confirmed again with another card: got %v, want succeeded and expanded", got.body)
	}
	for _, call := range []string{"/confirm", "/cancel"} {
		if got := r.do(t, "POST /v1/payment_intents/"+id+call, ""); got.str("error", "code") != "payment_intent_unexpected_state" {
			t.Errorf("%s after success: got %v, want payment_intent_unexpected_state", call, got.body)
		}
	}
	idle := r.do(t, "POST /v1/payment_intents", "", "amount=500", "currency=eur", "customer="+customer).str("id")
	if got := r.do(t, "POST /v1/payment_intents/"+idle+"/cancel", "", "cancellation_reason=abandoned"); got.str("status") != "canceled" || got.at("canceled_at") == nil {
		t.Errorf("cancel: got %v, want canceled", got.body)
	}
}

func TestIntentList(t *testing.T) {
	r := newRig(t, Options{})
	customer, method := r.saved(t, "4242424242424242")
	id := r.do(t, "POST /v1/payment_intents", "", charging(customer, method)...).str("id")
	idle := r.do(t, "POST /v1/payment_intents", "", "amount=500", "currency=eur", "customer="+customer).str("id")
	r.do(t, "POST /v1/payment_intents", "", "amount=500", "currency=eur")
	list := r.do(t, "GET /v1/payment_intents", "", "customer="+customer, "limit=1")
	data, _ := list.at("data").([]any)
	if len(data) != 1 || list.at("has_more") != true || data[0].(map[string]any)["id"] != idle {
		t.Errorf("list: got %v, want the newest and more", list.body)
	}
	if next := r.do(t, "GET /v1/payment_intents", "", "customer="+customer, "starting_after="+idle); next.at("has_more") != false || !strings.Contains(next.str("(text)"), id) {
		t.Errorf("next page: got %v, want the older one", next.body)
	}
}

func TestDetachedCardIsRefused(t *testing.T) {
	r := newRig(t, Options{})
	customer, method := r.saved(t, "4242424242424242")
	if !r.DetachCard(method) || r.DetachCard(method) {
		t.Error("a card can be detached once")
	}
	if got := r.do(t, "POST /v1/payment_intents", "", charging(customer, method)...); got.status != 400 || got.str("error", "param") != "payment_method" {
		t.Errorf("got %d %v, want 400", got.status, got.body)
	}
}

func TestRefunds(t *testing.T) {
	r := newRig(t, Options{})
	customer, method := r.saved(t, "4242424242424242")
	id := r.do(t, "POST /v1/payment_intents", "", charging(customer, method)...).str("id")
	part := r.do(t, "POST /v1/refunds", "", "payment_intent="+id, "amount=1000", "reason=requested_by_customer")
	if part.str("status") != "succeeded" || part.at("amount") != 1000.0 {
		t.Errorf("part: got %v", part.body)
	}
	if got := r.do(t, "POST /v1/refunds", "", "payment_intent="+id, "amount=2001"); got.status != 400 || !strings.Contains(got.str("error", "message"), "EUR 20.00") {
		t.Errorf("too much: got %v, want what is left", got.body)
	}
	rest := r.do(t, "POST /v1/refunds", "", "charge="+part.str("charge"))
	if rest.at("amount") != 2000.0 {
		t.Errorf("rest: got %v, want 2000", rest.body)
	}
	if got := r.do(t, "POST /v1/refunds", "", "payment_intent="+id); got.str("error", "code") != "charge_already_refunded" {
		t.Errorf("once more: got %v, want charge_already_refunded", got.body)
	}
	if got := r.do(t, "GET /v1/refunds/"+rest.str("id"), ""); got.str("payment_intent") != id {
		t.Errorf("read: got %v", got.body)
	}
	if got := r.do(t, "GET /v1/refunds", "", "payment_intent="+id); len(got.at("data").([]any)) != 2 {
		t.Errorf("list: got %v, want two", got.body)
	}
	if c := r.Charges(); len(c) != 1 || c[0].Refunded != 3000 {
		t.Errorf("got charges %+v, want one refunded in full", c)
	}
	for name, params := range map[string][]string{
		"neither":        {},
		"both":           {"payment_intent=" + id, "charge=" + part.str("charge")},
		"unknown":        {"payment_intent=pi_x"},
		"unknown charge": {"charge=ch_x"},
	} {
		if got := r.do(t, "POST /v1/refunds", "", params...); got.status != 400 {
			t.Errorf("%s: got %d %v, want 400", name, got.status, got.body)
		}
	}
}

func TestAmountsAsPeopleReadThem(t *testing.T) {
	for want, in := range map[string]struct {
		amount int64
		code   string
	}{
		"EUR 19.99": {1999, "eur"}, "EUR 0.05": {5, "eur"}, "JPY 500": {500, "jpy"}, "KWD 1.230": {1230, "kwd"}, "ISK 19.00": {1900, "isk"},
	} {
		if got := display(in.amount, in.code); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestCustomersAndAccount(t *testing.T) {
	r := newRig(t, Options{})
	id := r.do(t, "POST /v1/customers", "", "email=kim@example.com", "metadata[user_id]=u1").str("id")
	r.do(t, "POST /v1/customers", "", "email=lee@example.com")
	if got := r.do(t, "GET /v1/customers/"+id, ""); got.str("email") != "kim@example.com" || got.str("metadata", "user_id") != "u1" {
		t.Errorf("read: got %v", got.body)
	}
	if got := r.do(t, "GET /v1/customers/cus_x", ""); got.status != 404 {
		t.Errorf("unknown: got %d, want 404", got.status)
	}
	for call, params := range map[string]string{"GET /v1/customers": "email=kim@example.com", "GET /v1/customers/search": "query=metadata['user_id']:'u1'"} {
		got := r.do(t, call, "", params)
		if data, _ := got.at("data").([]any); len(data) != 1 || !strings.Contains(got.str("(text)"), id) {
			t.Errorf("%s: got %v, want one", call, got.body)
		}
	}
	if got := r.do(t, "POST /v1/customers", "", "email=nobody"); got.str("error", "code") != "email_invalid" {
		t.Errorf("bad address: got %v", got.body)
	}
	if got := r.do(t, "GET /v1/account", ""); got.at("charges_enabled") != true {
		t.Errorf("account: got %v", got.body)
	}
}

// TestConfirmWithTheHolder confirms on session: the bank's page leads back to
// the address given.
func TestConfirmWithTheHolder(t *testing.T) {
	r := newRig(t, Options{})
	customer, method := r.saved(t, "4000002760003184")
	got := r.do(t, "POST /v1/payment_intents", "", "amount=500", "currency=eur", "customer="+customer, "payment_method="+method,
		"confirm=true", "return_url=https://portal.example/done", "metadata[invoice_id]=inv_3")
	bank := got.str("next_action", "redirect_to_url", "url")
	if got.str("status") != "requires_action" || !strings.HasPrefix(bank, r.url+"/authenticate/pi_") {
		t.Fatalf("got %v, want requires_action and the bank's page", got.body)
	}
	back := r.visit(t, strings.TrimPrefix(bank, r.url), url.Values{"answer": {"yes"}})
	if back.header.Get("Location") != "https://portal.example/done" || r.Paid("inv_3") != 1 {
		t.Errorf("got to %q, %d times paid", back.header.Get("Location"), r.Paid("inv_3"))
	}
}

func TestSweepExpiresPages(t *testing.T) {
	r := newRig(t, Options{PublicURL: "https://sandbox.example/"})
	id := r.session(t)
	if got := r.do(t, "GET /v1/checkout/sessions/"+id, "").str("url"); got != "https://sandbox.example/checkout/"+id {
		t.Errorf("got address %q, want the public one", got)
	}
	r.advance(24 * time.Hour)
	r.Sweep()
	if _, err := r.PayPage(id, "4242424242424242"); err == nil {
		t.Error("an expired page could be paid")
	}
	if _, err := r.PayPage(id, "1"); err == nil {
		t.Error("an unknown card could pay")
	}
	if _, err := r.SaveCard("cus_x", "4242424242424242"); err == nil {
		t.Error("a card was saved for nobody")
	}
}
