package provisioning

import (
	"context"
	"slices"
	"strings"
)

// Seen is a service as the list of its platform shows it. What the list does not
// have is empty, and nothing is concluded from that.
type Seen struct {
	Key       string // what of the remote id lasts, as Lister.Terms says it of ours
	RemoteID  string
	ServiceID string // ours, after which the platform names it
	Ours      bool   // this installation made it, by what the platform says
	Name      string // for people
	Owner     string // the platform's user
	Suspended bool
	Why       string // of a suspension by the platform itself, for people
	Plan      string // what it gets, in words that are equal where it is
	Addresses []string
}

// Lister lists everything a platform has, for a comparison with our records.
type Lister interface {
	// List gives each service of the platform to each, one time, reading page by
	// page. nil means that this were all of them: a list that breaks off, that cannot
	// be read to the last entry, or that loses entries while it is read is
	// ErrTemporary, after which nothing may be taken for missing. An error of each
	// ends it and is returned. It changes nothing.
	List(ctx context.Context, each func(Seen) error) error
	// Terms puts a service of ours into the words of Seen: its key, "" where the
	// remote id is none, and what its settings give it, "" where the list does not
	// show that or the settings cannot be read. It makes no calls.
	Terms(remoteID string, settings map[string]string) (key, plan string)
}

// DriftKind is a way in which a platform and our records differ.
type DriftKind string

// The kinds of drift.
const (
	DriftMissing DriftKind = "missing"         // we have it, the platform does not
	DriftExtra   DriftKind = "extra"           // the platform has it for us, we do not
	DriftState   DriftKind = "wrong_state"     // suspended on one side alone, or terminated here and still there
	DriftPlan    DriftKind = "wrong_plan"      // it gets something else than was sold
	DriftOwner   DriftKind = "wrong_owner"     // it belongs to another user of the platform
	DriftAddress DriftKind = "address_changed" // it has other addresses than we have noted
)

// Drift is one difference. Ours and Theirs are what each side says, for people.
type Drift struct {
	Kind      DriftKind
	ServiceID string // "" where no service of ours is meant
	RemoteID  string
	Ours      string
	Theirs    string
}

// Known is one of our services at the platform, in the words of its Lister.
type Known struct {
	ServiceID string
	Key       string
	RemoteID  string
	Status    ServiceStatus
	Owner     string
	Plan      string
	Addresses []string
	// Busy says that a job of the service is open: what differs is on its way.
	Busy bool
}

// rests says that nothing is to be concluded about a service: it is being worked
// on, or there is nothing yet.
func (k Known) rests() bool {
	return k.Busy || k.Status != ServiceActive && k.Status != ServiceSuspended && k.Status != ServiceTerminated
}

// Comparison compares what a platform lists with our records. Only the records are
// kept in memory; the list passes by. It is for one goroutine.
type Comparison struct {
	known    []Known
	seen     []bool
	byKey    map[string]int
	byID     map[string]int
	building map[string]bool // owners of services whose remote id is not known yet
}

// NewComparison begins a comparison with no records.
func NewComparison() *Comparison {
	return &Comparison{byKey: map[string]int{}, byID: map[string]int{}, building: map[string]bool{}}
}

// Add takes one of our records. All of them come before the first See.
func (c *Comparison) Add(k Known) {
	n := len(c.known)
	c.known, c.seen = append(c.known, k), append(c.seen, false)
	c.byID[k.ServiceID] = n
	switch {
	case k.Key != "":
		c.byKey[k.Key] = n
	case k.rests() && k.Owner != "":
		c.building[k.Owner] = true
	}
}

// See compares one entry of the list and returns what differs.
func (c *Comparison) See(s Seen) []Drift {
	n, there := c.byKey[s.Key]
	if !there {
		return c.extra(s)
	}
	c.seen[n] = true
	k := c.known[n]
	if k.rests() {
		return nil
	}
	var list []Drift
	add := func(kind DriftKind, ours, theirs string) {
		list = append(list, Drift{kind, k.ServiceID, s.RemoteID, ours, theirs})
	}
	if state := s.state(); state != k.Status {
		theirs := string(state)
		if s.Suspended && s.Why != "" {
			theirs += " (" + s.Why + ")"
		}
		add(DriftState, string(k.Status), theirs)
	}
	if k.Status == ServiceTerminated {
		return list // whose it is and what it gets counts no more
	}
	if differ(k.Plan, s.Plan) {
		add(DriftPlan, k.Plan, s.Plan)
	}
	if differ(k.Owner, s.Owner) {
		add(DriftOwner, k.Owner, s.Owner)
	}
	if ours, theirs := sorted(k.Addresses), sorted(s.Addresses); theirs != "" && ours != theirs {
		add(DriftAddress, ours, theirs)
	}
	return list
}

// extra is an entry that none of our records has. One of others is none of our
// business, and one of a service that is being built is about to be noted.
func (c *Comparison) extra(s Seen) []Drift {
	n, named := c.byID[s.ServiceID]
	if !s.Ours || named && c.known[n].rests() || c.building[s.Owner] {
		return nil
	}
	d := Drift{Kind: DriftExtra, RemoteID: s.RemoteID, Theirs: s.Name}
	if named {
		d.ServiceID, d.Ours = s.ServiceID, c.known[n].RemoteID
	}
	return []Drift{d}
}

// Missing are the services that the list did not have. It may be asked only after
// List has returned nil.
func (c *Comparison) Missing() []Drift {
	var list []Drift
	for n, k := range c.known {
		if !c.seen[n] && k.Key != "" && !k.rests() && k.Status != ServiceTerminated {
			list = append(list, Drift{DriftMissing, k.ServiceID, k.RemoteID, string(k.Status), ""})
		}
	}
	return list
}

// Running counts the services that the platform should have.
func (c *Comparison) Running() int {
	n := 0
	for _, k := range c.known {
		if k.Status == ServiceActive || k.Status == ServiceSuspended {
			n++
		}
	}
	return n
}

// state is what the platform does with it, in the words of our records.
func (s Seen) state() ServiceStatus {
	if s.Suspended {
		return ServiceSuspended
	}
	return ServiceActive
}

// differ compares where both sides say something.
func differ(ours, theirs string) bool { return ours != "" && theirs != "" && ours != theirs }

func sorted(addresses []string) string {
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(addresses))), ", ")
}

// RepairOf is the job that may repair a drift of a service: it makes the platform
// what our records say, or our records what the platform says of addresses. false
// where people decide: what is missing is not built again, what is extra or
// terminated here is not destroyed, an owner is not changed by itself, and what the
// platform suspends for a reason of its own it would suspend again.
func (d Drift) RepairOf() (JobKind, bool) {
	switch {
	case d.ServiceID == "":
	case d.Kind == DriftState && d.Ours == string(ServiceSuspended):
		return JobSuspend, true
	case d.Kind == DriftState && d.Ours == string(ServiceActive) && d.Theirs == string(ServiceSuspended):
		return JobUnsuspend, true
	case d.Kind == DriftPlan:
		return JobChangePlan, true
	case d.Kind == DriftAddress:
		return JobRefresh, true
	}
	return "", false
}
