package payments

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/jobs"
)

// The stored states of an attempt. The first five are live: an invoice has at
// most one of them at a time, by unique index.
const (
	attemptCreated     = "created"
	attemptOpen        = "open"
	attemptPending     = "pending"
	attemptNeedsAction = "needs_action"
	attemptUnknown     = "unknown"
	attemptSucceeded   = "succeeded"
	attemptFailed      = "failed"
	attemptCancelled   = "cancelled"
)

var live = []any{attemptCreated, attemptOpen, attemptPending, attemptNeedsAction, attemptUnknown}

// attempt is a row of payment_transactions, as far as settling needs it.
type attempt struct {
	ID        string `db:"id"`
	User      string `db:"user"`
	Invoice   string `db:"invoice"`
	Gateway   string `db:"gateway"`
	Kind      string `db:"kind"`
	Status    string `db:"status"`
	Reference string `db:"gateway_transaction_id"`
	Key       string `db:"idempotency_key"`
	Page      string `db:"page_reference"`
	PageURL   string `db:"page_url"`
	Expires   string `db:"page_expires_at"`
	Method    string `db:"gateway_method_id"`
	ActionURL string `db:"action_url"`
	Currency  string `db:"currency"`
	Minor     int64  `db:"amount_minor"`
	Reason    string `db:"reason"`
	Decline   string `db:"decline"`
	Automatic bool   `db:"automatic"`
}

const attemptColumns = "`id`, `user`, `invoice`, `gateway`, `kind`, `status`, `gateway_transaction_id`, `idempotency_key`, `page_reference`, `page_url`, `page_expires_at`, `gateway_method_id`, `action_url`, `currency`, `amount_minor`, `reason`, `decline`, `automatic`"

// byReference spells out the condition of the partial index over references,
// which SQLite uses only then.
const byReference = "`gateway` = {:gateway} AND `gateway_transaction_id` = {:value} AND `gateway_transaction_id` != ''"

// findAttempt returns the first attempt that matches, or nil.
func findAttempt(app core.App, where string, params dbx.Params) (*attempt, error) {
	a := attempt{}
	err := collections.Statement(app, "SELECT "+attemptColumns+" FROM `payment_transactions` WHERE "+where+" LIMIT 1").Bind(params).One(&a)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find payment: %w", err)
	}
	return &a, nil
}

// ErrNotOurs reports a payment that no attempt of ours began.
var ErrNotOurs = errors.New("payment belongs to no attempt of ours")

// settle takes what a gateway reports of a payment into the books. It runs in
// one transaction and may be called any number of times, by anybody, in any
// order: money is recorded once per gateway and reference, states never go
// back, and what does not fit an invoice becomes the customer's credit.
// Errors: ErrNotOurs.
func (s *Subject) settle(tx core.App, now time.Time, gateway string, rep billing.PaymentReport) error {
	if tx.TxInfo() == nil {
		return errors.New("settle: called outside a transaction")
	}
	a, err := match(tx, gateway, rep)
	if err != nil {
		return err
	}
	if a == nil {
		return fmt.Errorf("%s payment %s: %w", gateway, rep.Reference, ErrNotOurs)
	}
	if a.Status == attemptSucceeded {
		return s.alreadySettled(tx, now, a, rep)
	}
	if rep.State == billing.PaymentSucceeded {
		return s.receive(tx, now, a, rep)
	}
	return progress(tx, now, a, rep)
}

// match finds the attempt a report is about: by the payment's own reference, by
// our id that traveled as metadata, or by its page.
func match(tx core.App, gateway string, rep billing.PaymentReport) (*attempt, error) {
	return findAttempt(tx, "`id` IN ("+
		"SELECT `id` FROM `payment_transactions` WHERE `gateway` = {:gateway} AND `gateway_transaction_id` = {:reference} AND `gateway_transaction_id` != ''"+
		" UNION ALL SELECT `id` FROM `payment_transactions` WHERE `gateway` = {:gateway} AND `id` = {:attempt}"+
		" UNION ALL SELECT `id` FROM `payment_transactions` WHERE `gateway` = {:gateway} AND `page_reference` = {:page} AND `page_reference` != '')"+
		" ORDER BY (`gateway_transaction_id` = {:reference} AND `gateway_transaction_id` != '') DESC, (`id` = {:attempt}) DESC",
		dbx.Params{"gateway": gateway, "reference": rep.Reference, "attempt": rep.AttemptID, "page": rep.PageReference})
}

