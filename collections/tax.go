package collections

import (
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/engine/tax/vatid"
)

type taxRateRow struct {
	Name          string `db:"name"`
	Country       string `db:"country"`
	Region        string `db:"region"`
	Level         int    `db:"level"`
	PPM           int64  `db:"ppm"`
	Compound      bool   `db:"compound"`
	ConsumersOnly bool   `db:"consumers_only"`
	ValidFrom     string `db:"valid_from"`
}

// LoadTaxRates reads the whole table of rates.
func LoadTaxRates(app core.App) ([]tax.Rate, error) {
	rows := []taxRateRow{}
	err := Statement(app, "SELECT `name`, `country`, `region`, `level`, `ppm`, `compound`, `consumers_only`, `valid_from` FROM `tax_rates` ORDER BY `country`, `region`, `level`, `valid_from`").All(&rows)
	if err != nil {
		return nil, fmt.Errorf("tax rates: %w", err)
	}
	rates := make([]tax.Rate, 0, len(rows))
	for _, r := range rows {
		from, err := ParseStamp(r.ValidFrom)
		if err != nil {
			return nil, fmt.Errorf("tax rate of %s: %w", r.Country, err)
		}
		rates = append(rates, tax.Rate{
			Name: r.Name, Country: r.Country, Region: r.Region, Level: r.Level, PPM: r.PPM, Compound: r.Compound, ConsumersOnly: r.ConsumersOnly,
			ValidFrom: from.Truncate(24 * time.Hour),
		})
	}
	return rates, nil
}

// TaxBuyer is a customer as taxes see them.
func (c Customer) TaxBuyer() tax.Buyer {
	id := ""
	if parsed, err := vatid.Parse(c.Buyer.TaxID, c.Buyer.Country); err == nil {
		id = parsed.String() // other countries' tax numbers decide nothing
	}
	return tax.Buyer{
		Country: c.Buyer.Country, Region: c.Buyer.Region, Postcode: c.Buyer.Postcode, Business: c.Buyer.Company != "" || c.Buyer.TaxID != "",
		VATID: id, VAT: c.Profile.VAT, Exempt: c.Profile.TaxExempt, ExemptReason: c.Profile.ExemptReason, IPCountry: c.Profile.IPCountry,
	}
}
