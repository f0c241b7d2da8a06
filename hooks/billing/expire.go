package billing

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/jobs"
)

const (
	jobExpire = "order.expire"
	// expiryMargin lets the gateway's own page expire first.
	expiryMargin = 2 * time.Minute
	// expiryRetry is how long to wait at first while a payment may still arrive.
	expiryRetry = 10 * time.Minute
)

type expirePayload struct {
	Order string `json:"order"`
}

// expire ends an order that nobody paid in time. The gateway's page is closed
// first: as long as it could still be paid, or money is on its way, the order
// stays.
func (s *subject) expire(r *jobs.Run) error {
	p := expirePayload{}
	if err := r.Payload(&p); err != nil {
		return err
	}
	order, err := collections.First(r.App, collections.Orders, dbx.HashExp{"id": p.Order})
	if err != nil || order == nil || order.GetString("status") != string(billing.OrderPending) {
		return err
	}
	invoice, err := r.App.FindRecordById(collections.Invoices, order.GetString("invoice"))
	if err != nil {
		return fmt.Errorf("expire order %s: %w", order.Id, err)
	}
	closed, err := s.Close(r.Context(), r.App, invoice)
	if err != nil {
		return fmt.Errorf("expire order %s: %w", order.Id, err)
	}
	if !closed {
		return r.Patiently(expiryRetry)
	}
	return r.App.RunInTransaction(func(tx core.App) error { return s.release(tx, order.Id, r.Now()) })
}

// release ends a pending order with everything that hangs on it: invoice void,
// subscriptions cancelled, services ended, stock returned. It reads everything
// again inside the transaction, since a payment may have come meanwhile.
func (s *subject) release(tx core.App, orderID string, now time.Time) error {
	order, err := tx.FindRecordById(collections.Orders, orderID)
	if err != nil {
		return fmt.Errorf("release order %s: %w", orderID, err)
	}
	invoice, err := tx.FindRecordById(collections.Invoices, order.GetString("invoice"))
	if err != nil {
		return fmt.Errorf("release order %s: %w", orderID, err)
	}
	if order.GetString("status") != string(billing.OrderPending) || collections.InvoiceStatus(invoice) != billing.InvoiceOpen || invoice.GetInt64("paid_minor") > 0 {
		return nil
	}
	if err := s.Books.Void(tx, now, invoice.Id); err != nil {
		return err
	}
	order.Set("status", string(billing.OrderExpired))
	if err := collections.Save(tx, order); err != nil {
		return fmt.Errorf("release order %s: %w", orderID, err)
	}
	subs, err := collections.All(tx, collections.Subscriptions, dbx.HashExp{"order": orderID, "status": string(billing.SubscriptionPending)}, "")
	if err != nil {
		return err
	}
	for _, sub := range subs {
		if err := releaseUnit(tx, sub, now); err != nil {
			return err
		}
	}
	return audit.Write(tx, now, audit.Entry{
		ActorKind: audit.System, Action: "order.expire", Resource: collections.Orders, ResourceID: orderID,
		Changes: map[string]any{"invoice": invoice.GetString("number"), "status": map[string]string{"before": "pending", "after": "expired"}},
	})
}

func releaseUnit(tx core.App, sub *core.Record, now time.Time) error {
	sub.Set("status", string(billing.SubscriptionCancelled))
	sub.Set("cancelled_at", collections.Stamp(now))
	if err := collections.Save(tx, sub); err != nil {
		return fmt.Errorf("release subscription %s: %w", sub.Id, err)
	}
	services, err := collections.All(tx, collections.Services, dbx.HashExp{"subscription": sub.Id, "status": string(provisioning.ServicePending)}, "")
	if err != nil {
		return err
	}
	for _, svc := range services {
		svc.Set("status", string(provisioning.ServiceTerminated))
		svc.Set("status_reason", "The order was not paid in time.")
		svc.Set("terminated_at", collections.Stamp(now))
		if err := collections.Save(tx, svc); err != nil {
			return fmt.Errorf("release service %s: %w", svc.Id, err)
		}
	}
	_, err = tx.DB().NewQuery("UPDATE `plans` SET `stock` = `stock` + 1 WHERE `id` = {:id} AND `stock_limited` = TRUE").Bind(dbx.Params{"id": sub.GetString("plan")}).Execute()
	if err != nil {
		return fmt.Errorf("return stock of plan %s: %w", sub.GetString("plan"), err)
	}
	return nil
}
