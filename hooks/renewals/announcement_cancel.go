package renewals

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/hooks/op"
)

type callOffRequest struct {
	ID     string `json:"-" path:"id"`
	Reason string `json:"reason"`
}

// Check wants a reason.
func (in callOffRequest) Check(f *op.Fields) {
	reason := strings.TrimSpace(in.Reason)
	f.Check(reason != "" && len(reason) <= 500, "reason", "required", "Say why, in up to 500 characters; it is kept in the audit log.")
}

// cancelAnnouncement calls an announced price off before its day. Customers are
// told by a job; from now on nobody new is.
func (s *Subject) cancelAnnouncement(r *op.Request, in callOffRequest) (announcementView, error) {
	by := who(r, audit.Staff)
	err := r.App.RunInTransaction(func(tx core.App) error {
		row, err := collections.First(tx, collections.PriceAnnouncements, dbx.HashExp{"id": in.ID})
		if err == nil && row == nil {
			err = op.NotFound()
		}
		if err != nil {
			return err
		}
		switch row.GetString("status") {
		case announceCancelling, announceCancelled:
			return nil // the same again
		}
		if from := collections.Time(row, "effective_from"); !from.After(r.Now()) {
			return op.NewProblem(http.StatusConflict, "in_force", "The new price has taken effect on "+from.Format(time.DateOnly)+", so it cannot be called off. Announce another one instead.")
		}
		before := row.GetString("status")
		row.Load(map[string]any{"status": announceCancelling, "cancelled_at": collections.Stamp(r.Now()), "cancelled_by": by.String(), "cancel_reason": strings.TrimSpace(in.Reason)})
		if err := collections.Update(tx, row); err != nil {
			return err
		}
		err = audit.Write(tx, r.Now(), audit.Entry{
			ActorKind: by.kind, Actor: by.id, Action: "price.call_off", Resource: collections.PriceAnnouncements, ResourceID: row.Id, IP: by.ip, UserAgent: by.agent,
			Changes: map[string]any{"status": map[string]string{"before": before, "after": announceCancelling}, "reason": strings.TrimSpace(in.Reason)},
		})
		if err != nil {
			return err
		}
		return s.enqueueAnnouncement(tx, r.Now(), jobCallOff, row.Id, by.String())
	})
	if err != nil {
		return announcementView{}, err
	}
	return s.showAnnouncement(r, byID{in.ID})
}

func (s *Subject) callOff(r *jobs.Run) error {
	return s.batches(r, func(app core.App, id string, most int) (bool, error) {
		return s.callOffBatch(r.Context(), app, id, min(most, leastBatch))
	})
}

// callOffBatch takes an announced price back from the next customers and reports
// whether there may be more. What was invoiced ahead at it is taken back and made
// again at the old price.
func (s *Subject) callOffBatch(ctx context.Context, app core.App, id string, most int) (bool, error) {
	users := []string{}
	err := app.DB().NewQuery("SELECT DISTINCT `user` FROM `subscription_changes` WHERE `announcement` = {:id} AND `status` = 'scheduled' ORDER BY `user` LIMIT {:most}").Bind(dbx.Params{"id": id, "most": most}).Column(&users)
	if err != nil {
		return false, fmt.Errorf("call off announcement %s: %w", id, err)
	}
	if len(users) == 0 {
		_, err := app.DB().Update(collections.PriceAnnouncements, dbx.Params{"status": announceCancelled, "done_at": collections.Stamp(s.Now()).String(), "updated": collections.Stamp(s.Now()).String()}, dbx.HashExp{"id": id, "status": announceCancelling}).Execute()
		return false, err
	}
	if err := s.closeAhead(ctx, app, id, users); err != nil {
		return false, err
	}
	err = app.RunInTransaction(func(tx core.App) error {
		for _, user := range users {
			if err := s.takeOff(tx, id, user); err != nil {
				return fmt.Errorf("call off announcement %s for customer %s: %w", id, user, err)
			}
		}
		return nil
	})
	return err == nil, err
}

// scheduled are the changes of an announcement that have not taken effect, of some
// customers.
func scheduled(app core.App, id string, users ...string) ([]*core.Record, error) {
	of := make([]any, len(users))
	for i, u := range users {
		of[i] = u
	}
	return collections.All(app, collections.SubscriptionChanges, dbx.HashExp{"announcement": id, "user": of, "status": string(billing.ChangeScheduled)}, "subscription ASC")
}

// closeAhead closes the payment pages of what was invoiced ahead at the announced
// price, before it is taken back. It asks gateways, so no transaction is open.
func (s *Subject) closeAhead(ctx context.Context, app core.App, id string, users []string) error {
	changes, err := scheduled(app, id, users...)
	if err != nil {
		return err
	}
	for _, change := range changes {
		sub, err := loadOne(app, change.GetString("subscription"), s.Now())
		if err != nil {
			return err
		}
		if err := s.closeFrom(ctx, app, sub, collections.Time(change, "effective_at")); err != nil {
			return err
		}
	}
	return nil
}

// takeOff takes an announced price back from all that one customer has.
func (s *Subject) takeOff(tx core.App, id, user string) error {
	changes, err := scheduled(tx, id, user)
	if err != nil || len(changes) == 0 {
		return err
	}
	for _, change := range changes {
		if err := drop(tx, s.Now(), change, "The new price was called off."); err != nil {
			return err
		}
		d, err := s.open(tx, actor{kind: audit.System}, change.GetString("subscription"), s.Now())
		if err != nil {
			return err
		}
		if err := d.invoiceAnew(collections.Time(change, "effective_at"), "change:"+change.Id); err != nil {
			return err
		}
	}
	if s.PriceMail == nil {
		return nil
	}
	return s.PriceMail(tx, id, user, true)
}

// invoiceAnew takes back what is invoiced from a moment on and has it invoiced
// again, on the terms as they are now. The time and a pause are left as they are.
func (d *deed) invoiceAnew(from time.Time, key string) error {
	schedule := d.sub.renewal.Schedule
	if _, months := schedule.Cycle.Months(); !months {
		return nil // hours are invoiced in arrears
	}
	if next, err := schedule.Next(); err != nil || !next.Start.After(from) {
		return err // not invoiced yet
	}
	if err := d.giveUp(from, key, "The new price was called off."); err != nil {
		return err
	}
	d.record.Set("next_invoice_at", collections.Stamp(d.now))
	return d.save()
}
