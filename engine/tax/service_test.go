package tax_test

import (
	"errors"
	"testing"

	"github.com/ezscale/ezscale/engine/tax"
)

// asking is a German seller who has Stripe Tax decide.
func asking() tax.Policy {
	p := german()
	p.Calculator, p.TaxCode = tax.CalculatorStripe, "txcd_1"
	return p
}

// TestWhatAServiceIsAsked: of whoever has no id that counts, only the place.
func TestWhatAServiceIsAsked(t *testing.T) {
	off, small, refusing := asking(), asking(), asking()
	off.Enabled, small.SmallBusiness, refusing.InvalidID = false, true, tax.RefuseID
	for _, s := range []struct {
		name   string
		policy tax.Policy
		buyer  tax.Buyer
		want   string
		needed bool
		err    error
	}{
		{"own table", german(), tax.Buyer{Country: "DE"}, "||||", false, nil},
		{"taxes are off", off, tax.Buyer{Country: "DE"}, "||||", false, nil},
		{"small business", small, tax.Buyer{Country: "DE"}, "||||", false, nil},
		{"consumer in America", asking(), tax.Buyer{Country: "us", Region: "US-CA", Postcode: "94105-1234"}, "US|CA|941051234||txcd_1", true, nil},
		{"Monaco", asking(), tax.Buyer{Country: "MC"}, "FR||||txcd_1", true, nil},
		{"valid id abroad", asking(), withID("AT", "ATU13585627", tax.IDValid), "AT|||ATU13585627|txcd_1", true, nil},
		{"valid id at home", asking(), withID("DE", "DE136695976", tax.IDValid), "DE||||txcd_1", true, nil},
		{"id that nobody has checked", asking(), withID("AT", "ATU13585627", tax.IDUnchecked), "AT||||txcd_1", true, nil},
		{"invalid id", asking(), withID("AT", "ATU13585627", tax.IDInvalid), "AT||||txcd_1", true, nil},
		{"invalid id that is refused", refusing, withID("AT", "ATU13585627", tax.IDInvalid), "AT||||txcd_1", true, tax.ErrVATID},
	} {
		q, needed, err := tax.Ask(s.policy, s.buyer)
		if q.Key() != s.want || needed != s.needed || !errors.Is(err, s.err) {
			t.Errorf("%s: got %s, %t, %v, want %s, %t, %v", s.name, q.Key(), needed, err, s.want, s.needed, s.err)
		}
	}
}

func TestAnAnswerDecides(t *testing.T) {
	answer := tax.Answer{Category: tax.Standard, Components: []tax.Component{{Name: "Sales tax", Country: "US", Region: "CA", Level: 1, PPM: 60_000}}}
	for _, s := range []struct {
		name  string
		buyer tax.Buyer
		want  tax.Category
	}{{"taxed", tax.Buyer{Country: "US", Region: "CA"}, tax.Standard}, {"exempt buyer", tax.Buyer{Country: "US", Region: "CA", Exempt: true, ExemptReason: "school"}, tax.Exempt}} {
		got, err := tax.DecideAs(asking(), s.buyer, nil, answer, on("2026-02-01"))
		if err != nil || got.Category != s.want || got.Evidence.By != "stripe" || got.Evidence.Billing != "US" || (len(got.Components) == 1) != (s.want == tax.Standard) {
			t.Errorf("%s: got %+v, %v", s.name, got, err)
		}
	}
}

func TestAnswersThatNoDocumentCouldPrint(t *testing.T) {
	one := tax.Component{Name: "VAT", Country: "DE", Level: 1, PPM: 190_000}
	free := one
	free.PPM = 0
	for name, a := range map[string]tax.Answer{
		"nothing":              {},
		"taxed by no tax":      {Category: tax.Standard},
		"taxed for a reason":   {Category: tax.Standard, Reason: tax.ReasonExempt, Components: []tax.Component{one}},
		"three taxes":          {Category: tax.Standard, Components: []tax.Component{one, one, one}},
		"a tax of zero":        {Category: tax.Standard, Components: []tax.Component{free}},
		"a zero that is taxed": {Category: tax.Zero, Components: []tax.Component{one}},
		"untaxed by a tax":     {Category: tax.OutOfScope, Reason: tax.ReasonNotTaxable, Components: []tax.Component{one}},
		"untaxed for nothing":  {Category: tax.OutOfScope},
		"more than everything": {Category: tax.Standard, Components: []tax.Component{{Name: "VAT", PPM: 1_000_001}}},
		"without a name":       {Category: tax.Standard, Components: []tax.Component{{PPM: 1}}},
	} {
		if err := a.Check(); !errors.Is(err, tax.ErrAnswer) {
			t.Errorf("%s: got %v, want %v", name, err, tax.ErrAnswer)
		}
		if _, err := tax.DecideAs(asking(), tax.Buyer{Country: "DE"}, nil, a, on("2026-02-01")); !errors.Is(err, tax.ErrAnswer) {
			t.Errorf("%s decides: %v", name, err)
		}
	}
}
