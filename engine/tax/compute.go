package tax

import (
	"errors"
	"fmt"
	"slices"

	"github.com/ezscale/ezscale/engine/money"
)

// ErrNoLines reports a document without lines, which has no currency either.
var ErrNoLines = errors.New("a document has at least one line")

// Line is what is to be taxed.
type Line struct {
	// Amount as priced: gross where prices contain the tax, else net. Discounts
	// are negative.
	Amount    money.Amount
	Treatment Treatment
	// Of is the position, from 1, of the line that this one is a discount on; 0 for
	// none. A line and its discounts are rounded together, so that discounts that
	// take all of it take all of its tax, too.
	Of int
	// Given is a split that is known already, as of the credit for an earlier
	// line: it is taken as it is and added up. Amount and Treatment do not count.
	Given *Split
}

// Split is a line's net and tax. Net + Tax is what the line costs.
type Split struct {
	Net   money.Amount
	Tax   money.Amount
	Taxes LineTaxes
}

// Result is the tax of a document. Its lines sum to its groups, and the groups'
// taxes to Tax; Total = Net + Tax.
type Result struct {
	Lines  []Split // in the order of the lines given
	Groups []Group // in the order of their first line
	Net    money.Amount
	Tax    money.Amount
	Total  money.Amount
}

// Compute taxes the lines of one document, all in one currency. Exclusive: the
// tax comes on top of each net. Inclusive: the total is exactly the sum of the
// amounts, and the net is what the tax leaves of them. PerLine rounds each tax
// of each line with its discounts half away from zero, and shares it out over them. PerDocument rounds each tax once, on the sum
// of its lines, and shares it out so that they sum to it and each is within one
// minor unit of its own exact tax. The result of turned signs is the result
// turned around. Errors: ErrPolicy, ErrNoLines, money.ErrMismatch,
// money.ErrOverflow.
func Compute(rounding Rounding, inclusive bool, lines []Line) (Result, error) {
	if rounding != PerLine && rounding != PerDocument {
		return Result{}, fmt.Errorf("compute tax: %w: rounding %q", ErrPolicy, rounding)
	}
	s, err := newSheet(lines)
	if err != nil {
		return Result{}, fmt.Errorf("compute tax: %w", err)
	}
	if inclusive {
		s.extract(s.bundles(rounding))
	} else {
		for level := range Levels {
			s.add(level, s.sharing(rounding, level))
		}
	}
	res, err := s.result()
	if err != nil {
		return Result{}, fmt.Errorf("compute tax: %w", err)
	}
	return res, nil
}

// sheet is the working paper of one document, all in minor units.
type sheet struct {
	lines    []Line
	currency string
	net      []int64
	taxes    [][Levels]taken // by line and position among its components
}

// taken is one tax of one line.
type taken struct{ base, tax int64 }

func newSheet(lines []Line) (*sheet, error) {
	if len(lines) == 0 {
		return nil, ErrNoLines
	}
	s := &sheet{lines: lines, net: make([]int64, len(lines)), taxes: make([][Levels]taken, len(lines))}
	var sum money.Amount
	for i, l := range lines {
		amount := l.Amount
		if l.Given != nil {
			amount = l.Given.Net
		}
		if i == 0 {
			s.currency = amount.Currency()
			sum, _ = money.New(0, s.currency) // of no currency: the addition below refuses
		}
		var err error
		if sum, err = sum.Add(amount); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		if len(l.Treatment.Components) > Levels {
			return nil, fmt.Errorf("line %d: %w: more than %d taxes", i+1, ErrRate, Levels)
		}
		s.net[i] = amount.Minor()
	}
	return s, nil
}

// components are a line's taxes that are still to be computed.
func (s *sheet) components(i int) []Component {
	if s.lines[i].Given != nil {
		return nil
	}
	return s.lines[i].Treatment.Components
}

// sharing groups the lines whose tax at a position is rounded together: those of
// the same component, or each for itself with its discounts.
func (s *sheet) sharing(rounding Rounding, level int) [][]int {
	return s.collect(rounding, level, func(a, b []Component) bool { return len(b) > level && a[level] == b[level] })
}

// bundles groups the lines whose taxes are all the same.
func (s *sheet) bundles(rounding Rounding) [][]int {
	return s.collect(rounding, 0, slices.Equal[[]Component])
}

// collect groups the lines that have a tax at a position with the first one that
// is alike. Documents have few kinds of tax, so a search beats a map.
func (s *sheet) collect(rounding Rounding, level int, alike func(a, b []Component) bool) (groups [][]int) {
	for i := range s.lines {
		mine := s.components(i)
		if level >= len(mine) {
			continue
		}
		g := slices.IndexFunc(groups, func(group []int) bool {
			return (rounding == PerDocument || s.root(group[0]) == s.root(i)) && alike(mine, s.components(group[0]))
		})
		if g < 0 {
			groups = append(groups, []int{i})
			continue
		}
		groups[g] = append(groups[g], i)
	}
	return groups
}

// root is the position, from 1, of the line that a line belongs to: of a discount
// its own, else itself.
func (s *sheet) root(i int) int {
	if of := s.lines[i].Of; of > 0 {
		return of
	}
	return i + 1
}

// add puts one tax on top of the lines of each group.
func (s *sheet) add(level int, groups [][]int) {
	for _, group := range groups {
		c := s.components(group[0])[level]
		bases := make([]int64, len(group))
		for j, i := range group {
			bases[j] = s.base(i, level, c)
		}
		for j, part := range share(perPPM(c.PPM), bases) {
			s.taxes[group[j]][level] = taken{bases[j], part}
		}
	}
}

// base is what a component is a share of: the net, and for a compound one the
// taxes before it.
func (s *sheet) base(i, level int, c Component) int64 {
	base := s.net[i]
	if c.Compound {
		for _, before := range s.taxes[i][:level] {
			base += before.tax
		}
	}
	return base
}

// share is spread for bases of any sign.
func share(r ratio, bases []int64) []int64 {
	turned := mirrored(bases)
	parts := r.spread(turn(bases, turned))
	return turn(parts, turned)
}

// turn returns the numbers with the other sign, if asked to.
func turn(numbers []int64, really bool) []int64 {
	if !really {
		return numbers
	}
	turned := make([]int64, len(numbers))
	for i, n := range numbers {
		turned[i] = -n
	}
	return turned
}
