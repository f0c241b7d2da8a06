package paypal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/integrations/sandbox/paypalbox"
)

// TestSecretsAreHidden prints what holds the secret in every way Go has.
func TestSecretsAreHidden(t *testing.T) {
	config := Config{ClientID: "AZ1", Secret: "EHverySecret"}
	c, err := New(config, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "client", c, "config", config)
	log.New(&out, "", 0).Printf("%v %+v %#v %s %q %v %+v %#v", c, c, c, c, c, config, config, config)
	_ = json.NewEncoder(&out).Encode(map[string]any{"client": c, "config": config})
	if strings.Contains(out.String(), "verySecret") {
		t.Errorf("the secret is printed: %s", out.String())
	}
}

func TestNewRefusesBadConfig(t *testing.T) {
	good := Config{ClientID: "AZ1", Secret: "EH1", WebhookID: "8PT"}
	for name, spoil := range map[string]func(*Config){
		"no client id":             func(c *Config) { c.ClientID = "" },
		"no secret":                func(c *Config) { c.Secret = "" },
		"secret with a line break": func(c *Config) { c.Secret = "EH1\n" },
		"event for a webhook":      func(c *Config) { c.WebhookID = "WH-2N9" },
		"webhook with a space":     func(c *Config) { c.WebhookID = "8 PT" },
		"no scheme":                func(c *Config) { c.APIURL = "api-m.paypal.com" },
		"a file":                   func(c *Config) { c.APIURL = "file:///etc" },
		"a password":               func(c *Config) { c.APIURL = "https://a:b@host" },
		"plain http":               func(c *Config) { c.APIURL = "http://paypal.example" },
		"authority of nobody":      func(c *Config) { c.CertAuthority = "none" },
	} {
		config := good
		spoil(&config)
		if c, err := New(config, nil); !errors.Is(err, billing.ErrNotConfigured) || c != nil {
			t.Errorf("%s: got %v, %v, want ErrNotConfigured", name, c, err)
		} else if strings.Contains(err.Error(), "EH1") {
			t.Errorf("%s: the error shows the secret: %v", name, err)
		}
	}
	for _, address := range []string{"", "https://api-m.sandbox.paypal.com/", "https://proxy.example/paypal", "http://127.0.0.1:9"} {
		config := good
		config.APIURL = address
		if _, err := New(config, nil); err != nil {
			t.Errorf("address %q: %v", address, err)
		}
	}
}

// TestTokenIsFetchedOnce: many calls at once need one access token; one that
// PayPal has ended is replaced within the call.
func TestTokenIsFetchedOnce(t *testing.T) {
	w := &witness{}
	s := newStageOn(t, w)
	asked := func() int { return len(w.headers("/v1/oauth2/token", "Authorization")) }
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := s.client.Methods(t.Context(), "customer1"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := asked(); n != 1 {
		t.Errorf("got %d tokens for 20 calls, want one", n)
	}
	s.box.RevokeTokens()
	if _, err := s.client.OpenPage(t.Context(), s.pageRequest("a1")); err != nil {
		t.Errorf("after the token was ended: %v", err)
	}
	s.clock.Advance(9 * time.Hour)
	if err := s.client.Check(t.Context()); err != nil {
		t.Errorf("after the token ended: %v", err)
	}
	if n := asked(); n != 3 || s.box.Snapshot().Orders != 1 {
		t.Errorf("got %d tokens and %d orders, want 3 and 1", n, s.box.Snapshot().Orders)
	}
}

// TestSlowTokenStopsNobodyElse: while one caller waits for an access token, the
// others wait no longer than they want to.
func TestSlowTokenStopsNobodyElse(t *testing.T) {
	s := newStage(t)
	s.faults.Add(fault.Fault{Match: "POST /v1/oauth2/token", Kind: fault.Slow, Times: 1, Delay: 3 * time.Second})
	patient := make(chan error, 1)
	go func() { _, err := s.client.Methods(t.Context(), "customer1"); patient <- err }()
	time.Sleep(50 * time.Millisecond)
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := s.client.Charge(short, s.saved(t, "a1", "works@payer.example"))
	if took := time.Since(start); took > 2*time.Second || !errors.Is(err, billing.ErrGatewayTemporary) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v after %s, want ErrGatewayTemporary at the deadline", err, took)
	}
	if err := <-patient; err != nil {
		t.Errorf("the patient one: %v", err)
	}
}

