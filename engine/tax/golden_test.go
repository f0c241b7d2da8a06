package tax_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/engine/tax"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares with a reviewed file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs, -update rewrites it; got\n%s", path, got)
	}
}

// TestTaxOfCountries is the table of what each kind of buyer pays: sellers of
// twelve countries' rates, consumers and businesses, prices with and without
// tax, both rules of rounding. The lines are 3.33, 3.33, 10.01 and a discount of
// 2.50 on the third.
func TestTaxOfCountries(t *testing.T) {
	table := append([]tax.Rate{{Name: "VAT", Country: "BH", Level: 1, PPM: 100_000}}, world...)
	sales := []struct {
		name, currency, date string
		seller               tax.Policy
		consumer, business   tax.Buyer
	}{
		{"Germany to Germany", "EUR", "2026-03-01", german(), tax.Buyer{Country: "DE"}, withID("DE", "DE136695976", tax.IDValid)},
		{"Germany to France", "EUR", "2026-03-01", german(), tax.Buyer{Country: "FR"}, withID("FR", "FR40303265045", tax.IDValid)},
		{"Germany to Austria", "EUR", "2026-03-01", german(), tax.Buyer{Country: "AT"}, withID("AT", "ATU13585627", tax.IDValid)},
		{"Germany to Italy", "EUR", "2026-03-01", german(), tax.Buyer{Country: "IT"}, withID("IT", "IT00743110157", tax.IDValid)},
		{"Germany to Spain", "EUR", "2026-03-01", german(), tax.Buyer{Country: "ES"}, withID("ES", "ESB58378431", tax.IDValid)},
		{"Germany to Poland", "PLN", "2026-03-01", german(), tax.Buyer{Country: "PL"}, withID("PL", "PL8567346215", tax.IDValid)},
		{"Germany to the Netherlands", "EUR", "2026-03-01", german(), tax.Buyer{Country: "NL"}, withID("NL", "NL004495445B01", tax.IDInvalid)},
		{"Germany to the United States", "USD", "2026-03-01", german(), tax.Buyer{Country: "US", Region: "NY"}, tax.Buyer{Country: "US", Region: "NY", Business: true}},
		{"Germany to the United Kingdom", "GBP", "2026-03-01", german(), tax.Buyer{Country: "GB"}, tax.Buyer{Country: "GB", Business: true}},
		{"United States, state and county", "USD", "2026-03-01", local("US"), tax.Buyer{Country: "US", Region: "CA"}, tax.Buyer{Country: "US", Region: "CA", Business: true}},
		{"Canada, Quebec, side by side", "CAD", "2026-03-01", local("CA"), tax.Buyer{Country: "CA", Region: "QC"}, tax.Buyer{Country: "CA", Region: "QC", Business: true}},
		{"Canada, Quebec, compound until 2012", "CAD", "2012-06-01", local("CA"), tax.Buyer{Country: "CA", Region: "QC"}, tax.Buyer{Country: "CA", Region: "QC", Exempt: true}},
		{"Switzerland", "CHF", "2026-03-01", local("CH"), tax.Buyer{Country: "CH"}, tax.Buyer{Country: "CH", Business: true}},
		{"Switzerland until 2023", "CHF", "2023-12-31", local("CH"), tax.Buyer{Country: "CH"}, tax.Buyer{Country: "CH", Business: true}},
		{"United Kingdom", "GBP", "2026-03-01", local("GB"), tax.Buyer{Country: "GB"}, tax.Buyer{Country: "GB", Business: true}},
		{"Japan, no decimals", "JPY", "2026-03-01", local("JP"), tax.Buyer{Country: "JP"}, tax.Buyer{Country: "JP", Business: true}},
		{"Bahrain, three decimals", "BHD", "2026-03-01", local("BH"), tax.Buyer{Country: "BH"}, tax.Buyer{Country: "BH", Business: true}},
	}
	var out strings.Builder
	for _, s := range sales {
		for _, b := range []struct {
			kind string
			tax.Buyer
		}{{"consumer", s.consumer}, {"business", s.business}} {
			treatment, err := tax.Decide(s.seller, b.Buyer, table, on(s.date))
			if err != nil {
				t.Fatalf("%s, %s: %v", s.name, b.kind, err)
			}
			fmt.Fprintf(&out, "# %s, %s: %s\n", s.name, b.kind, short(treatment))
			for _, inclusive := range []bool{false, true} {
				for _, rounding := range []tax.Rounding{tax.PerLine, tax.PerDocument} {
					out.WriteString(row(t, s.currency, treatment, inclusive, rounding))
				}
			}
			out.WriteString("\n")
		}
	}
	golden(t, "countries.golden.txt", out.String())
}

// row computes the four lines and writes them down.
func row(t *testing.T, currency string, treatment tax.Treatment, inclusive bool, rounding tax.Rounding) string {
	var lines []tax.Line
	for _, minor := range []int64{333, 333, 1001, -250} {
		lines = append(lines, tax.Line{Amount: money.Must(minor, currency), Treatment: treatment})
	}
	res := compute(t, rounding, inclusive, lines...)
	prices := "exclusive"
	if inclusive {
		prices = "inclusive"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s, per %-8s  net %6s + tax %5s = %s; lines", prices, rounding, res.Net.Decimal(), res.Tax.Decimal(), res.Total)
	for _, l := range res.Lines {
		b.WriteString(" " + l.Net.Decimal() + "+" + l.Tax.Decimal())
	}
	for _, g := range res.Groups {
		name := string(g.Reason)
		if g.Name != "" {
			name = g.Name
		}
		fmt.Fprintf(&b, "; %s %s %d of %d", g.Category, name, g.Tax, g.Base)
	}
	return b.String() + "\n"
}
