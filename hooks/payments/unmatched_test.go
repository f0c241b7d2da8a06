package payments_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/internal/testapp"
)

// TestB3MoneyWeDidNotAskForIsKept: a payment that belongs to nothing of ours is
// neither dropped with a success answer nor guessed onto an invoice.
func TestB3MoneyWeDidNotAskForIsKept(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	open := app.Order(ada, testapp.Cart{Gateway: "manual"})
	told := func(id string) {
		t.Helper()
		if r, err := deliver(app, event(id, "payment_intent.succeeded", "pi_unknown")); err != nil || r.Status != http.StatusOK {
			t.Fatalf("got %v %v, want 200", r, err)
		}
	}
	for _, id := range []string{"evt_unknown1", "evt_unknown1", "evt_unknown2"} {
		told(id)
	}
	app.Eventually("the money waits", func() bool { return app.Count("unmatched_payments", "`status` = 'open'") == 1 })
	app.Quiet()
	if got := app.InvoiceStatus(open); got != "open" {
		t.Errorf("the money was guessed onto an invoice, which is %s", got)
	}
	list := app.Want(http.StatusOK, app.Do(http.MethodGet, "/api/v1/staff/unmatched-payments", app.Staff(), nil))
	if list.Len("items") != 1 || list.Int("items.0.amount.minor") != 490 {
		t.Fatalf("staff sees %s, want 4.90 EUR", list)
	}
	base := "/api/v1/staff/unmatched-payments/" + list.Text("items.0.id")
	app.Want(http.StatusOK, app.Do(http.MethodPost, base+"/assign", app.Staff(), map[string]any{"invoice": open.Invoice}))
	if got := app.InvoiceStatus(open); got != "paid" {
		t.Errorf("the invoice is %s after the money was assigned, want paid", got)
	}
	app.Active(open)
	if r := app.Do(http.MethodPost, base+"/assign", app.Staff(), map[string]any{"customer": ada.Id}); r.Status != http.StatusConflict {
		t.Errorf("assigned twice: got %s, want 409", r)
	}
	// Late news of the same payment change nothing.
	told("evt_unknown3")
	app.Quiet()
	if got := app.Count("payment_transactions", "`status` = 'succeeded'"); got != 1 {
		t.Errorf("%d payments, want 1", got)
	}
}

func TestUnplacedTransfers(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	const path = "/api/v1/staff/unmatched-payments"
	body := map[string]any{"amount_minor": 1250, "currency": "EUR", "reference": "bank 77", "note": "from A. Lovelace, no invoice number"}
	first := app.Want(http.StatusCreated, app.Do(http.MethodPost, path, app.Staff(), body))
	if again := app.Want(http.StatusCreated, app.Do(http.MethodPost, path, app.Staff(), body)); again.Text("id") != first.Text("id") {
		t.Errorf("entered twice it is %s and %s", first, again)
	}
	body["amount_minor"] = 1300
	if r := app.Do(http.MethodPost, path, app.Staff(), body); r.Status != http.StatusConflict {
		t.Errorf("the same reference with another amount: got %s, want 409", r)
	}
	base := path + "/" + first.Text("id")
	for name, bad := range map[string]map[string]any{
		"nothing named": {}, "both named": {"invoice": "x", "customer": ada.Id}, "unknown invoice": {"invoice": "nosuchinvoice12"}, "unknown customer": {"customer": "nosuchcustomer1"},
	} {
		if r := app.Do(http.MethodPost, base+"/assign", app.Staff(), bad); r.Status != http.StatusUnprocessableEntity || len(r.Fields()) == 0 {
			t.Errorf("%s: got %s, want 422 with a field", name, r)
		}
	}
	app.Want(http.StatusOK, app.Do(http.MethodPost, base+"/assign", app.Staff(), map[string]any{"customer": ada.Id}))
	if got := app.Balance(ada.Id, "credit", "EUR"); got != -1250 {
		t.Errorf("credit: got %d, want -1250", got)
	}
	if got := app.Balance(ada.Id, "cash:manual", "EUR"); got != 1250 {
		t.Errorf("cash: got %d, want 1250", got)
	}
	body = map[string]any{"amount_minor": 99, "currency": "EUR", "reference": "bank 78", "note": "a test of somebody's bank"}
	other := app.Want(http.StatusCreated, app.Do(http.MethodPost, path, app.Staff(), body))
	app.Want(http.StatusOK, app.Do(http.MethodPost, path+"/"+other.Text("id")+"/return", app.Staff(), map[string]any{"note": "sent back, bank 79"}))
	if r := app.Do(http.MethodPost, path+"/"+other.Text("id")+"/assign", app.Staff(), map[string]any{"customer": ada.Id}); r.Status != http.StatusConflict {
		t.Errorf("money that was sent back is assigned: %s", r)
	}
	if got := app.Count("audit_logs", "`resource` = 'unmatched_payments'"); got != 4 {
		t.Errorf("%d audit rows, want 4", got)
	}
}

// payAll asks for one page over several invoices.
func payAll(app *testapp.App, by *testapp.Person, more map[string]any, orders ...*testapp.Order) *testapp.Answer {
	app.Helper()
	ids := []string{}
	for _, o := range orders {
		ids = append(ids, o.Invoice)
	}
	body := map[string]any{"invoices": ids, "gateway": "stripe"}
	for k, v := range more {
		body[k] = v
	}
	return app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/invoices/pay", by.Token, body))
}

