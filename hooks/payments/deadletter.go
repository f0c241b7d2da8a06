package payments

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/hooks/op"
)

const eventFailed = "failed"

// deadLetter keeps a delivery whose processing was given up, and tells staff. It
// stays until somebody replays it: nothing else may do so, and it is never purged.
func (s *Subject) deadLetter(tx core.App, r *jobs.Run, cause error) error {
	if r.Kind != jobWebhook {
		return nil
	}
	p := eventPayload{}
	if err := r.Payload(&p); err != nil {
		return err
	}
	event, err := readEventRow(tx, p.Event)
	if err != nil || event.done() {
		return err
	}
	if err := s.closeEvents(tx, eventFailed, collections.Cut(cause.Error(), 900), event.ID); err != nil {
		return err
	}
	tx.Logger().Error("Webhook event was given up", slog.String("gateway", event.Gateway), slog.String("event", event.EventID), slog.String("type", event.Type), slog.Any("error", cause))
	if err := s.DeadLetter(tx, event.Gateway); err != nil {
		return err
	}
	return audit.Write(tx, r.Now(), audit.Entry{
		ActorKind: audit.System, Action: "webhook.dead_letter", Resource: collections.WebhookEvents, ResourceID: event.ID,
		Changes: map[string]any{"gateway": event.Gateway, "event": event.EventID, "type": event.Type, "object": event.Object, "attempts": r.Attempt, "error": collections.Cut(cause.Error(), 300)},
	})
}

func (r inboxRow) done() bool { return r.Status == "done" || r.Status == "ignored" }

func readEventRow(app core.App, id string) (inboxRow, error) {
	rows := []inboxRow{}
	err := app.DB().NewQuery("SELECT " + inboxColumns + " FROM `webhook_events` WHERE `id` = {:id}").Bind(dbx.Params{"id": id}).All(&rows)
	if err != nil {
		return inboxRow{}, fmt.Errorf("webhook event %s: %w", id, err)
	}
	if len(rows) == 0 {
		return inboxRow{}, op.NotFound()
	}
	return rows[0], nil
}

// purgeBatch bounds how many deliveries are deleted in one commit.
const purgeBatch = 500

