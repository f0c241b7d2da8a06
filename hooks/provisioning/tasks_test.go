package provisioning_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/testapp"
)

const tasks = "/api/v1/staff/tasks"

// waitingTask is the one task that waits, as staff sees it.
func waitingTask(app *testapp.App) *testapp.Answer {
	app.Helper()
	app.Quiet()
	list := app.Want(http.StatusOK, app.Do(http.MethodGet, tasks, app.Staff(), nil))
	if list.Len("items") != 1 {
		app.Fatalf("got %s, want one task", list)
	}
	return list
}

// tickAll ticks everything of a task.
func tickAll(app *testapp.App, list *testapp.Answer) {
	app.Helper()
	for i := range list.Len("items.0.items") {
		app.Want(http.StatusOK, ticks(app, list, i, true))
	}
}

func ticks(app *testapp.App, list *testapp.Answer, item int, done bool) *testapp.Answer {
	app.Helper()
	return app.Do(http.MethodPost, tasks+"/"+list.Text("items.0.id")+"/ticks", app.Staff(), map[string]any{"item": item, "done": done})
}

func completes(app *testapp.App, list *testapp.Answer, fields map[string]any) *testapp.Answer {
	app.Helper()
	return app.Do(http.MethodPost, tasks+"/"+list.Text("items.0.id")+"/complete", app.Staff(), fields)
}

// racks is a shop whose plan colo has a checklist of its own for building.
func racks(t *testing.T) (*testapp.App, *testapp.Order) {
	t.Helper()
	app := testapp.New(t)
	plan := app.Plan("colo")
	plan.Set("platform_settings", map[string]string{"units": "1", "checklist_build": "Rack it; Cable both ports; ? Take a photo"})
	if err := collections.Save(app.App, plan); err != nil {
		t.Fatal(err)
	}
	o := app.Order(app.Customer("ada"), testapp.Cart{Plan: "colo"})
	app.Pay(o)
	app.Eventually("it is up to staff", func() bool { return status(app, o) == "provisioning" })
	return app, o
}

// TestATaskIsDoneOnlyWhenAllThatIsRequiredIsTicked, by whom and when each was is kept.
func TestATaskIsDoneOnlyWhenAllThatIsRequiredIsTicked(t *testing.T) {
	app, o := racks(t)
	list := waitingTask(app)
	if list.Text("items.0.act") != "service.provision" || list.Text("items.0.plan") != "Plan colo" || list.Text("items.0.service") != o.Services[0] || !strings.HasPrefix(list.Text("items.0.customer"), "ada") {
		t.Errorf("staff sees %s", list)
	}
	for i, want := range []string{"Rack it true", "Cable both ports true", "Take a photo false"} {
		if got := fmt.Sprint(list.Text(fmt.Sprintf("items.0.items.%d.text", i)), " ", list.At(fmt.Sprintf("items.0.items.%d.required", i))); got != want {
			t.Errorf("item %d is %q, want %q", i, got, want)
		}
	}
	refused := func(when string) {
		t.Helper()
		r := completes(app, list, map[string]any{"ipv4": "192.0.2.7"})
		if r.Status != http.StatusConflict || r.Text("code") != "unticked" || !strings.Contains(string(r.Body), "Cable both ports") || status(app, o) != "provisioning" {
			t.Errorf("%s: got %s, want 409 that names what is left", when, r)
		}
	}
	refused("with nothing ticked")
	app.Want(http.StatusOK, ticks(app, list, 0, true))
	refused("with one of two ticked")
	second := app.Want(http.StatusOK, ticks(app, list, 1, true))
	if second.Len("left") != 0 || !strings.HasPrefix(second.Text("items.1.by"), "staff:") || second.Text("items.1.at") == "" {
		t.Errorf("after both ticks: %s, want nothing left and by whom", second)
	}
	app.Want(http.StatusOK, ticks(app, list, 1, false))
	refused("with a tick taken back")
	app.Want(http.StatusOK, ticks(app, list, 1, true))
	for field, bad := range map[string]string{"ipv4": "2001:db8::1", "ipv6": "192.0.2.7", "hostname": strings.Repeat("a", 300), "note": strings.Repeat("n", 901)} {
		if r := completes(app, list, map[string]any{field: bad}); r.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s %q: got %s, want 422", field, bad, r)
		}
	}
	app.Want(http.StatusNoContent, completes(app, list, map[string]any{"ipv4": "192.0.2.7", "ipv6": "2001:db8:7::/64", "hostname": "rack7.example.com", "note": "rack 7, unit 12"}))
	app.Quiet()
	svc := app.Service(o)
	if svc.GetString("status") != "active" || svc.GetString("ipv4") != "192.0.2.7" || svc.GetString("hostname") != "rack7.example.com" || svc.GetString("provisioned_at") == "" || app.Count("ip_assignments", "`valid_until` = ''") != 2 {
		t.Errorf("the service is %s at %s (%s)", svc.GetString("status"), svc.GetString("ipv4"), svc.GetString("hostname"))
	}
	for action, n := range map[string]int{"task.tick": 3, "task.untick": 1, "task.complete": 1} {
		if got := app.Count("audit_logs", "`action` = '"+action+"' AND `actor_kind` = 'staff'"); got != n {
			t.Errorf("%d audit rows of %s, want %d", got, action, n)
		}
	}
	if r := completes(app, list, nil); r.Status != http.StatusConflict {
		t.Errorf("done twice: got %s, want 409", r)
	}
	if r := ticks(app, list, 0, false); r.Status != http.StatusConflict {
		t.Errorf("a tick of what is done was taken back: %s", r)
	}
}

