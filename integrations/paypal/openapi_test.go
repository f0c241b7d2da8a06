package paypal

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/billing/gatewaytest"
	"github.com/ezscale/ezscale/engine/money"
)

// vendorDocuments lie beside the repository where they are present at all; what
// the product needs of them is stated in this package and in paypalbox.
const vendorDocuments = "../../../shared/contracts/paypal-*.json"

// undocumented are the calls for which PayPal publishes no description.
var undocumented = []string{"/v1/oauth2/token", "/v1/reporting/transactions", "/v1/payments/sale/", "/v1/payments/refund/", "/v1/notifications/certs/"}

// checker compares what passes by with PayPal's OpenAPI documents: our requests
// and the sandbox's answers with their schemas.
type checker struct {
	next    http.RoundTripper
	routers []routers.Router

	mu       sync.Mutex
	seen     map[string]bool
	problems map[string]bool
}

func (c *checker) RoundTrip(r *http.Request) (*http.Response, error) {
	in, err := c.request(r)
	if err != nil {
		return nil, err
	}
	res, err := c.next.RoundTrip(r)
	if err != nil || in == nil {
		return res, err
	}
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(raw))
	answer := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: res.StatusCode, Header: res.Header, Options: in.Options}
	answer.SetBodyBytes(raw)
	if err := openapi3filter.ValidateResponse(r.Context(), answer); err != nil {
		c.note("answer %d to %s %s: %s", res.StatusCode, r.Method, r.URL.Path, firstLine(err))
	}
	return res, nil
}

// request checks a request; nil for one that no document describes.
func (c *checker) request(r *http.Request) (*openapi3filter.RequestValidationInput, error) {
	var body []byte
	if r.Body != nil && r.Body != http.NoBody {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	for _, router := range c.routers {
		route, params, err := router.FindRoute(r)
		if err != nil {
			continue
		}
		c.mu.Lock()
		c.seen[route.Method+" "+route.Path] = true
		c.mu.Unlock()
		in := &openapi3filter.RequestValidationInput{
			Request: r, PathParams: params, Route: route,
			Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, SkipSettingDefaults: true},
		}
		// One pattern of the webhooks' document is not RE2 and cannot be checked.
		if err := openapi3filter.ValidateRequest(r.Context(), in); err != nil && !strings.Contains(err.Error(), "unsupported Perl syntax") {
			c.note("request %s %s: %s", r.Method, r.URL.Path, firstLine(err))
		}
		r.Body = http.NoBody
		if len(body) > 0 {
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		return in, nil
	}
	for _, path := range undocumented {
		if strings.HasPrefix(r.URL.Path, path) {
			return nil, nil
		}
	}
	c.note("no document describes %s %s", r.Method, r.URL.Path)
	return nil, nil
}

// firstLine leaves out the schema, which fills pages.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

func TestAgainstPayPalsDocuments(t *testing.T) {
	names, err := filepath.Glob(vendorDocuments)
	if err != nil || len(names) == 0 {
		t.Log("PayPal's documents are not present: this additional check does not run")
		return
	}
	check := &checker{next: &http.Transport{}, seen: map[string]bool{}, problems: map[string]bool{}}
	s := newStageOn(t, check)
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := openapi3.NewLoader().LoadFromData(raw)
		if err != nil {
			t.Fatalf("load %s: %v", name, err)
		}
		doc.Tags = nil // one document names a tag twice
		doc.Servers = openapi3.Servers{{URL: s.url}}
		router, err := legacy.NewRouter(doc, openapi3.DisableExamplesValidation(), openapi3.DisableSchemaDefaultsValidation(), openapi3.DisableSchemaPatternValidation())
		if err != nil {
			t.Fatalf("read %s: %v", name, err)
		}
		check.routers = append(check.routers, router)
	}
	everyCall(t, s)
	for p := range check.problems {
		t.Error(p)
	}
	if len(check.seen) < 20 {
		t.Errorf("only %d operations were seen: %v", len(check.seen), check.seen)
	}
}

