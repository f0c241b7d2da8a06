package billing

import (
	"errors"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/hooks/books"
)

// laterPrice is what will be due again, with its tax.
type laterPrice struct {
	Cycle   billing.Cycle
	Next    time.Time
	Amount  money.Amount // at Next; of an hour
	Regular money.Amount // once limited discounts and setup fees are over
	Cap     money.Amount // by the hour: of a calendar month
}

// tax adds the tax to today's lines and to those of the next periods.
func (p *pricing) tax() error {
	if len(p.faults) > 0 {
		return nil
	}
	var err error
	if p.cart.pricer, err = books.NewPricer(p.app); err != nil {
		return err
	}
	if p.cart.Priced, err = p.cart.pricer.Price(p.app, p.who.Customer, p.cart.lines(), p.now); err != nil {
		return p.untaxable(err)
	}
	for _, r := range p.cart.Quote.Recurring {
		later, err := p.later(r)
		if err != nil {
			return p.untaxable(err)
		}
		p.cart.Later = append(p.cart.Later, later)
	}
	return nil
}

func (p *pricing) later(r billing.Recurring) (laterPrice, error) {
	l := laterPrice{Cycle: r.Cycle, Next: r.Next, Cap: r.Cap}
	var err error
	if l.Amount, err = p.total(r.Due, r.Next); err != nil {
		return l, err
	}
	l.Regular = l.Amount
	if r.Regular != nil {
		if l.Regular, err = p.total(r.Regular, r.Next); err != nil {
			return l, err
		}
	}
	if r.Cap.Sign() > 0 {
		l.Cap, err = p.total([]billing.Line{{InvoiceLine: billing.InvoiceLine{Quantity: 1, UnitPrice: r.Cap, Amount: r.Cap}, Kind: billing.LineHourly}}, r.Next)
	}
	return l, err
}

func (p *pricing) total(lines []billing.Line, at time.Time) (money.Amount, error) {
	priced, err := p.cart.pricer.Price(p.app, p.who.Customer, lines, at)
	return priced.Totals.Total, err
}

// untaxable makes faults of what a customer can do something about.
func (p *pricing) untaxable(err error) error {
	switch {
	case errors.Is(err, tax.ErrVATID):
		p.faults.Add("vat_id", "not_accepted", "We cannot sell to this VAT id. Please check it, or leave it out.")
		return nil
	case errors.Is(err, tax.ErrNoRate):
		p.faults.Add("country", "no_tax_rate", "We cannot sell to this country yet. Please contact us.")
		p.app.Logger().Warn("A sale failed for want of a tax rate", "error", err)
		return nil
	}
	return p.excess(err)
}
