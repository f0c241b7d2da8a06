package tax_test

import (
	"testing"

	"github.com/ezscale/ezscale/engine/tax"
)

func TestAt(t *testing.T) {
	scenarios := []struct {
		name, country, region, postcode string
		want                            tax.Place
	}{
		{"Germany", "DE", "", "10115", tax.Place{Country: "DE", EU: true}},
		{"Heligoland", "DE", "", "27498", tax.Place{Country: "DE"}},
		{"Büsingen", "DE", "BW", "D-78266", tax.Place{Country: "DE", Region: "BW"}},
		{"its neighbor Singen", "DE", "", "78224", tax.Place{Country: "DE", EU: true}},
		{"Madrid", "ES", "", "28001", tax.Place{Country: "ES", EU: true}},
		{"Las Palmas", "ES", "", "35001", tax.Place{Country: "ES", Region: "CN"}},
		{"Tenerife by region", "ES", "ES-TF", "", tax.Place{Country: "ES", Region: "CN"}},
		{"Tenerife by name", "ES", "Santa Cruz de Tenerife", "", tax.Place{Country: "ES", Region: "CN"}},
		{"Ceuta", "ES", "", "51001", tax.Place{Country: "ES", Region: "CE"}},
		{"Melilla", "ES", "", "52 001", tax.Place{Country: "ES", Region: "ML"}},
		{"Paris", "FR", "", "75001", tax.Place{Country: "FR", EU: true}},
		{"Réunion by postcode", "FR", "", "97400", tax.Place{Country: "FR"}},
		{"Guadeloupe by its code", "GP", "", "97100", tax.Place{Country: "GP"}},
		{"Polynesia", "FR", "", "98713", tax.Place{Country: "FR"}},
		{"Corsica", "FR", "", "20000", tax.Place{Country: "FR", EU: true}},
		{"Monaco", "MC", "", "98000", tax.Place{Country: "FR", EU: true}},
		{"Livigno", "IT", "SO", "23041", tax.Place{Country: "IT", Region: "SO"}},
		{"Campione d'Italia", "IT", "", "22061", tax.Place{Country: "IT"}},
		{"San Marino", "SM", "", "47890", tax.Place{Country: "SM"}},
		{"Åland", "FI", "", "22100", tax.Place{Country: "FI", Region: "01"}},
		{"Åland by its code", "AX", "", "22100", tax.Place{Country: "AX"}},
		{"Mount Athos", "GR", "", "630 86", tax.Place{Country: "GR", Region: "69"}},
		{"Greece by its VAT code", "EL", "", "10431", tax.Place{Country: "GR", EU: true}},
		{"Greenland", "DK", "", "3900", tax.Place{Country: "DK"}},
		{"Azores", "PT", "", "9500-321", tax.Place{Country: "PT", Region: "20", EU: true}},
		{"Madeira", "PT", "", "9000-030", tax.Place{Country: "PT", Region: "30", EU: true}},
		{"Lisbon", "PT", "", "1100-148", tax.Place{Country: "PT", EU: true}},
		{"Kleinwalsertal", "AT", "", "6991", tax.Place{Country: "AT", Region: "JUNGHOLZ", EU: true}},
		{"Belfast", "GB", "", "BT1 5GS", tax.Place{Country: "GB", Region: "NIR"}},
		{"Northern Ireland by VAT code", "XI", "", "", tax.Place{Country: "GB", Region: "NIR"}},
		{"Isle of Man", "IM", "", "IM1 1AF", tax.Place{Country: "GB"}},
		{"Jersey", "JE", "", "JE2 3AB", tax.Place{Country: "JE"}},
		{"London", "GB", "", "SW1A 1AA", tax.Place{Country: "GB"}},
		{"Quebec", "CA", "CA-QC", "", tax.Place{Country: "CA", Region: "QC"}},
		{"nowhere", "", "", "", tax.Place{}},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if got := tax.At(s.country, s.region, s.postcode); got != s.want {
				t.Errorf("At(%q, %q, %q): got %+v, want %+v", s.country, s.region, s.postcode, got, s.want)
			}
		})
	}
}

// TestTerritoriesBearNoVAT says what the table of territories is for.
func TestTerritoriesBearNoVAT(t *testing.T) {
	scenarios := []struct {
		name  string
		buyer tax.Buyer
		want  string
	}{
		{"Canary Islands", tax.Buyer{Country: "ES", Postcode: "35001"}, "O outside_eu"},
		{"Büsingen, from Germany", tax.Buyer{Country: "DE", Postcode: "78266"}, "O outside_eu"},
		{"Mount Athos", tax.Buyer{Country: "GR", Postcode: "63086"}, "O outside_eu"},
		{"Monaco bears France's", tax.Buyer{Country: "MC"}, "S TVA 20%"},
		{"Azores bear their own", tax.Buyer{Country: "PT", Postcode: "9500-321"}, "S IVA 16%"},
		{"Jungholz bears its own", tax.Buyer{Country: "AT", Postcode: "6691"}, "S USt. 19%"},
		{"an id does not move Ceuta into the Union", func() tax.Buyer {
			b := withID("ES", "ESB58378431", tax.IDValid)
			b.Postcode = "51001"
			return b
		}(), "O outside_eu"},
		{"Northern Ireland is the United Kingdom for services", tax.Buyer{Country: "GB", Postcode: "BT1 5GS"}, "S VAT 20%"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if got := short(decide(t, german(), s.buyer, "2026-03-01")); got != s.want {
				t.Errorf("got %q, want %q", got, s.want)
			}
		})
	}
}
