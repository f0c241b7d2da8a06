package provisioning

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/jobs"
)

// changePlan makes the platform give a service what its subscription is for now.
// It may run any number of times, after whatever happened before: what was agreed
// is read again each time, the adapter looks before it does anything, and nothing
// is taken for done that the platform does not show.
func (s *Subject) changePlan(r *jobs.Run) error {
	svc, err := s.load(r)
	if err != nil || !pendingChange(svc) || statusOf(svc) == provisioning.ServiceTerminated {
		return err
	}
	if statusOf(svc) != provisioning.ServiceActive {
		return s.restChange(r)
	}
	w, err := wishNow(r.App, svc)
	if err != nil {
		return err
	}
	if w.idle() && w.tried.Settings == nil {
		return s.changedPlan(r, w, provisioning.PlanChange{})
	}
	adapter, err := s.adapter(r.App, svc)
	if err != nil {
		return err
	}
	can, ok := adapter.(provisioning.PlanChanger)
	if !ok {
		return w.parked("its platform cannot change a service by itself", w.ByStaff())
	}
	if _, reads := adapter.(provisioning.StatusReader); reads {
		if err := s.checkOurs(r, svc); err != nil {
			return w.refused(err)
		}
	}
	return s.askChange(r, w, can)
}

// askChange has the platform make the change.
func (s *Subject) askChange(r *jobs.Run, w planWish, can provisioning.PlanChanger) error {
	there, err := w.there()
	if err != nil {
		return w.refused(err)
	}
	if err := r.Intent(func(tx core.App) error { return w.begin(tx) }); err != nil {
		return err
	}
	done, err := can.ChangePlan(r.Context(), there)
	if err != nil {
		if provisioning.Classify(err) != provisioning.ClassUnknown { // what else the customer wants need not wait for it
			err = errors.Join(w.refused(err), r.Outcome(nil))
		}
		return err
	}
	return s.changedPlan(r, w, done)
}

// begin notes what is about to be asked of the platform, so that a later wish knows
// that the platform may stand there.
func (w planWish) begin(tx core.App) error {
	svc, err := tx.FindRecordById(collections.Services, w.ServiceID)
	if err != nil {
		return fmt.Errorf("service %s: %w", w.ServiceID, err)
	}
	svc.Set("change_tried", tried{w.To, w.Unsure})
	return collections.Update(tx, svc)
}

// refused parks what the platform will not do; the customer pays for it, so that
// it must not be given up in silence. All else is tried again.
func (w planWish) refused(err error) error {
	switch provisioning.Classify(err) {
	case provisioning.ClassPermanent:
		return w.parked("its platform refuses", err)
	case provisioning.ClassStaff:
		return w.parked("people have to do a part of it", err)
	default:
		return err
	}
}

func (w planWish) parked(why string, err error) error {
	return fmt.Errorf("The change is in effect and billed (%s), but %s: %w: %w. Do it at the platform and close this job, or take the change back and then close it", //nolint:staticcheck,revive // sentences for staff
		w.changes(), why, err, provisioning.ErrStaff)
}

// errOvertaken: what was done is not what is wanted any more.
var errOvertaken = errors.New("the subscription was changed meanwhile")

// changedPlan writes what the platform has confirmed. Where another change took
// effect meanwhile, that is done next: its own job found this one open.
func (s *Subject) changedPlan(r *jobs.Run, w planWish, done provisioning.PlanChange) error {
	err := r.Complete(func(tx core.App) error {
		svc, err := tx.FindRecordById(collections.Services, r.Service)
		if err != nil {
			return fmt.Errorf("service %s: %w", r.Service, err)
		}
		if statusOf(svc) == provisioning.ServiceTerminated {
			return nil
		}
		now, err := wishNow(tx, svc)
		if err != nil {
			return err
		}
		if !now.same(w) {
			return errOvertaken
		}
		w.settle(svc, done.Restart)
		if err := collections.Update(tx, svc); err != nil {
			return fmt.Errorf("service %s: %w", svc.Id, err)
		}
		if _, err := jobs.Enqueue(tx, r.Now(), serviceJob(provisioning.JobRefresh, svc, audit.System, refreshPayload{})); err != nil {
			return err
		}
		if w.idle() {
			return nil // it was taken back before anything was done
		}
		return s.noteChange(tx, r, svc, w)
	})
	if !errors.Is(err, errOvertaken) {
		return err
	}
	if err := r.Outcome(nil); err != nil {
		return err
	}
	return jobs.Later(0)
}

