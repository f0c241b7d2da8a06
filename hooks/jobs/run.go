package jobs

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
)

// Handler does one job. Returning nil completes it; LaterError asks for another
// round; any other error counts as a failed attempt and is classed.
type Handler func(r *Run) error

// Run is one attempt at a job.
type Run struct {
	App     core.App
	ID      string
	Kind    string
	Key     string
	User    string
	Service string
	Actor   string
	Attempt int // from 1
	// InFlight says that an earlier attempt began an outside call and its
	// outcome was never recorded: look before repeating.
	InFlight bool
	// Queued is when the job was first queued.
	Queued time.Time

	payload   string
	completed bool
	ctx       runContext
	now       func() time.Time
}

// Now is the product's clock.
func (r *Run) Now() time.Time { return r.now() }

// Payload decodes what Enqueue was given.
func (r *Run) Payload(into any) error {
	if err := json.Unmarshal([]byte(r.payload), into); err != nil {
		return fmt.Errorf("job %s: payload: %w", r.Key, err)
	}
	return nil
}

// Intent records that an outside call is about to be made, together with what
// the caller saves in the same transaction. It must be called before any call
// whose effect must not happen twice.
func (r *Run) Intent(save func(tx core.App) error) error {
	return r.mark(true, save)
}

// Outcome records that the outcome of the call is known, together with what the
// caller saves of it in the same transaction.
func (r *Run) Outcome(save func(tx core.App) error) error {
	return r.mark(false, save)
}

// Complete is the last Outcome: the job is done in the same transaction, so that
// nobody sees its effect while the job still looks open.
func (r *Run) Complete(save func(tx core.App) error) error {
	err := r.App.RunInTransaction(func(tx core.App) error {
		if save != nil {
			if err := save(tx); err != nil {
				return err
			}
		}
		_, err := tx.DB().Update(collections.Jobs, done(r.Now()), dbx.HashExp{"id": r.ID}).Execute()
		return err
	})
	if err != nil {
		return fmt.Errorf("job %s: %w", r.Key, err)
	}
	r.InFlight, r.completed = false, true
	return nil
}

// done are the columns of a job that is done.
func done(now time.Time) dbx.Params {
	at := collections.Stamp(now).String()
	return dbx.Params{
		"state": Done, "done_at": at, "updated": at, "error": "", "error_class": "", "in_flight": false, "lease_until": "", "lease_owner": "",
	}
}

func (r *Run) mark(inFlight bool, save func(tx core.App) error) error {
	err := r.App.RunInTransaction(func(tx core.App) error {
		if save != nil {
			if err := save(tx); err != nil {
				return err
			}
		}
		_, err := tx.DB().Update(collections.Jobs, dbx.Params{"in_flight": inFlight}, dbx.HashExp{"id": r.ID}).Execute()
		return err
	})
	if err != nil {
		return fmt.Errorf("job %s: %w", r.Key, err)
	}
	r.InFlight = inFlight
	return nil
}

// LaterError asks for another round after a pause without counting as a
// failure: a build is still running.
type LaterError struct{ After time.Duration }

// Error says when.
func (e LaterError) Error() string { return "again in " + e.After.String() }

// Later asks for another round after a pause.
func Later(after time.Duration) error { return LaterError{after} }

// mostPatient bounds the pauses of Patiently.
const mostPatient = 6 * time.Hour

// Patiently asks for another round after a pause that grows with how long the
// job has waited already, from first up to mostPatient: what did not happen in an
// hour rarely happens in the next two minutes.
func (r *Run) Patiently(first time.Duration) error {
	return Later(min(max(first, r.Now().Sub(r.Queued)/2), max(first, mostPatient)))
}
