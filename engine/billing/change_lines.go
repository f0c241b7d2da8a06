package billing

import (
	"fmt"
	"slices"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

// prorate keeps the renewal date: what is replaced is credited for the days left
// and its successor charged for the same days of the full period.
func (c *Change) prorate(r ChangeRequest, number int, current Period) error {
	if r.Cycle == Hourly { // paid in arrears by the hour
		return c.chargeSetup(r, number)
	}
	kept := r.kept()
	c.credit(r, kept)
	items := slices.DeleteFunc(slices.Clone(r.After), func(it RecurringItem) bool { return kept[it.Key] })
	part := Share{Days: current.DaysLeft(r.Now), Of: current.Days()}
	if err := c.chargePeriod(number, items, Period{r.Now.UTC(), current.End}, part); err != nil {
		return err
	}
	for n := number + 1; n < r.Schedule.NextPeriod; n++ {
		ahead, err := PeriodAt(r.Schedule.Anchor, r.Schedule.Cycle, n)
		if err != nil {
			return err
		}
		if err := c.chargePeriod(n, withoutSetup(items), ahead, Share{ahead.Days(), ahead.Days()}); err != nil {
			return err
		}
	}
	return nil
}

// startAnew begins a full period of the new cycle at now.
func (c *Change) startAnew(r ChangeRequest, number int, current Period) error {
	c.credit(r, nil)
	c.Schedule, c.Terms = StartSchedule(r.Cycle, r.Now), r.termsAnew(number, current)
	if r.Cycle == Hourly {
		return c.chargeSetup(r, 0)
	}
	first, err := c.Schedule.Next()
	if err != nil {
		return err
	}
	c.Schedule.NextPeriod = 1
	return c.chargePeriod(0, r.After, first, Share{first.Days(), first.Days()})
}

// termsAnew is what is left of the discounts in a new cycle. A period that has
// begun counts as used, or changing often enough would keep a coupon for its
// first period for ever. A number of periods was promised for their old length
// and ends with it: three half-price months do not become three such years.
func (r ChangeRequest) termsAnew(number int, current Period) []DiscountTerms {
	used := number
	if current.DaysLeft(r.Now) < current.Days() {
		used++
	}
	if r.Cycle == r.Schedule.Cycle {
		return RebaseAll(r.Discounts, used)
	}
	return TermsInCycle(r.Discounts, used)
}

// TermsInCycle is what is left of discounts after so many periods when another
// cycle begins: those for ever.
func TermsInCycle(terms []DiscountTerms, used int) []DiscountTerms {
	return slices.DeleteFunc(RebaseAll(terms, used), func(d DiscountTerms) bool { return d.Periods > 0 })
}

// kept names the items that stay as they are and are paid to the end. A fixed
// discount is spread over all lines of a period, so that with one nothing is
// kept: everything is credited and charged anew, and the discount is neither
// lost nor given twice.
func (r ChangeRequest) kept() map[string]bool {
	kept := map[string]bool{}
	if slices.ContainsFunc(r.Discounts, func(d DiscountTerms) bool { return d.Kind == CouponFixed }) {
		return kept
	}
	for _, it := range r.After {
		kept[it.Key] = isAmong(it, r.Before) && (it.Unit.IsZero() || slices.ContainsFunc(r.Segments, func(s Segment) bool {
			return s.Item == it.Key && s.Period.Contains(r.Now)
		}))
	}
	return kept
}

func isAmong(it RecurringItem, items []RecurringItem) bool {
	return slices.ContainsFunc(items, func(o RecurringItem) bool { return sameItem(it, o) })
}

func withoutSetup(items []RecurringItem) []RecurringItem {
	plain := slices.Clone(items)
	for i := range plain {
		plain[i].Setup = money.Amount{}
	}
	return plain
}

// Unused is what segments would give back at now if all of them ended: what a
// cancellation at once refunds where that is agreed.
func Unused(segments []Segment, now time.Time) []CreditPart {
	c := Change{}
	c.credit(ChangeRequest{Now: now, Segments: segments}, nil)
	return c.Credits
}

// credit adds what the segments of items that are not kept give back.
func (c *Change) credit(r ChangeRequest, kept map[string]bool) {
	for _, s := range r.Segments {
		if kept[s.Item] {
			continue
		}
		days, of := s.Period.DaysLeft(r.Now), s.Period.Days()
		amount := s.unused(days, of)
		if amount.IsZero() && (days == 0 || days < of) {
			continue
		}
		left := s.Period
		if r.Now.After(left.Start) {
			left.Start = r.Now.UTC()
		}
		c.Credits = append(c.Credits, CreditPart{
			Line: s.Line, Item: s.Item, Description: s.Description, Period: left, Full: s.Amount, Amount: amount, Days: days, Of: of,
			Open: s.Open, Whole: days == of, Explanation: s.explain(days, of),
		})
	}
}

// unused is the value of the days left of what was really invoiced, less what
// was given back already. All that was given back counts against the days left,
// so that no day is ever paid back twice, whichever lines the caller passes.
func (s Segment) unused(days, of int64) money.Amount {
	if days == 0 {
		return money.Must(0, s.Amount.Currency())
	}
	value := s.Amount.Prorate(days, of)
	return money.Must(max(0, value.Minor()-s.Credited.Minor()), s.Amount.Currency())
}

func (s Segment) explain(days, of int64) string {
	text := fmt.Sprintf("unused: %d of %d days of %s for %s", days, of, s.Amount.Format("en"), s.Period)
	if !s.Credited.IsZero() {
		text += fmt.Sprintf(", less %s credited before", s.Credited.Format("en"))
	}
	return text
}

// chargePeriod adds the lines of period n for a share of it, and what the
// discounts take off them.
func (c *Change) chargePeriod(n int, items []RecurringItem, p Period, part Share) error {
	first := len(c.Charges)
	for _, it := range items {
		if err := c.charge(it, n, p, part); err != nil {
			return err
		}
	}
	return c.discount(first, n, part)
}

// chargeSetup adds what is set up under an hourly price, which has nothing else
// to charge ahead.
func (c *Change) chargeSetup(r ChangeRequest, n int) error {
	first := len(c.Charges)
	for _, it := range r.After {
		if _, err := it.Price(); err != nil {
			return err
		}
		if err := c.setUp(it, n); err != nil {
			return err
		}
	}
	return c.discount(first, n, Share{})
}

// discount takes off the charges from first on what the terms of period n promise.
func (c *Change) discount(first, n int, part Share) error {
	lines := []Discountable{}
	for _, l := range c.Charges[first:] {
		lines = append(lines, Discountable{l.Kind, l.Amount})
	}
	taken, err := Discount(c.Terms, n, part, lines)
	for _, d := range taken {
		d.Line += first
		c.Discounts = append(c.Discounts, d)
	}
	return err
}

func (c *Change) charge(it RecurringItem, n int, p Period, part Share) error {
	full, err := it.line(p)
	if err != nil {
		return err
	}
	line, explanation := full, ""
	if part.Days != part.Of {
		if line, err = NewLine(it.Description, 1, part.of(full.Amount), p); err != nil {
			return err
		}
		explanation = fmt.Sprintf("%d of %d days of %d × %s", part.Days, part.Of, it.Quantity, it.Unit.Format("en"))
	}
	c.Charges = append(c.Charges, ChargeLine{line, it.Kind, it.Key, it.Quantity, n, full.Amount, part, explanation})
	return c.setUp(it, n)
}

// setUp adds what an item costs once, if anything.
func (c *Change) setUp(it RecurringItem, n int) error {
	if it.Setup.Sign() <= 0 {
		return nil
	}
	setup, err := it.setupLine()
	c.Charges = append(c.Charges, ChargeLine{InvoiceLine: setup, Kind: LineSetup, Item: it.Key, Units: 1, Number: n, Full: it.Setup})
	return err
}

// sum fills in the totals.
func (c *Change) sum(currency string) error {
	zero, err := money.New(0, currency)
	if err != nil {
		return err
	}
	c.Charged, c.Credited, c.Lowered, c.ToPay, c.ToReturn = zero, zero, zero, zero, zero
	for _, l := range c.Charges {
		if c.Charged, err = c.Charged.Add(l.Amount); err != nil {
			return fmt.Errorf("line %q: %w", l.Description, err)
		}
	}
	for _, d := range c.Discounts {
		if c.Charged, err = c.Charged.Add(d.Amount); err != nil {
			return fmt.Errorf("%s: %w", d.Description, err)
		}
	}
	for _, p := range c.Credits {
		total := &c.Credited
		if p.Open {
			total = &c.Lowered
		}
		if *total, err = total.Add(p.Amount); err != nil {
			return fmt.Errorf("credit for line %s: %w", p.Line, err)
		}
	}
	net, err := c.Charged.Sub(c.Credited)
	if err != nil {
		return err
	}
	if net.Sign() >= 0 {
		c.ToPay = net
	} else {
		c.ToReturn = net.Neg()
	}
	return nil
}
