package gatewaytest

import (
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
)

// More is what the suites of further abilities need. A suite runs when the
// gateway has the ability; its fields are then required.
type More struct {
	// SlowRefund makes refunds slow from now on: they are pending and end with
	// Settle, in failure if fail is true.
	SlowRefund func(fail bool)
	// Reversed takes a payment back at the gateway; nil where that cannot be.
	Reversed func(reference string)
	// Dispute claims a payment back and returns the dispute's id; MoveDispute puts
	// it where a status of ours is.
	Dispute     func(reference string) string
	MoveDispute func(id string, to billing.DisputeStatus)
	// Fee is what the gateway keeps of 30.00 EUR, in cents; BooksLag how late its
	// books are.
	Fee      int64
	BooksLag time.Duration
	// Plan makes a price of 9.99 EUR for 30 days at the gateway. Agree does what the
	// payer does, where CardSoftDecline agrees and then fails to pay; Bill what the
	// calendar does.
	Plan  func() string
	Agree func(agreement string, c Card)
	Bill  func(agreement string)
	// Save does what a customer does on a page that saves a method.
	Save func(reference string, c Card) error
	// Imported makes an active agreement of 9.99 EUR a period at the gateway, whose
	// first payment was made; CardSoftDecline fails with the next.
	Imported func(c Card) string
}

// The further calls that faults can hit.
const (
	CallRefund        Call = "Refund"
	CallReadRefund    Call = "ReadRefund"
	CallRemove        Call = "RemoveMethod"
	CallTransactions  Call = "Transactions"
	CallReadDispute   Call = "ReadDispute"
	CallOpenAgreement Call = "OpenAgreement"
	CallSuspend       Call = "SuspendAgreement"
	CallOpenSetup     Call = "OpenSetup"
	CallReadSetup     Call = "ReadSetup"
	CallEnd           Call = "EndAgreement"
)

// suite is a list of tests for one ability.
type suite struct {
	name string
	has  func(g billing.Gateway) bool
	runs map[string]func(t *testing.T, h Harness)
}

func ability[T any](g billing.Gateway) bool {
	_, has := g.(T)
	return has
}

// as returns the gateway by one of its abilities.
func as[T any](t *testing.T, h Harness) T {
	t.Helper()
	able, ok := h.Gateway.(T)
	if !ok {
		t.Fatalf("the gateway has lost an ability: %T", h.Gateway)
	}
	return able
}

// runMore runs the suites of the abilities that the gateway has.
func runMore(t *testing.T, open func(t *testing.T) Harness) {
	probe := open(t)
	for _, s := range []suite{
		{"refunds", ability[billing.Refunder], refundTests},
		{"removing methods", ability[billing.MethodRemover], removeTests},
		{"setups", ability[billing.MethodSaver], setupTests},
		{"transactions", ability[billing.TransactionLister], transactionTests},
		{"disputes", ability[billing.DisputeReader], disputeTests},
		{"facts", ability[billing.WebhookFacts], factTests},
		{"agreements", ability[billing.AgreementOpener], agreementTests},
		{"gateway-owned subscriptions", ability[billing.GatewaySubscriptions], followTests},
	} {
		if !s.has(probe.Gateway) {
			continue
		}
		for name, run := range s.runs {
			t.Run(s.name+": "+name, func(t *testing.T) { run(t, open(t)) })
		}
	}
}
