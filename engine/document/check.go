package document

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/document/accent"
	"github.com/ezscale/ezscale/engine/document/locales"
	"github.com/ezscale/ezscale/engine/money"
)

// ErrInput reports a document that cannot be printed as it is; the message
// names the field.
var ErrInput = errors.New("document cannot be rendered")

// Check reports the first thing that keeps inv from being printed: a required
// field that is empty, an unknown language, status or currency, an amount in
// another currency, or a sum that is not that of its rows. The error wraps
// ErrInput and starts with the field.
func (inv Invoice) Check() error {
	return firstOf(
		func() error { return checkHead(inv.Brand, inv.Accent, inv.Language, inv.Currency, inv.IssuedAt) },
		func() error { return checkParties(inv.Seller, inv.Buyer) },
		inv.checkStatus,
		inv.body().check,
		inv.checkReferences,
		inv.checkSettlement,
		inv.checkLinks,
	)
}

// firstOf runs the checks until one fails.
func firstOf(checks ...func() error) error {
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func refuse(field, format string, args ...any) error {
	return fmt.Errorf("%w: %s %s", ErrInput, field, fmt.Sprintf(format, args...))
}

func checkHead(brand, color, language, currency string, issued time.Time) error {
	if blank(brand) {
		return refuse("brand", "is empty")
	}
	if _, ok := locales.Get(language); !ok {
		return refuse("language", "%q is not one of %s", language, strings.Join(locales.Codes(), ", "))
	}
	if issued.IsZero() {
		return refuse("issue date", "is missing")
	}
	if _, ok := money.Exponent(currency); !ok {
		return refuse("currency", "%q is unknown", currency)
	}
	if _, err := accent.Parse(color); err != nil {
		return refuse("accent", "%s", err)
	}
	return nil
}

func checkParties(seller, buyer Party) error {
	if blank(seller.Name) {
		return refuse("seller name", "is empty")
	}
	if blank(buyer.Name) {
		return refuse("buyer name", "is empty")
	}
	return nil
}

func (inv Invoice) checkStatus() error {
	switch inv.Status {
	case Draft:
	case Open, Paid, Void, Uncollectible:
		if blank(inv.Number) {
			return refuse("number", "is empty")
		}
	default:
		return refuse("status", "%q is unknown", inv.Status)
	}
	return nil
}

func (inv Invoice) checkReferences() error {
	for i, r := range inv.Corrects {
		if blank(r.Number) {
			return refuse(fmt.Sprintf("corrected document %d", i+1), "has no number")
		}
	}
	for i, c := range inv.Corrected {
		field := fmt.Sprintf("credit note %d", i+1)
		if blank(c.Number) {
			return refuse(field, "has no number")
		}
		if err := checkPositive(field+" amount", orZero(c.Reduced, inv.Currency), inv.Currency); err != nil {
			return err
		}
	}
	return nil
}

// checkSettlement looks at what became of the total.
func (inv Invoice) checkSettlement() error {
	for i, p := range inv.Payments {
		if err := checkCurrency(fmt.Sprintf("payment %d amount", i+1), p.Amount, inv.Currency); err != nil {
			return err
		}
	}
	return firstOf(
		func() error { return checkPositive("credit", orZero(inv.Credit, inv.Currency), inv.Currency) },
		func() error { return checkPositive("written off", orZero(inv.WrittenOff, inv.Currency), inv.Currency) },
		func() error { return checkCurrency("amount due", inv.Due, inv.Currency) },
		func() error {
			if inv.Status == Paid && !inv.Due.IsZero() {
				return refuse("amount due", "is %s on a paid invoice", inv.Due)
			}
			return nil
		},
	)
}

func (inv Invoice) checkLinks() error {
	if inv.PayURL != "" && !strings.HasPrefix(inv.PayURL, "https://") && !strings.HasPrefix(inv.PayURL, "http://") {
		return refuse("pay link", "is not an http(s) address")
	}
	return nil
}

func checkCurrency(field string, a money.Amount, currency string) error {
	if a.Currency() != currency {
		return refuse(field, "is in %q, the document in %q", a.Currency(), currency)
	}
	return nil
}

func checkPositive(field string, a money.Amount, currency string) error {
	if a.Sign() < 0 {
		return refuse(field, "is negative: %s", a)
	}
	return checkCurrency(field, a, currency)
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }
