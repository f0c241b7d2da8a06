package renewals_test

import (
	"net/http"
	"testing"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/testapp"
)

// void lets staff void an invoice.
func (s *shop) void(invoice string) *testapp.Answer {
	s.Helper()
	return s.Do(http.MethodPost, "/api/v1/staff/invoices/"+invoice+"/void", s.Staff(), object{"reason": "made by mistake"})
}

// TestAVoidRenewalIsInvoicedAgain: the period of a renewal that staff voids is not
// given away; it is invoiced once more, and once.
func TestAVoidRenewalIsInvoicedAgain(t *testing.T) {
	s := open(t)
	ada := s.Customer("ada")
	sub := s.subscription(s.Buy(ada, testapp.Cart{}))
	s.days(25)
	first := s.renewed(ada.Id)
	if len(first) != 1 {
		t.Fatalf("%d renewals, want 1", len(first))
	}
	s.Want(http.StatusOK, s.void(first[0].Id))
	s.Want(http.StatusOK, s.void(first[0].Id)) // a second click
	s.run()
	s.run()
	again := s.renewed(ada.Id)
	if len(again) != 2 || again[1].GetString("status") != "open" {
		t.Fatalf("%d renewals, want the void one and one in its place", len(again))
	}
	was, is := s.lines(first[0].Id)[0], s.lines(again[1].Id)[0]
	if a, b := was.GetString("period_start"), is.GetString("period_start"); a != b {
		t.Errorf("the new one bills from %s, want %s", b, a)
	}
	s.settle(again[1].Id, again[1].GetInt64("due_minor"))
	s.days(32)
	if n := len(s.renewed(ada.Id)); n != 3 {
		t.Errorf("%d renewals a month later, want the next one besides", n)
	}
	if got, want := collections.Time(s.Record(collections.Subscriptions, sub.Id), "current_period_end"), collections.Time(is, "period_end"); !got.Equal(want) {
		t.Errorf("paid until %s, want %s", got, want)
	}
}

// TestOnlyTheLastPeriodIsVoided: what bills a period before one that is invoiced
// already is credited instead, so that periods stay in order.
func TestOnlyTheLastPeriodIsVoided(t *testing.T) {
	s := open(t)
	settings := collections.DefaultInvoicing()
	settings.DaysAhead = 45
	if err := collections.SaveSetting(s.App, "invoicing", settings); err != nil {
		t.Fatal(err)
	}
	ada := s.Customer("ada")
	s.Buy(ada, testapp.Cart{})
	s.days(25)
	invoices := s.renewed(ada.Id)
	if len(invoices) != 2 {
		t.Fatalf("%d renewals, want 2", len(invoices))
	}
	if r := s.void(invoices[0].Id); r.Status != http.StatusConflict || r.Text("code") != "later_period" {
		t.Errorf("got %s, want a refusal: the next period is invoiced", r)
	}
	s.Want(http.StatusOK, s.void(invoices[1].Id))
	s.Want(http.StatusOK, s.void(invoices[0].Id))
	s.run()
	if n := len(s.renewed(ada.Id)); n != 4 {
		t.Errorf("%d renewals, want both once more", n)
	}
}

// TestACorrectionDoesNotChargeWhatAChangeTookOver: the unused part of a paid
// period went over to the invoice of a change, so a copy of the whole would
// charge it twice.
func TestACorrectionDoesNotChargeWhatAChangeTookOver(t *testing.T) {
	s := openGroup(t)
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{})
	sub := s.subscription(o)
	s.at(sub, 4)
	change := s.agree(ada, sub.Id, s.toPlan("vps-m", "now"))
	s.settle(change.Text("invoice_id"), change.Int("total.minor"))
	r := s.Do(http.MethodPost, "/api/v1/staff/invoices/"+o.Invoice+"/correct", s.Staff(), object{"key": "a-correction", "reason": "moved"})
	if r.Status != http.StatusConflict || r.Text("code") != "partly_credited" {
		t.Errorf("got %s, want a refusal", r)
	}
}
