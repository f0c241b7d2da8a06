package payments

import (
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/jobs"
)

const jobCharge = "payment.charge"

// ChargeSaved queues the charge of a saved method for what is due on an open
// invoice. The attempt with its idempotency key is stored first; the job makes
// the call, and repeats it with the same key for as long as the outcome is
// unknown. Errors: ErrPending while another attempt is live.
func (s *Subject) ChargeSaved(tx core.App, invoice, method *core.Record, actor string) error {
	if collections.InvoiceStatus(invoice) != billing.InvoiceOpen {
		return nil
	}
	if live, err := liveAttempt(tx, invoice.Id); err != nil || live != nil {
		if err == nil {
			err = fmt.Errorf("invoice %s: %w", invoice.GetString("number"), ErrPending)
		}
		return err
	}
	now := s.Now()
	id, _, err := collections.Row(tx, collections.PaymentTransactions, now, row(attempt{
		User: invoice.GetString("user"), Invoice: invoice.Id, Gateway: method.GetString("gateway"), Kind: "off_session", Status: attemptUnknown,
		Key: "charge:" + core.GenerateDefaultRandomId(), Method: method.GetString("gateway_method_id"),
		Currency: invoice.GetString("currency"), Minor: invoice.GetInt64("due_minor"),
	}))
	if err != nil {
		return err
	}
	_, err = jobs.Enqueue(tx, now, jobs.Job{
		Kind: jobCharge, Key: jobCharge + ":" + id, Serial: "invoice:" + invoice.Id, User: invoice.GetString("user"), Actor: actor, Payload: attemptPayload{id},
	})
	return err
}

// charge makes the call of a stored charge attempt and settles the answer. The
// invoice is read again directly before: what was paid meanwhile is not charged.
func (s *Subject) charge(r *jobs.Run) error {
	a, err := s.jobAttempt(r)
	if err != nil || a == nil {
		return err
	}
	invoice, err := r.App.FindRecordById(collections.Invoices, a.Invoice)
	if err != nil {
		return fmt.Errorf("charge attempt %s: %w", a.ID, err)
	}
	if !r.InFlight && (collections.InvoiceStatus(invoice) != billing.InvoiceOpen || invoice.GetInt64("due_minor") != a.Minor) {
		return s.mark(r.App, a.ID, attemptCancelled, "the invoice changed before the charge")
	}
	gateway, err := s.gateway(r.App, a.Gateway)
	if err != nil {
		return classed(err)
	}
	req, err := s.chargeRequest(r.App, a, invoice)
	if err != nil {
		return err
	}
	if err := r.Intent(nil); err != nil {
		return err
	}
	rep, err := gateway.Charge(r.Context(), req)
	if err != nil {
		return classed(err)
	}
	rep.AttemptID = a.ID
	return r.Outcome(func(tx core.App) error {
		if err := s.settle(tx, r.Now(), a.Gateway, rep); err != nil {
			return err
		}
		if rep.State != billing.PaymentPending && rep.State != billing.PaymentNeedsAction {
			return nil
		}
		_, err := jobs.Enqueue(tx, r.Now(), jobs.Job{
			Kind: jobWatch, Key: jobWatch + ":" + a.ID, Serial: "invoice:" + a.Invoice, User: a.User, Actor: audit.System,
			At: r.Now().Add(watchEvery), Payload: attemptPayload{a.ID},
		})
		return err
	})
}

func (s *Subject) chargeRequest(app core.App, a *attempt, invoice *core.Record) (billing.ChargeRequest, error) {
	customer, err := collections.First(app, collections.GatewayCustomers, dbx.HashExp{"user": a.User, "gateway": a.Gateway})
	if err != nil || customer == nil {
		if err == nil {
			err = fmt.Errorf("charge attempt %s: the customer is unknown at %s", a.ID, a.Gateway)
		}
		return billing.ChargeRequest{}, err
	}
	amount, err := collections.Amount(invoice, "due_minor")
	return billing.ChargeRequest{
		Key: a.Key, AttemptID: a.ID, InvoiceID: a.Invoice, Customer: customer.GetString("customer_id"), Method: a.Method,
		Amount: amount, Description: "Invoice " + invoice.GetString("number"),
	}, err
}
