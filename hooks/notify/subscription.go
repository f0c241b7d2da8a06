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
// transaction that agrees them, and of payments that are suspended at a gateway.
func (s *Subject) onSubscriptions(app core.App) {
	app.OnRecordUpdateExecute(collections.Subscriptions).Bind(&hook.Handler[*core.RecordEvent]{Id: "notifySubscription", Priority: 10, Func: func(e *core.RecordEvent) error {
		before, after := e.Record.Original().GetBool("cancel_at_end"), e.Record.GetBool("cancel_at_end")
		paused, status := e.Record.Original().GetString("pause_from"), e.Record.Original().GetString("status")
		if err := e.Next(); err != nil {
			return err
		}
		if before != after {
			return s.cancellationMail(e.App, e.Record)
		}
		if e.Record.GetString("billing_owner") == "gateway" && e.Record.GetString("status") == status && e.Record.GetString("pause_from") != paused {
			return s.paymentsMail(e.App, e.Record)
		}
		return nil
	}})
}

// paymentsMail tells a customer that payments were suspended at the gateway that
// bills a subscription, and when it therefore pauses; or that it does not, since they
// go on. What pauses, and goes on after a pause, is told of by its service.
func (s *Subject) paymentsMail(tx core.App, sub *core.Record) error {
	kind := mail.PaymentsSuspended
	if sub.GetString("pause_from") == "" {
		kind = mail.PaymentsResumed
	}
	return s.subscriptionMail(tx, sub, kind, mail.Data{Method: collections.VendorName(sub.GetString("gateway")), On: collections.Time(sub, "pause_from")})
}

func (s *Subject) cancellationMail(tx core.App, sub *core.Record) error {
	kind := mail.CancellationConfirmed
	if !sub.GetBool("cancel_at_end") {
		kind = mail.CancellationUndone
		if sub.GetString("status") == string(billing.SubscriptionCancelled) {
			return nil
		}
	}
	return s.subscriptionMail(tx, sub, kind, mail.Data{On: collections.Time(sub, "ends_at")})
}

// subscriptionMail writes to the customer of a subscription about its service.
func (s *Subject) subscriptionMail(tx core.App, sub *core.Record, kind mail.Kind, data mail.Data) error {
	svc, err := collections.First(tx, collections.Services, dbx.HashExp{"subscription": sub.Id})
	if err != nil || svc == nil {
		return err
	}
	user, err := tx.FindRecordById(collections.Users, sub.GetString("user"))
	if err != nil {
		return fmt.Errorf("mail about subscription %s: %w", sub.Id, err)
	}
	data.Service = svc.GetString("label")
	if data.Link, err = portal(tx, "/services/"+svc.Id); err != nil {
		return err
	}
	return s.write(tx, letter{key: fmt.Sprintf("%s:%s:%d", kind, sub.Id, s.Now().UnixMilli()), kind: kind, user: user, data: data})
}
