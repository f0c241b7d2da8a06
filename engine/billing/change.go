package billing

import (
	"errors"
	"fmt"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

// ChangePolicy says what a change made now does to the date of renewal.
type ChangePolicy string

// The policies of a plan. Prorate charges the new price for the rest of the
// period and leaves the date; a new cycle starts a full period today. Both give
// credit for what is unused of the old one.
const (
	ChangeProrate  ChangePolicy = "prorate"
	ChangeNewCycle ChangePolicy = "new_cycle"
)

// Why a change cannot be computed.
var (
	// ErrNoChange: before and after are the same.
	ErrNoChange = errors.New("nothing would change")
	// ErrChangeBehind: the period that holds now is not invoiced yet, so that it
	// would be charged here and again by its renewal. Renew first.
	ErrChangeBehind = errors.New("the current period is not invoiced yet")
	// ErrChangeCycle: a one-time price has nothing to change to or from.
	ErrChangeCycle = errors.New("a one-time price cannot be changed")
)

// Segment is a line of a subscription that pays for days now or later: an
// invoiced period, or the part of one that an earlier change charged. Lines that
// are over, used up or credited may be among them; they are worth nothing.
type Segment struct {
	Line        string // id of the invoice line
	Item        string // key of the RecurringItem it pays for
	Description string
	Period      Period
	// Amount is what was really invoiced: after discounts, 0 or more, in the same
	// sense as prices are (net, or gross where prices include tax).
	Amount money.Amount
	// Credited is what was given back of Amount already, by whatever means.
	Credited money.Amount
	// Open says that the invoice is not paid: what is unused then lowers that
	// invoice and is not money of the customer's.
	Open bool
}

// ChangeRequest is a change of plan, options, quantity or cycle at the moment
// Now. During a trial nothing is charged and nothing is to be computed.
type ChangeRequest struct {
	Now      time.Time
	Currency string
	Policy   ChangePolicy
	Cycle    Cycle // afterwards; another one than Schedule's is always a new cycle
	Schedule Schedule
	Segments []Segment
	Before   []RecurringItem
	After    []RecurringItem // with the prices of Cycle, and what setup is due now
	// Discounts are the terms that go on under the new plan and cycle.
	Discounts []DiscountTerms
}

// CreditPart is what one old line gives back.
type CreditPart struct {
	Line        string
	Item        string
	Description string
	Period      Period       // what is left of the line's own
	Full        money.Amount // Segment.Amount
	Amount      money.Amount // 0 or more, in the sense of Full
	Days        int64        // unused
	Of          int64        // of the line's own period
	Open        bool         // lowers the line's own unpaid invoice
	Whole       bool         // not one day is used: the line no longer bills its period
	Explanation string
}

// ChargeLine is a new line. A full period keeps quantity and unit price; a part
// of one is a single unit of the prorated price.
type ChargeLine struct {
	InvoiceLine
	Kind        LineKind
	Item        string       // key of its RecurringItem
	Units       int64        // quantity of the item
	Number      int          // of the period
	Full        money.Amount // for the full period
	Share       Share        // of the full period; zero for setup fees
	Explanation string
}

// Change is what a change costs, before tax. The preview shows it and the
// invoice is made from it.
type Change struct {
	Credits   []CreditPart
	Charges   []ChargeLine
	Discounts []DiscountLine // Line is an index into Charges

	Restarted bool            // a new cycle: Schedule has a new anchor
	Schedule  Schedule        // afterwards
	Terms     []DiscountTerms // of the subscription afterwards

	Charged  money.Amount // charges less discounts
	Credited money.Amount // credits of paid lines
	Lowered  money.Amount // credits of lines whose invoice is open
	ToPay    money.Amount // Charged − Credited where positive, else zero
	ToReturn money.Amount // Credited − Charged where positive, else zero
}

// PlanChange computes a change. Days are dates in UTC and the day of the change
// belongs to the new plan. Under ChangeProrate items that stay as they are are
// neither credited nor charged, and periods invoiced ahead are credited in whole
// and charged anew; under ChangeNewCycle all that is unused is credited and a
// full period begins at Now. Errors: ErrNoChange, ErrChangeBehind,
// ErrChangeCycle, ErrBeforeAnchor, and those of amounts.
func PlanChange(r ChangeRequest) (Change, error) {
	number, current, err := r.check()
	if err != nil {
		return Change{}, fmt.Errorf("plan a change: %w", err)
	}
	c := Change{Schedule: r.Schedule, Terms: r.Discounts, Restarted: r.restarts()}
	if c.Restarted {
		err = c.startAnew(r, number, current)
	} else {
		err = c.prorate(r, number, current)
	}
	if err == nil {
		err = c.sum(r.Currency)
	}
	if err != nil {
		return Change{}, fmt.Errorf("plan a change: %w", err)
	}
	return c, nil
}

// restarts reports whether the change begins a new cycle.
func (r ChangeRequest) restarts() bool {
	return r.Policy == ChangeNewCycle || r.Cycle != r.Schedule.Cycle
}

// check refuses what cannot be computed and returns the period that holds now.
func (r ChangeRequest) check() (int, Period, error) {
	if r.Policy != ChangeProrate && r.Policy != ChangeNewCycle {
		return 0, Period{}, fmt.Errorf("unknown policy %q", r.Policy)
	}
	if r.Cycle == OneTime || r.Schedule.Cycle == OneTime {
		return 0, Period{}, ErrChangeCycle
	}
	if r.Cycle == r.Schedule.Cycle && sameItems(r.Before, r.After) {
		return 0, Period{}, ErrNoChange
	}
	if err := checkKeys(r.After); err != nil {
		return 0, Period{}, err
	}
	if err := checkSegments(r.Segments, r.Currency); err != nil {
		return 0, Period{}, err
	}
	number, current, err := r.Schedule.At(r.Now)
	if err != nil {
		return 0, Period{}, err
	}
	if number >= r.Schedule.NextPeriod && r.Schedule.Cycle != Hourly {
		return 0, Period{}, fmt.Errorf("period %d, %s: %w", number, current, ErrChangeBehind)
	}
	return number, current, nil
}

// checkSegments refuses lines that are not of the currency or below zero.
func checkSegments(segments []Segment, currency string) error {
	for _, s := range segments {
		if s.Amount.Sign() < 0 || s.Credited.Sign() < 0 || s.Amount.Currency() != currency || s.Credited.Currency() != currency {
			return fmt.Errorf("line %s: %s with %s credited is no segment in %s", s.Line, s.Amount, s.Credited, currency)
		}
	}
	return nil
}

// sameItems reports whether two sets of items are the same.
func sameItems(before, after []RecurringItem) bool {
	if len(before) != len(after) {
		return false
	}
	for _, it := range after {
		if !isAmong(it, before) {
			return false
		}
	}
	return true
}

// checkKeys refuses items that cannot be told apart.
func checkKeys(items []RecurringItem) error {
	seen := map[string]bool{}
	for _, it := range items {
		if it.Key == "" || seen[it.Key] {
			return fmt.Errorf("item %q: its key %q is empty or not its own", it.Description, it.Key)
		}
		seen[it.Key] = true
	}
	return nil
}
