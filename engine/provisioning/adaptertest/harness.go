// Package adaptertest is the contract of platform adapters as a test suite.
// Every adapter runs it against a sandbox of its vendor. It plays the caller:
// it stores a build after every step, as the job worker does, loses answers,
// crashes between the effect and the storing, and then counts the servers.
//
// What it demands of all adapters: after any single mishap, Recover and Advance
// end with exactly one server for each service, which its name finds; two
// services never share a server, even while both look for lost ones; repeats of
// suspend, unsuspend, terminate and changes of the plan change nothing; a system is
// installed as often as it was asked for; every failure has its class.
package adaptertest

import (
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
)

// Mishap is a way in which one call goes wrong.
type Mishap string

// The mishaps. Those "after" happen when the platform has done its work.
const (
	LostAnswer   Mishap = "lost answer"     // after: the connection is cut
	After500     Mishap = "500 after"       // after: a server error
	Truncated    Mishap = "truncated JSON"  // after: half of the answer
	Refused      Mishap = "no connection"   // before: nothing was sent
	HTML502      Mishap = "HTML 502"        // before: a proxy's page
	RateLimited  Mishap = "429"             // before
	Locked       Mishap = "423"             // before
	Unauthorized Mishap = "401"             // before
	Forbidden    Mishap = "403"             // before
	Slow         Mishap = "slower than ctx" // after: the answer misses the deadline
	// Late takes effect only when the caller has long given up: up to 30 seconds
	// later on the harness's clock. Builds alone meet it.
	Late Mishap = "late"
)

// Mishaps lists them all but Late.
func Mishaps() []Mishap {
	return []Mishap{LostAnswer, After500, Truncated, Refused, HTML502, RateLimited, Locked, Unauthorized, Forbidden, Slow}
}

// Remote is one server at the platform.
type Remote struct {
	ID        string
	Tag       string // what the platform shows of whose it is, see Harness.Tag
	Suspended bool
}

// Harness is an adapter with a fresh sandbox of its platform.
type Harness struct {
	// Adapter implements Creator and as many of the other interfaces as the
	// platform offers; what it lacks is not tested.
	Adapter provisioning.Creator
	// Restart makes a new adapter on the same sandbox, as a new process would.
	Restart func() provisioning.Creator
	// BadKey makes an adapter whose credentials are wrong; nil skips.
	BadKey func() provisioning.Creator
	// Order returns the n-th service of one and the same customer.
	Order func(n int) provisioning.Order
	// Now and Sleep are the clock of adapter and sandbox.
	Now   func() time.Time
	Sleep func(time.Duration)
	// SharedAccount says that a customer signs in to all services with one account
	// of the platform: its password comes with the service that made the account.
	SharedAccount bool
	// OffAlways says that PowerOff is never held back by what else is under way.
	OffAlways bool
	// NoPowerState says that the platform does not tell whether a system runs.
	NoPowerState bool
	// Tag is what the platform keeps of whose a built server is; nil is the service's
	// id itself.
	Tag func(b provisioning.Build) string
	// Deadline bounds each call in real time; Slow must be slower.
	Deadline time.Duration
	// Effects are the steps that change something at the platform.
	Effects []string
	// Create is the one of them that makes a server.
	Create string
	// Break makes the changing call of a step ("suspend", "unsuspend",
	// "terminate" and those of Changes besides the steps) go wrong once.
	Break func(step string, m Mishap)
	// Servers lists what exists; Made counts all that ever did.
	Servers func() []Remote
	Made    func() int
	// Destroy removes a server behind our back.
	Destroy func(remoteID string)
	// Exhaust takes away, or gives back, all room; nil skips.
	Exhaust func(on bool)
	// FailBuilds makes the next n installations fail; nil skips.
	FailBuilds func(n int)
	// Larger returns the n-th settings of one and the same service, each larger than
	// those before in all that the platform can change; 0 are those of Order(1). nil
	// where the adapter is no PlanChanger.
	Larger func(n int) map[string]string
	// Impossible are settings that a service of Larger(1) can never get; nil skips.
	Impossible func() map[string]string
	// Changes are the names by which Break knows the calls that change a plan.
	Changes []string
	// Size is what the platform gives a server, as text to compare.
	Size func(remoteID string) string
	// Image is what a Reinstaller installs, Wipe its step that destroys, and Installed
	// how often a server's system was installed; for adapters that are one.
	Image     func() string
	Wipe      string
	Installed func(remoteID string) int
	// Crowd makes n servers that no order of ours is behind. With more of them than
	// fit on a page, a list has several: CrowdSize is that many. Both are for adapters
	// that are a Lister, as is Break of "list".
	Crowd     func(n int)
	CrowdSize int
	// Listed calls do when the platform has answered the n-th call of a list, which
	// has not arrived yet; nil skips the list.
	Listed func(do func(n int))
}

// Run tests an adapter. fresh is called once for each scenario.
func Run(t *testing.T, fresh func(t *testing.T) Harness) {
	t.Helper()
	t.Run("builds", func(t *testing.T) { testBuild(t, fresh) })
	t.Run("interrupted", func(t *testing.T) { testInterrupted(t, fresh) })
	t.Run("crashed", func(t *testing.T) { testCrashed(t, fresh) })
	t.Run("two services of one customer", func(t *testing.T) { testNeighbors(t, fresh) })
	t.Run("capacity", func(t *testing.T) { testCapacity(t, fresh(t)) })
	t.Run("failed installation", func(t *testing.T) { testFailedBuild(t, fresh) })
	t.Run("lifecycle", func(t *testing.T) { testLifecycle(t, fresh) })
	t.Run("plan", func(t *testing.T) { testPlan(t, fresh) })
	t.Run("reinstall", func(t *testing.T) { testReinstall(t, fresh) })
	t.Run("adopt", func(t *testing.T) { testAdopt(t, fresh(t)) })
	t.Run("list", func(t *testing.T) { testList(t, fresh) })
	t.Run("power", func(t *testing.T) { testPower(t, fresh(t)) })
	t.Run("destroyed behind our back", func(t *testing.T) { testDestroyed(t, fresh(t)) })
	t.Run("wrong credentials", func(t *testing.T) { testBadKey(t, fresh(t)) })
}
