package money

import "strconv"

// String writes the amount as "12.34 EUR", for logs and errors.
func (a Amount) String() string { return a.Decimal() + " " + a.currency }

// Decimal writes the amount as a plain decimal with exactly the currency's
// number of decimals: "-12.34", "1200", "0.005".
func (a Amount) Decimal() string {
	exp := a.Exponent()
	digits := strconv.FormatUint(magnitude(a.minor), 10)
	for len(digits) <= exp {
		digits = "0" + digits
	}
	if exp > 0 {
		digits = digits[:len(digits)-exp] + "." + digits[len(digits)-exp:]
	}
	if a.minor < 0 {
		return "-" + digits
	}
	return digits
}
