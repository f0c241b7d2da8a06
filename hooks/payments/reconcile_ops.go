package payments

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/op"
)

func (s *Subject) reconcileOps(t *op.Table) {
	const path = "/api/v1/staff/reconcile"
	op.Add(t, op.Spec{ID: "staff.reconcile.findings", Method: http.MethodGet, Path: path + "/findings", Access: op.Staff, Summary: "Differences between the gateways' books and ours, newest first; open ones unless a status is given"}, s.listFindings)
	op.Add(t, op.Spec{ID: "staff.reconcile.repair", Method: http.MethodPost, Path: path + "/findings/{id}/repair", Access: op.Staff, Summary: "Read back from the gateway what a finding is about, and book it; repeatable"}, s.repairFinding)
	op.Add(t, op.Spec{ID: "staff.reconcile.dismiss", Method: http.MethodPost, Path: path + "/findings/{id}/dismiss", Access: op.Staff, Summary: "Note why a finding needs no repair"}, s.dismissFinding)
	op.Add(t, op.Spec{ID: "staff.reconcile.runs", Method: http.MethodGet, Path: path + "/runs", Access: op.Staff, Summary: "Comparisons with the gateways' books, newest first"}, s.listRuns)
	op.Add(t, op.Spec{ID: "staff.reconcile.run", Method: http.MethodPost, Path: path + "/runs", Access: op.Staff, Summary: "Begin a comparison now; one at a time for each gateway"}, s.runNow)
}

type findingView struct {
	ID        string    `json:"id"`
	Gateway   string    `json:"gateway"`
	Kind      string    `json:"kind"`
	Reference string    `json:"reference"`
	Related   string    `json:"related"`
	Record    string    `json:"record"`
	Ours      sumView   `json:"ours"`
	Theirs    sumView   `json:"theirs"`
	Status    string    `json:"status"`
	Note      string    `json:"note"`
	At        time.Time `json:"at,omitzero"`
	Found     time.Time `json:"found_at"`
	Closed    time.Time `json:"closed_at,omitzero"`
}

// sumView is an amount that one side may not have: its currency is "" then.
type sumView struct {
	Minor    int64  `json:"minor"`
	Currency string `json:"currency"`
}

func (f findingRow) view() (findingView, error) {
	v := findingView{
		ID: f.ID, Gateway: f.Gateway, Kind: f.Kind, Reference: f.Reference, Related: f.Related, Record: f.Record, Ours: sumView{f.Ours, f.Currency}, Theirs: sumView{f.Theirs, f.TheirsCurrency},
		Status: f.Status, Note: f.Note,
	}
	var errs [3]error
	v.At, errs[0] = collections.ParseStamp(f.At)
	v.Found, errs[1] = collections.ParseStamp(f.Found)
	v.Closed, errs[2] = collections.ParseStamp(f.Closed)
	return v, errors.Join(errs[:]...)
}

type findingQuery struct {
	Status  string `json:"-" query:"status"`
	Gateway string `json:"-" query:"gateway"`
	Kind    string `json:"-" query:"kind"`
}

type findingList struct {
	Items []findingView `json:"items"`
}

