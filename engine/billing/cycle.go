package billing

import (
	"fmt"
	"time"
)

// Cycle is how often a price is due.
type Cycle string

// The billing cycles of the catalog. OneTime is due once and has no period end.
const (
	Hourly     Cycle = "hourly"
	Monthly    Cycle = "monthly"
	Quarterly  Cycle = "quarterly"
	SemiAnnual Cycle = "semi_annual"
	Annual     Cycle = "annual"
	Biennial   Cycle = "biennial"
	Triennial  Cycle = "triennial"
	OneTime    Cycle = "one_time"
)

// maxPeriods bounds the number of a period: 114 years of hours. Beyond it lies
// a mistake, and far beyond it arithmetic would wrap.
const maxPeriods = 1_000_000

var cycleMonths = map[Cycle]int{
	Monthly: 1, Quarterly: 3, SemiAnnual: 6, Annual: 12, Biennial: 24, Triennial: 36,
}

// Months returns the whole months of a cycle and whether it is counted in
// months at all (hourly and one-time are not).
func (c Cycle) Months() (int, bool) {
	m, ok := cycleMonths[c]
	return m, ok
}

// Cycles lists every cycle from the shortest to the longest, one-time last.
func Cycles() []Cycle {
	return []Cycle{Hourly, Monthly, Quarterly, SemiAnnual, Annual, Biennial, Triennial, OneTime}
}

// ParseCycle reads a stored cycle. Errors name the unknown value.
func ParseCycle(s string) (Cycle, error) {
	for _, c := range Cycles() {
		if string(c) == s {
			return c, nil
		}
	}
	return "", fmt.Errorf("unknown billing cycle %q", s)
}

// Period is half-open, [Start, End), in UTC. End is zero for one-time prices.
type Period struct {
	Start time.Time
	End   time.Time
}

// Contains reports whether t lies in the period.
func (p Period) Contains(t time.Time) bool {
	return !t.Before(p.Start) && (p.End.IsZero() || t.Before(p.End))
}

// PeriodAt returns the n-th period (from 0) of a subscription anchored at
// anchor. Each boundary is computed from the anchor itself and its day is cut
// to the month's length, so that the 31st never drifts: 31 Jan, 28 Feb, 31 Mar.
// Hourly periods are whole hours; a one-time price has the single period 0.
// Errors: an unknown cycle, and n below 0 or above a million.
func PeriodAt(anchor time.Time, c Cycle, n int) (Period, error) {
	if n < 0 || n > maxPeriods {
		return Period{}, fmt.Errorf("period %d does not exist", n)
	}
	anchor = anchor.UTC()
	if c == OneTime {
		if n > 0 {
			return Period{}, fmt.Errorf("a one-time price has no period %d", n)
		}
		return Period{Start: anchor}, nil
	}
	if c == Hourly {
		start := anchor.Add(time.Duration(n) * time.Hour)
		return Period{start, start.Add(time.Hour)}, nil
	}
	months, ok := c.Months()
	if !ok {
		return Period{}, fmt.Errorf("unknown billing cycle %q", c)
	}
	return Period{addMonths(anchor, n*months), addMonths(anchor, (n+1)*months)}, nil
}

// addMonths moves t by whole months and cuts the day to the target month.
func addMonths(t time.Time, months int) time.Time {
	year, month, day := t.Date()
	first := time.Date(year, month+time.Month(months), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(day, last)-1)
}
