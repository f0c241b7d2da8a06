package provisioning

import (
	"context"
	"errors"
	"time"
)

// Error classes. Adapters wrap exactly one of them; Classify reads them.
var (
	// ErrTemporary: nothing happened, try again (429, 423 busy, connection refused).
	ErrTemporary = errors.New("temporary failure")
	// ErrPermanent: the platform understood and refuses; only a person can help.
	ErrPermanent = errors.New("refused by the platform")
	// ErrCapacity: the platform has no room now; retry slowly and tell staff.
	ErrCapacity = errors.New("platform has no capacity")
	// ErrCredentials: our key is wrong or lacks a permission; stop and alert.
	ErrCredentials = errors.New("platform refused our credentials")
	// ErrOutcomeUnknown: the effect may have happened; look before repeating.
	ErrOutcomeUnknown = errors.New("outcome at the platform is unknown")
	// ErrStaff: nothing happens by itself, people do the work; the job is put
	// aside until one of them says that it is done.
	ErrStaff = errors.New("waits for staff")
	// ErrNotFound: the platform proves that the object does not exist.
	ErrNotFound = errors.New("not found on the platform")
)

// Order is everything needed to build one service.
type Order struct {
	ServiceID string // ours; tags the remote object
	UserID    string // ours; relation of the remote user
	Email     string
	Name      string // of the customer
	Hostname  string
	// Settings are the plan's platform settings merged with the customer's
	// choices, e.g. {"package_id":"4","group_id":"1","template_id":"8"}.
	Settings map[string]string
	// Taken are remote ids that already belong to other services of this
	// customer; Recover never adopts one of them.
	Taken []string
}

// Address is an IP address or subnet that belongs to a service.
type Address struct {
	IP      string // "203.0.113.7" or "2001:db8:7::/64"
	Primary bool
}

// Credentials are what the customer signs in with. They are sealed before they
// are stored and never logged; String hides them.
type Credentials struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// String keeps credentials out of logs and errors.
func (Credentials) String() string { return "[credentials]" }

// GoString keeps credentials out of %#v.
func (Credentials) GoString() string { return "[credentials]" }

// Build is what is known of a service under construction. It is stored after
// every step, so each id is kept as soon as it is known.
type Build struct {
	// Step is the step to do next; "" before the first.
	Step string `json:"step"`
	// RemoteUser and RemoteID are the platform's ids, once known.
	RemoteUser string `json:"remote_user,omitempty"`
	RemoteID   string `json:"remote_id,omitempty"`
	// Started is when the call of the current step was first made; an adapter
	// uses it to recognize what that call may have left behind.
	Started time.Time `json:"started,omitzero"`
	// Data keeps what else the adapter must remember between steps. Nothing
	// secret: it is stored as it is.
	Data map[string]string `json:"data,omitempty"`
	// Wait asks for a pause before the next step (polling a build).
	Wait time.Duration `json:"-"`
	// Done says that the service is ready.
	Done      bool         `json:"done,omitempty"`
	Hostname  string       `json:"hostname,omitempty"`
	Addresses []Address    `json:"addresses,omitempty"`
	Secret    *Credentials `json:"-"` // stored sealed by the caller as soon as it appears
}

// Creator builds services in steps. All methods are safe for concurrent use.
type Creator interface {
	// Steps names the steps in order, the last of which ends with Done.
	Steps() []string
	// Advance does the one step b.Step names (the first when "") and returns
	// what is known afterwards. Temporary errors: nothing was done.
	// ErrOutcomeUnknown: call Recover with the same b before anything else.
	Advance(ctx context.Context, o Order, b Build) (Build, error)
	// Recover finds out what an interrupted Advance of b.Step left behind. It
	// changes nothing remotely. It returns b moved on if the step had happened,
	// b unchanged if it provably had not, and ErrOutcomeUnknown (wrapping the
	// reason) if a person must decide.
	Recover(ctx context.Context, o Order, b Build) (Build, error)
}

// Suspender stops a service without destroying it. Repeating either changes
// nothing; both return once the platform has confirmed by its own read.
type Suspender interface {
	Suspend(ctx context.Context, remoteID string) error
	Unsuspend(ctx context.Context, remoteID string) error
}

// Terminator destroys a service. Repeating it changes nothing: ErrNotFound on
// the platform counts as done. gone is false while the platform still works on
// it; call again later.
type Terminator interface {
	Terminate(ctx context.Context, remoteID string) (gone bool, err error)
}

// PowerAction is something that can be done to a running system.
type PowerAction string

// The power actions. PowerOff is hard; PowerShutdown asks the guest.
const (
	PowerBoot     PowerAction = "boot"
	PowerRestart  PowerAction = "restart"
	PowerShutdown PowerAction = "shutdown"
	PowerOff      PowerAction = "poweroff"
)

// ParsePowerAction reads a client's word; ok is false for anything else.
func ParsePowerAction(s string) (a PowerAction, ok bool) {
	switch a = PowerAction(s); a {
	case PowerBoot, PowerRestart, PowerShutdown, PowerOff:
		return a, true
	}
	return "", false
}

// Power switches a service. The action has been accepted when it returns.
type Power interface {
	Power(ctx context.Context, remoteID string, a PowerAction) error
}

// PowerState is whether the system runs.
type PowerState string

// The power states. PowerUnknown is honest: the platform did not say.
const (
	PowerRunning PowerState = "running"
	PowerStopped PowerState = "stopped"
	PowerUnknown PowerState = "unknown"
)

// Status is the live state of a service as its platform reports it.
type Status struct {
	Power     PowerState
	Suspended bool
	Busy      bool // the platform works on it; power actions must wait
	Hostname  string
	Addresses []Address
	// OwnerRef and Tag are what the remote object says of whose it is; they are
	// compared with ours before anything destructive.
	OwnerRef string
	Tag      string
	// Usage figures; a negative value means "not reported".
	CPUPercent  int
	MemoryUsed  int64 // bytes
	MemoryTotal int64 // bytes
	DiskUsed    int64 // bytes
	DiskTotal   int64 // bytes
}

// StatusReader reads the live state. ErrNotFound: the platform lost it.
type StatusReader interface {
	Status(ctx context.Context, remoteID string) (Status, error)
}

// Traffic is a platform's own counter for its current period.
type Traffic struct {
	Start, End time.Time
	BytesIn    int64
	BytesOut   int64
	Limit      int64 // bytes; 0 is unmetered
}

// TrafficReader reads the platform's traffic counter.
type TrafficReader interface {
	Traffic(ctx context.Context, remoteID string) (Traffic, error)
}

// PasswordResetter sets a new password and returns it once.
type PasswordResetter interface {
	ResetPassword(ctx context.Context, remoteID string) (Credentials, error)
}

// SignInLinker makes a short-lived link into the platform's own panel. It is
// created on click and never stored or logged.
type SignInLinker interface {
	SignInLink(ctx context.Context, userID, remoteID string) (string, error)
}

// Tester looks, by reading alone, whether everything works that building needs, and
// says in plain words what does not. It goes on after what is missing, so that all of
// it is said at once.
type Tester interface {
	Test(ctx context.Context) Report
}
