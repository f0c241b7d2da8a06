// Package money holds amounts of money as whole minor units of an ISO 4217
// currency. There is no floating point anywhere: an amount is an int64 with a
// stated bound, rounding is stated per operation, and splitting an amount
// always yields parts that sum to the whole.
package money

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
)

// Limit bounds the absolute value of any amount, in minor units. It matches the
// bound of the stored *_minor fields and leaves room for sums in an int64.
const Limit int64 = 1_000_000_000_000

// Errors that callers act on.
var (
	// ErrCurrency reports a code that is not an ISO 4217 currency we know.
	ErrCurrency = errors.New("unknown currency")
	// ErrMismatch reports an operation on two different currencies.
	ErrMismatch = errors.New("currencies differ")
	// ErrOverflow reports a result beyond Limit.
	ErrOverflow = errors.New("amount out of bounds")
)

// Amount is a number of minor units in one currency. The zero value has no
// currency and is only useful as "nothing"; New(0, code) is a usable zero.
type Amount struct {
	minor    int64
	currency string
}

// New returns minor units of the currency code (upper case, ISO 4217).
// Errors: ErrCurrency, ErrOverflow.
func New(minor int64, code string) (Amount, error) {
	if _, ok := exponents[code]; !ok {
		return Amount{}, fmt.Errorf("%w: %q", ErrCurrency, code)
	}
	if minor > Limit || minor < -Limit {
		return Amount{}, fmt.Errorf("%w: %d %s", ErrOverflow, minor, code)
	}
	return Amount{minor, code}, nil
}

// Must is New for constants and for values that the database has already
// bounded; it panics where New fails.
func Must(minor int64, code string) Amount {
	a, err := New(minor, code)
	if err != nil {
		panic("money: " + err.Error())
	}
	return a
}

// Minor returns the number of minor units.
func (a Amount) Minor() int64 { return a.minor }

// Currency returns the ISO 4217 code.
func (a Amount) Currency() string { return a.currency }

// Exponent returns how many decimals the currency has: 0, 2, 3 or 4.
func (a Amount) Exponent() int { return exponents[a.currency] }

// Zero returns nothing in a's currency.
func (a Amount) Zero() Amount { return Amount{0, a.currency} }

// IsZero reports whether there is nothing in a.
func (a Amount) IsZero() bool { return a.minor == 0 }

// Sign is -1, 0 or +1.
func (a Amount) Sign() int { return cmp.Compare(a.minor, 0) }

// Neg returns -a.
func (a Amount) Neg() Amount { return Amount{-a.minor, a.currency} }

// Add returns a + b. Errors: ErrMismatch, ErrOverflow.
func (a Amount) Add(b Amount) (Amount, error) {
	if a.currency != b.currency {
		return Amount{}, fmt.Errorf("%w: %s and %s", ErrMismatch, a.currency, b.currency)
	}
	return New(a.minor+b.minor, a.currency) // both bounded by Limit: no wrap
}

// Sub returns a - b. Errors: ErrMismatch, ErrOverflow.
func (a Amount) Sub(b Amount) (Amount, error) { return a.Add(b.Neg()) }

// Times returns a × n. Errors: ErrOverflow.
func (a Amount) Times(n int64) (Amount, error) {
	hi, lo := bits.Mul64(magnitude(a.minor), magnitude(n))
	if hi != 0 || lo > uint64(Limit) {
		return Amount{}, fmt.Errorf("%w: %s × %d", ErrOverflow, a, n)
	}
	minor := int64(lo)
	if (a.minor < 0) != (n < 0) {
		minor = -minor
	}
	return New(minor, a.currency)
}

// Cmp compares two amounts of one currency: -1, 0 or +1. Errors: ErrMismatch.
func (a Amount) Cmp(b Amount) (int, error) {
	if a.currency != b.currency {
		return 0, fmt.Errorf("%w: %s and %s", ErrMismatch, a.currency, b.currency)
	}
	return cmp.Compare(a.minor, b.minor), nil
}

// Sum adds amounts of one currency; of none it is zero of code.
// Errors: ErrCurrency, ErrMismatch, ErrOverflow.
func Sum(code string, amounts ...Amount) (Amount, error) {
	total, err := New(0, code)
	for _, a := range amounts {
		if err != nil {
			return Amount{}, err
		}
		total, err = total.Add(a)
	}
	return total, err
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return uint64(-(n + 1)) + 1
	}
	return uint64(n)
}
