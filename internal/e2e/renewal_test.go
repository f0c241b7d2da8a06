package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/browser"
	"github.com/ezscale/ezscale/internal/testapp"
)

// TestARenewalIsConfirmedFromTheMail: a month after an order the saved card is charged
// and its bank wants the customer, who is told by mail, follows the link without being
// signed in, and confirms. The demo lives in real time, so that this runs on an app
// whose clock moves.
func TestARenewalIsConfirmedFromTheMail(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a real browser")
	}
	b := browser.New(t)
	app := testapp.New(t)
	ada := app.Customer("ada")
	o := app.Order(ada, testapp.Cart{})
	b.Open(o.PageURL)
	payWith(b, alwaysAsks)
	b.WaitURL("/authenticate/")
	b.Click("Confirm the payment")
	app.Active(o)
	app.Quiet()

	first := app.Record(collections.Invoices, o.Invoice)
	sub := app.One(collections.Subscriptions, dbx.HashExp{"order": o.ID})
	due := collections.Time(sub, "current_period_end")
	for app.Clock().Now().Before(due.Add(8 * time.Hour)) {
		app.Pass(1)
	}
	renewal := app.One(collections.Invoices, dbx.HashExp{"user": ada.Id, "kind": "renewal"})
	if got := renewal.GetString("status"); got != "open" {
		t.Fatalf("the renewal is %s before anybody confirmed it", got)
	}
	link := ""
	for _, m := range app.Mails(ada.Email) {
		if !strings.Contains(strings.ToLower(m.Subject), "confirm") {
			continue
		}
		for _, l := range m.Links {
			if strings.Contains(l, "/portal/invoices/"+renewal.Id) {
				link = l
			}
		}
	}
	if link == "" {
		t.Fatalf("no mail leads to the renewal:\n%s", app.Describe())
	}
	b.Open(link)
	b.WaitText("Sign in")
	b.Fill("E-mail address", ada.Email)
	b.Fill("Password", testapp.Password)
	b.Press("Enter")
	b.WaitText(renewal.GetString("number"))
	b.MustBeAccessible(t, "invoice that waits for its bank")
	look(b, "invoice-confirm")
	b.Click("(Card)")
	b.WaitURL(app.StripeURL)
	if !strings.Contains(b.URL(), "/authenticate/") {
		payWith(b, alwaysAsks)
		b.WaitURL("/authenticate/")
	}
	b.Click("Confirm the payment")
	b.WaitText("Paid on")
	app.Quiet()
	for _, id := range []string{first.Id, renewal.Id} {
		if inv := app.Record(collections.Invoices, id); inv.GetString("status") != "paid" {
			t.Errorf("%s is %s, want paid", inv.GetString("number"), inv.GetString("status"))
		}
	}
	if n := app.Count("payment_transactions", "`status` = 'succeeded'"); n != 2 {
		t.Errorf("%d payments arrived, want one for each month", n)
	}
	if end := collections.Time(app.Record(collections.Subscriptions, sub.Id), "current_period_end"); !end.After(due) {
		t.Errorf("the service is paid through %s, want a month more than %s", end, due)
	}
	b.MustBeClean(t)
}
