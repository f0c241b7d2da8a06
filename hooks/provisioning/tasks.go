package provisioning

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/hooks/op"
)

// A task is a job of a service whose platform is staff itself. It waits, with a
// checklist, until everything required is ticked and somebody says that it is done.

// doneAs is the status of a service once a task of a kind is done.
var doneAs = map[provisioning.JobKind]provisioning.ServiceStatus{
	provisioning.JobProvision: provisioning.ServiceActive, provisioning.JobUnsuspend: provisioning.ServiceActive,
	provisioning.JobSuspend: provisioning.ServiceSuspended, provisioning.JobTerminate: provisioning.ServiceTerminated,
}

// makeTask writes into a job that waits for people what they have to do. What was
// ticked when it waited before stays ticked.
func (s *Subject) makeTask(tx core.App, job string, kind provisioning.JobKind, svc *core.Record) error {
	platform, err := collections.First(tx, collections.Platforms, dbx.HashExp{"id": svc.GetString("platform")})
	if err != nil || platform == nil || platform.GetString("kind") != kindManual {
		return err
	}
	plan, special := svc.GetString("plan"), []string(nil)
	if kind == provisioning.JobChangePlan {
		w, err := wishNow(tx, svc)
		if err != nil {
			return err
		}
		plan, special = w.toPlan, w.Differences()
	}
	_, settings, err := planSettings(tx, plan)
	if err != nil {
		return err
	}
	row, err := tx.FindRecordById(collections.Jobs, job)
	if err != nil {
		return fmt.Errorf("job %s: %w", job, err)
	}
	earlier := provisioning.Checklist{}
	if err := collections.ReadJSON(row, "checklist", &earlier); err != nil {
		return err
	}
	row.Set("checklist", provisioning.ChecklistFor(kind, settings, special...).Keep(earlier))
	return collections.Update(tx, row)
}

// task is one as staff sees it.
type task struct {
	ID       string     `json:"id"`
	Act      string     `json:"act"` // "service.provision"
	Service  string     `json:"service"`
	Hostname string     `json:"hostname"`
	Plan     string     `json:"plan"`
	Customer string     `json:"customer"` // mail address
	Why      string     `json:"why"`      // what is to be done, in the job's words
	Since    time.Time  `json:"since"`
	Items    []taskItem `json:"items"`
	Left     []string   `json:"left"` // required and not ticked
}

// waiting is a task with what it is made of.
type waiting struct {
	task
	job, svc *core.Record
	list     provisioning.Checklist
}

type taskItem struct {
	Text     string    `json:"text"`
	Required bool      `json:"required"`
	Done     bool      `json:"done"`
	By       string    `json:"by"` // "staff:<id>"
	At       time.Time `json:"at,omitzero"`
}

type taskList struct {
	Items []task `json:"items"`
}

type tickRequest struct {
	ID   string `json:"-" path:"id"`
	Item int    `json:"item"` // from 0
	Done bool   `json:"done"`
}

type taskDone struct {
	ID       string `json:"-" path:"id"`
	Note     string `json:"note"`
	Hostname string `json:"hostname"`
	IPv4     string `json:"ipv4"`
	IPv6     string `json:"ipv6"`
}

// Check bounds what is said of a task that is done.
func (in taskDone) Check(f *op.Fields) {
	f.Check(len(in.Note) <= 900, "note", "too_long", "A note has at most 900 characters.")
	f.Check(len(in.Hostname) <= 250, "hostname", "too_long", "A host name has at most 250 characters.")
	f.Check(address(in.IPv4, false), "ipv4", "invalid", "This is no IPv4 address.")
	f.Check(address(in.IPv6, true), "ipv6", "invalid", "This is no IPv6 address or prefix.")
}

// address says whether a text is an address of a family, or nothing at all; of IPv6
// also a prefix.
func address(text string, six bool) bool {
	a, err := netip.ParseAddr(text)
	if p, prefixErr := netip.ParsePrefix(text); six && err != nil && prefixErr == nil {
		a, err = p.Addr(), nil
	}
	return text == "" || err == nil && a.Is4() != six && !a.Is4In6()
}

