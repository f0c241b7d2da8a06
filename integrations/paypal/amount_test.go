package paypal

import (
	"errors"
	"testing"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

func TestAmountToPayPal(t *testing.T) {
	scenarios := []struct {
		name  string
		minor int64
		code  string
		value string // "": refused
	}{
		{"cents", 1999, "EUR", "19.99"},
		{"one cent", 1, "USD", "0.01"},
		{"whole euros keep their decimals", 2000, "EUR", "20.00"},
		{"yen have no decimals", 500, "JPY", "500"},
		{"forint lose their ISO decimals", 199900, "HUF", "1999"},
		{"forint with a fraction", 199950, "HUF", ""},
		{"Taiwan dollars lose their ISO decimals", 30000, "TWD", "300"},
		{"Taiwan dollars with a fraction", 30001, "TWD", ""},
		{"a currency PayPal does not take", 1000, "KWD", ""},
		{"nothing", 0, "EUR", ""},
		{"money back", -1, "EUR", ""},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			w, err := toPayPal(money.Must(s.minor, s.code))
			if w.Value != s.value || (err != nil) != (s.value == "") {
				t.Fatalf("got %q, %v, want %q", w.Value, err, s.value)
			}
			if err != nil {
				if !errors.Is(err, billing.ErrGatewayRefused) {
					t.Errorf("got %v, want ErrGatewayRefused", err)
				}
				return
			}
			if back, err := w.positive(); err != nil || back != money.Must(s.minor, s.code) {
				t.Errorf("back: got %s, %v, want %d %s", back, err, s.minor, s.code)
			}
		})
	}
	if _, err := toPayPal(money.Amount{}); !errors.Is(err, billing.ErrGatewayRefused) {
		t.Errorf("no currency: got %v, want ErrGatewayRefused", err)
	}
}

func TestAmountFromPayPal(t *testing.T) {
	for name, w := range map[string]wireMoney{
		"no currency": {"", "1.00"}, "no value": {"EUR", ""}, "another currency": {"KWD", "1.000"}, "words": {"EUR", "ten"}, "three decimals": {"EUR", "1.001"},
		"grouped": {"EUR", "1,000.00"}, "exponent": {"EUR", "1e3"}, "spaces": {"EUR", " 1.00"}, "half a yen": {"JPY", "0.50"}, "too much": {"EUR", "99999999999.00"},
		"nothing": {"EUR", "0.00"}, "less than nothing": {"EUR", "-1.00"},
	} {
		if a, err := w.positive(); !errors.Is(err, ErrPayload) {
			t.Errorf("%s: got %s, %v, want ErrPayload", name, a, err)
		}
	}
	for value, minor := range map[string]int64{"500": 500, "500.00": 500, "-500": -500, "0": 0} {
		if a, err := (wireMoney{"JPY", value}).amount(); err != nil || a != money.Must(minor, "JPY") {
			t.Errorf("JPY %s: got %s, %v, want %d", value, a, err, minor)
		}
	}
}
