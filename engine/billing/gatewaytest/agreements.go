package gatewaytest

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

var agreementTests = map[string]func(t *testing.T, h Harness){
	"opened once, agreed, billed": testAgreement,
	"suspended and cancelled":     testAgreementEnd,
	"revised by consent":          testAgreementRevise,
	"what is owed":                testAgreementDebt,
	"through faults":              testAgreementFaults,
}

// followTests are about agreements that are there, however they were begun.
var followTests = map[string]func(t *testing.T, h Harness){
	"its terms and payments":         testFollow,
	"a payment that fails":           testFollowFailure,
	"ended, what is paid stays paid": testFollowEnd,
	"suspended, resumed, cancelled":  testFollowStop,
	"ended through faults":           testFollowFaults,
}

func testFollow(t *testing.T, h Harness) {
	g, begin := as[billing.GatewaySubscriptions](t, h), h.Now()
	id := h.More.Imported(CardWorks)
	a := h.agreementIs(t, id, billing.AgreementActive)
	if a.Ends || a.Failing() || a.Plan == "" || a.Price != money.Must(999, "EUR") || a.NextPayment.Before(begin) || a.Customer == "" && a.Email == "" || a.At.IsZero() {
		t.Errorf("got %+v, want 9.99 EUR by somebody, and when it is due next", a)
	}
	if f := h.fact(t, billing.FactAgreement); f.Agreement != id || f.Object != id {
		t.Errorf("got %+v, want a fact about agreement %s", f, id)
	}
	h.followPayment(t, g, a, begin)
}

// followPayment lets the next payment of an agreement be due.
func (h Harness) followPayment(t *testing.T, g billing.GatewaySubscriptions, a billing.Agreement, begin time.Time) {
	t.Helper()
	id := a.ID
	h.Advance(30 * 24 * time.Hour)
	h.More.Bill(id)
	h.Advance(time.Second)
	payments, err := g.AgreementPayments(t.Context(), id, begin.Add(time.Hour), h.Now())
	if err != nil || len(payments) != 1 || payments[0].Agreement != id || payments[0].State != billing.PaymentSucceeded || payments[0].Amount != a.Price || payments[0].Reference == "" {
		t.Fatalf("AgreementPayments: got %+v, %v, want one", payments, err)
	}
	if p := payments[0].Period; p != (billing.Period{}) && !p.Start.Equal(a.NextPayment) {
		t.Errorf("it pays for %s, want what begins at %s", p, a.NextPayment)
	}
	if got := h.agreementPayment(t, payments[0].Reference); got != payments[0] {
		t.Errorf("AgreementPaymentOf: got %+v, want %+v", got, payments[0])
	}
	if f := h.named(t, billing.FactAgreementPayment); f.Agreement != id || f.Payment != payments[0].Reference {
		t.Errorf("got %+v, want a fact about payment %s of %s", f, payments[0].Reference, id)
	}
	if later := h.agreementIs(t, id, billing.AgreementActive); !later.NextPayment.After(a.NextPayment) {
		t.Errorf("after a payment the next is due %s, before it was %s", later.NextPayment, a.NextPayment)
	}
}

// named is the last fact of a kind, whatever the age of the delivery.
func (h Harness) named(t *testing.T, kind billing.FactKind) (found billing.Fact) {
	t.Helper()
	for _, w := range h.Webhooks() {
		f, ok, err := as[billing.WebhookFacts](t, h).FactOf(w.Body)
		if err != nil {
			t.Errorf("FactOf: %v", err)
		}
		if ok && f.Kind == kind {
			found = f
		}
	}
	return found
}

func testFollowFailure(t *testing.T, h Harness) {
	g, begin := as[billing.GatewaySubscriptions](t, h), h.Now()
	id := h.More.Imported(CardSoftDecline)
	h.Advance(30 * 24 * time.Hour)
	h.More.Bill(id)
	h.Advance(time.Second)
	a, err := g.ReadAgreement(t.Context(), id)
	if err != nil || !a.Failing() || a.Outstanding.Sign() <= 0 || a.Ends {
		t.Errorf("got %+v, %v, want what is owed", a, err)
	}
	payments, err := g.AgreementPayments(t.Context(), id, begin, h.Now())
	for _, p := range payments {
		if p.State == billing.PaymentSucceeded {
			t.Errorf("got %+v, want no payment", p)
		}
	}
	if err != nil {
		t.Errorf("AgreementPayments: %v", err)
	}
}

