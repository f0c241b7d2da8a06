package paneltest

import (
	"sync"
	"time"
)

// Clock is a time that only tests move.
type Clock struct {
	mu sync.Mutex
	t  time.Time
}

// NewClock stands at the last of a January, ten o'clock.
func NewClock() *Clock { return &Clock{t: time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)} }

// Now is where the clock stands.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

// Add moves the clock.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}
