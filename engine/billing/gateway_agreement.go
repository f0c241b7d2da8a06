package billing

import (
	"context"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

// AgreementState says where a gateway-owned subscription stands.
type AgreementState string

// The states of an agreement. Cancelled and expired are final.
const (
	AgreementPending   AgreementState = "pending" // the payer has not agreed yet
	AgreementActive    AgreementState = "active"
	AgreementSuspended AgreementState = "suspended"
	AgreementCancelled AgreementState = "cancelled"
	AgreementExpired   AgreementState = "expired"
)

// AgreementRequest asks for a subscription that the gateway bills by itself.
type AgreementRequest struct {
	// Key is the idempotency key, stored before the call.
	Key string
	// SubscriptionID is ours; it travels along and comes back.
	SubscriptionID string
	Plan           string // the gateway's id of the price
	Quantity       int    // 0 is 1
	// Price replaces the plan's regular price for this payer; zero value: the plan's.
	Price money.Amount
	// StartAt is when the first payment is due; the zero time is at once.
	StartAt              time.Time
	Email                string
	ReturnURL, CancelURL string
	Locale               string // BCP 47, "" leaves it to the gateway
}

// Agreement is a gateway-owned subscription as the gateway has it.
type Agreement struct {
	ID             string
	SubscriptionID string // ours, "" for one that was not begun here
	Plan           string
	Quantity       int
	State          AgreementState
	// Outstanding is what payments failed to bring.
	Outstanding    money.Amount
	NextPayment    time.Time // zero when none is planned
	FailedPayments int
	// ApproveURL is where the payer agrees, "" when nothing waits for it.
	ApproveURL string
	At         time.Time // of the last change
}

// AgreementPayment is one payment that the gateway took by itself.
type AgreementPayment struct {
	Reference      string // money is recorded once under it
	Agreement      string
	SubscriptionID string // "" where the gateway does not repeat it
	State          PaymentState
	Amount         money.Amount
	Fee            money.Amount
	At             time.Time
}

// GatewaySubscriptions is the narrow second mode: the gateway bills by its own
// calendar and we follow. Suspend, resume and cancel may be repeated freely:
// what already is as asked is success.
type GatewaySubscriptions interface {
	// OpenAgreement begins an agreement, which the payer accepts at ApproveURL.
	// Repeating it with the same Key returns the same agreement.
	OpenAgreement(ctx context.Context, r AgreementRequest) (Agreement, error)
	// ReadAgreement reads one back.
	ReadAgreement(ctx context.Context, id string) (Agreement, error)
	// ReviseAgreement asks to change plan and quantity. Nothing changes and nothing
	// is charged until the payer accepts at the ApproveURL of the answer.
	ReviseAgreement(ctx context.Context, id string, r AgreementRequest) (Agreement, error)
	// SuspendAgreement stops payments until ResumeAgreement. reason has 1 to 128
	// characters.
	SuspendAgreement(ctx context.Context, id, reason string) error
	ResumeAgreement(ctx context.Context, id, reason string) error
	// CancelAgreement ends it for good.
	CancelAgreement(ctx context.Context, id, reason string) error
	// CaptureOutstanding takes what payments failed to bring, at most the
	// outstanding balance. ErrOutcomeUnknown: repeat with the same key.
	CaptureOutstanding(ctx context.Context, key, id string, amount money.Amount, note string) error
	// AgreementPayments lists the payments in [from, to), oldest first.
	AgreementPayments(ctx context.Context, id string, from, to time.Time) ([]AgreementPayment, error)
	// AgreementPaymentOf reads the payment out of a raw body that ParseWebhook once
	// verified; ok is false for events about none. It does no I/O.
	AgreementPaymentOf(body []byte) (payment AgreementPayment, ok bool, err error)
}
