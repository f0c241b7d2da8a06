package collections

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/engine/billing"
)

// Buyer is the customer as printed on an invoice, frozen when it is issued.
type Buyer struct {
	Name     string `json:"name"`
	Company  string `json:"company"`
	Email    string `json:"email"`
	Street   string `json:"street"`
	Postcode string `json:"postcode"`
	City     string `json:"city"`
	Region   string `json:"region"`
	Country  string `json:"country"`
	TaxID    string `json:"tax_id"`
}

// LoadBuyer reads a customer's present details.
func LoadBuyer(app core.App, user *core.Record) (Buyer, error) {
	b := Buyer{Name: user.GetString("name"), Email: user.Email()}
	p, err := First(app, UserProfiles, dbx.HashExp{"user": user.Id})
	if err != nil || p == nil {
		return b, err
	}
	b.Company, b.Street, b.Postcode, b.City = p.GetString("company"), p.GetString("street"), p.GetString("postcode"), p.GetString("city")
	b.Region, b.Country, b.TaxID = p.GetString("region"), p.GetString("country"), p.GetString("tax_id")
	return b, nil
}

// InvoiceStatus reads an invoice's status.
func InvoiceStatus(r *core.Record) billing.InvoiceStatus {
	return billing.InvoiceStatus(r.GetString("status"))
}

// InvoiceTotals reads an invoice's sums.
func InvoiceTotals(r *core.Record) (billing.Totals, error) {
	subtotal, err := Amount(r, "subtotal_minor")
	if err != nil {
		return billing.Totals{}, err
	}
	tax, err := Amount(r, "tax_minor")
	if err != nil {
		return billing.Totals{}, err
	}
	total, err := Amount(r, "total_minor")
	return billing.Totals{Subtotal: subtotal, Tax: tax, Total: total}, err
}

// NextInvoiceSeq draws the next number of a series and year. It must run in the
// transaction that issues the invoice: if that rolls back, so does the number,
// and the sequence stays without a gap.
func NextInvoiceSeq(tx core.App, now time.Time, series string, year int) (int64, error) {
	if tx.TxInfo() == nil {
		return 0, fmt.Errorf("invoice number of %s %d: drawn outside a transaction", series, year)
	}
	if _, _, err := Row(tx, InvoiceSeries, now, dbx.Params{"series": series, "year": year, "last_seq": 0}); err != nil {
		return 0, err
	}
	seq := int64(0)
	err := tx.DB().NewQuery("UPDATE `invoice_series` SET `last_seq` = `last_seq` + 1 WHERE `series` = {:series} AND `year` = {:year} RETURNING `last_seq`").
		Bind(dbx.Params{"series": series, "year": year}).Row(&seq)
	if err != nil {
		return 0, fmt.Errorf("invoice number of %s %d: %w", series, year, err)
	}
	return seq, nil
}

// GatewayName is how documents and mails call a way to pay.
func GatewayName(kind string) string {
	switch kind {
	case "stripe":
		return "Card"
	case "paypal":
		return "PayPal"
	case "manual":
		return "Bank transfer"
	}
	return kind
}
