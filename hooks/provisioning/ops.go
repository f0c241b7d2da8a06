package provisioning

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/hooks/op"
)

type byID struct {
	ID string `json:"-" path:"id"`
}

type renameRequest struct {
	ID    string `json:"-" path:"id"`
	Label string `json:"label"`
}

// Check bounds a label.
func (in renameRequest) Check(f *op.Fields) {
	n := len([]rune(strings.TrimSpace(in.Label)))
	f.Check(n > 0 && n <= 80, "label", "invalid", "A name has 1 to 80 characters.")
}

type powerRequest struct {
	ID     string `json:"-" path:"id"`
	Action string `json:"action"`
}

// Check knows the power actions.
func (in powerRequest) Check(f *op.Fields) {
	_, ok := provisioning.ParsePowerAction(in.Action)
	f.Check(ok, "action", "unknown_action", "action must be boot, restart, shutdown or poweroff")
}

type credentialsView struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

type linkView struct {
	URL string `json:"url"`
}

func (s *Subject) serviceOps(t *op.Table) {
	const base = "/api/v1/services"
	op.Add(t, op.Spec{ID: "services.list", Method: http.MethodGet, Path: base, Access: op.Customer, Summary: "The customer's services"}, s.list)
	op.Add(t, op.Spec{ID: "services.show", Method: http.MethodGet, Path: base + "/{id}", Access: op.Customer, Summary: "One service with progress and activity"}, s.show)
	op.Add(t, op.Spec{ID: "services.rename", Method: http.MethodPatch, Path: base + "/{id}", Access: op.Customer, Summary: "Give a service a name"}, s.rename)
	op.Add(t, op.Spec{ID: "services.power", Method: http.MethodPost, Path: base + "/{id}/power", Access: op.Customer, Status: http.StatusAccepted, Summary: "Boot, restart, shut down or power off"}, s.askPower)
	op.Add(t, op.Spec{ID: "services.credentials", Method: http.MethodPost, Path: base + "/{id}/credentials", Access: op.Customer, Summary: "Reveal the sign-in of a service; recorded"}, s.reveal)
	op.Add(t, op.Spec{ID: "services.reset_password", Method: http.MethodPost, Path: base + "/{id}/reset-password", Access: op.Customer, Status: http.StatusAccepted, Summary: "Set a new password"}, s.askReset)
	op.Add(t, op.Spec{ID: "services.sign_in", Method: http.MethodPost, Path: base + "/{id}/sign-in", Access: op.Customer, Summary: "A short-lived link into the platform's panel"}, s.signIn)
	op.Add(t, op.Spec{ID: "services.refresh", Method: http.MethodPost, Path: base + "/{id}/refresh", Access: op.Customer, Status: http.StatusAccepted, Summary: "Read fresh state and use"}, s.askRefresh)
}

func (s *Subject) list(r *op.Request, _ op.None) (serviceList, error) {
	list := serviceList{Items: []serviceView{}}
	found, err := collections.All(r.App, collections.Services, dbx.HashExp{"user": r.Auth.Id, "archived_at": ""}, "(`status` = 'terminated') ASC, created DESC")
	if err != nil {
		return list, err
	}
	for _, svc := range found {
		v, err := s.view(r.App, svc, false)
		if err != nil {
			return list, err
		}
		list.Items = append(list.Items, v)
	}
	return list, nil
}

func (s *Subject) show(r *op.Request, in byID) (serviceView, error) {
	svc, err := collections.Owned(r.App, collections.Services, in.ID, r.Auth.Id)
	if err != nil {
		return serviceView{}, err
	}
	return s.view(r.App, svc, true)
}

func (s *Subject) rename(r *op.Request, in renameRequest) (serviceView, error) {
	return s.change(r, in.ID, func(_ core.App, svc *core.Record) error {
		svc.Set("label", strings.TrimSpace(in.Label))
		return nil
	})
}

func (s *Subject) askPower(r *op.Request, in powerRequest) (serviceView, error) {
	return s.ask(r, in.ID, actionPower, provisioning.JobPower, powerPayload{in.Action}, map[string]any{"action": in.Action})
}

func (s *Subject) askReset(r *op.Request, in byID) (serviceView, error) {
	return s.ask(r, in.ID, actionReset, provisioning.JobResetPassword, struct{}{}, nil)
}

// ask queues an action on an active service, unless another is under way.
func (s *Subject) ask(r *op.Request, id, action string, kind provisioning.JobKind, payload any, changes map[string]any) (serviceView, error) {
	return s.askWith(r, id, action, kind, payload, changes, func(core.App, *core.Record) error { return nil })
}

