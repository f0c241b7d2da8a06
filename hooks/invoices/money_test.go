package invoices_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/testapp"
)

// TestB2AFailingPDFLeavesTheMoney: the document cannot be printed, the mail with
// it fails and is tried again, and the payment and what it set in motion stand.
func TestB2AFailingPDFLeavesTheMoney(t *testing.T) {
	d := begin(t)
	ada := d.Customer("ada")
	o := d.Order(ada, testapp.Cart{})
	good := collections.Brand{Name: "Test Hosting", URL: d.URL}
	d.setting("brand", good)
	if err := d.Exec("UPDATE `settings` SET `value` = json_set(`value`, '$.accent', 'no color') WHERE `key` = 'brand'"); err != nil { // which the setting itself refuses
		t.Fatal(err)
	}
	d.Pay(o)
	if r := d.Do(http.MethodGet, d.show(ada, o.Invoice).Text("pdf_url"), "", nil); r.Status != http.StatusInternalServerError {
		t.Fatalf("the PDF: got %d, want it to fail, or this proves nothing", r.Status)
	}
	same(t, "invoice", d.InvoiceStatus(o), "paid")
	same(t, "cash", d.Balance(ada.Id, "cash:stripe", "EUR"), 490)
	d.Eventually("the receipt failed", func() bool { return d.Count("jobs", "`kind` = 'mail.send' AND `state` != 'done'") > 0 })
	d.setting("brand", good)
	d.Eventually("the receipt is sent after all", func() bool { return d.Count("mails", "`kind` = 'receipt' AND `status` = 'sent'") == 1 })
	d.file(d.show(ada, o.Invoice).Text("pdf_url"), "%PDF-")
	d.Active(o)
}

// TestB7WhatArrivedIsWhatIsBooked: below, above and after what was due, the
// payment is booked for what the bank says, and what is too much is credit that
// the customer sees.
func TestB7WhatArrivedIsWhatIsBooked(t *testing.T) {
	d := begin(t)
	d.keepCredit()
	ada := d.Customer("ada")
	id := d.invoice(ada, line("Server", 1, 1000))
	for i, s := range []struct {
		minor, applied, credit, due int64
		status                      string
	}{
		{300, 300, 0, 700, "open"}, {900, 700, 200, 0, "paid"}, {50, 0, 250, 0, "paid"},
	} {
		reference := fmt.Sprintf("bank-%d", i)
		d.transfer(id, s.minor, reference)
		p := d.One("payment_transactions", dbx.HashExp{"gateway_transaction_id": reference})
		same(t, "amount of "+reference, p.GetInt64("amount_minor"), s.minor)
		same(t, "applied of "+reference, p.GetInt64("applied_minor"), s.applied)
		v := d.show(ada, id)
		same(t, "due after "+reference, v.Int("due.minor"), s.due)
		same(t, "status after "+reference, v.Text("status"), s.status)
		same(t, "credit after "+reference, d.credit(ada), s.credit)
	}
	r := d.Want(http.StatusOK, d.Do(http.MethodGet, "/api/v1/credit", ada.Token, nil))
	same(t, "credit shown", r.Int("balances.0.minor"), 250)
	same(t, "movements shown", r.Len("items"), 2)
}

// TestB10MoneyOnAClosedInvoiceIsCredit: it wakes nothing up, staff are told, and
// it is neither swallowed nor does it reopen the invoice.
func TestB10MoneyOnAClosedInvoiceIsCredit(t *testing.T) {
	d := begin(t)
	d.keepCredit()
	ada := d.Customer("ada")
	o := d.Order(ada, testapp.Cart{Gateway: "manual"})
	d.Want(http.StatusOK, d.staff("/invoices/"+o.Invoice+"/void", map[string]any{"reason": "cancelled by phone"}))
	credited := d.invoice(ada, line("Work", 1, 1000))
	d.Want(http.StatusCreated, d.staff("/invoices/"+credited+"/credit-notes", map[string]any{"reason": "not done"}))
	d.transfer(o.Invoice, 490, "bank-1")
	d.transfer(credited, 1000, "bank-2")
	d.Quiet()
	same(t, "void invoice", d.InvoiceStatus(o), "void")
	same(t, "credited invoice", d.Record("invoices", credited).GetString("status"), "void")
	same(t, "credit", d.credit(ada), 1490)
	same(t, "told to staff", d.Count("audit_logs", "`action` = 'payment.excess'"), 2)
	same(t, "servers", d.Count("services", "`status` IN ('provisioning', 'active')"), 0)
	v := d.show(ada, credited)
	same(t, "document that cancelled it", v.Text("related.0.relation"), "credit_note")
	d.file(v.Text("pdf_url"), "%PDF-")
}

// guarded are the collections on which the books rest.
var guarded = []string{
	collections.Invoices, collections.InvoiceItems, collections.InvoiceSeries, collections.PaymentTransactions, collections.LedgerEntries, collections.CreditNotes, collections.CreditNoteItems,
	collections.Refunds, collections.Disputes, collections.CreditBalances, collections.CreditAdjustments, collections.UnmatchedPayments, collections.Orders, collections.OrderItems,
	collections.Subscriptions, collections.SubscriptionItems, collections.SubscriptionChanges, collections.CouponRedemptions, collections.BillableItems, collections.DunningSteps, collections.GatewayCustomers, collections.PaymentMethods,
}

