package e2e

import (
	"strings"
	"testing"

	"github.com/ezscale/ezscale/internal/browser"
)

// TestOrderByKeyboardAlone orders and pays without a mouse: Tab moves, arrows
// choose within a group, Space ticks, Enter presses.
func TestOrderByKeyboardAlone(t *testing.T) {
	d, b := browse(t)
	who, host := newcomer("katherine")
	b.Open(d.Site + "/portal/order?currency=EUR&cycle=monthly")
	b.WaitText("Due today")
	tabTo(t, b, "VPS M")
	b.Press("ArrowLeft")
	b.WaitText("Set up VPS S")
	tabTo(t, b, "Debian 12")
	b.Press("ArrowRight")
	tabTo(t, b, "Host name")
	b.Press(host)
	tabTo(t, b, "Your name")
	b.Press("Katherine Johnson")
	tabTo(t, b, "E-mail address")
	b.Press(who.Email)
	tabTo(t, b, "Password")
	b.Press(who.Password)
	tabTo(t, b, "I accept the")
	b.Press("Space")
	tabTo(t, b, "Create account and pay €4.90")
	b.Press("Enter")
	b.WaitURL("/checkout/cs_")
	b.WaitFor("#pay")
	tabTo(t, b, "Pay ")
	b.Press("Enter")
	b.WaitText("Order paid")
	b.WaitText("Open " + host)
	tabTo(t, b, "Open "+host)
	b.Press("Enter")
	b.WaitText("SSH command")
	tabTo(t, b, "Restart")
	b.Press("Space")
	b.WaitText("restarting")
	b.WaitText("Restarted")
	if s := panelServer(t, d, host); !s.Running {
		t.Errorf("panel: got %+v, want it running", s)
	}
	b.MustBeClean(t)
}

// tabTo presses Tab until the focus is on what reads so, and checks that the
// focus can be seen everywhere on the way.
func tabTo(t *testing.T, b *browser.Browser, name string) {
	t.Helper()
	const most = 80
	var way []string
	for range most {
		b.Press("Tab")
		at := b.Focused()
		if !browser.Eval[bool](b, focusShows) {
			t.Errorf("focus on %q cannot be seen", at)
		}
		if strings.HasPrefix(at, name) {
			return
		}
		way = append(way, at)
	}
	t.Fatalf("%q is not reached by %d presses of Tab: %q", name, most, way)
}

// focusShows asks whether the focused element, or the label that draws it, has
// an outline, a shadow or a border of its own for the focus.
const focusShows = `(() => {
	const e = document.activeElement;
	if (e === document.body) return true; // the browser's own frame is next
	const drawn = [e, e.closest("label"), e.nextElementSibling].filter(Boolean).map((x) => getComputedStyle(x));
	return drawn.some((s) => s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0 || s.boxShadow !== "none");
})()`
