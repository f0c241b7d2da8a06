// Package manual is the platform of a company whose staff sets services up by
// hand. It talks to nobody: building, changing, suspending and ending a service are
// tasks for staff (provisioning.ErrStaff), whose job waits, visibly, until somebody
// says in the service's record that it is done.
package manual

import (
	"context"
	"fmt"

	"github.com/ezscale/ezscale/engine/provisioning"
)

// StepStaff is the only step of building.
const StepStaff = "staff"

// The capabilities of people.
var (
	_ provisioning.Creator     = Adapter{}
	_ provisioning.Suspender   = Adapter{}
	_ provisioning.Terminator  = Adapter{}
	_ provisioning.PlanChanger = Adapter{}
)

// Adapter hands every piece of work to staff. It has no state and is safe for
// concurrent use.
type Adapter struct{}

// New returns the adapter.
func New() Adapter { return Adapter{} }

// Steps has one step.
func (Adapter) Steps() []string { return []string{StepStaff} }

// Advance is a task for staff.
func (Adapter) Advance(_ context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	return b, task("set up", o.ServiceID)
}

// Recover has nothing to find: Advance changes nothing.
func (Adapter) Recover(_ context.Context, _ provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	return b, nil
}

// Suspend is a task for staff.
func (Adapter) Suspend(_ context.Context, remoteID string) error { return task("suspend", remoteID) }

// Unsuspend is a task for staff.
func (Adapter) Unsuspend(_ context.Context, remoteID string) error {
	return task("unsuspend", remoteID)
}

// Terminate is a task for staff.
func (Adapter) Terminate(_ context.Context, remoteID string) (gone bool, err error) {
	return false, task("terminate", remoteID)
}

// CheckPlan says that people do it.
func (Adapter) CheckPlan(_ context.Context, w provisioning.PlanWish) error { return w.ByStaff() }

// ChangePlan is a task for staff, which says what to change.
func (Adapter) ChangePlan(_ context.Context, w provisioning.PlanWish) (provisioning.PlanChange, error) {
	return provisioning.PlanChange{}, w.ByStaff()
}

func task(what, service string) error {
	return fmt.Errorf("manual: %s service %s: %w", what, service, provisioning.ErrStaff)
}
