package virtfusion

import (
	"sync"
	"time"
)

const (
	// openFor is how long an unresolved create keeps other creates of the same
	// remote user waiting. After it a person has had time to look.
	openFor = 15 * time.Minute
	// claimFor is how long a claim is remembered; the server's name carries it
	// long before that.
	claimFor = 24 * time.Hour
)

// creates keeps services of one remote user apart while their servers have no
// name yet. Servers have no idempotency key and no field for our id, so between
// POST /servers and the naming only this process knows whose a server is.
type creates struct {
	mu     sync.Mutex
	open   map[string]openCreate // by remote user
	claims map[string]claim      // by remote server
}

type openCreate struct {
	service string
	calling bool // a call is under way right now
	at      time.Time
}

type claim struct {
	service string
	at      time.Time
}

func newCreates() *creates {
	return &creates{open: map[string]openCreate{}, claims: map[string]claim{}}
}

// begin reserves the user for a create or a search by one service. It is false
// while another service's create is unresolved or a call is under way.
func (c *creates) begin(user, service string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	o, taken := c.open[user]
	if taken && (o.calling || o.service != service && now.Sub(o.at) < openFor) {
		return false
	}
	if !taken || o.service != service {
		o = openCreate{service: service, at: now}
	}
	o.calling = true
	c.open[user] = o
	return true
}

// end closes what begin opened. An unresolved create keeps its place.
func (c *creates) end(user string, resolved bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if resolved {
		delete(c.open, user)
		return
	}
	o := c.open[user]
	o.calling = false
	c.open[user] = o
}

// claim gives a server to a service; false if another service has it.
func (c *creates) claim(server, service string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, old := range c.claims {
		if now.Sub(old.at) > claimFor {
			delete(c.claims, id)
		}
	}
	if old, taken := c.claims[server]; taken && old.service != service {
		return false
	}
	c.claims[server] = claim{service, now}
	return true
}

// claimed says whether another service has the server.
func (c *creates) claimed(server, service string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	old, taken := c.claims[server]
	return taken && old.service != service
}
