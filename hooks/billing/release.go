package billing

import (
	"fmt"
	"net/http"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/op"
)

// ending says how an order that nobody paid ends, and at whose word.
type ending struct {
	status billing.OrderStatus
	reason string // as its services tell it
	entry  audit.Entry
	review *reviewed // what staff said of it, nil where it was not asked
}

// cancelOrder is the customer's way out of an order that is not paid. The
// gateway's page is closed first, as when an order expires, so that it cannot be
// paid any more.
func (s *subject) cancelOrder(r *op.Request, in byID) (orderAnswer, error) {
	order, err := collections.Owned(r.App, collections.Orders, in.ID, r.Auth.Id)
	if err != nil {
		return orderAnswer{}, err
	}
	end := ending{status: billing.OrderCancelled, reason: "The order was cancelled.", entry: audit.Entry{ActorKind: audit.Customer, Actor: r.Auth.Id, Action: "order.cancel", IP: r.RealIP(), UserAgent: r.Agent()}}
	if err := s.cancel(r, order, end); err != nil {
		return orderAnswer{}, err
	}
	return s.orderAnswer(r.App, order)
}

// cancel ends an unpaid order, or says why it cannot be cancelled. An order that
// is cancelled or expired already stays so.
func (s *subject) cancel(r *op.Request, order *core.Record, end ending) error {
	switch billing.OrderStatus(order.GetString("status")) {
	case billing.OrderPending:
	case billing.OrderPaid:
		return op.NewProblem(http.StatusConflict, "order_paid", "This order is paid. Its services are cancelled each for itself.")
	case billing.OrderExpired, billing.OrderCancelled:
		return nil
	}
	invoice, err := r.App.FindRecordById(collections.Invoices, order.GetString("invoice"))
	if err != nil {
		return fmt.Errorf("cancel order %s: %w", order.Id, err)
	}
	closed, err := s.Close(r.Request.Context(), r.App, invoice)
	if err != nil {
		return fmt.Errorf("cancel order %s: %w", order.Id, err)
	}
	released := false
	if closed {
		err = r.App.RunInTransaction(func(tx core.App) error {
			released, err = s.release(tx, order.Id, end, r.Now())
			return err
		})
	}
	if err == nil && !released {
		err = op.NewProblem(http.StatusConflict, "payment_pending", "A payment for this order is on its way or has just arrived, so it cannot be cancelled now.")
	}
	return err
}

// release ends a pending order with everything that hangs on it: invoice void,
// subscriptions cancelled, services ended, stock and coupons returned. It reads
// everything again inside the transaction, since a payment may have come
// meanwhile; then it does nothing and reports false.
func (s *subject) release(tx core.App, orderID string, end ending, now time.Time) (bool, error) {
	order, err := tx.FindRecordById(collections.Orders, orderID)
	if err != nil {
		return false, fmt.Errorf("release order %s: %w", orderID, err)
	}
	invoice, err := tx.FindRecordById(collections.Invoices, order.GetString("invoice"))
	if err != nil {
		return false, fmt.Errorf("release order %s: %w", orderID, err)
	}
	if order.GetString("status") != string(billing.OrderPending) || collections.InvoiceStatus(invoice) != billing.InvoiceOpen || invoice.GetInt64("paid_minor") > 0 {
		return false, nil
	}
	if err := s.end(tx, order, end, now); err != nil {
		return false, err
	}
	return true, s.Books.Void(tx, now, invoice.Id)
}

// voided ends a pending order whose invoice was cancelled by another door, such
// as staff's: nothing is left to be paid for.
func (s *subject) voided(tx core.App, d books.Document) error {
	order, err := collections.First(tx, collections.Orders, dbx.HashExp{"invoice": d.ID, "status": string(billing.OrderPending)})
	if err != nil || order == nil {
		return err
	}
	return s.end(tx, order, ending{status: billing.OrderCancelled, reason: "The invoice of the order was cancelled.", entry: audit.Entry{ActorKind: audit.System, Action: "order.cancel"}}, s.Now())
}

// end ends a pending order and all that belongs to it but its invoice.
func (s *subject) end(tx core.App, order *core.Record, end ending, now time.Time) error {
	order.Set("status", string(end.status))
	if end.review != nil {
		end.review.note(order, now)
	}
	if err := collections.Save(tx, order); err != nil {
		return fmt.Errorf("release order %s: %w", order.Id, err)
	}
	if err := endUnits(tx, order.Id, end.reason, now); err != nil {
		return err
	}
	e := end.entry
	e.Resource, e.ResourceID = collections.Orders, order.Id
	e.Changes = map[string]any{"status": map[string]string{"before": string(billing.OrderPending), "after": string(end.status)}}
	return audit.Write(tx, now, e)
}

// endUnits cancels the subscriptions of an order whose services never started,
// and returns what they held: stock and coupons.
func endUnits(tx core.App, order, reason string, now time.Time) error {
	subs, err := collections.All(tx, collections.Subscriptions, dbx.HashExp{"order": order, "status": string(billing.SubscriptionPending)}, "")
	if err != nil {
		return err
	}
	for _, sub := range subs {
		if err := endUnit(tx, sub, reason, now); err != nil {
			return err
		}
	}
	return returnCoupons(tx, order, now)
}

func endUnit(tx core.App, sub *core.Record, reason string, now time.Time) error {
	services, err := collections.All(tx, collections.Services, dbx.HashExp{"subscription": sub.Id, "status": string(provisioning.ServicePending)}, "")
	if err != nil {
		return err
	}
	for _, svc := range services {
		svc.Load(map[string]any{"status": string(provisioning.ServiceTerminated), "status_reason": reason, "terminated_at": collections.Stamp(now)})
		if err := collections.Save(tx, svc); err != nil {
			return fmt.Errorf("release service %s: %w", svc.Id, err)
		}
	}
	sub.Load(map[string]any{
		"status": string(billing.SubscriptionCancelled), "cancelled_at": collections.Stamp(now), "ends_at": collections.Stamp(now), "next_invoice_at": "",
		"access": "ended", "access_reason": "order", "access_at": collections.Stamp(now),
	})
	if err := collections.Save(tx, sub); err != nil {
		return fmt.Errorf("release subscription %s: %w", sub.Id, err)
	}
	_, err = tx.DB().NewQuery("UPDATE `plans` SET `stock` = `stock` + 1 WHERE `id` = {:id} AND `stock_limited` = TRUE").Bind(dbx.Params{"id": sub.GetString("plan")}).Execute()
	if err != nil {
		return fmt.Errorf("return stock of plan %s: %w", sub.GetString("plan"), err)
	}
	return nil
}