func testFollowEnd(t *testing.T, h Harness) {
	g, begin := as[billing.GatewaySubscriptions](t, h), h.Now()
	id := h.More.Imported(CardWorks)
	for range 2 {
		a, err := g.EndAgreement(t.Context(), id, "moved to saved methods")
		if err != nil || !a.Ends || !a.NextPayment.IsZero() {
			t.Fatalf("EndAgreement: got %+v, %v, want no further payment", a, err)
		}
		if !a.PaidThrough.IsZero() && !a.PaidThrough.After(h.Now()) {
			t.Errorf("paid through %s, want what is paid to stay", a.PaidThrough)
		}
	}
	h.Advance(40 * 24 * time.Hour)
	h.More.Bill(id)
	if payments, err := g.AgreementPayments(t.Context(), id, begin.Add(time.Hour), h.Now()); err != nil || len(payments) != 0 {
		t.Errorf("AgreementPayments: got %+v, %v, want none after the end", payments, err)
	}
	a, err := g.EndAgreement(t.Context(), id, "again")
	if err != nil || a.State != billing.AgreementCancelled && a.State != billing.AgreementExpired {
		t.Errorf("EndAgreement of what has ended: got %+v, %v", a, err)
	}
	if _, err := g.EndAgreement(t.Context(), "../x", "no"); !errors.Is(err, billing.ErrGatewayRefused) {
		t.Errorf("got %v, want ErrGatewayRefused", err)
	}
}

func testFollowStop(t *testing.T, h Harness) {
	stopAndGo(t, h, h.More.Imported(CardWorks))
}

func testFollowFaults(t *testing.T, h Harness) {
	g := as[billing.GatewaySubscriptions](t, h)
	for _, f := range everyFault {
		id := h.More.Imported(CardWorks)
		h.Fault(CallEnd, f, 2)
		a, err := billing.Agreement{}, errors.New("not tried")
		for range 5 {
			if a, err = g.EndAgreement(t.Context(), id, "test"); err == nil {
				break
			}
			if !errors.Is(err, billing.ErrOutcomeUnknown) && !errors.Is(err, billing.ErrGatewayTemporary) {
				t.Errorf("%s: got %v", f, err)
			}
		}
		if err != nil || !a.Ends {
			t.Errorf("%s: got %+v, %v in the end", f, a, err)
		}
	}
}

func (h Harness) agreementRequest(id string) billing.AgreementRequest {
	return billing.AgreementRequest{
		Key: "agreement_" + id, SubscriptionID: id, Plan: h.More.Plan(), Email: "kim@example.com",
		ReturnURL: "https://portal.example/return", CancelURL: "https://portal.example/cancel", Locale: "de",
	}
}

// agreed opens an agreement that a card's holder agreed to.
func (h Harness) agreed(t *testing.T, id string, c Card) billing.Agreement {
	t.Helper()
	g := as[billing.AgreementOpener](t, h)
	a, err := g.OpenAgreement(t.Context(), h.agreementRequest(id))
	if err != nil {
		t.Fatalf("OpenAgreement: %v", err)
	}
	h.More.Agree(a.ID, c)
	return h.agreementIs(t, a.ID, billing.AgreementActive)
}

func (h Harness) agreementIs(t *testing.T, id string, state billing.AgreementState) billing.Agreement {
	t.Helper()
	a, err := as[billing.GatewaySubscriptions](t, h).ReadAgreement(t.Context(), id)
	if err != nil || a.State != state || a.ID != id {
		t.Errorf("ReadAgreement: got %+v, %v, want %s %s", a, err, id, state)
	}
	return a
}

