package invoices_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/integrations/sandbox/mailbox"
	"github.com/ezscale/ezscale/internal/testapp"
)

// TestC1OneBalanceIsSpentOnce: many hands reach for one balance at the same time,
// by every door there is.
func TestC1OneBalanceIsSpentOnce(t *testing.T) {
	d := begin(t)
	d.keepCredit()
	ada := d.Customer("ada")
	ids := []string{}
	for i := range 12 {
		ids = append(ids, d.invoice(ada, line(fmt.Sprintf("Work %d", i), 1, 300)))
	}
	d.give(ada, 1000)
	staff := d.Staff()
	hands, below := sync.WaitGroup{}, make(chan int64, 1000)
	try := func(path, token string, body map[string]any) {
		hands.Go(func() {
			if r, err := d.Try(http.MethodPost, path, token, body); err != nil || r.Status >= 500 {
				t.Errorf("%s: got %v %v", path, r, err)
			}
			rows := []int64{}
			if err := d.DB().NewQuery("SELECT `balance_minor` FROM `credit_balances`").Column(&rows); err == nil && len(rows) > 0 {
				below <- rows[0]
			}
		})
	}
	for i, id := range ids {
		try("/api/v1/invoices/"+id+"/apply-credit", ada.Token, map[string]any{})
		try("/api/v1/invoices/"+id+"/apply-credit", ada.Token, map[string]any{"amount_minor": 50})
		try("/api/v1/staff/invoices/"+id+"/apply-credit", staff, map[string]any{})
		try("/api/v1/staff/customers/"+ada.Id+"/refunds", staff, map[string]any{"key": fmt.Sprintf("refund-%d-x", i), "amount_minor": 250, "currency": "EUR", "to": "manual", "reference": fmt.Sprintf("bank-%d", i), "reason": "race"})
		try("/api/v1/staff/customers/"+ada.Id+"/credit", staff, map[string]any{"key": fmt.Sprintf("taken-%d-x", i), "amount_minor": -200, "currency": "EUR", "reason": "race"})
	}
	try("/api/v1/invoices/pay", ada.Token, map[string]any{"invoices": ids, "credit": true})
	hands.Wait()
	close(below)
	for balance := range below {
		if balance < 0 {
			t.Fatalf("the balance was seen at %d", balance)
		}
	}
	used := int64(0)
	if err := d.DB().NewQuery("SELECT IFNULL((SELECT SUM(`amount_minor`) FROM `payment_transactions` WHERE `gateway` = 'credit'), 0) + IFNULL((SELECT SUM(`amount_minor`) FROM `refunds`), 0) - IFNULL((SELECT SUM(`amount_minor`) FROM `credit_adjustments` WHERE `amount_minor` < 0), 0)").Row(&used); err != nil {
		t.Fatal(err)
	}
	same(t, "used and left", used+d.credit(ada), 1000)
	if err := d.Exec("UPDATE `credit_balances` SET `balance_minor` = -1"); err == nil {
		t.Error("the database took a balance below zero")
	}
}

// TestC2BalanceAndHistoryAgree: the figure that is shown is the sum of what is
// listed, whatever moved it, and the audit notices when it is not.
func TestC2BalanceAndHistoryAgree(t *testing.T) {
	d := begin(t, german)
	d.keepCredit()
	ada := d.Customer("ada")
	id := d.invoice(ada, line("Server", 1, 3333))
	d.transfer(id, 5000, "bank-1")
	d.Want(http.StatusCreated, d.staff("/invoices/"+id+"/credit-notes", map[string]any{"reason": "half", "lines": []any{map[string]any{"position": 1, "net_minor": 1667}}}))
	d.give(ada, 77)
	d.Want(http.StatusOK, d.staff("/customers/"+ada.Id+"/credit", map[string]any{"amount_minor": -7, "currency": "EUR", "reason": "too much"}))
	next := d.invoice(ada, line("Disk", 1, 100))
	d.Want(http.StatusOK, d.Do(http.MethodPost, "/api/v1/invoices/"+next+"/apply-credit", ada.Token, map[string]any{"amount_minor": 19}))
	d.Want(http.StatusCreated, d.staff("/customers/"+ada.Id+"/refunds", map[string]any{"amount_minor": 500, "currency": "EUR", "to": "manual", "reference": "bank-2", "reason": "asked for"}))
	v := d.Want(http.StatusOK, d.Do(http.MethodGet, "/api/v1/credit", ada.Token, nil))
	sum, kinds := int64(0), []string{}
	for i := range v.Len("items") {
		sum += v.Int(fmt.Sprintf("items.%d.amount.minor", i))
		kinds = append(kinds, v.Text(fmt.Sprintf("items.%d.kind", i)))
	}
	same(t, "sum of the history", sum, v.Int("balances.0.minor"))
	same(t, "history", strings.Join(kinds, " "), "refund spent adjustment adjustment credit_note payment")
	same(t, "used by itself", v.Text("used_automatically"), "false")
	same(t, "document of the credit note", strings.HasPrefix(v.Text("items.4.document"), "CN-"), true)
	same(t, "seen by staff", d.Want(http.StatusOK, d.Do(http.MethodGet, "/api/v1/staff/customers/"+ada.Id+"/credit", d.Staff(), nil)).Int("balances.0.minor"), sum)
}

