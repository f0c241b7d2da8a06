package provisioning

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/hooks/op"
)

// What staff may do with a job that was given up or waits for them.
const (
	jobRetry    = "retry"     // try again
	jobClose    = "close"     // it is done otherwise, or not to be done any more
	jobAdopt    = "adopt"     // the server exists: build on
	jobSkip     = "skip"      // leave its step out
	jobTakeOver = "take_over" // people do it, and all else of the service, until it is handed back
)

// adoptPatience is how long staff waits for a platform that compares a server.
const adoptPatience = 20 * time.Second

type jobRequest struct {
	ID       string `json:"-" path:"id"`
	Action   string `json:"action"`
	Reason   string `json:"reason"`
	RemoteID string `json:"remote_id"` // of the server to adopt
}

// Check knows what staff may do with a job that was given up.
func (in jobRequest) Check(f *op.Fields) {
	f.Check(slices.Contains([]string{jobRetry, jobClose, jobAdopt, jobSkip, jobTakeOver}, in.Action), "action", "unknown_action", "action must be retry, close, adopt, skip or take_over")
	f.Check(strings.TrimSpace(in.Reason) != "", "reason", "required", "Say why; it is kept in the audit log.")
	f.Check((in.RemoteID != "") == (in.Action == jobAdopt) && len(in.RemoteID) <= 120, "remote_id", "required", "remote_id goes with adopt: the platform's id of the server that exists.")
}

func (s *Subject) jobOps(t *op.Table) {
	op.Add(t, op.Spec{ID: "staff.jobs.act", Method: http.MethodPost, Path: "/api/v1/staff/jobs/{id}", Access: op.Staff, Summary: "Retry or close a job that was given up, take it over, adopt a server that exists, or skip a step"}, s.actOnJob)
	op.Add(t, op.Spec{ID: "staff.services.take_over", Method: http.MethodPost, Path: "/api/v1/staff/services/{id}/take-over", Access: op.Staff, Summary: "Work on a service by hand; nothing is asked of its platform until it is handed back"}, s.takeOver)
	op.Add(t, op.Spec{ID: "staff.services.hand_back", Method: http.MethodPost, Path: "/api/v1/staff/services/{id}/hand-back", Access: op.Staff, Summary: "Let a service's platform do the work again"}, s.handBack)
}

func (s *Subject) actOnJob(r *op.Request, in jobRequest) (op.None, error) {
	job, err := givenUpJob(r.App, in.ID)
	if err != nil {
		return op.None{}, err
	}
	act, err := s.jobAct(r, in, job)
	if err != nil {
		return op.None{}, err
	}
	return op.None{}, r.App.RunInTransaction(func(tx core.App) error {
		if _, err := givenUpJob(tx, in.ID); err != nil {
			return err // somebody else was faster
		}
		if err := act(tx); err != nil {
			return err
		}
		changes := map[string]any{"job": job.GetString("key"), "reason": in.Reason, "error": job.GetString("error")}
		if in.RemoteID != "" {
			changes["remote_id"] = in.RemoteID
		}
		return s.staffAudit(tx, r, "job."+in.Action, collections.Jobs, job.Id, changes)
	})
}

// givenUpJob reads a job that staff may act on.
func givenUpJob(app core.App, id string) (*core.Record, error) {
	job, err := collections.First(app, collections.Jobs, dbx.HashExp{"id": id})
	if err != nil {
		return nil, err
	}
	if job == nil {
		return nil, op.NotFound()
	}
	if state := job.GetString("state"); state != jobs.Failed && state != jobs.Parked {
		return nil, op.NewProblem(http.StatusConflict, "not_given_up", "Only jobs that were given up or wait for staff can be acted on; this one is "+state+".")
	}
	return job, nil
}

// jobAct is what is done to a job in one transaction. What has to be asked of a
// platform is asked before.
func (s *Subject) jobAct(r *op.Request, in jobRequest, job *core.Record) (func(tx core.App) error, error) {
	switch in.Action {
	case jobClose:
		return func(tx core.App) error { return s.closeJob(tx, r, job) }, nil
	case jobTakeOver:
		return func(tx core.App) error {
			if err := s.takeService(tx, r, job.GetString("service")); err != nil {
				return err
			}
			return again(tx, r.Now(), job)
		}, nil
	case jobAdopt, jobSkip:
		return s.moveBuild(r, in, job)
	}
	svc, err := collections.First(r.App, collections.Services, dbx.HashExp{"id": job.GetString("service")})
	if err != nil {
		return nil, err
	}
	if svc != nil && svc.GetBool("by_hand") && job.GetString("kind") == string(provisioning.JobProvision) {
		return nil, op.NewProblem(http.StatusConflict, "by_hand", "Staff works on this service by hand: hand it back first, or set its status once it is set up.")
	}
	return func(tx core.App) error { return again(tx, r.Now(), job) }, nil
}

func again(tx core.App, now time.Time, job *core.Record) error {
	_, err := jobs.Retry(tx, now, job.GetString("key"))
	return err
}

