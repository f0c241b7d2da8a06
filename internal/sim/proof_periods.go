package sim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
)

// drift is how far the product's clock may be from the world's.
const drift = 5 * time.Minute

// stampLayout is how moments are stored.
const stampLayout = "2006-01-02 15:04:05.000Z"

// overlap is time of a subscription that two lines bill: the earlier one's end,
// from where the later one begins.
type overlap struct {
	Subscription string `db:"subscription"`
	Invoice      string `db:"invoice"` // of the earlier line
	Start        string `db:"start"`   // of the earlier line
	From         string `db:"from"`    // of the later line
	End          string `db:"end"`     // of the earlier line
	Net          int64  `db:"net"`     // of the earlier line, less its discounts
	Back         int64  `db:"back"`    // and what was given back of it
	// Offered says that one of the lines is of a change that nobody has paid, and the
	// other of another invoice: paying the change takes back what the other bills of the
	// rest, and a change that is not paid in time is void. Until then both may stand.
	Offered bool `db:"offered"`
}

// billedOnce: no two lines bill the same days, unless the customer changed the
// subscription since the earlier one and what that bills of the rest was given
// back. A change that may still be paid, and what is invoiced ahead of it, are
// looked at again each day, until one of them is gone.
func billedOnce(w *world, p *proof) ([]string, error) {
	offered, err := json.Marshal(p.offered)
	if err != nil {
		return nil, err
	}
	found := []overlap{}
	const both = " FROM `invoice_items` WHERE `invoice` = `b`.`invoice` AND (`position` = `b`.`position` OR `parent` = `b`.`position`)) AS "
	err = w.app.DB().NewQuery("SELECT `a`.`subscription`, `b`.`invoice`, `b`.`period_start` AS `start`, `a`.`period_start` AS `from`, `b`.`period_end` AS `end`," +
		" (SELECT SUM(`net_minor`)" + both + "`net`, (SELECT SUM(`credited_minor`)" + both + "`back`," +
		" EXISTS (SELECT 1 FROM `subscription_changes` `c` CROSS JOIN `invoices` `i` ON `i`.`id` = `c`.`invoice` WHERE `c`.`status` = 'pending' AND `c`.`invoice` IN (`a`.`invoice`, `b`.`invoice`) AND `a`.`invoice` != `b`.`invoice` AND `i`.`status` = 'open') AS `offered`" +
		" FROM `invoice_items` `a` CROSS JOIN `invoice_items` `b` ON `b`.`subscription` = `a`.`subscription` AND `b`.`id` != `a`.`id`" +
		" WHERE `a`.`subscription` IN (SELECT `subscription` FROM `invoice_items` WHERE `rowid` > {:items} UNION ALL SELECT `value` FROM json_each({:offered})) AND `a`.`kind` = 'period' AND `b`.`kind` = 'period' AND `a`.`live` AND `b`.`live` AND `b`.`period_start` <= `a`.`period_start` AND `b`.`period_end` > `a`.`period_start`").
		Bind(dbx.Params{"items": p.marks["items"], "offered": string(offered)}).All(&found)
	if err != nil {
		return nil, err
	}
	broken := []string{}
	p.offered = nil
	for _, o := range found {
		if o.Offered {
			p.offered = append(p.offered, o.Subscription)
			continue
		}
		why, err := w.unexplained(o)
		if err != nil {
			return nil, err
		}
		if why != "" {
			broken = append(broken, fmt.Sprintf("%s from %s and from %s: %s", o.Subscription, o.Start, o.From, why))
		}
	}
	return broken, nil
}

// unexplained says what is wrong with an overlap, or "".
func (w *world) unexplained(o overlap) (string, error) {
	at := [3]time.Time{}
	for i, stamp := range []string{o.Start, o.From, o.End} {
		t, err := time.Parse(stampLayout, stamp)
		if err != nil {
			return "", fmt.Errorf("moments of an overlap of %s: %w", o.Subscription, err)
		}
		at[i] = t
	}
	first, last := time.Time{}, time.Time{} // changes that may have ended the earlier line
	for _, t := range w.changed[o.Subscription] {
		if t.Before(at[0].Add(-drift)) || t.After(at[1].Add(drift)) {
			continue
		}
		if first.IsZero() {
			first = t
		}
		last = t
	}
	if first.IsZero() {
		return "nothing was changed between", nil
	}
	share := func(from time.Time) int64 {
		return int64(float64(o.Net) * float64(at[2].Sub(from)) / float64(at[2].Sub(at[0])))
	}
	off := share(at[2].Add(-aDay)) + 3 // days are not divided, and each line is rounded
	least, most := share(last)-off, share(first)+off
	if o.Back > most && !w.credited[o.Invoice] {
		return fmt.Sprintf("%d of %d were given back, want %d at most", o.Back, o.Net, most), nil
	}
	if o.Back < least {
		undone, err := w.undone(o.Subscription)
		if err != nil || !undone {
			return fmt.Sprintf("%d of %d were given back, want %d at least", o.Back, o.Net, least), err
		}
	}
	return "", nil
}

// undone reports whether staff credited an invoice that gave unused time back, and
// with it what it gave.
func (w *world) undone(subscription string) (bool, error) {
	invoices := []string{}
	err := w.app.DB().NewQuery("SELECT DISTINCT `invoice` FROM `invoice_items` WHERE `subscription` = {:subscription} AND `kind` = 'unused' AND `credited_minor` != 0").
		Bind(dbx.Params{"subscription": subscription}).Column(&invoices)
	return slices.ContainsFunc(invoices, func(id string) bool { return w.credited[id] }), err
}

