package books_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/hooks/books"
)

// breach is a change of the database that breaks one rule and no other.
// Statements are separated by semicolons; names in <> are rows of the world.
type breach struct{ rule, how, sql string }

var breaches = []breach{
	// Documents.
	{"an invoice is the sum of its lines", "a line grew", "UPDATE invoice_items SET net_minor = net_minor + 7, amount_minor = amount_minor + 7 WHERE invoice = <manual> AND position = 3"},
	{"an invoice is the sum of its lines", "a line's tax grew", "UPDATE invoice_items SET tax_minor = tax_minor + 7 WHERE invoice = <manual> AND position = 3"},
	{"a line's price is its net, or its net and tax where prices include it", "the price alone", "UPDATE invoice_items SET amount_minor = amount_minor + 1 WHERE invoice = <manual> AND position = 3"},
	{"what is due is what is neither paid, credited nor written off", "due and ledger agree on another sum", "UPDATE invoices SET due_minor = due_minor + 5 WHERE id = <manual>;" + post("odd", "receivable", "goodwill", 5)},
	{"on a closed invoice nothing is due", "a paid invoice is open again", "UPDATE invoices SET status = 'open', paid_at = '', next_step_at = due_at WHERE id = <settled>"},
	{"what was paid on an invoice is what its payments applied", "paid without a payment", "UPDATE invoices SET due_minor = due_minor - 5, paid_minor = paid_minor + 5 WHERE id = <manual>;" + post("odd", "goodwill", "receivable", 5)},
	{"what was credited on an invoice is what its credit notes took off", "credited without a note", "UPDATE invoices SET due_minor = due_minor - 5, credited_minor = credited_minor + 5 WHERE id = <manual>;" + post("odd", "goodwill", "receivable", 5)},
	{"a credit note is the sum of its lines and of what it did", "a line of it grew", "UPDATE credit_note_items SET net_minor = net_minor + 1; UPDATE invoice_items SET credited_minor = credited_minor + 1 WHERE credited_minor > 0"},
	{"what was credited of a line is what credit notes and unused parts took", "credited by nothing", "UPDATE invoice_items SET credited_minor = 1 WHERE invoice = <manual> AND position = 3"},
	{"invoice numbers have no gap", "a number was drawn for nothing", "UPDATE invoice_series SET last_seq = last_seq + 1 WHERE series = 'INV'"},
	{"the ledger has the sales, taxes, losses, top-ups and debt of an invoice, on its customer", "something else was posted", post("odd", "receivable", "goodwill", 5)},
	{"the ledger has the sales, taxes, losses, top-ups and debt of an invoice, on its customer", "the invoice is not named", post("odd", "receivable", "goodwill", 5) + "; UPDATE ledger_entries SET invoice = '' WHERE posting = 'odd'"},
	{"the ledger has the sales, taxes, losses, top-ups and debt of an invoice, on its customer", "sales", post("odd", "revenue", "goodwill", 5)},
	{"the ledger has the sales, taxes, losses, top-ups and debt of an invoice, on its customer", "taxes", post("odd", "tax_payable", "goodwill", 5)},
	{"the ledger has the sales, taxes, losses, top-ups and debt of an invoice, on its customer", "losses", post("odd", "bad_debt", "goodwill", 5)},
	{"the ledger has the sales, taxes, losses, top-ups and debt of an invoice, on its customer", "top-ups", post("odd", "topups", "goodwill", 5)},
	{"the ledger has the sales, taxes, losses, top-ups and debt of an invoice, on its customer", "another customer's", "UPDATE ledger_entries SET user = <bob> WHERE posting = 'invoice:' || <manual>"},
	{"an invoice's tax is the sum of its tax groups", "a group grew", "UPDATE invoices SET taxes = json_set(taxes, '$[0].tax_minor', 1) WHERE id = <manual>"},
	{"a discount belongs to a line and never exceeds it", "of no line", "UPDATE invoice_items SET parent = 99 WHERE kind = 'discount'"},
	{"a discount belongs to a line and never exceeds it", "more than its line", "UPDATE invoice_items SET net_minor = 99, amount_minor = 99 WHERE invoice = <manual> AND position = 1;" +
		"UPDATE invoice_items SET net_minor = net_minor + 9901, amount_minor = amount_minor + 9901 WHERE invoice = <manual> AND position = 3"},
	{"a line bills as long as it is neither void nor credited whole", "not any more", "UPDATE invoice_items SET live = FALSE WHERE invoice = <manual> AND position = 3"},
	{"a line bills as long as it is neither void nor credited whole", "though void", "UPDATE invoice_items SET live = TRUE WHERE invoice = <void>"},
	{"what hangs on an invoice is its customer's, in its currency", "a line of somebody else", "UPDATE invoice_items SET user = <bob> WHERE invoice = <manual> AND position = 3"},
	{"what hangs on an invoice is its customer's, in its currency", "a credit note of somebody else", "UPDATE credit_notes SET user = <bob>"},
	{"what hangs on an invoice is its customer's, in its currency", "a payment of somebody else", "UPDATE payment_transactions SET user = <bob> WHERE invoice = <settled>"},
	{"what hangs on an invoice is its customer's, in its currency", "an order of somebody else", "UPDATE orders SET user = <carol> WHERE id = <pending>"},
	{"an invoice's dates follow its status", "paid nobody knows when", "UPDATE invoices SET paid_at = '' WHERE id = <settled>"},
	{"an open invoice is looked at again", "never", "UPDATE invoices SET next_step_at = '' WHERE id = <manual>"},
	{"collecting is about an issued invoice of the customer", "of another customer", "UPDATE dunning_steps SET user = <bob>"},
	{"collecting is about an issued invoice of the customer", "of none", "UPDATE dunning_steps SET invoice = 'nosuchinvoice01'"},

	// Money.
	{"every posting sums to zero in each currency", "one side grew", "UPDATE ledger_entries SET amount_minor = amount_minor + 1 WHERE account = 'goodwill'"},
	{"every posting sums to zero in each currency", "in all of them alone", post("odd", "goodwill", "rounding", 5) + "; UPDATE ledger_entries SET currency = 'USD' WHERE posting = 'odd' AND account = 'goodwill'"},
	{"a received payment is applied or credit", "more than arrived", "UPDATE payment_transactions SET excess_minor = 1 WHERE invoice = <settled>"},
	{"a received payment is posted as it was applied", "under another name", "UPDATE ledger_entries SET posting = 'odd' WHERE posting = (SELECT 'payment:' || id FROM payment_transactions WHERE invoice = <settled>)"},
	{"nothing is posted for a payment that did not arrive", "no such payment", post("payment:nosuchpayment01", "goodwill", "gateway_fees", 5)},
	{"cash is what gateways took in, less what went back", "cash from nowhere", post("odd", "cash:manual", "goodwill", 5)},
	{"cash is what gateways took in, less what went back", "at a gateway that took nothing in", post("odd", "cash:paypal", "goodwill", 5)},
	{"what was refunded of a payment is what its refunds took", "refunded by nothing", "UPDATE payment_transactions SET refunded_minor = refunded_minor + 1 WHERE invoice = <first>"},
	{"a customer's credit is the sum of the ledger and never below zero", "the balance grew", "UPDATE credit_balances SET balance_minor = balance_minor + 1"},
	{"a cached credit balance has a ledger behind it", "a balance from nowhere", "INSERT INTO credit_balances (id, user, currency, balance_minor) VALUES ('odd', <bob>, 'JPY', 5)"},
	{"a refund is of money that arrived, and of its customer", "of somebody else", "UPDATE refunds SET user = <bob>"},
	{"a refund is taken off the credit unless it failed", "not posted", "UPDATE ledger_entries SET posting = 'odd' WHERE posting LIKE 'refund:%'"},
	{"a refund is taken off the credit unless it failed", "posted for nothing", post("refund:nosuchrefund001", "goodwill", "credit", 5)},
	{"a credit adjustment is posted, and nothing else is as one", "not posted", "UPDATE ledger_entries SET posting = 'odd' WHERE posting LIKE 'adjustment:%'"},
	{"a credit adjustment is posted, and nothing else is as one", "posted for nothing", post("adjustment:nosuchthing01", "goodwill", "credit", 5)},
	{"a credit note is posted as it is split, and nothing else is as one", "not posted", "UPDATE ledger_entries SET posting = 'odd' WHERE posting LIKE 'credit_note:%'"},
	{"a credit note is posted as it is split, and nothing else is as one", "posted for nothing", post("credit_note:nosuchnote01", "goodwill", "credit", 5)},
	{"a payment's fee is posted, and nothing else is as one", "not posted", "UPDATE ledger_entries SET posting = 'odd' WHERE posting LIKE 'fee:%'"},
	{"a payment's fee is posted, and nothing else is as one", "posted for nothing", post("fee:nosuchpayment01", "gateway_fees", "goodwill", 5)},
	{"a movement of a gateway's account is posted, and nothing else is as one", "not posted", "UPDATE ledger_entries SET posting = 'odd' WHERE posting LIKE 'movement:%'"},
	{"a movement of a gateway's account is posted, and nothing else is as one", "posted for nothing", post("movement:nosuchthing01", "paid_out", "goodwill", 5)},
	{"a dispute is about money that arrived", "of somebody else", "UPDATE disputes SET user = <bob>"},
	{"what is disputed of a payment is what gateways withdrew of it", "disputed by nothing", "UPDATE payment_transactions SET disputed_minor = disputed_minor + 1 WHERE invoice = <first>"},
	{"what the ledger says is disputed or lost is what gateways withdrew", "held back for nothing", post("odd", "disputed", "goodwill", 5)},
	{"what the ledger says is disputed or lost is what gateways withdrew", "lost without a word", "UPDATE disputes SET status = 'lost'"},
	{"matched money has its payment, other money has none", "matched with nothing", "UPDATE unmatched_payments SET status = 'matched'"},

	// Sales.
	{"no stock is below zero", "sold once too often", "UPDATE plans SET stock = -1 WHERE slug = 'vps-gone'"},
	{"a coupon's uses are its redemptions, within its limit", "used by nobody", "UPDATE coupons SET uses = uses + 1"},
	{"a coupon's uses are its redemptions, within its limit", "beyond its limit", "UPDATE coupons SET uses = 2, max_uses = 1; INSERT INTO coupon_redemptions (id, coupon, user, \"order\", slot, status) SELECT 'odd', coupon, user, <second>, 2, 'used' FROM coupon_redemptions"},
	{"a paid order's services were set in motion", "nothing happened", "UPDATE services SET status = 'pending' WHERE subscription = <subscription>"},
	{"an unpaid order's services were not", "already running", "UPDATE services SET status = 'provisioning' WHERE subscription IN (SELECT id FROM subscriptions WHERE \"order\" = <pending>)"},
	{"a service has one subscription and back", "the service is gone", "DELETE FROM services WHERE subscription IN (SELECT id FROM subscriptions WHERE \"order\" = <pending>)"},
	{"an invoice has its order's total", "the order says otherwise", "UPDATE orders SET total_minor = total_minor + 1 WHERE id = <pending>"},
	{"an active service runs on the platform", "nothing is there", "UPDATE services SET platform_service_id = '' WHERE subscription = <subscription>"},
	{"a status is one that somebody looks after", "of an order", "UPDATE orders SET review = 'odd' WHERE id = <pending>"},
	{"a status is one that somebody looks after", "of a subscription", "UPDATE subscriptions SET access = '' WHERE id = <subscription>"},
	{"no secret is stored in clear", "a panel's token", "UPDATE platforms SET token = 'secret' WHERE kind = 'virtfusion'"},
	{"an order stands and falls with its invoice", "it fell alone", "UPDATE orders SET status = 'expired' WHERE id = <pending>"},
	{"a coupon is redeemed by an order of the customer that stands", "of another customer", "UPDATE coupon_redemptions SET user = <bob>"},
	{"a coupon is redeemed by an order of the customer that stands", "the order came to nothing", "UPDATE coupon_redemptions SET \"order\" = <expired>, user = (SELECT user FROM orders WHERE id = <expired>)"},
	{"an accepted quote has its order, another has none", "accepted and not ordered", "UPDATE quotes SET status = 'accepted'"},
	{"what was to be billed is on an invoice once it is invoiced", "on none", "UPDATE billable_items SET status = 'invoiced'"},

	// Time.
	{"every period before the next one is billed, and none after", "one was left out", "UPDATE subscriptions SET next_period = next_period + 1 WHERE id = <subscription>"},
	{"every period before the next one is billed, and none after", "one is billed and forgotten", "UPDATE subscriptions SET next_period = next_period - 1 WHERE id = <subscription>"},
	{"no time of a subscription is billed twice", "two periods overlap", "UPDATE invoice_items SET period_start = strftime('%Y-%m-%d %H:%M:%f', period_start, '-1 day') || 'Z' WHERE invoice = <renewal>"},
	{"a subscription is paid through the end of a period that was paid", "for ever", "UPDATE subscriptions SET current_period_end = '2099-01-01 00:00:00.000Z' WHERE id = <subscription>"},
	{"a running subscription is looked at again", "never", "UPDATE subscriptions SET next_invoice_at = '' WHERE id = <subscription>"},
	{"a cancelled subscription's access has ended", "it goes on for nothing", "UPDATE subscriptions SET access = 'open' WHERE \"order\" = <expired>"},
	{"what is suspended for a debt has one", "all is paid", "UPDATE subscriptions SET access = 'suspended', access_reason = 'overdue' WHERE \"order\" = <second>"},
	{"a paid change has taken effect, one that was called off has not", "paid for nothing", "UPDATE subscription_changes SET status = 'pending'"},
	{"a subscription has a gateway's id exactly while the gateway bills it", "an id of nobody", "UPDATE subscriptions SET gateway_subscription_id = 'I-1' WHERE id = <subscription>"},
	{"who bills a subscription is what its agreement says", "nothing was agreed", "UPDATE subscriptions SET billing_owner = 'gateway', gateway_subscription_id = 'I-1' WHERE id = <subscription>"},
	{"who bills a subscription is what its agreement says", "it is billed here as well", agreement("following", "2099-01-01")},
	{"a period is charged by the side that bills it", "here, though a gateway bills it", agreement("following", "2099-01-01") + "; UPDATE subscriptions SET billing_owner = 'gateway', gateway = 'stripe', gateway_subscription_id = 'sub_1' WHERE id = <subscription>;" +
		"UPDATE payment_transactions SET kind = 'off_session' WHERE invoice = <first>"},
	{"a period is charged by the side that bills it", "by a gateway after its hand-over", agreement("handed_over", "2001-01-01") + "; UPDATE payment_transactions SET kind = 'agreement' WHERE invoice = <first>"},
}

