package staff

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
)

// checkCoupon brings the code into its form and refuses promises that could not
// be kept. How often the coupon was used is counted by orders alone: what a form
// sends back for it, as it was when it was opened, is dropped.
func checkCoupon(_ core.App, c *core.Record) error {
	c.Set("code", collections.CouponCode(c.GetString("code")))
	if c.IsNew() {
		c.Set("uses", 0)
	} else {
		c.SetRaw("uses", c.Original().GetRaw("uses"))
		c.IgnoreUnchangedFields(true)
	}
	if err := checkPromise(c); err != nil {
		return err
	}
	starts, ends := c.GetDateTime("starts_at"), c.GetDateTime("expires_at")
	switch most := c.GetInt("max_uses"); {
	case !starts.IsZero() && !ends.IsZero() && !starts.Before(ends):
		return errors.New("expires_at: must be later than starts_at")
	case most > 0 && most < c.GetInt("uses"):
		return fmt.Errorf("max_uses: the coupon has been used %d times already; archive it to end it", c.GetInt("uses"))
	case slices.Contains(c.GetStringSlice("cycles"), string(billing.Hourly)):
		return errors.New("cycles: plans by the hour take no coupons")
	}
	return nil
}

// checkPromise wants the figures of the coupon's kind and no others.
func checkPromise(c *core.Record) error {
	amounts, err := collections.ParseAmounts(c.GetString("amounts"))
	if err != nil {
		return err
	}
	figures := []struct {
		field, wants string
		of           billing.CouponKind
		set, good    bool
	}{
		{"basis_points", "must be 1 to 10000; 1000 is 10 %", billing.CouponPercent, c.GetInt64("basis_points") != 0, c.GetInt64("basis_points") <= 10_000},
		{"amounts", `name at least one, such as {"EUR":500}`, billing.CouponFixed, len(amounts) > 0, true},
		{"trial_days", "must be 1 to 365", billing.CouponTrial, c.GetInt("trial_days") != 0, c.GetInt("trial_days") <= 365},
	}
	for _, f := range figures {
		switch kind := billing.CouponKind(c.GetString("kind")); {
		case kind == f.of && (!f.set || !f.good):
			return fmt.Errorf("%s: %s", f.field, f.wants)
		case kind != f.of && f.set:
			return fmt.Errorf("%s: a coupon of kind %s has none; leave it empty", f.field, kind)
		}
	}
	for _, a := range amounts {
		if a.Sign() <= 0 {
			return fmt.Errorf("amounts: %s must be more than nothing; leave out currencies in which it is not offered", a.Currency())
		}
	}
	return nil
}
