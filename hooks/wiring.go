package hooks

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	engine "github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/agreements"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/billing"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/dunning"
	"github.com/ezscale/ezscale/hooks/invoices"
	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/hooks/notify"
	"github.com/ezscale/ezscale/hooks/op"
	"github.com/ezscale/ezscale/hooks/payments"
	"github.com/ezscale/ezscale/hooks/provisioning"
	"github.com/ezscale/ezscale/hooks/renewals"
	"github.com/ezscale/ezscale/hooks/schedule"
)

// billingDeps gives billing the payments it needs, without either knowing the
// other.
func billingDeps(d Deps, bk *books.Books, pay *payments.Subject) billing.Deps {
	return billing.Deps{Now: d.Now, Books: bk, Demo: d.Demo, Gateways: choices(pay), Pay: payBy(pay), PaymentOf: paymentBy(pay), Check: pay.Check, Close: pay.CloseAll}
}

// invoicesDeps gives invoices the payments they need, likewise.
func invoicesDeps(d Deps, bk *books.Books, pay *payments.Subject, mails *notify.Subject) invoices.Deps {
	return invoices.Deps{
		Now: d.Now, Books: bk, Key: d.LinkKey, Gateways: choices(pay), Pay: payBy(pay), PayMany: payManyBy(pay), PaymentOf: paymentBy(pay), ChargeSaved: chargeBy(pay), Close: pay.CloseAll,
		Send: mails.SendInvoice, Refund: pay.Refund,
	}
}

// choices lists the ways to pay as customers see them.
func choices(pay *payments.Subject) func(app core.App) ([]engine.GatewayChoice, error) {
	return func(app core.App) ([]engine.GatewayChoice, error) {
		found := []engine.GatewayChoice{}
		enabled, err := pay.Enabled(app)
		for _, g := range enabled {
			kind := "redirect"
			if g.GetString("kind") == payments.Manual {
				kind = "instructions"
			}
			found = append(found, engine.GatewayChoice{ID: g.GetString("kind"), Label: g.GetString("label"), Kind: kind})
		}
		return found, err
	}
}

func payBy(pay *payments.Subject) func(ctx context.Context, app core.App, invoice *core.Record, gateway string) (engine.Payment, error) {
	return func(ctx context.Context, app core.App, invoice *core.Record, gateway string) (engine.Payment, error) {
		return payWith(ctx, app, pay, invoice, gateway)
	}
}

// payManyBy pays several invoices in one go: on one page over the sum, or by one
// transfer that names them all.
func payManyBy(pay *payments.Subject) func(ctx context.Context, app core.App, all []*core.Record, gateway string) (engine.Payment, error) {
	return func(ctx context.Context, app core.App, all []*core.Record, gateway string) (engine.Payment, error) {
		if gateway == payments.Manual {
			return transfer(app, all...)
		}
		url, err := pay.OpenMassPage(ctx, app, all, gateway)
		if p, failed := unopened(app, all[0], gateway, err); failed {
			return p, nil
		}
		if url == "" {
			return paymentOf(app, pay, all[0])
		}
		return engine.Payment{Kind: "redirect", State: string(engine.PaymentOpen), URL: url, Instructions: []engine.Instruction{}}, nil
	}
}

func paymentBy(pay *payments.Subject) func(app core.App, invoice *core.Record) (engine.Payment, error) {
	return func(app core.App, invoice *core.Record) (engine.Payment, error) { return paymentOf(app, pay, invoice) }
}

// chargeBy charges a saved method after a live page of the invoice was closed.
func chargeBy(pay *payments.Subject) func(ctx context.Context, app core.App, invoice, method *core.Record, actor string) error {
	return func(ctx context.Context, app core.App, invoice, method *core.Record, actor string) error {
		if _, err := pay.CloseAll(ctx, app, invoice); err != nil {
			return err
		}
		return app.RunInTransaction(func(tx core.App) error {
			fresh, err := tx.FindRecordById(collections.Invoices, invoice.Id)
			if err != nil {
				return err
			}
			err = pay.ChargeSaved(tx, fresh, method, payments.Charge{Actor: actor})
			if errors.Is(err, payments.ErrElsewhere) {
				return op.NewProblem(http.StatusConflict, "gateway_collects", "A subscription at the payment provider pays this invoice; charging it here would take the money twice.").Because(err)
			}
			if errors.Is(err, payments.ErrPending) {
				return nil // its outcome is what the customer waits for
			}
			return err
		})
	}
}

