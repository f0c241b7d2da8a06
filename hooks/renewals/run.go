package renewals

import (
	"fmt"
	"slices"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/books"
)

// run is one commit of renewals.
type run struct {
	session *books.Session
	tx      core.App
	now     time.Time
	waiting []string // customers for whom something waits to be billed
}

// bill is an invoice that grows: what falls due on one day, is paid in one
// currency and by one method.
type bill struct {
	currency, method string
	due              time.Time
	auto             bool
	lines            []billing.Line
	items            []string // ids of billable items on it
}

// customer invoices everything that is due of one customer: services that renew
// on the same day share an invoice, and what waits to be billed joins the first.
func (r *run) customer(user string, subs []*subscription) error {
	bills := []*bill{}
	for _, sub := range subs {
		if err := r.advance(sub, &bills); err != nil {
			return fmt.Errorf("subscription %s: %w", sub.ID, err)
		}
	}
	if len(bills) == 0 {
		return nil
	}
	slices.SortStableFunc(bills, func(a, b *bill) int { return a.due.Compare(b.due) })
	if slices.Contains(r.waiting, user) {
		if err := r.addWaiting(user, bills); err != nil {
			return err
		}
	}
	for _, b := range bills {
		if err := r.issue(user, "renewal", b); err != nil {
			return err
		}
	}
	return nil
}

// advance does what is due of one subscription: its end, its pause, its agreed
// change, or its next periods.
func (r *run) advance(sub *subscription, bills *[]*bill) error {
	hourly := sub.renewal.Schedule.Cycle == billing.Hourly
	if hourly {
		if err := r.hours(sub, bills); err != nil {
			return err
		}
	}
	switch {
	case reached(sub.renewal.EndsAt, r.now):
		return End(r.tx, sub.ID, r.now)
	case reached(sub.renewal.PauseFrom, r.now):
		return pause(r.tx, sub.ID, r.now)
	case reached(sub.renewal.ChangesAt, r.now):
		return r.takeEffect(sub, bills)
	case hourly:
		return nil
	}
	return r.renew(sub, bills)
}

// takeEffect applies a change that was agreed for now, and goes on by its terms.
func (r *run) takeEffect(sub *subscription, bills *[]*bill) error {
	change, err := r.tx.FindRecordById(collections.SubscriptionChanges, sub.ChangeID)
	if err != nil {
		return fmt.Errorf("change %s: %w", sub.ChangeID, err)
	}
	if err := r.apply(change, audit.System); err != nil {
		return err
	}
	changed, err := loadOne(r.tx, sub.ID, r.now)
	if err != nil {
		return err
	}
	return r.advance(changed, bills)
}

// reached reports whether a moment that is agreed has come.
func reached(t, now time.Time) bool { return !t.IsZero() && !t.After(now) }

// renew invoices the periods whose time has come and notes where to go on.
func (r *run) renew(sub *subscription, bills *[]*bill) error {
	settings := r.session.Invoicing()
	sub.renewal.DaysAhead, sub.renewal.ContinueUnpaid = settings.DaysAhead, settings.ContinueUnpaid
	plan, err := billing.PlanRenewal(sub.renewal, r.now)
	if err != nil {
		return err
	}
	for _, p := range plan.Due {
		b := billFor(bills, sub, billing.DueAt(p.Period, r.now, settings.MinTermDays))
		b.add(sub, p)
	}
	return r.save(sub, plan)
}

// billFor finds the bill that a period of the subscription belongs on.
func billFor(bills *[]*bill, sub *subscription, due time.Time) *bill {
	day := due.UTC().Format(time.DateOnly)
	for _, b := range *bills {
		if b.currency == sub.Currency && b.method == sub.Method && b.due.UTC().Format(time.DateOnly) == day {
			if due.Before(b.due) {
				b.due = due
			}
			b.auto = b.auto || sub.auto()
			return b
		}
	}
	b := &bill{currency: sub.Currency, method: sub.Method, due: due, auto: sub.auto()}
	*bills = append(*bills, b)
	return b
}

// auto reports whether a saved method may be charged for the subscription.
func (s *subscription) auto() bool { return !s.NoAutoCharge && s.Gateway != "manual" }

// add puts the lines of a period on the bill, each followed by its discounts.
func (b *bill) add(sub *subscription, p billing.PeriodDue) {
	lines := p.Document(sub.ID, sub.renewal.Schedule.Cycle)
	for i := range lines {
		lines[i].Detail.Plan = sub.Plan
	}
	b.lines = billing.AppendLines(b.lines, lines)
}

// issue writes the invoice of a bill.
func (r *run) issue(user, kind string, b *bill) error {
	d, err := r.session.Issue(books.Invoice{User: user, Kind: kind, Currency: b.currency, Lines: b.lines, DueAt: b.due, AutoCharge: b.auto})
	if err != nil {
		return err
	}
	return r.billed(b.items, d.ID)
}

// save notes where the subscription's renewals go on.
func (r *run) save(sub *subscription, plan billing.RenewalPlan) error {
	setup := sub.PendingSetup
	for _, p := range plan.Due {
		if p.Number == 0 {
			setup = 0
		}
	}
	if next, err := billing.PeriodAt(sub.renewal.Schedule.Anchor, sub.renewal.Schedule.Cycle, plan.NextPeriod); err == nil {
		if err := r.newPrices(sub, next.Start); err != nil {
			return err
		}
	}
	_, err := collections.Statement(r.tx, "UPDATE `subscriptions` SET `next_period` = {:next}, `next_invoice_at` = {:look}, `pending_setup_minor` = {:setup}, `updated` = {:now} WHERE `id` = {:id}").
		Bind(dbx.Params{"id": sub.ID, "next": plan.NextPeriod, "look": collections.Stamp(sub.lookAt(plan.LookAt, r.now)).String(), "setup": setup, "now": collections.Stamp(r.now).String()}).Execute()
	if err != nil {
		return fmt.Errorf("note the next period: %w", err)
	}
	if setup != sub.PendingSetup {
		_, err = r.tx.DB().Update(collections.SubscriptionItems, dbx.Params{"pending_setup_minor": 0}, dbx.HashExp{"subscription": sub.ID}).Execute()
	}
	return err
}
