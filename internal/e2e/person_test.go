package e2e

import (
	"testing"

	"github.com/ezscale/ezscale/internal/browser"
)

const (
	goodCard    = "4242424242424242"
	emptyCard   = "4000000000009995"
	guardedCard = "4000002500003155"
	phoneWidth  = 390
	narrowest   = 320
	deskWidth   = 1280
)

// signIn signs a customer in on the portal's own page.
func signIn(b *browser.Browser, d *demo, a account) {
	signInAt(b, d.Site, a.Email, a.Password)
}

func signInAt(b *browser.Browser, site, email, password string) {
	b.Open(site + "/portal/sign-in")
	b.Fill("E-mail address", email)
	b.Fill("Password", password)
	b.Press("Enter")
	b.WaitText(email)
}

// payWith pays on the sandbox's payment page.
func payWith(b *browser.Browser, card string) {
	b.WaitURL("/checkout/cs_")
	b.Click("css=label[for=card-" + card + "]")
	b.Click("css=#pay")
}

// inspect checks the page that is on show as everybody may see it: on a desk and
// on phones, light and dark. It leaves the browser on the desk, light.
func inspect(t *testing.T, b *browser.Browser, page string) {
	t.Helper()
	looks := []struct {
		name          string
		width, height int64
		dark, axe     bool
	}{
		{"phone", phoneWidth, 844, false, false},
		{"narrow phone, dark", narrowest, 640, true, true},
		{"desk", deskWidth, 800, false, true},
	}
	for _, look := range looks {
		b.Viewport(look.width, look.height, look.width < deskWidth, look.dark)
		if look.axe {
			b.MustBeAccessible(t, page+", "+look.name)
		}
		if wide := b.OverflowsSideways(); wide != "" {
			t.Errorf("%s, %s: scrolls sideways because of %s", page, look.name, wide)
		}
	}
}

// stays marks the document on show and returns a check that it was never loaded
// again: what changes on it came by itself.
func stays(t *testing.T, b *browser.Browser) func(what string) {
	browser.Eval[bool](b, "(window.sameDocument = true)")
	return func(what string) {
		t.Helper()
		if !browser.Eval[bool](b, "window.sameDocument === true") {
			t.Errorf("%s: the page was loaded again, want it to change by itself", what)
		}
	}
}
