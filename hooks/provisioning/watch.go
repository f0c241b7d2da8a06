package provisioning

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/audit"
)

const (
	// WatchEvery is how often it is looked which services are open in a browser.
	WatchEvery = 5 * time.Second
	// watchReads is how many of them are read in a second from a platform that names
	// no limit; of one that does, a quarter of it.
	watchReads = 2
	// watchLanes bounds how many are read from one platform at the same time.
	watchLanes = 4
	// watchStart is how long a round begins new readings, and watchEnd when those
	// that were begun are given up: a slow platform gets few, and keeps no others.
	watchStart, watchEnd = 3 * time.Second, 8 * time.Second
	// watchKeep is how old a stored reading may become while only figures change.
	// Fresh ones are in memory.
	watchKeep = 5 * time.Minute
)

// watch keeps the last readings of the services that customers have open.
type watch struct {
	mu   sync.Mutex
	seen map[string]*seen // by service
}

type seen struct {
	asked   time.Time // also where it failed
	reading *provisioning.Reading
}

// watchedRow is a service that somebody looks at.
type watchedRow struct {
	ID       string `db:"id"`
	User     string `db:"user"`
	Platform string `db:"platform"`
	Remote   string `db:"platform_service_id"`
	Stamp    string `db:"power_at"`
}

// Watch reads the state of services whose customers look at the portal, each once in
// the interval of the settings and no more than their platform is to be asked, and
// tells the portals what is new. It is a task of the schedule; when nobody looks,
// nothing is read.
func (s *Subject) Watch(ctx context.Context, app core.App, now time.Time) error {
	if s.Watching == nil {
		return nil
	}
	users := s.Watching()
	rows, err := watchedServices(app, users)
	if err != nil {
		return err
	}
	settings, err := collections.LoadServicing(app)
	if err != nil {
		return err
	}
	by, watched, err := s.watch.sort(rows)
	if err != nil {
		return err
	}
	group := sync.WaitGroup{}
	failed := make(chan error, len(watched))
	for id, w := range watched {
		group.Go(func() { failed <- s.watchPanel(ctx, app, id, w, by, settings.LiveEvery(), now) })
	}
	group.Wait()
	close(failed)
	all := []error{}
	for err := range failed {
		all = append(all, err)
	}
	return errors.Join(all...)
}

func watchedServices(app core.App, users []string) ([]watchedRow, error) {
	rows := []watchedRow{}
	if len(users) == 0 {
		return rows, nil
	}
	ids, err := json.Marshal(users)
	if err != nil {
		return nil, fmt.Errorf("customers who look on: %w", err)
	}
	err = app.DB().NewQuery("SELECT `s`.`id`, `s`.`user`, `s`.`platform`, `s`.`platform_service_id`, `s`.`power_at` FROM json_each({:users}) `u` CROSS JOIN `services` `s` ON `s`.`user` = `u`.`value`" +
		" WHERE `s`.`status` IN ('active', 'suspended') AND `s`.`platform_service_id` != ''").Bind(dbx.Params{"users": string(ids)}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("services that are looked at: %w", err)
	}
	return rows, nil
}

// sort lists what is looked at by service and by platform, and forgets the rest.
func (w *watch) sort(rows []watchedRow) (map[string]watchedRow, map[string][]provisioning.Watched, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	by, watched, kept := map[string]watchedRow{}, map[string][]provisioning.Watched{}, map[string]*seen{}
	for _, r := range rows {
		last := w.seen[r.ID]
		if last == nil {
			stored, err := collections.ParseStamp(r.Stamp)
			if err != nil {
				return nil, nil, fmt.Errorf("service %s: %w", r.ID, err)
			}
			last = &seen{asked: stored}
		}
		kept[r.ID], by[r.ID] = last, r
		watched[r.Platform] = append(watched[r.Platform], provisioning.Watched{ID: r.ID, Read: last.asked})
	}
	w.seen = kept
	return by, watched, nil
}

// fresh is the last reading of a service, if it is newer than what is stored.
func (w *watch) fresh(service string, stored time.Time) (provisioning.Reading, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := w.seen[service]
	if last == nil || last.reading == nil || !last.reading.At.After(stored) {
		return provisioning.Reading{}, false
	}
	return *last.reading, true
}

// asked notes that a service was asked for, and what came of it; nil is nothing. It
// reports whether that differs from the reading before.
func (w *watch) asked(service string, at time.Time, r *provisioning.Reading) (news bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := w.seen[service]
	if last == nil {
		return false // nobody looks any more
	}
	last.asked = at
	if r == nil {
		return false
	}
	news = last.reading == nil || figures(*last.reading) != figures(*r)
	last.reading = r
	return news
}

