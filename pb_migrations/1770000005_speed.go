package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() { m.Register(speedUp, speedDown) }

// ledgerByInvoice lets the audit go through the ledger invoice by invoice without
// sorting it, and without reading its rows.
var ledgerByInvoice = change{name: "ledger_entries", indexes: []index{
	lookup("idx_ledger_entries_invoice", "`invoice`, `account`, `user`, `amount_minor`"),
}}

func speedUp(app core.App) error { return alter(app, ledgerByInvoice) }

func speedDown(app core.App) error { return undo(app, ledgerByInvoice) }
