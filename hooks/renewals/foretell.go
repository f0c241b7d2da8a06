package renewals

import (
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/books"
)

// Foretold is the next invoice of a subscription, if nothing changes until then.
type Foretold struct {
	// Reason is why there is none, "" when there is.
	Reason billing.RenewalReason
	At     time.Time // when it will be made
	DueAt  time.Time
	Period billing.Period
	Total  money.Amount // with today's taxes
	Lines  []billing.Line
	Auto   bool // whether a saved method is charged for it
}

// Foretell says what will be invoiced next for a subscription, by the rules and
// prices that Run goes by; it changes nothing. Hours are not foretold, only when
// they are invoiced.
func Foretell(app core.App, id string, now time.Time) (Foretold, error) {
	sub, err := loadOne(app, id, now)
	if err != nil {
		return Foretold{}, err
	}
	settings, err := collections.LoadInvoicing(app)
	if err != nil {
		return Foretold{}, err
	}
	r := sub.renewal
	r.DaysAhead, r.ContinueUnpaid = settings.DaysAhead, settings.ContinueUnpaid
	plan, err := billing.PlanRenewal(r, now)
	if err != nil {
		return Foretold{}, fmt.Errorf("subscription %s: %w", id, err)
	}
	at := now
	if len(plan.Due) == 0 {
		if plan.Reason != billing.RenewalNotYet {
			return Foretold{Reason: plan.Reason, At: plan.LookAt}, nil
		}
		at = plan.LookAt
		if plan, err = billing.PlanRenewal(r, at); err != nil || len(plan.Due) == 0 {
			return Foretold{Reason: plan.Reason, At: plan.LookAt}, err
		}
	}
	next := plan.Due[0]
	b := &bill{}
	b.add(sub, next)
	f := Foretold{At: at, DueAt: billing.DueAt(next.Period, at, settings.MinTermDays), Period: next.Period, Lines: b.lines, Auto: sub.auto()}
	f.Total, err = total(app, sub.User, b.lines, at)
	return f, err
}

// total is what lines come to with their taxes.
func total(app core.App, user string, lines []billing.Line, at time.Time) (money.Amount, error) {
	customer, err := collections.LoadCustomer(app, user)
	if err != nil {
		return money.Amount{}, err
	}
	pricer, err := books.NewPricer(app)
	if err != nil {
		return money.Amount{}, err
	}
	priced, err := pricer.Price(app, customer, lines, at)
	return priced.Totals.Total, err
}
