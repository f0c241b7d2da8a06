package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// pollEvery is the pause between two looks at the page.
const pollEvery = 50 * time.Millisecond

// Open loads an address and waits for the document's load event.
func (b *Browser) Open(url string) {
	b.tb.Helper()
	b.must("open "+url, chromedp.Navigate(url))
}

// Reload loads the present address again.
func (b *Browser) Reload() {
	b.tb.Helper()
	b.must("reload", chromedp.Reload())
}

// Back goes one step back in the history, whether that is a document or a step inside the portal.
func (b *Browser) Back() {
	b.tb.Helper()
	b.must("go back", chromedp.Evaluate[chromedp.Void]("history.back()"))
}

// URL returns the present address.
func (b *Browser) URL() string {
	b.tb.Helper()
	return Eval[string](b, "location.href")
}

// Viewport sets the size in CSS pixels, whether it is a phone with touch, and whether the system prefers dark.
func (b *Browser) Viewport(width, height int64, mobile, dark bool) {
	b.tb.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	var options []chromedp.EmulateViewportOption
	if mobile {
		options = append(options, chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	b.must("set viewport", chromedp.EmulateViewport(width, height, options...),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			})
			return err
		}))
}

// Click presses what target names: the visible button, link, label or option that reads so (aria-label first, then text; an
// exact match wins over a part), or with the prefix "css=" the first visible match of a selector. It waits until the target is
// there, not covered and standing still, and then uses the mouse as a person would.
func (b *Browser) Click(target string) {
	b.tb.Helper()
	var last box
	deadline := time.Now().Add(Patience)
	for time.Now().Before(deadline) {
		found := Eval[box](b, find("place("+quote(target)+")"))
		if found.Found && found.Free && found == last {
			b.must("click "+target, chromedp.MouseClickXY(found.X, found.Y))
			return
		}
		last = found
		time.Sleep(pollEvery)
	}
	b.tb.Fatalf("click %q: not found or covered (%+v)\n%s", target, last, b.visibleText())
}

// Fill replaces the value of a field named by its label, or with "css=" by a selector. A select takes the label of an option.
func (b *Browser) Fill(field, value string) {
	b.tb.Helper()
	b.until("fill "+field, find("prepare("+quote(field)+","+quote(value)+")"))
	if Eval[bool](b, `document.activeElement.tagName === "SELECT"`) {
		return
	}
	b.must("fill "+field, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.InsertText, input.InsertTextParams{Text: value})
		return err
	}))
}

// Press sends keys one after the other: names such as "Tab", "Shift+Tab", "Enter", "Escape", "Space", "ArrowDown", or text.
func (b *Browser) Press(keys ...string) {
	b.tb.Helper()
	for _, key := range keys {
		var options []chromedp.KeyOption
		name, shift := strings.CutPrefix(key, "Shift+")
		if shift {
			options = append(options, chromedp.KeyModifiers(chromedp.ModifierShift))
		}
		if known, ok := keyNames[name]; ok {
			name = known
		}
		b.must("press "+key, chromedp.KeyEvent(name, options...))
	}
}

var keyNames = map[string]string{
	"Tab": kb.Tab, "Enter": kb.Enter, "Escape": kb.Escape, "Space": " ", "Backspace": kb.Backspace,
	"ArrowUp": kb.ArrowUp, "ArrowDown": kb.ArrowDown, "ArrowLeft": kb.ArrowLeft, "ArrowRight": kb.ArrowRight,
}

// Focused returns the accessible name of the element that has the focus, as far as our finder knows it.
func (b *Browser) Focused() string {
	b.tb.Helper()
	return Eval[string](b, find("nameOf(document.activeElement)"))
}

// WaitText waits until the page shows text.
func (b *Browser) WaitText(text string) {
	b.tb.Helper()
	b.until("wait for text "+text, "document.body !== null && document.body.innerText.includes("+quote(text)+")")
}

// WaitGone waits until the page no longer shows text.
func (b *Browser) WaitGone(text string) {
	b.tb.Helper()
	b.until("wait until gone: "+text, "document.body !== null && !document.body.innerText.includes("+quote(text)+")")
}

// WaitFor waits until a selector matches.
func (b *Browser) WaitFor(css string) {
	b.tb.Helper()
	b.until("wait for "+css, "document.querySelector("+quote(css)+") !== null")
}

// WaitURL waits until the address contains part.
func (b *Browser) WaitURL(part string) {
	b.tb.Helper()
	b.until("wait for address "+part, "location.href.includes("+quote(part)+")")
}

// Has says whether the page shows text right now.
func (b *Browser) Has(text string) bool {
	b.tb.Helper()
	return Eval[bool](b, "document.body.innerText.includes("+quote(text)+")")
}

// Screenshot writes the whole page as PNG to path, scrolled to its top so that sticky parts stand where they belong.
func (b *Browser) Screenshot(path string) {
	b.tb.Helper()
	before := Eval[float64](b, "(() => { const y = scrollY; scrollTo({ top: 0, behavior: 'instant' }); return y })()")
	defer func() { Eval[bool](b, fmt.Sprintf("(scrollTo({ top: %f, behavior: 'instant' }), true)", before)) }()
	ctx, cancel := context.WithTimeout(b.ctx, Patience)
	defer cancel()
	picture, err := chromedp.Run(ctx, func(ctx context.Context, t *chromedp.Target) ([]byte, error) {
		beyond := true
		shot, err := cdp.Call(ctx, t, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: &beyond})
		if err != nil {
			return nil, err
		}
		return shot.Data, nil
	})
	if err == nil {
		err = os.WriteFile(path, picture, 0o600)
	}
	if err != nil {
		b.tb.Fatalf("screenshot %s: %v", path, err)
	}
}

// Eval evaluates an expression in the page, waits for it if it is a promise, and decodes its value.
func Eval[T any](b *Browser, expression string) T {
	b.tb.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 2*Patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.tb.Fatalf("evaluate %.120s: %v", expression, err)
	}
	return value
}

// until polls an expression until it is true. A navigation in between is no failure.
func (b *Browser) until(what, expression string) {
	b.tb.Helper()
	var last error
	deadline := time.Now().Add(Patience)
	for time.Now().Before(deadline) {
		ctx, cancel := context.WithTimeout(b.ctx, Patience)
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		cancel()
		if err == nil && ok {
			return
		}
		last = err
		time.Sleep(pollEvery)
	}
	b.tb.Fatalf("%s: not within %s (%v)\n%s", what, Patience, last, b.visibleText())
}

// visibleText is the beginning of what the page shows, for failure messages.
func (b *Browser) visibleText() string {
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`location.href + "\n" + (document.body?.innerText ?? "").slice(0, 2000)`))
	if err != nil {
		return fmt.Sprintf("page not readable: %v", err)
	}
	return "page showed: " + text
}

func quote(s string) string {
	quoted, err := json.Marshal(s)
	if err != nil {
		return `""` // a string always marshals
	}
	return string(quoted)
}
