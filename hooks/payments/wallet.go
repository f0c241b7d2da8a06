package payments

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/jobs"
)

const jobRemove = "payment.method.remove"

// Why a method cannot be removed now.
var (
	errMethodNeeded = errors.New("services renew by it and nothing else is saved")
	errMethodBusy   = errors.New("a payment by it is on its way")
)

// use is a subscription that renews by itself, with the method it names.
type use struct {
	ID     string `db:"id" json:"subscription"`
	Name   string `db:"name" json:"name"`
	Method string `db:"payment_method" json:"method"` // "" is the default one
}

// uses lists a customer's subscriptions that are charged by themselves; none of a
// customer who pays everything by hand.
func uses(app core.App, user string) ([]use, error) {
	rows := []use{}
	err := app.DB().NewQuery("SELECT `u`.`id`, `u`.`payment_method`, IFNULL(NULLIF((SELECT `label` FROM `services` WHERE `subscription` = `u`.`id` LIMIT 1), ''), (SELECT `name` FROM `plans` WHERE `id` = `u`.`plan`)) AS `name`" +
		" FROM `subscriptions` `u` WHERE `u`.`user` = {:user} AND `u`.`status` IN ('active', 'trialing', 'past_due') AND NOT `u`.`cancel_at_end` AND `u`.`ends_at` = '' AND `u`.`cycle` != 'one_time' AND `u`.`billing_owner` = 'platform'" +
		" AND NOT EXISTS (SELECT 1 FROM `billing_profiles` WHERE `user` = {:user} AND `no_auto_charge`) ORDER BY `name`, `u`.`id`").Bind(dbx.Params{"user": user}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("what customer %s pays by itself: %w", user, err)
	}
	return rows, nil
}

// active lists what a customer has saved, the default one first.
func active(app core.App, user string) ([]*core.Record, error) {
	return collections.All(app, collections.PaymentMethods, dbx.HashExp{"user": user, "active": true}, "is_default DESC, created ASC")
}

// assignMethod lets a subscription be paid by a method, "" by the default one.
func (s *Subject) assignMethod(tx core.App, user, subscription, method string) error {
	now := collections.Stamp(s.Now()).String()
	res, err := tx.DB().Update(collections.Subscriptions, dbx.Params{"payment_method": method, "updated": now}, dbx.HashExp{"id": subscription, "user": user}).Execute()
	if err != nil {
		return fmt.Errorf("method of subscription %s: %w", subscription, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return s.lookAgain(tx, user)
}

// lookAgain makes dunning look at a customer's open invoices at its next run: what
// they may be charged by has changed.
func (s *Subject) lookAgain(tx core.App, user string) error {
	_, err := tx.DB().NewQuery("UPDATE `invoices` SET `next_step_at` = {:now} WHERE `user` = {:user} AND `status` = 'open'").Bind(dbx.Params{"user": user, "now": collections.Stamp(s.Now()).String()}).Execute()
	if err != nil {
		return fmt.Errorf("invoices of customer %s are to be looked at: %w", user, err)
	}
	return nil
}

// makeDefault lets a method be tried first.
func makeDefault(tx core.App, method *core.Record) error {
	others, err := collections.All(tx, collections.PaymentMethods, dbx.HashExp{"user": method.GetString("user"), "is_default": true}, "created ASC")
	if err != nil {
		return err
	}
	for _, other := range others { // first, as there is one at most at any moment
		if other.Id == method.Id {
			return nil
		}
		other.Set("is_default", false)
		if err := collections.Save(tx, other); err != nil {
			return err
		}
	}
	method.Set("is_default", true)
	return collections.Save(tx, method)
}

// removeMethod forgets a method here and queues that the gateway forgets it. What
// named it is paid by the default one from now on. Errors: errMethodNeeded (with
// the services' names), errMethodBusy.
func (s *Subject) removeMethod(tx core.App, method *core.Record) error {
	user := method.GetString("user")
	all, err := active(tx, user)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(m *core.Record) bool { return m.Id == method.Id })
	if err := removable(tx, method, len(all)); err != nil {
		return err
	}
	wasDefault := method.GetBool("is_default")
	if err := s.letGo(tx, method, "", "customer:"+user); err != nil {
		return err
	}
	if wasDefault && len(all) > 0 {
		if err := makeDefault(tx, all[0]); err != nil {
			return err
		}
	}
	return audit.Write(tx, s.Now(), audit.Entry{
		ActorKind: audit.Customer, Actor: user, Action: "payment_method.remove", Resource: collections.PaymentMethods, ResourceID: method.Id,
		Changes: map[string]any{"gateway": method.GetString("gateway"), "kind": method.GetString("kind"), "last4": method.GetString("last4")},
	})
}

// letGo retires a method, lets what named it be paid by another, "" being the
// default one, and queues that the gateway forgets it.
func (s *Subject) letGo(tx core.App, method *core.Record, other, actor string) error {
	now, user := s.Now(), method.GetString("user")
	method.Set("removed_at", collections.Stamp(now))
	if err := retire(tx, method); err != nil {
		return err
	}
	if _, err := tx.DB().Update(collections.Subscriptions, dbx.Params{"payment_method": other}, dbx.HashExp{"user": user, "payment_method": method.Id}).Execute(); err != nil {
		return fmt.Errorf("services paid by method %s: %w", method.Id, err)
	}
	_, err := jobs.Enqueue(tx, now, jobs.Job{
		Kind: jobRemove, Key: jobRemove + ":" + method.Id, Serial: "wallet:" + user, User: user, Actor: actor, Payload: removePayload{method.Id},
	})
	return err
}

// removable says why a method must stay for now.
func removable(tx core.App, method *core.Record, others int) error {
	busy, err := findAttempt(tx, "`user` = {:user} AND `gateway` = {:gateway} AND `gateway_method_id` = {:method} AND `status` IN ('created', 'pending', 'needs_action', 'unknown')",
		dbx.Params{"user": method.GetString("user"), "gateway": method.GetString("gateway"), "method": method.GetString("gateway_method_id")})
	if err != nil {
		return err
	}
	if busy != nil {
		return errMethodBusy
	}
	if others > 0 {
		return nil
	}
	needs, err := uses(tx, method.GetString("user"))
	if err != nil || len(needs) == 0 {
		return err
	}
	names := []string{}
	for _, u := range needs {
		names = append(names, u.Name)
	}
	return fmt.Errorf("%w: %s", errMethodNeeded, strings.Join(names, ", "))
}

type removePayload struct {
	Method string `json:"method"`
}

// forgetMethod makes the gateway forget what the customer removed. It may be
// repeated freely: what is gone is gone.
func (s *Subject) forgetMethod(r *jobs.Run) error {
	in := removePayload{}
	if err := r.Payload(&in); err != nil {
		return err
	}
	method, err := r.App.FindRecordById(collections.PaymentMethods, in.Method)
	if err != nil {
		return fmt.Errorf("removed method %s: %w", in.Method, err)
	}
	kind := method.GetString("gateway")
	customer, err := collections.First(r.App, collections.GatewayCustomers, dbx.HashExp{"user": method.GetString("user"), "gateway": kind})
	if err != nil || customer == nil {
		return err
	}
	gateway, err := s.gateway(r.App, kind)
	if err != nil {
		return classed(err)
	}
	able, ok := gateway.(billing.MethodRemover)
	if !ok {
		return nil
	}
	if err := able.RemoveMethod(r.Context(), customer.GetString("customer_id"), method.GetString("gateway_method_id")); err != nil {
		return classed(fmt.Errorf("remove method %s at %s: %w", method.Id, kind, err))
	}
	return nil
}
