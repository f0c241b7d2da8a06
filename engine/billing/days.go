package billing

import (
	"fmt"
	"time"
)

// secondsPerDay is exact for UTC as computers count it: Unix time has no leap
// seconds and UTC no clock change.
const secondsPerDay = 86_400

// dayNumber counts days of the UTC calendar, so that a difference is a number
// of dates. It never asks how many hours have passed.
func dayNumber(t time.Time) int64 {
	year, month, day := t.UTC().Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay
}

// daysBetween is how many dates lie between two instants, both taken as dates
// in UTC: 0 on the same date, negative where to is before from.
func daysBetween(from, to time.Time) int64 { return dayNumber(to) - dayNumber(from) }

// Days is the length of a period in dates of the UTC calendar. Each date belongs
// to the period that starts on it, so that the days of successive periods are
// each counted once. It is 0 for an hourly or one-time period.
func (p Period) Days() int64 {
	if p.End.IsZero() {
		return 0
	}
	return daysBetween(p.Start, p.End)
}

// DaysLeft is how many days of the period belong to whatever begins at now: the
// day of now is one of them. Before the period that is all of it, after it none.
func (p Period) DaysLeft(now time.Time) int64 {
	if p.End.IsZero() {
		return 0
	}
	return max(0, min(p.Days(), daysBetween(now, p.End)))
}

// String writes the period as its first and last day, for explanations and
// errors: "2027-01-31 to 2027-02-27".
func (p Period) String() string {
	if p.Start.IsZero() {
		return "no period"
	}
	first := p.Start.UTC().Format(time.DateOnly)
	if p.End.IsZero() {
		return "from " + first
	}
	last := p.End.UTC().AddDate(0, 0, -1)
	if p.Days() == 0 {
		last = p.Start.UTC()
	}
	return fmt.Sprintf("%s to %s", first, last.Format(time.DateOnly))
}
