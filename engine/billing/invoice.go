package billing

import (
	"fmt"
	"time"

	"github.com/ezscale/ezscale/engine/lifecycle"
	"github.com/ezscale/ezscale/engine/money"
)

// InvoiceStatus is where an invoice is in its life.
type InvoiceStatus string

// The states of an invoice. From InvoiceOpen on its content never changes;
// corrections are credit notes.
const (
	InvoiceDraft         InvoiceStatus = "draft"
	InvoiceOpen          InvoiceStatus = "open"
	InvoicePaid          InvoiceStatus = "paid"
	InvoiceVoid          InvoiceStatus = "void"
	InvoiceUncollectible InvoiceStatus = "uncollectible"
)

var invoiceLife = lifecycle.Table[InvoiceStatus]{Thing: "invoice", Next: map[InvoiceStatus][]InvoiceStatus{
	InvoiceDraft:         {InvoiceOpen, InvoiceVoid},
	InvoiceOpen:          {InvoicePaid, InvoiceVoid, InvoiceUncollectible},
	InvoiceUncollectible: {InvoicePaid, InvoiceVoid},
	InvoicePaid:          {},
	InvoiceVoid:          {},
}}

// CheckInvoiceTransition refuses every step the lifecycle lacks.
func CheckInvoiceTransition(from, to InvoiceStatus) error {
	return invoiceLife.Check(from, to)
}

// InvoiceLine is one line of an invoice and explains itself.
type InvoiceLine struct {
	Description string
	Quantity    int64
	UnitPrice   money.Amount
	Amount      money.Amount // Quantity × UnitPrice
	Period      Period       // zero for what has no period
}

// NewLine computes Amount. Errors: a quantity below 1, money.ErrOverflow, and
// money.ErrCurrency for a price that has none.
func NewLine(description string, quantity int64, unit money.Amount, p Period) (InvoiceLine, error) {
	if quantity < 1 {
		return InvoiceLine{}, fmt.Errorf("line %q: quantity %d is below 1", description, quantity)
	}
	amount, err := unit.Times(quantity)
	if err != nil {
		return InvoiceLine{}, fmt.Errorf("line %q: %w", description, err)
	}
	return InvoiceLine{description, quantity, unit, amount, p}, nil
}

// Totals are the sums of an invoice: Total = Subtotal + Tax.
type Totals struct {
	Subtotal money.Amount
	Tax      money.Amount
	Total    money.Amount
}

// SumLines adds lines up. Errors name the line: money.ErrMismatch for one that
// is not in the given currency, money.ErrOverflow; and money.ErrCurrency.
func SumLines(currency string, lines []InvoiceLine) (Totals, error) {
	zero, err := money.New(0, currency)
	if err != nil {
		return Totals{}, fmt.Errorf("sum invoice lines: %w", err)
	}
	subtotal := zero
	for i, l := range lines {
		if subtotal, err = subtotal.Add(l.Amount); err != nil {
			return Totals{}, fmt.Errorf("line %d (%s): %w", i+1, l.Description, err)
		}
	}
	return Totals{Subtotal: subtotal, Tax: zero, Total: subtotal}, nil
}

// Application says how a received payment is used on an invoice.
type Application struct {
	Applied money.Amount  // goes to the invoice
	Excess  money.Amount  // becomes the customer's credit balance
	Due     money.Amount  // still owed afterwards
	Status  InvoiceStatus // of the invoice afterwards
}

// ApplyPayment decides what a payment does to an invoice in the given status
// with due still owed. Money on a void or already paid invoice is never lost
// and never reopens it: it becomes credit. Errors: money.ErrMismatch, a
// payment that is not positive, a due amount that is negative or has no
// currency, and a draft, which cannot be paid.
func ApplyPayment(status InvoiceStatus, due, paid money.Amount) (Application, error) {
	zero, err := money.New(0, due.Currency())
	if err != nil {
		return Application{}, fmt.Errorf("apply payment: amount due: %w", err)
	}
	if paid.Sign() <= 0 {
		return Application{}, fmt.Errorf("apply payment of %s: must be positive", paid)
	}
	if due.Sign() < 0 {
		return Application{}, fmt.Errorf("apply payment: amount due of %s is negative", due)
	}
	rest, err := due.Sub(paid)
	if err != nil {
		return Application{}, fmt.Errorf("apply payment: %w", err)
	}
	switch status {
	case InvoiceOpen, InvoiceUncollectible:
		if rest.Sign() > 0 {
			return Application{paid, zero, rest, status}, nil
		}
		return Application{due, rest.Neg(), zero, InvoicePaid}, nil
	case InvoicePaid, InvoiceVoid:
		return Application{zero, paid, due, status}, nil
	case InvoiceDraft:
		return Application{}, fmt.Errorf("apply payment to a draft: %w", lifecycle.ErrTransition)
	}
	return Application{}, fmt.Errorf("apply payment: unknown invoice status %q", status)
}

// Overdue reports whether an open invoice is past its due instant plus grace.
func Overdue(status InvoiceStatus, dueAt, now time.Time, grace time.Duration) bool {
	return status == InvoiceOpen && now.After(dueAt.Add(grace))
}
