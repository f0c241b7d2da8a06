package renewals_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/testapp"
)

// correct has staff replace an invoice by one that says the same, and returns that.
func (s *shop) correct(invoice string) (id string, total int64) {
	s.Helper()
	r := s.Want(http.StatusCreated, s.Do(http.MethodPost, "/api/v1/staff/invoices/"+invoice+"/correct", s.Staff(), object{"key": "correct-" + invoice, "reason": "moved"}))
	return r.Text("invoice.id"), r.Int("invoice.total.minor")
}

// TestACorrectedOfferStands corrects the invoice of an upgrade before it is paid.
// The correction takes its place: paying it makes the change, and it lapses when
// the first would have.
func TestACorrectedOfferStands(t *testing.T) {
	for _, pays := range []bool{true, false} {
		s := openGroup(t)
		ada := s.Customer("ada")
		o := s.Buy(ada, testapp.Cart{})
		sub := s.subscription(o)
		of := length(sub)
		s.at(sub, 10)
		change := s.agree(ada, sub.Id, s.toPlan("vps-m", "now"))
		first, _ := s.correct(change.Text("invoice_id"))
		second, total := s.correct(first) // and once more
		if total != change.Int("total.minor") || s.status(first) != "void" || s.status(second) != "open" {
			t.Fatalf("the corrections are %s and %s over %d, want the last open over %d", s.status(first), s.status(second), total, change.Int("total.minor"))
		}
		want, plan, taken := "applied", "vps-m", part(490, of-10, of)
		if pays {
			s.settle(second, total)
		} else {
			want, plan, taken = "cancelled", "vps-s", 0
			s.Clock().Advance(4 * 24 * time.Hour)
			s.Eventually("the correction lapses", func() bool { return s.status(second) == "void" })
		}
		if got := s.Record(collections.SubscriptionChanges, change.Text("id")).GetString("status"); got != want {
			t.Errorf("paid %t: the change is %s, want %s", pays, got, want)
		}
		if got := s.subscription(o).GetString("plan"); got != s.Plan(plan).Id {
			t.Errorf("paid %t: the plan is not %s", pays, plan)
		}
		if got := s.One(collections.InvoiceItems, map[string]any{"invoice": o.Invoice}).GetInt64("credited_minor"); got != taken {
			t.Errorf("paid %t: %d of the old plan's line are taken off, want %d", pays, got, taken)
		}
		s.CheckBooks()
	}
}

// TestACorrectedResumingStands: the same for the first period after a pause.
func TestACorrectedResumingStands(t *testing.T) {
	for _, pays := range []bool{true, false} {
		s := open(t)
		ada := s.Customer("ada")
		o, sub := s.paused(ada)
		s.Want(http.StatusOK, s.post(ada, sub.Id, "resume", nil))
		invoice, total := s.correct(s.renewed(ada.Id)[0].Id)
		s.CheckBooks()
		if pays {
			s.settle(invoice, total)
			if got := s.subscription(o); got.GetString("status") != "active" || got.GetString("access") != "open" || got.GetInt("next_period") != 1 {
				t.Errorf("paid, the subscription is %s with access %s at period %d, want it to run", got.GetString("status"), got.GetString("access"), got.GetInt("next_period"))
			}
			s.days(20)
			if n := len(s.renewed(ada.Id)); n != 2 {
				t.Errorf("%d renewals, want the next period's after the first", n)
			}
		} else {
			s.Clock().Advance(4 * 24 * time.Hour)
			s.Eventually("the correction lapses", func() bool { return s.status(invoice) == "void" })
			if got := s.subscription(o); got.GetString("status") != "paused" || got.GetInt("next_period") != 0 {
				t.Errorf("subscription is %s at period %d, want the pause", got.GetString("status"), got.GetInt("next_period"))
			}
		}
		s.CheckBooks()
	}
}
