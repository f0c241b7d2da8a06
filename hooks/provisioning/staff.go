package provisioning

import (
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/jobs"
)

// fixed are the fields of a service that are not edited by hand: they say whose
// it is and what stands behind it.
var fixed = []string{"user", "subscription", "plan", "platform", "service_type", "credentials", "by_hand"}

// observed are the fields that jobs write, also while somebody has the form open.
// The admin UI sends every field back, as it was when the form was opened and with
// JSON written its own way, so what is stored stays whatever is sent.
var observed = []string{"build", "steps", "usage", "action", "action_note", "busy", "power", "power_at", "provisioned_at", "placed_at", "home_platform", "panel_settings", "change_since", "change_tried", "change_by_staff", "restart_needed", "reinstalled_at"}

// guard keeps services true: every save obeys the lifecycle, and a status that
// staff edits in the admin UI makes the platform act.
func (s *Subject) guard(app core.App) {
	app.OnRecordUpdate(collections.Services).Bind(&hook.Handler[*core.RecordEvent]{Id: "provisioningServiceGuard", Func: func(e *core.RecordEvent) error {
		from, to := statusOf(e.Record.Original()), statusOf(e.Record)
		if err := provisioning.CheckServiceTransition(from, to); err != nil {
			return apis.NewBadRequestError(err.Error(), nil)
		}
		return e.Next()
	}})
	app.OnRecordDelete(collections.Services).Bind(&hook.Handler[*core.RecordEvent]{Id: "provisioningServiceKeep", Func: func(e *core.RecordEvent) error {
		return apis.NewBadRequestError("A service is never deleted: set its status to terminated, then archive it.", nil)
	}})
	app.OnRecordCreateRequest(collections.Services).Bind(&hook.Handler[*core.RecordRequestEvent]{Id: "provisioningNoStray", Func: func(*core.RecordRequestEvent) error {
		return apis.NewForbiddenError("Services come from orders, so that somebody pays for each.", nil)
	}})
	app.OnRecordUpdateRequest(collections.Services).Bind(&hook.Handler[*core.RecordRequestEvent]{Id: "provisioningStaffEdit", Func: s.staffEdit})
}

func statusOf(r *core.Record) provisioning.ServiceStatus {
	return provisioning.ServiceStatus(r.GetString("status"))
}

// staffEdit takes an edit of a service in the admin UI. A new status is what
// staff wants; the record keeps what is until the platform has confirmed, and
// says meanwhile what is being done.
func (s *Subject) staffEdit(e *core.RecordRequestEvent) error {
	before := e.Record.Original()
	for _, f := range fixed {
		if before.GetString(f) != e.Record.GetString(f) {
			return apis.NewBadRequestError(fmt.Sprintf("The field %s is written by the product alone. To change what is done to a service, edit its status.", f), nil)
		}
	}
	for _, f := range observed {
		e.Record.SetRaw(f, before.GetRaw(f))
	}
	from, to := statusOf(before), statusOf(e.Record)
	if from == to && before.GetString("hold") != e.Record.GetString("hold") {
		return s.editHold(e)
	}
	if from == to {
		return e.Next()
	}
	e.Record.Set("hold", before.GetString("hold"))
	if err := provisioning.CheckServiceTransition(from, to); err != nil {
		return apis.NewBadRequestError("This "+err.Error()+".", nil)
	}
	outer := e.App
	return outer.RunInTransaction(func(tx core.App) error {
		e.App = tx
		defer func() { e.App = outer }()
		if err := s.want(tx, e, from, to); err != nil {
			return err
		}
		err := audit.Write(tx, s.Now(), audit.Entry{
			ActorKind: audit.Staff, Actor: e.Auth.Id, Action: "service.status", Resource: collections.Services, ResourceID: e.Record.Id,
			IP: e.RealIP(), UserAgent: e.Request.UserAgent(),
			Changes: map[string]any{"status": map[string]string{"before": string(from), "wanted": string(to)}, "reason": e.Record.GetString("status_reason")},
		})
		if err != nil {
			return err
		}
		return e.Next()
	})
}

// want queues what brings a service to the status that staff asked for.
func (s *Subject) want(tx core.App, e *core.RecordRequestEvent, from, to provisioning.ServiceStatus) error {
	svc, actor := e.Record, "staff:"+e.Auth.Id
	if err := s.setHold(tx, svc, from, to); err != nil {
		return err
	}
	if s.byHand(tx, svc) {
		if err := ticksFirst(tx, svc, to); err != nil {
			return err
		}
		return s.doneByHand(tx, svc, to, actor)
	}
	kind, needed := provisioning.JobFor(from, to)
	if !needed {
		if to == provisioning.ServiceActive && svc.GetString("platform_service_id") == "" {
			return apis.NewBadRequestError("Nothing stands behind this service yet: give its platform_service_id first, or let it be built.", nil)
		}
		return nil
	}
	if busy := svc.GetString("action"); busy != "" {
		return apis.NewBadRequestError(fmt.Sprintf("Another action (%s) is under way on this service; wait for it, or close its job.", busy), nil)
	}
	if kind == provisioning.JobProvision {
		svc.Set("steps", begun(s.Now()))
		_, err := jobs.Enqueue(tx, s.Now(), serviceJob(kind, svc, actor, struct{}{}))
		return err
	}
	svc.Set("status", string(from))
	svc.Set("action", actionOf[kind])
	svc.Set("action_note", "")
	added, err := jobs.Enqueue(tx, s.Now(), serviceJob(kind, svc, actor, struct{}{}))
	if err == nil && !added {
		err = apis.NewBadRequestError("The same action is finishing on this service; try again in a moment.", nil)
	}
	return err
}

