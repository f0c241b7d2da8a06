// Package schedule runs what is due by time. Every task works from what is due
// in the database at the moment it is given and in batches of its own, so that a
// task that was missed, because the machine was off, makes up by itself when it
// runs next. It knows no subject; hooks lists the tasks.
package schedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/pocketbase/pocketbase/core"
)

// patience is how long a stopping schedule waits for the tasks that are running.
const patience = 10 * time.Second

// Task is something to do now and then.
type Task struct {
	Name  string
	Every time.Duration
	// Run does all that is due at now. It returns soon after ctx ends and may be
	// repeated at any time; the next run does what this one left.
	Run func(ctx context.Context, app core.App, now time.Time) error
}

// Schedule is the list of tasks of one app. RunAll works it by hand; Start lets
// it run by itself. No task ever runs twice at the same time.
type Schedule struct {
	app   core.App
	now   func() time.Time
	tasks []Task
	busy  []sync.Mutex
	cron  gocron.Scheduler
}

// New makes a schedule that has not started.
func New(app core.App, now func() time.Time, tasks ...Task) *Schedule {
	return &Schedule{app: app, now: now, tasks: tasks, busy: make([]sync.Mutex, len(tasks))}
}

// RunAll runs each task once, in the order of the list. A task that fails does
// not keep the others from running; the error names all that failed.
func (s *Schedule) RunAll(ctx context.Context) error {
	failed := []error{}
	for i := range s.tasks {
		failed = append(failed, s.run(ctx, i))
	}
	return errors.Join(failed...)
}

// ErrNoTask reports a name that no task has.
var ErrNoTask = errors.New("no such task")

// Run runs one task now. Errors: ErrNoTask, and those of the task.
func (s *Schedule) Run(ctx context.Context, name string) error {
	i := slices.IndexFunc(s.tasks, func(t Task) bool { return t.Name == name })
	if i < 0 {
		return fmt.Errorf("task %q: %w", name, ErrNoTask)
	}
	return s.run(ctx, i)
}

// Start runs every task at once and then as often as it says. A task that takes
// longer than that skips its turn.
func (s *Schedule) Start() error {
	cron, err := gocron.NewScheduler(gocron.WithLocation(time.UTC), gocron.WithStopTimeout(patience))
	if err != nil {
		return fmt.Errorf("schedule: %w", err)
	}
	for i, t := range s.tasks {
		_, err := cron.NewJob(gocron.DurationJob(t.Every), gocron.NewTask(func(ctx context.Context) { _ = s.run(ctx, i) }), // run has logged it
			gocron.WithName(t.Name), gocron.WithSingletonMode(gocron.LimitModeReschedule), gocron.WithStartAt(gocron.WithStartImmediately()))
		if err != nil {
			return errors.Join(fmt.Errorf("schedule task %s: %w", t.Name, err), cron.Shutdown())
		}
	}
	s.cron = cron
	cron.Start()
	return nil
}

// Stop ends the schedule and waits for the tasks that are running.
func (s *Schedule) Stop() {
	if s.cron == nil {
		return
	}
	if err := s.cron.Shutdown(); err != nil {
		s.app.Logger().Warn("Schedule did not stop in time", slog.Any("error", err))
	}
	s.cron = nil
}

// run runs one task, unless it is running already, and logs how it went.
func (s *Schedule) run(ctx context.Context, i int) (err error) {
	if !s.busy[i].TryLock() {
		return nil
	}
	defer s.busy[i].Unlock()
	task := s.tasks[i]
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("task %s panicked: %v", task.Name, p)
			s.app.Logger().Error("Task panicked", slog.String("task", task.Name), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
		}
	}()
	if err := task.Run(ctx, s.app, s.now()); err != nil {
		s.app.Logger().Error("Task failed", slog.String("task", task.Name), slog.Any("error", err))
		return fmt.Errorf("task %s: %w", task.Name, err)
	}
	return nil
}
