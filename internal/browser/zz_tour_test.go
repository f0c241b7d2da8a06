package browser

import (
	"os"
	"testing"
	"time"
)

func TestOdd(t *testing.T) {
	base := os.Getenv("TOUR")
	if base == "" {
		t.Skip()
	}
	out := "/tmp/shots/o-"
	b := New(t)
	b.Viewport(1280, 900, false, false)
	shot := func(name string) {
		time.Sleep(350 * time.Millisecond)
		b.Screenshot(out + name + ".png")
		for _, v := range b.Axe() {
			t.Errorf("%s: %s", name, v)
		}
	}
	mode := func(m string) { Eval[bool](b, `fetch("/api/v1/fake/mode/`+m+`",{method:"POST"}).then(()=>true)`) }
	b.Open(base + "/portal/order")
	b.WaitText("Due today")
	// taken address
	b.Fill("Your name", "Ada")
	b.Fill("E-mail address", "ada@example.com")
	b.Fill("Password", "not her password")
	b.Click("I accept")
	b.Click("Create account and pay")
	b.WaitText("Open it to confirm the address")
	shot("01-check-mail")
	b.Click("I have confirmed my address")
	b.WaitText("not confirmed yet")
	b.Reload()
	b.WaitText("Due today")
	if v := Eval[string](b, `document.querySelector("[autocomplete=username]").value`); v != "ada@example.com" { t.Errorf("email lost: %q", v) }
	b.Click("I have an account")
	b.Fill("Password", "correct horse")
	b.Click("css=.form .btn.primary")
	b.WaitText("Ordering as")
	b.Click("I accept")
	mode("price")
	b.Click("Pay €14.16")
	b.WaitText("The price has changed")
	shot("02-price")
	mode("lost")
	b.Click("Pay €14.16")
	b.WaitText("The answer was lost")
	shot("03-lost")
	// twice in one go
	Eval[bool](b, `(() => { const p = document.getElementById("pay"); p.click(); p.click(); return true })()`)
	b.WaitURL("/fakepay/ord1")
	b.Open(base + "/portal/order")
	b.WaitText("Due today")
	b.Click("Bank transfer")
	b.Click("I accept")
	b.Click("Order for")
	b.WaitText("IBAN")
	shot("04-transfer")
	// many tabs: one line
	for i := 0; i < 7; i++ { tab := b.Tab(); tab.Open(base + "/portal/services"); tab.WaitText("Staging") }
	b.Expect("status of 4"); b.Expect("status of 5")
	for _, f := range b.Findings() { t.Error(f) }
}
