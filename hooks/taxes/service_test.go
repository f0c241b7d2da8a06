package taxes_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/internal/testapp"
)

const calculations = "POST /v1/tax/calculations"

// asking is a test app whose taxes Stripe Tax decides, with a customer in
// California. Its own table says 10 % there.
func asking(t *testing.T, without string) *shop {
	t.Helper()
	a := testapp.New(t)
	policy := tax.Policy{Enabled: true, Rounding: tax.PerLine, HomeCountry: "DE", EUVAT: true, Calculator: tax.CalculatorStripe, WithoutAnswer: without}
	if err := collections.SaveSetting(a.App, "tax", policy); err != nil {
		t.Fatal(err)
	}
	_, err := collections.Insert(a.App, collections.TaxRates, map[string]any{"name": "Own table", "country": "US", "region": "CA", "level": 1, "ppm": 100_000, "valid_from": "2020-01-01 00:00:00.000Z"})
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{a, a.Customer("ada")}
	s.movesTo("US", "CA", "94105")
	return s
}

func (s *shop) movesTo(country, region, postcode string) {
	s.Helper()
	s.Want(http.StatusOK, s.Do(http.MethodPatch, "/api/v1/me", s.who.Token, map[string]any{
		"profile": map[string]any{"street": "1 Main Street", "city": "Town", "country": country, "region": region, "postcode": postcode, "tax_id": "", "company": ""},
	}))
}

func (s *shop) quote() *testapp.Answer {
	s.Helper()
	body := s.Body(testapp.Cart{})
	for _, part := range []string{"client_key", "gateway", "terms", "total_minor"} {
		delete(body, part)
	}
	return s.Do(http.MethodPost, "/api/v1/orders/quote", s.who.Token, body)
}

// The month of 4.90 with 6 % of the state and 1.5 % of its districts, and with our
// own table's 10 %.
const byStripe, byTable = 526, 539

func (s *shop) wantInvoice(id string, total int64, by string) {
	s.Helper()
	inv := s.Record(collections.Invoices, id)
	evidence := tax.Evidence{}
	if err := collections.ReadJSON(inv, "evidence", &evidence); err != nil {
		s.Fatal(err)
	}
	if inv.GetInt64("total_minor") != total || evidence.By != by {
		s.Errorf("an invoice over %d, decided by %q, want %d by %q", inv.GetInt64("total_minor"), evidence.By, total, by)
	}
}

func (s *shop) renewal() string {
	s.Helper()
	return s.One(collections.Invoices, dbx.HashExp{"kind": "renewal"}).Id
}

// TestStripeTaxDecidesQuoteOrderAndRenewal: the quote, the order and the renewal
// bear what Stripe says; it is asked once for all customers of a place and again
// when its answer is old, while nobody holds the database; and what was decided
// stays on the invoice.
func TestStripeTaxDecidesQuoteOrderAndRenewal(t *testing.T) {
	s := asking(t, "")
	blocked := time.Duration(0)
	s.StripeFaults.Before = func(r *http.Request) {
		if strings.Contains(r.URL.Path, "/tax/") {
			began := time.Now()
			if err := s.Exec("UPDATE `settings` SET `updated` = `updated`"); err != nil {
				t.Error("while Stripe is asked the database cannot be written: ", err)
			}
			blocked = max(blocked, time.Since(began))
		}
	}
	r := s.Want(http.StatusOK, s.quote())
	if r.Int("total.minor") != byStripe {
		t.Errorf("quoted: %s", r)
	}
	o := s.Buy(s.who, testapp.Cart{Total: byStripe})
	s.wantInvoice(o.Invoice, byStripe, "stripe")
	bob := &shop{s.App, s.Customer("bob")}
	bob.movesTo("US", "CA", "94105")
	s.Want(http.StatusOK, bob.quote())
	if n := s.Stripe.Calculations(); n != 1 {
		t.Errorf("Stripe was asked %d times about one place, want once", n)
	}
	bob.movesTo("US", "TX", "73301")
	if r := s.Want(http.StatusOK, bob.quote()); r.Int("total.minor") != 490+25+8 { // four fifths of 6.25 % and 2 %
		t.Errorf("quoted in Texas: %s", r)
	}
	s.Pass(20)
	s.wantInvoice(s.renewal(), byStripe, "stripe")
	if n := s.Stripe.Calculations(); n != 3 {
		t.Errorf("Stripe was asked %d times, want once more for the renewal", n)
	}
	if blocked > 5*time.Second {
		t.Errorf("somebody held the database for %s while Stripe was asked", blocked)
	}
	lines := 0
	if err := s.DB().NewQuery("SELECT COUNT(*) FROM `invoice_items` WHERE json_array_length(`taxes`, '$.components') = 2").Row(&lines); err != nil || lines < 2 {
		t.Errorf("%d lines keep both taxes, %v", lines, err)
	}
}

