package paypal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/billing/gatewaytest"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
)

// The cases of known billing bugs that an adapter can be guilty of, each caused
// and survived. Their letters are those of the issue tracker.

func (s *stage) pageRequest(attempt string) billing.PageRequest {
	return billing.PageRequest{
		Key: "page_" + attempt, AttemptID: attempt, InvoiceID: "inv_" + attempt, Customer: "customer1", Email: "kim@example.com",
		Amount: money.Must(1999, "EUR"), Description: "Invoice INV-2026-000042", SaveMethod: true,
		ReturnURL: "https://portal.example/return", CancelURL: "https://portal.example/invoices", ExpiresAt: s.clock.Now().Add(32 * time.Minute), Locale: "de-AT",
	}
}

func (s *stage) open(t *testing.T, attempt string) billing.Page {
	t.Helper()
	p, err := s.client.OpenPage(t.Context(), s.pageRequest(attempt))
	if err != nil {
		t.Fatalf("OpenPage: %v", err)
	}
	return p
}

func (s *stage) saved(t *testing.T, attempt, payer string) billing.ChargeRequest {
	t.Helper()
	token, err := s.box.SaveToken("customer1", payer)
	if err != nil {
		t.Fatal(err)
	}
	return billing.ChargeRequest{
		Key: "charge_" + attempt, AttemptID: attempt, InvoiceID: "inv_" + attempt, Customer: "customer1", Method: token,
		Amount: money.Must(3000, "EUR"), Description: "Invoice INV-2026-000042",
	}
}

// TestA5LostAnswerOfACapture: the payer agreed, PayPal took the money, we never
// heard of it; the next look finds it, and nothing is taken twice.
func TestA5LostAnswerOfACapture(t *testing.T) {
	for _, kind := range []fault.Kind{fault.LostAnswer, fault.After500, fault.Truncated, fault.RefuseConn, fault.HTML502} {
		s := newStage(t)
		p := s.open(t, "a1")
		if err := s.box.Approve(p.Reference, "works@payer.example"); err != nil {
			t.Fatal(err)
		}
		s.faults.Add(fault.Fault{Match: "POST /v2/checkout/orders/" + p.Reference + "/capture", Kind: kind, Times: 2})
		r, err := s.client.ReadPage(t.Context(), p.Reference)
		for range 3 {
			if err == nil {
				break
			}
			if !errors.Is(err, billing.ErrOutcomeUnknown) {
				t.Errorf("%s: got %v, want ErrOutcomeUnknown", kind, err)
			}
			r, err = s.client.ReadPage(t.Context(), p.Reference)
		}
		if err != nil || r.State != billing.PaymentSucceeded || s.taken("inv_a1") != 1 {
			t.Errorf("%s: got %+v, %v and %d payments, want one", kind, r, err, s.taken("inv_a1"))
		}
	}
}

// TestA5CaptureIsRepeatedWithItsRequestID: two tries of one approval are one
// request to PayPal; a new approval after a decline is another.
func TestA5CaptureIsRepeatedWithItsRequestID(t *testing.T) {
	w := &witness{}
	s := newStageOn(t, w)
	p := s.open(t, "a1")
	ids := func() []string { return w.headers("/capture", "Paypal-Request-Id") }
	if err := s.pay(t.Context(), p.Reference, gatewaytest.CardSoftDecline); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the watching timer looks again
		if _, err := s.client.ReadPage(t.Context(), p.Reference); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.pay(t.Context(), p.Reference, gatewaytest.CardWorks); err != nil {
		t.Fatal(err)
	}
	got := ids()
	if len(got) != 4 || got[0] == "" || got[0] != got[1] || got[1] != got[2] || got[3] == got[0] {
		t.Errorf("got request ids %q, want three alike and another", got)
	}
	if n := s.taken("inv_a1"); n != 1 {
		t.Errorf("money was taken %d times, want once", n)
	}
}

