package renewals

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/books"
)

// applying is a change that takes effect.
type applying struct {
	*run
	change   *core.Record
	from, to terms
	sub      *subscription // as it was
	record   *core.Record
	by       string
}

// apply lets a change take effect: what is unused of the old terms and not on its
// invoice is given back, what was invoiced ahead on them is taken back, and the
// subscription goes on by the new ones. Those who run services follow the change.
func (r *run) apply(change *core.Record, by string) error {
	a := &applying{run: r, change: change, by: by}
	var err error
	if a.from, a.to, err = readTerms(change); err != nil {
		return err
	}
	id := change.GetString("subscription")
	if a.record, err = r.tx.FindRecordById(collections.Subscriptions, id); err != nil {
		return fmt.Errorf("apply change %s: %w", change.Id, err)
	}
	if a.record.GetString("status") == string(billing.SubscriptionCancelled) {
		return drop(r.tx, r.now, change, "The subscription had ended.")
	}
	if a.sub, err = loadOne(r.tx, id, r.now); err != nil {
		return err
	}
	for _, step := range []func() error{a.settleOld, a.subscribe, a.options, a.setups, a.stock, a.done} {
		if err := step(); err != nil {
			return fmt.Errorf("apply change %s of subscription %s: %w", change.Id, id, err)
		}
	}
	return nil
}

// settleOld ends the old terms: hours until now are invoiced, unused parts given
// back, what is invoiced ahead taken back.
func (a *applying) settleOld() error {
	if !a.to.Hours.IsZero() && a.change.GetString("timing") == atOnce {
		if err := a.hoursUntil(a.sub, a.to.Hours); err != nil {
			return err
		}
	}
	key := "change:" + a.change.Id
	if len(a.to.Credits) > 0 {
		lines, err := loadLines(a.tx, a.sub.ID, collections.Time(a.change, "requested_at"))
		if err != nil {
			return err
		}
		parts := []billing.CreditPart{}
		for _, c := range a.to.Credits {
			amount, err := money.New(c.Minor, a.sub.Currency)
			if err != nil {
				return err
			}
			if amount.IsZero() {
				if err := a.session.Release(a.tx, a.now, c.Line); err != nil {
					return err
				}
				continue
			}
			parts = append(parts, billing.CreditPart{Line: c.Line, Amount: amount})
		}
		if err := a.giveBack(lines, parts, key, "Unused after a change.", a.by); err != nil {
			return err
		}
	}
	if a.to.Ahead.IsZero() {
		return nil
	}
	return a.session.TakeBack(a.tx, a.now, books.Ahead{Subscription: a.sub.ID, From: a.to.Ahead}, key, "Invoiced before a change.", a.by)
}

// hoursUntil invoices the hours that are not invoiced yet, up to a moment.
func (r *run) hoursUntil(sub *subscription, until time.Time) error {
	if sub.activated.IsZero() {
		return nil
	}
	bills := []*bill{}
	for n := sub.NextPeriod; ; n++ {
		month := monthOf(sub.activated, n)
		if !month.Start.Before(until) {
			break
		}
		if err := r.month(sub, month, until, &bills); err != nil {
			return err
		}
	}
	for _, b := range bills {
		if err := r.issue(sub.User, "usage", b); err != nil {
			return err
		}
	}
	return nil
}

// subscribe writes the new terms on the subscription. A price that the change
// leaves alone is what it is by now: an announced one may have begun since.
func (a *applying) subscribe() error {
	to := a.to
	if to.Price == a.from.Price && to.Amount == a.from.Amount {
		to.Price, to.Amount = a.record.GetString("price"), a.record.GetInt64("amount_minor")
	}
	values := map[string]any{
		"plan": to.Plan, "price": to.Price, "amount_minor": to.Amount, "cap_minor": to.Cap, "cycle": to.Cycle, "pending_setup_minor": to.Setup,
		"anchor": collections.Stamp(to.Anchor), "next_period": to.NextPeriod, "discounts": to.Discounts, "next_invoice_at": collections.Stamp(a.now),
	}
	if billing.Cycle(to.Cycle) == billing.Hourly {
		values["activated_at"], values["current_period_start"], values["current_period_end"] = collections.Stamp(to.Anchor), "", ""
		values["next_period"], values["next_invoice_at"] = 0, collections.Stamp(billing.CalendarMonth(to.Anchor).End)
	} else if err := a.period(values); err != nil {
		return err
	}
	a.record.Load(values)
	return collections.Update(a.tx, a.record)
}

