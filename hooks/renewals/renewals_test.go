package renewals_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/renewals"
	"github.com/ezscale/ezscale/internal/testapp"
)

// shop is a test app with the renewals worked by hand.
type shop struct {
	*testapp.App
	renewals *renewals.Subject
}

func open(t *testing.T) *shop {
	t.Helper()
	a := testapp.New(t)
	s := &shop{a, renewals.New(renewals.Deps{Now: a.Clock().Now, Books: books.New(a.Clock().Now)})}
	s.renewals.Follow()
	return s
}

func (s *shop) run() {
	s.Helper()
	if err := s.renewals.Run(context.Background(), s.App, s.Clock().Now()); err != nil {
		s.Fatal(err)
	}
}

// days puts the clock forward and runs the renewals each day.
func (s *shop) days(n int) {
	s.Helper()
	for range n {
		s.Clock().Advance(24 * time.Hour)
		s.run()
	}
}

func (s *shop) renewed(user string) []*core.Record {
	s.Helper()
	found, err := collections.All(s.App, collections.Invoices, dbx.HashExp{"user": user, "kind": "renewal"}, "issued_at ASC, seq ASC")
	if err != nil {
		s.Fatal(err)
	}
	return found
}

func (s *shop) subscription(o *testapp.Order) *core.Record {
	s.Helper()
	return s.One(collections.Subscriptions, dbx.HashExp{"order": o.ID})
}

func TestAPeriodIsInvoicedAhead(t *testing.T) {
	s := open(t)
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{})
	s.run()
	if n := len(s.renewed(ada.Id)); n != 0 {
		t.Fatalf("%d renewals on the first day", n)
	}
	end := collections.Time(s.subscription(o), "current_period_end")
	ahead := end.AddDate(0, 0, -14).Truncate(24 * time.Hour)
	s.Clock().Advance(ahead.Add(-time.Second).Sub(s.Clock().Now()))
	s.run()
	if n := len(s.renewed(ada.Id)); n != 0 {
		t.Fatalf("%d renewals a second before the day", n)
	}
	s.Clock().Advance(2 * time.Second)
	s.run()
	invoices := s.renewed(ada.Id)
	if len(invoices) != 1 || !collections.Time(invoices[0], "due_at").Equal(end) || invoices[0].GetInt64("total_minor") != 490 || !invoices[0].GetBool("auto_charge") {
		t.Fatalf("renewals: %v, want one over 4.90 due %s", invoices, end)
	}
}

