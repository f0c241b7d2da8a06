package renewals

import (
	"net/http"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/op"
)

// pause stops a subscription at the end of what is paid: nothing is billed from
// then on, and the service rests until the customer resumes.
func (s *Subject) pause(r *op.Request, by actor, id string, _ byID) (subscriptionView, error) {
	now := r.Now()
	sub, err := loadOne(r.App, id, now)
	if err != nil {
		return subscriptionView{}, err
	}
	from, err := sub.paidThrough(now)
	if err != nil {
		return subscriptionView{}, err
	}
	if err := s.closePages(r, sub, from); err != nil {
		return subscriptionView{}, err
	}
	err = s.do(r.App, by, id, now, billing.ActPause, func(d *deed) error {
		paid, err := d.sub.paidThrough(d.now)
		if err != nil {
			return err
		}
		if !paid.After(d.now) {
			return op.NewProblem(http.StatusConflict, "overdue", "The period that has begun is not paid yet. Please pay it first.")
		}
		if err := d.giveUp(paid, "pause:"+d.sub.ID+":"+collections.Stamp(d.now).String(), "The subscription pauses."); err != nil {
			return err
		}
		d.record.Load(map[string]any{"pause_from": collections.Stamp(paid), "next_invoice_at": collections.Stamp(paid)})
		if err := d.save(); err != nil {
			return err
		}
		return d.note("pause", map[string]any{"from": paid.UTC()})
	})
	if err != nil {
		return subscriptionView{}, err
	}
	return s.view(r.App, id, now)
}
