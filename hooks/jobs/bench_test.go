package jobs_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/internal/testapp"
)

// bench is a queue with a clock of its own.
type bench struct {
	*testing.T
	app core.App

	mu  sync.Mutex
	now time.Time
}

func newBench(t *testing.T) *bench {
	t.Helper()
	return &bench{T: t, app: testapp.Bare(t), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
}

func (b *bench) Now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bench) advance(d time.Duration) {
	b.mu.Lock()
	b.now = b.now.Add(d)
	b.mu.Unlock()
	jobs.Wake(b.app)
}

func (b *bench) worker(handlers map[string]jobs.Handler) *jobs.Worker {
	w := jobs.NewWorker(b.app, b.Now)
	for kind, h := range handlers {
		w.Handle(kind, h)
	}
	return w
}

// start runs a worker until the test ends.
func (b *bench) start(w *jobs.Worker) {
	b.Helper()
	if err := w.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(w.Stop)
}

// once runs one due job and reports whether there was one.
func (b *bench) once(w *jobs.Worker) bool {
	b.Helper()
	worked, err := w.Once(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	return worked
}

func (b *bench) enqueue(j jobs.Job) bool {
	b.Helper()
	added, err := jobs.Enqueue(b.app, b.Now(), j)
	if err != nil {
		b.Fatal(err)
	}
	return added
}

func (b *bench) job(key string) *core.Record {
	b.Helper()
	r, err := b.app.FindFirstRecordByData("jobs", "key", key)
	if err != nil {
		b.Fatalf("job %s: %v", key, err)
	}
	return r
}

func (b *bench) want(key, state string) *core.Record {
	b.Helper()
	j := b.job(key)
	if got := j.GetString("state"); got != state {
		b.Fatalf("job %s is %s (%s), want %s", key, got, j.GetString("error"), state)
	}
	return j
}

func (b *bench) eventually(what string, cond func() bool) {
	b.Helper()
	for end := time.Now().Add(10 * time.Second); !cond(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			b.Fatalf("did not happen: %s", what)
		}
	}
}
