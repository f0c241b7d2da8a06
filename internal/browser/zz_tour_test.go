package browser

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestReal(t *testing.T) {
	base := os.Getenv("TOUR")
	if base == "" {
		t.Skip()
	}
	out := "/tmp/shots/k-"
	b := New(t)
	b.Viewport(1280, 900, false, false)
	shot := func(name string) {
		time.Sleep(350 * time.Millisecond)
		b.Screenshot(out + name + ".png")
		for _, v := range b.Axe() {
			t.Errorf("%s: %s", name, v)
		}
	}
	// keyboard only: order as a guest
	b.Open(base + "/portal/order")
	b.WaitText("Due today")
	var seq []string
	for i := 0; i < 25; i++ {
		b.Press("Tab")
		f := b.Focused()
		seq = append(seq, f)
		if strings.HasPrefix(f, "Your name") { b.Press("Ada King") }
		if strings.HasPrefix(f, "E-mail") { b.Press("k" + time.Now().Format("150405") + "@example.com") }
		if strings.HasPrefix(f, "Password") { b.Press("a long enough one") }
		if strings.Contains(f, "I accept") { b.Press("Space") }
		if strings.HasPrefix(f, "Create account and pay") { b.Press("Enter"); break }
	}
	t.Log(strings.Join(seq, " > "))
	b.WaitURL(":8292")
	b.Click("Visa that works")
	b.Click("Pay EUR")
	b.WaitText("Order paid")
	b.WaitText("Open ")
	// back/forward through the history keeps focus and title
	b.Click("Services")
	b.WaitFor(".main-link")
	b.Click("css=.main-link")
	b.WaitText("SSH command")
	t.Log(Eval[string](b, "document.title"), "|", b.Focused())
	b.Back()
	b.WaitText("All states")
	t.Log(Eval[string](b, "document.title"), "|", b.Focused())
	// reload of a filtered view
	b.Fill("Name or address", "nothing like it")
	b.WaitText("Nothing found for")
	b.Reload()
	b.WaitText("Nothing found for")
	shot("01-nothing")
	b.Click("Clear filter")
	b.WaitFor(".main-link")
	// stop the server
	if err := exec.Command("kill", os.Getenv("DEMOPID")).Run(); err != nil { t.Fatal(err) }
	b.WaitText("Reconnecting")
	shot("02-offline")
	b.Click("css=.main-link")
	time.Sleep(2*time.Second)
	shot("03-offline-service")
	b.Click("Billing")
	time.Sleep(time.Second)
	shot("04-offline-billing")
	for _, f := range b.Findings() { t.Log(f) }
}
