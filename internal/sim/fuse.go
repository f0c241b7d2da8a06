package sim

import (
	"errors"
	"fmt"
)

// errDead is what everything outside answers a process that has died: its
// database and every vendor. Nothing that it still does has any effect.
var errDead = errors.New("the process is dead")

// fuse is the life of the simulated process. Every statement that writes, every
// commit and every call to a vendor passes it before and after its effect, and
// any of these points can be the last.
type fuse struct {
	dead  bool
	armed int    // points left to live; 0 is not armed
	last  string // where it died
	seen  int    // points passed
}

// arm lets the process die at the n-th point from now.
func (f *fuse) arm(n int) { f.armed = n }

// relight is a new process, which lives until it is armed again.
func (f *fuse) relight() { f.dead, f.armed = false, 0 }

// pass is one point. Errors: errDead at the last one and ever after.
func (f *fuse) pass(format string, args ...any) error {
	if f.dead {
		return errDead
	}
	f.seen++
	if f.armed > 0 {
		f.armed--
		f.dead = f.armed == 0
	}
	if f.dead {
		f.last = fmt.Sprintf(format, args...)
		return errDead
	}
	return nil
}
