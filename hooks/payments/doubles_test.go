package payments_test

import (
	"net/http"
	"testing"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/testapp"
)

// TestTheSameCardIsSavedOnce: gateways save a card or an account anew with each
// payment on a page; the newest takes the place of the others, with all they were
// chosen for, and the gateway forgets those.
func TestTheSameCardIsSavedOnce(t *testing.T) {
	app := testapp.New(t, testapp.PayPal())
	ada := app.Customer("ada")
	first := app.Buy(ada, testapp.Cart{})
	app.Eventually("the card is known", func() bool { return listed(app, ada).Len("items") == 1 })
	card := listed(app, ada).Text("items.0.id")
	sub := app.One(collections.Subscriptions, dbx.HashExp{"order": first.ID})
	app.Want(http.StatusOK, app.Do(http.MethodPut, "/api/v1/subscriptions/"+sub.Id+"/payment-method", ada.Token, map[string]any{"method": card}))
	app.Buy(ada, testapp.Cart{})
	app.Eventually("the first is forgotten", func() bool { return app.Count("jobs", "`kind` = 'payment.method.remove' AND `state` = 'done'") == 1 })
	got := listed(app, ada)
	if got.Len("items") != 1 || got.Text("items.0.id") == card || got.At("items.0.is_default") != true || got.Len("items.0.pays") != 2 {
		t.Errorf("got %s, want one that is the default and pays for both", got)
	}
	if method := app.Record(collections.Subscriptions, sub.Id).GetString("payment_method"); method != got.Text("items.0.id") {
		t.Errorf("the first service is paid by %s, want the new one", method)
	}
	customer := app.One(collections.GatewayCustomers, dbx.HashExp{"user": ada.Id}).GetString("customer_id")
	if _, err := app.Stripe.SaveCard(customer, testapp.CardWorks); err != nil {
		t.Fatal(err)
	}
	app.Buy(ada, testapp.Cart{}) // two new ones at once
	app.Quiet()
	if got := listed(app, ada); got.Len("items") != 1 || got.At("items.0.is_default") != true || got.Len("items.0.pays") != 3 {
		t.Errorf("got %s, want one of the two for all three", got)
	}
	for range 2 { // an account of the same payer, twice
		page := opened(app, ada, map[string]any{"gateway": "paypal"})
		saves(app, page, testapp.PayerWorks)
		checked(app, ada, page)
	}
	app.Quiet()
	if got := listed(app, ada); got.Len("items") != 2 {
		t.Errorf("got %s, want the card and the account", got)
	}
	if n := len(app.Stripe.Snapshot().Paid); n != 3 {
		t.Errorf("%d invoices paid at Stripe, want 3", n)
	}
}
