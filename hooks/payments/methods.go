package payments

import (
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/jobs"
)

const jobMethods = "payment.methods"

type methodsPayload struct {
	Gateway string `json:"gateway"`
	User    string `json:"user"`
}

func methodsJob(gateway, user string) jobs.Job {
	return jobs.Job{Kind: jobMethods, Key: jobMethods + ":" + gateway + ":" + user, User: user, Actor: audit.System, Payload: methodsPayload{gateway, user}}
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
	fresh := []*core.Record{}
	for _, m := range saved {
		r := byID[m.ID]
		delete(byID, m.ID)
		if r != nil && r.GetString("removed_at") != "" {
			continue // the gateway is about to forget it
		}
		if r == nil {
			if r, err = collections.New(tx, collections.PaymentMethods); err != nil {
				return err
			}
			fresh = append(fresh, r)
		}
		if hasDefault == nil {
			r.Set("is_default", true)
			hasDefault = r
		}
		r.Load(map[string]any{
			"user": p.User, "gateway": p.Gateway, "gateway_method_id": m.ID, "kind": m.Kind, "brand": m.Brand, "last4": m.Last4,
			"exp_month": m.ExpMonth, "exp_year": m.ExpYear, "fingerprint": m.Fingerprint, "account": m.Account, "active": true,
		})
		if err := collections.Save(tx, r); err != nil {
			return fmt.Errorf("save payment method: %w", err)
		}
	}
	for _, gone := range byID {
		if !gone.GetBool("active") {
			continue
		}
		if err := retire(tx, gone); err != nil {
			return err
		}
	}
	return s.replaceDoubles(tx, p, fresh)
}

// replaceDoubles lets a method that was just saved take the place of earlier ones
// over the same card or account: gateways save one anew with each payment on a page.
// One by which a payment is on its way stays.
func (s *Subject) replaceDoubles(tx core.App, p methodsPayload, fresh []*core.Record) error {
	replaced := map[string]bool{}
	for _, f := range fresh {
		if f.GetString("fingerprint") == "" || replaced[f.Id] {
			continue
		}
		same, err := collections.All(tx, collections.PaymentMethods,
			dbx.HashExp{"user": p.User, "gateway": p.Gateway, "kind": f.GetString("kind"), "fingerprint": f.GetString("fingerprint"), "active": true}, "created ASC")
		if err != nil {
			return err
		}
		for _, old := range same {
			if old.Id == f.Id {
				continue
			}
			err := s.replaceMethod(tx, old, f)
			if err != nil && !errors.Is(err, errMethodBusy) {
				return err
			}
			replaced[old.Id] = err == nil
		}
	}
	return nil
}

// replaceMethod hands what a method was chosen for to another and forgets it.
// Errors: errMethodBusy.
func (s *Subject) replaceMethod(tx core.App, old, by *core.Record) error {
	if err := removable(tx, old, 1); err != nil {
		return err
	}
	if old.GetBool("is_default") {
		if err := makeDefault(tx, by); err != nil {
			return err
		}
	}
	return s.letGo(tx, old, by.Id, audit.System)
}

// methodKey finds the row of what a setup saved.
func methodKey(p *setup) dbx.HashExp {
	return dbx.HashExp{"user": p.User, "gateway": p.Gateway, "gateway_method_id": p.Method}
}
