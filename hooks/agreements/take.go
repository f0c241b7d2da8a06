package agreements

import (
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
)

// news is what a gateway said of an agreement, being taken over in one transaction.
type news struct {
	*Subject
	tx  core.App
	now time.Time
	row *core.Record // of the agreement
	sub *core.Record
	a   billing.Agreement
	// pending says that a payment is on its way there.
	pending bool
}

// take takes over what is new: payments, payments that failed, and where the
// agreement stands. Taking the same over again changes nothing.
func (s *Subject) take(tx core.App, now time.Time, id string, a billing.Agreement, payments []billing.AgreementPayment) error {
	n, err := s.open(tx, now, id, a)
	if err != nil {
		return err
	}
	for _, p := range payments {
		n.pending = n.pending || p.State == billing.PaymentPending
		if p.State != billing.PaymentSucceeded {
			continue
		}
		if err := n.payment(p); err != nil {
			return fmt.Errorf("agreement %s, payment %s: %w", a.ID, p.Reference, err)
		}
	}
	for _, step := range []func() error{n.failing, n.standing, n.handOver, n.finish} {
		if err := step(); err != nil {
			return fmt.Errorf("agreement %s: %w", a.ID, err)
		}
	}
	return nil
}

func (s *Subject) open(tx core.App, now time.Time, id string, a billing.Agreement) (*news, error) {
	row, err := tx.FindRecordById(collections.Agreements, id)
	if err != nil {
		return nil, fmt.Errorf("agreement %s: %w", id, err)
	}
	sub, err := tx.FindRecordById(collections.Subscriptions, row.GetString("subscription"))
	if err != nil {
		return nil, fmt.Errorf("agreement %s: %w", id, err)
	}
	return &news{Subject: s, tx: tx, now: now, row: row, sub: sub, a: a}, nil
}

// save writes the agreement, and reads the subscription again, which those who
// follow money may have changed.
func (n *news) save() error {
	if err := collections.Update(n.tx, n.row); err != nil {
		return err
	}
	var err error
	n.sub, err = n.tx.FindRecordById(collections.Subscriptions, n.sub.Id)
	return err
}

func (n *news) followed() bool { return n.row.GetString("status") == following }

func (n *news) final() bool {
	return n.a.State == billing.AgreementCancelled || n.a.State == billing.AgreementExpired
}

// over reports whether the subscription is cancelled here, or will be.
func (n *news) over() bool {
	return n.sub.GetString("status") == string(billing.SubscriptionCancelled) || n.sub.GetBool("cancel_at_end")
}

// standing lets the subscription follow what the payer did at the gateway: pausing
// payments pauses it when what is paid runs out, ending them ends it then, and
// taking either back takes it back here.
func (n *news) standing() error {
	was, ended := n.row.GetString("state"), n.row.GetBool("ends")
	n.row.Load(map[string]any{
		"state": string(n.a.State), "ends": n.a.Ends, "next_payment_at": collections.Stamp(n.a.NextPayment), "checked_at": collections.Stamp(n.now),
	})
	if err := n.save(); err != nil {
		return err
	}
	if !n.followed() {
		return n.revived(ended)
	}
	byPayer := n.sub.GetString("cancel_reason") == endedThere
	switch {
	case n.a.Ends && !n.over() && n.row.GetString("wish") == "":
		return n.endedThere()
	case !n.a.Ends && n.over() && byPayer && n.sub.GetString("status") != string(billing.SubscriptionCancelled):
		return n.goesOn()
	case n.a.State == billing.AgreementSuspended && was != string(billing.AgreementSuspended) && !n.over():
		return n.suspended()
	case n.a.State == billing.AgreementActive && was == string(billing.AgreementSuspended):
		return n.resumed()
	}
	return nil
}

// revived begins anew what a payer took back at the gateway after the hand-over: we
// bill now, and both must never do.
func (n *news) revived(ended bool) error {
	if n.a.Ends || !ended && n.row.GetString("wish") != "" {
		return nil
	}
	n.row.Load(map[string]any{"wish": wishEnd, "wish_at": collections.Stamp(n.now), "wish_by": "revived"})
	if err := n.alert(n.tx, n.row, Alert{Code: "revived", Text: "Its end was taken back at the gateway though billing continues here. It is being ended again."}, nil); err != nil {
		return err
	}
	if err := n.save(); err != nil {
		return err
	}
	return n.endSoon(n.tx, n.row, "system")
}

