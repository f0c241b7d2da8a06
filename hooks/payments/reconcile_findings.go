package payments

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/audit"
)

// finding is one difference between a gateway's book and ours.
type finding struct {
	ID        string
	Gateway   string
	Kind      string
	Reference string // the gateway's id
	Related   string // of the payment concerned, where the reference is not it
	Record    string // ours, "" where there is none
	Ours      int64
	Currency  string // of ours
	Theirs    money.Amount
	Status    string
	At        time.Time // when it happened there
}

// findingRow is a row of reconcile_findings.
type findingRow struct {
	ID             string `db:"id"`
	Gateway        string `db:"gateway"`
	Kind           string `db:"kind"`
	Reference      string `db:"reference"`
	Related        string `db:"related"`
	Record         string `db:"record"`
	Currency       string `db:"currency"`
	Ours           int64  `db:"ours_minor"`
	Theirs         int64  `db:"theirs_minor"`
	TheirsCurrency string `db:"theirs_currency"`
	Status         string `db:"status"`
	Note           string `db:"note"`
	At             string `db:"at"`
	Found          string `db:"found_at"`
	Closed         string `db:"closed_at"`
}

const findingColumns = "`id`, `gateway`, `kind`, `reference`, `related`, `record`, `currency`, `ours_minor`, `theirs_minor`, `theirs_currency`, `status`, `note`, `at`, `found_at`, `closed_at`"

// found keeps a difference, once for each gateway, kind and reference. One that
// had disappeared is open again; one that staff dismissed stays so, unless the
// amounts are others.
func (s *Subject) found(tx core.App, now time.Time, f finding) error {
	at := collections.Stamp(now).String()
	id, fresh, err := collections.Row(tx, collections.ReconcileFindings, now, dbx.Params{
		"gateway": f.Gateway, "kind": f.Kind, "reference": f.Reference, "related": f.Related, "record": f.Record, "currency": f.Currency, "ours_minor": f.Ours,
		"theirs_minor": f.Theirs.Minor(), "theirs_currency": f.Theirs.Currency(), "status": "open", "note": "", "at": collections.Stamp(f.At).String(), "found_at": at, "closed_at": "", "actor": "",
	})
	if err != nil {
		return fmt.Errorf("keep finding %s of %s: %w", f.Kind, f.Reference, err)
	}
	if !fresh {
		again, err := collections.Statement(tx, "UPDATE `reconcile_findings` SET `status` = 'open', `closed_at` = '', `record` = {:record}, `currency` = {:currency}, `ours_minor` = {:ours}, `theirs_minor` = {:theirs}, `theirs_currency` = {:theirsCurrency}, `updated` = {:now}"+
			" WHERE `gateway` = {:gateway} AND `kind` = {:kind} AND `reference` = {:reference} AND (`status` = 'closed' OR `ours_minor` != {:ours} OR `theirs_minor` != {:theirs})").
			Bind(dbx.Params{"gateway": f.Gateway, "kind": f.Kind, "reference": f.Reference, "record": f.Record, "currency": f.Currency, "ours": f.Ours, "theirs": f.Theirs.Minor(), "theirsCurrency": f.Theirs.Currency(), "now": at}).Execute()
		if err != nil {
			return fmt.Errorf("keep finding %s of %s: %w", f.Kind, f.Reference, err)
		}
		if n, err := again.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return s.Found(tx, f.Gateway)
	}
	if err := s.Found(tx, f.Gateway); err != nil {
		return err
	}
	return audit.Write(tx, now, audit.Entry{
		ActorKind: audit.System, Action: "reconcile.finding", Resource: collections.ReconcileFindings, ResourceID: id,
		Changes: map[string]any{"gateway": f.Gateway, "kind": f.Kind, "reference": f.Reference, "ours_minor": f.Ours, "theirs_minor": f.Theirs.Minor()},
	})
}

func readFinding(app core.App, id string) (findingRow, error) {
	rows := []findingRow{}
	err := app.DB().NewQuery("SELECT " + findingColumns + " FROM `reconcile_findings` WHERE `id` = {:id}").Bind(dbx.Params{"id": id}).All(&rows)
	if err != nil {
		return findingRow{}, fmt.Errorf("finding %s: %w", id, err)
	}
	if len(rows) == 0 {
		return findingRow{}, collections.ErrNotYours
	}
	return rows[0], nil
}

