package synergycp

import (
	"context"
	"sync"
	"time"
)

// patience is how long an order waits for the one before it, in real time.
const patience = 3 * time.Second

// line lets orders at one panel through one at a time, and keeps the servers of
// those whose outcome is open: an order that was lost may still take its server.
// It is safe for concurrent use.
type line struct {
	now    func() time.Time
	settle time.Duration
	turn   chan struct{}

	mu   sync.Mutex
	open map[string]claim // by server
}

type claim struct {
	service string
	until   time.Time
}

func newLine(now func() time.Time, settle time.Duration) *line {
	return &line{now: now, settle: settle, turn: make(chan struct{}, 1), open: map[string]claim{}}
}

// enter waits for the line; false when it takes too long. leave lets the next one
// in.
func (l *line) enter(ctx context.Context) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case l.turn <- struct{}{}:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

func (l *line) leave() { <-l.turn }

// claim keeps a server for a service until its order can come no more.
func (l *line) claim(server, service string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	for id, c := range l.open {
		if !now.Before(c.until) {
			delete(l.open, id)
		}
	}
	l.open[server] = claim{service, now.Add(l.settle)}
}

// release gives up what a service claimed: its outcome is known.
func (l *line) release(service string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, c := range l.open {
		if c.service == service {
			delete(l.open, id)
		}
	}
}

// claimed says whether another service's order may still take a server.
func (l *line) claimed(server, service string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, there := l.open[server]
	return there && c.service != service && l.now().Before(c.until)
}
