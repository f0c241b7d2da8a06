package billing

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/ezscale/ezscale/engine/money"
)

func quarterOff() Coupon {
	return Coupon{ID: "c1", Code: "QUARTER", Kind: CouponPercent, BasisPoints: 2500, Periods: 3}
}

func tenOff() Coupon {
	return Coupon{ID: "c2", Code: "TEN", Kind: CouponFixed, Amounts: []money.Amount{eur(1000), money.Must(1200, "JPY")}, Periods: 1}
}

func TestEligible(t *testing.T) {
	facts := CouponFacts{
		Now: date("2027-03-01"), Currency: "EUR", NewCustomer: true,
		Items: []ClaimItem{{"vps", Monthly, eur(1000)}, {"web", Annual, eur(5000)}},
	}
	scenarios := []struct {
		name   string
		coupon Coupon
		change func(*Coupon, *CouponFacts)
		want   error
	}{
		{"fine", quarterOff(), nil, nil},
		{"disabled", quarterOff(), func(c *Coupon, _ *CouponFacts) { c.Disabled = true }, ErrCouponUnknown},
		{"starts later", quarterOff(), func(c *Coupon, _ *CouponFacts) { c.StartsAt = facts.Now.Add(1) }, ErrCouponNotYet},
		{"starts now", quarterOff(), func(c *Coupon, _ *CouponFacts) { c.StartsAt = facts.Now }, nil},
		{"ends now", quarterOff(), func(c *Coupon, _ *CouponFacts) { c.EndsAt = facts.Now }, ErrCouponExpired},
		{"the last instant", quarterOff(), func(c *Coupon, _ *CouponFacts) { c.EndsAt = facts.Now.Add(1) }, nil},
		{"new customers: one", quarterOff(), func(c *Coupon, _ *CouponFacts) { c.NewCustomersOnly = true }, nil},
		{"new customers: an old one", quarterOff(), func(c *Coupon, f *CouponFacts) { c.NewCustomersOnly, f.NewCustomer = true, false }, ErrCouponNewOnly},
		{"the last use", quarterOff(), func(c *Coupon, f *CouponFacts) { c.MaxUses, f.Uses = 5, 4 }, nil},
		{"used up", quarterOff(), func(c *Coupon, f *CouponFacts) { c.MaxUses, f.Uses = 5, 5 }, ErrCouponUsedUp},
		{"used by the customer", quarterOff(), func(c *Coupon, f *CouponFacts) { c.MaxUsesByCustomer, f.UsesByCustomer = 1, 1 }, ErrCouponUsedByYou},
		{"one plan of two", quarterOff(), func(c *Coupon, _ *CouponFacts) { c.Plans = []string{"web"} }, nil},
		{"another plan", quarterOff(), func(c *Coupon, _ *CouponFacts) { c.Plans = []string{"mysql"} }, ErrCouponScope},
		{"plan and cycle do not meet", quarterOff(), func(c *Coupon, _ *CouponFacts) { c.Plans, c.Cycles = []string{"web"}, []Cycle{Monthly} }, ErrCouponScope},
		{"an empty cart", quarterOff(), func(_ *Coupon, f *CouponFacts) { f.Items = nil }, ErrCouponScope},
		{"fixed in its currency", tenOff(), nil, nil},
		{"D2 fixed in another currency", tenOff(), func(_ *Coupon, f *CouponFacts) { f.Currency = "USD" }, ErrCouponCurrency},
		{"D3 zero is not an offer", tenOff(), func(c *Coupon, _ *CouponFacts) { c.Amounts[0] = eur(0) }, ErrCouponCurrency},
		{"twice", quarterOff(), func(_ *Coupon, f *CouponFacts) { f.Others = []Coupon{quarterOff()} }, ErrCouponRepeated},
		{"beside another", quarterOff(), func(_ *Coupon, f *CouponFacts) { f.Others = []Coupon{tenOff()} }, ErrCouponNotStacked},
		{"beside another, one allows it", quarterOff(), func(c *Coupon, f *CouponFacts) { c.Stackable, f.Others = true, []Coupon{tenOff()} }, ErrCouponNotStacked},
		{"beside another, both allow it", quarterOff(), func(c *Coupon, f *CouponFacts) {
			c.Stackable, f.Others = true, []Coupon{tenOff()}
			f.Others[0].Stackable = true
		}, nil},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			c, f := s.coupon, facts
			if s.change != nil {
				s.change(&c, &f)
			}
			if err := Eligible(c, f); !errors.Is(err, s.want) {
				t.Errorf("got %v, want %v", err, s.want)
			}
		})
	}
}

