package dunning

import (
	"slices"
	"time"
)

// Codes of entries that are no steps.
const (
	EntryIssued    = "issued"
	EntryDelivered = "delivered"
	EntryDue       = "due"
	EntryAttempt   = "attempt" // a payment the customer began
)

// Entry is one line of an invoice's story, for the view that explains why. It
// carries codes and data; texts are made of them elsewhere.
type Entry struct {
	// At is when it happened or will, as far as can be seen now: with a Hold, not
	// earlier. Zero where the time has come and the end of Hold is not known.
	At       time.Time `json:"at,omitzero"`
	Code     string    `json:"code"` // a Kind, or one of the Entry codes
	N        int       `json:"n,omitempty"`
	Planned  bool      `json:"planned"`
	Method   string    `json:"method,omitempty"`
	Services []string  `json:"services,omitempty"`
	Result   Result    `json:"result,omitempty"` // of an attempt
	// Hold says what is in the way of a planned step, Until when that ends by
	// itself.
	Hold  Reason    `json:"hold,omitempty"`
	Until time.Time `json:"until,omitzero"`
}

// Timeline tells what happened to an invoice and what will, if nothing changes:
// the past first, then the plan, each in order of time, what has no date last.
// Of charges only the next one is foretold; the others depend on its outcome.
func Timeline(p Policy, f Facts, now time.Time) []Entry {
	v := newView(p, f, now)
	past, plan := v.past(), []Entry{}
	for _, s := range v.plan() {
		if !s.done {
			plan = append(plan, v.entry(s))
		} else if s.sent.IsZero() {
			plan = append(plan, Entry{Code: string(s.Kind), N: s.N, Planned: true, Hold: MailQueued})
		}
	}
	if v.unpaid() {
		due := Entry{At: v.due, Code: EntryDue, Planned: v.now.Before(v.due)}
		if due.Planned {
			plan = append(plan, due)
		} else {
			past = append(past, due)
		}
	}
	slices.SortStableFunc(past, byTime)
	slices.SortStableFunc(plan, byTime)
	return append(past, plan...)
}

// When foretells the next step of a kind, as a notice announces the suspension
// and a warning the termination; ask it while that mail is written. ok is false
// where no such step is to come or its time cannot be said.
func When(p Policy, f Facts, now time.Time, kind Kind) (at time.Time, ok bool) {
	v := newView(p, f, now)
	for _, s := range v.plan() {
		if s.Kind != kind || s.done {
			continue
		}
		e := v.entry(s)
		return e.At, e.Hold == "" || !e.Until.IsZero()
	}
	return time.Time{}, false
}

func byTime(a, b Entry) int {
	if a.At.IsZero() != b.At.IsZero() {
		if a.At.IsZero() {
			return 1
		}
		return -1
	}
	return a.At.Compare(b.At)
}

// past lists what is on record.
func (v *view) past() []Entry {
	var all []Entry
	add := func(e Entry) {
		if !e.At.IsZero() {
			e.At = e.At.UTC()
			all = append(all, e)
		}
	}
	add(Entry{At: v.f.IssuedAt, Code: EntryIssued})
	add(Entry{At: v.f.DeliveredAt, Code: EntryDelivered})
	tries := 0
	for _, a := range v.f.Attempts {
		e := Entry{At: a.At, Code: EntryAttempt, Method: a.Method, Result: a.Result}
		if !a.ByCustomer {
			tries++
			e.Code, e.N = string(Charge), tries
		}
		add(e)
	}
	for _, d := range v.f.Done {
		add(Entry{At: d.At, Code: string(d.Kind), N: d.N})
	}
	return all
}

// entry foretells a step. What a date says already is no hold.
func (v *view) entry(s planned) Entry {
	e := Entry{At: s.when(v.now), Code: string(s.Kind), N: s.N, Planned: true, Method: s.Method, Services: s.Services}
	switch s.hold.reason {
	case "", PreviousStep, NotOverdue, InGrace, NoticeGap:
		return e
	default:
	}
	e.Hold, e.Until = s.hold.reason, s.hold.until
	if e.Until.IsZero() && !s.at.After(v.now) {
		e.At = time.Time{}
	}
	return e
}
