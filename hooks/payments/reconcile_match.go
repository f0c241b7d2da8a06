package payments

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// feePatience is how long after a payment its fee may be unknown here: it is read
// from the same book, by another task.
const feePatience = 3 * 24 * time.Hour

// compare holds one movement of a gateway's book against ours, inside a
// transaction, and reports whether it fits. A movement that fits is marked; one
// that does not becomes a finding. Fees and payouts of the account itself are
// booked from the same book and need no comparison.
func (s *Subject) compare(tx core.App, now time.Time, gateway string, t billing.Transaction) (fits bool, err error) {
	switch t.Kind {
	case billing.TransactionPayment:
		return s.comparePayment(tx, now, gateway, t)
	case billing.TransactionRefund:
		return s.compareRefund(tx, now, gateway, t)
	case billing.TransactionReversal:
		return s.compareReversal(tx, now, gateway, t)
	case billing.TransactionFee, billing.TransactionPayout, billing.TransactionOther:
	}
	return true, nil
}

func (s *Subject) comparePayment(tx core.App, now time.Time, gateway string, t billing.Transaction) (bool, error) {
	took := t.State == billing.PaymentSucceeded
	if took {
		if fits, err := fitsWhole(tx, now, gateway, t); fits || err != nil {
			return fits, err
		}
	}
	a, err := findAttempt(tx, byReference, dbx.Params{"gateway": gateway, "value": t.ID})
	booked := a != nil && a.Status == attemptSucceeded
	switch {
	case err != nil || !took && !booked:
		return err == nil, err // it may still succeed, and tells us then
	case a == nil:
		return s.unknownHere(tx, now, gateway, t)
	}
	f := finding{Gateway: gateway, Kind: differs(a, t, took, booked), Reference: t.ID, Record: a.ID, Currency: a.Currency, Ours: a.Minor, Theirs: t.Amount, At: t.At}
	switch f.Kind {
	case "":
		if err := markSeen(tx, collections.PaymentTransactions, a.ID, now); err != nil {
			return false, err
		}
		return s.compareFee(tx, now, a, t, f)
	case "missing_there": // it counted there before, perhaps
		if _, err := tx.DB().Update(collections.PaymentTransactions, dbx.Params{"reconciled_at": ""}, dbx.HashExp{"id": a.ID}).Execute(); err != nil {
			return false, fmt.Errorf("compare payment %s: %w", t.ID, err)
		}
	}
	return false, s.found(tx, now, f)
}

