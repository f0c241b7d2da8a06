package invoices_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/internal/testapp"
)

// desk is staff at work in a test app where German tax is charged.
type desk struct {
	*testapp.App
	keys int
}

// begin starts an app; without a policy no tax is charged.
func begin(t *testing.T, policy ...tax.Policy) *desk {
	t.Helper()
	d := &desk{App: testapp.New(t)}
	if len(policy) == 0 {
		return d
	}
	d.setting("tax", policy[0])
	for _, r := range []map[string]any{
		{"name": "USt.", "country": "DE", "level": 1, "ppm": 190_000, "valid_from": "2020-01-01 00:00:00.000Z"},
	} {
		if _, err := collections.Insert(d.App, collections.TaxRates, r); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

var (
	german      = tax.Policy{Enabled: true, EUVAT: true, Rounding: tax.PerLine}
	perDocument = tax.Policy{Enabled: true, EUVAT: true, Rounding: tax.PerDocument}
	inclusive   = tax.Policy{Enabled: true, EUVAT: true, Inclusive: true, Rounding: tax.PerLine}
)

func (d *desk) setting(key string, value any) {
	d.Helper()
	if err := collections.SaveSetting(d.App, key, value); err != nil {
		d.Fatal(err)
	}
}

// staff calls an operation of staff, with a key of its own where it wants one and
// none is given.
func (d *desk) staff(path string, body map[string]any) *testapp.Answer {
	d.Helper()
	keyless := strings.HasSuffix(path, "/void") || strings.HasSuffix(path, "/write-off") || strings.HasSuffix(path, "/apply-credit")
	if _, given := body["key"]; !given && !keyless && body != nil {
		d.keys++
		body["key"] = fmt.Sprintf("key-%08d", d.keys)
	}
	return d.Do(http.MethodPost, "/api/v1/staff"+path, d.Staff(), body)
}

// line is a line as staff types it.
func line(text string, quantity, unit int64) map[string]any {
	return map[string]any{"description": text, "quantity": quantity, "unit_minor": unit}
}

// invoice issues an invoice by hand and returns its id.
func (d *desk) invoice(of *testapp.Person, lines ...map[string]any) string {
	d.Helper()
	return d.Want(http.StatusCreated, d.staff("/invoices", map[string]any{"customer": of.Id, "currency": "EUR", "issue": true, "lines": lines})).Text("id")
}

// transfer enters money for an invoice.
func (d *desk) transfer(invoice string, minor int64, reference string) {
	d.Helper()
	d.Want(http.StatusOK, d.Do(http.MethodPost, "/api/v1/staff/invoices/"+invoice+"/payments", d.Staff(), map[string]any{"amount_minor": minor, "currency": "EUR", "reference": reference}))
}

// give books credit.
func (d *desk) give(of *testapp.Person, minor int64) {
	d.Helper()
	d.Want(http.StatusOK, d.staff("/customers/"+of.Id+"/credit", map[string]any{"amount_minor": minor, "currency": "EUR", "reason": "goodwill"}))
}

// keepCredit leaves credit for the customer to use.
func (d *desk) keepCredit() {
	d.Helper()
	settings := collections.DefaultInvoicing()
	settings.KeepCredit = true
	d.setting("invoicing", settings)
}

// show is an invoice as its customer sees it.
func (d *desk) show(by *testapp.Person, invoice string) *testapp.Answer {
	d.Helper()
	return d.Want(http.StatusOK, d.Do(http.MethodGet, "/api/v1/invoices/"+invoice, by.Token, nil))
}

// credit is what a customer has.
func (d *desk) credit(of *testapp.Person) int64 {
	d.Helper()
	r, err := collections.First(d.App, collections.CreditBalances, dbx.HashExp{"user": of.Id, "currency": "EUR"})
	if err != nil {
		d.Fatal(err)
	}
	if r == nil {
		return 0
	}
	return r.GetInt64("balance_minor")
}

// file fetches a signed link and returns what it leads to.
func (d *desk) file(link, begins string) string {
	d.Helper()
	r := d.Do(http.MethodGet, link, "", nil)
	if r.Status != http.StatusOK || !strings.HasPrefix(string(r.Body), begins) {
		d.Fatalf("%s: got %d %.60q, want a file that begins with %q", link, r.Status, r.Body, begins)
	}
	return string(r.Body)
}

// until moves the clock to an instant, which must be ahead.
func (d *desk) until(at time.Time) {
	d.Helper()
	ahead := at.Sub(d.Clock().Now())
	if ahead < 0 {
		d.Fatalf("%s is %s ago", at, -ahead)
	}
	d.Clock().Advance(ahead)
}

// same fails the test where got is not want.
func same[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
