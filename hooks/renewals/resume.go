package renewals

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/op"
)

// resume ends a pause. One that has not begun is taken back, and renewals go on
// as before. Otherwise a new first period begins now and is invoiced, due at
// once; the service runs again when it is paid. Until then the subscription stays
// paused, and nothing between is ever billed.
func (s *Subject) resume(r *op.Request, by actor, id string, _ byID) (subscriptionView, error) {
	now := r.Now()
	err := s.do(r.App, by, id, now, billing.ActResume, func(d *deed) error {
		if d.is.Pauses {
			d.record.Load(map[string]any{"pause_from": "", "next_invoice_at": collections.Stamp(d.now)})
			if err := d.save(); err != nil {
				return err
			}
			return d.note("resume", map[string]any{"pause_from": map[string]any{"before": d.sub.renewal.PauseFrom, "after": nil}})
		}
		return d.startAgain()
	})
	if err != nil {
		return subscriptionView{}, err
	}
	return s.view(r.App, id, now)
}

// startAgain invoices the first period after a pause, unless it is invoiced
// already.
func (d *deed) startAgain() error {
	if open, err := restart(d.tx, d.sub.ID); err != nil || open != "" {
		return err
	}
	terms := billing.RebaseAll(d.sub.renewal.Discounts, d.sub.renewal.Schedule.NextPeriod)
	d.record.Load(map[string]any{
		"anchor": collections.Stamp(d.now), "next_period": 0, "discounts": terms, "resumed_at": collections.Stamp(d.now), "pause_from": "", "next_invoice_at": "",
	})
	if err := d.save(); err != nil {
		return err
	}
	if err := d.note("resume", nil); err != nil {
		return err
	}
	sub, err := loadOne(d.tx, d.sub.ID, d.now)
	if err != nil {
		return err
	}
	as := sub.renewal // as if it ran, for the one period that begins now
	as.Status, as.DaysAhead, as.InvoiceDay = billing.SubscriptionActive, 0, 0
	plan, err := billing.PlanRenewal(as, d.now)
	if err != nil {
		return err
	}
	if len(plan.Due) != 1 {
		return fmt.Errorf("resume subscription %s: %d periods are due, want the first alone", sub.ID, len(plan.Due))
	}
	b := &bill{currency: sub.Currency, method: sub.Method, due: d.now, auto: sub.auto()}
	b.add(sub, plan.Due[0])
	plan.LookAt = time.Time{} // until it is paid
	if err := d.run.save(sub, plan); err != nil {
		return err
	}
	invoice, err := d.session.Issue(books.Invoice{User: sub.User, Kind: "renewal", Currency: sub.Currency, Lines: b.lines, DueAt: d.now, AutoCharge: b.auto})
	if err != nil || invoice.Status == billing.InvoicePaid {
		return err
	}
	return d.lapseLater(invoice)
}

// restart is the open invoice for the first period after a pause, or "".
func restart(app core.App, subscription string) (string, error) {
	ids := []string{}
	err := collections.Statement(app, "SELECT `i`.`id` FROM `invoices` `i` JOIN `invoice_items` `l` ON `l`.`invoice` = `i`.`id` JOIN `subscriptions` `s` ON `s`.`id` = `l`.`subscription`"+
		" WHERE `l`.`subscription` = {:subscription} AND `s`.`status` = 'paused' AND `s`.`resumed_at` != '' AND `l`.`kind` = 'period' AND `l`.`live` = TRUE AND `l`.`period_start` = `s`.`anchor` AND `i`.`status` = 'open' LIMIT 1").
		Bind(dbx.Params{"subscription": subscription}).Column(&ids)
	if err != nil {
		return "", fmt.Errorf("invoice that resumes subscription %s: %w", subscription, err)
	}
	if len(ids) == 0 {
		return "", nil
	}
	return ids[0], nil
}

// resumed follows a paid invoice: a paused subscription whose first period after
// the pause it pays runs again. Provisioning follows the access.
func (s *Subject) resumed(tx core.App, d books.Document) error {
	if !mayResume(d) {
		return nil
	}
	ids := []string{}
	err := collections.Statement(tx, "SELECT `s`.`id` FROM `invoice_items` `l` JOIN `subscriptions` `s` ON `s`.`id` = `l`.`subscription` WHERE `l`.`invoice` = {:invoice} AND `l`.`kind` = 'period' AND `l`.`live` = TRUE"+
		" AND `s`.`status` = 'paused' AND `s`.`resumed_at` != '' AND `l`.`period_start` = `s`.`anchor`").Bind(dbx.Params{"invoice": d.ID}).Column(&ids)
	if err != nil {
		return fmt.Errorf("subscriptions that invoice %s resumes: %w", d.Number, err)
	}
	for _, id := range ids {
		sub, err := tx.FindRecordById(collections.Subscriptions, id)
		if err != nil {
			return fmt.Errorf("resume subscription %s: %w", id, err)
		}
		now := collections.Stamp(s.Now())
		sub.Load(map[string]any{"status": string(billing.SubscriptionActive), "access": "open", "access_reason": "", "access_at": now, "next_invoice_at": now})
		if err := collections.Update(tx, sub); err != nil {
			return fmt.Errorf("resume subscription %s: %w", id, err)
		}
	}
	return nil
}

// notResumed follows an invoice that is cancelled: a paused subscription that it
// was to resume has not begun a period, and its discounts have not lost one.
func (s *Subject) notResumed(tx core.App, d books.Document) error {
	if !mayResume(d) {
		return nil
	}
	_, err := s.restarts(tx, d, 0)
	return err
}

// mayResume reports whether an invoice is of a kind that ends pauses.
func mayResume(d books.Document) bool { return d.Kind == "renewal" || d.Kind == books.KindCorrection }

// restarts writes which period comes next of the paused subscriptions whose first
// period after the pause an invoice bills, and returns how many there are.
func (s *Subject) restarts(tx core.App, d books.Document, next int) (int64, error) {
	res, err := collections.Statement(tx, "UPDATE `subscriptions` SET `next_period` = {:next}, `updated` = {:now} WHERE `status` = 'paused' AND `resumed_at` != ''"+
		" AND EXISTS (SELECT 1 FROM `invoice_items` `l` WHERE `l`.`invoice` = {:invoice} AND `l`.`subscription` = `subscriptions`.`id` AND `l`.`kind` = 'period' AND `l`.`period_start` = `subscriptions`.`anchor`)").
		Bind(dbx.Params{"invoice": d.ID, "next": next, "now": collections.Stamp(s.Now()).String()}).Execute()
	if err != nil {
		return 0, fmt.Errorf("subscriptions that invoice %s resumes: %w", d.Number, err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("subscriptions that invoice %s resumes: %w", d.Number, err)
	}
	return n, nil
}
