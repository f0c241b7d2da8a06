package payments_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/integrations/sandbox/stripebox"
	"github.com/ezscale/ezscale/internal/testapp"
)

const reconcilePath = "/api/v1/staff/reconcile"

// silent lets nothing arrive from Stripe by itself any more.
func silent(app *testapp.App) { app.Stripe.Set(stripebox.Switches{Drop: 100000}) }

// atStripe calls Stripe's API as another program with our key would.
func atStripe(app *testapp.App, path string, values url.Values) map[string]any {
	app.Helper()
	req, err := http.NewRequest(http.MethodPost, app.StripeURL+path, strings.NewReader(values.Encode()))
	if err != nil {
		app.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+testapp.StripeKey)
	req.Header.Set("Stripe-Version", stripebox.Version)
	req.Header.Set("Idempotency-Key", strconv.FormatInt(time.Now().UnixNano(), 36))
	r, err := app.Send(req)
	if err != nil || r.Status != http.StatusOK {
		app.Fatalf("%s: %v %v", path, r, err)
	}
	out, _ := r.Value().(map[string]any)
	return out
}

// foreign takes money from a customer's card at Stripe without the product.
func foreign(app *testapp.App, by *testapp.Person, cents int) string {
	app.Helper()
	customer := app.One(collections.GatewayCustomers, dbx.HashExp{"user": by.Id, "gateway": "stripe"}).GetString("customer_id")
	method := app.One(collections.PaymentMethods, dbx.HashExp{"user": by.Id, "gateway": "stripe"}).GetString("gateway_method_id")
	pi := atStripe(app, "/v1/payment_intents", url.Values{
		"amount": {strconv.Itoa(cents)}, "currency": {"eur"}, "customer": {customer}, "payment_method": {method}, "confirm": {"true"}, "off_session": {"true"},
		"automatic_payment_methods[enabled]": {"true"}, "automatic_payment_methods[allow_redirects]": {"never"},
	})
	return pi["id"].(string)
}

// compared runs the comparison with a gateway now, to its end.
func compared(app *testapp.App, gateway string) {
	app.Helper()
	app.Want(http.StatusOK, app.Do(http.MethodPost, reconcilePath+"/runs", app.Staff(), map[string]any{"gateway": gateway}))
	app.Eventually("the comparison ends", func() bool { return app.Count("reconcile_runs", "`status` = 'running'") == 0 })
	app.Quiet()
}

func findings(app *testapp.App, query string) *testapp.Answer {
	app.Helper()
	return app.Want(http.StatusOK, app.Do(http.MethodGet, reconcilePath+"/findings"+query, app.Staff(), nil))
}

func repaired(app *testapp.App, id string) *testapp.Answer {
	app.Helper()
	return app.Want(http.StatusOK, app.Do(http.MethodPost, reconcilePath+"/findings/"+id+"/repair", app.Staff(), nil))
}

// card buys something, so that a card is saved and a payment stands in both books.
func card(app *testapp.App, name string) *testapp.Person {
	app.Helper()
	by := app.Customer(name)
	app.Buy(by, testapp.Cart{})
	app.Quiet()
	app.Eventually("the card is saved", func() bool { return app.Count("payment_methods", "`user` = '"+by.Id+"'") == 1 })
	return by
}

// TestTheNightlyComparisonFindsNothingWhereAllFits lets a month of renewals pass
// at both gateways.
func TestTheNightlyComparisonFindsNothingWhereAllFits(t *testing.T) {
	app := testapp.New(t, testapp.PayPal())
	card(app, "ada")
	eve := app.Customer("eve")
	o := app.Order(eve, byPayPal)
	app.PayByPayPal(o)
	app.Active(o)
	app.Clock().ToNoon() // each day's pass comes after its night
	app.Pass(35)
	if got := findings(app, ""); got.Len("items") != 0 {
		t.Errorf("differences: %s", got)
	}
	for _, gateway := range []string{"stripe", "paypal"} {
		if n := app.Count("reconcile_runs", "`gateway` = '"+gateway+"' AND `status` = 'done'"); n < 25 || n > 36 {
			t.Errorf("%s: %d comparisons in 35 days, want one a night", gateway, n)
		}
		if n := app.Count("payment_transactions", "`gateway` = '"+gateway+"' AND `status` = 'succeeded' AND `reconciled_at` != ''"); n < 2 {
			t.Errorf("%s: %d payments were found in its book, want the order and the renewal", gateway, n)
		}
	}
	runs := app.Want(http.StatusOK, app.Do(http.MethodGet, reconcilePath+"/runs", app.Staff(), nil))
	if runs.Int("items.0.seen") != runs.Int("items.0.matched") {
		t.Errorf("runs: %s", runs)
	}
}

