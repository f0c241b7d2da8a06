package stripe

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v79"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// booksLag is how late Stripe's books may be: a charge is captured and booked
// shortly after it is answered (capture_method automatic_async).
const booksLag = 10 * time.Minute

// Transactions reads the account's book (GET /v1/balance_transactions), newest
// first and 100 movements at a time. Amounts are in the currency that the payer
// paid, fees in the account's.
func (c *Client) Transactions(ctx context.Context, from, to time.Time, visit func(billing.Transaction) error) (time.Time, error) {
	complete := to
	if latest := c.now().Add(-booksLag); latest.Before(complete) {
		complete = latest
	}
	var after *string
	for {
		x := c.begin("list balance transactions of "+from.UTC().Format(time.DateOnly), false)
		list := c.api.BalanceTransactions.List(&stripe.BalanceTransactionListParams{
			ListParams: stripe.ListParams{
				Context: x.watch(ctx), Limit: stripe.Int64(100), Single: true, StartingAfter: after,
			},
			Expand:       stripe.StringSlice([]string{"data.source"}),
			CreatedRange: &stripe.RangeQueryParams{GreaterThanOrEqual: wholeSecond(from), LesserThan: wholeSecond(to)},
		})
		if err := x.failure(list.Err()); err != nil {
			return time.Time{}, err
		}
		page := list.BalanceTransactionList()
		if page.URL == "" {
			return time.Time{}, x.incomplete("list")
		}
		for _, bt := range page.Data {
			t, ok, err := transaction(bt)
			if err != nil {
				return time.Time{}, x.lost(err.Error(), ErrPayload)
			}
			after = &bt.ID
			if !ok {
				continue
			}
			if err := visit(t); err != nil {
				return time.Time{}, err
			}
		}
		if !page.HasMore || len(page.Data) == 0 {
			return complete, nil
		}
	}
}

// wholeSecond is the first whole second at or after t, in which Stripe counts.
func wholeSecond(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}

// movementKinds are the kinds of movements by Stripe's types
// (docs.stripe.com/reports/balance-transaction-types). An adjustment is a
// dispute's when it comes from one.
var movementKinds = map[stripe.BalanceTransactionType]billing.TransactionKind{
	stripe.BalanceTransactionTypeCharge: billing.TransactionPayment, stripe.BalanceTransactionTypePayment: billing.TransactionPayment,
	stripe.BalanceTransactionTypeRefund: billing.TransactionRefund, stripe.BalanceTransactionTypePaymentRefund: billing.TransactionRefund,
	stripe.BalanceTransactionTypePaymentFailureRefund: billing.TransactionReversal, stripe.BalanceTransactionTypePaymentReversal: billing.TransactionReversal,
	stripe.BalanceTransactionTypeStripeFee: billing.TransactionFee, stripe.BalanceTransactionTypeStripeFxFee: billing.TransactionFee,
	stripe.BalanceTransactionTypeTaxFee: billing.TransactionFee, stripe.BalanceTransactionTypeApplicationFee: billing.TransactionFee,
	stripe.BalanceTransactionTypePayout: billing.TransactionPayout, stripe.BalanceTransactionTypePayoutFailure: billing.TransactionPayout, stripe.BalanceTransactionTypePayoutCancel: billing.TransactionPayout,
}

// transaction reads a movement; ok is false for those in currencies that are
// none of ours. Its id is that of what it comes from where that is one thing at
// one time, otherwise the movement's own.
func transaction(bt *stripe.BalanceTransaction) (t billing.Transaction, ok bool, err error) {
	if bt == nil || checkID("balance transaction", bt.ID, "txn_") != nil || bt.Created == 0 || bt.Type == "" {
		return t, false, fmt.Errorf("balance transaction: %w: id, type or time is missing", ErrPayload)
	}
	if _, _, err := exponents(strings.ToUpper(string(bt.Currency))); err != nil {
		return t, false, nil //nolint:nilerr // it is none of ours
	}
	t = billing.Transaction{ID: bt.ID, Kind: billing.TransactionOther, State: billing.PaymentSucceeded, At: time.Unix(bt.Created, 0).UTC()}
	if kind, known := movementKinds[bt.Type]; known {
		t.Kind = kind
	}
	if t.Amount, err = signedAmount(bt.Amount, bt.Currency); err != nil {
		return t, false, fmt.Errorf("balance transaction %s: %w", bt.ID, err)
	}
	if t.Fee, err = signedAmount(bt.Fee, bt.Currency); err != nil {
		return t, false, fmt.Errorf("balance transaction %s: %w", bt.ID, err)
	}
	if err := sourced(&t, bt); err != nil {
		return t, false, fmt.Errorf("balance transaction %s: %w", bt.ID, err)
	}
	return t, true, nil
}

// sourced says what a movement comes from.
func sourced(t *billing.Transaction, bt *stripe.BalanceTransaction) (err error) {
	s := bt.Source
	switch {
	case s == nil:
	case s.Charge != nil && t.Kind == billing.TransactionPayment:
		t.ID, t.AttemptID = paymentOf(s.Charge.PaymentIntent, s.ID), s.Charge.Metadata[metaAttempt]
		t.Amount, err = signedAmount(s.Charge.Amount, s.Charge.Currency)
	case s.Charge != nil:
		t.Related, t.AttemptID = paymentOf(s.Charge.PaymentIntent, s.ID), s.Charge.Metadata[metaAttempt]
	case s.Refund != nil && t.Kind == billing.TransactionRefund:
		t.ID, t.Related = s.Refund.ID, paymentOf(s.Refund.PaymentIntent, "")
		t.Amount, err = signedAmount(-s.Refund.Amount, s.Refund.Currency)
	case s.Refund != nil: // a refund that failed comes back
		t.Related = paymentOf(s.Refund.PaymentIntent, "")
	case s.Dispute != nil:
		t.Kind, t.Related = billing.TransactionReversal, paymentOf(s.Dispute.PaymentIntent, "")
	case s.Payout != nil && bt.Type == stripe.BalanceTransactionTypePayout:
		t.ID = s.Payout.ID
	case s.Payout != nil:
		t.Related = s.Payout.ID
	}
	return err
}

func paymentOf(pi *stripe.PaymentIntent, otherwise string) string {
	if pi == nil || pi.ID == "" {
		return otherwise
	}
	return pi.ID
}

// signedAmount reads an amount that may be negative.
func signedAmount(unit int64, currency stripe.Currency) (money.Amount, error) {
	if unit < 0 {
		a, err := fromStripe(-unit, string(currency))
		return a.Neg(), err
	}
	return fromStripe(unit, string(currency))
}
