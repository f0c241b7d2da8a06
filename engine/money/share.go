package money

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
)

// ErrWeights reports weights by which nothing can be shared out.
var ErrWeights = errors.New("weights cannot be used")

// basisPointsPerWhole is how many basis points make 100 %.
const basisPointsPerWhole = 10_000

// Prorate returns a's share for used of total parts of a period (days, hours,
// seconds), rounded half up. It panics unless a ≥ 0, 0 ≤ used ≤ total and
// total > 0: a wrong period is a bug, not an input. The share never exceeds a;
// the shares of used and of total-used sum to a, or to one minor unit more
// where both end in exactly a half, so charge one and credit the difference.
func (a Amount) Prorate(used, total int64) Amount {
	if a.minor < 0 || used < 0 || total <= 0 || used > total {
		panic(fmt.Sprintf("money: prorate %s for %d of %d", a, used, total))
	}
	share, rest := mulDiv(uint64(a.minor), uint64(used), uint64(total))
	if rest >= uint64(total)-rest {
		share++
	}
	return Amount{int64(share), a.currency}
}

// BasisPoints returns bp/10000 of a, rounded half away from zero: 1900 is 19 %.
// Errors: ErrOverflow.
func (a Amount) BasisPoints(bp int64) (Amount, error) {
	hi, lo := bits.Mul64(magnitude(a.minor), magnitude(bp))
	if hi >= basisPointsPerWhole {
		return Amount{}, fmt.Errorf("%w: %d basis points of %s", ErrOverflow, bp, a)
	}
	share, rest := bits.Div64(hi, lo, basisPointsPerWhole)
	if rest*2 >= basisPointsPerWhole {
		share++
	}
	if share > uint64(Limit) {
		return Amount{}, fmt.Errorf("%w: %d basis points of %s", ErrOverflow, bp, a)
	}
	minor := int64(share)
	if (a.minor < 0) != (bp < 0) {
		minor = -minor
	}
	return Amount{minor, a.currency}, nil
}

// Allocate splits a by weights into as many parts, which sum exactly to a. Each
// part gets its whole minor units; what is left over goes, one unit each, to the
// largest remainders, the earlier part first among equals. A weight of zero gets
// nothing, and the parts of -a mirror those of a. Errors: ErrWeights for no
// weights, a negative one, and a sum that is zero or exceeds an int64.
func (a Amount) Allocate(weights ...int64) ([]Amount, error) {
	total, err := sumWeights(weights)
	if err != nil {
		return nil, fmt.Errorf("allocate %s: %w", a, err)
	}
	whole := magnitude(a.minor)
	left := whole
	shares, rests := make([]uint64, len(weights)), make([]uint64, len(weights))
	order := make([]int, len(weights))
	for i, w := range weights {
		shares[i], rests[i] = mulDiv(whole, uint64(w), total)
		left -= shares[i]
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case rests[i] > rests[j]:
			return -1
		case rests[i] < rests[j]:
			return 1
		}
		return 0
	})
	for _, i := range order[:left] { // fewer than the parts with a remainder
		shares[i]++
	}
	parts := make([]Amount, len(weights))
	for i, s := range shares {
		parts[i] = Amount{int64(s), a.currency}
		if a.minor < 0 {
			parts[i] = parts[i].Neg()
		}
	}
	return parts, nil
}

func sumWeights(weights []int64) (uint64, error) {
	var total int64
	for _, w := range weights {
		if w < 0 {
			return 0, fmt.Errorf("%w: %d is negative", ErrWeights, w)
		}
		if total += w; total < 0 {
			return 0, fmt.Errorf("%w: their sum is out of bounds", ErrWeights)
		}
	}
	if total == 0 {
		return 0, fmt.Errorf("%w: they sum to zero", ErrWeights)
	}
	return uint64(total), nil
}

// mulDiv returns a×b/c and the remainder through 128 bits. b ≤ c, so that the
// quotient fits.
func mulDiv(a, b, c uint64) (quotient, rest uint64) {
	if b == c {
		return a, 0
	}
	hi, lo := bits.Mul64(a, b)
	return bits.Div64(hi, lo, c)
}
