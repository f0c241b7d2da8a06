package paypalbox

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// noDecimals are the currencies PayPal takes in whole units only
// (developer.paypal.com/reference/currency-codes).
var noDecimals = []string{"HUF", "JPY", "TWD"}

var currencies = strings.Fields("AUD BRL CAD CNY CZK DKK EUR HKD HUF ILS JPY MYR MXN TWD NZD NOK PHP PLN GBP SGD SEK CHF THB USD")

var amountShape = regexp.MustCompile(`^((-?[0-9]+)|(-?([0-9]+)?[.][0-9]+))$`)

// maxUnits is the largest amount in the smallest unit: 9,999,999.99. PayPal
// documents far more; what it really takes is a limit of each account.
const maxUnits = 999_999_999

// sum is an amount of money in a currency's smallest unit at PayPal.
type sum struct {
	currency string
	units    int64
}

func decimals(currency string) int {
	if slices.Contains(noDecimals, currency) {
		return 0
	}
	return 2
}

func (s sum) value() string {
	if decimals(s.currency) == 0 {
		return strconv.FormatInt(s.units, 10)
	}
	return fmt.Sprintf("%d.%02d", s.units/100, s.units%100)
}

// render writes the amount as version 2 and 3 resources do.
func (s sum) render() object { return object{"currency_code": s.currency, "value": s.value()} }

func (s sum) String() string { return s.currency + " " + s.value() }

// money is the spec of an amount.
var money = spec{"currency_code": must(rule{max: 3, shape: regexp.MustCompile(`^[A-Z]{3}$`)}), "value": must(rule{max: 32, shape: amountShape})}

// readSum reads an amount that passed the spec and refuses what PayPal would.
func readSum(v any, pointer string) (sum, *apiError) {
	code, value := str(v, "currency_code"), str(v, "value")
	if !slices.Contains(currencies, code) {
		return sum{}, refusedAt(pointer+"/currency_code", "CURRENCY_NOT_SUPPORTED", "Currency code is not currently supported.")
	}
	whole, fraction, _ := strings.Cut(value, ".")
	if len(fraction) > decimals(code) {
		return sum{}, refusedAt(pointer+"/value", "DECIMAL_PRECISION", "If the currency supports decimals, only two decimal place precision is supported.")
	}
	for len(fraction) < decimals(code) {
		fraction += "0"
	}
	units, err := strconv.ParseInt(whole+fraction, 10, 64)
	switch {
	case err != nil || units > maxUnits:
		return sum{}, refusedAt(pointer+"/value", "MAX_VALUE_EXCEEDED", "Should be less than or equal to 999999999999999.99.")
	case units <= 0:
		return sum{}, refusedAt(pointer+"/value", "CANNOT_BE_ZERO_OR_NEGATIVE", "Must be greater than zero. If the currency supports decimals, only two decimal place precision is supported.")
	}
	return sum{code, units}, nil
}

func refusedAt(field, issue, format string, args ...any) *apiError {
	e := refused(issue, format, args...)
	e.field, e.remember = field, false
	return e
}

// fee is what PayPal keeps of a payment: 2.49 % and 35 of the smallest units.
func (s sum) fee() sum {
	return sum{s.currency, min(s.units, s.units*249/10_000+35)}
}
