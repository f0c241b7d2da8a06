// Package payments moves money: it opens hosted payment pages and charges saved
// methods, receives what gateways report, and settles it on invoices. There is
// one way to settle, whoever reports: webhook, browser return, read-back and
// staff all end in settle, and repeating any of them changes nothing.
package payments

import (
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/hooks/op"
)

// Settings are what a gateway's adapter is built from.
type Settings struct {
	ClientID      string // where the account has one beside its secret (PayPal)
	SecretKey     string
	WebhookSecret string // or the id of the registration that deliveries are signed for
	APIURL        string
	Test          bool // the vendor's test environment, where no address is given
	// CertAuthority vouches for deliveries of a sandbox, in PEM; "" is the system's.
	CertAuthority string
}

// String keeps keys out of logs.
func (Settings) String() string { return "[gateway settings]" }

// GoString keeps keys out of %#v.
func (Settings) GoString() string { return "[gateway settings]" }

// Factory builds an adapter. It makes no calls.
type Factory func(s Settings) (billing.Gateway, error)

// Deps is what payments needs from outside.
type Deps struct {
	Now       func() time.Time
	Books     *books.Books
	Sealer    *collections.Sealer
	Factories map[string]Factory  // by gateway kind
	Override  map[string]Settings // from the environment, by kind; set fields win
	// Disputed tells staff of news of a dispute, and DisputeDue of one whose
	// evidence is due in so many days, in the transaction of tx.
	Disputed   func(tx core.App, dispute *core.Record) error
	DisputeDue func(tx core.App, dispute *core.Record, days int) error
	// DeadLetter tells staff that a delivery of a gateway was given up, Found of a
	// difference between its books and ours, and Uncompared that they could not be
	// compared, in the transaction of tx.
	DeadLetter, Found, Uncompared func(tx core.App, gateway string) error
	// ByHand leaves the inbox to Settle: nothing runs by itself, and a delivery is
	// stored by the request that brings it.
	ByHand bool
}

// Subject is payments bound to one app.
type Subject struct {
	Deps
	worker *jobs.Worker
	agreed func(tx core.App, news AgreementNews) (bool, error)
	intake *intake
	inbox  *inbox

	mu     sync.Mutex
	built  map[string]built
	misses map[string]int // probes in a row that a gateway did not answer
}

// Settle works one batch of the stored deliveries and reports whether there was
// any. It is for those who drive payments by hand, from one goroutine.
func (s *Subject) Settle(app core.App) bool { return s.inbox.round(app) }

// Busy reports whether deliveries of gateways wait to be settled.
func (s *Subject) Busy() bool { return s.inbox.busy.Load() }

// Register binds payments' operations, jobs and hooks.
func Register(app core.App, table *op.Table, worker *jobs.Worker, deps Deps) *Subject {
	s := &Subject{Deps: deps, worker: worker, built: map[string]built{}, misses: map[string]int{}}
	s.inbox = newInbox(s)
	s.intake = newIntake(s.inbox)
	s.webhookOps(table)
	s.methodOps(table)
	s.manualOps(table)
	s.unmatchedOps(table)
	s.bankOps(table)
	s.gatewayOps(table)
	s.eventOps(table)
	s.refundOps(table)
	s.disputeOps(table)
	deps.Books.OnRefund(s.followRefund)
	s.reconcileOps(table)
	s.guard(app)
	s.guardGateways(app)
	worker.Handle(jobWebhook, s.retryEvent)
	worker.OnGivenUp(s.deadLetter)
	worker.OnGivenUp(s.reconcileGivenUp)
	worker.Handle(jobReconcile, s.reconcileJob)
	worker.Handle(jobWatch, s.watch)
	worker.Handle(jobClose, s.closeAttempt)
	worker.Handle(jobCharge, s.charge)
	s.pace(app)
	worker.Handle(jobMethods, s.syncMethods)
	worker.Handle(jobSetup, s.checkSetupJob)
	worker.Handle(jobRemove, s.forgetMethod)
	if deps.ByHand {
		s.intake.direct = app
		return s
	}
	app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{Id: "paymentsInbox", Priority: 50, Func: func(e *core.ServeEvent) error {
		if err := e.Next(); err != nil {
			return err
		}
		s.intake.start(e.App)
		s.inbox.start(e.App)
		return nil
	}})
	app.OnTerminate().Bind(&hook.Handler[*core.TerminateEvent]{Id: "paymentsInbox", Priority: -50, Func: func(e *core.TerminateEvent) error {
		s.intake.stop()
		s.inbox.stop()
		return e.Next()
	}})
	return s
}