// everyCall makes each call of the adapter, so that all are checked.
func everyCall(t *testing.T, s *stage) {
	t.Helper()
	ctx, c := t.Context(), s.client
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	must("Check", c.Check(ctx))
	p, closed := s.open(t, "a1"), s.open(t, "a2")
	must("pay", s.pay(ctx, p.Reference, gatewaytest.CardSoftDecline))
	must("pay", s.pay(ctx, p.Reference, gatewaytest.CardWorks))
	_, err := c.ClosePage(ctx, closed.Reference)
	must("ClosePage", err)
	paid, err := c.Charge(ctx, s.saved(t, "a3", "works@payer.example"))
	must("Charge", err)
	_, err = c.Charge(ctx, s.saved(t, "a4", "declined@payer.example"))
	must("Charge declined", err)
	_, err = c.Charge(ctx, s.saved(t, "a5", "echeck@payer.example"))
	must("Charge pending", err)
	_, err = c.ReadPayment(ctx, paid.Reference)
	must("ReadPayment", err)
	r, err := c.Refund(ctx, billing.RefundRequest{Key: "r1", RefundID: "r1", Payment: paid.Reference, Amount: money.Must(1000, "EUR"), Note: "sorry"})
	must("Refund", err)
	_, err = c.ReadRefund(ctx, r.ID)
	must("ReadRefund", err)
	methods, err := c.Methods(ctx, "customer1")
	must("Methods", err)
	must("RemoveMethod", c.RemoveMethod(ctx, "customer1", methods[0].ID))
	id, err := s.box.Dispute(paid.Reference, "UNAUTHORISED")
	must("dispute", err)
	_, err = c.ReadDispute(ctx, id)
	must("ReadDispute", err)
	must("Disputes", c.Disputes(ctx, s.clock.Now().Add(-time.Hour), func(billing.Dispute) error { return nil }))
	body := []byte(`{"id":"WH-1","event_type":"X","event_version":"1.0","create_time":"2026-01-31T12:00:00Z"}`)
	header, err := readTransmission(s.box.SignedHeader(body, s.clock.Now()))
	must("headers", err)
	must("verifyOnline", c.verifyOnline(ctx, header, body, io.EOF))
	everyAgreementCall(t, s, must)
}

func everyAgreementCall(t *testing.T, s *stage, must func(string, error)) {
	t.Helper()
	ctx, c := t.Context(), s.client
	ask := billing.AgreementRequest{
		Key: "g1", SubscriptionID: "s1", Plan: s.box.AddPlan("EUR", 999, 30), Price: money.Must(899, "EUR"), StartAt: s.clock.Now().Add(time.Hour), Email: "kim@example.com",
		ReturnURL: "https://portal.example/return", CancelURL: "https://portal.example/cancel", Locale: "de",
	}
	a, err := c.OpenAgreement(ctx, ask)
	must("OpenAgreement", err)
	must("agree", s.box.Agree(a.ID, "declined@payer.example"))
	s.box.Bill(a.ID)
	_, err = c.ReviseAgreement(ctx, a.ID, ask)
	must("ReviseAgreement", err)
	must("CaptureOutstanding", c.CaptureOutstanding(ctx, "o1", a.ID, money.Must(899, "EUR"), "owed"))
	must("Suspend", c.SuspendAgreement(ctx, a.ID, "unpaid"))
	must("Resume", c.ResumeAgreement(ctx, a.ID, "paid"))
	_, err = c.AgreementPayments(ctx, a.ID, s.clock.Now().Add(-time.Hour), s.clock.Now().Add(time.Hour))
	must("AgreementPayments", err)
	must("Cancel", c.CancelAgreement(ctx, a.ID, "moved"))
}

func (c *checker) note(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.problems[fmt.Sprintf(format, args...)] = true
}
