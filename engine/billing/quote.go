package billing

import (
	"fmt"
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

// Item is one unit of a plan in a cart.
type Item struct {
	Plan  string // as printed
	Host  string // what tells one server from another, may be ""
	Cycle Cycle
	Unit  money.Amount
	Setup money.Amount
}

// QuotedLine is a line together with the unit it came from.
type QuotedLine struct {
	Line
	Unit int // index into the cart
}

// Recurring is what will be due again, and when first.
type Recurring struct {
	Cycle  Cycle
	Amount money.Amount
	Next   time.Time
}

// Quote is what a cart costs before tax. Checkout shows it and the invoice is
// made from it, so that the two cannot differ.
type Quote struct {
	Lines     []QuotedLine
	Recurring []Recurring
}

// MaxItems bounds a cart, in units.
const MaxItems = 20

// QuoteCart prices a cart whose first periods start at now. Every item must be
// in the given currency. Errors name the item.
func QuoteCart(currency string, items []Item, now time.Time) (Quote, error) {
	if _, ok := money.Exponent(currency); !ok {
		return Quote{}, fmt.Errorf("quote: %w: %q", money.ErrCurrency, currency)
	}
	if len(items) == 0 || len(items) > MaxItems {
		return Quote{}, fmt.Errorf("a cart has 1 to %d items, not %d", MaxItems, len(items))
	}
	q := Quote{}
	for i, it := range items {
		p, err := PeriodAt(now, it.Cycle, 0)
		if err != nil {
			return Quote{}, fmt.Errorf("item %d (%s): %w", i+1, it.Plan, err)
		}
		quoted, err := itemLines(it, p)
		if err != nil {
			return Quote{}, fmt.Errorf("item %d: %w", i+1, err)
		}
		for _, l := range quoted {
			if l.Amount.Currency() != currency {
				return Quote{}, fmt.Errorf("item %d (%s): %s in a cart in %s: %w", i+1, it.Plan, l.Amount, currency, money.ErrMismatch)
			}
			l.Unit = i
			q.Lines = append(q.Lines, l)
		}
		if err := q.addRecurring(it, p); err != nil {
			return Quote{}, fmt.Errorf("item %d: %w", i+1, err)
		}
	}
	return q, nil
}

func itemLines(it Item, p Period) ([]QuotedLine, error) {
	name := it.Plan
	if it.Host != "" {
		name += " · " + it.Host
	}
	line, err := NewLine(name, 1, it.Unit, p)
	if err != nil {
		return nil, err
	}
	lines := []QuotedLine{{Line: Line{InvoiceLine: line, Kind: LinePeriod}}}
	if it.Setup.Sign() > 0 {
		setup, err := NewLine(name+" · setup", 1, it.Setup, Period{})
		if err != nil {
			return nil, err
		}
		lines = append(lines, QuotedLine{Line: Line{InvoiceLine: setup, Kind: LineSetup}})
	}
	return lines, nil
}

// addRecurring adds items of one cycle up; one-time items do not recur.
func (q *Quote) addRecurring(it Item, p Period) error {
	if it.Cycle == OneTime {
		return nil
	}
	for i := range q.Recurring {
		if q.Recurring[i].Cycle == it.Cycle {
			sum, err := q.Recurring[i].Amount.Add(it.Unit)
			q.Recurring[i].Amount = sum
			return err
		}
	}
	q.Recurring = append(q.Recurring, Recurring{it.Cycle, it.Unit, p.End})
	return nil
}

// MonthlyEquivalent is what a price costs a month, rounded half up, for
// comparison only. Hourly and one-time prices are returned as they are.
func MonthlyEquivalent(price money.Amount, c Cycle) money.Amount {
	months, ok := c.Months()
	if !ok {
		return price
	}
	return price.Prorate(1, int64(months))
}