// TestC3CreditIsBookedOnce: repeated submissions of credit notes, credit and
// refunds book what the first did.
func TestC3CreditIsBookedOnce(t *testing.T) {
	d := begin(t)
	d.keepCredit()
	ada := d.Customer("ada")
	id := d.invoice(ada, line("Server", 1, 1000))
	d.transfer(id, 1000, "bank-1")
	note := map[string]any{"key": "the-credit-note", "reason": "half", "lines": []any{map[string]any{"position": 1, "net_minor": 500}}}
	gift := map[string]any{"key": "the-gift", "amount_minor": 100, "currency": "EUR", "reason": "goodwill"}
	back := map[string]any{"key": "the-refund", "amount_minor": 250, "currency": "EUR", "to": "manual", "reference": "bank-2", "reason": "asked for"}
	hands := sync.WaitGroup{}
	staff := d.Staff()
	for range 4 {
		for path, body := range map[string]map[string]any{"/invoices/" + id + "/credit-notes": note, "/customers/" + ada.Id + "/credit": gift} {
			hands.Go(func() {
				if r, err := d.Try(http.MethodPost, "/api/v1/staff"+path, staff, body); err != nil || r.Status >= 300 {
					t.Errorf("%s: got %v %v", path, r, err)
				}
			})
		}
	}
	hands.Wait()
	same(t, "credit", d.credit(ada), 600)
	first := d.Want(http.StatusCreated, d.staff("/customers/"+ada.Id+"/refunds", back))
	again := d.Want(http.StatusCreated, d.staff("/customers/"+ada.Id+"/refunds", back))
	same(t, "refund", again.Text("id"), first.Text("id"))
	same(t, "credit after the refund", d.credit(ada), 350)
	back["amount_minor"] = 100
	if r := d.staff("/customers/"+ada.Id+"/refunds", back); r.Status != http.StatusConflict {
		t.Errorf("the key with another amount: got %s, want 409", r)
	}
	back["key"] = "another-key"
	if r := d.staff("/customers/"+ada.Id+"/refunds", back); r.Status != http.StatusConflict {
		t.Errorf("the bank's reference twice: got %s, want 409", r)
	}
	if _, err := d.DB().Insert("credit_notes", dbx.Params{"id": "twice0000000001", "key": "staff:" + id + ":the-credit-note", "number": "X", "series": "X", "year": 1, "seq": 1}).Execute(); err == nil {
		t.Error("the database took a second credit note with the key")
	}
	same(t, "audit rows", d.Count("audit_logs", "`action` IN ('credit_note.create', 'credit.adjust', 'refund.create')"), 3)
}

// TestC4ADiscountIsNoCredit: voiding or crediting an invoice with a discount gives
// back what was paid, not what was taken off.
func TestC4ADiscountIsNoCredit(t *testing.T) {
	d := begin(t, german)
	ada := d.Customer("ada")
	lines := []map[string]any{line("Server", 1, 1000), {"description": "Promotion", "unit_minor": -400, "discount_of": 1}}
	void := d.invoice(ada, lines...)
	d.Want(http.StatusOK, d.staff("/invoices/"+void+"/void", map[string]any{"reason": "wrong"}))
	same(t, "credit after voiding", d.credit(ada), 0)
	paid := d.invoice(ada, lines...)
	d.transfer(paid, 714, "bank-1")
	d.Want(http.StatusCreated, d.staff("/invoices/"+paid+"/refunds", map[string]any{"reason": "cancelled", "to": "credit"}))
	same(t, "credit after the refund", d.credit(ada), 714)
	other := d.invoice(ada, line("Other", 1, 10_000))
	same(t, "credit is used by itself", d.show(ada, other).Int("paid.minor"), 714)
}

