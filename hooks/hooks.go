// Package hooks lists what happens when: every subject in one place, with what
// it is given. A new subject is a folder and a line here.
package hooks

import (
	"io/fs"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/hooks/account"
	"github.com/ezscale/ezscale/hooks/agreements"
	"github.com/ezscale/ezscale/hooks/billing"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/dunning"
	"github.com/ezscale/ezscale/hooks/exchange"
	"github.com/ezscale/ezscale/hooks/invoices"
	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/hooks/live"
	"github.com/ezscale/ezscale/hooks/notify"
	"github.com/ezscale/ezscale/hooks/op"
	"github.com/ezscale/ezscale/hooks/payments"
	"github.com/ezscale/ezscale/hooks/provisioning"
	"github.com/ezscale/ezscale/hooks/renewals"
	"github.com/ezscale/ezscale/hooks/schedule"
	"github.com/ezscale/ezscale/hooks/site"
	"github.com/ezscale/ezscale/hooks/staff"
	"github.com/ezscale/ezscale/hooks/taxes"
)

// Deps is what the product is made of, built once by main.
type Deps struct {
	Now        func() time.Time
	Sealer     *collections.Sealer
	LinkKey    []byte // signs download links
	Public     fs.FS  // the tree of pb_public
	Demo       bool
	SQLConsole bool

	Gateways         map[string]payments.Factory
	GatewayOverride  map[string]payments.Settings
	Platforms        map[string]provisioning.Factory
	VATRegister      func(requester string) (tax.IDChecker, error)
	PlatformOverride map[string]provisioning.Settings

	// Driver, when given, works queue, inbox and tasks by hand: nothing runs by
	// itself.
	Driver *Driver
	// TakeTasks, when given, gets the tasks that else run by the clock of the
	// machine; everything else runs by itself.
	TakeTasks func(*schedule.Schedule)
}

// Register binds the whole product to an app.
func Register(app core.App, d Deps) error {
	table := op.NewTable(d.Now)
	worker := jobs.NewWorker(app, d.Now)

	staff.Register(app, staff.Deps{Now: d.Now, Sealer: d.Sealer, SQLConsole: d.SQLConsole})
	bk := books.New(d.Now)
	mails := notify.New(notify.Deps{Now: d.Now, Books: bk, InvoicePDF: invoices.RenderPDF})
	pay := payments.Register(app, table, worker, payments.Deps{
		Now: d.Now, Books: bk, Sealer: d.Sealer, Factories: d.Gateways, Override: d.GatewayOverride, ByHand: d.Driver != nil, Disputed: mails.Disputed, DisputeDue: mails.DisputeDue,
		DeadLetter: mails.DeadLetter, Found: mails.Found, Uncompared: mails.Uncompared,
	})
	worker.YieldTo(pay.Busy) // money first
	billing.Register(app, table, worker, billingDeps(d, bk, pay))
	exchange.Register(table)
	taxing := taxes.Register(app, table, worker, taxes.Deps{Now: d.Now, Register: d.VATRegister, Service: pay.TaxService})
	line := live.Register(app, bk)
	var services *provisioning.Subject
	renewing := renewals.Register(app, table, worker, renewals.Deps{Now: d.Now, Books: bk, Close: pay.CloseAll, Target: billing.Target, Feasible: feasibleBy(&services), PriceMail: priceMail(&mails), Taxed: taxing.Ready})
	agreed := agreements.Register(app, table, worker, agreementDeps(d, bk, pay, renewing, mails))
	pay.OnAgreement(func(tx core.App, news payments.AgreementNews) (bool, error) {
		return agreed.Heard(tx, news.Gateway, news.Agreement)
	})
	services = provisioning.Register(app, table, worker, provisioning.Deps{
		Now: d.Now, Books: bk, Sealer: d.Sealer, Factories: d.Platforms, Override: d.PlatformOverride, Waits: mails.Work, Drifted: mails.Drift, Watching: line.Customers, Tell: line.Tell,
	})
	mails.Register(app, worker)
	invoices.Register(app, table, worker, invoicesDeps(d, bk, pay, mails))
	collecting := dunning.Register(app, table, dunningDeps(d, bk, pay, mails))
	account.Register(app, table, account.Deps{Now: d.Now, AlreadyRegistered: mails.AlreadyRegistered})
	err := site.Register(app, table, site.Deps{Public: d.Public, Now: d.Now, Demo: d.Demo, BrandName: brandName(app), SupportEmail: supportEmail(app)})
	if err != nil {
		return err
	}
	timed := schedule.New(app, d.Now, append(tasks(pay, renewing, collecting, services, mails), schedule.Task{Name: "agreements", Every: 10 * time.Minute, Run: agreed.Run}, schedule.Task{Name: "taxes", Every: 10 * time.Minute, Run: taxing.Forget})...)
	if d.Driver != nil {
		d.Driver.take(app, table, worker, pay, timed)
		return nil
	}
	if d.TakeTasks != nil {
		d.TakeTasks(timed)
		timed = schedule.New(app, d.Now) // nothing runs by itself
	}
	run(app, table, worker, timed)
	return nil
}

// run serves the operations, works the queue and does what is due by time as
// long as the server runs.
func run(app core.App, table *op.Table, worker *jobs.Worker, timed *schedule.Schedule) {
	app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{Id: "ezscaleRun", Func: func(e *core.ServeEvent) error {
		table.Bind(e)
		if err := e.Next(); err != nil {
			return err
		}
		if err := worker.Start(); err != nil {
			return err
		}
		return timed.Start()
	}})
	app.OnTerminate().Bind(&hook.Handler[*core.TerminateEvent]{Id: "ezscaleRun", Priority: -100, Func: func(e *core.TerminateEvent) error {
		timed.Stop()
		worker.Stop()
		return e.Next()
	}})
}

func supportEmail(app core.App) func() string {
	return func() string {
		brand, err := collections.LoadBrand(app)
		if err != nil {
			app.Logger().Error("Brand cannot be read", "error", err)
		}
		return brand.Support
	}
}

func brandName(app core.App) func() string {
	return func() string {
		brand, err := collections.LoadBrand(app)
		if err != nil {
			app.Logger().Error("Brand cannot be read", "error", err)
		}
		return brand.Name
	}
}
