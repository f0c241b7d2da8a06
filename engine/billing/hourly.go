package billing

import (
	"fmt"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

// HourlyTerms is a price per started hour that never exceeds a monthly price,
// both as stored when the order was placed.
type HourlyTerms struct {
	Hour money.Amount
	Cap  money.Amount // of a calendar month in UTC
}

// HourlyUse is what a subscription owes for a stretch of one calendar month.
type HourlyUse struct {
	Period Period // of the stretch
	Hours  int64  // started in it
	Amount money.Amount
	Capped bool // the month has reached its cap
}

// CalendarMonth is the month that holds t in UTC.
func CalendarMonth(t time.Time) Period {
	year, month, _ := t.UTC().Date()
	first := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
	return Period{first, first.AddDate(0, 1, 0)}
}

// HourlyMonth is what was used of the calendar month that holds at, from the
// activation until at (not beyond the month, which at's own instant may end).
// Hours are counted from the activation and belong to the month in which they
// start, so that the hours of all months are all hours.
func (h HourlyTerms) HourlyMonth(activated, at time.Time) (HourlyUse, error) {
	month := CalendarMonth(at)
	if at.Equal(month.Start) && at.After(activated) { // the end of the month before
		month = CalendarMonth(at.AddDate(0, 0, -1))
	}
	return h.Between(activated, month.Start, at)
}

// Between is what was used from one moment to another of the same calendar
// month. The amount is the difference of what was owed for the month at both, so
// that a month billed in parts costs what it would in one, and the cap holds for
// all of it. Errors: moments of two months or in the wrong order, and amounts
// out of bounds.
func (h HourlyTerms) Between(activated, from, to time.Time) (HourlyUse, error) {
	month := CalendarMonth(from)
	if to.Before(from) || to.After(month.End) {
		return HourlyUse{}, fmt.Errorf("hourly use from %s to %s: not one stretch of a month",
			from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339))
	}
	before, err := h.owed(hoursStarted(activated, month.Start, from))
	if err != nil {
		return HourlyUse{}, err
	}
	after, err := h.owed(hoursStarted(activated, month.Start, to))
	if err != nil {
		return HourlyUse{}, err
	}
	amount, err := after.Sub(before)
	start := from.UTC()
	if activated.After(start) {
		start = activated.UTC()
	}
	if start.After(to) {
		start = to.UTC()
	}
	return HourlyUse{Period{start, to.UTC()}, hoursStarted(activated, from, to), amount, after == h.Cap}, err
}

// owed is the price of a month with so many hours.
func (h HourlyTerms) owed(hours int64) (money.Amount, error) {
	if h.Hour.Sign() < 0 || h.Cap.Sign() < 0 || h.Hour.Currency() != h.Cap.Currency() {
		return money.Amount{}, fmt.Errorf("hourly price %s capped at %s: %w", h.Hour, h.Cap, money.ErrMismatch)
	}
	if h.Hour.Sign() > 0 && hours > h.Cap.Minor()/h.Hour.Minor() {
		return h.Cap, nil
	}
	return h.Hour.Times(hours)
}

// hoursStarted counts the hours, reckoned from the activation, that start in
// [from, to).
func hoursStarted(activated, from, to time.Time) int64 {
	return max(0, hoursBefore(activated, to)-hoursBefore(activated, from))
}

// hoursBefore counts the hours that start before t.
func hoursBefore(activated, t time.Time) int64 {
	passed := t.Sub(activated)
	if passed <= 0 {
		return 0
	}
	return int64((passed + time.Hour - 1) / time.Hour)
}