// closeJob ends a job for good. What it was to do, staff has done or will not have
// done.
func (s *Subject) closeJob(tx core.App, r *op.Request, job *core.Record) error {
	kind := provisioning.JobKind(job.GetString("kind"))
	if kind == provisioning.JobChangePlan { // it then counts as done
		left, err := untickedFor(tx, job.GetString("service"), kind)
		if err == nil && len(left) > 0 {
			err = unticked(left)
		}
		if err != nil {
			return err
		}
	}
	if err := jobs.Cancel(tx, r.Now(), job.GetString("key")); err != nil {
		return err
	}
	if kind == provisioning.JobChangePlan {
		return s.changeByHand(tx, job.GetString("service"), "staff:"+r.Auth.Id)
	}
	svc, err := collections.First(tx, collections.Services, dbx.HashExp{"id": job.GetString("service")})
	if err != nil || svc == nil || actionOf[kind] == "" {
		return err
	}
	clearAction(svc, actionOf[kind]) // or nothing could be asked of the service any more
	return collections.Update(tx, svc)
}

// moveBuild moves the building of a service on without the platform having answered:
// behind a step that is left out, or to what comes after the server that exists.
func (s *Subject) moveBuild(r *op.Request, in jobRequest, job *core.Record) (func(tx core.App) error, error) {
	svc, err := collections.First(r.App, collections.Services, dbx.HashExp{"id": job.GetString("service")})
	if err != nil {
		return nil, err
	}
	if svc == nil || job.GetString("kind") != string(provisioning.JobProvision) || statusOf(svc) != provisioning.ServiceProvisioning || svc.GetBool("by_hand") {
		return nil, op.NewProblem(http.StatusConflict, "not_building", "This works on the building of a service alone, while its platform does it.")
	}
	before := svc.GetString("build")
	b := provisioning.Build{}
	if before != "" && before != "null" {
		if err := json.Unmarshal([]byte(before), &b); err != nil {
			return nil, fmt.Errorf("service %s: stored build: %w", svc.Id, err)
		}
	}
	next, err := s.moved(r, svc, in, b)
	if err != nil {
		return nil, err
	}
	return func(tx core.App) error {
		fresh, err := tx.FindRecordById(collections.Services, svc.Id)
		if err != nil {
			return fmt.Errorf("service %s: %w", svc.Id, err)
		}
		if fresh.GetString("build") != before || statusOf(fresh) != provisioning.ServiceProvisioning {
			return busy()
		}
		return s.keepMoved(tx, r, in, job, fresh, next)
	}, nil
}

// moved asks the adapter where the build stands then.
func (s *Subject) moved(r *op.Request, svc *core.Record, in jobRequest, b provisioning.Build) (provisioning.Build, error) {
	if in.Action == jobSkip {
		can, err := ability[provisioning.Skipper](s, r.App, svc, "skip steps")
		if err != nil {
			return b, op.NewProblem(http.StatusConflict, "not_offered", "No step of this platform can be left out.").Because(err)
		}
		next, err := can.Skip(b)
		if err != nil {
			return b, op.NewProblem(http.StatusConflict, "not_skippable", err.Error())
		}
		return next, nil
	}
	return s.compared(r, svc, in.RemoteID, b)
}

// compared asks the platform of a service whether a server may be the service's.
func (s *Subject) compared(r *op.Request, svc *core.Record, remote string, b provisioning.Build) (provisioning.Build, error) {
	other, err := collections.First(r.App, collections.Services, dbx.HashExp{"platform": svc.GetString("platform"), "platform_service_id": remote})
	if err != nil {
		return b, err
	}
	if other != nil && other.Id != svc.Id {
		return b, taken(remote, other.Id)
	}
	adapter, err := s.panelOf(r.App, svc)
	if err != nil {
		return b, err
	}
	can, ok := adapter.(provisioning.Adopter)
	if !ok {
		return b, op.NewProblem(http.StatusConflict, "not_offered", "This platform cannot compare a server with its customer. Take the service over instead, or correct the server in the panel and retry the job.")
	}
	order, err := s.order(r.App, svc)
	if err != nil {
		return b, err
	}
	limited, cancel := context.WithTimeout(r.Request.Context(), adoptPatience)
	defer cancel()
	next, err := can.Adopt(limited, order, b, remote)
	switch class := provisioning.Classify(err); {
	case class == provisioning.ClassPermanent:
		return b, op.NewProblem(http.StatusConflict, "not_theirs", "This cannot be the service's server: "+err.Error()+".")
	case err != nil:
		return b, op.NewProblem(http.StatusBadGateway, "panel_unreachable", "The platform could not be asked: "+err.Error()+".").Because(err)
	}
	return next, nil
}

func taken(remote, service string) error {
	return op.NewProblem(http.StatusConflict, "taken", fmt.Sprintf("Server %s belongs to service %s here.", remote, service))
}

// keepMoved stores the build as it stands now and lets its job go on. The database
// keeps two services from having one server.
func (s *Subject) keepMoved(tx core.App, r *op.Request, in jobRequest, job, svc *core.Record, next provisioning.Build) error {
	svc.Set("build", next)
	svc.Set("platform_user_id", next.RemoteUser)
	svc.Set("platform_service_id", next.RemoteID)
	svc.Set("action_note", "")
	if err := setSteps(svc, next.Step, "active", "", r.Now()); err != nil {
		return err
	}
	if err := collections.Save(tx, svc); err != nil {
		if in.Action == jobAdopt && strings.Contains(err.Error(), "platform_service_id") {
			return taken(next.RemoteID, "another")
		}
		return fmt.Errorf("service %s: %w", svc.Id, err)
	}
	if err := jobs.Resolved(tx, job.GetString("key")); err != nil {
		return err
	}
	if err := writeLog(tx, svc, in.Action, "done", "staff:"+r.Auth.Id, "server "+next.RemoteID+", goes on with "+next.Step, "", r.Now(), r.Now()); err != nil {
		return err
	}
	return again(tx, r.Now(), job)
}
