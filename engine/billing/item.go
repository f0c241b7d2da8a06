package billing

import (
	"fmt"

	"github.com/ezscale/ezscale/engine/money"
)

// RecurringItem is one thing a subscription pays for each period: its plan, an
// option or an add-on. The price is the one agreed with this customer, whatever
// the catalog says today.
type RecurringItem struct {
	Key         string // tells the items of one subscription apart, stays the same when quantity or price change
	Kind        LineKind
	Description string
	Quantity    int64        // 1 or more
	Unit        money.Amount // for one full period
	Setup       money.Amount // charged once and as it stands when the item is added; zero for none
}

// Price is the item's price for one full period: Quantity × Unit. Errors: a
// quantity below 1, a negative price, money.ErrCurrency, money.ErrOverflow;
// they name the item.
func (it RecurringItem) Price() (money.Amount, error) {
	l, err := it.line(Period{})
	return l.Amount, err
}

// line is the item's line for a full period.
func (it RecurringItem) line(p Period) (InvoiceLine, error) {
	if it.Unit.Sign() < 0 || it.Setup.Sign() < 0 {
		return InvoiceLine{}, fmt.Errorf("item %q: its price is negative", it.Description)
	}
	return NewLine(it.Description, it.Quantity, it.Unit, p)
}

// setupLine is what the item costs once.
func (it RecurringItem) setupLine() (InvoiceLine, error) {
	return NewLine(it.Description+" · setup", 1, it.Setup, Period{})
}

// sameItem reports whether an item is unchanged, its setup aside.
func sameItem(a, b RecurringItem) bool {
	return a.Key == b.Key && a.Quantity == b.Quantity && a.Unit == b.Unit
}
