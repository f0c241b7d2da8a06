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
func (s *sheet) totals(rows []totalRow) {
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

// total makes a row of an amount; a ruled one has a line above.
func (s *sheet) total(st style, ruled bool, label string, a money.Amount) totalRow {
	amount := s.l.Money(a)
	room := right - totalsLeft - gutter - s.measure(st, amount)
	return totalRow{st, s.wrap(st, label, room), amount, ruled}
}

// together keeps a short name such as "Visa •••• 4242" on one line.
func together(name string) string {
	if utf8.RuneCountInString(name) > 24 {
		return name
	}
	return strings.ReplaceAll(name, " ", "\u00a0")
}
