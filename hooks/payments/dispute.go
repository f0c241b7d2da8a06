package payments

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/op"
)

// reversalOf begins the id under which a payment that was taken back without a
// dispute is kept among them; the payment's reference follows.
const reversalOf = "reversal:"

// settleDispute takes what a gateway says of a dispute into the books and tells
// staff. Nothing is switched off because of it: that is for staff to decide. note
// says what came of it.
func (s *Subject) settleDispute(tx core.App, gateway string, d billing.Dispute) (note string, err error) {
	payment, err := s.disputedPayment(tx, gateway, d)
	if err != nil {
		return "", err
	}
	if payment == nil {
		return "a dispute about a payment that is not ours", s.disputeNews(tx, "dispute.unknown", d.ID, map[string]any{"gateway": gateway, "dispute": d.ID, "payments": d.Payments, "amount": d.Amount, "status": d.Status})
	}
	reversed, err := collections.First(tx, collections.Disputes, dbx.HashExp{"gateway": gateway, "gateway_dispute_id": reversalOf + payment.Reference})
	if err != nil || reversed != nil {
		return "the payment was taken back before", err
	}
	return "", s.recordDispute(tx, books.Dispute{
		Gateway: gateway, ID: d.ID, Payment: payment.ID, Status: d.Status, Amount: d.Amount, Reason: d.Reason, EvidenceDue: d.RespondBy, Withdrawn: d.Withdrawn, Fee: d.Fee,
	})
}

func (s *Subject) recordDispute(tx core.App, d books.Dispute) error {
	changed, err := s.Books.RecordDispute(tx, s.Now(), d)
	if errors.Is(err, money.ErrMismatch) { // of an account that settles in another currency
		return s.disputeNews(tx, "dispute.unbooked", d.ID, map[string]any{"gateway": d.Gateway, "dispute": d.ID, "payment": d.Payment, "amount": d.Amount, "status": d.Status, "why": "it is in another currency than the payment; book it by hand"})
	}
	if err != nil || !changed {
		return err
	}
	row, err := collections.First(tx, collections.Disputes, dbx.HashExp{"gateway": d.Gateway, "gateway_dispute_id": d.ID})
	if err != nil || row == nil {
		return err
	}
	if err := s.Disputed(tx, row); err != nil {
		return err
	}
	return audit.Write(tx, s.Now(), audit.Entry{
		ActorKind: audit.System, Action: "dispute." + string(d.Status), Resource: collections.Disputes, ResourceID: row.Id,
		Changes: map[string]any{"gateway": d.Gateway, "dispute": d.ID, "payment": d.Payment, "amount": d.Amount, "reason": d.Reason, "withdrawn": d.Withdrawn, "evidence_due": stampOrNone(d.EvidenceDue)},
	})
}

func stampOrNone(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return collections.Stamp(at).String()
}

// disputeNews tells staff, once for each dispute, what could not be booked.
func (s *Subject) disputeNews(tx core.App, action, id string, changes map[string]any) error {
	known, err := collections.First(tx, collections.AuditLogs, dbx.HashExp{"action": action, "resource_id": id})
	if err != nil || known != nil {
		return err
	}
	return audit.Write(tx, s.Now(), audit.Entry{ActorKind: audit.System, Action: action, Resource: collections.Disputes, ResourceID: id, Changes: changes})
}

// disputedPayment finds the payment a dispute is about: the first of ours among
// those it names, or the one it was about before.
func (s *Subject) disputedPayment(tx core.App, gateway string, d billing.Dispute) (*attempt, error) {
	known, err := collections.First(tx, collections.Disputes, dbx.HashExp{"gateway": gateway, "gateway_dispute_id": d.ID})
	if err != nil {
		return nil, err
	}
	if known != nil {
		return findAttempt(tx, "`id` = {:id}", dbx.Params{"id": known.GetString("payment")})
	}
	for _, reference := range d.Payments {
		a, err := findAttempt(tx, byReference, dbx.Params{"gateway": gateway, "value": reference})
		if err != nil || a != nil && a.Status == attemptSucceeded {
			return a, err
		}
	}
	return nil, nil
}

// reversed records a payment that bank or gateway took back without a dispute, as
// one that is lost.
func (s *Subject) reversed(tx core.App, gateway string, rep billing.PaymentReport) (note string, err error) {
	a, err := findAttempt(tx, byReference, dbx.Params{"gateway": gateway, "value": rep.Reference})
	if err != nil || a == nil || a.Status != attemptSucceeded {
		return "a payment that is not ours", err
	}
	known, err := collections.First(tx, collections.Disputes, dbx.HashExp{"payment": a.ID})
	if err != nil || known != nil {
		return "a dispute tells of it", err
	}
	row, err := tx.FindRecordById(collections.PaymentTransactions, a.ID)
	if err != nil {
		return "", fmt.Errorf("payment %s: %w", a.ID, err)
	}
	left := row.GetInt64("amount_minor") - row.GetInt64("refunded_minor")
	if left <= 0 {
		return "all of it was refunded before", nil
	}
	amount, err := money.New(left, a.Currency)
	if err != nil {
		return "", fmt.Errorf("payment %s: %w", a.ID, err)
	}
	return "", s.recordDispute(tx, books.Dispute{Gateway: gateway, ID: reversalOf + rep.Reference, Payment: a.ID, Status: billing.DisputeLost, Amount: amount, Reason: "reversed", Withdrawn: true})
}

