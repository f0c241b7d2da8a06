package billing

import (
	"context"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

// What follows are abilities that a Gateway may have beyond taking money. Each
// is an interface of its own, found by a type assertion, so that a gateway
// promises only what it can do. The errors are those of Gateway, and so are the
// promises about repeats: the same key has one effect, ErrOutcomeUnknown means
// repeat with the same key or read back.

// RefundRequest gives money of one payment back.
type RefundRequest struct {
	// Key is the idempotency key, stored before the call.
	Key string
	// RefundID is our id of the refund; it travels along and comes back.
	RefundID string
	// Payment is the payment's Reference.
	Payment string
	// Amount is more than zero and at most what is left of the payment.
	Amount money.Amount
	// Note is what the payer reads, "" for nothing.
	Note string
}

// RefundReport is what a gateway says of one refund.
type RefundReport struct {
	ID       string       // the gateway's id; money goes back once under it
	RefundID string       // ours, "" for a refund made at the gateway itself
	Payment  string       // the payment's Reference, "" where the gateway does not say
	State    RefundStatus // pending, succeeded or failed
	Amount   money.Amount
	Reason   string // the gateway's short code when it failed
	At       time.Time
}

// Refunder gives money back to where it came from.
type Refunder interface {
	// Refund gives money back. Repeating it with the same Key and content returns
	// the same refund, in its latest state. More than is left of the payment, or
	// another currency, is ErrGatewayRefused.
	Refund(ctx context.Context, r RefundRequest) (RefundReport, error)
	// ReadRefund reads a refund back by its gateway id.
	ReadRefund(ctx context.Context, id string) (RefundReport, error)
}

// MethodRemover forgets saved methods.
type MethodRemover interface {
	// RemoveMethod makes sure that the gateway keeps the method no longer: it can
	// not be charged afterwards. A method that is gone already is success; one of
	// another customer is ErrGatewayRefused and stays.
	RemoveMethod(ctx context.Context, customer, method string) error
}

// TransactionKind says what moved an account's money.
type TransactionKind string

// The kinds of movements in a gateway's account.
const (
	TransactionPayment  TransactionKind = "payment"
	TransactionRefund   TransactionKind = "refund"
	TransactionReversal TransactionKind = "reversal" // taken back by bank or gateway, disputes included
	TransactionFee      TransactionKind = "fee"      // a fee of its own, not one within another movement
	TransactionPayout   TransactionKind = "payout"   // to our bank
	TransactionOther    TransactionKind = "other"
)

// Transaction is one movement of an account as the gateway's own books have it.
type Transaction struct {
	ID   string // the Reference of a payment, the ID of a refund
	Kind TransactionKind
	// Related is the payment that a refund or reversal belongs to, "" if none.
	Related string
	// AttemptID is ours for what we began, "" otherwise.
	AttemptID string
	State     PaymentState
	Amount    money.Amount // positive into the account
	Fee       money.Amount // what the gateway kept of it; negative when it gave a fee back
	At        time.Time
}

// TransactionLister reads an account's books, to compare them with ours.
type TransactionLister interface {
	// Transactions visits what happened in [from, to), each movement once and page
	// by page, so that memory stays bounded; an error of visit ends it and is
	// returned. Gateways write their books late: complete says up to when they are,
	// and what happened after it may still be missing.
	Transactions(ctx context.Context, from, to time.Time, visit func(Transaction) error) (complete time.Time, err error)
}

// Dispute is a payer's claim against payments.
type Dispute struct {
	ID        string
	Payments  []string // References of what is disputed
	Status    DisputeStatus
	Stage     string // the gateway's word: inquiry, chargeback, …
	Reason    string // the gateway's short code
	Amount    money.Amount
	RespondBy time.Time // zero when nothing is asked of us
	At        time.Time // of the last change
	// Withdrawn says that the gateway holds the money back now.
	Withdrawn bool
	// Fee is what the gateway charges for the dispute so far, in Amount's currency;
	// the zero value is none, or none that is known.
	Fee money.Amount
}

// DisputeReader reads disputes.
type DisputeReader interface {
	// ReadDispute reads one back.
	ReadDispute(ctx context.Context, id string) (Dispute, error)
	// Disputes visits those that changed at or after from, each once. Payments may
	// be empty there: ReadDispute knows them.
	Disputes(ctx context.Context, from time.Time, visit func(Dispute) error) error
}

// FactKind says what a webhook is about, besides payments.
type FactKind string

// The kinds of facts.
const (
	FactRefund           FactKind = "refund"            // Object: the refund
	FactReversal         FactKind = "reversal"          // Object: the payment that was taken back
	FactDispute          FactKind = "dispute"           // Object: the dispute
	FactMethod           FactKind = "method"            // Object: the saved method, Customer its owner
	FactAgreement        FactKind = "agreement"         // Object: the gateway-owned subscription
	FactAgreementPayment FactKind = "agreement_payment" // Object: the payment, or what the gateway collects it by
)

// Fact is what a webhook names besides payments. It says where to look and
// nothing more: events come late and out of order, so the object is read back.
type Fact struct {
	Kind     FactKind
	Object   string
	Payment  string // the Reference of the payment concerned, "" if none
	Customer string
	// Agreement is the gateway-owned subscription that it is about, "" if none.
	Agreement string
	At        time.Time
}

// WebhookFacts reads what else webhooks are about.
type WebhookFacts interface {
	// FactOf reads the fact out of a raw body that ParseWebhook once verified; ok
	// is false for events that name none. It does no I/O. An event that should
	// name an object and does not is an error.
	FactOf(body []byte) (fact Fact, ok bool, err error)
}
