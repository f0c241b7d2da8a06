package dunning_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/testapp"
)

func TestASavedCardPaysOnTheDueDate(t *testing.T) {
	d := owing(t, testapp.CardWorks)
	d.day(-1)
	d.want("before the due date", d.story(), "reminder1")
	d.day(0)
	d.want("on the due date", d.status(), "paid")
	if got := d.Stripe.Paid(d.invoice); got != 1 {
		t.Errorf("%d charges, want 1", got)
	}
	d.day(20)
	d.want("story later", d.story(), "reminder1 charge:succeeded")
}

// TestWhatNobodyCanPayHasNoConsequences leaves less to pay than a card takes: it is
// not charged, nobody is written to or switched off, and the next period is invoiced.
func TestWhatNobodyCanPayHasNoConsequences(t *testing.T) {
	d := owing(t, testapp.CardWorks)
	path := "/api/v1/staff/invoices/" + d.invoice + "/payments"
	due := d.Record("invoices", d.invoice).GetInt64("due_minor")
	d.Want(http.StatusOK, d.Do(http.MethodPost, path, d.Staff(), map[string]any{"amount_minor": due - 3, "currency": "EUR", "reference": "most of it"}))
	d.day(40)
	d.want("story", d.story(), "")
	d.want("access", d.access(), "open")
	d.want("status", d.status(), "open")
	r := d.Want(http.StatusOK, d.Do(http.MethodPost, "/api/v1/invoices/"+d.invoice+"/pay", d.ada.Token, map[string]any{"gateway": "stripe"}))
	if !strings.Contains(r.Text("payment.reason")+r.Text("reason"), "less than a card") {
		t.Errorf("paying it: got %s", r)
	}
	if got := d.Stripe.Paid(d.invoice); got != 0 {
		t.Errorf("%d charges, want none", got)
	}
	if n := d.Count("invoices", "`user` = '"+d.ada.Id+"' AND `kind` = 'renewal'"); n != 2 {
		t.Errorf("%d renewals, want the next one, too", n)
	}
}

func TestNobodyPays(t *testing.T) {
	d := owing(t)
	for _, at := range []struct {
		day           int
		story, access string
		service       string
	}{
		{0, "reminder1", "open", "active"}, // due today is not overdue
		{1, "reminder1 notice1", "open", "active"},
		{4, "reminder1 notice1 notice2 notice3", "open", "active"},
		{6, "reminder1 notice1 notice2 notice3 suspend1", "suspended", "suspended"},
		{29, "reminder1 notice1 notice2 notice3 suspend1 final_warning1", "suspended", "suspended"},
		{37, "reminder1 notice1 notice2 notice3 suspend1 final_warning1 terminate1", "ended", "suspended"},
		{46, "reminder1 notice1 notice2 notice3 suspend1 final_warning1 terminate1", "ended", "terminated"},
	} {
		d.day(at.day)
		d.want("story", d.story(), at.story)
		d.want("access", d.access(), at.access)
		d.want("service", d.service(), at.service)
	}
	for _, subject := range []string{"is due on", "is overdue", "Second notice", "Last notice", "was suspended: invoice", "Final warning", "was terminated"} {
		if got := strings.Count(d.subjects(), subject); got < 1 || got > 1 && subject != "is overdue" {
			t.Errorf("%d mails say %q, want 1:\n%s", got, subject, d.subjects())
		}
	}
	if got := len(d.Panel.Snapshot().Servers); got != 0 {
		t.Errorf("%d servers are left, want 0", got)
	}
}

func TestAnInvoiceWhoseServicesHaveEndedIsHardlyLookedAt(t *testing.T) {
	d := owing(t)
	d.day(46)
	d.want("access", d.access(), "ended")
	invoice := d.Record(collections.Invoices, d.invoice)
	if wait := collections.Time(invoice, "next_step_at").Sub(d.Clock().Now()); wait < 14*24*time.Hour {
		t.Errorf("invoice is looked at again in %s, want about a month from its end: nothing can follow any more", wait)
	}
}
