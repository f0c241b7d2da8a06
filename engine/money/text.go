package money

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrSyntax reports a text that is not an amount.
var ErrSyntax = errors.New("not an amount")

// minus is the real minus sign, which people read and paste.
const minus = "−"

// maxText bounds what Parse looks at: a sign, leading zeros and all digits of
// an amount fit many times over.
const maxText = 64

// Parse reads a plain decimal such as "12.34", "-5" or "−0.5" as an amount of
// the currency code. It is strict: an optional sign (+, - or the real minus),
// ASCII digits, at most one point with digits on both sides, no more decimals
// than the currency has, no grouping and no spaces. Errors: ErrCurrency,
// ErrSyntax, ErrOverflow; all name the text.
func Parse(text, code string) (Amount, error) {
	exp, ok := Exponent(code)
	if !ok {
		return Amount{}, fmt.Errorf("amount %s: %w: %q", quote(text), ErrCurrency, code)
	}
	if len(text) > maxText {
		return Amount{}, fmt.Errorf("%w: %s is too long", ErrSyntax, quote(text))
	}
	negative, number := cutSign(text)
	whole, decimals, point := strings.Cut(number, ".")
	if !digits(whole) || point && !digits(decimals) {
		return Amount{}, fmt.Errorf("%w: %s must be a plain decimal such as 1234.50", ErrSyntax, quote(text))
	}
	if len(decimals) > exp {
		return Amount{}, fmt.Errorf("%w: %s has %d decimals, %s has %d", ErrSyntax, quote(text), len(decimals), code, exp)
	}
	minor, err := strconv.ParseInt(whole+decimals+strings.Repeat("0", exp-len(decimals)), 10, 64)
	if err != nil || minor > Limit { // all digits, so only its range can be wrong
		return Amount{}, fmt.Errorf("%w: %s %s", ErrOverflow, quote(text), code)
	}
	if negative {
		minor = -minor
	}
	return Amount{minor, code}, nil
}

// String writes the amount as "12.34 EUR", for logs and errors.
func (a Amount) String() string { return a.Decimal() + " " + a.currency }

// Decimal writes the amount as a plain decimal with exactly the currency's
// number of decimals: "-12.34", "1200", "0.005". Parse reads it back.
func (a Amount) Decimal() string {
	whole, decimals := a.split()
	if decimals != "" {
		whole += "." + decimals
	}
	if a.minor < 0 {
		return "-" + whole
	}
	return whole
}

// Format writes the amount for people, with grouped thousands, the real minus
// and the currency code: "EUR −1,234.56" in English, "−1.234,56 EUR" in German.
// locale is a BCP 47 tag whose language alone counts; any but German reads
// English.
func (a Amount) Format(locale string) string {
	language, _, _ := strings.Cut(strings.ReplaceAll(locale, "_", "-"), "-")
	german := strings.EqualFold(language, "de")
	group, point := ",", "."
	if german {
		group, point = ".", ","
	}
	whole, decimals := a.split()
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + group + whole[i:]
	}
	if decimals != "" {
		whole += point + decimals
	}
	if a.minor < 0 {
		whole = minus + whole
	}
	if german {
		return whole + " " + a.currency
	}
	return a.currency + " " + whole
}

// split returns the digits before and after the point, without a sign.
func (a Amount) split() (whole, decimals string) {
	exp := a.Exponent()
	all := strconv.FormatUint(magnitude(a.minor), 10)
	if missing := exp + 1 - len(all); missing > 0 {
		all = strings.Repeat("0", missing) + all
	}
	return all[:len(all)-exp], all[len(all)-exp:]
}

func cutSign(text string) (negative bool, number string) {
	for _, sign := range []string{"-", minus} {
		if number, ok := strings.CutPrefix(text, sign); ok {
			return true, number
		}
	}
	return false, strings.TrimPrefix(text, "+")
}

// digits reports whether s is one or more ASCII digits.
func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// quote shows a text in an error, cut where it is absurdly long.
func quote(text string) string {
	if len(text) > maxText {
		return strconv.Quote(text[:maxText]) + "…"
	}
	return strconv.Quote(text)
}
