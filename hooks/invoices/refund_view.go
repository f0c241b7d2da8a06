package invoices

import (
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// refundRow is a refund of a payment as its customer sees it.
type refundRow struct {
	ID      string       `json:"id"`
	At      time.Time    `json:"at"`
	Payment string       `json:"payment"`
	Gateway string       `json:"gateway"`
	Method  string       `json:"method"` // "Visa •••• 4242", "" where it is not known
	Amount  money.Amount `json:"amount"`
	State   string       `json:"state"` // "pending", "succeeded" or "failed", which is credit again
}

// refundsOn lists what went back of an invoice's payments, oldest first.
func refundsOn(app core.App, inv *core.Record) ([]refundRow, error) {
	payments, err := succeeded(app, inv)
	if err != nil {
		return nil, err
	}
	rows := []refundRow{}
	for _, p := range payments {
		if p.GetString("gateway") == billing.GatewayCredit {
			continue
		}
		found, err := collections.All(app, collections.Refunds, dbx.HashExp{"payment": p.Id}, "requested_at ASC, rowid ASC")
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			row, err := viewRefundRow(app, p, r)
			if err != nil {
				return nil, err
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

func viewRefundRow(app core.App, payment, r *core.Record) (refundRow, error) {
	row := refundRow{ID: r.Id, Payment: payment.Id, Gateway: r.GetString("gateway"), State: r.GetString("status"), At: collections.Time(r, "settled_at")}
	if row.At.IsZero() {
		row.At = collections.Time(r, "requested_at")
	}
	switch billing.RefundStatus(row.State) {
	case billing.RefundCreated, billing.RefundUnknown:
		row.State = string(billing.RefundPending)
	case billing.RefundPending, billing.RefundSucceeded, billing.RefundFailed:
	}
	var err error
	if row.Amount, err = collections.Amount(r, "amount_minor"); err != nil {
		return row, err
	}
	if row.Gateway == payment.GetString("gateway") {
		row.Method, err = collections.MethodName(app, payment.GetString("gateway_method_id"))
	}
	return row, err
}
