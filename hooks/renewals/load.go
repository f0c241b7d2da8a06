package renewals

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// cursor is a place in the order in which subscriptions fall due.
type cursor struct {
	at  string
	row int64
}

// dueRow is a subscription that somebody must look at.
type dueRow struct {
	Row           int64  `db:"row"`
	User          string `db:"user"`
	NextInvoiceAt string `db:"next_invoice_at"`
}

// dueAfter lists the next subscriptions to look at, those due longest first, as
// many as a batch holds.
func dueAfter(app core.App, now time.Time, after cursor, batch int) ([]dueRow, error) {
	rows := []dueRow{}
	err := app.ConcurrentDB().NewQuery("SELECT `rowid` AS `row`, `user`, `next_invoice_at` FROM `subscriptions` WHERE `next_invoice_at` != '' AND `next_invoice_at` <= {:now}" +
		" AND (`next_invoice_at`, `rowid`) > ({:at}, {:row}) ORDER BY `next_invoice_at`, `rowid` LIMIT {:most}").
		Bind(dbx.Params{"now": collections.Stamp(now).String(), "at": after.at, "row": after.row, "most": batch}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("find what is due: %w", err)
	}
	return rows, nil
}

// usersOf lists the customers of some rows, each once, in order.
func usersOf(rows []dueRow) []string {
	seen, users := map[string]bool{}, []string{}
	for _, r := range rows {
		if !seen[r.User] {
			seen[r.User] = true
			users = append(users, r.User)
		}
	}
	return users
}

// subRow is a subscription with what its renewal needs.
type subRow struct {
	ID              string `db:"id"`
	User            string `db:"user"`
	Plan            string `db:"plan"`
	Price           string `db:"price"`
	PlanName        string `db:"plan_name"`
	Hostname        string `db:"hostname"`
	Status          string `db:"status"`
	Owner           string `db:"billing_owner"`
	Gateway         string `db:"gateway"`
	Currency        string `db:"currency"`
	Amount          int64  `db:"amount_minor"`
	Cap             int64  `db:"cap_minor"`
	PendingSetup    int64  `db:"pending_setup_minor"`
	Cycle           string `db:"cycle"`
	Anchor          string `db:"anchor"`
	NextPeriod      int    `db:"next_period"`
	PaidThrough     string `db:"current_period_end"`
	EndsAt          string `db:"ends_at"`
	PauseFrom       string `db:"pause_from"`
	ActivatedAt     string `db:"activated_at"`
	NextInvoiceAt   string `db:"next_invoice_at"`
	Discounts       string `db:"discounts"`
	Method          string `db:"payment_method"`
	InvoiceDay      int    `db:"invoice_day"`
	NoAutoCharge    bool   `db:"no_auto_charge"`
	Unpaid          bool   `db:"unpaid"`
	ChangesAt       string `db:"changes_at"`
	ChangeID        string `db:"change_id"`
	Items           string `db:"items"`  // JSON of its options and add-ons
	Prices          string `db:"prices"` // JSON of announced prices
	CancelledReason string `db:"cancel_reason"`
}

// leastText is what of an invoice's currency can be collected.
var leastText = billing.SmallestPaymentSQL("`i`.`currency`")

