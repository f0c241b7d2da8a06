package renewals_test

import (
	"testing"

	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/internal/testapp"
)

// TestTheAuditKnowsAnOfferedChange: a change to another cycle that waits to be paid
// stands beside the next month, which is invoiced. That is no time billed twice, and
// once the change is paid the month is taken back.
func TestTheAuditKnowsAnOfferedChange(t *testing.T) {
	s := openGroup(t)
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{})
	sub := s.subscription(o)
	s.days(20)
	ahead := s.renewed(ada.Id)[0]
	change := s.agree(ada, sub.Id, object{"price": s.Price("vps-s", "EUR", "quarterly").Id, "timing": "now"})
	audited := func(when string) {
		t.Helper()
		if found, err := books.Audit(s.DB()); err != nil || len(found) > 0 {
			t.Errorf("%s: the audit finds %v, %v", when, found, err)
		}
	}
	audited("while nobody has paid")
	s.settle(change.Text("invoice_id"), change.Int("total.minor"))
	if got := s.status(ahead.Id); got != "void" {
		t.Errorf("the month ahead is %s, want it void", got)
	}
	audited("once it is paid")
}
