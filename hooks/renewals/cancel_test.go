package renewals_test

import (
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/testapp"
)

// post asks for an act on a subscription.
func (s *shop) post(by *testapp.Person, sub, act string, body map[string]any) *testapp.Answer {
	s.Helper()
	if body == nil {
		body = map[string]any{}
	}
	return s.Do("POST", "/api/v1/subscriptions/"+sub+"/"+act, by.Token, body)
}

func (s *shop) cancel(by *testapp.Person, sub, at string) *testapp.Answer {
	s.Helper()
	return s.Want(200, s.post(by, sub, "cancel", map[string]any{"at": at, "client_key": "cancel-" + sub + at, "reason": "too_expensive", "comment": "See you"}))
}

func (s *shop) status(invoice string) string {
	s.Helper()
	return s.Record(collections.Invoices, invoice).GetString("status")
}

func (s *shop) credit(user string) int64 {
	s.Helper()
	return -s.Balance(user, "credit", "EUR")
}

// TestF3CancellingTakesBackTheNextInvoice cancels for the end of the period when
// the next one is invoiced already.
func TestF3CancellingTakesBackTheNextInvoice(t *testing.T) {
	s := open(t)
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{})
	sub := s.subscription(o)
	s.days(18)
	next := s.renewed(ada.Id)[0]
	r := s.cancel(ada, sub.Id, "period_end")
	if end := collections.Time(sub, "current_period_end"); r.Text("ends_at") != end.Format("2006-01-02T15:04:05.999Z07:00") || r.Text("status") != "active" || r.At("next_invoice") != nil {
		t.Errorf("got %s, want the end %s", r, end)
	}
	if got := s.status(next.Id); got != "void" {
		t.Errorf("the invoice for the next period is %s, want void", got)
	}
	s.days(60)
	if got := s.subscription(o); got.GetString("status") != "cancelled" || got.GetString("access") != "ended" {
		t.Errorf("subscription is %s with access %s, want cancelled and ended", got.GetString("status"), got.GetString("access"))
	}
	if n := len(s.renewed(ada.Id)); n != 1 {
		t.Errorf("%d renewals, want none after the cancellation", n)
	}
	if n := s.Count(collections.CancellationSurveys, "`reason` = 'too_expensive'"); n != 1 {
		t.Errorf("%d surveys, want 1", n)
	}
	if n := s.Count(collections.Mails, "`kind` = 'cancellation_confirmed' AND `user` = '"+ada.Id+"'"); n != 1 {
		t.Errorf("%d mails confirm it, want 1", n)
	}
}

// TestF3OthersOnTheInvoiceStayBilled cancels one of two services that share the
// next invoice; paying that does not give the cancelled one another period.
func TestF3OthersOnTheInvoiceStayBilled(t *testing.T) {
	s := open(t)
	ada := s.Customer("ada")
	small, large := s.Buy(ada, testapp.Cart{}), s.Buy(ada, testapp.Cart{Plan: "vps-m"})
	s.days(18)
	next := s.renewed(ada.Id)[0]
	s.cancel(ada, s.subscription(small).Id, "period_end")
	fresh := s.Record(collections.Invoices, next.Id)
	if fresh.GetString("status") != "open" || fresh.GetInt64("due_minor") != 990 {
		t.Fatalf("invoice is %s with %d due, want the other service's 9.90", fresh.GetString("status"), fresh.GetInt64("due_minor"))
	}
	end := collections.Time(s.subscription(small), "current_period_end")
	s.settle(next.Id, 990)
	if got := collections.Time(s.subscription(small), "current_period_end"); !got.Equal(end) {
		t.Errorf("paying the rest moved the cancelled service's end from %s to %s", end, got)
	}
	s.days(30)
	if got := s.subscription(small).GetString("status"); got != "cancelled" {
		t.Errorf("the cancelled one is %s", got)
	}
	if got := s.subscription(large).GetString("status"); got != "active" {
		t.Errorf("the other one is %s", got)
	}
}

// settle enters a bank transfer.
func (s *shop) settle(invoice string, minor int64) {
	s.Helper()
	s.Want(200, s.Do("POST", "/api/v1/staff/invoices/"+invoice+"/payments", s.Staff(), map[string]any{"amount_minor": minor, "currency": "EUR", "reference": "transfer " + invoice}))
}

func TestACancellationIsUndone(t *testing.T) {
	s := open(t)
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{})
	sub := s.subscription(o)
	s.days(18)
	s.cancel(ada, sub.Id, "period_end")
	r := s.Want(200, s.post(ada, sub.Id, "keep", nil))
	if r.At("ends_at") != nil || r.Int("next_invoice.total.minor") != 490 {
		t.Errorf("got %s, want no end and the next invoice", r)
	}
	s.run()
	if invoices := s.renewed(ada.Id); len(invoices) != 2 || invoices[1].GetString("status") != "open" {
		t.Errorf("%d renewals, want the void one and a new one", len(invoices))
	}
	if r := s.post(ada, sub.Id, "keep", nil); r.Code() != "not_ending" {
		t.Errorf("undoing twice: got %s", r)
	}
	// The first request again, late: it was done, and undone since.
	s.cancel(ada, sub.Id, "period_end")
	if got := s.subscription(o).GetString("ends_at"); got != "" {
		t.Errorf("a repeated request cancelled again, for %s", got)
	}
}

