package payments

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/audit"
)

// guardGateways refuses settings of a gateway with which it cannot work, and
// forgets what belongs to another environment. It runs after secrets are sealed.
func (s *Subject) guardGateways(app core.App) {
	check := &hook.Handler[*core.RecordEvent]{Id: "paymentsGateway", Func: func(e *core.RecordEvent) error {
		if err := s.checkGateway(e.Record); err != nil {
			return apis.NewBadRequestError(err.Error(), nil)
		}
		return e.Next()
	}}
	app.OnRecordCreate(collections.Gateways).Bind(check)
	app.OnRecordUpdate(collections.Gateways).Bind(check)
	app.OnRecordUpdateExecute(collections.Gateways).Bind(&hook.Handler[*core.RecordEvent]{Id: "paymentsEnvironment", Func: func(e *core.RecordEvent) error {
		before, after := e.Record.Original().GetString("environment"), e.Record.GetString("environment")
		if err := e.Next(); err != nil || before == "" || before == after {
			return err
		}
		return s.forget(e.App, e.Record.GetString("kind"), before, after)
	}})
}

// checkGateway says in plain words why a gateway cannot work as it is about to be
// saved. One that is switched off and holds no key yet may be incomplete.
func (s *Subject) checkGateway(r *core.Record) error {
	kind := r.GetString("kind")
	factory, known := s.Factories[kind]
	if !known {
		return nil
	}
	set, err := s.settingsOf(r, kind)
	if err != nil {
		return fmt.Errorf("gateway %s: %w", kind, err)
	}
	if !r.GetBool("enabled") && set.SecretKey == "" {
		return nil
	}
	if _, err := factory(set); err != nil {
		return errors.New(plain(kind, err))
	}
	if r.GetBool("enabled") && set.WebhookSecret == "" {
		return errors.New(names[kind] + " cannot be switched on without its " + webhookNames[kind] + ": no payment would be believed.")
	}
	switch environment := r.GetString("environment"); {
	case kind == "stripe" && environment == "live" && strings.Contains(set.SecretKey, "_test_"):
		return errors.New("this is a test key (…_test_…), but the environment says live")
	case kind == "stripe" && environment == "test" && strings.Contains(set.SecretKey, "_live_"):
		return errors.New("this is a live key (…_live_…), but the environment says test")
	}
	return nil
}

// names are what people call the gateways, webhookNames what lets deliveries be
// verified there.
var (
	names        = map[string]string{"stripe": "Stripe", "paypal": "PayPal"}
	webhookNames = map[string]string{"stripe": "webhook signing secret (whsec_…) in webhook_secret", "paypal": "webhook id in webhook_secret"}
)

// plain says what is wrong with a gateway in words for staff: which of the
// things they can change is at fault, then the gateway's own words.
func plain(kind string, err error) string {
	name := names[kind]
	if name == "" {
		name = kind
	}
	what := name + " does not work as it is set up."
	switch {
	case errors.Is(err, billing.ErrGatewayCredentials):
		what = name + " does not accept these keys. Copy them again, and see that they are of the environment (live or test) chosen here."
	case errors.Is(err, billing.ErrNotConfigured):
		what = name + " is not completely set up."
	case errors.Is(err, billing.ErrGatewayTemporary), errors.Is(err, billing.ErrOutcomeUnknown):
		what = name + " cannot be reached just now. Nothing is wrong with the keys as far as we know; try again in a minute."
	}
	words := err.Error()
	for _, class := range []error{billing.ErrNotConfigured, billing.ErrGatewayCredentials, billing.ErrGatewayTemporary, billing.ErrOutcomeUnknown, billing.ErrGatewayRefused} {
		words = strings.ReplaceAll(words, class.Error()+": ", "")
	}
	for _, prefix := range []string{"gateway " + kind + ": ", kind + ": "} {
		words = strings.TrimPrefix(words, prefix)
	}
	return strings.TrimSuffix(what, ".") + ": " + strings.TrimSpace(words)
}

// forget retires what customers saved in the environment a gateway had before:
// the other environment knows neither the customers nor their methods, and they
// must not be charged there.
func (s *Subject) forget(tx core.App, kind, before, after string) error {
	methods, err := collections.All(tx, collections.PaymentMethods, dbx.HashExp{"gateway": kind, "active": true}, "created ASC")
	if err != nil {
		return err
	}
	for _, m := range methods {
		if err := retire(tx, m); err != nil {
			return err
		}
	}
	res, err := tx.DB().Delete(collections.GatewayCustomers, dbx.HashExp{"gateway": kind}).Execute()
	if err != nil {
		return fmt.Errorf("customers of %s in the %s environment: %w", kind, before, err)
	}
	customers, err := res.RowsAffected()
	if err != nil || customers == 0 && len(methods) == 0 {
		return err
	}
	return audit.Write(tx, s.Now(), audit.Entry{
		ActorKind: audit.System, Action: "gateway.environment", Resource: collections.Gateways, ResourceID: kind,
		Changes: map[string]any{"before": before, "after": after, "methods_retired": len(methods), "customers_forgotten": customers},
	})
}

// retire makes a saved method one that is never charged again.
func retire(tx core.App, m *core.Record) error {
	m.Set("active", false)
	m.Set("is_default", false)
	if err := collections.Save(tx, m); err != nil {
		return fmt.Errorf("retire payment method: %w", err)
	}
	return nil
}
