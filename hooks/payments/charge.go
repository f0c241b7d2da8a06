package payments

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/jobs"
)

const jobCharge = "payment.charge"

// Charge asks for the charge of a saved method.
type Charge struct {
	Actor string // "customer:<id>", "staff:<id>" or audit.System
	// Automatic marks a charge that dunning makes without the customer.
	Automatic bool
	// Key identifies the attempt, also at the gateway: the same key is never
	// charged twice. "" makes one.
	Key string
}

// ChargeSaved queues the charge of a saved method for what is due on an open
// invoice. The attempt with its idempotency key is stored first; the job makes
// the call, and repeats it with the same key for as long as the outcome is
// unknown. Errors: ErrPending while another attempt is live,
// ErrElsewhere where a gateway collects the invoice by itself.
func (s *Subject) ChargeSaved(tx core.App, invoice, method *core.Record, c Charge) error {
	if collections.InvoiceStatus(invoice) != billing.InvoiceOpen {
		return nil
	}
	if c.Key == "" {
		c.Key = "charge:" + core.GenerateDefaultRandomId()
	}
	if err := elsewhere(tx, invoice.Id); err != nil {
		return err
	}
	if live, err := liveAttempt(tx, invoice.Id); err != nil || live != nil {
		if err == nil {
			err = fmt.Errorf("invoice %s: %w", invoice.GetString("number"), ErrPending)
		}
		return err
	}
	now := s.Now()
	id, fresh, err := collections.Row(tx, collections.PaymentTransactions, now, row(attempt{
		User: invoice.GetString("user"), Invoice: invoice.Id, Gateway: method.GetString("gateway"), Kind: "off_session", Status: attemptUnknown,
		Key: c.Key, Method: method.GetString("gateway_method_id"), Automatic: c.Automatic,
		Currency: invoice.GetString("currency"), Minor: invoice.GetInt64("due_minor"),
	}))
	if err != nil || !fresh { // the attempt of this key was made before
		return err
	}
	job := jobs.Job{Kind: jobCharge, Key: jobCharge + ":" + id, Serial: "invoice:" + invoice.Id, User: invoice.GetString("user"), Actor: c.Actor, Payload: attemptPayload{id}}
	if c.Automatic { // nobody waits for it, and they come in thousands
		job.Class = paced(method.GetString("gateway"))
	}
	_, err = jobs.Enqueue(tx, now, job)
	return err
}

// paced is the class of the jobs that charge at a gateway by themselves.
func paced(gateway string) string { return "charge:" + gateway }

// chargesPerSecond is the pace at which charges are begun where a gateway's record
// names none. Stripe allows 25 calls a second to one of its addresses
// (docs.stripe.com/rate-limits), PayPal publishes no limit.
const chargesPerSecond = 20

// pace keeps the charges that are due within a gateway's limits.
func (s *Subject) pace(app core.App) {
	for kind := range s.Factories {
		s.worker.Pace(paced(kind), func() float64 {
			g, err := collections.First(app, collections.Gateways, dbx.HashExp{"kind": kind})
			if err != nil {
				app.Logger().Error("The pace of charges cannot be read", "gateway", kind, "error", err)
			}
			if g == nil || g.GetInt("charges_per_second") == 0 {
				return chargesPerSecond
			}
			return g.GetFloat("charges_per_second")
		})
	}
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
		return r.Complete(func(tx core.App) error {
			return end(tx, r.Now(), a, attemptCancelled, declineUnused, "the invoice changed before the charge")
		})
	}
	gateway, err := s.gateway(r.App, a.Gateway)
	if err != nil {
		return s.unreached(r, a, r.InFlight, err)
	}
	open := r.InFlight // an earlier call may have charged
	req, err := s.chargeRequest(r.App, a, invoice)
	if err != nil {
		return s.unreached(r, a, open, err)
	}
	if err := r.Intent(nil); err != nil {
		return err
	}
	rep, err := gateway.Charge(r.Context(), req)
	if err != nil {
		return s.unreached(r, a, open, err)
	}
	rep.AttemptID = a.ID
	return r.Outcome(func(tx core.App) error { return s.charged(tx, r.Now(), a, rep) })
}

// charged settles the gateway's answer to a charge, and watches one that is not
// final.
func (s *Subject) charged(tx core.App, now time.Time, a *attempt, rep billing.PaymentReport) error {
	if err := recovered(tx, now, a.Gateway); err != nil {
		return err
	}
	if err := s.settle(tx, now, a.Gateway, rep); err != nil {
		return err
	}
	if rep.State != billing.PaymentPending && rep.State != billing.PaymentNeedsAction {
		return nil
	}
	_, err := jobs.Enqueue(tx, now, jobs.Job{
		Kind: jobWatch, Key: jobWatch + ":" + a.ID, Serial: "invoice:" + a.Invoice, User: a.User, Actor: audit.System,
		At: now.Add(watchEvery), Payload: attemptPayload{a.ID},
	})
	return err
}

func (s *Subject) chargeRequest(app core.App, a *attempt, invoice *core.Record) (billing.ChargeRequest, error) {
	customer, err := collections.First(app, collections.GatewayCustomers, dbx.HashExp{"user": a.User, "gateway": a.Gateway})
	if err != nil || customer == nil {
		if err == nil {
			err = fmt.Errorf("charge attempt %s: the customer is unknown at %s: %w", a.ID, a.Gateway, billing.ErrGatewayRefused)
		}
		return billing.ChargeRequest{}, err
	}
	amount, err := collections.Amount(invoice, "due_minor")
	return billing.ChargeRequest{
		Key: a.Key, AttemptID: a.ID, InvoiceID: a.Invoice, Customer: customer.GetString("customer_id"), Method: a.Method,
		Amount: amount, Description: "Invoice " + invoice.GetString("number"),
	}, err
}
