package payments_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/paypalbox"
	"github.com/ezscale/ezscale/internal/testapp"
)

var byPayPal = testapp.Cart{Gateway: "paypal"}

// takenOnce checks that PayPal took the money of one order once, and that it is
// booked once.
func takenOnce(app *testapp.App, o *testapp.Order) {
	app.Helper()
	taken := 0
	for _, p := range app.PayPal.Payments() {
		if p.Status == "COMPLETED" {
			taken++
		}
	}
	if taken != 1 || app.Count("payment_transactions", "`status` = 'succeeded' AND `gateway` = 'paypal'") != 1 || app.InvoiceStatus(o) != "paid" {
		app.Errorf("PayPal took %d payments, the invoice is %s\n%s", taken, app.InvoiceStatus(o), app.Describe())
	}
	if c := app.PayPal.Complaints(); len(c) > 0 {
		app.Errorf("the sandbox complains: %s", strings.Join(c, "; "))
	}
}

func TestPayPalPaysAnOrderAndIsSaved(t *testing.T) {
	app := testapp.New(t, testapp.PayPal())
	ada := app.Customer("ada")
	o := app.Order(ada, byPayPal)
	if !strings.HasPrefix(o.PageURL, app.PayPalURL+"/checkoutnow?token=") {
		t.Fatalf("the page is %q, want PayPal's", o.PageURL)
	}
	app.PayByPayPal(o)
	app.Active(o)
	app.Quiet()
	takenOnce(app, o)
	m := app.One(collections.PaymentMethods, dbx.HashExp{"user": ada.Id})
	if m.GetString("kind") != "paypal" || !m.GetBool("active") || !m.GetBool("is_default") {
		t.Errorf("saved: %v", m)
	}
}

// TestA6TheReturnFromPayPalAndItsWebhooksTakeTheMoneyOnce lets the browser come
// back many times while deliveries arrive twice each.
func TestA6TheReturnFromPayPalAndItsWebhooksTakeTheMoneyOnce(t *testing.T) {
	app := testapp.New(t, testapp.PayPal())
	ada := app.Customer("ada")
	app.PayPal.Set(paypalbox.Switches{Duplicate: 1})
	o := app.Order(ada, byPayPal)
	app.Approve(o, testapp.PayerWorks)
	done := make(chan error, 6)
	for range cap(done) {
		go func() {
			_, err := app.Try(http.MethodPost, "/api/v1/orders/"+o.ID+"/check", ada.Token, map[string]any{})
			done <- err
		}()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	app.Eventually("the invoice is paid", func() bool { return app.InvoiceStatus(o) == "paid" })
	app.Active(o)
	app.Quiet()
	takenOnce(app, o)
}

// TestB1PayPalIsAskedWhenNoWebhookComes loses every delivery, and the customer's
// browser never returns.
func TestB1PayPalIsAskedWhenNoWebhookComes(t *testing.T) {
	app := testapp.New(t, testapp.PayPal())
	app.PayPal.Set(paypalbox.Switches{Drop: 1000})
	o := app.Order(app.Customer("ada"), byPayPal)
	app.PayByPayPal(o)
	app.Active(o)
	takenOnce(app, o)
}

func TestPayPalDeclinesAndAnotherAccountPays(t *testing.T) {
	app := testapp.New(t, testapp.PayPal())
	ada := app.Customer("ada")
	o := app.Order(ada, byPayPal)
	app.Approve(o, testapp.PayerDeclines)
	app.Want(http.StatusOK, app.Return(o, ada))
	if got := app.InvoiceStatus(o); got != "open" {
		t.Fatalf("the invoice is %s after a decline, want open", got)
	}
	app.PayByPayPal(o)
	app.Active(o)
	app.Quiet()
	takenOnce(app, o)
}

func TestAnECheckPaysWhenItArrives(t *testing.T) {
	app := testapp.New(t, testapp.PayPal())
	ada := app.Customer("ada")
	o := app.Order(ada, byPayPal)
	app.Approve(o, testapp.PayerECheck)
	app.Eventually("the payment is on its way", func() bool {
		return app.Want(http.StatusOK, app.Return(o, ada)).Text("payment.state") == "pending"
	})
	again := app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/invoices/"+o.Invoice+"/pay", ada.Token, map[string]string{"gateway": "stripe"}))
	if got := again.Text("payment.state"); got != "pending" {
		t.Errorf("paying again while an eCheck is on its way: got %s", again)
	}
	app.PayPal.Settle()
	app.Eventually("the invoice is paid", func() bool { return app.InvoiceStatus(o) == "paid" })
	app.Active(o)
	app.Quiet()
	takenOnce(app, o)
}

// TestAChangeOfTheGatewayNeverPaysTwice opens both pages of one invoice: the one
// that was left is closed, so that agreeing there takes nothing.
func TestAChangeOfTheGatewayNeverPaysTwice(t *testing.T) {
	app := testapp.New(t, testapp.PayPal())
	ada := app.Customer("ada")
	o := app.Order(ada, byPayPal)
	card := app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/invoices/"+o.Invoice+"/pay", ada.Token, map[string]string{"gateway": "stripe"}))
	app.Approve(o, testapp.PayerWorks) // in the tab that was left open
	byCard := *o
	byCard.PageURL = card.Text("payment.url")
	app.Pay(&byCard)
	app.Active(o)
	app.Quiet()
	if n := app.Count("payment_transactions", "`status` = 'succeeded'"); n != 1 {
		t.Errorf("%d payments, want the card's alone\n%s", n, app.Describe())
	}
	for _, p := range app.PayPal.Payments() {
		t.Errorf("PayPal took %v", p)
	}
}
