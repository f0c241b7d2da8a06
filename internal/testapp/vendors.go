package testapp

import (
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/payments"
	"github.com/ezscale/ezscale/hooks/provisioning"
	"github.com/ezscale/ezscale/integrations/enhance"
	"github.com/ezscale/ezscale/integrations/manual"
	"github.com/ezscale/ezscale/integrations/paypal"
	"github.com/ezscale/ezscale/integrations/pterodactyl"
	"github.com/ezscale/ezscale/integrations/stripe"
	"github.com/ezscale/ezscale/integrations/synergycp"
	"github.com/ezscale/ezscale/integrations/virtfusion"
)

// gateways builds the real adapters, as main does.
func gateways(now func() time.Time) map[string]payments.Factory {
	return map[string]payments.Factory{
		"stripe": func(s payments.Settings) (billing.Gateway, error) {
			return stripe.New(stripe.Config{SecretKey: s.SecretKey, WebhookSecret: s.WebhookSecret, APIURL: s.APIURL, Now: now}, nil)
		},
		"paypal": func(s payments.Settings) (billing.Gateway, error) {
			return paypal.New(paypal.Config{
				ClientID: s.ClientID, Secret: s.SecretKey, WebhookID: s.WebhookSecret, APIURL: s.APIURL, Sandbox: s.Test, CertAuthority: s.CertAuthority, Now: now,
			}, nil)
		},
	}
}

// platforms builds the real adapters; lost calls settle within two seconds.
func platforms(now func() time.Time) map[string]provisioning.Factory {
	return map[string]provisioning.Factory{
		"manual": func(provisioning.Settings) (any, error) { return manual.New(), nil },
		"virtfusion": func(s provisioning.Settings) (any, error) {
			return virtfusion.New(virtfusion.Config{BaseURL: s.URL, Token: s.Token, Settle: 2 * time.Second, Now: now}, nil)
		},
		"pterodactyl": func(s provisioning.Settings) (any, error) {
			application, client, err := pterodactyl.ParseKeys(s.Token)
			if err != nil {
				return nil, err
			}
			return pterodactyl.New(pterodactyl.Config{BaseURL: s.URL, ApplicationKey: application, ClientKey: client, Settle: 2 * time.Second, Now: now}, nil)
		},
		"synergycp": func(s provisioning.Settings) (any, error) {
			return synergycp.New(synergycp.Config{BaseURL: s.URL, Key: s.Token, WipeOnTerminate: strings.Contains(s.Extra, `"wipe_on_terminate":true`), Settle: 2 * time.Second, Now: now}, nil)
		},
		"enhance": func(s provisioning.Settings) (any, error) {
			return enhance.New(enhance.Config{BaseURL: s.URL, Token: s.Token, Settle: 2 * time.Second, Now: now}, nil)
		},
	}
}
