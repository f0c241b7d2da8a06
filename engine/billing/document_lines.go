package billing

import (
	"fmt"

	"github.com/ezscale/ezscale/engine/money"
)

// This file turns plans into the lines of a document. Preview and invoice are
// both made of them, so that they cannot differ.

// AppendLines puts the lines of one more subscription onto a document, behind those
// that it has: positions of parents are moved along.
func AppendLines(document, lines []Line) []Line {
	before := len(document)
	document = append(document, lines...)
	for i := before; i < len(document); i++ {
		if document[i].Parent > 0 {
			document[i].Parent += before
		}
	}
	return document
}

// withDiscounts puts each line's discounts behind it. Parents are positions
// within the result.
func withDiscounts(lines []Line, discounts []DiscountLine) []Line {
	all := make([]Line, 0, len(lines)+len(discounts))
	for i, l := range lines {
		all = append(all, l)
		parent := len(all)
		for _, d := range discounts {
			if d.Line == i {
				all = append(all, d.document(l, parent))
			}
		}
	}
	return all
}

// document is the discount's line, for the same days and tax date as the line it
// is taken off.
func (d DiscountLine) document(of Line, parent int) Line {
	detail := Detail{Plan: of.Detail.Plan, Number: of.Detail.Number, BasisPoints: d.Terms.BasisPoints, FullMinor: d.Terms.Minor, Coupon: d.Terms.Code}
	if d.Terms.Kind == BundleDiscount {
		detail.Coupon, detail.Bundle = "", d.Terms.Code
	}
	line := InvoiceLine{Description: d.Description, Quantity: 1, UnitPrice: d.Amount, Amount: d.Amount, Period: of.Period}
	return Line{InvoiceLine: line, Kind: LineDiscount, TaxDate: of.TaxDate, Subscription: of.Subscription, Item: of.Item, Parent: parent, Detail: detail}
}

// Document is what the invoice of a due period says, discounts behind their
// lines.
func (d PeriodDue) Document(subscription string, cycle Cycle) []Line {
	lines := make([]Line, 0, len(d.Lines))
	for _, l := range d.Lines {
		lines = append(lines, Line{
			InvoiceLine: l.InvoiceLine, Kind: l.Kind, TaxDate: d.Period.Start, Subscription: subscription, Item: l.Item,
			Detail: Detail{Cycle: cycle, Number: d.Number, Quantity: l.Quantity, FullMinor: l.Amount.Minor()},
		})
	}
	return withDiscounts(lines, d.Discounts)
}

// Document is what a change charges, discounts behind their lines. A part of a
// period is of the kind LineCharge, so that it never counts as having billed its
// period; a full one is of its item's own kind. The lines must be written after
// the credits are taken: a period invoiced ahead is billed again by them.
func (c Change) Document(subscription string) []Line {
	lines := make([]Line, 0, len(c.Charges))
	for _, l := range c.Charges {
		line := Line{
			InvoiceLine: l.InvoiceLine, Kind: l.Kind, TaxDate: l.Period.Start, Subscription: subscription, Item: l.Item,
			Detail: Detail{Cycle: c.Schedule.Cycle, Number: l.Number, Days: l.Share.Days, TotalDays: l.Share.Of, FullMinor: l.Full.Minor(), Quantity: l.Units},
		}
		if l.Share.Days != l.Share.Of {
			line.Kind = LineCharge
		}
		lines = append(lines, line)
	}
	return withDiscounts(lines, c.Discounts)
}

// Document is the line that takes amount of an old line's credit off an invoice.
func (p CreditPart) Document(subscription string, amount money.Amount) Line {
	line := InvoiceLine{Description: p.Description, Quantity: 1, UnitPrice: amount.Neg(), Amount: amount.Neg(), Period: p.Period}
	return Line{
		InvoiceLine: line, Kind: LineUnused, Subscription: subscription, Item: p.Item,
		Detail: Detail{Line: p.Line, Days: p.Days, TotalDays: p.Of, FullMinor: p.Full.Minor()},
	}
}

// FitCredits says how much of each credit an invoice can take so that it does
// not fall below zero: in their order, until room is used up, which is what the
// charges come to with tax. The rest of each is for a credit note. Credits of
// open invoices take no part: they lower those. gross tells what taking an amount
// of a credit comes to with tax; it must not fall when the amount grows.
func FitCredits(credits []CreditPart, room money.Amount, gross func(p CreditPart, amount money.Amount) (money.Amount, error)) (on, rest []money.Amount, err error) {
	for _, p := range credits {
		take, used, err := p.fit(room, gross)
		if err != nil {
			return nil, nil, fmt.Errorf("credit of %s: %w", p.Description, err)
		}
		if room, err = room.Sub(used); err != nil {
			return nil, nil, fmt.Errorf("credit of %s: %w", p.Description, err)
		}
		left, err := p.Amount.Sub(take)
		if err != nil {
			return nil, nil, err
		}
		on, rest = append(on, take), append(rest, left)
	}
	return on, rest, nil
}

// fit finds the most of a credit whose gross is within room, and that gross.
func (p CreditPart) fit(room money.Amount, gross func(CreditPart, money.Amount) (money.Amount, error)) (take, used money.Amount, err error) {
	take, used = p.Amount.Zero(), p.Amount.Zero()
	low, high := int64(0), p.Amount.Minor() // low fits
	if p.Open {
		high = 0
	}
	for try := high; low < high; try = high - (high-low)/2 { // all of it first
		sum, err := gross(p, money.Must(try, take.Currency()))
		if err != nil {
			return take, used, err
		}
		above, err := sum.Cmp(room)
		if err != nil {
			return take, used, err
		}
		if above > 0 {
			high = try - 1
		} else {
			low, used = try, sum
		}
	}
	return money.Must(low, take.Currency()), used, nil
}
