package books

import (
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// ReadRefund returns a refund. Errors: collections.ErrNotYours for an unknown id.
func ReadRefund(app core.App, id string) (Refund, error) {
	row, err := collections.First(app, collections.Refunds, dbx.HashExp{"id": id})
	if err != nil {
		return Refund{}, err
	}
	if row == nil {
		return Refund{}, fmt.Errorf("refund %q: %w", id, collections.ErrNotYours)
	}
	return refundOf(row)
}

// refundByKey returns the refund with a key, or one without an id.
func refundByKey(app core.App, key string) (Refund, error) {
	row, err := collections.First(app, collections.Refunds, dbx.HashExp{"idempotency_key": key})
	if err != nil || row == nil {
		return Refund{}, err
	}
	r, err := refundOf(row)
	r.Repeated = true
	return r, err
}

func refundOf(row *core.Record) (Refund, error) {
	amount, err := collections.Amount(row, "amount_minor")
	return Refund{
		ID: row.Id, User: row.GetString("user"), Key: row.GetString("idempotency_key"), Payment: row.GetString("payment"), Gateway: row.GetString("gateway"),
		Reference: row.GetString("gateway_refund_id"), Failure: row.GetString("failure"), Status: billing.RefundStatus(row.GetString("status")), Amount: amount,
	}, err
}

type paidRow struct {
	ID       string `db:"id"`
	Gateway  string `db:"gateway"`
	At       string `db:"settled_at"`
	Amount   int64  `db:"amount_minor"`
	Refunded int64  `db:"refunded_minor"`
	Disputed int64  `db:"disputed_minor"`
	Currency string `db:"currency"`
}

// PaidParts lists the payments of an invoice as far as they can go back. What
// credit notes gave back as credit and was not paid out went to what was paid
// from credit first.
func PaidParts(app core.App, d Document) ([]billing.PaidPart, error) {
	rows := []paidRow{}
	err := collections.Statement(app, "SELECT `id`, `gateway`, `settled_at`, `amount_minor`, `refunded_minor`, `disputed_minor`, `currency` FROM `payment_transactions`"+
		" WHERE `invoice` = {:invoice} AND `status` = 'succeeded' AND `currency` = {:currency} ORDER BY `settled_at`, `rowid`").
		Bind(dbx.Params{"invoice": d.ID, "currency": d.Total.Currency()}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("payments of invoice %s: %w", d.title(), err)
	}
	back, err := returnedAsCredit(app, d)
	if err != nil {
		return nil, err
	}
	parts := make([]billing.PaidPart, len(rows))
	for i, r := range rows {
		if r.Gateway == billing.GatewayCredit {
			r.Refunded = min(back, r.Amount)
			back -= r.Refunded
		}
		if parts[i], err = r.part(); err != nil {
			return nil, fmt.Errorf("payment %s: %w", r.ID, err)
		}
	}
	return parts, nil
}

// returnedAsCredit is what credit notes of an invoice left with the customer as
// credit, in minor units.
func returnedAsCredit(app core.App, d Document) (int64, error) {
	sum := int64(0)
	err := collections.Statement(app, "SELECT IFNULL((SELECT SUM(`to_credit_minor`) FROM `credit_notes` WHERE `invoice` = {:invoice}), 0)"+
		" - IFNULL((SELECT SUM(`r`.`amount_minor`) FROM `refunds` `r` JOIN `credit_notes` `n` ON `n`.`id` = `r`.`credit_note` WHERE `n`.`invoice` = {:invoice} AND `r`.`status` != 'failed'), 0)").
		Bind(dbx.Params{"invoice": d.ID}).Row(&sum)
	if err != nil {
		return 0, fmt.Errorf("credit given for invoice %s: %w", d.title(), err)
	}
	return max(sum, 0), nil
}

func (r paidRow) part() (billing.PaidPart, error) {
	p := billing.PaidPart{ID: r.ID, Gateway: r.Gateway}
	var err error
	if p.At, err = collections.ParseStamp(r.At); err != nil {
		return p, err
	}
	if p.Amount, err = money.New(r.Amount, r.Currency); err != nil {
		return p, err
	}
	if p.Returned, err = money.New(r.Refunded, r.Currency); err != nil {
		return p, err
	}
	p.Held, err = money.New(r.Disputed, r.Currency)
	return p, err
}
