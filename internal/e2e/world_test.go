package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/integrations/sandbox/mailbox"
	"github.com/ezscale/ezscale/integrations/sandbox/stripebox"
	"github.com/ezscale/ezscale/integrations/sandbox/virtbox"
)

const (
	stripeKey     = "sk_test_e2e"
	webhookSecret = "whsec_e2e"
	panelToken    = "e2e-panel-token"
	sealingKey    = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
)

// world is one installation with vendors of its own. The vendors live in the
// test and so outlive every death of the process.
type world struct {
	tb     testing.TB
	binary string
	dir    string
	site   string
	env    []string
	stripe *stripebox.Box
	panel  *virtbox.Box
	mail   *mailbox.Box
	tap    *tap

	life sync.Mutex // held while the process is exchanged
	mu   sync.Mutex // guards what follows

	proc     *process
	deaths   int
	failure  error  // of a restart
	password string // the last one the panel gave out
}

// newWorld starts vendors and, on dir, the product.
func newWorld(tb testing.TB, dir string) *world {
	tb.Helper()
	port := strconv.Itoa(freePort(tb))
	w := &world{tb: tb, binary: binary(tb), dir: dir, site: "http://127.0.0.1:" + port, tap: &tap{}}
	w.openVendors()
	w.boot()
	tb.Cleanup(func() {
		w.life.Lock()
		defer w.life.Unlock()
		w.current().kill()
	})
	return w
}

func (w *world) openVendors() {
	stripeFaults, panelFaults := &fault.Set{}, &fault.Set{}
	stripeFaults.Before, stripeFaults.After = w.tap.hooks("stripe")
	panelFaults.Before, panelFaults.After = w.tap.hooks("panel")
	second := time.Second
	w.stripe = stripebox.New(stripebox.Options{
		SecretKey: stripeKey, WebhookURL: w.site + "/webhooks/stripe", WebhookSecret: webhookSecret, Faults: stripeFaults,
		HTTPClient: &http.Client{Timeout: 10 * time.Second, Transport: w.tap},
		// Stripe repeats for days; these spans cover every restart.
		RetryDelays: []time.Duration{second / 5, second / 2, second, second, second, second, 2 * second, 2 * second, 4 * second, 4 * second, 8 * second},
	})
	w.panel = virtbox.New(virtbox.Options{Token: panelToken, BuildTime: time.Second, TaskTime: 200 * time.Millisecond, Faults: panelFaults})
	w.mail = mailbox.New(mailbox.Options{})
	stripe := httptest.NewServer(w.stripe.Handler())
	panel := httptest.NewServer(w.listen(w.panel.Handler()))
	smtp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.tb.Fatalf("mail server: %v", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() { _ = w.mail.ServeSMTP(ctx, mailListener{smtp, w.tap}) }()
	w.tb.Cleanup(func() { stop(); w.stripe.Close(); stripe.Close(); panel.Close() })
	_, smtpPort, _ := net.SplitHostPort(smtp.Addr().String())
	w.env = []string{
		"EZSCALE_KEY=" + sealingKey, "EZSCALE_URL=", "STRIPE_SECRET_KEY=" + stripeKey, "STRIPE_WEBHOOK_SECRET=" + webhookSecret, "STRIPE_API_URL=" + stripe.URL,
		"VIRTFUSION_URL=" + panel.URL, "VIRTFUSION_TOKEN=" + panelToken,
		"SMTP_HOST=127.0.0.1", "SMTP_PORT=" + smtpPort, "MAIL_FROM=Billing <billing@example.com>", "SMTP_USER=", "SMTP_TLS=",
	}
}

// listen notes every password that the panel gives out.
func (w *world) listen(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: out}
		next.ServeHTTP(rec, r)
		answer := struct {
			Data struct {
				Expected string `json:"expectedPassword"`
				Settings struct {
					Password string `json:"decryptedPassword"`
				} `json:"settings"`
			} `json:"data"`
		}{}
		if r.Method != http.MethodPost || json.Unmarshal(rec.body.Bytes(), &answer) != nil {
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, given := range []string{answer.Data.Expected, answer.Data.Settings.Password} {
			if given != "" {
				w.password = given
			}
		}
	})
}

type recorder struct {
	http.ResponseWriter
	body bytes.Buffer
}

func (r *recorder) Write(b []byte) (int, error) {
	r.body.Write(b)
	return r.ResponseWriter.Write(b)
}

// serve starts the product without waiting for it.
func (w *world) serve() error {
	p, err := start(w.binary, w.env, "serve", "--http", strings.TrimPrefix(w.site, "http://"), "--dir", w.dir)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.failure = err
		return err
	}
	w.proc = p
	return nil
}

// boot starts the product and waits until it answers.
func (w *world) boot() {
	w.tb.Helper()
	err := w.serve()
	if err == nil {
		err = w.current().ready(w.tb.Context(), w.site)
	}
	if err != nil {
		w.tb.Fatalf("start: %v", err)
	}
}

func (w *world) current() *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.proc
}

// die kills the product and starts it again on the same data.
func (w *world) die() {
	w.life.Lock()
	defer w.life.Unlock()
	w.current().kill()
	w.mu.Lock()
	w.deaths++
	w.mu.Unlock()
	_ = w.serve() // until shows a failure
}

// died is how often the product was killed.
func (w *world) died() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.deaths
}

// trouble says why waiting is in vain, or "".
func (w *world) trouble() string {
	w.life.Lock()
	defer w.life.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.failure != nil:
		return w.failure.Error()
	case w.proc.gone():
		return fmt.Sprintf("the process ended by itself: %v\n%s", w.proc.err, w.proc.out)
	}
	return ""
}

// until repeats look until it returns nil; what it says last is why the test
// fails. A product that is just being started again is no failure.
func (w *world) until(what string, within time.Duration, look func(ctx context.Context) error) {
	w.tb.Helper()
	deadline := time.Now().Add(within)
	var last error
	for time.Now().Before(deadline) {
		if last = look(w.tb.Context()); last == nil {
			return
		}
		if trouble := w.trouble(); trouble != "" {
			w.tb.Fatalf("%s: %s", what, trouble)
		}
		time.Sleep(100 * time.Millisecond)
	}
	w.tb.Fatalf("%s: not within %s: %v\n%s", what, within, last, w.current().out)
}

// copyDir makes a data directory that equals a stopped one.
func copyDir(tb testing.TB, from string) string {
	tb.Helper()
	to := tb.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		tb.Fatalf("copy %s: %v", from, err)
	}
	return to
}
