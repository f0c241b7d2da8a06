package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
	"github.com/pocketbase/pocketbase/tools/types"
)

func init() { m.Register(booksUp, booksDown) }

var bookChanges = []change{
	{name: "payment_transactions", values: map[string][]string{"gateway": {"credit"}, "kind": {"credit"}}, fields: []core.Field{
		price("refunded_minor"), price("disputed_minor"),
	}, indexes: []index{lookup("idx_payment_transactions_user", "`user`, `settled_at`")}},
	{name: "ledger_entries", fields: []core.Field{text("document", 60)}, indexes: []index{lookup("idx_ledger_entries_at", "`user`, `at`")}},
	{name: "invoice_series", fields: []core.Field{text("of", 20)}},
}

// booksUp adds corrections, refunds, disputes, the credit balance and the steps
// of dunning.
func booksUp(app core.App) error {
	if err := alter(app, bookChanges...); err != nil {
		return err
	}
	if err := create(app, corrections()...); err != nil {
		return err
	}
	if err := create(app, collecting()...); err != nil {
		return err
	}
	return bookGuards(app)
}

// corrections are what changes an issued invoice without editing it.
func corrections() []table {
	return []table{
		{
			name: "credit_notes", owner: true,
			fields: []core.Field{
				rel("user", "users"), rel("invoice", "invoices"), need("key", 120),
				&core.TextField{Name: "number", Max: 60, Required: true, Presentable: true}, need("series", 20), count("year", 9999), count("seq", 1e12),
				currency(), price("subtotal_minor"), price("tax_minor"), price("total_minor"),
				&core.NumberField{Name: "to_due_minor", OnlyInt: true, Min: types.Pointer(0.0), Max: types.Pointer(bound), Help: "lowered what was still owed on the invoice"},
				&core.NumberField{Name: "to_credit_minor", OnlyInt: true, Min: types.Pointer(0.0), Max: types.Pointer(bound), Help: "became the customer's credit"},
				text("reason", 500), date("issued_at"), object("seller", 20_000), object("buyer", 20_000), object("taxes", 20_000), text("language", 20), text("actor", 80),
			},
			indexes: []index{
				unique("idx_credit_notes_number", "`number`"), unique("idx_credit_notes_seq", "`series`, `year`, `seq`"), unique("idx_credit_notes_key", "`key`"),
				lookup("idx_credit_notes_user", "`user`, `issued_at`"), lookup("idx_credit_notes_invoice", "`invoice`"),
			},
		},
		{
			name: "credit_note_items", owner: true,
			fields: []core.Field{
				rel("user", "users"), rel("credit_note", "credit_notes"), rel("invoice_item", "invoice_items"), count("position", 100_000),
				title("description", 500), minor("net_minor"), minor("tax_minor"), object("taxes", 5000), object("detail", 5000), date("period_start"), date("period_end"),
			},
			indexes: []index{unique("idx_credit_note_items_position", "`credit_note`, `position`"), lookup("idx_credit_note_items_line", "`invoice_item`")},
		},
		{
			name: "refunds", owner: true,
			fields: []core.Field{
				rel("user", "users"), ref("payment", "payment_transactions"), ref("credit_note", "credit_notes"), choice("gateway", "stripe", "paypal", "manual"),
				need("idempotency_key", 255), text("gateway_refund_id", 255), currency(), price("amount_minor"),
				choice("status", "created", "unknown", "pending", "succeeded", "failed"), text("reason", 500), text("failure", 500), date("requested_at"), date("settled_at"), text("actor", 80),
			},
			indexes: []index{
				unique("idx_refunds_key", "`idempotency_key`"), uniqueWhere("idx_refunds_reference", "`gateway`, `gateway_refund_id`", "`gateway_refund_id` != ''"),
				lookup("idx_refunds_payment", "`payment`"), lookup("idx_refunds_user", "`user`"),
			},
		},
		{
			name: "disputes",
			fields: []core.Field{
				rel("user", "users"), rel("payment", "payment_transactions"), choice("gateway", "stripe", "paypal"), title("gateway_dispute_id", 255),
				currency(), price("amount_minor"), choice("status", "warning", "needs_response", "under_review", "won", "lost"), text("reason", 120),
				date("evidence_due_at"), date("opened_at"), date("closed_at"), flag("funds_withdrawn"), price("fee_minor"),
			},
			indexes: []index{unique("idx_disputes_id", "`gateway`, `gateway_dispute_id`"), lookup("idx_disputes_status", "`status`, `evidence_due_at`")},
		},
	}
}

