package payments_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/stripebox"
	"github.com/ezscale/ezscale/internal/testapp"
)

// settledOnce checks that an order was paid exactly once with all that follows.
func settledOnce(app *testapp.App, by *testapp.Person, o *testapp.Order) {
	app.Helper()
	app.Active(o)
	app.Quiet()
	want := map[string]int{
		"payment_transactions": app.Count("payment_transactions", "`invoice` = '"+o.Invoice+"' AND `status` = 'succeeded'"),
		"ledger postings":      app.Count("ledger_entries", "`invoice` = '"+o.Invoice+"' AND `posting` LIKE 'payment:%' AND `account` = 'receivable'"),
		"provision jobs":       app.Count("jobs", "`kind` = 'service.provision' AND `service` = '"+o.Services[0]+"'") + app.Count("jobs", "`kind` LIKE '%provision' AND `kind` != 'service.provision' AND `service` = '"+o.Services[0]+"'"),
		"receipts":             app.Count("mails", "`kind` = 'receipt' AND `invoice` = '"+o.Invoice+"'"),
		"servers":              len(app.Panel.Snapshot().Servers),
		"charges":              app.Stripe.Paid(o.Invoice),
	}
	for what, got := range want {
		if got != 1 {
			app.Errorf("%d %s, want 1", got, what)
		}
	}
	app.Eventually("the receipt arrives", func() bool {
		n := 0
		for _, m := range app.Mails(by.Email) {
			if len(m.Attachments) == 1 && strings.HasSuffix(m.Attachments[0].Name, ".pdf") {
				n++
			}
		}
		return n == 1
	})
}

// deliver posts a signed delivery to the product.
func deliver(app *testapp.App, body []byte) (*testapp.Answer, error) {
	req, err := http.NewRequest(http.MethodPost, app.URL+"/webhooks/stripe", strings.NewReader(string(body)))
	if err != nil {
		return nil, err
	}
	req.Header = stripebox.SignedHeader(body, testapp.WebhookSecret, app.Clock().Now())
	return app.Send(req)
}

// paidSilently orders and pays while no delivery leaves Stripe, and returns the
// bodies that it would have sent, by type.
func paidSilently(app *testapp.App, by *testapp.Person) (*testapp.Order, map[string][]byte) {
	app.Helper()
	bodies, mu := map[string][]byte{}, sync.Mutex{}
	trap := newTrap(app, func(kind string, body []byte) {
		mu.Lock()
		defer mu.Unlock()
		bodies[kind] = body
	})
	o := app.Order(by, testapp.Cart{})
	app.Stripe.SetWebhook(trap, testapp.WebhookSecret)
	app.PayWith(o, testapp.CardWorks)
	if err := app.Stripe.Flush(app.Context()); err != nil {
		app.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	return o, bodies
}

func TestSettlementIsOnceHoweverTheNewsCome(t *testing.T) {
	const paid, completed = "payment_intent.succeeded", "checkout.session.completed"
	check := func(app *testapp.App, by *testapp.Person, o *testapp.Order) {
		if r, err := app.Try(http.MethodPost, "/api/v1/orders/"+o.ID+"/check", by.Token, map[string]any{}); err != nil || r.Status != http.StatusOK {
			app.Errorf("check: %v %v", r, err)
		}
	}
	post := func(app *testapp.App, body []byte) {
		if r, err := deliver(app, body); err != nil || r.Status != http.StatusOK {
			app.Errorf("delivery: %v %v", r, err)
		}
	}
	scenarios := []struct {
		name string
		news func(app *testapp.App, by *testapp.Person, o *testapp.Order, events map[string][]byte)
	}{
		{"payment before page", func(app *testapp.App, _ *testapp.Person, _ *testapp.Order, e map[string][]byte) {
			post(app, e[paid])
			app.Quiet()
			post(app, e[completed])
		}},
		{"page before payment", func(app *testapp.App, _ *testapp.Person, _ *testapp.Order, e map[string][]byte) {
			post(app, e[completed])
			app.Quiet()
			post(app, e[paid])
		}},
		{"browser first, webhooks afterwards", func(app *testapp.App, by *testapp.Person, o *testapp.Order, e map[string][]byte) {
			check(app, by, o)
			post(app, e[completed])
			post(app, e[paid])
		}},
		{"webhook first, browser afterwards", func(app *testapp.App, by *testapp.Person, o *testapp.Order, e map[string][]byte) {
			post(app, e[paid])
			check(app, by, o)
			check(app, by, o)
		}},
		{"only the browser", func(app *testapp.App, by *testapp.Person, o *testapp.Order, _ map[string][]byte) { check(app, by, o) }},
		{"nobody but the timer", func(app *testapp.App, _ *testapp.Person, _ *testapp.Order, _ map[string][]byte) {
			app.Clock().Advance(3 * time.Minute)
		}},
		{"ten deliveries of the same event at once", func(app *testapp.App, _ *testapp.Person, _ *testapp.Order, e map[string][]byte) {
			wg := sync.WaitGroup{}
			for range 10 {
				wg.Go(func() { post(app, e[paid]) })
			}
			wg.Wait()
		}},
		{"both events ten times and the browser, all at once", func(app *testapp.App, by *testapp.Person, o *testapp.Order, e map[string][]byte) {
			wg := sync.WaitGroup{}
			for range 10 {
				wg.Go(func() { post(app, e[paid]) })
				wg.Go(func() { post(app, e[completed]) })
				wg.Go(func() { check(app, by, o) })
			}
			wg.Wait()
		}},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			app := testapp.New(t)
			ada := app.Customer("ada")
			o, events := paidSilently(app, ada)
			if events[paid] == nil || events[completed] == nil {
				t.Fatalf("Stripe sent %d kinds of events, want both", len(events))
			}
			s.news(app, ada, o, events)
			app.Eventually("the invoice is paid", func() bool { return app.InvoiceStatus(o) == "paid" })
			settledOnce(app, ada, o)
			if got := app.Balance(ada.Id, "credit", "EUR"); got != 0 {
				t.Errorf("credit: got %d, want none", got)
			}
		})
	}
}

