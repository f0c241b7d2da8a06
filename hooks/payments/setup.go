package payments

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/jobs"
)

// The stored states of a setup: a page on which a method is saved without a
// payment. The first two are live; a customer has one such page at a gateway.
const (
	setupCreated   = "created"
	setupOpen      = "open"
	setupDone      = "done"
	setupCancelled = "cancelled"
)

const jobSetup = "payment.setup"

// setup is a row of method_setups.
type setup struct {
	ID           string `db:"id"`
	User         string `db:"user"`
	Gateway      string `db:"gateway"`
	Status       string `db:"status"`
	Key          string `db:"idempotency_key"`
	Reference    string `db:"reference"`
	URL          string `db:"url"`
	Expires      string `db:"expires_at"`
	Subscription string `db:"subscription"`
	Back         string `db:"back"`
	Method       string `db:"gateway_method_id"`
}

type setupPayload struct {
	Setup string `json:"setup"`
}

func findSetup(app core.App, where string, params dbx.Params) (*setup, error) {
	rows := []setup{}
	err := app.DB().NewQuery("SELECT `id`, `user`, `gateway`, `status`, `idempotency_key`, `reference`, `url`, `expires_at`, `subscription`, `back`, `gateway_method_id` FROM `method_setups` WHERE " + where + " LIMIT 1").Bind(params).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("find setup of a method: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	return &rows[0], nil
}

// saver is the gateway as one that saves methods. Errors: billing's.
func (s *Subject) saver(app core.App, kind string) (billing.Gateway, billing.MethodSaver, error) {
	gateway, err := s.gateway(app, kind)
	if err != nil {
		return nil, nil, err
	}
	able, ok := gateway.(billing.MethodSaver)
	if !ok {
		return nil, nil, fmt.Errorf("gateway %s saves no methods: %w", kind, billing.ErrGatewayRefused)
	}
	return gateway, able, nil
}

// OpenSetup returns the page on which a customer saves a method: the one that is
// open already, or a new one. subscription is what the method is for, "" for
// everything; back is where the portal leads afterwards.
func (s *Subject) OpenSetup(ctx context.Context, app core.App, user *core.Record, kind, subscription, back string) (*setup, error) {
	gateway, able, err := s.saver(app, kind)
	if err != nil {
		return nil, err
	}
	var p *setup
	err = app.RunInTransaction(func(tx core.App) error {
		p, err = s.beginSetup(tx, user.Id, kind, subscription, back)
		return err
	})
	if err != nil || p.Status == setupOpen {
		return p, err
	}
	customer, err := s.customer(ctx, app, gateway, kind, user)
	if err != nil {
		return nil, err
	}
	brand, err := collections.LoadBrand(app)
	if err != nil {
		return nil, err
	}
	expires, err := collections.ParseStamp(p.Expires)
	if err != nil {
		return nil, err
	}
	home := brand.URL + "/portal/payment-methods?setup=" + p.ID
	page, err := able.OpenSetup(ctx, billing.SetupRequest{
		Key: p.Key, SetupID: p.ID, Customer: customer, Description: brand.Name, ReturnURL: home, CancelURL: home + "&cancelled=yes",
		ExpiresAt: expires, Locale: user.GetString("locale"),
	})
	if errors.Is(err, billing.ErrGatewayRefused) { // nobody ever saw a page under this key
		return nil, errors.Join(err, s.endSetup(app, p.ID, setupCancelled, ""))
	}
	if err != nil {
		return nil, fmt.Errorf("open setup %s at %s: %w", p.ID, kind, err)
	}
	return p, s.openedSetup(app, p, page)
}

// beginSetup writes the intent, before any call.
func (s *Subject) beginSetup(tx core.App, user, kind, subscription, back string) (*setup, error) {
	now := s.Now()
	p, err := findSetup(tx, "`user` = {:user} AND `gateway` = {:gateway} AND `status` IN ('created', 'open')", dbx.Params{"user": user, "gateway": kind})
	if err != nil {
		return nil, err
	}
	if p != nil && p.usable(now) {
		p.Subscription, p.Back = subscription, back
		_, err := tx.DB().Update(collections.MethodSetups, dbx.Params{"subscription": subscription, "back": back, "updated": collections.Stamp(now).String()}, dbx.HashExp{"id": p.ID}).Execute()
		return p, err
	}
	if p != nil {
		if err := s.endSetup(tx, p.ID, setupCancelled, ""); err != nil {
			return nil, err
		}
	}
	p = &setup{
		User: user, Gateway: kind, Status: setupCreated, Key: "setup:" + core.GenerateDefaultRandomId(), Expires: collections.Stamp(now.Add(pageLife)).String(), Subscription: subscription, Back: back,
	}
	p.ID, _, err = collections.Row(tx, collections.MethodSetups, now, dbx.Params{
		"user": p.User, "gateway": p.Gateway, "status": p.Status, "idempotency_key": p.Key, "reference": "", "url": "", "expires_at": p.Expires,
		"subscription": p.Subscription, "back": p.Back, "gateway_method_id": "", "done_at": "",
	})
	return p, err
}

// usable reports whether a page can still be used for a minute at least.
func (p *setup) usable(now time.Time) bool {
	expires, err := collections.ParseStamp(p.Expires)
	return err == nil && now.Add(time.Minute).Before(expires)
}

// openedSetup keeps the page, and watches it in case the customer never returns.
func (s *Subject) openedSetup(app core.App, p *setup, page billing.Page) error {
	now := s.Now()
	p.Status, p.Reference, p.URL = setupOpen, page.Reference, page.URL
	return app.RunInTransaction(func(tx core.App) error {
		_, err := tx.DB().Update(collections.MethodSetups, dbx.Params{"status": setupOpen, "reference": page.Reference, "url": page.URL, "updated": collections.Stamp(now).String()},
			dbx.HashExp{"id": p.ID, "status": setupCreated}).Execute()
		if err != nil {
			return fmt.Errorf("keep setup %s: %w", p.ID, err)
		}
		return s.watchSetup(tx, p.ID, p.User, now.Add(watchEvery))
	})
}

func (s *Subject) watchSetup(tx core.App, id, user string, at time.Time) error {
	_, err := jobs.Enqueue(tx, s.Now(), jobs.Job{Kind: jobSetup, Key: jobSetup + ":" + id, Serial: "wallet:" + user, User: user, Actor: audit.System, At: at, Payload: setupPayload{id}})
	return err
}

func (s *Subject) endSetup(app core.App, id, status, method string) error {
	now := collections.Stamp(s.Now()).String()
	_, err := app.DB().Update(collections.MethodSetups, dbx.Params{"status": status, "gateway_method_id": method, "done_at": now, "updated": now},
		dbx.HashExp{"id": id, "status": []any{setupCreated, setupOpen}}).Execute()
	if err != nil {
		return fmt.Errorf("end setup %s: %w", id, err)
	}
	return nil
}

// CheckSetup asks the gateway what became of a setup and keeps what was saved. It
// may be repeated freely.
func (s *Subject) CheckSetup(ctx context.Context, app core.App, p *setup) error {
	if p.Status != setupOpen {
		return nil
	}
	gateway, able, err := s.saver(app, p.Gateway)
	if err != nil {
		return err
	}
	rep, err := able.ReadSetup(ctx, p.Reference)
	if err != nil {
		return fmt.Errorf("ask %s about setup %s: %w", p.Gateway, p.ID, err)
	}
	switch {
	case rep.State == billing.SetupCancelled || rep.State == billing.SetupOpen && !p.usable(s.Now().Add(-2*time.Minute)):
		return s.endSetup(app, p.ID, setupCancelled, "")
	case rep.State == billing.SetupOpen:
		return nil
	}
	saved, err := gateway.Methods(ctx, rep.Customer)
	if err != nil {
		return fmt.Errorf("methods of setup %s: %w", p.ID, err)
	}
	return app.RunInTransaction(func(tx core.App) error { return s.finishSetup(tx, p, rep, saved) })
}

// finishSetup keeps the saved method, and lets the service pay by it that it was
// saved for.
func (s *Subject) finishSetup(tx core.App, p *setup, rep billing.SetupReport, saved []billing.SavedMethod) error {
	if err := s.mirror(tx, methodsPayload{p.Gateway, p.User}, saved, s.Now()); err != nil {
		return err
	}
	if err := s.endSetup(tx, p.ID, setupDone, rep.Method); err != nil {
		return err
	}
	method, err := collections.First(tx, collections.PaymentMethods, dbx.HashExp{"gateway": p.Gateway, "gateway_method_id": rep.Method, "user": p.User, "active": true})
	if err != nil || method == nil {
		return err
	}
	if p.Subscription != "" {
		if err := s.assignMethod(tx, p.User, p.Subscription, method.Id); err != nil {
			return err
		}
	}
	return audit.Write(tx, s.Now(), audit.Entry{
		ActorKind: audit.Customer, Actor: p.User, Action: "payment_method.add", Resource: collections.PaymentMethods, ResourceID: method.Id,
		Changes: map[string]any{"gateway": p.Gateway, "subscription": p.Subscription},
	})
}

// checkSetupJob is the timer behind a setup whose customer does not come back.
func (s *Subject) checkSetupJob(r *jobs.Run) error {
	in := setupPayload{}
	if err := r.Payload(&in); err != nil {
		return err
	}
	for again := range 2 {
		p, err := findSetup(r.App, "`id` = {:id}", dbx.Params{"id": in.Setup})
		if err != nil || p == nil || p.Status != setupOpen {
			return err
		}
		if again == 1 {
			break
		}
		if err := s.CheckSetup(r.Context(), r.App, p); err != nil {
			return classed(err)
		}
	}
	return r.Patiently(watchEvery)
}

// setupEvent lets a setup be looked at of which the gateway told something.
func (s *Subject) setupEvent(tx core.App, r inboxRow) (known bool, err error) {
	if r.Object == "" {
		return false, nil
	}
	p, err := findSetup(tx, "`gateway` = {:gateway} AND `reference` = {:object}", dbx.Params{"gateway": r.Gateway, "object": r.Object})
	if err != nil || p == nil {
		return false, err
	}
	if _, err := tx.DB().Update(collections.Jobs, dbx.Params{"next_at": collections.Stamp(s.Now()).String()}, dbx.HashExp{"key": jobSetup + ":" + p.ID, "state": jobs.Queued}).Execute(); err != nil {
		return true, fmt.Errorf("look at setup %s: %w", p.ID, err)
	}
	return true, s.watchSetup(tx, p.ID, p.User, s.Now())
}
