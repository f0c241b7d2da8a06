package provisioning

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/jobs"
)

// driftFinding is a row of drift_findings.
type driftFinding struct {
	ID       string `db:"id"`
	Platform string `db:"platform"`
	Service  string `db:"service"`
	Remote   string `db:"remote_id"`
	Kind     string `db:"kind"`
	Ours     string `db:"ours"`
	Theirs   string `db:"theirs"`
	Status   string `db:"status"`
	Note     string `db:"note"`
	Actor    string `db:"actor"`
	First    string `db:"first_seen_at"`
	Last     string `db:"last_seen_at"`
	Closed   string `db:"closed_at"`
}

const driftColumns = "`id`, `platform`, `service`, `remote_id`, `kind`, `ours`, `theirs`, `status`, `note`, `actor`, `first_seen_at`, `last_seen_at`, `closed_at`"

// drift is what a finding is about.
func (f driftFinding) drift() provisioning.Drift {
	return provisioning.Drift{Kind: provisioning.DriftKind(f.Kind), ServiceID: f.Service, RemoteID: f.Remote, Ours: f.Ours, Theirs: f.Theirs}
}

func readDrift(app core.App, id string) (driftFinding, error) {
	rows := []driftFinding{}
	err := app.DB().NewQuery("SELECT " + driftColumns + " FROM `drift_findings` WHERE `id` = {:id}").Bind(dbx.Params{"id": id}).All(&rows)
	if err != nil {
		return driftFinding{}, fmt.Errorf("finding %s: %w", id, err)
	}
	if len(rows) == 0 {
		return driftFinding{}, collections.ErrNotYours
	}
	return rows[0], nil
}

