package virtfusion

import (
	"sync"
	"time"

	"github.com/ezscale/ezscale/integrations/panel"
)

// claimFor is how long a claim is remembered; the server's name carries it long
// before that.
const claimFor = 24 * time.Hour

// creates keeps services of one remote user apart while their servers have no
// name yet. Servers have no idempotency key and no field for our id, so between
// POST /servers and the naming only this process knows whose a server is.
type creates struct {
	*panel.Turns
	mu     sync.Mutex
	claims map[string]claim // by remote server
}

type claim struct {
	service string
	at      time.Time
}

func newCreates(now func() time.Time) *creates {
	return &creates{Turns: panel.NewTurns(now), claims: map[string]claim{}}
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
