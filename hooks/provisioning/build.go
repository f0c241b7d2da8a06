package provisioning

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/jobs"
)

// provision builds a paid service: at the panel of its plan's group that it is given,
// or, as long as nothing of it exists, at another one where that has no room.
func (s *Subject) provision(r *jobs.Run) error {
	w, err := s.open(r)
	if err != nil || w == nil {
		return err
	}
	var noRoom error
	for {
		if err := w.place(); err != nil {
			return w.failed(afterRefusal(noRoom, err))
		}
		if err := w.equip(); err != nil {
			return err
		}
		err := w.construct()
		if !errors.Is(err, provisioning.ErrCapacity) || w.rooted() {
			return w.failed(err)
		}
		w.full[w.svc.GetString("platform")], noRoom = true, err
	}
}

// afterRefusal adds a panel's own words to why there is no place; where it was the
// only one, they say it all.
func afterRefusal(refused, noPlace error) error {
	var none *provisioning.NoPlaceError
	switch {
	case refused == nil:
		return noPlace
	case errors.As(noPlace, &none) && len(none.Reasons) == 1:
		return refused
	}
	return fmt.Errorf("%w (%w)", noPlace, refused)
}

// construct builds the service at its panel, step by step. Before each step its intent is
// stored, after it everything that became known. When an earlier try was cut
// off in the middle of a step, the platform is asked first what that step left
// behind; a step is repeated only once it is proven not to have happened.
func (w *work) construct() error {
	if w.build.Done { // its last step was left out
		return w.keep(w.build)
	}
	for range 2 * (len(w.creator.Steps()) + 2) {
		do, looked := w.advance, w.r.InFlight
		if looked {
			do = w.recover
		}
		if err := do(); err != nil || w.build.Done {
			return err
		}
		if w.build.Wait > 0 && !looked {
			return jobs.Later(w.build.Wait)
		}
	}
	return fmt.Errorf("service %s: building does not end: %w", w.svc.Id, provisioning.ErrPermanent)
}

// work is one try at building one service.
type work struct {
	s       *Subject
	r       *jobs.Run
	svc     *core.Record
	creator provisioning.Creator
	order   provisioning.Order
	build   provisioning.Build
	full    map[string]bool // platforms that had no room for it
	// ready makes of the service what it is once all steps are done, and finished
	// notes it elsewhere, in the same transaction.
	ready    func(svc *core.Record, now time.Time) error
	finished func(tx core.App) error
	// note tells the customer why it takes longer.
	note func(class provisioning.ErrorClass) string
}

// open loads what building needs; nil when there is nothing to build any more.
func (s *Subject) open(r *jobs.Run) (*work, error) {
	svc, err := collections.First(r.App, collections.Services, dbx.HashExp{"id": r.Service})
	if err != nil || svc == nil || svc.GetString("status") != string(provisioning.ServiceProvisioning) {
		return nil, err
	}
	if svc.GetBool("by_hand") {
		return nil, errByHandNow(svc)
	}
	w := &work{s: s, r: r, svc: svc, full: map[string]bool{}, note: waitingNote}
	w.ready, w.finished = w.active, w.handedOver
	return w, w.resume()
}

// resume reads how far it is.
func (w *work) resume() error {
	if raw := w.svc.GetString("build"); raw != "" && raw != "null" {
		if err := json.Unmarshal([]byte(raw), &w.build); err != nil {
			return fmt.Errorf("service %s: stored build: %w: %w", w.svc.Id, provisioning.ErrPermanent, err)
		}
	}
	return nil
}

// equip gets what building at the service's panel needs.
func (w *work) equip() (err error) {
	if w.creator, err = ability[provisioning.Creator](w.s, w.r.App, w.svc, "build services"); err != nil {
		return err
	}
	w.order, err = w.s.order(w.r.App, w.svc)
	return err
}

// order collects what an adapter needs to know of a service.
func (s *Subject) order(app core.App, svc *core.Record) (provisioning.Order, error) {
	user, err := app.FindRecordById(collections.Users, svc.GetString("user"))
	if err != nil {
		return provisioning.Order{}, fmt.Errorf("service %s: customer: %w", svc.Id, err)
	}
	settings, err := panelOrder(svc)
	if err != nil {
		return provisioning.Order{}, err
	}
	taken := []string{}
	err = app.DB().Select("platform_service_id").From(collections.Services).
		Where(dbx.And(dbx.HashExp{"platform": svc.GetString("platform"), "user": user.Id}, dbx.NewExp("`platform_service_id` != '' AND `id` != {:id}", dbx.Params{"id": svc.Id}))).
		Column(&taken)
	if err != nil {
		return provisioning.Order{}, fmt.Errorf("service %s: other services: %w", svc.Id, err)
	}
	return provisioning.Order{
		ServiceID: svc.Id, UserID: user.Id, Email: user.Email(), Name: user.GetString("name"),
		Hostname: svc.GetString("hostname"), Settings: settings, Taken: taken,
	}, nil
}

// recover asks the platform what the interrupted step left behind.
func (w *work) recover() error {
	next, err := w.creator.Recover(w.r.Context(), w.order, w.build)
	if err != nil {
		return err
	}
	return w.keep(next)
}

