package renewals

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// terms are what a change is from or to, as it stores them: the agreement, and of
// the later one what it makes of the subscription when it takes effect.
type terms struct {
	Price    string       `json:"price"`
	Plan     string       `json:"plan"`
	PlanName string       `json:"plan_name"`
	Cycle    string       `json:"cycle"`
	Amount   int64        `json:"amount_minor"`
	Cap      int64        `json:"cap_minor"`
	Setup    int64        `json:"setup_minor,omitzero"` // charged after a trial
	Options  []termOption `json:"options"`

	Anchor     time.Time               `json:"anchor,omitzero"`
	NextPeriod int                     `json:"next_period,omitzero"`
	Restarted  bool                    `json:"restarted,omitzero"` // a new cycle begins at Anchor
	Paid       bool                    `json:"paid,omitzero"`      // and its first period is on the change's invoice
	Discounts  []billing.DiscountTerms `json:"discounts,omitzero"`
	// Ahead is where what was invoiced on the old terms is taken back from.
	Ahead time.Time `json:"ahead,omitzero"`
	// Hours are invoiced up to here on the old terms, of what is paid by the hour.
	Hours   time.Time    `json:"hours,omitzero"`
	Credits []termCredit `json:"credits,omitzero"`
}

// termOption is an option of an agreement. Setup is what it costs once where that
// is charged with a later invoice.
type termOption struct {
	Option   string `json:"option"`
	Addon    bool   `json:"addon,omitzero"`
	Name     string `json:"name"`
	Value    string `json:"value,omitzero"`
	Label    string `json:"label"`
	Setting  string `json:"setting"`
	Quantity int64  `json:"quantity"`
	Unit     int64  `json:"unit_minor"`
	Setup    int64  `json:"setup_minor,omitzero"`
}

// termCredit is what a line gives back when the change takes effect, in the sense
// of prices.
type termCredit struct {
	Line  string `json:"line"`
	Minor int64  `json:"minor"`
}

// termsOf stores an agreement. Setups are kept for later invoices where that is
// so; else the change itself has charged them.
func termsOf(a billing.Bargain, before billing.Bargain, later bool) terms {
	t := terms{Price: a.Price, Plan: a.Plan, PlanName: a.Name, Cycle: string(a.Cycle), Amount: a.Unit.Minor(), Options: []termOption{}}
	if a.Cycle == billing.Hourly {
		t.Cap = a.Cap.Minor()
	}
	for _, o := range a.Options {
		stored := termOption{o.Option, o.Addon, o.Key, o.Value, o.Description, o.Setting, o.Quantity, o.Unit.Minor(), 0}
		if _, had := before.Option(o.Key); later && !had {
			stored.Setup = o.Setup.Minor()
		}
		t.Options = append(t.Options, stored)
	}
	return t
}

// agreement is what a subscription is for now.
func agreement(app core.App, sub *subscription, record *core.Record) (billing.Bargain, error) {
	a := billing.Bargain{Price: record.GetString("price"), Plan: sub.Plan, Name: sub.PlanName, Cycle: sub.renewal.Schedule.Cycle, Unit: sub.renewal.Items[0].Unit}
	var err error
	if a.Cap, err = money.New(sub.Cap, sub.Currency); err != nil {
		return a, fmt.Errorf("subscription %s: %w", sub.ID, err)
	}
	items, err := collections.All(app, collections.SubscriptionItems, dbx.HashExp{"subscription": sub.ID, "active": true}, "created ASC, name ASC")
	if err != nil {
		return a, err
	}
	for _, it := range items {
		unit, err := collections.Amount(it, "unit_minor")
		if err != nil {
			return a, err
		}
		o := billing.AgreedOption{
			RecurringItem: billing.RecurringItem{Key: it.GetString("name"), Kind: billing.LineOption, Description: it.GetString("label"), Quantity: it.GetInt64("quantity"), Unit: unit},
			Option:        it.GetString("option"), Addon: it.GetString("kind") == "addon", Value: it.GetString("value"), Setting: it.GetString("value"),
		}
		if o.Setting == "" {
			o.Setting = strconv.FormatInt(o.Quantity, 10)
		}
		a.Options = append(a.Options, o)
	}
	return a, nil
}

// as is the subscription as it will be on other terms, with nothing agreed: what
// it is invoiced next is foretold from it. What was announced of its price goes on
// where it stays with that price.
func (s *subscription) as(to terms) (*subscription, error) {
	row := *s.subRow
	row.Plan, row.PlanName, row.Amount, row.Cap, row.Cycle, row.PendingSetup = to.Plan, to.PlanName, to.Amount, to.Cap, to.Cycle, to.Setup
	row.Anchor, row.NextPeriod, row.ChangesAt, row.ChangeID = collections.Stamp(to.Anchor).String(), to.NextPeriod, "", ""
	if to.Price != row.Price {
		row.Price, row.Prices = to.Price, "[]"
	}
	discounts, err := json.Marshal(to.Discounts)
	if err != nil {
		return nil, fmt.Errorf("discounts: %w", err)
	}
	options := []itemRow{}
	for _, o := range to.Options {
		options = append(options, itemRow{o.Name, o.Label, o.Quantity, o.Unit, o.Setup})
	}
	items, err := json.Marshal(options)
	if err != nil {
		return nil, fmt.Errorf("options: %w", err)
	}
	row.Discounts, row.Items = string(discounts), string(items)
	return row.subscription()
}

// readTerms reads both sides of a change.
func readTerms(change *core.Record) (from, to terms, err error) {
	if err = collections.ReadJSON(change, "from", &from); err == nil {
		err = collections.ReadJSON(change, "to", &to)
	}
	return from, to, err
}
