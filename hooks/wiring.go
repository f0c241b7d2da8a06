package hooks

import (
	"context"
	"errors"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	engine "github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/billing"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/payments"
)

// billingDeps gives billing the payments it needs, without either knowing the
// other.
func billingDeps(d Deps, bk *books.Books, pay *payments.Subject) billing.Deps {
	return billing.Deps{
		Now: d.Now, Books: bk, Key: d.LinkKey, Demo: d.Demo,
		Gateways: func(app core.App) ([]billing.GatewayChoice, error) {
			choices := []billing.GatewayChoice{}
			enabled, err := pay.Enabled(app)
			for _, g := range enabled {
				kind := "redirect"
				if g.GetString("kind") == payments.Manual {
					kind = "instructions"
				}
				choices = append(choices, billing.GatewayChoice{ID: g.GetString("kind"), Label: g.GetString("label"), Kind: kind})
			}
			return choices, err
		},
		Pay: func(ctx context.Context, app core.App, invoice *core.Record, gateway string) (billing.Payment, error) {
			return payWith(ctx, app, pay, invoice, gateway)
		},
		ChargeSaved: func(ctx context.Context, app core.App, invoice, method *core.Record, actor string) error {
			if _, err := pay.CloseAll(ctx, app, invoice); err != nil {
				return err
			}
			return app.RunInTransaction(func(tx core.App) error {
				fresh, err := tx.FindRecordById(collections.Invoices, invoice.Id)
				if err != nil {
					return err
				}
				err = pay.ChargeSaved(tx, fresh, method, actor)
				if errors.Is(err, payments.ErrPending) {
					return nil // its outcome is what the customer waits for
				}
				return err
			})
		},
		PaymentOf: func(app core.App, invoice *core.Record) (billing.Payment, error) { return paymentOf(app, pay, invoice) },
		Check:     pay.Check,
		Close:     pay.CloseAll,
	}
}

// payWith opens the payment of an invoice. What the gateway could not do now is
// told as a state, since the order stands all the same.
func payWith(ctx context.Context, app core.App, pay *payments.Subject, invoice *core.Record, gateway string) (billing.Payment, error) {
	if gateway == payments.Manual {
		return transfer(app, invoice)
	}
	url, err := pay.OpenPage(ctx, app, invoice, gateway)
	switch {
	case errors.Is(err, payments.ErrPending):
		return billing.Payment{Kind: "redirect", State: "pending", Instructions: []billing.Instruction{}, Reason: "A payment for this invoice is on its way. We will tell you as soon as it arrives."}, nil
	case err != nil:
		app.Logger().Error("Payment page could not be opened", "invoice", invoice.GetString("number"), "gateway", gateway, "error", err)
		return billing.Payment{Kind: "redirect", State: "unknown", Instructions: []billing.Instruction{}, Reason: "The payment page could not be opened just now. Nothing was charged; please try again in a minute."}, nil
	case url == "":
		return paymentOf(app, pay, invoice)
	}
	return billing.Payment{Kind: "redirect", State: string(engine.PaymentOpen), URL: url, Instructions: []billing.Instruction{}}, nil
}

// paymentOf says how an invoice's payment stands.
func paymentOf(app core.App, pay *payments.Subject, invoice *core.Record) (billing.Payment, error) {
	fresh, err := app.FindRecordById(collections.Invoices, invoice.Id)
	if err != nil {
		return billing.Payment{}, err
	}
	p := billing.Payment{Kind: "none", Instructions: []billing.Instruction{}}
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

// transfer tells how to pay by bank transfer.
func transfer(app core.App, invoice *core.Record) (billing.Payment, error) {
	p := billing.Payment{Kind: "instructions", State: string(engine.PaymentOpen), Instructions: []billing.Instruction{}}
	gateway, err := collections.First(app, collections.Gateways, dbx.HashExp{"kind": payments.Manual})
	if err != nil || gateway == nil {
		return p, err
	}
	if err := gateway.UnmarshalJSONField("instructions", &p.Instructions); err != nil || p.Instructions == nil {
		p.Instructions = []billing.Instruction{}
	}
	due, err := collections.Amount(invoice, "due_minor")
	if err != nil {
		return p, err
	}
	p.Instructions = append(p.Instructions,
		billing.Instruction{Label: "Amount", Value: due.Format("en")},
		billing.Instruction{Label: "Reference", Value: invoice.GetString("number")},
	)
	return p, nil
}
