package payments

import (
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
)

// Manual is the gateway of bank transfers: people pay, staff enters it.
const Manual = "manual"

// built is an adapter with what it was built from.
type built struct {
	settings Settings
	gateway  billing.Gateway
}

// Enabled lists the gateways that are switched on and can work, in the order
// staff gave them.
func (s *Subject) Enabled(app core.App) ([]*core.Record, error) {
	all, err := collections.All(app, collections.Gateways, dbx.HashExp{"enabled": true}, "position ASC")
	if err != nil {
		return nil, err
	}
	usable := []*core.Record{}
	for _, g := range all {
		if g.GetString("kind") != Manual {
			if _, err := s.gateway(app, g.GetString("kind")); err != nil {
				app.Logger().Warn("Gateway is enabled but cannot be used", "gateway", g.GetString("kind"), "error", err)
				continue
			}
		}
		usable = append(usable, g)
	}
	return usable, nil
}

// gateway returns the adapter of a kind, rebuilt when its settings changed.
func (s *Subject) gateway(app core.App, kind string) (billing.Gateway, error) {
	settings, err := s.settings(app, kind)
	if err != nil {
		return nil, err
	}
	factory, ok := s.Factories[kind]
	if !ok {
		return nil, fmt.Errorf("gateway %s: %w", kind, billing.ErrNotConfigured)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if b, ok := s.built[kind]; ok && b.settings == settings {
		return b.gateway, nil
	}
	g, err := factory(settings)
	if err != nil {
		return nil, fmt.Errorf("gateway %s: %w", kind, err)
	}
	s.built[kind] = built{settings, g}
	return g, nil
}

// settings reads a gateway's record and lets the environment win.
func (s *Subject) settings(app core.App, kind string) (Settings, error) {
	r, err := collections.First(app, collections.Gateways, dbx.HashExp{"kind": kind})
	if err != nil {
		return Settings{}, err
	}
	return s.settingsOf(r, kind)
}

// settingsOf is what an adapter of this kind is built from, r being its record,
// or nil.
func (s *Subject) settingsOf(r *core.Record, kind string) (Settings, error) {
	env := s.Override[kind]
	if r == nil {
		return env, nil
	}
	set := Settings{APIURL: r.GetString("api_url"), ClientID: r.GetString("client_id"), Test: r.GetString("environment") == "test", CertAuthority: env.CertAuthority}
	for _, f := range []struct {
		into  *string
		field string
		given string
	}{{&set.SecretKey, "secret_key", env.SecretKey}, {&set.WebhookSecret, "webhook_secret", env.WebhookSecret}} {
		if *f.into = f.given; f.given != "" {
			continue
		}
		var err error
		if *f.into, err = s.Sealer.OpenField(r, f.field); err != nil {
			return set, err
		}
	}
	if env.ClientID != "" {
		set.ClientID = env.ClientID
	}
	if env.APIURL != "" {
		set.APIURL = env.APIURL
	}
	return set, nil
}
