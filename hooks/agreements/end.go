package agreements

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/jobs"
)

// endedThere is the reason of subscriptions that the payer ended at the gateway.
const endedThere = "ended at the payment provider"

func (s *Subject) endSoon(tx core.App, row *core.Record, actor string) error {
	_, err := jobs.Enqueue(tx, s.Now(), jobs.Job{Kind: jobEnd, Key: jobEnd + ":" + row.Id, Serial: serial(row), User: row.GetString("user"), Actor: actor, Payload: payload{row.Id}})
	return err
}

// look reads an agreement and takes over what is new.
func (s *Subject) look(r *jobs.Run) error {
	row, err := s.jobRow(r)
	if err != nil {
		return err
	}
	g, err := s.Gateway(r.App, row.GetString("gateway"))
	if err != nil {
		return s.Classed(err)
	}
	a, err := g.ReadAgreement(r.Context(), row.GetString("agreement"))
	if err != nil {
		return s.Classed(err)
	}
	payments, err := s.payments(r.Context(), g, row, r.Now())
	if err != nil {
		return s.Classed(err)
	}
	return r.App.RunInTransaction(func(tx core.App) error { return s.take(tx, r.Now(), row.Id, a, payments) })
}

// payments lists what may be new. It is read after the agreement: what the
// agreement says of its end then holds for every payment.
func (s *Subject) payments(ctx context.Context, g billing.GatewaySubscriptions, row *core.Record, now time.Time) ([]billing.AgreementPayment, error) {
	from := collections.Time(row, "linked_at").Truncate(time.Second) // gateways tell no parts of it
	if seen := collections.Time(row, "checked_at").AddDate(0, 0, -31); seen.After(from) {
		from = seen
	}
	return g.AgreementPayments(ctx, row.GetString("agreement"), from, now.Add(time.Hour))
}

// end sees to it that the gateway takes no further payment. The wish is stored
// before the job is; what is paid through is stored before the call, as an
// agreement that is over may not tell it any more. Ending is repeatable and reads
// first, so an answer that was lost is looked up by the same call.
func (s *Subject) end(r *jobs.Run) error {
	row, err := s.jobRow(r)
	if err != nil || row.GetString("wish") == "" {
		return err
	}
	g, err := s.Gateway(r.App, row.GetString("gateway"))
	if err != nil {
		return s.Classed(err)
	}
	id := row.GetString("agreement")
	before, err := g.ReadAgreement(r.Context(), id)
	if err != nil {
		return s.Classed(err)
	}
	payments, err := s.payments(r.Context(), g, row, r.Now())
	if err != nil {
		return s.Classed(err)
	}
	if err := r.Intent(func(tx core.App) error { return notePaid(tx, row.Id, before, payments) }); err != nil {
		return err
	}
	a, err := s.stop(r, g, row)
	if err != nil {
		return s.Classed(err)
	}
	if payments, err = s.payments(r.Context(), g, row, r.Now()); err != nil {
		return s.Classed(err)
	}
	waits := false
	err = r.Outcome(func(tx core.App) error {
		if err := s.take(tx, r.Now(), row.Id, a, payments); err != nil {
			return err
		}
		fresh, err := tx.FindRecordById(collections.Agreements, row.Id)
		waits = err == nil && fresh.GetString("wish") != ""
		return err
	})
	if err != nil || !waits {
		return err
	}
	return r.Patiently(time.Hour) // a period that has begun there is not paid yet
}

// stop makes the call: a subscription that is over here is cancelled there, any
// other ends when what is paid does.
func (s *Subject) stop(r *jobs.Run, g billing.GatewaySubscriptions, row *core.Record) (billing.Agreement, error) {
	sub, err := r.App.FindRecordById(collections.Subscriptions, row.GetString("subscription"))
	if err != nil {
		return billing.Agreement{}, fmt.Errorf("agreement %s: %w", row.Id, err)
	}
	id := row.GetString("agreement")
	if row.GetString("wish") == wishHandover {
		return g.EndAgreement(r.Context(), id, "Billing continues with a saved payment method.")
	}
	if sub.GetString("status") != string(billing.SubscriptionCancelled) {
		return g.EndAgreement(r.Context(), id, "Cancelled by the customer.")
	}
	if err := g.CancelAgreement(r.Context(), id, "The subscription has ended."); err != nil {
		return billing.Agreement{}, err
	}
	return g.ReadAgreement(r.Context(), id)
}

// notePaid stores what an agreement says is paid through while it still says so. It
// counts a month whose payment is on its way as paid, though that may bounce: then
// only what has arrived counts.
func notePaid(tx core.App, id string, a billing.Agreement, payments []billing.AgreementPayment) error {
	if slices.ContainsFunc(payments, func(p billing.AgreementPayment) bool { return p.State == billing.PaymentPending }) {
		return nil
	}
	through := a.PaidThrough
	if through.IsZero() {
		through = a.NextPayment
	}
	if through.IsZero() {
		return nil
	}
	row, err := tx.FindRecordById(collections.Agreements, id)
	if err != nil {
		return fmt.Errorf("agreement %s: %w", id, err)
	}
	row.Set("paid_through", collections.Stamp(through))
	return collections.Update(tx, row)
}

func (s *Subject) jobRow(r *jobs.Run) (*core.Record, error) {
	p := payload{}
	if err := r.Payload(&p); err != nil {
		return nil, err
	}
	row, err := r.App.FindRecordById(collections.Agreements, p.Agreement)
	if err != nil {
		return nil, fmt.Errorf("agreement %s: %w", p.Agreement, err)
	}
	return row, nil
}
