package payments

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/document/locales"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/jobs"
)

const (
	jobWatch = "payment.watch"
	jobClose = "payment.close"
	// watchEvery is how often the gateway is asked about an open attempt at
	// first, in case no webhook arrives; a debit that takes days is asked after
	// more rarely.
	watchEvery = 2 * time.Minute
)

type attemptPayload struct {
	Attempt string `json:"attempt"`
}

// Check asks the gateway what became of the live attempt of an invoice and
// settles the answer. It is what the browser's return calls.
func (s *Subject) Check(ctx context.Context, app core.App, invoice *core.Record) error {
	a, err := liveAttempt(app, invoice.Id)
	if err != nil || a == nil {
		return err
	}
	_, err = s.ask(ctx, app, a)
	return err
}

// ask reads an attempt back from its gateway and settles what it says. Attempts
// whose page never opened have nothing to read.
func (s *Subject) ask(ctx context.Context, app core.App, a *attempt) (billing.PaymentReport, error) {
	none := billing.PaymentReport{State: billing.PaymentOpen}
	a, err := a.whole(app)
	if err != nil {
		return none, err
	}
	if a.Gateway == Manual || a.Page == "" && a.Reference == "" {
		return none, nil
	}
	gateway, err := s.gateway(app, a.Gateway)
	if err != nil {
		return none, err
	}
	var rep billing.PaymentReport
	if a.Page != "" {
		rep, err = gateway.ReadPage(ctx, a.Page)
	} else {
		rep, err = gateway.ReadPayment(ctx, a.Reference)
	}
	if err != nil {
		return none, fmt.Errorf("ask %s about attempt %s: %w", a.Gateway, a.ID, err)
	}
	rep.AttemptID = a.ID
	return rep, app.RunInTransaction(func(tx core.App) error { return s.settle(tx, s.Now(), a.Gateway, rep) })
}

// CloseAll makes sure that no attempt of an invoice can still be paid. It
// reports false while money may still arrive.
func (s *Subject) CloseAll(ctx context.Context, app core.App, invoice *core.Record) (bool, error) {
	a, err := liveAttempt(app, invoice.Id)
	if err != nil || a == nil {
		return err == nil, err
	}
	if err := s.closeOne(ctx, app, a); err != nil {
		return false, err
	}
	a, err = liveAttempt(app, invoice.Id)
	return err == nil && a == nil, err
}

// closeOne closes one attempt at its gateway and settles what the gateway says
// became of it.
func (s *Subject) closeOne(ctx context.Context, app core.App, a *attempt) error {
	a, err := a.whole(app)
	if err != nil {
		return err
	}
	if a.Status == attemptPending || a.Status == attemptUnknown {
		_, err := s.ask(ctx, app, a)
		return err
	}
	if a.Page == "" {
		return s.mark(app, a.ID, attemptCancelled, "never opened") // nobody has seen a page
	}
	gateway, err := s.gateway(app, a.Gateway)
	if err != nil {
		return err
	}
	rep, err := gateway.ClosePage(ctx, a.Page)
	if err != nil {
		return fmt.Errorf("close payment page of attempt %s: %w", a.ID, err)
	}
	rep.AttemptID = a.ID
	return app.RunInTransaction(func(tx core.App) error { return s.settle(tx, s.Now(), a.Gateway, rep) })
}

// watch is the timer behind the webhooks: as long as an attempt is live it asks
// the gateway now and then.
func (s *Subject) watch(r *jobs.Run) error {
	a, err := s.jobAttempt(r)
	if err != nil || a == nil {
		return err
	}
	if _, err := s.ask(r.Context(), r.App, a); err != nil {
		return classed(err)
	}
	if a, err = s.jobAttempt(r); err != nil || a == nil {
		return err
	}
	return r.Patiently(watchEvery)
}

// closeAttempt closes a page whose invoice was paid by other means.
func (s *Subject) closeAttempt(r *jobs.Run) error {
	a, err := s.jobAttempt(r)
	if err != nil || a == nil {
		return err
	}
	if err := s.closeOne(r.Context(), r.App, a); err != nil {
		return classed(err)
	}
	if a, err = s.jobAttempt(r); err != nil || a == nil {
		return err
	}
	return r.Patiently(watchEvery)
}

// jobAttempt loads the attempt a job is about, nil once it is not live.
func (s *Subject) jobAttempt(r *jobs.Run) (*attempt, error) {
	p := attemptPayload{}
	if err := r.Payload(&p); err != nil {
		return nil, err
	}
	return findAttempt(r.App, "`id` = {:id} AND `status` IN ('created', 'open', 'pending', 'needs_action', 'unknown')", dbx.Params{"id": p.Attempt})
}

// classed translates a gateway's error into the queue's classes.
func classed(err error) error {
	pairs := []struct{ gateway, class error }{
		{billing.ErrOutcomeUnknown, provisioning.ErrOutcomeUnknown},
		{billing.ErrGatewayTemporary, provisioning.ErrTemporary},
		{billing.ErrGatewayCredentials, provisioning.ErrCredentials},
		{billing.ErrNotConfigured, provisioning.ErrCredentials},
		{billing.ErrGatewayRefused, provisioning.ErrPermanent},
	}
	for _, p := range pairs {
		if errors.Is(err, p.gateway) {
			return fmt.Errorf("%w: %w", p.class, err)
		}
	}
	return err
}

// Standing is how the newest attempt of an invoice stands.
type Standing struct {
	State  string // of billing.PaymentState, or "unknown"; "" without an attempt
	URL    string // where the customer goes on
	Reason string // a sentence for the customer
}

// Standing reads how the payment of an open invoice stands, from our rows alone.
func (s *Subject) Standing(app core.App, invoiceID string) (Standing, error) {
	a, err := findAttempt(app, "`invoice` = {:invoice} ORDER BY `created` DESC, `rowid` DESC", dbx.Params{"invoice": invoiceID})
	if err != nil || a == nil {
		return Standing{}, err
	}
	st := Standing{Reason: locales.Decline(locales.Default, a.Reason)}
	switch a.Status {
	case attemptCreated, attemptUnknown:
		st.State = "unknown"
	case attemptOpen:
		st.State = string(billing.PaymentOpen)
		if a.Reason != "" {
			st.State = string(billing.PaymentDeclined)
		}
		if s.usable(a, a.Gateway) {
			st.URL = a.PageURL
		}
	case attemptPending:
		st.State = string(billing.PaymentPending)
	case attemptNeedsAction:
		st.State, st.URL = string(billing.PaymentNeedsAction), a.ActionURL
		if st.URL == "" && s.usable(a, a.Gateway) {
			st.URL = a.PageURL
		}
	case attemptFailed:
		st.State = string(billing.PaymentDeclined)
	case attemptCancelled:
		st.State, st.Reason = string(billing.PaymentCancelled), ""
		if a.Decline == declineOutage {
			st.Reason = locales.Decline(locales.Default, declineOutage)
		}
	case attemptSucceeded:
		st.State = string(billing.PaymentSucceeded)
	}
	return st, nil
}
