package payments_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/integrations/sandbox/paypalbox"
	"github.com/ezscale/ezscale/integrations/sandbox/stripebox"
	"github.com/ezscale/ezscale/internal/testapp"
)

const methodsPath = "/api/v1/payment-methods"

// opened asks for a page on which a method is saved.
func opened(app *testapp.App, by *testapp.Person, body map[string]any) *testapp.Answer {
	app.Helper()
	return app.Want(http.StatusOK, app.Do(http.MethodPost, methodsPath+"/setups", by.Token, body))
}

// saves does what the customer does on such a page.
func saves(app *testapp.App, page *testapp.Answer, card string) {
	app.Helper()
	u, err := url.Parse(page.Text("url"))
	if err != nil {
		app.Fatal(err)
	}
	if id := u.Query().Get("approval_session_id"); id != "" {
		err = app.PayPal.ApproveSetup(id, card)
	} else {
		var declined string
		declined, err = app.Stripe.PayPage(u.Path[strings.LastIndex(u.Path, "/")+1:], card)
		if declined != "" {
			app.Fatalf("the card was declined: %s", declined)
		}
	}
	if err != nil {
		app.Fatal(err)
	}
}

func checked(app *testapp.App, by *testapp.Person, page *testapp.Answer) *testapp.Answer {
	app.Helper()
	return app.Want(http.StatusOK, app.Do(http.MethodPost, methodsPath+"/setups/"+page.Text("id")+"/check", by.Token, nil))
}

func listed(app *testapp.App, by *testapp.Person) *testapp.Answer {
	app.Helper()
	return app.Want(http.StatusOK, app.Do(http.MethodGet, methodsPath, by.Token, nil))
}

// TestMethodsAreAddedWithoutPaying saves a card and a PayPal account, each once
// however often anybody asks, and nothing is charged.
func TestMethodsAreAddedWithoutPaying(t *testing.T) {
	app := testapp.New(t, testapp.PayPal())
	ada := app.Customer("ada")
	if got := listed(app, ada); got.Len("items") != 0 || got.Len("add") != 2 {
		t.Fatalf("at first: %s", got)
	}
	card := opened(app, ada, map[string]any{"gateway": "stripe", "back": "/portal/order"})
	if again := opened(app, ada, map[string]any{"gateway": "stripe", "back": "/portal/order"}); again.Text("id") != card.Text("id") || again.Text("url") != card.Text("url") {
		t.Errorf("a double click: %s and %s", card, again)
	}
	if got := checked(app, ada, card); got.Text("state") != "open" {
		t.Errorf("before the page was used: %s", got)
	}
	saves(app, card, testapp.CardWorks)
	for range 2 {
		if got := checked(app, ada, card); got.Text("state") != "done" || got.Text("method") == "" || got.Text("back") != "/portal/order" {
			t.Errorf("afterwards: %s", got)
		}
	}
	wallet := opened(app, ada, map[string]any{"gateway": "paypal"})
	saves(app, wallet, testapp.PayerWorks)
	checked(app, ada, wallet)
	app.Quiet()
	got := listed(app, ada)
	if got.Len("items") != 2 || got.Text("items.0.brand") != "visa" || got.Text("items.0.last4") != "4242" || got.Int("items.0.exp_year") < 2027 || got.At("items.0.is_default") != true ||
		got.Text("items.1.kind") != "paypal" || got.Text("items.1.account") != testapp.PayerWorks || got.At("items.1.is_default") != false {
		t.Errorf("saved: %s", got)
	}
	if n := app.Count("payment_transactions", ""); n != 0 || len(app.PayPal.Payments()) != 0 || len(app.Stripe.Charges()) != 0 {
		t.Errorf("saving moved money: %d attempts", n)
	}
	for _, c := range append(app.Stripe.Complaints(), app.PayPal.Complaints()...) {
		t.Error(c)
	}
}

// TestASavedMethodIsFoundWithoutTheBrowser closes the tab after agreeing: the
// webhook or the timer finds what was saved.
func TestASavedMethodIsFoundWithoutTheBrowser(t *testing.T) {
	for _, lost := range []int{0, 1000} {
		app := testapp.New(t, testapp.PayPal())
		app.Stripe.Set(stripebox.Switches{Drop: lost})
		app.PayPal.Set(paypalbox.Switches{Drop: lost})
		ada := app.Customer("ada")
		for _, gateway := range []string{"stripe", "paypal"} {
			page := opened(app, ada, map[string]any{"gateway": gateway})
			saves(app, page, map[string]string{"stripe": testapp.CardWorks, "paypal": testapp.PayerWorks}[gateway])
		}
		app.Eventually("both are found", func() bool { return listed(app, ada).Len("items") == 2 })
		app.Eventually("both pages are over", func() bool { return app.Count("method_setups", "`status` = 'done'") == 2 })
		app.Quiet()
	}
}

