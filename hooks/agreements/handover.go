package agreements

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/audit"
)

// handOver makes billing ours, in the transaction that has the gateway's word that
// it will take no further payment: the owner changes, the gateway's id goes from the
// subscription (it stays on the agreement), and our next period starts where the
// gateway's last one ends. Until then the gateway is the only one that bills, from
// then on we are.
func (n *news) handOver() error {
	if n.row.GetString("wish") != wishHandover || !n.followed() || !n.a.Ends {
		return nil
	}
	if n.cancelledHere() {
		n.row.Set("wish", wishEnd) // meanwhile: nothing is to be billed
		return n.save()
	}
	start, ready, err := n.start()
	if err != nil || !ready {
		return err
	}
	values := map[string]any{
		"billing_owner": "platform", "gateway_subscription_id": "", "current_period_end": collections.Stamp(start), "next_invoice_at": collections.Stamp(n.now),
		"cancel_at_end": false, "cancel_reason": "", "ends_at": "", "pause_from": "",
	}
	if n.sub.GetString("status") == string(billing.SubscriptionPaused) {
		values["status"], values["access"], values["access_reason"], values["access_at"] = string(billing.SubscriptionActive), "open", "", collections.Stamp(n.now)
	}
	if err := n.countFrom(start); err != nil {
		return err
	}
	n.sub.Load(values)
	n.row.Load(map[string]any{"status": handedOver, "wish": "", "paid_through": collections.Stamp(start), "closed_at": collections.Stamp(n.now)})
	if err := collections.Update(n.tx, n.row); err != nil {
		return err
	}
	if err := collections.Update(n.tx, n.sub); err != nil {
		return fmt.Errorf("subscription %s: %w", n.sub.Id, err)
	}
	return audit.Write(n.tx, n.now, audit.Entry{
		ActorKind: audit.System, Action: "agreement.handed_over", Resource: collections.Subscriptions, ResourceID: n.sub.Id,
		Changes: map[string]any{"gateway": n.row.GetString("gateway"), "agreement": n.row.GetString("agreement"), "asked_by": n.row.GetString("wish_by"), "next_period": start},
	})
}

// start is where our first period begins, and whether the time has come: a period
// that has begun at the gateway and is not paid is waited for, unless the gateway
// collects nothing any more. A payment that is on its way is waited for as well.
func (n *news) start() (start time.Time, ready bool, err error) {
	billed, through := n.billedThrough(), collections.Time(n.row, "paid_through")
	if !n.a.PaidThrough.IsZero() {
		through = n.a.PaidThrough
	}
	start = billed
	if through.Sub(billed) > tolerance {
		start = through
	}
	if n.final() || n.pending {
		return start, !n.pending, nil
	}
	unpaid, err := n.unpaid()
	return start, unpaid == 0 && start.Equal(billed), err
}

// cancelledHere reports whether the subscription is over, or was cancelled by
// somebody other than the payer at the gateway.
func (n *news) cancelledHere() bool {
	return n.sub.GetString("status") == string(billing.SubscriptionCancelled) || n.over() && n.sub.GetString("cancel_reason") != endedThere
}

// countFrom has the next period begin at start. The anchor stays where it does so
// by itself: the 31st is not lost by a hand-over in February.
func (n *news) countFrom(start time.Time) error {
	counted, err := n.counted()
	if err != nil || counted.Equal(start) {
		return err
	}
	return n.Reanchor(n.sub, start)
}

// counted is where the next period begins as the subscription counts.
func (n *news) counted() (time.Time, error) {
	cycle, err := billing.ParseCycle(n.sub.GetString("cycle"))
	if err != nil {
		return time.Time{}, err
	}
	p, err := billing.PeriodAt(collections.Time(n.sub, "anchor"), cycle, n.sub.GetInt("next_period"))
	return p.Start, err
}

// unpaid counts this agreement's invoices on which something is due.
func (n *news) unpaid() (int, error) { return unpaid(n.tx, n.row) }

func unpaid(app core.App, row *core.Record) (int, error) {
	found := 0
	err := app.DB().NewQuery("SELECT COUNT(DISTINCT `i`.`id`) FROM `invoice_items` `l` CROSS JOIN `invoices` `i` ON `i`.`id` = `l`.`invoice` WHERE `l`.`subscription` = {:id} AND `l`.`kind` = 'period' AND `l`.`live` AND `i`.`status` = 'open' AND `i`.`paid_minor` = 0").
		Bind(dbx.Params{"id": row.GetString("subscription")}).Row(&found)
	if err != nil {
		return 0, fmt.Errorf("unpaid invoices of agreement %s: %w", row.Id, err)
	}
	return found, nil
}
