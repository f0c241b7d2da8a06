package dunning_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/integrations/sandbox/stripebox"
	"github.com/ezscale/ezscale/internal/testapp"
)

// open opens the payment page of the invoice, as its customer does.
func (d *debt) open() *testapp.Order {
	d.Helper()
	r := d.Want(http.StatusOK, d.Do(http.MethodPost, "/api/v1/invoices/"+d.invoice+"/pay", d.ada.Token, map[string]string{"gateway": "stripe"}))
	o := &testapp.Order{ID: d.order.ID, Invoice: d.invoice, PageURL: r.Text("payment.url")}
	if o.PageURL == "" {
		d.Fatalf("no page: %s", r)
	}
	return o
}

// toDue moves the clock just past the start of the due day; nothing has run yet.
func (d *debt) toDue() {
	d.Helper()
	d.day(-1)
	d.Clock().Advance(d.due.Add(time.Minute).Sub(d.Clock().Now()))
}

func TestA3AnOpenPageIsClosedBeforeTheCharge(t *testing.T) {
	d := owing(t, testapp.CardWorks)
	d.toDue()
	page := d.open()
	d.Settle()
	d.want("invoice", d.status(), "paid")
	if _, err := d.Stripe.PayPage(page.Session(), testapp.CardWorks); err == nil {
		t.Error("the page could be paid, too")
	}
	d.want("story", d.story(), "reminder1 charge:succeeded")
	if n := d.Stripe.Paid(d.invoice); n != 1 {
		t.Errorf("%d charges, want 1", n)
	}
}

func TestA3APagePaidMeanwhileIsSettledInstead(t *testing.T) {
	d := owing(t, testapp.CardWorks)
	d.toDue()
	page := d.open()
	d.Stripe.Set(stripebox.Switches{Drop: 1000}) // nobody tells us that it was paid
	if _, err := d.Stripe.PayPage(page.Session(), testapp.CardWorks); err != nil {
		t.Fatal(err)
	}
	d.Settle()
	d.want("invoice", d.status(), "paid")
	d.want("story", d.story(), "reminder1")
	if n := d.Stripe.Paid(d.invoice); n != 1 {
		t.Errorf("%d charges, want 1", n)
	}
}

func TestA4WhatWasPaidBeforeTheCallIsNotCharged(t *testing.T) {
	d := owing(t, testapp.CardWorks)
	d.toDue()
	d.StripeFaults.Add(fault.Fault{Match: charges, Kind: fault.Error500, Times: 1}) // the call comes a moment later
	d.RunTasks()
	d.Eventually("the first try fails", func() bool { return len(d.StripeFaults.List()) == 0 || d.StripeFaults.List()[0].Times == 0 })
	d.transfer(490)
	d.Settle()
	d.Quiet()
	d.want("invoice", d.status(), "paid")
	if n := d.Stripe.Paid(d.invoice); n != 0 {
		t.Errorf("%d charges of an invoice that was paid by transfer, want none", n)
	}
	if n := d.Balance(d.ada.Id, "credit", "EUR"); n != 0 {
		t.Errorf("%d are left over, want nothing", n)
	}
}

func TestA5ALostAnswerIsAskedForAndNeverRepeated(t *testing.T) {
	d := owing(t, testapp.CardWorks, "5555555555554444")
	d.toDue()
	d.Stripe.Set(stripebox.Switches{Drop: 1000})
	d.StripeFaults.Add(fault.Fault{Match: charges, Kind: fault.LostAnswer, Times: 4})
	for range 5 {
		d.RunTasks()
	}
	attempts := func() int { return d.Count(collections.PaymentTransactions, "`automatic`") }
	d.Eventually("the outcome is known", func() bool {
		d.RunTasks()
		if n := attempts(); n != 1 {
			t.Fatalf("%d attempts while the first one's outcome is unknown", n)
		}
		return d.status() == "paid"
	})
	d.Quiet()
	if n := d.Stripe.Paid(d.invoice); n != 1 {
		t.Errorf("%d charges, want 1", n)
	}
}

