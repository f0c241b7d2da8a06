package books

import (
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// ErrKeyUsed reports a key under which something else was booked before.
var ErrKeyUsed = errors.New("the key was used for something else")

// Payout asks for credit to be paid out.
type Payout struct {
	User    string
	Key     string // the same key again returns the first refund
	Amount  money.Amount
	Gateway string // it is paid out through: "manual" is a bank transfer by staff
	Payment string // it goes back to; "" for credit that no payment is named for
	// CreditNote is the one whose money goes back; "" for none.
	CreditNote string
	// Reference is the bank's of a transfer that was made; "" leaves the refund
	// waiting for its gateway.
	Reference string
	Reason    string
	Actor     string
}

// Refund is a refund as it stands.
type Refund struct {
	ID, User, Key      string
	Payment, Gateway   string
	Reference, Failure string
	Status             billing.RefundStatus
	Amount             money.Amount
	Repeated           bool // by BeginRefund: it was there already
}

// BeginRefund draws on the customer's credit for money that is paid out. The
// money is gone from the balance from here on, so that it cannot be spent while
// a gateway works; SettleRefund gives it back if that fails. Of a payment no
// more goes back than it holds. Errors: ErrCredit, ErrKeyUsed,
// billing.ErrRefundTooMuch.
func (b *Books) BeginRefund(tx core.App, now time.Time, p Payout) (Refund, error) {
	if err := inTransaction(tx); err != nil {
		return Refund{}, err
	}
	if known, err := refundByKey(tx, p.Key); err != nil || known.ID != "" {
		if err == nil && !p.made(known) {
			err = fmt.Errorf("refund %s of %s: %w", p.Key, p.Amount, ErrKeyUsed)
		}
		return known, err
	}
	if err := p.check(tx); err != nil {
		return Refund{}, err
	}
	if err := holdPayment(tx, now, p); err != nil {
		return Refund{}, err
	}
	r := Refund{User: p.User, Key: p.Key, Payment: p.Payment, Gateway: p.Gateway, Reference: p.Reference, Amount: p.Amount, Status: billing.RefundCreated}
	settled := ""
	if p.Reference != "" {
		r.Status, settled = billing.RefundSucceeded, stamp(now)
	}
	id, inserted, err := collections.Row(tx, collections.Refunds, now, dbx.Params{
		"user": p.User, "payment": p.Payment, "credit_note": p.CreditNote, "gateway": p.Gateway, "idempotency_key": p.Key, "gateway_refund_id": p.Reference,
		"currency": p.Amount.Currency(), "amount_minor": p.Amount.Minor(), "status": string(r.Status), "reason": collections.Cut(p.Reason, 500), "failure": "",
		"requested_at": stamp(now), "settled_at": settled, "actor": p.Actor,
	})
	if err == nil && !inserted {
		err = fmt.Errorf("refund with reference %q: %w", p.Reference, ErrKeyUsed)
	}
	if err != nil {
		return Refund{}, err
	}
	r.ID = id
	if err := collections.Post(tx, now, "refund:"+r.ID, p.User, "", p.Payment, billing.PostRefund(p.Gateway, p.Amount)); err != nil || r.Status == billing.RefundCreated {
		return r, err
	}
	return r, b.tellRefund(tx, r, billing.RefundCreated)
}

// made reports whether a refund is the one asked for.
func (p Payout) made(r Refund) bool {
	return r.Amount == p.Amount && r.User == p.User && r.Payment == p.Payment
}

// check refuses what the customer's credit does not hold.
func (p Payout) check(tx core.App) error {
	if p.Amount.Sign() <= 0 {
		return fmt.Errorf("refund %s: must be positive", p.Amount)
	}
	balance, err := Credit(tx, p.User, p.Amount.Currency())
	if err != nil {
		return err
	}
	if balance.Minor() < p.Amount.Minor() {
		return fmt.Errorf("refund %s of %s: %w", p.Amount, balance, ErrCredit)
	}
	return nil
}

// holdPayment notes on a payment what goes back of it, if it still holds as much.
func holdPayment(tx core.App, now time.Time, p Payout) error {
	if p.Payment == "" {
		return nil
	}
	res, err := collections.Statement(tx, "UPDATE `payment_transactions` SET `refunded_minor` = `refunded_minor` + {:amount}, `updated` = {:now} WHERE `id` = {:id} AND `user` = {:user} AND `currency` = {:currency}"+
		" AND `status` = 'succeeded' AND `gateway` != 'credit' AND `refunded_minor` + `disputed_minor` + {:amount} <= `amount_minor`").
		Bind(dbx.Params{"id": p.Payment, "user": p.User, "amount": p.Amount.Minor(), "currency": p.Amount.Currency(), "now": stamp(now)}).Execute()
	if err != nil {
		return fmt.Errorf("refund %s of payment %s: %w", p.Amount, p.Payment, err)
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		err = billing.ErrRefundTooMuch
	}
	if err != nil {
		return fmt.Errorf("refund %s of payment %s: %w", p.Amount, p.Payment, err)
	}
	return nil
}

// news reports whether a report says something that is not known yet, nor older
// than what is.
func (r Refund) news(rep RefundReport) bool {
	return r.Status != rep.Status && billing.CheckRefundTransition(r.Status, rep.Status) == nil
}

// RefundReport is what became of a refund at its gateway.
type RefundReport struct {
	Status    billing.RefundStatus
	Reference string // the gateway's id of the refund
	Failure   string // why it failed
}

// SettleRefund records what a gateway says of a refund. The same news again, and
// news older than what is known, change nothing. A refund that failed, even after
// it had succeeded, is the customer's credit again.
func (b *Books) SettleRefund(tx core.App, now time.Time, id string, rep RefundReport) error {
	if err := inTransaction(tx); err != nil {
		return err
	}
	r, err := ReadRefund(tx, id)
	if err != nil {
		return err
	}
	if !r.news(rep) {
		return nil
	}
	settled := ""
	if rep.Status == billing.RefundSucceeded || rep.Status == billing.RefundFailed {
		settled = stamp(now)
	}
	_, err = collections.Statement(tx, "UPDATE `refunds` SET `status` = {:status}, `gateway_refund_id` = IIF({:reference} = '', `gateway_refund_id`, {:reference}), `failure` = {:failure}, `settled_at` = {:settled}, `updated` = {:now} WHERE `id` = {:id}").
		Bind(dbx.Params{"id": id, "status": string(rep.Status), "reference": rep.Reference, "failure": collections.Cut(rep.Failure, 500), "settled": settled, "now": stamp(now)}).Execute()
	if err != nil {
		return fmt.Errorf("refund %s: %w", id, err)
	}
	before := r.Status
	if r.Status, r.Failure = rep.Status, rep.Failure; rep.Reference != "" {
		r.Reference = rep.Reference
	}
	if rep.Status == billing.RefundFailed {
		if err := giveBack(tx, now, r); err != nil {
			return err
		}
	}
	return b.tellRefund(tx, r, before)
}

// giveBack makes a refund that failed the customer's credit again.
func giveBack(tx core.App, now time.Time, r Refund) error {
	_, err := collections.Statement(tx, "UPDATE `payment_transactions` SET `refunded_minor` = `refunded_minor` - {:amount}, `updated` = {:now} WHERE `id` = {:id}").
		Bind(dbx.Params{"id": r.Payment, "amount": r.Amount.Minor(), "now": stamp(now)}).Execute()
	if err != nil {
		return fmt.Errorf("refund %s: %w", r.ID, err)
	}
	return collections.Post(tx, now, "refund_failed:"+r.ID, r.User, "", r.Payment, billing.PostRefundFailed(r.Gateway, r.Amount))
}
