package payments

import (
	"context"
	"errors"
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// errByHand says that no repair can be made by the product.
var errByHand = errors.New("to be corrected by hand")

// repair reads what a finding is about back from the gateway and takes it into the
// books, by the same functions that webhooks end in: repeating it changes nothing.
// said tells staff what came of it. Errors: errByHand, billing's gateway errors.
func (s *Subject) repair(ctx context.Context, app core.App, f findingRow, actor string) (settled bool, said string, err error) {
	gateway, err := s.gateway(app, f.Gateway)
	if err != nil {
		return false, "", err
	}
	book, err := s.remedy(ctx, gateway, f)
	if err != nil {
		return false, "", err
	}
	err = app.RunInTransaction(func(tx core.App) error {
		if said, err = book(tx); err != nil {
			return err
		}
		settled, err = s.settleFinding(tx, s.Now(), f, actor, collections.Cut("repaired: "+said, 900))
		return err
	})
	return settled, said, err
}

// remedy asks the gateway and returns what is to be booked for its answer.
func (s *Subject) remedy(ctx context.Context, gateway billing.Gateway, f findingRow) (func(tx core.App) (string, error), error) {
	switch f.Kind {
	case "missing_here", "state_differs", "amount_differs", "currency_differs", "missing_there":
		rep, err := gateway.ReadPayment(ctx, f.Reference)
		if err != nil {
			return nil, fmt.Errorf("read %s payment %s: %w", f.Gateway, f.Reference, err)
		}
		return func(tx core.App) (string, error) { return s.repairPayment(tx, f, rep) }, nil
	case "refund_missing_here", "refund_differs", "refund_missing_there":
		able, ok := gateway.(billing.Refunder)
		if !ok {
			return nil, errByHand
		}
		rep, err := able.ReadRefund(ctx, f.Reference)
		if err != nil {
			return nil, fmt.Errorf("read %s refund %s: %w", f.Gateway, f.Reference, err)
		}
		if rep.Payment == "" {
			rep.Payment = f.Related
		}
		return func(tx core.App) (string, error) { return s.repairRefund(tx, f, rep) }, nil
	case "reversal_missing_here":
		rep, err := gateway.ReadPayment(ctx, f.Related)
		if err != nil {
			return nil, fmt.Errorf("read %s payment %s: %w", f.Gateway, f.Related, err)
		}
		rep.Reference = f.Related
		return func(tx core.App) (string, error) { return s.reversed(tx, f.Gateway, rep) }, nil
	case "fee_missing_here":
		fee, err := money.New(f.Theirs, f.TheirsCurrency)
		if err != nil {
			return nil, fmt.Errorf("fee of payment %s: %w", f.Reference, err)
		}
		return func(tx core.App) (string, error) {
			_, err := s.Books.RecordFee(tx, s.Now(), f.Record, fee)
			return "the fee is booked", err
		}, nil
	}
	return nil, errByHand
}

// repairPayment settles what the gateway says of a payment.
func (s *Subject) repairPayment(tx core.App, f findingRow, rep billing.PaymentReport) (string, error) {
	a, err := findAttempt(tx, byReference, dbx.Params{"gateway": f.Gateway, "value": f.Reference})
	if err != nil {
		return "", err
	}
	if a != nil && a.Status == attemptSucceeded {
		if rep.State == billing.PaymentSucceeded && sameMoney(rep.Amount, a.Minor, a.Currency) {
			return "the gateway confirms our booking", markSeen(tx, collections.PaymentTransactions, a.ID, s.Now())
		}
		return "the gateway says " + string(rep.State) + " over " + rep.Amount.String() + "; what was booked is never changed, so correct it by a credit note or a payment by hand", nil
	}
	if rep.State != billing.PaymentSucceeded {
		return "the gateway says that no money moved: " + string(rep.State), nil
	}
	status, note, err := s.settleEvent(tx, f.Gateway, rep)
	if err != nil || note != "" {
		return note, err
	}
	if status == "ignored" {
		return "it belongs to nothing of ours", nil
	}
	return "the payment is booked", nil
}

// repairRefund settles what the gateway says of a refund.
func (s *Subject) repairRefund(tx core.App, f findingRow, rep billing.RefundReport) (string, error) {
	note, err := s.settleRefund(tx, f.Gateway, rep)
	if err != nil {
		return "", err
	}
	if f.Record != "" && rep.State == billing.RefundSucceeded && sameMoney(rep.Amount, f.Ours, f.Currency) {
		return "the gateway confirms our booking", markSeen(tx, collections.Refunds, f.Record, s.Now())
	}
	if note == "" {
		note = "the refund is booked"
	}
	return note, nil
}
