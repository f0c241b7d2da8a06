package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() { m.Register(reconcileUp, reconcileDown) }

// reconciled marks what was found in the gateway's own book.
var reconciled = []change{
	{name: "payment_transactions", fields: []core.Field{date("reconciled_at")}, indexes: []index{
		{"idx_payment_transactions_unseen", false, "`gateway`, `settled_at`", "`status` = 'succeeded' AND `reconciled_at` = ''"},
	}},
	{name: "refunds", fields: []core.Field{date("reconciled_at")}, indexes: []index{
		{"idx_refunds_unseen", false, "`gateway`, `settled_at`", "`status` = 'succeeded' AND `reconciled_at` = ''"},
	}},
}

// reconcileUp adds the comparison of our books with the gateways': its runs, one
// at a time for each gateway, and what differs.
func reconcileUp(app core.App) error {
	if err := alter(app, reconciled...); err != nil {
		return err
	}
	return create(app,
		table{
			name: "reconcile_runs",
			fields: []core.Field{
				choice("gateway", "stripe", "paypal"), choice("status", "running", "done", "failed"), date("from_at"), date("until_at"),
				date("done_until"), count("seen", 1e9), count("matched", 1e9), text("error", 1000), date("started_at"), date("ended_at"), text("actor", 80),
			},
			indexes: []index{uniqueWhere("idx_reconcile_runs_one", "`gateway`", "`status` = 'running'"), lookup("idx_reconcile_runs_last", "`gateway`, `started_at`")},
		},
		table{
			name: "reconcile_findings",
			fields: []core.Field{
				choice("gateway", "stripe", "paypal"),
				choice("kind", "missing_here", "missing_there", "state_differs", "amount_differs", "currency_differs", "refund_missing_here", "refund_missing_there", "refund_differs", "reversal_missing_here", "fee_missing_here", "fee_differs"),
				title("reference", 255), text("related", 255), text("record", 60), text("currency", 3), minor("ours_minor"), minor("theirs_minor"), text("theirs_currency", 3),
				choice("status", "open", "closed", "dismissed"), text("note", 1000), date("at"), date("found_at"), date("closed_at"), text("actor", 80),
			},
			indexes: []index{unique("idx_reconcile_findings_once", "`gateway`, `kind`, `reference`"), lookup("idx_reconcile_findings_open", "`status`, `found_at`")},
		},
	)
}

func reconcileDown(app core.App) error {
	if err := drop(app, "reconcile_findings", "reconcile_runs"); err != nil {
		return err
	}
	return undo(app, reconciled...)
}
