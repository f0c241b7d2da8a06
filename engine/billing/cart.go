package billing

import (
	"fmt"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

// MaxItems bounds a cart, in units.
const MaxItems = 20

// MaxTrialDays bounds a trial with everything that coupons add to it.
const MaxTrialDays = 400

// PlanKey is the key of the RecurringItem that is a subscription's plan; options
// are keyed by their names.
const PlanKey = "plan"

// CartItem is one unit of a plan in a cart, with the prices that count for it.
type CartItem struct {
	Plan    string // id
	Name    string // as printed
	Host    string // what tells one server from another, may be ""
	Cycle   Cycle
	Unit    money.Amount
	Setup   money.Amount    // zero for none
	Cap     money.Amount    // hourly: the most that a calendar month costs
	Options []RecurringItem // of kind LineOption
	// TrialDays are free for a customer who may try the plan.
	TrialDays int
	MayTry    bool
	// Terms are promised by something else than a coupon: the bundle.
	Terms []DiscountTerms
}

// Cart is what somebody wants to order, before tax.
type Cart struct {
	Currency string
	Items    []CartItem
	Coupons  []Coupon // those that Accept took
}

// title is the item as its lines name it.
func (it CartItem) title() string {
	if it.Host != "" {
		return it.Name + " · " + it.Host
	}
	return it.Name
}

// Price is what the item costs for one full period, options included. Errors:
// those of amounts.
func (it CartItem) Price() (money.Amount, error) {
	sum := it.Unit
	for _, o := range it.Options {
		price, err := o.Price()
		if err != nil {
			return money.Amount{}, err
		}
		if sum, err = sum.Add(price); err != nil {
			return money.Amount{}, fmt.Errorf("item %q: %w", it.title(), err)
		}
	}
	return sum, nil
}

// setups is what the item and its options cost once.
func (it CartItem) setups() bool {
	for _, o := range it.Options {
		if o.Setup.Sign() > 0 {
			return true
		}
	}
	return it.Setup.Sign() > 0
}

// counted reports whether the item is paid ahead, by periods of months.
func (it CartItem) counted() bool {
	_, months := it.Cycle.Months()
	return months
}

// trial is how many days are free before the item's first period.
func (it CartItem) trial(coupons []Coupon) int {
	if !it.MayTry || !it.counted() {
		return 0
	}
	return min(it.TrialDays+TrialExtension(coupons, it.Plan, it.Cycle), MaxTrialDays)
}

// claimable are the items that a kind of coupon could do something for, with
// their places in the cart. Hours are billed afterwards at their own price and
// take no coupons.
func (c Cart) claimable(kind CouponKind) (items []ClaimItem, at []int, err error) {
	for i, it := range c.Items {
		price, err := it.Price()
		if err != nil {
			return nil, nil, fmt.Errorf("item %d: %w", i+1, err)
		}
		helps := it.Cycle != Hourly
		switch kind {
		case CouponPercent, CouponFixed:
			helps = helps && price.Sign() > 0
		case CouponFreeSetup:
			helps = helps && it.setups()
		case CouponTrial:
			helps = it.MayTry && it.counted()
		case BundleDiscount:
			helps = false // no coupon is of this kind
		}
		if helps {
			items, at = append(items, ClaimItem{it.Plan, it.Cycle, price}), append(at, i)
		}
	}
	return items, at, nil
}

// Accept adds a coupon to the cart if it can be used there. Of the facts it needs
// those about the coupon and the customer; it knows the cart. Errors: one of the
// ErrCoupon errors, and those of amounts.
func (c *Cart) Accept(coupon Coupon, f CouponFacts) error {
	items, _, err := c.claimable(coupon.Kind)
	if err != nil {
		return err
	}
	f.Currency, f.Items, f.Others = c.Currency, items, c.Coupons
	if err := Eligible(coupon, f); err != nil {
		return err
	}
	c.Coupons = append(c.Coupons, coupon)
	return nil
}

// claims is what each item's subscription is promised: by its bundle first, then
// by the coupons in their order.
func (c Cart) claims() ([][]DiscountTerms, error) {
	terms := make([][]DiscountTerms, len(c.Items))
	for i, it := range c.Items {
		terms[i] = append(terms[i], it.Terms...)
	}
	for _, coupon := range c.Coupons {
		items, at, err := c.claimable(coupon.Kind)
		if err != nil {
			return nil, err
		}
		claimed, err := coupon.Claim(c.Currency, items)
		if err != nil {
			return nil, fmt.Errorf("coupon %s: %w", coupon.Code, err)
		}
		for k, d := range claimed {
			if d != nil {
				terms[at[k]] = append(terms[at[k]], *d)
			}
		}
	}
	return terms, nil
}

// MonthlyEquivalent is what a price costs a month, rounded half up, for
// comparison only. Hourly and one-time prices are returned as they are.
func MonthlyEquivalent(price money.Amount, c Cycle) money.Amount {
	months, ok := c.Months()
	if !ok {
		return price
	}
	return price.Prorate(1, int64(months))
}

// TrialEnd is when a trial of so many days that starts now is over.
func TrialEnd(now time.Time, days int) time.Time { return now.UTC().AddDate(0, 0, days) }
