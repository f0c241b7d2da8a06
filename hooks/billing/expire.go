package billing

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
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
	end := ending{status: billing.OrderExpired, reason: "The order was not paid in time.", entry: audit.Entry{ActorKind: audit.System, Action: "order.expire"}}
	return r.App.RunInTransaction(func(tx core.App) error {
		_, err := s.release(tx, order.Id, end, r.Now())
		return err
	})
}
