package dunning

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestPolicyCheckNamesTheField(t *testing.T) {
	scenarios := []struct {
		name   string
		change func(*Policy)
		want   string // beginning of the error, "" for none
	}{
		{"default", func(*Policy) {}, ""},
		{"all off", func(p *Policy) { *p = Policy{RetryFrom: FromDue, LateFee: Fee{Kind: FeeFixed}, NoticeGapHours: 1} }, ""},
		{"reminder before the world began", func(p *Policy) { p.RemindDaysBefore = 61 }, "remind_days_before "},
		{"negative reminder", func(p *Policy) { p.RemindDaysBefore = -1 }, "remind_days_before "},
		{"charge after due", func(p *Policy) { p.ChargeDaysBefore = -1 }, "charge_days_before "},
		{"retry on the day of the try", func(p *Policy) { p.RetryDays = []int{0} }, "retry_days: 0 "},
		{"retries out of order", func(p *Policy) { p.RetryDays = []int{3, 1} }, "retry_days: 1 "},
		{"retries twice a day", func(p *Policy) { p.RetryDays = []int{3, 3} }, "retry_days: 3 "},
		{"distances may repeat", func(p *Policy) { p.RetryDays, p.RetryFrom = []int{3, 3, 1}, FromLastTry }, ""},
		{"too many retries", func(p *Policy) { p.RetryDays, p.RetryFrom = make([]int, 16), FromLastTry }, "retry_days has 16 "},
		{"counted from nowhere", func(p *Policy) { p.RetryFrom = "" }, "retry_from "},
		{"tries beyond what card schemes allow", func(p *Policy) { p.MaxTries = 16 }, "max_tries "},
		{"notices out of order", func(p *Policy) { p.NoticeDays = []int{1, 4, 3} }, "notice_days: 3 "},
		{"notice on the due day", func(p *Policy) { p.NoticeDays = []int{0, 1} }, "notice_days: 0 "},
		{"too many notices", func(p *Policy) { p.NoticeDays = []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10} }, "notice_days has 10 "},
		{"suspension without notice", func(p *Policy) { p.NoticeDays = nil }, "notice_days "},
		{"suspension on the day of the notice", func(p *Policy) { p.NoticeDays, p.SuspendDays = []int{5}, 5 }, "notice_days "},
		{"negative suspension", func(p *Policy) { p.SuspendDays = -1 }, "suspend_days "},
		{"suspension off needs no notice", func(p *Policy) { p.NoticeDays, p.SuspendDays, p.AutoTerminate = nil, 0, false }, ""},
		{"termination of what is not suspended", func(p *Policy) { p.SuspendDays = 0 }, "auto_terminate "},
		{"no final warning", func(p *Policy) { p.FinalWarningDays = 0 }, "final_warning_days_before_terminate "},
		{"warned before suspended", func(p *Policy) { p.FinalWarningDays = 30 }, "final_warning_days_before_terminate "},
		{"warning out of bounds", func(p *Policy) { p.FinalWarningDays = 1000 }, "final_warning_days_before_terminate "},
		{"termination out of bounds", func(p *Policy) { p.TerminateDays = 366 }, "terminate_days "},
		{"no gap", func(p *Policy) { p.NoticeGapHours = 0 }, "notice_gap_hours "},
		{"hold out of bounds", func(p *Policy) { p.PendingHoldDays = 61 }, "pending_hold_days "},
		{"grace out of bounds", func(p *Policy) { p.RecoveryGraceHours = -1 }, "recovery_grace_hours "},
		{"fee before due", func(p *Policy) { p.LateFee.Days = -1 }, "late_fee.days "},
		{"fee of no kind", func(p *Policy) { p.LateFee.Kind = "" }, "late_fee.kind "},
		{"fee of 100 %", func(p *Policy) { p.LateFee.BasisPoints = 10000 }, "late_fee.basis_points "},
		{"fee in no currency", func(p *Policy) { p.LateFee.Fixed = map[string]int64{"eur": 1} }, "late_fee.fixed_minor: "},
		{"negative minimum", func(p *Policy) { p.LateFee.Minimum = map[string]int64{"EUR": -1} }, "late_fee.minimum_minor: "},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			p := Default()
			s.change(&p)
			err := p.Check()
			if s.want == "" && err != nil || s.want != "" && (err == nil || !strings.HasPrefix(err.Error(), s.want)) {
				t.Errorf("error %v, want one that begins with %q", err, s.want)
			}
		})
	}
}

func TestPolicySurvivesStorage(t *testing.T) {
	p := Default()
	p.LateFee = Fee{Days: 7, Kind: FeePercent, BasisPoints: 500, Minimum: map[string]int64{"EUR": 250}}
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back Policy
	if err := json.Unmarshal(raw, &back); err != nil || !reflect.DeepEqual(back, p) {
		t.Errorf("read back %+v (%v), stored %+v", back, err, p)
	}
	part := Default()
	if err := json.Unmarshal([]byte(`{"suspend_days": 9, "notice_days": [2]}`), &part); err != nil {
		t.Fatal(err)
	}
	if part.SuspendDays != 9 || len(part.NoticeDays) != 1 || part.TerminateDays != 30 {
		t.Errorf("a partial group over the defaults: %+v", part)
	}
}

func TestOverrides(t *testing.T) {
	p := Default()
	if got := p.With(Overrides{}); !reflect.DeepEqual(got, p) {
		t.Errorf("no overrides: %+v, want %+v", got, p)
	}
	got := p.With(Overrides{RemindDaysBefore: new(0), ChargeDaysBefore: new(2), LateFeeDays: new(14), SuspendDays: new(10), TerminateDays: new(90)})
	if got.RemindDaysBefore != 0 || got.ChargeDaysBefore != 2 || got.LateFee.Days != 14 || got.SuspendDays != 10 || got.TerminateDays != 90 {
		t.Errorf("overrides: %+v", got)
	}
	if p.SuspendDays != 5 || p.LateFee.Days != 0 {
		t.Errorf("the policy itself changed: %+v", p)
	}
}
