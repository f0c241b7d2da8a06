package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/internal/browser"
)

const page = `<!doctype html><html lang="en"><head><title>Sample</title><meta name="viewport" content="width=device-width"></head><body><main>
<h1>Sample</h1>
<form><p><label for="n">Your name</label> <input id="n"></p>
<p><label for="c">Country</label> <select id="c"><option value="de">Germany</option><option value="at">Austria</option></select></p>
<p><label><input type="checkbox" id="ok"> I agree</label></p></form>
<button id="b" aria-label="Reveal the text">x</button> <a href="#more">More about it</a>
<p id="out" aria-live="polite"></p></main><script src="/a.js"></script></body></html>`

const script = `
const out = document.getElementById("out");
document.getElementById("b").onclick = () => { out.textContent = "Hello " + document.getElementById("n").value + " of " + document.getElementById("c").value + (document.getElementById("ok").checked ? ", agreed" : ""); };
addEventListener("keydown", (e) => { if (e.key === "Escape") out.textContent = "escaped"; });
`

// sample serves the page with extra markup in its body under a strict policy.
func sample(t *testing.T, extra string) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'")
		switch r.URL.Path {
		case "/a.js":
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprint(w, script)
		case "/":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, strings.Replace(page, "<script", extra+"<script", 1))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestActions(t *testing.T) {
	b := browser.New(t)
	b.Open(sample(t, ""))
	b.Fill("Your name", "nobody")
	b.Fill("Your name", "Ada")
	b.Fill("Country", "Austria")
	b.Click("I agree")
	b.Click("Reveal the text")
	b.WaitText("Hello Ada of at, agreed")
	b.Press("Escape")
	b.WaitText("escaped")
	b.WaitGone("Hello")
	b.Click("css=#n")
	b.Press("Tab", "Tab", "Shift+Tab")
	if got := b.Focused(); got != "Country" {
		t.Errorf("focus: got %q, want Country", got)
	}
	b.Click("More about it")
	b.WaitURL("#more")
	if got := browser.Eval[int](b, "Promise.resolve(6 * 7)"); got != 42 {
		t.Errorf("Eval: got %d, want 42", got)
	}
	b.Viewport(390, 844, true, true)
	if !browser.Eval[bool](b, `innerWidth === 390 && matchMedia("(prefers-color-scheme: dark)").matches`) {
		t.Error("the viewport is not that of a phone in the dark")
	}
	if overflow := b.OverflowsSideways(); overflow != "" {
		t.Errorf("overflows: %s", overflow)
	}
	picture := filepath.Join(t.TempDir(), "page.png")
	b.Screenshot(picture)
	if info, err := os.Stat(picture); err != nil || info.Size() < 1000 {
		t.Errorf("screenshot: %v, %v", info, err)
	}
	b.MustBeAccessible(t, "sample page")
	b.MustBeClean(t)
}

func TestTabsShareTheProfile(t *testing.T) {
	b := browser.New(t)
	url := sample(t, "")
	b.Open(url)
	browser.Eval[bool](b, `(localStorage.setItem("k", "v"), true)`)
	other := b.Tab()
	other.Open(url)
	if got := browser.Eval[string](other, `localStorage.getItem("k")`); got != "v" {
		t.Errorf("second tab sees %q, want v", got)
	}
	other.Close()
	if b.Has("escaped") {
		t.Error("the first tab changed")
	}
}

func TestFindings(t *testing.T) {
	scenarios := []struct{ name, extra, do, want string }{
		{"inline style", `<p style="color:red">x</p>`, "", "style-src"},
		{"picture of another origin", `<img alt="" src="https://other.invalid/x.png">`, "", "img-src"},
		{"console error", "", `(console.error("wrong", 1), true)`, "wrong"},
		{"uncaught exception", "", `(setTimeout(() => { throw new Error("lost"); }), true)`, "lost"},
		{"rejected promise", "", `(setTimeout(() => Promise.reject(new Error("broken"))), true)`, "broken"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			b := browser.New(t)
			b.Open(sample(t, s.extra))
			if s.do != "" {
				browser.Eval[bool](b, s.do)
			}
			b.WaitText("Sample")
			browser.Eval[bool](b, "new Promise((done) => setTimeout(() => done(true), 200))")
			found := strings.Join(b.Findings(), "\n")
			if !strings.Contains(found, s.want) {
				t.Errorf("got %q, want a finding with %q", found, s.want)
			}
			for range 3 { // one mistake may be told in several ways
				for _, finding := range b.Findings() {
					b.Expect(finding)
				}
			}
			b.MustBeClean(t)
		})
	}
}

func TestAxeFinds(t *testing.T) {
	b := browser.New(t)
	b.Open(sample(t, `<input id="nameless">`))
	var ids []string
	for _, violation := range b.Axe() {
		ids = append(ids, violation.ID)
		if violation.String() == "" || len(violation.Nodes) == 0 {
			t.Errorf("%s names no element", violation.ID)
		}
	}
	if !strings.Contains(strings.Join(ids, " "), "label") {
		t.Errorf("got %v, want the missing label", ids)
	}
}
