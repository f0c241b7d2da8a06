package tax

import (
	"errors"
	"fmt"

	"github.com/ezscale/ezscale/engine/money"
)

// ErrCredit reports a credit that exceeds its line or turns against it.
var ErrCredit = errors.New("credit exceeds the line")

// Credit returns the tax to credit when, of a line of the given net and tax,
// credited was taken back before and more is taken back now, all net. The tax
// of everything credited so far is always tax × credited ÷ net, rounded half
// away from zero, so that the credits of a whole line sum exactly to its tax. A
// line that was negative has negative credits; one without net (a unit that is
// all tax) is credited whole at once. Errors: ErrCredit, money.ErrMismatch.
func Credit(tax, net, credited, more money.Amount) (money.Amount, error) {
	after, err := credited.Add(more)
	if err != nil {
		return money.Amount{}, fmt.Errorf("credit %s: %w", more, err)
	}
	if tax.Currency() != net.Currency() || net.Currency() != after.Currency() {
		return money.Amount{}, fmt.Errorf("credit %s of %s and tax %s: %w", more, net, tax, money.ErrMismatch)
	}
	if !within(credited, net) || !within(after, net) || more.Sign()*net.Sign() < 0 {
		return money.Amount{}, fmt.Errorf("credit %s of %s, %s before: %w", more, net, credited, ErrCredit)
	}
	return money.New(step(tax.Minor(), credited.Minor(), after.Minor(), net.Minor()), tax.Currency())
}

// Credit returns what to take back of a line when more of its net is credited
// after credited was before: the net, the tax and the taxes each, all of the
// line's own sign. The second of two taxes is what the first leaves of the sum.
// Errors: ErrCredit, money.ErrMismatch.
func (s Split) Credit(credited, more money.Amount) (Split, error) {
	tax, err := Credit(s.Tax, s.Net, credited, more)
	if err != nil {
		return Split{}, err
	}
	out := Split{Net: more, Tax: tax, Taxes: s.Taxes}
	out.Taxes.Components = make([]ComponentTax, len(s.Taxes.Components))
	left, base := tax.Minor(), more.Minor()
	for i, c := range s.Taxes.Components {
		part := left
		if i < len(s.Taxes.Components)-1 {
			part = step(c.Tax, credited.Minor(), credited.Minor()+more.Minor(), s.Net.Minor())
		}
		credit := ComponentTax{c.Component, more.Minor(), part}
		if c.Compound {
			credit.Base = base
		}
		out.Taxes.Components[i] = credit
		left -= part
		base += part
	}
	return out, nil
}

// Neg returns the split with the other sign, as the line of a document that
// takes it off.
func (s Split) Neg() Split {
	out := Split{Net: s.Net.Neg(), Tax: s.Tax.Neg(), Taxes: s.Taxes}
	out.Taxes.Components = make([]ComponentTax, len(s.Taxes.Components))
	for i, c := range s.Taxes.Components {
		out.Taxes.Components[i] = ComponentTax{c.Component, -c.Base, -c.Tax}
	}
	return out
}

// within says whether part lies between nothing and all.
func within(part, all money.Amount) bool {
	if all.Sign() < 0 {
		part, all = part.Neg(), all.Neg()
	}
	return part.Sign() >= 0 && part.Minor() <= all.Minor()
}

// step is what of a tax falls between two portions of its net.
func step(tax, before, after, net int64) int64 {
	if net == 0 {
		return tax
	}
	return portion(tax, after, net) - portion(tax, before, net)
}

// portion is tax × part ÷ all, rounded half away from zero; part lies within
// all, which is not zero.
func portion(tax, part, all int64) int64 {
	if all < 0 {
		part, all = -part, -all
	}
	return ratio{uint64(part), uint64(all)}.round(tax)
}
