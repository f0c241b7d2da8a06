package payments

import (
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
)

// ErrElsewhere reports an invoice that a gateway collects by a subscription of its
// own: taking money for it here as well would be taking it twice.
var ErrElsewhere = errors.New("a subscription at the payment provider pays this invoice")

// AgreementNews is what an event says of a gateway-owned subscription: where to
// look, and nothing that is to be believed.
type AgreementNews struct{ Gateway, Agreement string }

// OnAgreement registers who follows gateway-owned subscriptions. follow reports
// whether the agreement is one that it knows.
func (s *Subject) OnAgreement(follow func(tx core.App, news AgreementNews) (known bool, err error)) {
	s.agreed = follow
}

// Subscriptions is the gateway's ability to bill by itself. Errors:
// billing.ErrNotConfigured, also for a gateway that has none.
func (s *Subject) Subscriptions(app core.App, kind string) (billing.GatewaySubscriptions, error) {
	g, err := s.gateway(app, kind)
	if err != nil {
		return nil, err
	}
	able, ok := g.(billing.GatewaySubscriptions)
	if !ok {
		return nil, fmt.Errorf("gateway %s has no subscriptions: %w", kind, billing.ErrNotConfigured)
	}
	return able, nil
}

// Classed translates a gateway's error into the queue's classes.
func Classed(err error) error { return classed(err) }

// agreementEvent hands an event about a gateway-owned subscription to those who
// follow it. Money of one that nobody here knows waits to be assigned: it is not
// guessed whose it is.
func (s *Subject) agreementEvent(tx core.App, r inboxRow, gateway billing.Gateway) (known bool, err error) {
	facts, able := gateway.(billing.WebhookFacts)
	if !able || s.agreed == nil {
		return false, nil
	}
	fact, _, unreadable := facts.FactOf([]byte(r.Body))
	if unreadable != nil || fact.Agreement == "" {
		return false, nil //nolint:nilerr // whoever reads facts says what is wrong with it
	}
	known, err = s.agreed(tx, AgreementNews{r.Gateway, fact.Agreement})
	if err != nil || known || fact.Kind != billing.FactAgreementPayment {
		return known, err
	}
	p, ok, err := gateway.(billing.GatewaySubscriptions).AgreementPaymentOf([]byte(r.Body))
	if err != nil || !ok || p.State != billing.PaymentSucceeded {
		return false, err
	}
	return true, s.keepReport(tx, r.Gateway, billing.PaymentReport{Reference: p.Reference, State: p.State, Amount: p.Amount, At: p.At})
}

func (s *Subject) retryAgreement(app core.App, r inboxRow, gateway billing.Gateway) (known bool, err error) {
	err = app.RunInTransaction(func(tx core.App) error {
		if known, err = s.agreementEvent(tx, r, gateway); err != nil || !known {
			return err
		}
		return s.closeEvents(tx, "done", "", r.ID)
	})
	return known, err
}

// AgreementMoney is a payment that a gateway took by its own calendar.
type AgreementMoney struct {
	User    string
	Invoice string // that it pays; "" makes it the customer's credit
	Gateway string
	billing.AgreementPayment
}

// Known reports whether a payment is in the books.
func (s *Subject) Known(tx core.App, gateway, reference string) (bool, error) {
	a, err := findAttempt(tx, byReference, dbx.Params{"gateway": gateway, "value": reference})
	return a != nil && a.Status == attemptSucceeded, err
}

// Receive books a payment that a gateway took by its own calendar, once per gateway
// and reference, and returns its id; what is too much for its invoice becomes
// credit. Where it waited to be assigned, it does so no more.
func (s *Subject) Receive(tx core.App, now time.Time, m AgreementMoney) (id string, err error) {
	id, inserted, err := collections.Row(tx, collections.PaymentTransactions, now, row(attempt{
		User: m.User, Invoice: m.Invoice, Gateway: m.Gateway, Kind: "agreement", Status: attemptCancelled, Key: "agreement:" + m.Gateway + ":" + m.Reference,
		Currency: m.Amount.Currency(), Minor: m.Amount.Minor(), Automatic: true,
	}))
	if err != nil || !inserted {
		return id, err
	}
	err = s.settle(tx, now, m.Gateway, billing.PaymentReport{Reference: m.Reference, AttemptID: id, State: billing.PaymentSucceeded, Amount: m.Amount, At: m.At})
	if err != nil {
		return id, err
	}
	_, err = tx.DB().Update(collections.UnmatchedPayments, dbx.Params{"status": "matched", "user": m.User, "payment": id, "actor": "system", "updated": collections.Stamp(now).String()},
		dbx.HashExp{"gateway": m.Gateway, "reference": m.Reference, "status": "open"}).Execute()
	if err != nil {
		return id, fmt.Errorf("unmatched payment %s: %w", m.Reference, err)
	}
	return id, nil
}

// elsewhere refuses to take money here for an invoice that a gateway collects. What
// it took only a part of, it will not collect again.
func elsewhere(app core.App, invoice string) error {
	found := 0
	err := app.DB().NewQuery("SELECT COUNT(*) FROM `invoice_items` `l` CROSS JOIN `subscriptions` `u` ON `u`.`id` = `l`.`subscription` CROSS JOIN `invoices` `i` ON `i`.`id` = `l`.`invoice` CROSS JOIN `agreements` `a` ON `a`.`subscription` = `u`.`id` AND `a`.`status` = 'following'" +
		" WHERE `l`.`invoice` = {:invoice} AND `l`.`kind` = 'period' AND `l`.`live` AND `u`.`billing_owner` = 'gateway' AND `l`.`period_start` >= `a`.`starts_at` AND `i`.`paid_minor` = 0").
		Bind(dbx.Params{"invoice": invoice}).Row(&found)
	if err != nil {
		return fmt.Errorf("who collects invoice %s: %w", invoice, err)
	}
	if found > 0 {
		return fmt.Errorf("invoice %s: %w", invoice, ErrElsewhere)
	}
	return nil
}
