package provisioning_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/internal/testapp"
)

// listOf finds the entry of a list in an answer whose field has a value.
func listOf(t *testing.T, r *testapp.Answer, path, field, value string) map[string]any {
	t.Helper()
	items, _ := r.At(path).([]any)
	for _, one := range items {
		if entry, _ := one.(map[string]any); entry[field] == value {
			return entry
		}
	}
	t.Fatalf("no %s %q in %s", field, value, r)
	return nil
}

func TestThePlanEditorGetsItsOptions(t *testing.T) {
	app := testapp.New(t)
	path := "/api/v1/staff/platforms/" + home(app).Id + "/options"
	packages := func(query string) map[string]any {
		t.Helper()
		return listOf(t, app.Want(http.StatusOK, app.Do(http.MethodGet, path+query, app.Staff(), nil)), "items", "setting", "package_id")
	}
	const kind = "/api/v1/packages"
	app.Panel.Faults().Add(fault.Fault{Match: "GET " + kind, Kind: fault.HTML502, Times: 1})
	if p := packages(""); !strings.Contains(p["problem"].(string), "did not answer") {
		t.Errorf("a panel that is down: %v", p)
	}
	if p := packages(""); p["problem"] != "" || len(p["options"].([]any)) < 3 {
		t.Errorf("what failed is not read again at once: %v", p)
	}
	// Within a minute the panel is not asked again, but for what else is chosen.
	app.Panel.Faults().Add(fault.Fault{Match: "GET " + kind, Kind: fault.HTML502, Times: -1})
	if p := packages(""); p["problem"] != "" {
		t.Errorf("it was asked again: %v", p)
	}
	if p := packages("?chosen=package_id:1"); p["problem"] == "" {
		t.Errorf("another choice was not read: %v", p)
	}
	app.Clock().Advance(time.Minute)
	if p := packages(""); p["problem"] == "" {
		t.Errorf("a minute later it was not asked again: %v", p)
	}
	app.Panel.Faults().Clear()
	systems := listOf(t, app.Want(http.StatusOK, app.Do(http.MethodGet, path+"?chosen=package_id:1", app.Staff(), nil)), "items", "setting", "template_id")
	if systems["after"] != "package_id" || len(systems["options"].([]any)) == 0 {
		t.Errorf("systems of a package: %v", systems)
	}
	if r := app.Do(http.MethodGet, path+"?chosen=package_id", app.Staff(), nil); r.Status != http.StatusUnprocessableEntity || !strings.Contains(string(r.Body), "name:value") {
		t.Errorf("a choice without a value: %s", r)
	}
	if r := app.Do(http.MethodGet, "/api/v1/staff/platforms/nothing/options", app.Staff(), nil); r.Status != http.StatusNotFound {
		t.Errorf("no such platform: %s", r)
	}
	byHand := app.One(collections.Platforms, dbx.HashExp{"kind": "manual"})
	if r := app.Want(http.StatusOK, app.Do(http.MethodGet, "/api/v1/staff/platforms/"+byHand.Id+"/options", app.Staff(), nil)); r.Len("items") != 0 {
		t.Errorf("by hand: %s", r)
	}
	set(app, home(app), map[string]any{"kind": "enhance"})
	if r := app.Do(http.MethodGet, path, app.Staff(), nil); r.Status != http.StatusConflict || r.Code() != "not_set_up" {
		t.Errorf("a platform without a key: %s", r)
	}
}
