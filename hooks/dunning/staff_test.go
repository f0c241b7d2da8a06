package dunning_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/testapp"
)

// staff calls an operation of staff's about the invoice or the customer.
func (d *debt) staff(status int, method, path string, body map[string]any) *testapp.Answer {
	d.Helper()
	return d.Want(status, d.Do(method, "/api/v1/staff/"+path, d.Staff(), body))
}

func (d *debt) audited(action string) {
	d.Helper()
	if n := d.Count(collections.AuditLogs, "`action` = '"+action+"' AND `actor_kind` = 'staff' AND `changes` LIKE '%because%'"); n != 1 {
		d.Errorf("%s is on record %d times with its reason, want once", action, n)
	}
}

func TestStaffOperationsRefuseNonsense(t *testing.T) {
	d := owing(t)
	customer, invoice := "customers/"+d.ada.Id, "invoices/"+d.invoice+"/dunning"
	soon, past := d.Clock().Now().Add(time.Hour), d.Clock().Now().Add(-time.Hour)
	scenarios := []struct {
		name, method, path string
		body               map[string]any
		field              string
	}{
		{"exempt without a reason", http.MethodPost, customer + "/exemption", map[string]any{"until": soon}, "reason"},
		{"exempt until yesterday", http.MethodPost, customer + "/exemption", map[string]any{"until": past, "reason": "because"}, "until"},
		{"exempt for ever", http.MethodPost, customer + "/exemption", map[string]any{"until": soon.AddDate(2, 0, 0), "reason": "because"}, "until"},
		{"pause until yesterday", http.MethodPost, invoice + "/pause", map[string]any{"until": past, "reason": "because"}, "until"},
		{"a step that is none", http.MethodPost, invoice + "/run", map[string]any{"kind": "terminate", "reason": "because"}, "kind"},
		{"skip a charge", http.MethodPost, invoice + "/skip", map[string]any{"kind": "charge", "reason": "because"}, "kind"},
		{"suspend after a decade", http.MethodPut, customer + "/dunning", map[string]any{"suspend_days": 4000, "reason": "because"}, "suspend_days"},
		{"suspend before any notice", http.MethodPut, customer + "/dunning", map[string]any{"suspend_days": 1, "reason": "because"}, "notice_days"},
	}
	before := d.Rows()
	for _, s := range scenarios {
		if r := d.staff(http.StatusUnprocessableEntity, s.method, s.path, s.body); !slices.Contains(r.Fields(), s.field) {
			t.Errorf("%s: got the fields %v, want %s: %s", s.name, r.Fields(), s.field, r)
		}
	}
	for _, path := range []string{"customers/nosuchcustomer1/exemption", "invoices/nosuchinvoice12/dunning/pause"} {
		d.staff(http.StatusNotFound, http.MethodPost, path, map[string]any{"until": soon, "reason": "because"})
	}
	d.Unchanged(before)
	if r := d.Do(http.MethodPost, "/api/collections/billing_profiles/records", d.Staff(), map[string]any{"user": d.ada.Id, "dunning": map[string]any{"suspend_day": 3}}); r.Status != http.StatusBadRequest {
		t.Errorf("a mistyped term in the admin UI: got %s, want 400", r)
	}
}

func TestE6StaffExemptsUntilADate(t *testing.T) {
	d := owing(t)
	r := d.staff(http.StatusOK, http.MethodPost, "customers/"+d.ada.Id+"/exemption", map[string]any{"until": d.due.AddDate(0, 0, 9), "reason": "because"})
	if r.Text("exempt_until") == "" {
		t.Errorf("got %s", r)
	}
	d.audited("dunning.exempt")
	d.day(8)
	d.want("exempt", d.service(), "active")
	d.day(9)
	d.want("lapsed", d.service(), "suspended")
	d.staff(http.StatusOK, http.MethodPost, "customers/"+d.ada.Id+"/exemption", map[string]any{"until": d.due.AddDate(0, 0, 20), "reason": "once more"})
	d.Settle()
	d.want("exempt again: restored", d.service(), "active")
	d.staff(http.StatusOK, http.MethodPost, "customers/"+d.ada.Id+"/exemption", map[string]any{"reason": "no more"})
	d.Settle()
	d.want("ended: suspended", d.service(), "suspended")
}

