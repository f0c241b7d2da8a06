package renewals

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/op"
)

// deed is one act of somebody on one subscription, in its transaction.
type deed struct {
	*Subject
	*run
	by     actor
	record *core.Record
	sub    *subscription
	is     billing.Standing
}

// do lets f act on a subscription in one transaction, after reading there what
// decides whether the act is possible.
func (s *Subject) do(app core.App, by actor, id string, now time.Time, act billing.Act, f func(d *deed) error) error {
	return app.RunInTransaction(func(tx core.App) error {
		d, err := s.open(tx, by, id, now)
		if err != nil {
			return err
		}
		if err := refused(d.is.Refuse(act)); err != nil {
			return err
		}
		return f(d)
	})
}

// open reads what an act needs of its subscription.
func (s *Subject) open(tx core.App, by actor, id string, now time.Time) (*deed, error) {
	session, err := s.Books.Open(tx, now)
	if err != nil {
		return nil, err
	}
	d := &deed{Subject: s, run: &run{session: session, tx: tx, now: now}, by: by}
	if d.record, err = tx.FindRecordById(collections.Subscriptions, id); err != nil {
		return nil, fmt.Errorf("subscription %s: %w", id, err)
	}
	if d.sub, err = loadOne(tx, id, now); err != nil {
		return nil, err
	}
	d.is, err = standing(tx, d.sub, d.record)
	return d, err
}

// refused is a refusal as an operation answers it.
func refused(r billing.Refusal) error {
	if r.Code == "" {
		return nil
	}
	return op.NewProblem(http.StatusConflict, r.Code, r.Text)
}

// standing collects what decides about what may be done to a subscription.
func standing(app core.App, sub *subscription, record *core.Record) (billing.Standing, error) {
	open, err := openChange(app, sub.ID)
	return billing.Standing{
		Status: sub.renewal.Status, GatewayOwned: sub.renewal.GatewayOwned, Cycle: sub.renewal.Schedule.Cycle,
		Ends: !sub.renewal.EndsAt.IsZero(), Pauses: !sub.renewal.PauseFrom.IsZero() && sub.renewal.Status != billing.SubscriptionPaused,
		Changing: open != nil, Overdue: sub.Unpaid, Suspended: record.GetString("access") == "suspended" && sub.renewal.Status != billing.SubscriptionPaused,
	}, err
}

// openChange is the change of a subscription that has not taken effect; nil when
// there is none.
func openChange(app core.App, subscription string) (*core.Record, error) {
	found := []*core.Record{}
	err := app.RecordQuery(collections.SubscriptionChanges).
		AndWhere(dbx.NewExp("`subscription` = {:subscription} AND `status` IN ('pending', 'scheduled') AND `kind` != 'price'", dbx.Params{"subscription": subscription})).Limit(1).All(&found)
	if err != nil {
		return nil, fmt.Errorf("open change of subscription %s: %w", subscription, err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	return found[0], nil
}

// paidThrough is the end of what is paid of a subscription; of one that is paid
// by the hour the end of the month, which is when its hours are billed.
func (s *subscription) paidThrough(now time.Time) (time.Time, error) {
	if s.renewal.Schedule.Cycle == billing.Hourly {
		return billing.CalendarMonth(now).End, nil
	}
	end, err := collections.ParseStamp(s.PaidThrough)
	if err != nil {
		return end, fmt.Errorf("subscription %s: paid through: %w", s.ID, err)
	}
	return end, nil
}

// giveUp takes back what is invoiced for the time from a moment on, so that the
// period which starts there is the next to be invoiced, if ever.
func (d *deed) giveUp(from time.Time, key, reason string) error {
	if err := d.Books.TakeBack(d.tx, d.now, ahead(d.sub, from), key, reason, d.by.String()); err != nil {
		return err
	}
	schedule := d.sub.renewal.Schedule
	if _, months := schedule.Cycle.Months(); !months || from.IsZero() {
		return nil
	}
	n, _, err := schedule.At(from)
	if errors.Is(err, billing.ErrBeforeAnchor) {
		n, err = 0, nil
	}
	if err != nil {
		return fmt.Errorf("subscription %s: %w", d.sub.ID, err)
	}
	if n < schedule.NextPeriod {
		d.record.Set("next_period", n)
	}
	return nil
}

// save writes the subscription, so that all who follow it see it.
func (d *deed) save() error {
	if err := collections.Update(d.tx, d.record); err != nil {
		return fmt.Errorf("subscription %s: %w", d.record.Id, err)
	}
	return nil
}

// finish does now what is due of the subscription: its end with all that goes
// with it, or its next period.
func (d *deed) finish() error {
	sub, err := loadOne(d.tx, d.record.Id, d.now)
	if err != nil {
		return err
	}
	return d.customer(sub.User, []*subscription{sub})
}

// note leaves the audit row of the act.
func (d *deed) note(action string, changes map[string]any) error {
	return audit.Write(d.tx, d.now, audit.Entry{
		ActorKind: d.by.kind, Actor: d.by.id, Action: "subscription." + action, Resource: collections.Subscriptions, ResourceID: d.record.Id,
		IP: d.by.ip, UserAgent: d.by.agent, Changes: changes,
	})
}
