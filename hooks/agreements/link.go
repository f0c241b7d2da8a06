package agreements

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/op"
)

type linkRequest struct {
	ID        string `json:"-" path:"id"`
	Gateway   string `json:"gateway"`
	Agreement string `json:"agreement"`
	// Differs accepts that sum or payer are not those of the subscription here.
	Differs bool `json:"accept_difference,omitzero"`
}

// Check refuses what no gateway's subscription is named like.
func (in linkRequest) Check(f *op.Fields) {
	f.Check(in.Gateway == "stripe" || in.Gateway == "paypal", "gateway", "unknown", "The gateway must be stripe or paypal.")
	id := strings.TrimSpace(in.Agreement)
	f.Check(id != "" && len(id) <= 255, "agreement", "required", "Give the subscription's id at the gateway: sub_… at Stripe, I-… at PayPal.")
}

// link makes a subscription gateway-owned: the gateway's subscription bills it from
// its next payment on, and nothing is charged here any more. It is read back first.
// The same link again changes nothing.
func (s *Subject) link(r *op.Request, in linkRequest) (view, error) {
	in.Agreement = strings.TrimSpace(in.Agreement)
	if _, err := s.subscription(r.App, in.ID); err != nil {
		return view{}, err
	}
	g, err := s.Gateway(r.App, in.Gateway)
	if err != nil {
		return view{}, op.NewProblem(http.StatusConflict, "not_configured", "This gateway is not set up, or keeps no subscriptions.").Because(err)
	}
	a, err := g.ReadAgreement(r.Request.Context(), in.Agreement)
	switch {
	case errors.Is(err, billing.ErrGatewayRefused):
		return view{}, op.NewProblem(http.StatusConflict, "unknown_agreement", "The gateway does not know this subscription.").Because(err)
	case err != nil:
		return view{}, op.NewProblem(http.StatusServiceUnavailable, "gateway_down", "The gateway did not answer. Nothing was changed; please try again.").Because(err)
	}
	row := (*core.Record)(nil)
	err = r.App.RunInTransaction(func(tx core.App) error {
		row, err = s.linked(tx, r, in, a)
		return err
	})
	if err != nil {
		return view{}, err
	}
	return show(row)
}

func (s *Subject) subscription(app core.App, id string) (*core.Record, error) {
	sub, err := collections.First(app, collections.Subscriptions, dbx.HashExp{"id": id})
	if err == nil && sub == nil {
		err = op.NotFound()
	}
	return sub, err
}

func (s *Subject) linked(tx core.App, r *op.Request, in linkRequest, a billing.Agreement) (*core.Record, error) {
	sub, err := s.subscription(tx, in.ID)
	if err != nil {
		return nil, err
	}
	known, err := collections.First(tx, collections.Agreements, dbx.HashExp{"gateway": in.Gateway, "agreement": a.ID})
	switch {
	case err != nil:
		return nil, err
	case known != nil && known.GetString("subscription") == sub.Id && known.GetString("status") == following:
		return known, nil
	case known != nil:
		return nil, refuse("taken", "This gateway subscription is, or was, linked already: "+known.GetString("status")+".")
	}
	if err := s.linkable(tx, sub, in, a, r.Now()); err != nil {
		return nil, err
	}
	begins, err := s.begins(tx, sub.Id, a.NextPayment)
	if err != nil {
		return nil, err
	}
	now, next := collections.Stamp(r.Now()), collections.Stamp(begins)
	row, err := collections.Insert(tx, collections.Agreements, map[string]any{
		"user": sub.GetString("user"), "subscription": sub.Id, "gateway": in.Gateway, "agreement": a.ID, "status": following, "state": string(a.State),
		"next_payment_at": collections.Stamp(a.NextPayment), "currency": sub.GetString("currency"), "amount_minor": a.Price.Minor(), "linked_at": now, "starts_at": next, "billed_through": next, "paid_through": next,
		"checked_at": now, "look_at": collections.Stamp(a.NextPayment.AddDate(0, 0, 1)),
	})
	if err != nil {
		return nil, fmt.Errorf("link subscription %s: %w", sub.Id, err)
	}
	if err := s.Reanchor(sub, begins); err != nil {
		return nil, err
	}
	sub.Load(map[string]any{
		"billing_owner": "gateway", "gateway": in.Gateway, "gateway_subscription_id": a.ID, "gateway_customer_id": a.Customer, "gateway_price_id": a.Plan,
		"current_period_end": next, "next_invoice_at": "",
	})
	if err := collections.Update(tx, sub); err != nil {
		return nil, fmt.Errorf("link subscription %s: %w", sub.Id, err)
	}
	return row, s.note(tx, r, "link", row, map[string]any{"next_payment": a.NextPayment, "price": a.Price, "accept_difference": in.Differs})
}

// begins is where the gateway's first period starts: at its next payment, or a
// little later where what is invoiced here ends later. Days and hours are its own.
func (s *Subject) begins(tx core.App, subscription string, next time.Time) (time.Time, error) {
	last := ""
	err := tx.DB().NewQuery("SELECT IFNULL(MAX(`period_end`), '') FROM `invoice_items` WHERE `subscription` = {:id} AND `kind` IN ('period', 'trial') AND `live`").Bind(dbx.Params{"id": subscription}).Row(&last)
	if err != nil {
		return next, fmt.Errorf("what is invoiced of subscription %s: %w", subscription, err)
	}
	end, err := collections.ParseStamp(last)
	return later(next, end), err
}