// TestA5ChargeAfterTheKeyIsForgotten: the outcome of a charge is unknown for
// longer than PayPal remembers request ids. The attempt's invoice_id is refused,
// and the payment is found in transaction search.
func TestA5ChargeAfterTheKeyIsForgotten(t *testing.T) {
	s := newStage(t)
	r := s.saved(t, "a1", "works@payer.example")
	s.faults.Add(fault.Fault{Match: "POST /v2/checkout/orders", Kind: fault.LostAnswer, Times: 2})
	if _, err := s.client.Charge(t.Context(), r); !errors.Is(err, billing.ErrOutcomeUnknown) {
		t.Fatalf("got %v, want ErrOutcomeUnknown", err)
	}
	s.faults.Clear()
	s.clock.Advance(2 * 24 * time.Hour)
	got, err := s.client.Charge(t.Context(), r)
	if err != nil || got.State != billing.PaymentSucceeded || got.Reference == "" || got.AttemptID != "a1" {
		t.Errorf("two days later: got %+v, %v, want the payment that was made", got, err)
	}
	if n := s.taken("inv_a1"); n != 1 {
		t.Errorf("money was taken %d times, want once", n)
	}
}

// TestA5ChargeNotInTheBooksYet: PayPal's books lag; until they show the payment
// its outcome stays unknown, and is never charged again.
func TestA5ChargeNotInTheBooksYet(t *testing.T) {
	s := newStage(t)
	r := s.saved(t, "a1", "works@payer.example")
	if _, err := s.client.Charge(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	r.Key = "another_key_of_the_same_attempt"
	if got, err := s.client.Charge(t.Context(), r); !errors.Is(err, billing.ErrOutcomeUnknown) {
		t.Errorf("at once: got %+v, %v, want ErrOutcomeUnknown", got, err)
	}
	s.clock.Advance(4 * time.Hour)
	if got, err := s.client.Charge(t.Context(), r); err != nil || got.State != billing.PaymentSucceeded {
		t.Errorf("when the books show it: got %+v, %v, want succeeded", got, err)
	}
	if n := s.taken("inv_a1"); n != 1 {
		t.Errorf("money was taken %d times, want once", n)
	}
}

// TestA6ReturnAndWebhookAtOnce: the payer's return and the webhook race to
// capture one order; all of them report the same payment.
func TestA6ReturnAndWebhookAtOnce(t *testing.T) {
	s := newStage(t)
	other := s.with(t, s.client.config) // another process: no lock in common
	p := s.open(t, "a1")
	if err := s.box.Approve(p.Reference, "works@payer.example"); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	references := map[string]int{}
	var wg sync.WaitGroup
	for i := range 12 {
		c := s.client
		if i%2 == 0 {
			c = other
		}
		wg.Go(func() {
			r, err := c.ReadPage(t.Context(), p.Reference)
			for errors.Is(err, billing.ErrOutcomeUnknown) {
				r, err = c.ReadPage(t.Context(), p.Reference)
			}
			mu.Lock()
			defer mu.Unlock()
			if references[r.Reference]++; err != nil || r.State != billing.PaymentSucceeded {
				t.Errorf("got %+v, %v, want succeeded", r, err)
			}
		})
	}
	wg.Wait()
	s.flush(t)
	for _, w := range s.inbox.list() {
		if r, ok, err := s.client.PaymentOf(w.Body); err != nil {
			t.Error(err)
		} else if ok && r.Reference != "" {
			references[r.Reference]++
		}
	}
	if len(references) != 1 || s.taken("inv_a1") != 1 {
		t.Errorf("got the payments %v, want one by whatever door", references)
	}
}

// TestB4LateEventAfterSuccess: events come in any order; what is read back stays
// a success, and an old event about an approval asks to read instead of telling.
func TestB4LateEventAfterSuccess(t *testing.T) {
	s := newStage(t)
	p := s.open(t, "a1")
	if err := s.pay(t.Context(), p.Reference, gatewaytest.CardSlow); err != nil {
		t.Fatal(err)
	}
	s.box.Settle()
	s.flush(t)
	all := s.inbox.list()
	for i := len(all) - 1; i >= 0; i-- { // the newest first
		e, err := s.client.ParseWebhook(all[i].Body, all[i].Header, s.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		if e.Type == approved && !e.Refetch {
			t.Errorf("%s is believed, want it read back", e.Type)
		}
		r, ok, err := s.client.PaymentOf(all[i].Body)
		if err != nil || !ok {
			continue
		}
		if r.State != billing.PaymentSucceeded { // late news of how it stood before
			if r, err = s.client.ReadPayment(t.Context(), e.Object); err != nil || r.State != billing.PaymentSucceeded {
				t.Errorf("%s: read back: got %+v, %v, want succeeded", e.Type, r, err)
			}
		}
	}
	if n := s.taken("inv_a1"); n != 1 {
		t.Errorf("money was taken %d times, want once", n)
	}
}

// TestB4RefundIsNoFailure: a refund later does not make the payment undone.
func TestB4RefundIsNoFailure(t *testing.T) {
	s := newStage(t)
	paid, err := s.client.Charge(t.Context(), s.saved(t, "a1", "works@payer.example"))
	if err != nil {
		t.Fatal(err)
	}
	s.box.Reverse(paid.Reference)
	if r, err := s.client.ReadPayment(t.Context(), paid.Reference); err != nil || r.State != billing.PaymentSucceeded || r.Amount != paid.Amount {
		t.Errorf("got %+v, %v, want the payment as it was", r, err)
	}
}

// TestB5GenuineBytesVerify: names with "&" and "<", odd spacing, control
// characters and other alphabets, verified offline and by PayPal's own check.
func TestB5GenuineBytesVerify(t *testing.T) {
	s := newStage(t)
	for _, online := range []bool{false, true} {
		if online {
			s.faults.Add(fault.Fault{Match: "GET /v1/notifications/certs/", Kind: fault.Unavailable})
		}
		c := s.with(t, s.client.config) // one that knows no certificate yet
		for _, body := range []string{
			`{"id":"WH-1","event_type":"X","event_version":"1.0","create_time":"2026-01-31T12:00:00Z","resource":{"payer":"Smith & Co <kim>"}}`,
			"{\n\t\"id\" : \"WH-2\" ,\r\n \"event_type\":\"X\",\"event_version\":\"1.0\",\"create_time\":\"2026-01-31T12:00:00Z\" }",
			`{"id":"WH-3","event_type":"X","event_version":"1.0","create_time":"2026-01-31T12:00:00Z","resource":{"name":"Jörg \u00fc 株式会社 \\ \/ \u2028"}}`,
			`{"event_type":"X","id":"WH-4","amount":1.10,"big":12345678901234567890,"event_version":"1.0","create_time":"2026-01-31T12:00:00Z"}`,
		} {
			if _, err := c.ParseWebhook([]byte(body), s.box.SignedHeader([]byte(body), s.clock.Now()), s.clock.Now()); err != nil {
				t.Errorf("online %t: %s: %v", online, body, err)
			}
			forged := strings.Replace(body, "WH-", "WH-9", 1)
			if _, err := c.ParseWebhook([]byte(forged), s.box.SignedHeader([]byte(body), s.clock.Now()), s.clock.Now()); !errors.Is(err, billing.ErrBadSignature) {
				t.Errorf("online %t: forged: got %v, want ErrBadSignature", online, err)
			}
		}
	}
}

// TestB6Pending: money under way is neither success nor failure, by every door,
// and ends either way.
func TestB6Pending(t *testing.T) {
	for payer, end := range map[string]billing.PaymentState{
		"echeck@payer.example": billing.PaymentSucceeded, "review@payer.example": billing.PaymentSucceeded, "echeck-fails@payer.example": billing.PaymentDeclined,
	} {
		s := newStage(t)
		got, err := s.client.Charge(t.Context(), s.saved(t, "a1", payer))
		if err != nil || got.State != billing.PaymentPending || got.Reference == "" || got.Reason == "" {
			t.Fatalf("%s: got %+v, %v, want pending with a reason", payer, got, err)
		}
		if read, err := s.client.ReadPayment(t.Context(), got.Reference); err != nil || read.State != billing.PaymentPending {
			t.Errorf("%s, read: got %+v, %v, want pending", payer, read, err)
		}
		s.box.Settle()
		read, err := s.client.ReadPayment(t.Context(), got.Reference)
		if err != nil || read.State != end || read.AttemptID != "a1" || (end == billing.PaymentDeclined) != (read.Decline != billing.DeclineNone) {
			t.Errorf("%s, settled: got %+v, %v, want %s", payer, read, err, end)
		}
	}
}

// TestK1OnlyThePayersAgreementPays: what a browser brings back is an id and
// nothing more. An order nobody agreed to, one of another attempt, one that was
// closed or has expired is never captured.
func TestK1OnlyThePayersAgreementPays(t *testing.T) {
	s := newStage(t)
	untouched, closed, late := s.open(t, "a1"), s.open(t, "a2"), s.open(t, "a3")
	if r, err := s.client.ReadPage(t.Context(), untouched.Reference); err != nil || r.State != billing.PaymentOpen {
		t.Errorf("nobody agreed: got %+v, %v, want it open", r, err)
	}
	if _, err := s.client.ClosePage(t.Context(), closed.Reference); err != nil {
		t.Fatal(err)
	}
	for _, p := range []billing.Page{closed, late} {
		if p == late {
			s.clock.Advance(33 * time.Minute)
		}
		if err := s.box.Approve(p.Reference, "works@payer.example"); err != nil {
			t.Fatal(err)
		}
		if r, err := s.client.ReadPage(t.Context(), p.Reference); err != nil || r.State != billing.PaymentCancelled {
			t.Errorf("page %s: got %+v, %v, want cancelled", p.Reference, r, err)
		}
	}
	if all := s.box.Payments(); len(all) != 0 {
		t.Errorf("got the payments %+v, want none", all)
	}
}

// TestK1ReportsNameTheirOwn: amount, currency and invoice come from PayPal, and
// an order of somebody else's making names no attempt of ours.
func TestK1ReportsNameTheirOwn(t *testing.T) {
	for custom, want := range map[string]string{"att_1.inv_1": "att_1", "att_1": "", "": "", "WHMCS-4711": ""} {
		o := wireOrder{ID: "5O190127TN364715T", Status: "COMPLETED", Created: wireTime{time.Unix(1, 0)}, Units: []wireUnit{{CustomID: custom, Amount: wireMoney{"EUR", "5.00"}}}}
		o.Units[0].Payments.Captures = []wireCapture{{ID: "3C679366HH908993F", Status: "COMPLETED", Amount: wireMoney{"USD", "4.00"}, Created: wireTime{time.Unix(1, 0)}}}
		r, err := reportOrder(o, time.Time{})
		if err != nil || r.AttemptID != want || r.Amount != money.Must(400, "USD") {
			t.Errorf("custom id %q: got %+v, %v, want attempt %q and what was captured", custom, r, err, want)
		}
	}
}

// witness keeps the requests that pass.
type witness struct {
	mu  sync.Mutex
	all []*http.Request
	out []json.RawMessage
}

func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	body := []byte{}
	if r.Body != nil {
		var buffer bytes.Buffer
		if _, err := buffer.ReadFrom(r.Body); err != nil {
			return nil, fmt.Errorf("read request: %w", err)
		}
		body = buffer.Bytes()
		r = r.Clone(r.Context())
		r.Body = http.NoBody
		if len(body) > 0 {
			r.Body = readCloser{bytes.NewReader(body)}
		}
	}
	w.mu.Lock()
	w.all, w.out = append(w.all, r), append(w.out, body)
	w.mu.Unlock()
	return http.DefaultTransport.RoundTrip(r)
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

// headers lists one header of the requests whose path ends so.
func (w *witness) headers(end, name string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	found := []string{}
	for _, r := range w.all {
		if strings.HasSuffix(r.URL.Path, end) {
			found = append(found, r.Header.Get(name))
		}
	}
	return found
}
