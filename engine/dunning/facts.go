package dunning

import (
	"time"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// Facts are what is known of one invoice, read afresh before every decision.
type Facts struct {
	Status      billing.InvoiceStatus
	Open        money.Amount // what is still owed
	IssuedAt    time.Time
	DueAt       time.Time // its UTC day counts
	DeliveredAt time.Time // when the customer got it; zero = never
	// FeeOnly marks an invoice for a late fee, which earns no fee of its own.
	FeeOnly bool

	Services []Service // with a period line on this invoice, and no others
	Attempts []Attempt // all of them, oldest first
	Methods  []Method  // that may be charged without the customer, in order of fallback
	Done     []Done    // steps already taken or claimed

	PauseUntil time.Time // staff hold this invoice back until then
	// ExemptUntil ends the customer's exemption from late fees, suspension and
	// termination; at that moment it lapses by itself. Notices and charges go on
	// meanwhile.
	ExemptUntil time.Time
	// Unmatched says that money of this customer waits to be matched to an
	// invoice.
	Unmatched bool
	Gateway   Gateway
}

// Access is whether a service may be used, as billing decided it.
type Access string

// The states of access. Ended is final.
const (
	AccessOpen      Access = "open"
	AccessSuspended Access = "suspended"
	AccessEnded     Access = "ended"
)

// Service is a subscription that the invoice bills a period of.
type Service struct {
	ID     string
	Access Access
	// Elsewhere says that another invoice demands its suspension, too, so that
	// settling this one does not restore it.
	Elsewhere bool
}

// Result is what became of an attempt.
type Result string

// The results. Soft, Hard, Authenticate and Cancelled brought no money and count
// as a try; Outage never reached the gateway and counts as none. Pending is a
// debit the gateway has accepted; Unknown is an attempt without an answer, also
// one that is under way.
const (
	Succeeded    Result = "succeeded"
	Soft         Result = "soft"
	Hard         Result = "hard"
	Authenticate Result = "authenticate" // the customer must confirm; still possible
	Pending      Result = "pending"
	Unknown      Result = "unknown"
	Cancelled    Result = "cancelled" // closed before it brought money
	Outage       Result = "outage"
)

// Attempt is one try to pay the invoice. A hosted page that is merely open is
// none: payments closes it before charging.
type Attempt struct {
	Method      string
	Fingerprint string // of the card, "" where the method has none
	Result      Result
	At          time.Time
	// ByCustomer marks a payment the customer began. It uses up no retry, but a
	// card it was refused on for good is not charged again either.
	ByCustomer bool
}

func (a Attempt) card() string { return cardOf(a.Method, a.Fingerprint) }

// isTry says whether the attempt counts in the retry calendar.
func (a Attempt) isTry() bool {
	switch a.Result {
	case Soft, Hard, Authenticate, Cancelled:
		return !a.ByCustomer
	default:
		return false
	}
}

// Method is a saved way to pay.
type Method struct {
	ID          string
	Fingerprint string
	Default     bool
	Expired     bool // past its end, or known to be dead
}

// cardOf names the card behind a method: the same card saved twice is one card.
func cardOf(id, fingerprint string) string {
	if fingerprint != "" {
		return "card:" + fingerprint
	}
	return "method:" + id
}

// Done is a step that was recorded under the unique key (invoice, Kind, N).
// Charges are no steps of this list but attempts.
type Done struct {
	Kind Kind
	N    int
	// At is when it really happened; zero for a mail that is claimed and queued
	// but not yet sent.
	At time.Time
}

// Gateway is the health of the gateway that this customer pays by; the zero
// value is healthy. A gateway that refuses our credentials is down, too.
type Gateway struct {
	DownSince   time.Time
	RecoveredAt time.Time // from the last outage
}

func (g Gateway) down() bool {
	return !g.DownSince.IsZero() && g.RecoveredAt.Before(g.DownSince)
}
