package document

import (
	"time"

	"github.com/ezscale/ezscale/engine/document/locales"
	"github.com/ezscale/ezscale/engine/money"
)

// CreditNote is everything that stands on a credit note, frozen like an
// Invoice. Amounts are what is given back, so they are positive; a line that
// takes off, such as a discount that is given back with its line, is negative.
type CreditNote struct {
	Brand    string // as of an Invoice
	Accent   string
	Logo     []byte
	Language string

	Number   string    // required
	Series   string    // optional
	IssuedAt time.Time // required
	Currency string

	Seller Party
	Buyer  Party

	Corrects Reference // the invoice; its number is required
	Reason   string    // why, in the customer's language; optional

	Lines    []Line // at least one
	Subtotal money.Amount
	Taxes    []TaxRow
	Total    money.Amount // Subtotal plus all Taxes
	Prices   Prices
	Rounding Rounding

	Reduced   money.Amount // of Total: what it took off the invoice's amount due; the zero value is nothing
	ToBalance money.Amount // of Total: what became the customer's credit balance; the zero value is nothing
	Notes     []string
}

// Check reports the first thing that keeps n from being printed, as
// Invoice.Check does; Reduced and ToBalance must make the total.
func (n CreditNote) Check() error {
	return firstOf(
		func() error { return checkHead(n.Brand, n.Accent, n.Language, n.Currency, n.IssuedAt) },
		func() error { return checkParties(n.Seller, n.Buyer) },
		func() error {
			if blank(n.Number) {
				return refuse("number", "is empty")
			}
			if blank(n.Corrects.Number) {
				return refuse("corrected invoice", "has no number")
			}
			return nil
		},
		n.body().check,
		func() error { return checkPositive("total", n.Total, n.Currency) },
		n.checkUse,
	)
}

// checkUse adds up what became of the total.
func (n CreditNote) checkUse() error {
	reduced, balance := orZero(n.Reduced, n.Currency), orZero(n.ToBalance, n.Currency)
	if err := firstOf(
		func() error { return checkPositive("reduction", reduced, n.Currency) },
		func() error { return checkPositive("credit", balance, n.Currency) },
	); err != nil {
		return err
	}
	if sum, err := reduced.Add(balance); err != nil || sum != n.Total {
		return refuse("total", "is %s, but reduction and credit make %s", n.Total, sum)
	}
	return nil
}

// RenderCreditNote returns n as a PDF, with RenderInvoice's promises and
// errors.
func RenderCreditNote(n CreditNote) ([]byte, error) {
	if err := n.Check(); err != nil {
		return nil, err
	}
	l, _ := locales.Get(n.Language) // checked
	s, err := newSheet(letter{
		brand: n.Brand, accent: n.Accent, logo: n.Logo, seller: n.Seller, buyer: n.Buyer, at: n.IssuedAt,
		title: l.Text("creditnote.title"), number: n.Number, name: l.Text("creditnote.file", "number", n.Number),
		subject: l.Text("creditnote.subject", "number", n.Number, "seller", n.Seller.Name, "buyer", n.Buyer.Name),
	}, l)
	if err != nil {
		return nil, err
	}
	s.begin()
	s.parties([]detail{
		{"invoice.number", n.Number},
		{"invoice.series", n.Series},
		{"invoice.issued", l.Date(n.IssuedAt)},
		{"invoice.corrects", n.Corrects.Number},
		{"creditnote.invoicedate", l.Date(n.Corrects.IssuedAt)},
		{"invoice.currency", n.Currency},
	})
	s.panel(panel{
		label: l.Text("creditnote.credited"), figure: l.Money(n.Total),
		note: l.Text("creditnote.corrects", "number", n.Corrects.Number), style: style{10, true, okInk},
	})
	b := n.body()
	s.table(s.lines(b))
	s.totals(s.creditTotals(n))
	if !blank(n.Reason) {
		s.section(l.Text("creditnote.reason"), []string{n.Reason}, 0)
	}
	s.taxNotes(b)
	s.notes(n.Notes)
	s.footers()
	return s.bytes()
}

func (n CreditNote) body() body {
	return body{n.Currency, n.Lines, n.Subtotal, n.Taxes, n.Total, n.Prices, n.Rounding}
}

// creditTotals are the sums and what became of them.
func (s *sheet) creditTotals(n CreditNote) []totalRow {
	rows := s.sums(n.body())
	if a := orZero(n.Reduced, n.Currency); !a.IsZero() {
		rows = append(rows, s.total(bodyStyle, false, s.l.Text("creditnote.reduced", "number", together(n.Corrects.Number)), a))
	}
	if a := orZero(n.ToBalance, n.Currency); !a.IsZero() {
		rows = append(rows, s.total(bodyStyle, false, s.l.Text("creditnote.balance"), a))
	}
	return rows
}
