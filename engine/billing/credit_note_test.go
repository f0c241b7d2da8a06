package billing

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/ezscale/ezscale/engine/lifecycle"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/engine/tax"
)

func issued(position, parent int, net, vat int64) IssuedLine {
	return IssuedLine{
		ID: string(rune('a' + position)), Position: position, Parent: parent, Description: "line",
		Split: tax.Split{Net: eur(net), Tax: eur(vat)}, Credited: eur(0), CreditedTax: eur(0),
	}
}

// corrected is an invoice of a plan with a discount, a setup fee, and the unused
// part of an earlier line, at 19 %.
func corrected() []IssuedLine {
	return []IssuedLine{issued(1, 0, 1000, 190), issued(2, 1, -200, -38), issued(3, 0, 500, 95), issued(4, 0, -300, -57)}
}

func TestPlanCreditNote(t *testing.T) {
	type part struct {
		line     string
		net, vat int64
		whole    bool
	}
	scenarios := []struct {
		name   string
		change func([]IssuedLine)
		wanted []CreditRequest
		want   []part
		total  int64
	}{
		{"a part of a plain line", nil, []CreditRequest{{3, eur(100)}}, []part{{"d", 100, 19, false}}, 119},
		{"all of a plain line", nil, []CreditRequest{{Position: 3}}, []part{{"d", 500, 95, true}}, 595},
		{"half of a discounted line", nil, []CreditRequest{{1, eur(400)}}, []part{{"b", 500, 95, false}, {"c", -100, -19, false}}, 476},
		{"C4 all of a discounted line is what was paid for it", nil, []CreditRequest{{Position: 1}}, []part{{"b", 1000, 190, true}, {"c", -200, -38, true}}, 952},
		{"a cent of it", nil, []CreditRequest{{1, eur(1)}}, []part{{"b", 1, 0, false}}, 1},
		{
			"the rest after an unused part that was taken off the line alone",
			func(l []IssuedLine) { l[0].Credited, l[0].CreditedTax = eur(400), eur(76) },
			[]CreditRequest{{Position: 1}},
			[]part{{"b", 600, 114, true}, {"c", -200, -38, true}},
			476,
		},
		{
			"a part after that",
			func(l []IssuedLine) { l[0].Credited, l[0].CreditedTax = eur(400), eur(76) },
			[]CreditRequest{{1, eur(100)}},
			[]part{{"b", 225, 43, false}, {"c", -125, -24, false}},
			119,
		},
		{"an unused part with what it was set against", nil, []CreditRequest{{Position: 3}, {Position: 4}}, []part{{"d", 500, 95, true}, {"e", -300, -57, true}}, 238},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			lines := corrected()
			if s.change != nil {
				s.change(lines)
			}
			note, err := PlanCreditNote(lines, s.wanted)
			if err != nil {
				t.Fatal(err)
			}
			got := []part{}
			for _, l := range note.Lines {
				got = append(got, part{l.Line, l.Split.Net.Minor(), l.Split.Tax.Minor(), l.Whole})
			}
			if !slices.Equal(got, s.want) || note.Totals.Total != eur(s.total) {
				t.Errorf("got %v for %s, want %v for %d", got, note.Totals.Total, s.want, s.total)
			}
		})
	}
	note, err := CreditAll(corrected())
	if want := (Totals{eur(1000), eur(190), eur(1190)}); err != nil || note.Totals != want || len(note.Lines) != 4 {
		t.Errorf("all of it: got %+v, error %v, want %+v", note, err, want)
	}
}

func TestCreditNoteRefuses(t *testing.T) {
	spent := corrected()
	for i := range spent {
		spent[i].Credited, spent[i].CreditedTax = spent[i].Split.Net, spent[i].Split.Tax
	}
	scenarios := []struct {
		name   string
		lines  []IssuedLine
		wanted []CreditRequest
		want   error
	}{
		{"a cent too much", corrected(), []CreditRequest{{3, eur(501)}}, ErrCreditTooMuch},
		{"C4 the list price of a discounted line", corrected(), []CreditRequest{{1, eur(1000)}}, ErrCreditTooMuch},
		{"more of a spent line", spent, []CreditRequest{{3, eur(1)}}, ErrCreditTooMuch},
		{"the rest of a spent line", spent, []CreditRequest{{Position: 3}}, ErrCreditNothing},
		{"nothing of a line", corrected(), []CreditRequest{{3, eur(0)}}, ErrCreditNothing},
		{"less than nothing", corrected(), []CreditRequest{{3, eur(-1)}}, ErrCreditNothing},
		{"nothing wanted", corrected(), nil, ErrCreditNothing},
		{"no lines", nil, []CreditRequest{{Position: 1}}, ErrCreditNothing},
		{"another currency", corrected(), []CreditRequest{{3, money.Must(1, "USD")}}, money.ErrMismatch},
		{"a discount alone", corrected(), []CreditRequest{{2, eur(-1)}}, nil},
		{"an unused part alone", corrected(), []CreditRequest{{Position: 4}}, nil},
		{"no such line", corrected(), []CreditRequest{{Position: 9}}, nil},
		{"no position", corrected(), []CreditRequest{{Position: 0}}, nil},
		{"a line twice", corrected(), []CreditRequest{{3, eur(1)}, {3, eur(1)}}, nil},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if note, err := PlanCreditNote(s.lines, s.wanted); err == nil || s.want != nil && !errors.Is(err, s.want) {
				t.Errorf("got %+v, error %v, want error %v", note, err, s.want)
			}
		})
	}
}

