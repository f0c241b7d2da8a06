package sim

import (
	"errors"
	"fmt"
	"sync"
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
	spare spare
}

// spare are the connections that no process holds, by file. The pool closes some
// when it likes to.
type spare struct {
	sync.Mutex
	idle map[string][]*conn
	over bool // the simulation is, and keeps none
}

// keep takes a connection for the next process, unless there will be none.
func (s *spare) keep(c *conn) bool {
	s.Lock()
	defer s.Unlock()
	if s.over {
		return false
	}
	if s.idle == nil {
		s.idle = map[string][]*conn{}
	}
	s.idle[c.name] = append(s.idle[c.name], c)
	return true
}

// take hands out a kept connection, or nil.
func (s *spare) take(name string) *conn {
	s.Lock()
	defer s.Unlock()
	last := len(s.idle[name]) - 1
	if last < 0 {
		return nil
	}
	c := s.idle[name][last]
	s.idle[name] = s.idle[name][:last]
	return c
}

// extinguish ends the last process and what was kept for a next one.
func (f *fuse) extinguish() error {
	f.spare.Lock()
	defer f.spare.Unlock()
	failed := []error{}
	for _, list := range f.spare.idle {
		for _, c := range list {
			failed = append(failed, c.Conn.Close())
		}
	}
	f.spare.idle, f.spare.over = nil, true
	return errors.Join(failed...)
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
