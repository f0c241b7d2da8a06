package document

import (
	"fmt"

	"github.com/ezscale/ezscale/engine/document/locales"
	"github.com/ezscale/ezscale/engine/money"
)

// check reports the first line or sum that cannot be printed.
func (b body) check() error { return firstOf(b.checkLines, b.checkTaxes, b.checkSums) }

func (b body) checkLines() error {
	if len(b.lines) == 0 {
		return refuse("lines", "are empty")
	}
	for i, l := range b.lines {
		field := fmt.Sprintf("line %d", i+1)
		if err := firstOf(func() error { return l.check(field) }, func() error { return b.checkPrices(field, l) }); err != nil {
			return err
		}
	}
	return nil
}

func (l Line) check(field string) error {
	switch {
	case blank(l.Description):
		return refuse(field+" description", "is empty")
	case l.Kind != Charge && l.Kind != Discount && l.Kind != Unused:
		return refuse(field+" kind", "%q is unknown", l.Kind)
	case l.Quantity < 1:
		return refuse(field+" quantity", "is %d, below 1", l.Quantity)
	case l.Start.IsZero() != l.End.IsZero():
		return refuse(field+" period", "has one end only")
	case l.End.Before(l.Start):
		return refuse(field+" period", "ends before it starts")
	}
	return l.checkExplanation(field)
}

// checkExplanation looks at what is printed below the description.
func (l Line) checkExplanation(field string) error {
	switch {
	case l.Share != (Share{}) && (l.Share.Days < 0 || l.Share.Of < max(1, l.Share.Days)):
		return refuse(field+" share", "of %d out of %d days is none", l.Share.Days, l.Share.Of)
	case l.Usage != (Usage{}) && (l.Usage.Used < 0 || l.Usage.Included < 0 || blank(l.Usage.Unit)):
		return refuse(field+" usage", "is negative or has no unit")
	case !knownCategory(l.Category) && l.Category != "":
		return refuse(field+" tax category", "%q is unknown", l.Category)
	}
	for _, ppm := range l.Rates {
		if ppm < 0 || ppm > maxPPM {
			return refuse(field+" tax rate", "of %d ppm is none", ppm)
		}
	}
	return nil
}

func (b body) checkPrices(field string, l Line) error {
	if err := checkCurrency(field+" unit price", orZero(l.UnitPrice, b.currency), b.currency); err != nil {
		return err
	}
	if err := checkCurrency(field+" amount", l.Amount, b.currency); err != nil {
		return err
	}
	if err := checkCurrency(field+" full price", orZero(l.Share.Full, b.currency), b.currency); err != nil {
		return err
	}
	if err := checkCurrency(field+" cap", orZero(l.Cap, b.currency), b.currency); err != nil {
		return err
	}
	if l.Kind != Charge && l.Amount.Sign() > 0 {
		return refuse(field+" amount", "is %s, but the line takes off", l.Amount)
	}
	return nil
}

// maxPPM is 100 %, and more than any tax.
const maxPPM = 1_000_000

func knownCategory(code string) bool {
	switch code {
	case "S", "Z", "E", "AE", "O":
		return true
	}
	return false
}

func (b body) checkTaxes() error {
	l, _ := locales.Get(locales.Default)
	for i, t := range b.taxes {
		field := fmt.Sprintf("tax %d", i+1)
		switch {
		case t.Category != "" && !knownCategory(t.Category):
			return refuse(field+" category", "%q is unknown", t.Category)
		case t.Category == "" && blank(t.Label):
			return refuse(field+" label", "is empty")
		case t.PPM < 0 || t.PPM > maxPPM:
			return refuse(field+" rate", "of %d ppm is none", t.PPM)
		case t.Reason != "" && !l.Has("tax.reason."+t.Reason):
			return refuse(field+" reason", "%q is unknown", t.Reason)
		}
		if err := checkCurrency(field+" base", t.Base, b.currency); err != nil {
			return err
		}
		if err := checkCurrency(field+" amount", t.Amount, b.currency); err != nil {
			return err
		}
	}
	return nil
}

// checkSums adds up what the reader would add up.
func (b body) checkSums() error {
	if err := firstOf(
		func() error { return checkCurrency("subtotal", b.subtotal, b.currency) },
		func() error { return checkCurrency("total", b.total, b.currency) },
	); err != nil {
		return err
	}
	sum := b.subtotal
	for i, t := range b.taxes {
		var err error
		if sum, err = sum.Add(t.Amount); err != nil {
			return refuse(fmt.Sprintf("tax %d amount", i+1), "cannot be added: %s", err)
		}
	}
	if sum != b.total {
		return refuse("total", "is %s, but subtotal and taxes make %s", b.total, sum)
	}
	return b.checkLineSum()
}

// checkLineSum compares the lines with the sum that their prices say they make.
func (b body) checkLineSum() error {
	if b.rounding != "" && b.rounding != RoundLine && b.rounding != RoundDocument {
		return refuse("rounding", "%q is unknown", b.rounding)
	}
	want := b.subtotal
	switch b.prices {
	case Exclusive:
	case Inclusive:
		want = b.total
	case "":
		return nil
	default:
		return refuse("prices", "%q are unknown", b.prices)
	}
	amounts := make([]money.Amount, len(b.lines))
	for i, l := range b.lines {
		amounts[i] = l.Amount
	}
	sum, err := money.Sum(b.currency, amounts...)
	if err != nil {
		return refuse("lines", "cannot be added: %s", err)
	}
	if sum != want {
		return refuse("lines", "make %s, but the document says %s", sum, want)
	}
	return nil
}