// alreadySettled handles news of an attempt that was paid. A second payment
// under the same attempt, with a reference of its own, is real money too: it is
// recorded as its own row and becomes credit.
func (s *Subject) alreadySettled(tx core.App, now time.Time, a *attempt, rep billing.PaymentReport) error {
	if rep.State != billing.PaymentSucceeded || rep.Reference == "" || rep.Reference == a.Reference {
		return nil
	}
	if known, err := findAttempt(tx, byReference, dbx.Params{"gateway": a.Gateway, "value": rep.Reference}); err != nil || known != nil {
		return err
	}
	id, _, err := collections.Row(tx, collections.PaymentTransactions, now, row(attempt{
		User: a.User, Invoice: a.Invoice, Gateway: a.Gateway, Kind: a.Kind, Status: attemptCancelled, Key: "second:" + a.Gateway + ":" + rep.Reference,
		Currency: rep.Amount.Currency(), Minor: rep.Amount.Minor(),
	}))
	if err != nil {
		return err
	}
	second := *a
	second.ID, second.Status = id, attemptCancelled
	return s.receive(tx, now, &second, rep)
}

// receive books money: payment, invoice, ledger, and what follows from it.
func (s *Subject) receive(tx core.App, now time.Time, a *attempt, rep billing.PaymentReport) error {
	invoice, app, err := decide(tx, a, rep.Amount)
	if err != nil {
		return fmt.Errorf("settle %s: %w", rep.Reference, err)
	}
	_, err = collections.Statement(tx, "UPDATE `payment_transactions` SET `status` = 'succeeded', `gateway_transaction_id` = {:reference}, `amount_minor` = {:amount}, `currency` = {:currency},"+
		" `applied_minor` = {:applied}, `excess_minor` = {:excess}, `gateway_method_id` = {:method}, `settled_at` = {:now}, `updated` = {:now}, `reason` = '', `decline` = '', `action_url` = '' WHERE `id` = {:id}").
		Bind(dbx.Params{
			"id": a.ID, "reference": rep.Reference, "amount": rep.Amount.Minor(), "currency": rep.Amount.Currency(),
			"applied": app.Applied.Minor(), "excess": app.Excess.Minor(), "method": rep.Method, "now": collections.Stamp(now).String(),
		}).Execute()
	if err != nil {
		return fmt.Errorf("settle %s: %w", rep.Reference, err)
	}
	if err := collections.Post(tx, now, "payment:"+a.ID, a.User, a.Invoice, a.ID, billing.PostPayment(a.Gateway, app)); err != nil {
		return err
	}
	if err := s.Books.Apply(tx, now, invoice, app); err != nil {
		return err
	}
	if app.Status == billing.InvoiceOpen { // paid in part
		if err := wake(tx, now, a.Invoice); err != nil {
			return err
		}
	}
	excess, err := s.spread(tx, now, a, app.Excess)
	if err != nil {
		return fmt.Errorf("settle %s: %w", rep.Reference, err)
	}
	return s.follow(tx, now, a, rep, excess)
}

// decide says what money does to the invoice of its attempt; without an invoice
// it is the customer's credit.
func decide(tx core.App, a *attempt, received money.Amount) (books.Document, billing.Application, error) {
	if a.Invoice == "" {
		none := received.Zero()
		return books.Document{}, billing.Application{Applied: none, Excess: received, Due: none}, nil
	}
	invoice, err := books.Read(tx, a.Invoice)
	if err != nil {
		return invoice, billing.Application{}, err
	}
	app, err := books.Decide(invoice, received)
	return invoice, app, err
}

// follow leaves the work that a payment brings: learn the saved methods, close
// another page that is still open, and tell staff about money without an
// invoice to pay.
func (s *Subject) follow(tx core.App, now time.Time, a *attempt, rep billing.PaymentReport, excess money.Amount) error {
	if a.Kind == "page" { // whoever reports first may not know what was saved
		if _, err := jobs.Enqueue(tx, now, methodsJob(a.Gateway, a.User)); err != nil {
			return err
		}
	}
	if err := s.closeOther(tx, now, a); err != nil {
		return err
	}
	if excess.IsZero() {
		return nil
	}
	return audit.Write(tx, now, audit.Entry{
		ActorKind: audit.System, Action: "payment.excess", Resource: collections.PaymentTransactions, ResourceID: a.ID,
		Changes: map[string]any{"reference": rep.Reference, "excess": excess, "why": "more was paid than was due; the rest is the customer's credit"},
	})
}

