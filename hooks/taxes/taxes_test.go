package taxes_test

import (
	"net/http"
	"testing"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/internal/testapp"
)

// taxed is a test app of a German seller with rates of two countries.
func taxed(t *testing.T) *testapp.App {
	t.Helper()
	a := testapp.New(t)
	if err := collections.SaveSetting(a.App, "tax", tax.Policy{Enabled: true, EUVAT: true, Rounding: tax.PerLine}); err != nil {
		t.Fatal(err)
	}
	for country, ppm := range map[string]int64{"DE": 190_000, "FR": 200_000} {
		_, err := collections.Insert(a.App, collections.TaxRates, map[string]any{"name": "VAT", "country": country, "level": 1, "ppm": ppm, "valid_from": "2020-01-01 00:00:00.000Z"})
		if err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func profile(country, id string) map[string]any {
	return map[string]any{"profile": map[string]any{"company": "Hébergement SA", "street": "1 rue de la Paix", "postcode": "75002", "city": "Paris", "country": country, "tax_id": id}}
}

func (s *shop) status() tax.IDStatus {
	s.Helper()
	c, err := collections.LoadCustomer(s.App.App, s.who.Id)
	if err != nil {
		s.Fatal(err)
	}
	return c.Profile.VAT.Status
}

type shop struct {
	*testapp.App
	who *testapp.Person
}

func quoteTotal(s *shop) int64 {
	s.Helper()
	body := s.Body(testapp.Cart{})
	delete(body, "client_key")
	delete(body, "gateway")
	delete(body, "terms")
	delete(body, "total_minor")
	return s.Want(http.StatusOK, s.Do(http.MethodPost, "/api/v1/orders/quote", s.who.Token, body)).Int("total.minor")
}

func TestAValidIDOfAnotherMemberStateReversesTheCharge(t *testing.T) {
	a := taxed(t)
	s := &shop{a, a.Customer("ada")}
	if got := quoteTotal(s); got != 583 {
		t.Errorf("a consumer at home pays %d, want 5.83", got)
	}
	a.Want(http.StatusOK, a.Do(http.MethodPatch, "/api/v1/me", s.who.Token, profile("FR", "fr 40 303 265 045")))
	a.Eventually("the register has answered", func() bool { return s.status() == tax.IDValid })
	if got := quoteTotal(s); got != 490 {
		t.Errorf("a French company with a valid id pays %d, want the net 4.90", got)
	}
	if id := a.One(collections.UserProfiles, dbx.HashExp{"user": s.who.Id}).GetString("tax_id"); id != "FR40303265045" {
		t.Errorf("the id is stored as %q", id)
	}
}

// TestD8TheRegisterIsDown changes nothing that was known.
func TestD8TheRegisterIsDown(t *testing.T) {
	a := taxed(t)
	s := &shop{a, a.Customer("ada")}
	a.Want(http.StatusOK, a.Do(http.MethodPatch, "/api/v1/me", s.who.Token, profile("FR", "FR40303265045")))
	a.Eventually("the register has answered", func() bool { return s.status() == tax.IDValid })
	a.VIES.Fail("FR", "MS_UNAVAILABLE")
	a.Want(http.StatusOK, a.Do(http.MethodPost, "/api/v1/staff/customers/"+s.who.Id+"/vat-check", a.Staff(), nil))
	a.Quiet()
	if got := s.status(); got != tax.IDValid {
		t.Errorf("an outage of the register made the id %s", got)
	}
}

func TestAnUnknownIDIsTaxedUntilTheRegisterKnowsIt(t *testing.T) {
	a := taxed(t)
	s := &shop{a, a.Customer("ada")}
	a.VIES.Withdraw("FR40303265045")
	a.Want(http.StatusOK, a.Do(http.MethodPatch, "/api/v1/me", s.who.Token, profile("FR", "FR40303265045")))
	a.Eventually("the register has answered", func() bool { return s.status() == tax.IDInvalid })
	if got := quoteTotal(s); got != 583 {
		t.Errorf("a buyer with an invalid id pays %d, want tax", got)
	}
}

func TestAMistypedIDIsRefusedWithItsField(t *testing.T) {
	a := taxed(t)
	who := a.Customer("ada")
	r := a.Want(http.StatusUnprocessableEntity, a.Do(http.MethodPatch, "/api/v1/me", who.Token, profile("FR", "FR41303265045")))
	if fields := r.Fields(); len(fields) != 1 || fields[0] != "profile.tax_id" {
		t.Errorf("fields %v, want profile.tax_id", fields)
	}
	a.Want(http.StatusOK, a.Do(http.MethodPatch, "/api/v1/me", who.Token, profile("US", "12-3456789")))
}

func TestStandardRatesAreAddedOnce(t *testing.T) {
	a := taxed(t)
	before := a.Count(collections.TaxRates, "TRUE")
	first := a.Want(http.StatusOK, a.Do(http.MethodPost, "/api/v1/staff/tax-rates/standard", a.Staff(), nil))
	again := a.Want(http.StatusOK, a.Do(http.MethodPost, "/api/v1/staff/tax-rates/standard", a.Staff(), nil))
	if first.Int("added") < 27 || again.Int("added") != 0 || a.Count(collections.TaxRates, "TRUE") != before+int(first.Int("added")) {
		t.Errorf("first %s, again %s", first, again)
	}
}