// watchPanel reads some of the services that are looked at from their platform.
func (s *Subject) watchPanel(ctx context.Context, app core.App, id string, watched []provisioning.Watched, by map[string]watchedRow, every time.Duration, now time.Time) error {
	platform, err := collections.First(app, collections.Platforms, dbx.HashExp{"id": id})
	if err != nil || platform == nil {
		return err
	}
	due := provisioning.DueReadings(watched, now, every, readsARound(platform.GetInt("calls_per_second")))
	if len(due) == 0 {
		return nil
	}
	a, err := s.platform(app, platform)
	if err != nil {
		return nil // whoever does something with the platform is told; here it only has no news
	}
	reader, ok := a.(provisioning.StatusReader)
	if h, known := a.(provisioning.HealthReporter); !ok || known && h.Health().State == provisioning.CircuitOpen {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, watchEnd)
	defer cancel()
	starting, enough := context.WithTimeout(ctx, watchStart)
	defer enough()
	queue, lanes := make(chan watchedRow), sync.WaitGroup{}
	for range min(watchLanes, len(due)) {
		lanes.Go(func() {
			for row := range queue {
				if err := s.look(ctx, app, a, reader, row, now); err != nil {
					app.Logger().Warn("A service that is looked at could not be read", slog.String("service", row.ID), slog.Any("error", err))
				}
			}
		})
	}
	for _, d := range due {
		select {
		case queue <- by[d.ID]:
		case <-starting.Done():
		}
	}
	close(queue)
	lanes.Wait()
	return nil
}

// readsARound is how many services are read from a platform in one round.
func readsARound(callsPerSecond int) int {
	round := int(WatchEvery / time.Second)
	if callsPerSecond == 0 {
		return watchReads * round
	}
	return max(1, callsPerSecond*round/4)
}

// look reads one service and tells its customer what is new.
func (s *Subject) look(ctx context.Context, app core.App, adapter any, reader provisioning.StatusReader, row watchedRow, now time.Time) error {
	st, err := reader.Status(ctx, row.Remote)
	if errors.Is(err, provisioning.ErrNotFound) {
		s.watch.asked(row.ID, now, nil)
		return app.RunInTransaction(func(tx core.App) error {
			if working, err := workedOn(tx, row.ID); err != nil || working {
				return err // it may be on its way out
			}
			return lost(tx, row.ID, audit.System, now, now)
		})
	}
	if err != nil {
		s.watch.asked(row.ID, now, nil)
		return err
	}
	r := provisioning.Reading{Status: st, At: now}
	if counter, ok := adapter.(provisioning.TrafficReader); ok {
		if t, err := counter.Traffic(ctx, row.Remote); err == nil {
			r.Traffic = &t
		}
	}
	news := s.watch.asked(row.ID, now, &r)
	stored, err := s.keepReading(app, row, r)
	if err == nil && news && !stored {
		s.Tell(row.User, collections.Services, row.ID)
	}
	return err
}

// workedOn says that a job is about to change a service at its platform, or does so:
// what is read meanwhile says nothing about how it ends.
func workedOn(tx core.App, service string) (bool, error) {
	found := false
	err := tx.DB().NewQuery("SELECT EXISTS (SELECT 1 FROM `jobs` WHERE `state` IN ('queued', 'running') AND `service` = {:service} AND `kind` != {:refresh})").
		Bind(dbx.Params{"service": service, "refresh": string(provisioning.JobRefresh)}).Row(&found)
	if err != nil {
		return false, fmt.Errorf("work on service %s: %w", service, err)
	}
	return found, nil
}

// keepReading stores a reading that says more than other figures, or when those that
// are stored have become old. Who saves the record tells its readers.
func (s *Subject) keepReading(app core.App, row watchedRow, r provisioning.Reading) (stored bool, err error) {
	svc, err := app.FindRecordById(collections.Services, row.ID)
	if err != nil {
		return false, fmt.Errorf("service %s: %w", row.ID, err)
	}
	if !differs(svc, r) && r.At.Sub(collections.Time(svc, "power_at")) < watchKeep {
		return false, nil
	}
	return true, app.RunInTransaction(func(tx core.App) error {
		svc, err := tx.FindRecordById(collections.Services, row.ID)
		if err != nil || svc.GetString("platform_service_id") != row.Remote || !stands(svc) {
			return err
		}
		return record(tx, svc, r, audit.System, r.At)
	})
}

// differs says that a reading is about more than figures.
func differs(svc *core.Record, r provisioning.Reading) bool {
	suspended, note := r.Status.Suspended && statusOf(svc) == provisioning.ServiceActive && svc.GetString("action") == "", svc.GetString("action_note")
	return note == lostThere || svc.GetString("power") != string(r.Status.Power) || svc.GetBool("busy") != r.Status.Busy || suspended != (note == suspendedThere)
}

// figures are what a portal shows of a reading.
func figures(r provisioning.Reading) [10]int64 {
	all := [10]int64{int64(r.Status.CPUPercent), r.Status.MemoryUsed, r.Status.MemoryTotal, r.Status.DiskUsed, r.Status.DiskTotal}
	if r.Traffic != nil {
		all[5], all[6], all[7] = r.Traffic.BytesIn, r.Traffic.BytesOut, r.Traffic.Limit
	}
	return all
}
