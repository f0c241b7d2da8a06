// Package gatewaytest is the contract of billing.Gateway as a test suite. Every
// adapter runs it against its sandbox, so that the engine may rely on the same
// promises whichever gateway a company uses: repeats with one key have one
// effect, lost answers are told apart from refusals, and nothing unsigned is
// believed. The suite knows no gateway; a Harness brings one.
package gatewaytest

import (
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// Card is a payment method by how it behaves. The harness knows which number of
// its gateway does so.
type Card string

// The cards. Saved means: charged later without the customer.
const (
	CardWorks       Card = "works"
	CardSoftDecline Card = "soft decline" // such as insufficient funds
	CardHardDecline Card = "hard decline" // such as a lost card
	CardNeedsAction Card = "needs action" // saved, it asks for the customer
	CardSlow        Card = "slow"         // a delayed method: pending, then succeeded by Settle
	CardSlowDecline Card = "slow decline" // a delayed method that fails in Settle
)

// Call names a method of the gateway that a fault can hit.
type Call string

// The calls that faults can hit.
const (
	CallCustomer    Call = "EnsureCustomer"
	CallOpenPage    Call = "OpenPage"
	CallReadPage    Call = "ReadPage"
	CallClosePage   Call = "ClosePage"
	CallCharge      Call = "Charge"
	CallReadPayment Call = "ReadPayment"
	CallMethods     Call = "Methods"
)

// Fault is a way in which the gateway misbehaves.
type Fault string

// The faults. Those with an effect do the work and spoil the answer.
const (
	LostAnswer  Fault = "lost answer"      // effect, connection cut
	After500    Fault = "500 after effect" // effect
	Truncated   Fault = "truncated JSON"   // effect, half an answer
	RefuseConn  Fault = "connection cut"   // no effect
	Error500    Fault = "500"              // no effect
	HTML502     Fault = "502 HTML"         // no effect, a proxy's page
	Unavailable Fault = "503"              // no effect
	RateLimited Fault = "429"              // no effect
	Slow        Fault = "slow answer"      // effect, seconds later
)

// Webhook is one delivery as it arrived.
type Webhook struct {
	Body   []byte
	Header map[string][]string
}

// Traits are what gateways may do differently without breaking a promise. The
// zero value is a card gateway with customers of its own.
type Traits struct {
	// NoCustomers: customers are names only, EnsureCustomer calls nobody.
	NoCustomers bool
	// SilentDeclines: a declined try leaves no payment and no event behind.
	SilentDeclines bool
	// TakesCents: the smallest unit of a currency can be charged.
	TakesCents bool
	// KeyLife is how long idempotency keys are remembered; 0 is longer than any
	// test takes.
	KeyLife time.Duration
	// SignatureLife is how old a webhook's signature may be; 0 is five minutes.
	SignatureLife time.Duration
	// MaxMethods is how many methods a customer may save; 0 is more than 130.
	MaxMethods int
	// Wallet is the kind of saved methods that are no cards.
	Wallet string
}

// Harness is a gateway on its sandbox. All fields but Traits and More are
// required.
type Harness struct {
	Traits Traits
	// More is what the suites of a gateway's further abilities need.
	More    More
	Gateway billing.Gateway
	// WrongKey is the same gateway with a key the sandbox does not know,
	// NoSecret one without a webhook secret.
	WrongKey, NoSecret billing.Gateway
	// Now is the clock of gateway and sandbox, Advance moves it.
	Now     func() time.Time
	Advance func(time.Duration)
	// PayPage does what a customer does on a page, confirmations included. It
	// fails where the sandbox shows no page to pay.
	PayPage func(reference string, c Card) error
	// SaveMethod gives a customer a saved method.
	SaveMethod func(customer string, c Card) (method string, err error)
	// Settle ends delayed payments.
	Settle func()
	// Fault makes the next times uses of a call misbehave.
	Fault func(c Call, f Fault, times int)
	// Taken counts how often money was really taken for an invoice.
	Taken func(invoiceID string) int
	// Customers and Pages count what exists at the gateway.
	Customers, Pages func() int
	// Webhooks waits for the deliveries under way and returns all so far.
	Webhooks func() []Webhook
	// Sign signs a body as the gateway would at a time.
	Sign func(body []byte, at time.Time) map[string][]string
	// OtherVersion rewrites a body as another API version of the gateway.
	OtherVersion func(body []byte) []byte
}

// Run runs the suite; each test gets a fresh harness.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	tests := []struct {
		name string
		run  func(t *testing.T, h Harness)
	}{
		{"one key makes one customer", testCustomer},
		{"one key makes one page", testPageOnce},
		{"the sides of a page's life", testExpiryLimits},
		{"a paid page reads the same everywhere", testPaidPage},
		{"a declined page stays open", testDeclinedPage},
		{"a delayed payment is pending, then ends", testDelayedPage},
		{"closing an open page", testCloseOpen},
		{"closing a paid page", testClosePaid},
		{"closing an expired page", testCloseExpired},
		{"closing in spite of a lost answer", testCloseLost},
		{"a page nobody knows", testUnknownPage},
		{"charging a saved method", testCharge},
		{"a soft decline", testSoftDecline},
		{"a hard decline", testHardDecline},
		{"a charge that needs the customer", testNeedsAction},
		{"charging a delayed method", testDelayedCharge},
		{"one key charges once in spite of faults", testChargeFaults},
		{"a new key is a new charge", testNewKey},
		{"one key, another amount", testKeyReused},
		{"calls that cannot be right", testBadCalls},
		{"saved methods", testMethods},
		{"more methods than one page", testManyMethods},
		{"reads that fail", testReadFaults},
		{"writes that fail", testWriteFaults},
		{"a wrong key", testWrongKey},
		{"contexts are respected", testContext},
		{"the configuration works", testCheck},
		{"genuine webhooks", testWebhooks},
		{"webhooks that are not believed", testBadWebhooks},
		{"webhooks of another version", testOtherVersion},
		{"webhooks without a secret", testNoSecret},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
	runMore(t, open)
}

