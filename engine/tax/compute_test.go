package tax_test

import (
	"errors"
	"testing"

	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/engine/tax"
)

// at is a treatment of one tax.
func at(ppm int64) tax.Treatment {
	return tax.Treatment{
		Category: tax.Standard, Date: on("2026-03-01"),
		Components: []tax.Component{{Name: "VAT", Country: "DE", Level: 1, PPM: ppm}},
	}
}

// quebec is a treatment of two taxes; the second may be compound.
func quebec(ppm int64, compound bool) tax.Treatment {
	t := at(50_000)
	t.Components = append(t.Components, tax.Component{Name: "QST", Country: "CA", Region: "QC", Level: 2, PPM: ppm, Compound: compound})
	return t
}

func untaxed(c tax.Category, why tax.Reason) tax.Treatment {
	return tax.Treatment{Category: c, Reason: why, Date: on("2026-03-01")}
}

// taxesOf lists the lines' taxes.
func taxesOf(res tax.Result) (minors []int64) {
	for _, l := range res.Lines {
		minors = append(minors, l.Tax.Minor())
	}
	return minors
}

func equal(a, b []int64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestCompute(t *testing.T) {
	nineteen, seven := at(190_000), at(70_000)
	scenarios := []struct {
		name      string
		rounding  tax.Rounding
		inclusive bool
		lines     []tax.Line
		taxes     []int64
		net, tax  int64
	}{
		{"exclusive", tax.PerLine, false, []tax.Line{line(1000, nineteen)}, []int64{190}, 1000, 190},
		{"inclusive", tax.PerLine, true, []tax.Line{line(1190, nineteen)}, []int64{190}, 1000, 190},
		{"half rounds away from zero", tax.PerLine, false, []tax.Line{line(50, nineteen), line(-50, nineteen)}, []int64{10, -10}, 0, 0},
		{"three lines, each rounded", tax.PerLine, false, []tax.Line{line(333, nineteen), line(333, nineteen), line(333, nineteen)}, []int64{63, 63, 63}, 999, 189},
		{"three lines, rounded together", tax.PerDocument, false, []tax.Line{line(333, nineteen), line(333, nineteen), line(333, nineteen)}, []int64{64, 63, 63}, 999, 190},
		{"two rates round apart", tax.PerDocument, false, []tax.Line{line(333, nineteen), line(333, seven)}, []int64{63, 23}, 666, 86},
		{"a discount takes its tax along", tax.PerDocument, false, []tax.Line{line(1005, nineteen), line(-1005, nineteen)}, []int64{191, -191}, 0, 0},
		{"inclusive with discount", tax.PerDocument, true, []tax.Line{line(1999, nineteen), line(-500, nineteen)}, []int64{319, -80}, 1260, 239},
		{"untaxed lines beside taxed ones", tax.PerDocument, false, []tax.Line{line(1000, nineteen), line(1000, untaxed(tax.Exempt, tax.ReasonExempt))}, []int64{190, 0}, 2000, 190},
		{"inclusive and untaxed: the price is the net", tax.PerLine, true, []tax.Line{line(1190, untaxed(tax.ReverseCharge, tax.ReasonReverseCharge))}, []int64{0}, 1190, 0},
		{"two taxes beside each other", tax.PerLine, false, []tax.Line{line(10_000, quebec(99_750, false))}, []int64{1498}, 10_000, 1498},
		{"the second on top of the first", tax.PerLine, false, []tax.Line{line(10_000, quebec(95_000, true))}, []int64{1498}, 10_000, 1498},
		{"two taxes contained", tax.PerLine, true, []tax.Line{line(11_498, quebec(99_750, false))}, []int64{1498}, 10_000, 1498},
		{"two taxes contained, compound", tax.PerLine, true, []tax.Line{line(11_498, quebec(95_000, true))}, []int64{1498}, 10_000, 1498},
		{"a rate of zero", tax.PerLine, false, []tax.Line{line(100, at(0))}, []int64{0}, 100, 0},
		{"a line of nothing", tax.PerDocument, false, []tax.Line{line(0, nineteen), line(100, nineteen)}, []int64{0, 19}, 100, 19},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			res := compute(t, s.rounding, s.inclusive, s.lines...)
			if got := taxesOf(res); !equal(got, s.taxes) {
				t.Errorf("got taxes %v, want %v", got, s.taxes)
			}
			if res.Net.Minor() != s.net || res.Tax.Minor() != s.tax || res.Total.Minor() != s.net+s.tax {
				t.Errorf("got net %v, tax %v, total %v, want %d and %d", res.Net, res.Tax, res.Total, s.net, s.tax)
			}
		})
	}
}

