package provisioning

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/jobs"
)

// Why a service is, or is to be, switched off: field hold. What staff switched
// off only staff switches on; the other holds follow the subscription's access.
const (
	holdStaff   = "staff"
	holdOverdue = "overdue"
	holdPaused  = "paused"
	holdEnded   = "ended"
)

// overdueNote is the reason that customers of an unpaid service read.
const overdueNote = "An invoice is overdue. Once it is paid, the service is switched on again by itself."

// holdOf is what billing demands of the services of a subscription: "" while
// they may be used.
func holdOf(sub *core.Record) string {
	switch sub.GetString("access") {
	case "suspended":
		if sub.GetString("access_reason") == holdPaused {
			return holdPaused
		}
		return holdOverdue
	case "ended":
		return holdEnded
	}
	return ""
}

// demand is why a service is to be off, by staff or by billing; "" is on.
func demand(svc, sub *core.Record) string {
	if svc.GetString("hold") == holdStaff {
		return holdStaff
	}
	return holdOf(sub)
}

// onAccess follows what billing decides about a subscription, in the transaction
// that decides it.
func (s *Subject) onAccess(app core.App) {
	app.OnRecordUpdateExecute(collections.Subscriptions).Bind(&hook.Handler[*core.RecordEvent]{Id: "provisioningAccess", Func: func(e *core.RecordEvent) error {
		before, after := holdOf(e.Record.Original()), holdOf(e.Record)
		if err := e.Next(); err != nil || before == after {
			return err
		}
		services, err := collections.All(e.App, collections.Services, dbx.HashExp{"subscription": e.Record.Id}, "id ASC")
		if err != nil {
			return err
		}
		for _, svc := range services {
			if err := s.follow(e.App, svc, e.Record); err != nil {
				return err
			}
		}
		return nil
	}})
}

// follow queues what brings a service to what is demanded of it. Its status
// follows when the platform has confirmed; a service that is still being built
// is switched off once it runs.
func (s *Subject) follow(tx core.App, svc, sub *core.Record) error {
	why := demand(svc, sub)
	status, now := statusOf(svc), s.Now()
	kind, opposite := provisioning.JobSuspend, provisioning.JobUnsuspend
	if why == "" {
		kind, opposite = opposite, kind
	}
	if status != provisioning.ServiceActive && status != provisioning.ServiceSuspended {
		return nil
	}
	if err := jobs.Cancel(tx, now, string(opposite)+":"+svc.Id); err != nil {
		return err
	}
	clearAction(svc, actionOf[opposite])
	svc.Set("hold", why)
	if why == holdOverdue {
		svc.Set("status_reason", overdueNote)
	}
	if (status == provisioning.ServiceSuspended) != (why != "") {
		svc.Set("action", actionOf[kind])
		svc.Set("action_note", "")
		if _, err := jobs.Enqueue(tx, now, serviceJob(kind, svc, audit.System, struct{}{})); err != nil {
			return err
		}
	}
	if err := collections.Update(tx, svc); err != nil {
		return fmt.Errorf("service %s: %w", svc.Id, err)
	}
	return nil
}

// demandNow reads again, directly before a call, why the service of a job is to
// be off.
func demandNow(app core.App, svc *core.Record) (string, error) {
	sub, err := app.FindRecordById(collections.Subscriptions, svc.GetString("subscription"))
	if err != nil {
		return "", fmt.Errorf("subscription of service %s: %w", svc.Id, err)
	}
	return demand(svc, sub), nil
}

// dropAction ends a job whose cause is gone: nothing was done.
func dropAction(r *jobs.Run, action string) error {
	return r.Complete(func(tx core.App) error {
		svc, err := tx.FindRecordById(collections.Services, r.Service)
		if err != nil {
			return fmt.Errorf("service %s: %w", r.Service, err)
		}
		clearAction(svc, action)
		return collections.Update(tx, svc)
	})
}

