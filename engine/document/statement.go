package document

import (
	"fmt"
	"time"

	"github.com/ezscale/ezscale/engine/document/locales"
	"github.com/ezscale/ezscale/engine/money"
)

// Statement is a customer's account over a time, in one currency: what was
// owed before, every document and payment, and what is owed after. A balance
// above zero is owed by the customer, one below zero is in the customer's
// favor.
type Statement struct {
	Brand    string // as of an Invoice
	Accent   string
	Logo     []byte
	Language string

	IssuedAt time.Time // required
	From, To time.Time // the time [From, To), days in UTC; required
	Currency string
	Customer string // the customer's number; optional

	Seller Party
	Buyer  Party

	Opening money.Amount
	Rows    []StatementRow // in order of time
	Closing money.Amount
	Notes   []string
}

// RowKind says what moved an account: the key of the text that is printed.
type RowKind string

// The kinds of rows.
const (
	RowInvoice    RowKind = "invoice"
	RowVoid       RowKind = "void" // an invoice that was voided
	RowCreditNote RowKind = "creditnote"
	RowPayment    RowKind = "payment"
	RowRefund     RowKind = "refund"
	RowDispute    RowKind = "dispute"
	RowWriteOff   RowKind = "writeoff"
	RowAdjustment RowKind = "adjustment"
)

// StatementRow is one movement. Exactly one of Debit and Credit is above zero,
// the other is zero or left out.
type StatementRow struct {
	At       time.Time // within the statement's time
	Kind     RowKind
	Document string // number of the document; optional
	Text     string // such as the method of a payment; optional
	Debit    money.Amount
	Credit   money.Amount
	Balance  money.Amount // after the row
}

// Check reports the first thing that keeps st from being printed, as
// Invoice.Check does. Each balance must be the one before it plus debit minus
// credit.
func (st Statement) Check() error {
	return firstOf(
		func() error { return checkHead(st.Brand, st.Accent, st.Language, st.Currency, st.IssuedAt) },
		func() error { return checkParties(st.Seller, st.Buyer) },
		func() error {
			if st.From.IsZero() || !st.From.Before(st.To) {
				return refuse("time", "has no end after its start")
			}
			return checkCurrency("opening balance", st.Opening, st.Currency)
		},
		st.checkRows,
	)
}

func (st Statement) checkRows() error {
	balance, at := st.Opening, st.From
	for i, r := range st.Rows {
		field := fmt.Sprintf("row %d", i+1)
		next, err := st.after(field, r, balance)
		switch {
		case err != nil:
			return err
		case r.At.Before(at) || !r.At.Before(st.To):
			return refuse(field+" date", "is out of order or out of the statement's time")
		case next != r.Balance:
			return refuse(field+" balance", "is %s, but the rows make %s", r.Balance, next)
		}
		balance, at = next, r.At
	}
	if balance != st.Closing {
		return refuse("closing balance", "is %s, but the rows make %s", st.Closing, balance)
	}
	return nil
}

// after is the balance that r makes of the one before it.
func (st Statement) after(field string, r StatementRow, before money.Amount) (money.Amount, error) {
	debit, credit := orZero(r.Debit, st.Currency), orZero(r.Credit, st.Currency)
	if err := firstOf(
		func() error { return checkPositive(field+" debit", debit, st.Currency) },
		func() error { return checkPositive(field+" credit", credit, st.Currency) },
	); err != nil {
		return money.Amount{}, err
	}
	switch r.Kind {
	case RowInvoice, RowVoid, RowCreditNote, RowPayment, RowRefund, RowDispute, RowWriteOff, RowAdjustment:
	default:
		return money.Amount{}, refuse(field+" kind", "%q is unknown", r.Kind)
	}
	if debit.IsZero() == credit.IsZero() {
		return money.Amount{}, refuse(field, "is neither a debit nor a credit")
	}
	next, err := before.Add(debit)
	if err == nil {
		next, err = next.Sub(credit)
	}
	if err != nil {
		return next, refuse(field+" balance", "cannot be added: %s", err)
	}
	return next, nil
}

