package money

// exponents maps each ISO 4217 currency to its number of decimals.
var exponents = map[string]int{
	"EUR": 2, "USD": 2, "GBP": 2, "JPY": 0, "KWD": 3,
}

// Exponent returns the number of decimals of a currency code, and whether the
// code is known.
func Exponent(code string) (int, bool) {
	e, ok := exponents[code]
	return e, ok
}
