package provisioning

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/op"
)

func (s *Subject) driftOps(t *op.Table) {
	const path = "/api/v1/staff/drift"
	op.Add(t, op.Spec{ID: "staff.drift.findings", Method: http.MethodGet, Path: path + "/findings", Access: op.Staff, Summary: "Differences between the platforms and our services, newest first; open ones unless a status is given"}, s.listDrift)
	op.Add(t, op.Spec{ID: "staff.drift.repair", Method: http.MethodPost, Path: path + "/findings/{id}/repair", Access: op.Staff, Status: http.StatusAccepted, Summary: "Queue the job that puts a difference right; it never builds and never terminates"}, s.askRepair)
	op.Add(t, op.Spec{ID: "staff.drift.ignore", Method: http.MethodPost, Path: path + "/findings/{id}/ignore", Access: op.Staff, Summary: "Note why a difference may stay; it is shown again once it is another"}, s.ignoreDrift)
	op.Add(t, op.Spec{ID: "staff.drift.runs", Method: http.MethodGet, Path: path + "/runs", Access: op.Staff, Summary: "Comparisons with the platforms, newest first"}, s.listDriftRuns)
	op.Add(t, op.Spec{ID: "staff.drift.run", Method: http.MethodPost, Path: path + "/runs", Access: op.Staff, Summary: "Begin a comparison now; one at a time for each platform"}, s.runDrift)
}

type driftView struct {
	ID       string    `json:"id"`
	Platform string    `json:"platform"`
	Service  string    `json:"service"`
	Remote   string    `json:"remote_id"`
	Kind     string    `json:"kind"`
	Ours     string    `json:"ours"`
	Theirs   string    `json:"theirs"`
	Status   string    `json:"status"`
	Note     string    `json:"note"`
	Actor    string    `json:"actor"`
	Repair   string    `json:"repair"` // the job that would put it right; "" is by hand
	First    time.Time `json:"first_seen_at"`
	Last     time.Time `json:"last_seen_at"`
	Closed   time.Time `json:"closed_at,omitzero"`
}

func (f driftFinding) view() (driftView, error) {
	v := driftView{ID: f.ID, Platform: f.Platform, Service: f.Service, Remote: f.Remote, Kind: f.Kind, Ours: f.Ours, Theirs: f.Theirs, Status: f.Status, Note: f.Note, Actor: f.Actor}
	if kind, able := f.drift().RepairOf(); able {
		v.Repair = string(kind)
	}
	var errs [3]error
	v.First, errs[0] = collections.ParseStamp(f.First)
	v.Last, errs[1] = collections.ParseStamp(f.Last)
	v.Closed, errs[2] = collections.ParseStamp(f.Closed)
	return v, errors.Join(errs[:]...)
}

type driftQuery struct {
	Status   string `json:"-" query:"status"`
	Platform string `json:"-" query:"platform"`
	Kind     string `json:"-" query:"kind"`
}

type driftList struct {
	Items []driftView `json:"items"`
}

func (s *Subject) listDrift(r *op.Request, in driftQuery) (driftList, error) {
	list, rows := driftList{Items: []driftView{}}, []driftFinding{}
	if in.Status == "" {
		in.Status = "open"
	}
	err := r.App.DB().NewQuery("SELECT " + driftColumns + " FROM `drift_findings` WHERE `status` = {:status} AND {:platform} IN ('', `platform`) AND {:kind} IN ('', `kind`) ORDER BY `first_seen_at` DESC, `rowid` DESC LIMIT 500").
		Bind(dbx.Params{"status": in.Status, "platform": in.Platform, "kind": in.Kind}).All(&rows)
	if err != nil {
		return list, fmt.Errorf("list findings: %w", err)
	}
	for _, f := range rows {
		v, err := f.view()
		if err != nil {
			return list, err
		}
		list.Items = append(list.Items, v)
	}
	return list, nil
}

// asked is the audit entry of what a member of staff does with a finding.
func asked(r *op.Request) audit.Entry {
	return audit.Entry{ActorKind: audit.Staff, Actor: r.Auth.Id, IP: r.RealIP(), UserAgent: r.Agent()}
}

func (s *Subject) askRepair(r *op.Request, in byID) (driftView, error) {
	f, err := readDrift(r.App, in.ID)
	if err != nil {
		return driftView{}, err
	}
	if f.Status != "open" {
		return driftView{}, op.NewProblem(http.StatusConflict, "not_open", "Only an open difference can be put right; this one is "+f.Status+".")
	}
	err = r.App.RunInTransaction(func(tx core.App) error { return s.repairDrift(tx, f, "staff:"+r.Auth.Id, asked(r)) })
	switch {
	case errors.Is(err, errByHand):
		return driftView{}, op.NewProblem(http.StatusConflict, "by_hand", "The product does not put this right by itself; docs/operations.md says what to do. Ignore it with a reason, or compare again when it is done.").Because(err)
	case errors.Is(err, errBusy):
		return driftView{}, op.NewProblem(http.StatusConflict, "busy", "A job of this service is open already; wait for it, or close it.").Because(err)
	case err != nil:
		return driftView{}, err
	}
	return f.view()
}