// TestC5CreditComesBackFirst: what was paid from credit is credit again, also on
// a cancellation; only cash leaves, and of each payment no more than it holds.
func TestC5CreditComesBackFirst(t *testing.T) {
	d := begin(t)
	ada := d.Customer("ada")
	d.give(ada, 400)
	id := d.invoice(ada, line("Server", 1, 1000), line("Disk", 1, 500)) // 4.00 of it from credit
	d.transfer(id, 1100, "bank-1")
	same(t, "status", d.show(ada, id).Text("status"), "paid")
	refund := func(key string, body map[string]any) *testapp.Answer {
		t.Helper()
		body["key"], body["reason"] = key, "cancelled"
		return d.staff("/invoices/"+id+"/refunds", body)
	}
	first := d.Want(http.StatusCreated, refund("the-first-refund", map[string]any{"to": "manual", "reference": "bank-2", "lines": []any{map[string]any{"position": 2}}})) // 5.00: 4.00 is credit again, 1.00 leaves
	same(t, "paid out", first.Int("refunds.0.amount.minor"), 100)
	same(t, "credit", d.credit(ada), 400)
	again := d.Want(http.StatusCreated, refund("the-first-refund", map[string]any{"to": "manual", "reference": "bank-2", "lines": []any{map[string]any{"position": 2}}}))
	same(t, "repeated", again.Text("refunds.0.id"), first.Text("refunds.0.id"))
	second := d.Want(http.StatusCreated, refund("the-second-refund", map[string]any{"to": "manual", "reference": "bank-3"}))
	same(t, "paid out", second.Int("refunds.0.amount.minor"), 1000)
	same(t, "credit", d.credit(ada), 400)
	if r := refund("the-third-refund", map[string]any{"to": "manual", "reference": "bank-4"}); r.Status != http.StatusConflict {
		t.Errorf("more than there was: got %s, want 409", r)
	}
	payment := d.One("payment_transactions", dbx.HashExp{"gateway": "manual", "invoice": id})
	same(t, "gone back of the payment", payment.GetInt64("refunded_minor"), 1100)
	if r := d.staff("/customers/"+ada.Id+"/refunds", map[string]any{"amount_minor": 1, "currency": "EUR", "payment": payment.Id, "to": "manual", "reference": "bank-5", "reason": "once more"}); r.Status != http.StatusUnprocessableEntity {
		t.Errorf("more than the payment held: got %s, want 422", r)
	}
	same(t, "cash", d.Balance(ada.Id, "cash:manual", "EUR"), 0)
	// A cancellation of what was paid from credit alone gives all of it back.
	d.Want(http.StatusCreated, d.staff("/invoices/"+d.invoice(ada, line("Cable", 1, 300))+"/credit-notes", map[string]any{"reason": "cancelled"}))
	same(t, "credit", d.credit(ada), 400)
}

func TestRefundsThatCannotBe(t *testing.T) {
	d := begin(t)
	ada := d.Customer("ada")
	o := d.Buy(ada, testapp.Cart{}) // by card
	unpaid := d.invoice(ada, line("Work", 1, 100))
	card := d.One("payment_transactions", dbx.HashExp{"invoice": o.Invoice}).Id
	scenarios := []struct {
		name, path, code string
		body             map[string]any
	}{
		{"of nothing paid", "/invoices/" + unpaid + "/refunds", "not_paid", map[string]any{"reason": "x", "to": "credit"}},
		{"by bank without a reference", "/invoices/" + o.Invoice + "/refunds", "invalid", map[string]any{"reason": "x", "to": "manual"}},
		{"without a reason", "/invoices/" + o.Invoice + "/refunds", "invalid", map[string]any{"to": "credit"}},
		{"to the moon", "/invoices/" + o.Invoice + "/refunds", "invalid", map[string]any{"reason": "x", "to": "moon"}},
		{"of a line that is not there", "/invoices/" + o.Invoice + "/refunds", "invalid", map[string]any{"reason": "x", "to": "credit", "lines": []any{map[string]any{"position": 7}}}},
		{"of more than a line", "/invoices/" + o.Invoice + "/refunds", "too_much", map[string]any{"reason": "x", "to": "credit", "lines": []any{map[string]any{"position": 1, "net_minor": 491}}}},
		{"of credit that is not there", "/customers/" + ada.Id + "/refunds", "not_enough_credit", map[string]any{"amount_minor": 1, "currency": "EUR", "to": "manual", "reference": "bank-1", "reason": "x"}},
		{"to a payment of nobody", "/customers/" + ada.Id + "/refunds", "invalid", map[string]any{"amount_minor": 1, "currency": "EUR", "to": "source", "payment": "nosuchpayment12", "reason": "x"}},
		{"of credit that is not there, to the card", "/customers/" + ada.Id + "/refunds", "not_enough_credit", map[string]any{"amount_minor": 1, "currency": "EUR", "to": "source", "payment": card, "reason": "x"}},
	}
	d.Quiet()
	before := d.Rows()
	for _, s := range scenarios {
		r := d.staff(s.path, s.body)
		if r.Status < 400 || r.Status >= 500 || r.Code() != s.code {
			t.Errorf("%s: got %s, want a refusal with %s", s.name, r, s.code)
		}
	}
	d.Unchanged(before)
	// The card's money can still go back by bank.
	d.Want(http.StatusCreated, d.staff("/invoices/"+o.Invoice+"/refunds", map[string]any{"reason": "cancelled", "to": "manual", "reference": "bank-9"}))
	same(t, "gone back of the card's payment", d.Record("payment_transactions", card).GetInt64("refunded_minor"), 490)
	same(t, "credit", d.credit(ada), 0)
}

