package stripe

import (
	"fmt"
	"strings"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// maxCharge is the largest amount Stripe takes, in its own units: eight digits
// (docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).
const maxCharge = 99_999_999

// decimals lists the currencies that Stripe counts otherwise than in hundredths
// (docs.stripe.com/currencies#zero-decimal, #three-decimal, #special-cases).
// MGA has two decimals in ISO 4217 and none at Stripe; ISK has none in ISO 4217
// and is sent in hundredths that end in 00.
var decimals = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "JPY": 0, "KMF": 0, "KRW": 0, "MGA": 0,
	"PYG": 0, "RWF": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "JOD": 3, "KWD": 3, "OMR": 3, "TND": 3,
	"ISK": 2,
}

// toStripe returns a in Stripe's unit and the lower-case code Stripe wants.
// Errors: billing.ErrGatewayRefused for amounts and currencies that Stripe
// cannot charge exactly; nothing is rounded. The minimum charge depends on the
// settlement currency and is left to Stripe.
func toStripe(a money.Amount) (unit int64, currency string, err error) {
	code := a.Currency()
	exponent, iso, err := exponents(code)
	if err != nil {
		return 0, "", fmt.Errorf("stripe: amount %s: %w: %w", a, billing.ErrGatewayRefused, err)
	}
	if a.Sign() <= 0 {
		return 0, "", fmt.Errorf("stripe: amount %s: %w: only more than zero can be charged", a, billing.ErrGatewayRefused)
	}
	unit, exact := rescale(a.Minor(), iso, exponent)
	switch {
	case !exact:
		return 0, "", fmt.Errorf("stripe: amount %s: %w: Stripe takes %s in whole units only", a, billing.ErrGatewayRefused, code)
	case exponent == 3 && unit%10 != 0:
		return 0, "", fmt.Errorf("stripe: amount %s: %w: Stripe takes %s with two decimals, the third must be 0", a, billing.ErrGatewayRefused, code)
	case unit > maxCharge:
		return 0, "", fmt.Errorf("stripe: amount %s: %w: Stripe takes at most eight digits", a, billing.ErrGatewayRefused)
	}
	return unit, strings.ToLower(code), nil
}

// fromStripe reads an amount in Stripe's unit. Errors: ErrPayload for a missing
// currency, one we could not have charged, or a fraction of our minor unit.
func fromStripe(unit int64, currency string) (money.Amount, error) {
	code := strings.ToUpper(currency)
	exponent, iso, err := exponents(code)
	if err != nil {
		return money.Amount{}, fmt.Errorf("amount %d %.10q: %w: %w", unit, currency, ErrPayload, err)
	}
	minor, exact := rescale(unit, exponent, iso)
	if !exact || unit < 0 {
		return money.Amount{}, fmt.Errorf("amount %d %s: %w: not a whole number of minor units", unit, code, ErrPayload)
	}
	a, err := money.New(minor, code)
	if err != nil {
		return money.Amount{}, fmt.Errorf("amount %d %s: %w: %w", unit, code, ErrPayload, err)
	}
	return a, nil
}

// exponents returns how many decimals a currency has at Stripe and in ISO 4217.
// Stripe's pages contradict each other about UGX (in the zero-decimal list and
// among the special cases sent in hundredths), so it is refused rather than
// charged a hundredfold; so is any other currency that ISO 4217 does not count
// in hundredths and Stripe's list does not name.
func exponents(code string) (atStripe, iso int, err error) {
	iso, known := money.Exponent(code)
	if !known {
		return 0, 0, fmt.Errorf("%w: %.10q", money.ErrCurrency, code)
	}
	if atStripe, listed := decimals[code]; listed {
		return atStripe, iso, nil
	}
	if iso != 2 {
		return 0, 0, fmt.Errorf("the unit in which Stripe charges %s is not documented", code)
	}
	return 2, iso, nil
}

// rescale turns n units of 10^-from into units of 10^-to; exact is false when a
// fraction would be lost or n is too large to be an amount.
func rescale(n int64, from, to int) (result int64, exact bool) {
	if n > money.Limit || n < -money.Limit {
		return 0, false
	}
	for ; from < to; from++ {
		n *= 10
	}
	for ; from > to; from-- {
		if n%10 != 0 {
			return 0, false
		}
		n /= 10
	}
	return n, true
}
