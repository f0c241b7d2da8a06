package payments_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/internal/testapp"
)

func TestGatewaysAreSetUpAndTested(t *testing.T) {
	app := testapp.New(t, testapp.PayPal())
	list := app.Want(http.StatusOK, app.Do(http.MethodGet, "/api/v1/staff/gateways", app.Staff(), nil))
	paypal := map[string]any{}
	for _, item := range list.At("items").([]any) {
		if m := item.(map[string]any); m["kind"] == "paypal" {
			paypal = m
		}
	}
	if paypal["webhook_url"] != app.URL+"/webhooks/paypal" || paypal["has_key"] != true || paypal["has_webhook"] != true || paypal["environment"] != "test" {
		t.Errorf("PayPal in the list: %v", paypal)
	}
	for _, kind := range []string{"stripe", "paypal"} {
		r := app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/staff/gateways/"+kind+"/test", app.Staff(), nil))
		if r.At("ok") != true {
			t.Errorf("%s: %s", kind, r)
		}
	}
	app.Want(http.StatusNotFound, app.Do(http.MethodPost, "/api/v1/staff/gateways/manual/test", app.Staff(), nil))
	if raw := string(list.Body); strings.Contains(raw, testapp.PayPalSecret) || strings.Contains(raw, testapp.StripeKey) {
		t.Error("the list shows a secret")
	}
	stored := app.One(collections.Gateways, dbx.HashExp{"kind": "paypal"})
	if v := stored.GetString("secret_key"); !collections.IsSealed(v) {
		t.Errorf("the secret is stored as %q", v)
	}
}

func TestTheConnectionTestSpeaksPlainly(t *testing.T) {
	app := testapp.New(t, testapp.PayPal())
	id := app.One(collections.Gateways, dbx.HashExp{"kind": "paypal"}).Id
	set := func(values map[string]any) {
		t.Helper()
		app.Want(http.StatusOK, app.Do(http.MethodPatch, "/api/collections/gateways/records/"+id, app.Staff(), values))
	}
	scenarios := []struct {
		name   string
		change func()
		says   string
	}{
		{"wrong secret", func() { set(map[string]any{"secret_key": "EHsomethingElse"}) }, "does not accept these keys"},
		{"wrong webhook", func() { set(map[string]any{"secret_key": testapp.PayPalSecret, "webhook_secret": "7XX"}) }, "this app has no webhook 7XX"},
		{"not reachable", func() {
			set(map[string]any{"webhook_secret": testapp.PayPalWebhook})
			app.PayPalFaults.Add(fault.Fault{Kind: fault.Unavailable, Times: -1})
		}, "cannot be reached just now"},
	}
	for _, s := range scenarios {
		s.change()
		r := app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/staff/gateways/paypal/test", app.Staff(), nil))
		if r.At("ok") != false || !strings.Contains(r.Text("message"), s.says) || strings.Contains(string(r.Body), "EHsomething") {
			t.Errorf("%s: got %s, want it to say %q", s.name, r, s.says)
		}
	}
	if n := app.Count("audit_logs", "`action` = 'gateway.test'"); n != len(scenarios) {
		t.Errorf("%d audit rows, want %d", n, len(scenarios))
	}
}

func TestAGatewayThatCannotWorkIsNotSwitchedOn(t *testing.T) {
	app := testapp.New(t)
	scenarios := []struct {
		name   string
		values map[string]any
		says   string // "" is accepted
	}{
		{"switched off and empty", map[string]any{"enabled": false}, ""},
		{"no keys", map[string]any{"enabled": true}, "is missing"},
		{"no secret", map[string]any{"enabled": true, "client_id": "AZ1"}, "the secret is missing"},
		{"no webhook", map[string]any{"enabled": true, "client_id": "AZ1", "secret_key": "EH1"}, "no payment would be believed"},
		{"an event's id for the webhook's", map[string]any{"enabled": true, "client_id": "AZ1", "secret_key": "EH1", "webhook_secret": "WH-1"}, "WH-… is the id of an event"},
		{"plain http", map[string]any{"enabled": true, "client_id": "AZ1", "secret_key": "EH1", "webhook_secret": "8PT", "api_url": "http://paypal.example"}, "https://"},
		{"whole", map[string]any{"enabled": true, "client_id": "AZ1", "secret_key": "EH1", "webhook_secret": "8PT", "environment": "test"}, ""},
	}
	for _, s := range scenarios {
		s.values["kind"], s.values["label"] = "paypal", "PayPal"
		r := app.Do(http.MethodPost, "/api/collections/gateways/records", app.Staff(), s.values)
		if s.says == "" {
			app.Want(http.StatusOK, r)
			app.Want(http.StatusNoContent, app.Do(http.MethodDelete, "/api/collections/gateways/records/"+r.Text("id"), app.Staff(), nil))
			continue
		}
		if r.Status != http.StatusBadRequest || !strings.Contains(string(r.Body), s.says) || strings.Contains(string(r.Body), "EH1") {
			t.Errorf("%s: got %s, want it refused with %q", s.name, r, s.says)
		}
	}
	stripe := app.One(collections.Gateways, dbx.HashExp{"kind": "stripe"})
	if r := app.Do(http.MethodPatch, "/api/collections/gateways/records/"+stripe.Id, app.Staff(), map[string]any{"environment": "live"}); r.Status != http.StatusBadRequest {
		t.Errorf("a test key as live: got %s", r)
	}
}

// TestAnotherEnvironmentForgetsWhatWasSaved moves PayPal from test to live: what
// was saved in one is unknown in the other and never charged there.
func TestAnotherEnvironmentForgetsWhatWasSaved(t *testing.T) {
	app := testapp.New(t, testapp.PayPal())
	ada := app.Customer("ada")
	app.Buy(ada, testapp.Cart{})
	o := app.Order(ada, byPayPal)
	app.PayByPayPal(o)
	app.Active(o)
	app.Quiet()
	id := app.One(collections.Gateways, dbx.HashExp{"kind": "paypal"}).Id
	app.Want(http.StatusOK, app.Do(http.MethodPatch, "/api/collections/gateways/records/"+id, app.Staff(), map[string]any{"environment": "live"}))
	if n := app.Count("payment_methods", "`gateway` = 'paypal' AND `active`"); n != 0 {
		t.Errorf("%d methods of the other environment are left", n)
	}
	if n := app.Count("payment_methods", "`gateway` = 'stripe' AND `active`"); n != 1 {
		t.Errorf("%d cards are left, want the one", n)
	}
	if n := app.Count("gateway_customers", "`gateway` = 'paypal'"); n != 0 {
		t.Errorf("%d customers of the other environment are left", n)
	}
	app.One(collections.AuditLogs, dbx.HashExp{"action": "gateway.environment"})
}
