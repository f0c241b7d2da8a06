package dunning

import (
	"fmt"
	"maps"
	"slices"

	"github.com/ezscale/ezscale/engine/money"
)

// FeeKind is how a late fee is reckoned.
type FeeKind string

// A fee is an amount per currency, or a share of what is still owed.
const (
	FeeFixed   FeeKind = "fixed"
	FeePercent FeeKind = "percent"
)

// Fee is the late fee, charged once per invoice.
type Fee struct {
	Days int     `json:"days"` // after due; 0 = off
	Kind FeeKind `json:"kind"`
	// Fixed holds minor units by currency; a currency that is missing has no fee.
	Fixed map[string]int64 `json:"fixed_minor,omitempty"`
	// BasisPoints of the open amount: 500 is 5 %.
	BasisPoints int64 `json:"basis_points"`
	// Minimum of a percent fee, in minor units by currency.
	Minimum map[string]int64 `json:"minimum_minor,omitempty"`
}

// Check refuses a fee that makes no sense; the error begins with the field.
func (f Fee) Check() error {
	if f.Days < 0 || f.Days > maxDays {
		return fmt.Errorf("days is %d and must be 0 to %d", f.Days, maxDays)
	}
	if f.Kind != FeeFixed && f.Kind != FeePercent {
		return fmt.Errorf("kind is %q and must be fixed or percent", f.Kind)
	}
	if f.BasisPoints < 0 || f.BasisPoints > 5000 {
		return fmt.Errorf("basis_points is %d and must be 0 to 5000", f.BasisPoints)
	}
	if err := checkAmounts("fixed_minor", f.Fixed); err != nil {
		return err
	}
	return checkAmounts("minimum_minor", f.Minimum)
}

func checkAmounts(field string, by map[string]int64) error {
	for _, code := range slices.Sorted(maps.Keys(by)) {
		if _, err := money.New(by[code], code); err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
		if by[code] < 0 {
			return fmt.Errorf("%s: %d %s must not be negative", field, by[code], code)
		}
	}
	return nil
}

// Of returns the fee for an invoice of which open is still owed, in the same
// currency; zero where none is due. A share is rounded half up. Errors:
// money.ErrCurrency, money.ErrOverflow.
func (f Fee) Of(open money.Amount) (money.Amount, error) {
	code := open.Currency()
	fee, err := money.New(f.Fixed[code], code)
	if open.Sign() <= 0 {
		fee, err = money.New(0, code)
	} else if f.Kind == FeePercent {
		if fee, err = open.BasisPoints(f.BasisPoints); err == nil && fee.Minor() < f.Minimum[code] {
			fee, err = money.New(f.Minimum[code], code)
		}
	}
	if err != nil {
		return money.Amount{}, fmt.Errorf("late fee on %s: %w", open, err)
	}
	return fee, nil
}
