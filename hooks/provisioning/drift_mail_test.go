package provisioning_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/enhancebox"
	"github.com/ezscale/ezscale/internal/testapp"
)

// TestStaffGetOneMailAboutNewDrift, with how much of each kind is open: none about
// what was told before, is ignored or has gone by itself.
func TestStaffGetOneMailAboutNewDrift(t *testing.T) {
	for locale, want := range map[string][2]string{
		"": {"Pterodactyl: services differ (1)", "Another plan than was sold: 1"}, "de": {"Pterodactyl: Dienste weichen ab (1)", "Ein anderer Tarif als verkauft: 1"},
	} {
		t.Run(locale, func(t *testing.T) {
			a := newArcade(t)
			a.Clock().ToNoon()
			staffed(a.App, locale)
			a.Games.Resize(a.server().ID, 8192)
			id := a.must(a.compared(), "wrong_plan", "2048", "8192")
			if got := toStaff(a.App); len(got) != 1 || !strings.HasPrefix(got[0], want[0]) || !strings.Contains(got[0], want[1]) {
				t.Errorf("staff got %q, want one mail %q", got, want)
			}
			day := func() { a.Clock().Advance(24 * time.Hour); a.compared() }
			day()
			a.Want(http.StatusOK, a.Do(http.MethodPost, driftPath+"/findings/"+id+"/ignore", a.Staff(), map[string]any{"reason": "a gift"}))
			day()
			if got := toStaff(a.App); len(got) != 1 {
				t.Errorf("staff got %d mails, want none about what they know or ignore", len(got))
			}
			a.Games.Resize(a.server().ID, 16384)
			day()
			if got := toStaff(a.App); len(got) != 2 {
				t.Errorf("staff got %d mails, want one about the other difference", len(got))
			}
			a.Games.Resize(a.server().ID, 2048)
			day()
			a.Games.Resize(a.server().ID, 4096)
			day()
			a.Games.Resize(a.server().ID, 2048)
			a.compared()
			if got := toStaff(a.App); len(got) != 2 {
				t.Errorf("staff got %d mails, want none about what had gone before its turn", len(got))
			}
		})
	}
}

// TestDriftOfHosting: Enhance lists its subscriptions, customer by customer.
func TestDriftOfHosting(t *testing.T) {
	app := testapp.New(t, testapp.Hosting())
	o := app.Buy(app.Customer("ada"), site("ada.example"))
	app.Quiet()
	platform := app.One(collections.Platforms, dbx.HashExp{"kind": "enhance"})
	a := &arcade{app, o.Services[0], o, platform.Id, "GET /api/orgs/" + enhancebox.SellerID + "/customers"}
	if got := a.compared(); got.Len("items") != 0 {
		t.Fatalf("before anything happened: %s", got)
	}
	app.Web.Suspend(hosted(app, a.service).ID, true)
	a.repair(a.must(a.compared(), "wrong_state", "active", "suspended"), http.StatusAccepted)
	if hosted(app, a.service).Suspended {
		t.Error("the repair changed nothing")
	}
	app.Web.SuspendOrg(hosted(app, a.service).Org, true)
	a.repair(a.must(a.compared(), "wrong_state", "active", "as a whole"), http.StatusConflict)
	app.Web.SuspendOrg(hosted(app, a.service).Org, false)
	app.Web.Destroy(hosted(app, a.service).ID)
	a.must(a.compared(), "missing", "active", "")
}
