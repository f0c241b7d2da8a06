package risk

import (
	"fmt"
	"maps"
	"slices"

	"github.com/ezscale/ezscale/engine/money"
)

// Policy says what makes an order wait for staff: settings group "review".
type Policy struct {
	// Threshold is the sum of weights from which an order waits.
	Threshold int `json:"threshold"`
	// Weights by code of signal; one that is missing has its default, 0 switches
	// a signal off.
	Weights map[Code]int `json:"weights,omitempty"`
	// HighAmount holds totals, in minor units by currency, from which an order is
	// a high one; a currency that is missing has no such limit.
	HighAmount map[string]int64 `json:"high_amount_minor,omitempty"`
	// FlaggedCountries are ISO 3166 codes that staff want to see, whether billing,
	// IP address or card names them.
	FlaggedCountries []string `json:"flagged_countries,omitempty"`
	// Most of an hour that is still ordinary; 0 counts nothing.
	OrdersPerHour   int `json:"orders_per_hour"`
	CardsPerHour    int `json:"cards_per_hour"`
	AccountsPerHour int `json:"accounts_per_hour"`
	// AccountsPerMailbox counts accounts whose addresses reach one mailbox.
	AccountsPerMailbox int `json:"accounts_per_mailbox"`
}

// Default is the policy of a new installation: strong signs alone, or two weak
// ones together, make an order wait. Dedicated servers do not, until staff give
// them a weight.
func Default() Policy {
	return Policy{Threshold: 100, OrdersPerHour: 5, CardsPerHour: 3, AccountsPerHour: 3, AccountsPerMailbox: 1}
}

// most bounds the whole numbers of a policy.
const most = 1000

// Check refuses a policy that makes no sense; the error begins with the name of
// the field.
func (p Policy) Check() error {
	for _, b := range []struct {
		field string
		got   int
		low   int
	}{
		{"threshold", p.Threshold, 1},
		{"orders_per_hour", p.OrdersPerHour, 0},
		{"cards_per_hour", p.CardsPerHour, 0},
		{"accounts_per_hour", p.AccountsPerHour, 0},
		{"accounts_per_mailbox", p.AccountsPerMailbox, 0},
	} {
		if b.got < b.low || b.got > most {
			return fmt.Errorf("%s is %d and must be %d to %d", b.field, b.got, b.low, most)
		}
	}
	for _, code := range slices.Sorted(maps.Keys(p.Weights)) {
		if _, known := defaultWeights[code]; !known {
			return fmt.Errorf("weights: %q is no signal", code)
		}
		if w := p.Weights[code]; w < 0 || w > most {
			return fmt.Errorf("weights: %s is %d and must be 0 to %d", code, w, most)
		}
	}
	for _, code := range slices.Sorted(maps.Keys(p.HighAmount)) {
		if _, err := money.New(p.HighAmount[code], code); err != nil {
			return fmt.Errorf("high_amount_minor: %w", err)
		}
		if p.HighAmount[code] < 1 {
			return fmt.Errorf("high_amount_minor: %d %s must be positive", p.HighAmount[code], code)
		}
	}
	for _, c := range p.FlaggedCountries {
		if !isCountry(c) {
			return fmt.Errorf("flagged_countries: %q is not a country code such as DE", c)
		}
	}
	return nil
}

// weight of a signal under this policy.
func (p Policy) weight(c Code) int {
	if w, set := p.Weights[c]; set {
		return w
	}
	return defaultWeights[c]
}

func isCountry(s string) bool {
	return len(s) == 2 && 'A' <= s[0] && s[0] <= 'Z' && 'A' <= s[1] && s[1] <= 'Z'
}
