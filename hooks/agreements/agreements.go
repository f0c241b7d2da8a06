// Package agreements follows subscriptions that a gateway bills by its own calendar:
// PayPal's, and those of Stripe that were begun elsewhere. The gateway says when
// money moves; here its payments become invoices of the periods they are for, each
// once, and nothing is ever charged. An event only says where to look: the
// agreement is read back and all that is new of it is taken over at once, so that
// events may come late, twice, out of order or not at all. Ending one, and handing
// it over to billing of our own, is stored first, done at the gateway by a job, and
// takes effect here when the gateway has confirmed it.
package agreements

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/hooks/op"
)

// Deps is what agreements needs from outside.
type Deps struct {
	Now   func() time.Time
	Books *books.Books
	// Gateway is a gateway's ability to bill by itself.
	Gateway func(app core.App, kind string) (billing.GatewaySubscriptions, error)
	// Known reports whether a payment is in the books; Receive books one on an
	// invoice, or as credit where none is given. Both run in a transaction.
	Known   func(tx core.App, gateway, reference string) (bool, error)
	Receive func(tx core.App, user, invoice, gateway string, p billing.AgreementPayment) (payment string, err error)
	// Mirror invoices a period that the gateway bills. Price is what one costs.
	Mirror   func(tx core.App, now time.Time, subscription string, n int, p billing.Period) (books.Document, error)
	Price    func(app core.App, subscription string, start, now time.Time) (money.Amount, error)
	Reanchor func(subscription *core.Record, start time.Time) error
	// Alerted tells staff of an alert, in the transaction of tx.
	Alerted func(tx core.App, agreement *core.Record, a Alert) error
	// Classed translates a gateway's error into the queue's classes.
	Classed func(error) error
}

// Subject is agreements bound to one app.
type Subject struct{ Deps }

// The states of an agreement here. One that is not followed any more stays for
// good: what it still pays, against all that was agreed, becomes credit.
const (
	following  = "following"
	handedOver = "handed_over"
	ended      = "ended"
)

// The wishes: that the gateway takes no further payment, alone or so that we go on
// from there.
const (
	wishEnd      = "end"
	wishHandover = "handover"
)

const (
	jobLook = "agreement.look"
	jobEnd  = "agreement.end"
	// tolerance is how far a gateway's dates may lie from ours: its months and time
	// of day are its own.
	tolerance = 3 * 24 * time.Hour
	// watched is how long an agreement that is over is still looked at.
	watched = 60 * 24 * time.Hour
)

// Register binds agreements' operations, jobs and hooks.
func Register(app core.App, table *op.Table, worker *jobs.Worker, deps Deps) *Subject {
	s := &Subject{deps}
	worker.Handle(jobLook, s.look)
	worker.Handle(jobEnd, s.end)
	worker.OnGivenUp(s.givenUp)
	s.ops(table)
	s.onSubscriptions(app)
	return s
}

// Heard is news of an agreement: it is to be looked at. It reports whether it is one
// of ours.
func (s *Subject) Heard(tx core.App, gateway, id string) (bool, error) {
	row, err := collections.First(tx, collections.Agreements, dbx.HashExp{"gateway": gateway, "agreement": id})
	if err != nil || row == nil {
		return false, err
	}
	return true, s.lookSoon(tx, row)
}

func (s *Subject) lookSoon(tx core.App, row *core.Record) error {
	// A look that is under way may have read the gateway before: another follows.
	key := jobLook + ":" + row.Id
	running := 0
	if err := tx.DB().NewQuery("SELECT COUNT(*) FROM `jobs` WHERE `key` = {:key} AND `state` = 'running'").Bind(dbx.Params{"key": key}).Row(&running); err != nil {
		return fmt.Errorf("look at agreement %s: %w", row.Id, err)
	}
	if running > 0 {
		key += ":" + core.GenerateDefaultRandomId()
	}
	_, err := jobs.Enqueue(tx, s.Now(), jobs.Job{Kind: jobLook, Key: key, Serial: serial(row), User: row.GetString("user"), Actor: audit.System, Payload: payload{row.Id}})
	return err
}

func serial(row *core.Record) string { return "agreement:" + row.Id }

type payload struct {
	Agreement string `json:"agreement"`
}

// Run looks at every agreement whose time has come: its payment is due and no event
// told of it, or it is over and watched for a while. What was to be done at its
// gateway and was given up is begun again. It is a task of the schedule.
func (s *Subject) Run(ctx context.Context, app core.App, now time.Time) error {
	const batch = 200
	last := ""
	for ctx.Err() == nil {
		ids := []string{}
		err := app.DB().NewQuery("SELECT `id` FROM `agreements` WHERE `look_at` != '' AND `look_at` <= {:now} AND `id` > {:last} ORDER BY `id` LIMIT {:n}").
			Bind(dbx.Params{"now": collections.Stamp(now).String(), "last": last, "n": batch}).Column(&ids)
		if err != nil {
			return fmt.Errorf("find agreements to look at: %w", err)
		}
		for _, id := range ids {
			if err := app.RunInTransaction(func(tx core.App) error { return s.due(tx, id, now) }); err != nil {
				return err
			}
			last = id
		}
		if len(ids) < batch {
			break
		}
	}
	return ctx.Err()
}

