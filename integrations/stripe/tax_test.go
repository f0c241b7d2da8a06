package stripe

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
)

func TestTaxOfPlaces(t *testing.T) {
	s := newStage(t)
	for _, c := range []struct {
		name string
		q    tax.Question
		want string
	}{
		{"at home", tax.Question{Country: "DE", Postcode: "10115"}, "S VAT DE 190000"},
		{"member state", tax.Question{Country: "FR"}, "S VAT FR 200000"},
		{"its VAT id", tax.Question{Country: "FR", VATID: "FR40303265045"}, "AE reverse_charge"},
		{"state and districts", tax.Question{Country: "US", Region: "CA", Postcode: "94105"}, "S Sales tax US-CA 60000, Sales tax US-CA 15000"},
		{"only a part is taxed", tax.Question{Country: "US", Region: "TX", Postcode: "73301", Code: "txcd_10701100"}, "S Sales tax US-TX 50000, Sales tax US-TX 16000"},
		{"not registered there", tax.Question{Country: "US", Region: "NY", Postcode: "10001"}, "O not_taxable"},
		{"elsewhere", tax.Question{Country: "JP"}, "O not_taxable"},
	} {
		a, err := s.client.TaxOf(context.Background(), c.q)
		got := string(a.Category)
		if a.Reason != "" {
			got += " " + string(a.Reason)
		}
		for i, tx := range a.Components {
			place, sep := tx.Country, " "
			if tx.Region != "" {
				place += "-" + tx.Region
			}
			if i > 0 {
				sep = ", "
			}
			got += fmt.Sprintf("%s%s %s %d", sep, tx.Name, place, tx.PPM)
		}
		if err != nil || got != c.want {
			t.Errorf("%s: got %q, %v, want %q", c.name, got, err, c.want)
		}
	}
}

func TestTaxOfAPlaceThatIsNoneOrAStripeThatIsDown(t *testing.T) {
	s := newStage(t)
	if _, err := s.client.TaxOf(context.Background(), tax.Question{Country: "US", Region: "CA"}); !errors.Is(err, billing.ErrGatewayRefused) {
		t.Errorf("without a postcode: got %v, want %v", err, billing.ErrGatewayRefused)
	}
	for _, kind := range []fault.Kind{fault.Unavailable, fault.LostAnswer, fault.HTML502, fault.Truncated, fault.RateLimited, fault.RefuseConn} {
		s.faults.Clear()
		s.faults.Add(fault.Fault{Match: "POST /v1/tax/calculations", Kind: kind})
		if _, err := s.client.TaxOf(context.Background(), tax.Question{Country: "DE"}); !errors.Is(err, billing.ErrGatewayTemporary) {
			t.Errorf("%s: got %v, want %v", kind, err, billing.ErrGatewayTemporary)
		}
	}
}
