package payments

import (
	"context"
	"errors"
	"sync"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
)

// intakeBatch bounds how many deliveries share one commit.
const intakeBatch = 128

var errStopped = errors.New("shutting down; deliver again")

// intake stores deliveries durably and fast: those that arrive while one commit
// is being written share the next one, and each is answered only after the
// commit that holds it.
type intake struct {
	inbox   *inbox
	waiting chan delivery
	quit    chan struct{}
	done    sync.WaitGroup
	direct  core.App // when set, store commits by itself
}

type delivery struct {
	stored
	result chan error
}

func newIntake(in *inbox) *intake {
	return &intake{inbox: in, waiting: make(chan delivery, 4*intakeBatch), quit: make(chan struct{})}
}

func (in *intake) start(app core.App) {
	in.done.Add(1)
	go func() {
		defer in.done.Done()
		for {
			select {
			case <-in.quit:
				return
			case first := <-in.waiting:
				in.commit(app, in.gather(first))
			}
		}
	}()
}

func (in *intake) stop() {
	select {
	case <-in.quit:
	default:
		close(in.quit)
	}
	in.done.Wait()
}

// store returns once the delivery is on disk.
func (in *intake) store(ctx context.Context, d stored) error {
	wait := delivery{d, make(chan error, 1)}
	if in.direct != nil {
		in.commit(in.direct, []delivery{wait})
		return <-wait.result
	}
	select {
	case in.waiting <- wait:
	case <-ctx.Done():
		return ctx.Err()
	case <-in.quit:
		return errStopped
	}
	select {
	case err := <-wait.result:
		return err
	case <-ctx.Done():
		return ctx.Err() // it may be stored; a second delivery changes nothing
	case <-in.quit:
		return errStopped
	}
}

// gather takes what else is waiting, without waiting for more.
func (in *intake) gather(first delivery) []delivery {
	batch := []delivery{first}
	for len(batch) < intakeBatch {
		select {
		case next := <-in.waiting:
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

func (in *intake) commit(app core.App, batch []delivery) {
	now := collections.Stamp(in.inbox.subject.Now()).String()
	err := app.RunInTransaction(func(tx core.App) error {
		for _, d := range batch {
			if err := d.insert(tx, now); err != nil {
				return err
			}
		}
		return nil
	})
	for _, d := range batch {
		d.result <- err
	}
	if err == nil {
		in.inbox.wake()
	}
}