func (n *news) endedThere() error {
	through := n.paidThrough()
	n.sub.Load(map[string]any{"cancel_at_end": true, "cancel_reason": endedThere, "ends_at": collections.Stamp(through), "next_invoice_at": collections.Stamp(later(through, n.now))})
	if err := collections.Update(n.tx, n.sub); err != nil {
		return err
	}
	if err := n.alert(n.tx, n.row, Alert{Code: "ended_by_payer", Text: "The payer, or the gateway, has ended it. The subscription ends with what is paid; it can be handed over until then."}, map[string]any{"ends_at": through}); err != nil {
		return err
	}
	return n.save()
}

func (n *news) goesOn() error {
	n.sub.Load(map[string]any{"cancel_at_end": false, "cancel_reason": "", "ends_at": "", "next_invoice_at": ""})
	if err := collections.Update(n.tx, n.sub); err != nil {
		return err
	}
	if err := n.alert(n.tx, n.row, Alert{Code: "goes_on", Text: "The payer took its end back. The subscription goes on."}, nil); err != nil {
		return err
	}
	return n.save()
}

func (n *news) suspended() error {
	if n.sub.GetString("status") != string(billing.SubscriptionPaused) {
		through := n.paidThrough()
		n.sub.Load(map[string]any{"pause_from": collections.Stamp(through), "next_invoice_at": collections.Stamp(later(through, n.now))})
		if err := collections.Update(n.tx, n.sub); err != nil {
			return err
		}
	}
	if err := n.alert(n.tx, n.row, Alert{Code: "suspended", Text: "Payments are suspended at the gateway. The service pauses when what is paid runs out."}, nil); err != nil {
		return err
	}
	return n.save()
}

// resumed goes on where the gateway does: the time of the pause is not billed.
func (n *news) resumed() error {
	values := map[string]any{"pause_from": "", "next_invoice_at": ""}
	if n.sub.GetString("status") == string(billing.SubscriptionPaused) {
		values["status"] = string(billing.SubscriptionActive)
		values["access"], values["access_reason"], values["access_at"] = "open", "", collections.Stamp(n.now)
	}
	n.sub.Load(values)
	if next, billed := n.a.NextPayment, collections.Time(n.row, "billed_through"); next.Sub(billed) > tolerance {
		if err := n.Reanchor(n.sub, next); err != nil {
			return err
		}
		n.row.Load(map[string]any{"starts_at": collections.Stamp(next), "billed_through": collections.Stamp(next), "periods": 0})
	}
	if err := collections.Update(n.tx, n.sub); err != nil {
		return err
	}
	if err := n.alert(n.tx, n.row, Alert{Code: "resumed", Text: "Payments go on at the gateway."}, nil); err != nil {
		return err
	}
	return n.save()
}

// paidThrough is the end of what is paid of the subscription.
func (n *news) paidThrough() time.Time {
	return later(collections.Time(n.sub, "current_period_end"), collections.Time(n.row, "linked_at"))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// finish closes what is over and says when to look again.
func (n *news) finish() error {
	if n.row.GetString("wish") == wishEnd && n.a.Ends {
		n.row.Set("wish", "")
	}
	if n.followed() && n.final() && n.sub.GetString("status") == string(billing.SubscriptionCancelled) {
		n.row.Load(map[string]any{"status": ended, "closed_at": collections.Stamp(n.now)})
	}
	n.row.Set("look_at", collections.Stamp(n.nextLook()))
	return n.save()
}

// nextLook is when to look without an event: a day after a payment is due, daily
// while something is awaited, weekly for a while when it is over.
func (n *news) nextLook() time.Time {
	tomorrow := n.now.AddDate(0, 0, 1)
	switch {
	case n.row.GetString("wish") != "":
		return tomorrow
	case !n.followed():
		if n.now.Sub(collections.Time(n.row, "closed_at")) > watched {
			return time.Time{}
		}
		return n.now.AddDate(0, 0, 7)
	case n.a.Failing(), n.a.State == billing.AgreementActive && n.billedThrough().Before(n.now): // it is not paid, or its payment is on its way
		return tomorrow
	case n.a.NextPayment.IsZero():
		return later(collections.Time(n.row, "billed_through").AddDate(0, 0, 1), n.now.AddDate(0, 0, 7))
	}
	return later(n.a.NextPayment.AddDate(0, 0, 1), tomorrow)
}
