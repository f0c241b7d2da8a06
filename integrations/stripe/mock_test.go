package stripe

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/integrations/sandbox/stripebox"
)

// startMock builds Stripe's public mock, which checks requests against the
// published OpenAPI description, and runs it on loopback. It skips the test only
// where the tool's module cannot be fetched, and never on CI.
func startMock(t *testing.T) string {
	t.Helper()
	root := moduleRoot(t)
	modfile := "-modfile=" + filepath.Join("tools", "mock", "go.mod")
	run := func(args ...string) error {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = root
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, out)
		}
		return nil
	}
	if err := run("mod", "download", modfile, "github.com/stripe/stripe-mock"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("SKIPPED: the stripe-mock module cannot be fetched: %v", err)
	}
	binary := filepath.Join(t.TempDir(), "stripe-mock")
	if err := run("build", modfile, "-o", binary, "github.com/stripe/stripe-mock"); err != nil {
		t.Fatal(err)
	}
	// Both addresses are given: with one alone the mock also listens on all
	// interfaces for the other.
	plain, secure := freeAddress(t), freeAddress(t)
	var output bytes.Buffer
	cmd := exec.CommandContext(t.Context(), binary, "-http-addr", plain, "-https-addr", secure)
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("stripe-mock says: %s", output.String())
		}
	})
	waitFor(t, plain)
	return "http://" + plain
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "tools", "mock", "go.mod")); err == nil {
			return dir
		}
	}
	t.Fatal("no tools/mock/go.mod above this package")
	return ""
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func waitFor(t *testing.T, address string) {
	t.Helper()
	for range 200 {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", address)
		if err == nil {
			_ = conn.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("nothing listens on %s", address)
}

// witness records what every request was answered with.
type witness struct {
	mu  sync.Mutex
	all []string
	bad []string
}

func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(body))
	w.mu.Lock()
	defer w.mu.Unlock()
	line := r.Method + " " + r.URL.Path
	w.all = append(w.all, line)
	if res.StatusCode != http.StatusOK {
		w.bad = append(w.bad, fmt.Sprintf("%s: %d %s", line, res.StatusCode, body))
	}
	return res, err
}

// TestAgainstStripeMock sends every request we make to Stripe's own mock. Its
// answers are fixed samples, so only the requests are judged here. Then it holds
// the sandbox's parameters against the same description: what the sandbox takes,
// Stripe takes.
func TestAgainstStripeMock(t *testing.T) {
	mock := startMock(t)
	w := &witness{}
	c, err := New(Config{SecretKey: "sk_test_123", WebhookSecret: testSecret, APIURL: mock}, &http.Client{Transport: w})
	if err != nil {
		t.Fatal(err)
	}
	callAll(t.Context(), c)
	want := []string{
		"POST /v1/customers", "GET /v1/customers/search", "POST /v1/checkout/sessions", "POST /v1/checkout/sessions",
		"GET /v1/checkout/sessions/cs_1", "POST /v1/checkout/sessions/cs_1/expire", "POST /v1/payment_intents",
		"GET /v1/payment_intents", "GET /v1/payment_intents/pi_1", "GET /v1/customers/cus_1/payment_methods", "GET /v1/balance",
		"GET /v1/refunds", "POST /v1/refunds", "GET /v1/refunds/re_1", "GET /v1/payment_methods/pm_1", "POST /v1/payment_methods/pm_1/detach",
		"GET /v1/balance_transactions", "GET /v1/disputes/du_1", "GET /v1/events", "GET /v1/disputes",
		"GET /v1/subscriptions/sub_1", "POST /v1/subscriptions/sub_1", "GET /v1/subscriptions/sub_1", "POST /v1/subscriptions/sub_1", "GET /v1/subscriptions/sub_1", "POST /v1/subscriptions/sub_1",
		"GET /v1/subscriptions/sub_1", "DELETE /v1/subscriptions/sub_1", "GET /v1/invoices",
	}
	if !slices.Equal(w.all, want) {
		t.Errorf("got requests %q, want %q", w.all, want)
	}
	for _, bad := range w.bad {
		t.Errorf("refused: %s", bad)
	}
	for route, values := range stripebox.Parameters() {
		for name, value := range values {
			tryParameter(t, mock, route, name, value)
		}
	}
}

// callAll makes each request once; the mock's answers do not matter.
func callAll(ctx context.Context, c *Client) {
	page := pageRequest()
	page.ExpiresAt = time.Now().Add(2 * time.Hour)
	guest := page
	guest.Customer, guest.SaveMethod = "", false
	_, _ = c.EnsureCustomer(ctx, "k1", "u1", "kim@example.com", "Kim Example")
	_, _ = c.findCustomer(ctx, "u1", nil)
	_, _ = c.OpenPage(ctx, page)
	_, _ = c.OpenPage(ctx, guest)
	_, _ = c.ReadPage(ctx, "cs_1")
	_, _ = c.ClosePage(ctx, "cs_1")
	_, _ = c.Charge(ctx, chargeRequest())
	_, _ = c.findCharge(ctx, chargeRequest(), nil)
	_, _ = c.ReadPayment(ctx, "pi_1")
	_, _ = c.Methods(ctx, "cus_1")
	_ = c.Check(ctx)
	_, _ = c.refundsOf(ctx, "pi_1")
	_, _ = c.sendRefund(ctx, refundRequest())
	_, _ = c.ReadRefund(ctx, "re_1")
	_ = c.RemoveMethod(ctx, "cus_1", "pm_1")
	_ = c.detach(ctx, "pm_1")
	_, _ = c.Transactions(ctx, time.Now().Add(-time.Hour), time.Now(), func(billing.Transaction) error { return nil })
	_, _ = c.ReadDispute(ctx, "du_1")
	_, _ = c.disputesInEvents(ctx, time.Now().Add(-time.Hour))
	_ = c.disputesBegun(ctx, time.Now().Add(-time.Hour), map[string]bool{}, func(billing.Dispute) error { return nil })
	_, _ = c.change(ctx, "sub_1", "end", "test", func(billing.Agreement) bool { return false }, atPeriodEnd)
	_ = c.SuspendAgreement(ctx, "sub_1", "test")
	_, _ = c.change(ctx, "sub_1", "resume", "test", func(billing.Agreement) bool { return false }, unpause)
	_ = c.CancelAgreement(ctx, "sub_1", "test")
	_, _ = c.AgreementPayments(ctx, "sub_1", time.Now().Add(-time.Hour), time.Now())
}

// tryParameter sends one parameter of the sandbox to the mock. The mock names a
// parameter it does not know; that others are missing is no matter.
func tryParameter(t *testing.T, mock, route, name, value string) {
	t.Helper()
	method, path, _ := strings.Cut(route, " ")
	address := mock + strings.ReplaceAll(path, "{id}", "id_1")
	form := url.Values{name: {value}}
	var body io.Reader = http.NoBody
	if method == http.MethodGet {
		address += "?" + form.Encode()
	} else {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(t.Context(), method, address, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer sk_test_123")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusOK && !bytes.Contains(answer, []byte("is required")) || bytes.Contains(answer, []byte("additional properties")) {
		t.Errorf("%s with %s=%s: %d %s", route, name, value, res.StatusCode, answer)
	}
}
