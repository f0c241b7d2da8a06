package billing

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/ezscale/ezscale/engine/money"
)

func percentOff(bp int64) DiscountTerms {
	return DiscountTerms{Coupon: "c1", Code: "PERCENT", Kind: CouponPercent, BasisPoints: bp}
}

func fixedOff(minor int64, currency string) DiscountTerms {
	return DiscountTerms{Coupon: "c2", Code: "FIXED", Kind: CouponFixed, Minor: minor, Currency: currency}
}

var freeSetup = DiscountTerms{Coupon: "c3", Code: "SETUP", Kind: CouponFreeSetup, Periods: 1}

func TestDiscount(t *testing.T) {
	lines := []Discountable{{LinePeriod, eur(1000)}, {LineSetup, eur(500)}, {"option", eur(333)}, {LinePeriod, eur(0)}}
	type take struct {
		line  int
		minor int64
	}
	scenarios := []struct {
		name  string
		terms []DiscountTerms
		n     int
		part  Share
		want  []take
	}{
		{"none", nil, 0, Share{}, nil},
		{"bundle", []DiscountTerms{{Code: "X", Kind: BundleDiscount, BasisPoints: 1000}}, 0, Share{}, []take{{0, -100}, {2, -33}}},
		{"C8 percent of recurring lines, not of setup", []DiscountTerms{percentOff(2500)}, 0, Share{}, []take{{0, -250}, {2, -83}}},
		{"all of it", []DiscountTerms{percentOff(10_000)}, 0, Share{}, []take{{0, -1000}, {2, -333}}},
		{"a hundredth of a percent of little rounds to nothing", []DiscountTerms{percentOff(1)}, 0, Share{}, nil},
		{"fixed is spread by price", []DiscountTerms{fixedOff(100, "EUR")}, 0, Share{}, []take{{0, -75}, {2, -25}}},
		{"fixed stops at the lines", []DiscountTerms{fixedOff(99_999, "EUR")}, 0, Share{}, []take{{0, -1000}, {2, -333}}},
		{"fixed for part of a period", []DiscountTerms{fixedOff(100, "EUR")}, 0, Share{15, 30}, []take{{0, -38}, {2, -12}}},
		{"fixed for no day of it", []DiscountTerms{fixedOff(100, "EUR")}, 0, Share{0, 30}, nil},
		{"percent needs no share", []DiscountTerms{percentOff(2500)}, 0, Share{15, 30}, []take{{0, -250}, {2, -83}}},
		{"free setup touches setup alone", []DiscountTerms{freeSetup}, 0, Share{}, []take{{1, -500}}},
		{"stacked: each of what is left", []DiscountTerms{percentOff(5000), percentOff(5000)}, 0, Share{}, []take{{0, -500}, {2, -167}, {0, -250}, {2, -83}}},
		{"stacked beyond the line", []DiscountTerms{fixedOff(1200, "EUR"), fixedOff(1200, "EUR")}, 0, Share{}, []take{{0, -900}, {2, -300}, {0, -100}, {2, -33}}},
		{"stacked on both", []DiscountTerms{freeSetup, percentOff(1000)}, 0, Share{}, []take{{1, -500}, {0, -100}, {2, -33}}},
		{"C7 over after its periods", []DiscountTerms{{Code: "X", Kind: CouponPercent, BasisPoints: 2500, Periods: 3}}, 3, Share{}, nil},
		{"C7 not begun", []DiscountTerms{{Code: "X", Kind: CouponPercent, BasisPoints: 2500, FromPeriod: 2}}, 1, Share{}, nil},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got, err := Discount(s.terms, s.n, s.part, lines)
			if err != nil {
				t.Fatal(err)
			}
			takes := []take{}
			for _, d := range got {
				takes = append(takes, take{d.Line, d.Amount.Minor()})
				if d.Description == "" || d.Terms.Code == "" {
					t.Errorf("%+v does not explain itself", d)
				}
			}
			if !slices.Equal(takes, s.want) {
				t.Errorf("got %v, want %v", takes, s.want)
			}
		})
	}
}

func TestDiscountDescribes(t *testing.T) {
	lines := []Discountable{{LinePeriod, money.Must(100_000, "JPY")}, {LineSetup, money.Must(1000, "JPY")}}
	for want, d := range map[string]DiscountTerms{
		"Coupon PERCENT (25 %)":     percentOff(2500),
		"Coupon PERCENT (12.5 %)":   percentOff(1250),
		"Coupon PERCENT (0.01 %)":   percentOff(1),
		"Coupon FIXED (JPY 1,500)":  fixedOff(1500, "JPY"),
		"Coupon SETUP (free setup)": freeSetup,
		"Bundle Starter (10 %)":     {Code: "Starter", Kind: BundleDiscount, BasisPoints: 1000},
	} {
		if got, err := Discount([]DiscountTerms{d}, 0, Share{}, lines); err != nil || got[0].Description != want {
			t.Errorf("got %+v, error %v, want %q", got, err, want)
		}
	}
}