// Reconcile compares every service with what is demanded of it and queues again
// what disagrees: a panel that refused, a job that somebody closed, a service
// that was still being built when its subscription was suspended. What has ended
// is deleted once the time to keep its data is over. It is a task of the schedule.
func (s *Subject) Reconcile(ctx context.Context, app core.App, now time.Time) error {
	keep, err := collections.LoadServicing(app)
	if err != nil {
		return err
	}
	const join = "SELECT `s`.`id` FROM `services` `s` JOIN `subscriptions` `u` ON `u`.`id` = `s`.`subscription` WHERE "
	params := dbx.Params{"before": collections.Stamp(now.AddDate(0, 0, -keep.DeleteAfterDays)).String()}
	failed := []error{}
	for _, work := range []struct {
		where string
		mend  func(tx core.App, svc, sub *core.Record, now time.Time) error
	}{
		{"`s`.`status` = 'active' AND (`s`.`hold` = 'staff' OR `u`.`access` IN ('suspended', 'ended'))", s.mend},
		{"`s`.`status` = 'suspended' AND `s`.`hold` != 'staff' AND `u`.`access` NOT IN ('suspended', 'ended')", s.mend},
		{"`u`.`access` = 'ended' AND `u`.`access_at` != '' AND `u`.`access_at` <= {:before} AND `s`.`status` != 'terminated'", s.end},
		{"`s`.`change_since` != '' AND `s`.`status` = 'active'", s.mendChange},
	} {
		ids := []string{}
		if err := app.DB().NewQuery(join + work.where + " ORDER BY `s`.`rowid`").Bind(params).Column(&ids); err != nil {
			return fmt.Errorf("services to reconcile: %w", err)
		}
		for _, id := range ids {
			if ctx.Err() != nil {
				return errors.Join(failed...)
			}
			err := app.RunInTransaction(func(tx core.App) error { return one(tx, id, now, work.mend) })
			if err != nil {
				failed = append(failed, fmt.Errorf("service %s: %w", id, err))
			}
		}
	}
	return errors.Join(failed...)
}

// one reads a service again and mends it in one transaction.
func one(tx core.App, id string, now time.Time, mend func(tx core.App, svc, sub *core.Record, now time.Time) error) error {
	svc, err := tx.FindRecordById(collections.Services, id)
	if err != nil {
		return err
	}
	sub, err := tx.FindRecordById(collections.Subscriptions, svc.GetString("subscription"))
	if err != nil {
		return err
	}
	return mend(tx, svc, sub, now)
}

// mend queues again what a service lacks, unless that is under way.
func (s *Subject) mend(tx core.App, svc, sub *core.Record, now time.Time) error {
	kind := provisioning.JobUnsuspend
	if demand(svc, sub) != "" {
		kind = provisioning.JobSuspend
	}
	due, err := s.overdueJob(tx, svc, kind, now)
	if err != nil || !due {
		return err
	}
	return s.follow(tx, svc, sub)
}

// end deletes a service whose subscription ended.
func (s *Subject) end(tx core.App, svc, sub *core.Record, now time.Time) error {
	if statusOf(svc) == provisioning.ServicePending { // nothing stands behind it
		svc.Set("status", string(provisioning.ServiceTerminated))
		svc.Set("terminated_at", collections.Stamp(now))
		return collections.Update(tx, svc)
	}
	due, err := s.overdueJob(tx, svc, provisioning.JobTerminate, now)
	if err != nil || !due || sub.GetString("access") != "ended" {
		return err
	}
	svc.Set("action", actionTerminate)
	svc.Set("action_note", "")
	svc.Set("hold", holdEnded)
	if _, err := jobs.Enqueue(tx, now, serviceJob(provisioning.JobTerminate, svc, audit.System, struct{}{})); err != nil {
		return err
	}
	return collections.Update(tx, svc)
}

// How long a job that was given up rests before it is tried again: what a person
// must mend is not asked of the platform every few minutes. Who has paid is not
// kept waiting for a day.
const (
	restAfterFailure = time.Hour
	restAfterRefusal = 24 * time.Hour
)

// overdueJob says whether a job about a service is to be queued: it is not under
// way, does not wait for staff, and was not given up a short while ago. Staff are
// told of each new round.
func (s *Subject) overdueJob(tx core.App, svc *core.Record, kind provisioning.JobKind, now time.Time) (bool, error) {
	key := string(kind) + ":" + svc.Id
	job := &core.Record{}
	err := tx.RecordQuery(collections.Jobs).AndWhere(dbx.NewExp("`key` = {:key} AND `state` != 'done'", dbx.Params{"key": key})).Limit(1).One(job)
	if errors.Is(err, sql.ErrNoRows) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("job %s: %w", key, err)
	}
	rest := restAfterFailure
	if kind != provisioning.JobUnsuspend && job.GetString("error_class") == string(provisioning.ClassPermanent) {
		rest = restAfterRefusal
	}
	if job.GetString("state") != jobs.Failed || now.Sub(collections.Time(job, "updated")) < rest {
		return false, nil
	}
	return true, audit.Write(tx, now, audit.Entry{
		ActorKind: audit.System, Action: "service.disagrees", Resource: collections.Services, ResourceID: svc.Id,
		Changes: map[string]any{"job": key, "status": svc.GetString("status"), "error": job.GetString("error")},
	})
}
