package books

// documentRules say that invoices and credit notes agree with their lines,
// their numbers and the ledger.
var documentRules = []Rule{
	{
		"an invoice is the sum of its lines",
		"SELECT `number` AS `what`, `total_minor` - IFNULL(`s`.`net` + `s`.`tax`, 0) AS `off` FROM `invoices` `i` LEFT JOIN (SELECT `invoice`, SUM(`net_minor`) AS `net`, SUM(`tax_minor`) AS `tax` FROM `invoice_items` GROUP BY `invoice`) `s` ON `s`.`invoice` = `i`.`id`" +
			" WHERE `i`.`status` != 'draft' AND (`subtotal_minor` != IFNULL(`s`.`net`, 0) OR `tax_minor` != IFNULL(`s`.`tax`, 0) OR `total_minor` != `subtotal_minor` + `tax_minor`)",
	},
	{
		"a line's price is its net, or its net and tax where prices include it",
		"SELECT `i`.`number` || ' line ' || `l`.`position` AS `what`, `l`.`amount_minor` - `l`.`net_minor` AS `off` FROM `invoice_items` `l` JOIN `invoices` `i` ON `i`.`id` = `l`.`invoice`" +
			" WHERE `l`.`kind` != 'unused' AND `l`.`amount_minor` != `l`.`net_minor` + CASE WHEN `i`.`tax_inclusive` THEN `l`.`tax_minor` ELSE 0 END",
	},
	{
		"what is due is what is neither paid, credited nor written off",
		"SELECT `number` AS `what`, `due_minor` AS `off` FROM `invoices` WHERE `status` IN ('open', 'paid', 'uncollectible') AND `due_minor` != `total_minor` - `paid_minor` - `credited_minor` - `written_off_minor`",
	},
	{
		"on a closed invoice nothing is due",
		"SELECT `number` AS `what`, `due_minor` AS `off` FROM `invoices` WHERE `status` IN ('paid', 'void', 'uncollectible') AND `due_minor` != 0 OR `status` = 'open' AND `due_minor` <= 0",
	},
	{
		"what was paid on an invoice is what its payments applied",
		"SELECT `number` AS `what`, `paid_minor` - IFNULL(`s`.`sum`, 0) AS `off` FROM `invoices` `i` LEFT JOIN (SELECT `invoice`, SUM(`applied_minor`) AS `sum` FROM `payment_transactions` WHERE `status` = 'succeeded' GROUP BY `invoice`) `s` ON `s`.`invoice` = `i`.`id`" +
			" WHERE `paid_minor` != IFNULL(`s`.`sum`, 0)",
	},
	{
		"what was credited on an invoice is what its credit notes took off",
		"SELECT `number` AS `what`, `credited_minor` - IFNULL(`s`.`sum`, 0) AS `off` FROM `invoices` `i` LEFT JOIN (SELECT `invoice`, SUM(`to_due_minor`) AS `sum` FROM `credit_notes` GROUP BY `invoice`) `s` ON `s`.`invoice` = `i`.`id`" +
			" WHERE `credited_minor` != IFNULL(`s`.`sum`, 0)",
	},
	{
		"a credit note is the sum of its lines and of what it did",
		"SELECT `number` AS `what`, `total_minor` AS `off` FROM `credit_notes` `n` WHERE `total_minor` != `to_due_minor` + `to_credit_minor` OR `total_minor` != `subtotal_minor` + `tax_minor`" +
			" OR `subtotal_minor` != (SELECT IFNULL(SUM(`net_minor`), 0) FROM `credit_note_items` WHERE `credit_note` = `n`.`id`) OR `tax_minor` != (SELECT IFNULL(SUM(`tax_minor`), 0) FROM `credit_note_items` WHERE `credit_note` = `n`.`id`)",
	},
	{
		"what was credited of a line is what credit notes and unused parts took",
		"WITH `taken` AS (SELECT `invoice_item` AS `line`, `net_minor` AS `net`, `tax_minor` AS `tax` FROM `credit_note_items`" +
			" UNION ALL SELECT json_extract(`u`.`detail`, '$.line'), `u`.`credited_minor` - `u`.`net_minor`, `u`.`credited_tax_minor` - `u`.`tax_minor` FROM `invoice_items` `u` JOIN `invoices` `i` ON `i`.`id` = `u`.`invoice` WHERE `u`.`kind` = 'unused' AND `i`.`status` != 'void'" +
			"), `sums` AS (SELECT `line`, SUM(`net`) AS `net`, SUM(`tax`) AS `tax` FROM `taken` GROUP BY `line`)" +
			" SELECT `l`.`id` AS `what`, `l`.`credited_minor` - IFNULL(`s`.`net`, 0) AS `off` FROM `invoice_items` `l` LEFT JOIN `sums` `s` ON `s`.`line` = `l`.`id`" +
			" WHERE `l`.`credited_minor` != IFNULL(`s`.`net`, 0) OR `l`.`credited_tax_minor` != IFNULL(`s`.`tax`, 0)",
	},
	{
		"invoice numbers have no gap",
		"SELECT `series` || ' ' || `year` AS `what`, `last_seq` - (SELECT COUNT(*) FROM `invoices` WHERE `series` = `s`.`series` AND `year` = `s`.`year` AND `seq` BETWEEN 1 AND `s`.`last_seq`)" +
			" - (SELECT COUNT(*) FROM `credit_notes` WHERE `series` = `s`.`series` AND `year` = `s`.`year` AND `seq` BETWEEN 1 AND `s`.`last_seq`) AS `off` FROM `invoice_series` `s` WHERE `off` != 0",
	},
	{
		"what the ledger says is owed on an invoice is what it is due",
		"SELECT `i`.`number` AS `what`, `i`.`due_minor` - IFNULL(`s`.`sum`, 0) AS `off` FROM `invoices` `i` LEFT JOIN (SELECT `invoice`, SUM(`amount_minor`) AS `sum` FROM `ledger_entries` WHERE `account` = 'receivable' GROUP BY `invoice`) `s` ON `s`.`invoice` = `i`.`id`" +
			" WHERE `i`.`status` != 'draft' AND `i`.`due_minor` != IFNULL(`s`.`sum`, 0)",
	},
	{
		"nothing is owed without an invoice",
		"SELECT `posting` AS `what`, `amount_minor` AS `off` FROM `ledger_entries` WHERE `account` = 'receivable' AND `invoice` NOT IN (SELECT `id` FROM `invoices`)",
	},
}

