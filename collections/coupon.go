package collections

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// CouponCode brings what people type into the form in which codes are stored.
func CouponCode(typed string) string { return strings.ToUpper(strings.TrimSpace(typed)) }

// StoredCoupon is a coupon with how often it was used, open orders included.
type StoredCoupon struct {
	billing.Coupon
	Uses int
}

type couponRow struct {
	ID           string `db:"id"`
	Code         string `db:"code"`
	Kind         string `db:"kind"`
	BasisPoints  int64  `db:"basis_points"`
	Amounts      string `db:"amounts"`
	TrialDays    int    `db:"trial_days"`
	Plans        string `db:"plans"`
	Cycles       string `db:"cycles"`
	Periods      int    `db:"periods"`
	MaxUses      int    `db:"max_uses"`
	Uses         int    `db:"uses"`
	PerCustomer  int    `db:"per_customer"`
	NewCustomers bool   `db:"new_customers"`
	Stackable    bool   `db:"stackable"`
	StartsAt     string `db:"starts_at"`
	ExpiresAt    string `db:"expires_at"`
	Status       string `db:"status"`
}

// LoadCoupons reads coupons by their codes; unknown ones are absent.
func LoadCoupons(app core.App, codes []string) (map[string]StoredCoupon, error) {
	wanted, err := json.Marshal(codes)
	if err != nil {
		return nil, fmt.Errorf("coupon codes: %w", err)
	}
	rows := []couponRow{}
	err = Statement(app, "SELECT `id`, `code`, `kind`, `basis_points`, IFNULL(`amounts`, '') AS `amounts`, `trial_days`, IFNULL(`plans`, '') AS `plans`, IFNULL(`cycles`, '') AS `cycles`, `periods`,"+
		" `max_uses`, `uses`, `per_customer`, `new_customers`, `stackable`, `starts_at`, `expires_at`, `status` FROM `coupons` WHERE `code` IN (SELECT `value` FROM json_each({:codes}))").
		Bind(dbx.Params{"codes": string(wanted)}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("coupons: %w", err)
	}
	found := make(map[string]StoredCoupon, len(rows))
	for _, r := range rows {
		c, err := r.coupon()
		if err != nil {
			return nil, fmt.Errorf("coupon %s: %w", r.Code, err)
		}
		found[r.Code] = StoredCoupon{c, r.Uses}
	}
	return found, nil
}

func (r couponRow) coupon() (billing.Coupon, error) {
	c := billing.Coupon{
		ID: r.ID, Code: r.Code, Kind: billing.CouponKind(r.Kind), BasisPoints: r.BasisPoints, TrialDays: r.TrialDays, Periods: r.Periods,
		Disabled: r.Status != "active", NewCustomersOnly: r.NewCustomers, Stackable: r.Stackable, MaxUses: r.MaxUses, MaxUsesByCustomer: r.PerCustomer,
	}
	var err error
	if c.Amounts, err = ParseAmounts(r.Amounts); err != nil {
		return c, err
	}
	if c.Plans, err = list[string](r.Plans); err != nil {
		return c, fmt.Errorf("plans: %w", err)
	}
	if c.Cycles, err = list[billing.Cycle](r.Cycles); err != nil {
		return c, fmt.Errorf("cycles: %w", err)
	}
	if c.StartsAt, err = ParseStamp(r.StartsAt); err != nil {
		return c, err
	}
	c.EndsAt, err = ParseStamp(r.ExpiresAt)
	return c, err
}

// ParseAmounts reads minor units by currency, {"EUR":500}, as staff write the
// amounts of a coupon; nothing is no amounts. Errors name the currency.
func ParseAmounts(raw string) ([]money.Amount, error) {
	byCurrency := map[string]int64{}
	if raw != "" && raw != "null" && raw != `""` {
		if err := json.Unmarshal([]byte(raw), &byCurrency); err != nil {
			return nil, fmt.Errorf(`amounts must be whole minor units by currency such as {"EUR":500}: %w`, err)
		}
	}
	amounts := make([]money.Amount, 0, len(byCurrency))
	for currency, minor := range byCurrency {
		a, err := money.New(minor, currency)
		if err != nil {
			return nil, fmt.Errorf("amounts in %s: %w", currency, err)
		}
		amounts = append(amounts, a)
	}
	return amounts, nil
}

// list reads a field of several values as SQL stores it.
func list[T ~string](raw string) ([]T, error) {
	if raw == "" || raw == "null" {
		return nil, nil
	}
	if !strings.HasPrefix(raw, "[") {
		return []T{T(raw)}, nil
	}
	values := []T{}
	err := json.Unmarshal([]byte(raw), &values)
	return values, err
}
