package provisioning

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/hooks/op"
)

// reinstallPatience is how long a reinstallation may wait for a busy host: what
// destroys data must not come hours after it was asked for.
const reinstallPatience = 30 * time.Minute

type imageView struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Family  string `json:"family"`
	Current bool   `json:"current"`
	Old     bool   `json:"old"` // its maker does not support it any more
}

type imageList struct {
	Items []imageView `json:"items"`
}

type reinstallRequest struct {
	ID    string `json:"-" path:"id"`
	Image string `json:"image"`
	// Confirm is the service's hostname, typed by the customer: all data goes.
	Confirm string `json:"confirm"`
}

// Check wants both fields.
func (in reinstallRequest) Check(f *op.Fields) {
	f.Check(in.Image != "" && len(in.Image) <= 60, "image", "required", "Choose what is to be installed.")
	f.Check(in.Confirm != "", "confirm", "required", "Type the name of the service to confirm that all its data will be deleted.")
}

type reinstallPayload struct {
	Image string `json:"image"`
	Name  string `json:"name"`
}

func (s *Subject) reinstallOps(t *op.Table) {
	const base = "/api/v1/services/{id}"
	op.Add(t, op.Spec{ID: "services.images", Method: http.MethodGet, Path: base + "/images", Access: op.Customer, Summary: "What can be installed on a service"}, s.images)
	op.Add(t, op.Spec{ID: "services.reinstall", Method: http.MethodPost, Path: base + "/reinstall", Access: op.Customer, Status: http.StatusAccepted, Summary: "Install a service anew, which deletes all its data"}, s.askReinstall)
}

func (s *Subject) images(r *op.Request, in byID) (imageList, error) {
	list := imageList{Items: []imageView{}}
	offered, err := s.offered(r, in.ID)
	for _, img := range offered {
		list.Items = append(list.Items, imageView(img))
	}
	return list, err
}

// offered asks the platform of a customer's service what it can install.
func (s *Subject) offered(r *op.Request, id string) ([]provisioning.Image, error) {
	svc, err := collections.Owned(r.App, collections.Services, id, r.Auth.Id)
	if err != nil {
		return nil, err
	}
	if svc.GetString("platform_service_id") == "" {
		return nil, notOffered()
	}
	can, err := ability[provisioning.Reinstaller](s, r.App, svc, "install anew")
	if err != nil {
		return nil, notOffered().Because(err)
	}
	order, err := s.order(r.App, svc)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(r.Request.Context(), feasiblePatience)
	defer cancel()
	images, err := can.Images(limited, order, svc.GetString("platform_service_id"))
	if err != nil {
		return nil, unreachable(err)
	}
	return images, nil
}

func notOffered() *op.Problem {
	return op.NewProblem(http.StatusConflict, "not_offered", "This is not offered for this kind of service.")
}

func unreachable(err error) error {
	return op.NewProblem(http.StatusBadGateway, "panel_unreachable", "The panel did not answer. Please try again in a minute.").Because(err)
}

// confirmWord is what a customer types so that a service's data may be deleted.
func confirmWord(svc *core.Record) string {
	return cmp.Or(svc.GetString("hostname"), svc.GetString("label"), svc.Id)
}

// askReinstall queues a reinstallation. The platform is asked before, so that an
// image that it does not offer is refused at once.
func (s *Subject) askReinstall(r *op.Request, in reinstallRequest) (serviceView, error) {
	images, err := s.offered(r, in.ID)
	if err != nil {
		return serviceView{}, err
	}
	img, ok := provisioning.FindImage(images, in.Image)
	if !ok {
		return serviceView{}, op.Fields{{Field: "image", Code: "unknown_image", Message: "This cannot be installed on this service. Choose one from the list."}}.Problem()
	}
	payload := reinstallPayload{img.ID, img.Name}
	return s.askWith(r, in.ID, actionReinstall, provisioning.JobReinstall, payload, map[string]any{"image": img.ID, "name": img.Name}, func(tx core.App, svc *core.Record) error {
		if word := confirmWord(svc); in.Confirm != word {
			return op.Fields{{Field: "confirm", Code: "differs", Message: fmt.Sprintf("Type %s to confirm that all data of this service will be deleted.", word)}}.Problem()
		}
		svc.Set("busy", true)
		svc.Set("steps", []step{})
		svc.Set("build", provisioning.Build{RemoteUser: svc.GetString("platform_user_id"), RemoteID: svc.GetString("platform_service_id")})
		return jobs.Cancel(tx, r.Now(), string(provisioning.JobReinstall)+":"+svc.Id) // an earlier one that was given up had another image
	})
}