func refuse(code, text string) error { return op.NewProblem(http.StatusConflict, code, text) }

// runs reports whether a subscription goes on as far as anybody knows.
func runs(sub *core.Record) bool {
	status := billing.SubscriptionStatus(sub.GetString("status"))
	return (status == billing.SubscriptionActive || status == billing.SubscriptionPastDue) && !sub.GetBool("cancel_at_end") && sub.GetString("pause_from") == ""
}

// linkable refuses what would bill twice, or somebody else.
func (s *Subject) linkable(tx core.App, sub *core.Record, in linkRequest, a billing.Agreement, now time.Time) error {
	cycle, err := billing.ParseCycle(sub.GetString("cycle"))
	if err != nil {
		return err
	}
	_, months := cycle.Months()
	switch {
	case sub.GetString("billing_owner") == "gateway":
		return refuse("gateway_owned", "This subscription is linked to another one at a gateway. Hand that over first.")
	case !runs(sub):
		return refuse("not_running", "Only a subscription that runs, with no end or pause agreed, can be linked.")
	case !months:
		return refuse("no_periods", "What is paid once or by the hour has no periods that a gateway could bill.")
	case a.State != billing.AgreementActive || a.Ends || !a.NextPayment.After(now):
		return refuse("not_active", "The gateway's subscription is not active, or has no payment to come.")
	case a.Failing():
		return refuse("failing", "The last payment of the gateway's subscription failed. Wait until it is settled there.")
	}
	busy := 0
	err = tx.DB().NewQuery("SELECT (SELECT COUNT(*) FROM `subscription_changes` WHERE `subscription` = {:id} AND `status` IN ('pending', 'scheduled'))" +
		" + (SELECT COUNT(*) FROM `invoice_items` `l` JOIN `invoices` `i` ON `i`.`id` = `l`.`invoice` WHERE `l`.`subscription` = {:id} AND `l`.`kind` = 'period' AND `l`.`live` AND `i`.`status` = 'open')").
		Bind(dbx.Params{"id": sub.Id}).Row(&busy)
	if err != nil {
		return fmt.Errorf("link subscription %s: %w", sub.Id, err)
	}
	begins, err := s.begins(tx, sub.Id, a.NextPayment)
	if err != nil {
		return err
	}
	if busy > 0 || begins.Sub(a.NextPayment) > tolerance {
		return refuse("billed_here", "A change is agreed, or an invoice here is open or bills time that the gateway will bill. Cancel or credit it first.")
	}
	return s.same(tx, sub, in, a, now)
}

// same compares sum and payer with ours.
func (s *Subject) same(tx core.App, sub *core.Record, in linkRequest, a billing.Agreement, now time.Time) error {
	price, err := s.Price(tx, sub.Id, a.NextPayment, now)
	if err != nil {
		return err
	}
	if a.Price != (money.Amount{}) && a.Price.Currency() != price.Currency() {
		return refuse("currency_differs", fmt.Sprintf("The gateway bills in %s, the subscription is in %s.", a.Price.Currency(), price.Currency()))
	}
	owner := []string{}
	if err := tx.DB().NewQuery("SELECT `user` FROM `gateway_customers` WHERE `gateway` = {:gateway} AND `customer_id` = {:customer} AND `customer_id` != ''").
		Bind(dbx.Params{"gateway": in.Gateway, "customer": a.Customer}).Column(&owner); err != nil {
		return fmt.Errorf("payer of agreement %s: %w", a.ID, err)
	}
	user, err := tx.FindRecordById(collections.Users, sub.GetString("user"))
	if err != nil {
		return fmt.Errorf("payer of agreement %s: %w", a.ID, err)
	}
	payer := len(owner) > 0 && owner[0] == user.Id || len(owner) == 0 && a.Email != "" && strings.EqualFold(a.Email, user.Email())
	switch {
	case len(owner) > 0 && owner[0] != user.Id:
		return refuse("customer_differs", "The gateway's subscription is paid by another customer of ours.")
	case in.Differs:
		return nil
	case !payer:
		return refuse("payer_unknown", fmt.Sprintf("It does not show that the payer (%s) is this customer. Accept the difference if you know that it is.", strings.TrimSpace(a.Customer+" "+a.Email)))
	case a.Price != price:
		return refuse("amount_differs", fmt.Sprintf("The gateway takes %s, a period here is %s. Accept the difference, or change the price first.", a.Price, price))
	}
	return nil
}

func (s *Subject) note(tx core.App, r *op.Request, action string, row *core.Record, more map[string]any) error {
	changes := map[string]any{"gateway": row.GetString("gateway"), "agreement": row.GetString("agreement"), "subscription": row.GetString("subscription")}
	for k, v := range more {
		changes[k] = v
	}
	return audit.Write(tx, r.Now(), audit.Entry{
		ActorKind: audit.Staff, Actor: r.Auth.Id, Action: "agreement." + action, Resource: collections.Agreements, ResourceID: row.Id, IP: r.RealIP(), UserAgent: r.Agent(), Changes: changes,
	})
}
