package payments_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/integrations/sandbox/stripebox"
	"github.com/ezscale/ezscale/internal/testapp"
)

// withCard buys something with a card, which is saved by it, then replaces the
// saved card by another one, and places a second order to be charged. Buying
// and charging are apart, so both can be watched.
func withCard(app *testapp.App, card string) (*testapp.Person, *testapp.Order, string) {
	app.Helper()
	ada := app.Customer("ada")
	app.Buy(ada, testapp.Cart{})
	customer := app.One("gateway_customers", dbx.HashExp{"user": ada.Id}).GetString("customer_id")
	id, err := app.Stripe.SaveCard(customer, card)
	if err != nil {
		app.Fatal(err)
	}
	again := app.Order(ada, testapp.Cart{})
	app.PayWith(again, testapp.CardWorksToo) // paying makes the product look at the saved cards
	app.Active(again)
	app.Eventually("the card is known", func() bool {
		return app.Count("payment_methods", "`gateway_method_id` = '"+id+"' AND `active` = TRUE") == 1
	})
	return ada, app.Order(ada, testapp.Cart{Gateway: "manual"}), app.One("payment_methods", dbx.HashExp{"gateway_method_id": id}).Id
}

func charge(app *testapp.App, by *testapp.Person, o *testapp.Order, method string) *testapp.Answer {
	app.Helper()
	return app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/invoices/"+o.Invoice+"/pay", by.Token, map[string]string{"gateway": "stripe", "method": method}))
}

func attemptStatus(app *testapp.App, o *testapp.Order) string {
	app.Helper()
	return app.One("payment_transactions", dbx.HashExp{"invoice": o.Invoice, "kind": "off_session"}).GetString("status")
}

func TestChargingASavedCard(t *testing.T) {
	scenarios := []struct {
		name, card string
		attempt    string
		invoice    string
		state      string // shown
	}{
		{"that works", testapp.CardWorks, "succeeded", "paid", "succeeded"},
		{"that declines softly", testapp.CardFailsLater, "failed", "open", "declined"},
		{"that was lost", testapp.CardLost, "failed", "open", "declined"},
		{"whose holder must confirm", testapp.CardAlwaysAsks, "needs_action", "open", "needs_action"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			app := testapp.New(t)
			ada, o, method := withCard(app, s.card)
			charge(app, ada, o, method)
			app.Eventually("the charge has its outcome", func() bool { return attemptStatus(app, o) == s.attempt })
			if got := app.InvoiceStatus(o); got != s.invoice {
				t.Errorf("the invoice is %s, want %s", got, s.invoice)
			}
			r := app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/orders/"+o.ID+"/check", ada.Token, map[string]any{}))
			if got := r.Text("payment.state"); got != s.state {
				t.Errorf("shown state: got %q, want %q in %s", got, s.state, r)
			}
			if s.state == "declined" && r.Text("payment.reason") == "" {
				t.Errorf("a decline without a reason: %s", r)
			}
			if s.invoice == "paid" {
				app.Active(o)
				return
			}
			// Whatever became of it, the customer can pay on a page instead.
			again := app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/invoices/"+o.Invoice+"/pay", ada.Token, map[string]string{"gateway": "stripe"}))
			o.PageURL = again.Text("payment.url")
			if o.PageURL == "" {
				t.Fatalf("no page after the charge: %s", again)
			}
			app.Pay(o)
			if got := app.Stripe.Paid(o.Invoice); got != 1 {
				t.Errorf("%d charges succeeded, want 1", got)
			}
		})
	}
}

func TestALostAnswerIsChargedOnce(t *testing.T) {
	app := testapp.New(t)
	ada, o, method := withCard(app, testapp.CardWorks)
	app.Quiet()
	app.Stripe.Set(stripebox.Switches{Drop: 1000}) // or a webhook would tell
	app.StripeFaults.Add(lostOn("POST /v1/payment_intents", 4))
	charge(app, ada, o, method)
	app.Eventually("the invoice is paid", func() bool { return app.InvoiceStatus(o) == "paid" })
	app.Active(o)
	app.Quiet()
	if got := app.Stripe.Paid(o.Invoice); got != 1 {
		t.Errorf("%d charges, want 1", got)
	}
	if got := app.Count("payment_transactions", "`invoice` = '"+o.Invoice+"' AND `status` = 'succeeded'"); got != 1 {
		t.Errorf("%d payments, want 1", got)
	}
}

func TestStripeIsDownForAWhile(t *testing.T) {
	app := testapp.New(t)
	ada, o, method := withCard(app, testapp.CardWorks)
	app.StripeFaults.Add(faultOn("POST /v1/payment_intents", 3))
	charge(app, ada, o, method)
	app.Eventually("the invoice is paid", func() bool {
		app.Clock().Advance(5 * time.Second)
		return app.InvoiceStatus(o) == "paid"
	})
	if got := app.Stripe.Paid(o.Invoice); got != 1 {
		t.Errorf("%d charges, want 1", got)
	}
}

func TestChargingTwiceAtOnceChargesOnce(t *testing.T) {
	app := testapp.New(t)
	ada, o, method := withCard(app, testapp.CardWorks)
	for range 3 {
		charge(app, ada, o, method)
	}
	app.Eventually("the invoice is paid", func() bool { return app.InvoiceStatus(o) == "paid" })
	app.Quiet()
	if got := app.Stripe.Paid(o.Invoice); got != 1 {
		t.Errorf("%d charges, want 1", got)
	}
}

func TestAChargeClosesTheOpenPage(t *testing.T) {
	app := testapp.New(t)
	ada, _, method := withCard(app, testapp.CardWorks)
	o := app.Order(ada, testapp.Cart{})
	charge(app, ada, o, method)
	app.Eventually("the invoice is paid", func() bool { return app.InvoiceStatus(o) == "paid" })
	if _, err := app.Stripe.PayPage(o.Session(), testapp.CardWorks); err == nil {
		t.Error("the page could be paid, too")
	}
	if got := app.Stripe.Paid(o.Invoice); got != 1 {
		t.Errorf("%d charges, want 1", got)
	}
}

func TestSomebodyElsesMethodIsNotFound(t *testing.T) {
	app := testapp.New(t)
	_, _, method := withCard(app, testapp.CardWorks)
	eve := app.Customer("eve")
	o := app.Order(eve, testapp.Cart{Gateway: "manual"})
	r := app.Do(http.MethodPost, "/api/v1/invoices/"+o.Invoice+"/pay", eve.Token, map[string]string{"gateway": "stripe", "method": method})
	if r.Status != http.StatusNotFound {
		t.Errorf("got %s, want 404", r)
	}
}

func TestADetachedCardIsRetired(t *testing.T) {
	app := testapp.New(t)
	ada, o, method := withCard(app, testapp.CardWorks)
	if !app.Stripe.DetachCard(app.Record("payment_methods", method).GetString("gateway_method_id")) {
		t.Fatal("the card was not attached")
	}
	app.Buy(ada, testapp.Cart{})
	app.Eventually("the card is retired", func() bool { return !app.Record("payment_methods", method).GetBool("active") })
	r := app.Do(http.MethodPost, "/api/v1/invoices/"+o.Invoice+"/pay", ada.Token, map[string]string{"gateway": "stripe", "method": method})
	if r.Status != http.StatusConflict || r.Code() != "method_gone" {
		t.Errorf("got %s, want 409 method_gone", r)
	}
}
