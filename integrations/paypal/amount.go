package paypal

import (
	"fmt"
	"strings"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// currencies are those PayPal takes and how many decimals it writes them with
// (developer.paypal.com/reference/currency-codes). HUF and TWD have two decimals
// in ISO 4217 and none here: PayPal answers a fraction with DECIMAL_PRECISION.
var currencies = func() map[string]int {
	all := map[string]int{"HUF": 0, "JPY": 0, "TWD": 0}
	for code := range strings.FieldsSeq("AUD BRL CAD CNY CZK DKK EUR HKD ILS MYR MXN NZD NOK PHP PLN GBP SGD SEK CHF THB USD") {
		all[code] = 2
	}
	return all
}()

// wireMoney is an amount in resources of version 2 and 3.
type wireMoney struct {
	Currency string `json:"currency_code"`
	Value    string `json:"value"`
}

// toPayPal writes an amount as PayPal wants it. Errors: billing.ErrGatewayRefused
// for currencies and fractions PayPal does not take; nothing is rounded.
func toPayPal(a money.Amount) (wireMoney, error) {
	places, listed := currencies[a.Currency()]
	switch {
	case !listed:
		return wireMoney{}, fmt.Errorf("paypal: amount %s: %w: PayPal does not take this currency", a, billing.ErrGatewayRefused)
	case a.Sign() <= 0:
		return wireMoney{}, fmt.Errorf("paypal: amount %s: %w: only more than zero can be charged", a, billing.ErrGatewayRefused)
	}
	value := a.Decimal()
	whole, fraction, _ := strings.Cut(value, ".")
	if places == 0 && strings.Trim(fraction, "0") != "" {
		return wireMoney{}, fmt.Errorf("paypal: amount %s: %w: PayPal takes %s in whole units only", a, billing.ErrGatewayRefused, a.Currency())
	}
	if places == 0 {
		value = whole
	}
	return wireMoney{a.Currency(), value}, nil
}

// amount reads an amount that may be zero or below. Errors: ErrPayload.
func (m wireMoney) amount() (money.Amount, error) {
	places, listed := currencies[m.Currency]
	if !listed {
		return money.Amount{}, fmt.Errorf("amount %.20q %.10q: %w: not a currency of PayPal", m.Value, m.Currency, ErrPayload)
	}
	value := m.Value
	if whole, fraction, _ := strings.Cut(value, "."); places == 0 && strings.Trim(fraction, "0") == "" {
		value = whole // some reports write "500.00" for yen
	}
	a, err := money.Parse(value, m.Currency)
	if err != nil {
		return money.Amount{}, fmt.Errorf("amount %.20q %s: %w: %w", m.Value, m.Currency, ErrPayload, err)
	}
	return a, nil
}

// positive reads an amount that must be more than zero. Errors: ErrPayload.
func (m wireMoney) positive() (money.Amount, error) {
	a, err := m.amount()
	if err == nil && a.Sign() <= 0 {
		return money.Amount{}, fmt.Errorf("amount %s: %w: not more than zero", a, ErrPayload)
	}
	return a, err
}
