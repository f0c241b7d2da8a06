package payments_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/stripebox"
	"github.com/ezscale/ezscale/internal/testapp"
)

// support gives staff an address for mails.
func (w *till) support() {
	w.Helper()
	if err := collections.SaveSetting(w.App, "brand", collections.Brand{Name: "Test Hosting", URL: w.URL, Support: "support@hosting.test"}); err != nil {
		w.Fatal(err)
	}
}

func (w *till) disputed(status string) string {
	w.Helper()
	id, err := w.Stripe.Dispute(w.intent, "fraudulent", status)
	if err != nil {
		w.Fatal(err)
	}
	w.Eventually("the dispute is recorded", func() bool { return w.Count("disputes", "") == 1 })
	w.Quiet()
	return id
}

// books compares what the accounts say.
func (w *till) books(what string, want map[string]int64) {
	w.Helper()
	for account, sum := range want {
		if got := w.Balance(w.ada.Id, account, "EUR"); got != sum {
			w.Errorf("%s: %s is %d, want %d", what, account, got, sum)
		}
	}
}

// TestADisputeThroughItsLife: each step once however often and in whatever order
// Stripe tells of it; the money is withdrawn, and comes back or is lost.
func TestADisputeThroughItsLife(t *testing.T) {
	for end, want := range map[string]map[string]int64{
		"won":  {"cash:stripe": 490 - 1500, "disputed": 0, "dispute_losses": 0, "gateway_fees": 1500},
		"lost": {"cash:stripe": -1500, "disputed": 0, "dispute_losses": 490, "gateway_fees": 1500},
	} {
		t.Run(end, func(t *testing.T) {
			w := openTill(t)
			w.support()
			w.Stripe.Set(stripebox.Switches{Duplicate: 2})
			id := w.disputed("warning_needs_response")
			w.books("asked about", map[string]int64{"cash:stripe": 490, "disputed": 0, "gateway_fees": 0})
			w.Stripe.MoveDispute(id, "needs_response")
			w.Quiet()
			w.books("withdrawn", map[string]int64{"cash:stripe": -1500, "disputed": 490, "gateway_fees": 1500})
			list := w.Want(http.StatusOK, w.Do(http.MethodGet, "/api/v1/staff/disputes", w.Staff(), nil))
			if list.Text("items.0.status") != "needs_response" || list.Text("items.0.evidence_due_at") == "" || list.Text("items.0.invoice") != w.order.Invoice || list.Text("items.0.funds_withdrawn") != "true" {
				t.Errorf("staff see %s", list)
			}
			if r := w.refund("k1", 0); r.Status < 400 {
				t.Errorf("disputed money was refunded, too: %s", r)
			}
			w.Stripe.MoveDispute(id, "under_review")
			w.Stripe.MoveDispute(id, end)
			w.Quiet()
			w.books(end, want)
			for _, d := range w.Stripe.Deliveries() { // the old news once more, newest first
				if strings.HasPrefix(d.Type, "charge.dispute.") {
					w.Stripe.Resend(d.EventID)
				}
			}
			w.Quiet()
			w.books(end+", told again", want)
			if got := w.One("disputes", nil).GetString("status"); got != end {
				t.Errorf("the dispute is %s, want %s", got, end)
			}
			if w.Service(w.order).GetString("status") != "active" {
				t.Error("the service was switched off: that is for staff to decide")
			}
			why := w.Want(http.StatusOK, w.Do(http.MethodGet, "/api/v1/staff/services/"+w.order.Services[0]+"/why", w.Staff(), nil))
			if !strings.Contains(string(why.Body), `"code":"dispute"`) || !strings.Contains(string(why.Body), `"result":"`+end+`"`) {
				t.Errorf("why does not tell of the dispute: %s", why)
			}
			w.Eventually("staff got mails", func() bool { return len(w.Mails("support@hosting.test")) >= 3 })
		})
	}
}

// TestEvidenceIsRemindedOf: three days and one day before its deadline, once each.
func TestEvidenceIsRemindedOf(t *testing.T) {
	w := openTill(t)
	w.support()
	w.disputed("needs_response")
	reminded := func() int { return w.Count("mails", "`kind` = 'staff_dispute' AND `key` LIKE '%:due%'") }
	for day := range 9 { // it is due nine days after it began
		w.RunTasks()
		w.RunTasks()
		want := 0
		if day >= 6 {
			want++
		}
		if day >= 8 {
			want++
		}
		if got := reminded(); got != want {
			t.Errorf("day %d: %d reminders, want %d", day, got, want)
		}
		w.Clock().Advance(24 * time.Hour)
	}
	w.RunTasks()
	if got := reminded(); got != 2 {
		t.Errorf("afterwards: %d reminders, want 2", got)
	}
	w.Quiet()
}