// customer makes the customer most tests need.
func (h Harness) customer(t *testing.T) string {
	t.Helper()
	id, err := h.Gateway.EnsureCustomer(t.Context(), "customer_u1", "u1", "kim@example.com", "Kim Example")
	if err != nil {
		t.Fatalf("EnsureCustomer: %v", err)
	}
	return id
}

// page is a request for a page of 19.99 EUR.
func (h Harness) page(customer, attempt string) billing.PageRequest {
	return billing.PageRequest{
		Key: "page_" + attempt, AttemptID: attempt, InvoiceID: "inv_" + attempt, Customer: customer, Email: "kim@example.com",
		Amount: money.Must(1999, "EUR"), Description: "Invoice INV-2026-000001", SaveMethod: true,
		ReturnURL: "https://portal.example/return?attempt=" + attempt, CancelURL: "https://portal.example/invoices",
		ExpiresAt: h.Now().Add(2 * time.Hour), Locale: "de",
	}
}

func (h Harness) open(t *testing.T, r billing.PageRequest) billing.Page {
	t.Helper()
	p, err := h.Gateway.OpenPage(t.Context(), r)
	if err != nil {
		t.Fatalf("OpenPage: %v", err)
	}
	return p
}

func (h Harness) pay(t *testing.T, reference string, c Card) {
	t.Helper()
	if err := h.PayPage(reference, c); err != nil {
		t.Fatalf("pay page %s with a card that %s: %v", reference, c, err)
	}
}

// saved gives a new customer a method and asks to charge it 30.00 EUR.
func (h Harness) saved(t *testing.T, attempt string, c Card) billing.ChargeRequest {
	t.Helper()
	customer := h.customer(t)
	method, err := h.SaveMethod(customer, c)
	if err != nil {
		t.Fatalf("save a card that %s: %v", c, err)
	}
	return billing.ChargeRequest{
		Key: "charge_" + attempt, AttemptID: attempt, InvoiceID: "inv_" + attempt, Customer: customer,
		Method: method, Amount: money.Must(3000, "EUR"), Description: "Invoice INV-2026-000002",
	}
}

// events returns the payment reports of all genuine deliveries so far.
func (h Harness) events(t *testing.T) []billing.PaymentReport {
	t.Helper()
	reports := []billing.PaymentReport{}
	for _, w := range h.Webhooks() {
		if _, err := h.Gateway.ParseWebhook(w.Body, w.Header, h.Now()); err != nil {
			t.Fatalf("ParseWebhook: %v", err)
		}
		r, ok, err := h.Gateway.PaymentOf(w.Body)
		if err != nil {
			t.Fatalf("PaymentOf: %v", err)
		}
		if ok {
			reports = append(reports, r)
		}
	}
	return reports
}

// eventFor returns the last webhook report about a payment in a state.
func (h Harness) eventFor(t *testing.T, reference string, s billing.PaymentState) billing.PaymentReport {
	t.Helper()
	var found billing.PaymentReport
	for _, r := range h.events(t) {
		if r.Reference == reference && r.State == s {
			found = r
		}
	}
	if found.Reference == "" {
		t.Fatalf("no webhook says that payment %s is %s", reference, s)
	}
	return found
}

// wantSame compares what must agree whoever reports. A webhook may know less
// about page, customer and method than a read.
func wantSame(t *testing.T, what string, got, want billing.PaymentReport) {
	t.Helper()
	optional := func(name, got, want string) {
		t.Helper()
		if got != "" && want != "" && got != want {
			t.Errorf("%s: got %s %q, want %q", what, name, got, want)
		}
	}
	exact := func(name, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %s %q, want %q", what, name, got, want)
		}
	}
	exact("reference", got.Reference, want.Reference)
	exact("attempt", got.AttemptID, want.AttemptID)
	exact("invoice", got.InvoiceID, want.InvoiceID)
	exact("state", string(got.State), string(want.State))
	exact("amount", got.Amount.String(), want.Amount.String())
	optional("page", got.PageReference, want.PageReference)
	optional("customer", got.Customer, want.Customer)
	optional("method", got.Method, want.Method)
	if got.At.IsZero() {
		t.Errorf("%s: the report has no time", what)
	}
}
