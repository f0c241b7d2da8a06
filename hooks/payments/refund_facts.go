package payments

import (
	"errors"
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/jobs"
)

// aside works an event that is not about a payment, inside the transaction of the
// inbox. Refunds and disputes are read back from the gateway first, in a job,
// since events come late and out of order.
func (s *Subject) aside(tx core.App, r inboxRow, gateway billing.Gateway) (status, note string, err error) {
	fact, ok, err := factOf(gateway, r)
	switch {
	case err != nil:
		return "", "", err
	case !ok:
		return "ignored", "not about a payment", nil
	case fact.Kind == billing.FactMethod:
		return "done", "", s.methodChanged(tx, r.Gateway, fact)
	case fact.Kind == billing.FactRefund, fact.Kind == billing.FactDispute, fact.Kind == billing.FactReversal:
		return "retrying", "", s.enqueueEvent(tx, r)
	}
	return "ignored", "nothing follows from it here", nil
}

func factOf(gateway billing.Gateway, r inboxRow) (billing.Fact, bool, error) {
	facts, able := gateway.(billing.WebhookFacts)
	if !able {
		return billing.Fact{}, false, nil
	}
	return facts.FactOf([]byte(r.Body))
}

// methodChanged lets the saved methods of a customer be read again.
func (s *Subject) methodChanged(tx core.App, gateway string, fact billing.Fact) error {
	customer, err := collections.First(tx, collections.GatewayCustomers, dbx.HashExp{"gateway": gateway, "customer_id": fact.Customer})
	if err != nil || customer == nil || fact.Customer == "" {
		return err
	}
	_, err = jobs.Enqueue(tx, s.Now(), methodsJob(gateway, customer.GetString("user")))
	return err
}

// retryAside reads back what an event names and takes it into the books.
func (s *Subject) retryAside(r *jobs.Run, gateway billing.Gateway, row inboxRow) error {
	fact, ok, err := factOf(gateway, row)
	if err != nil {
		return err
	}
	settle := func(core.App) (string, error) { return "not about a payment", nil }
	paid := func(core.App) error { return nil }
	if ok {
		if settle, err = s.readFact(r, gateway, row.Gateway, fact); err != nil {
			return classed(err)
		}
		if paid, err = s.paidFirst(r, gateway, row.Gateway, fact.Payment); err != nil {
			return classed(err)
		}
	}
	return r.App.RunInTransaction(func(tx core.App) error {
		if err := paid(tx); err != nil {
			return err
		}
		note, err := settle(tx)
		if err != nil {
			return err
		}
		status := "done"
		if !ok {
			status = "ignored"
		}
		return s.closeEvents(tx, status, note, row.ID)
	})
}

// readFact reads the object of a fact and returns what is to be booked for it.
func (s *Subject) readFact(r *jobs.Run, gateway billing.Gateway, kind string, fact billing.Fact) (func(tx core.App) (string, error), error) {
	nothing := func(core.App) (string, error) { return "", nil }
	switch fact.Kind {
	case billing.FactRefund:
		able, ok := gateway.(billing.Refunder)
		if !ok {
			return nothing, nil
		}
		rep, err := able.ReadRefund(r.Context(), fact.Object)
		if err != nil {
			return nil, fmt.Errorf("read %s refund %s: %w", kind, fact.Object, err)
		}
		if rep.Payment == "" {
			rep.Payment = fact.Payment
		}
		return func(tx core.App) (string, error) { return s.settleRefund(tx, kind, rep) }, nil
	case billing.FactDispute:
		able, ok := gateway.(billing.DisputeReader)
		if !ok {
			return nothing, nil
		}
		d, err := able.ReadDispute(r.Context(), fact.Object)
		if err != nil {
			return nil, fmt.Errorf("read %s dispute %s: %w", kind, fact.Object, err)
		}
		return func(tx core.App) (string, error) { return s.settleDispute(tx, kind, d) }, nil
	case billing.FactReversal:
		rep, err := gateway.ReadPayment(r.Context(), fact.Payment)
		if err != nil && !errors.Is(err, billing.ErrGatewayRefused) {
			return nil, fmt.Errorf("read %s payment %s: %w", kind, fact.Payment, err)
		}
		return func(tx core.App) (string, error) { return s.reversed(tx, kind, rep) }, nil
	case billing.FactMethod:
		return func(tx core.App) (string, error) { return "", s.methodChanged(tx, kind, fact) }, nil
	case billing.FactAgreement, billing.FactAgreementPayment:
	}
	return nothing, nil
}

// paidFirst reads a payment that we do not know as received back: what became of
// it may be told before it is, and would find nothing to hold on to.
func (s *Subject) paidFirst(r *jobs.Run, gateway billing.Gateway, kind, reference string) (func(tx core.App) error, error) {
	nothing := func(core.App) error { return nil }
	if reference == "" {
		return nothing, nil
	}
	known, err := findAttempt(r.App, byReference+" AND `status` = 'succeeded'", dbx.Params{"gateway": kind, "value": reference})
	if err != nil || known != nil {
		return nothing, err
	}
	rep, err := gateway.ReadPayment(r.Context(), reference)
	if errors.Is(err, billing.ErrGatewayRefused) {
		return nothing, nil // it is none of the gateway's payments
	}
	if err != nil {
		return nil, fmt.Errorf("read %s payment %s: %w", kind, reference, err)
	}
	return func(tx core.App) error {
		err := s.settle(tx, s.Now(), kind, rep)
		if errors.Is(err, ErrNotOurs) {
			return nil
		}
		return err
	}, nil
}