// The texts do not vary, so that each is prepared once a transaction; lists
// travel as JSON.
var loadColumns = "SELECT `s`.`id`, `s`.`user`, `s`.`plan`, `s`.`price`, `p`.`name` AS `plan_name`, IFNULL((SELECT `hostname` FROM `services` WHERE `subscription` = `s`.`id` LIMIT 1), '') AS `hostname`," +
	" `s`.`status`, `s`.`billing_owner`, `s`.`gateway`, `s`.`currency`, `s`.`amount_minor`, `s`.`cap_minor`, `s`.`pending_setup_minor`, `s`.`cycle`, `s`.`anchor`, `s`.`next_period`, `s`.`current_period_end`, `s`.`ends_at`, `s`.`pause_from`, `s`.`activated_at`," +
	" `s`.`next_invoice_at`, IFNULL(`s`.`discounts`, '') AS `discounts`, `s`.`payment_method`, `s`.`cancel_reason`, IFNULL(`b`.`invoice_day`, 0) AS `invoice_day`, IFNULL(`b`.`no_auto_charge`, FALSE) AS `no_auto_charge`," +
	" EXISTS (SELECT 1 FROM `invoice_items` `l` CROSS JOIN `invoices` `i` ON `i`.`id` = `l`.`invoice` WHERE `l`.`subscription` = `s`.`id` AND `l`.`period_start` != '' AND `l`.`live` = TRUE AND (`i`.`status` = 'open' AND `i`.`due_minor` >= " + leastText + " OR `i`.`status` = 'uncollectible' AND `s`.`access` != 'open') AND `i`.`due_at` < {:today}) AS `unpaid`," +
	" IFNULL(`c`.`effective_at`, '') AS `changes_at`, IFNULL(`c`.`id`, '') AS `change_id`," +
	" IFNULL((SELECT json_group_array(json_object('name', `name`, 'label', `label`, 'quantity', `quantity`, 'unit', `unit_minor`, 'setup', `pending_setup_minor`)) FROM (SELECT * FROM `subscription_items` WHERE `subscription` = `s`.`id` AND `active` = TRUE ORDER BY `rowid`)), '[]') AS `items`," +
	" IFNULL((SELECT json_group_array(json_object('id', `id`, 'at', `effective_at`, 'to', json(`to`))) FROM (SELECT * FROM `subscription_changes` WHERE `subscription` = `s`.`id` AND `kind` = 'price' AND `status` = 'scheduled' ORDER BY `effective_at`)), '[]') AS `prices`" +
	" FROM `subscriptions` `s` JOIN `plans` `p` ON `p`.`id` = `s`.`plan` LEFT JOIN `billing_profiles` `b` ON `b`.`user` = `s`.`user`" +
	" LEFT JOIN `subscription_changes` `c` ON `c`.`subscription` = `s`.`id` AND `c`.`status` IN ('pending', 'scheduled') AND `c`.`kind` != 'price' AND `c`.`timing` = 'period_end'"

var (
	loadText = loadColumns + " WHERE `s`.`user` IN (SELECT `value` FROM json_each({:users})) AND `s`.`next_invoice_at` != '' AND `s`.`next_invoice_at` <= {:now} ORDER BY `s`.`next_invoice_at`, `s`.`rowid`"
	oneText  = loadColumns + " WHERE `s`.`id` = {:id}"
)

// load reads what is due of some customers, by customer.
func load(tx core.App, users []string, now time.Time) (map[string][]*subscription, error) {
	list, err := json.Marshal(users)
	if err != nil {
		return nil, fmt.Errorf("load subscriptions: %w", err)
	}
	rows := []*subRow{}
	err = collections.Statement(tx, loadText).Bind(dbx.Params{"users": string(list), "now": collections.Stamp(now).String(), "today": today(now)}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("load subscriptions: %w", err)
	}
	out := map[string][]*subscription{}
	for _, row := range rows {
		sub, err := row.subscription()
		if err != nil {
			return nil, fmt.Errorf("subscription %s: %w", row.ID, err)
		}
		out[row.User] = append(out[row.User], sub)
	}
	return out, nil
}

// today is the start of now's date, as SQL stores it.
func today(now time.Time) string {
	year, month, day := now.UTC().Date()
	return collections.Stamp(time.Date(year, month, day, 0, 0, 0, 0, time.UTC)).String()
}

// loadOne reads one subscription, whether something of it is due or not.
func loadOne(app core.App, id string, now time.Time) (*subscription, error) {
	row := &subRow{}
	if err := collections.Statement(app, oneText).Bind(dbx.Params{"id": id, "today": today(now)}).One(row); err != nil {
		return nil, fmt.Errorf("load subscription %s: %w", id, err)
	}
	sub, err := row.subscription()
	if err != nil {
		return nil, fmt.Errorf("subscription %s: %w", id, err)
	}
	return sub, nil
}

