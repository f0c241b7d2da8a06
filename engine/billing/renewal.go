package billing

import (
	"fmt"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

// RenewalReason says why a period is not invoiced.
type RenewalReason string

// The reasons. RenewalDue is none: the period is to be invoiced.
const (
	RenewalDue       RenewalReason = ""
	RenewalNotYet    RenewalReason = "not_yet"    // its time has not come
	RenewalPending   RenewalReason = "pending"    // the first payment is awaited
	RenewalCancelled RenewalReason = "cancelled"  // the subscription is over
	RenewalEnds      RenewalReason = "ends"       // the subscription ends before the period starts
	RenewalPaused    RenewalReason = "paused"     // paused from before the period starts
	RenewalUnpaid    RenewalReason = "unpaid"     // an earlier period is overdue
	RenewalGateway   RenewalReason = "gateway"    // a gateway owns the schedule
	RenewalOneTime   RenewalReason = "one_time"   // nothing recurs
	RenewalHourly    RenewalReason = "hourly"     // accrues by the hour, see HourlyMonth
	RenewalChanges   RenewalReason = "changes"    // a change takes effect before the period starts
	RenewalOutOfTime RenewalReason = "no_periods" // the cycle has no such period: broken data
)

// Renewal is what decides about a subscription's next periods.
type Renewal struct {
	Status       SubscriptionStatus
	GatewayOwned bool
	Schedule     Schedule
	EndsAt       time.Time // no period starts at or after it; zero means open-ended
	PauseFrom    time.Time // the same for a pause that is asked for or in force
	// Unpaid says that an invoice with a period of this subscription is overdue;
	// ContinueUnpaid is the setting that invoices on all the same.
	Unpaid         bool
	ContinueUnpaid bool
	DaysAhead      int // how many days before its start a period is invoiced
	// InvoiceDay is the day of the month, 1 to 28, on which a customer with one
	// invoice a month gets it; 0 means DaysAhead decides.
	InvoiceDay int
	// ChangesAt is when an agreed change takes effect: what starts then or later is
	// invoiced once it has. Zero means none is agreed.
	ChangesAt time.Time
	Items     []RenewalItem
	Discounts []DiscountTerms
}

// RenewalItem is an item with a price change that was announced to the customer.
type RenewalItem struct {
	RecurringItem
	Announced     money.Amount // unit price of periods that start at AnnouncedFrom or later
	AnnouncedFrom time.Time    // zero means no change is announced
}

// At is the item with the price of a period that starts at start.
func (it RenewalItem) At(start time.Time) RecurringItem {
	if !it.AnnouncedFrom.IsZero() && !start.Before(it.AnnouncedFrom) {
		it.Unit = it.Announced
	}
	return it.RecurringItem
}

// Billable answers whether the subscription's period n may be billed at all, and
// why not. Renewals, extras, overage and reminders all ask it; when it is
// invoiced is another question, which PlanRenewal answers.
func (r Renewal) Billable(n int) (Period, RenewalReason) {
	switch {
	case r.Status == SubscriptionCancelled:
		return Period{}, RenewalCancelled
	case r.Status == SubscriptionPending:
		return Period{}, RenewalPending
	case r.GatewayOwned:
		return Period{}, RenewalGateway
	case r.Schedule.Cycle == OneTime:
		return Period{}, RenewalOneTime
	}
	p, err := PeriodAt(r.Schedule.Anchor, r.Schedule.Cycle, n)
	switch {
	case err != nil:
		return Period{}, RenewalOutOfTime
	case !r.EndsAt.IsZero() && !p.Start.Before(r.EndsAt):
		return p, RenewalEnds
	case r.Status == SubscriptionPaused && r.PauseFrom.IsZero():
		return p, RenewalPaused
	case !r.PauseFrom.IsZero() && !p.Start.Before(r.PauseFrom):
		return p, RenewalPaused
	case !r.ChangesAt.IsZero() && !p.Start.Before(r.ChangesAt):
		return p, RenewalChanges
	}
	return p, RenewalDue
}

// RenewalLine is a line of a renewal, before tax.
type RenewalLine struct {
	InvoiceLine
	Kind LineKind
	Item string // key of its RecurringItem
}

// PeriodDue is one period to invoice now.
type PeriodDue struct {
	Number    int
	Period    Period
	Lines     []RenewalLine
	Discounts []DiscountLine // Line is an index into Lines
}

// RenewalPlan is what to do about a subscription now.
type RenewalPlan struct {
	Due        []PeriodDue   // oldest first; none is a reason to look at Reason
	Reason     RenewalReason // why the period after those is not invoiced
	NextPeriod int           // afterwards
	// LookAt is the next moment to ask again; zero means that only an event can
	// change the answer.
	LookAt time.Time
}

// maxCatchUp bounds how many periods one plan makes up; the rest follows at once.
const maxCatchUp = 24

// PlanRenewal decides what to invoice for a subscription at now: every period
// whose time has come, in order, each with the price that counts for it.
// Planning again with the new NextPeriod yields nothing more. Errors name the
// item or coupon that cannot be priced; nothing is invoiced then.
func PlanRenewal(r Renewal, now time.Time) (RenewalPlan, error) {
	plan := RenewalPlan{NextPeriod: r.Schedule.NextPeriod}
	for {
		p, reason := r.Billable(plan.NextPeriod)
		if reason == RenewalDue {
			reason = r.timely(p, now)
		}
		if reason != RenewalDue || len(plan.Due) == maxCatchUp {
			plan.Reason, plan.LookAt = reason, r.lookAt(p, reason, now)
			return plan, nil
		}
		due, err := r.duePeriod(plan.NextPeriod, p)
		if err != nil {
			return RenewalPlan{}, fmt.Errorf("renew period %d, %s: %w", plan.NextPeriod, p, err)
		}
		plan.Due = append(plan.Due, due)
		plan.NextPeriod++
	}
}

// timely answers whether a billable period is to be invoiced now.
func (r Renewal) timely(p Period, now time.Time) RenewalReason {
	switch {
	case r.Schedule.Cycle == Hourly:
		return RenewalHourly
	case now.Before(r.invoiceAt(p)):
		return RenewalNotYet
	case r.Unpaid && !r.ContinueUnpaid:
		return RenewalUnpaid
	}
	return RenewalDue
}

// trialDaysAhead is how many days before a trial ends its first period is
// invoiced at the earliest.
const trialDaysAhead = 3

// invoiceAt is the day, at midnight UTC, on which a period is invoiced: days are
// the unit, so that services which renew on the same day share an invoice
// whatever the hour of their orders.
func (r Renewal) invoiceAt(p Period) time.Time {
	year, month, day := p.Start.UTC().Date()
	switch {
	case r.InvoiceDay > 0 && day >= r.InvoiceDay:
		return time.Date(year, month, r.InvoiceDay, 0, 0, 0, 0, time.UTC)
	case r.InvoiceDay > 0:
		return time.Date(year, month-1, r.InvoiceDay, 0, 0, 0, 0, time.UTC)
	}
	ahead := r.DaysAhead
	if r.Status == SubscriptionTrialing && p.Start.Equal(r.Schedule.Anchor) {
		ahead = min(ahead, trialDaysAhead)
	}
	return time.Date(year, month, day-ahead, 0, 0, 0, 0, time.UTC)
}

// lookAt is when there may be something to do by time alone: a period to
// invoice, or an end or pause that takes effect. An unpaid subscription is looked
// at daily, so that a payment whose event was lost does not stop its renewals.
func (r Renewal) lookAt(p Period, reason RenewalReason, now time.Time) time.Time {
	switch reason {
	case RenewalDue:
		return now
	case RenewalNotYet:
		return r.invoiceAt(p)
	case RenewalChanges:
		return r.ChangesAt
	case RenewalUnpaid:
		return now.UTC().AddDate(0, 0, 1)
	case RenewalHourly:
		return CalendarMonth(now).End
	case RenewalEnds:
		return ifAfter(r.EndsAt, now)
	case RenewalPaused:
		return ifAfter(r.PauseFrom, now)
	case RenewalPending, RenewalCancelled, RenewalGateway, RenewalOneTime, RenewalOutOfTime:
	}
	return time.Time{}
}

// ifAfter is t if it is still to come, else zero.
func ifAfter(t, now time.Time) time.Time {
	if t.After(now) {
		return t
	}
	return time.Time{}
}

// Owed prices period n of a subscription whatever its time and whoever bills it;
// p is the period as that side counts it.
func (r Renewal) Owed(n int, p Period) (PeriodDue, error) { return r.duePeriod(n, p) }

// duePeriod prices period n. Setup fees are charged by the order, except after a
// trial, whose first period is the first that is paid.
func (r Renewal) duePeriod(n int, p Period) (PeriodDue, error) {
	due := PeriodDue{Number: n, Period: p}
	lines := []Discountable{}
	for _, it := range r.Items {
		item := it.At(p.Start)
		line, err := item.line(p)
		if err != nil {
			return PeriodDue{}, err
		}
		due.Lines = append(due.Lines, RenewalLine{line, item.Kind, item.Key})
		lines = append(lines, Discountable{item.Kind, line.Amount})
		if n > 0 || r.Status != SubscriptionTrialing || item.Setup.Sign() <= 0 {
			continue
		}
		if line, err = item.setupLine(); err != nil {
			return PeriodDue{}, err
		}
		due.Lines = append(due.Lines, RenewalLine{line, LineSetup, item.Key})
		lines = append(lines, Discountable{LineSetup, line.Amount})
	}
	taken, err := Discount(r.Discounts, n, Share{}, lines)
	due.Discounts = taken
	return due, err
}