// TestCreditOfTaxAlone: a line so small that all of it is tax is credited once.
func TestCreditOfTaxAlone(t *testing.T) {
	lines := []IssuedLine{issued(1, 0, 0, 1), issued(2, 0, 0, 0)}
	note, err := CreditAll(lines)
	if err != nil || len(note.Lines) != 1 || note.Totals.Tax != eur(1) {
		t.Fatalf("got %+v, error %v, want the cent of tax", note, err)
	}
	lines[0].CreditedTax = eur(1)
	if note, err := CreditAll(lines); !errors.Is(err, ErrCreditNothing) {
		t.Errorf("again: got %+v, error %v, want %v", note, err, ErrCreditNothing)
	}
}

// TestCreditsSumToTheInvoice credits random lines in random parts until nothing
// is left: no step goes beyond a line, and together they are exactly the
// invoice's net and tax.
func TestCreditsSumToTheInvoice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := drawIssued(t)
		var net, vat, wantNet, wantTax int64
		for _, l := range lines {
			wantNet, wantTax = wantNet+l.Split.Net.Minor(), wantTax+l.Split.Tax.Minor()
		}
		for range rapid.IntRange(0, 8).Draw(t, "parts") {
			position := lines[rapid.IntRange(0, len(lines)-1).Draw(t, "line")].Position
			note, err := PlanCreditNote(lines, []CreditRequest{{position, eur(rapid.Int64Range(1, 3000).Draw(t, "amount"))}})
			if err != nil {
				continue
			}
			n, v := bookCredit(t, lines, note)
			net, vat = net+n, vat+v
		}
		if note, err := CreditAll(lines); err == nil {
			n, v := bookCredit(t, lines, note)
			net, vat = net+n, vat+v
		} else if !errors.Is(err, ErrCreditNothing) {
			t.Fatal(err)
		}
		if rest := wantNet + wantTax - net - vat; net != wantNet || vat != wantTax {
			if rest >= 0 || wantNet < net { // but for what rounding makes less than nothing
				t.Fatalf("credited %d and %d tax of %d and %d", net, vat, wantNet, wantTax)
			}
			return
		}
		if note, err := CreditAll(lines); !errors.Is(err, ErrCreditNothing) {
			t.Fatalf("there is more: %+v, error %v", note, err)
		}
	})
}

// drawIssued draws lines at 19 %, some with one or two discounts. A line and its
// discounts are rounded together, as the product does.
func drawIssued(t *rapid.T) []IssuedLine {
	lines := []IssuedLine{}
	vat := func(net int64) int64 {
		of, err := eur(net).BasisPoints(1900)
		if err != nil {
			t.Fatal(err)
		}
		return of.Minor()
	}
	for range rapid.IntRange(1, 4).Draw(t, "lines") {
		left := rapid.Int64Range(1, 3000).Draw(t, "net")
		parent := len(lines) + 1
		lines = append(lines, issued(parent, 0, left, vat(left)))
		for range rapid.IntRange(0, 2).Draw(t, "discounts") {
			if off := rapid.Int64Range(0, left).Draw(t, "off"); off > 0 {
				lines = append(lines, issued(len(lines)+1, parent, -off, vat(left-off)-vat(left)))
				left -= off
			}
		}
	}
	return lines
}

// bookCredit notes a credit on its lines, as the database would, and refuses
// what the database would refuse.
func bookCredit(t *rapid.T, lines []IssuedLine, note CreditNote) (net, vat int64) {
	for _, l := range note.Lines {
		i := slices.IndexFunc(lines, func(o IssuedLine) bool { return o.ID == l.Line })
		o := &lines[i]
		o.Credited, o.CreditedTax = eur(o.Credited.Minor()+l.Split.Net.Minor()), eur(o.CreditedTax.Minor()+l.Split.Tax.Minor())
		for _, pair := range [][2]int64{{o.Credited.Minor(), o.Split.Net.Minor()}, {o.CreditedTax.Minor(), o.Split.Tax.Minor()}} {
			if abs(pair[0]) > abs(pair[1]) || pair[0] < 0 && pair[1] > 0 || pair[0] > 0 && pair[1] < 0 {
				t.Fatalf("line %s: %d credited of %d", o.ID, pair[0], pair[1])
			}
		}
		if l.Whole != (o.Credited == o.Split.Net) {
			t.Fatalf("line %s: whole is %v with %s of %s credited", o.ID, l.Whole, o.Credited, o.Split.Net)
		}
		net, vat = net+l.Split.Net.Minor(), vat+l.Split.Tax.Minor()
	}
	if total := net + vat; total != note.Totals.Total.Minor() || total < 0 {
		t.Fatalf("lines of %d, totals %+v", total, note.Totals)
	}
	return net, vat
}

