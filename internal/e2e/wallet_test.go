package e2e

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/internal/browser"
)

// alwaysAsks is a card whose bank wants every payment confirmed.
const alwaysAsks = "4000002760003184"

// look takes pictures of a page where somebody wants them.
func look(b *browser.Browser, name string) {
	if dir := os.Getenv("EZSCALE_SCREENSHOTS"); dir != "" && os.MkdirAll(dir, 0o755) == nil {
		shoot(b, dir, name)
	}
}

// addCard saves a card on Stripe's page, without paying.
func addCard(b *browser.Browser, d *demo, card string) {
	b.Open(d.Site + "/portal/payment-methods")
	b.Click("Add Card")
	b.WaitURL("/checkout/cs_")
	b.WaitText("Nothing is charged")
	b.Click("css=label[for=card-" + card + "]")
	b.Click("css=#pay")
	b.WaitText("Your payment method is saved. Nothing was charged.")
}

// TestWaysToPay adds a card and a PayPal account without paying, chooses between
// them, removes one, and pays an order by PayPal.
func TestWaysToPay(t *testing.T) {
	d, b := browse(t)
	signIn(b, d, d.newCustomer(t, "wallet"))
	b.Open(d.Site + "/portal/invoices")
	b.Click("Payment methods")
	b.WaitText("No payment method saved")
	inspect(t, b, "no payment methods")
	look(b, "payment-methods-none")
	addCard(b, d, goodCard)
	b.WaitText("•••• 4242")
	b.Click("Add PayPal")
	b.WaitURL("/agreements/approve")
	b.Click("css=#cancel")
	b.WaitText("You came back without saving anything.")
	b.Click("Add PayPal")
	b.WaitURL("/agreements/approve")
	b.MustBeAccessible(t, "PayPal's page to save")
	b.Click("css=#agree")
	b.WaitText("Your payment method is saved. Nothing was charged.")
	b.WaitText("works@payer.example")
	inspect(t, b, "payment methods")
	same := stays(t, b)
	b.Click("Make PayPal works@payer.example the default")
	b.WaitText("PayPal works@payer.example is tried first from now on.")
	b.Click("Remove Visa •••• 4242")
	b.WaitText("can never be charged again")
	b.MustBeAccessible(t, "dialog to remove a method")
	look(b, "payment-methods-remove")
	b.Click("css=dialog .btn.primary")
	b.WaitText("Visa •••• 4242 is removed.")
	same("default and removal")
	b.Open(d.Site + "/portal/order?plan=vps-s&currency=EUR&cycle=monthly")
	b.WaitText("Due today")
	b.Click("css=input[name=gateway][value=paypal]")
	b.Click("css=input[name=terms], input[type=checkbox]")
	b.Click("Pay €4.90")
	b.WaitURL("/checkoutnow?token=")
	b.Click("css=#agree")
	b.WaitText("Order paid")
	addCard(b, d, goodCard)
	b.WaitText("Which service is paid by what")
	inspect(t, b, "payment methods with a service")
	look(b, "payment-methods")
	b.MustBeClean(t)
}

// TestTheLastWayToPayStays offers the alternatives instead.
func TestTheLastWayToPayStays(t *testing.T) {
	d, b := browse(t)
	chooseAndPay(t, d, b, "last-way", "vps-s", "€4.90")
	payWith(b, goodCard)
	b.WaitText("Order paid")
	b.Open(d.Site + "/portal/payment-methods")
	b.Click("Remove Visa •••• 4242")
	b.WaitText("This is the only way to pay that is saved")
	b.MustBeAccessible(t, "dialog of the last method")
	look(b, "payment-methods-last")
	b.Click("css=dialog .btn")
	b.WaitText("•••• 4242")
	b.MustBeClean(t)
}

// TestRefundsArrive pays one order by card and one by PayPal; staff refunds both, and
// the customer sees it on the invoice and reads it in a mail.
func TestRefundsArrive(t *testing.T) {
	d, b := browse(t)
	who := d.newCustomer(t, "refunded")
	signIn(b, d, who)
	staff := d.staff(t)
	for gateway, pay := range map[string]func(){
		"stripe": func() { b.WaitURL("/checkout/cs_"); payWith(b, goodCard) },
		"paypal": func() { b.WaitURL("/checkoutnow?token="); b.Click("css=#agree") },
	} {
		b.Open(d.Site + "/portal/order?plan=vps-s&currency=EUR&cycle=monthly")
		b.WaitText("Due today")
		b.Click("css=input[name=gateway][value=" + gateway + "]")
		b.Click("css=input[name=terms], input[type=checkbox]")
		b.Click("Pay €4.90")
		pay()
		b.WaitText("Order paid")
		rows, err := staff.rows(t.Context(), "payment_transactions", "gateway = '"+gateway+"' && status = 'succeeded' && user.email = '"+who.Email+"'")
		if err != nil || len(rows) != 1 {
			t.Fatalf("payments by %s: %v %v", gateway, rows, err)
		}
		invoice := rows[0].text("invoice")
		b.Open(d.Site + "/portal/invoices/" + invoice)
		b.WaitText("Paid on")
		body := map[string]any{"key": "refund-" + invoice, "to": "source", "reason": "It was ordered by mistake."}
		if err := staff.call(t.Context(), http.MethodPost, "/api/v1/staff/invoices/"+invoice+"/refunds", body, nil); err != nil {
			t.Fatal(err)
		}
		d.mailTo(t, who.Email, func(l letter) bool { return strings.Contains(strings.ToLower(l.Subject), "refund") })
		b.Open(d.Site + "/portal/invoices/" + invoice)
		b.WaitText("Refunds")
		b.WaitText("refunded")
		inspect(t, b, "invoice refunded by "+gateway)
		look(b, "invoice-refunded-"+gateway)
	}
	b.MustBeClean(t)
}
