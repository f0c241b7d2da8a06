package notify

import (
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/document/mail"
)

// onSubscriptions tells of cancellations, and of undoing them, in the
// transaction that agrees them.
func (s *Subject) onSubscriptions(app core.App) {
	app.OnRecordUpdateExecute(collections.Subscriptions).Bind(&hook.Handler[*core.RecordEvent]{Id: "notifySubscription", Priority: 10, Func: func(e *core.RecordEvent) error {
		before, after := e.Record.Original().GetBool("cancel_at_end"), e.Record.GetBool("cancel_at_end")
		if err := e.Next(); err != nil || before == after {
			return err
		}
		return s.cancellationMail(e.App, e.Record)
	}})
}

func (s *Subject) cancellationMail(tx core.App, sub *core.Record) error {
	kind := mail.CancellationConfirmed
	if !sub.GetBool("cancel_at_end") {
		kind = mail.CancellationUndone
		if sub.GetString("status") == string(billing.SubscriptionCancelled) {
			return nil
		}
	}
	svc, err := collections.First(tx, collections.Services, dbx.HashExp{"subscription": sub.Id})
	if err != nil || svc == nil {
		return err
	}
	user, err := tx.FindRecordById(collections.Users, sub.GetString("user"))
	if err != nil {
		return fmt.Errorf("mail about subscription %s: %w", sub.Id, err)
	}
	link, err := portal(tx, "/services/"+svc.Id)
	if err != nil {
		return err
	}
	return s.write(tx, letter{
		key: fmt.Sprintf("%s:%s:%d", kind, sub.Id, s.Now().UnixMilli()), kind: kind, user: user,
		data: mail.Data{Link: link, Service: svc.GetString("label"), On: collections.Time(sub, "ends_at")},
	})
}
