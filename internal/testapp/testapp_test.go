package testapp_test

import (
	"testing"

	"github.com/ezscale/ezscale/internal/testapp"
)

func TestAnOrderIsPaidAndBuilt(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	o := app.Buy(ada, testapp.Cart{Hostname: "web-1.example.com"})
	app.Quiet()
	if got := len(app.Panel.Snapshot().Servers); got != 1 {
		t.Errorf("the panel has %d servers, want 1", got)
	}
	if got := app.Stripe.Paid(o.Invoice); got != 1 {
		t.Errorf("%d charges for the invoice, want 1", got)
	}
}
