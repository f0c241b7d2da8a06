package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/ezscale/ezscale/internal/browser"
)

// TestScreenshots takes the pictures of docs/: every page of the portal, wide and
// narrow, light and dark, into the directory that EZSCALE_SCREENSHOTS names.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("EZSCALE_SCREENSHOTS")
	if dir == "" {
		t.Skip("EZSCALE_SCREENSHOTS names no directory: no pictures are taken")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	d, b := browse(t)
	guest := []picture{
		{"order-guest", "/portal/order?currency=EUR", "Due today"},
		{"sign-in", "/portal/sign-in", "Forgotten your password?"},
		{"sign-up", "/portal/sign-up", "Already a customer?"},
		{"reset", "/portal/reset", "Back to signing in"},
	}
	for _, p := range guest {
		b.Open(d.Site + p.path)
		b.WaitText(p.text)
		shoot(b, dir, p.name)
	}
	signIn(b, d, d.Customer)
	for _, p := range d.ownPages(t) {
		b.Open(d.Site + p.path)
		b.WaitText(p.text)
		shoot(b, dir, p.name)
	}
	b.Open(d.Site + "/portal/order?plan=vps-s&currency=EUR&cycle=monthly")
	b.WaitText("Due today")
	b.Click("css=input[name=terms], input[type=checkbox]")
	b.Click("Pay €4.90")
	b.WaitURL("/checkout/cs_")
	shoot(b, dir, "sandbox-payment")
	payWith(b, goodCard)
	b.WaitFor(".steps li[data-state=active]")
	shoot(b, dir, "order-building")
}

// picture is a page and a text it shows once it is complete.
type picture struct{ name, path, text string }

// ownPages are the pages of the demo's customer.
func (d *demo) ownPages(t *testing.T) []picture {
	t.Helper()
	c, err := client{site: d.Site}.signIn(t.Context(), "users", d.Customer.Email, d.Customer.Password)
	if err != nil {
		t.Fatal(err)
	}
	first := func(list string) string {
		got := struct {
			Items []struct {
				ID string `json:"id"`
			} `json:"items"`
		}{}
		if err := c.call(t.Context(), http.MethodGet, "/api/v1/"+list, nil, &got); err != nil || len(got.Items) == 0 {
			t.Fatalf("%s of the demo's customer: got %v and %v, want some", list, got, err)
		}
		return got.Items[len(got.Items)-1].ID
	}
	return []picture{
		{"overview", "/portal/", "Next charge"},
		{"services", "/portal/services", "web-1.demo.example"},
		{"service", "/portal/services/" + first("services"), "SSH command"},
		{"invoices", "/portal/invoices", "INV-"},
		{"invoice", "/portal/invoices/" + first("invoices"), "Paid on"},
		{"account", "/portal/account", "Profile and billing"},
		{"order", "/portal/order", "Ordering as"},
		{"order-done", "/portal/orders/" + first("orders"), "Order paid"},
		{"not-found", "/portal/nowhere", "Page not found"},
	}
}

// shoot takes a page in its four looks, each in a window as high as the page, so
// that what sticks to the window's edges stands at the page's.
func shoot(b *browser.Browser, dir, name string) {
	for _, look := range []struct {
		suffix        string
		width, height int64
		dark          bool
	}{
		{"", deskWidth, 800, false}, {"-dark", deskWidth, 800, true}, {"-phone", phoneWidth, 844, false}, {"-phone-dark", phoneWidth, 844, true},
	} {
		phone := look.width < deskWidth
		b.Viewport(look.width, look.height, phone, look.dark)
		b.Viewport(look.width, max(look.height, browser.Eval[int64](b, "document.documentElement.scrollHeight")), phone, look.dark)
		b.Settle()
		b.Screenshot(filepath.Join(dir, name+look.suffix+".png"))
	}
	b.Viewport(deskWidth, 800, false, false)
}
