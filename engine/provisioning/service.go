package provisioning

import "github.com/ezscale/ezscale/engine/lifecycle"

// ServiceStatus is where a service is in its life. It follows what the platform
// has confirmed, never what we merely asked for.
type ServiceStatus string

// The states of a service.
const (
	ServicePending      ServiceStatus = "pending"      // waits for payment
	ServiceProvisioning ServiceStatus = "provisioning" // paid, being built
	ServiceActive       ServiceStatus = "active"
	ServiceSuspended    ServiceStatus = "suspended"
	ServiceTerminated   ServiceStatus = "terminated"
)

var serviceLife = lifecycle.Table[ServiceStatus]{Thing: "service", Next: map[ServiceStatus][]ServiceStatus{
	ServicePending:      {ServiceProvisioning, ServiceTerminated},
	ServiceProvisioning: {ServiceActive, ServiceTerminated},
	ServiceActive:       {ServiceSuspended, ServiceTerminated},
	ServiceSuspended:    {ServiceActive, ServiceTerminated},
	ServiceTerminated:   {},
}}

// CheckServiceTransition refuses every step the lifecycle lacks.
func CheckServiceTransition(from, to ServiceStatus) error {
	return serviceLife.Check(from, to)
}

// JobKind names what is to be done to a service.
type JobKind string

// The kinds of jobs a service can have.
const (
	JobProvision     JobKind = "service.provision"
	JobSuspend       JobKind = "service.suspend"
	JobUnsuspend     JobKind = "service.unsuspend"
	JobTerminate     JobKind = "service.terminate"
	JobPower         JobKind = "service.power"
	JobResetPassword JobKind = "service.reset_password"
	JobRefresh       JobKind = "service.refresh"
	JobChangePlan    JobKind = "service.change_plan"
	JobReinstall     JobKind = "service.reinstall"
)

// JobFor returns the job that takes a service from one status to another, and
// false where the step needs no work at a platform.
func JobFor(from, to ServiceStatus) (JobKind, bool) {
	switch {
	case from == ServicePending && to == ServiceProvisioning:
		return JobProvision, true
	case from == ServiceActive && to == ServiceSuspended:
		return JobSuspend, true
	case from == ServiceSuspended && to == ServiceActive:
		return JobUnsuspend, true
	case to == ServiceTerminated && (from == ServiceProvisioning || from == ServiceActive || from == ServiceSuspended):
		return JobTerminate, true
	}
	return "", false
}
