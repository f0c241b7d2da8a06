// Package manual is the platform of a company whose staff sets services up by
// hand. It talks to nobody: a build waits until staff says that it is done, and
// every later change is a task for staff (provisioning.ErrStaff).
package manual

import (
	"context"
	"fmt"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
)

const (
	// StepStaff is the only step.
	StepStaff = "staff"
	// DataDone is the key of Build.Data that ends the build when it is "true".
	// The shell sets it when staff marks the service as set up.
	DataDone = "done"
	// look is the pause between looks at Build.Data. Staff's word ends the wait
	// at once, so this only matters after a restart.
	look = time.Hour
)

// The capabilities of people.
var (
	_ provisioning.Creator    = Adapter{}
	_ provisioning.Suspender  = Adapter{}
	_ provisioning.Terminator = Adapter{}
)

// Adapter waits for staff. It has no state and is safe for concurrent use.
type Adapter struct{}

// New returns the adapter.
func New() Adapter { return Adapter{} }

// Steps has one step.
func (Adapter) Steps() []string { return []string{StepStaff} }

// Advance is done once Build.Data says so, and asks for an hour's pause before.
// The addresses and credentials that staff entered are left as they are.
func (Adapter) Advance(_ context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	if b.Step != "" && b.Step != StepStaff {
		return b, fmt.Errorf("manual: build service %s: there is no step %q: %w", o.ServiceID, b.Step, provisioning.ErrPermanent)
	}
	b.Step, b.Wait = StepStaff, look
	if b.Data[DataDone] == "true" {
		b.Done, b.Wait = true, 0
		if b.Hostname == "" {
			b.Hostname = o.Hostname
		}
	}
	return b, nil
}

// Recover has nothing to find: Advance changes nothing outside.
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

func task(what, remoteID string) error {
	if remoteID == "" {
		return fmt.Errorf("manual: %s the service: %w", what, provisioning.ErrStaff)
	}
	return fmt.Errorf("manual: %s service %s: %w", what, remoteID, provisioning.ErrStaff)
}