// TestStaffCannotBreakTheBooksByHand tries every write on every field of every
// collection of money through the admin UI's own interface: it is refused in
// words, and nothing has changed.
func TestStaffCannotBreakTheBooksByHand(t *testing.T) {
	d := begin(t)
	ada := d.Customer("ada")
	o := d.Buy(ada, testapp.Cart{})
	d.Want(http.StatusCreated, d.staff("/invoices/"+o.Invoice+"/refunds", map[string]any{"reason": "half", "to": "manual", "reference": "bank-1", "lines": []any{map[string]any{"position": 1, "net_minor": 100}}}))
	d.give(ada, 500)
	d.Want(http.StatusCreated, d.staff("/invoices", map[string]any{"customer": ada.Id, "lines": []any{line("A draft", 1, 100)}}))
	d.Want(http.StatusCreated, d.Do(http.MethodPost, "/api/v1/staff/unmatched-payments", d.Staff(), map[string]any{"amount_minor": 1, "currency": "EUR", "reference": "bank-2", "note": "who?"}))
	d.Quiet()
	rows, ledger := d.Rows(), d.content()
	for _, name := range guarded {
		base := "/api/collections/" + name + "/records"
		c, err := d.FindCollectionByNameOrId(name)
		if err != nil {
			t.Fatal(err)
		}
		ids := []string{}
		if err := d.DB().NewQuery("SELECT `id` FROM `" + name + "` LIMIT 3").Column(&ids); err != nil {
			t.Fatal(err)
		}
		refused := func(method, path string, body any) {
			t.Helper()
			r := d.Do(method, path, d.Staff(), body)
			if r.Status < 400 || r.Status >= 500 || r.Text("message") == "" {
				t.Errorf("%s %s with %v: got %s, want a refusal in words", method, path, body, r)
			}
		}
		values := map[string]any{}
		for _, f := range c.Fields {
			values[f.GetName()] = map[string]any{"number": 7, "bool": true, "date": "2026-01-01 00:00:00.000Z", "json": map[string]any{}, "relation": ada.Id, "select": "paid", "text": "EUR"}[f.Type()]
			for _, id := range ids {
				refused(http.MethodPatch, base+"/"+id, map[string]any{f.GetName(): values[f.GetName()]})
			}
		}
		for _, id := range ids {
			refused(http.MethodDelete, base+"/"+id, nil)
		}
		refused(http.MethodPost, base, values)
		refused(http.MethodPost, base, map[string]any{})
	}
	d.Unchanged(rows)
	same(t, "the books", d.content(), ledger)
}

// content is all that stands in the collections of money.
func (d *desk) content() string {
	d.Helper()
	out := ""
	for _, name := range guarded {
		rows := []dbx.NullStringMap{}
		if err := d.DB().NewQuery("SELECT * FROM `" + name + "` ORDER BY `rowid`").All(&rows); err != nil {
			d.Fatal(err)
		}
		out += fmt.Sprintln(name, rows)
	}
	return out
}

// TestATransferTypedByHandIsBooked: the one write that is open does all that the
// operation does.
func TestATransferTypedByHandIsBooked(t *testing.T) {
	d := begin(t)
	ada := d.Customer("ada")
	id := d.invoice(ada, line("Work", 1, 1000))
	record := map[string]any{"gateway": "manual", "invoice": id, "amount_minor": 1000, "currency": "EUR", "gateway_transaction_id": "bank-1", "user": "somebody", "applied_minor": 5, "status": "failed"}
	if r := d.Do(http.MethodPost, "/api/collections/payment_transactions/records", d.Staff(), record); r.Status != http.StatusOK {
		t.Fatalf("got %s, want 200", r)
	}
	same(t, "status", d.show(ada, id).Text("status"), "paid")
	same(t, "cash", d.Balance(ada.Id, "cash:manual", "EUR"), 1000)
}

func TestResending(t *testing.T) {
	d := begin(t)
	ada := d.Customer("ada")
	id := d.invoice(ada, line("Work", 1, 1000))
	d.Quiet()
	sent := len(d.Mails(ada.Email))
	d.Want(http.StatusNoContent, d.staff("/invoices/"+id+"/resend", nil))
	d.Want(http.StatusNoContent, d.staff("/invoices/"+id+"/resend", nil)) // a double click
	d.Eventually("it is sent again", func() bool { return len(d.Mails(ada.Email)) > sent })
	d.Quiet()
	if got := len(d.Mails(ada.Email)) - sent; got > 2 { // the clock may have passed a minute
		t.Errorf("it was sent %d times more, want once", got)
	}
	draft := d.Want(http.StatusCreated, d.staff("/invoices", map[string]any{"customer": ada.Id, "lines": []any{line("x", 1, 1)}})).Text("id")
	if r := d.staff("/invoices/"+draft+"/resend", nil); r.Status != http.StatusConflict {
		t.Errorf("a draft: got %s, want 409", r)
	}
}