func TestTopUps(t *testing.T) {
	d := begin(t, german)
	ada := d.Customer("ada")
	body := map[string]any{"client_key": "my-top-up", "amount_minor": 2000, "currency": "EUR", "gateway": "stripe"}
	buy := func() *testapp.Answer {
		t.Helper()
		return d.Want(http.StatusCreated, d.Do(http.MethodPost, "/api/v1/credit/top-ups", ada.Token, body))
	}
	first, again := buy(), buy()
	same(t, "second click", again.Text("invoice.id"), first.Text("invoice.id"))
	same(t, "untaxed", first.Int("invoice.tax.minor"), 0)
	page := &testapp.Order{PageURL: first.Text("payment.url"), Invoice: first.Text("invoice.id")}
	if declined := d.PayWith(page, testapp.CardWorks); declined != "" {
		t.Fatal(declined)
	}
	d.Eventually("the top-up is credit", func() bool { return d.credit(ada) == 2000 })
	same(t, "earned", d.Balance(ada.Id, "topups", "EUR"), 0)
	d.file(d.show(ada, page.Invoice).Text("pdf_url"), "%PDF-")
	server := d.invoice(ada, line("Server", 1, 1000))
	same(t, "paid by itself", d.show(ada, server).Text("status"), "paid")
	same(t, "credit", d.credit(ada), 2000-1190)
	for name, bad := range map[string]map[string]any{
		"amount_minor": {"client_key": "my-top-up-2", "amount_minor": 0, "gateway": "stripe"}, "gateway": {"client_key": "my-top-up-2", "amount_minor": 100, "gateway": "shells"},
		"client_key": {"client_key": "x", "amount_minor": 100, "gateway": "stripe"}, "currency": {"client_key": "my-top-up-2", "amount_minor": 100, "currency": "USD", "gateway": "stripe"},
	} {
		if r := d.Do(http.MethodPost, "/api/v1/credit/top-ups", ada.Token, bad); r.Status != http.StatusUnprocessableEntity || !slices.Contains(r.Fields(), name) {
			t.Errorf("bad %s: got %s, want 422 for it", name, r)
		}
	}
	if r := d.Do(http.MethodPost, "/api/v1/credit/top-ups", ada.Token, map[string]any{"client_key": "my-top-up-2", "amount_minor": 1_000_001, "gateway": "stripe"}); r.Status != http.StatusUnprocessableEntity {
		t.Errorf("a million cents and one: got %s, want 422", r)
	}
	if r := d.staff("/invoices/"+page.Invoice+"/credit-notes", map[string]any{"reason": "x"}); r.Status != http.StatusConflict {
		t.Errorf("a top-up was credited: %s", r)
	}
}

