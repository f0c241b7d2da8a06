package document

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ezscale/ezscale/engine/document/accent"
	"github.com/ezscale/ezscale/engine/document/locales"
	"github.com/ezscale/ezscale/engine/money"
)

// ErrInput reports an invoice that cannot be printed as it is; the message
// names the field.
var ErrInput = errors.New("invoice cannot be rendered")

// Check reports the first thing that keeps inv from being printed: a required
// field that is empty, an unknown language, status or currency, an amount in
// another currency, or a total that is not the sum of its rows. The error wraps
// ErrInput and starts with the field.
func (inv Invoice) Check() error {
	for _, check := range []func(Invoice) error{checkHead, checkParties, checkLines, checkAmounts, checkLinks} {
		if err := check(inv); err != nil {
			return err
		}
	}
	return nil
}

func refuse(field, format string, args ...any) error {
	return fmt.Errorf("%w: %s %s", ErrInput, field, fmt.Sprintf(format, args...))
}

func checkHead(inv Invoice) error {
	if blank(inv.Brand) {
		return refuse("brand", "is empty")
	}
	if _, ok := locales.Get(inv.Language); !ok {
		return refuse("language", "%q is not one of %s", inv.Language, strings.Join(locales.Codes(), ", "))
	}
	switch inv.Status {
	case Draft:
	case Open, Paid, Void, Uncollectible:
		if blank(inv.Number) {
			return refuse("number", "is empty")
		}
	default:
		return refuse("status", "%q is unknown", inv.Status)
	}
	if inv.IssuedAt.IsZero() {
		return refuse("issue date", "is missing")
	}
	if _, ok := money.Exponent(inv.Currency); !ok {
		return refuse("currency", "%q is unknown", inv.Currency)
	}
	if _, err := accent.Parse(inv.Accent); err != nil {
		return refuse("accent", "%s", err)
	}
	return nil
}

func checkParties(inv Invoice) error {
	if blank(inv.Seller.Name) {
		return refuse("seller name", "is empty")
	}
	if blank(inv.Buyer.Name) {
		return refuse("buyer name", "is empty")
	}
	return nil
}

func checkLines(inv Invoice) error {
	if len(inv.Lines) == 0 {
		return refuse("lines", "are empty")
	}
	for i, l := range inv.Lines {
		field := fmt.Sprintf("line %d", i+1)
		switch {
		case blank(l.Description):
			return refuse(field+" description", "is empty")
		case l.Quantity < 1:
			return refuse(field+" quantity", "is %d, below 1", l.Quantity)
		case l.Start.IsZero() != l.End.IsZero():
			return refuse(field+" period", "has one end only")
		case l.End.Before(l.Start):
			return refuse(field+" period", "ends before it starts")
		}
		if err := inv.checkCurrency(field+" unit price", l.UnitPrice); err != nil {
			return err
		}
		if err := inv.checkCurrency(field+" amount", l.Amount); err != nil {
			return err
		}
	}
	return nil
}

func checkAmounts(inv Invoice) error {
	sum := inv.Subtotal
	fields := []struct {
		name   string
		amount money.Amount
	}{{"subtotal", inv.Subtotal}, {"total", inv.Total}, {"amount due", inv.Due}, {"credit", inv.credit()}}
	for i, t := range inv.Taxes {
		fields = append(fields, struct {
			name   string
			amount money.Amount
		}{fmt.Sprintf("tax %d base", i+1), t.Base})
	}
	for _, f := range fields {
		if err := inv.checkCurrency(f.name, f.amount); err != nil {
			return err
		}
	}
	for i, p := range inv.Payments {
		if err := inv.checkCurrency(fmt.Sprintf("payment %d amount", i+1), p.Amount); err != nil {
			return err
		}
	}
	for i, t := range inv.Taxes {
		if err := inv.checkCurrency(fmt.Sprintf("tax %d amount", i+1), t.Amount); err != nil {
			return err
		}
		var err error
		if sum, err = sum.Add(t.Amount); err != nil {
			return refuse(fmt.Sprintf("tax %d amount", i+1), "cannot be added: %s", err)
		}
	}
	return inv.checkSums(sum)
}

func (inv Invoice) checkSums(sum money.Amount) error {
	switch {
	case sum != inv.Total:
		return refuse("total", "is %s, but subtotal and taxes make %s", inv.Total, sum)
	case inv.credit().Sign() < 0:
		return refuse("credit", "is negative: %s", inv.Credit)
	case inv.Status == Paid && !inv.Due.IsZero():
		return refuse("amount due", "is %s on a paid invoice", inv.Due)
	}
	return nil
}

func checkLinks(inv Invoice) error {
	if inv.PayURL != "" && !strings.HasPrefix(inv.PayURL, "https://") && !strings.HasPrefix(inv.PayURL, "http://") {
		return refuse("pay link", "is not an http(s) address")
	}
	return nil
}

func (inv Invoice) checkCurrency(field string, a money.Amount) error {
	if a.Currency() != inv.Currency {
		return refuse(field, "is in %q, the invoice in %q", a.Currency(), inv.Currency)
	}
	return nil
}

// credit is Credit with the invoice's currency where none was given.
func (inv Invoice) credit() money.Amount {
	if inv.Credit == (money.Amount{}) {
		if zero, err := money.New(0, inv.Currency); err == nil {
			return zero
		}
	}
	return inv.Credit
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }
