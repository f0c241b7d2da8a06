package payments_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/integrations/sandbox/stripebox"
	"github.com/ezscale/ezscale/internal/testapp"
)

// till is a shop in which a customer has paid one invoice of 4.90 by card.
type till struct {
	*testapp.App
	ada     *testapp.Person
	order   *testapp.Order
	payment string // our id
	intent  string // Stripe's
}

func openTill(t *testing.T, opts ...testapp.Option) *till {
	t.Helper()
	app := testapp.New(t, opts...)
	w := &till{App: app, ada: app.Customer("ada")}
	w.order = app.Buy(w.ada, testapp.Cart{})
	app.Quiet()
	p := app.One("payment_transactions", dbx.HashExp{"invoice": w.order.Invoice, "status": "succeeded"})
	w.payment, w.intent = p.Id, p.GetString("gateway_transaction_id")
	return w
}

// refund asks, as staff, for cents of the invoice to go back to the card; 0 is all.
func (w *till) refund(key string, minor int64) *testapp.Answer {
	w.Helper()
	body := map[string]any{"reason": "sorry", "to": "source", "key": "refund-" + key}
	if minor > 0 {
		body["lines"] = []any{map[string]any{"position": 1, "net_minor": minor}}
	}
	return w.Do(http.MethodPost, "/api/v1/staff/invoices/"+w.order.Invoice+"/refunds", w.Staff(), body)
}

// stands compares refunds, money and credit with what should be.
func (w *till) stands(succeeded, failed int, back, credit int64) {
	w.Helper()
	if got := w.Count("refunds", "`status` = 'succeeded'"); got != succeeded {
		w.Errorf("%d refunds succeeded, want %d\n%s", got, succeeded, w.Describe())
	}
	if got := w.Count("refunds", "`status` = 'failed'"); got != failed {
		w.Errorf("%d refunds failed, want %d", got, failed)
	}
	if got := w.Record("payment_transactions", w.payment).GetInt64("refunded_minor"); got != back {
		w.Errorf("%d went back of the payment, want %d", got, back)
	}
	if got := -w.Balance(w.ada.Id, "credit", "EUR"); got != credit {
		w.Errorf("credit is %d, want %d", got, credit)
	}
	sent := int64(0)
	for _, r := range w.Stripe.Refunds() {
		if r.Status != "failed" {
			sent += r.Amount
		}
	}
	if sent != back {
		w.Errorf("Stripe paid %d back, want %d", sent, back)
	}
}

func (w *till) settledRefunds(n int) {
	w.Helper()
	w.Eventually("the refunds are settled", func() bool { return w.Count("refunds", "`status` IN ('succeeded', 'failed')") == n })
	w.Quiet()
}

func TestRefundsToTheCard(t *testing.T) {
	w := openTill(t)
	w.Want(http.StatusCreated, w.refund("k1", 190))
	w.settledRefunds(1)
	w.stands(1, 0, 190, 0)
	w.Want(http.StatusCreated, w.refund("k1", 190)) // repeated
	w.Quiet()
	w.stands(1, 0, 190, 0)
	w.Want(http.StatusCreated, w.refund("k2", 0))
	w.settledRefunds(2)
	w.stands(2, 0, 490, 0)
	if r := w.refund("k3", 1); r.Code() != "too_much" {
		t.Errorf("more than was paid: got %s, want too_much", r)
	}
	v := w.Want(http.StatusOK, w.Do(http.MethodGet, "/api/v1/invoices/"+w.order.Invoice, w.ada.Token, nil))
	if v.Len("refunds") != 2 || v.Int("refunds.0.amount.minor") != 190 || v.Text("refunds.1.state") != "succeeded" || v.Int("payments.0.refunded.minor") != 490 {
		t.Errorf("the customer sees %s", v)
	}
	w.Eventually("two mails arrive", func() bool {
		n := 0
		for _, m := range w.Mails(w.ada.Email) {
			if strings.HasPrefix(m.Subject, "Refund of ") {
				n++
			}
		}
		return n == 2
	})
	list := w.Want(http.StatusOK, w.Do(http.MethodGet, "/api/v1/staff/refunds?status=succeeded", w.Staff(), nil))
	if list.Len("items") != 2 || list.Text("items.0.invoice") != w.order.Invoice || !strings.HasPrefix(list.Text("items.0.reference"), "re_") {
		t.Errorf("staff see %s", list)
	}
	why := w.Want(http.StatusOK, w.Do(http.MethodGet, "/api/v1/services/"+w.order.Services[0]+"/why", w.ada.Token, nil))
	if !strings.Contains(string(why.Body), "was refunded") {
		t.Errorf("why does not tell of the refund: %s", why)
	}
}

