package e2e

import (
	"testing"

	"github.com/ezscale/ezscale/internal/browser"
)

// What a visit may cost.
const (
	mostScript = 45 << 10 // bytes of JavaScript at the first visit, gzip
	mostShift  = 0.02     // cumulative layout shift of a page
)

// TestWeightOfThePortal measures in the browser what its pages cost on the wire
// and how much they jump while they fill.
func TestWeightOfThePortal(t *testing.T) {
	d, b := browse(t)
	b.Open(d.Site + "/portal/order")
	b.WaitText("Due today")
	first := scripts(b)
	t.Logf("first visit: %d bytes of JavaScript (gzip) in %d files, %d with their headers", first.Gzip, first.Files, first.Wire)
	if first.Files == 0 || first.Gzip == 0 || first.Gzip > mostScript || first.Wire < first.Gzip {
		t.Errorf("first visit: got %+v, want at most %d bytes of JavaScript over the wire", first, mostScript)
	}
	steady(t, b, "order")
	b.Open(d.Site + "/portal/order")
	b.WaitText("Due today")
	if second := scripts(b); second.Wire != 0 || second.Files != first.Files {
		t.Errorf("second visit: got %+v, want %d files and nothing over the wire", second, first.Files)
	}
	signIn(b, d, d.Customer)
	for _, page := range []struct{ path, text string }{
		{"/portal/", "Next charge"}, {"/portal/services", "web-1.demo.example"}, {"/portal/invoices", "INV-"}, {"/portal/account", "Profile and billing"},
	} {
		b.Open(d.Site + page.path)
		b.WaitText(page.text)
		steady(t, b, page.path)
	}
	b.Open(d.Site + "/portal/services")
	b.WaitFor("main a[href^='/portal/services/']")
	b.Open(d.Site + browser.Eval[string](b, `document.querySelector("main a[href^='/portal/services/']").getAttribute("href")`))
	b.WaitText("SSH command")
	steady(t, b, "service")
	b.MustBeClean(t)
}

// load is what the page's modules cost: bytes as they were compressed, and bytes
// over the wire, which for each answer are 300 more for its headers and none at
// all from the browser's own store (www.w3.org/TR/resource-timing, transferSize).
type load struct {
	Files int `json:"files"`
	Gzip  int `json:"gzip"`
	Wire  int `json:"wire"`
}

func scripts(b *browser.Browser) load {
	return browser.Eval[load](b, `(() => {
		const all = performance.getEntriesByType("resource").filter((r) => r.name.endsWith(".js"));
		const sum = (field) => all.reduce((n, r) => n + r[field], 0);
		return { files: all.length, gzip: sum("encodedBodySize"), wire: sum("transferSize") };
	})()`)
}

// shift is the sum of all layout shifts that no input caused.
func shift(b *browser.Browser) float64 {
	return browser.Eval[float64](b, `new Promise((resolve) => {
		let sum = 0;
		new PerformanceObserver((list) => { for (const e of list.getEntries()) if (!e.hadRecentInput) sum += e.value; })
			.observe({ type: "layout-shift", buffered: true });
		setTimeout(() => resolve(sum), 300);
	})`)
}

func steady(t *testing.T, b *browser.Browser, page string) {
	t.Helper()
	if got := shift(b); got >= mostShift {
		t.Errorf("%s: got a layout shift of %.4f, want less than %v", page, got, mostShift)
	}
}
