package sim

import "time"

// clock is the time of the world. It stands still while something happens and
// moves when the driver says so. The product's own clock may differ from it:
// machines run fast, slow, and are set right again.
type clock struct {
	at   time.Time
	skew time.Duration // of the product's machine
}

// world is the true time, by which vendors and people live.
func (c *clock) world() time.Time { return c.at }

// product is what the product's machine believes.
func (c *clock) product() time.Time { return c.at.Add(c.skew) }

// to moves the clock forward; it never goes back.
func (c *clock) to(at time.Time) {
	if at.After(c.at) {
		c.at = at
	}
}
