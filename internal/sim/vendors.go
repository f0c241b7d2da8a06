package sim

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/payments"
	"github.com/ezscale/ezscale/hooks/provisioning"
	"github.com/ezscale/ezscale/integrations/manual"
	"github.com/ezscale/ezscale/integrations/paypal"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/integrations/sandbox/paypalbox"
	"github.com/ezscale/ezscale/integrations/sandbox/stripebox"
	"github.com/ezscale/ezscale/integrations/sandbox/virtbox"
	"github.com/ezscale/ezscale/integrations/stripe"
	"github.com/ezscale/ezscale/integrations/virtfusion"
)

// The keys and addresses of the vendors; nothing listens there.
const (
	stripeKey     = "sk_test_ezscale_simulation"
	webhookSecret = "whsec_ezscale_simulation" //nolint:gosec // of a sandbox
	panelToken    = "ezscale-simulation-token" //nolint:gosec // of a sandbox
	stripeURL     = "http://127.0.0.1:1"
	panelURL      = "http://127.0.0.1:2"

	paypalID      = "ezscale-simulation"
	paypalSecret  = "ezscale-simulation-secret" //nolint:gosec // of a sandbox
	paypalWebhook = "8PT597110X687430L"
	paypalURL     = "http://127.0.0.1:4"
)

// vendors are the world outside; they outlive every crash of the product.
type vendors struct {
	stripe       *stripebox.Box
	stripeFaults *fault.Set
	stripeWire   *wire
	paypal       *paypalbox.Box // nil where the shop does not take it
	paypalWire   *wire
	panel        *virtbox.Box
	panelWire    *wire
	mails        map[string]int // by Message-ID: how often it arrived
	mailDown     bool
}

func newVendors(c *clock, f *fuse, draw *rand.Rand) *vendors {
	v := &vendors{stripeFaults: &fault.Set{}, mails: map[string]int{}}
	id := 0
	v.stripe = stripebox.New(stripebox.Options{
		Now: c.world, SecretKey: stripeKey, PublicURL: stripeURL, Faults: v.stripeFaults,
		NewID: func() string { id++; return fmt.Sprintf("%012x%06d", draw.Uint64()>>16, id) },
	})
	v.stripe.Close() // the courier of the simulation delivers
	v.panel = virtbox.New(virtbox.Options{Token: panelToken, Now: c.world, BuildTime: 20 * time.Second, TaskTime: time.Second, PanelURL: panelURL, Block: netip.MustParsePrefix("10.0.0.0/21")})
	v.stripeWire = &wire{vendor: v.stripe.Handler(), fuse: f}
	v.panelWire = &wire{vendor: v.panel.Handler(), fuse: f}
	return v
}

// gateways builds the real adapters on the wires.
func (v *vendors) gateways(now func() time.Time) map[string]payments.Factory {
	all := map[string]payments.Factory{
		"stripe": func(s payments.Settings) (billing.Gateway, error) {
			return stripe.New(stripe.Config{SecretKey: s.SecretKey, WebhookSecret: s.WebhookSecret, APIURL: s.APIURL, Now: now}, &http.Client{Transport: v.stripeWire})
		},
	}
	if v.paypal != nil {
		all["paypal"] = func(s payments.Settings) (billing.Gateway, error) {
			return paypal.New(paypal.Config{ClientID: s.ClientID, Secret: s.SecretKey, WebhookID: s.WebhookSecret, APIURL: s.APIURL, CertAuthority: s.CertAuthority, Now: now}, &http.Client{Transport: v.paypalWire})
		}
	}
	return all
}

// settings are what the gateways' adapters are built from.
func (v *vendors) settings() map[string]payments.Settings {
	all := map[string]payments.Settings{"stripe": {SecretKey: stripeKey, WebhookSecret: webhookSecret, APIURL: stripeURL}}
	if v.paypal != nil {
		all["paypal"] = payments.Settings{ClientID: paypalID, SecretKey: paypalSecret, WebhookSecret: paypalWebhook, APIURL: paypalURL, CertAuthority: paypalbox.Authority()}
	}
	return all
}

// platforms builds the real adapters on the wires.
func (v *vendors) platforms(now func() time.Time) map[string]provisioning.Factory {
	return map[string]provisioning.Factory{
		"manual": func(provisioning.Settings) (any, error) { return manual.New(), nil },
		"virtfusion": func(s provisioning.Settings) (any, error) {
			return virtfusion.New(virtfusion.Config{BaseURL: s.URL, Token: s.Token, Settle: 2 * time.Second, Now: now}, &http.Client{Transport: v.panelWire})
		},
	}
}
