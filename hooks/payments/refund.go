package payments

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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

// Refund asks the gateway of a stored refund to pay it back, under the refund's
// key however often. What the gateway refuses is a report, after which the money
// is the customer's credit again. Errors, in the queue's classes: nothing is
// known yet, ask again; billing.ErrOutcomeUnknown is among them.
func (s *Subject) Refund(ctx context.Context, app core.App, r books.Refund) (books.RefundReport, error) {
	gateway, err := s.gateway(app, r.Gateway)
	if err != nil {
		return books.RefundReport{}, classed(err)
	}
	able, ok := gateway.(billing.Refunder)
	if !ok {
		return books.RefundReport{Status: billing.RefundFailed, Failure: collections.GatewayName(r.Gateway) + " payments cannot be paid back from here"}, nil
	}
	payment, err := app.FindRecordById(collections.PaymentTransactions, r.Payment)
	if err != nil {
		return books.RefundReport{}, fmt.Errorf("refund %s: payment %s: %w", r.ID, r.Payment, err)
	}
	rep, err := able.Refund(ctx, billing.RefundRequest{Key: r.Key, RefundID: r.ID, Payment: payment.GetString("gateway_transaction_id"), Amount: r.Amount})
	if errors.Is(err, billing.ErrGatewayRefused) {
		return books.RefundReport{Status: billing.RefundFailed, Failure: err.Error()}, nil
	}
	if err != nil {
		return books.RefundReport{}, classed(err)
	}
	return reportOf(rep), nil
}

func reportOf(rep billing.RefundReport) books.RefundReport {
	return books.RefundReport{Status: rep.State, Reference: rep.ID, Failure: rep.Reason}
}

// settleRefund takes what a gateway says of a refund into the books, whoever made
// it: ours is known by its id, which traveled along, or by the gateway's; any
// other was made at the gateway itself. note says what came of it.
func (s *Subject) settleRefund(tx core.App, gateway string, rep billing.RefundReport) (note string, err error) {
	known, err := findRefund(tx, gateway, rep)
	if err != nil {
		return "", err
	}
	if known == "" {
		return s.outside(tx, gateway, rep)
	}
	r, err := books.ReadRefund(tx, known)
	if err != nil {
		return "", err
	}
	if r.Amount != rep.Amount || r.Status == billing.RefundFailed && rep.State == billing.RefundSucceeded {
		return "it differs from ours; staff are told", s.refundDiffers(tx, r, rep)
	}
	return "", s.Books.SettleRefund(tx, s.Now(), known, reportOf(rep))
}

func findRefund(tx core.App, gateway string, rep billing.RefundReport) (string, error) {
	ids := []string{}
	err := collections.Statement(tx, "SELECT `id` FROM `refunds` WHERE `gateway` = {:gateway} AND `gateway_refund_id` = {:reference} AND `gateway_refund_id` != ''"+
		" UNION SELECT `id` FROM `refunds` WHERE `gateway` = {:gateway} AND `id` = {:id} AND `gateway_refund_id` IN ('', {:reference}) LIMIT 1").
		Bind(dbx.Params{"gateway": gateway, "reference": rep.ID, "id": rep.RefundID}).Column(&ids)
	if err != nil {
		return "", fmt.Errorf("find %s refund %s: %w", gateway, rep.ID, err)
	}
	if len(ids) == 0 {
		return "", nil
	}
	return ids[0], nil
}

// refundDiffers tells staff, once, of a refund whose news cannot be booked.
func (s *Subject) refundDiffers(tx core.App, r books.Refund, rep billing.RefundReport) error {
	known, err := collections.First(tx, collections.AuditLogs, dbx.HashExp{"action": "refund.differs", "resource_id": r.ID})
	if err != nil || known != nil {
		return err
	}
	tx.Logger().Error("A gateway's refund differs from ours", slog.String("refund", r.ID), slog.String("gateway", r.Gateway), slog.String("reference", rep.ID))
	return audit.Write(tx, s.Now(), audit.Entry{
		ActorKind: audit.System, Action: "refund.differs", Resource: collections.Refunds, ResourceID: r.ID,
		Changes: map[string]any{"gateway": r.Gateway, "reference": rep.ID, "ours": r.Amount, "status": r.Status, "theirs": rep.Amount, "their_status": rep.State},
	})
}

