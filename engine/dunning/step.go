package dunning

import "time"

// Kind is what a step does.
type Kind string

// The kinds of step.
const (
	Reminder          Kind = "reminder"           // before the due date
	Charge            Kind = "charge"             // Step.Method, automatic attempt number N
	AskAuthentication Kind = "ask_authentication" // mail the link to confirm attempt number N
	AskNewMethod      Kind = "ask_new_method"     // no saved method is left after N-1 attempts
	Notice            Kind = "notice"             // overdue notice number N
	LateFee           Kind = "late_fee"
	Suspend           Kind = "suspend"
	Unsuspend         Kind = "unsuspend"
	FinalWarning      Kind = "final_warning" // before termination
	Terminate         Kind = "terminate"
)

// Step is something to do now. Kind and N together happen once per invoice.
type Step struct {
	Kind Kind
	N    int // from 1
	// Method to be charged, for Charge alone.
	Method string
	// Services to act on, for Suspend, Unsuspend and Terminate. It may be empty
	// where another invoice has done it already: record the step all the same.
	Services []string
}

// Reason says why services are suspended or why a step does not happen.
type Reason string

// The reasons. Overdue alone is one for being suspended.
const (
	Overdue Reason = "overdue"

	NoService       Reason = "no_service"    // no period of a service is billed
	Settled         Reason = "settled"       // paid, void, or not issued
	TooSmall        Reason = "too_small"     // less than any gateway takes
	SuspensionOff   Reason = "off"           // by policy
	NotDelivered    Reason = "not_delivered" // the customer never got the invoice
	NotOverdue      Reason = "not_overdue"
	InGrace         Reason = "grace"
	Exempt          Reason = "exempt"
	Paused          Reason = "paused"
	UnmatchedMoney  Reason = "unmatched_money"
	PaymentPending  Reason = "payment_pending"
	OutcomeUnknown  Reason = "outcome_unknown"
	NoticeMissing   Reason = "notice_missing" // not sent yet
	NoticeGap       Reason = "notice_gap"     // sent too short a time ago
	GatewayDown     Reason = "gateway_down"
	GatewayRecovers Reason = "gateway_recovers"
	ChargeDue       Reason = "charge_due"     // a charge comes first
	Authentication  Reason = "authentication" // waits for the customer to confirm
	PreviousStep    Reason = "previous_step"  // comes after the step before it
	MailQueued      Reason = "mail_queued"    // claimed, and not yet sent
)

// hold is what keeps a step from happening. until is when it ends by itself,
// zero where something outside must happen first.
type hold struct {
	reason Reason
	until  time.Time
}

func (h hold) on() bool { return h.reason != "" }

// beyond is h if it lasts longer than until at.
func (h hold) beyond(at time.Time) hold {
	if !h.until.IsZero() && !h.until.After(at) {
		return hold{}
	}
	return h
}

// first returns the first hold of several that is on.
func first(holds ...hold) hold {
	for _, h := range holds {
		if h.on() {
			return h
		}
	}
	return hold{}
}

// planned is a step with its earliest moment and with what is in its way.
type planned struct {
	Step
	at   time.Time
	hold hold
	done bool
	sent time.Time // zero while a done step is only claimed
}

func (s planned) due(now time.Time) bool { return !s.done && !s.hold.on() && !s.at.After(now) }

// when is the moment a step happened, or will as far as can be seen.
func (s planned) when(now time.Time) time.Time {
	if !s.sent.IsZero() {
		return s.sent
	}
	return later(later(s.at, s.hold.until), now)
}

// before holds a step that may only follow s: until s was really done, and for
// the same reason that holds s.
func (s planned) before(now time.Time) hold {
	if !s.sent.IsZero() {
		return hold{}
	}
	return first(s.hold, hold{PreviousStep, s.when(now)})
}

// look is when this step may change by the mere passing of time.
func (s planned) look(now time.Time) time.Time {
	switch {
	case s.at.After(now):
		return s.at
	case s.hold.until.After(now):
		return s.hold.until
	}
	return now.Add(Recheck)
}