// billedToNow: when the timed tasks last ran, that moment belonged to a period that
// is invoiced, or that staff gave away, unless an invoice is still owed, or was paid
// so lately that the next round of renewals is still to come.
func billedToNow(w *world, _ *proof) ([]string, error) {
	if w.ran.IsZero() {
		return nil, nil
	}
	found := []gap{}
	now := w.clock.product()
	yesterday := collections.Stamp(w.ran.Add(-aDay)).String()
	err := w.app.DB().NewQuery("SELECT `id` AS `subscription`, IFNULL(`until`, IFNULL(`first`, '')) AS `before`, {:yesterday} AS `period_start` FROM (SELECT `s`.`id`, `s`.`next_invoice_at`, (SELECT MIN(`period_start`) FROM `invoice_items` WHERE `subscription` = `s`.`id` AND `kind` IN ('period', 'hourly')) AS `first`," +
		" (SELECT MAX(`period_end`) FROM `invoice_items` WHERE `subscription` = `s`.`id` AND `kind` IN ('period', 'hourly') AND `live`) AS `until` FROM `subscriptions` `s` WHERE `status` IN ('active', 'past_due') AND `cycle` NOT IN ('hourly', 'one_time') AND `current_period_end` < {:yesterday}" +
		" AND NOT EXISTS (SELECT 1 FROM `invoice_items` `l` CROSS JOIN `invoices` `i` ON `i`.`id` = `l`.`invoice` WHERE `l`.`subscription` = `s`.`id` AND (`i`.`status` = 'open' OR `i`.`status` = 'uncollectible' AND `s`.`access` != 'open')))" +
		" WHERE IFNULL(`until`, '') < {:yesterday} AND `next_invoice_at` NOT BETWEEN {:yesterday} AND {:now}").
		Bind(dbx.Params{"yesterday": yesterday, "now": collections.Stamp(now).String()}).All(&found)
	if err != nil {
		return nil, err
	}
	broken := []string{}
	for _, g := range found {
		given, err := w.excused(g)
		if err != nil {
			return nil, err
		}
		if !given {
			broken = append(broken, fmt.Sprintf("%s is billed until %q", g.Subscription, g.From))
		}
	}
	return broken, nil
}

// gap is time of a subscription between two periods that are billed.
type gap struct {
	Subscription string `db:"subscription"`
	From         string `db:"before"`
	To           string `db:"period_start"`
}

// nothingIsLeftOut: between two billed periods there is only what the customer
// paused, what staff took back, and hours, which are invoiced afterwards.
func nothingIsLeftOut(w *world, p *proof) ([]string, error) {
	gaps := []gap{}
	err := w.app.DB().NewQuery("SELECT `subscription`, `before`, `period_start` FROM (SELECT `subscription`, `kind`, `period_start`, LAG(`kind`) OVER `s` AS `what`, LAG(`period_end`) OVER `s` AS `before`" +
		" FROM `invoice_items` WHERE `kind` IN ('period', 'hourly') AND `live` AND `subscription` IN (SELECT `subscription` FROM `invoice_items` WHERE `rowid` > {:items}) WINDOW `s` AS (PARTITION BY `subscription` ORDER BY `period_start`)) WHERE `kind` = 'period' AND `what` = 'period' AND `before` < `period_start`").
		Bind(dbx.Params{"items": p.marks["items"]}).All(&gaps)
	if err != nil {
		return nil, err
	}
	broken := []string{}
	for _, g := range gaps {
		excused, err := w.excused(g)
		if err != nil {
			return nil, err
		}
		if !excused {
			broken = append(broken, fmt.Sprintf("%s from %s to %s", g.Subscription, g.From, g.To))
		}
	}
	return broken, nil
}

// excused reports whether a gap is made of periods that staff took back, of pauses
// that its customer ended, and of the day of a change.
func (w *world) excused(g gap) (bool, error) {
	type span struct {
		Invoice string `db:"invoice"`
		Start   string `db:"period_start"`
		End     string `db:"period_end"`
	}
	taken := []span{}
	err := w.app.DB().NewQuery("SELECT `invoice`, `period_start`, `period_end` FROM `invoice_items` WHERE `subscription` = {:subscription} AND `kind` IN ('period', 'hourly') AND NOT `live` AND `period_start` < {:to} AND `period_end` > {:from} ORDER BY `period_start`, `period_end`").
		Bind(dbx.Params{"subscription": g.Subscription, "from": g.From, "to": g.To}).All(&taken)
	if err != nil {
		return false, err
	}
	spans := []span{}
	for _, t := range taken {
		if w.credited[t.Invoice] {
			spans = append(spans, t)
		}
	}
	for _, at := range w.rests[g.Subscription] {
		if rested := at.Add(-drift).UTC().Format(stampLayout); rested < g.To {
			spans = append(spans, span{Start: g.From, End: at.Add(drift).UTC().Format(stampLayout)})
		}
	}
	for _, at := range w.changed[g.Subscription] { // days are not divided: a change may give back one that has begun
		spans = append(spans, span{Start: at.Add(-aDay).UTC().Format(stampLayout), End: at.Add(drift).UTC().Format(stampLayout)})
	}
	slices.SortStableFunc(spans, func(a, b span) int { return strings.Compare(a.Start, b.Start) })
	until := g.From
	for _, s := range spans {
		if s.Start <= until {
			until = max(until, s.End)
		}
	}
	return until >= g.To, nil
}
