package dunning

import (
	"time"

	"github.com/ezscale/ezscale/engine/billing"
)

// view is the facts at a moment, with what most questions need worked out.
type view struct {
	p    Policy
	f    Facts
	now  time.Time
	due  time.Time // day the invoice is due
	base time.Time // day from which being late is counted: due or delivered
	// attempts made automatically, and those of them that count as tries.
	attempts int
	tries    int
	lastTry  time.Time
	charge   planned
	charges  bool // whether there is a charge to come
	notices  []planned
}

func newView(p Policy, f Facts, now time.Time) *view {
	v := &view{p: p, f: f, now: now.UTC(), due: day(f.DueAt)}
	v.base = v.due
	if !f.DeliveredAt.IsZero() {
		v.base = later(v.due, day(f.DeliveredAt))
	}
	for _, a := range f.Attempts {
		if !a.ByCustomer {
			v.attempts++
		}
		if a.isTry() {
			v.tries++
			v.lastTry = later(v.lastTry, a.At)
		}
	}
	v.charge, v.charges = v.nextCharge()
	v.notices = v.planNotices()
	return v
}

// claimed says whether the invoice stands and is not paid.
func (v *view) claimed() bool {
	return v.f.Status == billing.InvoiceOpen || v.f.Status == billing.InvoiceUncollectible
}

// unpaid says whether money is owed that can be collected, written off or not.
func (v *view) unpaid() bool {
	return v.claimed() && v.f.Open.Sign() > 0 && !billing.TooSmall(v.f.Open) && !v.f.DueAt.IsZero()
}

// collects says whether we still ask for the money: a debt that was written off
// keeps its consequences, but nobody is charged or written to any more.
func (v *view) collects() bool { return v.f.Status == billing.InvoiceOpen && v.unpaid() }

func (v *view) done(kind Kind, n int) (Done, bool) {
	for _, d := range v.f.Done {
		if d.Kind == kind && d.N == n {
			return d, true
		}
	}
	return Done{}, false
}

// count is how often a kind of step was recorded.
func (v *view) count(kind Kind) int {
	n := 0
	for _, d := range v.f.Done {
		if d.Kind == kind {
			n++
		}
	}
	return n
}

// suspendedSince is when this invoice last suspended its services; zero unless
// it did and has not restored them since.
func (v *view) suspendedSince() time.Time {
	var on, off Done
	for _, d := range v.f.Done {
		switch {
		case d.Kind == Suspend && d.N > on.N:
			on = d
		case d.Kind == Unsuspend && d.N > off.N:
			off = d
		}
	}
	if off.N >= on.N {
		return time.Time{}
	}
	return on.At
}

// services lists those in a state of access.
func (v *view) services(in Access) []string {
	var ids []string
	for _, s := range v.f.Services {
		if s.Access == in {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// attempt says whether any attempt has this result, and when the last was.
func (v *view) attempt(r Result) (at time.Time, any bool) {
	for _, a := range v.f.Attempts {
		if a.Result == r {
			at, any = later(at, a.At), true
		}
	}
	return at, any
}
