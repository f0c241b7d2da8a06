package billing

import (
	"errors"
	"testing"

	"github.com/ezscale/ezscale/engine/lifecycle"
)

// TestLives goes through every pair of statuses of every table: what is not
// among the steps written here must be refused.
func TestLives(t *testing.T) {
	t.Run("invoice", func(t *testing.T) {
		everyPair(t, CheckInvoiceTransition, map[InvoiceStatus][]InvoiceStatus{
			"draft":         {"open", "void"},
			"open":          {"paid", "void", "uncollectible"},
			"uncollectible": {"paid", "void"},
			"paid":          nil,
			"void":          nil,
		})
	})
	t.Run("subscription", func(t *testing.T) {
		everyPair(t, CheckSubscriptionTransition, map[SubscriptionStatus][]SubscriptionStatus{
			"pending":   {"active", "trialing", "cancelled"},
			"trialing":  {"active", "past_due", "cancelled"},
			"active":    {"past_due", "paused", "cancelled"},
			"past_due":  {"active", "cancelled"},
			"paused":    {"active", "cancelled"},
			"cancelled": nil,
		})
	})
	t.Run("order", func(t *testing.T) {
		everyPair(t, CheckOrderTransition, map[OrderStatus][]OrderStatus{
			"pending":   {"paid", "expired", "cancelled"},
			"paid":      nil,
			"expired":   nil,
			"cancelled": nil,
		})
	})
	t.Run("refund", func(t *testing.T) {
		everyPair(t, CheckRefundTransition, map[RefundStatus][]RefundStatus{
			"created":   {"unknown", "pending", "succeeded", "failed"},
			"unknown":   {"pending", "succeeded", "failed"},
			"pending":   {"succeeded", "failed"},
			"succeeded": {"failed"},
			"failed":    nil,
		})
	})
	t.Run("dispute", func(t *testing.T) {
		everyPair(t, CheckDisputeTransition, map[DisputeStatus][]DisputeStatus{
			"warning":        {"needs_response", "under_review", "won", "lost"},
			"needs_response": {"under_review", "won", "lost"},
			"under_review":   {"needs_response", "won", "lost"},
			"won":            nil,
			"lost":           nil,
		})
	})
	t.Run("change", func(t *testing.T) {
		everyPair(t, CheckChangeTransition, map[ChangeStatus][]ChangeStatus{
			"pending":   {"applied", "cancelled"},
			"scheduled": {"applied", "cancelled"},
			"applied":   nil,
			"cancelled": nil,
		})
	})
	t.Run("quote", func(t *testing.T) {
		everyPair(t, CheckQuoteTransition, map[QuoteStatus][]QuoteStatus{
			"draft":    {"sent"},
			"sent":     {"accepted", "declined", "expired"},
			"accepted": nil,
			"declined": nil,
			"expired":  {"sent"},
		})
	})
	t.Run("review", func(t *testing.T) {
		everyPair(t, CheckReviewTransition, map[ReviewStatus][]ReviewStatus{
			"none":     {"waiting"},
			"waiting":  {"approved", "rejected"},
			"approved": nil,
			"rejected": nil,
		})
	})
}

func everyPair[S ~string](t *testing.T, check func(from, to S) error, steps map[S][]S) {
	t.Helper()
	for from, nexts := range steps {
		allowed := map[S]bool{from: true}
		for _, to := range nexts {
			allowed[to] = true
		}
		for to := range steps {
			err := check(from, to)
			if allowed[to] && err != nil {
				t.Errorf("%s to %s: got error %v, want it allowed", from, to, err)
			}
			if !allowed[to] && !errors.Is(err, lifecycle.ErrTransition) {
				t.Errorf("%s to %s: got error %v, want it refused", from, to, err)
			}
		}
		for _, foreign := range []S{"", "deleted", "OPEN"} {
			if check(from, foreign) == nil || check(foreign, from) == nil {
				t.Errorf("the unknown status %q is accepted next to %s", foreign, from)
			}
		}
	}
}
