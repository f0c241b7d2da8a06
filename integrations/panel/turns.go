package panel

import (
	"sync"
	"time"
)

// OpenFor is how long unfinished work for a customer keeps other services of the
// same customer waiting. After it a person has had time to look.
const OpenFor = 15 * time.Minute

// Turns keep services of one customer apart while a panel cannot yet tell what was
// made for which. It is safe for concurrent use.
type Turns struct {
	now  func() time.Time
	mu   sync.Mutex
	open map[string]turn // by customer
}

type turn struct {
	service string
	calling bool // a call is under way right now
	at      time.Time
}

// NewTurns starts with nobody's turn.
func NewTurns(now func() time.Time) *Turns {
	return &Turns{now: now, open: map[string]turn{}}
}

// Begin reserves a customer for a call or a search by one service. It is false
// while another service's work is unfinished or a call is under way.
func (t *Turns) Begin(customer, service string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	o, taken := t.open[customer]
	if taken && (o.calling || o.service != service && t.now().Sub(o.at) < OpenFor) {
		return false
	}
	if !taken || o.service != service {
		o = turn{service: service, at: t.now()}
	}
	o.calling = true
	t.open[customer] = o
	return true
}

// End closes what Begin opened. Unfinished work keeps its place.
func (t *Turns) End(customer string, finished bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if finished {
		delete(t.open, customer)
		return
	}
	o := t.open[customer]
	o.calling = false
	t.open[customer] = o
}
