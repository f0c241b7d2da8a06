package books_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
)

// guarded is a statement that a trigger of the database refuses, with a part of
// what it says. Names in <> are rows of the world.
type guarded struct{ trigger, sql, says string }

var guards = []guarded{
	{"guard_ledger_entries_UPDATE", "UPDATE ledger_entries SET amount_minor = 1", "ledger entries are never changed"},
	{"guard_ledger_entries_DELETE", "DELETE FROM ledger_entries", "ledger entries are never deleted"},
	{"guard_audit_logs_UPDATE", "UPDATE audit_logs SET actor = 'nobody'", "the audit log is never changed"},
	{"guard_audit_logs_DELETE", "DELETE FROM audit_logs", "the audit log is never deleted"},
	{"guard_invoices_DELETE", "DELETE FROM invoices WHERE id = <manual>", "an issued invoice is never deleted"},
	{"guard_invoices_DELETE", "REPLACE INTO invoices (id, number) SELECT 'odd', number FROM invoices WHERE id = <manual>", "an issued invoice is never deleted"},
	{"guard_invoices_UPDATE_draft", "UPDATE invoices SET status = 'draft' WHERE id = <manual>", "never becomes a draft again"},
	{"guard_invoices_UPDATE_final", "UPDATE invoices SET status = 'uncollectible' WHERE id = <settled>", "a paid or void invoice keeps its status"},
	{"guard_invoices_UPDATE_final", "UPDATE invoices SET status = 'open', due_minor = total_minor WHERE id = <void>", "a paid or void invoice keeps its status"},
	{"guard_invoices_UPDATE_due", "UPDATE invoices SET due_minor = due_minor - 1 WHERE id = <manual>", "due must be what is neither paid nor credited"},
	{"guard_invoices_UPDATE", "UPDATE invoices SET total_minor = total_minor + 1, due_minor = due_minor + 1 WHERE id = <manual>", "an issued invoice is never edited"},
	{"guard_invoice_items_DELETE", "DELETE FROM invoice_items WHERE invoice = <manual>", "lines of an issued invoice are never deleted"},
	{"guard_invoice_items_INSERT", "INSERT INTO invoice_items (id, invoice, position) VALUES ('odd', <manual>, 9)", "an issued invoice gets no more lines"},
	{"guard_invoice_items_UPDATE_credited", "UPDATE invoice_items SET credited_minor = net_minor + 1 WHERE invoice = <manual> AND position = 3", "more is credited than the line holds"},
	{"guard_invoice_items_UPDATE_credited", "UPDATE invoice_items SET credited_minor = -1 WHERE invoice = <manual> AND position = 3", "more is credited than the line holds"},
	{"guard_invoice_items_UPDATE_credited", "UPDATE invoice_items SET credited_tax_minor = tax_minor + 1 WHERE invoice = <manual> AND position = 3", "more is credited than the line holds"},
	{"guard_payment_transactions_DELETE", "DELETE FROM payment_transactions", "payments are never deleted"},
	{"guard_payment_transactions_UPDATE", "UPDATE payment_transactions SET status = 'failed' WHERE invoice = <settled>", "a received payment is never changed"},
	{"guard_payment_transactions_UPDATE", "UPDATE payment_transactions SET amount_minor = 1 WHERE invoice = <settled>", "a received payment is never changed"},
	{"guard_payment_transactions_UPDATE", "UPDATE payment_transactions SET invoice = <manual> WHERE invoice = <settled>", "a received payment is never changed"},
	{"guard_payment_transactions_UPDATE", "UPDATE payment_transactions SET user = <bob> WHERE invoice = <settled>", "a received payment is never changed"},
	{"guard_payment_transactions_UPDATE_refunded", "UPDATE payment_transactions SET refunded_minor = amount_minor + 1 WHERE invoice = <first>", "more is refunded than was paid"},
	{"guard_plans_UPDATE", "UPDATE plans SET stock = -1 WHERE slug = 'vps-gone'", "stock cannot go below zero"},
	{"guard_invoice_series_UPDATE", "UPDATE invoice_series SET last_seq = last_seq - 1", "a number series never goes back"},
	{"guard_invoice_series_DELETE", "DELETE FROM invoice_series", "a number series is never deleted"},
	{"guard_credit_notes_UPDATE", "UPDATE credit_notes SET total_minor = 1", "a credit note is never edited"},
	{"guard_credit_notes_DELETE", "DELETE FROM credit_notes", "a credit note is never deleted"},
	{"guard_credit_note_items_UPDATE", "UPDATE credit_note_items SET net_minor = 1", "lines of a credit note are never edited"},
	{"guard_credit_note_items_DELETE", "DELETE FROM credit_note_items", "lines of a credit note are never deleted"},
	{"guard_refunds_UPDATE", "UPDATE refunds SET amount_minor = 1", "a refund keeps its amount"},
	{"guard_refunds_UPDATE", "UPDATE refunds SET payment = ''", "a refund keeps its amount"},
	{"guard_refunds_DELETE", "DELETE FROM refunds", "refunds are never deleted"},
	{"guard_disputes_DELETE", "DELETE FROM disputes", "disputes are never deleted"},
	{"guard_gateway_movements_UPDATE", "UPDATE gateway_movements SET amount_minor = 1", "a movement of a gateway is never edited"},
	{"guard_gateway_movements_DELETE", "DELETE FROM gateway_movements", "a movement of a gateway is never deleted"},
	{"guard_dunning_steps_DELETE", "DELETE FROM dunning_steps", "dunning steps are never deleted"},
	{"guard_credit_adjustments_UPDATE", "UPDATE credit_adjustments SET amount_minor = 1", "a credit adjustment is never edited"},
	{"guard_credit_adjustments_DELETE", "DELETE FROM credit_adjustments", "a credit adjustment is never deleted"},
	{"guard_coupons_UPDATE", "UPDATE coupons SET max_uses = 1, uses = 2", "the coupon is used up"},
	{"guard_coupons_UPDATE", "UPDATE coupons SET uses = -1", "the coupon is used up"},
	{"guard_credit_balances", "UPDATE credit_balances SET balance_minor = -1", "the credit balance cannot go below zero"},
	{"follow_ledger_credit", "INSERT INTO ledger_entries (id, posting, user, account, currency, amount_minor, at) VALUES ('odd', 'odd', <ada>, 'credit', 'EUR', 99999, '')", "the credit balance cannot go below zero"},
}

