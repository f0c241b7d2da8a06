package tax_test

import (
	"errors"
	"testing"

	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/engine/tax"
)

func TestCredit(t *testing.T) {
	eur := func(n int64) money.Amount { return money.Must(n, "EUR") }
	scenarios := []struct {
		name                     string
		tax, net, credited, more int64
		want                     int64
		err                      error
	}{
		{"all at once", 190, 1000, 0, 1000, 190, nil},
		{"first third", 63, 333, 0, 111, 21, nil},
		{"a half rounds up", 19, 100, 0, 50, 10, nil},
		{"and the other half gets the rest", 19, 100, 50, 50, 9, nil},
		{"nothing", 19, 100, 50, 0, 0, nil},
		{"a negative line", -19, -100, 0, -50, -10, nil},
		{"no tax", 0, 100, 0, 100, 0, nil},
		{"a unit that is all tax", 1, 0, 0, 0, 1, nil},
		{"too much", 19, 100, 50, 51, 0, tax.ErrCredit},
		{"the wrong sign", 19, 100, 50, -1, 0, tax.ErrCredit},
		{"of a line that was over-credited", 19, 100, 101, 0, 0, tax.ErrCredit},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got, err := tax.Credit(eur(s.tax), eur(s.net), eur(s.credited), eur(s.more))
			if !errors.Is(err, s.err) || got.Minor() != s.want {
				t.Errorf("got %v, error %v, want %d, %v", got, err, s.want, s.err)
			}
		})
	}
	if _, err := tax.Credit(eur(19), eur(100), eur(0), money.Must(1, "USD")); !errors.Is(err, money.ErrMismatch) {
		t.Errorf("a credit in dollars: got error %v, want %v", err, money.ErrMismatch)
	}
	if _, err := tax.Credit(money.Must(19, "USD"), eur(100), eur(0), eur(1)); !errors.Is(err, money.ErrMismatch) {
		t.Errorf("tax in dollars: got error %v, want %v", err, money.ErrMismatch)
	}
}
