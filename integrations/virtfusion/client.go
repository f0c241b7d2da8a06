// Package virtfusion builds and runs virtual servers through the VirtFusion
// "Global API" v1. It turns the engine's provisioning interfaces into calls,
// reads answers tolerantly, and puts every failure into one of the engine's
// error classes. It stores nothing: what must survive a crash travels in
// provisioning.Build.
//
// Three rules hold everywhere. A call that may create something is never
// repeated unless its absence is proven. A server is proven absent only by the
// panel's own text "server not found". Neither the token nor a password ever
// appears in an error or a log.
//
// A server's name in the panel is our mark of whose it is, and the vendor documents
// no call that sets a hostname outside an installation and none for reverse DNS, so
// that neither can be changed by itself; a reinstallation sets the hostname.
//
// Source of paths and shapes: the vendor's OpenAPI document "VirtFusion Global
// API" 1.0.0, https://docs.virtfusion.com/api.
package virtfusion

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// The capabilities a VirtFusion panel offers.
var (
	_ provisioning.Creator          = (*Client)(nil)
	_ provisioning.Suspender        = (*Client)(nil)
	_ provisioning.Terminator       = (*Client)(nil)
	_ provisioning.Power            = (*Client)(nil)
	_ provisioning.StatusReader     = (*Client)(nil)
	_ provisioning.TrafficReader    = (*Client)(nil)
	_ provisioning.PasswordResetter = (*Client)(nil)
	_ provisioning.SignInLinker     = (*Client)(nil)
	_ provisioning.Tester           = (*Client)(nil)
	_ provisioning.PlanChanger      = (*Client)(nil)
	_ provisioning.HealthReporter   = (*Client)(nil)
	_ provisioning.Pacer            = (*Client)(nil)
	_ provisioning.OptionLister     = (*Client)(nil)
	_ provisioning.Lister           = (*Client)(nil)
	_ provisioning.Reinstaller      = (*Client)(nil)
	_ provisioning.Adopter          = (*Client)(nil)
	_ provisioning.Skipper          = (*Client)(nil)
)

const (
	vendor        = panel.Vendor("virtfusion")
	apiPath       = "/api/v1"
	defaultPrefix = "ezs-"
	defaultSettle = time.Minute
	// callTimeout bounds one call when the given HTTP client sets no bound.
	callTimeout = 60 * time.Second
	// maxAnswer bounds one answer in bytes. Server objects embed a screenshot
	// of some 100 KB; a page of 200 of them stays below.
	maxAnswer = 32 << 20
)

// Config says which panel to talk to.
type Config struct {
	// BaseURL is the panel's address, with or without /api/v1. Only https,
	// except on a loopback address.
	BaseURL string
	// Token is an API token of the panel (Configuration → API).
	Token string
	// RelationPrefix starts the string relation of remote users and the names
	// of remote servers, so that two installations can share a panel; "" is
	// "ezs-". It must stay the same for the life of the installation.
	RelationPrefix string
	// Settle is how long after a lost create call its server may still appear;
	// 0 is one minute. Only after that "no server is there" is believed.
	Settle time.Duration
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// String keeps the token out of logs and errors.
func (c Config) String() string { return "virtfusion.Config{" + c.BaseURL + "}" }

// GoString keeps the token out of %#v.
func (c Config) GoString() string { return c.String() }

// Client talks to one panel. It is safe for concurrent use. There must be one
// Client per panel in the process that builds: it keeps two services of one
// customer from adopting the same server (see Recover).
type Client struct {
	*panel.Guard // of all calls to the panel

	base    *url.URL // the panel's root, without a trailing slash
	prefix  string
	now     func() time.Time
	caller  *panel.Caller
	calls   *panel.Calls
	creates *creates
}

// New checks the configuration; it makes no call. A nil hc means a client of
// its own. Redirects are never followed: they would carry the token elsewhere.
func New(cfg Config, hc *http.Client) (*Client, error) {
	base, err := panel.ParseBase(cfg.BaseURL, apiPath)
	if err != nil {
		return nil, fmt.Errorf("virtfusion: panel address: %w", err)
	}
	if cfg.Token == "" || strings.ContainsFunc(cfg.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("virtfusion: the API token is empty or contains blanks or unprintable characters")
	}
	if err := panel.CheckPrefix(cfg.RelationPrefix); err != nil {
		return nil, fmt.Errorf("virtfusion: %w", err)
	}
	if cfg.Settle < 0 {
		return nil, errors.New("virtfusion: the settle time is negative")
	}
	c := &Client{base: base, prefix: cmp.Or(cfg.RelationPrefix, defaultPrefix), now: cfg.Now}
	if c.now == nil {
		c.now = time.Now
	}
	c.creates = newCreates(c.now)
	c.calls = panel.NewCalls(c.now, cmp.Or(cfg.Settle, defaultSettle))
	c.Guard = panel.NewGuard(c.now)
	c.caller = &panel.Caller{
		Vendor: vendor, Guard: c.Guard, HTTP: panel.Client(hc, callTimeout), Now: c.now, MaxAnswer: maxAnswer, MaxRetryAfter: time.Hour, Judge: judge,
		Root: func(panel.Call) string { return base.String() + apiPath },
		Sign: func(r *http.Request, _ panel.Call) {
			r.Header.Set("Authorization", "Bearer "+cfg.Token)
			r.Header.Set("Accept", "application/json")
		},
	}
	return c, nil
}

// String names the panel and hides the token.
func (c *Client) String() string { return "virtfusion(" + c.base.Host + ")" }

// GoString hides the token from %#v.
func (c *Client) GoString() string { return c.String() }

// LogValue hides the token from structured logs.
func (c *Client) LogValue() slog.Value { return slog.StringValue(c.String()) }

// relation is the string relation of one of our users at the panel.
func (c *Client) relation(userID string) string { return c.prefix + userID }

// tag is the name of a service's server at the panel.
func (c *Client) tag(serviceID string) string { return c.prefix + serviceID }

// do makes one call and decodes the answer into out unless that is nil.
func (c *Client) do(ctx context.Context, call panel.Call, out any) error {
	return c.caller.Do(ctx, call, out)
}