// moneyRules say that payments, refunds and the customer's credit agree with the
// ledger.
var moneyRules = []Rule{
	{
		"every posting sums to zero in each currency",
		"SELECT `posting` AS `what`, SUM(`amount_minor`) AS `off` FROM `ledger_entries` GROUP BY `posting`, `currency` HAVING SUM(`amount_minor`) != 0",
	},
	{
		"a received payment is applied or credit",
		"SELECT `id` AS `what`, `amount_minor` - `applied_minor` - `excess_minor` AS `off` FROM `payment_transactions` WHERE `status` = 'succeeded' AND `off` != 0",
	},
	{
		"a received payment is posted once",
		"SELECT `id` AS `what`, `amount_minor` AS `off` FROM `payment_transactions` `p` WHERE `status` = 'succeeded' AND (SELECT COUNT(*) FROM `ledger_entries` WHERE `posting` = 'payment:' || `p`.`id`) < 2",
	},
	{
		"nothing is posted for a payment that did not arrive",
		"SELECT `posting` AS `what`, `amount_minor` AS `off` FROM `ledger_entries` WHERE `posting` LIKE 'payment:%' AND `payment` NOT IN (SELECT `id` FROM `payment_transactions` WHERE `status` = 'succeeded')",
	},
	{
		"cash is what gateways took in, less what went back",
		"WITH `cash` AS (SELECT substr(`account`, 6) AS `gateway`, `currency`, SUM(`amount_minor`) AS `sum` FROM `ledger_entries` WHERE `account` LIKE 'cash:%' GROUP BY 1, 2)," +
			" `known` AS (SELECT `gateway`, `currency`, SUM(`amount`) AS `sum` FROM (SELECT `gateway`, `currency`, `amount_minor` - `fee_minor` AS `amount` FROM `payment_transactions` WHERE `status` = 'succeeded' AND `gateway` != 'credit'" +
			" UNION ALL SELECT `gateway`, `currency`, -`amount_minor` FROM `refunds` WHERE `status` != 'failed'" +
			" UNION ALL SELECT `gateway`, `currency`, -(CASE WHEN `funds_withdrawn` THEN `amount_minor` ELSE 0 END) - `fee_minor` FROM `disputes`) GROUP BY 1, 2)" +
			" SELECT `c`.`gateway` || ' ' || `c`.`currency` AS `what`, `c`.`sum` - IFNULL(`k`.`sum`, 0) AS `off` FROM `cash` `c` LEFT JOIN `known` `k` ON `k`.`gateway` = `c`.`gateway` AND `k`.`currency` = `c`.`currency` WHERE `off` != 0",
	},
	{
		"what was refunded of a payment is what its refunds took",
		"SELECT `p`.`id` AS `what`, `p`.`refunded_minor` - IFNULL(`s`.`sum`, 0) AS `off` FROM `payment_transactions` `p` LEFT JOIN (SELECT `payment`, SUM(`amount_minor`) AS `sum` FROM `refunds` WHERE `status` != 'failed' AND `payment` != '' GROUP BY `payment`) `s` ON `s`.`payment` = `p`.`id`" +
			" WHERE `p`.`refunded_minor` != IFNULL(`s`.`sum`, 0)",
	},
	{
		"a customer's credit is the sum of the ledger and never below zero",
		"WITH `sums` AS (SELECT `user`, `currency`, -SUM(`amount_minor`) AS `sum` FROM `ledger_entries` WHERE `account` = 'credit' GROUP BY `user`, `currency`)" +
			" SELECT `s`.`user` || ' ' || `s`.`currency` AS `what`, `s`.`sum` - IFNULL(`b`.`balance_minor`, 0) AS `off` FROM `sums` `s` LEFT JOIN `credit_balances` `b` ON `b`.`user` = `s`.`user` AND `b`.`currency` = `s`.`currency`" +
			" WHERE `off` != 0 OR `s`.`sum` < 0",
	},
	{
		"a cached credit balance has a ledger behind it",
		"SELECT `user` || ' ' || `currency` AS `what`, `balance_minor` AS `off` FROM `credit_balances` `b` WHERE `balance_minor` != 0 AND NOT EXISTS (SELECT 1 FROM `ledger_entries` WHERE `user` = `b`.`user` AND `account` = 'credit' AND `currency` = `b`.`currency`)",
	},
}

