package money_test

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/ezscale/ezscale/engine/money"
)

// codes has one currency of each number of decimals.
var codes = []string{"EUR", "JPY", "KWD", "CLF"}

// anyAmount draws amounts of one currency, the bounds among them.
func anyAmount(code string) *rapid.Generator[money.Amount] {
	return rapid.Custom(func(t *rapid.T) money.Amount {
		return money.Must(rapid.Int64Range(-money.Limit, money.Limit).Draw(t, "minor"), code)
	})
}

func TestNew(t *testing.T) {
	scenarios := []struct {
		name  string
		minor int64
		code  string
		want  error
	}{
		{"zero", 0, "EUR", nil},
		{"highest", money.Limit, "EUR", nil},
		{"lowest", -money.Limit, "EUR", nil},
		{"too high", money.Limit + 1, "EUR", money.ErrOverflow},
		{"too low", -money.Limit - 1, "EUR", money.ErrOverflow},
		{"smallest int64", math.MinInt64, "EUR", money.ErrOverflow},
		{"unknown currency", 1, "ABC", money.ErrCurrency},
		{"lower case", 1, "eur", money.ErrCurrency},
		{"no currency", 1, "", money.ErrCurrency},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got, err := money.New(s.minor, s.code)
			if !errors.Is(err, s.want) {
				t.Fatalf("New(%d, %q): got error %v, want %v", s.minor, s.code, err, s.want)
			}
			if err == nil && (got.Minor() != s.minor || got.Currency() != s.code) {
				t.Errorf("got %v, want %d %s", got, s.minor, s.code)
			}
		})
	}
}

func TestMustPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Must of an unknown currency did not panic")
		}
	}()
	money.Must(1, "ABC")
}

func TestAddRefuses(t *testing.T) {
	one, top := money.Must(1, "EUR"), money.Must(money.Limit, "EUR")
	scenarios := []struct {
		name string
		a, b money.Amount
		want error
	}{
		{"two currencies", one, money.Must(1, "USD"), money.ErrMismatch},
		{"beyond the limit", top, one, money.ErrOverflow},
		{"below the limit", top.Neg(), one.Neg(), money.ErrOverflow},
		{"nothing with nothing", money.Amount{}, money.Amount{}, money.ErrCurrency},
		{"nothing with something", money.Amount{}, one, money.ErrMismatch},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if got, err := s.a.Add(s.b); !errors.Is(err, s.want) {
				t.Errorf("%v + %v: got %v, error %v, want %v", s.a, s.b, got, err, s.want)
			}
		})
	}
}

func TestCmpAndSign(t *testing.T) {
	top := money.Must(money.Limit, "EUR")
	scenarios := []struct {
		name string
		a, b money.Amount
		want int
	}{
		{"less", money.Must(1, "EUR"), money.Must(2, "EUR"), -1},
		{"equal", money.Must(2, "EUR"), money.Must(2, "EUR"), 0},
		{"more", money.Must(3, "EUR"), money.Must(2, "EUR"), 1},
		{"a distance beyond the limit", top, top.Neg(), 1},
		{"the same the other way", top.Neg(), top, -1},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got, err := s.a.Cmp(s.b)
			if err != nil || got != s.want {
				t.Errorf("Cmp(%v, %v): got %d, error %v, want %d", s.a, s.b, got, err, s.want)
			}
		})
	}
	if _, err := top.Cmp(money.Must(1, "USD")); !errors.Is(err, money.ErrMismatch) {
		t.Errorf("Cmp of two currencies: got error %v, want %v", err, money.ErrMismatch)
	}
	for minor, want := range map[int64]int{-7: -1, 0: 0, 7: 1} {
		a := money.Must(minor, "EUR")
		if a.Sign() != want || a.IsZero() != (want == 0) {
			t.Errorf("%v: got sign %d and zero %v, want sign %d", a, a.Sign(), a.IsZero(), want)
		}
	}
}

func TestTimesAgainstBigIntegers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyAmount("EUR").Draw(t, "a")
		n := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-1000, 1000)).Draw(t, "n")
		want := new(big.Int).Mul(big.NewInt(a.Minor()), big.NewInt(n))
		fits := want.CmpAbs(big.NewInt(money.Limit)) <= 0
		got, err := a.Times(n)
		if fits && (err != nil || got.Minor() != want.Int64()) {
			t.Fatalf("%v × %d: got %v, error %v, want %v", a, n, got, err, want)
		}
		if !fits && !errors.Is(err, money.ErrOverflow) {
			t.Fatalf("%v × %d: got %v, error %v, want %v", a, n, got, err, money.ErrOverflow)
		}
	})
}

func TestAddAndSubUndoEachOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyAmount("EUR").Draw(t, "a"), anyAmount("EUR").Draw(t, "b")
		sum, err := a.Add(b)
		if err != nil {
			return // out of bounds, see TestAddRefuses
		}
		if back, err := sum.Sub(b); err != nil || back != a {
			t.Fatalf("%v + %v - %v: got %v, error %v", a, b, b, back, err)
		}
	})
}

func TestSum(t *testing.T) {
	eur := func(minors ...int64) (all []money.Amount) {
		for _, m := range minors {
			all = append(all, money.Must(m, "EUR"))
		}
		return all
	}
	scenarios := []struct {
		name    string
		code    string
		amounts []money.Amount
		want    int64
		err     error
	}{
		{"nothing", "EUR", nil, 0, nil},
		{"several", "EUR", eur(5, -2, 40), 43, nil},
		{"another currency", "USD", eur(5), 0, money.ErrMismatch},
		{"unknown currency", "ABC", eur(5), 0, money.ErrCurrency},
		{"too much", "EUR", eur(money.Limit, 1, -1), 0, money.ErrOverflow},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got, err := money.Sum(s.code, s.amounts...)
			if !errors.Is(err, s.err) || got.Minor() != s.want {
				t.Errorf("got %v, error %v, want %d, error %v", got, err, s.want, s.err)
			}
		})
	}
}

func TestExponent(t *testing.T) {
	scenarios := map[int][]string{
		0: {"JPY", "KRW", "CLP", "ISK", "UGX", "VND", "XAF", "XOF", "XPF", "PYG"},
		2: {"EUR", "USD", "GBP", "CHF", "HUF", "MGA", "MRU", "TWD", "XCG", "ZWG", "SLE", "VED", "BGN", "HRK"},
		3: {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"},
		4: {"CLF", "UYW"},
	}
	for want, all := range scenarios {
		for _, code := range all {
			if got, ok := money.Exponent(code); !ok || got != want {
				t.Errorf("Exponent(%q): got %d, %v, want %d", code, got, ok, want)
			}
			if got := money.Must(1, code).Exponent(); got != want {
				t.Errorf("1 %s: got exponent %d, want %d", code, got, want)
			}
		}
	}
	refused := []string{
		"XAU", "XAG", "XPT", "XPD", "XTS", "XXX", "XDR", "XSU", "XUA", "XAD", "XBA", "XBB", "XBC", "XBD",
		"BOV", "CHE", "CHW", "COU", "MXV", "USN", "UYI", "DEM", "eur", "EU", "EURO", "",
	}
	for _, code := range refused {
		if got, ok := money.Exponent(code); ok {
			t.Errorf("Exponent(%q): got %d, want it unknown", code, got)
		}
	}
}
