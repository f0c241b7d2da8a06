package stripe

import (
	"errors"
	"testing"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

func TestAmountToStripe(t *testing.T) {
	scenarios := []struct {
		name  string
		minor int64
		code  string
		unit  int64 // 0: refused
		lower string
	}{
		{"cents", 1999, "EUR", 1999, "eur"},
		{"one cent", 1, "USD", 1, "usd"},
		{"yen have no decimals", 500, "JPY", 500, "jpy"},
		{"won have no decimals", 30000, "KRW", 30000, "krw"},
		{"dinar in three decimals", 12340, "KWD", 12340, "kwd"},
		{"dinar with a third decimal", 12345, "KWD", 0, ""},
		{"króna are sent in hundredths", 1999, "ISK", 199900, "isk"},
		{"ariary lose their ISO decimals", 150000, "MGA", 1500, "mga"},
		{"ariary with a fraction", 150050, "MGA", 0, ""},
		{"forint keep two decimals", 199950, "HUF", 199950, "huf"},
		{"Taiwan dollars keep two decimals", 30050, "TWD", 30050, "twd"},
		{"Uganda's unit is in doubt", 50000, "UGX", 0, ""},
		{"a three-decimal currency Stripe does not list", 1000, "LYD", 0, ""},
		{"four decimals", 10000, "CLF", 0, ""},
		{"eight digits", 99_999_999, "EUR", 99_999_999, "eur"},
		{"nine digits", 100_000_000, "EUR", 0, ""},
		{"nine digits after the change of unit", 1_000_000, "ISK", 0, ""},
		{"nothing", 0, "EUR", 0, ""},
		{"money back", -1, "EUR", 0, ""},
		{"the bound of amounts", money.Limit, "JPY", 0, ""},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			unit, lower, err := toStripe(money.Must(s.minor, s.code))
			if unit != s.unit || lower != s.lower || (err != nil) != (s.unit == 0) {
				t.Fatalf("got %d %q, %v, want %d %q", unit, lower, err, s.unit, s.lower)
			}
			if err != nil {
				if !errors.Is(err, billing.ErrGatewayRefused) {
					t.Errorf("got %v, want ErrGatewayRefused", err)
				}
				return
			}
			back, err := fromStripe(unit, lower)
			if err != nil || back.Minor() != s.minor || back.Currency() != s.code {
				t.Errorf("back: got %s, %v, want %d %s", back, err, s.minor, s.code)
			}
		})
	}
	if _, _, err := toStripe(money.Amount{}); !errors.Is(err, billing.ErrGatewayRefused) {
		t.Errorf("no currency: got %v, want ErrGatewayRefused", err)
	}
}

func TestAmountFromStripe(t *testing.T) {
	scenarios := []struct {
		name     string
		unit     int64
		currency string
	}{
		{"no currency", 100, ""},
		{"no such currency", 100, "xyz"},
		{"a currency in doubt", 100, "ugx"},
		{"a fraction of a króna", 150, "isk"},
		{"less than nothing", -100, "eur"},
		{"more than an amount holds", money.Limit + 1, "eur"},
		{"more than an amount holds, in hundredths", money.Limit, "mga"},
	}
	for _, s := range scenarios {
		if got, err := fromStripe(s.unit, s.currency); !errors.Is(err, ErrPayload) {
			t.Errorf("%s: got %s, %v, want ErrPayload", s.name, got, err)
		}
	}
}

// TestAmountEveryCurrency converts there and back whatever can be charged.
func TestAmountEveryCurrency(t *testing.T) {
	charged := 0
	for _, code := range threeLetters() {
		if _, known := money.Exponent(code); !known {
			continue
		}
		for _, minor := range []int64{100, 1000, 12300} {
			unit, lower, err := toStripe(money.Must(minor, code))
			if err != nil {
				continue
			}
			charged++
			back, err := fromStripe(unit, lower)
			if err != nil || back != money.Must(minor, code) {
				t.Errorf("%d %s: got %s back, %v", minor, code, back, err)
			}
		}
	}
	if charged < 3*130 {
		t.Errorf("got %d amounts charged, want those of nearly all currencies", charged)
	}
}

// threeLetters is every code there could be, AAA to ZZZ.
func threeLetters() []string {
	all := []string{}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			for c := 'A'; c <= 'Z'; c++ {
				all = append(all, string([]rune{a, b, c}))
			}
		}
	}
	return all
}
