package sim

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/virtbox"
)

// server is a server as the panel lists it.
type server = virtbox.Server

// tenant is a service as the panel should know it.
type tenant struct {
	ID     string `db:"id"`
	User   string `db:"user"`
	Status string `db:"status"`
	Server string `db:"platform_service_id"`
	Busy   bool   `db:"busy"` // a job is open
}

// serversMatchServices compares the panel's own list of servers with our
// services: a service in use has a server of its own, of its customer and in the
// same state, and nobody has more servers than services.
func serversMatchServices(w *world, p *proof) ([]string, error) {
	tenants := []tenant{}
	err := w.app.DB().NewQuery("SELECT `id`, `user`, `status`, `platform_service_id`, `id` IN (SELECT `service` FROM `jobs` WHERE `state` IN ('queued', 'running', 'parked', 'failed') AND `kind` != 'service.refresh') AS `busy`" +
		" FROM `services` `s` WHERE `status` IN ('provisioning', 'active', 'suspended') ORDER BY `rowid`").All(&tenants)
	if err != nil {
		return nil, err
	}
	servers := w.vendors.panel.Snapshot().Servers
	broken, claimed := []string{}, map[string]string{}
	owed := map[string]int{}
	for _, t := range tenants {
		owed["ezs-"+t.User]++
		if t.Status == "provisioning" {
			if p.final {
				broken = append(broken, "service "+t.ID+" is still being built")
			}
			continue
		}
		i := slices.IndexFunc(servers, func(s server) bool { return strconv.FormatInt(s.ID, 10) == t.Server })
		switch {
		case i < 0:
			broken = append(broken, fmt.Sprintf("service %s is %s, its server %q does not exist", t.ID, t.Status, t.Server))
		case claimed[t.Server] != "":
			broken = append(broken, fmt.Sprintf("services %s and %s share server %s", claimed[t.Server], t.ID, t.Server))
		case servers[i].OwnerRelation != "ezs-"+t.User:
			broken = append(broken, fmt.Sprintf("service %s has the server of %s", t.ID, servers[i].OwnerRelation))
		case !t.Busy && servers[i].Suspended != (t.Status == "suspended"):
			broken = append(broken, fmt.Sprintf("service %s is %s, its server is suspended: %t", t.ID, t.Status, servers[i].Suspended))
		}
		claimed[t.Server] = t.ID
	}
	more, err := w.homeless(servers, owed, p.final)
	return append(broken, more...), err
}

// homeless are servers that nobody pays for. One whose removal is under way may
// stay a moment.
func (w *world) homeless(servers []server, owed map[string]int, final bool) ([]string, error) {
	has := map[string]int{}
	for _, s := range servers {
		has[s.OwnerRelation]++
	}
	leaving := []string{}
	if !final {
		err := w.app.DB().NewQuery("SELECT 'ezs-' || `user` FROM `jobs` WHERE `kind` = 'service.terminate' AND `state` IN ('queued', 'running', 'parked', 'failed')").Column(&leaving)
		if err != nil {
			return nil, err
		}
	}
	for _, owner := range leaving {
		owed[owner]++
	}
	broken := []string{}
	for _, s := range servers {
		if has[s.OwnerRelation] > owed[s.OwnerRelation] {
			broken = append(broken, fmt.Sprintf("%s has %d servers for %d services", s.OwnerRelation, has[s.OwnerRelation], owed[s.OwnerRelation]))
			has[s.OwnerRelation] = 0
		}
	}
	return broken, nil
}

// stockIsExact: what is left, what is sold and what is kept for agreed changes is
// what there was.
func stockIsExact(w *world, _ *proof) ([]string, error) {
	broken := []string{}
	for _, p := range plans {
		if p.stock == 0 {
			continue
		}
		counted := struct {
			Stock int64 `db:"stock"`
			Sold  int64 `db:"sold"`
		}{}
		err := w.app.DB().NewQuery("SELECT `stock`, (SELECT IFNULL(SUM(`quantity`), 0) FROM `subscriptions` `u` WHERE `u`.`plan` = `p`.`id` AND `u`.`status` != 'cancelled')" +
			" + (SELECT COUNT(*) FROM `subscription_changes` WHERE `status` IN ('pending', 'scheduled') AND json_extract(`to`, '$.plan') = `p`.`id` AND json_extract(`from`, '$.plan') != `p`.`id`) AS `sold` FROM `plans` `p` WHERE `slug` = {:slug}").
			Bind(dbx.Params{"slug": p.slug}).One(&counted)
		if err != nil {
			return nil, err
		}
		if counted.Stock+counted.Sold != p.stock {
			broken = append(broken, fmt.Sprintf("%s: %d in stock and %d sold of %d", p.slug, counted.Stock, counted.Sold, p.stock))
		}
	}
	return broken, nil
}

