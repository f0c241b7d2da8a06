package books

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
	{
		"an order stands and falls with its invoice",
		"SELECT `o`.`id` AS `what`, `i`.`due_minor` AS `off` FROM `orders` `o` JOIN `invoices` `i` ON `i`.`id` = `o`.`invoice` WHERE `o`.`status` = 'pending' AND `i`.`status` IN ('paid', 'void')" +
			" OR `o`.`status` = 'paid' AND `i`.`status` IN ('open', 'void') OR `o`.`status` IN ('expired', 'cancelled') AND `i`.`status` = 'open'",
	},
	{
		"a coupon is redeemed by an order of the customer that stands",
		"SELECT `r`.`id` AS `what`, 0 AS `off` FROM `coupon_redemptions` `r` LEFT JOIN `orders` `o` ON `o`.`id` = `r`.`order` WHERE `o`.`id` IS NULL OR `o`.`user` != `r`.`user` OR `r`.`status` = 'used' AND `o`.`status` IN ('expired', 'cancelled')",
	},
	{
		"an accepted quote has its order, another has none",
		"SELECT `id` AS `what`, `total_minor` AS `off` FROM `quotes` WHERE (`status` = 'accepted') != (`order` != '')",
	},
	{
		"what was to be billed is on an invoice once it is invoiced",
		"SELECT `b`.`key` AS `what`, `b`.`amount_minor` AS `off` FROM `billable_items` `b` LEFT JOIN `invoices` `i` ON `i`.`id` = `b`.`invoice`" +
			" WHERE `b`.`status` = 'invoiced' AND (`i`.`id` IS NULL OR `i`.`user` != `b`.`user` OR `i`.`currency` != `b`.`currency`) OR `b`.`status` != 'invoiced' AND `b`.`invoice` != ''",
	},
}
