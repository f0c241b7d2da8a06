package dunning_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/testapp"
)

// debt is a customer with a running service and an invoice for its next month,
// made and mailed by the product two weeks before it is due.
type debt struct {
	*testapp.App
	ada     *testapp.Person
	order   *testapp.Order
	invoice string
	due     time.Time // the day
}

// owing makes a debt whose customer pays by these cards, the first being the
// default; no card leaves nothing to charge.
func owing(t *testing.T, cards ...string) *debt {
	t.Helper()
	t.Parallel() // most of the time is spent waiting
	app := testapp.New(t)
	d := &debt{App: app, ada: app.Customer("ada")}
	d.order = app.Buy(d.ada, testapp.Cart{})
	app.Quiet()
	d.keep(cards...)
	d.bill()
	return d
}

// bill lets time pass until the next month is invoiced.
func (d *debt) bill() {
	d.Helper()
	sub := d.One(collections.Subscriptions, dbx.HashExp{"order": d.order.ID})
	ahead := collections.Time(sub, "current_period_end").AddDate(0, 0, -14).Add(time.Hour)
	d.Clock().Advance(ahead.Sub(d.Clock().Now()))
	d.Settle()
	inv := d.One(collections.Invoices, dbx.HashExp{"user": d.ada.Id, "kind": "renewal"})
	d.invoice, d.due = inv.Id, collections.Time(inv, "due_at").Truncate(24*time.Hour)
}

// day lets days pass until that many after the due date, eight in the morning.
func (d *debt) day(n int) {
	d.Helper()
	for to := d.due.AddDate(0, 0, n).Add(8 * time.Hour); d.Clock().Now().Before(to); {
		d.Clock().Advance(min(24*time.Hour, to.Sub(d.Clock().Now())))
		d.Settle()
	}
}

// keep replaces the saved cards by these, here and at Stripe, which tells nobody.
func (d *debt) keep(cards ...string) {
	d.Helper()
	customer := d.One(collections.GatewayCustomers, dbx.HashExp{"user": d.ada.Id}).GetString("customer_id")
	d.Stripe.SetWebhook("", "")
	defer d.Stripe.SetWebhook(d.URL+"/webhooks/stripe", testapp.WebhookSecret)
	old := []string{}
	if err := d.DB().NewQuery("SELECT `gateway_method_id` FROM `payment_methods` WHERE `user` = {:user}").Bind(dbx.Params{"user": d.ada.Id}).Column(&old); err != nil {
		d.Fatal(err)
	}
	for _, id := range old {
		d.Stripe.DetachCard(id)
	}
	if _, err := d.DB().NewQuery("UPDATE `payment_methods` SET `active` = FALSE, `is_default` = FALSE WHERE `user` = {:user}").Bind(dbx.Params{"user": d.ada.Id}).Execute(); err != nil {
		d.Fatal(err)
	}
	for i, card := range cards {
		id, err := d.Stripe.SaveCard(customer, card)
		if err != nil {
			d.Fatal(err)
		}
		_, err = collections.Insert(d.App.App, collections.PaymentMethods, map[string]any{
			"user": d.ada.Id, "gateway": "stripe", "gateway_method_id": id, "kind": "card", "brand": "visa", "last4": card[len(card)-4:],
			"exp_month": 12, "exp_year": d.Clock().Now().Year() + 3, "fingerprint": "fp" + card, "is_default": i == 0, "active": true,
		})
		if err != nil {
			d.Fatal(err)
		}
	}
}

// story tells what dunning did about an invoice: "charge:failed notice1 suspend1".
func (d *debt) story() string {
	d.Helper()
	rows := []struct {
		What string `db:"what"`
	}{}
	err := d.DB().NewQuery("SELECT `what` FROM (SELECT `kind` || `step` AS `what`, `created`, `rowid` AS `n` FROM `dunning_steps` WHERE `invoice` = {:id}" +
		" UNION ALL SELECT 'charge:' || `status`, `created`, `rowid` FROM `payment_transactions` WHERE `invoice` = {:id} AND `automatic`) ORDER BY `created`, `n`").
		Bind(dbx.Params{"id": d.invoice}).All(&rows)
	if err != nil {
		d.Fatal(err)
	}
	said := []string{}
	for _, r := range rows {
		said = append(said, r.What)
	}
	return strings.Join(said, " ")
}

func (d *debt) want(what, got, want string) {
	d.Helper()
	if got != want {
		d.Errorf("%s: got %q, want %q\nstory: %s", what, got, want, d.story())
	}
}

func (d *debt) status() string { return d.Record(collections.Invoices, d.invoice).GetString("status") }

func (d *debt) service() string { return d.Service(d.order).GetString("status") }

func (d *debt) access() string {
	d.Helper()
	return d.One(collections.Subscriptions, dbx.HashExp{"order": d.order.ID}).GetString("access")
}

// subjects lists what the customer was written.
func (d *debt) subjects() string {
	all := []string{}
	for _, m := range d.Mails(d.ada.Email) {
		all = append(all, m.Subject)
	}
	return strings.Join(all, "\n")
}

// transfer pays the invoice, or a part of it, by bank transfer.
func (d *debt) transfer(minor int64) {
	d.Helper()
	d.Want(200, d.Do("POST", "/api/v1/staff/invoices/"+d.invoice+"/payments", d.Staff(), map[string]any{
		"amount_minor": minor, "currency": "EUR", "reference": fmt.Sprintf("transfer-%d", d.Count(collections.PaymentTransactions, "")),
	}))
}
