package provisioning

import (
	"fmt"
	"slices"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/jobs"
)

// onPaid sets the waiting services of a paid invoice in motion, inside the
// transaction that paid it: invoice and job are saved together or not at all.
func (s *Subject) onPaid(app core.App) {
	app.OnRecordUpdateExecute(collections.Invoices).Bind(&hook.Handler[*core.RecordEvent]{
		Id: "provisioningInvoicePaid",
		Func: func(e *core.RecordEvent) error {
			before := e.Record.Original().GetString("status")
			if err := e.Next(); err != nil {
				return err
			}
			if before == "paid" || e.Record.GetString("status") != "paid" {
				return nil
			}
			return s.startPaid(e.App, e.Record.Id)
		},
	})
}

func (s *Subject) startPaid(tx core.App, invoice string) error {
	waiting := []string{}
	err := collections.Statement(tx, "SELECT `id` FROM `services` WHERE `status` = 'pending' AND `subscription` IN"+
		" (SELECT `subscription` FROM `invoice_items` WHERE `invoice` = {:invoice} AND `kind` = 'period') ORDER BY `created`, `id`").
		Bind(dbx.Params{"invoice": invoice}).Column(&waiting)
	if err != nil {
		return fmt.Errorf("services of invoice %s: %w", invoice, err)
	}
	for _, id := range waiting {
		svc, err := tx.FindRecordById(collections.Services, id)
		if err != nil {
			return fmt.Errorf("service %s of invoice %s: %w", id, invoice, err)
		}
		if err := s.start(tx, svc, audit.System); err != nil {
			return err
		}
	}
	return nil
}

// start takes a service from pending to provisioning and queues its building.
func (s *Subject) start(tx core.App, svc *core.Record, actor string) error {
	now := s.Now()
	at := now.UTC()
	svc.Set("status", string(provisioning.ServiceProvisioning))
	svc.Set("steps", []step{{Name: "paid", State: "done", Started: &at, Finished: &at}})
	if err := collections.Update(tx, svc); err != nil {
		return fmt.Errorf("start service %s: %w", svc.Id, err)
	}
	_, err := jobs.Enqueue(tx, now, serviceJob(provisioning.JobProvision, svc, actor, struct{}{}))
	return err
}

// step is one line of the building progress that customers see.
type step struct {
	Name     string     `json:"name"`
	State    string     `json:"state"` // done, active, waiting, failed
	Started  *time.Time `json:"started_at"`
	Finished *time.Time `json:"finished_at"`
	Note     string     `json:"note"`
}

// plan lists the adapter's steps after what is known already; the first try at
// building calls it.
func plan(svc *core.Record, names []string) error {
	steps := []step{}
	if err := decode(svc, "steps", &steps); err != nil {
		return err
	}
	for _, name := range names {
		if !slices.ContainsFunc(steps, func(st step) bool { return st.Name == name }) {
			steps = append(steps, step{Name: name, State: "waiting"})
		}
	}
	svc.Set("steps", steps)
	return nil
}

// mark moves the progress: everything before name is done, name is in state.
// An empty name marks all done.
func mark(steps []step, name, state, note string, now time.Time) []step {
	at := now.UTC()
	reached := name == ""
	for i := range steps {
		st := &steps[i]
		switch {
		case st.Name == name:
			reached = true
			st.State, st.Note = state, note
			if st.Started == nil {
				st.Started = &at
			}
			if state == "done" {
				st.Finished = &at
			}
		case !reached || name == "":
			if st.State != "done" {
				st.State, st.Note, st.Finished = "done", "", &at
			}
			if st.Started == nil {
				st.Started = &at
			}
		}
	}
	return steps
}
