package billing

import "github.com/ezscale/ezscale/engine/lifecycle"

// ChangeStatus is where a change of a subscription is in its life.
type ChangeStatus string

// The states of a change. Pending waits for its invoice to be paid, scheduled for
// the end of the period.
const (
	ChangePending   ChangeStatus = "pending"
	ChangeScheduled ChangeStatus = "scheduled"
	ChangeApplied   ChangeStatus = "applied"
	ChangeCancelled ChangeStatus = "cancelled"
)

var changeLife = lifecycle.Table[ChangeStatus]{Thing: "change", Next: map[ChangeStatus][]ChangeStatus{
	ChangePending:   {ChangeApplied, ChangeCancelled},
	ChangeScheduled: {ChangeApplied, ChangeCancelled},
	ChangeApplied:   {},
	ChangeCancelled: {},
}}

// CheckChangeTransition refuses every step the lifecycle lacks.
func CheckChangeTransition(from, to ChangeStatus) error { return changeLife.Check(from, to) }

// QuoteStatus is where a quote made by staff is in its life.
type QuoteStatus string

// The states of a quote. An expired one may be sent again with another date.
const (
	QuoteDraft    QuoteStatus = "draft"
	QuoteSent     QuoteStatus = "sent"
	QuoteAccepted QuoteStatus = "accepted"
	QuoteDeclined QuoteStatus = "declined"
	QuoteExpired  QuoteStatus = "expired"
)

var quoteLife = lifecycle.Table[QuoteStatus]{Thing: "quote", Next: map[QuoteStatus][]QuoteStatus{
	QuoteDraft:    {QuoteSent},
	QuoteSent:     {QuoteAccepted, QuoteDeclined, QuoteExpired},
	QuoteAccepted: {},
	QuoteDeclined: {},
	QuoteExpired:  {QuoteSent},
}}

// CheckQuoteTransition refuses every step the lifecycle lacks.
func CheckQuoteTransition(from, to QuoteStatus) error { return quoteLife.Check(from, to) }

// ReviewStatus says whether staff has to look at an order.
type ReviewStatus string

// The states of a review. An order that needs none stays at none.
const (
	ReviewNone     ReviewStatus = "none"
	ReviewWaiting  ReviewStatus = "waiting"
	ReviewApproved ReviewStatus = "approved"
	ReviewRejected ReviewStatus = "rejected"
)

var reviewLife = lifecycle.Table[ReviewStatus]{Thing: "review", Next: map[ReviewStatus][]ReviewStatus{
	ReviewNone:     {ReviewWaiting},
	ReviewWaiting:  {ReviewApproved, ReviewRejected},
	ReviewApproved: {},
	ReviewRejected: {},
}}

// CheckReviewTransition refuses every step the lifecycle lacks.
func CheckReviewTransition(from, to ReviewStatus) error { return reviewLife.Check(from, to) }
