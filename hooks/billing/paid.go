package billing

import (
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
)

// onPaid follows an invoice that becomes paid, inside the transaction that paid
// it: the order is paid and each subscription on it runs to the end of the
// period that the line names. Doing it twice changes nothing.
func (s *subject) onPaid(app core.App) {
	app.OnRecordUpdateExecute(collections.Invoices).Bind(&hook.Handler[*core.RecordEvent]{
		Id: "billingInvoicePaid", Priority: -10,
		Func: func(e *core.RecordEvent) error {
			before := collections.InvoiceStatus(e.Record.Original())
			if err := e.Next(); err != nil {
				return err
			}
			if before == billing.InvoicePaid || collections.InvoiceStatus(e.Record) != billing.InvoicePaid {
				return nil
			}
			return s.applyPaid(e.App, e.Record)
		},
	})
}

func (s *subject) applyPaid(tx core.App, invoice *core.Record) error {
	order, err := collections.First(tx, collections.Orders, dbx.HashExp{"invoice": invoice.Id, "status": string(billing.OrderPending)})
	if err != nil {
		return err
	}
	if order != nil {
		order.Set("status", string(billing.OrderPaid))
		if err := collections.Update(tx, order); err != nil {
			return fmt.Errorf("order %s is paid: %w", order.Id, err)
		}
	}
	lines, err := collections.All(tx, collections.InvoiceItems, dbx.HashExp{"invoice": invoice.Id, "kind": string(billing.LinePeriod)}, "position ASC")
	if err != nil {
		return err
	}
	for _, l := range lines {
		if err := extend(tx, l); err != nil {
			return err
		}
	}
	return nil
}

// extend sets a subscription's paid-through period to the one the line names;
// it never adds to what is stored, and never moves back.
func extend(tx core.App, line *core.Record) error {
	sub, err := collections.First(tx, collections.Subscriptions, dbx.HashExp{"id": line.GetString("subscription")})
	if err != nil || sub == nil {
		return err
	}
	status := billing.SubscriptionStatus(sub.GetString("status"))
	if status == billing.SubscriptionCancelled {
		return nil
	}
	if !collections.Time(line, "period_end").After(collections.Time(sub, "current_period_end")) && status == billing.SubscriptionActive {
		return nil
	}
	sub.Set("status", string(billing.SubscriptionActive))
	sub.Set("current_period_start", line.GetDateTime("period_start"))
	sub.Set("current_period_end", line.GetDateTime("period_end"))
	if err := collections.Update(tx, sub); err != nil {
		return fmt.Errorf("extend subscription %s: %w", sub.Id, err)
	}
	return nil
}