func (s *Subject) taskOps(t *op.Table) {
	const path = "/api/v1/staff/tasks"
	op.Add(t, op.Spec{ID: "staff.tasks.list", Method: http.MethodGet, Path: path, Access: op.Staff, Summary: "Work that people do, with checklists, oldest first"}, s.listTasks)
	op.Add(t, op.Spec{ID: "staff.tasks.tick", Method: http.MethodPost, Path: path + "/{id}/ticks", Access: op.Staff, Summary: "Tick an item of a task, or take the tick back"}, s.tick)
	op.Add(t, op.Spec{ID: "staff.tasks.complete", Method: http.MethodPost, Path: path + "/{id}/complete", Access: op.Staff, Summary: "Say that a task is done, once all required items are ticked"}, s.complete)
}

// maxTasks bounds one list of tasks.
const maxTasks = 500

func (s *Subject) listTasks(r *op.Request, _ op.None) (taskList, error) {
	list, rows := taskList{Items: []task{}}, []*core.Record{}
	err := r.App.RecordQuery(collections.Jobs).AndWhere(dbx.NewExp("`state` = 'parked' AND IFNULL(`checklist`, 'null') != 'null'")).OrderBy("queued_at", "id").Limit(maxTasks).All(&rows)
	if err != nil {
		return list, fmt.Errorf("tasks: %w", err)
	}
	for _, job := range rows {
		one, err := shown(r.App, job)
		if err != nil {
			return list, err
		}
		list.Items = append(list.Items, one.task)
	}
	return list, nil
}

// shown is a job as a task.
func shown(app core.App, job *core.Record) (waiting, error) {
	svc, err := app.FindRecordById(collections.Services, job.GetString("service"))
	if err != nil {
		return waiting{}, fmt.Errorf("task %s: %w", job.Id, err)
	}
	user, err := app.FindRecordById(collections.Users, svc.GetString("user"))
	if err != nil {
		return waiting{}, fmt.Errorf("task %s: customer: %w", job.Id, err)
	}
	plan, _, err := planSettings(app, svc.GetString("plan"))
	if err != nil {
		return waiting{}, err
	}
	list := provisioning.Checklist{}
	if err := collections.ReadJSON(job, "checklist", &list); err != nil {
		return waiting{}, err
	}
	one := waiting{job: job, svc: svc, list: list, task: task{
		ID: job.Id, Act: job.GetString("kind"), Service: svc.Id, Hostname: svc.GetString("hostname"), Plan: plan, Customer: user.Email(),
		Why: job.GetString("error"), Since: collections.Time(job, "queued_at"), Items: []taskItem{}, Left: list.Left(),
	}}
	for _, item := range list {
		one.Items = append(one.Items, taskItem{item.Text, !item.Optional, !item.At.IsZero(), item.By, item.At})
	}
	return one, nil
}

// openTask reads a task that is not done.
func openTask(app core.App, id string) (waiting, error) {
	job, err := collections.First(app, collections.Jobs, dbx.HashExp{"id": id})
	if err != nil {
		return waiting{}, err
	}
	if job == nil || !hasChecklist(job) {
		return waiting{}, op.NotFound()
	}
	if state := job.GetString("state"); state != jobs.Parked {
		return waiting{}, op.NewProblem(http.StatusConflict, "not_waiting", "This task does not wait for anybody; it is "+state+".")
	}
	return shown(app, job)
}

func hasChecklist(job *core.Record) bool {
	raw := job.GetString("checklist")
	return raw != "" && raw != "null"
}

