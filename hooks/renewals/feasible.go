package renewals

import (
	"errors"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/op"
)

// feasible asks whether the platform can do what a change agrees, and refuses with
// the reason what it never can. Another cycle or price is none of its business.
func (s *Subject) feasible(r *op.Request, subscription string, from, to billing.Bargain) (byStaff bool, err error) {
	byStaff, err = s.Feasible(r.Request.Context(), r.App, subscription, to)
	var no *provisioning.ImpossibleError
	if !errors.As(err, &no) {
		return byStaff, err
	}
	field := "price"
	if _, option := to.Option(no.Setting); option || from.Plan == to.Plan {
		field = "options"
		if option {
			field += "." + no.Setting
		}
	}
	return false, op.Fields{{Field: field, Message: no.Reason, Code: no.Code}}.Problem()
}

// possible refuses, before a change is agreed, what the platform can never do. All
// other faults of the wish are found, and told, when it is agreed.
func (s *Subject) possible(r *op.Request, id string, in changeRequest) error {
	record, err := r.App.FindRecordById(collections.Subscriptions, id)
	if err != nil {
		return op.NotFound()
	}
	known, err := collections.First(r.App, collections.SubscriptionChanges, dbx.HashExp{"user": record.GetString("user"), "client_key": in.ClientKey})
	if err != nil || known != nil {
		return err // it is agreed already
	}
	sub, err := loadOne(r.App, id, r.Now())
	if err != nil {
		return err
	}
	p := &proposing{Subject: s, app: r.App, sub: sub, proposal: proposal{wish: in.wish, now: r.Now()}}
	if p.from, err = agreement(r.App, sub, record); err != nil {
		return err
	}
	if p.aim() == nil {
		_, err = s.feasible(r, sub.ID, p.from, p.to)
	}
	return err
}