// askWith is ask with a last look at the service, which may change or refuse it.
func (s *Subject) askWith(r *op.Request, id, action string, kind provisioning.JobKind, payload any, changes map[string]any, look func(tx core.App, svc *core.Record) error) (serviceView, error) {
	return s.change(r, id, func(tx core.App, svc *core.Record) error {
		if svc.GetString("status") != string(provisioning.ServiceActive) {
			return op.NewProblem(http.StatusConflict, "not_active", "This works on an active service only; it is "+svc.GetString("status")+".")
		}
		if svc.GetString("action") != "" {
			return busy()
		}
		if !slices.Contains(s.abilities(tx, svc), action) {
			return notOffered()
		}
		if err := look(tx, svc); err != nil {
			return err
		}
		svc.Set("action", action)
		svc.Set("action_note", "")
		added, err := jobs.Enqueue(tx, r.Now(), serviceJob(kind, svc, "customer:"+r.Auth.Id, payload))
		if err != nil {
			return err
		}
		if !added {
			return busy()
		}
		return s.audit(tx, r, "service."+action, svc.Id, changes)
	})
}

func busy() error {
	return op.NewProblem(http.StatusConflict, "busy", "Something else is being done to this service just now. Please wait for it to finish.")
}

// change edits a customer's own service in one transaction.
func (s *Subject) change(r *op.Request, id string, edit func(tx core.App, svc *core.Record) error) (serviceView, error) {
	var svc *core.Record
	err := r.App.RunInTransaction(func(tx core.App) error {
		var err error
		if svc, err = collections.Owned(tx, collections.Services, id, r.Auth.Id); err != nil {
			return err
		}
		if err := edit(tx, svc); err != nil {
			return err
		}
		return collections.Save(tx, svc)
	})
	if err != nil {
		return serviceView{}, err
	}
	return s.view(r.App, svc, true)
}

func (s *Subject) audit(tx core.App, r *op.Request, action, id string, changes map[string]any) error {
	return audit.Write(tx, r.Now(), audit.Entry{
		ActorKind: audit.Customer, Actor: r.Auth.Id, Action: action, Resource: collections.Services, ResourceID: id,
		IP: r.RealIP(), UserAgent: r.Agent(), Changes: changes,
	})
}

// reveal opens the sealed sign-in. The act is recorded before anything is shown.
func (s *Subject) reveal(r *op.Request, in byID) (credentialsView, error) {
	svc, err := collections.Owned(r.App, collections.Services, in.ID, r.Auth.Id)
	if err != nil {
		return credentialsView{}, err
	}
	status := provisioning.ServiceStatus(svc.GetString("status"))
	if svc.GetString("credentials") == "" || status == provisioning.ServiceTerminated {
		return credentialsView{}, op.NewProblem(http.StatusConflict, "no_credentials", "There is no password to show. You can set a new one.")
	}
	raw, err := s.Sealer.OpenField(svc, "credentials")
	if err != nil {
		return credentialsView{}, err
	}
	c := provisioning.Credentials{}
	if err := json.Unmarshal([]byte(raw), &c); err != nil {
		return credentialsView{}, fmt.Errorf("credentials of service %s cannot be read", svc.Id)
	}
	if c.Password == "" {
		return credentialsView{}, op.NewProblem(http.StatusConflict, "account_password", "This opens with the password of your account in the panel, which came with your first service there. You can set a new one; it then counts for all of them.")
	}
	err = r.App.RunInTransaction(func(tx core.App) error {
		if err := s.audit(tx, r, "service.reveal_credentials", svc.Id, nil); err != nil {
			return err
		}
		return writeLog(tx, svc, "reveal_credentials", "done", "customer:"+r.Auth.Id, "", "", r.Now(), r.Now())
	})
	return credentialsView(c), err
}

// signIn makes a link on click; it is never stored or logged.
func (s *Subject) signIn(r *op.Request, in byID) (linkView, error) {
	svc, err := collections.Owned(r.App, collections.Services, in.ID, r.Auth.Id)
	if err != nil {
		return linkView{}, err
	}
	if svc.GetString("status") != string(provisioning.ServiceActive) {
		return linkView{}, op.NewProblem(http.StatusConflict, "not_active", "The panel opens for active services only.")
	}
	linker, err := ability[provisioning.SignInLinker](s, r.App, svc, "sign customers in")
	if err != nil {
		return linkView{}, op.NewProblem(http.StatusConflict, "not_offered", "This platform has no panel to sign in to.").Because(err)
	}
	url, err := linker.SignInLink(r.Request.Context(), r.Auth.Id, svc.GetString("platform_service_id"))
	if err != nil {
		return linkView{}, op.NewProblem(http.StatusBadGateway, "panel_unreachable", "The panel did not answer. Please try again in a minute.").Because(err)
	}
	if err := s.audit(r.App, r, "service.sign_in", svc.Id, nil); err != nil {
		return linkView{}, err
	}
	return linkView{url}, nil
}

// askRefresh queues a reading unless the last one is fresh.
func (s *Subject) askRefresh(r *op.Request, in byID) (serviceView, error) {
	svc, err := collections.Owned(r.App, collections.Services, in.ID, r.Auth.Id)
	if err != nil {
		return serviceView{}, err
	}
	if r.Now().Sub(collections.Time(svc, "power_at")) > refreshEvery {
		if _, err := jobs.Enqueue(r.App, r.Now(), serviceJob(provisioning.JobRefresh, svc, "customer:"+r.Auth.Id, refreshPayload{})); err != nil {
			return serviceView{}, err
		}
	}
	return s.view(r.App, svc, true)
}

func (s *Subject) staffOps(t *op.Table) {
}