// frozen are columns that never change once an invoice is issued, by the trigger
// that sees to it.
var frozen = map[string]struct {
	table, row, says string
	columns          []string
}{
	"guard_invoices_UPDATE": {"invoices", "id = <manual>", "an issued invoice is never edited", []string{
		"user", "number", "series", "year", "seq", "currency", "subtotal_minor", "tax_minor", "issued_at", "due_at", "seller", "buyer", "language",
	}},
	"guard_invoice_items_UPDATE": {"invoice_items", "invoice = <manual> AND position = 3", "lines of an issued invoice are never edited", []string{
		"user", "invoice", "position", "kind", "description", "quantity", "unit_minor", "amount_minor", "net_minor", "tax_minor", "taxes", "subscription", "period_start", "period_end", "detail", "tax_date", "parent", "item",
	}},
}

// allowed are changes that no guard is in the way of.
var allowed = []string{
	"UPDATE invoices SET next_step_at = '', delivered_at = issued_at WHERE id = <manual>",
	"UPDATE invoices SET paid_minor = paid_minor + due_minor, due_minor = 0, status = 'paid' WHERE id = <manual>",
	"INSERT INTO invoices (id, user, status) VALUES ('odd', <ada>, 'draft'); INSERT INTO invoice_items (id, invoice, position, amount_minor) VALUES ('odd', 'odd', 1, 5)" +
		"; UPDATE invoice_items SET amount_minor = 6 WHERE id = 'odd'; DELETE FROM invoice_items WHERE id = 'odd'; DELETE FROM invoices WHERE id = 'odd'",
	"UPDATE invoice_items SET credited_minor = net_minor, live = FALSE WHERE invoice = <manual> AND position = 3",
	"UPDATE payment_transactions SET refunded_minor = amount_minor, fee_minor = 1 WHERE invoice = <first>",
	"UPDATE refunds SET status = 'failed', gateway_refund_id = 're_1'",
	"UPDATE coupons SET max_uses = 1, uses = 1; UPDATE coupons SET max_uses = 1, uses = 0",
	"UPDATE plans SET stock = 0 WHERE slug = 'vps-gone'",
	"INSERT INTO ledger_entries (id, posting, user, account, currency, amount_minor, at) VALUES ('odd', 'odd', <bob>, 'credit', 'USD', -5, '2026-01-01'); UPDATE credit_balances SET balance_minor = 0 WHERE user = <bob> AND balance_minor = 5",
}

// TestGuardsRefuse tries, statement by statement, what the triggers of the
// database forbid. A trigger without a statement fails the test.
func TestGuardsRefuse(t *testing.T) {
	w := populate(t)
	tries := guards
	for trigger, f := range frozen {
		for _, column := range f.columns {
			tries = append(tries, guarded{trigger, fmt.Sprintf("UPDATE %s SET %s = 'x' WHERE %s", f.table, column, f.row), f.says})
		}
	}
	triggers := []string{}
	if err := w.DB().NewQuery("SELECT name FROM sqlite_master WHERE type = 'trigger'").Column(&triggers); err != nil {
		t.Fatal(err)
	}
	for _, name := range triggers {
		if !slices.ContainsFunc(tries, func(g guarded) bool { return g.trigger == name }) {
			t.Errorf("nothing is tried that trigger %s refuses", name)
		}
	}
	for _, g := range tries {
		t.Run(g.trigger+", "+g.sql, func(t *testing.T) {
			if err := w.try(g.sql); err == nil || !strings.Contains(err.Error(), g.says) {
				t.Errorf("got error %v, want one that says %q", err, g.says)
			}
			if err := w.try("DROP TRIGGER `" + g.trigger + "`; " + g.sql); err != nil && strings.Contains(err.Error(), g.says) {
				t.Errorf("without the trigger: got error %v, so that another one refuses it", err)
			}
		})
	}
	for _, sql := range allowed {
		if err := w.try(sql); err != nil {
			t.Errorf("%s: got error %v, want it to pass", sql, err)
		}
	}
}

// try runs statements and takes them back.
func (w *world) try(sql string) error {
	undo := errors.New("undo")
	err := w.RunInTransaction(func(tx core.App) error {
		for statement := range strings.SplitSeq(w.fill(sql), ";") {
			res, err := tx.DB().NewQuery(statement).Execute()
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil || n == 0 && !strings.HasPrefix(statement, "DROP") {
				return errors.Join(err, errors.New("nothing was changed by "+statement))
			}
		}
		return undo
	})
	if errors.Is(err, undo) {
		return nil
	}
	return err
}
