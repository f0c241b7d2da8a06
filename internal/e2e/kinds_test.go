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

// kind is a service as a customer orders and uses it.
type kind struct {
	plan, host string
	has, hasNo []string // controls on its page
	use        func(b *browser.Browser)
}

// TestEachKindOfService orders a game server, a machine, a website and a database, each
// built on a platform of its own, uses what its page offers, and cancels it.
func TestEachKindOfService(t *testing.T) {
	restart := func(b *browser.Browser) {
		b.Click("Restart")
		b.WaitText("Restarted")
		b.WaitText("running")
	}
	reset := func(b *browser.Browser) {
		b.Click("Reset password")
		b.WaitText("Set a new password?")
		b.Click("css=dialog .btn.primary")
		b.WaitText("New password set")
	}
	for _, k := range []kind{
		{"minecraft-4", "", []string{"Restart", "Open control panel", "Usage"}, nil, restart},
		{"dedicated-e", "metal-1.example.com", []string{"Restart", "Open control panel"}, nil, restart},
		{"web-start", "shop.example.com", []string{"Open control panel", "Usage"}, []string{"Restart", "Power off"}, func(*browser.Browser) {}},
		{"mysql-s", "", []string{"Reset password"}, []string{"Restart", "Power off"}, reset},
	} {
		t.Run(k.plan, func(t *testing.T) {
			d, b := browse(t)
			signIn(b, d, d.newCustomer(t, strings.ReplaceAll(k.plan, "-", "")))
			b.Open(d.Site + "/portal/order?plan=" + k.plan + "&currency=EUR&cycle=monthly")
			b.WaitText("Due today")
			if k.host != "" {
				b.Fill("Host name", k.host)
			}
			b.Click("css=input[name=terms], input[type=checkbox]")
			b.WaitText("Pay €")
			b.Click("css=#pay")
			payWith(b, goodCard)
			b.WaitText("Order paid")
			for end := time.Now().Add(time.Minute); !b.Has("running") && time.Now().Before(end); { // a machine takes its time
				time.Sleep(200 * time.Millisecond)
			}
			b.WaitFor("a.btn.primary[href^='/portal/services/']")
			b.Click("css=a.btn.primary[href^='/portal/services/']")
			b.WaitText("Plan and renewal")
			b.WaitText("Cancel service")
			b.WaitGone("Being built")
			for _, control := range k.has {
				b.WaitText(control)
			}
			for _, control := range k.hasNo {
				if b.Has(control) {
					t.Errorf("the page of %s offers %q, which its platform cannot do", k.plan, control)
				}
			}
			inspect(t, b, "service "+k.plan)
			look(b, "service-"+k.plan)
			k.use(b)
			b.Click("Cancel service")
			b.WaitText("When should it end?")
			b.Click("css=dialog input[value=now]")
			b.Click("css=dialog .btn.danger")
			b.WaitText("Data will be deleted on")
			b.WaitText("suspended")
			b.MustBeClean(t)
		})
	}
}

// TestSuspendedForADebtAndPaid lets a renewal stay unpaid until the service is switched
// off, pays in the portal and sees it come back; then it is cancelled and, once its data
// have been kept as long as was said, gone.
func TestSuspendedForADebtAndPaid(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a real browser")
	}
	b := browser.New(t)
	app := testapp.New(t)
	ada := app.Customer("ada")
	o := app.Buy(ada, testapp.Cart{})
	app.Quiet()
	if err := app.Exec("UPDATE `payment_methods` SET `active` = FALSE, `is_default` = FALSE"); err != nil {
		t.Fatal(err)
	}
	sub := app.One(collections.Subscriptions, dbx.HashExp{"order": o.ID})
	for until := collections.Time(sub, "current_period_end").AddDate(0, 0, 20); app.Clock().Now().Before(until); {
		app.Pass(1)
	}
	suspended := func() bool { return app.Panel.Snapshot().Servers[0].Suspended }
	if !suspended() {
		t.Fatalf("twenty days after it was due the server is not suspended\n%s", app.Describe())
	}
	signInAt(b, app.URL, ada.Email, testapp.Password)
	b.Open(app.URL + "/portal/services/" + o.Services[0])
	b.WaitText("This service is suspended")
	b.MustBeAccessible(t, "suspended service")
	look(b, "service-suspended")
	b.Click("See open invoices")
	b.Click("css=a[href^='/portal/invoices/']")
	b.WaitText("Pay €")
	b.Click("css=.actions .btn.primary")
	payWith(b, goodCard)
	b.WaitText("Paid on")
	b.Open(app.URL + "/portal/services/" + o.Services[0])
	b.WaitText("running")
	if suspended() {
		t.Error("the server is suspended though all is paid")
	}
	b.Click("Cancel service")
	b.WaitText("When should it end?")
	b.Click("css=dialog input[value=now]")
	b.Click("css=dialog .btn.danger")
	b.WaitText("Data will be deleted on")
	app.Eventually("it is switched off", suspended)
	for range 9 {
		app.Pass(1)
		time.Sleep(10 * time.Millisecond)
	}
	b.WaitText("This service has ended.")
	b.MustBeAccessible(t, "service that has ended")
	if n := len(app.Panel.Snapshot().Servers); n != 0 {
		t.Errorf("%d servers stand after the data were to be deleted", n)
	}
	b.MustBeClean(t)
}
