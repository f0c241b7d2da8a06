package payments

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/books"
)

const (
	// feesEvery is how long a gateway's book is left alone after it was read.
	feesEvery = time.Hour
	// feesBack bounds how far back a book is read that never was.
	feesBack = 180 * 24 * time.Hour
	// feesOverlap is read twice: movements of the same moment may be written in
	// any order.
	feesOverlap = time.Hour
	// feesBatch bounds how many movements are booked in one commit.
	feesBatch = 100
)

// BookFees reads the gateways' own books since they were read last, and books the
// fees of payments, fees of the account and payouts to the bank, each once. It is
// a task of the schedule; a gateway that does not answer is read next time.
func (s *Subject) BookFees(ctx context.Context, app core.App, now time.Time) error {
	kinds := []any{}
	for kind := range s.Factories {
		kinds = append(kinds, kind)
	}
	gateways, err := collections.All(app, collections.Gateways, dbx.HashExp{"kind": kinds}, "position ASC")
	if err != nil {
		return err
	}
	failed := []error{}
	for _, g := range gateways {
		if kind := g.GetString("kind"); kind != Manual && ctx.Err() == nil {
			failed = append(failed, s.bookFees(ctx, app, now, g))
		}
	}
	return errors.Join(failed...)
}

func (s *Subject) bookFees(ctx context.Context, app core.App, now time.Time, record *core.Record) error {
	kind := record.GetString("kind")
	from, due, err := feesSince(app, now, record)
	if err != nil || !due {
		return err
	}
	gateway, err := s.gateway(app, kind)
	if err != nil {
		return nil //nolint:nilerr // it is not set up; Enabled says so
	}
	lister, able := gateway.(billing.TransactionLister)
	if !able {
		return nil
	}
	batch := make([]billing.Transaction, 0, feesBatch)
	flush := func() error {
		err := app.RunInTransaction(func(tx core.App) error { return s.bookAll(tx, now, kind, batch) })
		batch = batch[:0]
		return err
	}
	complete, err := lister.Transactions(ctx, from, now, func(t billing.Transaction) error {
		if batch = append(batch, t); len(batch) < feesBatch {
			return nil
		}
		return flush()
	})
	switch {
	case errors.Is(err, billing.ErrGatewayTemporary), errors.Is(err, billing.ErrGatewayCredentials), errors.Is(err, billing.ErrGatewayRefused), ctx.Err() != nil:
		app.Logger().Warn("Fees cannot be read now", slog.String("gateway", kind), slog.Any("error", err))
		return nil //nolint:nilerr // it is read next time
	case err != nil:
		return fmt.Errorf("fees of %s: %w", kind, err)
	}
	if err := flush(); err != nil {
		return fmt.Errorf("fees of %s: %w", kind, err)
	}
	_, err = collections.Statement(app, "UPDATE `gateways` SET `books_until` = {:until} WHERE `kind` = {:kind} AND `books_until` < {:until}").
		Bind(dbx.Params{"kind": kind, "until": collections.Stamp(complete).String()}).Execute()
	if err != nil {
		return fmt.Errorf("fees of %s: %w", kind, err)
	}
	return nil
}

// feesSince says from when a gateway's book is to be read, and whether it is time
// to. A gateway that brought no payment has nothing to read.
func feesSince(app core.App, now time.Time, record *core.Record) (from time.Time, due bool, err error) {
	if until := collections.Time(record, "books_until"); !until.IsZero() {
		return until.Add(-feesOverlap), now.Sub(until) >= feesEvery, nil
	}
	first := ""
	err = app.DB().NewQuery("SELECT IFNULL(MIN(`settled_at`), '') FROM `payment_transactions` WHERE `gateway` = {:kind} AND `status` = 'succeeded'").Bind(dbx.Params{"kind": record.GetString("kind")}).Row(&first)
	if err != nil {
		return from, false, fmt.Errorf("first payment by %s: %w", record.GetString("kind"), err)
	}
	from, err = collections.ParseStamp(first)
	if err != nil || from.IsZero() {
		return from, false, err
	}
	due = now.Sub(from) >= feesEvery
	if from = from.Add(-feesOverlap); now.Sub(from) > feesBack {
		from = now.Add(-feesBack)
	}
	return from, due, nil
}

func (s *Subject) bookAll(tx core.App, now time.Time, gateway string, batch []billing.Transaction) error {
	for _, t := range batch {
		if err := s.bookOne(tx, now, gateway, t); err != nil {
			return fmt.Errorf("movement %s: %w", t.ID, err)
		}
	}
	return nil
}

// bookOne books what of a movement is no customer's. The fee of a dispute comes
// with the dispute.
func (s *Subject) bookOne(tx core.App, now time.Time, gateway string, t billing.Transaction) error {
	if t.State != billing.PaymentSucceeded {
		return nil
	}
	m := books.Movement{Gateway: gateway, Kind: books.MovementFee, Reference: t.ID, At: t.At, Amount: t.Fee.Neg()}
	switch t.Kind {
	case billing.TransactionPayment:
		a, err := findAttempt(tx, byReference, dbx.Params{"gateway": gateway, "value": t.ID})
		if err != nil || a == nil {
			return err // not ours, or not settled yet
		}
		_, err = s.Books.RecordFee(tx, now, a.ID, t.Fee)
		return err
	case billing.TransactionRefund: // some give a part of the fee back
	case billing.TransactionFee:
		if t.Fee.Currency() != t.Amount.Currency() {
			m.Amount = t.Amount
			break
		}
		var err error
		if m.Amount, err = t.Amount.Sub(t.Fee); err != nil {
			return err
		}
	case billing.TransactionPayout:
		return s.bookPayout(tx, now, gateway, t)
	case billing.TransactionReversal, billing.TransactionOther:
		return nil
	}
	_, err := s.Books.RecordMovement(tx, now, m)
	return err
}
