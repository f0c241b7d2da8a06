package books

// documentRules say that invoices and credit notes agree with their lines,
// their numbers and the ledger.
var documentRules = []Rule{
	{
		"an invoice is the sum of its lines",
		"SELECT `number` AS `what`, `total` - `net` - `tax` AS `off` FROM (SELECT `i`.`number`, `i`.`total_minor` AS `total`, `i`.`subtotal_minor` AS `subtotal`, `i`.`tax_minor` AS `taxed`, IFNULL(SUM(`l`.`net_minor`), 0) AS `net`, IFNULL(SUM(`l`.`tax_minor`), 0) AS `tax`" +
			" FROM `invoices` `i` LEFT JOIN `invoice_items` `l` ON `l`.`invoice` = `i`.`id` WHERE `i`.`status` != 'draft' GROUP BY `i`.`rowid`) WHERE `subtotal` != `net` OR `taxed` != `tax` OR `total` != `subtotal` + `taxed`",
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
		"SELECT `number` AS `what`, `paid_minor` - IFNULL((SELECT SUM(`applied_minor`) FROM `payment_transactions` WHERE `invoice` = `i`.`id` AND `status` = 'succeeded'), 0) AS `off` FROM `invoices` `i` WHERE `off` != 0",
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
		"the ledger has the sales, taxes, losses, top-ups and debt of an invoice, on its customer",
		// One way through the ledger: it is the longest table.
		"WITH `booked` AS (SELECT `invoice`, MIN(`user`) AS `one`, MAX(`user`) AS `other`, -SUM(IIF(`account` = 'revenue', `amount_minor`, 0)) AS `net`, -SUM(IIF(`account` = 'tax_payable', `amount_minor`, 0)) AS `tax`," +
			" SUM(IIF(`account` = 'bad_debt', `amount_minor`, 0)) AS `lost`, -SUM(IIF(`account` = 'topups', `amount_minor`, 0)) AS `bought`, SUM(IIF(`account` = 'receivable', `amount_minor`, 0)) AS `owed` FROM `ledger_entries` GROUP BY `invoice`)," +
			" `taken` AS (SELECT `invoice`, SUM(`subtotal_minor`) AS `net`, SUM(`tax_minor`) AS `tax` FROM `credit_notes` GROUP BY `invoice`)," +
			// A cancelled invoice has its whole booking reversed, or a credit note over all of it.
			" `sold` AS (SELECT IFNULL(`i`.`number`, 'invoice ' || `b`.`invoice`) AS `number`, `i`.`user`, IIF(`i`.`kind` = 'topup', 0, `i`.`written_off_minor`) - `b`.`lost` AS `lost`, IIF(`i`.`kind` = 'topup', `i`.`due_minor`, 0) - `b`.`bought` AS `bought`," +
			" `i`.`due_minor` - `b`.`owed` AS `owed`, `b`.`one`, `b`.`other`, `i`.`id` IS NULL AND EXISTS (SELECT 1 FROM `ledger_entries` WHERE `invoice` = `b`.`invoice` AND `account` = 'receivable') AS `nowhere`," +
			" IIF(`i`.`kind` = 'topup' OR `i`.`status` = 'void', 0, `i`.`subtotal_minor` - IFNULL(`t`.`net`, 0)) - `b`.`net` AS `net`, IIF(`i`.`kind` = 'topup' OR `i`.`status` = 'void', 0, `i`.`tax_minor` - IFNULL(`t`.`tax`, 0)) - `b`.`tax` AS `tax`" +
			" FROM `booked` `b` LEFT JOIN `invoices` `i` ON `i`.`id` = `b`.`invoice` LEFT JOIN `taken` `t` ON `t`.`invoice` = `b`.`invoice` WHERE `i`.`status` IS NOT 'draft')" +
			" SELECT `number` AS `what`, IFNULL(`net` + `tax` + `lost` + `bought` + `owed`, 0) AS `off` FROM `sold` WHERE `net` != 0 OR `tax` != 0 OR `lost` != 0 OR `bought` != 0 OR `owed` != 0 OR `one` != `user` OR `other` != `user` OR `nowhere`" +
			" UNION ALL SELECT `number`, `total_minor` FROM `invoices` `i` WHERE `status` != 'draft' AND (`total_minor` != 0 OR `due_minor` != 0) AND NOT EXISTS (SELECT 1 FROM `ledger_entries` WHERE `invoice` = `i`.`id`)",
	},
	{
		"an invoice's tax is the sum of its tax groups",
		"SELECT `number` AS `what`, `tax_minor` - IFNULL((SELECT SUM(json_extract(`value`, '$.tax_minor')) FROM json_each(`invoices`.`taxes`)), 0) AS `off` FROM `invoices` WHERE `status` != 'draft' AND `taxes` LIKE '[%' AND `off` != 0",
	},
	{
		"a discount belongs to a line and never exceeds it",
		"SELECT `i`.`number` || ' line ' || `d`.`parent` AS `what`, IFNULL(`l`.`amount_minor`, 0) + `d`.`sum` AS `off` FROM (SELECT `invoice`, `parent`, SUM(`amount_minor`) AS `sum` FROM `invoice_items` WHERE `kind` = 'discount' GROUP BY `invoice`, `parent`) `d`" +
			" JOIN `invoices` `i` ON `i`.`id` = `d`.`invoice` LEFT JOIN `invoice_items` `l` ON `l`.`invoice` = `d`.`invoice` AND `l`.`position` = `d`.`parent` AND `l`.`kind` != 'discount' WHERE `l`.`id` IS NULL OR `off` < 0",
	},
	{
		"a line bills as long as it is neither void nor credited whole",
		// With its discounts a line may be credited whole before its own net is, and a
		// line over nothing is taken back without a credit.
		"SELECT `i`.`number` || ' line ' || `l`.`position` AS `what`, 0 AS `off` FROM `invoice_items` `l` JOIN `invoices` `i` ON `i`.`id` = `l`.`invoice` WHERE `i`.`status` != 'draft'" +
			" AND IIF(`l`.`live`, `i`.`status` = 'void' OR `l`.`credited_minor` = `l`.`net_minor` AND `l`.`net_minor` != 0, `i`.`status` != 'void' AND `l`.`credited_minor` != `l`.`net_minor`" +
			" AND (SELECT SUM(`net_minor` - `credited_minor`) FROM `invoice_items` WHERE `invoice` = `l`.`invoice` AND (`position` = `l`.`position` OR `parent` = `l`.`position`)) != 0)",
	},
	{
		"what hangs on an invoice is its customer's, in its currency",
		"SELECT `i`.`number` || ' line ' || `l`.`position` AS `what`, 0 AS `off` FROM `invoice_items` `l` JOIN `invoices` `i` ON `i`.`id` = `l`.`invoice` WHERE `l`.`user` != `i`.`user`" +
			" UNION ALL SELECT `n`.`number`, 0 FROM `credit_notes` `n` LEFT JOIN `invoices` `i` ON `i`.`id` = `n`.`invoice` WHERE `n`.`user` IS NOT `i`.`user` OR `n`.`currency` != `i`.`currency`" +
			" UNION ALL SELECT 'payment ' || `p`.`id`, 0 FROM `payment_transactions` `p` LEFT JOIN `invoices` `i` ON `i`.`id` = `p`.`invoice` WHERE `p`.`user` IS NOT `i`.`user` AND (`p`.`invoice` != '' OR `p`.`applied_minor` != 0)" +
			" UNION ALL SELECT 'order ' || `o`.`id`, 0 FROM `orders` `o` JOIN `invoices` `i` ON `i`.`id` = `o`.`invoice` WHERE `o`.`user` != `i`.`user`",
	},
	{
		"an invoice's dates follow its status",
		"SELECT `number` AS `what`, 0 AS `off` FROM `invoices` WHERE `status` != 'draft' AND (`issued_at` = '' OR `due_at` = '' OR (`status` = 'paid') != (`paid_at` != '') OR (`status` = 'void') != (`voided_at` != ''))",
	},
	{
		"an open invoice is looked at again",
		"SELECT `number` AS `what`, `due_minor` AS `off` FROM `invoices` WHERE `status` = 'open' AND `next_step_at` = ''",
	},
	{
		"collecting is about an issued invoice of the customer",
		"SELECT `d`.`kind` || ' ' || `d`.`step` || ' of ' || `d`.`invoice` AS `what`, 0 AS `off` FROM `dunning_steps` `d` LEFT JOIN `invoices` `i` ON `i`.`id` = `d`.`invoice` WHERE `i`.`id` IS NULL OR `i`.`status` = 'draft' OR `i`.`user` != `d`.`user`",
	},
}
