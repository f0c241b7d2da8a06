package tax_test

import (
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/engine/tax"
)

// on is a day at midnight UTC.
func on(date string) time.Time {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		panic(err)
	}
	return t
}

// rate is a country's first tax, valid always.
func rate(name, country string, ppm int64) tax.Rate {
	return tax.Rate{Name: name, Country: country, Level: 1, PPM: ppm}
}

// world is a table of rates as sellers enter it: standard rates of 2026.
var world = []tax.Rate{
	rate("USt.", "DE", 190_000), rate("TVA", "FR", 200_000), rate("USt.", "AT", 200_000), rate("IVA", "IT", 220_000),
	rate("IVA", "ES", 210_000), rate("VAT", "PL", 230_000), rate("btw", "NL", 210_000), rate("ÁFA", "HU", 270_000),
	rate("ΦΠΑ", "GR", 240_000), rate("alv", "FI", 255_000), rate("moms", "DK", 250_000),
	rate("IVA", "PT", 230_000),
	{Name: "IVA", Country: "PT", Region: "PT-20", Level: 1, PPM: 160_000},
	{Name: "IVA", Country: "PT", Region: "PT-30", Level: 1, PPM: 220_000},
	{Name: "USt.", Country: "AT", Region: "Jungholz", Level: 1, PPM: 190_000},
	// Switzerland raised its rate on 1 January 2024.
	rate("MWST", "CH", 77_000),
	{Name: "MWST", Country: "CH", Level: 1, PPM: 81_000, ValidFrom: on("2024-01-01")},
	{Name: "VAT", Country: "GB", Level: 1, PPM: 200_000, ConsumersOnly: true},
	{Name: "消費税", Country: "JP", Level: 1, PPM: 100_000},
	// A state and its county.
	{Name: "State tax", Country: "US", Region: "CA", Level: 1, PPM: 72_500},
	{Name: "County tax", Country: "US", Region: "CA", Level: 2, PPM: 22_500},
	// Canada: GST everywhere, Quebec's QST on top, compound until 2012; Ontario's
	// HST instead of GST.
	{Name: "GST", Country: "CA", Level: 1, PPM: 50_000},
	{Name: "HST", Country: "CA", Region: "ON", Level: 1, PPM: 130_000},
	{Name: "QST", Country: "CA", Region: "QC", Level: 2, PPM: 95_000, Compound: true, ValidFrom: on("2012-01-01")},
	{Name: "QST", Country: "CA", Region: "QC", Level: 2, PPM: 99_750, ValidFrom: on("2013-01-01")},
}

// german is a seller of the Union who uses the One Stop Shop.
func german() tax.Policy {
	return tax.Policy{Enabled: true, Rounding: tax.PerLine, HomeCountry: "DE", EUVAT: true, OSS: true}
}

// local is a seller outside the Union's rules.
func local(country string) tax.Policy {
	return tax.Policy{Enabled: true, Rounding: tax.PerLine, HomeCountry: country}
}

// withID is a business of a country with a VAT id and the register's answer.
func withID(country, id string, status tax.IDStatus) tax.Buyer {
	b := tax.Buyer{Country: country, Business: true, VATID: id}
	if status.Answered() {
		b.VAT = tax.IDCheck{ID: id, Status: status, At: on("2026-01-15"), By: "vies", Consultation: "WAPIAAAA1"}
	}
	return b
}

// decide is tax.Decide by the world's rates, which must not fail.
func decide(t testing.TB, p tax.Policy, b tax.Buyer, date string) tax.Treatment {
	t.Helper()
	got, err := tax.Decide(p, b, world, on(date))
	if err != nil {
		t.Fatalf("Decide: %v", err)
	}
	return got
}

// compute is tax.Compute, which must not fail.
func compute(t testing.TB, r tax.Rounding, inclusive bool, lines ...tax.Line) tax.Result {
	t.Helper()
	got, err := tax.Compute(r, inclusive, lines)
	if err != nil {
		t.Fatalf("Compute: %v", err)
	}
	return got
}

// line is an amount of euros under a treatment.
func line(minor int64, t tax.Treatment) tax.Line {
	return tax.Line{Amount: money.Must(minor, "EUR"), Treatment: t}
}
