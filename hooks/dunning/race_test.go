package dunning_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/stripebox"
	"github.com/ezscale/ezscale/internal/testapp"
)

// TestEverybodyAtOnce is two processes' worth of work on the due date and on the
// day of suspension: tasks side by side, doubled webhooks, customers who pay on
// pages and staff who enters transfers, all for the same invoices.
func TestEverybodyAtOnce(t *testing.T) {
	t.Parallel()
	app := testapp.New(t)
	all := []*debt{}
	for n := range 6 {
		d := &debt{App: app, ada: app.Customer(fmt.Sprintf("c%d", n))}
		d.order = app.Buy(d.ada, testapp.Cart{})
		app.Quiet()
		d.keep([]string{testapp.CardWorks, testapp.CardFailsLater, testapp.CardLost}[n%3])
		all = append(all, d)
	}
	for _, d := range all {
		d.bill()
	}
	all[0].day(-1)
	app.Stripe.Set(stripebox.Switches{Duplicate: 2})
	app.Clock().Advance(25 * time.Hour)
	storm(t, app, all[:3])
	all[0].day(6)
	storm(t, app, all[3:])
	app.Stripe.Set(stripebox.Switches{})
	app.Settle()
	for i, d := range all {
		if got := d.status(); got != "paid" {
			t.Errorf("invoice %d is %s, want paid\n%s", i, got, d.story())
		}
		if got := d.access() + " " + d.service(); got != "open active" {
			t.Errorf("service %d is %s, want open active", i, got)
		}
	}
	twice := 0
	if err := app.DB().NewQuery("SELECT COUNT(*) FROM (SELECT 1 FROM `mails` WHERE `invoice` != '' GROUP BY `invoice`, `kind`, `key` HAVING COUNT(*) > 1)").Row(&twice); err != nil || twice > 0 {
		t.Errorf("%d mails twice, %v", twice, err)
	}
	if n := app.Count(collections.Invoices, "`step_error` != ''"); n != 0 {
		t.Errorf("%d invoices could not be looked at", n)
	}
}

// storm lets everything happen to some debts at once.
func storm(t *testing.T, app *testapp.App, debts []*debt) {
	t.Helper()
	staff := app.Staff()
	together := sync.WaitGroup{}
	for range 4 {
		together.Go(func() {
			for range 5 {
				app.RunTasks()
			}
		})
	}
	for i, d := range debts {
		together.Go(func() { // the customer
			r, err := app.Try(http.MethodPost, "/api/v1/invoices/"+d.invoice+"/pay", d.ada.Token, map[string]string{"gateway": "stripe"})
			if err != nil || r.Text("payment.url") == "" {
				return // it is being charged just now
			}
			_, _ = app.Stripe.PayPage((&testapp.Order{PageURL: r.Text("payment.url")}).Session(), testapp.CardWorks) // or the page was closed
		})
		together.Go(func() { // staff
			body := map[string]any{"amount_minor": 490, "currency": "EUR", "reference": fmt.Sprintf("storm-%s-%d", d.invoice, i)}
			for range 2 {
				if r, err := app.Try(http.MethodPost, "/api/v1/staff/invoices/"+d.invoice+"/payments", staff, body); err != nil || r.Status != http.StatusOK {
					t.Errorf("transfer: %v %v", r, err)
				}
			}
		})
	}
	together.Wait()
	app.Quiet()
}
