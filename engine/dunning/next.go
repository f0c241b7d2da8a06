package dunning

import "time"

// Recheck is how soon to look again where something outside holds a step up or
// a step was handed out: the caller asks again on the event itself, and this
// catches the event that got lost.
const Recheck = time.Hour

// Next returns what must happen now, in order, and when to look again; zero
// means not until a fact or the policy changes. Carry the steps out, record
// each under (invoice, Kind, N) or as an attempt, and ask again: the next step
// of escalation is only ever handed out once the one before it is on record.
// Asking twice with the same facts gives the same steps.
func Next(p Policy, f Facts, now time.Time) (due []Step, next time.Time) {
	for _, s := range newView(p, f, now).plan() {
		if s.done {
			continue
		}
		if s.due(now) {
			due = append(due, s.Step)
			next = sooner(next, now.Add(Recheck))
			continue
		}
		next = sooner(next, s.look(now))
	}
	return due, next.UTC()
}

// plan lists the steps of the invoice that are still to come, in order, and
// those already taken that others follow.
func (v *view) plan() []planned {
	if v.count(Terminate) > 0 {
		return nil
	}
	all := make([]planned, 0, len(v.notices)+8)
	add := func(s planned, ok bool) {
		if ok {
			all = append(all, s)
		}
	}
	if v.anyAlive() {
		add(v.restore())
	}
	add(v.remind())
	add(v.charge, v.charges)
	add(v.askAuthentication())
	add(v.askNewMethod())
	if v.collects() {
		all = append(all, v.notices...)
	}
	add(v.lateFee())
	if v.anyAlive() {
		all = append(all, v.planEnd()...)
	}
	return all
}

// planEnd is the suspension and what follows it.
func (v *view) planEnd() []planned {
	suspension, ok := v.planSuspension()
	if !ok {
		return nil
	}
	warning, ok := v.warn(suspension)
	if !ok {
		return []planned{suspension}
	}
	return []planned{suspension, warning, v.terminate(suspension, warning)}
}

// anyAlive says whether a service of this invoice has not ended yet.
func (v *view) anyAlive() bool {
	return len(v.services(AccessOpen))+len(v.services(AccessSuspended)) > 0
}

// FirstLook is when an invoice with this due date needs the first look: what
// happens before the due date, or the day itself, but not before it was issued.
func FirstLook(p Policy, issuedAt, dueAt time.Time) time.Time {
	return later(addDays(dueAt, -max(p.RemindDaysBefore, p.ChargeDaysBefore, 0)), issuedAt.UTC())
}
