package billing

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestDiscountApplies(t *testing.T) {
	scenarios := []struct {
		name          string
		from, periods int
		want          []int // of periods 0 to 5
	}{
		{"once", 0, 1, []int{0}},
		{"three", 0, 3, []int{0, 1, 2}},
		{"for ever", 0, 0, []int{0, 1, 2, 3, 4, 5}},
		{"two from the third on", 2, 2, []int{2, 3}},
		{"for ever from the third on", 2, 0, []int{2, 3, 4, 5}},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got := []int{}
			for n := range 6 {
				if (DiscountTerms{FromPeriod: s.from, Periods: s.periods}).Applies(n) {
					got = append(got, n)
				}
			}
			if !slices.Equal(got, s.want) {
				t.Errorf("got %v, want %v", got, s.want)
			}
		})
	}
}

// TestRebaseKeepsThePromise: after a schedule starts anew at period n, its period
// k is discounted exactly where period n+k was.
func TestRebaseKeepsThePromise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := percentOff(1000)
		d.FromPeriod, d.Periods = rapid.IntRange(0, 10).Draw(t, "from"), rapid.IntRange(0, 10).Draw(t, "periods")
		n := rapid.IntRange(0, 25).Draw(t, "n")
		after := RebaseAll([]DiscountTerms{d}, n)
		for k := range 30 {
			got := len(after) == 1 && after[0].Applies(k)
			if got != d.Applies(n+k) {
				t.Fatalf("%+v from period %d is %+v: period %d discounted %v", d, n, after, k, got)
			}
		}
		for _, d := range after {
			if err := d.Check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestParseDiscounts(t *testing.T) {
	scenarios := []struct {
		name, stored string
		want         int // -1 for an error
	}{
		{"nothing stored", "", 0},
		{"null", "null", 0},
		{"an empty text, as an unset field reads", `""`, 0},
		{"an empty list", " [] ", 0},
		{"percent", `[{"coupon":"c1","code":"X","kind":"percent","basis_points":2500,"from_period":0,"periods":3}]`, 1},
		{"fixed and free setup", `[{"coupon":"","code":"X","kind":"fixed","minor":500,"currency":"EUR","from_period":0,"periods":0},
			{"coupon":"","code":"Y","kind":"free_setup","from_period":0,"periods":1}]`, 2},
		{"more than all", `[{"code":"X","kind":"percent","basis_points":10001}]`, -1},
		{"less than nothing", `[{"code":"X","kind":"fixed","minor":-5,"currency":"EUR"}]`, -1},
		{"a currency nobody knows", `[{"code":"X","kind":"fixed","minor":5,"currency":"EURO"}]`, -1},
		{"percent and fixed", `[{"code":"X","kind":"percent","basis_points":5,"minor":5}]`, -1},
		{"free setup with an amount", `[{"code":"X","kind":"free_setup","minor":5}]`, -1},
		{"a longer trial", `[{"code":"X","kind":"trial_days"}]`, -1},
		{"no kind", `[{"code":"X"}]`, -1},
		{"no code", `[{"kind":"free_setup"}]`, -1},
		{"a negative period", `[{"code":"X","kind":"free_setup","from_period":-1}]`, -1},
		{"a field nobody knows", `[{"code":"X","kind":"free_setup","price":1}]`, -1},
		{"a fraction", `[{"code":"X","kind":"percent","basis_points":2.5}]`, -1},
		{"one that is no list", `{"code":"X","kind":"free_setup"}`, -1},
		{"two lists", `[][]`, -1},
		{"too many", "[" + strings.Repeat(`{"code":"X","kind":"free_setup"},`, maxDiscounts) + `{"code":"X","kind":"free_setup"}]`, -1},
		{"not JSON", "25%", -1},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got, err := ParseDiscounts([]byte(s.stored))
			if (err != nil) != (s.want < 0) || err == nil && len(got) != s.want {
				t.Errorf("got %+v, error %v, want %d terms", got, err, s.want)
			}
		})
	}
}

// FuzzParseDiscounts: whatever is stored, what is read passes Check, and writing
// and reading it again changes nothing.
func FuzzParseDiscounts(f *testing.F) {
	f.Add([]byte(`[{"coupon":"c1","code":"X","kind":"percent","basis_points":2500,"from_period":0,"periods":3}]`))
	f.Add([]byte(`[{"code":"X","kind":"fixed","minor":500,"currency":"EUR","from_period":2,"periods":0}]`))
	f.Add([]byte(`[{"code":"Y","kind":"free_setup"}]`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, stored []byte) {
		terms, err := ParseDiscounts(stored)
		if err != nil {
			return
		}
		text, err := json.Marshal(terms)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseDiscounts(text)
		if err != nil || !slices.Equal(again, terms) {
			t.Fatalf("%s reads %+v, then %+v (error %v)", stored, terms, again, err)
		}
		for _, d := range terms {
			if _, err := Discount([]DiscountTerms{d}, d.FromPeriod, Share{}, []Discountable{{LinePeriod, eur(1000)}}); err != nil && d.Kind != CouponFixed {
				t.Fatalf("%+v passed Check and cannot be used: %v", d, err)
			}
		}
	})
}
