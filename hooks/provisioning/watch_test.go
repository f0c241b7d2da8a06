package provisioning_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/internal/testapp"
)

// reads counts the readings of servers from now on.
func reads(app *testapp.App) *atomic.Int64 {
	n := &atomic.Int64{}
	app.Panel.Faults().Before = func(r *http.Request) {
		if r.Method == http.MethodGet && strings.Count(r.URL.Path, "/") == 4 && strings.Contains(r.URL.Path, "/servers/") {
			n.Add(1)
		}
	}
	return n
}

// TestOpenPortalsCostAPanelItsInterval: however many browsers look at four servers
// and however often it is looked, each is read once in the interval, and not at all
// when nobody looks.
func TestOpenPortalsCostAPanelItsInterval(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	app.Buy(ada, testapp.Cart{Quantity: 4})
	app.Quiet()
	n := reads(app)
	look := func() {
		for range 5 {
			app.RunTask("live")
		}
	}
	app.Clock().Advance(time.Hour)
	if look(); n.Load() != 0 {
		t.Errorf("%d readings for nobody", n.Load())
	}
	portals := []*testapp.Stream{}
	for range 20 {
		s := app.Stream()
		app.Want(http.StatusNoContent, s.Subscribe(ada.Token, "customer/"+ada.Id))
		portals = append(portals, s)
	}
	app.Clock().Advance(time.Hour)
	n.Store(0)
	for round := range 3 {
		if look(); n.Load() != int64(4*(round+1)) {
			t.Errorf("%d readings after round %d, want 4 in each", n.Load(), round+1)
		}
		app.Clock().Advance(31 * time.Second)
	}
	for _, s := range portals {
		s.Close()
	}
	n.Store(0)
	app.Eventually("nobody looks any more", func() bool {
		app.Clock().Advance(31 * time.Second)
		before := n.Load()
		look()
		return n.Load() == before
	})
}

// TestAPortalIsToldWhatIsNew: figures are pushed and shown without being stored, and
// what is more than a figure is stored.
func TestAPortalIsToldWhatIsNew(t *testing.T) {
	app := testapp.New(t, testapp.Steady())
	ada := app.Customer("ada")
	order := app.Buy(ada, testapp.Cart{})
	app.Quiet()
	app.RunTasks()
	app.Quiet()
	portal := app.Stream()
	app.Want(http.StatusNoContent, portal.Subscribe(ada.Token, "customer/"+ada.Id))
	id := order.Services[0]
	told := func() int { return strings.Count(portal.All(), id) }
	look := func(after time.Duration) int {
		before := told()
		app.Clock().Advance(after)
		app.RunTask("live")
		app.Within(500*time.Millisecond, func() bool { return told() > before })
		return told() - before
	}
	look(6 * time.Minute) // stores what is old
	stored := app.Record(collections.Services, id)
	if n := look(40 * time.Second); n != 1 {
		t.Errorf("told %d times of new figures, want once", n)
	}
	if now := app.Record(collections.Services, id); now.GetString("updated") != stored.GetString("updated") {
		t.Error("figures alone were stored")
	}
	shown := app.Want(http.StatusOK, app.Do(http.MethodGet, "/api/v1/services/"+id, ada.Token, nil))
	if at := shown.Text("power_at"); at <= collections.Time(stored, "power_at").UTC().Format(time.RFC3339) {
		t.Errorf("the portal shows what was read at %s, want what is new", at)
	}

	app.Panel.Faults().Add(fault.Fault{Match: "GET /api/v1/servers/", Kind: fault.HTML502})
	if n := look(40 * time.Second); n != 0 {
		t.Errorf("told %d times of a failure, want what is known to stay", n)
	}
	app.Panel.Faults().Clear()
	server := app.Panel.Snapshot().Servers[0]
	app.Panel.Destroy(server.ID)
	if n := look(40 * time.Second); n != 1 {
		t.Errorf("told %d times that the server is gone, want once", n)
	}
	if note := app.Record(collections.Services, id).GetString("action_note"); !strings.Contains(note, "does not find this server") {
		t.Errorf("the customer reads %q", note)
	}
	logs := func() int { return app.Count("provisioning_logs", "`action` = 'refresh' AND `status` = 'failed'") }
	before := logs()
	if look(40 * time.Second); logs() != before || before != 1 {
		t.Errorf("%d entries and then %d, want one that says so", before, logs())
	}
}

// TestAServerThatIsBeingRemovedIsNotLost: between its removal at the panel and the end
// of the job that asked for it, a look finds nothing there, and tells nobody.
func TestAServerThatIsBeingRemovedIsNotLost(t *testing.T) {
	app := testapp.New(t, testapp.Steady())
	ada := app.Customer("ada")
	order := app.Buy(ada, testapp.Cart{})
	app.Quiet()
	portal := app.Stream()
	app.Want(http.StatusNoContent, portal.Subscribe(ada.Token, "customer/"+ada.Id))
	app.Clock().Advance(time.Hour)
	id := order.Services[0]
	err := app.Exec("INSERT INTO `jobs` (`id`, `kind`, `key`, `service`, `user`, `state`, `next_at`) VALUES ('removingjob0001', 'service.terminate', 'service.terminate:" + id + "', '" + id + "', '" + ada.Id + "', 'running', '2100-01-01 00:00:00.000Z')")
	if err != nil {
		t.Fatal(err)
	}
	app.Panel.Destroy(app.Panel.Snapshot().Servers[0].ID)
	app.RunTask("live")
	if note := app.Record(collections.Services, id).GetString("action_note"); note != "" || app.Count("provisioning_logs", "`action` = 'refresh' AND `status` = 'failed'") != 0 {
		t.Errorf("the customer reads %q while the server is removed", note)
	}
}
