package books

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// RecordFee books what a gateway kept of a payment, once. A fee in another
// currency than the payment's is booked as a movement of the account. It reports
// whether it is new.
func (b *Books) RecordFee(tx core.App, now time.Time, payment string, fee money.Amount) (bool, error) {
	if err := inTransaction(tx); err != nil {
		return false, err
	}
	row, err := collections.First(tx, collections.PaymentTransactions, dbx.HashExp{"id": payment})
	if err != nil {
		return false, err
	}
	if row == nil || fee.IsZero() {
		return false, nil
	}
	if row.GetString("currency") != fee.Currency() {
		return b.RecordMovement(tx, now, Movement{Gateway: row.GetString("gateway"), Kind: MovementFee, Reference: "payment:" + payment, Payment: payment, User: row.GetString("user"), Amount: fee.Neg(), At: now})
	}
	res, err := collections.Statement(tx, "UPDATE `payment_transactions` SET `fee_minor` = {:fee}, `updated` = {:now} WHERE `id` = {:id} AND `status` = 'succeeded' AND `fee_minor` = 0").
		Bind(dbx.Params{"id": payment, "fee": fee.Minor(), "now": stamp(now)}).Execute()
	if err != nil {
		return false, fmt.Errorf("fee of payment %s: %w", payment, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	return true, collections.Post(tx, now, "fee:"+payment, row.GetString("user"), "", payment, billing.PostFee(row.GetString("gateway"), fee))
}

// The kinds of movements of a gateway's account beside customers' money.
const (
	MovementFee    = "fee"
	MovementPayout = "payout"
)

// Movement is money that moved on a gateway's account and is no customer's.
type Movement struct {
	Gateway, Kind, Reference string // together the identity
	Payment, User            string // "" for those of the account itself
	Amount                   money.Amount
	At                       time.Time
}

// RecordMovement books a movement once, and reports whether it is new. Its amount
// is positive into the account: a fee or payout is negative.
func (b *Books) RecordMovement(tx core.App, now time.Time, m Movement) (bool, error) {
	if err := inTransaction(tx); err != nil {
		return false, err
	}
	if m.Amount.IsZero() {
		return false, nil
	}
	id, fresh, err := collections.Row(tx, collections.GatewayMovements, now, dbx.Params{
		"gateway": m.Gateway, "kind": m.Kind, "reference": m.Reference, "payment": m.Payment, "currency": m.Amount.Currency(), "amount_minor": m.Amount.Minor(), "at": stamp(m.At),
	})
	if err != nil || !fresh {
		return false, err
	}
	entries := billing.PostFee(m.Gateway, m.Amount.Neg())
	if m.Kind == MovementPayout {
		entries = billing.PostPayout(m.Gateway, m.Amount.Neg())
	}
	return true, collections.Post(tx, now, "movement:"+id, m.User, "", m.Payment, entries)
}