// TestTokenFaults: without an access token nothing was asked, so nothing happened.
func TestTokenFaults(t *testing.T) {
	for _, kind := range []fault.Kind{fault.LostAnswer, fault.After500, fault.Truncated, fault.RefuseConn, fault.HTML502, fault.RateLimited, fault.Unavailable} {
		s := newStage(t)
		r := s.saved(t, "a1", "works@payer.example")
		s.faults.Add(fault.Fault{Match: "POST /v1/oauth2/token", Kind: kind, Times: 2})
		if got, err := s.client.Charge(t.Context(), r); !errors.Is(err, billing.ErrGatewayTemporary) || errors.Is(err, billing.ErrOutcomeUnknown) {
			t.Errorf("%s: got %+v, %v, want ErrGatewayTemporary", kind, got, err)
		}
		s.faults.Clear()
		if got, err := s.client.Charge(t.Context(), r); err != nil || got.State != billing.PaymentSucceeded {
			t.Errorf("%s, afterwards: got %+v, %v", kind, got, err)
		}
	}
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	s := newStage(t)
	for want, c := range map[string]Config{
		"no webhook 9XX":        {ClientID: testID, Secret: testSecret, WebhookID: "9XX"},
		"the webhook's id":      {ClientID: testID, Secret: testSecret},
		"of one app and of the": {ClientID: testID, Secret: "EHwrong", WebhookID: testWebhook},
	} {
		if err := s.with(t, c).Check(t.Context()); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "EHwrong") {
			t.Errorf("got %v, want it to say %q and no secret", err, want)
		}
	}
}

// TestErrorsNameTheCall: what was being done, PayPal's issue and its debug id.
func TestErrorsNameTheCall(t *testing.T) {
	s := newStage(t)
	s.box.Set(paypalbox.Switches{VaultOff: true})
	_, err := s.client.OpenPage(t.Context(), s.pageRequest("a1"))
	for _, want := range []string{"paypal: open page for attempt a1", "NOT_ENABLED_TO_VAULT_PAYMENT_SOURCE", "debug id"} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("got %v, want it to say %q", err, want)
		}
	}
	if !errors.Is(err, billing.ErrGatewayRefused) {
		t.Errorf("got %v, want ErrGatewayRefused", err)
	}
}

// TestPageThatPayPalForgot: an order nobody approved is deleted after some hours.
func TestPageThatPayPalForgot(t *testing.T) {
	s := newStage(t)
	p := s.open(t, "a1")
	s.clock.Advance(7 * time.Hour)
	for name, read := range map[string]func(context.Context, string) (billing.PaymentReport, error){"ReadPage": s.client.ReadPage, "ClosePage": s.client.ClosePage} {
		if r, err := read(t.Context(), p.Reference); err != nil || r.State != billing.PaymentCancelled || r.PageReference != p.Reference {
			t.Errorf("%s: got %+v, %v, want cancelled", name, r, err)
		}
	}
	if r, err := s.client.ReadPayment(t.Context(), "0AA0000000000000X"); !errors.Is(err, billing.ErrGatewayRefused) {
		t.Errorf("a payment nobody knows: got %+v, %v, want ErrGatewayRefused", r, err)
	}
}

