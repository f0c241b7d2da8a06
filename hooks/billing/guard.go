package billing

import (
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
)

// guard binds what keeps subscriptions and orders true, whoever saves.
func (s *subject) guard(app core.App) {
	app.OnRecordUpdate(collections.Subscriptions).Bind(&hook.Handler[*core.RecordEvent]{Id: "billingSubscriptionGuard", Func: func(e *core.RecordEvent) error {
		from, to := e.Record.Original().GetString("status"), e.Record.GetString("status")
		if err := billing.CheckSubscriptionTransition(billing.SubscriptionStatus(from), billing.SubscriptionStatus(to)); err != nil {
			return apis.NewBadRequestError(err.Error(), nil)
		}
		return e.Next()
	}})
	app.OnRecordUpdate(collections.Orders).Bind(&hook.Handler[*core.RecordEvent]{Id: "billingOrderGuard", Func: func(e *core.RecordEvent) error {
		from, to := e.Record.Original().GetString("status"), e.Record.GetString("status")
		if err := billing.CheckOrderTransition(billing.OrderStatus(from), billing.OrderStatus(to)); err != nil {
			return apis.NewBadRequestError(err.Error(), nil)
		}
		before, after := e.Record.Original().GetString("review"), e.Record.GetString("review")
		if err := billing.CheckReviewTransition(billing.ReviewStatus(before), billing.ReviewStatus(after)); err != nil {
			return apis.NewBadRequestError(err.Error(), nil)
		}
		return e.Next()
	}})
}