// TestC5ConcurrentRefundsNeverExceedThePayment: many members of staff, each with
// a form of their own, give back the same money at once.
func TestC5ConcurrentRefundsNeverExceedThePayment(t *testing.T) {
	w := openTill(t)
	w.Staff()
	wg, mu, made := sync.WaitGroup{}, sync.Mutex{}, 0
	for i := range 8 {
		wg.Go(func() {
			r, err := w.Try(http.MethodPost, "/api/v1/staff/invoices/"+w.order.Invoice+"/refunds", w.Staff(), map[string]any{
				"reason": "sorry", "to": "source", "key": "refund-k" + string(rune('a'+i)), "lines": []any{map[string]any{"position": 1, "net_minor": 200}},
			})
			mu.Lock()
			defer mu.Unlock()
			if err == nil && r.Status == http.StatusCreated {
				made++
			}
		})
	}
	wg.Wait()
	if made != 2 {
		t.Errorf("%d refunds of 2.00 out of 4.90 were made, want 2", made)
	}
	w.settledRefunds(2)
	w.stands(2, 0, 400, 0)
}

// TestA5ALostRefundIsLookedUp: whatever becomes of the call and its answer, the
// money goes back once.
func TestA5ALostRefundIsLookedUp(t *testing.T) {
	for _, kind := range []fault.Kind{fault.LostAnswer, fault.After500, fault.Truncated, fault.RefuseConn, fault.Error500, fault.HTML502, fault.Unavailable, fault.RateLimited} {
		t.Run(string(kind), func(t *testing.T) {
			w := openTill(t)
			w.StripeFaults.Add(fault.Fault{Match: "POST /v1/refunds", Kind: kind, Times: 2})
			w.Want(http.StatusCreated, w.refund("k1", 0))
			w.settledRefunds(1)
			w.stands(1, 0, 490, 0)
			w.StripeFaults.Clear()
		})
	}
}

// TestA5ARefundWhoseKeyIsForgotten: the answer is lost and Stripe is away for
// longer than it remembers keys.
func TestA5ARefundWhoseKeyIsForgotten(t *testing.T) {
	w := openTill(t, testapp.Steady())
	w.Stripe.SetWebhook("", "") // nobody tells
	w.StripeFaults.Add(fault.Fault{Match: "POST /v1/refunds", Kind: fault.After500, Times: 1})
	w.StripeFaults.After = func(r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Path == "/v1/refunds" {
			w.StripeFaults.Add(fault.Fault{Match: "GET /v1/payment_intents/", Kind: fault.Unavailable})
		}
	}
	w.Want(http.StatusCreated, w.refund("k1", 0))
	w.Eventually("its outcome is unknown", func() bool { return w.Count("refunds", "`status` = 'unknown'") == 1 })
	w.Clock().Advance(72 * time.Hour)
	w.StripeFaults.Clear()
	w.Clock().Advance(24 * time.Hour)
	w.Eventually("it is found", func() bool { return w.Count("refunds", "`status` = 'succeeded'") == 1 })
	w.stands(1, 0, 490, 0)
	w.Stripe.SetWebhook(w.URL+"/webhooks/stripe", testapp.WebhookSecret)
}

// TestA6ARefundIsBookedOnce: job, webhooks, repeats and all at once.
func TestA6ARefundIsBookedOnce(t *testing.T) {
	w := openTill(t)
	w.Stripe.Set(stripebox.Switches{Duplicate: 5})
	w.Want(http.StatusCreated, w.refund("k1", 0))
	w.settledRefunds(1)
	for _, d := range w.Stripe.Deliveries() {
		if strings.HasPrefix(d.Type, "refund.") {
			w.Stripe.Resend(d.EventID)
		}
	}
	w.Quiet()
	w.stands(1, 0, 490, 0)
	if n := w.Count("ledger_entries", "`posting` LIKE 'refund:%' AND `account` = 'cash:stripe'"); n != 1 {
		t.Errorf("%d postings, want 1", n)
	}
	if n := w.Count("mails", "`kind` = 'refund_made'"); n != 1 {
		t.Errorf("%d mails, want 1", n)
	}
}

// TestB4ARefundThatFailsLate: the bank sends it back weeks later; it is credit
// then, everybody is told, and staff pay it out in another way. Late news of its
// success change nothing.
func TestB4ARefundThatFailsLate(t *testing.T) {
	w := openTill(t)
	w.Want(http.StatusCreated, w.refund("k1", 0))
	w.settledRefunds(1)
	w.Clock().Advance(20 * 24 * time.Hour)
	w.Stripe.FailRefund(w.Stripe.Refunds()[0].ID, "lost_or_stolen_card")
	w.Eventually("it failed here, too", func() bool { return w.Count("refunds", "`status` = 'failed'") == 1 })
	for _, d := range w.Stripe.Deliveries() {
		if d.Type == "refund.created" {
			w.Stripe.Resend(d.EventID)
		}
	}
	w.Quiet()
	w.stands(0, 1, 0, 490)
	if n := w.Count("audit_logs", "`action` = 'refund.failed'"); n != 1 {
		t.Errorf("staff were told %d times, want once", n)
	}
	if n := w.Count("mails", "`kind` = 'refund_returned'"); n != 1 {
		t.Errorf("the customer was told %d times, want once", n)
	}
	list := w.Want(http.StatusOK, w.Do(http.MethodGet, "/api/v1/staff/refunds?status=failed", w.Staff(), nil))
	if list.Text("items.0.failure") != "lost_or_stolen_card" {
		t.Errorf("staff see %s", list)
	}
	again := map[string]any{"key": "paid-again", "amount_minor": 490, "currency": "EUR", "to": "manual", "payment": w.payment, "reference": "bank-1", "reason": "the card was closed"}
	w.Want(http.StatusCreated, w.Do(http.MethodPost, "/api/v1/staff/customers/"+w.ada.Id+"/refunds", w.Staff(), again))
	if got := -w.Balance(w.ada.Id, "credit", "EUR"); got != 0 {
		t.Errorf("credit is %d after it was paid out by bank, want 0", got)
	}
}

