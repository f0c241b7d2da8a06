package testapp

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/hooks/payments"
	"github.com/ezscale/ezscale/integrations/sandbox/paypalbox"
)

// Accounts of the sandbox PayPal that tests use.
const (
	PayerWorks    = "works@payer.example"
	PayerDeclines = "declined@payer.example"
	PayerLater    = "later@payer.example"      // works now, declines later
	PayerLocked   = "locked@payer.example"     // works now, the account is closed later
	PayerECheck   = "echeck@payer.example"     // pays, the money arrives later
	PayerSlow     = "slow-token@payer.example" // works, the saved method follows later
)

// startPayPal opens the sandbox PayPal, where the test wants one.
func (a *App) startPayPal() {
	if !a.options.paypal {
		return
	}
	server := httptest.NewUnstartedServer(nil)
	a.PayPalURL = "http://" + server.Listener.Addr().String()
	a.PayPal = paypalbox.New(paypalbox.Options{
		Now: a.clock.Now, ClientID: PayPalID, Secret: PayPalSecret, WebhookID: PayPalWebhook, PublicURL: a.PayPalURL, Faults: a.PayPalFaults,
		RetryDelays: []time.Duration{20 * time.Millisecond, 50 * time.Millisecond, 200 * time.Millisecond, time.Second},
	})
	server.Config.Handler = a.PayPal.Handler()
	server.Start()
	a.Cleanup(func() {
		a.PayPal.Close()
		server.CloseClientConnections()
		server.Close()
	})
}

// offerPayPal switches PayPal on as staff does: its keys are in the record.
func (a *App) offerPayPal() {
	a.Helper()
	known, err := collections.First(a.App, collections.Gateways, dbx.HashExp{"kind": "paypal"})
	if err != nil || known != nil {
		a.noError(err)
		return
	}
	_, err = collections.Insert(a.App, collections.Gateways, map[string]any{
		"kind": "paypal", "label": "PayPal", "enabled": true, "position": 20, "environment": "test",
		"client_id": PayPalID, "secret_key": PayPalSecret, "webhook_secret": PayPalWebhook, "api_url": a.PayPalURL,
	})
	a.noError(err)
}

func (a *App) noError(err error) {
	a.Helper()
	if err != nil {
		a.Fatal(err)
	}
}

// gatewayOverride is what the environment gives to gateways.
func (a *App) gatewayOverride() map[string]payments.Settings {
	given := map[string]payments.Settings{"stripe": {SecretKey: a.options.stripeKey(), WebhookSecret: WebhookSecret, APIURL: a.StripeURL}}
	if a.PayPal != nil {
		given["paypal"] = payments.Settings{APIURL: a.PayPalURL, CertAuthority: paypalbox.Authority()}
	}
	return given
}

// Token is PayPal's id of an order's payment page.
func (o *Order) Token() string { return o.PageURL[strings.LastIndex(o.PageURL, "=")+1:] }

// Approve agrees on PayPal's page of an order, as the payer would, and does not
// wait for the product to hear of it.
func (a *App) Approve(o *Order, payer string) {
	a.Helper()
	a.noError(a.PayPal.Approve(o.Token(), payer))
}

// PayByPayPal agrees on the order's page and waits until the invoice is paid.
func (a *App) PayByPayPal(o *Order) {
	a.Helper()
	a.Approve(o, PayerWorks)
	a.Eventually("the invoice is paid", func() bool { return a.InvoiceStatus(o) == "paid" })
}

// Return is the customer's browser coming back from a payment page.
func (a *App) Return(o *Order, by *Person) *Answer {
	a.Helper()
	return a.Do(http.MethodPost, "/api/v1/orders/"+o.ID+"/check", by.Token, map[string]any{})
}
