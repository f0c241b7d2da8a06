package account_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/internal/testapp"
)

func signUp(email string, edit map[string]any) map[string]any {
	body := map[string]any{"email": email, "password": "long-enough-1", "name": "Ada", "terms": true}
	for k, v := range edit {
		body[k] = v
	}
	return body
}

func TestBadSignUpsNameTheField(t *testing.T) {
	app := testapp.New(t)
	scenarios := []struct {
		name  string
		edit  map[string]any
		field string
	}{
		{"no address", map[string]any{"email": ""}, "email"},
		{"address without a host", map[string]any{"email": "ada"}, "email"},
		{"address with a name", map[string]any{"email": "Ada <ada@customer.test>"}, "email"},
		{"two addresses", map[string]any{"email": "a@customer.test, b@customer.test"}, "email"},
		{"address with a line break", map[string]any{"email": "a@customer.test\r\nBcc: b@customer.test"}, "email"},
		{"address that is too long", map[string]any{"email": strings.Repeat("a", 250) + "@customer.test"}, "email"},
		{"short password", map[string]any{"password": "short"}, "password"},
		{"long password", map[string]any{"password": strings.Repeat("a", 72)}, "password"},
		{"no name", map[string]any{"name": "  "}, "name"},
		{"long name", map[string]any{"name": strings.Repeat("ü", 201)}, "name"},
		{"terms not accepted", map[string]any{"terms": false}, "terms"},
		{"language that is none", map[string]any{"locale": "../../etc"}, "locale"},
		{"time zone that is none", map[string]any{"time_zone": "Mars/Base"}, "time_zone"},
	}
	before := app.Rows()
	for _, s := range scenarios {
		r := app.Do(http.MethodPost, "/api/v1/account/sign-up", "", signUp("ada@customer.test", s.edit))
		if r.Status != http.StatusUnprocessableEntity || len(r.Fields()) == 0 || r.Fields()[0] != s.field {
			t.Errorf("%s: got %s, want 422 for %s", s.name, r, s.field)
		}
	}
	if r := app.Do(http.MethodPost, "/api/v1/account/sign-up", "", signUp("ada@customer.test", map[string]any{"verified": true})); r.Status != http.StatusBadRequest {
		t.Errorf("a member that would verify: got %s, want 400", r)
	}
	app.Unchanged(before)
}

func TestATakenAddressIsToldToItsOwnerAlone(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	fresh := app.Do(http.MethodPost, "/api/v1/account/sign-up", "", signUp("new@customer.test", nil))
	taken := app.Do(http.MethodPost, "/api/v1/account/sign-up", "", signUp("ADA@customer.test", nil))
	if fresh.Status != taken.Status || string(fresh.Body) != string(taken.Body) || fresh.Status != http.StatusCreated {
		t.Errorf("a taken address answers %s, a new one %s; want the same", taken, fresh)
	}
	app.Eventually("the owner is told", func() bool { return len(app.Mails(ada.Email)) == 1 })
	if got := app.Count("users", ""); got != 2 {
		t.Errorf("%d customers, want 2", got)
	}
	if !app.Record("users", ada.Id).ValidatePassword(testapp.Password) {
		t.Error("the owner's password was changed")
	}
	for range 5 { // no flood
		app.Do(http.MethodPost, "/api/v1/account/sign-up", "", signUp("ada@customer.test", nil))
	}
	app.Quiet()
	if got := len(app.Mails(ada.Email)); got > 2 {
		t.Errorf("%d mails to the owner within the hour", got)
	}
}

func TestSigningUpTwiceAtOnceIsOneCustomer(t *testing.T) {
	app := testapp.New(t)
	wg, statuses := sync.WaitGroup{}, make([]int, 8)
	for i := range statuses {
		wg.Go(func() {
			if r, err := app.Try(http.MethodPost, "/api/v1/account/sign-up", "", signUp("ada@customer.test", nil)); err == nil {
				statuses[i] = r.Status
			}
		})
	}
	wg.Wait()
	for _, s := range statuses {
		if s != http.StatusCreated {
			t.Errorf("answers %v, want 201 each", statuses)
			break
		}
	}
	if got := app.Count("users", ""); got != 1 {
		t.Errorf("%d customers, want 1", got)
	}
}

func TestACustomerEditsTheirOwnData(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	profile := map[string]any{"company": "Ada Ltd", "street": "1 Road", "city": "Berlin", "postcode": "10115", "region": "", "country": "DE", "tax_id": "DE136695976", "phone": ""}
	r := app.Want(http.StatusOK, app.Do(http.MethodPatch, "/api/v1/me", ada.Token, map[string]any{"name": " Ada L. ", "locale": "de-AT", "profile": profile}))
	if r.Text("name") != "Ada L." || r.Text("locale") != "de-AT" || r.Text("profile.company") != "Ada Ltd" || r.Text("time_zone") != "UTC" {
		t.Errorf("got %s", r)
	}
	bad := map[string]map[string]any{
		"profile.country": {"profile": map[string]any{"country": "Germany"}},
		"profile.street":  {"profile": map[string]any{"street": strings.Repeat("x", 301)}},
		"name":            {"name": ""},
	}
	for field, body := range bad {
		if r := app.Do(http.MethodPatch, "/api/v1/me", ada.Token, body); r.Status != http.StatusUnprocessableEntity || r.Fields()[0] != field {
			t.Errorf("%s: got %s, want 422", field, r)
		}
	}
	for _, field := range []string{"currency", "verified", "status", "email", "id"} {
		if r := app.Do(http.MethodPatch, "/api/v1/me", ada.Token, map[string]any{field: "x"}); r.Status != http.StatusBadRequest {
			t.Errorf("%s: got %s, want 400: it is not theirs to change", field, r)
		}
	}
	if got := app.One("user_profiles", dbx.HashExp{"user": ada.Id}).GetString("company"); got != "Ada Ltd" {
		t.Errorf("company: got %q", got)
	}
}

func TestAnInvoiceKeepsTheAddressItWasIssuedTo(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	o := app.Order(ada, testapp.Cart{Gateway: "manual"})
	before := app.Record("invoices", o.Invoice).GetString("buyer")
	app.Want(http.StatusOK, app.Do(http.MethodPatch, "/api/v1/me", ada.Token, map[string]any{"name": "Somebody else"}))
	if after := app.Record("invoices", o.Invoice).GetString("buyer"); after != before || !strings.Contains(after, "ada") {
		t.Errorf("the buyer became %s", after)
	}
}