func TestADisputeAboutAnUnknownPayment(t *testing.T) {
	w := openTill(t)
	customer := w.One("gateway_customers", dbx.HashExp{"user": w.ada.Id}).GetString("customer_id")
	stranger, err := w.Stripe.ChargeByHand(customer, 1000, "eur")
	if err != nil {
		t.Fatal(err)
	}
	w.Quiet()
	if _, err := w.Stripe.Dispute(stranger, "fraudulent", "needs_response"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Stripe.RefundByHand(stranger, 0); err == nil {
		t.Error("a disputed payment was refunded")
	}
	w.Quiet()
	if n := w.Count("audit_logs", "`action` = 'dispute.unknown'"); n != 1 {
		t.Errorf("staff were told %d times, want once", n)
	}
	if n := w.Count("disputes", ""); n != 0 {
		t.Errorf("%d disputes about payments of ours, want none", n)
	}
}

// TestFeesAndPayouts: what Stripe keeps, sends to the bank and gets back from
// there is booked once, however often its book is read.
func TestFeesAndPayouts(t *testing.T) {
	w := openTill(t)
	w.Want(http.StatusCreated, w.refund("k1", 100))
	w.settledRefunds(1)
	payout := w.Stripe.PayOut(300, "eur")
	w.Stripe.Charged(50, "eur")
	w.Clock().Advance(2 * time.Hour)
	w.RunTasks()
	fee := int64(490*15+500)/1000 + 25
	w.books("the customer's", map[string]int64{"cash:stripe": 490 - 100 - fee, "gateway_fees": fee})
	if got := w.Record("payment_transactions", w.payment).GetInt64("fee_minor"); got != fee {
		t.Errorf("the payment's fee is %d, want %d", got, fee)
	}
	account := func(name string) int64 {
		sum := int64(0)
		if err := w.DB().NewQuery("SELECT IFNULL(SUM(`amount_minor`), 0) FROM `ledger_entries` WHERE `account` = {:a}").Bind(dbx.Params{"a": name}).Row(&sum); err != nil {
			t.Fatal(err)
		}
		return sum
	}
	if got := account("paid_out"); got != 300 {
		t.Errorf("%d was sent to the bank, want 300", got)
	}
	if got := account("gateway_fees"); got != fee+50 {
		t.Errorf("fees are %d, want %d", got, fee+50)
	}
	if err := w.Stripe.FailPayout(payout); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w.Clock().Advance(2 * time.Hour)
		w.RunTasks()
	}
	if got := account("paid_out"); got != 0 {
		t.Errorf("%d is at the bank after it came back, want 0", got)
	}
	if n := w.Count("gateway_movements", ""); n != 3 {
		t.Errorf("%d movements, want payout, its return and a fee", n)
	}
}

// TestB6ADebitThatIsReversed: a bank debit arrives, and the bank takes it back
// weeks later: a dispute that is lost at once.
func TestB6ADebitThatIsReversed(t *testing.T) {
	app := testapp.New(t)
	w := &till{App: app, ada: app.Customer("ada")}
	w.order = app.Order(w.ada, testapp.Cart{})
	app.PayWith(w.order, testapp.DebitArrives)
	app.Quiet()
	if got := app.InvoiceStatus(w.order); got != "open" {
		t.Fatalf("the invoice is %s while the debit is on its way, want open", got)
	}
	app.Stripe.Settle()
	app.Active(w.order)
	app.Quiet()
	p := app.One("payment_transactions", dbx.HashExp{"status": "succeeded"})
	w.payment, w.intent = p.Id, p.GetString("gateway_transaction_id")
	w.disputed("lost")
	w.books("taken back", map[string]int64{"dispute_losses": 490, "disputed": 0})
	if got := app.One("disputes", nil).GetString("status"); got != "lost" {
		t.Errorf("the dispute is %s, want lost", got)
	}
}

// TestB6ADebitThatFails: it was on its way for days, nothing was booked, and the
// invoice can be paid again.
func TestB6ADebitThatFails(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	o := app.Order(ada, testapp.Cart{})
	app.PayWith(o, testapp.DebitFails)
	app.Eventually("it is on its way", func() bool { return app.Count("payment_transactions", "`status` = 'pending'") == 1 })
	app.Stripe.Settle()
	app.Eventually("it failed", func() bool { return app.Count("payment_transactions", "`status` = 'failed'") == 1 })
	app.Quiet()
	if got := app.Balance(ada.Id, "cash:stripe", "EUR"); got != 0 || app.InvoiceStatus(o) != "open" {
		t.Errorf("cash %d and invoice %s, want nothing and open", got, app.InvoiceStatus(o))
	}
	r := app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/invoices/"+o.Invoice+"/pay", ada.Token, map[string]any{"gateway": "stripe"}))
	again := &testapp.Order{ID: o.ID, Invoice: o.Invoice, Services: o.Services, PageURL: r.Text("payment.url")}
	if again.PageURL == "" {
		t.Fatalf("it cannot be paid again: %s", r)
	}
	app.Pay(again)
	app.Active(o)
}