// setHold notes that staff switched a service off, or lifts what staff did. What
// billing switched off is not switched on past billing.
func (s *Subject) setHold(tx core.App, svc *core.Record, from, to provisioning.ServiceStatus) error {
	switch {
	case to == provisioning.ServiceSuspended:
		sub, err := tx.FindRecordById(collections.Subscriptions, svc.GetString("subscription"))
		if err != nil {
			return fmt.Errorf("subscription of service %s: %w", svc.Id, err)
		}
		if why := holdOf(sub); why != "" { // it does what billing asked for
			svc.Set("hold", why)
			return nil
		}
		svc.Set("hold", holdStaff)
	case from == provisioning.ServiceSuspended && to == provisioning.ServiceActive:
		svc.Set("hold", "")
		switch why, err := demandNow(tx, svc); {
		case err != nil:
			return err
		case why == holdOverdue:
			return apis.NewBadRequestError("An invoice of this service is overdue: enter its payment, or exempt the customer from suspension until a date.", nil)
		case why == holdPaused:
			return apis.NewBadRequestError("The subscription is paused: resume it instead.", nil)
		case why == holdEnded:
			return apis.NewBadRequestError("The subscription has ended: the service cannot be switched on any more.", nil)
		}
	}
	return nil
}

// editHold takes an edit of the field hold: staff puts its own hold on a service,
// also on one that is off for another reason, or lifts it.
func (s *Subject) editHold(e *core.RecordRequestEvent) error {
	if hold := e.Record.GetString("hold"); hold != holdStaff && hold != "" || hold == "" && e.Record.Original().GetString("hold") != holdStaff {
		return apis.NewBadRequestError("Staff sets hold to staff, or empties what was staff; the other values follow the subscription.", nil)
	}
	outer := e.App
	return outer.RunInTransaction(func(tx core.App) error {
		e.App = tx
		defer func() { e.App = outer }()
		if err := e.Next(); err != nil {
			return err
		}
		return one(tx, e.Record.Id, s.Now(), func(tx core.App, svc, sub *core.Record, _ time.Time) error { return s.follow(tx, svc, sub) })
	})
}

// byHand reports whether staff itself is the platform.
func (s *Subject) byHand(tx core.App, svc *core.Record) bool {
	if svc.GetBool("by_hand") {
		return true
	}
	platform, err := collections.First(tx, collections.Platforms, dbx.HashExp{"id": svc.GetString("platform")})
	return err == nil && platform != nil && platform.GetString("kind") == kindManual
}

// typedAddresses are those that staff typed into the record.
func typedAddresses(svc *core.Record) []provisioning.Address {
	list := []provisioning.Address{}
	if ip := svc.GetString("ipv4"); ip != "" {
		list = append(list, provisioning.Address{IP: ip, Primary: true})
	}
	if ip := svc.GetString("ipv6"); ip != "" {
		list = append(list, provisioning.Address{IP: ip, Primary: len(list) == 0})
	}
	return list
}

// doneByHand takes staff's word that the work is done.
func (s *Subject) doneByHand(tx core.App, svc *core.Record, to provisioning.ServiceStatus, actor string) error {
	now := s.Now()
	switch to {
	case provisioning.ServiceActive:
		svc.Set("suspended_at", "")
		if svc.GetString("provisioned_at") == "" {
			svc.Set("provisioned_at", collections.Stamp(now))
			if err := setSteps(svc, "", "done", "", now); err != nil {
				return err
			}
		}
		if err := errors.Join(assign(tx, svc, typedAddresses(svc), now), s.resumeChange(tx, svc)); err != nil {
			return err
		}
	case provisioning.ServiceSuspended:
		svc.Set("suspended_at", collections.Stamp(now))
	case provisioning.ServiceTerminated:
		svc.Set("terminated_at", collections.Stamp(now))
		svc.Set("credentials", "")
		if err := errors.Join(assign(tx, svc, nil, now), s.dropChange(tx, svc)); err != nil {
			return err
		}
	case provisioning.ServicePending, provisioning.ServiceProvisioning:
	}
	svc.Set("action", "")
	svc.Set("action_note", "")
	for _, kind := range []provisioning.JobKind{provisioning.JobProvision, provisioning.JobSuspend, provisioning.JobUnsuspend, provisioning.JobTerminate} {
		if err := jobs.Cancel(tx, now, string(kind)+":"+svc.Id); err != nil {
			return err
		}
	}
	return writeLog(tx, svc, "status_"+string(to), "done", actor, "", "", now, now)
}