func testAgreement(t *testing.T, h Harness) {
	g, r := as[billing.AgreementOpener](t, h), h.agreementRequest("s1")
	first, err := g.OpenAgreement(t.Context(), r)
	if err != nil || first.ApproveURL == "" {
		t.Fatalf("OpenAgreement: got %+v, %v, want where the payer agrees", first, err)
	}
	want := billing.Agreement{
		ID: first.ID, SubscriptionID: "s1", Plan: r.Plan, Quantity: 1, State: billing.AgreementPending,
		Outstanding: first.Outstanding, ApproveURL: first.ApproveURL, Email: r.Email, At: first.At,
	}
	if first != want {
		t.Errorf("OpenAgreement: got %+v, want %+v", first, want)
	}
	if again, err := g.OpenAgreement(t.Context(), r); err != nil || again != first {
		t.Errorf("same key: got %+v, %v, want %+v", again, err, first)
	}
	begin := h.Now()
	h.More.Agree(first.ID, CardWorks)
	active := h.agreementIs(t, first.ID, billing.AgreementActive)
	if active.NextPayment.Before(begin) || !active.Outstanding.IsZero() || active.ApproveURL != "" {
		t.Errorf("agreed: got %+v, want the next payment and nothing owed", active)
	}
	h.billed(t, first.ID, begin)
}

// billed lets the calendar take a second payment and expects both, by each door.
func (h Harness) billed(t *testing.T, id string, begin time.Time) {
	t.Helper()
	g := as[billing.GatewaySubscriptions](t, h)
	h.Advance(30 * 24 * time.Hour)
	h.More.Bill(id)
	h.Advance(time.Second)
	payments, err := g.AgreementPayments(t.Context(), id, begin, h.Now())
	if err != nil || len(payments) != 2 || payments[0].At.After(payments[1].At) || payments[0].Reference == payments[1].Reference {
		t.Fatalf("AgreementPayments: got %+v, %v, want two, oldest first", payments, err)
	}
	for _, p := range payments {
		if p.Agreement != id || p.SubscriptionID != "s1" || p.State != billing.PaymentSucceeded || p.Amount != money.Must(999, "EUR") || p.Fee.Sign() <= 0 {
			t.Errorf("payment: got %+v, want 9.99 EUR", p)
		}
	}
	if second, err := g.AgreementPayments(t.Context(), id, begin.Add(time.Hour), h.Now()); err != nil || len(second) != 1 || second[0] != payments[1] {
		t.Errorf("the second alone: got %+v, %v", second, err)
	}
	if got := h.agreementPayment(t, payments[1].Reference); got != payments[1] {
		t.Errorf("AgreementPaymentOf: got %+v, want %+v", got, payments[1])
	}
}

func (h Harness) agreementPayment(t *testing.T, reference string) billing.AgreementPayment {
	t.Helper()
	g, found := as[billing.GatewaySubscriptions](t, h), billing.AgreementPayment{}
	for _, w := range h.Webhooks() {
		p, ok, err := g.AgreementPaymentOf(w.Body)
		if err != nil {
			t.Errorf("AgreementPaymentOf: %v", err)
		}
		if _, isPayment, err := h.Gateway.PaymentOf(w.Body); ok && (isPayment || err != nil) {
			t.Errorf("a payment of an agreement is also one of an attempt: %v", err)
		}
		if ok && p.Reference == reference {
			found = p
		}
	}
	return found
}

func testAgreementEnd(t *testing.T, h Harness) {
	stopAndGo(t, h, h.agreed(t, "s1", CardWorks).ID)
}

