package billing

import (
	"context"
	"time"
)

// SetupRequest asks for a hosted page on which a method is saved without a
// payment.
type SetupRequest struct {
	// Key is the idempotency key, stored before the call. The same key always
	// yields the same page.
	Key string
	// SetupID is ours; it travels along.
	SetupID string
	// Customer is the gateway's id of the customer, whose the method becomes.
	Customer string
	// Description is what the customer reads.
	Description string
	// ReturnURL and CancelURL are absolute addresses of the portal.
	ReturnURL string
	CancelURL string
	// ExpiresAt closes the page (gateways round to their own limits).
	ExpiresAt time.Time
	// Locale is a BCP 47 tag, "" leaves it to the gateway.
	Locale string
}

// SetupState says what became of a page on which a method is saved.
type SetupState string

// The states of a setup. Done and cancelled are final.
const (
	SetupOpen      SetupState = "open"
	SetupDone      SetupState = "done"
	SetupCancelled SetupState = "cancelled" // it can save nothing any more
)

// SetupReport is what a gateway says of one setup.
type SetupReport struct {
	Reference string // the gateway's id of the page
	Customer  string
	// Method is the gateway's id of what was saved, "" as long as nothing is, or
	// where the gateway does not say: then it is in the list of methods.
	Method string
	State  SetupState
}

// MethodSaver saves methods without a payment.
type MethodSaver interface {
	// OpenSetup opens a hosted page. Repeating it with the same Key and content
	// returns the same page. A gateway that may not save methods for this account
	// answers ErrGatewayRefused.
	OpenSetup(ctx context.Context, r SetupRequest) (Page, error)
	// ReadSetup reads one back. Where the gateway leaves the last step to us,
	// reading a setup that the customer agreed to saves the method, once however
	// often it is read. ErrOutcomeUnknown: read again.
	ReadSetup(ctx context.Context, reference string) (SetupReport, error)
}
