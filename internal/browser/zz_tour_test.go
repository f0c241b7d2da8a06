package browser

import (
	"os"
	"testing"
	"time"
)

func TestTour(t *testing.T) {
	base := os.Getenv("TOUR")
	if base == "" {
		t.Skip()
	}
	out := "/tmp/shots/"
	os.MkdirAll(out, 0o755)
	b := New(t)
	b.Viewport(1280, 800, false, false)
	shot := func(name string) {
		time.Sleep(350 * time.Millisecond)
		b.Screenshot(out + name + ".png")
		for _, v := range b.Axe() {
			t.Errorf("%s: %s", name, v)
		}
		if o := b.OverflowsSideways(); o != "" {
			t.Errorf("%s overflows: %s", name, o)
		}
	}
	b.Open(base + "/portal/order")
	b.WaitText("Due today")
	shot("01-order-guest")
	b.Viewport(390, 844, true, true)
	shot("02-order-guest-phone-dark")
	b.Viewport(1280, 800, false, false)
	b.Open(base + "/portal/sign-in")
	b.WaitText("Sign in")
	shot("03-sign-in")
	b.Fill("E-mail address", "ada@example.com")
	b.Fill("Password", "correct horse")
	b.Press("Enter")
	b.WaitText("Next charge")
	shot("04-overview")
	for _, p := range []struct{ name, path, text string }{
		{"05-services", "/portal/services", "Staging"},
		{"06-service", "/portal/services/svc1", "Activity"},
		{"07-building", "/portal/services/svc4", "System installed"},
		{"08-invoices", "/portal/invoices", "INV-2026-000001"},
		{"09-invoice", "/portal/invoices/inv3", "Left to pay"},
		{"10-account", "/portal/account", "Profile and billing"},
		{"11-404", "/portal/nope", "Page not found"},
	} {
		b.Viewport(1280, 800, false, false)
		b.Open(base + p.path)
		b.WaitText(p.text)
		shot(p.name)
		b.Viewport(390, 844, true, true)
		shot(p.name + "-phone-dark")
		b.Viewport(320, 640, true, false)
		if o := b.OverflowsSideways(); o != "" {
			t.Errorf("%s at 320 overflows: %s", p.name, o)
		}
	}
	b.Expect("status of 404")
	b.MustBeClean(t)
}

func TestFlow(t *testing.T) {
	base := os.Getenv("TOUR")
	if base == "" {
		t.Skip()
	}
	out := "/tmp/shots/f-"
	b := New(t)
	b.Viewport(1280, 900, false, false)
	shot := func(name string) { time.Sleep(300 * time.Millisecond); b.Screenshot(out + name + ".png")
		for _, v := range b.Axe() { t.Errorf("%s: %s", name, v) } }
	b.Open(base + "/portal/order")
	b.WaitText("Due today")
	b.Click("Yearly")
	b.WaitText("saves €23.80")
	b.Click("VPS L")
	b.Fill("Host name", "bad_host!")
	b.Press("Tab")
	b.WaitText("no part may start")
	shot("01-host-error")
	b.Fill("Host name", "web-9.example.com")
	b.Click("Debian 13")
	b.Click("Create account and pay")
	b.WaitText("4 entries need a change")
	shot("02-summary-error")
	b.Click("I have an account")
	b.Fill("E-mail address", "ada@example.com")
	b.Fill("Password", "correct horse")
	b.Click("css=.form .btn.primary")
	b.WaitText("Ordering as")
	b.Click("css=input[type=checkbox]")
	shot("03-ready")
	b.Click("Pay €272.51")
	b.WaitURL("/fakepay/")
	b.Back()
	b.WaitText("Not paid yet")
	b.WaitText("VPS M")
	shot("04-unpaid")
	b.Open(Eval[string](b, "location.origin")+"/fakepay/ord1/declined")
	b.WaitText("insufficient funds")
	shot("05-declined")
	b.Open(base+"/fakepay/ord1/paid")
	b.WaitText("Payment is being checked")
	shot("06-checking")
	b.WaitText("Order paid")
	time.Sleep(4*time.Second)
	shot("07-building")
	b.WaitText("Open VPS M")
	shot("08-built")
	b.Click("Open")
	b.WaitText("203.0.113.77")
	if f := b.Focused(); f != "web-9.example.com" { t.Errorf("focus on %q", f) }
	b.Open(base+"/portal/services/svc1")
	b.WaitText("Shut down")
	b.Click("Power off")
	b.WaitText("did not work")
	shot("09-power-failed")
	b.Click("Restart")
	b.WaitText("restarting")
	shot("10-restarting")
	b.WaitText("running")
	b.Click("Show")
	b.WaitText("kR7-wq2P-mm81-xZ")
	shot("11-password")
	b.Click("Rename")
	b.Fill("Name of the service", "Shop 2")
	b.Press("Enter")
	b.WaitText("Name saved")
	b.Click("Reset password")
	b.WaitText("Set a new password?")
	shot("12-dialog")
	b.Press("Escape")
	b.WaitGone("Set a new password?")
	tab := b.Tab()
	tab.Open(base+"/portal/services")
	tab.WaitText("Staging")
	b.Click("Restart")
	b.WaitText("restarting")
	tab.WaitText("switching")
	tab.WaitGone("switching")
	tab.Close()
	// session ended on the way
	Eval[bool](b, `fetch("/api/v1/fake/mode/expired",{method:"POST"}).then(()=>true)`)
	b.Click("Billing")
	b.WaitText("Please sign in again")
	shot("13-again")
	b.Fill("Password", "correct horse")
	b.Press("Enter")
	b.WaitText("INV-2026-000002")
	Eval[bool](b, `fetch("/api/v1/fake/mode/error",{method:"POST"}).then(()=>true)`)
	b.Click("Overview")
	b.WaitText("a1b2c3")
	shot("14-error")
	Eval[bool](b, `fetch("/api/v1/fake/mode/empty",{method:"POST"}).then(()=>true)`)
	b.Click("Try again")
	b.Click("Services")
	b.WaitText("No services yet")
	shot("15-empty")
	Eval[bool](b, `fetch("/api/v1/fake/mode/ok",{method:"POST"}).then(()=>true)`)
	for _, e := range []string{"status of 4", "status of 5"} { b.Expect(e) }
	b.MustBeClean(t)
}