func TestDiscountRefuses(t *testing.T) {
	lines := []Discountable{{LinePeriod, eur(1000)}}
	if _, err := Discount([]DiscountTerms{fixedOff(5, "USD")}, 0, Share{}, lines); !errors.Is(err, money.ErrMismatch) {
		t.Errorf("D2 dollars off euros: got error %v, want %v", err, money.ErrMismatch)
	}
	for _, d := range []DiscountTerms{percentOff(10_001), percentOff(-1), fixedOff(-5, "EUR"), fixedOff(5, "eur"), {Code: "X", Kind: CouponTrial}, {Code: "X", Kind: ""}} {
		if got, err := Discount([]DiscountTerms{d}, 0, Share{}, lines); err == nil {
			t.Errorf("%+v gives %+v, want an error", d, got)
		}
	}
}

// TestDiscountNeverExceedsItsLine: whatever the terms, each line keeps at least
// nothing, a free line gets no discount, and parts of a fixed amount are exact.
func TestDiscountNeverExceedsItsLine(t *testing.T) {
	currencies := []string{"EUR", "JPY", "KWD"}
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.SampledFrom(currencies).Draw(t, "currency")
		lines, left := []Discountable{}, []int64{}
		var room int64
		for _, minor := range rapid.SliceOfN(rapid.Int64Range(0, 100_000), 1, 6).Draw(t, "lines") {
			kind := rapid.SampledFrom([]LineKind{LinePeriod, LineSetup}).Draw(t, "kind")
			lines, left = append(lines, Discountable{kind, money.Must(minor, code)}), append(left, minor)
			if kind == LinePeriod {
				room += minor
			}
		}
		fixed := rapid.Int64Range(1, 200_000).Draw(t, "fixed")
		terms := []DiscountTerms{fixedOff(fixed, code), percentOff(rapid.Int64Range(1, 10_000).Draw(t, "percent")), freeSetup, fixedOff(fixed, code)}
		got, err := Discount(terms, 0, Share{}, lines)
		if err != nil {
			t.Fatal(err)
		}
		var first int64
		for _, d := range got {
			left[d.Line] += d.Amount.Minor()
			if d.Amount.Sign() >= 0 || left[d.Line] < 0 || d.Amount.Currency() != code {
				t.Fatalf("%+v leaves %d of %s", d, left[d.Line], lines[d.Line].Amount)
			}
			if d.Terms.Coupon == "c2" {
				first -= d.Amount.Minor()
			}
		}
		if first < min(fixed, room) {
			t.Fatalf("fixed amounts of %d twice took %d of %d", fixed, first, room)
		}
	})
}

// TestD4CartInvoiceAndRenewalAgree: what the cart shows for a first period is
// what its invoice has and what a renewal with the same terms has.
func TestD4CartInvoiceAndRenewalAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unit := eur(rapid.Int64Range(0, 100_000).Draw(t, "unit"))
		anchor := date("2027-01-31T10:30:00Z")
		coupon := Coupon{ID: "c1", Code: "X", Kind: CouponPercent, BasisPoints: rapid.Int64Range(1, 10_000).Draw(t, "percent")}
		if rapid.Bool().Draw(t, "fixed") {
			coupon = Coupon{ID: "c1", Code: "X", Kind: CouponFixed, Amounts: []money.Amount{eur(rapid.Int64Range(1, 50_000).Draw(t, "amount"))}}
		}
		cart := Cart{Currency: "EUR", Items: []CartItem{{Plan: "vps", Name: "VPS S", Cycle: Monthly, Unit: unit}}, Coupons: []Coupon{coupon}}
		quote, err := QuoteCart(cart, anchor)
		if err != nil {
			t.Fatal(err)
		}
		lines, taken := []InvoiceLine{}, []money.Amount{}
		for _, l := range quote.Lines {
			if l.Kind == LineDiscount {
				taken = append(taken, l.Amount)
			} else {
				lines = append(lines, l.InvoiceLine)
			}
		}
		r := monthlyRenewal(unit)
		r.Discounts = quote.Units[0].Terms
		plan, err := PlanRenewal(r, date("2027-02-20"))
		if err != nil || len(plan.Due) != 1 {
			t.Fatalf("got %+v, error %v", plan, err)
		}
		renewed := []money.Amount{}
		for _, d := range plan.Due[0].Discounts {
			renewed = append(renewed, d.Amount)
		}
		if len(lines) != 1 || plan.Due[0].Lines[0].Amount != lines[0].Amount || !slices.Equal(renewed, taken) {
			t.Fatalf("cart %+v less %v, renewal %+v less %v", lines, taken, plan.Due[0].Lines, renewed)
		}
	})
}

// TestC4DiscountIsNoMoney: a discount is a negative line, so what an invoice with
// one can ever give back is what was to be paid.
func TestC4DiscountIsNoMoney(t *testing.T) {
	taken, err := Discount([]DiscountTerms{fixedOff(400, "EUR")}, 0, Share{}, []Discountable{{LinePeriod, eur(1000)}})
	if err != nil || len(taken) != 1 {
		t.Fatalf("got %+v, error %v", taken, err)
	}
	line, _ := NewLine("VPS S", 1, eur(1000), Period{})
	off, _ := NewLine(taken[0].Description, 1, taken[0].Amount, Period{})
	totals, err := SumLines("EUR", []InvoiceLine{line, off})
	if err != nil || totals.Total != eur(600) {
		t.Fatalf("got %+v, error %v, want a total of 600", totals, err)
	}
	for _, e := range PostInvoice(totals) {
		if e.Account == CreditOwed {
			t.Errorf("the discount became the customer's money: %+v", e)
		}
	}
}
