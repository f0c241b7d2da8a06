package billing_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/integrations/sandbox/stripebox"
	"github.com/ezscale/ezscale/internal/testapp"
)

func TestF4AnUnpaidOrderExpiresWhole(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	o := app.Order(ada, testapp.Cart{Plan: "vps-few", Quantity: 2})
	if got := app.Plan("vps-few").GetInt("stock"); got != 1 {
		t.Fatalf("stock while the order is pending: got %d, want 1", got)
	}
	app.Clock().Advance(40 * time.Minute)
	app.Eventually("the order has expired", func() bool { return app.Record("orders", o.ID).GetString("status") == "expired" })
	if got := app.InvoiceStatus(o); got != "void" {
		t.Errorf("the invoice is %s, want void", got)
	}
	if got := app.Plan("vps-few").GetInt("stock"); got != 3 {
		t.Errorf("stock: got %d, want 3 again", got)
	}
	if got := app.Service(o).GetString("status"); got != "terminated" {
		t.Errorf("the service is %s, want terminated", got)
	}
	if got := app.Balance(ada.Id, "receivable", "EUR"); got != 0 {
		t.Errorf("the customer still owes %d", got)
	}
	if _, err := app.Stripe.PayPage(o.Session(), testapp.CardWorks); err == nil {
		t.Error("the page of an expired order can still be paid")
	}
	r := app.Do(http.MethodPost, "/api/v1/invoices/"+o.Invoice+"/pay", ada.Token, map[string]string{"gateway": "stripe"})
	if r.Status != http.StatusConflict || r.Code() != "void" {
		t.Errorf("paying a void invoice: got %s, want 409 void", r)
	}
	shown := app.Want(http.StatusOK, app.Do(http.MethodGet, "/api/v1/orders/"+o.ID, ada.Token, nil))
	if got := shown.Text("payment.state"); got != "cancelled" {
		t.Errorf("payment state: got %q, want cancelled", got)
	}
}

func TestAPaymentWhoseNewsAreLateKeepsTheOrder(t *testing.T) {
	app := testapp.New(t)
	app.Stripe.Set(stripebox.Switches{Drop: 1000}) // no webhook ever arrives
	o := app.Order(app.Customer("ada"), testapp.Cart{Plan: "vps-last"})
	app.PayWith(o, testapp.CardWorks)
	app.Clock().Advance(40 * time.Minute) // watch and expiry are both due
	app.Eventually("the payment is found by asking", func() bool { return app.InvoiceStatus(o) == "paid" })
	app.Active(o)
	if got := app.Record("orders", o.ID).GetString("status"); got != "paid" {
		t.Errorf("the order is %s, want paid", got)
	}
	if got := app.Plan("vps-last").GetInt("stock"); got != 0 {
		t.Errorf("stock: got %d, want 0: the unit is sold", got)
	}
}

func TestAnOrderWithMoneyOnItsWayDoesNotExpire(t *testing.T) {
	app := testapp.New(t)
	o := app.Order(app.Customer("ada"), testapp.Cart{Plan: "vps-last"})
	app.PayWith(o, testapp.DebitArrives)
	app.Eventually("the payment is pending", func() bool {
		return app.One("payment_transactions", dbx.HashExp{"invoice": o.Invoice}).GetString("status") == "pending"
	})
	for range 5 {
		app.Clock().Advance(24 * time.Hour)
		app.Quiet()
	}
	if got := app.Record("orders", o.ID).GetString("status"); got != "pending" {
		t.Fatalf("the order is %s while the bank works, want pending", got)
	}
	app.Stripe.Settle()
	app.Eventually("the invoice is paid", func() bool { return app.InvoiceStatus(o) == "paid" })
	app.Active(o)
}

func TestAFailedDebitEndsTheWait(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	o := app.Order(ada, testapp.Cart{Plan: "vps-last"})
	app.PayWith(o, testapp.DebitFails)
	app.Eventually("the payment is pending", func() bool {
		return app.One("payment_transactions", dbx.HashExp{"invoice": o.Invoice}).GetString("status") == "pending"
	})
	app.Stripe.Settle()
	app.Quiet()
	app.Clock().Advance(time.Hour)
	app.Eventually("the order has expired", func() bool { return app.Record("orders", o.ID).GetString("status") == "expired" })
	if got := app.Plan("vps-last").GetInt("stock"); got != 1 {
		t.Errorf("stock: got %d, want 1 again", got)
	}
}

func TestAfterAFailedDebitTheCustomerPaysByCard(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	o := app.Order(ada, testapp.Cart{})
	app.PayWith(o, testapp.DebitFails)
	app.Quiet()
	app.Stripe.Settle()
	check := func() *testapp.Answer {
		return app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/orders/"+o.ID+"/check", ada.Token, map[string]any{}))
	}
	app.Eventually("the failure shows", func() bool { return check().Text("payment.state") == "declined" })
	r := app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/invoices/"+o.Invoice+"/pay", ada.Token, map[string]string{"gateway": "stripe"}))
	if r.Text("payment.url") == "" || r.Text("payment.url") == o.PageURL {
		t.Fatalf("got %s, want a new page", r)
	}
	o.PageURL = r.Text("payment.url")
	app.Pay(o)
	app.Active(o)
}

func TestB10ATransferAfterExpiryBecomesCredit(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	o := app.Order(ada, testapp.Cart{Gateway: "manual"})
	if o.Answer.Text("payment.kind") != "instructions" {
		t.Fatalf("payment: got %s, want instructions", o.Answer)
	}
	app.Clock().Advance(15 * 24 * time.Hour)
	app.Eventually("the order has expired", func() bool { return app.Record("orders", o.ID).GetString("status") == "expired" })
	r := app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/staff/invoices/"+o.Invoice+"/payments", app.Staff(),
		map[string]any{"amount_minor": 490, "currency": "EUR", "reference": "too-late"}))
	if got := r.Text("invoice_status"); got != "void" {
		t.Errorf("the invoice is %s, want void as before", got)
	}
	if got := app.Balance(ada.Id, "credit", "EUR"); got != -490 {
		t.Errorf("credit: got %d, want -490", got)
	}
	if got := app.Service(o).GetString("status"); got != "terminated" {
		t.Errorf("the service is %s, want terminated", got)
	}
}
