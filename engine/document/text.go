package document

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// box stands for a character that the fonts lack. They lack this one too, and
// therefore draw it as their empty box: visible, and not mistaken for text.
const box = '□'

// substitutes are characters that the fonts lack and that another one replaces
// without loss to the reader.
var substitutes = map[rune]rune{'−': '–', '\u2011': '-', '→': '›', '\t': ' ', '\n': ' ', '\r': ' '}

// clean makes s printable: one line, no control, direction or joining marks,
// broken UTF-8 and characters beyond the basic plane shown as a box. Other
// characters without a glyph stay: the fonts draw their empty box, while
// copying the text out of the PDF still gives the character.
func clean(s string) string {
	if isPlain(s) {
		return s
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if sub, ok := substitutes[r]; ok {
			return sub
		}
		switch {
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		case r == utf8.RuneError, r > 0xffff:
			return box
		}
		return r
	}, s))
}

func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// Uncovered returns the characters of inv that print as an empty box because
// the fonts lack them, each once and in order of appearance, so that the caller
// can tell staff. It is empty for Latin, Greek and Cyrillic texts.
func (inv Invoice) Uncovered() []rune {
	var missing []rune
	seen := map[rune]bool{}
	for _, s := range inv.strings() {
		for _, r := range clean(s) {
			if !seen[r] && !hasGlyph(r) {
				missing = append(missing, r)
			}
			seen[r] = true
		}
	}
	return missing
}

// strings returns every text of inv that is printed as given.
func (inv Invoice) strings() []string {
	all := []string{inv.Brand, inv.Number, inv.Series, inv.PayURL}
	for _, p := range []Party{inv.Seller, inv.Buyer} {
		all = append(all, p.Name, p.VATID, p.Registration, p.Email, p.Website)
		all = append(append(all, p.Address...), p.Bank...)
	}
	for _, l := range inv.Lines {
		all = append(append(all, l.Description, l.Tax, l.Coupon, l.Usage.Unit, l.Invoice), l.Details...)
	}
	for _, t := range inv.Taxes {
		all = append(all, t.Label, t.Name, t.Note)
	}
	for _, p := range inv.Payments {
		all = append(all, p.Method)
	}
	for _, r := range inv.Corrects {
		all = append(all, r.Number)
	}
	for _, c := range inv.Corrected {
		all = append(all, c.Number)
	}
	return append(all, inv.Notes...)
}