// TestA1RenewingTwiceBillsOnce runs the renewals again and again and in parallel,
// which must not bill a period twice.
func TestA1RenewingTwiceBillsOnce(t *testing.T) {
	s := open(t)
	ada := s.Customer("ada")
	for range 3 {
		s.Buy(ada, testapp.Cart{})
	}
	s.Clock().Advance(20 * 24 * time.Hour)
	group := sync.WaitGroup{}
	for range 6 {
		group.Go(func() {
			if err := s.renewals.Run(context.Background(), s.App, s.Clock().Now()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := s.Count(collections.InvoiceItems, "`kind` = 'period' AND `invoice` IN (SELECT `id` FROM `invoices` WHERE `kind` = 'renewal')"); n != 3 {
		t.Errorf("%d periods are invoiced, want 3", n)
	}
}

// TestA2TheIndexRefusesAPeriodTwice inserts the duplicate by hand.
func TestA2TheIndexRefusesAPeriodTwice(t *testing.T) {
	s := open(t)
	s.Buy(s.Customer("ada"), testapp.Cart{})
	_, err := s.DB().NewQuery("INSERT INTO `invoice_items` (`id`, `user`, `invoice`, `position`, `kind`, `description`, `subscription`, `period_start`, `live`)" +
		" SELECT 'again', `user`, 'no_such_invoice', 9, `kind`, `description`, `subscription`, `period_start`, TRUE FROM `invoice_items` WHERE `kind` = 'period'").Execute()
	if err == nil {
		t.Error("a second line for the same period went in")
	}
}

func TestServicesThatRenewTogetherShareAnInvoice(t *testing.T) {
	s := open(t)
	ada := s.Customer("ada")
	s.Buy(ada, testapp.Cart{})
	s.Buy(ada, testapp.Cart{Plan: "vps-m"})
	s.days(18)
	if invoices := s.renewed(ada.Id); len(invoices) != 1 || invoices[0].GetInt64("total_minor") != 490+990 {
		t.Errorf("renewals: %d, want one over both services", len(invoices))
	}
}

// TestPeriodsAreMadeUpInOrder leaves the product off for three months.
func TestPeriodsAreMadeUpInOrder(t *testing.T) {
	s := open(t)
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{})
	s.Clock().Advance(100 * 24 * time.Hour)
	s.run()
	invoices := s.renewed(ada.Id)
	if len(invoices) != 1 || invoices[0].GetInt64("total_minor") != 3*490 {
		t.Fatalf("%d invoices, want one with three periods", len(invoices))
	}
	if due := collections.Time(invoices[0], "due_at"); due.Before(s.Clock().Now().AddDate(0, 0, 6)) {
		t.Errorf("due %s: the customer has no time to pay", due)
	}
	if next := s.subscription(o).GetInt("next_period"); next != 4 {
		t.Errorf("next period is %d, want 4", next)
	}
}

// TestAnUnpaidSubscriptionIsNotInvoicedOn leaves a renewal unpaid past its date,
// then pays it.
func TestAnUnpaidSubscriptionIsNotInvoicedOn(t *testing.T) {
	s := open(t)
	ada := s.Customer("ada")
	s.Buy(ada, testapp.Cart{})
	s.days(60)
	invoices := s.renewed(ada.Id)
	if len(invoices) != 1 {
		t.Fatalf("%d renewals, want 1 while it is unpaid", len(invoices))
	}
	s.Want(200, s.Do("POST", "/api/v1/staff/invoices/"+invoices[0].Id+"/payments", s.Staff(), map[string]any{"amount_minor": 490, "currency": "EUR", "reference": "late"}))
	s.run()
	if n := len(s.renewed(ada.Id)); n != 2 {
		t.Errorf("%d renewals after the payment, want the next one at once", n)
	}
}

// TestWhatIsWrittenOffIsGivenAway: a service that runs on after its renewal was
// written off is invoiced again; one that is suspended for it is not.
func TestWhatIsWrittenOffIsGivenAway(t *testing.T) {
	for access, want := range map[string]int{"open": 2, "suspended": 1} {
		s := open(t)
		ada := s.Customer("ada")
		o := s.Buy(ada, testapp.Cart{})
		s.days(35)
		if access == "suspended" {
			s.set(s.subscription(o), map[string]any{"access": access, "access_reason": "overdue"})
		}
		s.Want(http.StatusOK, s.Do(http.MethodPost, "/api/v1/staff/invoices/"+s.renewed(ada.Id)[0].Id+"/write-off", s.Staff(), map[string]any{"reason": "a gesture"}))
		s.days(20)
		if got := len(s.renewed(ada.Id)); got != want {
			t.Errorf("%d renewals with access %s, want %d", got, access, want)
		}
	}
}

// TestOneCustomersFaultStopsNobody breaks one customer's data.
func TestOneCustomersFaultStopsNobody(t *testing.T) {
	s := open(t)
	ada, bob := s.Customer("ada"), s.Customer("bob")
	broken := s.Buy(ada, testapp.Cart{})
	s.Buy(bob, testapp.Cart{})
	if _, err := s.DB().NewQuery("UPDATE `subscriptions` SET `discounts` = '[{\"code\":\"\"}]' WHERE `order` = {:o}").Bind(dbx.Params{"o": broken.ID}).Execute(); err != nil {
		t.Fatal(err)
	}
	s.days(18)
	if len(s.renewed(ada.Id)) != 0 || len(s.renewed(bob.Id)) != 1 {
		t.Errorf("renewals: %d of the broken customer, %d of the other", len(s.renewed(ada.Id)), len(s.renewed(bob.Id)))
	}
	if n := s.Count(collections.Jobs, "`kind` = 'renewals.customer' AND `user` = '"+ada.Id+"'"); n != 1 {
		t.Errorf("%d jobs tell of the broken customer, want 1", n)
	}
}

func TestWhatWaitsIsBilledWithTheNextPeriod(t *testing.T) {
	s := open(t)
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{})
	for _, key := range []string{"usage:1", "usage:1"} { // the same twice is one
		_, _, err := collections.Row(s.App, collections.BillableItems, s.Clock().Now(), dbx.Params{
			"user": ada.Id, "subscription": s.subscription(o).Id, "key": key, "kind": "usage", "description": "Traffic beyond 1 TB", "quantity": 3, "currency": "EUR",
			"unit_minor": 100, "amount_minor": 300, "status": "pending", "due_from": collections.Stamp(s.Clock().Now().AddDate(0, 3, 0)).String(), "period_start": "", "period_end": "",
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	s.days(18)
	if invoices := s.renewed(ada.Id); len(invoices) != 1 || invoices[0].GetInt64("total_minor") != 790 {
		t.Errorf("renewals: %v, want one with the traffic", invoices)
	}
}