func TestTrialExtension(t *testing.T) {
	weeks := Coupon{Kind: CouponTrial, TrialDays: 14, Plans: []string{"vps"}}
	coupons := []Coupon{weeks, quarterOff(), {Kind: CouponTrial, TrialDays: 7}}
	for plan, want := range map[string]int{"vps": 21, "web": 7} {
		if got := TrialExtension(coupons, plan, Monthly); got != want {
			t.Errorf("%s: got %d days, want %d", plan, got, want)
		}
	}
	if terms, err := weeks.Claim("EUR", []ClaimItem{{"vps", Monthly, eur(1000)}}); err != nil || terms[0] != nil {
		t.Errorf("a longer trial left terms %+v, error %v", terms, err)
	}
}

func TestClaim(t *testing.T) {
	items := []ClaimItem{{"vps", Monthly, eur(1000)}, {"web", Annual, eur(2000)}, {"vps", Monthly, eur(0)}}
	scenarios := []struct {
		name   string
		coupon Coupon
		want   []int64 // basis points or minor units; 0 for no terms
	}{
		{"percent covers all", quarterOff(), []int64{2500, 2500, 2500}},
		{"percent on a plan", Coupon{Code: "X", Kind: CouponPercent, BasisPoints: 100, Plans: []string{"vps"}}, []int64{100, 0, 100}},
		{"fixed by price, nothing on what is free", tenOff(), []int64{333, 667, 0}},
		{"fixed on a cycle", Coupon{Code: "X", Kind: CouponFixed, Amounts: []money.Amount{eur(1000)}, Cycles: []Cycle{Annual}}, []int64{0, 1000, 0}},
		{"fixed on what is free alone", Coupon{Code: "X", Kind: CouponFixed, Amounts: []money.Amount{eur(1000)}, Plans: []string{"mysql"}}, []int64{0, 0, 0}},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			terms, err := s.coupon.Claim("EUR", items)
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range s.want {
				d := terms[i]
				if (d == nil) != (want == 0) {
					t.Errorf("item %d: got %+v, want %d", i, d, want)
					continue
				}
				if d == nil {
					continue
				}
				if err := d.Check(); err != nil || d.BasisPoints+d.Minor != want || d.Periods != s.coupon.Periods || d.Code != s.coupon.Code {
					t.Errorf("item %d: got %+v (error %v), want %d", i, d, err, want)
				}
			}
		})
	}
	if _, err := tenOff().Claim("USD", items); !errors.Is(err, ErrCouponCurrency) {
		t.Errorf("in dollars: got error %v, want %v", err, ErrCouponCurrency)
	}
}

// TestC8FixedAmountIsGivenOnce: however many items a cart has, the shares of a
// fixed coupon, and so its discounts in each later period, are the amount
// promised or, where less was bought, all of that; and setup is not touched.
func TestC8FixedAmountIsGivenOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		coupon := tenOff()
		items := []ClaimItem{}
		var bought, given int64
		for _, minor := range rapid.SliceOfN(rapid.Int64Range(0, 3000), 1, 8).Draw(t, "prices") {
			items = append(items, ClaimItem{"vps", Monthly, eur(minor)})
			bought += minor
		}
		terms, err := coupon.Claim("EUR", items)
		if err != nil {
			t.Fatal(err)
		}
		for i, d := range terms {
			if d == nil {
				continue
			}
			lines := []Discountable{{LinePeriod, items[i].Amount}, {LineSetup, eur(500)}}
			taken, err := Discount([]DiscountTerms{*d}, 0, Share{}, lines)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range taken {
				if l.Line != 0 || -l.Amount.Minor() > items[i].Amount.Minor() {
					t.Fatalf("item %d of %s: discount %+v", i, items[i].Amount, l)
				}
				given -= l.Amount.Minor()
			}
		}
		if want := min(bought, 1000); given != want {
			t.Fatalf("bought for %d: got a discount of %d, want %d", bought, given, want)
		}
	})
}
