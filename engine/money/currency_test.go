package money

import (
	"strings"
	"testing"
)

// TestCurrencyTable finds slips of the pen in the table: a code that is listed
// twice, misspelled or lost. ISO 4217 list one of January 2026 has 16, 132, 7
// and 2 codes of zero, two, three and four decimals that an invoice can be in.
func TestCurrencyTable(t *testing.T) {
	seen := map[string]int{}
	count := map[int]int{}
	for exponent, codes := range byExponent {
		for _, code := range strings.Fields(codes) {
			seen[code]++
			count[exponent]++
		}
	}
	for _, code := range strings.Fields(withdrawn) {
		seen[code]++
	}
	for code, times := range seen {
		if times != 1 {
			t.Errorf("%s is listed %d times, want once", code, times)
		}
		if len(code) != 3 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			t.Errorf("%q is not three upper-case letters", code)
		}
		if _, ok := exponents[code]; !ok {
			t.Errorf("%s is listed but unknown", code)
		}
	}
	for exponent, want := range map[int]int{0: 16, 2: 132, 3: 7, 4: 2} {
		if count[exponent] != want {
			t.Errorf("%d currencies of %d decimals, want %d", count[exponent], exponent, want)
		}
	}
}
