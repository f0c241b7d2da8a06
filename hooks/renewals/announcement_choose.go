package renewals

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/op"
)

// concerned are the subscriptions at the prices of an announcement, each with why
// nothing is announced for it, or "". Preview and announcement both ask it; which
// customers' follows, and concernedEnd.
const concerned = "WITH `concerned` AS (SELECT `s`.`id`, `s`.`user`, `s`.`status`, `s`.`price`, `s`.`plan`, `s`.`cycle`, `s`.`currency`, `s`.`amount_minor`, `s`.`cap_minor`, `s`.`anchor`, `s`.`next_period`, CASE" +
	" WHEN `s`.`billing_owner` = 'gateway' THEN 'gateway'" +
	" WHEN `s`.`id` IN (SELECT `value` FROM json_each({:exclude})) OR `s`.`user` IN (SELECT `value` FROM json_each({:exclude})) THEN 'excluded'" +
	" WHEN `s`.`ends_at` != '' THEN 'ending'" +
	" WHEN EXISTS (SELECT 1 FROM `subscription_changes` `c` WHERE `c`.`subscription` = `s`.`id` AND `c`.`kind` = 'price' AND `c`.`status` = 'scheduled') THEN 'announced'" +
	" WHEN `s`.`amount_minor` = {:amount} AND {:cap} IN (0, `s`.`cap_minor`) THEN 'same'" +
	" ELSE '' END AS `skip` FROM `subscriptions` `s` WHERE `s`.`status` NOT IN ('pending', 'cancelled') AND "

const (
	everybody    = "`s`.`price` IN "
	these        = "`s`.`user` IN (SELECT `value` FROM json_each({:users})) AND `s`.`price` IN "
	following    = "`s`.`user` > {:after} AND +`s`.`price` IN " // in order of customers, so that all batches together read each once
	concernedEnd = "(SELECT `b`.`id` FROM `plan_prices` `a` JOIN `plan_prices` `b` ON `b`.`id` = `a`.`id` OR {:scope} = 'plan' AND `b`.`plan` = `a`.`plan` AND `b`.`currency` = `a`.`currency` AND `b`.`cycle` = `a`.`cycle` WHERE `a`.`id` = {:price})) "
)

// concernedRow is a subscription for which a price is announced.
type concernedRow struct {
	ID         string `db:"id"`
	User       string `db:"user"`
	Status     string `db:"status"`
	Price      string `db:"price"`
	Plan       string `db:"plan"`
	PlanName   string `db:"plan_name"`
	Amount     int64  `db:"amount_minor"`
	Cap        int64  `db:"cap_minor"`
	Anchor     string `db:"anchor"`
	NextPeriod int    `db:"next_period"`
}

func (a announced) params(more dbx.Params) (dbx.Params, error) {
	exclude, err := json.Marshal(a.Exclude)
	if err != nil {
		return nil, fmt.Errorf("excluded: %w", err)
	}
	p := dbx.Params{"exclude": string(exclude), "amount": a.Amount, "cap": a.Cap, "scope": a.Scope, "price": a.Price}
	for k, v := range more {
		p[k] = v
	}
	return p, nil
}

// nextCustomers lists the customers after one for whom there is something to
// announce.
func (a announced) nextCustomers(app core.App, after string, most int) ([]string, error) {
	p, err := a.params(dbx.Params{"after": after, "most": most})
	if err != nil {
		return nil, err
	}
	users := []string{}
	err = app.ConcurrentDB().NewQuery(concerned + following + concernedEnd + "SELECT DISTINCT `user` FROM `concerned` WHERE `skip` = '' ORDER BY `user` LIMIT {:most}").Bind(p).Column(&users)
	if err != nil {
		return nil, fmt.Errorf("customers of announcement %s: %w", a.ID, err)
	}
	return users, nil
}

