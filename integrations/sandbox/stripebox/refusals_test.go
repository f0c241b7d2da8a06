package stripebox

import (
	"strings"
	"testing"
)

func TestRefusals(t *testing.T) {
	r := newRig(t, Options{})
	customer, method := r.saved(t, "4242424242424242")
	stranger := r.do(t, "POST /v1/customers", "").str("id")
	without := func(name string) []string {
		out := []string{}
		for _, p := range sessionParams {
			if !strings.HasPrefix(p, name+"=") {
				out = append(out, p)
			}
		}
		return out
	}
	with := func(name, value string) []string { return append(without(name), name+"="+value) }
	pay := func(pairs ...string) []string {
		replaced := map[string]bool{}
		for _, p := range pairs {
			name, _, _ := strings.Cut(p, "=")
			replaced[name] = true
		}
		out := []string{}
		for _, p := range charging(customer, method) {
			if name, _, _ := strings.Cut(p, "="); !replaced[name] {
				out = append(out, p)
			}
		}
		for _, p := range pairs {
			if !strings.HasSuffix(p, "=-") { // "name=-" leaves it out
				out = append(out, p)
			}
		}
		return out
	}
	const sessions, intents = "POST /v1/checkout/sessions", "POST /v1/payment_intents"
	scenarios := []struct {
		name        string
		call        string
		params      []string
		status      int
		code, param string
	}{
		{"unknown parameter", sessions, append(without(""), "foo=1"), 400, "parameter_unknown", "foo"},
		{"unknown nested parameter", sessions, append(without(""), "line_items[0][price_data][shade]=red"), 400, "parameter_unknown", "line_items[0][price_data][shade]"},
		{"no mode", sessions, without("mode"), 400, "parameter_missing", "mode"},
		{"no success address", sessions, without("success_url"), 400, "parameter_missing", "success_url"},
		{"no amount", sessions, without("line_items[0][price_data][unit_amount]"), 400, "parameter_missing", "line_items[0][price_data][unit_amount]"},
		{"another mode", sessions, with("mode", "subscription"), 400, "", "mode"},
		{"empty text", sessions, with("cancel_url", ""), 400, "parameter_invalid_empty", "cancel_url"},
		{"relative address", sessions, with("success_url", "/ok"), 400, "url_invalid", "success_url"},
		{"unknown language", sessions, append(without(""), "locale=tlh"), 400, "", "locale"},
		{"upper-case currency", sessions, with("line_items[0][price_data][currency]", "EUR"), 400, "", "line_items[0][price_data][currency]"},
		{"amount in words", sessions, with("line_items[0][price_data][unit_amount]", "ten"), 400, "parameter_invalid_integer", "line_items[0][price_data][unit_amount]"},
		{"amount with a point", sessions, with("line_items[0][price_data][unit_amount]", "19.99"), 400, "parameter_invalid_integer", "line_items[0][price_data][unit_amount]"},
		{"customer and address", sessions, append(without(""), "customer="+customer), 400, "", "customer_email"},
		{"unknown customer", sessions, append(without("customer_email"), "customer=cus_x"), 400, "resource_missing", "customer"},
		{"expires too soon", sessions, append(without(""), "expires_at=1769862500"), 400, "", "expires_at"},
		{"expires too late", sessions, append(without(""), "expires_at=1769947201"), 400, "", "expires_at"},
		{"long metadata", sessions, append(without(""), "metadata[x]="+strings.Repeat("x", 501)), 400, "", "metadata[x]"},
		{"long metadata key", sessions, append(without(""), "metadata["+strings.Repeat("x", 41)+"]=1"), 400, "", "metadata[" + strings.Repeat("x", 41) + "]"},
		{"off session without confirm", intents, pay("confirm=-"), 400, "", "off_session"},
		{"confirm without a method", intents, pay("payment_method=-"), 400, "parameter_missing", "payment_method"},
		{"confirm that may redirect", intents, pay("automatic_payment_methods[allow_redirects]=-"), 400, "", "return_url"},
		{"unknown method", intents, pay("payment_method=pm_x"), 400, "resource_missing", "payment_method"},
		{"method of another", intents, pay("customer=" + stranger), 400, "", "payment_method"},
		{"below the minimum", intents, pay("amount=49"), 400, "amount_too_small", "amount"},
		{"nine digits", intents, pay("amount=100000000"), 400, "amount_too_large", "amount"},
		{"zero", intents, pay("amount=0"), 400, "parameter_invalid_integer", "amount"},
		{"dinar with a third decimal", intents, pay("amount=12345", "currency=kwd"), 400, "", "amount"},
		{"króna in whole units", intents, pay("amount=19999", "currency=isk"), 400, "", "amount"},
		{"a currency in doubt", intents, pay("currency=ugx"), 400, "", "currency"},
		{"a boolean in words", intents, pay("confirm=yes"), 400, "", "confirm"},
		{"unknown expansion", "GET /v1/payment_methods/" + method, []string{"expand[0]=card"}, 400, "", "expand"},
		{"unknown object", "GET /v1/payment_intents/pi_x", nil, 404, "resource_missing", "intent"},
		{"unknown session", "POST /v1/checkout/sessions/cs_x/expire", nil, 404, "resource_missing", "session"},
		{"unknown address", "GET /v1/nothing", nil, 404, "", ""},
		{"no such method of address", "DELETE /v1/balance", nil, 404, "", ""},
		{"a long list", "GET /v1/events", []string{"limit=101"}, 400, "", "limit"},
		{"a search in other words", "GET /v1/customers/search", []string{"query=email:'x'"}, 400, "", "query"},
	}
	for _, s := range scenarios {
		got := r.do(t, s.call, "", s.params...)
		if got.status != s.status || got.str("error", "code") != s.code || got.str("error", "param") != s.param ||
			got.str("error", "type") != "invalid_request_error" || got.str("error", "message") == "" {
			t.Errorf("%s: got %d %v, want %d, code %q, param %q", s.name, got.status, got.body["error"], s.status, s.code, s.param)
		}
	}
	if n := len(r.Charges()); n != 0 {
		t.Errorf("got %d charges out of refused requests", n)
	}
}