// TestCardsThatExpire: the issuer's new card is taken over, and its customer is
// told once, a month ahead, of one that ends.
func TestCardsThatExpire(t *testing.T) {
	w := openTill(t)
	card := w.One("payment_methods", dbx.HashExp{"user": w.ada.Id})
	soon := w.Clock().Now().UTC().AddDate(0, 2, 0)
	if !w.Stripe.RenewCard(card.GetString("gateway_method_id"), int(soon.Month()), soon.Year()) {
		t.Fatal("no such card")
	}
	w.Eventually("its expiry is known", func() bool { return w.Record("payment_methods", card.Id).GetInt("exp_year") == soon.Year() })
	told := func() int { return w.Count("mails", "`kind` = 'card_expiring'") }
	w.RunTasks()
	if n := told(); n != 0 {
		t.Errorf("told %d times two months ahead", n)
	}
	last := time.Date(soon.Year(), soon.Month()+1, 0, 0, 0, 0, 0, time.UTC)
	w.Clock().Advance(last.AddDate(0, 0, -29).Sub(w.Clock().Now()))
	for range 3 {
		w.RunTasks()
		w.Clock().Advance(24 * time.Hour)
	}
	if n := told(); n != 1 {
		t.Errorf("told %d times a month ahead, want once", n)
	}
	w.Quiet()
}

// TestB4ADisputeToldBeforeItsPayment: the news of a dispute overtake those of the
// payment, which is read back first.
func TestB4ADisputeToldBeforeItsPayment(t *testing.T) {
	app := testapp.New(t, testapp.Steady())
	w := &till{App: app, ada: app.Customer("ada")}
	w.order = app.Order(w.ada, testapp.Cart{})
	app.Stripe.SetWebhook("", "") // nobody tells of the payment
	app.PayWith(w.order, testapp.CardWorks)
	for _, c := range app.Stripe.Charges() {
		w.intent = c.Intent
	}
	app.Stripe.SetWebhook(app.URL+"/webhooks/stripe", testapp.WebhookSecret)
	w.disputed("needs_response")
	if got := app.InvoiceStatus(w.order); got != "paid" {
		t.Errorf("the invoice is %s, want paid", got)
	}
	w.books("withdrawn", map[string]int64{"cash:stripe": -1500, "disputed": 490})
	app.Active(w.order)
}

// TestPayPalGoesTheSameWay: a refund, a dispute that is lost, and a payment that
// PayPal takes back by itself.
func TestPayPalGoesTheSameWay(t *testing.T) {
	app := testapp.New(t, testapp.PayPal())
	ada := app.Customer("ada")
	buy := func() (o *testapp.Order, payment, capture string) {
		o = app.Order(ada, testapp.Cart{Gateway: "paypal"})
		app.PayByPayPal(o)
		app.Active(o)
		app.Quiet()
		p := app.One("payment_transactions", dbx.HashExp{"invoice": o.Invoice, "status": "succeeded"})
		return o, p.Id, p.GetString("gateway_transaction_id")
	}
	refunded, payment, _ := buy()
	app.Want(http.StatusCreated, app.Do(http.MethodPost, "/api/v1/staff/invoices/"+refunded.Invoice+"/refunds", app.Staff(), map[string]any{
		"key": "refund-0001", "reason": "sorry", "to": "source", "lines": []any{map[string]any{"position": 1, "net_minor": 190}},
	}))
	app.Eventually("it went back", func() bool { return app.Count("refunds", "`status` = 'succeeded' AND `gateway` = 'paypal'") == 1 })
	app.Quiet()
	if got := app.Record("payment_transactions", payment).GetInt64("refunded_minor"); got != 190 || app.PayPal.Snapshot().Refunds != 1 {
		t.Errorf("%d went back in %d refunds, want 190 in one", got, app.PayPal.Snapshot().Refunds)
	}
	_, _, capture := buy()
	id, err := app.PayPal.Dispute(capture, "UNAUTHORISED")
	if err != nil {
		t.Fatal(err)
	}
	app.Eventually("the dispute is recorded", func() bool { return app.Count("disputes", "`status` = 'warning'") == 1 })
	app.PayPal.MoveDispute(id, "CHARGEBACK", "WAITING_FOR_SELLER_RESPONSE", "")
	app.Eventually("the money is held", func() bool { return app.Count("disputes", "`status` = 'needs_response' AND `funds_withdrawn`") == 1 })
	app.PayPal.MoveDispute(id, "CHARGEBACK", "RESOLVED", "RESOLVED_BUYER_FAVOUR")
	app.Eventually("it is lost", func() bool { return app.Count("disputes", "`status` = 'lost'") == 1 })
	_, _, taken := buy()
	if !app.PayPal.Reverse(taken) {
		t.Fatal("it cannot be taken back")
	}
	app.Eventually("it is recorded", func() bool { return app.Count("disputes", "`status` = 'lost' AND `reason` = 'reversed'") == 1 })
	app.Quiet()
	w := &till{App: app, ada: ada}
	w.books("in the end", map[string]int64{"cash:paypal": 300, "dispute_losses": 980, "disputed": 0})
	if n := app.Count("refunds", ""); n != 1 {
		t.Errorf("%d refunds, want that one: what PayPal takes back is none", n)
	}
}
