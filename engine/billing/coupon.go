package billing

import (
	"slices"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

// CouponKind says what a coupon gives.
type CouponKind string

// The kinds of coupons. Percent and fixed take from recurring prices, free setup
// from setup fees alone, trial lengthens the time before the first price.
const (
	CouponPercent   CouponKind = "percent"
	CouponFixed     CouponKind = "fixed"
	CouponTrial     CouponKind = "trial_days"
	CouponFreeSetup CouponKind = "free_setup"
)

// BundleDiscount is the kind of terms that no coupon gave but buying a bundle:
// percent of recurring prices. The terms' Code is then the bundle's name.
const BundleDiscount CouponKind = "bundle"

// Coupon is what a code promises and to whom. How often it was used is a fact of
// the database and comes in with CouponFacts.
type Coupon struct {
	ID   string
	Code string
	Kind CouponKind

	BasisPoints int64          // percent: 1 to 10000, of each line
	Amounts     []money.Amount // fixed: one per currency it is offered in, per order
	TrialDays   int            // trial: days added to the plan's own

	Plans   []string // plan ids it covers; none means all
	Cycles  []Cycle  // cycles it covers; none means all
	Periods int      // how many periods it discounts: 1 once, 0 for ever

	Disabled          bool
	StartsAt, EndsAt  time.Time // [StartsAt, EndsAt); zero means unbounded
	NewCustomersOnly  bool
	Stackable         bool // may stand beside other stackable coupons
	MaxUses           int  // in all; 0 means unlimited
	MaxUsesByCustomer int  // 0 means unlimited
}

// covers reports whether a plan in a cycle is within the coupon's scope.
func (c Coupon) covers(plan string, cycle Cycle) bool {
	return (len(c.Plans) == 0 || slices.Contains(c.Plans, plan)) &&
		(len(c.Cycles) == 0 || slices.Contains(c.Cycles, cycle))
}

// amount is what a fixed coupon is worth in a currency. Absent is absent: there
// is no conversion and no zero.
func (c Coupon) amount(currency string) (money.Amount, bool) {
	for _, a := range c.Amounts {
		if a.Currency() == currency && a.Sign() > 0 {
			return a, true
		}
	}
	return money.Amount{}, false
}

// ClaimItem is one unit in a cart as a coupon sees it.
type ClaimItem struct {
	Plan   string // plan id
	Cycle  Cycle
	Amount money.Amount // recurring price of a full period, options included
}

// Claim turns a coupon that is Eligible into the terms that each item's
// subscription keeps; an item outside the scope gets none (nil). A fixed amount
// is shared out over the covered items by their price, to the last minor unit,
// so that no item's renewal takes the whole of it again. A trial coupon has no
// terms: its days are used up by the first trial. Errors: ErrCouponCurrency.
func (c Coupon) Claim(currency string, items []ClaimItem) ([]*DiscountTerms, error) {
	terms := make([]*DiscountTerms, len(items))
	if c.Kind == CouponTrial {
		return terms, nil
	}
	covered, weights := []int{}, []int64{}
	for i, it := range items {
		if !c.covers(it.Plan, it.Cycle) {
			continue
		}
		terms[i] = &DiscountTerms{Coupon: c.ID, Code: c.Code, Kind: c.Kind, Periods: c.Periods}
		if c.Kind == CouponPercent {
			terms[i].BasisPoints = c.BasisPoints
		}
		covered, weights = append(covered, i), append(weights, it.Amount.Minor())
	}
	if c.Kind != CouponFixed {
		return terms, nil
	}
	whole, ok := c.amount(currency)
	if !ok {
		return nil, ErrCouponCurrency
	}
	parts, err := whole.Allocate(weights...)
	if err != nil { // nothing is covered, or all of it is free
		parts = make([]money.Amount, len(covered))
	}
	for k, i := range covered {
		terms[i].Minor, terms[i].Currency = parts[k].Minor(), currency
		if parts[k].IsZero() {
			terms[i] = nil
		}
	}
	return terms, nil
}
