package billing

// Act is something that a customer, or staff for a customer, may do to a
// subscription.
type Act string

// The acts.
const (
	ActChange     Act = "change"      // of plan, options, quantity or cycle
	ActUndoChange Act = "undo_change" // until it takes effect
	ActCancel     Act = "cancel"
	ActUndoCancel Act = "undo_cancel" // until it takes effect
	ActPause      Act = "pause"
	ActResume     Act = "resume" // also takes back a pause that has not begun
)

// Acts lists every act, in the order in which people are shown them.
func Acts() []Act {
	return []Act{ActChange, ActUndoChange, ActCancel, ActUndoCancel, ActPause, ActResume}
}

// Standing is what decides about what may be done to a subscription.
type Standing struct {
	Status       SubscriptionStatus
	GatewayOwned bool // a gateway owns the schedule
	Cycle        Cycle
	Ends         bool // a cancellation is agreed
	Pauses       bool // a pause is agreed and has not begun
	Changing     bool // a change is agreed and has not taken effect
	Overdue      bool // an invoice with a period of it is overdue
	Suspended    bool // access is off
}

// Refusal says why something cannot be done: a code for programs and a sentence
// for people. The zero Refusal is none.
type Refusal struct {
	Code string
	Text string
}

// The refusals.
var (
	refuseCancelled  = Refusal{"cancelled", "This subscription has ended."}
	refusePending    = Refusal{"not_paid", "The order of this subscription is not paid yet. Pay it, or cancel the order."}
	refuseGateway    = Refusal{"gateway_owned", "The payment provider keeps the schedule of this subscription. You can cancel it here; for anything else please contact us."}
	refuseOneTime    = Refusal{"one_time", "This was paid once and does not recur, so there is nothing to change or pause."}
	refuseEnds       = Refusal{"ends", "This subscription is cancelled. Undo the cancellation first."}
	refuseNotEnding  = Refusal{"not_ending", "This subscription is not cancelled, so there is nothing to undo."}
	refusePauses     = Refusal{"pauses", "A pause is agreed. Take it back first."}
	refusePaused     = Refusal{"paused", "This subscription is paused. Resume it first."}
	refuseNotPaused  = Refusal{"not_paused", "This subscription is not paused."}
	refuseChanging   = Refusal{"changing", "A change of this subscription is already agreed. Wait until it takes effect, or cancel it."}
	refuseNoChange   = Refusal{"no_change", "No change of this subscription is waiting."}
	refuseOverdue    = Refusal{"overdue", "An invoice of this subscription is overdue. Please pay it first."}
	refuseSuspended  = Refusal{"suspended", "This service is suspended. Please contact us, or pay what is overdue."}
	refuseTrialPause = Refusal{"trial", "A trial cannot be paused. It costs nothing until it ends; cancel it if you do not want it."}
	refuseHourly     = Refusal{"hourly", "What is paid by the hour cannot be paused. Cancel it; hours are counted only while it runs."}
)

// Refuse says why an act is not possible now; the zero Refusal means that it is.
// The operations and what customers are shown both ask it.
func (s Standing) Refuse(a Act) Refusal {
	switch {
	case s.Status == SubscriptionCancelled:
		return refuseCancelled
	case s.Status == SubscriptionPending:
		return refusePending
	case s.GatewayOwned && a == ActCancel && s.Ends:
		return refuseEnds
	case s.GatewayOwned && a != ActCancel:
		return refuseGateway // its terms are the gateway's; it can be ended from here
	}
	switch a {
	case ActChange:
		return s.refuseChange()
	case ActPause:
		return s.refusePause()
	case ActUndoChange:
		return unless(s.Changing, refuseNoChange)
	case ActUndoCancel:
		return unless(s.Ends, refuseNotEnding)
	case ActResume:
		return s.refuseResume()
	case ActCancel:
	}
	return Refusal{}
}

func unless(ok bool, r Refusal) Refusal {
	if ok {
		return Refusal{}
	}
	return r
}

func (s Standing) refuseResume() Refusal {
	switch {
	case s.Status == SubscriptionPaused && s.Overdue:
		return refuseOverdue
	case s.Status == SubscriptionPaused || s.Pauses:
		return Refusal{}
	}
	return refuseNotPaused
}

// refuseChange also holds back what a change would be computed from wrongly: a
// period that is not paid, an end or pause that is agreed.
func (s Standing) refuseChange() Refusal {
	switch {
	case s.Cycle == OneTime:
		return refuseOneTime
	case s.Ends:
		return refuseEnds
	case s.Status == SubscriptionPaused:
		return refusePaused
	case s.Pauses:
		return refusePauses
	case s.Changing:
		return refuseChanging
	case s.Overdue || s.Status == SubscriptionPastDue:
		return refuseOverdue
	case s.Suspended:
		return refuseSuspended
	}
	return Refusal{}
}

// refusePause: a pause begins where a paid period ends, so it needs one.
func (s Standing) refusePause() Refusal {
	switch {
	case s.Cycle == OneTime:
		return refuseOneTime
	case s.Cycle == Hourly:
		return refuseHourly
	case s.Status == SubscriptionTrialing:
		return refuseTrialPause
	}
	return s.refuseChange()
}
