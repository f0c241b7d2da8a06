package invoices

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/engine/tax"
)

type periodView struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// lineView is a line with all that explains it.
type lineView struct {
	Position     int            `json:"position"`
	Kind         string         `json:"kind"`
	Description  string         `json:"description"`
	Quantity     int64          `json:"quantity"`
	UnitPrice    money.Amount   `json:"unit_price"`
	Amount       money.Amount   `json:"amount"` // as priced: with tax where prices include it
	Net          money.Amount   `json:"net"`
	Tax          money.Amount   `json:"tax"`
	Taxes        tax.LineTaxes  `json:"taxes"`
	Credited     money.Amount   `json:"credited"` // net, by credit notes and changes
	Period       *periodView    `json:"period"`
	Parent       int            `json:"parent"` // position of the line that a discount belongs to; 0 for none
	Subscription string         `json:"subscription"`
	Detail       billing.Detail `json:"detail"`
}

func invoiceLines(app core.App, inv *core.Record) ([]lineView, error) {
	items, err := collections.All(app, collections.InvoiceItems, dbx.HashExp{"invoice": inv.Id}, "position ASC")
	if err != nil {
		return nil, err
	}
	lines := make([]lineView, len(items))
	for i, it := range items {
		if lines[i], err = viewLine(it, inv.GetString("currency")); err != nil {
			return nil, fmt.Errorf("line %d of invoice %s: %w", i+1, inv.GetString("number"), err)
		}
	}
	return lines, nil
}

func viewLine(it *core.Record, currency string) (lineView, error) {
	v := lineView{
		Position: it.GetInt("position"), Kind: it.GetString("kind"), Description: it.GetString("description"), Quantity: it.GetInt64("quantity"),
		Period: viewPeriod(it), Parent: it.GetInt("parent"), Subscription: it.GetString("subscription"),
	}
	for field, into := range map[string]*money.Amount{"unit_minor": &v.UnitPrice, "amount_minor": &v.Amount, "net_minor": &v.Net, "tax_minor": &v.Tax, "credited_minor": &v.Credited} {
		a, err := money.New(it.GetInt64(field), currency)
		if err != nil {
			return v, err
		}
		*into = a
	}
	if err := collections.ReadJSON(it, "taxes", &v.Taxes); err != nil {
		return v, err
	}
	return v, collections.ReadJSON(it, "detail", &v.Detail)
}

// viewPeriod is the half-open period of a line, nil for none.
func viewPeriod(it *core.Record) *periodView {
	start, end := collections.Time(it, "period_start"), collections.Time(it, "period_end")
	if start.IsZero() || end.IsZero() {
		return nil
	}
	return &periodView{start, end}
}