// salesRules say that orders, subscriptions, services, stock and coupons agree.
var salesRules = []Rule{
	{"no stock is below zero", "SELECT `slug` AS `what`, `stock` AS `off` FROM `plans` WHERE `stock` < 0"},
	{
		"a coupon's uses are its redemptions, within its limit",
		"SELECT `code` AS `what`, `uses` - (SELECT COUNT(*) FROM `coupon_redemptions` WHERE `coupon` = `c`.`id` AND `status` = 'used') AS `off` FROM `coupons` `c` WHERE `off` != 0 OR `max_uses` > 0 AND `uses` > `max_uses`",
	},
	{
		"a paid order's services were set in motion",
		"SELECT `o`.`id` AS `what`, 0 AS `off` FROM `orders` `o` JOIN `subscriptions` `u` ON `u`.`order` = `o`.`id` JOIN `services` `s` ON `s`.`subscription` = `u`.`id` WHERE `o`.`status` = 'paid' AND `o`.`review` NOT IN ('waiting', 'rejected') AND `s`.`status` = 'pending'",
	},
	{
		"an unpaid order's services were not",
		"SELECT `o`.`id` AS `what`, 0 AS `off` FROM `orders` `o` JOIN `subscriptions` `u` ON `u`.`order` = `o`.`id` JOIN `services` `s` ON `s`.`subscription` = `u`.`id` WHERE `o`.`status` = 'pending' AND `s`.`status` != 'pending'",
	},
	{"a service has one subscription and back", "SELECT `id` AS `what`, 0 AS `off` FROM `subscriptions` `u` WHERE (SELECT COUNT(*) FROM `services` WHERE `subscription` = `u`.`id`) != 1"},
	{
		"an invoice has its order's total",
		"SELECT `o`.`id` AS `what`, `o`.`total_minor` - `i`.`total_minor` AS `off` FROM `orders` `o` JOIN `invoices` `i` ON `i`.`id` = `o`.`invoice` WHERE `i`.`total_minor` != `o`.`total_minor` OR `i`.`currency` != `o`.`currency`",
	},
	{
		"an active service runs on the platform",
		"SELECT `s`.`id` AS `what`, 0 AS `off` FROM `services` `s` JOIN `platforms` `p` ON `p`.`id` = `s`.`platform` WHERE `s`.`status` IN ('active', 'suspended') AND `p`.`kind` != 'manual' AND `s`.`platform_service_id` = ''",
	},
	{
		"a status is one that somebody looks after",
		"SELECT 'invoice ' || `id` AS `what`, 0 AS `off` FROM `invoices` WHERE `status` NOT IN ('draft', 'open', 'paid', 'void', 'uncollectible')" +
			" UNION ALL SELECT 'subscription ' || `id`, 0 FROM `subscriptions` WHERE `status` NOT IN ('pending', 'trialing', 'active', 'past_due', 'paused', 'cancelled') OR `access` NOT IN ('open', 'suspended', 'ended')" +
			" UNION ALL SELECT 'service ' || `id`, 0 FROM `services` WHERE `status` NOT IN ('pending', 'provisioning', 'active', 'suspended', 'terminated')" +
			" UNION ALL SELECT 'order ' || `id`, 0 FROM `orders` WHERE `status` NOT IN ('pending', 'paid', 'expired', 'cancelled') OR `review` NOT IN ('none', 'waiting', 'approved', 'rejected')",
	},
	{
		"no secret is stored in clear",
		"SELECT 'gateway' AS `what`, 0 AS `off` FROM `gateways` WHERE `secret_key` NOT LIKE 'sealed:%' AND `secret_key` != '' OR `webhook_secret` NOT LIKE 'sealed:%' AND `webhook_secret` != ''" +
			" UNION ALL SELECT 'platform', 0 FROM `platforms` WHERE `token` NOT LIKE 'sealed:%' AND `token` != '' UNION ALL SELECT 'service', 0 FROM `services` WHERE `credentials` NOT LIKE 'sealed:%' AND `credentials` != ''",
	},
}