func TestStaffEntersTransfers(t *testing.T) {
	type entry struct {
		amount    int64
		currency  string
		reference string
	}
	scenarios := []struct {
		name      string
		entries   []entry
		status    string
		due       int64
		credit    int64 // in EUR
		creditUSD int64
		payments  int
	}{
		{"the whole amount", []entry{{490, "EUR", "a"}}, "paid", 0, 0, 0, 1},
		{"a part", []entry{{200, "EUR", "a"}}, "open", 290, 0, 0, 1},
		{"two parts", []entry{{200, "EUR", "a"}, {290, "EUR", "b"}}, "paid", 0, 0, 0, 2},
		{"one cent short", []entry{{489, "EUR", "a"}}, "open", 1, 0, 0, 1},
		{"too much", []entry{{500, "EUR", "a"}}, "paid", 0, -10, 0, 1},
		{"twice", []entry{{490, "EUR", "a"}, {490, "EUR", "b"}}, "paid", 0, -490, 0, 2},
		{"the same reference twice", []entry{{490, "EUR", "a"}, {490, "EUR", "a"}}, "paid", 0, 0, 0, 1},
		{"another currency", []entry{{490, "USD", "a"}}, "open", 490, 0, -490, 1},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			app := testapp.New(t)
			ada := app.Customer("ada")
			o := app.Order(ada, testapp.Cart{Gateway: "manual"})
			for _, e := range s.entries {
				app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/staff/invoices/"+o.Invoice+"/payments", app.Staff(),
					map[string]any{"amount_minor": e.amount, "currency": e.currency, "reference": e.reference}))
			}
			inv := app.Record(collections.Invoices, o.Invoice)
			if inv.GetString("status") != s.status || inv.GetInt64("due_minor") != s.due {
				t.Errorf("the invoice is %s with %d due, want %s with %d", inv.GetString("status"), inv.GetInt64("due_minor"), s.status, s.due)
			}
			if eur, usd := app.Balance(ada.Id, "credit", "EUR"), app.Balance(ada.Id, "credit", "USD"); eur != s.credit || usd != s.creditUSD {
				t.Errorf("credit: got %d EUR and %d USD, want %d and %d", eur, usd, s.credit, s.creditUSD)
			}
			if got := app.Count("payment_transactions", "`status` = 'succeeded'"); got != s.payments {
				t.Errorf("%d payments, want %d", got, s.payments)
			}
			if s.status == "paid" {
				app.Active(o)
			}
		})
	}
}

