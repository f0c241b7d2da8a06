package money_test

import (
	"errors"
	"testing"

	"github.com/ezscale/ezscale/engine/money"
)

func TestConvert(t *testing.T) {
	scenarios := []struct {
		name string
		a    money.Amount
		ppm  int64
		code string
		want money.Amount
	}{
		{"euros in dollars", money.Must(1000, "EUR"), 1_085_000, "USD", money.Must(1085, "USD")},
		{"half a cent rounds up", money.Must(50, "EUR"), 1_010_000, "USD", money.Must(51, "USD")},
		{"and down below zero", money.Must(-50, "EUR"), 1_010_000, "USD", money.Must(-51, "USD")},
		{"to no decimals", money.Must(490, "EUR"), 162_340_000, "JPY", money.Must(795, "JPY")},
		{"from no decimals", money.Must(800, "JPY"), 6_160, "EUR", money.Must(493, "EUR")},
		{"to three decimals", money.Must(490, "EUR"), 334_100, "KWD", money.Must(1637, "KWD")},
		{"nothing", money.Must(0, "EUR"), 1_085_000, "USD", money.Must(0, "USD")},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if got, err := s.a.Convert(s.ppm, s.code); err != nil || got != s.want {
				t.Errorf("%s at %d: got %s, %v, want %s", s.a, s.ppm, got, err, s.want)
			}
		})
	}
	if got, err := money.Must(1085, "USD").ConvertBack(1_085_000, "EUR"); err != nil || got != money.Must(1000, "EUR") {
		t.Errorf("back: got %s, %v", got, err)
	}
}

func TestConvertRefuses(t *testing.T) {
	if _, err := money.Must(1, "EUR").Convert(1, "XXY"); !errors.Is(err, money.ErrCurrency) {
		t.Errorf("an unknown currency: got %v", err)
	}
	if _, err := money.Must(money.Limit, "EUR").Convert(1e14, "KWD"); !errors.Is(err, money.ErrOverflow) {
		t.Errorf("past every bound: got %v", err)
	}
	if _, err := money.Must(1, "EUR").Convert(0, "USD"); err == nil {
		t.Error("a rate of nothing was used")
	}
}