func TestComputeRefuses(t *testing.T) {
	three := at(1)
	three.Components = append(three.Components, three.Components[0], three.Components[0])
	top := money.Must(money.Limit, "EUR")
	scenarios := []struct {
		name     string
		rounding tax.Rounding
		lines    []tax.Line
		want     error
	}{
		{"no rounding", "", []tax.Line{line(1, at(1))}, tax.ErrPolicy},
		{"no lines", tax.PerLine, nil, tax.ErrNoLines},
		{"two currencies", tax.PerLine, []tax.Line{line(1, at(1)), {Amount: money.Must(1, "USD"), Treatment: at(1)}}, money.ErrMismatch},
		{"no currency", tax.PerLine, []tax.Line{{Treatment: at(1)}}, money.ErrCurrency},
		{"too much together", tax.PerLine, []tax.Line{{Amount: top, Treatment: at(1)}, {Amount: top, Treatment: at(1)}}, money.ErrOverflow},
		{"too much with tax", tax.PerLine, []tax.Line{{Amount: top, Treatment: at(1)}}, money.ErrOverflow},
		{"three taxes", tax.PerLine, []tax.Line{line(1, three)}, tax.ErrRate},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if got, err := tax.Compute(s.rounding, false, s.lines); !errors.Is(err, s.want) {
				t.Errorf("got %+v, error %v, want %v", got, err, s.want)
			}
		})
	}
}

func TestComputeGroups(t *testing.T) {
	res := compute(t, tax.PerDocument, false,
		line(1000, at(190_000)), line(10_000, quebec(95_000, true)), line(2000, at(190_000)), line(500, untaxed(tax.ReverseCharge, tax.ReasonReverseCharge)))
	want := []tax.Group{
		{Category: "S", Component: at(190_000).Components[0], Base: 3000, Tax: 570},
		{Category: "S", Component: at(50_000).Components[0], Base: 10_000, Tax: 500},
		{Category: "S", Component: quebec(95_000, true).Components[1], Base: 10_500, Tax: 998},
		{Category: "AE", Reason: tax.ReasonReverseCharge, Base: 500},
	}
	if len(res.Groups) != len(want) {
		t.Fatalf("got %+v, want %+v", res.Groups, want)
	}
	for i, g := range res.Groups {
		if g != want[i] {
			t.Errorf("group %d: got %+v, want %+v", i, g, want[i])
		}
	}
}

// TestComputeTakesGivenSplits covers the credit line of a change of plan: it
// bears the tax of the old line, not one computed anew.
func TestComputeTakesGivenSplits(t *testing.T) {
	old := compute(t, tax.PerLine, false, line(999, at(160_000))).Lines[0]
	credit, err := old.Credit(money.Must(0, "EUR"), money.Must(500, "EUR"))
	if err != nil {
		t.Fatal(err)
	}
	back := credit.Neg()
	res := compute(t, tax.PerDocument, true, line(1190, at(190_000)), tax.Line{Given: &back})
	if got, want := taxesOf(res), []int64{190, -80}; !equal(got, want) {
		t.Errorf("got taxes %v, want %v", got, want)
	}
	if len(res.Groups) != 2 || res.Groups[1].PPM != 160_000 || res.Groups[1].Base != -500 || res.Groups[1].Tax != -80 {
		t.Errorf("got groups %+v, want the old rate apart", res.Groups)
	}
	if res.Total.Minor() != 1190-580 {
		t.Errorf("got total %v, want 6.10", res.Total)
	}
}
