package renewals

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/audit"
)

// End ends a subscription for good: it is cancelled, its services are to be
// terminated, its unit goes back to the stock. Ending it twice changes nothing.
// Provisioning follows the subscription's access.
func End(tx core.App, id string, now time.Time) error {
	sub, err := tx.FindRecordById(collections.Subscriptions, id)
	if err != nil {
		return fmt.Errorf("end subscription %s: %w", id, err)
	}
	from := sub.GetString("status")
	if from == string(billing.SubscriptionCancelled) && sub.GetString("access") == "ended" {
		return nil
	}
	sub.Set("status", string(billing.SubscriptionCancelled))
	sub.Set("access", "ended")
	sub.Set("access_reason", "cancelled")
	sub.Set("access_at", collections.Stamp(now))
	sub.Set("next_invoice_at", "")
	for _, field := range []string{"cancelled_at", "ends_at"} {
		if sub.GetString(field) == "" {
			sub.Set(field, collections.Stamp(now))
		}
	}
	if err := collections.Update(tx, sub); err != nil {
		return fmt.Errorf("end subscription %s: %w", id, err)
	}
	if err := returnUnit(tx, sub.GetString("plan")); err != nil {
		return err
	}
	return audit.Write(tx, now, audit.Entry{
		ActorKind: audit.System, Action: "subscription.end", Resource: collections.Subscriptions, ResourceID: id,
		Changes: map[string]any{"status": map[string]string{"before": from, "after": "cancelled"}, "reason": sub.GetString("cancel_reason")},
	})
}

// pause begins a pause that was asked for: nothing is billed and the service
// rests until the customer resumes.
func pause(tx core.App, id string, now time.Time) error {
	sub, err := tx.FindRecordById(collections.Subscriptions, id)
	if err != nil {
		return fmt.Errorf("pause subscription %s: %w", id, err)
	}
	sub.Set("next_invoice_at", "")
	if sub.GetString("status") == string(billing.SubscriptionActive) {
		sub.Set("status", string(billing.SubscriptionPaused))
		sub.Set("access", "suspended")
		sub.Set("access_reason", "paused")
		sub.Set("access_at", collections.Stamp(now))
	}
	if err := collections.Update(tx, sub); err != nil {
		return fmt.Errorf("pause subscription %s: %w", id, err)
	}
	return audit.Write(tx, now, audit.Entry{ActorKind: audit.System, Action: "subscription.pause", Resource: collections.Subscriptions, ResourceID: id})
}

// onEnd follows subscriptions that end, by whatever door: what was agreed for
// later will not come.
func (s *Subject) onEnd(app core.App) {
	app.OnRecordUpdateExecute(collections.Subscriptions).Bind(&hook.Handler[*core.RecordEvent]{Id: "renewalsEnd", Func: func(e *core.RecordEvent) error {
		before, after := e.Record.Original().GetString("status"), e.Record.GetString("status")
		if err := e.Next(); err != nil || before == after || after != string(billing.SubscriptionCancelled) {
			return err
		}
		changes, err := collections.All(e.App, collections.SubscriptionChanges, dbx.HashExp{"subscription": e.Record.Id, "status": []any{string(billing.ChangePending), string(billing.ChangeScheduled)}}, "created ASC")
		if err != nil {
			return err
		}
		for _, change := range changes {
			if err := drop(e.App, s.Now(), change, "The subscription had ended."); err != nil {
				return err
			}
			if invoice := change.GetString("invoice"); invoice != "" {
				if err := s.withdraw(e.App, s.Now(), invoice, "The subscription had ended.", audit.System); err != nil {
					return err
				}
			}
		}
		return nil
	}})
}
