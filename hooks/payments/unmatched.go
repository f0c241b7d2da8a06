package payments

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/op"
)

// ErrAssigned reports unmatched money that is no longer waiting.
var ErrAssigned = errors.New("this money is not waiting to be assigned any more")

// stray is money that was received and that nobody could place.
type stray struct {
	ID        string `db:"id"`
	User      string `db:"user"`
	Gateway   string `db:"gateway"`
	Reference string `db:"reference"`
	Currency  string `db:"currency"`
	Minor     int64  `db:"amount_minor"`
	Why       string `db:"why"`
	Status    string `db:"status"`
	At        string `db:"at"`
	Payment   string `db:"payment"`
}

// keep records money that no attempt of ours began, once per gateway and
// reference, for staff to assign. It is neither guessed nor lost, and it is in
// no account until somebody says whose it is.
func (s *Subject) keep(tx core.App, now time.Time, m stray) (id string, fresh bool, err error) {
	id, fresh, err = collections.Row(tx, collections.UnmatchedPayments, now, dbx.Params{
		"user": m.User, "gateway": m.Gateway, "reference": m.Reference, "currency": m.Currency, "amount_minor": m.Minor,
		"why": collections.Cut(m.Why, 500), "status": "open", "at": collections.Stamp(now).String(), "payment": "", "actor": "",
	})
	if err != nil {
		return "", false, fmt.Errorf("keep %s payment %s: %w", m.Gateway, m.Reference, err)
	}
	return id, fresh, nil
}

// keepReport keeps money that a gateway reports and that is not ours.
func (s *Subject) keepReport(tx core.App, gateway string, rep billing.PaymentReport) error {
	now := s.Now()
	user, err := payerOf(tx, gateway, rep)
	if err != nil {
		return err
	}
	why := "No payment of ours began it."
	if rep.InvoiceID != "" {
		why = "It names invoice " + rep.InvoiceID + ", but no payment of that invoice began it."
	}
	id, fresh, err := s.keep(tx, now, stray{User: user, Gateway: gateway, Reference: rep.Reference, Currency: rep.Amount.Currency(), Minor: rep.Amount.Minor(), Why: why})
	if err != nil || !fresh {
		return err
	}
	return audit.Write(tx, now, audit.Entry{
		ActorKind: audit.System, Action: "payment.unmatched", Resource: collections.UnmatchedPayments, ResourceID: id,
		Changes: map[string]any{"gateway": gateway, "reference": rep.Reference, "amount": rep.Amount},
	})
}

// payerOf is the customer whom a report names, by its payer or its invoice; "" if
// it names nobody we know.
func payerOf(tx core.App, gateway string, rep billing.PaymentReport) (string, error) {
	found := []string{}
	err := tx.DB().NewQuery("SELECT `user` FROM `gateway_customers` WHERE `gateway` = {:gateway} AND `customer_id` = {:customer} AND `customer_id` != '' UNION ALL SELECT `user` FROM `invoices` WHERE `id` = {:invoice} LIMIT 1").
		Bind(dbx.Params{"gateway": gateway, "customer": rep.Customer, "invoice": rep.InvoiceID}).Column(&found)
	if err != nil {
		return "", fmt.Errorf("payer of %s payment %s: %w", gateway, rep.Reference, err)
	}
	if len(found) == 0 {
		return "", nil
	}
	return found[0], nil
}

func findStray(app core.App, id string) (stray, error) {
	rows := []stray{}
	err := app.DB().NewQuery("SELECT `id`, `user`, `gateway`, `reference`, `currency`, `amount_minor`, `why`, `status`, `at`, `payment` FROM `unmatched_payments` WHERE `id` = {:id}").Bind(dbx.Params{"id": id}).All(&rows)
	if err != nil {
		return stray{}, fmt.Errorf("unmatched payment %s: %w", id, err)
	}
	if len(rows) == 0 {
		return stray{}, op.NotFound()
	}
	return rows[0], nil
}

// assign books unmatched money on an invoice, or as credit of a customer where
// no invoice is given, and returns the payment. It goes through settle, as all
// money does. Errors: ErrAssigned.
func (s *Subject) assign(tx core.App, now time.Time, m stray, user, invoice, actor string) (string, error) {
	if m.Status != "open" {
		return "", fmt.Errorf("unmatched payment %s is %s: %w", m.Reference, m.Status, ErrAssigned)
	}
	known, err := findAttempt(tx, byReference, dbx.Params{"gateway": m.Gateway, "value": m.Reference})
	if err != nil {
		return "", err
	}
	payment := ""
	if known != nil { // it was placed meanwhile, by a payment that began here
		payment = known.ID
	} else if payment, err = s.book(tx, now, m, user, invoice); err != nil {
		return "", err
	}
	return payment, closeStray(tx, now, m, "matched", user, payment, actor)
}

func (s *Subject) book(tx core.App, now time.Time, m stray, user, invoice string) (string, error) {
	amount, err := money.New(m.Minor, m.Currency)
	if err != nil {
		return "", fmt.Errorf("unmatched payment %s: %w", m.Reference, err)
	}
	id, inserted, err := collections.Row(tx, collections.PaymentTransactions, now, row(attempt{
		User: user, Invoice: invoice, Gateway: m.Gateway, Kind: "manual", Status: attemptCancelled, Key: "unmatched:" + m.ID, Currency: m.Currency, Minor: m.Minor,
	}))
	if err == nil && !inserted {
		err = fmt.Errorf("unmatched payment %s: %w", m.Reference, ErrAssigned)
	}
	if err != nil {
		return "", err
	}
	return id, s.settle(tx, now, m.Gateway, billing.PaymentReport{Reference: m.Reference, AttemptID: id, State: billing.PaymentSucceeded, Amount: amount, At: now})
}

func closeStray(tx core.App, now time.Time, m stray, status, user, payment, actor string) error {
	_, err := tx.DB().Update(collections.UnmatchedPayments, dbx.Params{"status": status, "user": user, "payment": payment, "actor": actor, "updated": collections.Stamp(now).String()}, dbx.HashExp{"id": m.ID, "status": "open"}).Execute()
	if err != nil {
		return fmt.Errorf("unmatched payment %s: %w", m.Reference, err)
	}
	return nil
}

type strayView struct {
	ID        string       `json:"id"`
	Gateway   string       `json:"gateway"`
	Reference string       `json:"reference"`
	Amount    money.Amount `json:"amount"`
	Customer  string       `json:"customer"`
	Why       string       `json:"why"`
	Status    string       `json:"status"`
	At        time.Time    `json:"at"`
	Payment   string       `json:"payment"`
}

func (m stray) view() (strayView, error) {
	amount, err := money.New(m.Minor, m.Currency)
	if err != nil {
		return strayView{}, fmt.Errorf("unmatched payment %s: %w", m.ID, err)
	}
	at, err := collections.ParseStamp(m.At)
	return strayView{m.ID, m.Gateway, m.Reference, amount, m.User, m.Why, m.Status, at, m.Payment}, err
}

func conflict(err error) error {
	return op.NewProblem(http.StatusConflict, "assigned", "This money was assigned or sent back already.").Because(err)
}