func TestStaffHoldsAnInvoiceBack(t *testing.T) {
	d := owing(t)
	d.day(1)
	d.staff(http.StatusOK, http.MethodPost, "invoices/"+d.invoice+"/dunning/pause", map[string]any{"until": d.due.AddDate(0, 0, 10), "reason": "because"})
	d.audited("dunning.pause")
	d.day(9)
	d.want("held back", d.story(), "reminder1 notice1")
	d.day(15)
	d.want("then made up, step by step", d.story(), settled3+" suspend1")
}

func TestTermsOfOneCustomer(t *testing.T) {
	d := owing(t)
	d.staff(http.StatusOK, http.MethodPut, "customers/"+d.ada.Id+"/dunning", map[string]any{"suspend_days": 12, "reason": "because"})
	d.audited("dunning.terms")
	d.day(11)
	d.want("later than others", d.service(), "active")
	d.day(12)
	d.want("but then", d.service(), "suspended")
}

func TestStaffTakesAndLeavesOutSteps(t *testing.T) {
	d := owing(t, testapp.CardWorks)
	path := "invoices/" + d.invoice + "/dunning"
	d.staff(http.StatusOK, http.MethodPost, path+"/skip", map[string]any{"kind": "reminder", "reason": "because"})
	d.audited("dunning.skip")
	d.want("recorded", d.story(), "reminder1")
	d.day(-1)
	if strings.Contains(d.subjects(), "is due on") {
		t.Errorf("the reminder was sent all the same:\n%s", d.subjects())
	}
	r := d.staff(http.StatusConflict, http.MethodPost, path+"/run", map[string]any{"kind": "late_fee", "reason": "because"})
	if r.Code() != "nothing_to_do" {
		t.Errorf("a fee that the policy lacks: got %s", r)
	}
	d.staff(http.StatusOK, http.MethodPost, path+"/run", map[string]any{"kind": "charge", "reason": "because"})
	d.audited("dunning.run")
	d.Eventually("it is paid before its time", func() bool { return d.status() == "paid" })
	if n := d.Stripe.Paid(d.invoice); n != 1 {
		t.Errorf("%d charges, want 1", n)
	}
	d.day(1)
	d.want("and the calendar does not repeat it", d.story(), "reminder1 charge:succeeded")
}

func TestTheAnnouncementCannotBeLeftOut(t *testing.T) {
	d := owing(t)
	d.day(3)
	r := d.staff(http.StatusConflict, http.MethodPost, "invoices/"+d.invoice+"/dunning/skip", map[string]any{"kind": "notice", "reason": "because"})
	if r.Code() != "announcement" {
		t.Errorf("got %s, want announcement", r)
	}
}

func TestALateFeeIsChargedOnce(t *testing.T) {
	d := owing(t)
	d.policy(map[string]any{"late_fee": map[string]any{"days": 2, "kind": "fixed", "fixed_minor": map[string]int64{"EUR": 250}, "basis_points": 0}})
	for day := 0; day <= 12; day++ {
		d.day(day)
	}
	fee := d.One(collections.Invoices, dbx.HashExp{"kind": "late_fee"})
	if n := d.Count(collections.Invoices, "`kind` = 'late_fee'"); n != 1 || fee.GetString("parent") != d.invoice || fee.GetInt64("total_minor") != 250 {
		t.Errorf("%d fees, the first of %d for %s; want one of 250 for %s", n, fee.GetInt64("total_minor"), fee.GetString("parent"), d.invoice)
	}
	d.want("story", d.story(), "reminder1 notice1 late_fee1 notice2 notice3 suspend1")
	d.transfer(490)
	d.Settle()
	d.want("the fee suspends nothing", d.service(), "active")
}

// policy changes the settings group of dunning; what is left out is the default.
func (d *debt) policy(change map[string]any) {
	d.Helper()
	whole := map[string]any{
		"remind_days_before": 7, "charge_days_before": 0, "retry_days": []int{1, 3, 5, 7}, "retry_from": "due", "max_tries": 8, "fallback_methods": true,
		"notice_days": []int{1, 3, 4}, "late_fee": map[string]any{"days": 0, "kind": "fixed", "basis_points": 0}, "suspend_days": 5, "auto_terminate": true,
		"terminate_days": 30, "final_warning_days_before_terminate": 7, "notice_gap_hours": 24, "pending_hold_days": 14, "recovery_grace_hours": 24,
	}
	for k, v := range change {
		whole[k] = v
	}
	d.Want(http.StatusOK, d.Do(http.MethodPost, "/api/collections/settings/records", d.Staff(), map[string]any{"key": "dunning", "value": whole}))
}