func TestCancellingAtOnce(t *testing.T) {
	for _, refund := range []bool{false, true} {
		s := open(t)
		settings := collections.DefaultInvoicing()
		settings.RefundOnCancel = refund
		if err := collections.SaveSetting(s.App, "invoicing", settings); err != nil {
			t.Fatal(err)
		}
		ada := s.Customer("ada")
		o := s.Buy(ada, testapp.Cart{Plan: "vps-few"})
		stock := s.Plan("vps-few").GetInt64("stock")
		sub := s.subscription(o)
		s.days(10)
		s.cancel(ada, sub.Id, "now")
		if got := s.subscription(o); got.GetString("status") != "cancelled" || got.GetString("next_invoice_at") != "" {
			t.Errorf("subscription is %s", got.GetString("status"))
		}
		if got := s.Plan("vps-few").GetInt64("stock"); got != stock+1 {
			t.Errorf("stock is %d, want %d", got, stock+1)
		}
		days := int64(collections.Time(sub, "current_period_end").Sub(collections.Time(sub, "current_period_start")).Round(time.Hour).Hours()) / 24
		want := int64(0)
		if refund {
			want = (1890*(days-10)*2 + days) / (2 * days)
		}
		if got := s.credit(ada.Id); got != want {
			t.Errorf("with refund %t: %d is the customer's credit, want %d", refund, got, want)
		}
		if r := s.post(ada, sub.Id, "keep", nil); r.Code() != "cancelled" {
			t.Errorf("undoing what has happened: got %s", r)
		}
	}
}

func TestHoursAreInvoicedWhenCancelled(t *testing.T) {
	s := open(t)
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{})
	sub := s.subscription(o)
	sub.Load(map[string]any{"cycle": "hourly", "amount_minor": 2, "cap_minor": 490, "next_period": 0, "activated_at": collections.Stamp(s.Clock().Now()), "current_period_end": "", "next_invoice_at": ""})
	if err := collections.Update(s.App, sub); err != nil {
		t.Fatal(err)
	}
	s.Clock().Advance(150 * time.Minute)
	s.cancel(ada, sub.Id, "now")
	invoices := s.renewed(ada.Id)
	sum := int64(0)
	for _, i := range invoices {
		sum += i.GetInt64("total_minor")
	}
	if sum != 3*2 {
		t.Errorf("hours invoiced for %d, want three started ones", sum)
	}
	if got := s.subscription(o).GetString("status"); got != "cancelled" {
		t.Errorf("subscription is %s", got)
	}
}

// TestF6StaffCancelsByTheSameDoor: the staff's operation has all the consequences
// of the customer's.
func TestF6StaffCancelsByTheSameDoor(t *testing.T) {
	s := open(t)
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{})
	sub := s.subscription(o)
	s.days(18)
	s.Want(200, s.Do("POST", "/api/v1/staff/subscriptions/"+sub.Id+"/cancel", s.Staff(), map[string]any{"at": "period_end", "client_key": "by-staff-1", "reason": "asked by phone"}))
	if got := s.status(s.renewed(ada.Id)[0].Id); got != "void" {
		t.Errorf("the invoice for the next period is %s, want void", got)
	}
	row := s.One(collections.AuditLogs, dbx.HashExp{"action": "subscription.cancel"})
	if row.GetString("actor_kind") != "staff" || row.GetString("resource_id") != sub.Id {
		t.Errorf("audit row: %v", row)
	}
	if r := s.Do("POST", "/api/v1/staff/subscriptions/nosuchsub/cancel", s.Staff(), map[string]any{"at": "now", "client_key": "by-staff-2"}); r.Status != 404 {
		t.Errorf("an unknown subscription: got %s", r)
	}
}

// TestB10MoneyForWhatWasCancelledBecomesCredit pays the invoice that a
// cancellation voided.
func TestB10MoneyForWhatWasCancelledBecomesCredit(t *testing.T) {
	s := open(t)
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{})
	s.days(18)
	next := s.renewed(ada.Id)[0]
	s.cancel(ada, s.subscription(o).Id, "period_end")
	s.settle(next.Id, 490)
	if got := s.credit(ada.Id); got != 490 {
		t.Errorf("credit is %d, want the 4.90", got)
	}
	s.days(30)
	if got := s.subscription(o).GetString("status"); got != "cancelled" {
		t.Errorf("money woke the subscription: it is %s", got)
	}
}

func TestWhatCannotBeCancelled(t *testing.T) {
	s := open(t)
	ada := s.Customer("ada")
	pending := s.subscription(s.Order(ada, testapp.Cart{}))
	scenarios := []struct {
		name string
		body map[string]any
		code string
	}{
		{"not paid yet", map[string]any{"at": "now", "client_key": "key-0001"}, "not_paid"},
		{"no such moment", map[string]any{"at": "tomorrow", "client_key": "key-0002"}, "invalid"},
		{"no key", map[string]any{"at": "now"}, "invalid"},
		{"a reason too long", map[string]any{"at": "now", "client_key": "key-0003", "reason": string(make([]byte, 61))}, "invalid"},
		{"a field that does not exist", map[string]any{"at": "now", "client_key": "key-0004", "refund": true}, "malformed"},
	}
	for _, sc := range scenarios {
		if r := s.post(ada, pending.Id, "cancel", sc.body); r.Code() != sc.code {
			t.Errorf("%s: got %s, want %s", sc.name, r, sc.code)
		}
	}
}
