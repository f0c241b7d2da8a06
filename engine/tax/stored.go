package tax

import (
	"slices"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

// ComponentTax is one tax of a line: what it is a share of and how much it is,
// in minor units of the document's currency.
type ComponentTax struct {
	Component
	Base int64 `json:"base_minor"`
	Tax  int64 `json:"tax_minor"`
}

// LineTaxes is what a line stores of its tax. Nothing else is needed to print,
// correct or credit the line, whatever rates become.
type LineTaxes struct {
	Category   Category       `json:"category"`
	Reason     Reason         `json:"reason,omitempty"`
	Note       string         `json:"note,omitempty"`
	Date       string         `json:"date"` // the day whose rates these are, 2006-01-02
	Components []ComponentTax `json:"components,omitempty"`
}

// Group is one row of a document's breakdown: the lines of one category and
// component together, in minor units of its currency. Lines without tax group
// by category and reason.
type Group struct {
	Category Category `json:"category"`
	Reason   Reason   `json:"reason,omitempty"`
	Note     string   `json:"note,omitempty"`
	Component
	Base int64 `json:"base_minor"`
	Tax  int64 `json:"tax_minor"`
}

// Breakdown groups the lines of a document; nets are theirs, in the same order.
func Breakdown(lines []LineTaxes, nets []int64) []Group {
	var groups []Group
	add := func(l LineTaxes, c ComponentTax) {
		row := Group{Category: l.Category, Reason: l.Reason, Note: l.Note, Component: c.Component}
		g := slices.IndexFunc(groups, func(g Group) bool {
			g.Base, g.Tax = 0, 0
			return g == row
		})
		if g < 0 {
			g = len(groups)
			groups = append(groups, row)
		}
		groups[g].Base += c.Base
		groups[g].Tax += c.Tax
	}
	for i, l := range lines {
		for _, c := range l.Components {
			add(l, c)
		}
		if len(l.Components) == 0 {
			add(l, ComponentTax{Base: nets[i]})
		}
	}
	return groups
}

// result puts the working paper into amounts.
func (s *sheet) result() (Result, error) {
	res := Result{Lines: make([]Split, len(s.lines))}
	taxes, nets := make([]LineTaxes, len(s.lines)), make([]int64, len(s.lines))
	all := [2][]money.Amount{}
	for i := range s.lines {
		split, err := s.split(i)
		if err != nil {
			return Result{}, err
		}
		res.Lines[i], taxes[i], nets[i] = split, split.Taxes, split.Net.Minor()
		all[0], all[1] = append(all[0], split.Net), append(all[1], split.Tax)
	}
	res.Groups = Breakdown(taxes, nets)
	var err error
	if res.Net, err = money.Sum(s.currency, all[0]...); err != nil {
		return Result{}, err
	}
	if res.Tax, err = money.Sum(s.currency, all[1]...); err != nil {
		return Result{}, err
	}
	res.Total, err = res.Net.Add(res.Tax)
	return res, err
}

// split is what has become of a line.
func (s *sheet) split(i int) (Split, error) {
	if given := s.lines[i].Given; given != nil {
		return *given, nil
	}
	t := s.lines[i].Treatment
	taxes := LineTaxes{Category: t.Category, Reason: t.Reason, Note: t.Note, Date: t.Date.Format(time.DateOnly)}
	var sum int64
	for level, c := range t.Components {
		part := s.taxes[i][level]
		taxes.Components = append(taxes.Components, ComponentTax{c, part.base, part.tax})
		sum += part.tax
	}
	net, err := money.New(s.net[i], s.currency)
	if err != nil {
		return Split{}, err
	}
	tax, err := money.New(sum, s.currency)
	return Split{Net: net, Tax: tax, Taxes: taxes}, err
}
