package tax_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/engine/tax"
)

// short writes a treatment as "S 19% DE", "AE reverse_charge".
func short(t tax.Treatment) string {
	parts := []string{string(t.Category)}
	for _, c := range t.Components {
		parts = append(parts, fmt.Sprintf("%s %g%%", c.Name, float64(c.PPM)/10_000))
	}
	if t.Reason != "" {
		parts = append(parts, string(t.Reason))
	}
	return strings.Join(parts, " ")
}

func TestDecide(t *testing.T) {
	noOSS := german()
	noOSS.OSS = false
	off, small := tax.Policy{Rounding: tax.PerLine}, german()
	small.SmallBusiness = true
	trusting := german()
	trusting.UncheckedID = tax.TrustID
	american := german()
	american.HomeCountry = "US"
	americanAtHome := american
	americanAtHome.OSS = false

	scenarios := []struct {
		name   string
		policy tax.Policy
		buyer  tax.Buyer
		want   string
	}{
		{"taxes are off", off, tax.Buyer{Country: "DE"}, "O no_tax"},
		{"small business", small, tax.Buyer{Country: "FR"}, "E small_business"},
		{"consumer at home", german(), tax.Buyer{Country: "DE"}, "S USt. 19%"},
		{"country in small letters", german(), tax.Buyer{Country: " de "}, "S USt. 19%"},
		{"business at home is never exempt by its id", german(), withID("DE", "DE136695976", tax.IDValid), "S USt. 19%"},
		{"exempt at home", german(), tax.Buyer{Country: "DE", Exempt: true, ExemptReason: "NATO"}, "E exempt"},
		{"consumer abroad, OSS", german(), tax.Buyer{Country: "HU"}, "S ÁFA 27%"},
		{"consumer abroad, no OSS", noOSS, tax.Buyer{Country: "HU"}, "S USt. 19%"},
		{"business abroad, valid id", german(), withID("AT", "ATU13585627", tax.IDValid), "AE reverse_charge"},
		{"business abroad, valid id, no OSS", noOSS, withID("AT", "ATU13585627", tax.IDValid), "AE reverse_charge"},
		{"business abroad, invalid id", german(), withID("AT", "ATU13585627", tax.IDInvalid), "S USt. 20%"},
		{"business abroad, unchecked id", german(), withID("AT", "ATU13585627", tax.IDUnchecked), "S USt. 20%"},
		{"business abroad, unchecked id is trusted", trusting, withID("AT", "ATU13585627", tax.IDUnchecked), "AE reverse_charge"},
		{"business abroad without id", german(), tax.Buyer{Country: "AT", Business: true}, "S USt. 20%"},
		{"a malformed id is not trusted", trusting, withID("AT", "ATU13585626", tax.IDUnchecked), "S USt. 20%"},
		{"an id as it was typed", german(), func() tax.Buyer {
			b := withID("AT", "ATU13585627", tax.IDValid)
			b.VATID = " atu 135.856.27"
			return b
		}(), "AE reverse_charge"},
		{"Greek ids begin with EL", german(), withID("GR", "EL094259216", tax.IDValid), "AE reverse_charge"},
		{"id of another country", german(), withID("FR", "ATU13585627", tax.IDValid), "S TVA 20%"},
		{"exempt buyer abroad", german(), tax.Buyer{Country: "FR", Exempt: true}, "E exempt"},
		{"exempt buyer with reverse charge", german(), func() tax.Buyer {
			b := withID("AT", "ATU13585627", tax.IDValid)
			b.Exempt = true
			return b
		}(), "AE reverse_charge"},
		{"outside the Union, no rate", german(), tax.Buyer{Country: "US", Region: "NY"}, "O outside_eu"},
		{"outside the Union, registered there", german(), tax.Buyer{Country: "CH"}, "S MWST 8.1%"},
		{"United Kingdom, consumer", german(), tax.Buyer{Country: "GB"}, "S VAT 20%"},
		{"United Kingdom, business", german(), tax.Buyer{Country: "GB", Business: true}, "O outside_eu"},
		{"United Kingdom, business, from there", local("GB"), tax.Buyer{Country: "GB", Business: true}, "S VAT 20%"},
		{"unknown country", german(), tax.Buyer{}, "O outside_eu"},
		{"American, European consumer", american, tax.Buyer{Country: "FR"}, "S TVA 20%"},
		{"American, European business", american, withID("AT", "ATU13585627", tax.IDValid), "AE reverse_charge"},
		{"American, at home", americanAtHome, tax.Buyer{Country: "US", Region: "CA"}, "S State tax 7.25% County tax 2.25%"},
		{"American, a state without tax", american, tax.Buyer{Country: "US", Region: "OR"}, "O not_taxable"},
		{"American, Japan has a rate", american, tax.Buyer{Country: "JP"}, "S 消費税 10%"},
		{"Canada, country alone", local("CA"), tax.Buyer{Country: "CA", Region: "AB"}, "S GST 5%"},
		{"Canada, the region's rate wins", local("CA"), tax.Buyer{Country: "CA", Region: "on"}, "S HST 13%"},
		{"Canada, two levels", local("CA"), tax.Buyer{Country: "CA", Region: "CA-QC"}, "S GST 5% QST 9.975%"},
		{"Canada, abroad", local("CA"), tax.Buyer{Country: "BR"}, "O not_taxable"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if got := short(decide(t, s.policy, s.buyer, "2026-03-01")); got != s.want {
				t.Errorf("got %q, want %q", got, s.want)
			}
		})
	}
}

