package billing

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/ezscale/ezscale/engine/money"
)

// DiscountTerms is what a coupon or bundle promised one subscription, copied when
// it was claimed. Renewals read this copy and never the coupon, so that neither its end
// nor its quota takes back what was promised.
type DiscountTerms struct {
	Coupon      string     `json:"coupon"` // id; "" for a bundle
	Code        string     `json:"code"`
	Kind        CouponKind `json:"kind"`
	BasisPoints int64      `json:"basis_points,omitempty"`
	Minor       int64      `json:"minor,omitempty"` // fixed: of a full period of this subscription
	Currency    string     `json:"currency,omitempty"`
	FromPeriod  int        `json:"from_period"`
	Periods     int        `json:"periods"` // 0 means for ever
}

// Applies reports whether period number n of the subscription is discounted.
// It is a question of the number alone: nothing is counted down.
func (d DiscountTerms) Applies(n int) bool {
	return n >= d.FromPeriod && (d.Periods == 0 || n-d.FromPeriod < d.Periods)
}

// Rebase returns the terms for a schedule that starts anew and whose period 0
// stands where period n stood, and whether anything is left of them.
func (d DiscountTerms) Rebase(n int) (DiscountTerms, bool) {
	used := max(0, n-d.FromPeriod)
	d.FromPeriod = max(0, d.FromPeriod-n)
	if d.Periods > 0 {
		if d.Periods <= used {
			return DiscountTerms{}, false
		}
		d.Periods -= used
	}
	return d, true
}

// RebaseAll rebases the terms of a subscription and drops those that are spent.
func RebaseAll(terms []DiscountTerms, n int) []DiscountTerms {
	kept := make([]DiscountTerms, 0, len(terms))
	for _, d := range terms {
		if d, left := d.Rebase(n); left {
			kept = append(kept, d)
		}
	}
	return kept
}

// Check refuses terms no coupon could have promised. Errors say which and why.
func (d DiscountTerms) Check() error {
	if d.Code == "" || !isPeriodCount(d.FromPeriod) || !isPeriodCount(d.Periods) {
		return fmt.Errorf("discount %q: it needs a code and periods from 0 to %d", d.Code, maxPeriods)
	}
	percent, fixed := d.BasisPoints != 0, d.Minor != 0 || d.Currency != ""
	switch d.Kind {
	case CouponPercent, BundleDiscount:
		if d.BasisPoints < 1 || d.BasisPoints > 10_000 || fixed {
			return fmt.Errorf("discount %q: %d basis points are not 1 to 10000, or it has an amount too", d.Code, d.BasisPoints)
		}
	case CouponFixed:
		return d.checkFixed(percent)
	case CouponFreeSetup:
		if percent || fixed {
			return fmt.Errorf("discount %q: free setup has no amount", d.Code)
		}
	case CouponTrial:
		return fmt.Errorf("discount %q: a longer trial is not a discount", d.Code)
	default:
		return fmt.Errorf("discount %q: unknown kind %q", d.Code, d.Kind)
	}
	return nil
}

func (d DiscountTerms) checkFixed(percent bool) error {
	if _, err := money.New(d.Minor, d.Currency); err != nil || d.Minor < 1 || percent {
		return fmt.Errorf("discount %q: %d %q is not a fixed amount alone", d.Code, d.Minor, d.Currency)
	}
	return nil
}

func isPeriodCount(n int) bool { return n >= 0 && n <= maxPeriods }

// maxDiscounts bounds how many terms one subscription carries.
const maxDiscounts = 20

// ParseDiscounts reads the terms stored on a subscription: a JSON array, or
// nothing at all. Unknown fields and terms that Check refuses are errors.
func ParseDiscounts(stored []byte) ([]DiscountTerms, error) {
	stored = bytes.TrimSpace(stored)
	if len(stored) == 0 || string(stored) == "null" || string(stored) == `""` {
		return nil, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(stored))
	decoder.DisallowUnknownFields()
	terms := []DiscountTerms{}
	if err := decoder.Decode(&terms); err != nil {
		return nil, fmt.Errorf("read discounts: %w", err)
	}
	if decoder.More() {
		return nil, fmt.Errorf("read discounts: something follows the list")
	}
	if len(terms) > maxDiscounts {
		return nil, fmt.Errorf("read discounts: %d are more than %d", len(terms), maxDiscounts)
	}
	for _, d := range terms {
		if err := d.Check(); err != nil {
			return nil, fmt.Errorf("read discounts: %w", err)
		}
	}
	return terms, nil
}