// TestB1APaymentThatNobodyToldUsOfIsFoundAndBooked loses every delivery and the
// timers, too: the night finds the money, and the repair books it, once.
func TestB1APaymentThatNobodyToldUsOfIsFoundAndBooked(t *testing.T) {
	app := testapp.New(t)
	card(app, "ada")
	silent(app)
	eve := app.Customer("eve")
	o := app.Order(eve, testapp.Cart{Gateway: "stripe"})
	thaw := freeze(app, eve)
	app.PayWith(o, testapp.CardWorks)
	app.Clock().Advance(26 * time.Hour)
	compared(app, "stripe")
	got := findings(app, "?kind=missing_here")
	if got.Len("items") != 1 || app.InvoiceStatus(o) != "open" {
		t.Fatalf("found: %s", findings(app, ""))
	}
	id := got.Text("items.0.id")
	for range 2 {
		if r := repaired(app, id); r.Text("finding.status") != "closed" {
			t.Errorf("repaired: %s", r)
		}
		if s := app.InvoiceStatus(o); s != "paid" {
			t.Errorf("after the repair the invoice is %s", s)
		}
	}
	thaw()
	app.Quiet()
	if n := app.Count("payment_transactions", "`status` = 'succeeded' AND `user` = '"+eve.Id+"'"); n != 1 {
		t.Errorf("%d payments, want one", n)
	}
	compared(app, "stripe")
	if got := findings(app, ""); got.Len("items") != 0 {
		t.Errorf("still open: %s", got)
	}
}

// freeze keeps every job of a customer from running: no timer looks after their
// payments. What it returns lets them run again.
func freeze(app *testapp.App, who *testapp.Person) (thaw func()) {
	app.Helper()
	const never = "2100-01-01 00:00:00.000Z"
	app.Quiet() // nothing of theirs is on its way
	for _, statement := range []string{
		"UPDATE `jobs` SET `next_at` = '" + never + "' WHERE `user` = '" + who.Id + "' AND `state` = 'queued'",
		"CREATE TRIGGER `test_new_job` AFTER INSERT ON `jobs` WHEN NEW.`user` = '" + who.Id + "' BEGIN UPDATE `jobs` SET `next_at` = '" + never + "' WHERE `id` = NEW.`id`; END",
	} {
		if err := app.Exec(statement); err != nil {
			app.Fatal(err)
		}
	}
	return func() {
		app.Helper()
		for _, statement := range []string{"DROP TRIGGER `test_new_job`", "UPDATE `jobs` SET `next_at` = '' WHERE `next_at` = '" + never + "'"} {
			if err := app.Exec(statement); err != nil {
				app.Fatal(err)
			}
		}
	}
}

// TestForeignMoneyIsFoundAndWaits: money taken by another program becomes
// unmatched money, which staff assign.
func TestForeignMoneyIsFoundAndWaits(t *testing.T) {
	app := testapp.New(t)
	ada := card(app, "ada")
	silent(app)
	pi := foreign(app, ada, 700)
	app.Clock().Advance(26 * time.Hour)
	compared(app, "stripe")
	compared(app, "stripe") // once only
	got := findings(app, "")
	if got.Len("items") != 1 || got.Text("items.0.kind") != "missing_here" || got.Text("items.0.reference") != pi || got.Int("items.0.theirs.minor") != 700 || got.Text("items.0.ours.currency") != "" {
		t.Fatalf("found: %s", got)
	}
	r := repaired(app, got.Text("items.0.id"))
	if r.Text("finding.status") != "closed" || app.Count("unmatched_payments", "`reference` = '"+pi+"' AND `status` = 'open'") != 1 {
		t.Errorf("repaired: %s", r)
	}
	compared(app, "stripe")
	if got := findings(app, ""); got.Len("items") != 0 {
		t.Errorf("still open: %s", got)
	}
}

// claim delivers news of a payment that Stripe's own book does not have so, and
// lets staff assign it to a customer.
func claim(app *testapp.App, by *testapp.Person, reference string) {
	app.Helper()
	if r, err := deliver(app, event("evt_"+reference, "payment_intent.succeeded", reference)); err != nil || r.Status != http.StatusOK {
		app.Fatalf("%v %v", r, err)
	}
	app.Eventually("it waits", func() bool { return app.Count("unmatched_payments", "`reference` = '"+reference+"'") == 1 })
	id := app.One(collections.UnmatchedPayments, dbx.HashExp{"reference": reference}).Id
	app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/staff/unmatched-payments/"+id+"/assign", app.Staff(), map[string]any{"customer": by.Id}))
}

