package payments

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/jobs"
)

const (
	jobWebhook = "webhook.process"
	// inboxBatch bounds how many events are settled in one commit, so that
	// other writers wait milliseconds.
	inboxBatch = 25
	inboxTick  = 2 * time.Second
)

// inbox settles stored deliveries in the order they came. Events that need the
// gateway, or that fail, become jobs with retries of their own.
type inbox struct {
	subject *Subject
	busy    atomic.Bool // deliveries wait to be settled
	bell    chan struct{}
	quit    chan struct{}
	done    sync.WaitGroup
}

func newInbox(s *Subject) *inbox {
	return &inbox{subject: s, bell: make(chan struct{}, 1), quit: make(chan struct{})}
}

func (b *inbox) wake() {
	b.busy.Store(true)
	select {
	case b.bell <- struct{}{}:
	default:
	}
}

func (b *inbox) start(app core.App) {
	b.done.Add(1)
	go func() {
		defer b.done.Done()
		tick := time.NewTicker(inboxTick)
		defer tick.Stop()
		for {
			for b.round(app) {
				select {
				case <-b.quit:
					return
				default:
				}
			}
			select {
			case <-b.quit:
				return
			case <-b.bell:
			case <-tick.C:
			}
		}
	}()
}

func (b *inbox) stop() {
	select {
	case <-b.quit:
	default:
		close(b.quit)
	}
	b.done.Wait()
}

// inboxRow is a stored delivery to be processed.
type inboxRow struct {
	ID      string `db:"id"`
	Gateway string `db:"gateway"`
	EventID string `db:"event_id"`
	Type    string `db:"type"`
	Object  string `db:"object"`
	Refetch bool   `db:"refetch"`
	Body    string `db:"body"`
	Status  string `db:"status"`
}

const inboxColumns = "`id`, `gateway`, `event_id`, `type`, `object`, `refetch`, `body`, `status`"

// round processes one batch and reports whether there was any.
func (b *inbox) round(app core.App) bool {
	rows := []inboxRow{}
	err := app.ConcurrentDB().NewQuery("SELECT " + inboxColumns + " FROM `webhook_events` WHERE `status` = 'new' ORDER BY `received_at`, `rowid` LIMIT {:n}").
		Bind(dbx.Params{"n": inboxBatch}).All(&rows)
	if err != nil {
		app.Logger().Error("Webhook inbox cannot be read", slog.Any("error", err))
		return false
	}
	if len(rows) == 0 {
		b.busy.Store(false)
		return false
	}
	if err := b.process(app, rows); err == nil {
		return true
	}
	for i := range rows { // one of them is bad: each on its own
		if err := b.process(app, rows[i:i+1]); err != nil {
			if err := b.putOff(app, rows[i], err); err != nil {
				app.Logger().Error("Webhook event cannot be put off", slog.String("event", rows[i].EventID), slog.Any("error", err))
				return false
			}
		}
	}
	return true
}

// process settles events in one transaction: all of them or none.
func (b *inbox) process(app core.App, rows []inboxRow) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("processing webhook events panicked: %v", p)
		}
	}()
	gateways, err := b.gateways(app, rows)
	if err != nil {
		return err
	}
	return app.RunInTransaction(func(tx core.App) error {
		done := []any{}
		for _, r := range rows {
			status, note, err := b.one(tx, r, gateways[r.Gateway])
			if err != nil {
				return fmt.Errorf("%s event %s (%s): %w", r.Gateway, r.EventID, r.Type, err)
			}
			if status == "done" {
				done = append(done, r.ID)
				continue
			}
			if err := b.subject.closeEvents(tx, status, note, r.ID); err != nil {
				return err
			}
		}
		return b.subject.closeEvents(tx, "done", "", done...)
	})
}

// gateways looks up the adapters that a batch needs, once each.
func (b *inbox) gateways(app core.App, rows []inboxRow) (map[string]billing.Gateway, error) {
	found := map[string]billing.Gateway{}
	for _, r := range rows {
		if found[r.Gateway] != nil {
			continue
		}
		g, err := b.subject.gateway(app, r.Gateway)
		if err != nil {
			return nil, err
		}
		found[r.Gateway] = g
	}
	return found, nil
}

