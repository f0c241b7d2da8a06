package pterodactyl

import (
	"sync"
	"time"
)

// usageAge is how old the panel's usage figures may be: it keeps them for 20
// seconds.
const usageAge = 21 * time.Second

// recent is what this process remembers of the last moments: which servers were
// just switched.
type recent struct {
	mu       sync.Mutex
	switched map[string]time.Time // by remote id
}

func newRecent() *recent { return &recent{switched: map[string]time.Time{}} }

// power notes that a server was switched just now, and forgets those of an hour
// ago.
func (r *recent) power(remoteID string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for other, at := range r.switched {
		if now.Sub(at) > time.Hour {
			delete(r.switched, other)
		}
	}
	r.switched[remoteID] = now
}

// stale says whether a server's usage figures may be from before it was switched.
func (r *recent) stale(remoteID string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.switched[remoteID]
	return ok && now.Sub(at) < usageAge
}