func TestWhatTheGatewayDoesNotHaveIsFound(t *testing.T) {
	app := testapp.New(t)
	ada := card(app, "ada")
	claim(app, ada, "pi_ghost")
	app.Clock().Advance(27 * time.Hour)
	compared(app, "stripe")
	got := findings(app, "")
	if got.Len("items") != 1 || got.Text("items.0.kind") != "missing_there" || got.Text("items.0.reference") != "pi_ghost" || got.Int("items.0.ours.minor") != 490 {
		t.Fatalf("found: %s", got)
	}
	id := got.Text("items.0.id")
	if r := app.Do(http.MethodPost, reconcilePath+"/findings/"+id+"/repair", app.Staff(), nil); r.Status != http.StatusConflict || r.Code() != "not_there" {
		t.Errorf("repair: got %s", r)
	}
	app.Want(http.StatusUnprocessableEntity, app.Do(http.MethodPost, reconcilePath+"/findings/"+id+"/dismiss", app.Staff(), map[string]any{"note": " "}))
	app.Want(http.StatusOK, app.Do(http.MethodPost, reconcilePath+"/findings/"+id+"/dismiss", app.Staff(), map[string]any{"note": "Corrected by hand."}))
	app.Clock().Advance(24 * time.Hour)
	compared(app, "stripe")
	if got := findings(app, ""); got.Len("items") != 0 {
		t.Errorf("a dismissed one is open again: %s", got)
	}
	app.Want(http.StatusNotFound, app.Do(http.MethodPost, reconcilePath+"/findings/nosuchfinding1/repair", app.Staff(), nil))
}

func TestAnotherAmountIsFound(t *testing.T) {
	app := testapp.New(t)
	ada := card(app, "ada")
	silent(app)
	pi := foreign(app, ada, 700)
	claim(app, ada, pi) // 490
	app.Clock().Advance(27 * time.Hour)
	compared(app, "stripe")
	got := findings(app, "")
	if got.Len("items") != 1 || got.Text("items.0.kind") != "amount_differs" || got.Int("items.0.ours.minor") != 490 || got.Int("items.0.theirs.minor") != 700 {
		t.Fatalf("found: %s", got)
	}
	if r := repaired(app, got.Text("items.0.id")); r.Text("finding.status") != "open" || !strings.Contains(r.Text("message"), "never changed") {
		t.Errorf("repair: %s", r)
	}
}

func TestARefundMadeAtTheGatewayIsFoundAndBooked(t *testing.T) {
	app := testapp.New(t)
	card(app, "ada")
	silent(app)
	paid := app.One(collections.PaymentTransactions, dbx.HashExp{"status": "succeeded"})
	atStripe(app, "/v1/refunds", url.Values{"payment_intent": {paid.GetString("gateway_transaction_id")}, "amount": {"90"}})
	app.Clock().Advance(27 * time.Hour)
	compared(app, "stripe")
	got := findings(app, "")
	if got.Len("items") != 1 || got.Text("items.0.kind") != "refund_missing_here" || got.Int("items.0.theirs.minor") != 90 {
		t.Fatalf("found: %s", got)
	}
	for range 2 {
		if r := repaired(app, got.Text("items.0.id")); r.Text("finding.status") != "closed" {
			t.Errorf("repair: %s", r)
		}
	}
	if n := app.Count("refunds", "`gateway` = 'stripe' AND `amount_minor` = 90"); n != 1 {
		t.Errorf("%d refunds, want one", n)
	}
	compared(app, "stripe")
	if got := findings(app, ""); got.Len("items") != 0 {
		t.Errorf("still open: %s", got)
	}
}

// TestADifferenceThatDisappearsIsClosed lets the delivery arrive after the night.
func TestADifferenceThatDisappearsIsClosed(t *testing.T) {
	app := testapp.New(t)
	ada := card(app, "ada")
	silent(app)
	pi := foreign(app, ada, 490)
	app.Clock().Advance(26 * time.Hour)
	compared(app, "stripe")
	if got := findings(app, ""); got.Len("items") != 1 {
		t.Fatalf("found: %s", got)
	}
	claim(app, ada, pi)
	compared(app, "stripe")
	if open, closed := findings(app, ""), findings(app, "?status=closed"); open.Len("items") != 0 || closed.Len("items") != 1 {
		t.Errorf("open %s, closed %s", open, closed)
	}
}