// remindBefore are how long before its deadline staff are reminded of a dispute.
var remindBefore = []time.Duration{3 * 24 * time.Hour, 24 * time.Hour}

// RemindOfDisputes tells staff of disputes whose evidence is due soon, once for
// each time before the deadline. It is a task of the schedule.
func (s *Subject) RemindOfDisputes(ctx context.Context, app core.App, now time.Time) error {
	rows, err := collections.All(app, collections.Disputes, dbx.HashExp{"status": []any{string(billing.DisputeNeedsResponse), string(billing.DisputeWarning)}}, "evidence_due_at ASC")
	if err != nil {
		return err
	}
	failed := []error{}
	for _, row := range rows {
		due := collections.Time(row, "evidence_due_at")
		for i, before := range remindBefore {
			if due.IsZero() || now.Before(due.Add(-before)) || !now.Before(due) || ctx.Err() != nil {
				continue
			}
			if i+1 < len(remindBefore) && !now.Before(due.Add(-remindBefore[i+1])) {
				continue // the nearer reminder tells of it
			}
			failed = append(failed, app.RunInTransaction(func(tx core.App) error { return s.DisputeDue(tx, row, int(before/(24*time.Hour))) }))
		}
	}
	return errors.Join(failed...)
}

type staffDispute struct {
	ID          string       `json:"id"`
	Customer    string       `json:"customer"`
	Payment     string       `json:"payment"`
	Invoice     string       `json:"invoice"`
	Gateway     string       `json:"gateway"`
	Reference   string       `json:"reference"`
	Amount      money.Amount `json:"amount"`
	Fee         money.Amount `json:"fee"`
	Status      string       `json:"status"`
	Reason      string       `json:"reason"`
	Withdrawn   bool         `json:"funds_withdrawn"`
	EvidenceDue *time.Time   `json:"evidence_due_at"`
	OpenedAt    *time.Time   `json:"opened_at"`
	ClosedAt    *time.Time   `json:"closed_at"`
}

type staffDisputes struct {
	Items []staffDispute `json:"items"`
}

func (s *Subject) disputeOps(t *op.Table) {
	op.Add(t, op.Spec{ID: "staff.disputes.list", Method: http.MethodGet, Path: "/api/v1/staff/disputes", Access: op.Staff, Summary: "Disputes: those that wait for our evidence first, by deadline"}, s.listDisputes)
}

func (s *Subject) listDisputes(r *op.Request, in statusQuery) (staffDisputes, error) {
	list, rows := staffDisputes{Items: []staffDispute{}}, []struct {
		ID        string `db:"id"`
		User      string `db:"user"`
		Payment   string `db:"payment"`
		Invoice   string `db:"invoice"`
		Gateway   string `db:"gateway"`
		Reference string `db:"gateway_dispute_id"`
		Currency  string `db:"currency"`
		Minor     int64  `db:"amount_minor"`
		Fee       int64  `db:"fee_minor"`
		Status    string `db:"status"`
		Reason    string `db:"reason"`
		Withdrawn bool   `db:"funds_withdrawn"`
		Due       string `db:"evidence_due_at"`
		Opened    string `db:"opened_at"`
		Closed    string `db:"closed_at"`
	}{}
	err := r.App.DB().NewQuery("SELECT `d`.*, IFNULL(`p`.`invoice`, '') AS `invoice` FROM `disputes` `d` LEFT JOIN `payment_transactions` `p` ON `p`.`id` = `d`.`payment` WHERE {:status} IN ('', `d`.`status`)" +
		" ORDER BY `d`.`closed_at` != '', `d`.`evidence_due_at` = '', `d`.`evidence_due_at`, `d`.`opened_at` DESC LIMIT 200").Bind(dbx.Params{"status": in.Status}).All(&rows)
	if err != nil {
		return list, fmt.Errorf("list disputes: %w", err)
	}
	for _, row := range rows {
		v := staffDispute{
			ID: row.ID, Customer: row.User, Payment: row.Payment, Invoice: row.Invoice, Gateway: row.Gateway, Reference: row.Reference, Status: row.Status, Reason: row.Reason, Withdrawn: row.Withdrawn,
		}
		var errs [5]error
		v.Amount, errs[0] = money.New(row.Minor, row.Currency)
		v.Fee, errs[1] = money.New(row.Fee, row.Currency)
		v.EvidenceDue, errs[2] = whenever(row.Due)
		v.OpenedAt, errs[3] = whenever(row.Opened)
		v.ClosedAt, errs[4] = whenever(row.Closed)
		if err := errors.Join(errs[:]...); err != nil {
			return list, fmt.Errorf("dispute %s: %w", row.ID, err)
		}
		list.Items = append(list.Items, v)
	}
	return list, nil
}
