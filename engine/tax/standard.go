package tax

import "time"

// standardRate is the standard rate of a member state from a day on.
type standardRate struct {
	country, name, from string
	ppm                 int64
}

// standardRates are the standard rates of the member states with their changes
// since 2021, as the Commission's database "Taxes in Europe" lists them (TEDB,
// standard rate), read in November 2026. Hosting bears the standard rate
// everywhere.
var standardRates = []standardRate{
	{"AT", "USt.", "2021-01-01", 200_000},
	{"BE", "TVA/BTW", "2021-01-01", 210_000},
	{"BG", "VAT", "2021-01-01", 200_000},
	{"CY", "VAT", "2021-01-01", 190_000},
	{"CZ", "DPH", "2021-01-01", 210_000},
	{"DE", "USt.", "2021-01-01", 190_000},
	{"DK", "moms", "2021-01-01", 250_000},
	{"EE", "VAT", "2021-01-01", 200_000},
	{"EE", "VAT", "2024-01-01", 220_000},
	{"EE", "VAT", "2025-07-01", 240_000},
	{"ES", "IVA", "2021-01-01", 210_000},
	{"FI", "ALV", "2021-01-01", 240_000},
	{"FI", "ALV", "2024-09-01", 255_000},
	{"FR", "TVA", "2021-01-01", 200_000},
	{"GR", "VAT", "2021-01-01", 240_000},
	{"HR", "PDV", "2021-01-01", 250_000},
	{"HU", "VAT", "2021-01-01", 270_000},
	{"IE", "VAT", "2021-03-01", 230_000},
	{"IT", "IVA", "2021-01-01", 220_000},
	{"LT", "PVM", "2021-01-01", 210_000},
	{"LU", "TVA", "2021-01-01", 170_000},
	{"LU", "TVA", "2023-01-01", 160_000},
	{"LU", "TVA", "2024-01-01", 170_000},
	{"LV", "PVN", "2021-01-01", 210_000},
	{"MT", "VAT", "2021-01-01", 180_000},
	{"NL", "BTW", "2021-01-01", 210_000},
	{"PL", "VAT", "2021-01-01", 230_000},
	{"PT", "IVA", "2021-01-01", 230_000},
	{"RO", "TVA", "2021-01-01", 190_000},
	{"RO", "TVA", "2025-08-01", 210_000},
	{"SE", "moms", "2021-01-01", 250_000},
	{"SI", "DDV", "2021-01-01", 220_000},
	{"SK", "DPH", "2021-01-01", 200_000},
	{"SK", "DPH", "2025-01-01", 230_000},
}

// StandardRates are the standard rates of the Union's member states, with which
// a table of rates can begin. Laws change: a person checks them against the
// states' own notices and adds what has changed.
func StandardRates() []Rate {
	rates := make([]Rate, 0, len(standardRates))
	for _, r := range standardRates {
		from, err := time.Parse(time.DateOnly, r.from)
		if err != nil {
			panic("tax: standard rate of " + r.country + ": " + err.Error())
		}
		rates = append(rates, Rate{Name: r.name, Country: r.country, Level: 1, PPM: r.ppm, ValidFrom: from})
	}
	return rates
}