// TestATopUpThatNobodyPaysGoes: it is cancelled by itself; a part that was paid
// is credit, and the rest is no loss.
func TestATopUpThatNobodyPaysGoes(t *testing.T) {
	d := begin(t)
	ada := d.Customer("ada")
	buy := func(key, gateway string) string {
		t.Helper()
		return d.Want(http.StatusCreated, d.Do(http.MethodPost, "/api/v1/credit/top-ups", ada.Token, map[string]any{"client_key": key, "amount_minor": 2000, "currency": "EUR", "gateway": gateway})).Text("invoice.id")
	}
	unpaid, part := buy("unpaid-top-up", "stripe"), buy("part-paid-top-up", "manual")
	d.transfer(part, 500, "bank-1")
	same(t, "credit of the part", d.credit(ada), 500)
	d.Clock().Advance(15 * 24 * time.Hour)
	d.Eventually("both are over", func() bool { return d.Count("invoices", "`status` = 'open'") == 0 })
	same(t, "unpaid", d.Record("invoices", unpaid).GetString("status"), string(billing.InvoiceVoid))
	same(t, "paid in part", d.Record("invoices", part).GetString("status"), string(billing.InvoiceUncollectible))
	same(t, "lost", d.Balance(ada.Id, "bad_debt", "EUR"), 0)
	same(t, "not bought", d.Balance(ada.Id, "topups", "EUR"), 0)
	d.transfer(part, 1500, "bank-2") // and it comes all the same
	same(t, "credit", d.credit(ada), 2000)
	same(t, "not bought", d.Balance(ada.Id, "topups", "EUR"), 0)
}

func TestCreditPaysNewInvoicesUnlessKept(t *testing.T) {
	d := begin(t)
	ada, eve := d.Customer("ada"), d.Customer("eve")
	d.give(ada, 700)
	o := d.Order(ada, testapp.Cart{Gateway: "manual"}) // 4.90
	same(t, "order", d.Record("orders", o.ID).GetString("status"), "paid")
	d.Active(o)
	d.Quiet()
	receipts, asked := 0, 0
	for _, m := range d.Mails(ada.Email) {
		if strings.Contains(m.Subject, "Payment received") {
			receipts++
		}
		if strings.HasPrefix(m.Subject, "Invoice ") {
			asked++
		}
	}
	if receipts != 1 || asked != 0 {
		t.Errorf("%d receipts and %d mails that ask to pay, want 1 and 0", receipts, asked)
	}
	rest := d.show(ada, d.Order(ada, testapp.Cart{Gateway: "manual"}).Invoice)
	same(t, "due of the next", rest.Int("due.minor"), 490-210)
	d.Eventually("it is asked for the rest", func() bool {
		return slices.ContainsFunc(d.Mails(ada.Email), func(m mailbox.Message) bool { return strings.Contains(m.Subject, "€2.80") })
	})
	bob := d.Customer("bob")
	d.give(bob, 480)
	some := d.show(bob, d.Order(bob, testapp.Cart{Gateway: "manual"}).Invoice)
	same(t, "due where a card could not pay the rest", some.Int("due.minor"), 50)
	d.keepCredit()
	d.give(eve, 700)
	kept := d.show(eve, d.Order(eve, testapp.Cart{Gateway: "manual"}).Invoice)
	same(t, "due where credit is kept", kept.Int("due.minor"), 490)
	if r := d.Do(http.MethodPost, "/api/v1/invoices/"+kept.Text("id")+"/apply-credit", ada.Token, map[string]any{}); r.Status != http.StatusNotFound {
		t.Errorf("somebody else's invoice: got %s, want 404", r)
	}
	half := d.Want(http.StatusOK, d.Do(http.MethodPost, "/api/v1/invoices/"+kept.Text("id")+"/apply-credit", eve.Token, map[string]any{"amount_minor": 90}))
	same(t, "spent", half.Int("spent.minor"), 90)
	same(t, "due", half.Int("invoice.due.minor"), 400)
}

// TestAnOpenPageAsksForTheRest: a page that was opened over the whole is closed
// when credit pays a part.
func TestAnOpenPageAsksForTheRest(t *testing.T) {
	d := begin(t)
	d.keepCredit()
	ada := d.Customer("ada")
	d.give(ada, 90)
	o := d.Order(ada, testapp.Cart{})
	d.Want(http.StatusOK, d.Do(http.MethodPost, "/api/v1/invoices/"+o.Invoice+"/apply-credit", ada.Token, map[string]any{}))
	if _, err := d.Stripe.PayPage(o.Session(), testapp.CardWorks); err == nil {
		t.Error("the page over the whole could still be paid")
	}
	r := d.Want(http.StatusOK, d.Do(http.MethodPost, "/api/v1/invoices/"+o.Invoice+"/pay", ada.Token, map[string]any{"gateway": "stripe"}))
	rest := &testapp.Order{Invoice: o.Invoice, PageURL: r.Text("payment.url")}
	d.Pay(rest)
	same(t, "cash", d.Balance(ada.Id, "cash:stripe", "EUR"), 400)
	d.Active(o)
}
