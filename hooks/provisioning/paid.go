package provisioning

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/jobs"
)

// startPaid takes the waiting services of a paid invoice from pending to
// provisioning and queues their building, inside the transaction that paid it;
// those of an order that staff has yet to approve stay, and those whose line was
// credited whole: that closes an invoice without paying for them. It is part of every settlement, so it
// is short; readers learn of it from the invoice, and from the first step.
func (s *Subject) startPaid(tx core.App, d books.Document) error {
	if d.Kind != "order" && d.Kind != books.KindCorrection {
		return nil // services wait for their first invoice alone, or for what corrects it
	}
	invoice := d.ID
	waiting := []struct {
		ID   string `db:"id"`
		User string `db:"user"`
	}{}
	err := collections.Statement(tx, "SELECT `id`, `user` FROM `services` WHERE `status` = 'pending' AND `subscription` IN"+
		" (SELECT `subscription` FROM `invoice_items` WHERE `invoice` = {:invoice} AND `kind` IN ('period', 'trial', 'hourly') AND `live` = TRUE)"+
		" AND NOT EXISTS (SELECT 1 FROM `orders` WHERE `invoice` = {:invoice} AND `invoice` != '' AND `review` IN ('waiting', 'rejected')) ORDER BY `rowid`").
		Bind(dbx.Params{"invoice": invoice}).All(&waiting)
	if err != nil {
		return fmt.Errorf("services of invoice %s: %w", invoice, err)
	}
	now := s.Now()
	steps, err := json.Marshal(begun(now))
	if err != nil {
		return fmt.Errorf("services of invoice %s: %w", invoice, err)
	}
	for _, svc := range waiting {
		_, err := collections.Statement(tx, "UPDATE `services` SET `status` = 'provisioning', `steps` = {:steps}, `updated` = {:now} WHERE `id` = {:id} AND `status` = 'pending'").
			Bind(dbx.Params{"id": svc.ID, "steps": string(steps), "now": collections.Stamp(now).String()}).Execute()
		if err != nil {
			return fmt.Errorf("start service %s: %w", svc.ID, err)
		}
		if _, err := jobs.Enqueue(tx, now, jobOf(provisioning.JobProvision, svc.ID, svc.User, audit.System, struct{}{})); err != nil {
			return err
		}
	}
	return nil
}

// begun is the progress of a service that was just paid.
func begun(now time.Time) []step {
	at := now.UTC()
	return []step{{Name: "paid", State: "done", Started: &at, Finished: &at}}
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
	if err := collections.ReadJSON(svc, "steps", &steps); err != nil {
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
