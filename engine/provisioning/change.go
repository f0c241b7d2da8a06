package provisioning

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// PlanWish is what a built service is to become: what its platform gives it now,
// as far as we know, and what it is to give.
type PlanWish struct {
	ServiceID string // ours
	RemoteID  string
	// The plans by name, for people who do the work.
	FromPlan, ToPlan string
	// Settings as in Order, of the present plan and of the wanted one, with the
	// customer's options.
	From, To map[string]string
	// Unsure says that an earlier change was begun and never confirmed, so that the
	// platform may stand elsewhere than at From: what is equal in both counts too.
	Unsure bool
}

// PlanChange is what came of a change.
type PlanChange struct {
	// Restart says that the running system gets some of it only when it is
	// switched off and on again, which the customer does when it suits.
	Restart bool
}

// PlanChanger makes a built service what another plan or other options ask for,
// without losing what is on it. Both methods are safe for concurrent use.
type PlanChanger interface {
	// CheckPlan says by reading alone whether ChangePlan can do it: nil, by itself;
	// ErrStaff, people have to do all or a part of it; an ImpossibleError, it cannot
	// be done at all. Any other error: it is not known. It changes nothing.
	CheckPlan(ctx context.Context, w PlanWish) error
	// ChangePlan brings the service to w.To, wherever between w.From and w.To, or
	// elsewhere, it stands: it looks first and does what is missing. nil: the
	// platform shows w.To. Repeating it changes nothing, after whatever outcome, and
	// the last of several wishes counts. ErrTemporary: the platform is busy or locked,
	// or did not answer before anything was sent; ErrOutcomeUnknown: call it again.
	// ErrCapacity: the host has no room. ErrStaff: what the platform offers was done,
	// people do the rest. An ImpossibleError: nothing of it was done. ErrNotFound: the
	// service is gone.
	ChangePlan(ctx context.Context, w PlanWish) (PlanChange, error)
}

// ImpossibleError says in words for customers why a platform can never make a
// service what was wished. It is an ErrPermanent.
type ImpossibleError struct {
	Code    string // for programs: "disk_shrinks"
	Setting string // what of the wish is at fault, a name of PlanWish.To
	Reason  string // "The disk cannot shrink from 80 GB to 40 GB."
}

// Error is the reason.
func (e *ImpossibleError) Error() string { return e.Reason }

// Unwrap is the class.
func (e *ImpossibleError) Unwrap() error { return ErrPermanent }

// Differences lists what the wish changes, for people: "plan: VPS S → VPS M",
// "memory: 2 → 4". Values under names of secrets are left out.
func (w PlanWish) Differences() []string {
	list := []string{}
	if w.FromPlan != w.ToPlan {
		list = append(list, "plan: "+w.FromPlan+" → "+w.ToPlan)
	}
	return append(list, w.Besides()...)
}

// Besides lists, like Differences, what changes in settings other than the known
// ones: what a platform does not know, it must leave to people and not pass over.
func (w PlanWish) Besides(known ...string) []string {
	list := []string{}
	names := maps.Clone(w.From)
	if names == nil {
		names = map[string]string{}
	}
	maps.Copy(names, w.To)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		from, had := w.From[name]
		to, has := w.To[name]
		if from == to && had == has || slices.Contains(known, name) || strings.HasPrefix(name, checklistPrefix) {
			continue
		}
		list = append(list, fmt.Sprintf("%s: %s → %s", name, shown(name, from, had), shown(name, to, has)))
	}
	return list
}

// shown is a setting's value as people may read it.
func shown(name, value string, there bool) string {
	if !there {
		return "none"
	}
	name = strings.ToLower(name)
	for _, secret := range []string{"password", "secret", "token", "key"} {
		if strings.Contains(name, secret) {
			return "(hidden)"
		}
	}
	return value
}

// ByStaff is the task for people where a platform cannot change a plan by itself.
func (w PlanWish) ByStaff() error {
	return fmt.Errorf("change service %s (%s): %w", w.ServiceID, strings.Join(w.Differences(), ", "), ErrStaff)
}

// Sold is what the settings of a service are put together from when its plan or
// options change.
type Sold struct {
	Stored       map[string]string // its settings so far
	Before, Plan map[string]string // the settings of the plan it had and of the one it gets
	Kept         bool              // the plan stays: what was sold of it stays as it was sold
	Chosen       []string          // names of what the customer chose at the order, such as the system
	Options      map[string]string // its options now
	Once         []string          // names of all options it ever had
}

// Settings are the wanted ones: what is stored less what came from the plan before
// and from options, then the plan, then what was chosen, then the options. What
// staff added stays.
func (s Sold) Settings() map[string]string {
	out := maps.Clone(s.Stored)
	if out == nil {
		out = map[string]string{}
	}
	for _, name := range s.Once {
		delete(out, name)
		if value, planned := s.Plan[name]; planned {
			out[name] = value
		}
	}
	if !s.Kept {
		for name := range s.Before {
			delete(out, name)
		}
		maps.Copy(out, s.Plan)
	}
	for _, name := range s.Chosen {
		if value, there := s.Stored[name]; there && !slices.Contains(s.Once, name) {
			out[name] = value
		}
	}
	maps.Copy(out, s.Options)
	return out
}
