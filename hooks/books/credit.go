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

// Credit is a customer's credit balance in a currency. The figure follows the
// ledger by trigger; the database refuses one below zero.
func Credit(app core.App, user, currency string) (money.Amount, error) {
	balance := int64(0)
	rows := []int64{}
	err := collections.Statement(app, "SELECT `balance_minor` FROM `credit_balances` WHERE `user` = {:user} AND `currency` = {:currency}").
		Bind(dbx.Params{"user": user, "currency": currency}).Column(&rows)
	if err != nil {
		return money.Amount{}, fmt.Errorf("credit of customer %s: %w", user, err)
	}
	if len(rows) > 0 {
		balance = rows[0]
	}
	return money.New(balance, currency)
}

// SpendCredit pays what is owed on an open invoice from the customer's credit,
// as far as it goes and at most the given amount (zero: as much as possible). It
// is a payment like any other, with the way to pay "credit". It returns what was
// spent; with nothing owed or no credit that is zero.
func (b *Books) SpendCredit(tx core.App, now time.Time, id string, most money.Amount) (money.Amount, error) {
	if err := inTransaction(tx); err != nil {
		return money.Amount{}, err
	}
	d, err := Read(tx, id)
	if err != nil {
		return money.Amount{}, err
	}
	if d.Status != billing.InvoiceOpen || d.Kind == KindTopUp {
		return d.Due.Zero(), nil
	}
	balance, err := Credit(tx, d.User, d.Due.Currency())
	if err != nil {
		return money.Amount{}, err
	}
	spend := min(balance.Minor(), d.Due.Minor())
	if most.Sign() > 0 {
		spend = min(spend, most.Minor())
	}
	if spend <= 0 {
		return d.Due.Zero(), nil
	}
	amount := money.Must(spend, d.Due.Currency())
	app, err := Decide(d, amount)
	if err != nil {
		return money.Amount{}, err
	}
	key := fmt.Sprintf("credit:%s:%d", d.ID, d.Paid.Minor()+d.Credited.Minor())
	payment, inserted, err := collections.Row(tx, collections.PaymentTransactions, now, dbx.Params{
		"user": d.User, "invoice": d.ID, "gateway": "credit", "kind": "credit", "status": "succeeded", "idempotency_key": key,
		"currency": amount.Currency(), "amount_minor": spend, "applied_minor": spend, "excess_minor": 0, "fee_minor": 0, "settled_at": stamp(now),
	})
	if err != nil {
		return money.Amount{}, fmt.Errorf("pay invoice %s from credit: %w", d.title(), err)
	}
	if !inserted {
		return money.Amount{}, fmt.Errorf("pay invoice %s from credit: %s is booked already: %w", d.title(), key, ErrState)
	}
	if err := collections.Post(tx, now, "payment:"+payment, d.User, d.ID, payment, billing.PostCreditApplied(amount)); err != nil {
		return money.Amount{}, err
	}
	return amount, b.Apply(tx, now, d, app)
}

// useCredit pays a new invoice from the customer's credit, unless the settings
// keep it for the customer to use.
func (s *Session) useCredit(d Document) (Document, error) {
	if s.invoicing.KeepCredit {
		return d, nil
	}
	balance, err := Credit(s.tx, d.User, d.Due.Currency())
	if err != nil || balance.IsZero() {
		return d, err
	}
	most := money.Amount{} // all of it
	if rest := d.Due.Minor() - balance.Minor(); rest > 0 && rest < billing.SmallestPayment(d.Due.Currency()) {
		use := d.Due.Minor() - billing.SmallestPayment(d.Due.Currency())
		if use <= 0 {
			return d, nil
		}
		most = money.Must(use, d.Due.Currency()) // what is left can be paid
	}
	spent, err := s.SpendCredit(s.tx, s.now, d.ID, most)
	if err != nil || spent.IsZero() {
		return d, err
	}
	return Read(s.tx, d.ID)
}

// Adjustment gives credit, or takes it back where Amount is negative.
type Adjustment struct {
	User, Key, Reason, Actor string
	Amount                   money.Amount
}

// Adjust books a credit adjustment once per key, and reports whether it is new.
// Errors: ErrCredit for taking back more than there is.
func (b *Books) Adjust(tx core.App, now time.Time, a Adjustment) (bool, error) {
	if err := inTransaction(tx); err != nil {
		return false, err
	}
	id, inserted, err := collections.Row(tx, collections.CreditAdjustments, now, dbx.Params{
		"user": a.User, "currency": a.Amount.Currency(), "amount_minor": a.Amount.Minor(), "reason": collections.Cut(a.Reason, 500), "key": a.Key, "actor": a.Actor, "at": stamp(now),
	})
	if err != nil || !inserted {
		return false, err
	}
	balance, err := Credit(tx, a.User, a.Amount.Currency())
	if err != nil {
		return false, err
	}
	if balance.Minor()+a.Amount.Minor() < 0 {
		return false, fmt.Errorf("take %s of %s: %w", a.Amount.Neg(), balance, ErrCredit)
	}
	return true, collections.Post(tx, now, "adjustment:"+id, a.User, "", "", billing.PostGoodwill(a.Amount))
}