// TestCreditPriced gives a line back in random parts of its price: they never
// exceed it, and where prices include tax each part is the amount asked for,
// give or take one minor unit of rounding.
func TestCreditPriced(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		inclusive := rapid.Bool().Draw(t, "inclusive")
		l := drawIssued(t)[0]
		price := l.Split.Net.Minor()
		if inclusive {
			price += l.Split.Tax.Minor()
		}
		left := price
		for left > 0 {
			part := rapid.Int64Range(1, left).Draw(t, "part")
			split, err := CreditPriced(l, inclusive, eur(part))
			if err != nil {
				t.Fatal(err)
			}
			got := split.Net.Minor()
			if inclusive {
				got += split.Tax.Minor()
			}
			if got < part-1 || got > part+1 || !inclusive && got != part {
				t.Fatalf("%d of %d: got %d", part, price, got)
			}
			l.Credited, l.CreditedTax = eur(l.Credited.Minor()+split.Net.Minor()), eur(l.CreditedTax.Minor()+split.Tax.Minor())
			left -= part
			if inclusive { // what rounding left over is the next part's
				left = price - l.Credited.Minor() - l.CreditedTax.Minor()
			}
		}
		if l.Credited != l.Split.Net || l.CreditedTax != l.Split.Tax {
			t.Fatalf("credited %s and %s of %s and %s", l.Credited, l.CreditedTax, l.Split.Net, l.Split.Tax)
		}
		if split, err := CreditPriced(l, inclusive, eur(1)); err == nil {
			t.Fatalf("more than all: %+v", split)
		}
	})
}

func TestSplitCredit(t *testing.T) {
	scenarios := []struct {
		name                  string
		status                InvoiceStatus
		owed, paid, total     int64
		applied, excess, rest int64
		want                  InvoiceStatus
		err                   error
	}{
		{"a part of what is owed", InvoiceOpen, 1000, 0, 400, 400, 0, 600, InvoiceOpen, nil},
		{"all of an unpaid invoice", InvoiceOpen, 1000, 0, 1000, 1000, 0, 0, InvoiceVoid, nil},
		{"the rest of a part-paid invoice", InvoiceOpen, 600, 400, 600, 600, 0, 0, InvoicePaid, nil},
		{"more than is owed of a part-paid invoice", InvoiceOpen, 600, 400, 900, 600, 300, 0, InvoicePaid, nil},
		{"all of a part-paid invoice", InvoiceOpen, 600, 400, 1000, 600, 400, 0, InvoicePaid, nil},
		{"a part of a paid invoice", InvoicePaid, 0, 1000, 400, 0, 400, 0, InvoicePaid, nil},
		{"all of a paid invoice", InvoicePaid, 0, 1000, 1000, 0, 1000, 0, InvoicePaid, nil},
		{"nothing, of lines that are free", InvoicePaid, 0, 1000, 0, 0, 0, 0, InvoicePaid, nil},
		{"a part of a written-off invoice", InvoiceUncollectible, 1000, 0, 400, 400, 0, 600, InvoiceUncollectible, nil},
		{"all of a written-off invoice", InvoiceUncollectible, 1000, 0, 1000, 1000, 0, 0, InvoiceVoid, nil},
		{"too much", InvoiceOpen, 600, 400, 1001, 0, 0, 0, "", ErrCreditTooMuch},
		{"less than nothing", InvoiceOpen, 600, 400, -1, 0, 0, 0, "", ErrCreditTooMuch},
		{"a draft", InvoiceDraft, 1000, 0, 400, 0, 0, 0, "", lifecycle.ErrTransition},
		{"a void invoice", InvoiceVoid, 0, 0, 0, 0, 0, 0, "", lifecycle.ErrTransition},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got, err := SplitCredit(s.status, eur(s.owed), eur(s.paid), eur(s.total))
			want := Application{eur(s.applied), eur(s.excess), eur(s.rest), s.want}
			if s.err != nil {
				want = Application{}
			}
			if !errors.Is(err, s.err) || got != want {
				t.Errorf("got %+v, error %v, want %+v, error %v", got, err, want, s.err)
			}
			if err == nil {
				if err := CheckInvoiceTransition(s.status, got.Status); err != nil {
					t.Error(err)
				}
			}
		})
	}
	if _, err := SplitCredit(InvoiceOpen, eur(5), eur(0), money.Must(5, "USD")); !errors.Is(err, money.ErrMismatch) {
		t.Errorf("another currency: got error %v, want %v", err, money.ErrMismatch)
	}
}
