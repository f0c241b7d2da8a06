package bankfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// Invoice is what matching needs to know of one.
type Invoice struct {
	ID       string
	Number   string
	Customer string
	Names    []string // by which the customer may pay: the person's, the company's
	Status   billing.InvoiceStatus
	Owed     money.Amount // due, or written off and still welcome
	DueAt    time.Time
}

// Named is an invoice whose number a payer wrote.
type Named struct {
	Invoice
	Loose bool // see Reference
}

// Result is what becomes of an entry.
type Result string

// The results. Only Booked moves money onto invoices or to a customer; what is
// Suggested or Unmatched waits for staff, and Ignored is no payment at all.
const (
	Booked    Result = "booked"
	Suggested Result = "suggested"
	Unmatched Result = "unmatched"
	Ignored   Result = "ignored"
)

// Part is the share of a transfer that pays an invoice.
type Part struct {
	Invoice Invoice
	Amount  money.Amount
}

// Match is what a transfer pays, and why.
type Match struct {
	Result   Result
	Customer string       // whose money it is; of a suggestion, whose it seems to be
	Parts    []Part       // of a booking in the order of payment; of a suggestion what it seems to be for
	Credit   money.Amount // what is left of a booking and becomes the customer's credit
	Closed   *Invoice     // named though nothing is owed on it, where no part is
	Reasons  []string     // in words, for staff
}

func (m *Match) because(format string, args ...any) {
	m.Reasons = append(m.Reasons, fmt.Sprintf(format, args...))
}

// Decide says what an entry pays. named are the invoices whose numbers it holds,
// in their order; alike are open invoices over exactly its amount, looked at when
// it names none. It never guesses: without a number nothing is booked, and with
// numbers of several customers neither. Errors: sums beyond money.Limit.
func Decide(e Entry, named []Named, alike []Invoice) (Match, error) {
	switch m := (Match{Result: Ignored, Credit: e.Amount.Zero()}); {
	case e.Pending:
		m.because("The bank has announced this entry and not booked it.")
		return m, nil
	case e.Reversal:
		m.because("The bank takes an earlier entry back, or money of ours returned; look at what it undoes.")
		return m, nil
	case e.Amount.Sign() <= 0:
		m.because("No money came in.")
		return m, nil
	}
	if len(named) == 0 {
		return guess(e, alike), nil
	}
	named, err := surer(e, named)
	if err != nil {
		return Match{}, err
	}
	return decideNamed(e, named)
}

// surer drops loose references beside sure ones, unless all of them together are
// over the amount.
func surer(e Entry, named []Named) ([]Named, error) {
	sure := []Named{}
	for _, n := range named {
		if !n.Loose {
			sure = append(sure, n)
		}
	}
	if len(sure) == 0 || len(sure) == len(named) {
		return named, nil
	}
	if sum, err := owed(e, named); err != nil || oneCustomer(named) && sum == e.Amount {
		return named, err
	}
	return sure, nil
}

func oneCustomer(named []Named) bool {
	return !slices.ContainsFunc(named, func(n Named) bool { return n.Customer != named[0].Customer })
}

// owed is what is owed on the invoices that are in the entry's currency.
func owed(e Entry, named []Named) (money.Amount, error) {
	sum := e.Amount.Zero()
	for _, n := range named {
		if n.Owed.Currency() != sum.Currency() || !n.payable() {
			continue
		}
		var err error
		if sum, err = sum.Add(n.Owed); err != nil {
			return sum, fmt.Errorf("sum what is owed for %s: %w", e.Reference, err)
		}
	}
	return sum, nil
}

// payable reports whether money can still be owed on the invoice.
func (i Invoice) payable() bool {
	return (i.Status == billing.InvoiceOpen || i.Status == billing.InvoiceUncollectible) && i.Owed.Sign() > 0
}

