package billing

import (
	"fmt"
	"slices"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

// LineKind says what a line sells.
type LineKind string

// The kinds of lines. LinePeriod is a subscription's price for one period.
const (
	LinePeriod LineKind = "period"
	LineSetup  LineKind = "setup"
)

// QuotedLine is a line together with the unit it came from.
type QuotedLine struct {
	Line
	Unit int // index into the cart
}

// QuotedUnit is what becomes of one item of a cart when it is ordered.
type QuotedUnit struct {
	// Schedule begins now, or when the trial is over. Its NextPeriod is the first
	// that today's lines do not pay for.
	Schedule  Schedule
	TrialDays int // 0 for no trial
	// Terms are promised to the unit's subscription.
	Terms []DiscountTerms
	// Discount is what was taken off today's lines, 0 or more.
	Discount money.Amount
}

// Quote is what a cart costs before tax. Checkout shows it and the invoice is
// made from it, so that the two cannot differ.
type Quote struct {
	Lines     []QuotedLine
	Units     []QuotedUnit // in the cart's order
	Recurring []Recurring
}

// QuoteCart prices a cart whose first periods, or trials, start at now. Every
// amount must be in the cart's currency. Errors name the item; among them
// money.ErrMismatch and money.ErrOverflow.
func QuoteCart(c Cart, now time.Time) (Quote, error) {
	if _, ok := money.Exponent(c.Currency); !ok {
		return Quote{}, fmt.Errorf("quote: %w: %q", money.ErrCurrency, c.Currency)
	}
	if len(c.Items) == 0 || len(c.Items) > MaxItems {
		return Quote{}, fmt.Errorf("a cart has 1 to %d items, not %d", MaxItems, len(c.Items))
	}
	terms, err := c.claims()
	if err != nil {
		return Quote{}, fmt.Errorf("quote: %w", err)
	}
	q := Quote{}
	for i, it := range c.Items {
		if err := q.add(c, i, terms[i], now.UTC()); err != nil {
			return Quote{}, fmt.Errorf("item %d (%s): %w", i+1, it.Name, err)
		}
	}
	for i := range q.Recurring {
		q.Recurring[i].settle()
	}
	return q, nil
}

// add quotes one item.
func (q *Quote) add(c Cart, i int, terms []DiscountTerms, now time.Time) error {
	it := c.Items[i]
	u := QuotedUnit{Schedule: StartSchedule(it.Cycle, now), TrialDays: it.trial(c.Coupons), Terms: terms, Discount: it.Unit.Zero()}
	lines, err := it.today(&u, now)
	if err != nil {
		return err
	}
	from := len(q.Lines)
	q.Lines = slices.Grow(q.Lines, len(lines)*(len(c.Items)-i))
	for _, l := range lines {
		if l.Parent > 0 {
			l.Parent += from
		}
		if l.Amount.Currency() != c.Currency {
			return fmt.Errorf("%s in a cart in %s: %w", l.Amount, c.Currency, money.ErrMismatch)
		}
		if l.Kind == LineDiscount {
			if u.Discount, err = u.Discount.Sub(l.Amount); err != nil {
				return err
			}
		}
		q.Lines = append(q.Lines, QuotedLine{l, i})
	}
	q.Units = append(q.Units, u)
	return q.recur(it, u, now)
}

// today are the lines that are invoiced when the item is ordered.
func (it CartItem) today(u *QuotedUnit, now time.Time) ([]Line, error) {
	switch {
	case u.TrialDays > 0:
		u.Schedule.Anchor = TrialEnd(now, u.TrialDays)
		line, err := NewLine(it.title()+" · trial", 1, it.Unit.Zero(), Period{now, u.Schedule.Anchor})
		return []Line{{
			InvoiceLine: line, Kind: LineTrial, Item: PlanKey,
			Detail: Detail{Plan: it.Plan, Cycle: it.Cycle, Until: u.Schedule.Anchor, Days: int64(u.TrialDays)},
		}}, err
	case it.Cycle == Hourly:
		return it.hourly()
	}
	u.Schedule.NextPeriod = 1
	return it.period(u, 0, true)
}

// hourly are the lines of an item that is paid by the hour afterwards: today it
// costs its setup alone.
func (it CartItem) hourly() ([]Line, error) {
	line, err := NewLine(it.title()+" · by the hour", 1, it.Unit.Zero(), Period{})
	if err != nil {
		return nil, err
	}
	lines := []Line{{
		InvoiceLine: line, Kind: LineHourly, Item: PlanKey,
		Detail: Detail{Plan: it.Plan, Cycle: it.Cycle, FullMinor: it.Unit.Minor(), CapMinor: it.Cap.Minor()},
	}}
	return it.withSetups(lines)
}

// period are the lines of the item's period n, discounts included.
func (it CartItem) period(u *QuotedUnit, n int, setup bool) ([]Line, error) {
	p, err := PeriodAt(u.Schedule.Anchor, it.Cycle, n)
	if err != nil {
		return nil, err
	}
	lines := make([]Line, 0, 2+2*len(it.Options))
	for _, item := range it.items() {
		line, err := item.line(p)
		if err != nil {
			return nil, err
		}
		detail := Detail{Plan: it.Plan, Cycle: it.Cycle, Number: n}
		if item.Kind == LineOption {
			line.Description, detail.Quantity = it.title()+" · "+item.Description, item.Quantity
		}
		lines = append(lines, Line{InvoiceLine: line, Kind: item.Kind, Item: item.Key, Detail: detail})
	}
	if setup {
		if lines, err = it.withSetups(lines); err != nil {
			return nil, err
		}
	}
	return discounted(lines, u.Terms, n)
}

// plan is the item's plan as renewals see it.
func (it CartItem) plan() RecurringItem {
	return RecurringItem{Key: PlanKey, Kind: LinePeriod, Description: it.title(), Quantity: 1, Unit: it.Unit, Setup: it.Setup}
}

// items are the plan and its options.
func (it CartItem) items() []RecurringItem {
	return append([]RecurringItem{it.plan()}, it.Options...)
}

// withSetups adds what the item and its options cost once.
func (it CartItem) withSetups(lines []Line) ([]Line, error) {
	for _, item := range it.items() {
		if item.Setup.Sign() <= 0 {
			continue
		}
		if item.Kind == LineOption {
			item.Description = it.title() + " · " + item.Description
		}
		line, err := item.setupLine()
		if err != nil {
			return nil, err
		}
		lines = append(lines, Line{InvoiceLine: line, Kind: LineSetup, Item: item.Key, Detail: Detail{Plan: it.Plan}})
	}
	return lines, nil
}

// discounted puts behind each line of period n what the terms take off it.
func discounted(lines []Line, terms []DiscountTerms, n int) ([]Line, error) {
	full := make([]Discountable, len(lines))
	for i, l := range lines {
		full[i] = Discountable{l.Kind, l.Amount}
	}
	taken, err := Discount(terms, n, Share{}, full)
	if err != nil {
		return nil, err
	}
	return withDiscounts(lines, taken), nil
}
