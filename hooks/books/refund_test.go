package books_test

import (
	"errors"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/hooks/books"
)

// received books a payment by card that is all credit, and returns its id.
func (d *desk) received(minor int64) string {
	d.Helper()
	doc := d.issue(line("Server", 1, 1))
	id := ""
	err := d.write(func(tx core.App) (err error) {
		now := d.Clock().Now()
		app := billing.Application{Applied: eur(0), Excess: eur(minor)}
		id, _, err = collections.Row(tx, collections.PaymentTransactions, now, dbx.Params{
			"user": d.user, "invoice": doc.ID, "gateway": "stripe", "kind": "page", "status": "succeeded", "idempotency_key": "test:" + doc.ID, "gateway_transaction_id": "pi_" + doc.ID,
			"currency": "EUR", "amount_minor": minor, "applied_minor": 0, "excess_minor": minor, "settled_at": collections.Stamp(now).String(),
		})
		if err != nil {
			return err
		}
		return collections.Post(tx, now, "payment:"+id, d.user, doc.ID, id, billing.PostPayment("stripe", app))
	})
	if err != nil {
		d.Fatal(err)
	}
	return id
}

func (d *desk) column(table, id, column string) int64 {
	d.Helper()
	return d.Record(table, id).GetInt64(column)
}