// tick notes who did an item and when, or takes that back.
func (s *Subject) tick(r *op.Request, in tickRequest) (task, error) {
	out := task{}
	err := r.App.RunInTransaction(func(tx core.App) error {
		one, err := openTask(tx, in.ID)
		if err != nil {
			return err
		}
		if in.Item < 0 || in.Item >= len(one.list) {
			return op.NewProblem(http.StatusUnprocessableEntity, "no_item", fmt.Sprintf("This task has the items 0 to %d.", len(one.list)-1))
		}
		item, action := &one.list[in.Item], "task.tick"
		switch {
		case in.Done != item.At.IsZero():
			out = one.task
			return nil // it is so already, and whoever was first stays
		case in.Done:
			item.By, item.At = "staff:"+r.Auth.Id, r.Now().UTC()
		default:
			item.By, item.At, action = "", time.Time{}, "task.untick"
		}
		one.job.Set("checklist", one.list)
		if err := collections.Update(tx, one.job); err != nil {
			return err
		}
		if err := s.staffAudit(tx, r, action, collections.Jobs, one.ID, map[string]any{"job": one.job.GetString("key"), "item": item.Text}); err != nil {
			return err
		}
		now, err := openTask(tx, in.ID)
		out = now.task
		return err
	})
	return out, err
}

// complete takes staff's word that a task is done.
func (s *Subject) complete(r *op.Request, in taskDone) (op.None, error) {
	return op.None{}, r.App.RunInTransaction(func(tx core.App) error {
		one, err := openTask(tx, in.ID)
		if err != nil {
			return err
		}
		if len(one.Left) > 0 {
			return unticked(one.Left)
		}
		if err := s.finishTask(tx, r, in, one); err != nil {
			return err
		}
		return s.staffAudit(tx, r, "task.complete", collections.Jobs, one.ID, map[string]any{"job": one.job.GetString("key"), "service": one.Service, "note": in.Note, "items": one.Items})
	})
}

func (s *Subject) finishTask(tx core.App, r *op.Request, in taskDone, one waiting) error {
	kind, actor := provisioning.JobKind(one.Act), "staff:"+r.Auth.Id
	if kind == provisioning.JobChangePlan {
		if err := jobs.Cancel(tx, r.Now(), one.job.GetString("key")); err != nil {
			return err
		}
		return s.changeByHand(tx, one.Service, actor)
	}
	svc, to := one.svc, doneAs[kind]
	if err := provisioning.CheckServiceTransition(statusOf(svc), to); err != nil || to == "" {
		return op.NewProblem(http.StatusConflict, "not_needed", "This service is "+svc.GetString("status")+": the task is not needed any more. Close its job.")
	}
	for field, value := range map[string]string{"hostname": in.Hostname, "ipv4": in.IPv4, "ipv6": in.IPv6} {
		if value != "" {
			svc.Set(field, value)
		}
	}
	svc.Set("status", string(to))
	if kind == provisioning.JobUnsuspend {
		svc.Set("hold", "")
		svc.Set("status_reason", "")
	}
	if err := s.doneByHand(tx, svc, to, actor); err != nil {
		return err
	}
	return collections.Update(tx, svc)
}

func unticked(left []string) error {
	return op.NewProblem(http.StatusConflict, "unticked", "Tick first what is required: "+strings.Join(left, "; ")+".")
}

// ticksFirst refuses an edit by which a task of a service would be done that is not
// ticked.
func ticksFirst(tx core.App, svc *core.Record, to provisioning.ServiceStatus) error {
	kinds := []provisioning.JobKind{}
	for kind, as := range doneAs {
		if as == to {
			kinds = append(kinds, kind)
		}
	}
	left, err := untickedFor(tx, svc.Id, kinds...)
	if err == nil && len(left) > 0 {
		err = apis.NewBadRequestError("Tick first what its task requires: "+strings.Join(left, "; ")+".", nil)
	}
	return err
}

// untickedFor are the required items that are open in the tasks of a service of some
// kinds.
func untickedFor(tx core.App, service string, kinds ...provisioning.JobKind) ([]string, error) {
	rows := []*core.Record{}
	err := tx.RecordQuery(collections.Jobs).AndWhere(dbx.HashExp{"service": service, "state": jobs.Parked}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("tasks of service %s: %w", service, err)
	}
	left := []string{}
	for _, job := range rows {
		if !slices.Contains(kinds, provisioning.JobKind(job.GetString("kind"))) {
			continue
		}
		list := provisioning.Checklist{}
		if err := collections.ReadJSON(job, "checklist", &list); err != nil {
			return nil, err
		}
		left = append(left, list.Left()...)
	}
	return left, nil
}
