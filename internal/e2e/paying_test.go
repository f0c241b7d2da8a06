package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/ezscale/ezscale/internal/browser"
)

// chooseAndPay signs a new customer in, picks a plan and presses the button
// that leads to the payment page.
func chooseAndPay(t *testing.T, d *demo, b *browser.Browser, name, plan, amount string) {
	t.Helper()
	signIn(b, d, d.newCustomer(t, name))
	b.Open(d.Site + "/portal/order?plan=" + plan + "&currency=EUR&cycle=monthly")
	b.WaitText("Due today")
	b.Click("css=input[name=terms], input[type=checkbox]")
	b.Click("Pay " + amount)
	b.WaitURL("/checkout/cs_")
}

func TestDeclinedCardThenAnother(t *testing.T) {
	d, b := browse(t)
	chooseAndPay(t, d, b, "declined", "vps-s", "€4.90")
	payWith(b, emptyCard)
	b.WaitText("Your card has insufficient funds.")
	b.Click("css=#cancel")
	b.WaitText("Not paid yet")
	b.WaitText("not enough money on this card")
	inspect(t, b, "order after a declined card")
	b.Click("Try again: pay €4.90 (Card)")
	payWith(b, goodCard)
	b.WaitText("Order paid")
	b.Expect("status of 402") // the sandbox's answer to the declined card
	b.MustBeClean(t)
}

func TestCardThatAsksForAuthentication(t *testing.T) {
	d, b := browse(t)
	chooseAndPay(t, d, b, "guarded", "vps-s", "€4.90")
	payWith(b, guardedCard)
	b.WaitURL("/authenticate/")
	b.Click("Confirm the payment")
	b.WaitText("Order paid")
	b.MustBeClean(t)
}

func TestBackFromPaymentPageWithoutPaying(t *testing.T) {
	d, b := browse(t)
	chooseAndPay(t, d, b, "hesitant", "vps-s", "€4.90")
	b.Click("css=#cancel")
	b.WaitText("You came back from the payment page without paying.")
	b.WaitText("Kept for you until")
	inspect(t, b, "order not paid")
	b.Click("Pay €4.90 (Card)")
	b.WaitURL("/checkout/cs_")
	b.Back()
	b.WaitText("Not paid yet")
	b.Open(d.Site + "/portal/")
	b.WaitText("waits for its payment")
	inspect(t, b, "overview with an unpaid order")
	b.Click("Finish order")
	b.Click("Pay €4.90 (Card)")
	payWith(b, goodCard)
	b.WaitText("Order paid")
	b.MustBeClean(t)
}

// TestPriceChangesWhileChoosing lets staff change a price between the offer and
// the press of the button: nobody pays an amount they have not seen.
func TestPriceChangesWhileChoosing(t *testing.T) {
	d, b := browse(t)
	staff := d.staff(t)
	prices, err := staff.rows(t.Context(), "plan_prices", "plan.slug = 'vps-s' && currency = 'USD' && cycle = 'annual'")
	if err != nil || len(prices) != 1 {
		t.Fatalf("prices: got %v and %v, want one", prices, err)
	}
	amount := prices[0].number("amount_minor")
	old, raised := fmt.Sprintf("$%.2f", float64(amount)/100), fmt.Sprintf("$%.2f", float64(amount+400)/100)
	signIn(b, d, d.newCustomer(t, "surprised"))
	b.Open(d.Site + "/portal/order?plan=vps-s&currency=USD&cycle=annual")
	b.WaitText("Pay " + old)
	// As long as nobody subscribed at a price, staff may change it.
	err = staff.call(t.Context(), http.MethodPatch, "/api/collections/plan_prices/records/"+prices[0].text("id"), map[string]any{"amount_minor": amount + 400}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.Click("css=input[name=terms], input[type=checkbox]")
	b.Click("Pay " + old)
	b.WaitText("The price has changed since you saw " + old + ". Nothing was charged.")
	inspect(t, b, "order with a changed price")
	b.Click("Pay " + raised)
	b.WaitURL("/checkout/cs_")
	b.WaitText(raised[1:])
	b.Expect("status of 409") // the refused order
	b.MustBeClean(t)
}

// TestBankTransfer orders without a payment page and pays by staff's entry.
func TestBankTransfer(t *testing.T) {
	d, b := browse(t)
	signIn(b, d, d.newCustomer(t, "transferring"))
	b.Open(d.Site + "/portal/order?plan=vps-s&currency=EUR&cycle=monthly")
	b.WaitText("Due today")
	b.Click("Bank transfer")
	b.Click("css=input[name=terms], input[type=checkbox]")
	b.Click("Order for €4.90")
	b.WaitText("Waiting for your transfer")
	b.WaitText("IBAN")
	inspect(t, b, "order by bank transfer")
	b.MustBeClean(t)
}
