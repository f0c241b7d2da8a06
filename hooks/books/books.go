// Package books is the one home of documents and what they book: invoices and
// credit notes with their gapless numbers, payments applied to them, the
// customer's credit, and the audit that proves all of it. Subjects decide what
// to issue and when; everything is written here, in the caller's transaction,
// so that there is one way to do it, fast enough for a hundred thousand at once.
package books

import (
	"errors"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// Errors that callers act on.
var (
	// ErrNoInvoice reports an invoice that does not exist.
	ErrNoInvoice = errors.New("no such invoice")
	// ErrState reports an operation that the invoice's status does not allow.
	ErrState = errors.New("the invoice's status does not allow this")
	// ErrTransaction reports a call outside a transaction.
	ErrTransaction = errors.New("books are written inside a transaction")
	// ErrCredit reports that the customer has less credit than is asked for.
	ErrCredit = errors.New("not enough credit")
)

// Document is an issued invoice as those who follow it see it.
type Document struct {
	ID, User, Number string
	Kind             string // "order", "renewal", …
	Parent           string // invoice it corrects or is a fee for
	Status           billing.InvoiceStatus
	Total, Due, Paid money.Amount
	Credited         money.Amount
	WrittenOff       money.Amount
	IssuedAt, DueAt  time.Time
}

// KindCorrection is the kind of invoices that take the place of one that was wrong,
// also for what waits for that to be paid.
const KindCorrection = "correction"

// Follower follows what happens to an invoice, in the transaction in which it
// happens: cause and consequence are saved together or not at all. It must not
// call anybody outside.
type Follower func(tx core.App, d Document) error

// Books writes documents and tells followers. Register followers before use;
// after that it is safe for concurrent use.
type Books struct {
	now      func() time.Time
	issued   []Follower
	paid     []Follower
	voided   []Follower
	credited []Follower
	refunded []RefundFollower
}

// New makes books without followers.
func New(now func() time.Time) *Books { return &Books{now: now} }

// Now is the product's clock.
func (b *Books) Now() time.Time { return b.now() }

// OnIssued follows invoices that get their number; an invoice over nothing is
// paid in the same moment and followed there, too.
func (b *Books) OnIssued(f Follower) { b.issued = append(b.issued, f) }

// OnPaid follows invoices on which nothing is owed any more.
func (b *Books) OnPaid(f Follower) { b.paid = append(b.paid, f) }

// OnVoided follows invoices that are cancelled, by voiding or by a credit note
// over the whole of an unpaid one.
func (b *Books) OnVoided(f Follower) { b.voided = append(b.voided, f) }

// OnCredited follows invoices that a credit note over a part leaves owed.
func (b *Books) OnCredited(f Follower) { b.credited = append(b.credited, f) }

// RefundFollower follows a refund from one status to another, in the transaction
// in which it happens, as Follower does invoices.
type RefundFollower func(tx core.App, r Refund, before billing.RefundStatus) error

// OnRefund follows refunds whose status changed.
func (b *Books) OnRefund(f RefundFollower) { b.refunded = append(b.refunded, f) }

func (b *Books) tellRefund(tx core.App, r Refund, before billing.RefundStatus) error {
	for _, f := range b.refunded {
		if err := f(tx, r, before); err != nil {
			return err
		}
	}
	return nil
}

func tell(tx core.App, followers []Follower, d Document) error {
	for _, f := range followers {
		if err := f(tx, d); err != nil {
			return err
		}
	}
	return nil
}

func inTransaction(tx core.App) error {
	if tx.TxInfo() == nil {
		return ErrTransaction
	}
	return nil
}
