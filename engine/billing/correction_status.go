package billing

import "github.com/ezscale/ezscale/engine/lifecycle"

// RefundStatus is where a refund to a gateway is in its life.
type RefundStatus string

// The states of a refund. Created is stored before the gateway is asked; unknown
// means that its answer was lost and it has to be looked up. A gateway may say
// that a refund failed long after it succeeded: the bank sent it back.
const (
	RefundCreated   RefundStatus = "created"
	RefundUnknown   RefundStatus = "unknown"
	RefundPending   RefundStatus = "pending"
	RefundSucceeded RefundStatus = "succeeded"
	RefundFailed    RefundStatus = "failed"
)

var refundLife = lifecycle.Table[RefundStatus]{Thing: "refund", Next: map[RefundStatus][]RefundStatus{
	RefundCreated:   {RefundUnknown, RefundPending, RefundSucceeded, RefundFailed},
	RefundUnknown:   {RefundPending, RefundSucceeded, RefundFailed},
	RefundPending:   {RefundSucceeded, RefundFailed},
	RefundSucceeded: {RefundFailed},
	RefundFailed:    {},
}}

// CheckRefundTransition refuses every step the lifecycle lacks.
func CheckRefundTransition(from, to RefundStatus) error { return refundLife.Check(from, to) }

// DisputeStatus is where a dispute is in its life.
type DisputeStatus string

// The states of a dispute. A warning is an inquiry: no money has moved.
const (
	DisputeWarning       DisputeStatus = "warning"
	DisputeNeedsResponse DisputeStatus = "needs_response"
	DisputeUnderReview   DisputeStatus = "under_review"
	DisputeWon           DisputeStatus = "won"
	DisputeLost          DisputeStatus = "lost"
)

var disputeLife = lifecycle.Table[DisputeStatus]{Thing: "dispute", Next: map[DisputeStatus][]DisputeStatus{
	DisputeWarning:       {DisputeNeedsResponse, DisputeUnderReview, DisputeWon, DisputeLost},
	DisputeNeedsResponse: {DisputeUnderReview, DisputeWon, DisputeLost},
	DisputeUnderReview:   {DisputeNeedsResponse, DisputeWon, DisputeLost},
	DisputeWon:           {},
	DisputeLost:          {},
}}

// CheckDisputeTransition refuses every step the lifecycle lacks.
func CheckDisputeTransition(from, to DisputeStatus) error { return disputeLife.Check(from, to) }
