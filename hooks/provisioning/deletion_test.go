package provisioning_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/testapp"
)

// deletes is the day of deletion that a customer sees on a service, "" for none.
func deletes(app *testapp.App, by *testapp.Person, o *testapp.Order) string {
	app.Helper()
	day, _, _ := strings.Cut(app.Want(http.StatusOK, app.Do(http.MethodGet, "/api/v1/services/"+o.Services[0], by.Token, nil)).Text("deletes_at"), "T")
	return day
}

// TestTheDayOfDeletionIsShown of what is cancelled, has ended, and is gone.
func TestTheDayOfDeletionIsShown(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	o := app.Buy(ada, testapp.Cart{})
	sub := func() string { return app.One(collections.Subscriptions, dbx.HashExp{"order": o.ID}).Id }
	if got := deletes(app, ada, o); got != "" {
		t.Errorf("while it runs: got %s", got)
	}
	cancel := func(at string) {
		app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/subscriptions/"+sub()+"/cancel", ada.Token, map[string]any{"at": at, "client_key": "cancel-" + at}))
	}
	cancel("period_end")
	end := collections.Time(app.Record(collections.Subscriptions, sub()), "ends_at")
	if got, want := deletes(app, ada, o), end.AddDate(0, 0, 7).Format(time.DateOnly); got != want {
		t.Errorf("cancelled: got %s, want %s", got, want)
	}
	cancel("now")
	app.Quiet()
	want := app.Clock().Now().UTC().AddDate(0, 0, 7).Format(time.DateOnly)
	if got := deletes(app, ada, o); got != want {
		t.Errorf("ended: got %s, want %s", got, want)
	}
	app.Pass(8)
	if got, gone := deletes(app, ada, o), app.Service(o); gone.GetString("status") != "terminated" || got != collections.Time(gone, "terminated_at").Format(time.DateOnly) {
		t.Errorf("%s: got %s, want the day on which it was deleted", gone.GetString("status"), got)
	}
}

// TestAnUnpaidServiceShowsTheDayThatItsCustomerWasTold and none any more once it is
// paid.
func TestAnUnpaidServiceShowsTheDayThatItsCustomerWasTold(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	o := app.Order(ada, testapp.Cart{})
	app.PayWith(o, testapp.CardFailsLater)
	app.Active(o)
	app.Pass(40)
	if got := app.Service(o); got.GetString("status") != "suspended" || got.GetString("hold") != "overdue" {
		t.Fatalf("the service is %s for %q", got.GetString("status"), got.GetString("hold"))
	}
	day := deletes(app, ada, o)
	on, err := time.Parse(time.DateOnly, day)
	if err != nil {
		t.Fatalf("the day of deletion is %q", day)
	}
	told := false
	for _, m := range app.Mails(ada.Email) {
		told = told || strings.Contains(m.Text, on.Format("2 January 2006"))
	}
	if !told {
		t.Errorf("no mail names %s", day)
	}
	inv := app.One(collections.Invoices, dbx.HashExp{"user": ada.Id, "status": "open", "kind": "renewal"})
	app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/staff/invoices/"+inv.Id+"/payments", app.Staff(), map[string]any{"amount_minor": inv.GetInt64("due_minor"), "currency": "EUR", "reference": "transfer 1"}))
	app.Quiet()
	if got := deletes(app, ada, o); got != "" {
		t.Errorf("paid: got %s", got)
	}
}
