package provisioning

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/hooks/op"
)

// errByHandNow parks the building of a service that staff took over. What its last
// call left behind stays open until the service is handed back.
func errByHandNow(svc *core.Record) error {
	return fmt.Errorf("service %s is worked on by hand: set its status to active once it is set up, or hand it back: %w", svc.Id, provisioning.ErrStaff)
}

type handRequest struct {
	ID     string `json:"-" path:"id"`
	Reason string `json:"reason"`
}

// Check wants a reason.
func (in handRequest) Check(f *op.Fields) {
	f.Check(strings.TrimSpace(in.Reason) != "" && len(in.Reason) <= 900, "reason", "required", "Say why; it is kept in the audit log.")
}

func (s *Subject) takeOver(r *op.Request, in handRequest) (op.None, error) {
	return op.None{}, r.App.RunInTransaction(func(tx core.App) error {
		if err := s.takeService(tx, r, in.ID); err != nil {
			return err
		}
		return s.staffAudit(tx, r, "service.take_over", collections.Services, in.ID, map[string]any{"reason": in.Reason})
	})
}

// takeService gives a service into staff's hands.
func (s *Subject) takeService(tx core.App, r *op.Request, id string) error {
	svc, err := collections.First(tx, collections.Services, dbx.HashExp{"id": id})
	switch {
	case err != nil:
		return err
	case svc == nil:
		return op.NotFound()
	case s.byHand(tx, svc):
		return op.NewProblem(http.StatusConflict, "by_hand", "Staff works on this service by hand already.")
	case statusOf(svc) == provisioning.ServiceTerminated:
		return op.NewProblem(http.StatusConflict, "terminated", "This service has ended.")
	}
	svc.Set("by_hand", true)
	if err := collections.Update(tx, svc); err != nil {
		return fmt.Errorf("service %s: %w", svc.Id, err)
	}
	return writeLog(tx, svc, "take_over", "done", "staff:"+r.Auth.Id, "", "", r.Now(), r.Now())
}

// handBack lets the platform do the work again, once it has shown that the server
// there is the customer's. What waits for staff is tried by the platform.
func (s *Subject) handBack(r *op.Request, in handRequest) (op.None, error) {
	svc, err := collections.First(r.App, collections.Services, dbx.HashExp{"id": in.ID})
	if err != nil {
		return op.None{}, err
	}
	if svc == nil {
		return op.None{}, op.NotFound()
	}
	if !svc.GetBool("by_hand") {
		return op.None{}, op.NewProblem(http.StatusConflict, "not_by_hand", "This service is not worked on by hand, or its platform is staff itself.")
	}
	owner := svc.GetString("platform_user_id")
	remote := svc.GetString("platform_service_id")
	if stands(svc) {
		if remote == "" {
			return op.None{}, op.NewProblem(http.StatusConflict, "no_server", "Give the service's platform_service_id first, so that its platform knows which server it is.")
		}
		b, err := s.compared(r, svc, remote, provisioning.Build{})
		if err != nil {
			return op.None{}, err
		}
		owner = b.RemoteUser
	}
	return op.None{}, r.App.RunInTransaction(func(tx core.App) error { return s.giveBack(tx, r, in, remote, owner) })
}

func (s *Subject) giveBack(tx core.App, r *op.Request, in handRequest, remote, owner string) error {
	svc, err := tx.FindRecordById(collections.Services, in.ID)
	if err != nil {
		return fmt.Errorf("service %s: %w", in.ID, err)
	}
	if svc.GetString("platform_service_id") != remote || !svc.GetBool("by_hand") {
		return busy()
	}
	svc.Set("by_hand", false)
	svc.Set("platform_user_id", owner)
	if err := collections.Update(tx, svc); err != nil {
		return fmt.Errorf("service %s: %w", svc.Id, err)
	}
	waiting, err := collections.All(tx, collections.Jobs, dbx.HashExp{"service": svc.Id, "state": []any{jobs.Parked, jobs.Failed}}, "")
	if err != nil {
		return err
	}
	for _, job := range waiting {
		if err := again(tx, r.Now(), job); err != nil {
			return err
		}
	}
	if _, err := jobs.Enqueue(tx, r.Now(), serviceJob(provisioning.JobRefresh, svc, audit.System, refreshPayload{})); err != nil {
		return err
	}
	if err := writeLog(tx, svc, "hand_back", "done", "staff:"+r.Auth.Id, "server "+remote, "", r.Now(), r.Now()); err != nil {
		return err
	}
	return s.staffAudit(tx, r, "service.hand_back", collections.Services, svc.Id, map[string]any{"reason": in.Reason, "remote_id": remote})
}

// staffAudit notes what a member of staff did.
func (s *Subject) staffAudit(tx core.App, r *op.Request, action, resource, id string, changes map[string]any) error {
	e := asked(r)
	e.Action, e.Resource, e.ResourceID, e.Changes = action, resource, id, changes
	return audit.Write(tx, r.Now(), e)
}
