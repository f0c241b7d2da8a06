package tax_test

import (
	"testing"

	"github.com/ezscale/ezscale/engine/tax"
)

// BenchmarkDecide is one decision by a table of some 25 rates.
func BenchmarkDecide(b *testing.B) {
	p, buyer, date := german(), tax.Buyer{Country: "FR", Postcode: "75001", IPCountry: "FR"}, on("2026-03-01")
	for b.Loop() {
		if _, err := tax.Decide(p, buyer, world, date); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCompute is a document of ten lines.
func BenchmarkCompute(b *testing.B) {
	var lines []tax.Line
	for i := range int64(10) {
		lines = append(lines, line(999+i, at(190_000)))
	}
	for _, rounding := range []tax.Rounding{tax.PerLine, tax.PerDocument} {
		b.Run(string(rounding), func(b *testing.B) {
			for b.Loop() {
				if _, err := tax.Compute(rounding, false, lines); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
