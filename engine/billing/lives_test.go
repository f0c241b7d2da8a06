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
