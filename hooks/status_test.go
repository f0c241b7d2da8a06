package hooks_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/internal/testapp"
)

// TestF5AStatusIsOfAClosedSet: a typo, a blank or another system's word is refused
// by every door, and where somebody writes past them all the audit names the row:
// nothing runs on in a status that no timer looks after.
func TestF5AStatusIsOfAClosedSet(t *testing.T) {
	app := testapp.New(t, testapp.Unchecked())
	ada := app.Customer("ada")
	o := app.Buy(ada, testapp.Cart{})
	app.Quiet()
	rows := map[string]string{
		collections.Invoices: o.Invoice, collections.Orders: o.ID, collections.Services: o.Services[0],
		collections.Subscriptions: app.One(collections.Subscriptions, dbx.HashExp{"order": o.ID}).Id,
	}
	for collection, id := range rows {
		before := app.Record(collection, id).GetString("status")
		for _, odd := range []string{"actve", "", "Active ", "completed"} {
			if r := app.Do(http.MethodPatch, "/api/collections/"+collection+"/records/"+id, app.Staff(), map[string]any{"status": odd}); r.Status/100 != 4 {
				t.Errorf("the admin area made the status of %s %q: %s", collection, odd, r)
			}
			row := app.Record(collection, id)
			row.Set("status", odd)
			if err := app.Save(row); err == nil {
				t.Errorf("a hook made the status of %s %q", collection, odd)
			}
			if got := app.Record(collection, id).GetString("status"); got != before {
				t.Fatalf("the status of %s is %q, want %q as before", collection, got, before)
			}
		}
		if err := app.Exec("UPDATE `" + collection + "` SET `status` = 'actve' WHERE `id` = '" + id + "'"); err != nil {
			continue // so much the better
		}
		found, err := books.Audit(app.DB())
		if err != nil {
			t.Fatal(err)
		}
		named := false
		for _, f := range found {
			named = named || f.Rule == "a status is one that somebody looks after" && strings.Contains(f.What, id)
		}
		if !named {
			t.Errorf("the audit does not name the status of %s: %v", collection, found)
		}
		if err := app.Exec("UPDATE `" + collection + "` SET `status` = '" + before + "' WHERE `id` = '" + id + "'"); err != nil {
			t.Fatal(err)
		}
	}
}