// one settles a single event inside the transaction.
func (b *inbox) one(tx core.App, r inboxRow, gateway billing.Gateway) (status, note string, err error) {
	if known, err := b.subject.agreementEvent(tx, r, gateway); known || err != nil {
		return "done", "", err
	}
	if r.Refetch {
		return "retrying", "", b.subject.enqueueEvent(tx, r)
	}
	rep, ok, err := gateway.PaymentOf([]byte(r.Body))
	if err != nil {
		return "", "", err
	}
	if !ok {
		if known, err := b.subject.setupEvent(tx, r); known || err != nil {
			return "done", "", err
		}
		return b.subject.aside(tx, r, gateway)
	}
	return b.subject.settleEvent(tx, r.Gateway, rep)
}

// settleEvent settles a report that came by webhook.
func (s *Subject) settleEvent(tx core.App, gateway string, rep billing.PaymentReport) (status, note string, err error) {
	err = s.settle(tx, s.Now(), gateway, rep)
	if errors.Is(err, ErrNotOurs) {
		if rep.State == billing.PaymentSucceeded && rep.Reference != "" && rep.Amount.Sign() > 0 {
			return "done", "money that we did not ask for waits to be assigned", s.keepReport(tx, gateway, rep)
		}
		return "ignored", "a payment that we did not begin", nil
	}
	return "done", "", err
}

// closeEvents notes what became of stored deliveries.
func (s *Subject) closeEvents(tx core.App, status, note string, ids ...any) error {
	if len(ids) == 0 {
		return nil
	}
	now := collections.Stamp(s.Now()).String()
	change := dbx.Params{"status": status, "error": note, "updated": now}
	if status != "retrying" {
		change["done_at"] = now
	}
	if _, err := tx.DB().Update(collections.WebhookEvents, change, dbx.HashExp{"id": ids}).Execute(); err != nil {
		return fmt.Errorf("close webhook events %v: %w", ids, err)
	}
	return nil
}

// putOff hands an event that failed to the job queue.
func (b *inbox) putOff(app core.App, r inboxRow, cause error) error {
	app.Logger().Warn("Webhook event failed and will be tried again", slog.String("gateway", r.Gateway), slog.String("event", r.EventID), slog.Any("error", cause))
	return app.RunInTransaction(func(tx core.App) error {
		if err := b.subject.enqueueEvent(tx, r); err != nil {
			return err
		}
		return b.subject.closeEvents(tx, "retrying", collections.Cut(cause.Error(), 900), r.ID)
	})
}

type eventPayload struct {
	Event string `json:"event"`
}

func (s *Subject) enqueueEvent(tx core.App, r inboxRow) error {
	_, err := jobs.Enqueue(tx, s.Now(), jobs.Job{Kind: jobWebhook, Key: jobWebhook + ":" + r.ID, Actor: audit.System, Payload: eventPayload{r.ID}})
	return err
}

// retryEvent processes one event from the queue, reading the object back from
// the gateway where its payload cannot be believed.
func (s *Subject) retryEvent(r *jobs.Run) error {
	p := eventPayload{}
	if err := r.Payload(&p); err != nil {
		return err
	}
	row, err := readEventRow(r.App, p.Event)
	if err != nil || row.done() {
		return err
	}
	gateway, err := s.gateway(r.App, row.Gateway)
	if err != nil {
		return classed(err)
	}
	if known, err := s.retryAgreement(r.App, row, gateway); known || err != nil {
		return err
	}
	rep, ok, err := readEvent(r, gateway, row)
	if err != nil {
		return classed(err)
	}
	if !ok {
		return s.retryAside(r, gateway, row)
	}
	return r.App.RunInTransaction(func(tx core.App) error {
		status, note, err := s.settleEvent(tx, row.Gateway, rep)
		if err != nil {
			return err
		}
		return s.closeEvents(tx, status, note, row.ID)
	})
}

// readEvent reads a stored event's payment. Where the payload cannot be believed
// (another API version, or a member that ours promises is missing) it names the
// payment at least, which is then read back from the gateway.
func readEvent(r *jobs.Run, gateway billing.Gateway, row inboxRow) (billing.PaymentReport, bool, error) {
	rep, ok, err := gateway.PaymentOf([]byte(row.Body))
	switch {
	case !ok || err == nil && !row.Refetch:
		return rep, ok, err
	case rep.PageReference != "":
		rep, err = gateway.ReadPage(r.Context(), rep.PageReference)
	case rep.Reference != "":
		rep, err = gateway.ReadPayment(r.Context(), rep.Reference)
	}
	return rep, true, err
}
