package agreements

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/books"
)

// mostAtOnce bounds how many periods a payment may be ahead of ours.
const mostAtOnce = 24

// payment takes over one payment. It pays the period it is for, whose invoice is
// made by it or was made when it failed. Everything else is the customer's credit,
// and somebody has to look: money is never guessed onto a period, and no period is
// paid twice.
func (n *news) payment(p billing.AgreementPayment) error {
	known, err := n.Known(n.tx, n.row.GetString("gateway"), p.Reference)
	if err != nil || known {
		return err
	}
	open, err := n.openInvoice(p)
	if err != nil {
		return err
	}
	switch {
	case open != "":
		return n.settle(open, p)
	case !n.followed():
		return n.credit(p, "late_payment", "It was paid after the agreement was over here. It is credit; no period was charged twice.")
	case n.over() && !p.At.Before(n.billedThrough().Add(-tolerance)):
		return n.credit(p, "paid_after_end", "It was paid for a period after the subscription's end. It is credit; consider to refund it.")
	}
	begins, err := n.begins(p)
	if err != nil {
		return err
	}
	if !begins {
		return n.credit(p, "extra_payment", "It is for no period that is due. It is credit.")
	}
	d, err := n.mirror(p.Period)
	if err != nil {
		return err
	}
	return n.settle(d.ID, p)
}

func (n *news) billedThrough() time.Time { return collections.Time(n.row, "billed_through") }

// begins makes sure that the next period is the one that a payment is for: those
// before it that were not paid get their invoices. It reports false for a payment
// of another time.
func (n *news) begins(p billing.AgreementPayment) (bool, error) {
	for range mostAtOnce {
		start := n.billedThrough()
		if p.Period == (billing.Period{}) {
			return !p.At.Before(start.Add(-tolerance)), nil
		}
		switch off := p.Period.Start.Sub(start); {
		case off < -tolerance:
			return false, nil
		case off <= tolerance:
			return true, nil
		}
		if _, err := n.mirror(billing.Period{}); err != nil {
			return false, err
		}
	}
	return false, nil
}

// mirror invoices the next period that the gateway bills; as is that period as the
// gateway counts it, the zero value where it does not say.
func (n *news) mirror(as billing.Period) (books.Document, error) {
	number := n.row.GetInt("periods")
	cycle, err := billing.ParseCycle(n.sub.GetString("cycle"))
	if err != nil {
		return books.Document{}, err
	}
	ours, err := billing.PeriodAt(collections.Time(n.row, "starts_at"), cycle, number)
	if err != nil {
		return books.Document{}, err
	}
	p := billing.Period{Start: n.billedThrough(), End: ours.End}
	for _, theirs := range []time.Time{as.End, n.a.PaidThrough, n.a.NextPayment} {
		if off := theirs.Sub(ours.End).Abs(); !theirs.IsZero() && off <= tolerance {
			p.End = theirs.UTC()
			break
		}
	}
	d, err := n.Mirror(n.tx, n.now, n.sub.Id, number, p)
	if err != nil {
		return d, err
	}
	n.row.Load(map[string]any{"periods": number + 1, "billed_through": collections.Stamp(p.End)})
	_, err = collections.Statement(n.tx, "UPDATE `subscriptions` SET `next_period` = {:next} WHERE `id` = {:id}").Bind(dbx.Params{"id": n.sub.Id, "next": number + 1}).Execute()
	if err != nil {
		return d, fmt.Errorf("subscription %s: %w", n.sub.Id, err)
	}
	return d, n.save()
}

// openInvoice finds the invoice that a payment comes for late: the oldest of this
// agreement's on which nothing was paid, and that of its own period where the
// gateway names it.
func (n *news) openInvoice(p billing.AgreementPayment) (string, error) {
	rows := []struct {
		Invoice string `db:"invoice"`
		Start   string `db:"period_start"`
	}{}
	err := n.tx.DB().NewQuery("SELECT `l`.`invoice`, `l`.`period_start` FROM `invoice_items` `l` CROSS JOIN `invoices` `i` ON `i`.`id` = `l`.`invoice`" +
		" WHERE `l`.`subscription` = {:subscription} AND `l`.`kind` = 'period' AND `l`.`live` AND `l`.`period_start` >= {:from} AND `l`.`period_end` <= {:to} AND `i`.`status` IN ('open', 'uncollectible') AND `i`.`paid_minor` = 0" +
		" GROUP BY `l`.`invoice` ORDER BY `l`.`period_start`").
		Bind(dbx.Params{"subscription": n.sub.Id, "from": n.row.GetString("starts_at"), "to": n.row.GetString("billed_through")}).All(&rows)
	if err != nil {
		return "", fmt.Errorf("unpaid invoices of subscription %s: %w", n.sub.Id, err)
	}
	for _, r := range rows {
		start, err := collections.ParseStamp(r.Start)
		if err != nil {
			return "", err
		}
		if p.Period == (billing.Period{}) || p.Period.Start.Sub(start).Abs() <= tolerance {
			return r.Invoice, nil
		}
	}
	return "", nil
}

// settle books a payment on its invoice. Where the sums differ, what is too much is
// credit and what is too little stays open; somebody has to look either way.
func (n *news) settle(invoice string, p billing.AgreementPayment) error {
	due, err := books.Read(n.tx, invoice)
	if err != nil {
		return err
	}
	if _, err := n.Receive(n.tx, n.sub.GetString("user"), invoice, n.row.GetString("gateway"), p); err != nil {
		return err
	}
	owed, err := due.Due.Add(due.WrittenOff)
	if err != nil {
		return err
	}
	if p.Amount != owed {
		text := fmt.Sprintf("The gateway took %s, invoice %s is over %s. What is too much is credit, what is too little stays open.", p.Amount, due.Number, owed)
		if err := n.alert(n.tx, n.row, Alert{Code: "amount_differs", Text: text, Paid: p.Amount, Invoice: due.Number}, map[string]any{"reference": p.Reference, "due": owed}); err != nil {
			return err
		}
	}
	return n.save()
}

// credit books a payment that is for no period.
func (n *news) credit(p billing.AgreementPayment, code, why string) error {
	if _, err := n.Receive(n.tx, n.sub.GetString("user"), "", n.row.GetString("gateway"), p); err != nil {
		return err
	}
	if err := n.alert(n.tx, n.row, Alert{Code: code, Text: why, Paid: p.Amount}, map[string]any{"reference": p.Reference}); err != nil {
		return err
	}
	return n.save()
}

// failing invoices a period whose payment failed, so that customer and dunning see
// what is owed. The gateway goes on trying; nothing is charged here.
func (n *news) failing() error {
	if !n.a.Failing() || !n.followed() || n.over() || n.billedThrough().After(n.now) {
		return nil
	}
	d, err := n.mirror(billing.Period{})
	if err != nil {
		return err
	}
	text := fmt.Sprintf("The gateway could not collect %s for invoice %s. It tries again by itself.", d.Due, d.Number)
	if err := n.alert(n.tx, n.row, Alert{Code: "payment_failed", Text: text, Invoice: d.Number}, nil); err != nil {
		return err
	}
	return n.save()
}