func (s *Subject) listFindings(r *op.Request, in findingQuery) (findingList, error) {
	list, rows := findingList{Items: []findingView{}}, []findingRow{}
	if in.Status == "" {
		in.Status = "open"
	}
	err := r.App.DB().NewQuery("SELECT " + findingColumns + " FROM `reconcile_findings` WHERE `status` = {:status} AND {:gateway} IN ('', `gateway`) AND {:kind} IN ('', `kind`) ORDER BY `found_at` DESC, `rowid` DESC LIMIT 500").
		Bind(dbx.Params{"status": in.Status, "gateway": in.Gateway, "kind": in.Kind}).All(&rows)
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

type repairAnswer struct {
	Finding findingView `json:"finding"`
	Said    string      `json:"message"`
}

func (s *Subject) repairFinding(r *op.Request, in byID) (repairAnswer, error) {
	f, err := readFinding(r.App, in.ID)
	if err != nil {
		return repairAnswer{}, err
	}
	said := "It is settled already."
	if f.Status == "open" {
		_, said, err = s.repair(r.Request.Context(), r.App, f, "staff:"+r.Auth.Id)
		switch {
		case errors.Is(err, errByHand):
			return repairAnswer{}, op.NewProblem(http.StatusConflict, "by_hand", "The product cannot repair this; docs/payments.md says what to do. Dismiss it with a note when it is done.")
		case errors.Is(err, billing.ErrGatewayRefused):
			return repairAnswer{}, op.NewProblem(http.StatusConflict, "not_there", "The gateway does not know it, so there is nothing to book.").Because(err)
		case errors.Is(err, billing.ErrGatewayTemporary), errors.Is(err, billing.ErrOutcomeUnknown), errors.Is(err, billing.ErrGatewayCredentials), errors.Is(err, billing.ErrNotConfigured):
			return repairAnswer{}, op.NewProblem(http.StatusServiceUnavailable, "gateway_unavailable", plain(f.Gateway, err)).Because(err)
		case err != nil:
			return repairAnswer{}, err
		}
		if err := s.auditFinding(r.App, r, "reconcile.repair", f, said); err != nil {
			return repairAnswer{}, err
		}
	}
	if f, err = readFinding(r.App, in.ID); err != nil {
		return repairAnswer{}, err
	}
	v, err := f.view()
	return repairAnswer{v, said}, err
}

type dismissRequest struct {
	ID   string `json:"-" path:"id"`
	Note string `json:"note"`
}

// Check wants a reason.
func (in dismissRequest) Check(f *op.Fields) {
	f.Check(strings.TrimSpace(in.Note) != "" && len(in.Note) <= 900, "note", "required", "Say why this needs no repair, or what was done by hand.")
}

func (s *Subject) dismissFinding(r *op.Request, in dismissRequest) (findingView, error) {
	f, err := readFinding(r.App, in.ID)
	if err != nil {
		return findingView{}, err
	}
	err = r.App.RunInTransaction(func(tx core.App) error {
		now := collections.Stamp(r.Now()).String()
		_, err := tx.DB().Update(collections.ReconcileFindings, dbx.Params{"status": "dismissed", "note": strings.TrimSpace(in.Note), "actor": "staff:" + r.Auth.Id, "closed_at": now, "updated": now},
			dbx.HashExp{"id": f.ID, "status": "open"}).Execute()
		if err != nil {
			return fmt.Errorf("dismiss finding %s: %w", f.ID, err)
		}
		return s.auditFinding(tx, r, "reconcile.dismiss", f, in.Note)
	})
	if err != nil {
		return findingView{}, err
	}
	if f, err = readFinding(r.App, in.ID); err != nil {
		return findingView{}, err
	}
	return f.view()
}

func (s *Subject) auditFinding(app core.App, r *op.Request, action string, f findingRow, note string) error {
	return audit.Write(app, r.Now(), audit.Entry{
		ActorKind: audit.Staff, Actor: r.Auth.Id, Action: action, Resource: collections.ReconcileFindings, ResourceID: f.ID, IP: r.RealIP(), UserAgent: r.Agent(),
		Changes: map[string]any{"gateway": f.Gateway, "kind": f.Kind, "reference": f.Reference, "note": note},
	})
}

type runView struct {
	ID      string    `json:"id"`
	Gateway string    `json:"gateway"`
	Status  string    `json:"status"`
	From    time.Time `json:"from"`
	DoneTo  time.Time `json:"done_until"`
	Seen    int64     `json:"seen"`
	Matched int64     `json:"matched"`
	Error   string    `json:"error"`
	Started time.Time `json:"started_at"`
	Ended   time.Time `json:"ended_at,omitzero"`
}

type runList struct {
	Items []runView `json:"items"`
}

func (s *Subject) listRuns(r *op.Request, _ op.None) (runList, error) {
	list, rows := runList{Items: []runView{}}, []reconcileRun{}
	err := r.App.DB().NewQuery("SELECT `id`, `gateway`, `status`, `from_at`, `until_at`, `done_until`, `seen`, `matched`, `error`, `started_at`, `ended_at` FROM `reconcile_runs` ORDER BY `started_at` DESC, `rowid` DESC LIMIT 60").All(&rows)
	if err != nil {
		return list, fmt.Errorf("list comparisons: %w", err)
	}
	for _, run := range rows {
		v := runView{ID: run.ID, Gateway: run.Gateway, Status: run.Status, Seen: run.Seen, Matched: run.Matched, Error: run.Error}
		var errs [4]error
		v.From, errs[0] = collections.ParseStamp(run.From)
		v.DoneTo, errs[1] = collections.ParseStamp(run.DoneTo)
		v.Started, errs[2] = collections.ParseStamp(run.Started)
		v.Ended, errs[3] = collections.ParseStamp(run.Ended)
		if err := errors.Join(errs[:]...); err != nil {
			return list, err
		}
		list.Items = append(list.Items, v)
	}
	return list, nil
}

type runRequest struct {
	Gateway string `json:"gateway"`
}

func (s *Subject) runNow(r *op.Request, in runRequest) (runList, error) {
	err := s.beginReconcile(r.App, in.Gateway, "staff:"+r.Auth.Id, r.Now())
	switch {
	case errors.Is(err, ErrRunning):
		return runList{}, op.NewProblem(http.StatusConflict, "running", "A comparison with this gateway is under way.").Because(err)
	case errors.Is(err, billing.ErrNotConfigured):
		return runList{}, op.Fields{{Field: "gateway", Message: "This gateway is not set up, or shows no book of its own.", Code: "unknown_gateway"}}.Problem()
	case err != nil:
		return runList{}, err
	}
	return s.listRuns(r, op.None{})
}