// noteChange writes a change that is done to the service's log and the audit.
func (s *Subject) noteChange(tx core.App, r *jobs.Run, svc *core.Record, w planWish) error {
	if err := logDone(tx, r, svc, actionChangePlan, collections.Cut(w.changes(), 1900)); err != nil {
		return err
	}
	return audit.Write(tx, r.Now(), audit.Entry{
		ActorKind: audit.System, Action: "service.change_plan.done", Resource: collections.Services, ResourceID: svc.Id,
		Changes: map[string]any{"plan": map[string]string{"before": w.plan, "after": w.toPlan}, "changes": w.Differences(), "restart_needed": svc.GetBool("restart_needed")},
	})
}

// restChange ends the job of a service that is not active: the change is made once
// it is built, or on again. That may have happened just now.
func (s *Subject) restChange(r *jobs.Run) error {
	err := r.Complete(func(tx core.App) error {
		svc, err := tx.FindRecordById(collections.Services, r.Service)
		if err == nil && statusOf(svc) == provisioning.ServiceActive {
			err = errOvertaken
		}
		return err
	})
	if errors.Is(err, errOvertaken) {
		return jobs.Later(0)
	}
	return err
}

// changeByHand takes staff's word that a change was made at the platform, or is not
// to be made any more: they closed its job.
func (s *Subject) changeByHand(tx core.App, id, actor string) error {
	svc, err := collections.First(tx, collections.Services, dbx.HashExp{"id": id})
	if err != nil || svc == nil || !pendingChange(svc) || statusOf(svc) == provisioning.ServiceTerminated {
		return err
	}
	w, err := wishNow(tx, svc)
	if err != nil {
		return err
	}
	w.settle(svc, false)
	if err := collections.Update(tx, svc); err != nil {
		return fmt.Errorf("service %s: %w", svc.Id, err)
	}
	return writeLog(tx, svc, actionChangePlan, "done", actor, collections.Cut(w.changes(), 1900), "", s.Now(), s.Now())
}

// feasiblePatience is how long a customer who looks at a change waits for the
// platform; what it does not say in time is found out by the job.
const feasiblePatience = 8 * time.Second

// Feasible says, before anybody agrees to it, whether the platform of a
// subscription's service can give it a plan with options: byStaff where people do
// it, a provisioning.ImpossibleError where it cannot be done. A platform that does
// not answer is no refusal. It calls platforms: never from within a transaction.
func (s *Subject) Feasible(ctx context.Context, app core.App, subscription, plan string, options map[string]string) (byStaff bool, err error) {
	svc, err := collections.First(app, collections.Services, dbx.HashExp{"subscription": subscription})
	if err != nil || svc == nil || svc.GetString("platform_service_id") == "" && !s.byHand(app, svc) {
		return false, err // it is built as it is then agreed
	}
	w, err := wishFor(app, svc, plan, options)
	if err != nil || w.idle() {
		return false, err
	}
	adapter, err := s.adapter(app, svc)
	if err != nil {
		return false, unanswered(app, svc, err)
	}
	can, ok := adapter.(provisioning.PlanChanger)
	if !ok {
		return true, nil
	}
	there, err := w.there()
	if err != nil {
		return true, unanswered(app, svc, err)
	}
	limited, cancel := context.WithTimeout(ctx, feasiblePatience)
	defer cancel()
	err = can.CheckPlan(limited, there)
	var no *provisioning.ImpossibleError
	switch class := provisioning.Classify(err); {
	case errors.As(err, &no):
		return false, no
	case class == provisioning.ClassStaff, class == provisioning.ClassPermanent:
		return true, unanswered(app, svc, err)
	case err != nil:
		return false, unanswered(app, svc, err)
	}
	return false, nil
}

// unanswered logs why a platform could not say; it never stands in a sale's way.
func unanswered(app core.App, svc *core.Record, err error) error {
	if !errors.Is(err, provisioning.ErrStaff) {
		app.Logger().Warn("Whether a change is possible could not be found out", "service", svc.Id, "error", err)
	}
	return nil
}
