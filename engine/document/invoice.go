package document

import (
	"time"

	"github.com/ezscale/ezscale/engine/document/locales"
	"github.com/ezscale/ezscale/engine/money"
)

// Status is what the document says about its invoice.
type Status string

// The states an invoice is printed in.
const (
	Draft         Status = "draft"
	Open          Status = "open"
	Paid          Status = "paid"
	Void          Status = "void"
	Uncollectible Status = "uncollectible"
)

// Invoice is everything that stands on an invoice, frozen: texts are already in
// the customer's language and amounts already rounded. Only dates, figures and
// the fixed words follow Language.
type Invoice struct {
	Brand    string // shown where there is no logo; required
	Accent   string // the brand's color, "#rrggbb"; "" is the product's own
	Logo     []byte // PNG or JPEG, at most MaxLogoBytes; optional
	Language string // "en" or "de", a region after it is ignored; required

	Number   string // required unless Status is Draft
	Series   string // optional
	Status   Status
	IssuedAt time.Time // required: its day in UTC is printed and dates the file
	DueAt    time.Time // optional
	Currency string    // ISO 4217, of every amount below

	Seller Party
	Buyer  Party

	Lines    []Line // at least one
	Subtotal money.Amount
	Taxes    []TaxRow
	Total    money.Amount // Subtotal plus all Taxes
	Prices   Prices       // what the lines' amounts contain; "" says nothing
	Rounding Rounding     // how the taxes were rounded; "" says nothing

	Credit     money.Amount // credit balance used, ≥ 0; the zero value is none
	Payments   []Payment
	Corrected  []Correction // credit notes on this invoice
	WrittenOff money.Amount // given up, ≥ 0; the zero value is none
	Due        money.Amount // still to pay; zero when Status is Paid

	Corrects []Reference // documents that this invoice replaces; optional
	Notes    []string    // paragraphs below the totals
	PayURL   string      // http(s) address of the hosted payment page; optional
}

// Payment is money received on the invoice.
type Payment struct {
	At      time.Time
	Method  string // such as "Visa •••• 4242"; unused where it came from Balance
	Amount  money.Amount
	Balance bool // taken from the customer's credit balance
}

// Reference names another document.
type Reference struct {
	Number   string    // required
	IssuedAt time.Time // optional
}

// Correction is a credit note as the corrected invoice shows it.
type Correction struct {
	Reference

	Reduced money.Amount // what it took off the amount due, ≥ 0; the zero value is nothing
}

// RenderInvoice returns inv as a PDF: A4, any number of pages. The same inv
// gives the same bytes. Safe for concurrent use. Errors: ErrInput naming the
// field (see Invoice.Check), ErrLogo.
func RenderInvoice(inv Invoice) ([]byte, error) {
	if err := inv.Check(); err != nil {
		return nil, err
	}
	l, _ := locales.Get(inv.Language) // checked
	s, err := newSheet(inv.letter(l), l)
	if err != nil {
		return nil, err
	}
	s.begin()
	s.parties(inv.details(s))
	s.invoicePanel(inv)
	b := inv.body()
	s.table(s.lines(b))
	s.totals(s.invoiceTotals(inv))
	s.taxNotes(b)
	s.bank(inv)
	s.notes(inv.Notes)
	s.footers()
	return s.bytes()
}

func (inv Invoice) letter(l *locales.Locale) letter {
	title, name := l.Text("invoice.title"), l.Text("invoice.file", "number", inv.Number)
	if inv.Status == Draft {
		title = l.Text("invoice.title.draft")
		name = title + " " + inv.Number
	}
	stamp := ""
	if inv.Status == Void || inv.Status == Uncollectible {
		stamp = l.Text("invoice.stamp." + string(inv.Status))
	}
	return letter{
		brand: inv.Brand, accent: inv.Accent, logo: inv.Logo, seller: inv.Seller, buyer: inv.Buyer, at: inv.IssuedAt,
		title: title, number: inv.Number, name: name, stamp: stamp,
		subject: l.Text("invoice.subject", "number", inv.Number, "seller", inv.Seller.Name, "buyer", inv.Buyer.Name),
	}
}

func (inv Invoice) body() body {
	return body{inv.Currency, inv.Lines, inv.Subtotal, inv.Taxes, inv.Total, inv.Prices, inv.Rounding}
}

