package renewals

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/op"
)

// When something takes effect.
const (
	atOnce      = "now"
	atPeriodEnd = "period_end"
)

type cancelRequest struct {
	ID        string `json:"-" path:"id"`
	At        string `json:"at"`
	ClientKey string `json:"client_key"`
	Reason    string `json:"reason,omitzero"`
	Comment   string `json:"comment,omitzero"`
}

func (in cancelRequest) subscription() string { return in.ID }

// Check bounds what is kept of the reasons.
func (in cancelRequest) Check(f *op.Fields) {
	checkTiming(f, "at", in.At)
	checkKey(f, in.ClientKey)
	f.Check(len(in.Reason) <= 60, "reason", "too_long", "A reason has at most 60 characters.")
	f.Check(len(in.Comment) <= 2000, "comment", "too_long", "A comment has at most 2000 characters.")
}

func checkTiming(f *op.Fields, field, value string) {
	f.Check(value == atOnce || value == atPeriodEnd, field, "unknown", field+" must be now or period_end")
}

func checkKey(f *op.Fields, key string) {
	f.Check(len(key) >= 8 && len(key) <= 80, "client_key", "invalid", "client_key must have 8 to 80 characters; use a random one for each request.")
}

// cancel ends a subscription. What is invoiced for the time after its end is
// taken back in the same transaction, whoever asked and whatever else is on those
// invoices. The same client key again changes nothing.
func (s *Subject) cancel(r *op.Request, by actor, id string, in cancelRequest) (subscriptionView, error) {
	now := r.Now()
	sub, err := loadOne(r.App, id, now)
	if err != nil {
		return subscriptionView{}, err
	}
	from, err := sub.paidThrough(now)
	if err != nil {
		return subscriptionView{}, err
	}
	known, err := collections.First(r.App, collections.CancellationSurveys, dbx.HashExp{"user": sub.User, "client_key": in.ClientKey})
	if err != nil {
		return subscriptionView{}, err
	}
	if known != nil {
		return s.view(r.App, id, now)
	}
	if err := s.closePages(r, sub, from); err != nil {
		return subscriptionView{}, err
	}
	err = s.do(r.App, by, id, now, billing.ActCancel, func(d *deed) error { return d.end(in) })
	if err != nil {
		return subscriptionView{}, err
	}
	return s.view(r.App, id, now)
}

// ahead is what is invoiced of a subscription for the time after a moment;
// nothing where periods have no end.
func ahead(sub *subscription, from time.Time) books.Ahead {
	if from.IsZero() {
		from = endOfTime
	}
	return books.Ahead{Subscription: sub.ID, From: from}
}

// endOfTime is later than any period starts.
var endOfTime = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// end cancels the deed's subscription.
func (d *deed) end(in cancelRequest) error {
	survey, inserted, err := collections.Row(d.tx, collections.CancellationSurveys, d.now, dbx.Params{
		"user": d.sub.User, "subscription": d.sub.ID, "client_key": in.ClientKey, "reason": strings.TrimSpace(in.Reason), "comment": strings.TrimSpace(in.Comment), "at": collections.Stamp(d.now).String(),
	})
	if err != nil || !inserted {
		return err // a repeated request changes nothing
	}
	paid, err := d.sub.paidThrough(d.now)
	if err != nil {
		return err
	}
	if in.At == atPeriodEnd {
		if err := d.refuseEnd(paid); err != nil {
			return err
		}
	}
	if err := d.dropChange("The subscription was cancelled."); err != nil {
		return err
	}
	if err := d.giveUp(paid, "cancel:"+survey, "The subscription was cancelled."); err != nil {
		return err
	}
	ends := d.now
	if in.At == atPeriodEnd && paid.After(d.now) {
		ends = paid
	} else if err := d.refund("cancel:"+survey, "The subscription was cancelled: unused part."); err != nil {
		return err
	}
	d.record.Load(map[string]any{"cancel_at_end": true, "cancel_reason": collections.Cut(reasonOf(in), 500), "ends_at": collections.Stamp(ends), "next_invoice_at": collections.Stamp(ends), "pause_from": d.pausedSince()})
	if err := d.save(); err != nil {
		return err
	}
	if err := d.note("cancel", map[string]any{"at": in.At, "ends_at": ends.UTC(), "reason": in.Reason}); err != nil {
		return err
	}
	if ends.After(d.now) {
		return nil
	}
	return d.finish()
}

// refuseEnd refuses an end of a period where there is none, or one that is agreed
// already.
func (d *deed) refuseEnd(paid time.Time) error {
	switch {
	case d.is.Ends:
		return op.NewProblem(http.StatusConflict, "ends", "This subscription is cancelled already and ends by itself.")
	case paid.IsZero():
		return op.NewProblem(http.StatusConflict, "one_time", "This was paid once and has no period that ends. It can be cancelled at once.")
	}
	return nil
}

// pausedSince keeps the beginning of a pause that is in force; one that has not
// begun is dropped by a cancellation.
func (d *deed) pausedSince() any {
	if d.sub.renewal.Status == billing.SubscriptionPaused {
		return d.record.Get("pause_from")
	}
	return ""
}

func reasonOf(in cancelRequest) string {
	if in.Reason == "" {
		return "cancelled"
	}
	return strings.TrimSpace(in.Reason)
}

// keep undoes a cancellation: the subscription renews as before.
func (s *Subject) keep(r *op.Request, by actor, id string, _ byID) (subscriptionView, error) {
	err := s.do(r.App, by, id, r.Now(), billing.ActUndoCancel, func(d *deed) error {
		if !d.sub.renewal.EndsAt.After(d.now) {
			return op.NewProblem(http.StatusConflict, "ended", "The cancellation has taken effect.")
		}
		before := d.sub.renewal.EndsAt
		d.record.Load(map[string]any{"cancel_at_end": false, "cancel_reason": "", "ends_at": "", "next_invoice_at": collections.Stamp(d.now)})
		if err := d.save(); err != nil {
			return err
		}
		return d.note("keep", map[string]any{"ends_at": map[string]any{"before": before, "after": nil}})
	})
	if err != nil {
		return subscriptionView{}, err
	}
	return s.view(r.App, id, r.Now())
}

// refund gives what is unused of paid periods back as credit, where that is
// agreed with customers.
func (d *deed) refund(key, reason string) error {
	if !d.session.Invoicing().RefundOnCancel {
		return nil
	}
	lines, err := loadLines(d.tx, d.sub.ID, d.now)
	if err != nil {
		return err
	}
	segments, err := lines.segments(d.session.Pricer().Inclusive())
	if err != nil {
		return err
	}
	if err := d.giveBack(lines, billing.Unused(segments, d.now), key, reason, d.by.String()); err != nil {
		return fmt.Errorf("refund subscription %s: %w", d.sub.ID, err)
	}
	return nil
}