// TestTokenThatFollows: the saved account may come after the payment, by webhook.
func TestTokenThatFollows(t *testing.T) {
	s := newStage(t)
	p := s.open(t, "a1")
	if err := s.box.Approve(p.Reference, "slow-token@payer.example"); err != nil {
		t.Fatal(err)
	}
	r, err := s.client.ReadPage(t.Context(), p.Reference)
	if err != nil || r.State != billing.PaymentSucceeded || r.Method != "" || r.Customer != "customer1" {
		t.Errorf("got %+v, %v, want it paid and the method to follow", r, err)
	}
	s.box.Settle()
	if all, err := s.client.Methods(t.Context(), r.Customer); err != nil || len(all) != 1 || all[0].Account != "slow-token@payer.example" {
		t.Errorf("got %+v, %v, want the account", all, err)
	}
}

// TestRemovedAtPayPal: the payer ended the agreement inside PayPal; that is a
// dead method, not a cancelled service.
func TestRemovedAtPayPal(t *testing.T) {
	for name, end := range map[string]func(s *stage, r billing.ChargeRequest){
		"before we ever used it": func(s *stage, r billing.ChargeRequest) { s.box.RemoveToken(r.Method) },
		"after we knew it": func(s *stage, r billing.ChargeRequest) {
			if _, err := s.client.Methods(t.Context(), r.Customer); err != nil {
				t.Error(err)
			}
			s.box.RemoveToken(r.Method)
		},
	} {
		s := newStage(t)
		r := s.saved(t, "a1", "works@payer.example")
		end(s, r)
		if got, err := s.client.Charge(t.Context(), r); err != nil || got.State != billing.PaymentDeclined || got.Decline != billing.DeclineHard || got.Reason != "TOKEN_ID_NOT_FOUND" {
			t.Errorf("%s: got %+v, %v, want a hard decline", name, got, err)
		}
	}
	s := newStage(t)
	for payer, want := range map[string]billing.DeclineKind{
		"cancelled@payer.example": billing.DeclineHard, "cannot-pay@payer.example": billing.DeclineSoft, "refused@payer.example": billing.DeclineSoft, "later@payer.example": billing.DeclineSoft,
	} {
		if got, err := s.client.Charge(t.Context(), s.saved(t, strings.Split(payer, "@")[0], payer)); err != nil || got.Decline != want {
			t.Errorf("%s: got %+v, %v, want %s", payer, got, err, want)
		}
	}
}

// TestSaleRefunds: a subscription's payment is refunded where PayPal keeps it.
func TestSaleRefunds(t *testing.T) {
	s := newStage(t)
	a, err := s.client.OpenAgreement(t.Context(), billing.AgreementRequest{
		Key: "k", SubscriptionID: "s1", Plan: s.box.AddPlan("EUR", 999, 30), ReturnURL: "https://portal.example/", CancelURL: "https://portal.example/",
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.box.Agree(a.ID, "works@payer.example"); err != nil {
		t.Fatal(err)
	}
	paid, err := s.client.AgreementPayments(t.Context(), a.ID, s.clock.Now().Add(-time.Hour), s.clock.Now().Add(time.Hour))
	if err != nil || len(paid) != 1 {
		t.Fatalf("got %+v, %v, want one payment", paid, err)
	}
	r := billing.RefundRequest{Key: "r1", RefundID: "r1", Payment: paid[0].Reference, Amount: paid[0].Amount, Note: "sorry"}
	done, err := s.client.Refund(t.Context(), r)
	if err != nil || done.State != billing.RefundSucceeded || done.RefundID != "r1" || done.Payment != r.Payment {
		t.Fatalf("got %+v, %v, want it refunded", done, err)
	}
	if again, err := s.client.Refund(t.Context(), r); err != nil || again != done {
		t.Errorf("same key: got %+v, %v, want %+v", again, err, done)
	}
	if read, err := s.client.ReadRefund(t.Context(), done.ID); err != nil || read != done {
		t.Errorf("read: got %+v, %v, want %+v", read, err, done)
	}
}