// due begins the look at an agreement, and comes again tomorrow unless the look says
// otherwise.
func (s *Subject) due(tx core.App, id string, now time.Time) error {
	row, err := tx.FindRecordById(collections.Agreements, id)
	if err != nil {
		return fmt.Errorf("agreement %s: %w", id, err)
	}
	row.Set("look_at", collections.Stamp(now.AddDate(0, 0, 1)))
	if err := collections.Update(tx, row); err != nil {
		return fmt.Errorf("agreement %s: %w", id, err)
	}
	if row.GetString("wish") != "" {
		return s.endSoon(tx, row, audit.System)
	}
	return s.lookSoon(tx, row)
}

// Alert is what somebody has to look at.
type Alert struct {
	Code, Text string
	Paid       money.Amount // the zero value where no payment is meant
	Invoice    string       // its number, where one is meant
	Failure    string       // what a gateway, or the way to it, said
}

// alert tells staff of an agreement: in the log, in the audit log, on the row until
// somebody has seen it, and by mail unless the same waits to be seen already.
func (s *Subject) alert(tx core.App, row *core.Record, a Alert, more map[string]any) error {
	now, waits := s.Now(), row.GetString("alert") == a.Code
	tx.Logger().Error("Agreement needs somebody to look", slog.String("agreement", row.GetString("agreement")), slog.String("subscription", row.GetString("subscription")), slog.String("alert", a.Code), slog.String("text", a.Text))
	row.Load(map[string]any{"alert": a.Code, "alert_text": collections.Cut(a.Text, 500), "alert_at": collections.Stamp(now)})
	changes := map[string]any{"gateway": row.GetString("gateway"), "agreement": row.GetString("agreement"), "subscription": row.GetString("subscription"), "why": a.Text}
	if a.Paid != (money.Amount{}) {
		changes["paid"] = a.Paid
	}
	if a.Invoice != "" {
		changes["invoice"] = a.Invoice
	}
	for k, v := range more {
		changes[k] = v
	}
	if !waits {
		if err := s.Alerted(tx, row, a); err != nil {
			return err
		}
	}
	return audit.Write(tx, now, audit.Entry{ActorKind: audit.System, Action: "agreement." + a.Code, Resource: collections.Agreements, ResourceID: row.Id, Changes: changes})
}

// givenUp tells staff that a gateway could not be made to do what was asked.
func (s *Subject) givenUp(tx core.App, r *jobs.Run, cause error) error {
	if r.Kind != jobLook && r.Kind != jobEnd {
		return nil
	}
	p := payload{}
	if err := r.Payload(&p); err != nil {
		return err
	}
	row, err := tx.FindRecordById(collections.Agreements, p.Agreement)
	if err != nil {
		return fmt.Errorf("agreement %s: %w", p.Agreement, err)
	}
	if err := s.alert(tx, row, Alert{Code: "stuck", Text: "The gateway could not be asked, or refused: " + cause.Error(), Failure: collections.Cut(cause.Error(), 300)}, map[string]any{"job": r.Kind}); err != nil {
		return err
	}
	return collections.Update(tx, row)
}

// onSubscriptions follows subscriptions that are cancelled here, by whatever door:
// the gateway must take no further payment. The job is saved with the cancellation.
func (s *Subject) onSubscriptions(app core.App) {
	app.OnRecordUpdateExecute(collections.Subscriptions).Bind(&hook.Handler[*core.RecordEvent]{Id: "agreementsEnd", Func: func(e *core.RecordEvent) error {
		over := func(r *core.Record) bool {
			return r.GetBool("cancel_at_end") || r.GetString("status") == string(billing.SubscriptionCancelled)
		}
		changed := e.Record.GetString("status") != e.Record.Original().GetString("status") || over(e.Record) != over(e.Record.Original())
		if err := e.Next(); err != nil || !changed || !over(e.Record) || e.Record.GetString("billing_owner") != "gateway" {
			return err
		}
		row, err := collections.First(e.App, collections.Agreements, dbx.HashExp{"subscription": e.Record.Id, "status": following})
		if err != nil || row == nil || row.GetBool("ends") && e.Record.GetString("cancel_reason") == endedThere {
			return err
		}
		row.Load(map[string]any{"wish": wishEnd, "wish_at": collections.Stamp(s.Now()), "wish_by": "subscription", "look_at": collections.Stamp(s.Now().AddDate(0, 0, 1))})
		if err := collections.Update(e.App, row); err != nil {
			return fmt.Errorf("agreement %s: %w", row.Id, err)
		}
		return s.endSoon(e.App, row, audit.System)
	}})
}