func TestBadTransfersAreRefused(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	o, other := app.Order(ada, testapp.Cart{Gateway: "manual"}), app.Order(ada, testapp.Cart{Gateway: "manual"})
	path := "/api/v1/staff/invoices/" + o.Invoice + "/payments"
	good := map[string]any{"amount_minor": 100, "currency": "EUR", "reference": "known"}
	app.Want(http.StatusOK, app.Do(http.MethodPost, path, app.Staff(), good))
	before := app.Rows()
	scenarios := []struct {
		name, path, token string
		body              any
		status            int
	}{
		{"by a customer", path, ada.Token, good, 403},
		{"by nobody", path, "", good, 401},
		{"unknown invoice", "/api/v1/staff/invoices/nosuchinvoice12/payments", app.Staff(), good, 404},
		{"zero", path, app.Staff(), map[string]any{"amount_minor": 0, "currency": "EUR", "reference": "x"}, 422},
		{"negative", path, app.Staff(), map[string]any{"amount_minor": -1, "currency": "EUR", "reference": "x"}, 422},
		{"more than any amount", path, app.Staff(), map[string]any{"amount_minor": int64(1) << 60, "currency": "EUR", "reference": "x"}, 422},
		{"unknown currency", path, app.Staff(), map[string]any{"amount_minor": 1, "currency": "XXY", "reference": "x"}, 422},
		{"no reference", path, app.Staff(), map[string]any{"amount_minor": 1, "currency": "EUR", "reference": " "}, 422},
		{"reference of another amount", path, app.Staff(), map[string]any{"amount_minor": 101, "currency": "EUR", "reference": "known"}, 409},
		{"reference of another invoice", "/api/v1/staff/invoices/" + other.Invoice + "/payments", app.Staff(), good, 409},
	}
	for _, s := range scenarios {
		if r := app.Do(http.MethodPost, s.path, s.token, s.body); r.Status != s.status {
			t.Errorf("%s: got %s, want %d", s.name, r, s.status)
		}
	}
	app.Unchanged(before)
}

func TestATransferTypedIntoTheAdminUI(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	o := app.Order(ada, testapp.Cart{Gateway: "manual"})
	record := map[string]any{"user": ada.Id, "invoice": o.Invoice, "gateway": "manual", "kind": "manual", "status": "succeeded", "gateway_transaction_id": "bank-1", "amount_minor": 490, "currency": "EUR", "idempotency_key": "typed"}
	r := app.Do(http.MethodPost, "/api/collections/payment_transactions/records", app.Staff(), record)
	if r.Status != http.StatusOK {
		t.Fatalf("got %s, want 200", r)
	}
	if got := app.InvoiceStatus(o); got != "paid" {
		t.Errorf("the invoice is %s, want paid", got)
	}
	record["gateway"] = "stripe"
	if r := app.Do(http.MethodPost, "/api/collections/payment_transactions/records", app.Staff(), record); r.Status != http.StatusBadRequest {
		t.Errorf("a card payment typed by hand: got %s, want 400", r)
	}
	app.Active(o)
}

func TestPayingTheInvoiceTwoWaysBecomesCredit(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	o, events := paidSilently(app, ada) // the page is paid, the news are late
	app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/staff/invoices/"+o.Invoice+"/payments", app.Staff(), map[string]any{"amount_minor": 490, "currency": "EUR", "reference": "bank-1"}))
	if _, err := deliver(app, events["payment_intent.succeeded"]); err != nil {
		t.Fatal(err)
	}
	app.Eventually("the card payment is recorded, too", func() bool { return app.Count("payment_transactions", "`status` = 'succeeded'") == 2 })
	if got := app.Balance(ada.Id, "credit", "EUR"); got != -490 {
		t.Errorf("credit: got %d, want -490", got)
	}
	app.Active(o)
	if got := app.Count("audit_logs", "`action` = 'payment.excess'"); got != 1 {
		t.Errorf("%d audit rows tell of the excess, want 1", got)
	}
}

