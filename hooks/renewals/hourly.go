package renewals

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// hours invoices the calendar months that are over, of a subscription that is
// paid by the hour, and the month in which it ends. next_period counts the months
// since the activation that are invoiced.
func (r *run) hours(sub *subscription, bills *[]*bill) error {
	if sub.activated.IsZero() || sub.Status == string(billing.SubscriptionPending) {
		return r.lookAgain(sub, sub.NextPeriod, time.Time{})
	}
	until := r.now
	for _, end := range []time.Time{sub.renewal.EndsAt, sub.renewal.ChangesAt} {
		if !end.IsZero() && end.Before(until) {
			until = end
		}
	}
	months := sub.NextPeriod
	for {
		month := monthOf(sub.activated, months)
		if month.Start.After(until) || month.End.After(until) && !reached(sub.renewal.EndsAt, r.now) {
			return r.lookAgain(sub, months, month.End)
		}
		if err := r.month(sub, month, until, bills); err != nil {
			return err
		}
		if months++; month.End.After(until) {
			return r.lookAgain(sub, months, time.Time{})
		}
	}
}

// monthOf is the n-th calendar month, from 0, of a subscription.
func monthOf(activated time.Time, n int) billing.Period {
	first := billing.CalendarMonth(activated)
	return billing.CalendarMonth(first.Start.AddDate(0, n, 0))
}

// month puts the started hours of one calendar month on a bill.
func (r *run) month(sub *subscription, month billing.Period, until time.Time, bills *[]*bill) error {
	hour, err := sub.hour(month.Start)
	if err != nil {
		return err
	}
	most := sub.capAt(month.Start)
	limit, err := money.New(most, sub.Currency)
	if err != nil {
		return err
	}
	from, to := month.Start, month.End
	if sub.activated.After(from) {
		from = sub.activated
	}
	if until.Before(to) {
		to = until
	}
	use, err := billing.HourlyTerms{Hour: hour, Cap: limit}.Between(sub.activated, from, to)
	if err != nil {
		return fmt.Errorf("hours of %s: %w", month, err)
	}
	if use.Hours == 0 {
		return nil
	}
	b := billFor(bills, sub, r.now.AddDate(0, 0, r.session.Invoicing().MinTermDays))
	b.lines = append(b.lines, billing.Line{
		InvoiceLine: billing.InvoiceLine{Description: sub.title(), Quantity: use.Hours, UnitPrice: hour, Amount: use.Amount, Period: billing.Period{Start: from, End: to}},
		Kind:        billing.LineHourly, Subscription: sub.ID, Item: billing.PlanKey, TaxDate: from,
		Detail: billing.Detail{Plan: sub.Plan, Cycle: billing.Hourly, Hours: use.Hours, CapMinor: most},
	})
	return nil
}

// hour is what an hour costs in the month that starts then, options included;
// cap_minor is the cap of both.
func (s *subscription) hour(start time.Time) (money.Amount, error) {
	sum, err := money.New(0, s.Currency)
	for _, it := range s.renewal.Items {
		price, wrong := it.At(start).Price()
		if err == nil {
			err = wrong
		}
		if err == nil {
			sum, err = sum.Add(price)
		}
	}
	return sum, err
}

// capAt is the most that the month costs which starts then.
func (s *subscription) capAt(start time.Time) int64 {
	if at := s.renewal.Items[0].AnnouncedFrom; len(s.prices) > 0 && !start.Before(at) {
		return s.prices[0].To.Cap
	}
	return s.Cap
}

// lookAgain notes how many months are invoiced and when to look next.
func (r *run) lookAgain(sub *subscription, months int, at time.Time) error {
	if !sub.activated.IsZero() {
		if err := r.newPrices(sub, monthOf(sub.activated, months).Start); err != nil {
			return err
		}
	}
	_, err := collections.Statement(r.tx, "UPDATE `subscriptions` SET `next_period` = {:months}, `next_invoice_at` = {:at}, `updated` = {:now} WHERE `id` = {:id}").
		Bind(dbx.Params{"id": sub.ID, "months": months, "at": collections.Stamp(at).String(), "now": collections.Stamp(r.now).String()}).Execute()
	if err != nil {
		return fmt.Errorf("note the months invoiced: %w", err)
	}
	return nil
}
