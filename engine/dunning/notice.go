package dunning

import "time"

// remind is the reminder before the due date. It is pointless where the invoice
// itself came as late, and once the due day has begun.
func (v *view) remind() (planned, bool) {
	at := addDays(v.due, -v.p.RemindDaysBefore)
	_, done := v.done(Reminder, 1)
	if done || !v.collects() || v.p.RemindDaysBefore == 0 || !at.After(day(v.f.IssuedAt)) || !v.now.Before(v.due) {
		return planned{}, false
	}
	h := first(v.deliveryHold(), v.pausedHold(), v.unmatchedHold(), v.pendingHold(), v.unknownHold())
	return planned{Step: Step{Kind: Reminder, N: 1}, at: at, hold: h}, true
}

// planNotices returns all overdue notices, those already sent too. One is sent
// after the other: what is made up late pushes the next one back.
func (v *view) planNotices() []planned {
	all := make([]planned, 0, len(v.p.NoticeDays))
	for i, offset := range v.p.NoticeDays {
		s := planned{Step: Step{Kind: Notice, N: i + 1}, at: addDays(v.base, offset), hold: v.noticeHold()}
		if d, ok := v.done(Notice, s.N); ok {
			s.done, s.sent = true, d.At
		}
		if i > 0 {
			before := all[i-1]
			s.hold = first(before.before(v.now), s.hold)
			if sent := before.when(v.now); day(sent).After(addDays(v.base, v.p.NoticeDays[i-1])) {
				s.at = later(s.at, sent.Add(v.p.gap()))
			}
		}
		all = append(all, s)
	}
	return all
}

// announcement is the notice that must have been sent before a consequence that
// many days after due: the last one the calendar has up to then, at least the
// first. ok is false where the policy has no notices at all.
func (v *view) announcement(days int) (notice planned, ok bool) {
	for i, offset := range v.p.NoticeDays {
		if i == 0 || offset <= days {
			notice, ok = v.notices[i], true
		}
	}
	return notice, ok
}

// lateFee is the fee, once, after the notices that come before it.
func (v *view) lateFee() (planned, bool) {
	fee, err := v.p.LateFee.Of(v.f.Open)
	_, done := v.done(LateFee, 1)
	if done || !v.collects() || v.f.FeeOnly || v.p.LateFee.Days == 0 || err != nil || fee.IsZero() {
		return planned{}, false
	}
	s := planned{Step: Step{Kind: LateFee, N: 1}, at: addDays(v.base, v.p.LateFee.Days)}
	s.hold = first(v.exemptHold(), v.noticeHold(), v.recoveryHold())
	if notice, ok := v.announcement(v.p.LateFee.Days); ok {
		s.at = later(s.at, notice.when(v.now))
		s.hold = first(s.hold, notice.before(v.now))
	}
	return s, true
}

// warn is the final warning of the suspension in force or to come, and whether
// there is one. One that was sent in an earlier suspension does not count.
func (v *view) warn(suspended planned) (planned, bool) {
	if !v.p.AutoTerminate || v.p.TerminateDays == 0 {
		return planned{}, false
	}
	since := suspended.when(v.now)
	s := planned{Step: Step{Kind: FinalWarning, N: 1}}
	for _, d := range v.f.Done {
		switch {
		case d.Kind != FinalWarning:
		case d.At.IsZero() || suspended.done && !d.At.Before(since):
			s.done, s.sent, s.N = true, d.At, d.N
		case !s.done:
			s.N = max(s.N, d.N+1)
		}
	}
	s.at = later(addDays(since, v.p.TerminateDays-v.p.FinalWarningDays), since.Add(v.p.gap()))
	s.hold = first(v.endHold(), suspended.before(v.now))
	return s, true
}

// terminate ends services that stayed suspended, once, and never sooner after
// the final warning than that had said.
func (v *view) terminate(suspended, warning planned) planned {
	s := planned{Step: Step{Kind: Terminate, N: 1, Services: v.services(AccessSuspended)}}
	told := warning.when(v.now)
	s.at = later(addDays(suspended.when(v.now), v.p.TerminateDays), later(addDays(told, v.p.FinalWarningDays), told.Add(v.p.gap())))
	s.hold = first(v.endHold(), suspended.before(v.now), warning.before(v.now))
	return s
}

// endHold keeps services from being terminated while it is not our certain
// knowledge that the customer could pay and did not.
func (v *view) endHold() hold {
	return first(v.unknownHold(), v.outageHold(), v.recoveryHold(), v.chargeHold())
}

// made is a done step that happened at a moment.
func made(kind Kind, n int, at time.Time) planned {
	return planned{Step: Step{Kind: kind, N: n}, at: at, done: true, sent: at}
}