// period sets what is paid through: the first period of a new cycle that the
// change's invoice paid for, or less than before where what was paid ahead was
// taken back.
func (a *applying) period(values map[string]any) error {
	if a.to.Paid {
		p, err := billing.PeriodAt(a.to.Anchor, billing.Cycle(a.to.Cycle), 0)
		if err != nil {
			return err
		}
		values["current_period_start"], values["current_period_end"] = collections.Stamp(p.Start), collections.Stamp(p.End)
		return nil
	}
	if a.to.Ahead.IsZero() || !collections.Time(a.record, "current_period_end").After(a.to.Ahead) {
		return nil
	}
	schedule := a.sub.renewal.Schedule
	_, p, err := schedule.At(a.to.Ahead.Add(-time.Second))
	if err != nil {
		return err
	}
	values["current_period_start"], values["current_period_end"] = collections.Stamp(p.Start), collections.Stamp(p.End)
	return nil
}

// options makes the subscription's items those of the new terms. What stays as it
// is keeps its row.
func (a *applying) options() error {
	rows, err := collections.All(a.tx, collections.SubscriptionItems, dbx.HashExp{"subscription": a.sub.ID, "active": true}, "")
	if err != nil {
		return err
	}
	kept := map[string]bool{}
	for _, row := range rows {
		for _, o := range a.to.Options {
			if row.GetString("name") == o.Name && row.GetString("value") == o.Value && row.GetInt64("quantity") == o.Quantity && row.GetInt64("unit_minor") == o.Unit {
				kept[o.Name] = true
			}
		}
		if kept[row.GetString("name")] {
			continue
		}
		row.Load(map[string]any{"active": false, "ended_at": collections.Stamp(a.now)})
		if err := collections.Update(a.tx, row); err != nil {
			return err
		}
	}
	for _, o := range a.to.Options {
		if kept[o.Name] {
			continue
		}
		if err := a.option(o); err != nil {
			return err
		}
	}
	return nil
}

func (a *applying) option(o termOption) error {
	row, err := collections.New(a.tx, collections.SubscriptionItems)
	if err != nil {
		return err
	}
	kind, pending := "option", int64(0)
	if o.Addon {
		kind = "addon"
	}
	if a.sub.renewal.Status == billing.SubscriptionTrialing {
		pending = o.Setup
	}
	row.Load(map[string]any{
		"user": a.sub.User, "subscription": a.sub.ID, "kind": kind, "option": o.Option, "name": o.Name, "value": o.Value, "label": collections.Cut(o.Label, 240),
		"quantity": o.Quantity, "currency": a.sub.Currency, "unit_minor": o.Unit, "pending_setup_minor": pending, "active": true,
	})
	return collections.Update(a.tx, row)
}

// setups has what new options cost once billed with the next invoice, where the
// change had none of its own.
func (a *applying) setups() error {
	if a.sub.renewal.Status == billing.SubscriptionTrialing {
		return nil // with the first period
	}
	for _, o := range a.to.Options {
		if o.Setup <= 0 {
			continue
		}
		now := collections.Stamp(a.now).String()
		_, _, err := collections.Row(a.tx, collections.BillableItems, a.now, dbx.Params{
			"user": a.sub.User, "subscription": a.sub.ID, "key": "setup:" + a.change.Id + ":" + o.Name, "kind": "setup", "description": a.to.PlanName + " · " + o.Label + " · setup", "quantity": 1,
			"currency": a.sub.Currency, "unit_minor": o.Setup, "amount_minor": o.Setup, "period_start": "", "period_end": "", "status": "pending", "due_from": now,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// stock gives the unit of the old plan back; one of the new was held. What was
// announced about the old price is over.
func (a *applying) stock() error {
	if a.to.Price == a.from.Price {
		return nil
	}
	_, err := collections.Statement(a.tx, "UPDATE `subscription_changes` SET `status` = 'cancelled', `note` = 'The subscription was changed.', `updated` = {:now} WHERE `subscription` = {:id} AND `kind` = 'price' AND `status` = 'scheduled'").
		Bind(dbx.Params{"id": a.sub.ID, "now": collections.Stamp(a.now).String()}).Execute()
	if err != nil {
		return fmt.Errorf("announced prices: %w", err)
	}
	if a.to.Plan == a.from.Plan {
		return nil
	}
	return returnUnit(a.tx, a.from.Plan)
}

// done notes that the change has taken effect.
func (a *applying) done() error {
	if err := billing.CheckChangeTransition(billing.ChangeStatus(a.change.GetString("status")), billing.ChangeApplied); err != nil {
		return err
	}
	now := collections.Stamp(a.now)
	a.change.Load(map[string]any{"status": string(billing.ChangeApplied), "applied_at": now})
	if a.change.GetString("effective_at") == "" {
		a.change.Set("effective_at", now)
	}
	if err := collections.Update(a.tx, a.change); err != nil {
		return err
	}
	return audit.Write(a.tx, a.now, audit.Entry{
		ActorKind: audit.System, Action: "subscription.changed", Resource: collections.Subscriptions, ResourceID: a.sub.ID,
		Changes: map[string]any{"change": a.change.Id, "kind": a.change.GetString("kind"), "from": a.from, "to": a.to},
	})
}
