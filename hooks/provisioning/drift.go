package provisioning

import (
	"context"
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

const (
	jobDrift = "platform.drift"
	// driftHour is when the nightly comparison begins, in UTC.
	driftHour = 3
	// driftBatch bounds how many findings are kept in one commit.
	driftBatch = 200
	// plausible is how many services may be missing at a platform before a list that
	// lacks half of them is taken for that of another panel, or of a key that sees less.
	plausible = 20
)

// ErrDriftRunning says that a comparison with this platform is under way.
var ErrDriftRunning = errors.New("a comparison is under way")

// errNoList says that a platform lists nothing.
var errNoList = errors.New("the platform cannot list its services")

// driftRun is a row of drift_runs.
type driftRun struct {
	ID       string `db:"id"`
	Platform string `db:"platform"`
	Status   string `db:"status"`
	Seen     int64  `db:"seen"`
	Known    int64  `db:"known"`
	Error    string `db:"error"`
	Started  string `db:"started_at"`
	Ended    string `db:"ended_at"`
}

const runColumns = "`id`, `platform`, `status`, `seen`, `known`, `error`, `started_at`, `ended_at`"

type driftPayload struct {
	Run string `json:"run"`
}

// Drift begins the nightly comparison with each platform's own list, once a day. It
// is a task of the schedule; the comparing itself is a job.
func (s *Subject) Drift(ctx context.Context, app core.App, now time.Time) error {
	platforms, err := collections.All(app, collections.Platforms, dbx.HashExp{"enabled": true}, "")
	if err != nil {
		return err
	}
	if err := endStrandedDrift(app, now); err != nil {
		return err
	}
	due := time.Date(now.UTC().Year(), now.UTC().Month(), now.UTC().Day(), driftHour, 0, 0, 0, time.UTC)
	failed := []error{}
	for _, p := range platforms {
		if ctx.Err() != nil || now.Before(due) {
			break
		}
		wanted, err := driftDue(app, p.Id, due)
		if err != nil {
			return err
		}
		if !wanted {
			continue
		}
		err = s.beginDrift(app, p, audit.System, now)
		if errors.Is(err, ErrDriftRunning) || errors.Is(err, errNoList) {
			err = nil
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// driftDue says whether a platform has services from before due and was not compared
// since.
func driftDue(app core.App, platform string, due time.Time) (bool, error) {
	wanted := 0
	err := app.DB().NewQuery("SELECT EXISTS (SELECT 1 FROM `services` WHERE `platform` = {:platform} AND `platform_service_id` != '' AND `created` < {:due})" +
		" AND NOT EXISTS (SELECT 1 FROM `drift_runs` WHERE `platform` = {:platform} AND `started_at` >= {:due})").
		Bind(dbx.Params{"platform": platform, "due": collections.Stamp(due).String()}).Row(&wanted)
	if err != nil {
		return false, fmt.Errorf("last comparison with platform %s: %w", platform, err)
	}
	return wanted == 1, nil
}

// endStrandedDrift ends runs whose job somebody closed.
func endStrandedDrift(app core.App, now time.Time) error {
	_, err := app.DB().NewQuery("UPDATE `drift_runs` SET `status` = 'failed', `error` = 'its job was closed', `ended_at` = {:now} WHERE `status` = 'running'" +
		" AND NOT EXISTS (SELECT 1 FROM `jobs` WHERE `key` = '" + jobDrift + ":' || `drift_runs`.`id` AND `state` != 'done')").Bind(dbx.Params{"now": collections.Stamp(now).String()}).Execute()
	if err != nil {
		return fmt.Errorf("end stranded comparisons: %w", err)
	}
	return nil
}

// beginDrift begins a comparison. Errors: ErrDriftRunning, errNoList.
func (s *Subject) beginDrift(app core.App, platform *core.Record, actor string, now time.Time) error {
	adapter, err := s.platform(app, platform)
	if err != nil {
		return err
	}
	if _, able := adapter.(provisioning.Lister); !able {
		return fmt.Errorf("platform %s: %w", platform.GetString("name"), errNoList)
	}
	return app.RunInTransaction(func(tx core.App) error {
		id, fresh, err := collections.Row(tx, collections.DriftRuns, now, dbx.Params{
			"platform": platform.Id, "status": "running", "seen": 0, "known": 0, "error": "", "started_at": collections.Stamp(now).String(), "ended_at": "", "actor": actor,
		})
		if err != nil {
			return err
		}
		if !fresh {
			return fmt.Errorf("platform %s: %w", platform.GetString("name"), ErrDriftRunning)
		}
		_, err = jobs.Enqueue(tx, now, jobs.Job{Kind: jobDrift, Key: jobDrift + ":" + id, Serial: jobDrift + ":" + platform.Id, Class: JobClass, Actor: actor, Payload: driftPayload{id}})
		return err
	})
}

// driftJob compares one platform with our records. One that was cut off begins anew,
// which changes nothing: what differs is kept only once the whole list was read.
func (s *Subject) driftJob(r *jobs.Run) error {
	p := driftPayload{}
	if err := r.Payload(&p); err != nil {
		return err
	}
	run, err := findDriftRun(r.App, p.Run)
	if err != nil || run.Status != "running" {
		return err
	}
	platform, err := collections.First(r.App, collections.Platforms, dbx.HashExp{"id": run.Platform})
	if err != nil {
		return err
	}
	if platform == nil {
		return fmt.Errorf("platform %s is gone: %w", run.Platform, provisioning.ErrPermanent)
	}
	adapter, err := s.platform(r.App, platform)
	if err != nil {
		return err
	}
	lister, able := adapter.(provisioning.Lister)
	if !able {
		return errors.Join(provisioning.ErrPermanent, errNoList)
	}
	begun := r.Now()
	c, err := known(r.App, lister, platform.Id)
	if err != nil {
		return err
	}
	found, seen, err := listed(r.Context(), lister, c)
	if err != nil {
		return err
	}
	missing, err := confirmMissing(r.Context(), adapter, c)
	if err != nil {
		return err
	}
	if err := s.keepDrift(r.App, platform, append(found, missing...), begun, r.Now()); err != nil {
		return err
	}
	_, err = r.App.DB().Update(collections.DriftRuns, dbx.Params{"status": "done", "seen": seen, "known": c.Running(), "error": "", "ended_at": collections.Stamp(r.Now()).String()}, dbx.HashExp{"id": run.ID, "status": "running"}).Execute()
	if err != nil {
		return fmt.Errorf("comparison %s: %w", run.ID, err)
	}
	return nil
}

func findDriftRun(app core.App, id string) (driftRun, error) {
	run := driftRun{}
	if err := app.DB().NewQuery("SELECT " + runColumns + " FROM `drift_runs` WHERE `id` = {:id}").Bind(dbx.Params{"id": id}).One(&run); err != nil {
		return run, fmt.Errorf("comparison %s: %w", id, err)
	}
	return run, nil
}

// openJob is true in SQL where a service, by its id in {:service} or in what is put
// for it, has a job that may change what its platform has.
const openJob = "EXISTS (SELECT 1 FROM `jobs` WHERE `jobs`.`service` = %s AND `state` IN ('queued', 'running', 'parked', 'failed') AND `kind` != 'service.refresh')"

// known reads our services at a platform, row by row, into a comparison.
func known(app core.App, lister provisioning.Lister, platform string) (*provisioning.Comparison, error) {
	addresses, err := currentAddresses(app, platform)
	if err != nil {
		return nil, err
	}
	rows, err := app.DB().NewQuery("SELECT `id`, `platform_service_id`, `platform_user_id`, `status`, IFNULL(`order_settings`, '') AS `settings`, IFNULL(`panel_settings`, '') AS `words`, " + fmt.Sprintf(openJob, "`services`.`id`") + " AS `busy`" +
		" FROM `services` WHERE `platform` = {:platform}").Bind(dbx.Params{"platform": platform}).Rows()
	if err != nil {
		return nil, fmt.Errorf("services at platform %s: %w", platform, err)
	}
	defer rows.Close()
	c, plans := provisioning.NewComparison(), map[string]string{} // plans are few: each text is kept once
	for rows.Next() {
		row := struct {
			ID       string `db:"id"`
			Remote   string `db:"platform_service_id"`
			Owner    string `db:"platform_user_id"`
			Status   string `db:"status"`
			Settings string `db:"settings"`
			Words    string `db:"words"`
			Busy     bool   `db:"busy"`
		}{}
		if err := rows.ScanStruct(&row); err != nil {
			return nil, fmt.Errorf("services at platform %s: %w", platform, err)
		}
		k := provisioning.Known{ServiceID: row.ID, RemoteID: row.Remote, Owner: row.Owner, Status: provisioning.ServiceStatus(row.Status), Addresses: addresses[row.ID], Busy: row.Busy}
		if row.Remote != "" {
			settings, err := inWords(row.Settings, row.Words)
			if err != nil {
				settings = nil // its plan is then not known, and all else is compared
			}
			k.Key, k.Plan = lister.Terms(row.Remote, settings)
			if one, there := plans[k.Plan]; there {
				k.Plan = one
			}
			plans[k.Plan] = k.Plan
		}
		c.Add(k)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("services at platform %s: %w", platform, err)
	}
	return c, nil
}

// currentAddresses are those of the services of a platform.
func currentAddresses(app core.App, platform string) (map[string][]string, error) {
	rows := []struct {
		Service string `db:"service"`
		IP      string `db:"ip"`
	}{}
	err := app.DB().NewQuery("SELECT `a`.`service`, `a`.`ip` FROM `ip_assignments` `a` JOIN `services` `s` ON `s`.`id` = `a`.`service` WHERE `s`.`platform` = {:platform} AND `a`.`valid_until` = ''").
		Bind(dbx.Params{"platform": platform}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("addresses at platform %s: %w", platform, err)
	}
	out := make(map[string][]string, len(rows))
	for _, row := range rows {
		out[row.Service] = append(out[row.Service], row.IP)
	}
	return out, nil
}

// listed compares what a platform lists, and counts it.
func listed(ctx context.Context, lister provisioning.Lister, c *provisioning.Comparison) (found []provisioning.Drift, seen int, err error) {
	err = lister.List(ctx, func(one provisioning.Seen) error {
		seen++
		found = append(found, c.See(one)...)
		return nil
	})
	return found, seen, err
}

// confirmMissing asks the platform for each service that its list did not have. What
// it finds there is not missing, and what it does not answer is not known.
func confirmMissing(ctx context.Context, adapter any, c *provisioning.Comparison) ([]provisioning.Drift, error) {
	list := c.Missing()
	if len(list) > plausible && len(list) > c.Running()/2 {
		return nil, fmt.Errorf("the platform does not list %d of our %d services: check its address, and whether its key sees all of them: %w", len(list), c.Running(), provisioning.ErrPermanent)
	}
	reader, able := adapter.(provisioning.StatusReader)
	if !able {
		return list, nil
	}
	var gone []provisioning.Drift
	for _, d := range list {
		switch _, err := reader.Status(ctx, d.RemoteID); {
		case errors.Is(err, provisioning.ErrNotFound):
			gone = append(gone, d)
		case err != nil:
			return nil, err
		}
	}
	return gone, nil
}

// driftGivenUp ends a run whose job was given up. What was open stays so.
func (s *Subject) driftGivenUp(tx core.App, r *jobs.Run, cause error) error {
	if r.Kind != jobDrift {
		return nil
	}
	p := driftPayload{}
	if err := r.Payload(&p); err != nil {
		return err
	}
	why := collections.Cut(cause.Error(), 900)
	_, err := tx.DB().Update(collections.DriftRuns, dbx.Params{"status": "failed", "error": why, "ended_at": collections.Stamp(r.Now()).String()}, dbx.HashExp{"id": p.Run, "status": "running"}).Execute()
	if err != nil {
		return fmt.Errorf("comparison %s: %w", p.Run, err)
	}
	return audit.Write(tx, r.Now(), audit.Entry{ActorKind: audit.System, Action: "drift.failed", Resource: collections.DriftRuns, ResourceID: p.Run, Changes: map[string]any{"why": why}})
}