func TestDecideRefuses(t *testing.T) {
	refusing := german()
	refusing.UncheckedID, refusing.InvalidID = tax.RefuseID, tax.RefuseID
	trusting := german()
	trusting.InvalidID = tax.TrustID
	scenarios := []struct {
		name   string
		policy tax.Policy
		buyer  tax.Buyer
		want   error
	}{
		{"no rate of a member state", german(), tax.Buyer{Country: "SE"}, tax.ErrNoRate},
		{"no rate at home", local("AU"), tax.Buyer{Country: "AU"}, tax.ErrNoRate},
		{"no rate at home yet", func() tax.Policy { p := german(); p.HomeCountry = "LU"; return p }(), tax.Buyer{Country: "LU"}, tax.ErrNoRate},
		{"invalid id is refused", refusing, withID("AT", "ATU13585627", tax.IDInvalid), tax.ErrVATID},
		{"unchecked id is refused", refusing, withID("AT", "ATU13585627", tax.IDUnchecked), tax.ErrVATID},
		{"invalid ids are never trusted", trusting, tax.Buyer{Country: "DE"}, tax.ErrPolicy},
		{"no rounding", tax.Policy{}, tax.Buyer{Country: "DE"}, tax.ErrPolicy},
		{"no home", tax.Policy{Enabled: true, Rounding: tax.PerLine}, tax.Buyer{}, tax.ErrPolicy},
		{"OSS without the Union's rules", tax.Policy{OSS: true, Rounding: tax.PerLine}, tax.Buyer{}, tax.ErrPolicy},
		{"unknown handling", tax.Policy{UncheckedID: "maybe", Rounding: tax.PerLine}, tax.Buyer{}, tax.ErrPolicy},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if got, err := tax.Decide(s.policy, s.buyer, world, on("2026-03-01")); !errors.Is(err, s.want) {
				t.Errorf("got %q, error %v, want %v", short(got), err, s.want)
			}
		})
	}
}

func TestDecideKeepsEvidence(t *testing.T) {
	moved := withID("FR", "ATU13585627", tax.IDValid)
	scenarios := []struct {
		name     string
		buyer    tax.Buyer
		proof    tax.Proof
		conflict string
	}{
		{"address alone", tax.Buyer{Country: "FR"}, tax.ProofOne, ""},
		{"address and IP agree", tax.Buyer{Country: "FR", IPCountry: "fr"}, tax.ProofTwo, ""},
		{"address and card agree", tax.Buyer{Country: "FR", PaymentCountry: "FR"}, tax.ProofTwo, ""},
		{"Monaco is France", tax.Buyer{Country: "FR", IPCountry: "MC"}, tax.ProofTwo, ""},
		{"IP contradicts", tax.Buyer{Country: "FR", IPCountry: "HU"}, tax.ProofConflict, "billing address FR, IP address HU"},
		{"all contradict", tax.Buyer{Country: "FR", IPCountry: "HU", PaymentCountry: "HU"}, tax.ProofConflict, "billing address FR, IP address HU, payment HU"},
		{"two against one", tax.Buyer{Country: "FR", IPCountry: "HU", PaymentCountry: "FR"}, tax.ProofTwo, "billing address FR, IP address HU"},
		{"at home too", tax.Buyer{Country: "DE", IPCountry: "PL"}, tax.ProofConflict, "billing address DE, IP address PL"},
		{"businesses need none", withID("AT", "ATU13585627", tax.IDValid), tax.ProofNone, ""},
		{"nor do buyers beyond the Union", tax.Buyer{Country: "US", IPCountry: "DE"}, tax.ProofNone, ""},
		{"an id of another state at home", withID("DE", "ATU13585627", tax.IDValid), tax.ProofOne, "billing address DE, VAT id ATU13585627"},
		{"an id of the Union beyond it", withID("US", "ATU13585627", tax.IDValid), tax.ProofNone, "billing address US, VAT id ATU13585627"},
		{"a number of another kind beyond the Union", withID("US", "12-3456789", tax.IDUnchecked), tax.ProofNone, ""},
		{"a number of another kind within it", withID("FR", "12-3456789", tax.IDUnchecked), tax.ProofOne, "billing address FR, VAT id 12-3456789"},
		{"an id of another state counts for nothing", moved, tax.ProofOne, "billing address FR, VAT id ATU13585627"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got := decide(t, german(), s.buyer, "2026-03-01").Evidence
			if got.Proof != s.proof || got.Conflict != s.conflict {
				t.Errorf("got proof %q, conflict %q, want %q, %q", got.Proof, got.Conflict, s.proof, s.conflict)
			}
		})
	}
	got := decide(t, german(), withID("AT", "ATU13585627", tax.IDValid), "2026-03-01").Evidence
	want := tax.Evidence{
		Country: "AT", Billing: "AT", VATID: "ATU13585627", VATStatus: tax.IDValid, VATCheckedAt: on("2026-01-15"), Consultation: "WAPIAAAA1",
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestDecideDeducts covers buyers without tax in a shop of gross prices.
func TestDecideDeducts(t *testing.T) {
	p := german()
	p.Inclusive, p.DeductUntaxed = true, true
	scenarios := []struct {
		name  string
		buyer tax.Buyer
		want  int64
	}{
		{"consumer pays what is listed", tax.Buyer{Country: "DE"}, 11_900},
		{"consumer abroad too", tax.Buyer{Country: "HU"}, 11_900},
		{"reverse charge pays the net", withID("AT", "ATU13585627", tax.IDValid), 10_000},
		{"so do buyers beyond the Union", tax.Buyer{Country: "US"}, 10_000},
		{"and the exempt", tax.Buyer{Country: "DE", Exempt: true}, 10_000},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			listed := line(11_900, tax.Treatment{}).Amount
			got, err := decide(t, p, s.buyer, "2026-03-01").Price(listed)
			if err != nil || got.Minor() != s.want {
				t.Errorf("got %v, error %v, want %d", got, err, s.want)
			}
		})
	}
}
