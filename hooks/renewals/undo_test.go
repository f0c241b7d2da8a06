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

// TestAnUnpaidChangeIsNoLoss: before a change is paid, the old plan runs on by what
// was paid for it. Its unused time does not become money meanwhile, and the change's
// invoice is not written off, as the change would wait for ever. Crediting all of
// it calls the change off.
func TestAnUnpaidChangeIsNoLoss(t *testing.T) {
	s := openGroup(t)
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{})
	sub := s.subscription(o)
	s.at(sub, 10)
	change := s.agree(ada, sub.Id, s.toPlan("vps-m", "now"))
	invoice := change.Text("invoice_id")
	if r := s.note(invoice, 1); r.Status != http.StatusConflict || r.Code() != "change_not_paid" {
		t.Errorf("the charged line alone: got %s, want a refusal", r)
	}
	if r := s.writeOff(invoice); r.Status != http.StatusConflict || r.Code() != "not_delivered" {
		t.Errorf("a write-off: got %s, want a refusal", r)
	}
	s.Want(http.StatusCreated, s.note(invoice))
	old := s.One(collections.InvoiceItems, object{"invoice": o.Invoice})
	if s.status(invoice) != "void" || s.credit(ada.Id) != 0 || old.GetInt64("credited_minor") != 0 {
		t.Errorf("credited whole it is %s with the credit %d, and %d are taken off the old plan; want it void and nothing else", s.status(invoice), s.credit(ada.Id), old.GetInt64("credited_minor"))
	}
	s.agree(ada, sub.Id, s.toPlan("vps-few", "now")) // and another may be agreed
	s.CheckBooks()
}

// TestWhatIsNotDeliveredIsNoLoss: the same for orders and for the end of a pause.
func TestWhatIsNotDeliveredIsNoLoss(t *testing.T) {
	s := open(t)
	ada, eve := s.Customer("ada"), s.Customer("eve")
	_, sub := s.paused(ada)
	s.Want(http.StatusOK, s.post(ada, sub.Id, "resume", nil))
	for what, invoice := range map[string]string{"an order": s.Order(eve, testapp.Cart{}).Invoice, "resuming": s.renewed(ada.Id)[0].Id} {
		if r := s.writeOff(invoice); r.Status != http.StatusConflict || r.Code() != "not_delivered" {
			t.Errorf("%s: got %s, want a refusal", what, r)
		}
	}
}

func (s *shop) writeOff(invoice string) *testapp.Answer {
	s.Helper()
	return s.Do(http.MethodPost, "/api/v1/staff/invoices/"+invoice+"/write-off", s.Staff(), object{"reason": "not worth it"})
}