// reinstall installs a service anew, step by step like a build. Until its first step
// has looked, nothing is destroyed, and a refusal ends it; afterwards it is finished
// whatever becomes of the service meanwhile.
func (s *Subject) reinstall(r *jobs.Run) error {
	w, err := s.openReinstall(r)
	if err != nil || w == nil {
		return err
	}
	switch {
	case w.untouched() && statusOf(w.svc) != provisioning.ServiceActive:
		return s.notReinstalled(r, "The service is not active any more, so nothing was done.", nil)
	case w.untouched() && r.Now().Sub(r.Queued) > reinstallPatience:
		return s.notReinstalled(r, "The host was busy for too long, so nothing was done. Please try again.", nil)
	}
	if err = w.failed(w.construct()); w.untouched() && provisioning.Classify(err) == provisioning.ClassPermanent {
		return s.notReinstalled(r, "The host refused, so nothing was done. Please write to us if you need it.", err)
	}
	return err
}

func (s *Subject) openReinstall(r *jobs.Run) (*work, error) {
	p := reinstallPayload{}
	if err := r.Payload(&p); err != nil {
		return nil, err
	}
	svc, err := s.load(r)
	if err != nil || statusOf(svc) == provisioning.ServiceTerminated {
		return nil, err
	}
	if svc.GetBool("by_hand") {
		return nil, errByHandNow(svc)
	}
	can, err := ability[provisioning.Reinstaller](s, r.App, svc, "install anew")
	if err != nil {
		return nil, err
	}
	w := &work{s: s, r: r, svc: svc, creator: provisioning.Anew(can, p.Image), note: reinstallNote}
	w.ready = w.renewed
	w.finished = func(tx core.App) error {
		if err := logDone(tx, r, w.svc, actionReinstall, p.Name); err != nil {
			return err
		}
		return audit.Write(tx, r.Now(), audit.Entry{
			ActorKind: audit.System, Action: "service.reinstall.done", Resource: collections.Services, ResourceID: w.svc.Id,
			Changes: map[string]any{"image": p.Image, "name": p.Name, "asked_by": r.Actor},
		})
	}
	if w.order, err = s.order(r.App, svc); err != nil {
		return nil, err
	}
	return w, w.resume()
}

// untouched says that nothing can have been destroyed: the first step only looks.
func (w *work) untouched() bool {
	return w.build.Step == "" || w.build.Step == w.creator.Steps()[0]
}

// renewed makes of a service what it is once its system is installed anew.
func (w *work) renewed(svc *core.Record, now time.Time) error {
	clearAction(svc, actionReinstall)
	svc.Set("reinstalled_at", collections.Stamp(now))
	svc.Set("busy", false)
	svc.Set("restart_needed", false) // it has started anew
	svc.Set("power", string(provisioning.PowerUnknown))
	return setSteps(svc, "", "done", "", now)
}

// reinstallNote tells a customer why a reinstallation takes longer.
func reinstallNote(class provisioning.ErrorClass) string {
	if class == provisioning.ClassPermanent || class == provisioning.ClassCredentials {
		return "Our team has to look at this. You do not need to do anything."
	}
	return waitingNote(class)
}

// notReinstalled ends a reinstallation that destroyed nothing; why is a sentence for
// the customer, cause for staff.
func (s *Subject) notReinstalled(r *jobs.Run, why string, cause error) error {
	return r.Complete(func(tx core.App) error {
		svc, err := tx.FindRecordById(collections.Services, r.Service)
		if err != nil {
			return fmt.Errorf("service %s: %w", r.Service, err)
		}
		clearAction(svc, actionReinstall)
		svc.Set("action_note", why)
		svc.Set("busy", false)
		svc.Set("steps", []step{})
		if err := collections.Save(tx, svc); err != nil {
			return fmt.Errorf("service %s: %w", svc.Id, err)
		}
		text := why
		if cause != nil {
			text = collections.Cut(cause.Error(), 900)
		}
		err = writeLog(tx, svc, actionReinstall, "failed", r.Actor, "", text, r.Queued, r.Now())
		_, queueErr := jobs.Enqueue(tx, r.Now(), serviceJob(provisioning.JobRefresh, svc, audit.System, refreshPayload{}))
		return errors.Join(err, queueErr)
	})
}
