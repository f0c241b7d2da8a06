package payments

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/op"
)

func (s *Subject) methodOps(t *op.Table) {
	const path = "/api/v1/payment-methods"
	op.Add(t, op.Spec{ID: "payment_methods.list", Method: http.MethodGet, Path: path, Access: op.Customer, Summary: "Saved payment methods, what each pays for, and where more can be added"}, s.listMethods)
	op.Add(t, op.Spec{ID: "payment_methods.add", Method: http.MethodPost, Path: path + "/setups", Access: op.Customer, Summary: "Open the gateway's page on which a method is saved without a payment; the same page again while it is open"}, s.addMethod)
	op.Add(t, op.Spec{ID: "payment_methods.check", Method: http.MethodPost, Path: path + "/setups/{id}/check", Access: op.Customer, Summary: "Ask what became of such a page; for the browser's return, repeatable"}, s.checkSetup)
	op.Add(t, op.Spec{ID: "payment_methods.default", Method: http.MethodPost, Path: path + "/{id}/default", Access: op.Customer, Summary: "Pay by this method first"}, s.setDefault)
	op.Add(t, op.Spec{ID: "payment_methods.remove", Method: http.MethodDelete, Path: path + "/{id}", Access: op.Customer, Summary: "Remove a method, here and at the gateway; refused while it is the last one and something renews by it"}, s.remove)
	op.Add(t, op.Spec{ID: "subscriptions.payment_method", Method: http.MethodPut, Path: "/api/v1/subscriptions/{id}/payment-method", Access: op.Customer, Summary: "Choose the method that one subscription is paid by; none is the default one"}, s.chooseMethod)
}

type methodView struct {
	ID       string `json:"id"`
	Gateway  string `json:"gateway"`
	Kind     string `json:"kind"`
	Brand    string `json:"brand"`
	Last4    string `json:"last4"`
	ExpMonth int    `json:"exp_month"`
	ExpYear  int    `json:"exp_year"`
	Account  string `json:"account"` // of a wallet: whose it is there
	Default  bool   `json:"is_default"`
	Expired  bool   `json:"expired"`
	Pays     []use  `json:"pays"` // what renews by it
}

// adding is a gateway at which a method can be saved without a payment.
type adding struct {
	Gateway string `json:"gateway"`
	Label   string `json:"label"`
}

type methodList struct {
	Items    []methodView `json:"items"`
	Services []use        `json:"services"` // what renews by itself
	Add      []adding     `json:"add"`
}

func (s *Subject) listMethods(r *op.Request, _ op.None) (methodList, error) {
	return s.methodsOf(r.App, r.Auth.Id, r.Now())
}

func (s *Subject) methodsOf(app core.App, user string, now time.Time) (methodList, error) {
	list := methodList{Items: []methodView{}, Services: []use{}, Add: []adding{}}
	found, err := active(app, user)
	if err != nil {
		return list, err
	}
	needs, err := uses(app, user)
	if err != nil {
		return list, err
	}
	list.Services = append(list.Services, needs...)
	for _, m := range found {
		v := methodView{
			ID: m.Id, Gateway: m.GetString("gateway"), Kind: m.GetString("kind"), Brand: m.GetString("brand"), Last4: m.GetString("last4"),
			ExpMonth: m.GetInt("exp_month"), ExpYear: m.GetInt("exp_year"), Account: m.GetString("account"), Default: m.GetBool("is_default"), Pays: []use{},
		}
		v.Expired = v.ExpYear > 0 && !now.Before(time.Date(v.ExpYear, time.Month(max(v.ExpMonth, 1))+1, 1, 0, 0, 0, 0, time.UTC))
		for _, u := range needs {
			if u.Method == m.Id || u.Method == "" && v.Default {
				v.Pays = append(v.Pays, u)
			}
		}
		list.Items = append(list.Items, v)
	}
	enabled, err := s.Enabled(app)
	if err != nil {
		return list, err
	}
	for _, g := range enabled {
		if _, _, err := s.saver(app, g.GetString("kind")); err == nil {
			list.Add = append(list.Add, adding{g.GetString("kind"), g.GetString("label")})
		}
	}
	return list, nil
}

type addRequest struct {
	Gateway      string `json:"gateway"`
	Subscription string `json:"subscription,omitzero"`
	Back         string `json:"back,omitzero"` // address of the portal to go on to
}

// Check refuses addresses that are not the portal's own.
func (in addRequest) Check(f *op.Fields) {
	f.Check(in.Back == "" || strings.HasPrefix(in.Back, "/portal/") && !strings.Contains(in.Back, "\\") && !strings.HasPrefix(in.Back, "/portal//") && len(in.Back) <= 500, "back", "invalid", "back must be an address of the portal.")
}

type setupView struct {
	ID     string `json:"id"`
	State  string `json:"state"`
	URL    string `json:"url"`
	Back   string `json:"back"`
	Method string `json:"method"` // id of the saved method
}