func TestA6A7ARenewalIsPaidOnceByAllDoors(t *testing.T) {
	d := owing(t)
	sub := func() string {
		r := d.One(collections.Subscriptions, dbx.HashExp{"order": d.order.ID})
		return r.GetString("current_period_start") + " " + r.GetString("current_period_end")
	}
	before := sub()
	d.toDue()
	d.Stripe.Set(stripebox.Switches{Duplicate: 3})
	page := d.open()
	if _, err := d.Stripe.PayPage(page.Session(), testapp.CardWorks); err != nil {
		t.Fatal(err)
	}
	for range 3 { // the browser comes back, again and again
		d.Want(http.StatusOK, d.Do(http.MethodPost, "/api/v1/orders/"+d.order.ID+"/check", d.ada.Token, map[string]any{}))
		d.RunTasks()
	}
	d.Quiet()
	d.Settle()
	d.want("invoice", d.status(), "paid")
	line := d.One(collections.InvoiceItems, dbx.HashExp{"invoice": d.invoice, "kind": "period"})
	d.want("paid through", sub(), line.GetString("period_start")+" "+line.GetString("period_end"))
	if sub() == before {
		t.Error("the period did not move at all")
	}
	if n := d.Count(collections.PaymentTransactions, "`status` = 'succeeded' AND `invoice` = '"+d.invoice+"'"); n != 1 {
		t.Errorf("%d payments, want 1", n)
	}
}

func TestA8TheRestIsCharged(t *testing.T) {
	d := owing(t, testapp.CardWorks)
	d.transfer(200)
	d.day(0)
	d.want("invoice", d.status(), "paid")
	paid := d.One(collections.PaymentTransactions, dbx.HashExp{"invoice": d.invoice, "automatic": true})
	if got := paid.GetInt64("amount_minor"); got != 290 {
		t.Errorf("charged %d, want the rest of 290", got)
	}
}

func TestHardDeclinesAndFallback(t *testing.T) {
	scenarios := []struct {
		name  string
		cards []string
		days  int
		story string
	}{
		{"a lost card is never charged again", []string{testapp.CardLost}, 4, "reminder1 charge:failed ask_new_method2 notice1 notice2 notice3"},
		{"the other card pays", []string{testapp.CardLost, testapp.CardWorks}, 0, "reminder1 charge:failed payment_failed1 charge:succeeded"},
		{"soft declines are tried again by the calendar", []string{testapp.CardFailsLater}, 3, "reminder1 charge:failed payment_failed1 charge:failed notice1 payment_failed2 charge:failed notice2 payment_failed3"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			d := owing(t, s.cards...)
			d.day(s.days)
			d.want("story", d.story(), s.story)
		})
	}
}

func TestANewCardIsChargedAtOnce(t *testing.T) {
	d := owing(t, testapp.CardLost)
	d.day(1)
	d.want("another card is asked for", d.story(), "reminder1 charge:failed ask_new_method2 notice1")
	if !strings.Contains(d.subjects(), "choose another payment method") {
		t.Errorf("no such mail in\n%s", d.subjects())
	}
	d.keep(testapp.CardWorks)
	d.Settle()
	d.want("invoice", d.status(), "paid")
}

func TestACardWhoseHolderMustConfirm(t *testing.T) {
	d := owing(t, testapp.CardAlwaysAsks)
	d.day(0)
	d.want("asked once", d.story(), "reminder1 charge:needs_action ask_authentication1")
	d.day(2)
	if n := strings.Count(d.subjects(), "confirm your payment"); n != 1 {
		t.Errorf("%d mails ask to confirm, want 1:\n%s", n, d.subjects())
	}
	page := d.open() // the link of the mail leads to the invoice, and that to a page
	if declined := d.PayWith(page, testapp.CardWorks); declined != "" {
		t.Fatal(declined)
	}
	d.Eventually("paid", func() bool { return d.status() == "paid" })
	if n := d.Stripe.Paid(d.invoice); n != 1 {
		t.Errorf("%d charges, want 1", n)
	}
}
