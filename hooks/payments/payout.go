package payments

import (
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/books"
)

// bookPayout books money that a gateway sent to our bank, or that came back from
// there.
func (s *Subject) bookPayout(tx core.App, now time.Time, gateway string, t billing.Transaction) error {
	_, err := s.Books.RecordMovement(tx, now, books.Movement{Gateway: gateway, Kind: books.MovementPayout, Reference: t.ID, Amount: t.Amount, At: t.At})
	if err != nil || t.Fee.IsZero() {
		return err
	}
	_, err = s.Books.RecordMovement(tx, now, books.Movement{Gateway: gateway, Kind: books.MovementFee, Reference: t.ID, Amount: t.Fee.Neg(), At: t.At})
	return err
}
