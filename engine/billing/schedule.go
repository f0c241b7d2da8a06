package billing

import (
	"errors"
	"fmt"
	"time"
)

// Schedule is a subscription in time: its anchor and cycle say which periods
// there are, NextPeriod is the number of the first that is not yet invoiced.
type Schedule struct {
	Anchor     time.Time
	Cycle      Cycle
	NextPeriod int
}

// ErrBeforeAnchor reports an instant that lies before a subscription's first
// period, as during a trial.
var ErrBeforeAnchor = errors.New("the first period has not begun")

// StartSchedule begins a subscription at an instant: its first period starts
// then, and nothing before it can ever be billed. Activation, the end of a
// trial, resuming after a pause and a full new cycle all start here.
func StartSchedule(c Cycle, at time.Time) Schedule {
	return Schedule{Anchor: at.UTC(), Cycle: c}
}

// Next returns the first period that is not yet invoiced. Errors as PeriodAt.
func (s Schedule) Next() (Period, error) { return PeriodAt(s.Anchor, s.Cycle, s.NextPeriod) }

// At returns the number of the period that holds t, and that period in full, by
// counting from the anchor; what was invoiced or paid so far plays no part.
// Errors: ErrBeforeAnchor, and those of PeriodAt.
func (s Schedule) At(t time.Time) (int, Period, error) {
	if t.Before(s.Anchor) {
		return 0, Period{}, fmt.Errorf("%s, the first period starts %s: %w",
			t.UTC().Format(time.RFC3339), s.Anchor.UTC().Format(time.RFC3339), ErrBeforeAnchor)
	}
	n := s.guess(t)
	for {
		p, err := PeriodAt(s.Anchor, s.Cycle, n)
		if err != nil || p.Contains(t) {
			return n, p, err
		}
		if t.Before(p.Start) {
			n--
		} else {
			n++
		}
	}
}

// guess is the number of t's period or one beside it.
func (s Schedule) guess(t time.Time) int {
	if months, ok := s.Cycle.Months(); ok {
		from, to := s.Anchor.UTC(), t.UTC()
		return ((to.Year()-from.Year())*12 + int(to.Month()-from.Month())) / months
	}
	if s.Cycle == Hourly {
		return int(t.Sub(s.Anchor) / time.Hour)
	}
	return 0
}

// DueAt is when an invoice for a period is due: at the period's start, but not
// before the customer had minTermsDays since it was issued, so that periods made
// up after an outage are not overdue when they arrive.
func DueAt(p Period, issued time.Time, minTermsDays int) time.Time {
	if terms := issued.UTC().AddDate(0, 0, minTermsDays); terms.After(p.Start) {
		return terms
	}
	return p.Start
}

// PaidThrough is the period a subscription has paid for once the line of period
// paid is paid: the later of the two. It is set from the line and never added
// to, so that paying twice, late or out of order gives the same answer.
func PaidThrough(current, paid Period) Period {
	if paid.End.After(current.End) || current.Start.IsZero() {
		return paid
	}
	return current
}
