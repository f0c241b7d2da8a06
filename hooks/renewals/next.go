package renewals

import (
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
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
	f, err := foretell(app, sub, now)
	switch {
	case err != nil:
		return nil, err
	case f.Reason == billing.RenewalChanges:
		return s.nextChanged(app, sub)
	case f.Reason != billing.RenewalDue:
		return nil, nil
	}
	return &nextView{At: f.At, DueAt: f.DueAt, Period: periodView{f.Period.Start, f.Period.End}, Total: f.Total}, nil
}

// nextChanged foretells the first invoice after a change that is agreed.
func (s *Subject) nextChanged(app core.App, sub *subscription) (*nextView, error) {
	change, err := app.FindRecordById(collections.SubscriptionChanges, sub.ChangeID)
	if err != nil {
		return nil, fmt.Errorf("change %s: %w", sub.ChangeID, err)
	}
	_, to, err := readTerms(change)
	if err != nil {
		return nil, err
	}
	changed, err := sub.as(to)
	if err != nil {
		return nil, err
	}
	return s.next(app, changed, sub.renewal.ChangesAt)
}