type ignoreRequest struct {
	ID     string `json:"-" path:"id"`
	Reason string `json:"reason"`
}

// Check wants a reason.
func (in ignoreRequest) Check(f *op.Fields) {
	f.Check(strings.TrimSpace(in.Reason) != "" && len(in.Reason) <= 900, "reason", "required", "Say why this may stay as it is; it is kept in the audit log.")
}

func (s *Subject) ignoreDrift(r *op.Request, in ignoreRequest) (driftView, error) {
	f, err := readDrift(r.App, in.ID)
	if err != nil {
		return driftView{}, err
	}
	if f.Status != "open" {
		return driftView{}, op.NewProblem(http.StatusConflict, "not_open", "Only an open difference can be ignored; this one is "+f.Status+".")
	}
	reason := strings.TrimSpace(in.Reason)
	err = r.App.RunInTransaction(func(tx core.App) error {
		now := collections.Stamp(r.Now()).String()
		_, err := tx.DB().Update(collections.DriftFindings, dbx.Params{"status": "ignored", "note": reason, "actor": "staff:" + r.Auth.Id, "closed_at": now, "updated": now}, dbx.HashExp{"id": f.ID, "status": "open"}).Execute()
		if err != nil {
			return fmt.Errorf("ignore finding %s: %w", f.ID, err)
		}
		e := asked(r)
		e.Action, e.Resource, e.ResourceID = "drift.ignore", collections.DriftFindings, f.ID
		e.Changes = map[string]any{"kind": f.Kind, "service": f.Service, "remote_id": f.Remote, "reason": reason}
		return audit.Write(tx, r.Now(), e)
	})
	if err != nil {
		return driftView{}, err
	}
	if f, err = readDrift(r.App, in.ID); err != nil {
		return driftView{}, err
	}
	return f.view()
}

type driftRunView struct {
	ID       string    `json:"id"`
	Platform string    `json:"platform"`
	Status   string    `json:"status"`
	Seen     int64     `json:"seen"`  // listed by the platform, of others too
	Known    int64     `json:"known"` // our services there
	Error    string    `json:"error"`
	Started  time.Time `json:"started_at"`
	Ended    time.Time `json:"ended_at,omitzero"`
}

type driftRunList struct {
	Items []driftRunView `json:"items"`
}

func (s *Subject) listDriftRuns(r *op.Request, _ op.None) (driftRunList, error) {
	list, rows := driftRunList{Items: []driftRunView{}}, []driftRun{}
	if err := r.App.DB().NewQuery("SELECT " + runColumns + " FROM `drift_runs` ORDER BY `started_at` DESC, `rowid` DESC LIMIT 60").All(&rows); err != nil {
		return list, fmt.Errorf("list comparisons: %w", err)
	}
	for _, run := range rows {
		v := driftRunView{ID: run.ID, Platform: run.Platform, Status: run.Status, Seen: run.Seen, Known: run.Known, Error: run.Error}
		var errs [2]error
		v.Started, errs[0] = collections.ParseStamp(run.Started)
		v.Ended, errs[1] = collections.ParseStamp(run.Ended)
		if err := errors.Join(errs[:]...); err != nil {
			return list, err
		}
		list.Items = append(list.Items, v)
	}
	return list, nil
}

type driftRequest struct {
	Platform string `json:"platform"`
}

func (s *Subject) runDrift(r *op.Request, in driftRequest) (driftRunList, error) {
	platform, err := collections.First(r.App, collections.Platforms, dbx.HashExp{"id": in.Platform})
	if err != nil {
		return driftRunList{}, err
	}
	if platform == nil {
		return driftRunList{}, op.Fields{{Field: "platform", Message: "There is no such platform.", Code: "unknown_platform"}}.Problem()
	}
	err = s.beginDrift(r.App, platform, "staff:"+r.Auth.Id, r.Now())
	switch {
	case errors.Is(err, ErrDriftRunning):
		return driftRunList{}, op.NewProblem(http.StatusConflict, "running", "A comparison with this platform is under way.").Because(err)
	case errors.Is(err, errNoList), errors.Is(err, provisioning.ErrCredentials), errors.Is(err, provisioning.ErrPermanent):
		return driftRunList{}, op.Fields{{Field: "platform", Message: "This platform is not set up, or cannot list its services.", Code: "no_list"}}.Problem()
	case err != nil:
		return driftRunList{}, err
	}
	return s.listDriftRuns(r, op.None{})
}