// TestWhoTickedFirstStays, when two do it at once, and items that are not there are
// refused.
func TestWhoTickedFirstStays(t *testing.T) {
	app, _ := racks(t)
	list := waitingTask(app)
	both := sync.WaitGroup{}
	for range 4 {
		both.Go(func() {
			_, err := app.Try(http.MethodPost, tasks+"/"+list.Text("items.0.id")+"/ticks", app.Staff(), map[string]any{"item": 0, "done": true})
			if err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if got := app.Count("audit_logs", "`action` = 'task.tick'"); got != 1 {
		t.Errorf("%d audit rows of one tick, want 1", got)
	}
	for _, item := range []int{-1, 3} {
		if r := ticks(app, list, item, true); r.Status != http.StatusUnprocessableEntity {
			t.Errorf("item %d: got %s, want 422", item, r)
		}
	}
	if r := app.Do(http.MethodPost, tasks+"/nosuchtask00000/ticks", app.Staff(), map[string]any{"item": 0, "done": true}); r.Status != http.StatusNotFound {
		t.Errorf("a task that is not there: got %s, want 404", r)
	}
}

// TestTheLifeOfAServiceByHand: each act is a task, nothing is done before people say
// so, and staff is told by mail.
func TestTheLifeOfAServiceByHand(t *testing.T) {
	app, o := racks(t)
	staffed(app, "")
	tickAll(app, waitingTask(app))
	app.Want(http.StatusNoContent, completes(app, waitingTask(app), map[string]any{"ipv4": "192.0.2.7"}))
	app.Quiet()
	access := func(access, reason string) {
		t.Helper()
		sub := app.Record(collections.Subscriptions, app.Service(o).GetString("subscription"))
		sub.Load(map[string]any{"access": access, "access_reason": reason, "access_at": collections.Stamp(app.Clock().Now())})
		if err := collections.Update(app.App, sub); err != nil {
			t.Fatal(err)
		}
		app.Quiet()
	}
	acts := []struct{ access, act, before, after string }{
		{"suspended", "service.suspend", "active", "suspended"},
		{"open", "service.unsuspend", "suspended", "active"},
		{"ended", "service.suspend", "active", "suspended"},
		{"ended", "service.terminate", "suspended", "terminated"},
	}
	for _, a := range acts {
		access(a.access, "")
		if a.act == "service.terminate" {
			app.Clock().Advance(60 * 24 * time.Hour)
			app.RunTasks()
			app.Quiet()
		}
		list := waitingTask(app)
		if list.Text("items.0.act") != a.act || status(app, o) != a.before {
			t.Fatalf("the task is %s and the service %s, want %s and %s", list.Text("items.0.act"), status(app, o), a.act, a.before)
		}
		if got := strings.Join(toStaff(app), "\n"); !strings.Contains(got, "work waits for you (1)") {
			t.Errorf("staff got %q, want a mail about the work", got)
		}
		if r := completes(app, list, nil); r.Status != http.StatusConflict || status(app, o) != a.before {
			t.Errorf("%s with nothing ticked: got %s", a.act, r)
		}
		tickAll(app, list)
		app.Want(http.StatusNoContent, completes(app, list, nil))
		app.Quiet()
		if got := status(app, o); got != a.after {
			t.Fatalf("after %s the service is %s, want %s", a.act, got, a.after)
		}
	}
	if svc := app.Service(o); svc.GetString("terminated_at") == "" || app.Count("ip_assignments", "`valid_until` = ''") != 0 {
		t.Error("what has ended keeps its addresses")
	}
}

// TestAPaymentTakesTheTaskBack: what billing asked for is not asked for any more.
func TestAPaymentTakesTheTaskBack(t *testing.T) {
	app, o := racks(t)
	tickAll(app, waitingTask(app))
	app.Want(http.StatusNoContent, completes(app, waitingTask(app), nil))
	app.Quiet()
	for _, access := range []string{"suspended", "open"} {
		sub := app.Record(collections.Subscriptions, app.Service(o).GetString("subscription"))
		sub.Set("access", access)
		if err := collections.Update(app.App, sub); err != nil {
			t.Fatal(err)
		}
		app.Quiet()
	}
	if list := app.Want(http.StatusOK, app.Do(http.MethodGet, tasks, app.Staff(), nil)); list.Len("items") != 0 || status(app, o) != "active" {
		t.Errorf("%s waits for staff and the service is %s, want nothing and active", list, status(app, o))
	}
}