// decideNamed decides by the invoices that the payer named.
func decideNamed(e Entry, named []Named) (Match, error) {
	m := Match{Result: Suggested, Customer: named[0].Customer, Credit: e.Amount.Zero()}
	payable, foreign := []Named{}, []string{}
	for _, n := range named {
		switch {
		case !n.payable():
			m.because("Invoice %s is %s.", n.Number, n.Status)
		case n.Owed.Currency() != e.Amount.Currency():
			foreign = append(foreign, n.Number+" ("+n.Owed.Currency()+")")
		default:
			payable = append(payable, n)
		}
	}
	for _, n := range payable {
		m.Parts = append(m.Parts, Part{n.Invoice, n.Owed})
	}
	switch {
	case !oneCustomer(named):
		m.because("It names invoices of several customers: %s. Assign it by hand.", numbers(named))
		return m, nil
	case len(foreign) > 0:
		m.Result = Unmatched
		m.because("The transfer is in %s, but what it names is in another currency: %s.", e.Amount.Currency(), strings.Join(foreign, ", "))
		return m, nil
	}
	sum, err := owed(e, named)
	if err != nil {
		return m, err
	}
	if !slices.ContainsFunc(named, func(n Named) bool { return !n.Loose }) && sum != e.Amount && !sameName(e.Name, named[0].Names) {
		m.because("It seems to name %s, but neither the amount nor the payer's name confirms it.", numbers(named))
		return m, nil
	}
	m.Result = Booked
	return m, m.spread(e, payable, named[0])
}

// spread divides a transfer among what it pays, the oldest debt first (§ 366 (2)
// BGB); the rest is credit.
func (m *Match) spread(e Entry, payable []Named, first Named) error {
	slices.SortStableFunc(payable, func(a, b Named) int {
		return cmp.Or(a.DueAt.Compare(b.DueAt), strings.Compare(a.Number, b.Number))
	})
	rest := e.Amount
	m.Parts = nil
	for _, n := range payable {
		part := n.Owed
		if rest.Minor() < part.Minor() {
			part = rest
		}
		switch {
		case part.IsZero():
			m.because("Nothing is left for invoice %s.", n.Number)
			continue
		case part == n.Owed:
			m.because("Invoice %s is paid in full.", n.Number)
		default:
			m.because("Invoice %s is paid in part: %s of %s.", n.Number, part, n.Owed)
		}
		m.Parts = append(m.Parts, Part{n.Invoice, part})
		var err error
		if rest, err = rest.Sub(part); err != nil {
			return fmt.Errorf("divide %s: %w", e.Reference, err)
		}
	}
	if m.Credit = rest; rest.Sign() > 0 {
		m.because("%s is more than was owed and becomes the customer's credit.", rest)
	}
	if len(m.Parts) == 0 {
		m.Closed = &first.Invoice
	}
	return nil
}

// guess looks for the one invoice over the amount whose customer has the payer's
// name. It is a suggestion and never more.
func guess(e Entry, alike []Invoice) Match {
	m := Match{Result: Unmatched, Credit: e.Amount.Zero()}
	m.because("It names no invoice of ours.")
	same := []Invoice{}
	for _, i := range alike {
		if sameName(e.Name, i.Names) {
			same = append(same, i)
		}
	}
	switch {
	case len(alike) == 0:
		m.because("No open invoice is over %s.", e.Amount)
	case len(same) == 0:
		m.because("%d open invoices are over %s, but of no customer called %q.", len(alike), e.Amount, e.Name)
	case slices.ContainsFunc(same, func(i Invoice) bool { return i.Customer != same[0].Customer }):
		m.because("Several customers called %q owe %s.", e.Name, e.Amount)
	default:
		m.Result, m.Customer = Suggested, same[0].Customer
		for _, i := range same {
			m.Parts = append(m.Parts, Part{i, i.Owed})
		}
		m.because("The amount and the payer's name fit invoice %s.", same[0].Number)
	}
	return m
}

func numbers(named []Named) string {
	list := []string{}
	for _, n := range named {
		list = append(list, n.Number)
	}
	return strings.Join(list, ", ")
}