func (s *Subject) addMethod(r *op.Request, in addRequest) (setupView, error) {
	list, err := s.methodsOf(r.App, r.Auth.Id, r.Now())
	if err != nil {
		return setupView{}, err
	}
	if offered := func() bool {
		for _, a := range list.Add {
			if a.Gateway == in.Gateway {
				return true
			}
		}
		return false
	}(); !offered {
		return setupView{}, op.Fields{{Field: "gateway", Message: "Nothing can be saved there at the moment. Please choose another way to pay.", Code: "unknown_gateway"}}.Problem()
	}
	if in.Subscription != "" {
		if _, err := collections.Owned(r.App, collections.Subscriptions, in.Subscription, r.Auth.Id); err != nil {
			return setupView{}, err
		}
	}
	p, err := s.OpenSetup(r.Request.Context(), r.App, r.Auth, in.Gateway, in.Subscription, in.Back)
	switch {
	case errors.Is(err, billing.ErrGatewayRefused):
		return setupView{}, op.NewProblem(http.StatusConflict, "setup_refused", "Nothing can be saved there for you at the moment. Please choose another way to pay.").Because(err)
	case err != nil:
		return setupView{}, op.NewProblem(http.StatusServiceUnavailable, "setup_unavailable", "The page could not be opened just now. Nothing was saved; please try again in a minute.").Because(err)
	}
	return s.viewSetup(r.App, p)
}

func (s *Subject) viewSetup(app core.App, p *setup) (setupView, error) {
	v := setupView{ID: p.ID, State: p.Status, Back: p.Back}
	if p.Status == setupOpen {
		v.URL = p.URL
	}
	if p.Method == "" {
		return v, nil
	}
	ids := []string{}
	err := app.DB().Select("id").From(collections.PaymentMethods).Where(methodKey(p)).Limit(1).Column(&ids)
	if len(ids) > 0 {
		v.Method = ids[0]
	}
	return v, err
}

type byID struct {
	ID string `json:"-" path:"id"`
}

func (s *Subject) checkSetup(r *op.Request, in byID) (setupView, error) {
	owned := func() (*setup, error) {
		p, err := findSetup(r.App, "`id` = {:id} AND `user` = {:user}", map[string]any{"id": in.ID, "user": r.Auth.Id})
		if err == nil && p == nil {
			err = op.NotFound()
		}
		return p, err
	}
	p, err := owned()
	if err != nil {
		return setupView{}, err
	}
	if err := s.CheckSetup(r.Request.Context(), r.App, p); err != nil { // it is asked again by its timer
		r.App.Logger().Warn("Setup of a method cannot be checked now", "setup", p.ID, "error", err)
	}
	if p, err = owned(); err != nil {
		return setupView{}, err
	}
	return s.viewSetup(r.App, p)
}

// ownMethod is an active method of the caller's.
func ownMethod(app core.App, id, user string) (*core.Record, error) {
	m, err := collections.Owned(app, collections.PaymentMethods, id, user)
	if err == nil && !m.GetBool("active") {
		return nil, op.NewProblem(http.StatusConflict, "method_gone", "This payment method was removed. Please choose another.")
	}
	return m, err
}

func (s *Subject) setDefault(r *op.Request, in byID) (methodList, error) {
	err := r.App.RunInTransaction(func(tx core.App) error {
		m, err := ownMethod(tx, in.ID, r.Auth.Id)
		if err != nil || m.GetBool("is_default") {
			return err
		}
		if err := makeDefault(tx, m); err != nil {
			return err
		}
		return s.auditMethod(tx, r, "payment_method.default", collections.PaymentMethods, m.Id, nil)
	})
	if err != nil {
		return methodList{}, err
	}
	return s.methodsOf(r.App, r.Auth.Id, r.Now())
}

func (s *Subject) remove(r *op.Request, in byID) (methodList, error) {
	err := r.App.RunInTransaction(func(tx core.App) error {
		m, err := collections.Owned(tx, collections.PaymentMethods, in.ID, r.Auth.Id)
		if err != nil || !m.GetBool("active") { // removed before
			return err
		}
		return s.removeMethod(tx, m)
	})
	switch {
	case errors.Is(err, errMethodNeeded):
		names := strings.TrimPrefix(err.Error(), errMethodNeeded.Error()+": ")
		return methodList{}, op.NewProblem(http.StatusConflict, "method_needed", "This is the only way to pay that is saved, and it is needed for: "+names+". Add another one first (that costs nothing), or cancel what should not renew.").Because(err)
	case errors.Is(err, errMethodBusy):
		return methodList{}, op.NewProblem(http.StatusConflict, "method_busy", "A payment by this method is on its way. Please wait until it has arrived or failed, then remove it.").Because(err)
	case err != nil:
		return methodList{}, err
	}
	return s.methodsOf(r.App, r.Auth.Id, r.Now())
}

type chooseRequest struct {
	ID     string `json:"-" path:"id"`
	Method string `json:"method"` // "" is the default one
}

func (s *Subject) chooseMethod(r *op.Request, in chooseRequest) (methodList, error) {
	err := r.App.RunInTransaction(func(tx core.App) error {
		sub, err := collections.Owned(tx, collections.Subscriptions, in.ID, r.Auth.Id)
		if err != nil {
			return err
		}
		if in.Method != "" {
			if _, err := ownMethod(tx, in.Method, r.Auth.Id); err != nil {
				return err
			}
		}
		if sub.GetString("payment_method") == in.Method {
			return nil
		}
		if err := s.assignMethod(tx, r.Auth.Id, sub.Id, in.Method); err != nil {
			return err
		}
		return s.auditMethod(tx, r, "subscription.payment_method", collections.Subscriptions, sub.Id, map[string]any{"before": sub.GetString("payment_method"), "after": in.Method})
	})
	if err != nil {
		return methodList{}, err
	}
	return s.methodsOf(r.App, r.Auth.Id, r.Now())
}

func (s *Subject) auditMethod(tx core.App, r *op.Request, action, resource, id string, changes map[string]any) error {
	return audit.Write(tx, r.Now(), audit.Entry{
		ActorKind: audit.Customer, Actor: r.Auth.Id, Action: action, Resource: resource, ResourceID: id, IP: r.RealIP(), UserAgent: r.Agent(), Changes: changes,
	})
}
