package books_test

import (
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/books"
)

// payByCard books a payment by card of all that an invoice is due, and returns its id.
func (d *desk) payByCard(doc books.Document) (payment string) {
	d.Helper()
	err := d.write(func(tx core.App) error {
		now := d.Clock().Now()
		app, err := books.Decide(doc, doc.Due)
		if err != nil {
			return err
		}
		payment, _, err = collections.Row(tx, collections.PaymentTransactions, now, dbx.Params{
			"user": d.user, "invoice": doc.ID, "gateway": "stripe", "kind": "page", "status": "succeeded", "idempotency_key": "test:" + doc.ID, "gateway_transaction_id": "pi_" + doc.ID,
			"currency": "EUR", "amount_minor": doc.Due.Minor(), "applied_minor": app.Applied.Minor(), "excess_minor": app.Excess.Minor(), "settled_at": collections.Stamp(now).String(),
		})
		if err != nil {
			return err
		}
		if err := collections.Post(tx, now, "payment:"+payment, d.user, doc.ID, payment, billing.PostPayment("stripe", app)); err != nil {
			return err
		}
		return d.books.Apply(tx, now, doc, app)
	})
	if err != nil {
		d.Fatal(err)
	}
	return payment
}

// TestARefundPastUsOfAChangeThatIsPartlyCredited: most of what a change charged is
// credited already, so that the unused time it took off comes to more than the rest.
// A refund that somebody makes at the gateway is covered by that rest all the same.
func TestARefundPastUsOfAChangeThatIsPartlyCredited(t *testing.T) {
	d := open(t, german)
	old := d.issue(line("Plan S", 1, 3000))
	d.payByCard(old)
	unused := line("Plan S, unused", 1, -1000)
	unused.Kind, unused.Detail = billing.LineUnused, billing.Detail{Line: d.One(collections.InvoiceItems, map[string]any{"invoice": old.ID}).Id, Days: 10, TotalDays: 30}
	change := d.issue(line("Plan M", 1, 2000), unused)
	payment := d.payByCard(change)
	err := d.write(func(tx core.App) error {
		_, err := d.books.CreditNote(tx, d.Clock().Now(), books.Correction{Invoice: change.ID, Key: "note", Reason: "test", Lines: []billing.CreditRequest{{Position: 1, Net: eur(1500)}}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	before := d.credit()
	err = d.write(func(tx core.App) error {
		_, gift, err := d.books.RecordRefund(tx, d.Clock().Now(), books.OutsideRefund{
			Gateway: "stripe", ID: "re_1", Payment: payment, Amount: eur(300), Reason: "in the dashboard", Report: books.RefundReport{Status: billing.RefundSucceeded, Reference: "re_1"},
		})
		if err == nil && !gift.IsZero() {
			t.Errorf("%s is a gift, want all of it credited on the invoice", gift)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := d.credit(); got != before {
		t.Errorf("the credit is %d, want %d as before: what is credited went back", got, before)
	}
	if found, err := books.Audit(d.DB()); err != nil || len(found) > 0 {
		t.Errorf("the audit finds %v, %v", found, err)
	}
}
