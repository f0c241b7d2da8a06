package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() { m.Register(bankUp, bankDown) }

// unmatchedLookups serve the list of what waits, now that every imported entry
// passes through unmatched money, and the way back from a payment.
var unmatchedLookups = change{name: "unmatched_payments", indexes: []index{
	lookup("idx_unmatched_payments_open", "`status`, `at`"), lookup("idx_unmatched_payments_payment", "`payment`"),
}}

// bankUp adds the history of imported bank statements: which file was read when,
// by whom, and what became of its entries. The entries themselves are payments
// or unmatched money.
func bankUp(app core.App) error {
	if err := alter(app, unmatchedLookups); err != nil {
		return err
	}
	return create(app, table{
		name: "bank_imports",
		fields: []core.Field{
			title("name", 200), need("sha256", 64), choice("format", "csv", "camt.053", "mt940"), object("accounts", 20_000),
			&core.SelectField{Name: "status", Values: []string{"running", "done"}, MaxSelect: 1, Required: true, Help: "one that stays running was interrupted: import the file again"},
			date("first_day"), date("last_day"), count("entries", 1e6), count("booked", 1e6), count("suggested", 1e6), count("unmatched", 1e6),
			count("ignored", 1e6), count("known", 1e6), count("failed", 1e6), text("actor", 80), date("at"), date("done_at"),
		},
		indexes: []index{lookup("idx_bank_imports_at", "`at`"), lookup("idx_bank_imports_sha256", "`sha256`"), lookup("idx_bank_imports_days", "`last_day`, `first_day`")},
	})
}

func bankDown(app core.App) error {
	if err := drop(app, "bank_imports"); err != nil {
		return err
	}
	return undo(app, unmatchedLookups)
}
