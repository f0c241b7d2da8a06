package document

import (
	"strings"
	"unicode/utf8"

	"github.com/ezscale/ezscale/engine/money"
)

// totalsLeft is where the labels of the totals begin.
const totalsLeft = right - 262

// totalRow is a label and its amount below the table.
type totalRow struct {
	style  style
	labels []string
	amount string
	ruled  bool // a line above
}

func (r totalRow) height() float64 {
	h := float64(len(r.labels))*r.style.leading() + 4
	if r.ruled {
		h += 8
	}
	return h
}

// totals draws the sums, kept together on one page where they fit on one.
func (s *sheet) totals() {
	rows := s.totalRows()
	height := 10.0
	for _, r := range rows {
		height += r.height()
	}
	if !s.fits(height) {
		s.nextPage()
	}
	s.y += 10
	for _, r := range rows {
		if !s.fits(r.height()) {
			s.nextPage()
		}
		if r.ruled {
			s.rule(totalsLeft, right, s.y+3, 0.8, muted)
			s.y += 8
		}
		s.textRight(right, s.y+r.style.size, r.style, r.amount)
		for _, label := range r.labels {
			s.down(totalsLeft, r.style, label)
		}
		s.y += 4
	}
	s.y += 14
}

func (s *sheet) totalRows() []totalRow {
	var rows []totalRow
	add := func(st style, ruled bool, label string, a money.Amount) {
		amount := s.money(a)
		room := right - totalsLeft - gutter - s.measure(st, amount)
		rows = append(rows, totalRow{st, s.wrap(st, label, room), amount, ruled})
	}
	add(bodyStyle, false, s.l.Text("invoice.subtotal"), s.inv.Subtotal)
	for _, t := range s.inv.Taxes {
		add(bodyStyle, false, s.l.Text("invoice.taxrow", "label", t.Label, "base", s.money(t.Base)), t.Amount)
	}
	add(strongStyle, true, s.l.Text("invoice.total"), s.inv.Total)
	if c := s.inv.credit(); !c.IsZero() {
		add(bodyStyle, false, s.l.Text("invoice.credit"), c.Neg())
	}
	for _, p := range s.inv.Payments {
		add(bodyStyle, false, s.l.Text("invoice.payment", "date", s.l.Date(p.At), "method", together(p.Method)), p.Amount.Neg())
	}
	add(totalStyle, true, s.l.Text("invoice.amountdue"), s.inv.Due)
	return rows
}

// together keeps a short name such as "Visa •••• 4242" on one line.
func together(name string) string {
	if utf8.RuneCountInString(name) > 24 {
		return name
	}
	return strings.ReplaceAll(name, " ", "\u00a0")
}

// notes draws the bank details, where a transfer is still possible, and the
// paragraphs below.
func (s *sheet) notes() {
	if bank := s.inv.Seller.Bank; len(bank) > 0 && s.payable() {
		lines := append([]string{}, bank...)
		if s.inv.Number != "" {
			lines = append(lines, s.l.Text("invoice.bank.reference", "number", s.inv.Number))
		}
		s.section(s.l.Text("invoice.bank"), lines, 0)
	}
	if len(s.inv.Notes) > 0 {
		s.section(s.l.Text("invoice.notes"), s.inv.Notes, 4)
	}
}

// section draws a heading and paragraphs; the heading never stands alone at the
// foot of a page.
func (s *sheet) section(heading string, paragraphs []string, gap float64) {
	const measure = 380.0
	if !s.fits(labelStyle.leading() + 3*bodyStyle.leading()) {
		s.nextPage()
	}
	s.down(left, labelStyle, heading)
	s.y += 2
	for _, p := range paragraphs {
		for _, part := range s.wrap(bodyStyle, p, measure) {
			if !s.fits(bodyStyle.leading()) {
				s.nextPage()
			}
			s.down(left, bodyStyle, part)
		}
		s.y += gap
	}
	s.y += 12
}