// advance stores the intent of the next step and does it.
func (w *work) advance() error {
	if w.build.Step == "" {
		w.build.Step = w.creator.Steps()[0]
	}
	if w.build.Started.IsZero() {
		w.build.Started = w.r.Now().UTC()
	}
	err := w.r.Intent(func(tx core.App) error {
		return w.save(tx, func(svc *core.Record, now time.Time) error {
			if err := plan(svc, w.creator.Steps()); err != nil {
				return err
			}
			if collections.Time(svc, "placed_at").IsZero() { // there was no other place to choose
				svc.Set("placed_at", collections.Stamp(now))
			}
			return setSteps(svc, w.build.Step, "active", "", now)
		})
	})
	if err != nil {
		return err
	}
	next, err := w.creator.Advance(w.r.Context(), w.order, w.build)
	if err == nil {
		return w.keep(next)
	}
	if provisioning.Classify(err) == provisioning.ClassUnknown {
		return err // stays in flight: the next try looks first
	}
	if clearErr := w.r.Outcome(nil); clearErr != nil {
		return errors.Join(err, clearErr)
	}
	return err
}

// keep stores what a step brought, in one transaction with the end of its
// intent: ids, addresses, sealed credentials, progress, and readiness.
func (w *work) keep(next provisioning.Build) error {
	if next.Step != w.build.Step {
		next.Started = time.Time{}
	}
	w.build = next
	record := w.r.Outcome
	if next.Done {
		record = w.r.Complete
	}
	return record(func(tx core.App) error {
		err := w.save(tx, func(svc *core.Record, now time.Time) error {
			svc.Set("platform_user_id", next.RemoteUser)
			svc.Set("platform_service_id", next.RemoteID)
			svc.Set("action_note", "")
			if err := w.seal(svc, next.Secret); err != nil {
				return err
			}
			if next.Done {
				return w.ready(svc, now)
			}
			return setSteps(svc, next.Step, "active", "", now)
		})
		if err != nil {
			return err
		}
		if !next.Done {
			return nil
		}
		if err := assign(tx, w.svc, next.Addresses, w.r.Now()); err != nil {
			return err
		}
		if err := w.finished(tx); err != nil {
			return err
		}
		_, err = jobs.Enqueue(tx, w.r.Now(), serviceJob(provisioning.JobRefresh, w.svc, audit.System, struct{}{}))
		return err
	})
}

// handedOver notes that a service was built.
func (w *work) handedOver(tx core.App) error {
	if err := w.s.resumeChange(tx, w.svc); err != nil {
		return err
	}
	return logDone(tx, w.r, w.svc, "provision", "server "+w.build.RemoteID)
}

// save reads the service again inside the transaction, changes it and stores it
// with the build.
func (w *work) save(tx core.App, change func(svc *core.Record, now time.Time) error) error {
	svc, err := tx.FindRecordById(collections.Services, w.svc.Id)
	if err != nil {
		return fmt.Errorf("service %s: %w", w.svc.Id, err)
	}
	svc.Set("build", w.build)
	if err := change(svc, w.r.Now()); err != nil {
		return err
	}
	if err := collections.Save(tx, svc); err != nil {
		return fmt.Errorf("service %s: %w", svc.Id, err)
	}
	w.svc = svc
	return nil
}

func (w *work) seal(svc *core.Record, c *provisioning.Credentials) error {
	if c == nil {
		return nil
	}
	return w.s.sealCredentials(svc, *c)
}

func (s *Subject) sealCredentials(svc *core.Record, c provisioning.Credentials) error {
	raw, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("service %s: credentials: %w", svc.Id, err)
	}
	sealed, err := s.Sealer.Seal(collections.Services, svc.Id, "credentials", string(raw))
	if err != nil {
		return err
	}
	svc.Set("credentials", sealed)
	svc.Set("username", c.Username)
	return nil
}

// active makes the service active: the platform has confirmed it.
func (w *work) active(svc *core.Record, now time.Time) error {
	b := w.build
	svc.Set("status", string(provisioning.ServiceActive))
	svc.Set("provisioned_at", collections.Stamp(now))
	if b.Hostname != "" {
		svc.Set("hostname", b.Hostname)
	}
	svc.Set("power", string(provisioning.PowerUnknown))
	return setSteps(svc, "", "done", "", now)
}

// failed notes why building waits, for the people who look at it.
func (w *work) failed(cause error) error {
	var later jobs.LaterError
	if cause == nil || errors.As(cause, &later) || errors.Is(w.r.Context().Err(), context.Canceled) {
		return cause // nothing failed: it goes on later, or at the next start
	}
	note := w.note(provisioning.Classify(cause))
	err := w.r.App.RunInTransaction(func(tx core.App) error {
		return w.save(tx, func(svc *core.Record, now time.Time) error {
			svc.Set("action_note", note)
			return setSteps(svc, w.build.Step, "active", note, now)
		})
	})
	if err != nil {
		w.r.App.Logger().Error("Progress of a build could not be saved", "service", w.svc.Id, "error", err)
	}
	return cause
}

// waitingNote tells a customer why building takes longer. It never blames and
// never shows the platform's own words.
func waitingNote(class provisioning.ErrorClass) string {
	switch class {
	case provisioning.ClassCapacity:
		return "All hosts are full at the moment. We are adding room; your server is built as soon as there is some."
	case provisioning.ClassStaff:
		return "Our team sets this up by hand. You will get a mail as soon as it is ready."
	case provisioning.ClassPermanent, provisioning.ClassCredentials:
		return "Our team has to look at this. Your payment is safe and you do not need to do anything."
	case provisioning.ClassTemporary, provisioning.ClassUnknown, provisioning.ClassNone:
	}
	return "The host did not answer in time. We are checking and trying again."
}

// setSteps updates the progress field.
func setSteps(svc *core.Record, name, state, note string, now time.Time) error {
	steps := []step{}
	if err := collections.ReadJSON(svc, "steps", &steps); err != nil {
		return err
	}
	svc.Set("steps", mark(steps, name, state, note, now))
	return nil
}
