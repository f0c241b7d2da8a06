// Package renewals is subscriptions in time: it invoices their periods ahead,
// hours in arrears and what else is to be billed, and lets ends, pauses and
// agreed changes take effect. It decides when; engine/billing decides what, and
// the books write it. Money and suspension are other subjects' business.
package renewals

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/hooks/op"
)

// Deps is what renewals needs from outside.
type Deps struct {
	Now   func() time.Time
	Books *books.Books
	// Close makes sure that nothing can be paid on an invoice any more. It reports
	// false while money may still arrive. It runs outside of any transaction.
	Close func(ctx context.Context, app core.App, invoice *core.Record) (bool, error)
	// Target looks up and prices what a subscription is to become. Its errors tell
	// customers what is wrong with their wish.
	Target func(app core.App, wish billing.ChangeWish) (billing.Bargain, error)
	// Feasible says whether a subscription's service can become what is agreed:
	// byStaff where people do it, a provisioning.ImpossibleError where it cannot. It
	// asks the platform, so it runs outside of any transaction.
	Feasible func(ctx context.Context, app core.App, subscription string, to billing.Bargain) (byStaff bool, err error)
	// PriceMail writes the one mail that tells a customer of an announced price, or
	// that it was called off; the same again changes nothing. It runs inside the
	// transaction.
	PriceMail func(tx core.App, announcement, user string, off bool) error
	// Taxed finds out how sales to customers are taxed, where a tax service has to be
	// asked. It runs outside of any transaction, before they are invoiced. Nil is that
	// nobody is to be asked.
	Taxed func(ctx context.Context, app core.App, users []string) error
}

// Subject is renewals bound to one app.
type Subject struct{ Deps }

// New makes renewals that are bound to nothing: Run works them.
func New(deps Deps) *Subject {
	if deps.Taxed == nil {
		deps.Taxed = func(context.Context, core.App, []string) error { return nil }
	}
	return &Subject{deps}
}

// Follow makes subscriptions follow the invoices of the subject's books.
func (s *Subject) Follow() {
	s.Books.OnIssued(s.offeredAgain)
	s.Books.OnPaid(s.extend)
	s.Books.OnPaid(s.resumed)
	s.Books.OnPaid(s.paidFor)
	s.Books.OnVoided(s.withdrawn)
}

// Register binds the operations, hooks and jobs of renewals.
func Register(app core.App, table *op.Table, worker *jobs.Worker, deps Deps) *Subject {
	s := New(deps)
	s.Follow()
	worker.Handle(jobCustomer, s.retry)
	worker.Handle(jobLapse, s.lapse)
	worker.Handle(jobAnnounce, s.announce)
	worker.Handle(jobCallOff, s.callOff)
	s.ops(table)
	s.announcementOps(table)
	s.onEnd(app)
	return s
}

// Run does what is due at now, in order and in small commits, and returns when
// nothing is left. It works from what is due and not from when it ran last: after
// an outage it makes everything up, and running it twice, or twice at once,
// changes nothing more. A customer whose data is at fault does not stop the
// others; their subscriptions become a job that staff can see.
func (s *Subject) Run(ctx context.Context, app core.App, now time.Time) error {
	after, batch := cursor{}, firstBatch
	for ctx.Err() == nil {
		began := s.Now()
		next, err := s.round(ctx, app, now, after, batch)
		if err != nil {
			return fmt.Errorf("renew subscriptions: %w", err)
		}
		if next == (cursor{}) {
			break
		}
		after, batch = next, fit(batch, s.Now().Sub(began))
	}
	if err := s.billWaiting(ctx, app, now); err != nil {
		return err
	}
	return ctx.Err()
}

// round works one batch and returns where to go on; the zero cursor when there is
// nothing more.
func (s *Subject) round(ctx context.Context, app core.App, now time.Time, after cursor, batch int) (cursor, error) {
	due, err := dueAfter(app, now, after, batch)
	if err != nil || len(due) == 0 {
		return cursor{}, err
	}
	users := usersOf(due)
	if err := s.Taxed(ctx, app, users); err != nil {
		return cursor{}, err
	}
	if err := s.renewAll(app, now, users); err != nil {
		for _, user := range users { // one of them is at fault: each on its own
			if err := s.renewAll(app, now, []string{user}); err != nil {
				if err := putOff(app, now, user, err); err != nil {
					return cursor{}, err
				}
			}
		}
	}
	last := due[len(due)-1]
	return cursor{last.NextInvoiceAt, last.Row}, nil
}

// renewAll renews everything that is due of some customers in one commit.
func (s *Subject) renewAll(app core.App, now time.Time, users []string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("renewing customers %v panicked: %v", users, p)
		}
	}()
	return app.RunInTransaction(func(tx core.App) error {
		session, err := s.Books.Open(tx, now)
		if err != nil {
			return err
		}
		subs, err := load(tx, users, now)
		if err != nil {
			return err
		}
		if err := session.Know(users); err != nil {
			return err
		}
		r := &run{session: session, tx: tx, now: now}
		if r.waiting, err = waiting(tx, users); err != nil {
			return err
		}
		for _, user := range users {
			if err := r.customer(user, subs[user]); err != nil {
				return fmt.Errorf("customer %s: %w", user, err)
			}
		}
		return nil
	})
}

const jobCustomer = "renewals.customer"

// silence is how long a tax service that gave no answer is left alone.
const silence = 15 * time.Minute

type customerPayload struct {
	User string `json:"user"`
}

// putOff hands a customer whose renewal fails to the queue, which tries again
// and, when that is useless, shows it to staff.
func putOff(app core.App, now time.Time, user string, cause error) error {
	app.Logger().Error("Renewal failed and will be tried again", "customer", user, "error", cause)
	_, err := jobs.Enqueue(app, now, jobs.Job{Kind: jobCustomer, Key: jobCustomer + ":" + user, Serial: jobCustomer + ":" + user, User: user, Actor: "system", At: now.Add(time.Hour), Payload: customerPayload{user}})
	if err != nil {
		return fmt.Errorf("put off the renewal of customer %s: %w", user, err)
	}
	return nil
}

func (s *Subject) retry(r *jobs.Run) error {
	p := customerPayload{}
	if err := r.Payload(&p); err != nil {
		return err
	}
	err := s.Taxed(r.Context(), r.App, []string{p.User})
	if err == nil {
		err = s.renewAll(r.App, r.Now(), []string{p.User})
	}
	var unasked *tax.UnaskedError
	if errors.As(err, &unasked) { // nobody's failure but the service's, for which the customer waits
		r.App.Logger().Warn("A renewal waits for the tax service", "customer", p.User, "error", err)
		return r.Patiently(silence)
	}
	return err
}
