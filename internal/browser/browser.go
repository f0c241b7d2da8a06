// Package browser drives a real Chromium in tests, in the words of a person at a screen: open, click what reads so, fill the field
// labeled so, wait until it says so. Whatever a page does wrong on the way (a violated content security policy, an error in the
// console, an uncaught exception) is collected, and MustBeClean fails the test on any of it. Only tests import this package.
package browser

import (
	"context"
	"iter"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Patience is how long an action waits for what it needs before it fails the test.
const Patience = 15 * time.Second

// Browser is one tab of a Chromium of its own. It fails the test it was made for, so its methods return no errors. It is not
// safe for concurrent use.
type Browser struct {
	tb       testing.TB
	ctx      context.Context // chromedp keeps the tab in it
	findings *findings
}

// New starts a Chromium with an empty profile and one tab of 1280 × 800, and closes it when the test ends. Without a Chromium
// on PATH the test is skipped; where CI is set to "true" it fails instead, so that nobody takes a skipped test for a passed one.
func New(tb testing.TB) *Browser {
	tb.Helper()
	path := lookUp()
	if path == "" {
		if os.Getenv("CI") == "true" {
			tb.Fatal("no chromium on PATH: in CI the browser tests must run")
		}
		tb.Skip("no chromium on PATH: browser test skipped")
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options(path, tb.TempDir())...)
	ctx, cancel := chromedp.NewContext(allocator)
	tb.Cleanup(func() {
		closing, done := context.WithTimeout(ctx, 10*time.Second)
		_ = chromedp.Cancel(closing) // a browser that does not close in time is killed by stop
		done()
		cancel()
		stop()
	})
	b := &Browser{tb: tb, ctx: ctx, findings: &findings{}}
	b.start()
	return b
}

// Tab opens another tab in the same profile: the same cookies, storage and locks. What goes wrong in it counts for both.
func (b *Browser) Tab() *Browser {
	b.tb.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.tb.Cleanup(cancel)
	tab := &Browser{tb: b.tb, ctx: ctx, findings: b.findings}
	tab.start()
	return tab
}

// Close closes a tab made by Tab.
func (b *Browser) Close() {
	b.tb.Helper()
	if err := chromedp.Cancel(b.ctx); err != nil {
		b.tb.Errorf("close tab: %v", err)
	}
}

// lookUp returns the first Chromium of the usual names on PATH, or "".
func lookUp() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func options(path, profile string) []chromedp.ExecAllocatorOption {
	options := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	return append(options,
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.WindowSize(1280, 800),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("lang", "en-US"),
		chromedp.WSURLReadTimeout(60*time.Second), // two cores shared with a compiler can be slow to start
	)
}

// reportViolations makes policy violations visible in the console as well, in case the audit misses one.
const reportViolations = `addEventListener("securitypolicyviolation", (e) => console.error("policy violated: " + e.effectiveDirective + " by " + (e.blockedURI || "inline")))`

// start opens the tab, and the browser with the first one, and listens to its complaints. The context of the first call is
// the life of the browser, so it has no deadline.
func (b *Browser) start() {
	b.tb.Helper()
	if err := chromedp.Do(b.ctx); err != nil {
		b.tb.Fatalf("start browser: %v", err)
	}
	b.findings.collect(b.ctx)
	b.must("prepare tab", prepare)
}

// prepare switches on what collect listens to.
func prepare(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
	if _, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: reportViolations}); err != nil {
		return chromedp.Void{}, err
	}
	if _, err := cdp.Call(ctx, t, log.Enable, cdp.Empty{}); err != nil {
		return chromedp.Void{}, err
	}
	_, err := cdp.Call(ctx, t, audits.Enable, cdp.Empty{})
	return chromedp.Void{}, err
}

// must runs actions within Patience and fails the test with what was being done.
func (b *Browser) must(what string, actions ...chromedp.Action[chromedp.Void]) {
	b.tb.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, Patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.tb.Fatalf("%s: %v", what, err)
	}
}

// findings is what went wrong in any tab of one browser.
type findings struct {
	mu       sync.Mutex
	list     []string
	expected []string
}

func (f *findings) add(kind, text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, kind+": "+text)
}

// collect subscribes to the tab's complaints until its context ends.
func (f *findings) collect(ctx context.Context) {
	issues := chromedp.Events(ctx, audits.IssueAdded)
	exceptions := chromedp.Events(ctx, runtime.ExceptionThrown)
	console := chromedp.Events(ctx, runtime.ConsoleAPICalled)
	entries := chromedp.Events(ctx, log.EntryAdded)
	go each(issues, func(ev audits.EventIssueAdded) {
		if ev.Issue.Details != nil && ev.Issue.Details.ContentSecurityPolicyIssueDetails != nil {
			d := ev.Issue.Details.ContentSecurityPolicyIssueDetails
			f.add("policy", d.ViolatedDirective+" "+d.BlockedURL)
		}
	})
	go each(exceptions, func(ev runtime.EventExceptionThrown) {
		text := ev.ExceptionDetails.Text
		if ev.ExceptionDetails.Exception != nil {
			text += " " + ev.ExceptionDetails.Exception.Description
		}
		f.add("exception", text)
	})
	go each(console, func(ev runtime.EventConsoleAPICalled) {
		if ev.Type == runtime.ConsoleAPICalledTypeError || ev.Type == runtime.ConsoleAPICalledTypeAssert {
			var parts []string
			for _, arg := range ev.Args {
				parts = append(parts, string(arg.Value)+arg.Description)
			}
			f.add("console", strings.Join(parts, " "))
		}
	})
	go each(entries, func(ev log.EventEntryAdded) {
		if ev.Entry.Level == log.EntryLevelError {
			f.add("log", ev.Entry.Text+" "+ev.Entry.URL)
		}
	})
}

// each hands on the events of a subscription until it ends.
func each[E any](events iter.Seq2[E, error], handle func(E)) {
	for ev, err := range events {
		if err == nil {
			handle(ev)
		}
	}
}

// Expect lets findings pass that contain text: a test that provokes a refusal expects the browser's line about it, such as
// "status of 409".
func (b *Browser) Expect(text string) {
	b.findings.mu.Lock()
	defer b.findings.mu.Unlock()
	b.findings.expected = append(b.findings.expected, text)
}

// Findings returns what went wrong so far, without what was expected.
func (b *Browser) Findings() []string {
	b.findings.mu.Lock()
	defer b.findings.mu.Unlock()
	var left []string
	for _, finding := range b.findings.list {
		if !containsAny(finding, b.findings.expected) {
			left = append(left, finding)
		}
	}
	return left
}

// MustBeClean fails the test for every policy violation, console error and exception so far.
func (b *Browser) MustBeClean(tb testing.TB) {
	tb.Helper()
	for _, finding := range b.Findings() {
		tb.Errorf("page complained: %s", finding)
	}
}

func containsAny(s string, parts []string) bool {
	for _, part := range parts {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}