// agreement is the statement of a gateway's subscription that bills ours.
func agreement(status, paid string) string {
	return "INSERT INTO agreements (id, user, subscription, gateway, agreement, status, state, currency, linked_at, starts_at, paid_through) VALUES ('odd3', <ada>, <subscription>, 'stripe', 'sub_1', '" + status + "', 'active', 'EUR'," +
		" '2000-01-01 00:00:00.000Z', '2000-01-01 00:00:00.000Z', '" + paid + " 00:00:00.000Z')"
}

// post is the statement of a posting that the books do not make; it names the
// manual invoice and moves an amount from one account to another.
func post(posting, debit, credit string, minor int) string {
	row := func(id, account, sign string) string {
		return "('" + id + "', '" + posting + "', <ada>, '" + account + "', 'EUR', " + sign + string(rune('0'+minor)) + ", <manual>, '2026-01-01 00:00:00.000Z', 'nosuchpayment01')"
	}
	return "INSERT INTO ledger_entries (id, posting, user, account, currency, amount_minor, invoice, at, payment) VALUES " + row("odd1", debit, "") + ", " + row("odd2", credit, "-")
}

// TestEachRuleFindsItsBreach breaks each rule on purpose, with the guards of the
// database removed, and sees exactly that rule named. A rule without a breach
// fails the test.
func TestEachRuleFindsItsBreach(t *testing.T) {
	w := populate(t)
	if found, err := books.Audit(w.DB()); err != nil || len(found) > 0 {
		t.Fatalf("before anything is broken: %v, %v", found, err)
	}
	for _, r := range books.Rules() {
		if !slices.ContainsFunc(breaches, func(b breach) bool { return b.rule == r.Name }) {
			t.Errorf("no breach of %q", r.Name)
		}
	}
	for _, b := range breaches {
		t.Run(b.rule+", "+b.how, func(t *testing.T) {
			named, err := w.broken(b.sql)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(named, []string{b.rule}) {
				t.Errorf("named are %q, want that rule alone", named)
			}
		})
	}
}

// broken changes the database, lists the rules that do not hold then, and takes
// the change back.
func (w *world) broken(sql string) ([]string, error) {
	undo, named := errors.New("undo"), []string{}
	err := w.RunInTransaction(func(tx core.App) error {
		if err := dropGuards(tx); err != nil {
			return err
		}
		for statement := range strings.SplitSeq(w.fill(sql), ";") {
			res, err := tx.DB().NewQuery(statement).Execute()
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil || n == 0 {
				return errors.Join(err, errors.New("nothing was changed by "+statement))
			}
		}
		for _, r := range books.Rules() {
			found, err := r.Check(tx.DB())
			if err != nil {
				return err
			}
			if len(found) > 0 {
				named = append(named, r.Name)
			}
		}
		return undo
	})
	if errors.Is(err, undo) {
		err = nil
	}
	return named, err
}

func dropGuards(tx core.App) error {
	names := []string{}
	if err := tx.DB().NewQuery("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'guard_%'").Column(&names); err != nil {
		return err
	}
	for _, n := range names {
		if _, err := tx.DB().NewQuery("DROP TRIGGER `" + n + "`").Execute(); err != nil {
			return err
		}
	}
	return nil
}
