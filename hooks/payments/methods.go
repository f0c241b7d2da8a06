package payments

import (
	"fmt"
	"net/http"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/hooks/op"
)

const jobMethods = "payment.methods"

type methodsPayload struct {
	Gateway string `json:"gateway"`
	User    string `json:"user"`
}

func methodsJob(gateway, user string) jobs.Job {
	return jobs.Job{Kind: jobMethods, Key: jobMethods + ":" + gateway + ":" + user, User: user, Actor: audit.System, Payload: methodsPayload{gateway, user}}
}

type methodView struct {
	ID       string `json:"id"`
	Gateway  string `json:"gateway"`
	Kind     string `json:"kind"`
	Brand    string `json:"brand"`
	Last4    string `json:"last4"`
	ExpMonth int    `json:"exp_month"`
	ExpYear  int    `json:"exp_year"`
	Default  bool   `json:"is_default"`
}

type methodList struct {
	Items []methodView `json:"items"`
}

func (s *Subject) methodOps(t *op.Table) {
	op.Add(t, op.Spec{ID: "payment_methods.list", Method: http.MethodGet, Path: "/api/v1/payment-methods", Access: op.Customer, Summary: "Saved payment methods"}, s.listMethods)
}

func (s *Subject) listMethods(r *op.Request, _ op.None) (methodList, error) {
	list := methodList{Items: []methodView{}}
	found, err := collections.All(r.App, collections.PaymentMethods, dbx.HashExp{"user": r.Auth.Id, "active": true}, "is_default DESC, created ASC")
	if err != nil {
		return list, err
	}
	for _, m := range found {
		list.Items = append(list.Items, methodView{
			m.Id, m.GetString("gateway"), m.GetString("kind"), m.GetString("brand"), m.GetString("last4"),
			m.GetInt("exp_month"), m.GetInt("exp_year"), m.GetBool("is_default"),
		})
	}
	return list, nil
}

// syncMethods copies what the gateway has saved for a customer. Reading is
// harmless, so it may be repeated freely.
func (s *Subject) syncMethods(r *jobs.Run) error {
	p := methodsPayload{}
	if err := r.Payload(&p); err != nil {
		return err
	}
	customer, err := collections.First(r.App, collections.GatewayCustomers, dbx.HashExp{"user": p.User, "gateway": p.Gateway})
	if err != nil || customer == nil {
		return err
	}
	gateway, err := s.gateway(r.App, p.Gateway)
	if err != nil {
		return classed(err)
	}
	saved, err := gateway.Methods(r.Context(), customer.GetString("customer_id"))
	if err != nil {
		return classed(err)
	}
	return r.App.RunInTransaction(func(tx core.App) error { return s.mirror(tx, p, saved, r.Now()) })
}

// mirror makes our rows agree with the gateway's list; the first method of a
// customer becomes the default.
func (s *Subject) mirror(tx core.App, p methodsPayload, saved []billing.SavedMethod, now time.Time) error {
	known, err := collections.All(tx, collections.PaymentMethods, dbx.HashExp{"user": p.User, "gateway": p.Gateway}, "created ASC")
	if err != nil {
		return err
	}
	byID := map[string]*core.Record{}
	for _, m := range known {
		byID[m.GetString("gateway_method_id")] = m
	}
	hasDefault, err := collections.First(tx, collections.PaymentMethods, dbx.HashExp{"user": p.User, "is_default": true})
	if err != nil {
		return err
	}
	for _, m := range saved {
		r := byID[m.ID]
		delete(byID, m.ID)
		if r == nil {
			if r, err = collections.New(tx, collections.PaymentMethods); err != nil {
				return err
			}
			r.Set("is_default", hasDefault == nil)
			hasDefault = r
		}
		r.Load(map[string]any{
			"user": p.User, "gateway": p.Gateway, "gateway_method_id": m.ID, "kind": m.Kind, "brand": m.Brand, "last4": m.Last4,
			"exp_month": m.ExpMonth, "exp_year": m.ExpYear, "fingerprint": m.Fingerprint, "active": true,
		})
		if err := collections.Save(tx, r); err != nil {
			return fmt.Errorf("save payment method: %w", err)
		}
	}
	for _, gone := range byID {
		if err := retire(tx, gone); err != nil {
			return err
		}
	}
	return nil
}
