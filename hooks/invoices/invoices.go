// Package invoices shows and corrects what the books have issued: invoices and
// credit notes with their files, the statement of account, credit, refunds and
// disputes. Documents are written by the books and money arrives through
// payments; this package decides nothing about when to bill.
package invoices

import (
	"context"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/hooks/op"
)

// Deps is what invoices need from outside.
type Deps struct {
	Now   func() time.Time
	Books *books.Books
	// Key signs download links; 32 bytes.
	Key []byte
	// Gateways lists the ways to pay that work now.
	Gateways func(app core.App) ([]billing.GatewayChoice, error)
	// Pay opens or re-opens the payment of an open invoice. It runs outside of
	// any transaction and may take seconds.
	Pay func(ctx context.Context, app core.App, invoice *core.Record, gateway string) (billing.Payment, error)
	// PayMany is Pay for several open invoices of one customer and currency at
	// once; each is paid from the one payment, in their order.
	PayMany func(ctx context.Context, app core.App, invoices []*core.Record, gateway string) (billing.Payment, error)
	// ChargeSaved charges what is due on an open invoice to a saved method. A live
	// page of the invoice is closed first, so that it cannot be paid twice.
	ChargeSaved func(ctx context.Context, app core.App, invoice, method *core.Record, actor string) error
	// PaymentOf says how an invoice's payment stands, without calling anybody.
	PaymentOf func(app core.App, invoice *core.Record) (billing.Payment, error)
	// Close makes sure that no open attempt of an invoice can still be paid;
	// false while one still may.
	Close func(ctx context.Context, app core.App, invoice *core.Record) (bool, error)
	// Send queues the mail with an invoice once for each key, and reports whether
	// it is new.
	Send func(tx core.App, invoice *core.Record, key string) (bool, error)
	// Refund pays a refund back through its gateway, recognized by its Key when it
	// is repeated; what the gateway refuses is a report, an error means to try
	// again. nil: no gateway can.
	Refund func(ctx context.Context, app core.App, r books.Refund) (books.RefundReport, error)
}

// subject is invoices bound to one app.
type subject struct {
	Deps
}

// Register binds the operations, jobs and hooks of invoices.
func Register(app core.App, table *op.Table, worker *jobs.Worker, deps Deps) {
	s := &subject{deps}
	s.showOps(table)
	s.noteOps(table)
	s.fileOps(table)
	s.payOps(table)
	s.creditOps(table)
	s.statementOps(table)
	s.manualOps(table)
	s.staffOps(table)
	s.refundOps(table)
	s.guard(app)
	worker.Handle(jobTopUp, s.expireTopUp)
	worker.Handle(jobRefund, s.sendRefund)
}
