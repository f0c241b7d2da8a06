package provisioning

import (
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

// The words for what is being done to a service, as stored in its action.
const (
	actionSuspend   = "suspend"
	actionUnsuspend = "unsuspend"
	actionTerminate = "terminate"
	actionPower     = "power"
	actionReset     = "reset_password"
	actionReinstall = "reinstall"
)

var actionOf = map[provisioning.JobKind]string{
	provisioning.JobSuspend: actionSuspend, provisioning.JobUnsuspend: actionUnsuspend, provisioning.JobTerminate: actionTerminate,
	provisioning.JobPower: actionPower, provisioning.JobResetPassword: actionReset, provisioning.JobReinstall: actionReinstall,
}

// powerPatience is how long a power action may wait: a restart that comes an
// hour late is worse than none.
const powerPatience = 3 * time.Minute

// load finds the service of a job.
func (s *Subject) load(r *jobs.Run) (*core.Record, error) {
	svc, err := collections.First(r.App, collections.Services, dbx.HashExp{"id": r.Service})
	if err == nil && svc == nil {
		err = fmt.Errorf("service %s is gone: %w", r.Service, provisioning.ErrPermanent)
	}
	return svc, err
}

// checkOurs reads the remote object before a destructive call and refuses when
// it belongs to somebody else. A server that is gone is reported as such. People
// need no such check.
func (s *Subject) checkOurs(r *jobs.Run, svc *core.Record) error {
	adapter, err := s.adapter(r.App, svc)
	if err != nil {
		return err
	}
	reader, ok := adapter.(provisioning.StatusReader)
	if !ok {
		return nil
	}
	st, err := reader.Status(r.Context(), svc.GetString("platform_service_id"))
	if err != nil {
		return err
	}
	if owner := svc.GetString("platform_user_id"); st.OwnerRef != "" && owner != "" && st.OwnerRef != owner {
		return fmt.Errorf("server %s belongs to panel user %s, we expect %s: stopped: %w", svc.GetString("platform_service_id"), st.OwnerRef, owner, provisioning.ErrPermanent)
	}
	return nil
}

// switchPayload is that of a job that switches a service off or on.
type switchPayload struct {
	// Again says that it is so here already, and that the platform has lost it.
	Again bool `json:"again"`
}

// switches loads the service of a job that takes it from one status to another; nil
// where there is nothing to do.
func (s *Subject) switches(r *jobs.Run, from, to provisioning.ServiceStatus) (*core.Record, error) {
	p := switchPayload{}
	if err := r.Payload(&p); err != nil {
		return nil, err
	}
	svc, err := s.load(r)
	if err != nil || statusOf(svc) != from && (!p.Again || statusOf(svc) != to) {
		return nil, err
	}
	return svc, nil
}

func (s *Subject) suspend(r *jobs.Run) error {
	svc, err := s.switches(r, provisioning.ServiceActive, provisioning.ServiceSuspended)
	if err != nil || svc == nil {
		return err
	}
	why, err := demandNow(r.App, svc)
	if err != nil {
		return err
	}
	if why == "" {
		return dropAction(r, actionSuspend) // paid meanwhile
	}
	can, err := ability[provisioning.Suspender](s, r.App, svc, "suspend")
	if err != nil {
		return err
	}
	if err := s.checkOurs(r, svc); err != nil {
		return err
	}
	if err := r.Intent(nil); err != nil {
		return err
	}
	if err := can.Suspend(r.Context(), svc.GetString("platform_service_id")); err != nil {
		return err
	}
	return s.settled(r, provisioning.ServiceSuspended, actionSuspend, func(svc *core.Record) {
		if collections.Time(svc, "suspended_at").IsZero() {
			svc.Set("suspended_at", collections.Stamp(r.Now()))
		}
		svc.Set("hold", why)
		svc.Set("power", string(provisioning.PowerStopped))
		svc.Set("restart_needed", false) // it starts anew when it is switched on
	})
}

func (s *Subject) unsuspend(r *jobs.Run) error {
	svc, err := s.switches(r, provisioning.ServiceSuspended, provisioning.ServiceActive)
	if err != nil || svc == nil {
		return err
	}
	why, err := demandNow(r.App, svc)
	if err != nil {
		return err
	}
	if why != "" {
		return dropAction(r, actionUnsuspend)
	}
	can, err := ability[provisioning.Suspender](s, r.App, svc, "unsuspend")
	if err != nil {
		return err
	}
	if err := s.checkOurs(r, svc); err != nil {
		return err
	}
	if err := r.Intent(nil); err != nil {
		return err
	}
	if err := can.Unsuspend(r.Context(), svc.GetString("platform_service_id")); err != nil {
		return err
	}
	return s.settled(r, provisioning.ServiceActive, actionUnsuspend, func(svc *core.Record) {
		svc.Set("suspended_at", "")
		svc.Set("hold", "")
		svc.Set("status_reason", "")
		svc.Set("power", string(provisioning.PowerUnknown))
	})
}

func (s *Subject) terminate(r *jobs.Run) error {
	svc, err := s.load(r)
	if err != nil || svc.GetString("status") == string(provisioning.ServiceTerminated) {
		return err
	}
	// What people have set up has an id only where they gave it one.
	gone := svc.GetString("platform_service_id") == "" && (!s.byHand(r.App, svc) || svc.GetString("provisioned_at") == "")
	if !gone {
		can, err := ability[provisioning.Terminator](s, r.App, svc, "terminate")
		if err != nil {
			return err
		}
		if err := s.checkOurs(r, svc); err != nil && !errors.Is(err, provisioning.ErrNotFound) {
			return err
		}
		if err := r.Intent(nil); err != nil {
			return err
		}
		if gone, err = can.Terminate(r.Context(), svc.GetString("platform_service_id")); err != nil {
			return err
		}
	}
	if !gone {
		return jobs.Later(10 * time.Second)
	}
	return s.settled(r, provisioning.ServiceTerminated, actionTerminate, func(svc *core.Record) {
		svc.Set("terminated_at", collections.Stamp(r.Now()))
		svc.Set("power", "")
		svc.Set("busy", false)
		svc.Set("credentials", "")
	})
}

// settled writes what the platform has confirmed: the status, the log and the
// end of the pending action.
func (s *Subject) settled(r *jobs.Run, status provisioning.ServiceStatus, action string, change func(svc *core.Record)) error {
	return r.Complete(func(tx core.App) error {
		svc, err := tx.FindRecordById(collections.Services, r.Service)
		if err != nil {
			return fmt.Errorf("service %s: %w", r.Service, err)
		}
		before := svc.GetString("status")
		svc.Set("status", string(status))
		clearAction(svc, action)
		change(svc)
		switch status {
		case provisioning.ServiceTerminated:
			if err := errors.Join(assign(tx, svc, nil, r.Now()), s.dropChange(tx, svc)); err != nil {
				return err
			}
		case provisioning.ServiceActive:
			if err := s.resumeChange(tx, svc); err != nil {
				return err
			}
		default: // a change waits until it is on again
		}
		if err := collections.Save(tx, svc); err != nil {
			return fmt.Errorf("service %s: %w", svc.Id, err)
		}
		if err := logDone(tx, r, svc, action, ""); err != nil {
			return err
		}
		return audit.Write(tx, r.Now(), audit.Entry{
			ActorKind: audit.System, Action: "service." + action + ".done", Resource: collections.Services, ResourceID: svc.Id,
			Changes: map[string]any{"status": map[string]string{"before": before, "after": string(status)}, "asked_by": r.Actor},
		})
	})
}

func clearAction(svc *core.Record, action string) {
	if svc.GetString("action") == action {
		svc.Set("action", "")
		svc.Set("action_note", "")
	}
}

type powerPayload struct {
	Action string `json:"action"`
}

// power switches a service. An action whose answer was lost is not repeated:
// the state is read instead, and the person sees it.
func (s *Subject) power(r *jobs.Run) error {
	p := powerPayload{}
	if err := r.Payload(&p); err != nil {
		return err
	}
	svc, err := s.load(r)
	if err != nil {
		return err
	}
	act, known := provisioning.ParsePowerAction(p.Action)
	if !known || svc.GetString("status") != string(provisioning.ServiceActive) {
		return s.powered(r, p.Action, "The service is not active any more.")
	}
	if r.InFlight {
		return s.powered(r, p.Action, "")
	}
	if r.Now().Sub(r.Queued) > powerPatience {
		return s.powered(r, p.Action, "The host was busy for too long, so nothing was done. Please try again.")
	}
	can, err := ability[provisioning.Power](s, r.App, svc, "switch power")
	if err != nil {
		return err
	}
	if err := r.Intent(nil); err != nil {
		return err
	}
	switch err := can.Power(r.Context(), svc.GetString("platform_service_id"), act); provisioning.Classify(err) {
	case provisioning.ClassNone:
		return s.powered(r, p.Action, "", func(svc *core.Record) { svc.Set("restart_needed", false) })
	case provisioning.ClassUnknown:
		return s.powered(r, p.Action, "")
	case provisioning.ClassTemporary:
		if err := r.Outcome(nil); err != nil {
			return err
		}
		return jobs.Later(3 * time.Second)
	default:
		return s.powered(r, p.Action, "The host refused: nothing was done.")
	}
}

// powered ends a power action; a failure is a sentence for the customer.
func (s *Subject) powered(r *jobs.Run, action, failure string, changes ...func(svc *core.Record)) error {
	return r.Complete(func(tx core.App) error {
		svc, err := tx.FindRecordById(collections.Services, r.Service)
		if err != nil {
			return fmt.Errorf("service %s: %w", r.Service, err)
		}
		clearAction(svc, actionPower)
		svc.Set("action_note", failure)
		svc.Set("busy", false)
		for _, change := range changes {
			change(svc)
		}
		if err := collections.Save(tx, svc); err != nil {
			return fmt.Errorf("service %s: %w", svc.Id, err)
		}
		status := "done"
		if failure != "" {
			status = "failed"
		}
		if err := writeLog(tx, svc, action, status, r.Actor, "", failure, r.Queued, r.Now()); err != nil {
			return err
		}
		_, err = jobs.Enqueue(tx, r.Now(), serviceJob(provisioning.JobRefresh, svc, r.Actor, refreshPayload{Again: 3}))
		return err
	})
}

func (s *Subject) resetPassword(r *jobs.Run) error {
	svc, err := s.load(r)
	if err != nil || svc.GetString("status") != string(provisioning.ServiceActive) {
		return err
	}
	can, err := ability[provisioning.PasswordResetter](s, r.App, svc, "reset passwords")
	if err != nil {
		return err
	}
	if err := r.Intent(nil); err != nil { // repeating sets yet another password, which is harmless
		return err
	}
	c, err := can.ResetPassword(r.Context(), svc.GetString("platform_service_id"))
	if err != nil {
		return err
	}
	return r.Complete(func(tx core.App) error {
		svc, err := tx.FindRecordById(collections.Services, r.Service)
		if err != nil {
			return fmt.Errorf("service %s: %w", r.Service, err)
		}
		if err := s.sealCredentials(svc, c); err != nil {
			return err
		}
		clearAction(svc, actionReset)
		if err := collections.Save(tx, svc); err != nil {
			return fmt.Errorf("service %s: %w", svc.Id, err)
		}
		return logDone(tx, r, svc, actionReset, "")
	})
}

// givenUp tells customer and staff that a job about a service needs a person.
func (s *Subject) givenUp(tx core.App, r *jobs.Run, cause error) error {
	if r.Service == "" || r.Kind == string(provisioning.JobRefresh) {
		return nil
	}
	svc, err := tx.FindRecordById(collections.Services, r.Service)
	if err != nil {
		return fmt.Errorf("service %s: %w", r.Service, err)
	}
	note := "Our team has been told and will look at this. You do not need to do anything."
	if errors.Is(cause, provisioning.ErrStaff) {
		note = waitingNote(provisioning.ClassStaff)
	}
	if r.Kind == string(provisioning.JobChangePlan) {
		svc.Set("change_by_staff", true) // the service runs on as it is
	} else {
		svc.Set("action_note", note)
	}
	if r.Kind == string(provisioning.JobProvision) && !errors.Is(cause, provisioning.ErrStaff) {
		if err := failStep(svc, note, r.Now()); err != nil {
			return err
		}
	}
	if err := collections.Save(tx, svc); err != nil {
		return fmt.Errorf("service %s: %w", svc.Id, err)
	}
	if err := writeLog(tx, svc, r.Kind, "failed", r.Actor, "", collections.Cut(cause.Error(), 900), r.Queued, r.Now()); err != nil {
		return err
	}
	if errors.Is(cause, provisioning.ErrStaff) {
		if err := s.makeTask(tx, r.ID, provisioning.JobKind(r.Kind), svc); err != nil {
			return err
		}
	}
	if err := s.Waits(tx, svc.GetString("platform")); err != nil {
		return err
	}
	return audit.Write(tx, r.Now(), audit.Entry{
		ActorKind: audit.System, Action: "job.given_up", Resource: collections.Services, ResourceID: r.Service,
		Changes: map[string]any{"job": r.Key, "cause": collections.Cut(cause.Error(), 900)},
	})
}
