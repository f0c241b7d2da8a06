package books_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/renewals"
	"github.com/ezscale/ezscale/internal/testapp"
)

// world is an installation in which everything has happened once.
type world struct {
	*desk
	rows map[string]string // id of what tests talk about, by its name
}

// fill puts the ids of rows, quoted, for their names in <>.
func (w *world) fill(sql string) string {
	for name, id := range w.rows {
		sql = strings.ReplaceAll(sql, "<"+name+">", "'"+id+"'")
	}
	return sql
}

// populate sells, renews, corrects, refunds, disputes and collects.
func populate(t *testing.T) *world {
	t.Helper()
	w := &world{open(t, german), map[string]string{}}
	w.sell()
	w.correct()
	w.giveBack()
	w.topUp()
	w.arrange()
	return w
}

// sell has two services running, one of them renewed and unpaid, an order that
// waits and one that came to nothing.
func (w *world) sell() {
	ada, bob, carol := w.person("ada"), w.Customer("bob"), w.Customer("carol")
	w.rows["ada"], w.rows["bob"], w.rows["carol"] = ada.Id, bob.Id, carol.Id
	first := w.Buy(ada, testapp.Cart{Total: 583})
	w.rows["first"], w.rows["subscription"] = first.Invoice, w.One(collections.Subscriptions, dbx.HashExp{"order": first.ID}).Id
	w.rows["paid"] = first.ID
	w.rows["expired"] = w.Order(carol, testapp.Cart{Total: 583}).ID
	w.Clock().Advance(40 * time.Minute)
	w.Eventually("the order of carol expires", func() bool { return w.Record(collections.Orders, w.rows["expired"]).GetString("status") == "expired" })
	w.rows["void"] = w.Record(collections.Orders, w.rows["expired"]).GetString("invoice")
	w.Clock().Advance(18 * 24 * time.Hour)
	run := renewals.New(renewals.Deps{Now: w.Clock().Now, Books: w.books})
	if err := run.Run(context.Background(), w.App, w.Clock().Now()); err != nil {
		w.Fatal(err)
	}
	w.rows["renewal"] = w.One(collections.Invoices, dbx.HashExp{"kind": "renewal"}).Id
	w.rows["second"] = w.Buy(ada, testapp.Cart{Total: 583}).ID
	w.rows["pending"] = w.Order(bob, testapp.Cart{Gateway: "manual", Total: 583}).ID
}

// person is the customer of the desk, signed in.
func (w *world) person(name string) *testapp.Person {
	r := w.Record(collections.Users, w.user)
	token, err := r.NewAuthToken()
	if err != nil {
		w.Fatal(err)
	}
	return &testapp.Person{Record: r, Email: name + "@customer.test", Token: token}
}

// correct issues by hand, with a discount, credits a part, pays from credit and
// gives up.
func (w *world) correct() {
	off := line("Consulting, discount", 1, -1000)
	off.Kind, off.Parent = billing.LineDiscount, 1
	w.rows["manual"] = w.issue(line("Consulting", 1, 10_000), off, line("Travel", 1, 500)).ID
	credited := w.issue(line("Repair", 1, 4000))
	settled := w.issue(line("Cables", 1, 100))
	w.rows["settled"] = settled.ID
	lost := w.issue(line("Advice", 1, 300))
	w.must(func(tx core.App) error {
		now := w.Clock().Now()
		_, err := w.books.CreditNote(tx, now, books.Correction{Invoice: credited.ID, Key: "half", Reason: "late", Lines: []billing.CreditRequest{{Position: 1, Net: eur(1000)}}})
		if err != nil {
			return err
		}
		if _, err := w.books.Adjust(tx, now, books.Adjustment{User: w.user, Key: "gift", Reason: "sorry", Actor: "staff", Amount: eur(1000)}); err != nil {
			return err
		}
		if _, err := w.books.SpendCredit(tx, now, settled.ID, money.Amount{}); err != nil {
			return err
		}
		return w.books.WriteOff(tx, now, lost.ID)
	})
}

