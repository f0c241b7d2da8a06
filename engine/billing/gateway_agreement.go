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
	// Price is what one payment takes; the zero value where the gateway tells it
	// only once one was made.
	Price money.Amount
	// Outstanding is what payments failed to bring.
	Outstanding money.Amount
	// Ends says that no further payment will be taken: it is cancelled or expired,
	// or will be when what is paid runs out.
	Ends        bool
	NextPayment time.Time // zero when none is planned
	// PaidThrough is the end of the period that the last payment was for, paid or
	// not; zero where the gateway does not tell.
	PaidThrough    time.Time
	FailedPayments int
	Customer       string // the gateway's id of the payer, "" where it has none
	Email          string // of the payer, "" where the gateway does not tell
	// ApproveURL is where the payer agrees, "" when nothing waits for it.
	ApproveURL string
	At         time.Time // of the last change
}

// Failing reports whether the last payment that was due did not arrive.
func (a Agreement) Failing() bool { return a.FailedPayments > 0 || a.Outstanding.Sign() > 0 }

// AgreementPayment is one payment that the gateway took by itself.
type AgreementPayment struct {
	Reference      string // money is recorded once under it
	Agreement      string
	SubscriptionID string // "" where the gateway does not repeat it
	State          PaymentState
	Amount         money.Amount
	Fee            money.Amount
	Period         Period // what it pays for; the zero value where the gateway does not say
	At             time.Time
}

// GatewaySubscriptions is the narrow second mode: the gateway bills by its own
// calendar and we follow. Suspend, resume, end and cancel may be repeated freely:
// what already is as asked is success. Repeating is also how an answer that was
// lost is looked up, as each of them reads the agreement first.
type GatewaySubscriptions interface {
	// ReadAgreement reads one back.
	ReadAgreement(ctx context.Context, id string) (Agreement, error)
	// SuspendAgreement stops payments until ResumeAgreement. reason has 1 to 128
	// characters.
	SuspendAgreement(ctx context.Context, id, reason string) error
	ResumeAgreement(ctx context.Context, id, reason string) error
	// EndAgreement sees to it that no further payment is taken, and returns the
	// agreement as it then is: Ends is true. What is paid stays paid. A gateway
	// that can ends it when the paid period does, and its payer may be able to take
	// that back until then, so it is to be watched; any other ends it now, which
	// takes nothing from the payer: the service is ours, not the gateway's.
	EndAgreement(ctx context.Context, id, reason string) (Agreement, error)
	// CancelAgreement ends it for good, now.
	CancelAgreement(ctx context.Context, id, reason string) error
	// AgreementPayments lists the payments in [from, to), oldest first.
	AgreementPayments(ctx context.Context, id string, from, to time.Time) ([]AgreementPayment, error)
	// AgreementPaymentOf reads the payment out of a raw body that ParseWebhook once
	// verified; ok is false for events about none. It does no I/O.
	AgreementPaymentOf(body []byte) (payment AgreementPayment, ok bool, err error)
}

// AgreementOpener begins gateway-owned subscriptions. A gateway without it has
// only those that were begun elsewhere: there we charge saved methods.
type AgreementOpener interface {
	// OpenAgreement begins an agreement, which the payer accepts at ApproveURL.
	// Repeating it with the same Key returns the same agreement.
	OpenAgreement(ctx context.Context, r AgreementRequest) (Agreement, error)
	// ReviseAgreement asks to change plan and quantity. Nothing changes and nothing
	// is charged until the payer accepts at the ApproveURL of the answer.
	ReviseAgreement(ctx context.Context, id string, r AgreementRequest) (Agreement, error)
	// CaptureOutstanding takes what payments failed to bring, at most the
	// outstanding balance. ErrOutcomeUnknown: repeat with the same key.
	CaptureOutstanding(ctx context.Context, key, id string, amount money.Amount, note string) error
}
