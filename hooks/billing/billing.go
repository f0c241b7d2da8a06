// Package billing is the shell around engine/billing: what is for sale, orders,
// invoices and what happens when one is paid. It owns orders, subscriptions and
// invoices; money arrives through payments, machines through provisioning, and
// it meets both in records.
package billing

import (
	"context"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/hooks/op"
)

// Deps is what billing needs from outside.
type Deps struct {
	Now   func() time.Time
	Books *books.Books
	// Key signs download links; 32 bytes.
	Key []byte
	// Demo says that this is a demonstration with sandbox vendors.
	Demo bool
	// Gateways lists the ways to pay that work now.
	Gateways func(app core.App) ([]GatewayChoice, error)
	// Pay opens or re-opens the payment of an open invoice. It runs outside of
	// any transaction and may take seconds.
	Pay func(ctx context.Context, app core.App, invoice *core.Record, gateway string) (Payment, error)
	// ChargeSaved charges what is due on an open invoice to a saved method. A live
	// page of the invoice is closed first, so that it cannot be paid twice.
	ChargeSaved func(ctx context.Context, app core.App, invoice, method *core.Record, actor string) error
	// PaymentOf says how an invoice's payment stands, without calling anybody.
	PaymentOf func(app core.App, invoice *core.Record) (Payment, error)
	// Check asks the gateway about every open attempt of an invoice and settles
	// what it says.
	Check func(ctx context.Context, app core.App, invoice *core.Record) error
	// Close makes sure that no open attempt of an invoice can still be paid;
	// false while one still may.
	Close func(ctx context.Context, app core.App, invoice *core.Record) (bool, error)
}

// GatewayChoice is a way to pay, as customers see it.
type GatewayChoice struct {
	ID    string `json:"id"`
	Label string `json:"label"`
	Kind  string `json:"kind"` // "redirect" or "instructions"
}

// Payment is how a customer pays, or how that went.
type Payment struct {
	Kind         string        `json:"kind"`  // "redirect", "instructions" or "none"
	State        string        `json:"state"` // of billing.PaymentState, or "unknown"
	URL          string        `json:"url"`
	Instructions []Instruction `json:"instructions"`
	Reason       string        `json:"reason"`
}

// Instruction is one line of how to transfer money.
type Instruction struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// subject is billing bound to one app.
type subject struct {
	Deps
}

// Register binds billing's operations, jobs and hooks.
func Register(app core.App, table *op.Table, worker *jobs.Worker, deps Deps) {
	s := &subject{deps}
	s.catalogOps(table)
	s.orderOps(table)
	s.invoiceOps(table)
	s.guard(app)
	deps.Books.OnPaid(s.applyPaid)
	worker.Handle(jobExpire, s.expire)
}