// TestOneComparisonAtATime asks for many at once while the gateway is slow.
func TestOneComparisonAtATime(t *testing.T) {
	app := testapp.New(t, testapp.PayPal())
	o := app.Order(app.Customer("ada"), byPayPal)
	app.PayByPayPal(o)
	app.Active(o)
	app.Clock().Advance(30 * time.Hour)
	app.PayPalFaults.Add(fault.Fault{Match: "GET /v1/reporting", Kind: fault.Slow, Times: 1, Delay: 500 * time.Millisecond})
	var began, refused int
	var mu sync.Mutex
	var all sync.WaitGroup
	staff := app.Staff()
	for range 6 {
		all.Add(1)
		go func() {
			defer all.Done()
			r, err := app.Try(http.MethodPost, reconcilePath+"/runs", staff, map[string]any{"gateway": "paypal"})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil && r.Status == http.StatusOK:
				began++
			case err == nil && r.Status == http.StatusConflict:
				refused++
			default:
				t.Errorf("got %v %v", r, err)
			}
		}()
	}
	all.Wait()
	if began != 1 || refused != 5 {
		t.Errorf("%d began and %d were refused, want one", began, refused)
	}
	app.Eventually("it ends", func() bool { return app.Count("reconcile_runs", "`status` = 'done'") == 1 })
	app.Want(http.StatusUnprocessableEntity, app.Do(http.MethodPost, reconcilePath+"/runs", staff, map[string]any{"gateway": "manual"}))
	app.Quiet()
}

// TestAComparisonGoesOnWhereItWasCutOff fails in the midst of a week; what was
// compared is compared once more at most, and nothing is found twice.
func TestAComparisonGoesOnWhereItWasCutOff(t *testing.T) {
	app := testapp.New(t)
	ada := card(app, "ada")
	silent(app)
	for range 4 {
		foreign(app, ada, 300)
		app.Clock().Advance(24 * time.Hour)
	}
	app.StripeFaults.Add(fault.Fault{Match: "GET /v1/balance_transactions", Kind: fault.Truncated, Times: 3})
	compared(app, "stripe")
	if got := findings(app, "?kind=missing_here"); got.Len("items") != 4 {
		t.Errorf("found: %s", got)
	}
	run := app.One(collections.ReconcileRuns, dbx.HashExp{"status": "done"})
	if until := collections.Time(run, "done_until"); app.Clock().Now().Sub(until) > time.Hour {
		t.Errorf("it ended at %s", until)
	}
}

// TestAGatewayWhoseBookCannotBeReadIsToldOf gives the run up and begins anew the
// next night.
func TestAGatewayWhoseBookCannotBeReadIsToldOf(t *testing.T) {
	app := testapp.New(t, testapp.PayPal())
	staffed(app, "de")
	o := app.Order(app.Customer("ada"), byPayPal)
	app.PayByPayPal(o)
	app.Active(o)
	app.Clock().Advance(30 * time.Hour)
	app.Want(http.StatusOK, app.Do(http.MethodPost, reconcilePath+"/runs", app.Staff(), map[string]any{"gateway": "paypal"}))
	app.Eventually("it ends", func() bool { return app.Count("reconcile_runs", "`status` != 'running'") == 1 })
	app.PayPalFaults.Add(fault.Fault{Match: "GET /v1/reporting", Kind: fault.Truncated, Times: -1})
	app.Clock().Advance(24 * time.Hour)
	app.Want(http.StatusOK, app.Do(http.MethodPost, reconcilePath+"/runs", app.Staff(), map[string]any{"gateway": "paypal"}))
	for range 60 {
		app.Clock().Advance(15 * time.Minute)
		if app.Within(300*time.Millisecond, func() bool { return app.Count("reconcile_runs", "`status` = 'failed'") == 1 }) {
			break
		}
	}
	if app.Count("reconcile_runs", "`status` = 'failed' AND `error` != ''") != 1 || app.Count("audit_logs", "`action` = 'reconcile.failed'") != 1 {
		t.Errorf("nobody was told\n%s", app.Describe())
	}
	if got := toStaff(app); len(got) != 1 || !strings.HasPrefix(got[0], "PayPal: Die Bücher wurden nicht abgeglichen") || !strings.Contains(got[0], "Abgeglichen bis") {
		t.Errorf("staff got %q, want one mail that says why", got)
	}
	app.PayPalFaults.Clear()
	app.Clock().Advance(24 * time.Hour)
	app.RunTasks()
	app.Eventually("the next night goes on", func() bool { return app.Count("reconcile_runs", "`status` = 'done'") == 2 })
	app.Quiet()
}
