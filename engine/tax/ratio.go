package tax

import (
	"math/bits"
	"slices"
)

// ratio is a share of an amount, num/den. Both fit 62 bits and num < den × 4,
// so that the share of any bounded amount fits an int64.
type ratio struct{ num, den uint64 }

// whole is one in the units of factors: ppm × ppm, so that a compound tax is
// exact.
const whole = uint64(MaxPPM) * uint64(MaxPPM)

// perPPM is the ratio of a rate.
func perPPM(ppm int64) ratio { return ratio{uint64(ppm), uint64(MaxPPM)} }

// divide returns the largest integer not above the share of minor and what is
// left over, in parts of den.
func (r ratio) divide(minor int64) (floor int64, rest uint64) {
	negative := minor < 0
	if negative {
		minor = -minor
	}
	hi, lo := bits.Mul64(uint64(minor), r.num)
	q, rest := bits.Div64(hi, lo, r.den)
	if !negative {
		return int64(q), rest
	}
	if rest == 0 {
		return -int64(q), 0
	}
	return -int64(q) - 1, r.den - rest
}

// round returns the share of minor, rounded half away from zero.
func (r ratio) round(minor int64) int64 {
	floor, rest := r.divide(minor)
	if rest > r.den-rest || rest == r.den-rest && minor > 0 {
		floor++
	}
	return floor
}

// bounds returns the integers next to the share of minor.
func (r ratio) bounds(minor int64) (floor, ceil int64) {
	floor, rest := r.divide(minor)
	if rest > 0 {
		return floor, floor + 1
	}
	return floor, floor
}

// span is what a part may become, and which part comes first to get the higher.
type span struct {
	low, high int64
	rest      uint64
}

// settle gives every part its low and as many of them their high, those with
// the largest rest and the earlier first, as bring the sum up to total. Where
// total is out of reach the sum stays as near as it can.
func settle(total int64, spans []span) []int64 {
	parts, order := make([]int64, len(spans)), make([]int, 0, len(spans))
	for i, s := range spans {
		parts[i] = s.low
		total -= s.low
		if s.high > s.low {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case spans[i].rest > spans[j].rest:
			return -1
		case spans[i].rest < spans[j].rest:
			return 1
		}
		return 0
	})
	for _, i := range order[:min(max(total, 0), int64(len(order)))] {
		parts[i]++
	}
	return parts
}

// spread shares the rounded share of the sum of bases out over them: the parts
// sum to it exactly and each is the share of its base, rounded up or down.
// Bases may have mixed signs. Callers mirror them; see mirrored.
func (r ratio) spread(bases []int64) []int64 {
	var sum int64
	spans := make([]span, len(bases))
	for i, b := range bases {
		sum += b
		floor, rest := r.divide(b)
		spans[i] = span{floor, floor, rest}
		if rest > 0 {
			spans[i].high++
		}
	}
	return settle(r.round(sum), spans)
}

// mirrored says whether bases are to be turned around before and after they are
// shared out, so that the parts of -bases are exactly those of bases turned
// around: credit notes mirror invoices to the unit.
func mirrored(bases []int64) bool {
	var sum, first int64
	for _, b := range bases {
		sum += b
		if first == 0 {
			first = b
		}
	}
	return sum < 0 || sum == 0 && first < 0
}