// keepDrift keeps what a comparison that began at begun has found, closes what has
// disappeared, and repairs what the setting says.
func (s *Subject) keepDrift(app core.App, platform *core.Record, found []provisioning.Drift, begun, now time.Time) error {
	for batch := range slices.Chunk(found, driftBatch) {
		err := app.RunInTransaction(func(tx core.App) error {
			for _, d := range batch {
				moved, err := movedOn(tx, platform.Id, d, begun)
				if err == nil && !moved {
					err = s.keepOne(tx, platform.Id, d, now)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	// What is being worked on was not looked at, and stays.
	_, err := app.DB().NewQuery("UPDATE `drift_findings` SET `status` = 'gone', `closed_at` = {:now}, `updated` = {:now} WHERE `platform` = {:platform} AND `status` IN ('open', 'ignored') AND `last_seen_at` < {:now}" +
		" AND NOT " + fmt.Sprintf(openJob, "`drift_findings`.`service`")).Bind(dbx.Params{"platform": platform.Id, "now": collections.Stamp(now).String()}).Execute()
	if err != nil {
		return fmt.Errorf("close findings of platform %s: %w", platform.Id, err)
	}
	return s.repairBySetting(app, platform.Id, now)
}

// movedOn says whether our records have changed since the comparison read them, so
// that what was found may be over: the next comparison sees.
func movedOn(tx core.App, platform string, d provisioning.Drift, begun time.Time) (bool, error) {
	moved := 0
	err := collections.Statement(tx, "SELECT EXISTS (SELECT 1 FROM `jobs` WHERE `service` = {:service} AND `service` != '' AND (`state` != 'done' AND `kind` != 'service.refresh' OR `state` = 'done' AND `done_at` >= {:begun}))"+
		" OR {:kind} = 'extra' AND EXISTS (SELECT 1 FROM `services` WHERE `platform` = {:platform} AND `platform_service_id` = {:remote})"+
		" OR {:kind} IN ('wrong_state', 'missing') AND NOT EXISTS (SELECT 1 FROM `services` WHERE `id` = {:service} AND `status` = {:ours})").
		Bind(dbx.Params{"service": d.ServiceID, "begun": collections.Stamp(begun).String(), "kind": string(d.Kind), "platform": platform, "remote": d.RemoteID, "ours": d.Ours}).Row(&moved)
	if err != nil {
		return false, fmt.Errorf("service %s: %w", d.ServiceID, err)
	}
	return moved == 1, nil
}

// keepOne keeps a difference, once for each kind, service and remote id. One that had
// disappeared is open again; one that staff ignores stays so, unless it is another.
func (s *Subject) keepOne(tx core.App, platform string, d provisioning.Drift, now time.Time) error {
	at, ours, theirs := collections.Stamp(now).String(), collections.Cut(d.Ours, 990), collections.Cut(d.Theirs, 990)
	key := dbx.Params{"platform": platform, "kind": string(d.Kind), "service": d.ServiceID, "remote": d.RemoteID, "ours": ours, "theirs": theirs, "now": at}
	id, fresh, err := collections.Row(tx, collections.DriftFindings, now, dbx.Params{
		"platform": platform, "service": d.ServiceID, "remote_id": d.RemoteID, "kind": string(d.Kind), "ours": ours, "theirs": theirs, "status": "open", "note": "", "actor": "",
		"first_seen_at": at, "last_seen_at": at, "closed_at": "",
	})
	if err != nil {
		return err
	}
	if !fresh {
		if err := s.newAgain(tx, key); err != nil {
			return err
		}
		_, err := collections.Statement(tx, "UPDATE `drift_findings` SET `first_seen_at` = CASE WHEN `status` = 'gone' THEN {:now} ELSE `first_seen_at` END,"+
			" `status` = CASE WHEN `status` = 'ignored' AND `ours` = {:ours} AND `theirs` = {:theirs} THEN 'ignored' ELSE 'open' END,"+
			" `closed_at` = CASE WHEN `status` = 'ignored' AND `ours` = {:ours} AND `theirs` = {:theirs} THEN `closed_at` ELSE '' END,"+
			" `ours` = {:ours}, `theirs` = {:theirs}, `last_seen_at` = {:now}, `updated` = {:now}"+
			" WHERE `platform` = {:platform} AND `kind` = {:kind} AND `service` = {:service} AND `remote_id` = {:remote}").Bind(key).Execute()
		if err != nil {
			return fmt.Errorf("keep finding %s of %s: %w", d.Kind, d.RemoteID, err)
		}
		return nil
	}
	if err := s.Drifted(tx, platform); err != nil {
		return err
	}
	return audit.Write(tx, now, audit.Entry{
		ActorKind: audit.System, Action: "drift.finding", Resource: collections.DriftFindings, ResourceID: id,
		Changes: map[string]any{"platform": platform, "kind": string(d.Kind), "service": d.ServiceID, "remote_id": d.RemoteID, "ours": ours, "theirs": theirs},
	})
}

// newAgain tells staff of a difference that is about to be open again: it had
// disappeared, or is another than the one that is ignored.
func (s *Subject) newAgain(tx core.App, key dbx.Params) error {
	news := 0
	err := collections.Statement(tx, "SELECT EXISTS (SELECT 1 FROM `drift_findings` WHERE `platform` = {:platform} AND `kind` = {:kind} AND `service` = {:service} AND `remote_id` = {:remote}"+
		" AND (`status` = 'gone' OR `status` = 'ignored' AND (`ours` != {:ours} OR `theirs` != {:theirs})))").Bind(key).Row(&news)
	if err != nil {
		return fmt.Errorf("finding %v of %v: %w", key["kind"], key["remote"], err)
	}
	if news == 0 {
		return nil
	}
	return s.Drifted(tx, key["platform"].(string))
}

// driftBrake bounds how much one comparison repairs by itself: a panel that shows
// everything otherwise is rather wrong itself.
const driftBrake = 50

// repairBySetting queues the repairs of the kinds that the setting services names.
func (s *Subject) repairBySetting(app core.App, platform string, now time.Time) error {
	keep, err := collections.LoadServicing(app)
	if err != nil || len(keep.DriftRepair) == 0 {
		return err
	}
	kinds := []any{}
	for _, k := range keep.DriftRepair {
		kinds = append(kinds, string(k))
	}
	rows := []driftFinding{}
	err = app.DB().Select("id", "platform", "service", "remote_id", "kind", "ours", "theirs", "status").From(collections.DriftFindings).
		Where(dbx.HashExp{"platform": platform, "status": "open", "kind": kinds, "last_seen_at": collections.Stamp(now).String()}).OrderBy("first_seen_at", "id").Limit(driftBrake).All(&rows)
	if err != nil {
		return fmt.Errorf("findings of platform %s: %w", platform, err)
	}
	for _, f := range rows {
		err := app.RunInTransaction(func(tx core.App) error {
			return s.repairDrift(tx, f, audit.System, audit.Entry{ActorKind: audit.System})
		})
		if err != nil && !errors.Is(err, errByHand) && !errors.Is(err, errBusy) {
			return err
		}
	}
	return nil
}

// Why a drift is not repaired.
var (
	errByHand = errors.New("to be put right by hand")
	errBusy   = errors.New("another job of the service is open")
)

// repairDrift queues the job that puts a difference right, and notes it; by says who
// asked. It never builds and never terminates. Errors: errByHand, errBusy.
func (s *Subject) repairDrift(tx core.App, f driftFinding, actor string, by audit.Entry) error {
	now := s.Now()
	kind, able := f.drift().RepairOf()
	svc, err := collections.First(tx, collections.Services, dbx.HashExp{"id": f.Service})
	if err != nil {
		return err
	}
	if !able || svc == nil || statusOf(svc) == provisioning.ServiceTerminated {
		return errByHand
	}
	busy := 0
	if err := collections.Statement(tx, "SELECT "+fmt.Sprintf(openJob, "{:service}")).Bind(dbx.Params{"service": svc.Id}).Row(&busy); err != nil {
		return fmt.Errorf("jobs of service %s: %w", svc.Id, err)
	}
	if busy == 1 || svc.GetString("action") != "" {
		return errBusy
	}
	payload := any(switchPayload{Again: true})
	switch kind {
	case provisioning.JobChangePlan:
		if statusOf(svc) != provisioning.ServiceActive {
			return errByHand // it is changed once it is on again
		}
		payload = struct{}{}
		svc.Set("change_since", collections.Stamp(now))
		svc.Set("change_tried", tried{Settings: map[string]string{}, Unsure: true}) // the platform may stand anywhere
		if err := collections.Update(tx, svc); err != nil {
			return fmt.Errorf("service %s: %w", svc.Id, err)
		}
	case provisioning.JobRefresh:
		payload = refreshPayload{}
	default:
	}
	if _, err := jobs.Enqueue(tx, now, serviceJob(kind, svc, actor, payload)); err != nil {
		return err
	}
	by.Action, by.Resource, by.ResourceID = "drift.repair", collections.DriftFindings, f.ID
	by.Changes = map[string]any{"kind": f.Kind, "service": f.Service, "remote_id": f.Remote, "ours": f.Ours, "theirs": f.Theirs, "job": string(kind)}
	return audit.Write(tx, now, by)
}
