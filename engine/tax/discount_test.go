package tax

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/ezscale/ezscale/engine/money"
)

// TestDiscountsThatTakeALineTakeItsTax stacks discounts on a line until nothing
// is left: no document may come to less than nothing by rounding.
func TestDiscountsThatTakeALineTakeItsTax(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		left := rapid.Int64Range(0, 1000).Draw(t, "price")
		treatment := Treatment{Category: Standard, Components: []Component{{Name: "VAT", Level: 1, PPM: rapid.Int64Range(0, 300_000).Draw(t, "ppm")}}}
		lines := []Line{{Amount: money.Must(left, "EUR"), Treatment: treatment}}
		for left > 0 {
			part := rapid.Int64Range(1, left).Draw(t, "discount")
			left -= part
			lines = append(lines, Line{Amount: money.Must(-part, "EUR"), Treatment: treatment, Of: 1})
		}
		for _, rounding := range []Rounding{PerLine, PerDocument} {
			for _, inclusive := range []bool{false, true} {
				res, err := Compute(rounding, inclusive, lines)
				if err != nil {
					t.Fatal(err)
				}
				if !res.Tax.IsZero() || !res.Total.IsZero() {
					t.Fatalf("rounding %s, inclusive %v: tax %v, total %v of nothing", rounding, inclusive, res.Tax, res.Total)
				}
			}
		}
	})
}
