package bankfile

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/ezscale/ezscale/engine/money"
)

// figure is an amount as a CSV cell writes it, taken apart as far as one cell
// can be: which mark is the decimal one is decided for the whole column.
type figure struct {
	body     string // digits and marks
	negative bool
	currency string // named within the cell, "" if not
}

// words that say on which side of the account an amount stands.
var sides = map[string]bool{ // true is debit
	"-": true, "−": true, "–": true, "S": true, "D": true, "DR": true, "DBIT": true, "DEBIT": true, "SOLL": true,
	"+": false, "H": false, "C": false, "CR": false, "CRDT": false, "CREDIT": false, "HABEN": false,
}

// signs are currency signs and the code that each means in a bank's export.
var signs = map[string]string{"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY"}

// readFigure takes "1.234,56-", "EUR 12.50", "(3.00)" or "1'000.00 CR" apart.
func readFigure(cell string) (figure, error) {
	text := strings.TrimSpace(cell)
	f := figure{}
	if inner, ok := strings.CutPrefix(text, "("); ok && strings.HasSuffix(inner, ")") {
		f.negative, text = true, strings.TrimSuffix(inner, ")")
	}
	first := strings.IndexFunc(text, isDigit)
	last := strings.LastIndexFunc(text, isDigit)
	if first < 0 {
		return f, fmt.Errorf("%q is no amount", cell)
	}
	if first > 0 && (text[first-1] == ',' || text[first-1] == '.') { // ",50"
		first--
	}
	f.body = strings.Map(ungroup, text[first:last+1])
	if strings.Trim(f.body, "0123456789.,") != "" {
		return f, fmt.Errorf("%q is no amount", cell)
	}
	for _, word := range strings.Fields(spaced(text[:first] + " " + text[last+1:])) {
		if !f.take(word) {
			return f, fmt.Errorf("%q is no amount: %q is not understood", cell, word)
		}
	}
	return f, nil
}

// take reads a word beside the digits: a sign, a side or a currency, each once.
func (f *figure) take(word string) bool {
	upper := strings.ToUpper(word)
	if debit, ok := sides[upper]; ok {
		twice := debit && f.negative
		f.negative = f.negative || debit
		return !twice
	}
	code := signs[word]
	if _, known := money.Exponent(upper); known {
		code = upper
	}
	if code == "" || f.currency != "" {
		return false
	}
	f.currency = code
	return true
}

// isDigit is for ASCII: no bank writes amounts in other digits.
func isDigit(r rune) bool { return r >= '0' && r <= '9' }

// ungroup drops what groups thousands and is no decimal mark anywhere.
func ungroup(r rune) rune {
	if unicode.IsSpace(r) || r == '\'' || r == '’' || r == '\u202F' {
		return -1
	}
	return r
}

// spaced parts signs from letters and each other, so that "EUR-" is two words.
func spaced(s string) string {
	out := strings.Builder{}
	for _, r := range s {
		if unicode.IsLetter(r) {
			out.WriteRune(r)
			continue
		}
		out.WriteString(" " + string(r) + " ")
	}
	return out.String()
}

// mark says what a cell proves about the decimal mark: ',' or '.', or 0 where
// both readings are possible. plain cells, of digits alone, prove nothing and
// need no proof.
func (f figure) mark() (mark byte, plain bool) {
	comma, point := strings.Count(f.body, ","), strings.Count(f.body, ".")
	switch {
	case comma == 0 && point == 0:
		return 0, true
	case comma > 0 && point > 0:
		if strings.LastIndexByte(f.body, ',') > strings.LastIndexByte(f.body, '.') {
			return ',', false
		}
		return '.', false
	case comma > 1:
		return '.', false
	case point > 1:
		return ',', false
	}
	at := strings.IndexAny(f.body, ",.")
	if len(f.body)-at-1 == 3 && at > 0 && at <= 3 && f.body[0] != '0' {
		return 0, false // 1.234 is a thousand or one and a bit
	}
	return f.body[at], false
}

// amount is the figure as money, once the decimal mark is known.
func (f figure) amount(mark byte, code string) (money.Amount, error) {
	group := ","
	if mark == ',' {
		group = "."
	}
	whole, decimals, _ := strings.Cut(f.body, string(mark))
	if err := checkGroups(whole, group); err != nil {
		return money.Amount{}, err
	}
	text := strings.ReplaceAll(whole, group, "")
	if text == "" {
		text = "0"
	}
	if decimals != "" {
		if exp, ok := money.Exponent(code); ok && len(decimals) > exp { // "12.5000" is 12.50
			decimals = decimals[:exp] + strings.TrimRight(decimals[exp:], "0")
		}
	}
	if decimals != "" {
		text += "." + decimals
	}
	if f.negative {
		text = "-" + text
	}
	return money.Parse(text, code)
}

// checkGroups wants thousands in threes: "1.23" with a decimal comma is a
// misread file and not 123.
func checkGroups(whole, group string) error {
	parts := strings.Split(whole, group)
	for i, p := range parts {
		if len(parts) > 1 && (i > 0 && len(p) != 3 || i == 0 && (p == "" || len(p) > 3)) {
			return fmt.Errorf("%q has thousands that are not in threes", whole)
		}
	}
	return nil
}
