package invoices

import (
	"fmt"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/op"
)

// Bounds of what staff types.
const (
	mostLines    = 200
	mostQuantity = 1000
)

// lineInput is a line as staff types it. On a correction a line may copy one of
// the corrected invoice with all that it says about itself; what is given beside
// it replaces the copied.
type lineInput struct {
	Copy        int    `json:"copy,omitzero"` // position on the corrected invoice
	Description string `json:"description,omitzero"`
	Quantity    int64  `json:"quantity,omitzero"` // 1 unless given
	Unit        *int64 `json:"unit_minor,omitzero"`
	Start       string `json:"period_start,omitzero"` // first day of the period
	End         string `json:"period_end,omitzero"`   // the day after its last
	DiscountOf  int    `json:"discount_of,omitzero"`  // position of the line that this one takes off
	Note        string `json:"note,omitzero"`         // printed below the line
}

// checkLines finds what is wrong with typed lines; copies are looked at when
// there is something to copy from.
func checkLines(f *op.Fields, lines []lineInput, mayCopy bool) {
	f.Check(len(lines) <= mostLines, "lines", "too_many", fmt.Sprintf("At most %d lines fit on an invoice.", mostLines))
	for i, l := range lines {
		at := func(field string) string { return fmt.Sprintf("lines.%d.%s", i, field) }
		f.Check(l.Copy == 0 || mayCopy, at("copy"), "unknown", "Only a correction copies lines.")
		f.Check(l.Copy > 0 || strings.TrimSpace(l.Description) != "", at("description"), "required", "Say what this line is for.")
		f.Check(len(l.Description) <= 500 && len(l.Note) <= 500, at("description"), "too_long", "At most 500 characters fit.")
		f.Check(l.Quantity >= 0 && l.Quantity <= mostQuantity, at("quantity"), "out_of_range", fmt.Sprintf("Quantity must be 1 to %d.", mostQuantity))
		f.Check(l.Copy > 0 || l.Unit != nil, at("unit_minor"), "required", "Give the price of one unit, in minor units of the currency.")
		l.checkPrice(f, at)
		l.checkPeriod(f, at)
		f.Check(l.DiscountOf >= 0 && l.DiscountOf <= i, at("discount_of"), "unknown_line", "A discount stands below the line it belongs to.")
		if l.DiscountOf > 0 && l.DiscountOf <= i {
			f.Check(lines[l.DiscountOf-1].DiscountOf == 0, at("discount_of"), "unknown_line", "A discount belongs to a line, not to another discount.")
		}
	}
}

func (l lineInput) checkPrice(f *op.Fields, at func(string) string) {
	if l.Unit == nil {
		return
	}
	f.Check(*l.Unit <= money.Limit/mostQuantity && *l.Unit >= -money.Limit/mostQuantity, at("unit_minor"), "out_of_range", "The price is beyond what an invoice can hold.")
	switch {
	case l.Copy > 0:
	case l.DiscountOf > 0:
		f.Check(*l.Unit < 0, at("unit_minor"), "out_of_range", "A discount takes off: its price is below zero.")
	default:
		f.Check(*l.Unit >= 0, at("unit_minor"), "out_of_range", "A price is not below zero; use a discount of another line, or a credit note.")
	}
}

func (l lineInput) checkPeriod(f *op.Fields, at func(string) string) {
	before := len(*f)
	checkDay(f, at("period_start"), l.Start)
	checkDay(f, at("period_end"), l.End)
	if len(*f) > before || l.Start == "" && l.End == "" {
		return
	}
	f.Check(l.Start != "" && l.End != "" && l.Start < l.End, at("period_end"), "out_of_range", "A period has a first day, and the day after its last.")
}

// line is the typed line, priced. Errors: those of amounts.
func (l lineInput) line(currency string) (billing.Line, error) {
	unit, err := money.New(*l.Unit, currency)
	if err != nil {
		return billing.Line{}, err
	}
	out := billing.Line{Kind: billing.LineManual, Parent: l.DiscountOf, Detail: billing.Detail{Note: strings.TrimSpace(l.Note)}}
	if l.DiscountOf > 0 {
		out.Kind = billing.LineDiscount
	}
	out.InvoiceLine, err = billing.NewLine(strings.TrimSpace(l.Description), max(l.Quantity, 1), unit, l.period())
	return out, err
}

func (l lineInput) period() billing.Period {
	if l.Start == "" {
		return billing.Period{}
	}
	return billing.Period{Start: day(l.Start), End: day(l.End)}
}

// typed turns checked lines into lines of an invoice.
func typed(lines []lineInput, currency string) ([]billing.Line, error) {
	out := make([]billing.Line, len(lines))
	for i, l := range lines {
		var err error
		if out[i], err = l.line(currency); err != nil {
			return nil, op.Fields{{Field: fmt.Sprintf("lines.%d.unit_minor", i), Message: "The line is beyond what an invoice can hold.", Code: "out_of_range"}}.Problem()
		}
	}
	return out, checkDiscounts(out)
}

// checkDiscounts refuses discounts beyond their line and invoices below zero.
func checkDiscounts(lines []billing.Line) error {
	left, sum := make([]int64, len(lines)), int64(0)
	for i, l := range lines {
		sum += l.Amount.Minor()
		left[i] = l.Amount.Minor()
		if l.Parent == 0 || l.Parent > len(lines) {
			continue
		}
		if left[l.Parent-1] += l.Amount.Minor(); left[l.Parent-1] < 0 {
			return op.Fields{{Field: fmt.Sprintf("lines.%d.unit_minor", i), Message: fmt.Sprintf("This is more than line %d costs.", l.Parent), Code: "out_of_range"}}.Problem()
		}
	}
	switch {
	case sum < 0:
		return op.Fields{{Field: "lines", Message: "An invoice is not below zero; give a credit note instead.", Code: "negative"}}.Problem()
	case sum > money.Limit/2: // room for tax
		return op.Fields{{Field: "lines", Message: "The sum is beyond what an invoice can hold.", Code: "out_of_range"}}.Problem()
	}
	return nil
}

// lastMoment is the last second of a day in UTC: what is due on a day is not
// overdue on it.
func lastMoment(d time.Time) time.Time { return d.AddDate(0, 0, 1).Add(-time.Second) }