// feasibleBy asks the platform of a subscription's service whether an agreement can
// be kept. Provisioning is registered later.
func feasibleBy(services **provisioning.Subject) func(ctx context.Context, app core.App, subscription string, to engine.Bargain) (bool, error) {
	return func(ctx context.Context, app core.App, subscription string, to engine.Bargain) (bool, error) {
		options := map[string]string{}
		for _, o := range to.Options {
			options[o.Key] = o.Setting
		}
		return (*services).Feasible(ctx, app, subscription, to.Plan, options)
	}
}

// priceMail gives renewals the mails that are registered after them.
func priceMail(mails **notify.Subject) func(tx core.App, announcement, user string, off bool) error {
	return func(tx core.App, announcement, user string, off bool) error {
		return (*mails).PriceMail(tx, announcement, user, off)
	}
}

// agreementDeps gives agreements the payments and invoices they need, and has them
// hear what gateways report.
func agreementDeps(d Deps, bk *books.Books, pay *payments.Subject, renewing *renewals.Subject, mails *notify.Subject) agreements.Deps {
	return agreements.Deps{
		Now: d.Now, Books: bk, Gateway: pay.Subscriptions, Known: pay.Known, Mirror: renewing.Mirror, Price: renewals.Price, Reanchor: renewals.Reanchor, Classed: payments.Classed,
		Receive: func(tx core.App, user, invoice, gateway string, p engine.AgreementPayment) (string, error) {
			return pay.Receive(tx, d.Now(), payments.AgreementMoney{User: user, Invoice: invoice, Gateway: gateway, AgreementPayment: p})
		},
		Alerted: func(tx core.App, row *core.Record, a agreements.Alert) error {
			return mails.Agreement(tx, notify.AgreementNews{Agreement: row, Alert: a.Code, Amount: a.Paid, Invoice: a.Invoice, Details: a.Failure})
		},
	}
}

// dunningDeps gives dunning the payments and mails it needs.
func dunningDeps(d Deps, bk *books.Books, pay *payments.Subject, mails *notify.Subject) dunning.Deps {
	return dunning.Deps{
		Now: d.Now, Books: bk, Close: pay.CloseAll, Mail: mails.Collect, End: renewals.End,
		Foretell: func(app core.App, subscription string, now time.Time) (dunning.Next, error) {
			f, err := renewals.Foretell(app, subscription, now)
			return dunning.Next{Reason: f.Reason, At: f.At, DueAt: f.DueAt, Period: f.Period, Total: f.Total, Auto: f.Auto}, err
		},
		Charge: func(tx core.App, invoice, method *core.Record, key string) (bool, error) {
			err := pay.ChargeSaved(tx, invoice, method, payments.Charge{Actor: audit.System, Automatic: true, Key: key})
			if errors.Is(err, payments.ErrPending) || errors.Is(err, payments.ErrElsewhere) {
				return false, nil
			}
			return err == nil, err
		},
	}
}

// tasks lists what is done by time. The order is that of a day's work: money and
// invoices first, then what follows from them.
func tasks(pay *payments.Subject, renewing *renewals.Subject, collecting *dunning.Subject, services *provisioning.Subject, mails *notify.Subject) []schedule.Task {
	return []schedule.Task{
		{Name: "gateways", Every: 5 * time.Minute, Run: pay.Probe},
		{Name: "renewals", Every: time.Minute, Run: renewing.Run},
		{Name: "dunning", Every: time.Minute, Run: collecting.Run},
		{Name: "reconcile", Every: 15 * time.Minute, Run: pay.Reconcile},
		{Name: "inbox", Every: time.Hour, Run: pay.PurgeEvents},
		{Name: "jobs", Every: time.Hour, Run: purgeJobs},
		{Name: "services", Every: 10 * time.Minute, Run: services.Reconcile},
		{Name: "live", Every: provisioning.WatchEvery, Run: services.Watch},
		{Name: "drift", Every: 15 * time.Minute, Run: services.Drift},
		{Name: "fees", Every: time.Hour, Run: pay.BookFees},
		{Name: "disputes", Every: time.Hour, Run: pay.RemindOfDisputes},
		{Name: "cards", Every: 6 * time.Hour, Run: mails.CardsExpiring},
	}
}

// purgeJobs deletes jobs that were done as long ago as deliveries are kept.
func purgeJobs(ctx context.Context, app core.App, now time.Time) error {
	inbox, err := collections.LoadInbox(app)
	if err != nil {
		return err
	}
	return jobs.Purge(ctx, app, now.AddDate(0, 0, -inbox.KeepDays))
}

