package tax_test

import (
	"errors"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/tax"
)

func TestRateCheck(t *testing.T) {
	good := tax.Rate{Name: "QST", Country: "CA", Region: "QC", Level: 2, PPM: 99_750, Compound: true, ValidFrom: on("2013-01-01")}
	scenarios := []struct {
		name string
		edit func(*tax.Rate)
		want error
	}{
		{"good", func(*tax.Rate) {}, nil},
		{"for ever", func(r *tax.Rate) { r.ValidFrom = time.Time{} }, nil},
		{"zero", func(r *tax.Rate) { r.PPM = 0 }, nil},
		{"no name", func(r *tax.Rate) { r.Name = " " }, tax.ErrRate},
		{"country in small letters", func(r *tax.Rate) { r.Country = "ca" }, tax.ErrRate},
		{"country by name", func(r *tax.Rate) { r.Country = "CANADA" }, tax.ErrRate},
		{"level three", func(r *tax.Rate) { r.Level = 3 }, tax.ErrRate},
		{"negative", func(r *tax.Rate) { r.PPM = -1 }, tax.ErrRate},
		{"more than all", func(r *tax.Rate) { r.PPM = tax.MaxPPM + 1 }, tax.ErrRate},
		{"compound first level", func(r *tax.Rate) { r.Level = 1 }, tax.ErrRate},
		{"from noon", func(r *tax.Rate) { r.ValidFrom = r.ValidFrom.Add(12 * time.Hour) }, tax.ErrRate},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			r := good
			s.edit(&r)
			if err := r.Check(); !errors.Is(err, s.want) {
				t.Errorf("got error %v, want %v", err, s.want)
			}
		})
	}
	for _, r := range world {
		if err := r.Check(); err != nil {
			t.Errorf("%s of %s: %v", r.Name, r.Country, err)
		}
	}
}

// TestRateEndsByZero: a tax that was abolished is no longer printed, unless it
// was the only one.
func TestRateEndsByZero(t *testing.T) {
	rates := []tax.Rate{
		rate("GST", "CA", 50_000),
		{Name: "PST", Country: "CA", Region: "BC", Level: 2, PPM: 70_000},
		{Name: "PST", Country: "CA", Region: "BC", Level: 2, ValidFrom: on("2026-01-01")},
		{Name: "VAT", Country: "QA", Level: 1},
	}
	scenarios := []struct{ name, country, date, want string }{
		{"before", "CA", "2025-12-31", "S GST 5% PST 7%"},
		{"after", "CA", "2026-01-01", "S GST 5%"},
		{"a country at zero", "QA", "2026-01-01", "Z VAT 0%"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got, err := tax.Decide(local("CA"), tax.Buyer{Country: s.country, Region: "BC"}, rates, on(s.date))
			if err != nil || short(got) != s.want {
				t.Errorf("got %q, error %v, want %q", short(got), err, s.want)
			}
		})
	}
}

func TestReasonVATEX(t *testing.T) {
	want := map[tax.Reason]string{
		tax.ReasonReverseCharge: "VATEX-EU-AE", tax.ReasonOutsideEU: "VATEX-EU-O", tax.ReasonNotTaxable: "VATEX-EU-O",
		tax.ReasonNoTax: "VATEX-EU-O", tax.ReasonExempt: "", tax.ReasonSmallBusiness: "", "": "",
	}
	for reason, code := range want {
		if got := reason.VATEX(); got != code {
			t.Errorf("%q: got %q, want %q", reason, got, code)
		}
	}
}
