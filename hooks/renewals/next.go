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

// nextView is what will be invoiced next of a subscription, by the rules and
// prices of today. What other services add to the same invoice is not in it.
type nextView struct {
	At     time.Time    `json:"at"`
	DueAt  time.Time    `json:"due_at"`
	Period periodView   `json:"period"`
	Total  money.Amount `json:"total"`
}

// next foretells the next invoice; nil when nothing will be invoiced by time
// alone. It asks the same functions as the renewal itself.
func (s *Subject) next(app core.App, sub *subscription, now time.Time) (*nextView, error) {
	settings, err := collections.LoadInvoicing(app)
	if err != nil {
		return nil, err
	}
	r := sub.renewal
	r.DaysAhead, r.ContinueUnpaid = settings.DaysAhead, settings.ContinueUnpaid
	at := now
	plan, err := billing.PlanRenewal(r, at)
	if err == nil && len(plan.Due) == 0 && plan.Reason == billing.RenewalNotYet {
		at = plan.LookAt
		plan, err = billing.PlanRenewal(r, at)
	}
	if err != nil {
		return nil, fmt.Errorf("subscription %s: %w", sub.ID, err)
	}
	if len(plan.Due) == 0 {
		return nil, nil
	}
	pricer, err := books.NewPricer(app)
	if err != nil {
		return nil, err
	}
	customer, err := collections.LoadCustomer(app, sub.User)
	if err != nil {
		return nil, err
	}
	due := plan.Due[0]
	priced, err := pricer.Price(app, customer, due.Document(sub.ID, r.Schedule.Cycle), at)
	if errors.Is(err, tax.ErrNoRate) || errors.Is(err, tax.ErrVATID) {
		return nil, nil // the renewal will tell staff; nothing can be foretold
	}
	if err != nil {
		return nil, fmt.Errorf("next invoice of subscription %s: %w", sub.ID, err)
	}
	return &nextView{
		At: at.UTC(), DueAt: billing.DueAt(due.Period, at, settings.MinTermDays).UTC(), Period: periodView{due.Period.Start, due.Period.End}, Total: priced.Totals.Total,
	}, nil
}
