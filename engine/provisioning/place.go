package provisioning

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Panel is one of the platforms that may take a new service: those of a kind and
// group are one offer to customers, whichever of them builds it.
type Panel struct {
	ID       string
	Name     string // for people
	Location string
	Enabled  bool
	Closed   bool          // keeps what it has and takes nothing new
	Full     bool          // refused this very order for want of room
	Rests    time.Duration // how long no calls are made to it, since it did not answer; 0 is not at all
	Weight   int64         // share of the services; below 1 counts as 1
	Capacity int64         // most services; 0 is no limit
	Used     int64         // services it has
	Unfit    string        // why it cannot build this order whatever room it has, "" if it can
}

// Takes says why a panel does not take another service at a location, "" where it
// does. An empty location is any.
func (p Panel) Takes(location string) (refusal string) {
	switch {
	case !p.at(location):
		return fmt.Sprintf("is at %q, not %q", p.Location, location)
	case p.Unfit != "":
		return p.Unfit
	case !p.Enabled:
		return "is switched off"
	case p.Closed:
		return "takes no new services"
	case p.Capacity > 0 && p.Used >= p.Capacity:
		return fmt.Sprintf("is full (%d of %d)", p.Used, p.Capacity)
	case p.Full:
		return "says that it has no room"
	case p.Rests > 0:
		return fmt.Sprintf("does not answer; it is asked again in %s", p.Rests.Round(time.Second))
	}
	return ""
}

func (p Panel) at(location string) bool {
	return location == "" || strings.EqualFold(strings.TrimSpace(p.Location), strings.TrimSpace(location))
}

// fits says that a panel could take the order if it had room and were on.
func (p Panel) fits(location string) bool { return p.at(location) && p.Unfit == "" }

func (p Panel) weight() int64 { return max(p.Weight, 1) }

// Place chooses the panel that takes a new service, out of those of a group. The
// preferred one, by id, keeps it where it takes it. Otherwise it is the one whose
// share of the services is then nearest to its share of the weights (Sainte-Laguë's
// rule), among equals the one with the larger part of its capacity free, then the
// first by id, so that the same panels always give the same choice. The error is a
// NoPlaceError.
func Place(panels []Panel, location, preferred string) (Panel, error) {
	var best *Panel
	for i := range panels {
		p := &panels[i]
		if p.Takes(location) != "" {
			continue
		}
		if p.ID == preferred {
			return *p, nil
		}
		if best == nil || p.before(*best) {
			best = p
		}
	}
	if best == nil {
		return Panel{}, noPlace(panels, location)
	}
	return *best, nil
}

// before orders panels that take the service, the better one first.
func (p Panel) before(q Panel) bool {
	if c := cmp.Compare((2*p.Used+1)*q.weight(), (2*q.Used+1)*p.weight()); c != 0 {
		return c < 0
	}
	if c := p.compareFree(q); c != 0 {
		return c > 0
	}
	return p.ID < q.ID
}

// compareFree compares the parts of the capacities that are free; without a limit
// all of it is.
func (p Panel) compareFree(q Panel) int {
	free := func(p Panel) (left, of int64) {
		if p.Capacity == 0 {
			return 1, 1
		}
		return p.Capacity - p.Used, p.Capacity
	}
	pLeft, pOf := free(p)
	qLeft, qOf := free(q)
	return cmp.Compare(pLeft*qOf, qLeft*pOf)
}

// NoPlaceError says why none of the panels takes a service. It is an ErrTemporary
// where one of them is only to be asked again, then with the time until that; an
// ErrPermanent where none of them could ever take it; otherwise an ErrCapacity.
type NoPlaceError struct {
	Reasons []string // "Berlin 1 is full (10 of 10)"
	wait    time.Duration
	class   error
}

func noPlace(panels []Panel, location string) *NoPlaceError {
	e := &NoPlaceError{class: ErrPermanent}
	for _, p := range panels {
		e.Reasons = append(e.Reasons, p.Name+" "+p.Takes(location))
		if p.fits(location) && e.class == ErrPermanent { //nolint:errorlint // the class itself
			e.class = ErrCapacity
		}
	}
	for _, p := range panels {
		resting := p
		resting.Rests = 0
		if p.Rests > 0 && resting.Takes(location) == "" && (e.wait == 0 || p.Rests < e.wait) {
			e.wait, e.class = p.Rests, ErrTemporary
		}
	}
	return e
}

// Error lists each panel with its reason.
func (e *NoPlaceError) Error() string {
	if len(e.Reasons) == 0 {
		return "there is no panel: " + e.class.Error()
	}
	return "no panel takes the service: " + strings.Join(e.Reasons, "; ") + ": " + e.class.Error()
}

// Unwrap is the class.
func (e *NoPlaceError) Unwrap() error { return e.class }

// Held is how long until a panel may be asked again, and whether that is all that
// is missing.
func (e *NoPlaceError) Held() (time.Duration, bool) { return e.wait, e.wait > 0 }
