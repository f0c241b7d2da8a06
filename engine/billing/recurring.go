package billing

import (
	"fmt"
	"slices"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

// Recurring is what will be due again, of all units of one cycle that renew
// at the same moment.
type Recurring struct {
	Cycle Cycle
	Next  time.Time
	// Due are the lines of that moment; Regular those of a period after which no
	// discount ends and no setup fee is due any more, nil where they are the same.
	Due     []Line
	Regular []Line
	// Cap is what a calendar month costs at most, of units paid by the hour; their
	// lines are of one hour.
	Cap money.Amount
}

// recur adds what a unit costs again to what the others of its cycle and date
// cost; one-time items do not recur.
func (q *Quote) recur(it CartItem, u QuotedUnit, now time.Time) error {
	switch it.Cycle {
	case OneTime:
		return nil
	case Hourly:
		return q.recurHourly(it, now)
	default:
	}
	first, err := u.Schedule.Next()
	if err != nil {
		return err
	}
	due, err := it.period(&u, u.Schedule.NextPeriod, u.TrialDays > 0)
	if err != nil {
		return err
	}
	regular, ends := due, func(d DiscountTerms) bool { return d.Periods > 0 }
	if u.TrialDays > 0 || slices.ContainsFunc(u.Terms, ends) {
		u.Terms = slices.DeleteFunc(slices.Clone(u.Terms), ends)
		if regular, err = it.period(&u, u.Schedule.NextPeriod, false); err != nil {
			return err
		}
	}
	r := q.recurring(it.Cycle, first.Start)
	r.Due, r.Regular = AppendLines(r.Due, due), AppendLines(r.Regular, regular)
	return nil
}

// recurHourly adds what an hour costs, and the most a month.
func (q *Quote) recurHourly(it CartItem, now time.Time) error {
	if it.Cap.Currency() != it.Unit.Currency() {
		return fmt.Errorf("hourly price %s has no monthly price as its cap: %w", it.Unit, money.ErrMismatch)
	}
	r := q.recurring(Hourly, CalendarMonth(now).End)
	if r.Cap.Currency() == "" {
		r.Cap = it.Cap.Zero()
	}
	sum, err := r.Cap.Add(it.Cap)
	if err != nil {
		return err
	}
	r.Cap = sum
	for _, item := range it.items() {
		line, err := item.line(Period{})
		if err != nil {
			return err
		}
		r.Due = append(r.Due, Line{InvoiceLine: line, Kind: LineHourly, Item: item.Key, TaxDate: now})
	}
	return nil
}

// recurring is the entry of a cycle and date, made on first use.
func (q *Quote) recurring(c Cycle, next time.Time) *Recurring {
	for i := range q.Recurring {
		if q.Recurring[i].Cycle == c && q.Recurring[i].Next.Equal(next) {
			return &q.Recurring[i]
		}
	}
	q.Recurring = append(q.Recurring, Recurring{Cycle: c, Next: next})
	return &q.Recurring[len(q.Recurring)-1]
}

// settle drops what repeats itself.
func (r *Recurring) settle() {
	if slices.EqualFunc(r.Due, r.Regular, func(a, b Line) bool { return a.Kind == b.Kind && a.Amount == b.Amount }) {
		r.Regular = nil
	}
}
