package collections

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/tax"
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

// Customer is a user as documents and taxes need them.
type Customer struct {
	ID       string
	Buyer    Buyer
	Language string // of documents: the user's locale, or "en"
	Currency string // fixed by the first order, or ""
	Profile  BillingProfile
}

// BillingProfile is what staff and checks know of a customer's billing.
type BillingProfile struct {
	TaxExempt    bool
	ExemptReason string
	VAT          tax.IDCheck
	IPCountry    string
}

type customerRow struct {
	ID           string `db:"id"`
	Name         string `db:"name"`
	Email        string `db:"email"`
	Locale       string `db:"locale"`
	Currency     string `db:"currency"`
	Company      string `db:"company"`
	Street       string `db:"street"`
	Postcode     string `db:"postcode"`
	City         string `db:"city"`
	Region       string `db:"region"`
	Country      string `db:"country"`
	TaxID        string `db:"tax_id"`
	TaxExempt    bool   `db:"tax_exempt"`
	ExemptReason string `db:"exempt_reason"`
	VATCheck     string `db:"vat_check"`
	IPCountry    string `db:"ip_country"`
}

// LoadCustomer reads a customer's present details. Errors: ErrNotYours for an
// unknown id.
func LoadCustomer(app core.App, user string) (Customer, error) {
	found, err := LoadCustomers(app, []string{user})
	if err != nil {
		return Customer{}, err
	}
	c, known := found[user]
	if !known {
		return Customer{}, fmt.Errorf("customer %q: %w", user, ErrNotYours)
	}
	return c, nil
}

// LoadCustomers reads the present details of several customers by id; unknown
// ones are missing in the answer.
func LoadCustomers(app core.App, users []string) (map[string]Customer, error) {
	list, err := json.Marshal(users)
	if err != nil {
		return nil, fmt.Errorf("customers: %w", err)
	}
	rows := []customerRow{}
	err = Statement(app, "SELECT `u`.`id`, `u`.`name`, `u`.`email`, `u`.`locale`, `u`.`currency`,"+
		" IFNULL(`p`.`company`, '') AS `company`, IFNULL(`p`.`street`, '') AS `street`, IFNULL(`p`.`postcode`, '') AS `postcode`, IFNULL(`p`.`city`, '') AS `city`,"+
		" IFNULL(`p`.`region`, '') AS `region`, IFNULL(`p`.`country`, '') AS `country`, IFNULL(`p`.`tax_id`, '') AS `tax_id`,"+
		" IFNULL(`b`.`tax_exempt`, FALSE) AS `tax_exempt`, IFNULL(`b`.`exempt_reason`, '') AS `exempt_reason`, IFNULL(`b`.`vat_check`, '') AS `vat_check`, IFNULL(`b`.`ip_country`, '') AS `ip_country`"+
		" FROM `users` `u` LEFT JOIN `user_profiles` `p` ON `p`.`user` = `u`.`id` LEFT JOIN `billing_profiles` `b` ON `b`.`user` = `u`.`id` WHERE `u`.`id` IN (SELECT `value` FROM json_each({:users}))").
		Bind(dbx.Params{"users": string(list)}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("customers: %w", err)
	}
	found := make(map[string]Customer, len(rows))
	for _, r := range rows {
		if found[r.ID], err = r.customer(); err != nil {
			return nil, fmt.Errorf("customer %s: %w", r.ID, err)
		}
	}
	return found, nil
}

func (r customerRow) customer() (Customer, error) {
	c := Customer{
		ID: r.ID, Language: r.Locale, Currency: r.Currency,
		Buyer:   Buyer{r.Name, r.Company, r.Email, r.Street, r.Postcode, r.City, r.Region, r.Country, r.TaxID},
		Profile: BillingProfile{TaxExempt: r.TaxExempt, ExemptReason: r.ExemptReason, IPCountry: r.IPCountry},
	}
	if r.VATCheck != "" && r.VATCheck != "null" {
		if err := json.Unmarshal([]byte(r.VATCheck), &c.Profile.VAT); err != nil {
			return c, fmt.Errorf("answer about the VAT id: %w", err)
		}
	}
	if c.Language == "" {
		c.Language = "en"
	}
	return c, nil
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
	seq := int64(0)
	err := Statement(tx, "INSERT INTO `invoice_series` (`id`, `series`, `year`, `last_seq`, `created`, `updated`) VALUES ({:id}, {:series}, {:year}, 1, {:now}, {:now})"+
		" ON CONFLICT (`series`, `year`) DO UPDATE SET `last_seq` = `last_seq` + 1 RETURNING `last_seq`").
		Bind(dbx.Params{"id": core.GenerateDefaultRandomId(), "series": series, "year": year, "now": Stamp(now).String()}).Row(&seq)
	if err != nil {
		return 0, fmt.Errorf("invoice number of %s %d: %w", series, year, err)
	}
	return seq, nil
}

// VendorName is how a gateway's company calls itself.
func VendorName(kind string) string {
	if kind == "stripe" {
		return "Stripe"
	}
	return GatewayName(kind)
}

// GatewayName is how documents and mails call a way to pay.
func GatewayName(kind string) string {
	switch kind {
	case "stripe":
		return "Card"
	case "paypal":
		return "PayPal"
	case "credit":
		return "Credit balance"
	case "manual":
		return "Bank transfer"
	}
	return kind
}
