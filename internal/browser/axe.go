package browser

import (
	_ "embed"
	"fmt"
	"strings"
	"testing"
)

//go:embed testdata/axe.min.js
var axeSource string

// Violation is one accessibility rule that a page breaks, with the elements that break it.
type Violation struct {
	ID     string   `json:"id"`
	Impact string   `json:"impact"`
	Help   string   `json:"help"`
	Nodes  []string `json:"nodes"`
}

// String writes a violation on a few lines.
func (v Violation) String() string {
	return fmt.Sprintf("%s (%s): %s\n\t%s", v.ID, v.Impact, v.Help, strings.Join(v.Nodes, "\n\t"))
}

// settled waits for animations: half-faded text has no contrast yet. Those that a new viewport or color scheme causes begin with
// the next frame, which a tab in the background never draws.
const settled = `
new Promise((drawn) => { requestAnimationFrame(() => requestAnimationFrame(drawn)); setTimeout(drawn, 100); })
    .then(() => Promise.allSettled(document.getAnimations()
        .filter((a) => a.effect?.getComputedTiming().iterations !== Infinity).map((a) => a.finished)))
    .then(() => true)`

// axeRun looks again at what it finds: a button that is switched on while it looks has
// no contrast for a moment, and a real violation stays.
const axeRun = `
(async () => {
    for (let look = 1; ; look++) {
        await ` + settled + `;
        const r = await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"] });
        if (r.violations.length === 0 || look === 3) return r;
        await new Promise((rested) => setTimeout(rested, 400));
    }
})()
    .then((r) => r.violations.map((v) => ({ id: v.id, impact: v.impact ?? "", help: v.help,
        nodes: v.nodes.map((n) => n.target.join(" ") + ": " + (n.any[0] ?? n.all[0] ?? n.none[0])?.message) })))`

// Settle waits until nothing moves on the page any more.
func (b *Browser) Settle() {
	b.tb.Helper()
	Eval[bool](b, settled)
}

// Axe checks the page as it is now against WCAG 2.2 A and AA and axe's best practices. The check runs through the debugger, so
// the page's content security policy stays as it is.
func (b *Browser) Axe() []Violation {
	b.tb.Helper()
	if !Eval[bool](b, `typeof axe !== "undefined"`) {
		Eval[bool](b, axeSource+"\n;true")
	}
	return Eval[[]Violation](b, axeRun)
}

// MustBeAccessible fails the test for each violation.
func (b *Browser) MustBeAccessible(tb testing.TB, where string) {
	tb.Helper()
	for _, violation := range b.Axe() {
		tb.Errorf("%s: %s", where, violation)
	}
}

// OverflowsSideways names the elements that stick out of the viewport to the right, or "" when nothing scrolls sideways.
func (b *Browser) OverflowsSideways() string {
	b.tb.Helper()
	return Eval[string](b, `(() => {
		const width = document.documentElement.clientWidth;
		if (document.documentElement.scrollWidth <= width) return "";
		return [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > width + 1)
			.slice(0, 5).map((e) => e.tagName.toLowerCase() + "." + e.className).join(", ");
	})()`)
}
