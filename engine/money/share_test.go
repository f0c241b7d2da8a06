package money_test

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/ezscale/ezscale/engine/money"
)

func TestProrate(t *testing.T) {
	scenarios := []struct {
		name                     string
		minor, used, total, want int64
	}{
		{"whole period", 3000, 30, 30, 3000},
		{"nothing used", 3000, 0, 30, 0},
		{"a third", 3000, 10, 30, 1000},
		{"rounds down", 1000, 1, 3, 333},
		{"rounds up", 1000, 2, 3, 667},
		{"half cent rounds up", 1, 15, 30, 1},
		{"just below half", 1, 14, 30, 0},
		{"leap February", 2900, 29, 29, 2900},
		{"leap day of a year", 36600, 1, 366, 100},
		{"odd total", 5, 1, 2, 3},
		{"zero amount", 0, 3, 7, 0},
		{"no 64-bit overflow", money.Limit, math.MaxInt64 - 1, math.MaxInt64, money.Limit},
		{"seconds of a year", 100_000, 15_768_000, 31_536_000, 50_000},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if got := money.Must(s.minor, "EUR").Prorate(s.used, s.total); got.Minor() != s.want || got.Currency() != "EUR" {
				t.Errorf("%d for %d of %d: got %v, want %d", s.minor, s.used, s.total, got, s.want)
			}
		})
	}
}

func TestProratePanics(t *testing.T) {
	scenarios := []struct {
		name               string
		minor, used, total int64
	}{
		{"negative amount", -1, 1, 2},
		{"negative use", 1, -1, 2},
		{"more than the period", 1, 3, 2},
		{"empty period", 1, 0, 0},
		{"negative period", 1, -3, -2},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Errorf("%d for %d of %d did not panic", s.minor, s.used, s.total)
				}
			}()
			money.Must(s.minor, "EUR").Prorate(s.used, s.total)
		})
	}
}

func TestProrateComplement(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := money.Must(rapid.Int64Range(0, money.Limit).Draw(t, "minor"), "EUR")
		total := rapid.OneOf(rapid.Int64Range(1, 400), rapid.Int64Range(1, math.MaxInt64)).Draw(t, "total")
		used := rapid.Int64Range(0, total).Draw(t, "used")
		share, rest := a.Prorate(used, total).Minor(), a.Prorate(total-used, total).Minor()
		if share < 0 || share > a.Minor() || rest < 0 || rest > a.Minor() {
			t.Fatalf("%v for %d of %d: shares %d and %d leave the whole", a, used, total, share, rest)
		}
		if extra := share + rest - a.Minor(); extra != 0 && extra != 1 {
			t.Fatalf("%v for %d of %d: shares %d and %d miss the whole by %d", a, used, total, share, rest, extra)
		}
		exact := new(big.Int).Mul(big.NewInt(2*a.Minor()), big.NewInt(used))
		exact.Add(exact, big.NewInt(total)).Div(exact, new(big.Int).Mul(big.NewInt(2), big.NewInt(total)))
		if exact.Int64() != share {
			t.Fatalf("%v for %d of %d: got %d, want %v", a, used, total, share, exact)
		}
	})
}

func TestBasisPoints(t *testing.T) {
	scenarios := []struct {
		name            string
		minor, bp, want int64
		err             error
	}{
		{"19 percent", 10_000, 1900, 1900, nil},
		{"rounds down", 101, 1900, 19, nil},
		{"half rounds up", 50, 100, 1, nil},
		{"half of a negative rounds down", -50, 100, -1, nil},
		{"negative rate", 50, -100, -1, nil},
		{"two negatives", -50, -100, 1, nil},
		{"below half", 49, 100, 0, nil},
		{"nothing", 0, 1900, 0, nil},
		{"rate of zero", 10_000, 0, 0, nil},
		{"all of the limit", money.Limit, 10_000, money.Limit, nil},
		{"beyond the limit", money.Limit, 10_001, 0, money.ErrOverflow},
		{"beyond 64 bits", money.Limit, math.MaxInt64, 0, money.ErrOverflow},
		{"smallest rate", money.Limit, math.MinInt64, 0, money.ErrOverflow},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got, err := money.Must(s.minor, "EUR").BasisPoints(s.bp)
			if !errors.Is(err, s.err) || got.Minor() != s.want {
				t.Errorf("%d bp of %d: got %v, error %v, want %d, error %v", s.bp, s.minor, got, err, s.want, s.err)
			}
		})
	}
}

