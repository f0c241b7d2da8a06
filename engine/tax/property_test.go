package tax_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/engine/tax"
)

// document is a drawn document.
type document struct {
	rounding  tax.Rounding
	inclusive bool
	lines     []tax.Line
}

// anyDocument draws documents in currencies of 0, 2 and 3 decimals, with
// discounts, several rates, one or two taxes and untaxed lines.
func anyDocument(t *rapid.T) document {
	ppm := rapid.OneOf(rapid.SampledFrom([]int64{0, 1, 25_000, 70_000, 99_750, 190_000, 255_000, 1_000_000}), rapid.Int64Range(0, tax.MaxPPM))
	treatments := []tax.Treatment{untaxed(tax.OutOfScope, tax.ReasonOutsideEU)}
	for range rapid.IntRange(1, 3).Draw(t, "treatments") {
		one := at(ppm.Draw(t, "ppm"))
		if rapid.Bool().Draw(t, "two taxes") {
			one = quebec(ppm.Draw(t, "second ppm"), rapid.Bool().Draw(t, "compound"))
		}
		treatments = append(treatments, one)
	}
	code := rapid.SampledFrom([]string{"JPY", "EUR", "KWD"}).Draw(t, "currency")
	minor := rapid.OneOf(rapid.Int64Range(-20, 20), rapid.Int64Range(-5000, 100_000), rapid.Int64Range(-1e9, 1e9))
	d := document{
		rounding:  rapid.SampledFrom([]tax.Rounding{tax.PerLine, tax.PerDocument}).Draw(t, "rounding"),
		inclusive: rapid.Bool().Draw(t, "inclusive"),
	}
	for range rapid.IntRange(1, 12).Draw(t, "lines") {
		d.lines = append(d.lines, tax.Line{
			Amount: money.Must(minor.Draw(t, "minor"), code), Treatment: rapid.SampledFrom(treatments).Draw(t, "treatment"),
		})
	}
	return d
}

func (d document) compute(t *rapid.T) tax.Result {
	res, err := tax.Compute(d.rounding, d.inclusive, d.lines)
	if err != nil {
		t.Fatalf("Compute: %v", err)
	}
	return res
}

// exact is the unrounded tax of an amount, each component and all together, as
// big fractions: an independent way to the same figures.
func exact(l tax.Line, inclusive bool) (each []*big.Rat, all *big.Rat) {
	all = new(big.Rat)
	for _, c := range l.Treatment.Components {
		part := big.NewRat(c.PPM, tax.MaxPPM)
		if c.Compound {
			part.Mul(part, new(big.Rat).Add(big.NewRat(1, 1), all))
		}
		each = append(each, part)
		all.Add(all, part)
	}
	base := new(big.Rat).SetInt64(l.Amount.Minor())
	if inclusive {
		base.Quo(base, new(big.Rat).Add(big.NewRat(1, 1), all))
	}
	for i := range each {
		each[i] = new(big.Rat).Mul(each[i], base)
	}
	return each, new(big.Rat).Mul(all, base)
}

// off says whether got is a whole unit or more away from want.
func off(got int64, want *big.Rat, unit int64) bool {
	return new(big.Rat).Abs(new(big.Rat).Sub(new(big.Rat).SetInt64(got), want)).Cmp(big.NewRat(unit, 1)) >= 0
}

func TestComputeSumsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := anyDocument(t)
		res := d.compute(t)
		var net, taxes, groups int64
		for i, l := range res.Lines {
			amount, cost := d.lines[i].Amount.Minor(), l.Net.Minor()
			if d.inclusive {
				cost += l.Tax.Minor()
			}
			if cost != amount {
				t.Fatalf("line %d of %d: got net %v and tax %v", i, amount, l.Net, l.Tax)
			}
			var parts int64
			for _, c := range l.Taxes.Components {
				parts += c.Tax
			}
			if parts != l.Tax.Minor() {
				t.Fatalf("line %d: its taxes sum to %d, not %v", i, parts, l.Tax)
			}
			net, taxes = net+l.Net.Minor(), taxes+l.Tax.Minor()
		}
		for _, g := range res.Groups {
			groups += g.Tax
		}
		if res.Net.Minor() != net || res.Tax.Minor() != taxes || groups != taxes || res.Total.Minor() != net+taxes {
			t.Fatalf("got net %v, tax %v, total %v; lines sum to %d and %d, groups to %d", res.Net, res.Tax, res.Total, net, taxes, groups)
		}
	})
}

