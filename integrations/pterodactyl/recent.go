package pterodactyl

import (
	"errors"
	"net/http"
	"sync"
	"time"
)

const (
	// usageAge is how old the panel's usage figures may be: it keeps them for 20
	// seconds.
	usageAge = 21 * time.Second
	// restWithoutWord is how long nothing is sent after a 429 that says no time.
	restWithoutWord = 5 * time.Second
)

// recent is what this process remembers of the last moments: until when an API
// takes no calls, and which servers were just switched.
type recent struct {
	mu       sync.Mutex
	until    map[api]time.Time
	switched map[string]time.Time // by remote id
	calls    map[string]time.Time // by service: its last call that may take effect late
}

func newRecent() *recent {
	return &recent{until: map[api]time.Time{}, switched: map[string]time.Time{}, calls: map[string]time.Time{}}
}

// pause notes the wait that a 429 demands.
func (r *recent) pause(a api, now time.Time, err error) {
	var failed *APIError
	if !errors.As(err, &failed) || failed.Status != http.StatusTooManyRequests {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.until[a] = now.Add(max(failed.RetryAfter, 0))
	if failed.RetryAfter == 0 {
		r.until[a] = now.Add(restWithoutWord)
	}
}

// waits is how long an API still takes no calls.
func (r *recent) waits(a api, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return max(r.until[a].Sub(now), 0)
}

// power notes that a server was switched just now.
func (r *recent) power(remoteID string, now time.Time) { r.note(r.switched, remoteID, now) }

// stale says whether a server's usage figures may be from before it was switched.
func (r *recent) stale(remoteID string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.switched[remoteID]
	return ok && now.Sub(at) < usageAge
}

// called notes a call of a service that may take effect late.
func (r *recent) called(service string, now time.Time) { r.note(r.calls, service, now) }

// lastCall is when called was last noted for a service, or zero.
func (r *recent) lastCall(service string) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls[service]
}

// note keeps an entry, and forgets those of an hour ago.
func (r *recent) note(in map[string]time.Time, key string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for other, at := range in {
		if now.Sub(at) > time.Hour {
			delete(in, other)
		}
	}
	in[key] = now
}
