package billing

import (
	"errors"
	"slices"
	"time"
)

// Why a coupon cannot be used. The texts are for the customer who typed it.
var (
	ErrCouponUnknown    = errors.New("this coupon does not exist or is no longer offered")
	ErrCouponNotYet     = errors.New("this coupon is not valid yet")
	ErrCouponExpired    = errors.New("this coupon has expired")
	ErrCouponNewOnly    = errors.New("this coupon is for new customers only")
	ErrCouponCurrency   = errors.New("this coupon is not offered in your currency")
	ErrCouponScope      = errors.New("this coupon does not apply to anything in your cart")
	ErrCouponUsedUp     = errors.New("this coupon has been used up")
	ErrCouponUsedByYou  = errors.New("you have already used this coupon")
	ErrCouponRepeated   = errors.New("this coupon is in your cart already")
	ErrCouponNotStacked = errors.New("this coupon cannot be combined with another one")
)

// CouponFacts is what the rules need to know about an order that names a coupon.
// For a visitor who has not signed in, the customer is new and has used none;
// the order asks again.
type CouponFacts struct {
	Now            time.Time
	Currency       string
	Items          []ClaimItem
	NewCustomer    bool     // has never had a paid order
	Uses           int      // in all, uses held by open orders included
	UsesByCustomer int      // the same for this customer
	Others         []Coupon // those already accepted for this order
}

// Eligible reports why a coupon cannot be used on an order: nil when it can,
// else one of the ErrCoupon errors.
func Eligible(c Coupon, f CouponFacts) error {
	switch {
	case c.Disabled:
		return ErrCouponUnknown
	case !c.StartsAt.IsZero() && f.Now.Before(c.StartsAt):
		return ErrCouponNotYet
	case !c.EndsAt.IsZero() && !f.Now.Before(c.EndsAt):
		return ErrCouponExpired
	case c.MaxUses > 0 && f.Uses >= c.MaxUses:
		return ErrCouponUsedUp
	case c.MaxUsesByCustomer > 0 && f.UsesByCustomer >= c.MaxUsesByCustomer:
		return ErrCouponUsedByYou
	case c.NewCustomersOnly && !f.NewCustomer:
		return ErrCouponNewOnly
	}
	if err := c.inScope(f); err != nil {
		return err
	}
	return c.beside(f.Others)
}

func (c Coupon) inScope(f CouponFacts) error {
	if _, ok := c.amount(f.Currency); c.Kind == CouponFixed && !ok {
		return ErrCouponCurrency
	}
	if !slices.ContainsFunc(f.Items, func(it ClaimItem) bool { return c.covers(it.Plan, it.Cycle) }) {
		return ErrCouponScope
	}
	return nil
}

// beside checks the stacking rule: coupons stand together only where every one
// of them allows it, and none twice.
func (c Coupon) beside(others []Coupon) error {
	for _, o := range others {
		if o.ID == c.ID {
			return ErrCouponRepeated
		}
		if !c.Stackable || !o.Stackable {
			return ErrCouponNotStacked
		}
	}
	return nil
}

// TrialExtension is how many days the coupons of an order add to the trial of a
// plan in a cycle.
func TrialExtension(coupons []Coupon, plan string, cycle Cycle) int {
	days := 0
	for _, c := range coupons {
		if c.Kind == CouponTrial && c.covers(plan, cycle) {
			days += c.TrialDays
		}
	}
	return days
}