// TestComputeStaysWithinAUnit compares each line with exact fractions. A
// compound tax is computed on the rounded first one, which shifts it by up to
// another unit.
func TestComputeStaysWithinAUnit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := anyDocument(t)
		res := d.compute(t)
		for i, l := range res.Lines {
			each, all := exact(d.lines[i], d.inclusive)
			unit := int64(max(len(each), 1))
			if d.inclusive {
				unit = 1
			}
			if off(l.Tax.Minor(), all, unit) {
				t.Fatalf("line %d: got tax %v, exact is %s", i, l.Tax, all.FloatString(4))
			}
			for j, c := range l.Taxes.Components {
				unit := int64(1)
				if c.Compound && !d.inclusive {
					unit = 2
				}
				if off(c.Tax, each[j], unit) {
					t.Fatalf("line %d, %s: got %d, exact is %s", i, c.Name, c.Tax, each[j].FloatString(4))
				}
			}
		}
	})
}

// TestComputePerDocumentRoundsOnce: each row of an exclusive breakdown is its
// base times its rate, rounded half away from zero.
func TestComputePerDocumentRoundsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := anyDocument(t)
		d.rounding, d.inclusive = tax.PerDocument, false
		for _, g := range d.compute(t).Groups {
			if g.PPM == 0 {
				continue
			}
			exact := new(big.Rat).Mul(big.NewRat(g.PPM, tax.MaxPPM), new(big.Rat).SetInt64(g.Base))
			twice := new(big.Rat).Sub(exact, new(big.Rat).SetInt64(g.Tax))
			if twice.Abs(twice).Cmp(big.NewRat(1, 2)) > 0 {
				t.Fatalf("%s: got %d, exact is %s", g.Name, g.Tax, exact.FloatString(4))
			}
		}
	})
}

func TestComputeMirrors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := anyDocument(t)
		turned := document{rounding: d.rounding, inclusive: d.inclusive}
		for _, l := range d.lines {
			turned.lines = append(turned.lines, tax.Line{Amount: l.Amount.Neg(), Treatment: l.Treatment})
		}
		res, back := d.compute(t), turned.compute(t)
		for i, l := range res.Lines {
			want, got := l.Neg(), back.Lines[i]
			if got.Net != want.Net || got.Tax != want.Tax {
				t.Fatalf("line %d: got net %v, tax %v, want %v, %v", i, got.Net, got.Tax, want.Net, want.Tax)
			}
			for j, c := range got.Taxes.Components {
				if c != want.Taxes.Components[j] {
					t.Fatalf("line %d: got %+v, want %+v", i, c, want.Taxes.Components[j])
				}
			}
		}
	})
}

// TestCreditsSumToTheLine takes lines back in random steps.
func TestCreditsSumToTheLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := anyDocument(t)
		line := d.compute(t).Lines[0]
		code, net := line.Net.Currency(), line.Net.Minor()
		var credited, taxed int64
		each := make([]int64, len(line.Taxes.Components))
		for credited != net || net == 0 {
			more := net - credited
			if rapid.Bool().Draw(t, "in part") && more != 0 {
				more = rapid.Int64Range(min(more, 0), max(more, 0)).Draw(t, "more")
			}
			c, err := line.Credit(money.Must(credited, code), money.Must(more, code))
			if err != nil {
				t.Fatalf("Credit %d after %d of %d: %v", more, credited, net, err)
			}
			credited, taxed = credited+more, taxed+c.Tax.Minor()
			var parts int64
			for i, p := range c.Taxes.Components {
				each[i] += p.Tax
				parts += p.Tax
			}
			if parts != c.Tax.Minor() {
				t.Fatalf("the credit's taxes sum to %d, not %v", parts, c.Tax)
			}
			if net == 0 {
				break
			}
		}
		if taxed != line.Tax.Minor() {
			t.Fatalf("all credits together take back %d of %v", taxed, line.Tax)
		}
		for i, c := range line.Taxes.Components {
			if each[i] != c.Tax {
				t.Fatalf("%s: all credits together take back %d of %d", c.Name, each[i], c.Tax)
			}
		}
	})
}
