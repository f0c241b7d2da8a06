package renewals_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/testapp"
)

// note asks for a credit note: over the lines at some positions, or over all that
// is left.
func (s *shop) note(invoice string, positions ...int) *testapp.Answer {
	s.Helper()
	lines := []any{}
	for _, p := range positions {
		lines = append(lines, object{"position": p})
	}
	body := object{"key": fmt.Sprintf("note-%03d", s.Count(collections.CreditNotes, "TRUE")), "reason": "the customer called", "lines": lines}
	return s.Do(http.MethodPost, "/api/v1/staff/invoices/"+invoice+"/credit-notes", s.Staff(), body)
}

// TestCreditingAChange credits the invoice of an upgrade, on which unused time of
// the old plan is taken off, and then ends the subscription with a refund of what
// is unused. Whole, the note comes to what was paid on the invoice and the old
// time is the customer's again; by its line, it comes to all that the new plan
// cost. Either way they have paid for the days that are over, and nothing else.
func TestCreditingAChange(t *testing.T) {
	for _, whole := range []bool{true, false} {
		t.Run(fmt.Sprintf("whole %t", whole), func(t *testing.T) {
			s := openGroup(t)
			settings := collections.DefaultInvoicing()
			settings.RefundOnCancel = true
			if err := collections.SaveSetting(s.App, "invoicing", settings); err != nil {
				t.Fatal(err)
			}
			ada := s.Customer("ada")
			o := s.Buy(ada, testapp.Cart{})
			sub := s.subscription(o)
			of := length(sub)
			s.at(sub, 10)
			change := s.agree(ada, sub.Id, s.toPlan("vps-m", "now"))
			invoice, paid := change.Text("invoice_id"), change.Int("total.minor")
			s.settle(invoice, paid)
			old := part(490, of-10, of)
			want, positions := paid, []int{}
			if !whole {
				want, positions = paid+old, []int{1}
			}
			if r := s.Want(http.StatusCreated, s.note(invoice, positions...)); r.Int("total.minor") != want || s.credit(ada.Id) != want {
				t.Fatalf("got %s and the credit %d, want %d", r, s.credit(ada.Id), want)
			}
			if r := s.note(invoice); r.Status != http.StatusConflict || r.Code() != map[bool]string{true: "nothing_left", false: "takes_money"}[whole] {
				t.Errorf("all that is left, once more: got %s", r)
			}
			s.cancel(ada, sub.Id, "now")
			if got := s.credit(ada.Id); got != paid+old {
				t.Errorf("of %d that was paid %d comes back, want %d", 490+paid, got, paid+old)
			}
			s.CheckBooks()
		})
	}
}

// TestCreditingADowngrade: the invoice of a downgrade comes to nothing, as unused
// time pays for the smaller plan. Crediting all of it would give nothing; by its
// line, what the smaller plan cost is given back.
func TestCreditingADowngrade(t *testing.T) {
	s := openGroup(t)
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{Plan: "vps-few"})
	sub := s.subscription(o)
	of := length(sub)
	s.at(sub, 10)
	invoice := s.agree(ada, sub.Id, s.toPlan("vps-s", "now")).Text("invoice_id")
	back := s.credit(ada.Id)
	if r := s.note(invoice); r.Status != http.StatusConflict || r.Code() != "comes_to_nothing" {
		t.Errorf("all of it: got %s, want a refusal", r)
	}
	if n := s.Count(collections.CreditNotes, "`invoice` = '"+invoice+"'"); n != 0 || s.credit(ada.Id) != back {
		t.Errorf("refused, but there are %d notes and the credit is %d, want %d", n, s.credit(ada.Id), back)
	}
	s.Want(http.StatusCreated, s.note(invoice, 1))
	if got := s.credit(ada.Id) - back; got != part(490, of-10, of) {
		t.Errorf("the smaller plan's line gives %d back, want %d", got, part(490, of-10, of))
	}
	s.CheckBooks()
}