// stopAndGo takes an active agreement through its states, each step twice.
func stopAndGo(t *testing.T, h Harness, id string) {
	t.Helper()
	g := as[billing.GatewaySubscriptions](t, h)
	for _, step := range []struct {
		name string
		do   func() error
		want billing.AgreementState
	}{
		{"suspend", func() error { return g.SuspendAgreement(t.Context(), id, "unpaid") }, billing.AgreementSuspended},
		{"resume", func() error { return g.ResumeAgreement(t.Context(), id, "paid") }, billing.AgreementActive},
		{"suspend again", func() error { return g.SuspendAgreement(t.Context(), id, "unpaid") }, billing.AgreementSuspended},
		{"cancel", func() error { return g.CancelAgreement(t.Context(), id, "moved to saved methods") }, billing.AgreementCancelled},
	} {
		for range 2 {
			if err := step.do(); err != nil {
				t.Errorf("%s: %v", step.name, err)
			}
		}
		h.agreementIs(t, id, step.want)
	}
	if err := g.ResumeAgreement(t.Context(), id, "again"); !errors.Is(err, billing.ErrGatewayRefused) {
		t.Errorf("resume what was cancelled: got %v, want ErrGatewayRefused", err)
	}
	for _, bad := range []string{"", "../x", id + "?x=1"} {
		if a, err := g.ReadAgreement(t.Context(), bad); !errors.Is(err, billing.ErrGatewayRefused) {
			t.Errorf("ReadAgreement(%q): got %+v, %v, want ErrGatewayRefused", bad, a, err)
		}
	}
}

func testAgreementRevise(t *testing.T, h Harness) {
	g, a := as[billing.AgreementOpener](t, h), h.agreed(t, "s1", CardWorks)
	r := h.agreementRequest("s1")
	r.Quantity = 3
	asked, err := g.ReviseAgreement(t.Context(), a.ID, r)
	if err != nil || asked.ApproveURL == "" || asked.Plan != a.Plan || asked.Quantity != 1 {
		t.Fatalf("got %+v, %v, want nothing changed before the payer agrees", asked, err)
	}
	h.More.Agree(a.ID, CardWorks)
	if got := h.agreementIs(t, a.ID, billing.AgreementActive); got.Plan != r.Plan || got.Quantity != 3 || got.ApproveURL != "" {
		t.Errorf("agreed: got %+v, want plan %s three times", got, r.Plan)
	}
}

func testAgreementDebt(t *testing.T, h Harness) {
	g, a := as[billing.AgreementOpener](t, h), h.agreed(t, "s1", CardSoftDecline)
	owing := h.agreementIs(t, a.ID, billing.AgreementActive)
	if owing.Outstanding != money.Must(999, "EUR") || owing.FailedPayments != 1 {
		t.Errorf("got %+v, want one failure of 9.99 EUR", owing)
	}
	if err := g.CaptureOutstanding(t.Context(), "k0", a.ID, money.Must(1000, "EUR"), "too much"); !errors.Is(err, billing.ErrGatewayRefused) {
		t.Errorf("more than is owed: got %v, want ErrGatewayRefused", err)
	}
	for range 2 {
		if err := g.CaptureOutstanding(t.Context(), "k1", a.ID, money.Must(500, "EUR"), "a part"); err != nil {
			t.Errorf("a part: %v", err)
		}
	}
	if got := h.agreementIs(t, a.ID, billing.AgreementActive); got.Outstanding != money.Must(499, "EUR") {
		t.Errorf("after a part, captured twice with one key: got %+v, want 4.99 EUR owed", got)
	}
}

func testAgreementFaults(t *testing.T, h Harness) {
	g, opener := as[billing.GatewaySubscriptions](t, h), as[billing.AgreementOpener](t, h)
	for i, f := range everyFault {
		id := "s" + strconv.Itoa(i)
		r := h.agreementRequest(id)
		h.Fault(CallOpenAgreement, f, 2)
		a, err := opener.OpenAgreement(t.Context(), r)
		if !errors.Is(err, billing.ErrOutcomeUnknown) && !errors.Is(err, billing.ErrGatewayTemporary) {
			t.Errorf("%s, open: got %v", f, err)
		}
		for range 3 {
			if a, err = opener.OpenAgreement(t.Context(), r); err == nil {
				break
			}
		}
		if err != nil || a.SubscriptionID != id {
			t.Errorf("%s, open: got %+v, %v in the end", f, a, err)
		}
		h.More.Agree(a.ID, CardWorks)
		h.Fault(CallSuspend, f, 2)
		for range 4 {
			if err = g.SuspendAgreement(t.Context(), a.ID, "test"); err == nil {
				break
			}
		}
		if err != nil {
			t.Errorf("%s, suspend: %v in the end", f, err)
		}
		h.agreementIs(t, a.ID, billing.AgreementSuspended)
	}
}