// giveBack refunds a part of the first payment from the credit, and has the bank
// dispute another.
func (w *world) giveBack() {
	payment := w.One(collections.PaymentTransactions, dbx.HashExp{"invoice": w.rows["first"], "status": "succeeded"}).Id
	w.must(func(tx core.App) error {
		now := w.Clock().Now()
		if _, err := w.books.BeginRefund(tx, now, books.Payout{User: w.user, Key: "back", Amount: eur(200), Gateway: "stripe", Payment: payment, Reason: "sorry", Actor: "staff"}); err != nil {
			return err
		}
		_, err := w.books.RecordDispute(tx, now, books.Dispute{Gateway: "stripe", ID: "dp_1", Payment: payment, Status: billing.DisputeNeedsResponse, Amount: eur(300), Withdrawn: true})
		if err != nil {
			return err
		}
		if _, err = w.books.RecordFee(tx, now, payment, eur(32)); err != nil {
			return err
		}
		_, err = w.books.RecordMovement(tx, now, books.Movement{Gateway: "stripe", Kind: books.MovementPayout, Reference: "po_1", Amount: eur(-100), At: now})
		return err
	})
}

// topUp buys credit and pays half of it.
func (w *world) topUp() {
	w.must(func(tx core.App) error {
		now := w.Clock().Now()
		session, err := w.books.Open(tx, now)
		if err != nil {
			return err
		}
		credit := line("Credit", 1, 5000)
		credit.Kind = billing.LineTopUp
		_, err = session.Issue(books.Invoice{User: w.user, Kind: books.KindTopUp, Currency: "EUR", Lines: []billing.Line{credit}, DueAt: now})
		return err
	})
	invoice := w.One(collections.Invoices, dbx.HashExp{"kind": books.KindTopUp}).Id
	w.Want(200, w.Do("POST", "/api/v1/staff/invoices/"+invoice+"/payments", w.Staff(), map[string]any{"amount_minor": 2500, "currency": "EUR", "reference": "half"}))
}

// arrange has a reminder, a coupon, a quote, a change and things that wait.
func (w *world) arrange() {
	coupon := ""
	w.must(func(tx core.App) error {
		now := w.Clock().Now()
		rows := []struct {
			collection string
			values     dbx.Params
		}{
			{collections.Coupons, dbx.Params{"code": "TEN", "kind": "percent", "basis_points": 1000, "uses": 1, "max_uses": 0, "status": "active"}},
			{collections.CouponRedemptions, dbx.Params{"user": w.user, "order": w.rows["paid"], "slot": 1, "status": "used"}},
			{collections.DunningSteps, dbx.Params{"user": w.user, "invoice": w.rows["renewal"], "kind": "reminder", "step": 1}},
			{collections.Quotes, dbx.Params{"user": w.user, "title": "Rack", "status": "sent", "currency": "EUR", "order": ""}},
			{collections.BillableItems, dbx.Params{"user": w.user, "key": "usage:1", "kind": "usage", "description": "Traffic", "quantity": 1, "currency": "EUR", "status": "pending", "invoice": ""}},
			{collections.UnmatchedPayments, dbx.Params{"user": w.user, "gateway": "manual", "reference": "?", "currency": "EUR", "amount_minor": 5, "status": "open", "payment": ""}},
			{collections.SubscriptionChanges, dbx.Params{"user": w.user, "subscription": w.rows["subscription"], "client_key": "change", "kind": "plan", "timing": "now", "status": "applied", "invoice": w.rows["first"]}},
		}
		for _, r := range rows {
			if r.collection == collections.CouponRedemptions {
				r.values["coupon"] = coupon
			}
			id, _, err := collections.Row(tx, r.collection, now, r.values)
			if err != nil {
				return err
			}
			if r.collection == collections.Coupons {
				coupon = id
			}
		}
		_, err := tx.DB().Update(collections.Subscriptions, dbx.Params{"access": "suspended", "access_reason": "overdue"}, dbx.HashExp{"id": w.rows["subscription"]}).Execute()
		return err
	})
}

func (w *world) must(f func(tx core.App) error) {
	w.Helper()
	if err := w.write(f); err != nil {
		w.Fatal(err)
	}
}