// RenderStatement returns st as a PDF, with RenderInvoice's promises and
// errors.
func RenderStatement(st Statement) ([]byte, error) {
	if err := st.Check(); err != nil {
		return nil, err
	}
	l, _ := locales.Get(st.Language) // checked
	from, to := l.Date(st.From), l.Date(st.To.Add(-time.Nanosecond))
	period := l.Text("invoice.period", "start", from, "end", to)
	s, err := newSheet(letter{
		brand: st.Brand, accent: st.Accent, logo: st.Logo, seller: st.Seller, buyer: st.Buyer, at: st.IssuedAt,
		title: l.Text("statement.title"), number: period, name: l.Text("statement.file", "buyer", st.Buyer.Name, "period", period),
		subject: l.Text("statement.subject", "seller", st.Seller.Name, "buyer", st.Buyer.Name, "period", period),
	}, l)
	if err != nil {
		return nil, err
	}
	s.begin()
	s.parties([]detail{
		{"statement.from", from},
		{"statement.to", to},
		{"invoice.issued", l.Date(st.IssuedAt)},
		{"statement.customer", st.Customer},
		{"invoice.currency", st.Currency},
	})
	s.statementPanel(st, to)
	s.table(s.movements(st))
	s.totals(s.statementTotals(st))
	s.notes(st.Notes)
	s.footers()
	return s.bytes()
}

func (s *sheet) statementPanel(st Statement, to string) {
	p := panel{label: s.l.Text("statement.balance", "date", to), figure: s.l.Money(st.Closing), style: style{10, true, ink}}
	switch st.Closing.Sign() {
	case 1:
		p.note = s.l.Text("statement.owed")
	case -1:
		p.note, p.style.ink = s.l.Text("statement.favor"), okInk
	default:
		p.note, p.style.ink = s.l.Text("statement.even"), okInk
	}
	s.panel(p)
}

// movements lays out the rows, the opening balance first.
func (s *sheet) movements(st Statement) table {
	debit, credit := column{heading: s.l.Text("statement.debit")}, column{heading: s.l.Text("statement.credit")}
	balance := column{heading: s.l.Text("statement.col.balance", "currency", st.Currency), cells: []string{s.l.Number(st.Opening)}}
	debit.cells, credit.cells = []string{""}, []string{""}
	t := table{
		heading: s.l.Text("statement.document"),
		lead:    column{heading: s.l.Text("statement.date"), cells: []string{s.l.Date(st.From)}},
		rows:    [][]styledText{{{bodyStyle, s.l.Text("statement.opening")}}},
	}
	figure := func(a money.Amount) string {
		if a.IsZero() {
			return ""
		}
		return s.l.Number(a)
	}
	for _, r := range st.Rows {
		t.lead.cells = append(t.lead.cells, s.l.Date(r.At))
		name := s.l.Text("statement.row." + string(r.Kind))
		if r.Document != "" {
			name += " " + together(r.Document)
		}
		t.rows = append(t.rows, []styledText{{bodyStyle, name}, {smallStyle, r.Text}})
		debit.cells, credit.cells = append(debit.cells, figure(r.Debit)), append(credit.cells, figure(r.Credit))
		balance.cells = append(balance.cells, s.l.Number(r.Balance))
	}
	t.columns = []column{debit, credit, balance}
	return t
}

func (s *sheet) statementTotals(st Statement) []totalRow {
	debits, credits := orZero(money.Amount{}, st.Currency), orZero(money.Amount{}, st.Currency)
	for _, r := range st.Rows {
		// Sums beyond the bounds of money stay as they were; the balances, which
		// have been checked, are what counts.
		if sum, err := debits.Add(orZero(r.Debit, st.Currency)); err == nil {
			debits = sum
		}
		if sum, err := credits.Add(orZero(r.Credit, st.Currency)); err == nil {
			credits = sum
		}
	}
	return []totalRow{
		s.total(bodyStyle, false, s.l.Text("statement.opening"), st.Opening),
		s.total(bodyStyle, false, s.l.Text("statement.debits"), debits),
		s.total(bodyStyle, false, s.l.Text("statement.credits"), credits.Neg()),
		s.total(totalStyle, true, s.l.Text("statement.closing"), st.Closing),
	}
}
