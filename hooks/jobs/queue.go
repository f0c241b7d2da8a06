// Package jobs is the queue of everything that happens outside the database:
// calls to vendors, mails, timers. A job is a row saved in the same transaction
// as its cause, so a crash leaves both or neither. The worker leases rows, calls
// outside any transaction, and records intent before effect, so that after a
// crash the next try knows that something may already have happened.
package jobs

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
)

// The states of a job. Parked jobs wait for a person; failed ones were given up
// and stay until a person retries or closes them.
const (
	Queued  = "queued"
	Running = "running"
	Parked  = "parked"
	Failed  = "failed"
	Done    = "done"
)

// Job is work to be done. At most one job with the same Key is open at a time.
type Job struct {
	Kind    string
	Key     string    // "service.suspend:<service id>"
	Serial  string    // jobs with the same Serial never run at the same time
	Class   string    // jobs of a class wait on their own, see Worker.Pace and Worker.Apart
	User    string    // customer it is for, "" if none
	Service string    // service it is for, "" if none
	Actor   string    // who caused it: "system", "customer:<id>", "staff:<id>"
	At      time.Time // not before; the zero time means now
	Payload any
}

// Enqueue saves a job and wakes the worker once the transaction has committed.
// An open job with the same key stays as it is, except that a failed or parked
// one is queued again. added reports whether there is new work.
func Enqueue(app core.App, now time.Time, j Job) (added bool, err error) {
	payload, err := json.Marshal(j.Payload)
	if err != nil {
		return false, fmt.Errorf("enqueue %s: %w", j.Key, err)
	}
	at := j.At
	if at.IsZero() {
		at = now
	}
	_, added, err = collections.Row(app, collections.Jobs, now, dbx.Params{
		"kind": j.Kind, "key": j.Key, "serial": j.Serial, "class": j.Class, "state": Queued, "attempts": 0,
		"next_at": collections.Stamp(at).String(), "lease_until": "", "lease_owner": "", "in_flight": false,
		"error": "", "error_class": "", "user": j.User, "service": j.Service, "payload": string(payload),
		"actor": j.Actor, "queued_at": collections.Stamp(now).String(), "done_at": "",
	})
	if err != nil {
		return false, fmt.Errorf("enqueue %s: %w", j.Key, err)
	}
	if !added {
		if added, err = requeue(app, now, j.Key); err != nil {
			return false, err
		}
	}
	if added {
		Wake(app)
	}
	return added, nil
}

// Retry gives a failed or parked job with this key another round, and reports
// whether there was one.
func Retry(app core.App, now time.Time, key string) (bool, error) {
	again, err := requeue(app, now, key)
	if again {
		Wake(app)
	}
	return again, err
}

// Resolved notes that a person knows what became of the call of a job that was given
// up: its next try does not look for it.
func Resolved(app core.App, key string) error {
	_, err := collections.Statement(app, "UPDATE `jobs` SET `in_flight` = FALSE WHERE `key` = {:key} AND `state` IN ('failed', 'parked') AND `state` != 'done'").
		Bind(dbx.Params{"key": key}).Execute()
	if err != nil {
		return fmt.Errorf("outcome of job %s: %w", key, err)
	}
	return nil
}

func requeue(app core.App, now time.Time, key string) (bool, error) {
	// The last condition is that of the partial index over open jobs; SQLite uses
	// it only when it is spelled out.
	res, err := collections.Statement(app, "UPDATE `jobs` SET `state` = 'queued', `attempts` = 0, `next_at` = {:now}, `error` = '', `error_class` = ''"+
		" WHERE `key` = {:key} AND `state` IN ('failed', 'parked') AND `state` != 'done'").
		Bind(dbx.Params{"key": key, "now": collections.Stamp(now).String()}).Execute()
	if err != nil {
		return false, fmt.Errorf("requeue %s: %w", key, err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// Cancel closes every queued, parked or failed job with this key: its cause is
// gone. A running one finishes by itself.
func Cancel(app core.App, now time.Time, key string) error {
	_, err := collections.Statement(app, "UPDATE `jobs` SET `state` = 'done', `done_at` = {:now}, `error` = 'cancelled'"+
		" WHERE `key` = {:key} AND `state` IN ('queued', 'failed', 'parked') AND `state` != 'done'").
		Bind(dbx.Params{"key": key, "now": collections.Stamp(now).String()}).Execute()
	if err != nil {
		return fmt.Errorf("cancel job %s: %w", key, err)
	}
	return nil
}

// wakeKey is where the running worker keeps its bells in the app's store.
const wakeKey = "ezscale.jobs.wake"

// Wake rings the worker's bells after the transaction of app, or at once outside
// of one. A lost wake-up costs a second: the worker also looks by itself.
func Wake(app core.App) {
	bells, ok := app.Store().Get(wakeKey).([]chan struct{})
	if !ok {
		return
	}
	ring := func(error) error {
		for _, bell := range bells {
			select {
			case bell <- struct{}{}:
			default:
			}
		}
		return nil
	}
	if info := app.TxInfo(); info != nil {
		info.OnComplete(ring)
		return
	}
	_ = ring(nil)
}