func TestAPageForAMethodEnds(t *testing.T) {
	app := testapp.New(t, testapp.PayPal())
	ada := app.Customer("ada")
	for _, gateway := range []string{"stripe", "paypal"} {
		opened(app, ada, map[string]any{"gateway": gateway})
	}
	app.Clock().Advance(2 * time.Hour)
	app.Eventually("both are cancelled", func() bool { return app.Count("method_setups", "`status` = 'cancelled'") == 2 })
	again := opened(app, ada, map[string]any{"gateway": "paypal"})
	app.PayPalFaults.Add(fault.Fault{Match: "POST /v3/vault/payment-tokens", Kind: fault.LostAnswer, Times: 2})
	saves(app, again, testapp.PayerWorks)
	app.Eventually("saved in spite of lost answers", func() bool { checked(app, ada, again); return listed(app, ada).Len("items") == 1 })
	app.Quiet()
	if got := app.PayPal.Snapshot().Tokens; got != 1 {
		t.Errorf("PayPal keeps %d accounts, want 1", got)
	}
}

func TestWhereNothingCanBeSaved(t *testing.T) {
	app := testapp.New(t, testapp.PayPal())
	ada := app.Customer("ada")
	app.PayPal.Set(paypalbox.Switches{VaultOff: true})
	r := app.Do(http.MethodPost, methodsPath+"/setups", ada.Token, map[string]any{"gateway": "paypal"})
	if r.Status < 400 || r.Text("detail") == "" || strings.Contains(string(r.Body), "PERMISSION") {
		t.Errorf("without the vault: got %s", r)
	}
	for name, body := range map[string]map[string]any{
		"gateway": {"gateway": "manual"}, "back": {"gateway": "stripe", "back": "https://evil.example/"},
	} {
		if r := app.Do(http.MethodPost, methodsPath+"/setups", ada.Token, body); r.Status != http.StatusUnprocessableEntity || len(r.Fields()) != 1 || r.Fields()[0] != name {
			t.Errorf("%s: got %s", name, r)
		}
	}
	eve := app.Customer("eve")
	page := opened(app, ada, map[string]any{"gateway": "stripe"})
	app.Want(http.StatusNotFound, app.Do(http.MethodPost, methodsPath+"/setups/"+page.Text("id")+"/check", eve.Token, nil))
}

// TestATrialThatNeedsACard adds one without paying, then orders.
func TestATrialThatNeedsACard(t *testing.T) {
	app := testapp.New(t, testapp.PayPal())
	ada := app.Customer("ada")
	plan := app.Plan("vps-s")
	plan.Set("trial_days", 10)
	plan.Set("trial_needs_card", true)
	if err := collections.Save(app.App, plan); err != nil {
		t.Fatal(err)
	}
	body := app.Body(testapp.Cart{Gateway: "paypal"})
	body["total_minor"] = 0
	if r := app.Do(http.MethodPost, "/api/v1/orders", ada.Token, body); r.Status != http.StatusConflict || r.Code() != "method_needed" {
		t.Fatalf("without a method: got %s", r)
	}
	page := opened(app, ada, map[string]any{"gateway": "paypal", "back": "/portal/order"})
	saves(app, page, testapp.PayerWorks)
	method := checked(app, ada, page).Text("method")
	o := testapp.ReadOrder(app.Want(http.StatusCreated, app.Do(http.MethodPost, "/api/v1/orders", ada.Token, body)))
	app.Active(o)
	sub := app.One(collections.Subscriptions, dbx.HashExp{"user": ada.Id})
	if sub.GetString("status") != "trialing" || sub.GetString("payment_method") != method {
		t.Errorf("subscription: %v", sub)
	}
	app.Pass(16) // ten to try, and a week to pay the first period
	app.Eventually("the first period is paid by it", func() bool { return len(app.PayPal.Payments()) == 1 && app.PayPal.Payments()[0].Status == "COMPLETED" })
	app.Quiet()
}

