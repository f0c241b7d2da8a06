package dunning

import (
	"errors"
	"fmt"
	"time"
)

// RetryFrom says what the days of a retry calendar are counted from.
type RetryFrom string

// The two ways to count. With FromDue, [1,3] tries again one and three days
// after the due date; with FromLastTry one day after the first decline and
// three days after the second.
const (
	FromDue     RetryFrom = "due"
	FromLastTry RetryFrom = "last_try"
)

// Policy is how invoices are collected: settings group "dunning". Days after
// due are counted from the due date, or from the day the invoice was delivered
// where that is later; a customer gets the whole grace after reading of it.
type Policy struct {
	RemindDaysBefore int `json:"remind_days_before"` // 0 = no reminder
	ChargeDaysBefore int `json:"charge_days_before"` // 0 = on the due date
	// RetryDays is the calendar of retries after soft declines, for each card; a
	// card is tried once more often than it has entries.
	RetryDays []int     `json:"retry_days"`
	RetryFrom RetryFrom `json:"retry_from"`
	// MaxTries bounds the automatic tries for one invoice over all cards; 0
	// charges nothing automatically.
	MaxTries int `json:"max_tries"`
	// FallbackMethods tries the other saved methods once the default one failed
	// for good or ran out of retries.
	FallbackMethods bool `json:"fallback_methods"`

	NoticeDays []int `json:"notice_days"` // one overdue notice for each, days after due
	LateFee    Fee   `json:"late_fee"`

	SuspendDays   int  `json:"suspend_days"` // after due; 0 = never
	AutoTerminate bool `json:"auto_terminate"`
	// TerminateDays after the suspension services are terminated. The final
	// warning is sent FinalWarningDays earlier, and when it goes out late, the
	// termination waits that many days after it.
	TerminateDays    int `json:"terminate_days"`
	FinalWarningDays int `json:"final_warning_days_before_terminate"`

	// NoticeGapHours is the least time between a notice that was really sent and
	// the suspension or termination it announces, and between notices that are
	// made up after downtime.
	NoticeGapHours int `json:"notice_gap_hours"`
	// PendingHoldDays is how long a payment that is on its way, or whose outcome
	// is not known, holds up notices, fees and suspension.
	PendingHoldDays int `json:"pending_hold_days"`
	// RecoveryGraceHours after a gateway's outage nothing is suspended yet.
	RecoveryGraceHours int `json:"recovery_grace_hours"`
}

// Default is the policy of a new installation.
func Default() Policy {
	return Policy{
		RemindDaysBefore: 7,
		RetryDays:        []int{1, 3, 5, 7}, RetryFrom: FromDue, MaxTries: 8, FallbackMethods: true,
		NoticeDays:  []int{1, 3, 4},
		LateFee:     Fee{Kind: FeeFixed},
		SuspendDays: 5, AutoTerminate: true, TerminateDays: 30, FinalWarningDays: 7,
		NoticeGapHours: 24, PendingHoldDays: 14, RecoveryGraceHours: 24,
	}
}

// Bounds of the settings. Card schemes cap re-attempts at about 15 in 30 days
// (facts of Stripe, section 4).
const (
	maxDays  = 365
	maxTries = 15
	maxSteps = 9
)

// Check refuses a policy that makes no sense; the error begins with the name of
// the field.
func (p Policy) Check() error {
	for _, b := range []struct {
		field          string
		got, low, high int
	}{
		{"remind_days_before", p.RemindDaysBefore, 0, 60},
		{"charge_days_before", p.ChargeDaysBefore, 0, 30},
		{"max_tries", p.MaxTries, 0, maxTries},
		{"suspend_days", p.SuspendDays, 0, maxDays},
		{"terminate_days", p.TerminateDays, 0, maxDays},
		{"final_warning_days_before_terminate", p.FinalWarningDays, 0, maxDays},
		{"notice_gap_hours", p.NoticeGapHours, 1, 14 * 24},
		{"pending_hold_days", p.PendingHoldDays, 0, 60},
		{"recovery_grace_hours", p.RecoveryGraceHours, 0, 14 * 24},
	} {
		if b.got < b.low || b.got > b.high {
			return fmt.Errorf("%s is %d and must be %d to %d", b.field, b.got, b.low, b.high)
		}
	}
	if p.RetryFrom != FromDue && p.RetryFrom != FromLastTry {
		return fmt.Errorf("retry_from is %q and must be due or last_try", p.RetryFrom)
	}
	if err := checkDays("retry_days", p.RetryDays, maxTries, p.RetryFrom == FromDue); err != nil {
		return err
	}
	if err := checkDays("notice_days", p.NoticeDays, maxSteps, true); err != nil {
		return err
	}
	if err := p.LateFee.Check(); err != nil {
		return fmt.Errorf("late_fee.%w", err)
	}
	return p.checkOrder()
}

// checkOrder refuses consequences that would come before their announcement.
func (p Policy) checkOrder() error {
	if p.SuspendDays > 0 && (len(p.NoticeDays) == 0 || p.NoticeDays[0] >= p.SuspendDays) {
		return fmt.Errorf("notice_days must begin before suspend_days (%d): nothing is suspended without a notice", p.SuspendDays)
	}
	if !p.AutoTerminate {
		return nil
	}
	if p.SuspendDays == 0 {
		return errors.New("auto_terminate needs suspend_days: only what is suspended is terminated")
	}
	if p.FinalWarningDays < 1 || p.FinalWarningDays >= p.TerminateDays {
		return fmt.Errorf("final_warning_days_before_terminate must be 1 to %d, below terminate_days", p.TerminateDays-1)
	}
	return nil
}

func checkDays(field string, days []int, most int, rising bool) error {
	if len(days) > most {
		return fmt.Errorf("%s has %d entries, at most %d", field, len(days), most)
	}
	for i, d := range days {
		if d < 1 || d > maxDays {
			return fmt.Errorf("%s: %d must be 1 to %d", field, d, maxDays)
		}
		if rising && i > 0 && d <= days[i-1] {
			return fmt.Errorf("%s: %d must be later than the %d before it", field, d, days[i-1])
		}
	}
	return nil
}

func (p Policy) gap() time.Duration { return time.Duration(max(p.NoticeGapHours, 1)) * time.Hour }

// Overrides are the offsets staff agreed with one customer; nil leaves the
// policy's. An exemption is no offset but a date, Facts.ExemptUntil.
type Overrides struct {
	RemindDaysBefore *int `json:"remind_days_before,omitempty"`
	ChargeDaysBefore *int `json:"charge_days_before,omitempty"`
	LateFeeDays      *int `json:"late_fee_days,omitempty"`
	SuspendDays      *int `json:"suspend_days,omitempty"`
	TerminateDays    *int `json:"terminate_days,omitempty"`
}

// With returns p as it is for a customer with these overrides. An override may
// put a consequence off or switch it off; Check the result before storing one.
func (p Policy) With(o Overrides) Policy {
	for _, set := range []struct {
		into *int
		to   *int
	}{
		{&p.RemindDaysBefore, o.RemindDaysBefore},
		{&p.ChargeDaysBefore, o.ChargeDaysBefore},
		{&p.LateFee.Days, o.LateFeeDays},
		{&p.SuspendDays, o.SuspendDays},
		{&p.TerminateDays, o.TerminateDays},
	} {
		if set.to != nil {
			*set.into = *set.to
		}
	}
	return p
}
