package billing

import (
	"context"
	"errors"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

// Errors a Gateway returns; all are wrapped, so test with errors.Is.
var (
	// ErrGatewayTemporary: nothing happened at the gateway; the same call may be
	// repeated with the same idempotency key (429, 503 before work began).
	ErrGatewayTemporary = errors.New("gateway temporarily unavailable")
	// ErrGatewayRefused: the gateway understood and said no; repeating is useless.
	ErrGatewayRefused = errors.New("gateway refused the request")
	// ErrGatewayCredentials: our key is wrong, revoked or lacks a permission.
	ErrGatewayCredentials = errors.New("gateway refused our credentials")
	// ErrOutcomeUnknown: the answer was lost or unreadable; the effect may have
	// happened. Repeat with the same key or read back, never with a fresh key.
	ErrOutcomeUnknown = errors.New("outcome at the gateway is unknown")
	// ErrBadSignature: a webhook that the gateway did not sign, or not lately.
	ErrBadSignature = errors.New("webhook signature is not valid")
	// ErrNotConfigured: the gateway lacks a key or secret that this needs.
	ErrNotConfigured = errors.New("gateway is not configured")
)

// PageRequest asks for a hosted payment page.
type PageRequest struct {
	// Key is the idempotency key, at most 255 characters, stored before the
	// call. The same key always yields the same page.
	Key string
	// AttemptID and InvoiceID travel as metadata and come back in reports.
	AttemptID string
	InvoiceID string
	// Customer is the gateway's id of the payer; "" lets EnsureCustomer's result
	// be omitted and the page create one.
	Customer string
	Email    string
	Amount   money.Amount
	// Description is what the payer reads: "Invoice INV-2026-000001".
	Description string
	// SaveMethod stores the method for later charges without the customer.
	SaveMethod bool
	// ReturnURL and CancelURL are absolute addresses of the portal.
	ReturnURL string
	CancelURL string
	// ExpiresAt closes the page (gateways round to their own limits).
	ExpiresAt time.Time
	// Locale is a BCP 47 tag such as "en" or "de"; "" leaves it to the gateway.
	Locale string
}

// Page is a hosted payment page.
type Page struct {
	Reference string // the gateway's id of the page
	URL       string // where to send the customer's browser
	ExpiresAt time.Time
}

// ChargeRequest charges a saved method without the customer being present.
type ChargeRequest struct {
	Key         string // idempotency key, stored before the call
	AttemptID   string
	InvoiceID   string
	Customer    string // the gateway's id of the payer
	Method      string // the gateway's id of the saved method
	Amount      money.Amount
	Description string
}

// PaymentState says what became of a payment.
type PaymentState string

// The states of a payment at a gateway. Money moved in PaymentSucceeded alone.
const (
	PaymentOpen        PaymentState = "open"         // page open or nothing tried yet
	PaymentPending     PaymentState = "pending"      // a delayed method is on its way
	PaymentNeedsAction PaymentState = "needs_action" // the customer must confirm (SCA)
	PaymentDeclined    PaymentState = "declined"     // this try failed, another may follow
	PaymentSucceeded   PaymentState = "succeeded"
	PaymentCancelled   PaymentState = "cancelled" // can never succeed any more
)

// DeclineKind classes a decline by what may help.
type DeclineKind string

// Soft declines may be retried later; hard ones never on the same method.
const (
	DeclineNone         DeclineKind = ""
	DeclineSoft         DeclineKind = "soft"
	DeclineHard         DeclineKind = "hard"
	DeclineAuthenticate DeclineKind = "authenticate"
)

// PaymentReport is what a gateway says of one payment, whether it came by
// webhook, by the browser's return or by reading back.
type PaymentReport struct {
	// Reference is the gateway's id of the payment itself (Stripe: pi_…); it is
	// the identity under which money is recorded once. May be "" while nothing
	// but a page exists.
	Reference string
	// PageReference is the id of the hosted page, if there is one.
	PageReference string
	AttemptID     string
	InvoiceID     string
	Customer      string
	Method        string // saved method's id, "" when none was saved
	State         PaymentState
	// Amount is what was taken when State is PaymentSucceeded, otherwise what
	// was asked for.
	Amount  money.Amount
	Decline DeclineKind
	// Reason is the gateway's short code for a decline ("insufficient_funds").
	Reason string
	// ActionURL leads the customer to confirm, for PaymentNeedsAction.
	ActionURL string
	At        time.Time
}

// SavedMethod is a payment method kept at the gateway.
type SavedMethod struct {
	ID          string
	Kind        string // "card", "sepa_debit", "paypal"
	Brand       string
	Last4       string
	ExpMonth    int
	ExpYear     int
	Fingerprint string
	// Account tells wallets of one kind apart for their owner, such as the e-mail
	// address of a PayPal account; "" for cards.
	Account string
}

// Event is one verified webhook delivery.
type Event struct {
	ID   string // unique per gateway
	Type string
	// Object is the gateway's id of what the event is about, "" if none.
	Object string
	At     time.Time
	// Refetch says that the event is verified, but that its payment must be read
	// back instead of believed: the payload has another API version than ours, or
	// the payment waits for us to take it, which reading its page does.
	Refetch bool
}

// Gateway moves customers' money. All methods are safe for concurrent use,
// honor ctx, and never retry with a fresh idempotency key.
type Gateway interface {
	// EnsureCustomer returns the gateway's id for our customer. The same key
	// returns the same id however often it is called.
	EnsureCustomer(ctx context.Context, key, userID, email, name string) (string, error)
	// OpenPage opens a hosted payment page. Repeating it with the same Key and
	// content returns the same page, for as long as the gateway remembers keys: six
	// hours at least.
	OpenPage(ctx context.Context, r PageRequest) (Page, error)
	// ReadPage reads a page back and, if a payment came of it, that payment. Where
	// the gateway leaves the last step to us, reading a page that the customer
	// agreed to takes the money, once however often it is read, unless the page
	// expired or was closed before. ErrOutcomeUnknown: read again.
	ReadPage(ctx context.Context, reference string) (PaymentReport, error)
	// ClosePage makes sure the page can no longer be paid and reports what
	// became of it; a page that was paid meanwhile reports PaymentSucceeded.
	ClosePage(ctx context.Context, reference string) (PaymentReport, error)
	// Charge charges a saved method. A decline is a report, not an error.
	// ErrOutcomeUnknown: repeat with the same Key and content, within the six hours
	// that keys are remembered at least.
	Charge(ctx context.Context, r ChargeRequest) (PaymentReport, error)
	// ReadPayment reads a payment back by its Reference.
	ReadPayment(ctx context.Context, reference string) (PaymentReport, error)
	// Methods lists what the customer has saved.
	Methods(ctx context.Context, customer string) ([]SavedMethod, error)
	// ParseWebhook verifies a raw delivery and says what it is. header is the
	// request's http.Header, which passes as it is; its type is spelled out
	// because the engine knows no net/http. Errors: ErrBadSignature,
	// ErrNotConfigured without a secret.
	ParseWebhook(body []byte, header map[string][]string, now time.Time) (Event, error)
	// PaymentOf reads the payment report out of a stored raw body that
	// ParseWebhook once verified. ok is false for events that are not about a
	// payment. It does no I/O. For a payload that cannot be believed (another
	// version, a missing member) it returns an error, ok, and a report that holds
	// only Reference or PageReference, to be read back.
	PaymentOf(body []byte) (report PaymentReport, ok bool, err error)
	// Check proves that the configuration works, in plain words when not.
	Check(ctx context.Context) error
}