func (inv Invoice) details(s *sheet) []detail {
	rows := []detail{
		{"invoice.number", inv.Number},
		{"invoice.series", inv.Series},
		{"invoice.issued", s.l.Date(inv.IssuedAt)},
		{"invoice.due", s.l.Date(inv.DueAt)},
		{"invoice.currency", inv.Currency},
		{"invoice.status", s.l.Text("invoice.status." + string(inv.Status))},
	}
	for _, r := range inv.Corrects {
		rows = append(rows, detail{"invoice.corrects", r.Number})
	}
	for _, c := range inv.Corrected {
		rows = append(rows, detail{"invoice.correctedby", c.Number})
	}
	return rows
}

// invoicePanel says in one look what is owed, or that nothing is.
func (s *sheet) invoicePanel(inv Invoice) {
	p := panel{label: s.l.Text("invoice.amountdue"), figure: s.l.Money(inv.Due)}
	p.note, p.style = s.standing(inv)
	if inv.payable() {
		p.payURL = inv.PayURL
	}
	s.panel(p)
}

// standing is the sentence about the invoice's state.
func (s *sheet) standing(inv Invoice) (string, style) {
	st := style{10, true, ink}
	switch inv.Status {
	case Paid:
		st.ink = okInk
		if n := len(inv.Payments); n > 0 && !inv.Payments[n-1].At.IsZero() {
			return s.l.Text("invoice.paidon", "date", s.l.Date(inv.Payments[n-1].At)), st
		}
		return s.l.Text("invoice.paid"), st
	case Draft, Void, Uncollectible:
		st.ink = badInk
		return s.l.Text("invoice.status." + string(inv.Status)), st
	case Open:
	}
	if inv.DueAt.IsZero() {
		return s.l.Text("invoice.status.open"), st
	}
	return s.l.Text("invoice.dueby", "date", s.l.Date(inv.DueAt)), st
}

// payable reports whether the reader is asked for money.
func (inv Invoice) payable() bool {
	return (inv.Status == Open || inv.Status == Uncollectible) && inv.Due.Sign() > 0
}

func (s *sheet) invoiceTotals(inv Invoice) []totalRow {
	rows := s.sums(inv.body())
	if c := orZero(inv.Credit, inv.Currency); !c.IsZero() {
		rows = append(rows, s.total(bodyStyle, false, s.l.Text("invoice.credit"), c.Neg()))
	}
	for _, p := range inv.Payments {
		label := s.l.Text("invoice.payment", "date", s.l.Date(p.At), "method", together(p.Method))
		if p.Balance {
			label = s.l.Text("invoice.payment.balance", "date", s.l.Date(p.At))
		}
		rows = append(rows, s.total(bodyStyle, false, label, p.Amount.Neg()))
	}
	for _, c := range inv.Corrected {
		if reduced := orZero(c.Reduced, inv.Currency); !reduced.IsZero() {
			label := s.l.Text("invoice.creditnote", "number", together(c.Number), "date", s.l.Date(c.IssuedAt))
			rows = append(rows, s.total(bodyStyle, false, label, reduced.Neg()))
		}
	}
	if w := orZero(inv.WrittenOff, inv.Currency); !w.IsZero() {
		rows = append(rows, s.total(bodyStyle, false, s.l.Text("invoice.writtenoff"), w.Neg()))
	}
	return append(rows, s.total(totalStyle, true, s.l.Text("invoice.amountdue"), inv.Due))
}

// bank prints the account details where a transfer is still possible.
func (s *sheet) bank(inv Invoice) {
	if len(inv.Seller.Bank) == 0 || !inv.payable() {
		return
	}
	lines := append([]string{}, inv.Seller.Bank...)
	if inv.Number != "" {
		lines = append(lines, s.l.Text("invoice.bank.reference", "number", inv.Number))
	}
	s.section(s.l.Text("invoice.bank"), lines, 0)
}

// orZero is a, or nothing of the currency where a was not given.
func orZero(a money.Amount, currency string) money.Amount {
	if a == (money.Amount{}) {
		if zero, err := money.New(0, currency); err == nil {
			return zero
		}
	}
	return a
}
