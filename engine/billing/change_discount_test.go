package billing

import (
	"slices"
	"testing"
)

func TestChangeDiscounts(t *testing.T) {
	once := percentOff(5000)
	once.Periods = 1
	three := percentOff(5000)
	three.Periods = 3
	scenarios := []struct {
		name   string
		change func(*ChangeRequest)
		want   []int64
		terms  []DiscountTerms
	}{
		{"for ever", func(r *ChangeRequest) { r.Discounts = []DiscountTerms{percentOff(5000)} }, []int64{-516}, []DiscountTerms{percentOff(5000)}},
		{"the current period is its one period", func(r *ChangeRequest) { r.Discounts = []DiscountTerms{once} }, []int64{-516}, []DiscountTerms{once}},
		{"a fixed amount for the same days", func(r *ChangeRequest) { r.Discounts = []DiscountTerms{fixedOff(310, "EUR")} }, []int64{-160}, []DiscountTerms{fixedOff(310, "EUR")}},
		{"a new cycle is another period", func(r *ChangeRequest) { r.Discounts, r.Policy = []DiscountTerms{once}, ChangeNewCycle }, nil, nil},
		{
			"a new cycle on the first day is the same period",
			func(r *ChangeRequest) {
				r.Discounts, r.Policy, r.Now = []DiscountTerms{once}, ChangeNewCycle, date("2027-03-01T12:00:00Z")
			},
			[]int64{-1000},
			[]DiscountTerms{once},
		},
		{
			"a new cycle counts on",
			func(r *ChangeRequest) { r.Discounts, r.Policy = []DiscountTerms{three}, ChangeNewCycle },
			[]int64{-1000},
			[]DiscountTerms{{Coupon: "c1", Code: "PERCENT", Kind: CouponPercent, BasisPoints: 5000, Periods: 2}},
		},
		{"three months are not three years", func(r *ChangeRequest) { r.Discounts, r.Cycle = []DiscountTerms{three}, Annual }, nil, nil},
		{
			"for ever goes on in another cycle",
			func(r *ChangeRequest) { r.Discounts, r.Cycle = []DiscountTerms{percentOff(5000)}, Annual },
			[]int64{-1000},
			[]DiscountTerms{percentOff(5000)},
		},
		{
			"C8 setup is not touched",
			func(r *ChangeRequest) {
				r.Discounts, r.After[0].Setup = []DiscountTerms{percentOff(5000)}, eur(300)
			},
			[]int64{-516},
			[]DiscountTerms{percentOff(5000)},
		},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			r := march("2027-03-16", planItem("VPS M", 2000))
			s.change(&r)
			c, err := PlanChange(r)
			if err != nil {
				t.Fatal(err)
			}
			got := []int64{}
			charged := int64(0)
			for _, d := range c.Discounts {
				got = append(got, d.Amount.Minor())
				charged += d.Amount.Minor()
			}
			for _, l := range c.Charges {
				charged += l.Amount.Minor()
			}
			if !slices.Equal(got, s.want) || !slices.Equal(c.Terms, s.terms) || c.Charged != eur(charged) {
				t.Errorf("got %v, terms %+v, charged %s, want %v, %+v, %d", got, c.Terms, c.Charged, s.want, s.terms, charged)
			}
		})
	}
}

// TestC8FixedDiscountIsNotGivenAgain: adding an option under a fixed discount
// costs what the option costs; the discount of the period is not taken twice.
func TestC8FixedDiscountIsNotGivenAgain(t *testing.T) {
	r := march("2027-03-16", planItem("VPS S", 1000), optionItem(1, 620))
	r.Discounts, r.Segments[0].Amount = []DiscountTerms{fixedOff(310, "EUR")}, eur(690)
	c, err := PlanChange(r)
	if err != nil || c.ToPay != eur(320) {
		t.Errorf("got %s to pay (%+v), error %v, want 16 of 31 days of 6.20", c.ToPay, c, err)
	}
	r.Now = r.Schedule.Anchor
	if c, err = PlanChange(r); err != nil || c.ToPay != eur(620) {
		t.Errorf("on the first day: got %s to pay, error %v, want 6.20", c.ToPay, err)
	}
}

// TestC9CouponIsNotKeptByChanging: starting a new cycle again and again does not
// renew a coupon for one period.
func TestC9CouponIsNotKeptByChanging(t *testing.T) {
	r := march("2027-03-16", planItem("VPS M", 2000))
	once := percentOff(10_000)
	once.Periods = 1
	r.Policy, r.Discounts = ChangeNewCycle, []DiscountTerms{once}
	for i := range 5 {
		c, err := PlanChange(r)
		if err != nil || len(c.Discounts) != 0 {
			t.Fatalf("change %d: got discounts %+v, error %v, want none", i, c.Discounts, err)
		}
		r.Before, r.After = r.After, []RecurringItem{planItem("VPS", int64(1000+i))}
		r.Schedule, r.Discounts, r.Segments = c.Schedule, c.Terms, nil
		r.Now = r.Now.AddDate(0, 0, 20)
	}
}