// of lists what is announced to some customers.
func (a announced) of(tx core.App, users []string) ([]concernedRow, error) {
	list, err := json.Marshal(users)
	if err != nil {
		return nil, fmt.Errorf("customers: %w", err)
	}
	p, err := a.params(dbx.Params{"users": string(list)})
	if err != nil {
		return nil, err
	}
	rows := []concernedRow{}
	err = collections.Statement(tx, concerned+these+concernedEnd+"SELECT `c`.`id`, `c`.`user`, `c`.`status`, `c`.`price`, `c`.`plan`, `p`.`name` AS `plan_name`, `c`.`amount_minor`, `c`.`cap_minor`, `c`.`anchor`, `c`.`next_period`"+
		" FROM `concerned` `c` JOIN `plans` `p` ON `p`.`id` = `c`.`plan` WHERE `c`.`skip` = '' ORDER BY `c`.`user`, `c`.`id`").Bind(p).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("subscriptions of announcement %s: %w", a.ID, err)
	}
	return rows, nil
}

// starts is the first period of a subscription that begins on a day or later and
// is not invoiced yet: where the new price begins. What is paused has no such
// period; its next one, whenever that is, begins later than the day.
func (c concernedRow) starts(cycle billing.Cycle, day time.Time) (time.Time, error) {
	if c.Status == string(billing.SubscriptionPaused) {
		return day, nil
	}
	if cycle == billing.Hourly {
		if month := billing.CalendarMonth(day); month.Start.Before(day) {
			return month.End, nil
		}
		return day, nil
	}
	anchor, err := collections.ParseStamp(c.Anchor)
	if err != nil {
		return day, fmt.Errorf("subscription %s: anchor: %w", c.ID, err)
	}
	n, p, err := billing.Schedule{Anchor: anchor, Cycle: cycle}.At(day)
	if errors.Is(err, billing.ErrBeforeAnchor) { // as in a trial
		n, err = 0, nil
	} else if err == nil && p.Start.Before(day) {
		n++
	}
	if err == nil {
		p, err = billing.PeriodAt(anchor, cycle, max(n, c.NextPeriod))
	}
	if err != nil {
		return day, fmt.Errorf("subscription %s: %w", c.ID, err)
	}
	return p.Start, nil
}

// sums says how many are concerned, and what they pay before and after.
type sums struct {
	Customers     int          `json:"customers"`
	Subscriptions int          `json:"subscriptions"`
	Before        money.Amount `json:"before"`
	After         money.Amount `json:"after"`
	// Per is what the sums are for: a month, or an hour of prices by the hour.
	Per     string         `json:"per"`
	Skipped map[string]int `json:"skipped"` // subscriptions for which nothing is announced, by reason
}

// count counts whom an announcement concerns, without announcing anything.
func (a announced) count(app core.App) (sums, error) {
	p, err := a.params(nil)
	if err != nil {
		return sums{}, err
	}
	out := sums{Per: "month", Skipped: map[string]int{}}
	rows := []struct {
		Skip      string `db:"skip"`
		Customers int    `db:"customers"`
		Count     int    `db:"count"`
		Sum       int64  `db:"sum"`
	}{}
	err = app.ConcurrentDB().NewQuery(concerned + everybody + concernedEnd + "SELECT `skip`, COUNT(DISTINCT `user`) AS `customers`, COUNT(*) AS `count`, SUM(`amount_minor`) AS `sum` FROM `concerned` GROUP BY `skip` ORDER BY `skip`").Bind(p).All(&rows)
	if err != nil {
		return out, fmt.Errorf("count whom a new price concerns: %w", err)
	}
	before := int64(0)
	for _, r := range rows {
		if r.Skip != "" {
			out.Skipped[r.Skip] = r.Count
			continue
		}
		out.Customers, out.Subscriptions, before = r.Customers, r.Count, r.Sum
	}
	if out.Before, err = a.perMonth(before); err != nil {
		return out, err
	}
	if out.After, err = a.perMonth(a.Amount * int64(out.Subscriptions)); err != nil {
		return out, err
	}
	if a.Cycle == billing.Hourly {
		out.Per = "hour"
	}
	return out, nil
}

// perMonth is a sum of periods for each month, rounded half up.
func (a announced) perMonth(minor int64) (money.Amount, error) {
	sum, err := money.New(minor, a.Currency)
	if err != nil {
		return sum, op.Fields{{Field: "amount_minor", Code: "out_of_range", Message: "So many customers at this price come to more than can be counted."}}.Problem()
	}
	if months, counted := a.Cycle.Months(); counted {
		return sum.Prorate(1, int64(months)), nil
	}
	return sum, nil
}
