package money

import (
	"fmt"
	"math/big"
)

// RatePPM is what an exchange rate counts in: one unit of a currency in
// millionths of a unit of another.
const RatePPM = 1_000_000

// Convert returns a in another currency, rounded half away from zero: one unit
// of a's currency is ppm millionths of a unit of the other. It is for reports and
// suggestions; nothing that is owed is ever converted. Errors: ErrCurrency,
// ErrOverflow, and a rate of zero or less.
func (a Amount) Convert(ppm int64, code string) (Amount, error) {
	return a.convert(ppm, RatePPM, code)
}

// ConvertBack returns a in the currency of which one unit is ppm millionths of a
// unit of a's: the way back of a rate. Rounding and errors as Convert.
func (a Amount) ConvertBack(ppm int64, code string) (Amount, error) {
	return a.convert(RatePPM, ppm, code)
}

func (a Amount) convert(times, by int64, code string) (Amount, error) {
	if times <= 0 || by <= 0 {
		return Amount{}, fmt.Errorf("convert %s to %s: a rate must be above zero", a, code)
	}
	exponent, known := Exponent(code)
	if !known {
		return Amount{}, fmt.Errorf("convert %s to %q: %w", a, code, ErrCurrency)
	}
	n := new(big.Int).Mul(big.NewInt(a.minor), big.NewInt(times))
	d := big.NewInt(by)
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(exponent-a.Exponent(), a.Exponent()-exponent))), nil)
	if exponent > a.Exponent() {
		n.Mul(n, scale)
	} else {
		d.Mul(d, scale)
	}
	half := new(big.Int).Mul(d, big.NewInt(int64(a.Sign())))
	n.Mul(n, big.NewInt(2)).Add(n, half).Quo(n, d.Mul(d, big.NewInt(2)))
	if !n.IsInt64() {
		return Amount{}, fmt.Errorf("convert %s to %s: %w", a, code, ErrOverflow)
	}
	return New(n.Int64(), code)
}
