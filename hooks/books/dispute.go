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

// Dispute is what a gateway says of a payment that the customer's bank disputes.
type Dispute struct {
	Gateway, ID string // the gateway's id of the dispute is its identity
	Payment     string
	Status      billing.DisputeStatus
	Amount      money.Amount
	Reason      string    // the gateway's code
	EvidenceDue time.Time // zero when nothing is to be answered
	// Withdrawn says that the gateway has taken the money.
	Withdrawn bool
	Fee       money.Amount // the gateway's charge so far, in Amount's currency; the zero value is none
}

// disputeRow is a stored dispute.
type disputeRow struct {
	ID        string `db:"id"`
	Status    string `db:"status"`
	Amount    int64  `db:"amount_minor"`
	Withdrawn bool   `db:"funds_withdrawn"`
	Fee       int64  `db:"fee_minor"`
	fresh     bool
}

// RecordDispute takes what a gateway says of a dispute into the books, once per
// dispute however often and in whatever order the news come: a closed dispute
// stays closed. Withdrawn money is held back of its payment and cannot be
// refunded; a won dispute brings it back, a lost one makes it a loss. changed
// reports whether there was any news. Errors: collections.ErrNotYours for a
// payment that does not exist, money.ErrMismatch.
func (b *Books) RecordDispute(tx core.App, now time.Time, d Dispute) (changed bool, err error) {
	if err := inTransaction(tx); err != nil {
		return false, err
	}
	payment, err := collections.First(tx, collections.PaymentTransactions, dbx.HashExp{"id": d.Payment})
	if err != nil {
		return false, err
	}
	if payment == nil {
		return false, fmt.Errorf("dispute %s: payment %q: %w", d.ID, d.Payment, collections.ErrNotYours)
	}
	if payment.GetString("currency") != d.Amount.Currency() {
		return false, fmt.Errorf("dispute %s over %s: payment is in %s: %w", d.ID, d.Amount, payment.GetString("currency"), money.ErrMismatch)
	}
	user := payment.GetString("user")
	row, err := d.row(tx, now, user)
	if err != nil || !d.news(row) {
		return row.fresh, err
	}
	if err := d.save(tx, now, row, user); err != nil {
		return false, fmt.Errorf("dispute %s: %w", d.ID, err)
	}
	return true, nil
}

// news reports whether d says more than is known; it is older when the dispute
// cannot have come from there to here.
func (d Dispute) news(row disputeRow) bool {
	status := billing.DisputeStatus(row.Status)
	if status == d.Status {
		return !closed(status) && (d.Withdrawn && !row.Withdrawn || d.Fee.Minor() > row.Fee)
	}
	return billing.CheckDisputeTransition(status, d.Status) == nil
}

func closed(s billing.DisputeStatus) bool {
	return s == billing.DisputeWon || s == billing.DisputeLost
}

// row finds the stored dispute or begins one, as an inquiry that moved nothing.
func (d Dispute) row(tx core.App, now time.Time, user string) (disputeRow, error) {
	_, fresh, err := collections.Row(tx, collections.Disputes, now, dbx.Params{
		"user": user, "payment": d.Payment, "gateway": d.Gateway, "gateway_dispute_id": d.ID, "currency": d.Amount.Currency(), "amount_minor": d.Amount.Minor(),
		"status": string(billing.DisputeWarning), "reason": collections.Cut(d.Reason, 120), "evidence_due_at": stamp(d.EvidenceDue), "opened_at": stamp(now), "closed_at": "", "funds_withdrawn": false, "fee_minor": 0,
	})
	if err != nil {
		return disputeRow{}, fmt.Errorf("dispute %s: %w", d.ID, err)
	}
	row := disputeRow{}
	err = collections.Statement(tx, "SELECT `id`, `status`, `amount_minor`, `funds_withdrawn`, `fee_minor` FROM `disputes` WHERE `gateway` = {:gateway} AND `gateway_dispute_id` = {:id}").
		Bind(dbx.Params{"gateway": d.Gateway, "id": d.ID}).One(&row)
	if err != nil {
		return row, fmt.Errorf("dispute %s: %w", d.ID, err)
	}
	row.fresh = fresh
	return row, nil
}

// movement is money that moved with news of a dispute.
type movement struct {
	what    string // names the posting, once a dispute
	entries []billing.Entry
}

// movements are what is to be booked since the last news, and whether the
// gateway has the money afterwards.
func (d Dispute) movements(row disputeRow, amount, fee money.Amount) (all []movement, withdrawn bool) {
	withdrawn = row.Withdrawn
	if !withdrawn && (d.Withdrawn || d.Status == billing.DisputeLost) {
		withdrawn, all = true, append(all, movement{"opened", billing.PostDisputeOpened(d.Gateway, amount)})
	}
	switch {
	case d.Status == billing.DisputeLost:
		all = append(all, movement{"lost", billing.PostDisputeLost(amount)})
	case d.Status == billing.DisputeWon && withdrawn:
		withdrawn, all = false, append(all, movement{"won", billing.PostDisputeWon(d.Gateway, amount)})
	}
	if fee.Sign() > 0 {
		all = append(all, movement{fmt.Sprintf("fee_%d", row.Fee+fee.Minor()), billing.PostFee(d.Gateway, fee)})
	}
	return all, withdrawn
}

// save writes the news and books the money that moved since the last ones.
func (d Dispute) save(tx core.App, now time.Time, row disputeRow, user string) error {
	amount, err := money.New(row.Amount, d.Amount.Currency())
	if err != nil {
		return err
	}
	fee, err := money.New(max(d.Fee.Minor()-row.Fee, 0), d.Amount.Currency())
	if err != nil {
		return err
	}
	moved, withdrawn := d.movements(row, amount, fee)
	for _, m := range moved {
		if err := collections.Post(tx, now, "dispute_"+m.what+":"+row.ID, user, "", d.Payment, m.entries); err != nil {
			return err
		}
	}
	closedAt, held := "", int64(0)
	if closed(d.Status) {
		closedAt = stamp(now)
	}
	if withdrawn != row.Withdrawn {
		held = row.Amount
		if !withdrawn {
			held = -row.Amount
		}
	}
	_, err = collections.Statement(tx, "UPDATE `disputes` SET `status` = {:status}, `reason` = {:reason}, `evidence_due_at` = {:due}, `closed_at` = {:closed}, `funds_withdrawn` = {:withdrawn}, `fee_minor` = `fee_minor` + {:fee}, `updated` = {:now} WHERE `id` = {:id}").
		Bind(dbx.Params{
			"id": row.ID, "status": string(d.Status), "reason": collections.Cut(d.Reason, 120), "due": stamp(d.EvidenceDue), "closed": closedAt, "withdrawn": withdrawn, "fee": fee.Minor(), "now": stamp(now),
		}).Execute()
	if err != nil {
		return err
	}
	_, err = collections.Statement(tx, "UPDATE `payment_transactions` SET `disputed_minor` = `disputed_minor` + {:held}, `updated` = {:now} WHERE `id` = {:id}").
		Bind(dbx.Params{"id": d.Payment, "held": held, "now": stamp(now)}).Execute()
	return err
}
