package dunning_test

import (
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/stripebox"
	"github.com/ezscale/ezscale/internal/testapp"
)

func TestB3UnmatchedMoneyHoldsConsequences(t *testing.T) {
	d := owing(t)
	d.day(4)
	found, err := collections.Insert(d.App.App, collections.UnmatchedPayments, map[string]any{
		"user": d.ada.Id, "gateway": "manual", "reference": "ADA 4,90 no number", "currency": "EUR", "amount_minor": 490, "status": "open", "at": d.Clock().Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	d.day(12)
	d.want("while her money waits", d.service(), "active")
	found.Set("status", "returned")
	if err := collections.Save(d.App.App, found); err != nil {
		t.Fatal(err)
	}
	d.Settle()
	d.want("it was not hers to pay this", d.service(), "suspended")
	found.Set("status", "open")
	if err := collections.Save(d.App.App, found); err != nil {
		t.Fatal(err)
	}
	d.Settle()
	d.want("or was it", d.service(), "active")
}

func TestB4ALateFailureUndoesNothing(t *testing.T) {
	d := owing(t)
	d.toDue()
	d.Stripe.Set(stripebox.Switches{DelayType: "payment_intent.payment_failed", Delay: 2 * time.Second})
	page := d.open()
	if declined := d.PayWith(page, testapp.CardNoFunds); declined == "" {
		t.Fatal("the first card was to be declined")
	}
	if declined := d.PayWith(page, testapp.CardWorks); declined != "" {
		t.Fatal(declined)
	}
	d.Eventually("paid", func() bool { return d.status() == "paid" })
	time.Sleep(2200 * time.Millisecond) // the failure arrives now
	d.Settle()
	d.want("invoice", d.status(), "paid")
	d.day(10)
	d.want("story", d.story(), "reminder1")
	d.want("service", d.service(), "active")
	if got := d.One(collections.PaymentTransactions, dbx.HashExp{"invoice": d.invoice}).GetString("status"); got != "succeeded" {
		t.Errorf("the payment is %s, want succeeded", got)
	}
}

func TestB6ADebitOnItsWayHoldsDunning(t *testing.T) {
	scenarios := []struct{ name, account, end, story string }{
		{"and arrives", testapp.DebitArrives, "active", "reminder1 charge:succeeded"},
		{"and fails", testapp.DebitFails, "suspended", "reminder1 charge:failed payment_failed1 charge:pending"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			d := owing(t, s.account)
			d.day(8)
			d.want("on its way", d.story(), "reminder1 charge:pending")
			d.want("service", d.service(), "active")
			d.Stripe.Settle()
			d.Settle()
			d.day(9)
			d.want("story", d.story(), s.story)
			for day := 10; day <= 25; day++ { // it fails again and again
				d.Stripe.Settle()
				d.day(day)
			}
			d.want("in the end", d.service(), s.end)
		})
	}
}

func TestB6ADebitThatNeverArrivesHoldsForASetTime(t *testing.T) {
	d := owing(t, testapp.DebitArrives)
	d.day(13)
	d.want("story", d.story(), "reminder1 charge:pending")
	d.day(21)
	d.want("after a fortnight", d.service(), "suspended")
	d.Stripe.Settle()
	d.Settle()
	d.want("it arrives after all", d.service()+" "+d.status(), "active paid")
}

func TestB9TimersNeedNobodySignedIn(t *testing.T) {
	d := owing(t)
	d.day(40)
	for _, kind := range []string{"staff", "customer"} {
		if n := d.Count(collections.AuditLogs, "`action` LIKE 'dunning.%' AND `actor_kind` = '"+kind+"'"); n != 0 {
			t.Errorf("%d steps are said to be of %s", n, kind)
		}
	}
	if n := d.Count(collections.AuditLogs, "`action` = 'dunning.suspend' AND `actor_kind` = 'system'"); n != 1 {
		t.Errorf("the suspension is on record %d times, want once, by the system", n)
	}
}

func TestE4DueTodayIsNotOverdue(t *testing.T) {
	d := owing(t)
	d.day(-1)
	for range 23 { // every hour of the due day
		d.Clock().Advance(time.Hour)
		if d.Clock().Now().Before(d.due) {
			continue
		}
		if d.Clock().Now().After(d.due.Add(23*time.Hour + 30*time.Minute)) {
			break
		}
		d.RunTasks()
	}
	d.want("on the due day", d.story(), "reminder1")
	if got := d.One(collections.Subscriptions, dbx.HashExp{"order": d.order.ID}).GetString("status"); got != "active" {
		t.Errorf("the subscription is %s on the due day, want active", got)
	}
	d.day(1)
	d.want("the day after", d.story(), "reminder1 notice1")
	if got := d.One(collections.Subscriptions, dbx.HashExp{"order": d.order.ID}).GetString("status"); got != "past_due" {
		t.Errorf("the subscription is %s the day after, want past_due", got)
	}
}

func TestE6AnExemptionLapsesByItself(t *testing.T) {
	d := owing(t)
	_, err := collections.Insert(d.App.App, collections.BillingProfiles, map[string]any{"user": d.ada.Id, "exempt_until": collections.Stamp(d.due.AddDate(0, 0, 12))})
	if err != nil {
		t.Fatal(err)
	}
	d.day(11)
	d.want("exempt", d.service(), "active")
	d.want("notices go on", d.story(), settled3)
	d.day(12)
	d.want("lapsed", d.service(), "suspended")
}