// settled says in SQL, for each kind, when a difference has disappeared. It asks
// our rows alone: what fits was marked when the gateway's book was read.
var settledBy = map[string]string{
	"missing_here": "SELECT 1 FROM `payment_transactions` WHERE " + samePayment + " UNION ALL SELECT 1 FROM `unmatched_payments` WHERE `gateway` = {:gateway} AND `reference` = {:value}",

	"state_differs":    "SELECT 1 FROM `payment_transactions` WHERE " + samePayment,
	"currency_differs": "SELECT 1 FROM `payment_transactions` WHERE " + samePayment,
	"amount_differs":   "SELECT 1 FROM `payment_transactions` WHERE " + samePayment,

	"missing_there":         "SELECT 1 FROM `payment_transactions` WHERE `id` = {:record} AND `reconciled_at` != ''",
	"refund_missing_here":   "SELECT 1 FROM `refunds` WHERE " + sameRefund,
	"refund_differs":        "SELECT 1 FROM `refunds` WHERE " + sameRefund + " AND `reconciled_at` > {:found}",
	"refund_missing_there":  "SELECT 1 FROM `refunds` WHERE `id` = {:record} AND (`reconciled_at` != '' OR `status` = 'failed')",
	"reversal_missing_here": "SELECT 1 FROM `disputes` WHERE `payment` = {:record}",
	"fee_missing_here":      "SELECT 1 FROM `payment_transactions` WHERE `id` = {:record} AND `fee_minor` = {:theirs}",
	"fee_differs":           "SELECT 1 FROM `payment_transactions` WHERE `id` = {:record} AND `fee_minor` = {:theirs}",
}

const (
	samePayment = byReference + " AND `status` = 'succeeded' AND `amount_minor` = {:theirs} AND `currency` = {:currency}"
	sameRefund  = "`gateway` = {:gateway} AND `gateway_refund_id` = {:value} AND `gateway_refund_id` != '' AND `amount_minor` = {:theirs} AND `currency` = {:currency}"
)

// settleFinding closes a difference that has disappeared and reports whether it
// has.
func (s *Subject) settleFinding(tx core.App, now time.Time, f findingRow, actor, note string) (bool, error) {
	gone := []int{}
	err := tx.DB().NewQuery(settledBy[f.Kind] + " LIMIT 1").Bind(dbx.Params{
		"gateway": f.Gateway, "value": f.Reference, "record": f.Record, "theirs": f.Theirs, "currency": f.TheirsCurrency, "found": f.Found,
	}).Column(&gone)
	if err != nil {
		return false, fmt.Errorf("look at finding %s: %w", f.ID, err)
	}
	if len(gone) == 0 {
		return false, nil
	}
	_, err = tx.DB().Update(collections.ReconcileFindings, dbx.Params{"status": "closed", "note": note, "actor": actor, "closed_at": collections.Stamp(now).String(), "updated": collections.Stamp(now).String()},
		dbx.HashExp{"id": f.ID, "status": "open"}).Execute()
	if err != nil {
		return false, fmt.Errorf("close finding %s: %w", f.ID, err)
	}
	return true, nil
}

// closeSettled closes the open differences that have disappeared, page by page.
func (s *Subject) closeSettled(app core.App, gateway string, now time.Time) error {
	for after := ""; ; {
		rows := []findingRow{}
		err := app.DB().NewQuery("SELECT " + findingColumns + " FROM `reconcile_findings` WHERE `status` = 'open' AND `gateway` = {:gateway} AND `id` > {:after} ORDER BY `id` LIMIT {:n}").
			Bind(dbx.Params{"gateway": gateway, "after": after, "n": reconcileBatch}).All(&rows)
		if err != nil {
			return fmt.Errorf("open findings of %s: %w", gateway, err)
		}
		if len(rows) == 0 {
			return nil
		}
		after = rows[len(rows)-1].ID
		err = app.RunInTransaction(func(tx core.App) error {
			for _, f := range rows {
				if _, err := s.settleFinding(tx, now, f, audit.System, "it has disappeared"); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}