// thingsGetDone: vendors and mail servers come back and staff tries again each
// morning, so that nothing stays undone for long. A job may wait for weeks, for a debit
// say, before it fails for the first time: it counts how many days it has stood failed.
func thingsGetDone(w *world, p *proof) ([]string, error) {
	stuck, err := stuckJobs(w, p)
	if err != nil {
		return nil, err
	}
	since := w.clock.product().Add(-patience * aDay)
	asked := since // what waits for people, who look at it each morning
	if p.final {
		since, asked = w.clock.product(), w.clock.product().Add(-aDay)
	}
	broken, mails := []string{}, ""
	if p.whole { // they are long, and each unsent one has an open job besides
		mails = " UNION ALL SELECT 'mail ' || `key` || ' ' || `status` || ': ' || `error` FROM `mails` WHERE `status` = 'queued' AND `created` < {:since}"
	}
	err = w.app.DB().NewQuery("SELECT `key` || ' ' || `state` || ' since ' || `queued_at` || ': ' || `error` FROM `jobs` WHERE `state` = 'parked' AND `queued_at` < {:asked}" +
		" UNION ALL SELECT 'event ' || `event_id` || ' ' || `status` || ': ' || `error` FROM `webhook_events` WHERE `status` IN ('new', 'retrying') AND `received_at` < {:since}" +
		mails + " ORDER BY 1").
		Bind(dbx.Params{"since": collections.Stamp(since).String(), "asked": collections.Stamp(asked).String()}).Column(&broken)
	return append(stuck, broken...), err
}

// stuckJobs are those that stood failed or running at each proof for longer than
// patience lasts; at the end any.
func stuckJobs(w *world, p *proof) ([]string, error) {
	rows := []struct {
		ID   string `db:"id"`
		What string `db:"what"`
	}{}
	err := w.app.DB().NewQuery("SELECT `id`, `key` || ' ' || `state` || ': ' || `error` AS `what` FROM `jobs` WHERE `state` IN ('failed', 'running') ORDER BY `key`").All(&rows)
	if err != nil {
		return nil, err
	}
	stuck, still := []string{}, map[string]int{}
	for _, r := range rows {
		first, known := p.failing[r.ID]
		if !known {
			first = w.counts.Days
		}
		still[r.ID] = first
		if p.final || w.counts.Days-first > patience {
			stuck = append(stuck, r.What)
		}
	}
	p.failing = still
	return stuck, nil
}

// mercy is how long after the grace an unpaid service may still run: notices are
// made up after an outage, and nothing is suspended while money may be on its way. A
// debit that failed after days counts from its end: several of them may follow upon
// each other.
const mercy = 30 * aDay

// suspendedIffOverdue compares what billing decided about access with what is
// owed, and the services with what billing decided. It does not ask the rules of
// dunning, but the invoices. What staff wrote off leaves a service as it is: on,
// if it was. What was credited whole of an invoice is no debt of its service, even
// if other services still owe the rest.
func suspendedIffOverdue(w *world, _ *proof) ([]string, error) {
	policy, err := collections.LoadDunning(w.app)
	if err != nil {
		return nil, err
	}
	now := w.clock.product()
	grace := now.AddDate(0, 0, 1-policy.SuspendDays) // due dates are days
	const owed = "EXISTS (SELECT 1 FROM `invoice_items` `l` CROSS JOIN `invoices` `i` ON `i`.`id` = `l`.`invoice` WHERE `l`.`subscription` = `u`.`id` AND `l`.`kind` IN ('period', 'hourly') AND `l`.`live` AND `i`.`status` IN (%s) AND `i`.`due_at` < {:%s}%s)"
	const moving = " AND NOT EXISTS (SELECT 1 FROM `payment_transactions` WHERE `invoice` = `i`.`id` AND (`status` IN ('pending', 'unknown') OR `status` = 'failed' AND `updated` >= {:mercy} AND julianday(`updated`) - julianday(`created`) > 1))"
	broken := []string{}
	err = w.app.DB().NewQuery("SELECT `id` || ' is suspended without an overdue invoice' FROM `subscriptions` `u` WHERE `access` = 'suspended' AND `access_reason` = 'overdue' AND NOT " + fmt.Sprintf(owed, "'open', 'uncollectible'", "grace", "") +
		" UNION ALL SELECT `id` || ' is used though long overdue' FROM `subscriptions` `u` WHERE `status` IN ('active', 'past_due') AND `access` = 'open' AND " + fmt.Sprintf(owed, "'open'", "mercy", " AND `i`.`due_minor` >= 50"+moving) +
		" UNION ALL SELECT `s`.`id` || ' is ' || `s`.`status` || ' with access ' || `u`.`access` FROM `services` `s` JOIN `subscriptions` `u` ON `u`.`id` = `s`.`subscription` WHERE `s`.`status` IN ('active', 'suspended') AND `s`.`hold` != 'staff'" +
		" AND (`s`.`status` = 'suspended') != (`u`.`access` = 'suspended') AND NOT (`u`.`access` = 'ended' AND `u`.`access_at` >= {:mercy}) AND `s`.`id` NOT IN (SELECT `service` FROM `jobs` WHERE `state` IN ('queued', 'running', 'parked', 'failed'))").
		Bind(dbx.Params{"grace": collections.Stamp(grace).String(), "mercy": collections.Stamp(grace.Add(-mercy)).String()}).Column(&broken)
	return broken, err
}