// subscription is a row with its dates and terms read.
type subscription struct {
	*subRow
	renewal   billing.Renewal
	activated time.Time
	due       time.Time // next_invoice_at
	prices    []priceChange
}

// priceChange is a new price that was announced to the customer.
type priceChange struct {
	ID string `json:"id"`
	At string `json:"at"`
	To struct {
		Price  string `json:"price"`
		Amount int64  `json:"amount_minor"`
		Cap    int64  `json:"cap_minor"`
	} `json:"to"`
}

type itemRow struct {
	Name     string `json:"name"`
	Label    string `json:"label"`
	Quantity int64  `json:"quantity"`
	Unit     int64  `json:"unit"`
	Setup    int64  `json:"setup"`
}

func (r *subRow) subscription() (*subscription, error) {
	s := &subscription{subRow: r}
	times := map[string]time.Time{}
	for name, stored := range map[string]string{"anchor": r.Anchor, "ends": r.EndsAt, "pause": r.PauseFrom, "changes": r.ChangesAt, "activated": r.ActivatedAt, "due": r.NextInvoiceAt} {
		t, err := collections.ParseStamp(stored)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		times[name] = t
	}
	cycle, err := billing.ParseCycle(r.Cycle)
	if err != nil {
		return nil, err
	}
	s.renewal = billing.Renewal{
		Status: billing.SubscriptionStatus(r.Status), GatewayOwned: r.Owner == "gateway", EndsAt: times["ends"], PauseFrom: times["pause"], ChangesAt: times["changes"],
		Schedule: billing.Schedule{Anchor: times["anchor"], Cycle: cycle, NextPeriod: r.NextPeriod}, Unpaid: r.Unpaid, InvoiceDay: r.InvoiceDay,
	}
	s.activated, s.due = times["activated"], times["due"]
	if s.renewal.Discounts, err = billing.ParseDiscounts([]byte(r.Discounts)); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(r.Prices), &s.prices); err != nil {
		return nil, fmt.Errorf("announced prices: %w", err)
	}
	return s, s.readItems()
}

// readItems makes the items of the renewal: the plan and its options, at the
// prices agreed with this customer.
func (s *subscription) readItems() error {
	unit, err := money.New(s.Amount, s.Currency)
	if err != nil {
		return err
	}
	setup, err := money.New(s.PendingSetup, s.Currency)
	if err != nil {
		return err
	}
	plan := billing.RenewalItem{RecurringItem: billing.RecurringItem{Key: billing.PlanKey, Kind: billing.LinePeriod, Description: s.title(), Quantity: 1, Unit: unit, Setup: setup}}
	if len(s.prices) > 0 {
		if plan.Announced, err = money.New(s.prices[0].To.Amount, s.Currency); err != nil {
			return fmt.Errorf("announced price: %w", err)
		}
		if plan.AnnouncedFrom, err = collections.ParseStamp(s.prices[0].At); err != nil {
			return fmt.Errorf("announced price: %w", err)
		}
	}
	s.renewal.Items = []billing.RenewalItem{plan}
	options := []itemRow{}
	if err := json.Unmarshal([]byte(s.Items), &options); err != nil {
		return fmt.Errorf("options: %w", err)
	}
	for _, o := range options {
		unit, err := money.New(o.Unit, s.Currency)
		if err != nil {
			return fmt.Errorf("option %s: %w", o.Name, err)
		}
		setup, err := money.New(o.Setup, s.Currency)
		if err != nil {
			return fmt.Errorf("option %s: %w", o.Name, err)
		}
		s.renewal.Items = append(s.renewal.Items, billing.RenewalItem{RecurringItem: billing.RecurringItem{
			Key: o.Name, Kind: billing.LineOption, Description: s.title() + " · " + o.Label, Quantity: o.Quantity, Unit: unit, Setup: setup,
		}})
	}
	return nil
}

// title is how lines name the subscription: "VPS M · web-1.example.com".
func (s *subscription) title() string {
	if s.Hostname == "" {
		return s.PlanName
	}
	return s.PlanName + " · " + s.Hostname
}
