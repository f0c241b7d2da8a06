package renewals

import (
	"time"

	"github.com/pocketbase/pocketbase/core"

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
	if err != nil || f.Reason != billing.RenewalDue {
		return nil, err
	}
	return &nextView{At: f.At, DueAt: f.DueAt, Period: periodView{f.Period.Start, f.Period.End}, Total: f.Total}, nil
}