func TestBasisPointsAgainstBigIntegers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyAmount("EUR").Draw(t, "a")
		bp := rapid.OneOf(rapid.Int64Range(-20_000, 20_000), rapid.Int64()).Draw(t, "bp")
		product := new(big.Int).Mul(big.NewInt(a.Minor()), big.NewInt(bp))
		want := new(big.Int).Abs(product)
		want.Add(want, big.NewInt(5000)).Quo(want, big.NewInt(10_000))
		if product.Sign() < 0 {
			want.Neg(want)
		}
		got, err := a.BasisPoints(bp)
		if want.CmpAbs(big.NewInt(money.Limit)) > 0 {
			if !errors.Is(err, money.ErrOverflow) {
				t.Fatalf("%d bp of %v: got %v, error %v, want %v", bp, a, got, err, money.ErrOverflow)
			}
			return
		}
		if err != nil || got.Minor() != want.Int64() {
			t.Fatalf("%d bp of %v: got %v, error %v, want %v", bp, a, got, err, want)
		}
	})
}

func TestAllocate(t *testing.T) {
	scenarios := []struct {
		name    string
		minor   int64
		weights []int64
		want    []int64
		err     error
	}{
		{"one part", 100, []int64{7}, []int64{100}, nil},
		{"even", 100, []int64{1, 1}, []int64{50, 50}, nil},
		{"the first gets the odd cent", 100, []int64{1, 1, 1}, []int64{34, 33, 33}, nil},
		{"negatives mirror", -100, []int64{1, 1, 1}, []int64{-34, -33, -33}, nil},
		{"largest remainder first", 10, []int64{1, 2, 4}, []int64{1, 3, 6}, nil},
		{"zero weight gets nothing", 5, []int64{0, 1, 1}, []int64{0, 3, 2}, nil},
		{"nothing to share", 0, []int64{3, 1}, []int64{0, 0}, nil},
		{"fewer cents than parts", 2, []int64{1, 1, 1}, []int64{1, 1, 0}, nil},
		{"no 64-bit overflow", money.Limit, []int64{math.MaxInt64 - 1, 1}, []int64{money.Limit, 0}, nil},
		{"no weights", 5, nil, nil, money.ErrWeights},
		{"all zero", 5, []int64{0, 0}, nil, money.ErrWeights},
		{"a negative", 5, []int64{2, -1}, nil, money.ErrWeights},
		{"a sum beyond int64", 5, []int64{math.MaxInt64, 1}, nil, money.ErrWeights},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got, err := money.Must(s.minor, "EUR").Allocate(s.weights...)
			if !errors.Is(err, s.err) || len(got) != len(s.want) {
				t.Fatalf("got %v, error %v, want %v, error %v", got, err, s.want, s.err)
			}
			for i := range got {
				if got[i] != money.Must(s.want[i], "EUR") {
					t.Errorf("part %d: got %v, want %d", i, got[i], s.want[i])
				}
			}
		})
	}
}

func TestAllocatePartsSumToTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyAmount("EUR").Draw(t, "a")
		weights := rapid.SliceOfN(rapid.Int64Range(0, math.MaxInt64/64), 1, 60).Draw(t, "weights")
		parts, err := a.Allocate(weights...)
		if errors.Is(err, money.ErrWeights) {
			for _, w := range weights {
				if w != 0 {
					t.Fatalf("weights %v were refused: %v", weights, err)
				}
			}
			return
		}
		if sum, sumErr := money.Sum("EUR", parts...); err != nil || sumErr != nil || sum != a {
			t.Fatalf("parts %v of %v sum to %v (%v, %v)", parts, a, sum, err, sumErr)
		}
		mirrored, _ := a.Neg().Allocate(weights...)
		for i, p := range parts {
			if p.Neg() != mirrored[i] {
				t.Fatalf("part %d of %v is %v, of %v it is %v", i, a, p, a.Neg(), mirrored[i])
			}
			if weights[i] == 0 && !p.IsZero() {
				t.Fatalf("part %d of weight zero got %v", i, p)
			}
		}
		mustBeNear(t, a, weights, parts)
	})
}

// mustBeNear checks that each part is less than one minor unit off its exact
// share.
func mustBeNear(t *rapid.T, a money.Amount, weights []int64, parts []money.Amount) {
	total := new(big.Int)
	for _, w := range weights {
		total.Add(total, big.NewInt(w))
	}
	for i, p := range parts {
		off := new(big.Int).Mul(big.NewInt(a.Minor()), big.NewInt(weights[i]))
		off.Sub(off, new(big.Int).Mul(big.NewInt(p.Minor()), total))
		if off.CmpAbs(total) >= 0 {
			t.Fatalf("part %d of %v by %v is %v: a whole unit off", i, a, weights, p)
		}
	}
}
