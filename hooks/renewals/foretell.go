package renewals

import (
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/hooks/books"
)

// Foretold is the next invoice of a subscription, if nothing changes until then.
// What other services add to the same invoice is not in it.
type Foretold struct {
	// Reason is why there is none, RenewalDue when there is.
	Reason billing.RenewalReason
	At     time.Time // when it will be made, or when Reason may change by itself
	DueAt  time.Time
	Period billing.Period
	Total  money.Amount // with today's taxes
	Auto   bool         // whether a saved method is charged for it
}

// Foretell says what will be invoiced next for a subscription, by the rules and
// prices that Run goes by; it changes nothing. Hours are not foretold, only when
// they are invoiced.
func Foretell(app core.App, id string, now time.Time) (Foretold, error) {
	sub, err := loadOne(app, id, now)
	if err != nil {
		return Foretold{}, err
	}
	return foretell(app, sub, now)
}

func foretell(app core.App, sub *subscription, now time.Time) (Foretold, error) {
	settings, err := collections.LoadInvoicing(app)
	if err != nil {
		return Foretold{}, err
	}
	r, at := sub.renewal, now.UTC()
	r.DaysAhead, r.ContinueUnpaid = settings.DaysAhead, settings.ContinueUnpaid
	plan, err := billing.PlanRenewal(r, at)
	if err == nil && len(plan.Due) == 0 && plan.Reason == billing.RenewalNotYet {
		at = plan.LookAt.UTC()
		plan, err = billing.PlanRenewal(r, at)
	}
	if err != nil {
		return Foretold{}, fmt.Errorf("subscription %s: %w", sub.ID, err)
	}
	if len(plan.Due) == 0 {
		return Foretold{Reason: plan.Reason, At: plan.LookAt}, nil
	}
	due := plan.Due[0]
	f := Foretold{At: at, DueAt: billing.DueAt(due.Period, at, settings.MinTermDays).UTC(), Period: due.Period, Auto: sub.auto()}
	f.Total, err = total(app, sub.User, due.Document(sub.ID, r.Schedule.Cycle), at)
	if errors.Is(err, tax.ErrNoRate) || errors.Is(err, tax.ErrVATID) {
		return Foretold{Reason: billing.RenewalOutOfTime}, nil // the renewal will tell staff; nothing can be foretold
	}
	if err != nil {
		return Foretold{}, fmt.Errorf("next invoice of subscription %s: %w", sub.ID, err)
	}
	return f, nil
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
