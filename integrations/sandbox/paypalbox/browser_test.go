package paypalbox

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ezscale/ezscale/internal/browser"
)

// TestApprovalInABrowser agrees as a person does: on a phone, by a declining
// account first, and back to a shop on another origin, which the page's policy
// must let through.
func TestApprovalInABrowser(t *testing.T) {
	b := browser.New(t)
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, `<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,"><h1>Back at %s</h1>`, html.EscapeString(r.URL.Path))
	}))
	t.Cleanup(shop.Close)
	r := newRig(t, Options{})
	source := `"payment_source":{"paypal":{"experience_context":{"return_url":"` + shop.URL + `/ok","cancel_url":"` + shop.URL + `/no"}}}`
	id := r.do(t, "POST /v2/checkout/orders", "k1", orderBody("19.99", source)).str("id")

	b.Viewport(390, 844, true, false)
	b.Open(r.url + "/checkoutnow?token=" + id)
	b.MustBeAccessible(t, "approval page")
	if wide := b.OverflowsSideways(); wide != "" {
		t.Errorf("the page is wider than a phone: %s", wide)
	}
	b.Click("The bank declines declined@payer.example")
	b.Click("Pay EUR 19.99")
	b.WaitText("Back at /ok")
	if got := r.do(t, "POST /v2/checkout/orders/"+id+"/capture", "c1", "{}"); got.issue() != "INSTRUMENT_DECLINED" {
		t.Errorf("capture: got %v, want a decline", got.body)
	}
	b.Viewport(1280, 800, false, true)
	b.Open(r.url + "/checkoutnow?token=" + id)
	b.WaitText("declined by the processor")
	b.MustBeAccessible(t, "approval page after a decline")
	b.Click("Pays from the balance works@payer.example")
	b.Click("Pay EUR 19.99")
	b.WaitText("Back at /ok")
	if got := r.do(t, "POST /v2/checkout/orders/"+id+"/capture", "c2", "{}"); got.str("status") != "COMPLETED" {
		t.Errorf("capture: got %v, want it completed", got.body)
	}
	b.Open(r.url + "/checkoutnow?token=" + id)
	b.WaitText("Already paid")
	b.Open(r.url + "/_sandbox/")
	b.WaitText("1 orders, 1 payments")
	b.MustBeAccessible(t, "control page")
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
	plan := r.AddPlan("EUR", 999, 30)
	a := r.do(t, "POST /v1/billing/subscriptions", "g1", `{"plan_id":"`+plan+`","application_context":{"return_url":"`+shop.URL+`","cancel_url":"`+shop.URL+`"}}`)
	b.Open(a.str("links.1.href"))
	b.MustBeAccessible(t, "page of a subscription")
	b.Click("Cancel and go back")
	b.WaitText("Your basket")
	b.MustBeClean(t)
	if len(r.Payments()) != 0 {
		t.Errorf("got %v, want no payment", r.Payments())
	}
}