// closeOther closes another page of the invoice that could still be paid. There
// can be one only if the paid attempt was not live itself: an invoice has at
// most one live attempt.
func (s *Subject) closeOther(tx core.App, now time.Time, a *attempt) error {
	if slices.Contains(live, any(a.Status)) {
		return nil
	}
	other, err := liveAttempt(tx, a.Invoice)
	if err != nil || other == nil {
		return err
	}
	_, err = jobs.Enqueue(tx, now, jobs.Job{
		Kind: jobClose, Key: jobClose + ":" + other.ID, Serial: "invoice:" + a.Invoice, User: a.User, Actor: audit.System, Payload: attemptPayload{other.ID},
	})
	return err
}

// progress records news that move no money. States only move forward: a page
// stays open through declines, and nothing revives a cancelled attempt.
func progress(tx core.App, now time.Time, a *attempt, rep billing.PaymentReport) error {
	status := nextStatus(a, rep)
	change := a.news(rep, status)
	if len(change) == 0 {
		return nil
	}
	change["updated"] = collections.Stamp(now).String()
	if _, err := tx.DB().Update(collections.PaymentTransactions, change, dbx.HashExp{"id": a.ID}).Execute(); err != nil {
		return fmt.Errorf("record %s payment %s: %w", a.Gateway, rep.Reference, err)
	}
	if status == a.Status {
		return nil
	}
	return a.turned(tx, now, status)
}

// turned tells those who follow an attempt that its state has changed: the other
// invoices of its page, and dunning.
func (a *attempt) turned(tx core.App, now time.Time, status string) error {
	if a.mass() {
		if err := a.lead(tx, now, status); err != nil {
			return err
		}
	}
	return wake(tx, now, a.Invoice)
}

// news lists what a report changes. Why an attempt ended stays as it is, whatever
// arrives late.
func (a *attempt) news(rep billing.PaymentReport, status string) dbx.Params {
	change := dbx.Params{}
	if a.Reference == "" && rep.Reference != "" {
		change["gateway_transaction_id"] = rep.Reference
	}
	if a.Status == attemptFailed || a.Status == attemptCancelled {
		return change
	}
	if rep.ActionURL != "" {
		change["action_url"] = rep.ActionURL
	}
	if status != a.Status || rep.Reason != a.Reason || len(change) > 0 {
		change["status"], change["reason"], change["decline"] = status, collections.Cut(rep.Reason, 200), string(rep.Decline)
	}
	return change
}

// wake makes dunning look at an open invoice at its next run.
func wake(tx core.App, now time.Time, invoice string) error {
	_, err := collections.Statement(tx, "UPDATE `invoices` SET `next_step_at` = {:now} WHERE `id` = {:id} AND `status` = 'open'").
		Bind(dbx.Params{"id": invoice, "now": collections.Stamp(now).String()}).Execute()
	if err != nil {
		return fmt.Errorf("invoice %s is to be looked at: %w", invoice, err)
	}
	return nil
}

// nextStatus is the stored state after news. A declined try on an open page can
// be followed by another, so it ends nothing; a report that names the page as
// declined means that the page is complete and its payment failed afterwards,
// such as a bank debit days later.
func nextStatus(a *attempt, rep billing.PaymentReport) string {
	if a.Status == attemptFailed || a.Status == attemptCancelled {
		return a.Status
	}
	switch rep.State {
	case billing.PaymentPending:
		return attemptPending
	case billing.PaymentCancelled:
		return attemptCancelled
	case billing.PaymentNeedsAction:
		return attemptNeedsAction
	case billing.PaymentDeclined:
		if a.Kind == "page" && rep.PageReference == "" {
			return a.Status // the page stays open for another card
		}
		return attemptFailed
	case billing.PaymentOpen:
		if a.Status == attemptCreated || a.Status == attemptUnknown {
			return attemptOpen
		}
	case billing.PaymentSucceeded:
	}
	return a.Status
}

// row is an attempt as columns for an insert.
func row(a attempt) dbx.Params {
	return dbx.Params{
		"user": a.User, "invoice": a.Invoice, "gateway": a.Gateway, "kind": a.Kind, "status": a.Status, "gateway_transaction_id": a.Reference,
		"idempotency_key": a.Key, "page_reference": a.Page, "page_url": a.PageURL, "page_expires_at": a.Expires, "gateway_method_id": a.Method,
		"action_url": a.ActionURL, "currency": a.Currency, "amount_minor": a.Minor, "reason": a.Reason, "automatic": a.Automatic,
		"applied_minor": 0, "excess_minor": 0, "fee_minor": 0, "decline": "", "description": "", "settled_at": "",
	}
}