// collecting is what customers have to their credit, and how money is collected.
func collecting() []table {
	return []table{
		{
			name: "credit_balances", owner: true,
			fields:  []core.Field{rel("user", "users"), currency(), price("balance_minor")},
			indexes: []index{unique("idx_credit_balances_one", "`user`, `currency`")},
		},
		{
			name: "credit_adjustments", owner: true,
			fields: []core.Field{
				rel("user", "users"), currency(),
				&core.NumberField{Name: "amount_minor", OnlyInt: true, Required: true, Min: types.Pointer(-bound), Max: types.Pointer(bound), Help: "positive gives credit, negative takes it back"},
				need("reason", 500), need("key", 120), text("actor", 80), date("at"),
			},
			indexes: []index{unique("idx_credit_adjustments_key", "`key`"), lookup("idx_credit_adjustments_user", "`user`")},
		},
		{
			name: "dunning_steps", owner: true,
			fields: []core.Field{
				rel("user", "users"), rel("invoice", "invoices"), title("kind", 40), count("step", 1000), date("at"), object("detail", 2000),
			},
			indexes: []index{unique("idx_dunning_steps_once", "`invoice`, `kind`, `step`")},
		},
		{
			name: "billing_profiles",
			fields: []core.Field{
				rel("user", "users"), flag("tax_exempt"), text("exempt_reason", 300),
				object("vat_check", 5000),
				object("dunning", 5000), date("exempt_until"), count("invoice_day", 28), flag("no_auto_charge"), text("ip_country", 2), text("flag_reason", 300),
			},
			indexes: []index{unique("idx_billing_profiles_user", "`user`")},
		},
		{
			name: "unmatched_payments",
			fields: []core.Field{
				ref("user", "users"), choice("gateway", "stripe", "paypal", "manual"), title("reference", 255), currency(), price("amount_minor"),
				text("why", 500), choice("status", "open", "matched", "returned"), date("at"), ref("payment", "payment_transactions"), text("actor", 80),
			},
			indexes: []index{unique("idx_unmatched_payments_reference", "`gateway`, `reference`"), lookup("idx_unmatched_payments_user", "`user`, `status`")},
		},
	}
}

// freezeInvoices makes some columns beside those that always were final once an
// invoice has its number.
func freezeInvoices(app core.App, more ...string) error {
	changed := "FALSE"
	for _, c := range append(append([]string{}, issued...), more...) {
		changed += " OR OLD.`" + c + "` IS NOT NEW.`" + c + "`"
	}
	return exec(app,
		"DROP TRIGGER IF EXISTS `guard_invoices_UPDATE`",
		forbid("invoices", "UPDATE", "OLD.`status` != 'draft' AND ("+changed+")", "an issued invoice is never edited; correct it by a credit note"),
	)
}