func TestASecondPaymentOnTheSamePageIsKept(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	o, events := paidSilently(app, ada)
	body := string(events["payment_intent.succeeded"])
	first := app.Stripe.Charges()[0].Intent
	second := strings.NewReplacer(first, first+"two", `"id": "evt_`, `"id": "evt_two`).Replace(body)
	for _, b := range []string{body, second, second} {
		if r, err := deliver(app, []byte(b)); err != nil || r.Status != http.StatusOK {
			t.Fatalf("delivery: %v %v", r, err)
		}
	}
	app.Eventually("both payments are recorded", func() bool { return app.Count("payment_transactions", "`status` = 'succeeded'") == 2 })
	app.Active(o)
	app.Quiet()
	if got := app.Balance(ada.Id, "credit", "EUR"); got != -490 {
		t.Errorf("credit: got %d, want -490", got)
	}
	if got := app.Count("mails", "`kind` = 'receipt'"); got != 1 {
		t.Errorf("%d receipts, want 1", got)
	}
}

func TestDeclineThenSuccess(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	o := app.Order(ada, testapp.Cart{})
	if app.PayWith(o, testapp.CardNoFunds) == "" {
		t.Fatal("the card without funds worked")
	}
	show := func() *testapp.Answer {
		return app.Want(http.StatusOK, app.Do(http.MethodGet, "/api/v1/orders/"+o.ID, ada.Token, nil))
	}
	app.Eventually("the decline shows", func() bool { return show().Text("payment.state") == "declined" })
	if got := show().Text("payment.reason"); !strings.Contains(got, "not enough money") {
		t.Errorf("reason: got %q, want words about money", got)
	}
	if got := show().Text("payment.url"); got != o.PageURL {
		t.Errorf("the page to try again: got %q, want the same", got)
	}
	app.Pay(o)
	settledOnce(app, ada, o)
}

func TestTheCustomerConfirmsOnThePage(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	o := app.Order(ada, testapp.Cart{})
	if declined := app.PayWith(o, testapp.CardAuthenticate); declined != "" {
		t.Fatal(declined)
	}
	app.Eventually("the invoice is paid", func() bool { return app.InvoiceStatus(o) == "paid" })
	settledOnce(app, ada, o)
}

func TestAnInvoiceHasOnePageAtATime(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	o := app.Order(ada, testapp.Cart{})
	urls, mu, wg := map[string]bool{o.PageURL: true}, sync.Mutex{}, sync.WaitGroup{}
	for range 10 {
		wg.Go(func() {
			r, err := app.Try(http.MethodPost, "/api/v1/invoices/"+o.Invoice+"/pay", ada.Token, map[string]string{"gateway": "stripe"})
			if err != nil || r.Status != http.StatusOK {
				app.Errorf("pay: %v %v", r, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			urls[r.Text("payment.url")] = true
		})
	}
	wg.Wait()
	if len(urls) != 1 || app.Stripe.Snapshot().Sessions != 1 {
		t.Errorf("%d addresses and %d pages, want 1", len(urls), app.Stripe.Snapshot().Sessions)
	}
	if got := app.One("payment_transactions", dbx.HashExp{"invoice": o.Invoice}).GetString("status"); got != "open" {
		t.Errorf("the attempt is %s, want open", got)
	}
}

func TestAnExpiredPageIsReplaced(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	o := app.Order(ada, testapp.Cart{Gateway: "manual"})
	pay := func() string {
		return app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/invoices/"+o.Invoice+"/pay", ada.Token, map[string]string{"gateway": "stripe"})).Text("payment.url")
	}
	first := pay()
	app.Clock().Advance(33 * time.Minute)
	second := pay()
	if first == "" || second == "" || first == second {
		t.Errorf("pages %q and %q, want two", first, second)
	}
	o.PageURL = second
	app.Pay(o)
}
