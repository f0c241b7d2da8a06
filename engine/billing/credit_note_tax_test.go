package billing

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/ezscale/ezscale/engine/tax"
)

// taxed is the tax of a net in cents, rounded half away from zero.
func taxed(net, ppm int64) int64 {
	if net < 0 {
		return -taxed(-net, ppm)
	}
	return (net*ppm*2 + 1_000_000) / 2_000_000
}

// TestCreditsOfADiscountedLineNeverReturnMoreTaxThanItHad credits a line with its
// discounts bit by bit: at each moment no more tax is given back than the invoice
// has of it, and at the end all of it.
func TestCreditsOfADiscountedLineNeverReturnMoreTaxThanItHad(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ppm := rapid.SampledFrom([]int64{190_000, 70_000, 200_000, 81_000, 255_000, 50_000}).Draw(t, "ppm")
		net := rapid.Int64Range(2, 3000).Draw(t, "net")
		lines := []IssuedLine{issued(1, 0, net, taxed(net, ppm))}
		left := net
		for i := range rapid.IntRange(1, 3).Draw(t, "discounts") {
			if off := rapid.Int64Range(0, left-1).Draw(t, "off"); off > 0 {
				lines, left = append(lines, issued(2+i, 1, -off, taxed(-off, ppm))), left-off
			}
		}
		if rapid.Bool().Draw(t, "second tax") {
			for i, l := range lines {
				first := taxed(l.Split.Net.Minor(), 50_000)
				lines[i].Split.Taxes.Components = []tax.ComponentTax{{Tax: first}, {Tax: l.Split.Tax.Minor() - first}}
			}
		}
		whole := sumOf(lines, func(l IssuedLine) int64 { return l.Split.Tax.Minor() })
		for rest := left; rest > 0; {
			part := rapid.Int64Range(1, rest).Draw(t, "part")
			note, err := PlanCreditNote(lines, []CreditRequest{{1, eur(part)}})
			if err != nil {
				return // less than the rounding of taxes: refused, nothing is given back
			}
			for _, n := range note.Lines {
				for i, l := range lines {
					if l.ID == n.Line {
						lines[i].Credited, lines[i].CreditedTax = eur(l.Credited.Minor()+n.Split.Net.Minor()), eur(l.CreditedTax.Minor()+n.Split.Tax.Minor())
					}
				}
			}
			rest -= part
			if got := sumOf(lines, func(l IssuedLine) int64 { return l.CreditedTax.Minor() }); got < min(0, whole) || got > max(0, whole) || rest == 0 && got != whole {
				t.Fatalf("%d of %d net credited: %d of %d tax", left-rest, left, got, whole)
			}
		}
	})
}

func sumOf(lines []IssuedLine, of func(IssuedLine) int64) int64 {
	sum := int64(0)
	for _, l := range lines {
		sum += of(l)
	}
	return sum
}