// PurgeEvents deletes deliveries that were worked off long ago: their bodies hold
// customers' names and addresses, and what followed from them is in the books.
// Those that wait, are tried again or were given up stay, however old. It is a task
// of the schedule.
func (s *Subject) PurgeEvents(ctx context.Context, app core.App, now time.Time) error {
	inbox, err := collections.LoadInbox(app)
	if err != nil {
		return err
	}
	before, total := collections.Stamp(now.AddDate(0, 0, -inbox.KeepDays)).String(), int64(0)
	for ctx.Err() == nil {
		res, err := app.DB().NewQuery("DELETE FROM `webhook_events` WHERE `id` IN (SELECT `id` FROM `webhook_events` WHERE `status` IN ('done', 'ignored') AND `received_at` < {:before} AND `done_at` < {:before} LIMIT {:n})").
			Bind(dbx.Params{"before": before, "n": purgeBatch}).Execute()
		if err != nil {
			return fmt.Errorf("purge webhook events: %w", err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return fmt.Errorf("purge webhook events: %w", err)
		}
		if total += n; n < purgeBatch {
			break
		}
	}
	if total == 0 {
		return nil
	}
	return audit.Write(app, now, audit.Entry{
		ActorKind: audit.System, Action: "webhook.purge", Resource: collections.WebhookEvents, ResourceID: "", Changes: map[string]any{"deleted": total, "older_than_days": inbox.KeepDays},
	})
}

func (s *Subject) eventOps(t *op.Table) {
	const path = "/api/v1/staff/webhook-events"
	op.Add(t, op.Spec{ID: "staff.webhooks.list", Method: http.MethodGet, Path: path, Access: op.Staff, Summary: "Deliveries of gateways, newest first; given-up ones with status=failed"}, s.listEvents)
	op.Add(t, op.Spec{ID: "staff.webhooks.show", Method: http.MethodGet, Path: path + "/{id}", Access: op.Staff, Summary: "One delivery with its raw body and the tries to work it off"}, s.showEvent)
	op.Add(t, op.Spec{ID: "staff.webhooks.replay", Method: http.MethodPost, Path: path + "/{id}/replay", Access: op.Staff, Summary: "Work a delivery off once more; one that was applied changes nothing"}, s.replayEvent)
}

type eventView struct {
	ID       string    `json:"id"`
	Gateway  string    `json:"gateway"`
	Event    string    `json:"event_id"`
	Type     string    `json:"type"`
	Object   string    `json:"object"`
	Status   string    `json:"status"`
	Note     string    `json:"note"`
	Received time.Time `json:"received_at"`
	Done     time.Time `json:"done_at,omitzero"`
	Attempts int       `json:"attempts"`         // of the present round
	NextAt   time.Time `json:"next_at,omitzero"` // of the next try
	Body     string    `json:"body"`             // raw, as received and verified; shown for a single delivery
}

type eventQuery struct {
	Status  string `json:"-" query:"status"`
	Gateway string `json:"-" query:"gateway"`
	Type    string `json:"-" query:"type"`
	Object  string `json:"-" query:"object"`
	Before  string `json:"-" query:"before"` // id of the last one of the page before
}

type eventList struct {
	Items []eventView `json:"items"`
	Next  string      `json:"next"` // for before; "" at the end
}

// eventPage is how many deliveries one answer lists.
const eventPage = 50

type eventRow struct {
	ID       string `db:"id"`
	Gateway  string `db:"gateway"`
	EventID  string `db:"event_id"`
	Type     string `db:"type"`
	Object   string `db:"object"`
	Status   string `db:"status"`
	Error    string `db:"error"`
	Received string `db:"received_at"`
	Done     string `db:"done_at"`
	Attempts int    `db:"attempts"`
	Next     string `db:"next_at"`
	Body     string `db:"body"`
}

const eventColumns = "`e`.`id`, `e`.`gateway`, `e`.`event_id`, `e`.`type`, `e`.`object`, `e`.`status`, `e`.`error`, `e`.`received_at`, `e`.`done_at`, IFNULL(`j`.`attempts`, 0) AS `attempts`, IFNULL(`j`.`next_at`, '') AS `next_at`"

const eventFrom = " FROM `webhook_events` `e` LEFT JOIN `jobs` `j` ON `j`.`key` = 'webhook.process:' || `e`.`id` AND `j`.`state` != 'done'"

func (e eventRow) view() (eventView, error) {
	v := eventView{ID: e.ID, Gateway: e.Gateway, Event: e.EventID, Type: e.Type, Object: e.Object, Status: e.Status, Note: e.Error, Attempts: e.Attempts, Body: e.Body}
	var err error
	if v.Received, err = collections.ParseStamp(e.Received); err != nil {
		return v, err
	}
	if v.Done, err = collections.ParseStamp(e.Done); err != nil || e.Status != "retrying" {
		return v, err
	}
	v.NextAt, err = collections.ParseStamp(e.Next)
	return v, err
}

func (s *Subject) listEvents(r *op.Request, in eventQuery) (eventList, error) {
	list, rows := eventList{Items: []eventView{}}, []eventRow{}
	where, params := " WHERE TRUE", dbx.Params{"n": eventPage + 1}
	for column, value := range map[string]string{"status": in.Status, "gateway": in.Gateway, "type": in.Type, "object": in.Object} {
		if value != "" {
			where += " AND `e`.`" + column + "` = {:" + column + "}"
			params[column] = value
		}
	}
	if in.Before != "" {
		where += " AND `e`.`rowid` < (SELECT `rowid` FROM `webhook_events` WHERE `id` = {:before})"
		params["before"] = in.Before
	}
	if err := r.App.DB().NewQuery("SELECT " + eventColumns + eventFrom + where + " ORDER BY `e`.`rowid` DESC LIMIT {:n}").Bind(params).All(&rows); err != nil {
		return list, fmt.Errorf("list webhook events: %w", err)
	}
	if len(rows) > eventPage {
		rows = rows[:eventPage]
		list.Next = rows[eventPage-1].ID
	}
	for _, e := range rows {
		v, err := e.view()
		if err != nil {
			return list, err
		}
		list.Items = append(list.Items, v)
	}
	return list, nil
}

func (s *Subject) showEvent(r *op.Request, in byID) (eventView, error) {
	rows := []eventRow{}
	err := r.App.DB().NewQuery("SELECT " + eventColumns + ", `e`.`body`" + eventFrom + " WHERE `e`.`id` = {:id}").Bind(dbx.Params{"id": in.ID}).All(&rows)
	if err != nil {
		return eventView{}, fmt.Errorf("webhook event %s: %w", in.ID, err)
	}
	if len(rows) == 0 {
		return eventView{}, op.NotFound()
	}
	return rows[0].view()
}

// replayEvent queues a delivery once more. What it settles is booked once, by the
// gateway's reference, so an applied one changes nothing but its own row.
func (s *Subject) replayEvent(r *op.Request, in byID) (eventView, error) {
	err := r.App.RunInTransaction(func(tx core.App) error {
		event, err := readEventRow(tx, in.ID)
		if err != nil {
			return err
		}
		if event.Status == "new" {
			return nil // its turn comes by itself
		}
		if err := s.closeEvents(tx, "retrying", "replayed by staff", event.ID); err != nil {
			return err
		}
		if err := s.enqueueEvent(tx, event); err != nil {
			return err
		}
		return audit.Write(tx, r.Now(), audit.Entry{
			ActorKind: audit.Staff, Actor: r.Auth.Id, Action: "webhook.replay", Resource: collections.WebhookEvents, ResourceID: event.ID, IP: r.RealIP(), UserAgent: r.Agent(),
			Changes: map[string]any{"gateway": event.Gateway, "event": event.EventID, "type": event.Type, "status": event.Status},
		})
	})
	if err != nil {
		return eventView{}, err
	}
	return s.showEvent(r, in)
}
