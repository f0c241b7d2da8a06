package dunning

import (
	"errors"
	"testing"

	"github.com/ezscale/ezscale/engine/money"
)

func TestLateFee(t *testing.T) {
	fixed := Fee{Kind: FeeFixed, Fixed: map[string]int64{"EUR": 500, "JPY": 700}, BasisPoints: 900}
	percent := Fee{Kind: FeePercent, BasisPoints: 500, Minimum: map[string]int64{"EUR": 250, "KWD": 1000}, Fixed: map[string]int64{"EUR": 9}}
	scenarios := []struct {
		name string
		fee  Fee
		open money.Amount
		want int64
	}{
		{"fixed", fixed, money.Must(2000, "EUR"), 500},
		{"fixed, no decimals", fixed, money.Must(2000, "JPY"), 700},
		{"fixed, currency without fee", fixed, money.Must(2000, "USD"), 0},
		{"nothing owed", fixed, money.Must(0, "EUR"), 0},
		{"overpaid", percent, money.Must(-100, "EUR"), 0},
		{"percent", percent, money.Must(10_000, "EUR"), 500},
		{"percent of what is still owed, half up", percent, money.Must(5_010, "EUR"), 251},
		{"percent at least the minimum", percent, money.Must(2000, "EUR"), 250},
		{"percent, no minimum in this currency", percent, money.Must(2000, "USD"), 100},
		{"percent, three decimals", percent, money.Must(100_000, "KWD"), 5000},
		{"percent of one cent", percent, money.Must(1, "USD"), 0},
		{"percent of the largest amount", percent, money.Must(money.Limit, "USD"), money.Limit / 20},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got, err := s.fee.Of(s.open)
			if err != nil || got != money.Must(s.want, s.open.Currency()) {
				t.Errorf("fee on %s is %s (%v), want %d", s.open, got, err, s.want)
			}
		})
	}
	if _, err := fixed.Of(money.Amount{}); !errors.Is(err, money.ErrCurrency) {
		t.Errorf("no currency: %v, want money.ErrCurrency", err)
	}
	if _, err := (Fee{Kind: FeeFixed, Fixed: map[string]int64{"EUR": money.Limit + 1}}).Of(money.Must(1, "EUR")); !errors.Is(err, money.ErrOverflow) {
		t.Errorf("beyond the limit: %v, want money.ErrOverflow", err)
	}
}
