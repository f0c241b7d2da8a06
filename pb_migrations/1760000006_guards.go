package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() { m.Register(guardsUp, guardsDown) }

// issued are the columns of an invoice that are final once it has a number.
var issued = []string{
	"user", "number", "series", "year", "seq", "currency", "subtotal_minor", "tax_minor", "total_minor",
	"issued_at", "due_at", "seller", "buyer", "language",
}

// guardsUp puts under the tables what nobody may do, whatever door they come
// through: SQL console, restored script, or our own mistake.
func guardsUp(app core.App) error {
	changed := ""
	for i, c := range issued {
		if i > 0 {
			changed += " OR "
		}
		changed += fmt.Sprintf("OLD.`%s` IS NOT NEW.`%s`", c, c)
	}
	return exec(app,
		forbid("ledger_entries", "UPDATE", "", "ledger entries are never changed; post a correction"),
		forbid("ledger_entries", "DELETE", "", "ledger entries are never deleted; post a correction"),
		forbid("audit_logs", "UPDATE", "", "the audit log is never changed"),
		forbid("audit_logs", "DELETE", "", "the audit log is never deleted"),
		forbid("invoices", "DELETE", "OLD.`status` != 'draft'", "an issued invoice is never deleted; void it"),
		forbid("invoices", "UPDATE", "OLD.`status` != 'draft' AND ("+changed+")", "an issued invoice is never edited; correct it by a credit note"),
		forbid("invoices", "UPDATE", "OLD.`status` != 'draft' AND NEW.`status` = 'draft'", "an issued invoice never becomes a draft again", "draft"),
		forbid("invoices", "UPDATE", "OLD.`status` IN ('paid', 'void') AND NEW.`status` != OLD.`status`", "a paid or void invoice keeps its status", "final"),
		forbid("invoice_items", "UPDATE", "(SELECT `status` FROM `invoices` WHERE `id` = OLD.`invoice`) != 'draft'", "lines of an issued invoice are never edited"),
		forbid("invoice_items", "DELETE", "(SELECT `status` FROM `invoices` WHERE `id` = OLD.`invoice`) != 'draft'", "lines of an issued invoice are never deleted"),
		forbid("invoice_items", "INSERT", "(SELECT `status` FROM `invoices` WHERE `id` = NEW.`invoice`) != 'draft'", "an issued invoice gets no more lines"),
		forbid("payment_transactions", "DELETE", "", "payments are never deleted"),
		forbid("payment_transactions", "UPDATE", "OLD.`status` = 'succeeded' AND (NEW.`status` != 'succeeded' OR NEW.`amount_minor` != OLD.`amount_minor` OR NEW.`currency` != OLD.`currency` OR NEW.`gateway_transaction_id` != OLD.`gateway_transaction_id` OR NEW.`invoice` != OLD.`invoice` OR NEW.`user` != OLD.`user`)", "a received payment is never changed"),
		forbid("plans", "UPDATE", "NEW.`stock_limited` = TRUE AND NEW.`stock` < 0", "stock cannot go below zero"),
		forbid("invoice_series", "UPDATE", "NEW.`last_seq` < OLD.`last_seq`", "a number series never goes back"),
		forbid("invoice_series", "DELETE", "", "a number series is never deleted"),
	)
}

// forbid makes a trigger that refuses an operation when the condition holds.
func forbid(table, op, when, message string, suffix ...string) string {
	name := fmt.Sprintf("guard_%s_%s", table, op)
	for _, s := range suffix {
		name += "_" + s
	}
	if when != "" {
		when = "WHEN " + when
	}
	return fmt.Sprintf("CREATE TRIGGER `%s` BEFORE %s ON `%s` %s BEGIN SELECT RAISE(ABORT, '%s'); END", name, op, table, when, message)
}

func guardsDown(app core.App) error {
	names := []string{}
	if err := app.DB().NewQuery("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'guard_%'").Column(&names); err != nil {
		return fmt.Errorf("list guards: %w", err)
	}
	for _, n := range names {
		if err := exec(app, "DROP TRIGGER `"+n+"`"); err != nil {
			return err
		}
	}
	return nil
}
