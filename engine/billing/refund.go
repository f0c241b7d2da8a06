package billing

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

// GatewayCredit is the way to pay of payments made from the customer's credit.
const GatewayCredit = "credit"

// ErrRefundTooMuch reports a refund of more than is left of the payments.
var ErrRefundTooMuch = errors.New("more is to be refunded than was paid")

// PaidPart is a payment as far as it was applied to an invoice.
type PaidPart struct {
	ID       string
	Gateway  string // GatewayCredit for credit
	At       time.Time
	Amount   money.Amount
	Returned money.Amount // refunded or given back already
	Held     money.Amount // withdrawn by a dispute
}

// RefundPart is what goes back to one payment.
type RefundPart struct {
	Payment string
	Gateway string // GatewayCredit stays here as credit, all else is paid out
	Amount  money.Amount
}

// AllocateRefund says where an amount goes back to: what was paid from credit
// back to credit first, then to the gateways, the newest payment first; never
// more to a payment than is left of it. Errors: ErrRefundTooMuch, an amount that
// is not positive, money.ErrMismatch.
func AllocateRefund(payments []PaidPart, amount money.Amount) ([]RefundPart, error) {
	if amount.Sign() <= 0 {
		return nil, fmt.Errorf("refund %s: must be positive", amount)
	}
	order := slices.Clone(payments)
	slices.SortStableFunc(order, func(a, b PaidPart) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), b.At.Compare(a.At))
	})
	left, parts := amount, []RefundPart{}
	for _, p := range order {
		room, err := p.left()
		if err == nil {
			_, err = room.Cmp(left)
		}
		if err != nil {
			return nil, fmt.Errorf("refund %s: payment %s: %w", amount, p.ID, err)
		}
		part := money.Must(min(room.Minor(), left.Minor()), left.Currency())
		if part.Sign() <= 0 {
			continue
		}
		parts = append(parts, RefundPart{p.ID, p.Gateway, part})
		left = money.Must(left.Minor()-part.Minor(), left.Currency())
	}
	if left.Sign() > 0 {
		return nil, fmt.Errorf("refund %s, %s too many: %w", amount, left, ErrRefundTooMuch)
	}
	return parts, nil
}

// rank puts credit before cash.
func rank(p PaidPart) int {
	if p.Gateway == GatewayCredit {
		return 0
	}
	return 1
}

// left is what of a payment can go back.
func (p PaidPart) left() (money.Amount, error) {
	left, err := p.Amount.Sub(p.Returned)
	if err != nil {
		return left, err
	}
	return left.Sub(p.Held)
}
