package schedule_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/hooks/schedule"
	"github.com/ezscale/ezscale/internal/testapp"
)

func task(name string, run func() error) schedule.Task {
	return schedule.Task{Name: name, Every: 20 * time.Millisecond, Run: func(context.Context, core.App, time.Time) error { return run() }}
}

func TestOneTaskThatFailsLeavesTheOthersAlone(t *testing.T) {
	ran := []string{}
	note := func(name string, err error) schedule.Task {
		return task(name, func() error { ran = append(ran, name); return err })
	}
	s := schedule.New(testapp.Bare(t), time.Now, note("first", errors.New("no luck")), task("second", func() error { panic("oh") }), note("third", nil))
	err := s.RunAll(t.Context())
	if got := strings.Join(ran, " "); got != "first third" {
		t.Errorf("ran %q, want the first and the third", got)
	}
	if err == nil || !strings.Contains(err.Error(), "first: no luck") || !strings.Contains(err.Error(), "second panicked: oh") {
		t.Errorf("got error %v, want one that names both", err)
	}
}

func TestATaskNeverRunsBesideItself(t *testing.T) {
	var inside, most, runs atomic.Int32
	s := schedule.New(testapp.Bare(t), time.Now, task("slow", func() error {
		most.Store(max(most.Load(), inside.Add(1)))
		time.Sleep(50 * time.Millisecond)
		inside.Add(-1)
		runs.Add(1)
		return nil
	}))
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	for range 5 { // by hand as well, as operations do
		if err := s.RunAll(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(30 * time.Millisecond)
	}
	s.Stop()
	after := runs.Load()
	time.Sleep(100 * time.Millisecond)
	if most.Load() != 1 || after < 2 || runs.Load() != after {
		t.Errorf("%d at the same time, %d runs, %d after the end; want 1, some, and none", most.Load(), after, runs.Load()-after)
	}
}

func TestOneTaskCanBeRunByItsName(t *testing.T) {
	ran, broken := 0, errors.New("no luck")
	s := schedule.New(testapp.Bare(t), time.Now, task("first", func() error { return broken }), task("second", func() error { ran++; return nil }))
	if err := s.Run(t.Context(), "second"); err != nil || ran != 1 {
		t.Errorf("got error %v and %d runs, want one", err, ran)
	}
	if err := s.Run(t.Context(), "first"); !errors.Is(err, broken) {
		t.Errorf("got error %v, want the task's", err)
	}
	if err := s.Run(t.Context(), "third"); !errors.Is(err, schedule.ErrNoTask) {
		t.Errorf("got error %v, want %v", err, schedule.ErrNoTask)
	}
}
