package testapp

import (
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/hooks/audit"
)

// book is a query whose every row is a fault.
type book struct{ rule, query string }

// books are what always holds, whatever happened.
var books = []book{
	{"every posting sums to zero in each currency", "SELECT `posting` AS `what`, SUM(`amount_minor`) AS `sum` FROM `ledger_entries` GROUP BY `posting`, `currency` HAVING SUM(`amount_minor`) != 0"},
	{"a paid invoice has nothing due, and what was paid is its total", "SELECT `number` AS `what`, `paid_minor` AS `sum` FROM `invoices` WHERE `status` = 'paid' AND (`due_minor` != 0 OR `paid_minor` != `total_minor`)"},
	{"an open invoice is due what is not paid", "SELECT `number` AS `what`, `due_minor` AS `sum` FROM `invoices` WHERE `status` = 'open' AND `due_minor` != `total_minor` - `paid_minor`"},
	{"what was paid on an invoice is what its payments applied", "SELECT `number` AS `what`, `paid_minor` AS `sum` FROM `invoices` `i` WHERE `paid_minor` != (SELECT IFNULL(SUM(`applied_minor`), 0) FROM `payment_transactions` WHERE `invoice` = `i`.`id` AND `status` = 'succeeded')"},
	{"an invoice is the sum of its lines", "SELECT `number` AS `what`, `subtotal_minor` AS `sum` FROM `invoices` `i` WHERE `subtotal_minor` != (SELECT IFNULL(SUM(`amount_minor`), 0) FROM `invoice_items` WHERE `invoice` = `i`.`id`)"},
	{"a received payment is applied or credit", "SELECT `id` AS `what`, `amount_minor` AS `sum` FROM `payment_transactions` WHERE `status` = 'succeeded' AND `amount_minor` != `applied_minor` + `excess_minor`"},
	{"a received payment is posted once", "SELECT `id` AS `what`, 0 AS `sum` FROM `payment_transactions` `p` WHERE `status` = 'succeeded' AND (SELECT COUNT(*) FROM `ledger_entries` WHERE `posting` = 'payment:' || `p`.`id`) < 2"},
	{"nothing is posted for a payment that did not arrive", "SELECT `posting` AS `what`, `amount_minor` AS `sum` FROM `ledger_entries` WHERE `posting` LIKE 'payment:%' AND `payment` NOT IN (SELECT `id` FROM `payment_transactions` WHERE `status` = 'succeeded')"},
	{"what customers owe is what open invoices are due", "SELECT `user` AS `what`, SUM(`amount_minor`) - (SELECT IFNULL(SUM(`due_minor`), 0) FROM `invoices` `i` WHERE `i`.`user` = `l`.`user` AND `i`.`currency` = `l`.`currency` AND `i`.`status` = 'open') AS `sum` FROM `ledger_entries` `l` WHERE `account` = 'receivable' GROUP BY `user`, `currency` HAVING `sum` != 0"},
	{"invoice numbers have no gap", "SELECT `series` || ' ' || `year` AS `what`, `last_seq` AS `sum` FROM `invoice_series` `s` WHERE `last_seq` != (SELECT COUNT(*) FROM `invoices` WHERE `series` = `s`.`series` AND `year` = `s`.`year` AND `seq` BETWEEN 1 AND `s`.`last_seq`)"},
	{"no stock is below zero", "SELECT `slug` AS `what`, `stock` AS `sum` FROM `plans` WHERE `stock` < 0"},
	{"a paid order's services were set in motion", "SELECT `o`.`id` AS `what`, 0 AS `sum` FROM `orders` `o` JOIN `subscriptions` `u` ON `u`.`order` = `o`.`id` JOIN `services` `s` ON `s`.`subscription` = `u`.`id` WHERE `o`.`status` = 'paid' AND `s`.`status` = 'pending'"},
	{"an unpaid order's services were not", "SELECT `o`.`id` AS `what`, 0 AS `sum` FROM `orders` `o` JOIN `subscriptions` `u` ON `u`.`order` = `o`.`id` JOIN `services` `s` ON `s`.`subscription` = `u`.`id` WHERE `o`.`status` = 'pending' AND `s`.`status` != 'pending'"},
	{"a service has one subscription and back", "SELECT `id` AS `what`, 0 AS `sum` FROM `subscriptions` `u` WHERE (SELECT COUNT(*) FROM `services` WHERE `subscription` = `u`.`id`) != 1"},
	{"an invoice has its order's total", "SELECT `o`.`id` AS `what`, `o`.`total_minor` AS `sum` FROM `orders` `o` JOIN `invoices` `i` ON `i`.`id` = `o`.`invoice` WHERE `i`.`total_minor` != `o`.`total_minor` OR `i`.`currency` != `o`.`currency`"},
	{"an active service runs on the platform", "SELECT `s`.`id` AS `what`, 0 AS `sum` FROM `services` `s` JOIN `platforms` `p` ON `p`.`id` = `s`.`platform` WHERE `s`.`status` IN ('active', 'suspended') AND `p`.`kind` != 'manual' AND `s`.`platform_service_id` = ''"},
	{"no secret is stored in clear", "SELECT 'gateway' AS `what`, 0 AS `sum` FROM `gateways` WHERE `secret_key` NOT LIKE 'sealed:%' AND `secret_key` != '' OR `webhook_secret` NOT LIKE 'sealed:%' AND `webhook_secret` != '' UNION ALL SELECT 'platform', 0 FROM `platforms` WHERE `token` NOT LIKE 'sealed:%' AND `token` != '' UNION ALL SELECT 'service', 0 FROM `services` WHERE `credentials` NOT LIKE 'sealed:%' AND `credentials` != ''"},
}

// CheckBooks fails the test for every rule of the books that does not hold, for
// a broken audit chain, and for requests that Stripe would complain about.
func (a *App) CheckBooks() {
	a.Helper()
	err := a.RunInTransaction(func(tx core.App) error { // one moment of the database
		for _, b := range books {
			faults := []struct {
				What string `db:"what"`
				Sum  int64  `db:"sum"`
			}{}
			if err := tx.DB().NewQuery(b.query).All(&faults); err != nil {
				return err
			}
			for _, f := range faults {
				a.Errorf("books: %s: %s (%d)", b.rule, f.What, f.Sum)
			}
		}
		broken, err := audit.Verify(tx)
		if broken != 0 {
			a.Errorf("books: the audit chain breaks at row %d", broken)
		}
		return err
	})
	if err != nil {
		a.Errorf("books: %v", err)
	}
	for _, c := range a.Stripe.Complaints() {
		a.Errorf("books: Stripe complains: %s", c)
	}
}

// Balance sums an account of a customer's ledger in one currency.
func (a *App) Balance(user, account, currency string) int64 {
	a.Helper()
	sum := int64(0)
	err := a.DB().NewQuery("SELECT IFNULL(SUM(`amount_minor`), 0) FROM `ledger_entries` WHERE `user` = {:user} AND `account` = {:account} AND `currency` = {:currency}").
		Bind(dbx.Params{"user": user, "account": account, "currency": currency}).Row(&sum)
	if err != nil {
		a.Fatal(err)
	}
	return sum
}