func TestOnePageForSeveralInvoices(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	a, b, c := app.Order(ada, testapp.Cart{Gateway: "manual"}), app.Order(ada, testapp.Cart{}), app.Order(ada, testapp.Cart{Plan: "vps-m", Gateway: "manual"})
	page := payAll(app, ada, nil, a, b, c)
	if got := page.Int("due.minor"); got != 490+490+990+500 {
		t.Errorf("the page is over %d, want 24.70", got)
	}
	for name, o := range map[string]*testapp.Order{"first": a, "second": b, "third": c} {
		if got := app.Count("payment_transactions", fmt.Sprintf("`invoice` = '%s' AND `status` IN ('created', 'open', 'pending', 'needs_action', 'unknown')", o.Invoice)); got != 1 {
			t.Errorf("the %s invoice has %d live attempts, want 1", name, got)
		}
	}
	paid := &testapp.Order{Invoice: a.Invoice, PageURL: page.Text("payment.url")}
	if declined := app.PayWith(paid, testapp.CardWorks); declined != "" {
		t.Fatal(declined)
	}
	for _, o := range []*testapp.Order{a, b, c} {
		app.Eventually("every invoice is paid", func() bool { return app.InvoiceStatus(o) == "paid" })
		app.Active(o)
	}
	app.Quiet()
	if got := app.Balance(ada.Id, "credit", "EUR"); got != 0 {
		t.Errorf("credit left: %d, want 0", got)
	}
	if got := app.Balance(ada.Id, "cash:stripe", "EUR"); got != 2470 {
		t.Errorf("cash: got %d, want 2470", got)
	}
	shown := app.Want(http.StatusOK, app.Do(http.MethodGet, "/api/v1/invoices/"+c.Invoice, ada.Token, nil))
	if shown.Len("payments") != 1 || shown.Text("payments.0.gateway") != "credit" {
		t.Errorf("the third invoice shows %v", shown.At("payments"))
	}
}

// TestAPageOverSeveralIsOneAttempt: closing it for one invoice closes it for all,
// and a page of its own replaces it.
func TestAPageOverSeveralIsOneAttempt(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	a, b := app.Order(ada, testapp.Cart{Gateway: "manual"}), app.Order(ada, testapp.Cart{Gateway: "manual"})
	mass := &testapp.Order{PageURL: payAll(app, ada, nil, a, b).Text("payment.url")}
	single := app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/invoices/"+b.Invoice+"/pay", ada.Token, map[string]any{"gateway": "stripe"}))
	if single.Text("payment.url") == mass.PageURL || single.Text("payment.url") == "" {
		t.Fatalf("the second invoice leads to %q", single.Text("payment.url"))
	}
	if _, err := app.Stripe.PayPage(mass.Session(), testapp.CardWorks); err == nil {
		t.Error("the closed page over both could still be paid")
	}
	own := &testapp.Order{PageURL: single.Text("payment.url")}
	if declined := app.PayWith(own, testapp.CardWorks); declined != "" {
		t.Fatal(declined)
	}
	app.Eventually("the second invoice is paid", func() bool { return app.InvoiceStatus(b) == "paid" })
	app.Quiet()
	if got := app.InvoiceStatus(a); got != "open" {
		t.Errorf("the first invoice is %s, want open", got)
	}
	if got := app.Count("payment_transactions", "`status` IN ('created', 'open', 'pending', 'needs_action', 'unknown')"); got != 0 {
		t.Errorf("%d attempts are live, want 0", got)
	}
}

// TestAnInvoicePaidMeanwhileLeavesCredit: a transfer for one of the invoices
// arrives while the page over both is being paid.
func TestAnInvoicePaidMeanwhileLeavesCredit(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	a, b := app.Order(ada, testapp.Cart{Gateway: "manual"}), app.Order(ada, testapp.Cart{Gateway: "manual"})
	page := &testapp.Order{PageURL: payAll(app, ada, nil, a, b).Text("payment.url")}
	if declined := app.PayWith(page, testapp.CardWorks); declined != "" { // the news travel
		t.Fatal(declined)
	}
	app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/staff/invoices/"+b.Invoice+"/payments", app.Staff(), map[string]any{"amount_minor": 490, "currency": "EUR", "reference": "bank-1"}))
	app.Eventually("both are paid", func() bool { return app.InvoiceStatus(a) == "paid" && app.InvoiceStatus(b) == "paid" })
	app.Eventually("all money is booked", func() bool { return app.Balance(ada.Id, "credit", "EUR") == -490 })
	app.Quiet()
}

func TestSeveralInvoicesByASavedCard(t *testing.T) {
	app := testapp.New(t)
	ada, a, method := withCard(app, testapp.CardWorks)
	b := app.Order(ada, testapp.Cart{Gateway: "manual"})
	app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/staff/customers/"+ada.Id+"/credit", app.Staff(), map[string]any{"key": "goodwill-1", "amount_minor": 600, "currency": "EUR", "reason": "an outage"}))
	answer := payAll(app, ada, map[string]any{"gateway": "", "method": method, "credit": true}, a, b)
	if spent, due := answer.Int("spent.minor"), answer.Int("due.minor"); spent != 600 || due != 380 {
		t.Errorf("spent %d and due %d, want 600 and 380", spent, due)
	}
	app.Eventually("both are paid", func() bool { return app.InvoiceStatus(a) == "paid" && app.InvoiceStatus(b) == "paid" })
	app.Quiet()
	if got := app.Count("payment_transactions", "`kind` = 'off_session' AND `status` = 'succeeded' AND `amount_minor` = 380"); got != 1 {
		t.Errorf("%d charges over the rest, want 1", got)
	}
	if got := app.One("credit_balances", dbx.HashExp{"user": ada.Id}).GetInt64("balance_minor"); got != 0 {
		t.Errorf("credit left: %d, want 0", got)
	}
}
