// Package billing is the shell around engine/billing: what is for sale, orders,
// invoices and what happens when one is paid. It owns orders, subscriptions and
// invoices; money arrives through payments, machines through provisioning, and
// it meets both in records.
package billing

import (
	"context"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/hooks/op"
)

// Deps is what billing needs from outside.
type Deps struct {
	Now   func() time.Time
	Books *books.Books
	// Demo says that this is a demonstration with sandbox vendors.
	Demo bool
	// Gateways lists the ways to pay that work now.
	Gateways func(app core.App) ([]billing.GatewayChoice, error)
	// Pay opens or re-opens the payment of an open invoice. It runs outside of
	// any transaction and may take seconds.
	Pay func(ctx context.Context, app core.App, invoice *core.Record, gateway string) (billing.Payment, error)
	// PaymentOf says how an invoice's payment stands, without calling anybody.
	PaymentOf func(app core.App, invoice *core.Record) (billing.Payment, error)
	// Check asks the gateway about every open attempt of an invoice and settles
	// what it says.
	Check func(ctx context.Context, app core.App, invoice *core.Record) error
	// Close makes sure that no open attempt of an invoice can still be paid;
	// false while one still may.
	Close func(ctx context.Context, app core.App, invoice *core.Record) (bool, error)
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
	s.reviewOps(table)
	s.quoteOps(table)
	s.guard(app)
	s.guardQuotes(app)
	deps.Books.OnPaid(s.applyPaid)
	deps.Books.OnVoided(s.voided)
	worker.Handle(jobExpire, s.expire)
	worker.Handle(jobQuote, s.expireQuote)
}