// TestMethodsAreRemoved: the last one stays while something renews by it; others go here and
// at the gateway, and what was paid by them is paid by the default one.
func TestMethodsAreRemoved(t *testing.T) {
	app := testapp.New(t, testapp.PayPal())
	ada := app.Customer("ada")
	o := app.Buy(ada, testapp.Cart{})
	app.Eventually("the card is known", func() bool { return listed(app, ada).Len("items") == 1 })
	card := listed(app, ada).Text("items.0.id")
	r := app.Do(http.MethodDelete, methodsPath+"/"+card, ada.Token, nil)
	if r.Status != http.StatusConflict || r.Code() != "method_needed" || !strings.Contains(r.Text("detail"), app.Service(o).GetString("label")) || !strings.Contains(r.Text("detail"), "Add another") {
		t.Errorf("the only one: got %s", r)
	}
	sub := app.One(collections.Subscriptions, dbx.HashExp{"user": ada.Id}).Id
	page := opened(app, ada, map[string]any{"gateway": "paypal", "subscription": sub})
	saves(app, page, testapp.PayerWorks)
	paypal := checked(app, ada, page).Text("method")
	got := listed(app, ada)
	if got.Text("items.1.id") != paypal || got.Len("items.1.pays") != 1 || got.Len("items.0.pays") != 0 {
		t.Errorf("the service is paid by what was saved for it: %s", got)
	}
	got = app.Want(http.StatusOK, app.Do(http.MethodPost, methodsPath+"/"+paypal+"/default", ada.Token, nil))
	if got.Text("items.0.id") != paypal {
		t.Errorf("default: %s", got)
	}
	app.Want(http.StatusOK, app.Do(http.MethodDelete, methodsPath+"/"+card, ada.Token, nil))
	app.Want(http.StatusOK, app.Do(http.MethodDelete, methodsPath+"/"+card, ada.Token, nil)) // twice is once
	app.Quiet()
	app.Eventually("Stripe forgets it", func() bool { return app.Count("jobs", "`kind` = 'payment.method.remove' AND `state` = 'done'") == 1 })
	if got := listed(app, ada); got.Len("items") != 1 {
		t.Errorf("left: %s", got)
	}
	if r := app.Do(http.MethodPost, methodsPath+"/"+card+"/default", ada.Token, nil); r.Status != http.StatusConflict {
		t.Errorf("a removed one as default: got %s", r)
	}
	app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/subscriptions/"+sub+"/cancel", ada.Token, map[string]any{"at": "period_end", "client_key": "leaving-1"}))
	app.Want(http.StatusOK, app.Do(http.MethodDelete, methodsPath+"/"+paypal, ada.Token, nil)) // nothing renews any more
	app.Quiet()
	if n := app.PayPal.Snapshot().Tokens; n != 0 {
		t.Errorf("PayPal keeps %d accounts, want none", n)
	}
}

// TestEachServiceIsPaidByItsOwn renews two services by two methods, and falls back
// to the card when the account of one is closed.
func TestEachServiceIsPaidByItsOwn(t *testing.T) {
	app := testapp.New(t, testapp.PayPal())
	ada := app.Customer("ada")
	first, second := app.Buy(ada, testapp.Cart{}), app.Buy(ada, testapp.Cart{Plan: "vps-m"})
	app.Quiet()
	page := opened(app, ada, map[string]any{"gateway": "paypal"})
	saves(app, page, testapp.PayerLocked)
	paypal := checked(app, ada, page).Text("method")
	sub := app.Service(second).GetString("subscription")
	app.Want(http.StatusOK, app.Do(http.MethodPut, "/api/v1/subscriptions/"+sub+"/payment-method", ada.Token, map[string]any{"method": paypal}))
	eve := app.Customer("eve")
	app.Want(http.StatusNotFound, app.Do(http.MethodPut, "/api/v1/subscriptions/"+sub+"/payment-method", eve.Token, map[string]any{"method": ""}))
	app.Pass(36)
	tried := app.Count("payment_transactions", "`kind` = 'off_session' AND `gateway` = 'paypal' AND `status` = 'failed'")
	if tried != 1 {
		t.Errorf("PayPal was tried %d times after its account was closed, want once\n%s", tried, app.Describe())
	}
	for _, o := range []*testapp.Order{first, second} {
		if got := app.Service(o).GetString("status"); got != "active" {
			t.Errorf("service %s is %s", o.Services[0], got)
		}
	}
	if n := app.Count("invoices", "`kind` = 'renewal' AND `status` = 'paid'"); n < 2 {
		t.Errorf("%d renewals are paid, want two\n%s", n, app.Describe())
	}
}
