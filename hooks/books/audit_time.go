package books

// recurring are the subscriptions whose schedule is ours and made of periods.
const recurring = "`u`.`billing_owner` = 'platform' AND `u`.`cycle` NOT IN ('hourly', 'one_time')"

// periodNumber is the number of the period that a line bills.
const periodNumber = "IIF(`l`.`detail` LIKE '{%', IFNULL(json_extract(`l`.`detail`, '$.number'), 0), 0)"

// billedNumber is the same, and nothing where there is no line.
const billedNumber = "IIF(`l`.`id` IS NULL, NULL, " + periodNumber + ")"

// timeRules say that subscriptions are billed once for each moment of their
// life, and run because somebody paid for it.
var timeRules = []Rule{
	{
		"every period before the next one is billed, and none after",
		"SELECT `u`.`id` AS `what`, COUNT(DISTINCT " + billedNumber + ") - `u`.`next_period` AS `off` FROM `subscriptions` `u` LEFT JOIN `invoice_items` `l` ON `l`.`subscription` = `u`.`id` AND `l`.`period_start` >= `u`.`anchor`" +
			" AND `l`.`kind` = 'period' AND (`l`.`live` OR `l`.`credited_minor` != 0 AND " + periodNumber + " < `u`.`next_period`)" +
			" WHERE " + recurring + " AND `u`.`status` != 'cancelled' GROUP BY `u`.`rowid` HAVING `off` != 0 OR IFNULL(MAX(" + billedNumber + "), -1) >= `u`.`next_period`",
	},
	{
		"no time of a subscription is billed twice",
		// What a change replaced is credited, as far as it was over anything and had a
		// day left: days are not divided. A change that waits to be paid has replaced
		// nothing yet, and what is invoiced ahead stands beside it until it does. Few
		// subscriptions have lines that overlap at all; those are looked at closely.
		"WITH `close` AS (SELECT DISTINCT `subscription` FROM (SELECT `subscription`, `period_end`, LEAD(`period_start`) OVER (PARTITION BY `subscription` ORDER BY `period_start`) AS `next`" +
			" FROM `invoice_items` WHERE `kind` = 'period' AND `live` = TRUE AND `subscription` != '') WHERE substr(`next`, 1, 10) < substr(`period_end`, 1, 10))" +
			" SELECT `subscription` || ' from ' || `next` AS `what`, 0 AS `off` FROM (SELECT `l`.`subscription`, `l`.`period_end`, LEAD(`l`.`period_start`) OVER (PARTITION BY `l`.`subscription` ORDER BY `l`.`period_start`) AS `next`" +
			" FROM `invoice_items` `l` WHERE `l`.`kind` = 'period' AND `l`.`live` = TRUE AND `l`.`credited_minor` = 0 AND `l`.`subscription` IN (SELECT `subscription` FROM `close`)" +
			" AND `l`.`invoice` NOT IN (SELECT `invoice` FROM `subscription_changes` WHERE `status` = 'pending')" +
			" AND (SELECT SUM(`net_minor`) FROM `invoice_items` WHERE `invoice` = `l`.`invoice` AND (`position` = `l`.`position` OR `parent` = `l`.`position`)) != 0) WHERE substr(`next`, 1, 10) < substr(`period_end`, 1, 10)",
	},
	{
		"a subscription is paid through the end of a period that was paid",
		"SELECT `u`.`id` AS `what`, 0 AS `off` FROM `subscriptions` `u` WHERE `u`.`billing_owner` = 'platform' AND `u`.`current_period_end` != '' AND `u`.`status` != 'cancelled'" +
			" AND NOT EXISTS (SELECT 1 FROM `invoice_items` `l` JOIN `invoices` `i` ON `i`.`id` = `l`.`invoice` WHERE `l`.`subscription` = `u`.`id` AND `l`.`period_end` = `u`.`current_period_end` AND `l`.`kind` IN ('period', 'trial', 'hourly', 'charge') AND `i`.`status` = 'paid')" +
			// What a gateway billed before it handed over may lie before the time of our books.
			" AND NOT EXISTS (SELECT 1 FROM `agreements` `a` WHERE `a`.`subscription` = `u`.`id` AND `a`.`status` = 'handed_over' AND `a`.`paid_through` = `u`.`current_period_end`)",
	},
	{
		"a running subscription is looked at again",
		"SELECT `u`.`id` AS `what`, 0 AS `off` FROM `subscriptions` `u` WHERE " + recurring + " AND `u`.`status` IN ('trialing', 'active', 'past_due') AND `u`.`next_invoice_at` = ''",
	},
	{
		"a cancelled subscription's access has ended",
		"SELECT `u`.`id` AS `what`, 0 AS `off` FROM `subscriptions` `u` WHERE `u`.`status` = 'cancelled' AND `u`.`access` != 'ended'",
	},
	{
		"what is suspended for a debt has one",
		"SELECT `u`.`id` AS `what`, 0 AS `off` FROM `subscriptions` `u` WHERE `u`.`access` = 'suspended' AND `u`.`access_reason` = 'overdue'" +
			" AND NOT EXISTS (SELECT 1 FROM `invoice_items` `l` JOIN `invoices` `i` ON `i`.`id` = `l`.`invoice` WHERE `l`.`subscription` = `u`.`id` AND `i`.`status` IN ('open', 'uncollectible'))",
	},
	{
		"a paid change has taken effect, one that was called off has not",
		"SELECT `c`.`id` AS `what`, `c`.`total_minor` AS `off` FROM `subscription_changes` `c` JOIN `invoices` `i` ON `i`.`id` = `c`.`invoice` WHERE `c`.`status` = 'pending' AND `i`.`status` IN ('paid', 'void') OR `c`.`status` = 'applied' AND `i`.`status` = 'open'",
	},
	{
		"a subscription has a gateway's id exactly while the gateway bills it",
		"SELECT `id` AS `what`, 0 AS `off` FROM `subscriptions` WHERE (`billing_owner` = 'gateway') != (`gateway_subscription_id` != '')",
	},
	{
		"who bills a subscription is what its agreement says",
		"SELECT `u`.`id` AS `what`, 0 AS `off` FROM `subscriptions` `u` WHERE `u`.`billing_owner` = 'gateway' AND NOT EXISTS (SELECT 1 FROM `agreements` `a` WHERE `a`.`subscription` = `u`.`id` AND `a`.`status` IN ('following', 'ended') AND `a`.`gateway` = `u`.`gateway` AND `a`.`agreement` = `u`.`gateway_subscription_id`)" +
			" UNION ALL SELECT `a`.`agreement`, 0 FROM `agreements` `a` JOIN `subscriptions` `u` ON `u`.`id` = `a`.`subscription` WHERE `a`.`status` = 'following' AND `u`.`billing_owner` != 'gateway'",
	},
	{
		// What a gateway took too little of, or never, may be charged here afterwards.
		"a period is charged by the side that bills it",
		"SELECT `p`.`id` AS `what`, `p`.`applied_minor` AS `off` FROM `agreements` `a` CROSS JOIN `invoice_items` `l` ON `l`.`subscription` = `a`.`subscription` CROSS JOIN `payment_transactions` `p` ON `p`.`invoice` = `l`.`invoice`" +
			" WHERE `l`.`kind` = 'period' AND `l`.`live` AND `p`.`status` = 'succeeded' AND `p`.`applied_minor` > 0 AND (" +
			"`a`.`status` = 'handed_over' AND `p`.`kind` = 'agreement' AND `p`.`gateway` = `a`.`gateway` AND `l`.`period_start` >= `a`.`paid_through` AND NOT EXISTS (SELECT 1 FROM `agreements` `b` WHERE `b`.`subscription` = `a`.`subscription` AND `b`.`linked_at` > `a`.`linked_at`)" +
			" OR `a`.`status` = 'following' AND `p`.`kind` = 'off_session' AND `l`.`period_start` >= `a`.`starts_at` AND NOT EXISTS (SELECT 1 FROM `payment_transactions` `g` WHERE `g`.`invoice` = `l`.`invoice` AND `g`.`kind` = 'agreement' AND `g`.`status` = 'succeeded'))",
	},
}
