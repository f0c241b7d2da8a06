package staff_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/testapp"
)

func TestSecretsTypedByStaffAreSealedAndNeverShown(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	scenarios := []struct{ collection, field string }{{"gateways", "secret_key"}, {"gateways", "webhook_secret"}, {"platforms", "token"}}
	for _, s := range scenarios {
		id := app.One(s.collection, dbx.HashExp{"kind": map[string]string{"gateways": "stripe", "platforms": "virtfusion"}[s.collection]}).Id
		path := "/api/collections/" + s.collection + "/records/" + id
		for _, secret := range []string{"first-secret", "second-secret"} { // typed, then replaced
			answers := []*testapp.Answer{
				app.Do(http.MethodPatch, path, app.Staff(), map[string]any{s.field: secret}),
				app.Do(http.MethodGet, path, app.Staff(), nil),
				app.Do(http.MethodGet, "/api/collections/"+s.collection+"/records", app.Staff(), nil),
				app.Do(http.MethodGet, path, ada.Token, nil),
				app.Do(http.MethodGet, path, "", nil),
			}
			for i, r := range answers {
				if strings.Contains(string(r.Body), secret) {
					t.Errorf("%s.%s: answer %d shows the secret: %s", s.collection, s.field, i, r)
				}
			}
			app.Want(http.StatusOK, answers[0])
			stored := app.Record(s.collection, id).GetString(s.field)
			if !collections.IsSealed(stored) || strings.Contains(stored, secret) {
				t.Errorf("%s.%s is stored as %q", s.collection, s.field, stored)
			}
			if opened, err := app.Sealer.OpenField(app.Record(s.collection, id), s.field); err != nil || opened != secret {
				t.Errorf("%s.%s opens as %q, %v; want %q", s.collection, s.field, opened, err, secret)
			}
		}
		sealed := app.Record(s.collection, id).GetString(s.field)
		app.Want(http.StatusOK, app.Do(http.MethodPatch, path, app.Staff(), map[string]any{"enabled": true})) // another field
		if got := app.Record(s.collection, id).GetString(s.field); got != sealed {
			t.Errorf("%s.%s changed with another field", s.collection, s.field)
		}
	}
	rows := []dbx.NullStringMap{}
	if err := app.DB().NewQuery("SELECT `changes` FROM `audit_logs`").All(&rows); err != nil || len(rows) == 0 {
		t.Fatalf("%d audit rows, %v", len(rows), err)
	}
	for _, r := range rows {
		if strings.Contains(r["changes"].String, "secret\"") && strings.Contains(r["changes"].String, "-secret") || strings.Contains(r["changes"].String, "sealed:") {
			t.Errorf("the audit log shows %s", r["changes"].String)
		}
	}
}

func TestCredentialsMovedToAnotherServiceDoNotOpen(t *testing.T) {
	app := testapp.New(t)
	ada, eve := app.Customer("ada"), app.Customer("eve")
	victim, own := app.Buy(ada, testapp.Cart{}), app.Buy(eve, testapp.Cart{})
	app.Quiet()
	password := app.Do(http.MethodPost, "/api/v1/services/"+victim.Services[0]+"/credentials", ada.Token, map[string]any{}).Text("password")
	if password == "" {
		t.Fatal("the owner sees no password")
	}
	if err := app.Exec("UPDATE services SET credentials = (SELECT credentials FROM services WHERE id = '" + victim.Services[0] + "') WHERE id = '" + own.Services[0] + "'"); err != nil {
		t.Fatal(err)
	}
	r := app.Do(http.MethodPost, "/api/v1/services/"+own.Services[0]+"/credentials", eve.Token, map[string]any{})
	if r.Status != http.StatusInternalServerError || strings.Contains(string(r.Body), password) || strings.Contains(string(r.Body), "sealed") {
		t.Errorf("got %s, want 500 that shows nothing", r)
	}
}

func TestAnotherKeyOpensNothing(t *testing.T) {
	dir := t.TempDir()
	first := testapp.New(t, testapp.Dir(dir))
	ada := first.Customer("ada")
	o := first.Buy(ada, testapp.Cart{})
	first.Quiet()
	first.Close()

	second := testapp.New(t, testapp.Dir(dir), testapp.SealKey(bytes.Repeat([]byte{9}, 32)))
	r := second.Do(http.MethodPost, "/api/v1/services/"+o.Services[0]+"/credentials", ada.Token, map[string]any{})
	if r.Status != http.StatusInternalServerError || strings.Contains(string(r.Body), "EZSCALE_KEY") {
		t.Errorf("got %s, want 500 without our variables", r)
	}
	sealed := second.Service(o).GetString("credentials")
	if _, err := second.Sealer.OpenField(second.Service(o), "credentials"); err == nil || !strings.Contains(err.Error(), "EZSCALE_KEY") {
		t.Errorf("the log would say %v, want the variable", err)
	}
	svc := second.Service(o) // an unrelated save must not seal it once more
	svc.Set("label", "renamed")
	if err := second.Save(svc); err != nil {
		t.Fatal(err)
	}
	if got := second.Service(o).GetString("credentials"); got != sealed {
		t.Error("a value under another key was changed")
	}
}
