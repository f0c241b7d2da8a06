package books

// moneyRules say that payments, refunds and the customer's credit agree with the
// ledger.
var moneyRules = []Rule{
	{
		"every posting sums to zero in each currency",
		// Grouped by the index alone; few postings have two currencies.
		"SELECT `posting` AS `what`, IIF(`one` = `other`, `sum`, 0) AS `off` FROM (SELECT `posting`, SUM(`amount_minor`) AS `sum`, MIN(`currency`) AS `one`, MAX(`currency`) AS `other` FROM `ledger_entries` GROUP BY `posting`) `p`" +
			" WHERE `sum` != 0 AND `one` = `other` OR `one` != `other` AND EXISTS (SELECT 1 FROM `ledger_entries` WHERE `posting` = `p`.`posting` GROUP BY `currency` HAVING SUM(`amount_minor`) != 0)",
	},
	{
		"a received payment is applied or credit",
		"SELECT `id` AS `what`, `amount_minor` - `applied_minor` - `excess_minor` AS `off` FROM `payment_transactions` WHERE `status` = 'succeeded' AND `off` != 0",
	},
	{
		"a received payment is posted as it was applied",
		"SELECT `p`.`id` AS `what`, `p`.`amount_minor` + IFNULL(`d`.`amount_minor`, 0) + IIF(`p`.`gateway` = 'credit', 0, IFNULL(`c`.`amount_minor`, 0)) AS `off` FROM `payment_transactions` `p`" +
			" LEFT JOIN `ledger_entries` `d` ON `d`.`posting` = 'payment:' || `p`.`id` AND `d`.`account` = 'receivable' LEFT JOIN `ledger_entries` `c` ON `c`.`posting` = 'payment:' || `p`.`id` AND `c`.`account` = 'credit'" +
			" WHERE `p`.`status` = 'succeeded' AND (`off` != 0 OR `p`.`applied_minor` != -IFNULL(`d`.`amount_minor`, 0))",
	},
	{
		"nothing is posted for a payment that did not arrive",
		"SELECT `posting` AS `what`, (SELECT MAX(`amount_minor`) FROM `ledger_entries` WHERE `posting` = `l`.`posting`) AS `off` FROM (SELECT DISTINCT `posting` FROM `ledger_entries` WHERE `posting` BETWEEN 'payment:' AND 'payment:~') `l`" +
			" WHERE NOT EXISTS (SELECT 1 FROM `payment_transactions` WHERE `id` = substr(`l`.`posting`, 9) AND `status` = 'succeeded')",
	},
	{
		"cash is what gateways took in, less what went back",
		"WITH `cash` AS (SELECT substr(`account`, 6) AS `gateway`, `currency`, SUM(`amount_minor`) AS `sum` FROM `ledger_entries` WHERE `account` LIKE 'cash:%' GROUP BY 1, 2)," +
			" `known` AS (SELECT `gateway`, `currency`, SUM(`amount`) AS `sum` FROM (SELECT `gateway`, `currency`, `amount_minor` - `fee_minor` AS `amount` FROM `payment_transactions` WHERE `status` = 'succeeded' AND `gateway` != 'credit'" +
			" UNION ALL SELECT `gateway`, `currency`, -`amount_minor` FROM `refunds` WHERE `status` != 'failed'" +
			" UNION ALL SELECT `gateway`, `currency`, -(CASE WHEN `funds_withdrawn` THEN `amount_minor` ELSE 0 END) - `fee_minor` FROM `disputes`" +
			" UNION ALL SELECT `gateway`, `currency`, `amount_minor` FROM `gateway_movements`) GROUP BY 1, 2)," +
			" `all` AS (SELECT `gateway`, `currency`, `sum` FROM `cash` UNION ALL SELECT `gateway`, `currency`, -`sum` FROM `known`)" +
			" SELECT `gateway` || ' ' || `currency` AS `what`, SUM(`sum`) AS `off` FROM `all` GROUP BY `gateway`, `currency` HAVING SUM(`sum`) != 0",
	},
	{
		"a payment's fee is posted, and nothing else is as one",
		"WITH `posted` AS (SELECT substr(`posting`, 5) AS `payment`, SUM(`amount_minor`) AS `fee` FROM `ledger_entries` WHERE `posting` BETWEEN 'fee:' AND 'fee:~' AND `account` = 'gateway_fees' GROUP BY 1)" +
			" SELECT `p`.`id` AS `what`, `p`.`fee_minor` - IFNULL(`f`.`fee`, 0) AS `off` FROM `payment_transactions` `p` LEFT JOIN `posted` `f` ON `f`.`payment` = `p`.`id` WHERE `off` != 0" +
			" UNION ALL SELECT `payment`, -`fee` FROM `posted` WHERE `payment` NOT IN (SELECT `id` FROM `payment_transactions`)",
	},
	{
		"a movement of a gateway's account is posted, and nothing else is as one",
		"WITH `posted` AS (SELECT substr(`posting`, 10) AS `movement`, SUM(IIF(`account` LIKE 'cash:%', `amount_minor`, 0)) AS `sum` FROM `ledger_entries` WHERE `posting` BETWEEN 'movement:' AND 'movement:~' GROUP BY 1)" +
			" SELECT `m`.`reference` AS `what`, `m`.`amount_minor` - IFNULL(`f`.`sum`, 0) AS `off` FROM `gateway_movements` `m` LEFT JOIN `posted` `f` ON `f`.`movement` = `m`.`id` WHERE `off` != 0" +
			" UNION ALL SELECT `movement`, -`sum` FROM `posted` WHERE `movement` NOT IN (SELECT `id` FROM `gateway_movements`)",
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
	{
		"a refund is of money that arrived, and of its customer",
		"SELECT `r`.`id` AS `what`, `r`.`amount_minor` AS `off` FROM `refunds` `r` LEFT JOIN `payment_transactions` `p` ON `p`.`id` = `r`.`payment`" +
			" WHERE `r`.`payment` != '' AND (`p`.`id` IS NULL OR `p`.`status` != 'succeeded' OR `p`.`user` != `r`.`user` OR `p`.`currency` != `r`.`currency`)",
	},
	{
		"a refund is taken off the credit unless it failed",
		"WITH `drawn` AS (SELECT substr(`posting`, instr(`posting`, ':') + 1) AS `refund`, SUM(`amount_minor`) AS `sum` FROM `ledger_entries`" +
			" WHERE (`posting` BETWEEN 'refund:' AND 'refund:~' OR `posting` BETWEEN 'refund_failed:' AND 'refund_failed:~') AND `account` = 'credit' GROUP BY 1)" +
			" SELECT `r`.`id` AS `what`, IIF(`r`.`status` = 'failed', 0, `r`.`amount_minor`) - IFNULL(`d`.`sum`, 0) AS `off` FROM `refunds` `r` LEFT JOIN `drawn` `d` ON `d`.`refund` = `r`.`id` WHERE `off` != 0" +
			" UNION ALL SELECT `refund`, `sum` FROM `drawn` WHERE `refund` NOT IN (SELECT `id` FROM `refunds`)",
	},
	{
		"a credit adjustment is posted, and nothing else is as one",
		"WITH `given` AS (SELECT substr(`posting`, 12) AS `adjustment`, -`amount_minor` AS `amount` FROM `ledger_entries` WHERE `posting` BETWEEN 'adjustment:' AND 'adjustment:~' AND `account` = 'credit')" +
			" SELECT `a`.`id` AS `what`, `a`.`amount_minor` - IFNULL(`g`.`amount`, 0) AS `off` FROM `credit_adjustments` `a` LEFT JOIN `given` `g` ON `g`.`adjustment` = `a`.`id` WHERE `off` != 0" +
			" UNION ALL SELECT `adjustment`, -`amount` FROM `given` WHERE `adjustment` NOT IN (SELECT `id` FROM `credit_adjustments`)",
	},
	{
		"a credit note is posted as it is split, and nothing else is as one",
		"WITH `given` AS (SELECT substr(`posting`, 13) AS `note`, -SUM(IIF(`account` = 'credit', `amount_minor`, 0)) AS `credit`, -SUM(IIF(`account` = 'receivable', `amount_minor`, 0)) AS `due`" +
			" FROM `ledger_entries` WHERE `posting` BETWEEN 'credit_note:' AND 'credit_note:~' GROUP BY 1)" +
			" SELECT `n`.`number` AS `what`, `n`.`to_credit_minor` - IFNULL(`g`.`credit`, 0) AS `off` FROM `credit_notes` `n` LEFT JOIN `given` `g` ON `g`.`note` = `n`.`id` WHERE `off` != 0 OR `n`.`to_due_minor` != IFNULL(`g`.`due`, 0)" +
			" UNION ALL SELECT `note`, -`credit` FROM `given` WHERE `note` NOT IN (SELECT `id` FROM `credit_notes`)",
	},
	{
		"a dispute is about money that arrived",
		"SELECT `d`.`gateway_dispute_id` AS `what`, `d`.`amount_minor` AS `off` FROM `disputes` `d` LEFT JOIN `payment_transactions` `p` ON `p`.`id` = `d`.`payment` WHERE `p`.`id` IS NULL OR `p`.`status` != 'succeeded' OR `p`.`user` != `d`.`user` OR `p`.`currency` != `d`.`currency`",
	},
	{
		"what is disputed of a payment is what gateways withdrew of it",
		"SELECT `p`.`id` AS `what`, `p`.`disputed_minor` - IFNULL(`s`.`sum`, 0) AS `off` FROM `payment_transactions` `p` LEFT JOIN (SELECT `payment`, SUM(`amount_minor`) AS `sum` FROM `disputes` WHERE `funds_withdrawn` GROUP BY `payment`) `s` ON `s`.`payment` = `p`.`id`" +
			" WHERE `p`.`disputed_minor` != IFNULL(`s`.`sum`, 0)",
	},
	{
		"what the ledger says is disputed or lost is what gateways withdrew",
		"WITH `booked` AS (SELECT `currency`, `account`, SUM(`amount_minor`) AS `sum` FROM `ledger_entries` WHERE `account` IN ('disputed', 'dispute_losses') GROUP BY 1, 2)," +
			" `known` AS (SELECT `currency`, IIF(`status` = 'lost', 'dispute_losses', 'disputed') AS `account`, SUM(`amount_minor`) AS `sum` FROM `disputes` WHERE `funds_withdrawn` GROUP BY 1, 2)," +
			" `all` AS (SELECT `currency`, `account`, `sum` FROM `booked` UNION ALL SELECT `currency`, `account`, -`sum` FROM `known`)" +
			" SELECT `account` || ' ' || `currency` AS `what`, SUM(`sum`) AS `off` FROM `all` GROUP BY `account`, `currency` HAVING SUM(`sum`) != 0",
	},
	{
		"matched money has its payment, other money has none",
		"SELECT `gateway` || ' ' || `reference` AS `what`, `amount_minor` AS `off` FROM `unmatched_payments` WHERE (`status` = 'matched') != (`payment` != '')",
	},
}
