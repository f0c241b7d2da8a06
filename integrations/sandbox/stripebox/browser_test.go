package stripebox

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ezscale/ezscale/internal/browser"
)

// TestCheckoutInABrowser pays as a person does: a declined card, one that asks
// for confirmation, and back to a shop on another origin, which the page's
// policy must let through.
func TestCheckoutInABrowser(t *testing.T) {
	b := browser.New(t)
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, `<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,"><h1>Back at %s</h1>`, html.EscapeString(r.URL.String()))
	}))
	t.Cleanup(shop.Close)
	r := newRig(t, Options{})
	id := r.session(t, "success_url="+shop.URL+"/ok?session={CHECKOUT_SESSION_ID}", "cancel_url="+shop.URL+"/back")

	b.Viewport(390, 844, true, false)
	b.Open(r.url + "/checkout/" + id)
	b.MustBeAccessible(t, "checkout page")
	if wide := b.OverflowsSideways(); wide != "" {
		t.Errorf("the page is wider than a phone: %s", wide)
	}
	b.Expect("402") // the answer to a declined card, which the console notes
	b.Click("Insufficient funds")
	b.Click("Pay EUR 19.99")
	b.WaitText("Your card has insufficient funds.")
	b.MustBeAccessible(t, "checkout page after a decline")

	b.Viewport(1280, 800, false, true)
	b.Fill("Or type a test card number", "4000 0025 0000 3155")
	b.Click("Pay EUR 19.99")
	b.WaitText("Confirm this payment")
	b.MustBeAccessible(t, "the bank's page")
	b.Click("Confirm the payment")
	b.WaitText("Back at /ok?session=" + id)
	if n := r.Paid("inv_1"); n != 1 {
		t.Errorf("money was taken %d times, want once", n)
	}

	b.Open(r.url + "/checkout/" + id)
	b.WaitText("Already paid")
	b.Open(r.url + "/_sandbox/")
	b.WaitText("1 customers, 1 pages")
	b.MustBeAccessible(t, "control page")
	b.Click("Add the fault")
	b.Click("Clear all faults")
	b.WaitGone("Clear all faults")
	b.MustBeClean(t)
}

func TestCancelInABrowser(t *testing.T) {
	b := browser.New(t)
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,"><h1>Your basket</h1>`))
	}))
	t.Cleanup(shop.Close)
	r := newRig(t, Options{})
	b.Open(r.url + "/checkout/" + r.session(t, "cancel_url="+shop.URL+"/back"))
	b.Click("Cancel and go back")
	b.WaitText("Your basket")
	b.MustBeClean(t)
	if n := len(r.Charges()); n != 0 {
		t.Errorf("got %d tries to take money, want none", n)
	}
}
