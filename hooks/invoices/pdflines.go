package invoices

import (
	"fmt"
	"strconv"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/document"
	"github.com/ezscale/ezscale/engine/document/locales"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/engine/tax"
)

func printedLines(app core.App, inv *core.Record, language string) ([]document.Line, error) {
	views, err := invoiceLines(app, inv)
	if err != nil {
		return nil, err
	}
	l, known := locales.Get(language)
	if !known {
		l, _ = locales.Get(locales.Default)
	}
	lines := make([]document.Line, len(views))
	for i, v := range views {
		if lines[i], err = v.printed(l, inv.GetBool("tax_inclusive")); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return lines, nil
}

// printed is the line as the document shows it. Its amount is what the line adds
// to the sum, also where it takes off an earlier line of another kind of price.
func (v lineView) printed(l *locales.Locale, inclusive bool) (document.Line, error) {
	amount, err := asPriced(v.Net, v.Tax, inclusive)
	if err != nil {
		return document.Line{}, err
	}
	line := document.Line{
		Kind: printedKind(billing.LineKind(v.Kind)), Description: v.Description, Quantity: v.Quantity, UnitPrice: v.UnitPrice, Amount: amount,
		Coupon: v.Detail.Coupon, TrialUntil: v.Detail.Until, Invoice: v.Detail.Invoice,
	}
	if line.Kind != document.Charge {
		line.UnitPrice = amount
	}
	line.Rates, line.Category = printedRates(v.Taxes)
	if v.Period != nil {
		line.Start, line.End = v.Period.Start, v.Period.End
	}
	err = v.explain(&line, l)
	return line, err
}

// explain adds what the line's detail says of counts and shares.
func (v lineView) explain(line *document.Line, l *locales.Locale) error {
	d, currency := v.Detail, v.Amount.Currency()
	if d.TotalDays > 0 {
		line.Share = document.Share{Days: d.Days, Of: d.TotalDays}
		if d.FullMinor > 0 {
			full, err := money.New(d.FullMinor, currency)
			if err != nil {
				return err
			}
			line.Share.Full = full
		}
	}
	if d.Unit != "" {
		line.Usage = document.Usage{Used: d.Used, Included: d.Allowance, Unit: d.Unit}
	}
	if d.CapMinor > 0 {
		limit, err := money.New(d.CapMinor, currency)
		if err != nil {
			return err
		}
		line.Cap = limit
	}
	if d.Hours > 0 {
		line.Details = append(line.Details, l.Text("invoice.line.hours", "hours", strconv.FormatInt(d.Hours, 10)))
	}
	if d.Note != "" {
		line.Details = append(line.Details, d.Note)
	}
	return nil
}

// asPriced is a line's amount as its document's prices are.
func asPriced(net, taxes money.Amount, inclusive bool) (money.Amount, error) {
	if inclusive {
		return net.Add(taxes)
	}
	return net, nil
}

func printedKind(kind billing.LineKind) document.LineKind {
	switch kind {
	case billing.LineDiscount:
		return document.Discount
	case billing.LineUnused:
		return document.Unused
	default:
		return document.Charge
	}
}

// printedRates are the taxes of a line; one of a seller without taxes says
// nothing.
func printedRates(t tax.LineTaxes) (rates []int64, category string) {
	for _, c := range t.Components {
		rates = append(rates, c.PPM)
	}
	if t.Reason == tax.ReasonNoTax {
		return rates, ""
	}
	return rates, string(t.Category)
}