func TestARefundDrawsOnCreditUntilItFails(t *testing.T) {
	d := open(t, tax.Policy{Rounding: tax.PerLine})
	payment := d.received(1000)
	begin := func(p books.Payout) (r books.Refund, err error) {
		p.User, p.Gateway, p.Payment, p.Reason = d.user, "stripe", payment, "test"
		err = d.write(func(tx core.App) error {
			r, err = d.books.BeginRefund(tx, d.Clock().Now(), p)
			return err
		})
		return r, err
	}
	settle := func(r books.Refund, status billing.RefundStatus) {
		t.Helper()
		err := d.write(func(tx core.App) error {
			return d.books.SettleRefund(tx, d.Clock().Now(), r.ID, books.RefundReport{Status: status, Reference: "re_" + r.ID})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	first, err := begin(books.Payout{Key: "first", Amount: eur(600)})
	if err != nil || d.credit() != 400 || d.column("payment_transactions", payment, "refunded_minor") != 600 {
		t.Fatalf("after it began: %v, credit %d", err, d.credit())
	}
	if again, err := begin(books.Payout{Key: "first", Amount: eur(600)}); err != nil || !again.Repeated || again.ID != first.ID {
		t.Errorf("the same key again: got %+v %v", again, err)
	}
	refusals := []struct {
		name string
		ask  books.Payout
		want error
	}{
		{"the key with another amount", books.Payout{Key: "first", Amount: eur(1)}, books.ErrKeyUsed},
		{"more than the credit", books.Payout{Key: "more", Amount: eur(401)}, books.ErrCredit},
		{"another currency", books.Payout{Key: "usd", Amount: money.Must(1, "USD")}, books.ErrCredit},
	}
	for _, r := range refusals {
		if _, err := begin(r.ask); !errors.Is(err, r.want) {
			t.Errorf("%s: got %v, want %v", r.name, err, r.want)
		}
	}
	settle(first, billing.RefundPending)
	settle(first, billing.RefundSucceeded)
	settle(first, billing.RefundPending) // late news
	if got := d.Record("refunds", first.ID).GetString("status"); got != "succeeded" || d.credit() != 400 {
		t.Errorf("it is %s with credit %d, want succeeded with 400", got, d.credit())
	}
	settle(first, billing.RefundFailed) // the bank sent it back after all
	settle(first, billing.RefundFailed)
	settle(first, billing.RefundSucceeded)
	if got := d.Record("refunds", first.ID).GetString("status"); got != "failed" || d.credit() != 1000 || d.column("payment_transactions", payment, "refunded_minor") != 0 {
		t.Errorf("it is %s with credit %d, want failed with 1000", got, d.credit())
	}
	if got := d.Balance(d.user, "cash:stripe", "EUR"); got != 1000 {
		t.Errorf("cash is %d, want all of it", got)
	}
}

func TestAPaymentGivesBackWhatItHolds(t *testing.T) {
	d := open(t, tax.Policy{Rounding: tax.PerLine})
	payment := d.received(1000)
	d.received(5000) // there is credit enough
	back := func(key string, minor int64) error {
		return d.write(func(tx core.App) error {
			_, err := d.books.BeginRefund(tx, d.Clock().Now(), books.Payout{User: d.user, Key: key, Amount: eur(minor), Gateway: "manual", Payment: payment, Reference: key})
			return err
		})
	}
	if err := d.write(func(tx core.App) error {
		_, err := d.books.RecordDispute(tx, d.Clock().Now(), books.Dispute{Gateway: "stripe", ID: "dp_1", Payment: payment, Status: billing.DisputeNeedsResponse, Amount: eur(300), Withdrawn: true})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := back("too much", 701); !errors.Is(err, billing.ErrRefundTooMuch) {
		t.Errorf("more than is not disputed: got %v", err)
	}
	if err := back("all", 700); err != nil {
		t.Error(err)
	}
	if err := back("a cent more", 1); !errors.Is(err, billing.ErrRefundTooMuch) {
		t.Errorf("a cent more: got %v", err)
	}
	if err := d.Exec("UPDATE `payment_transactions` SET `refunded_minor` = 1001 WHERE `id` = '" + payment + "'"); err == nil {
		t.Error("the database took more back than was paid")
	}
	if err := d.Exec("DELETE FROM `refunds`"); err == nil {
		t.Error("the database deleted a refund")
	}
}

func TestDisputesAreBookedOnce(t *testing.T) {
	news := func(status billing.DisputeStatus, withdrawn bool, fee int64) books.Dispute {
		return books.Dispute{Gateway: "stripe", ID: "dp_1", Status: status, Amount: eur(1000), Withdrawn: withdrawn, Fee: eur(fee), Reason: "fraudulent"}
	}
	open1, won, lost := news(billing.DisputeNeedsResponse, true, 1500), news(billing.DisputeWon, false, 1500), news(billing.DisputeLost, true, 1500)
	scenarios := []struct {
		name                             string
		news                             []books.Dispute
		status                           string
		cash, disputed, losses, fee, due int64 // disputed: on the account; due: held of the payment
	}{
		{"an inquiry moves nothing", []books.Dispute{news(billing.DisputeWarning, false, 0)}, "warning", 1000, 0, 0, 0, 0},
		{"opened, told three times", []books.Dispute{open1, open1, open1}, "needs_response", -1500, 1000, 0, 1500, 1000},
		{"won", []books.Dispute{open1, won, won}, "won", -500, 0, 0, 1500, 0},
		{"lost", []books.Dispute{open1, lost, lost}, "lost", -1500, 0, 1000, 1500, 1000},
		{"lost, the first that is heard of it", []books.Dispute{lost, open1, lost}, "lost", -1500, 0, 1000, 1500, 1000},
		{"won, then old news", []books.Dispute{open1, won, open1, lost}, "won", -500, 0, 0, 1500, 0},
		{"an inquiry that is closed for us", []books.Dispute{news(billing.DisputeWarning, false, 0), news(billing.DisputeWon, false, 0)}, "won", 1000, 0, 0, 0, 0},
		{"money withdrawn later", []books.Dispute{news(billing.DisputeNeedsResponse, false, 0), open1}, "needs_response", -1500, 1000, 0, 1500, 1000},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			d := open(t, tax.Policy{Rounding: tax.PerLine})
			payment := d.received(1000)
			for _, n := range s.news {
				n.Payment = payment
				if err := d.write(func(tx core.App) error {
					_, err := d.books.RecordDispute(tx, d.Clock().Now(), n)
					return err
				}); err != nil {
					t.Fatal(err)
				}
			}
			if got := d.One("disputes", dbx.HashExp{"gateway_dispute_id": "dp_1"}).GetString("status"); got != s.status {
				t.Errorf("it is %s, want %s", got, s.status)
			}
			for account, want := range map[string]int64{"cash:stripe": s.cash, "disputed": s.disputed, "dispute_losses": s.losses, "gateway_fees": s.fee} {
				if got := d.Balance(d.user, account, "EUR"); got != want {
					t.Errorf("%s is %d, want %d", account, got, want)
				}
			}
			if got := d.column("payment_transactions", payment, "disputed_minor"); got != s.due {
				t.Errorf("held of the payment: got %d, want %d", got, s.due)
			}
		})
	}
}

func TestDisputesOfNothing(t *testing.T) {
	d := open(t, tax.Policy{Rounding: tax.PerLine})
	payment := d.received(1000)
	for name, s := range map[string]struct {
		dispute books.Dispute
		want    error
	}{
		"an unknown payment": {books.Dispute{Gateway: "stripe", ID: "dp_1", Payment: "nosuchpayment12", Status: billing.DisputeWarning, Amount: eur(1)}, collections.ErrNotYours},
		"another currency":   {books.Dispute{Gateway: "stripe", ID: "dp_1", Payment: payment, Status: billing.DisputeWarning, Amount: money.Must(1, "USD")}, money.ErrMismatch},
	} {
		err := d.write(func(tx core.App) error {
			_, err := d.books.RecordDispute(tx, d.Clock().Now(), s.dispute)
			return err
		})
		if !errors.Is(err, s.want) {
			t.Errorf("%s: got %v, want %v", name, err, s.want)
		}
	}
	if _, err := d.books.BeginRefund(d.App, d.Clock().Now(), books.Payout{}); !errors.Is(err, books.ErrTransaction) {
		t.Errorf("a refund outside a transaction: got %v", err)
	}
}
