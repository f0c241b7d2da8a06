// Package dunning collects what invoices are owed: it carries out the steps that
// engine/dunning computes, so that customers are reminded, saved methods charged,
// services suspended, restored and terminated. It keeps no state of its own
// beside one row for each step taken; every decision is made afresh from facts,
// in the transaction that acts on it. It explains any service: what was and what
// will be invoiced, charged, reminded and switched off, and when.
package dunning

import (
	"context"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/engine/dunning"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/op"
)

// Deps is what dunning needs from outside.
type Deps struct {
	Now   func() time.Time
	Books *books.Books
	// Close makes sure that no payment page of an invoice can still be paid, and
	// settles what was. It reports false while money may still arrive.
	Close func(ctx context.Context, app core.App, invoice *core.Record) (bool, error)
	// Charge queues the charge of a saved method for what is due now. The same key
	// is never charged twice. It reports false while another payment is live.
	Charge func(tx core.App, invoice, method *core.Record, key string) (bool, error)
	// End ends a subscription for good, with its services.
	End func(tx core.App, subscription string, now time.Time) error
	// Foretell says what is invoiced next for a subscription.
	Foretell func(app core.App, subscription string, now time.Time) (Next, error)
	// Mail queues the mail of a step that was claimed under this id.
	Mail func(tx core.App, step string, kind dunning.Kind, n int, d books.Document) error
}

// Subject is dunning bound to one app.
type Subject struct{ Deps }

// Register binds dunning's operations and followers.
func Register(app core.App, table *op.Table, deps Deps) *Subject {
	s := &Subject{deps}
	deps.Books.OnIssued(s.issued)
	deps.Books.OnPaid(s.closed)
	deps.Books.OnVoided(s.closed)
	deps.Books.OnCredited(s.credited)
	s.onFacts(app)
	s.whyOps(table)
	s.staffOps(table)
	return s
}