// outside records a refund that was made at the gateway itself.
func (s *Subject) outside(tx core.App, gateway string, rep billing.RefundReport) (note string, err error) {
	if rep.State == billing.RefundFailed {
		return "it failed before we knew of it", nil
	}
	payment, err := findAttempt(tx, byReference, dbx.Params{"gateway": gateway, "value": rep.Payment})
	if err != nil || payment == nil || payment.Status != attemptSucceeded {
		return "a refund of a payment that is not ours", err
	}
	now := s.Now()
	r, gift, err := s.Books.RecordRefund(tx, now, books.OutsideRefund{
		Gateway: gateway, ID: rep.ID, Payment: payment.ID, Amount: rep.Amount, Report: reportOf(rep), Reason: "Refunded at " + collections.GatewayName(gateway),
	})
	if err != nil {
		return "", fmt.Errorf("record %s refund %s: %w", gateway, rep.ID, err)
	}
	return "made at the gateway and recorded", audit.Write(tx, now, audit.Entry{
		ActorKind: audit.System, Action: "refund.outside", Resource: collections.Refunds, ResourceID: r.ID,
		Changes: map[string]any{"gateway": gateway, "reference": rep.ID, "payment": payment.ID, "amount": rep.Amount, "gift": gift, "why": "it was made at the gateway; what no invoice covered is a gift"},
	})
}

// followRefund tells staff of a refund that failed: the money is the customer's
// credit again, and can be paid out in another way.
func (s *Subject) followRefund(tx core.App, r books.Refund, before billing.RefundStatus) error {
	if r.Status != billing.RefundFailed {
		return nil
	}
	return audit.Write(tx, s.Now(), audit.Entry{
		ActorKind: audit.System, Action: "refund.failed", Resource: collections.Refunds, ResourceID: r.ID,
		Changes: map[string]any{"gateway": r.Gateway, "reference": r.Reference, "payment": r.Payment, "amount": r.Amount, "was": before, "why": r.Failure, "now": "it is the customer's credit again"},
	})
}

type staffRefund struct {
	ID          string       `json:"id"`
	Customer    string       `json:"customer"`
	Payment     string       `json:"payment"`
	Invoice     string       `json:"invoice"`
	CreditNote  string       `json:"credit_note"`
	Gateway     string       `json:"gateway"`
	Reference   string       `json:"reference"`
	Amount      money.Amount `json:"amount"`
	Status      string       `json:"status"`
	Failure     string       `json:"failure"`
	Reason      string       `json:"reason"`
	Actor       string       `json:"actor"`
	RequestedAt time.Time    `json:"requested_at"`
	SettledAt   *time.Time   `json:"settled_at"`
}

type staffRefunds struct {
	Items []staffRefund `json:"items"`
}

type statusQuery struct {
	Status string `json:"-" query:"status"`
}

func (s *Subject) refundOps(t *op.Table) {
	op.Add(t, op.Spec{ID: "staff.refunds.list", Method: http.MethodGet, Path: "/api/v1/staff/refunds", Access: op.Staff, Summary: "Refunds, newest first; a failed one is the customer's credit again and can be paid out in another way"}, s.listRefunds)
}

func (s *Subject) listRefunds(r *op.Request, in statusQuery) (staffRefunds, error) {
	list, rows := staffRefunds{Items: []staffRefund{}}, []struct {
		ID        string `db:"id"`
		User      string `db:"user"`
		Payment   string `db:"payment"`
		Invoice   string `db:"invoice"`
		Note      string `db:"credit_note"`
		Gateway   string `db:"gateway"`
		Reference string `db:"gateway_refund_id"`
		Currency  string `db:"currency"`
		Minor     int64  `db:"amount_minor"`
		Status    string `db:"status"`
		Failure   string `db:"failure"`
		Reason    string `db:"reason"`
		Actor     string `db:"actor"`
		Requested string `db:"requested_at"`
		Settled   string `db:"settled_at"`
	}{}
	err := r.App.DB().NewQuery("SELECT `r`.*, IFNULL(`p`.`invoice`, '') AS `invoice` FROM `refunds` `r` LEFT JOIN `payment_transactions` `p` ON `p`.`id` = `r`.`payment`" +
		" WHERE {:status} IN ('', `r`.`status`) ORDER BY `r`.`requested_at` DESC, `r`.`rowid` DESC LIMIT 200").Bind(dbx.Params{"status": in.Status}).All(&rows)
	if err != nil {
		return list, fmt.Errorf("list refunds: %w", err)
	}
	for _, row := range rows {
		v := staffRefund{
			ID: row.ID, Customer: row.User, Payment: row.Payment, Invoice: row.Invoice, CreditNote: row.Note, Gateway: row.Gateway, Reference: row.Reference,
			Status: row.Status, Failure: row.Failure, Reason: row.Reason, Actor: row.Actor,
		}
		var errs [3]error
		v.Amount, errs[0] = money.New(row.Minor, row.Currency)
		v.RequestedAt, errs[1] = collections.ParseStamp(row.Requested)
		v.SettledAt, errs[2] = whenever(row.Settled)
		if err := errors.Join(errs[:]...); err != nil {
			return list, fmt.Errorf("refund %s: %w", row.ID, err)
		}
		list.Items = append(list.Items, v)
	}
	return list, nil
}

// whenever reads a stored moment that need not have come.
func whenever(stored string) (*time.Time, error) {
	at, err := collections.ParseStamp(stored)
	if err != nil || at.IsZero() {
		return nil, err
	}
	return &at, nil
}
