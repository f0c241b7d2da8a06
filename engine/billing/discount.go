package billing

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ezscale/ezscale/engine/money"
)

// Share is a part of a full period, in days. The zero Share is all of it.
type Share struct {
	Days int64
	Of   int64
}

// of is the share of a full period's amount, rounded half up.
func (s Share) of(whole money.Amount) money.Amount {
	if s.Of == 0 {
		return whole
	}
	return whole.Prorate(s.Days, s.Of)
}

// Discountable is a line of one subscription for one period, before discounts.
type Discountable struct {
	Kind   LineKind
	Amount money.Amount
}

// DiscountLine takes what was promised off one line. It is a line of its own,
// with its own tax effect, and never money of the customer's.
type DiscountLine struct {
	Line        int           // index of the discounted line
	Terms       DiscountTerms // that it follows from
	Description string
	Amount      money.Amount // below zero, never more than what the line still had
}

// Discount computes what a subscription's terms take off its lines in period n;
// part says how much of the full period the lines are for. The cart (n = 0),
// the invoice, a change of plan and every renewal ask this one function, so that
// they cannot differ.
//
// Terms are taken in their order, each from what the ones before have left.
// Percent takes of each recurring line, rounded half up. A fixed amount is for a
// full period: part of it for part of a period, spread over the recurring lines
// by what is left of them, to the last minor unit. Setup fees are touched by
// free setup alone. Errors: money.ErrMismatch for a fixed amount in another
// currency than the lines; terms that Check refuses.
func Discount(terms []DiscountTerms, n int, part Share, lines []Discountable) ([]DiscountLine, error) {
	left := make([]money.Amount, len(lines))
	for i, l := range lines {
		left[i] = l.Amount
	}
	all := []DiscountLine{}
	for _, d := range terms {
		if !d.Applies(n) {
			continue
		}
		takes, err := d.take(part, lines, left)
		if err != nil {
			return nil, fmt.Errorf("coupon %s: %w", d.Code, err)
		}
		for i, t := range takes {
			if t.IsZero() {
				continue
			}
			if left[i], err = left[i].Sub(t); err != nil {
				return nil, fmt.Errorf("coupon %s: %w", d.Code, err)
			}
			all = append(all, DiscountLine{i, d, d.describe(), t.Neg()})
		}
	}
	return all, nil
}

// take is how much of each line one coupon takes; left is not changed.
func (d DiscountTerms) take(part Share, lines []Discountable, left []money.Amount) ([]money.Amount, error) {
	if err := d.Check(); err != nil {
		return nil, err
	}
	takes := make([]money.Amount, len(lines))
	eligible := func(i int) bool {
		return left[i].Sign() > 0 && (lines[i].Kind == LineSetup) == (d.Kind == CouponFreeSetup)
	}
	if d.Kind == CouponFixed {
		return takes, d.spread(part.of(money.Must(d.Minor, d.Currency)), left, eligible, takes)
	}
	for i := range lines {
		if !eligible(i) {
			continue
		}
		takes[i] = left[i]
		if d.Kind != CouponFreeSetup {
			share, err := left[i].BasisPoints(d.BasisPoints)
			if err != nil {
				return nil, err
			}
			takes[i] = share
		}
	}
	return takes, nil
}

// spread shares a fixed amount out over the eligible lines, at most all that is
// left of them; no part can then exceed its line.
func (d DiscountTerms) spread(amount money.Amount, left []money.Amount, eligible func(int) bool, takes []money.Amount) error {
	zero, err := money.New(0, d.Currency)
	if err != nil {
		return err
	}
	weights, room := make([]int64, len(left)), zero
	for i := range left {
		if !eligible(i) {
			continue
		}
		if room, err = room.Add(left[i]); err != nil {
			return err
		}
		weights[i] = left[i].Minor()
	}
	if room.IsZero() || amount.IsZero() {
		return nil
	}
	if amount.Minor() > room.Minor() {
		amount = room
	}
	parts, err := amount.Allocate(weights...)
	copy(takes, parts)
	return err
}

// describe names the coupon as a line does: "Coupon WELCOME (25 %)".
func (d DiscountTerms) describe() string {
	switch d.Kind {
	case CouponPercent:
		return fmt.Sprintf("Coupon %s (%s %%)", d.Code, percentText(d.BasisPoints))
	case BundleDiscount:
		return fmt.Sprintf("Bundle %s (%s %%)", d.Code, percentText(d.BasisPoints))
	case CouponFixed:
		return fmt.Sprintf("Coupon %s (%s)", d.Code, money.Must(d.Minor, d.Currency).Format("en"))
	case CouponFreeSetup, CouponTrial:
	}
	return fmt.Sprintf("Coupon %s (free setup)", d.Code)
}

// percentText writes basis points as percent without needless zeros: "12.5".
func percentText(basisPoints int64) string {
	text := strconv.FormatInt(basisPoints/100, 10) + fmt.Sprintf(".%02d", basisPoints%100)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
