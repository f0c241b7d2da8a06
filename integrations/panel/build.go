package panel

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
)

// An installation is asked after often at first and less often after pollChange.
const (
	PollSoon   = 3 * time.Second
	PollLater  = 15 * time.Second
	pollChange = 2 * time.Minute
)

// Prepare copies what a step of a build may change.
func Prepare(b provisioning.Build) provisioning.Build {
	b.Data = maps.Clone(b.Data)
	if b.Data == nil {
		b.Data = map[string]string{}
	}
	b.Addresses = slices.Clone(b.Addresses)
	b.Secret = nil // it is handed out once
	b.Wait = 0
	return b
}

// Move goes on to a step, whose call has not been made yet.
func Move(b provisioning.Build, step string) provisioning.Build {
	b.Step, b.Started = step, time.Time{}
	return b
}

// Poll asks for a pause before a step that waits is done again, longer once it
// has waited for minutes. late says that it has waited longer than limit.
func Poll(b provisioning.Build, now time.Time, limit time.Duration) (next provisioning.Build, late bool) {
	b.Wait = PollSoon
	if b.Started.IsZero() {
		return b, false
	}
	waited := now.Sub(b.Started)
	if waited > pollChange {
		b.Wait = PollLater
	}
	return b, waited > limit
}

// keptFor is how long a note of a call is kept; every settle time is far shorter.
const keptFor = 24 * time.Hour

// Calls remembers when calls were made that may take effect although their answer
// was lost: "it has not happened" is believed only once such a call can come no
// more. It is safe for concurrent use.
type Calls struct {
	now    func() time.Time
	settle time.Duration
	born   time.Time // a process before this one may have made a call until then

	mu   sync.Mutex
	last map[string]time.Time // by service
}

// NewCalls starts remembering. settle is how long a call may be under way.
func NewCalls(now func() time.Time, settle time.Duration) *Calls {
	return &Calls{now: now, settle: settle, born: now(), last: map[string]time.Time{}}
}

// Made notes that a call for a service is made now.
func (c *Calls) Made(service string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	for other, at := range c.last {
		if now.Sub(at) > keptFor {
			delete(c.last, other)
		}
	}
	c.last[service] = now
}

// Unsettled is how long a call of a step, begun at started, may still take
// effect: ours, or that of a process before us. It is not positive once the answer
// is final.
func (c *Calls) Unsettled(service string, started time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	from := slices.MaxFunc([]time.Time{started, c.born, c.last[service]}, time.Time.Compare)
	return from.Add(c.settle).Sub(c.now())
}
