package dunning

import (
	"time"

	"github.com/ezscale/ezscale/engine/billing"
)

// Suspended says whether this invoice demands that its services be suspended,
// and why or why not. It is the one question for suspending and for restoring:
// a service is suspended exactly while an invoice with a period of it demands
// so. Money that is on its way or not yet matched withdraws the demand; what is
// our own trouble (an outage, a notice that could not be sent, an outcome we do
// not know) only keeps it from being made, so that a gateway's bad hour neither
// suspends anyone nor restores and suspends the whole town.
func Suspended(p Policy, f Facts, now time.Time) (bool, Reason) {
	on, h := newView(p, f, now).suspended()
	if on {
		return true, Overdue
	}
	return false, h.reason
}

func (v *view) suspended() (bool, hold) {
	if h := first(v.demandHold(), v.exemptHold(), v.pausedHold(), v.unmatchedHold(), v.pendingHold()); h.on() {
		return false, h
	}
	if !v.suspendedSince().IsZero() {
		return true, hold{}
	}
	h := first(v.announcedHold(), v.unknownHold(), v.outageHold(), v.recoveryHold(), v.chargeHold())
	return !h.on(), h
}

// demandHold says why the debt as such is no reason to suspend anything (G1).
func (v *view) demandHold() hold {
	grace := addDays(v.base, v.p.SuspendDays)
	switch {
	case len(v.f.Services) == 0:
		return hold{reason: NoService}
	case v.claimed() && billing.TooSmall(v.f.Open):
		return hold{reason: TooSmall}
	case !v.unpaid():
		return hold{reason: Settled}
	case v.p.SuspendDays == 0:
		return hold{reason: SuspensionOff}
	case v.f.DeliveredAt.IsZero():
		return hold{reason: NotDelivered}
	case v.now.Before(addDays(v.due, 1)):
		return hold{NotOverdue, grace}
	}
	return untilHold(v.now, InGrace, grace)
}

// announcedHold lasts until the notices before a suspension were really sent,
// and for the stated time after the last of them.
func (v *view) announcedHold() hold {
	notice, ok := v.announcement(v.p.SuspendDays)
	if !ok || notice.sent.IsZero() {
		return hold{reason: NoticeMissing}
	}
	return untilHold(v.now, NoticeGap, notice.sent.Add(v.p.gap()))
}

// planSuspension is the suspension in force, or the one to come with what is in
// its way. ok is false where there can be none.
func (v *view) planSuspension() (planned, bool) {
	on, h := v.suspended()
	if since := v.suspendedSince(); on && !since.IsZero() && len(v.services(AccessOpen)) == 0 {
		return made(Suspend, v.count(Suspend), since), true
	}
	if v.never(h.reason) {
		return planned{}, false
	}
	s := planned{Step: Step{Kind: Suspend, N: v.count(Suspend) + 1, Services: v.services(AccessOpen)}}
	s.at, s.hold = addDays(v.base, v.p.SuspendDays), h
	notice, ok := v.announcement(v.p.SuspendDays)
	if ok {
		s.at = later(s.at, notice.when(v.now).Add(v.p.gap()))
	}
	switch h.reason {
	case NotOverdue, InGrace: // the date says it; what matters is what is still in the way then
		s.hold = first(v.exemptHold().beyond(s.at), v.pausedHold().beyond(s.at), v.unmatchedHold(), v.pendingHold().beyond(s.at), notice.before(v.now))
	case NoticeMissing:
		s.hold = notice.before(v.now)
	default:
	}
	return s, true
}

// never says whether there is no waiting for a suspension: the debt can have no
// such consequence, or it was written off and its notice will not come any more.
func (v *view) never(why Reason) bool {
	return why == NoService || why == Settled || why == TooSmall || why == SuspensionOff || why == NoticeMissing && !v.collects()
}

// restore gives access back as soon as Suspended says no, except to what another
// invoice keeps suspended.
func (v *view) restore() (planned, bool) {
	if on, _ := v.suspended(); on {
		return planned{}, false
	}
	var back []string
	for _, s := range v.f.Services {
		if s.Access == AccessSuspended && !s.Elsewhere {
			back = append(back, s.ID)
		}
	}
	if len(back) == 0 && v.suspendedSince().IsZero() {
		return planned{}, false
	}
	return planned{Step: Step{Kind: Unsuspend, N: v.count(Unsuspend) + 1, Services: back}, at: v.now}, true
}
