package renewals_test

import (
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/testapp"
)

// paused is a subscription whose pause has begun.
func (s *shop) paused(by *testapp.Person) (*testapp.Order, *core.Record) {
	s.Helper()
	o := s.Buy(by, testapp.Cart{})
	sub := s.subscription(o)
	s.Want(200, s.post(by, sub.Id, "pause", nil))
	s.days(40)
	sub = s.subscription(o)
	if sub.GetString("status") != "paused" || sub.GetString("access") != "suspended" || sub.GetString("next_invoice_at") != "" {
		s.Fatalf("subscription is %s with access %s, want a pause", sub.GetString("status"), sub.GetString("access"))
	}
	return o, sub
}

// TestE8NothingIsBilledForAPause pauses for months and resumes: a new first
// period begins on the day of resuming, and the service runs when it is paid.
func TestE8NothingIsBilledForAPause(t *testing.T) {
	s := open(t)
	ada := s.Customer("ada")
	o, sub := s.paused(ada)
	s.days(90)
	if n := len(s.renewed(ada.Id)); n != 0 {
		t.Fatalf("%d invoices during the pause", n)
	}
	before := s.Clock().Now()
	r := s.Want(200, s.post(ada, sub.Id, "resume", nil))
	invoices := s.renewed(ada.Id)
	if len(invoices) != 1 || invoices[0].GetInt64("due_minor") != 490 || r.Text("status") != "paused" {
		t.Fatalf("got %s and %d invoices, want one over 4.90 and the pause in force until it is paid", r, len(invoices))
	}
	if again := s.Want(200, s.post(ada, sub.Id, "resume", nil)); len(s.renewed(ada.Id)) != 1 {
		t.Errorf("resuming twice made another invoice: %s", again)
	}
	s.settle(invoices[0].Id, 490)
	sub = s.subscription(o)
	if sub.GetString("status") != "active" || sub.GetString("access") != "open" {
		t.Errorf("subscription is %s with access %s, want it to run", sub.GetString("status"), sub.GetString("access"))
	}
	start, end := collections.Time(sub, "current_period_start"), collections.Time(sub, "current_period_end")
	if start.Before(before.Add(-time.Second)) || !end.Equal(start.AddDate(0, 1, 0)) && end.Sub(start) < 28*24*time.Hour {
		t.Errorf("paid from %s to %s, want a full period from the day of resuming", start, end)
	}
	s.days(40)
	if n := len(s.renewed(ada.Id)); n != 2 {
		t.Errorf("%d invoices, want the next period's", n)
	}
}

// TestResumingLapses: an invoice for resuming that nobody pays is void after some
// days, and the pause goes on.
func TestResumingLapses(t *testing.T) {
	s := open(t)
	ada := s.Customer("ada")
	o, sub := s.paused(ada)
	s.Want(200, s.post(ada, sub.Id, "resume", nil))
	first := s.renewed(ada.Id)[0]
	s.Clock().Advance(4 * 24 * time.Hour)
	s.Eventually("the invoice lapses", func() bool { return s.status(first.Id) == "void" })
	if got := s.subscription(o); got.GetString("status") != "paused" || got.GetInt("next_period") != 0 {
		t.Errorf("subscription is %s at period %d, want the pause", got.GetString("status"), got.GetInt("next_period"))
	}
	s.settle(first.Id, 490) // late: credit, and nothing wakes up
	if got := s.subscription(o).GetString("status"); got != "paused" || s.credit(ada.Id) != 490 {
		t.Errorf("late money: subscription is %s and the credit %d", got, s.credit(ada.Id))
	}
	s.Want(200, s.post(ada, sub.Id, "resume", nil))
	if n := len(s.renewed(ada.Id)); n != 2 {
		t.Errorf("%d invoices, want a new one", n)
	}
}

// TestAPauseIsTakenBack before it begins: renewals go on.
func TestAPauseIsTakenBack(t *testing.T) {
	s := open(t)
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{})
	sub := s.subscription(o)
	s.days(18)
	s.Want(200, s.post(ada, sub.Id, "pause", nil))
	if got := s.status(s.renewed(ada.Id)[0].Id); got != "void" {
		t.Errorf("the invoice for the next period is %s, want void", got)
	}
	if r := s.post(ada, sub.Id, "pause", nil); r.Code() != "pauses" {
		t.Errorf("pausing twice: got %s", r)
	}
	s.Want(200, s.post(ada, sub.Id, "resume", nil))
	s.run()
	if n := len(s.renewed(ada.Id)); n != 2 {
		t.Errorf("%d renewals, want the next period again", n)
	}
	if got := s.subscription(o).GetString("pause_from"); got != "" {
		t.Errorf("it still pauses from %s", got)
	}
}

func TestAPausedSubscriptionIsCancelled(t *testing.T) {
	s := open(t)
	ada := s.Customer("ada")
	o, sub := s.paused(ada)
	s.Want(200, s.post(ada, sub.Id, "resume", nil))
	invoice := s.renewed(ada.Id)[0]
	s.cancel(ada, sub.Id, "period_end")
	if got := s.subscription(o).GetString("status"); got != "cancelled" || s.status(invoice.Id) != "void" {
		t.Errorf("subscription is %s and the invoice for resuming %s, want both over", got, s.status(invoice.Id))
	}
}
