package stripebox

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// visit loads a page as a browser does; values make it a form.
func (r *rig) visit(t *testing.T, path string, values url.Values, header ...string) reply {
	t.Helper()
	method := http.MethodGet
	if values != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(t.Context(), method, r.url+path, strings.NewReader(values.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return send(t, req)
}

func TestCheckoutPage(t *testing.T) {
	r := newRig(t, Options{})
	id := r.session(t)
	path := "/checkout/" + id
	if got := r.do(t, "GET /v1/checkout/sessions/"+id, "").str("url"); got != r.url+path {
		t.Errorf("got address %q, want %q", got, r.url+path)
	}
	page := r.visit(t, path, nil)
	for _, want := range []string{
		"Sandbox Stripe", "EUR 19.99", "kim@example.com", `id="pay"`, "4242 4242 4242 4242", "4000 0025 0000 3155",
		`href="https://portal.example/back"`, `<html lang="en">`, `<label for="card-4242424242424242">`,
	} {
		if !strings.Contains(page.str("(text)"), want) {
			t.Errorf("the page does not show %q", want)
		}
	}
	for _, banned := range []string{"<script", "<style", "style=", "onclick"} {
		if strings.Contains(page.str("(text)"), banned) {
			t.Errorf("the page has %q, which its policy forbids", banned)
		}
	}
	if policy := page.header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "form-action 'self' https://portal.example") {
		t.Errorf("got policy %q", policy)
	}
	if css := r.visit(t, "/checkout/page.css", nil); css.status != 200 || !strings.HasPrefix(css.header.Get("Content-Type"), "text/css") {
		t.Errorf("style sheet: got %d %v", css.status, css.header)
	}
}

func TestCheckoutPays(t *testing.T) {
	r := newRig(t, Options{})
	id := r.session(t)
	path := "/checkout/" + id
	declined := r.visit(t, path, url.Values{"card": {"4000000000009995"}})
	if declined.status != http.StatusPaymentRequired || !strings.Contains(declined.str("(text)"), "insufficient funds") || !strings.Contains(declined.str("(text)"), `role="alert"`) {
		t.Errorf("declined: got %d %s", declined.status, declined.str("(text)"))
	}
	if unknown := r.visit(t, path, url.Values{"number": {"4111"}}); unknown.status != http.StatusUnprocessableEntity {
		t.Errorf("unknown card: got %d", unknown.status)
	}
	foreign := r.visit(t, path, url.Values{"card": {"4242424242424242"}}, "Sec-Fetch-Site", "cross-site")
	if foreign.status != http.StatusForbidden || r.Paid("inv_1") != 0 {
		t.Errorf("a form of another site: got %d, want 403", foreign.status)
	}
	paid := r.visit(t, path, url.Values{"card": {"4000000000009995"}, "number": {"4242 4242 4242 4242"}})
	if want := "https://portal.example/ok?session=" + id; paid.status != http.StatusSeeOther || paid.header.Get("Location") != want {
		t.Errorf("paid: got %d to %q, want %q", paid.status, paid.header.Get("Location"), want)
	}
	for _, again := range []reply{r.visit(t, path, nil), r.visit(t, path, url.Values{"card": {"4242424242424242"}})} {
		if !strings.Contains(again.str("(text)"), "Already paid") {
			t.Errorf("after payment: got %s", again.str("(text)"))
		}
	}
	if n := r.Paid("inv_1"); n != 1 {
		t.Errorf("money was taken %d times, want once", n)
	}
}

func TestCheckoutSavesTheCard(t *testing.T) {
	r := newRig(t, Options{})
	id := r.session(t)
	if _, err := r.PayPage(id, "4242424242424242"); err != nil {
		t.Fatal(err)
	}
	s := r.do(t, "GET /v1/checkout/sessions/"+id, "", "expand[0]=payment_intent.payment_method", "expand[1]=payment_intent")
	if s.str("status") != "complete" || s.str("payment_status") != "paid" || s.at("url") != nil ||
		s.str("payment_intent", "payment_method", "customer") != s.str("customer") || s.str("customer") == "" {
		t.Errorf("the session: got %v, want it complete and the card saved", s.body)
	}
}

func TestCheckoutAuthentication(t *testing.T) {
	r := newRig(t, Options{})
	path := "/checkout/" + r.session(t)
	challenge := func() string {
		t.Helper()
		got := r.visit(t, path, url.Values{"card": {"4000002500003155"}})
		where, err := url.Parse(got.header.Get("Location"))
		if err != nil || got.status != http.StatusSeeOther || !strings.HasPrefix(where.Path, "/authenticate/pi_") {
			t.Fatalf("got %d to %q, want the bank's page", got.status, got.header.Get("Location"))
		}
		return where.Path
	}
	bank := challenge()
	if page := r.visit(t, bank, nil).str("(text)"); !strings.Contains(page, `id="confirm"`) || !strings.Contains(page, "EUR 19.99") {
		t.Errorf("the bank's page: got %s", page)
	}
	if got := r.visit(t, bank, url.Values{"answer": {"no"}}); got.header.Get("Location") != path {
		t.Errorf("refused: got to %q, want back to the page", got.header.Get("Location"))
	}
	if page := r.visit(t, path, nil).str("(text)"); !strings.Contains(page, "unable to authenticate") {
		t.Errorf("after refusal: got %s", page)
	}
	if got := r.visit(t, bank, nil); got.status != http.StatusNotFound {
		t.Errorf("the bank's page after refusal: got %d, want 404", got.status)
	}
	got := r.visit(t, challenge(), url.Values{"answer": {"yes"}})
	if !strings.HasPrefix(got.header.Get("Location"), "https://portal.example/ok") || r.Paid("inv_1") != 1 {
		t.Errorf("confirmed: got to %q, %d times paid", got.header.Get("Location"), r.Paid("inv_1"))
	}
	c := r.Charges()
	charge := c[len(c)-1]
	if got := r.do(t, "POST /v1/payment_intents", "", charging(charge.Customer, charge.Method)...); got.str("status") != "succeeded" {
		t.Errorf("the card set up so: got %v, want it charged without the holder", got.body)
	}
}

func TestCheckoutExpires(t *testing.T) {
	hook := newHooks(t)
	r := newRig(t, Options{WebhookURL: hook.URL, WebhookSecret: "whsec_1"})
	id := r.session(t, "expires_at=1769864400") // in an hour
	r.visit(t, "/checkout/"+id, url.Values{"card": {"4000000000009995"}})
	r.advance(time.Hour)
	if got := r.visit(t, "/checkout/"+id, url.Values{"card": {"4242424242424242"}}); got.status != http.StatusGone || r.Paid("inv_1") != 0 {
		t.Errorf("got %d, %d times paid, want 410 and nothing", got.status, r.Paid("inv_1"))
	}
	s := r.do(t, "GET /v1/checkout/sessions/"+id, "", "expand[]=payment_intent")
	if s.str("status") != "expired" || s.str("payment_intent", "status") != "canceled" {
		t.Errorf("got %v, want expired and its payment canceled", s.body)
	}
	if got := r.do(t, "POST /v1/checkout/sessions/"+id+"/expire", ""); got.status != 400 {
		t.Errorf("expire again: got %d, want 400", got.status)
	}
	flush(t, r.Box)
	if !hook.got("checkout.session.expired") || !hook.got("payment_intent.canceled") {
		t.Errorf("got events %v, want the expiry", hook.types())
	}
	if got := r.visit(t, "/checkout/cs_none", nil); got.status != http.StatusNotFound {
		t.Errorf("no such page: got %d", got.status)
	}
}

func TestDelayedPaymentsSettle(t *testing.T) {
	hook := newHooks(t)
	r := newRig(t, Options{WebhookURL: hook.URL, WebhookSecret: "whsec_1"})
	for number, event := range map[string]string{
		"AT611904300234573201": "checkout.session.async_payment_succeeded",
		"AT861904300235473202": "checkout.session.async_payment_failed",
	} {
		id := r.session(t)
		if problem, err := r.PayPage(id, number); problem != "" || err != nil {
			t.Fatalf("%s: %s, %v", number, problem, err)
		}
		s := r.do(t, "GET /v1/checkout/sessions/"+id, "")
		if s.str("status") != "complete" || s.str("payment_status") != "unpaid" {
			t.Errorf("%s: got %v, want complete and unpaid", number, s.body)
		}
		if n := r.Settle(); n != 1 {
			t.Errorf("%s: got %d settled, want 1", number, n)
		}
		flush(t, r.Box)
		if !hook.got(event) {
			t.Errorf("%s: got events %v, want %s", number, hook.types(), event)
		}
	}
	if n := r.Paid("inv_1"); n != 1 {
		t.Errorf("money was taken %d times, want once", n)
	}
}