func TestARefundThatIsRefusedIsCredit(t *testing.T) {
	w := openTill(t)
	w.Stripe.Set(stripebox.Switches{RefundError: "charge_disputed"})
	w.Want(http.StatusCreated, w.refund("k1", 190))
	w.settledRefunds(1)
	w.stands(0, 1, 0, 190)
	if n := w.Count("mails", "`kind` IN ('refund_made', 'refund_returned')"); n != 0 {
		t.Errorf("%d mails about a refund that never began", n)
	}
}

func TestB6ASlowRefund(t *testing.T) {
	for _, fails := range []bool{false, true} {
		w := openTill(t)
		w.Stripe.Set(stripebox.Switches{SlowRefunds: true, RefundsFail: fails})
		w.Want(http.StatusCreated, w.refund("k1", 0))
		w.Eventually("it is on its way", func() bool { return w.Count("refunds", "`status` = 'pending'") == 1 })
		if got := -w.Balance(w.ada.Id, "credit", "EUR"); got != 0 {
			t.Errorf("credit is %d while the money is on its way, want 0", got)
		}
		w.Stripe.Settle()
		w.settledRefunds(1)
		if fails {
			w.stands(0, 1, 0, 490)
		} else {
			w.stands(1, 0, 490, 0)
		}
	}
}

// TestB1ARefundAtTheDashboardIsRecorded: somebody gives money back at Stripe, past
// us; the books follow with credit notes, in parts and once each.
func TestB1ARefundAtTheDashboardIsRecorded(t *testing.T) {
	w := openTill(t)
	w.Stripe.Set(stripebox.Switches{Duplicate: 3})
	for i, minor := range []int64{190, 0} {
		if _, err := w.Stripe.RefundByHand(w.intent, minor); err != nil {
			t.Fatal(err)
		}
		w.Eventually("it is recorded", func() bool { return w.Count("refunds", "`status` = 'succeeded'") == i+1 })
		w.Quiet()
	}
	w.stands(2, 0, 490, 0)
	if n := w.Count("credit_notes", "`total_minor` IN (190, 300) AND `invoice` = '"+w.order.Invoice+"'"); n != 2 {
		t.Errorf("%d credit notes over 1.90 and 3.00, want 2", n)
	}
	if n := w.Count("audit_logs", "`action` = 'refund.outside'"); n != 2 {
		t.Errorf("staff were told %d times, want twice", n)
	}
	if n := w.Count("credit_adjustments", ""); n != 0 {
		t.Errorf("%d gifts, want none", n)
	}
}

// TestL1ARefundPastSpentCreditIsAGift: what was paid is credit that was spent, so
// that no invoice covers the refund; the books agree with Stripe all the same.
func TestL1ARefundPastSpentCreditIsAGift(t *testing.T) {
	w := openTill(t)
	w.Want(http.StatusCreated, w.Do(http.MethodPost, "/api/v1/staff/invoices/"+w.order.Invoice+"/refunds", w.Staff(), map[string]any{"key": "to-credit-1", "reason": "x", "to": "credit"}))
	w.Want(http.StatusCreated, w.Do(http.MethodPost, "/api/v1/staff/customers/"+w.ada.Id+"/refunds", w.Staff(), map[string]any{
		"key": "paid-out-1", "amount_minor": 490, "currency": "EUR", "to": "manual", "reference": "bank-1", "reason": "paid out",
	}))
	if _, err := w.Stripe.RefundByHand(w.intent, 0); err != nil {
		t.Fatal(err)
	}
	w.Eventually("it is recorded", func() bool { return w.Count("refunds", "`gateway` = 'stripe' AND `status` = 'succeeded'") == 1 })
	w.Quiet()
	if g := w.One("credit_adjustments", nil); g.GetInt64("amount_minor") != 490 {
		t.Errorf("the gift is %d, want 490", g.GetInt64("amount_minor"))
	}
	if n := w.Count("audit_logs", "`action` = 'refund.outside'"); n != 1 {
		t.Errorf("staff were told %d times, want once", n)
	}
}
