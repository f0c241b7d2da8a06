package billing

import (
	"strings"
	"testing"

	"github.com/ezscale/ezscale/engine/money"
)

func TestTooSmall(t *testing.T) {
	for _, c := range []struct {
		minor    int64
		currency string
		want     bool
	}{{0, "EUR", false}, {1, "EUR", true}, {49, "EUR", true}, {50, "EUR", false}, {29, "GBP", true}, {30, "GBP", false}, {49, "JPY", true}, {17499, "HUF", true}, {-3, "EUR", false}} {
		if got := TooSmall(money.Must(c.minor, c.currency)); got != c.want {
			t.Errorf("%d %s: got %t", c.minor, c.currency, got)
		}
	}
	for currency, least := range smallest {
		if _, err := money.New(least, currency); err != nil || !strings.Contains(SmallestPaymentSQL("`c`"), "'"+currency+"'") {
			t.Errorf("%s: %v", currency, err)
		}
	}
}