// fitsWhole marks a payment that fits in everything. Nearly all do, and cost this
// one statement.
func fitsWhole(tx core.App, now time.Time, gateway string, t billing.Transaction) (bool, error) {
	res, err := collections.Statement(tx, "UPDATE `payment_transactions` SET `reconciled_at` = {:now} WHERE "+byReference+" AND `status` = 'succeeded' AND `amount_minor` = {:amount} AND `currency` = {:currency} AND `fee_minor` = {:fee}").
		Bind(dbx.Params{"gateway": gateway, "value": t.ID, "amount": t.Amount.Minor(), "currency": t.Amount.Currency(), "fee": t.Fee.Minor(), "now": collections.Stamp(now).String()}).Execute()
	if err != nil {
		return false, fmt.Errorf("compare payment %s: %w", t.ID, err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// differs is in what kind a movement and a payment of ours differ, "" if in none.
func differs(a *attempt, t billing.Transaction, took, booked bool) string {
	switch {
	case booked && !took:
		return "missing_there"
	case took && !booked:
		return "state_differs"
	case a.Currency != t.Amount.Currency():
		return "currency_differs"
	case a.Minor != t.Amount.Minor():
		return "amount_differs"
	}
	return ""
}

// unknownHere keeps money that we have no payment for, unless it waits to be
// assigned: then staff know of it.
func (s *Subject) unknownHere(tx core.App, now time.Time, gateway string, t billing.Transaction) (bool, error) {
	waits, err := collections.First(tx, collections.UnmatchedPayments, dbx.HashExp{"gateway": gateway, "reference": t.ID})
	if err != nil || waits != nil {
		return err == nil, err
	}
	return false, s.found(tx, now, finding{Gateway: gateway, Kind: "missing_here", Reference: t.ID, Theirs: t.Amount, At: t.At})
}

// compareFee compares what the gateway kept of a payment, once it had time to be
// booked. Fees of an account in another currency are movements of their own.
func (s *Subject) compareFee(tx core.App, now time.Time, a *attempt, t billing.Transaction, f finding) (bool, error) {
	fees := []int64{}
	if err := tx.DB().Select("fee_minor").From(collections.PaymentTransactions).Where(dbx.HashExp{"id": a.ID}).Column(&fees); err != nil || len(fees) == 0 {
		return false, err
	}
	f.Ours, f.Theirs = fees[0], t.Fee
	switch {
	case t.Fee.Currency() != a.Currency, fees[0] == t.Fee.Minor(), fees[0] == 0 && now.Sub(t.At) < feePatience:
		return true, nil
	case fees[0] == 0:
		f.Kind = "fee_missing_here"
	default:
		f.Kind = "fee_differs"
	}
	return false, s.found(tx, now, f)
}

func markSeen(tx core.App, collection, id string, now time.Time) error {
	_, err := tx.DB().Update(collection, dbx.Params{"reconciled_at": collections.Stamp(now).String()}, dbx.HashExp{"id": id}).Execute()
	if err != nil {
		return fmt.Errorf("mark %s %s as compared: %w", collection, id, err)
	}
	return nil
}

// refundRow is a refund of ours as a comparison needs it.
type refundRow struct {
	ID       string `db:"id"`
	Status   string `db:"status"`
	Currency string `db:"currency"`
	Minor    int64  `db:"amount_minor"`
}

func (s *Subject) compareRefund(tx core.App, now time.Time, gateway string, t billing.Transaction) (bool, error) {
	rows := []refundRow{}
	err := collections.Statement(tx, "SELECT `id`, `status`, `currency`, `amount_minor` FROM `refunds` WHERE `gateway` = {:gateway} AND `gateway_refund_id` = {:id} AND `gateway_refund_id` != ''").
		Bind(dbx.Params{"gateway": gateway, "id": t.ID}).All(&rows)
	if err != nil {
		return false, fmt.Errorf("compare refund %s: %w", t.ID, err)
	}
	gave := t.State == billing.PaymentSucceeded
	f := finding{Gateway: gateway, Reference: t.ID, Related: t.Related, Theirs: t.Amount.Neg(), At: t.At}
	switch {
	case len(rows) == 0 && !gave:
		return true, nil
	case len(rows) == 0:
		known, err := findAttempt(tx, byReference, dbx.Params{"gateway": gateway, "value": t.Related})
		if err != nil || known == nil || known.Status != attemptSucceeded {
			return err == nil, err // a refund of what is not ours, which is told of by itself
		}
		f.Kind = "refund_missing_here"
	case rows[0].Minor != f.Theirs.Minor() || rows[0].Currency != f.Theirs.Currency() || gave && rows[0].Status == "failed" || t.State == billing.PaymentDeclined && rows[0].Status == "succeeded":
		f.Kind, f.Record, f.Ours, f.Currency = "refund_differs", rows[0].ID, rows[0].Minor, rows[0].Currency
	default:
		return true, markSeen(tx, collections.Refunds, rows[0].ID, now)
	}
	return false, s.found(tx, now, f)
}

func (s *Subject) compareReversal(tx core.App, now time.Time, gateway string, t billing.Transaction) (bool, error) {
	a, err := findAttempt(tx, byReference, dbx.Params{"gateway": gateway, "value": t.Related})
	if err != nil || a == nil || a.Status != attemptSucceeded || t.Amount.Sign() >= 0 {
		return err == nil, err // none of our payments, or money that came back
	}
	known, err := collections.First(tx, collections.Disputes, dbx.HashExp{"payment": a.ID})
	if err != nil || known != nil {
		return err == nil, err
	}
	return false, s.found(tx, now, finding{Gateway: gateway, Kind: "reversal_missing_here", Reference: t.ID, Related: t.Related, Record: a.ID, Theirs: t.Amount.Neg(), At: t.At})
}

// thereLimit bounds how many payments one run asks the gateway about.
const thereLimit = 200

// missingThere looks at what we booked and the gateway's book does not have,
// though it is complete. The gateway is asked about each: its book is searched by
// time, and a delayed payment may stand before the first window.
func (s *Subject) missingThere(ctx context.Context, app core.App, gateway billing.Gateway, id string, now time.Time) error {
	run, err := findRun(app, id)
	if err != nil {
		return err
	}
	until, err := collections.ParseStamp(run.DoneTo)
	if err != nil {
		return err
	}
	params := dbx.Params{"gateway": run.Gateway, "from": run.From, "until": collections.Stamp(until.Add(-time.Hour)).String(), "n": thereLimit}
	const unseen = "`gateway` = {:gateway} AND `status` = 'succeeded' AND `reconciled_at` = '' AND `settled_at` >= {:from} AND `settled_at` < {:until}"
	ids := []string{}
	err = app.DB().NewQuery("SELECT `id` FROM `payment_transactions` WHERE " + unseen + " AND `gateway_transaction_id` != '' ORDER BY `settled_at` LIMIT {:n}").Bind(params).Column(&ids)
	if err != nil {
		return fmt.Errorf("payments that %s does not have: %w", run.Gateway, err)
	}
	for _, one := range ids {
		if err := s.seekPayment(ctx, app, gateway, one, now); err != nil {
			return err
		}
	}
	ids = ids[:0]
	err = app.DB().NewQuery("SELECT `id` FROM `refunds` WHERE " + unseen + " AND `gateway_refund_id` != '' ORDER BY `settled_at` LIMIT {:n}").Bind(params).Column(&ids)
	if err != nil {
		return fmt.Errorf("refunds that %s does not have: %w", run.Gateway, err)
	}
	for _, one := range ids {
		if err := s.seekRefund(ctx, app, gateway, one, now); err != nil {
			return err
		}
	}
	return nil
}

// seekPayment asks the gateway about a payment of ours.
func (s *Subject) seekPayment(ctx context.Context, app core.App, gateway billing.Gateway, id string, now time.Time) error {
	a, err := findAttempt(app, "`id` = {:id}", dbx.Params{"id": id})
	if err != nil || a == nil {
		return err
	}
	rep, err := gateway.ReadPayment(ctx, a.Reference)
	if err != nil && !errors.Is(err, billing.ErrGatewayRefused) {
		return fmt.Errorf("ask %s about payment %s: %w", a.Gateway, a.Reference, err)
	}
	return app.RunInTransaction(func(tx core.App) error {
		if err == nil && rep.State == billing.PaymentSucceeded && rep.Amount.Minor() == a.Minor && rep.Amount.Currency() == a.Currency {
			return markSeen(tx, collections.PaymentTransactions, a.ID, now)
		}
		f := finding{Gateway: a.Gateway, Kind: "missing_there", Reference: a.Reference, Record: a.ID, Ours: a.Minor, Currency: a.Currency, At: now}
		switch {
		case err != nil:
		case rep.State != billing.PaymentSucceeded:
			f.Theirs = rep.Amount
		case rep.Amount.Currency() != a.Currency:
			f.Kind, f.Theirs = "currency_differs", rep.Amount
		default:
			f.Kind, f.Theirs = "amount_differs", rep.Amount
		}
		return s.found(tx, now, f)
	})
}

// seekRefund asks the gateway about a refund of ours.
func (s *Subject) seekRefund(ctx context.Context, app core.App, gateway billing.Gateway, id string, now time.Time) error {
	able, ok := gateway.(billing.Refunder)
	row, err := app.FindRecordById(collections.Refunds, id)
	if err != nil || !ok {
		return err
	}
	reference := row.GetString("gateway_refund_id")
	rep, err := able.ReadRefund(ctx, reference)
	if err != nil && !errors.Is(err, billing.ErrGatewayRefused) {
		return fmt.Errorf("ask about refund %s: %w", reference, err)
	}
	return app.RunInTransaction(func(tx core.App) error {
		ours := row.GetInt64("amount_minor")
		if err == nil && rep.State == billing.RefundSucceeded && rep.Amount.Minor() == ours && rep.Amount.Currency() == row.GetString("currency") {
			return markSeen(tx, collections.Refunds, id, now)
		}
		f := finding{Gateway: row.GetString("gateway"), Kind: "refund_missing_there", Reference: reference, Record: id, Ours: ours, Currency: row.GetString("currency"), At: now}
		if err == nil {
			f.Theirs = rep.Amount
		}
		return s.found(tx, now, f)
	})
}

// sameMoney compares an amount with a row's columns.
func sameMoney(a money.Amount, minor int64, currency string) bool {
	return a.Minor() == minor && a.Currency() == currency
}