// payWith opens the payment of an invoice. What the gateway could not do now is
// told as a state, since the order stands all the same.
func payWith(ctx context.Context, app core.App, pay *payments.Subject, invoice *core.Record, gateway string) (engine.Payment, error) {
	if gateway == payments.Manual {
		return transfer(app, invoice)
	}
	url, err := pay.OpenPage(ctx, app, invoice, gateway)
	if p, failed := unopened(app, invoice, gateway, err); failed {
		return p, nil
	}
	if url == "" {
		return paymentOf(app, pay, invoice)
	}
	return engine.Payment{Kind: "redirect", State: string(engine.PaymentOpen), URL: url, Instructions: []engine.Instruction{}}, nil
}

// unopened says why a page could not be opened.
func unopened(app core.App, invoice *core.Record, gateway string, err error) (engine.Payment, bool) {
	switch {
	case err == nil:
		return engine.Payment{}, false
	case errors.Is(err, payments.ErrElsewhere):
		return engine.Payment{Kind: "none", State: string(engine.PaymentPending), Instructions: []engine.Instruction{}, Reason: "This invoice is paid by your subscription at the payment provider, which collects it by itself. Nothing is to be paid here."}, true
	case errors.Is(err, payments.ErrPending):
		return engine.Payment{Kind: "redirect", State: "pending", Instructions: []engine.Instruction{}, Reason: "A payment for this invoice is on its way. We will tell you as soon as it arrives."}, true
	case errors.Is(err, payments.ErrTooSmall):
		return engine.Payment{Kind: "redirect", State: string(engine.PaymentDeclined), Instructions: []engine.Instruction{}, Reason: "This is less than a card or an account can pay. Pay it by bank transfer, from your credit, or together with your next invoice; nothing is switched off for it."}, true
	}
	app.Logger().Error("Payment page could not be opened", "invoice", invoice.GetString("number"), "gateway", gateway, "error", err)
	return engine.Payment{Kind: "redirect", State: "unknown", Instructions: []engine.Instruction{}, Reason: "The payment page could not be opened just now. Nothing was charged; please try again in a minute."}, true
}

// paymentOf says how an invoice's payment stands.
func paymentOf(app core.App, pay *payments.Subject, invoice *core.Record) (engine.Payment, error) {
	fresh, err := app.FindRecordById(collections.Invoices, invoice.Id)
	if err != nil {
		return engine.Payment{}, err
	}
	p := engine.Payment{Kind: "none", Instructions: []engine.Instruction{}}
	switch collections.InvoiceStatus(fresh) {
	case engine.InvoicePaid:
		p.State = string(engine.PaymentSucceeded)
		return p, nil
	case engine.InvoiceVoid, engine.InvoiceUncollectible, engine.InvoiceDraft:
		p.State = string(engine.PaymentCancelled)
		return p, nil
	case engine.InvoiceOpen:
	}
	order, err := collections.First(app, collections.Orders, dbx.HashExp{"invoice": invoice.Id})
	if err != nil {
		return p, err
	}
	if order != nil && order.GetString("gateway") == payments.Manual {
		if live, err := pay.Standing(app, invoice.Id); err != nil || live.State == "" {
			if err != nil {
				return p, err
			}
			return transfer(app, fresh)
		}
	}
	live, err := pay.Standing(app, invoice.Id)
	if err != nil {
		return p, err
	}
	p.Kind, p.State, p.URL, p.Reason = "redirect", live.State, live.URL, live.Reason
	if p.State == "" {
		p.State = string(engine.PaymentOpen)
	}
	return p, nil
}

// transfer tells how to pay one or several invoices by bank transfer.
func transfer(app core.App, all ...*core.Record) (engine.Payment, error) {
	p := engine.Payment{Kind: "instructions", State: string(engine.PaymentOpen), Instructions: []engine.Instruction{}}
	gateway, err := collections.First(app, collections.Gateways, dbx.HashExp{"kind": payments.Manual})
	if err != nil || gateway == nil {
		return p, err
	}
	if err := gateway.UnmarshalJSONField("instructions", &p.Instructions); err != nil || p.Instructions == nil {
		p.Instructions = []engine.Instruction{}
	}
	numbers, sums := []string{}, []money.Amount{}
	for _, inv := range all {
		due, err := collections.Amount(inv, "due_minor")
		if err != nil {
			return p, err
		}
		numbers, sums = append(numbers, inv.GetString("number")), append(sums, due)
	}
	due, err := money.Sum(sums[0].Currency(), sums...)
	if err != nil {
		return p, err
	}
	p.Instructions = append(p.Instructions,
		engine.Instruction{Label: "Amount", Value: due.Format("en")},
		engine.Instruction{Label: "Reference", Value: strings.Join(numbers, ", ")},
	)
	return p, nil
}