// bookGuards puts under the new tables what nobody may do.
func bookGuards(app core.App) error {
	lineKeeps := ""
	for _, c := range []string{"user", "invoice", "position", "kind", "description", "quantity", "unit_minor", "amount_minor", "net_minor", "tax_minor", "taxes", "subscription", "period_start", "period_end", "detail", "tax_date", "parent", "item"} {
		lineKeeps += " OR OLD.`" + c + "` IS NOT NEW.`" + c + "`"
	}
	if err := freezeInvoices(app, "kind", "parent", "taxes", "tax_inclusive", "tax_rounding", "note", "evidence"); err != nil {
		return err
	}
	const issuedLine = "(SELECT `status` FROM `invoices` WHERE `id` = OLD.`invoice`) != 'draft'"
	return exec(app,
		forbid("invoice_items", "UPDATE", issuedLine+" AND (FALSE"+lineKeeps+")", "lines of an issued invoice are never edited"),
		forbid("invoice_items", "UPDATE", "ABS(NEW.`credited_minor`) > ABS(NEW.`net_minor`) OR ABS(NEW.`credited_tax_minor`) > ABS(NEW.`tax_minor`) OR NEW.`credited_minor` * NEW.`net_minor` < 0 OR NEW.`credited_tax_minor` * NEW.`tax_minor` < 0",
			"more is credited than the line holds", "credited"),
		forbid("invoices", "UPDATE", "NEW.`due_minor` != NEW.`total_minor` - NEW.`paid_minor` - NEW.`credited_minor` - NEW.`written_off_minor` AND NEW.`status` NOT IN ('draft', 'void')", "due must be what is neither paid nor credited", "due"),
		forbid("credit_notes", "UPDATE", "", "a credit note is never edited"),
		forbid("credit_notes", "DELETE", "", "a credit note is never deleted"),
		forbid("credit_note_items", "UPDATE", "", "lines of a credit note are never edited"),
		forbid("credit_note_items", "DELETE", "", "lines of a credit note are never deleted"),
		forbid("refunds", "DELETE", "", "refunds are never deleted"),
		forbid("refunds", "UPDATE", "OLD.`amount_minor` != NEW.`amount_minor` OR OLD.`currency` != NEW.`currency` OR OLD.`payment` != NEW.`payment` OR OLD.`idempotency_key` != NEW.`idempotency_key`", "a refund keeps its amount"),
		forbid("disputes", "DELETE", "", "disputes are never deleted"),
		forbid("dunning_steps", "DELETE", "", "dunning steps are never deleted"),
		forbid("credit_adjustments", "UPDATE", "", "a credit adjustment is never edited; book another"),
		forbid("credit_adjustments", "DELETE", "", "a credit adjustment is never deleted; book another"),
		forbid("payment_transactions", "UPDATE", "NEW.`refunded_minor` > NEW.`amount_minor`", "more is refunded than was paid", "refunded"),
		forbid("coupons", "UPDATE", "NEW.`uses` < 0 OR NEW.`max_uses` > 0 AND NEW.`uses` > NEW.`max_uses` AND NEW.`uses` > OLD.`uses`", "the coupon is used up"),
		// The balance is the sum of the ledger; it follows each entry, and below zero nothing is booked.
		"CREATE TRIGGER `follow_ledger_credit` AFTER INSERT ON `ledger_entries` WHEN NEW.`account` = 'credit' BEGIN"+
			" INSERT INTO `credit_balances` (`id`, `user`, `currency`, `balance_minor`, `created`, `updated`) VALUES ('b' || lower(hex(randomblob(7))), NEW.`user`, NEW.`currency`, 0, NEW.`at`, NEW.`at`) ON CONFLICT (`user`, `currency`) DO NOTHING;"+
			" UPDATE `credit_balances` SET `balance_minor` = `balance_minor` - NEW.`amount_minor`, `updated` = NEW.`at` WHERE `user` = NEW.`user` AND `currency` = NEW.`currency`; END",
		"CREATE TRIGGER `guard_credit_balances` BEFORE UPDATE ON `credit_balances` WHEN NEW.`balance_minor` < 0 BEGIN SELECT RAISE(ABORT, 'the credit balance cannot go below zero'); END",
		"INSERT INTO `credit_balances` (`id`, `user`, `currency`, `balance_minor`, `created`, `updated`) SELECT 'b' || lower(hex(randomblob(7))), `user`, `currency`, -SUM(`amount_minor`), MAX(`at`), MAX(`at`) FROM `ledger_entries` WHERE `account` = 'credit' GROUP BY `user`, `currency`",
	)
}

func booksDown(app core.App) error {
	if err := freezeInvoices(app); err != nil {
		return err
	}
	gone := []string{"follow_ledger_credit", "guard_credit_balances", "guard_invoice_items_UPDATE", "guard_invoice_items_UPDATE_credited", "guard_invoices_UPDATE_due", "guard_payment_transactions_UPDATE_refunded", "guard_coupons_UPDATE"}
	for _, n := range gone {
		if err := exec(app, "DROP TRIGGER IF EXISTS `"+n+"`"); err != nil {
			return err
		}
	}
	if err := drop(app, "unmatched_payments", "billing_profiles", "dunning_steps", "credit_adjustments", "credit_balances", "disputes", "refunds", "credit_note_items", "credit_notes"); err != nil {
		return err
	}
	return undo(app, bookChanges...)
}