// TestWithoutAnAnswerNothingIsSold where the setting says so: not one row is written,
// the customer is told, and a moment after Stripe is back everything works.
func TestWithoutAnAnswerNothingIsSold(t *testing.T) {
	s := asking(t, tax.RefuseSale)
	s.StripeFaults.Add(fault.Fault{Match: calculations, Kind: fault.Unavailable})
	for what, r := range map[string]*testapp.Answer{
		"quote": s.quote(), "order": s.Do(http.MethodPost, "/api/v1/orders", s.who.Token, s.Body(testapp.Cart{Total: byStripe})),
	} {
		if r.Status != http.StatusServiceUnavailable || r.Code() != "tax_unavailable" {
			t.Errorf("%s: got %s, want tax_unavailable", what, r)
		}
	}
	if n := s.Count(collections.Orders, "") + s.Count(collections.Invoices, ""); n != 0 {
		t.Errorf("%d orders and invoices were written", n)
	}
	s.StripeFaults.Clear()
	if r := s.Want(http.StatusOK, s.quote()); r.Int("total.minor") != byStripe {
		t.Errorf("once Stripe is back: %s", r)
	}
	s.movesTo("US", "CA", "")
	if r := s.quote(); r.Status != http.StatusUnprocessableEntity || len(r.Fields()) != 1 || r.Fields()[0] != "postcode" {
		t.Errorf("an address that Stripe finds no place for: got %s", r)
	}
}

// TestWithoutAnAnswerTheOwnTableDecides where the setting says so, and the invoice
// says that it did. Stripe is not asked with every click meanwhile.
func TestWithoutAnAnswerTheOwnTableDecides(t *testing.T) {
	s := asking(t, tax.OwnTable)
	s.StripeFaults.Add(fault.Fault{Match: calculations, Kind: fault.LostAnswer})
	for range 3 {
		if r := s.Want(http.StatusOK, s.quote()); r.Int("total.minor") != byTable {
			t.Errorf("quoted: %s", r)
		}
	}
	o := s.Order(s.who, testapp.Cart{Total: byTable})
	s.wantInvoice(o.Invoice, byTable, tax.ByTable)
	s.StripeFaults.Clear()
	s.Clock().Advance(11 * time.Minute)
	s.RunTasks()
	if r := s.Want(http.StatusOK, s.quote()); r.Int("total.minor") != byStripe {
		t.Errorf("once Stripe is back: %s", r)
	}
	s.wantInvoice(o.Invoice, byTable, tax.ByTable) // what was decided stays
}

// TestARenewalWaitsForStripeTax: its invoice is not made while nobody knows the tax,
// and is made once as soon as somebody does. With our own table nobody waits.
func TestARenewalWaitsForStripeTax(t *testing.T) {
	for without, total := range map[string]int64{tax.RefuseSale: byStripe, tax.OwnTable: byTable} {
		t.Run(without, func(t *testing.T) {
			s := asking(t, without)
			s.Buy(s.who, testapp.Cart{Total: byStripe})
			s.Quiet()
			s.Pass(14)
			s.StripeFaults.Add(fault.Fault{Match: calculations, Kind: fault.Unavailable})
			s.Pass(6) // the invoice is due to be made on the way
			made := s.Count(collections.Invoices, "`kind` = 'renewal'")
			if want := map[string]int{tax.RefuseSale: 0, tax.OwnTable: 1}[without]; made != want {
				t.Fatalf("%d renewals are invoiced while Stripe is down, want %d", made, want)
			}
			s.StripeFaults.Clear()
			s.Clock().Advance(time.Hour)
			s.Pass(2)
			if n := s.Count(collections.Invoices, "`kind` = 'renewal'"); n != 1 {
				t.Fatalf("%d renewals are invoiced, want 1", n)
			}
			s.wantInvoice(s.renewal(), total, map[string]string{tax.RefuseSale: "stripe", tax.OwnTable: tax.ByTable}[without])
			if n := s.Count(collections.Jobs, "`state` IN ('failed', 'parked')"); n != 0 {
				t.Errorf("%d jobs were given up", n)
			}
		})
	}
}
