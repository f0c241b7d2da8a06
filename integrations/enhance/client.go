// Package enhance sells web hosting and managed MySQL on an Enhance panel through
// the API of its orchestrator ("orchd"). It turns the engine's provisioning
// interfaces into calls, reads answers tolerantly, and puts every failure into one
// of the engine's error classes. It stores nothing: what must survive a crash
// travels in provisioning.Build.
//
// A customer is an organization below the selling one, found by our id at the end
// of its name; a service is a subscription of it, found by our id as its friendly
// name. The panel keeps neither unique, so that for one customer only one service
// at a time makes the account, and "it is not there" is believed only once a lost
// call can come no more. What is deleted here is deleted softly: people bring it
// back, or wipe it, in the panel.
//
// Source of paths and shapes: the vendor's OpenAPI document of orchd 12.21,
// https://apidocs.enhance.com.
package enhance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// The capabilities an Enhance panel offers. Hosting has no power switch.
var (
	_ provisioning.Creator          = (*Client)(nil)
	_ provisioning.Suspender        = (*Client)(nil)
	_ provisioning.Terminator       = (*Client)(nil)
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
)

const (
	vendor        = panel.Vendor("enhance")
	defaultPrefix = "ezs-"
	// defaultSettle is how long the creation of a website was seen to outlive its
	// caller.
	defaultSettle = 90 * time.Second
	// callTimeout bounds one call when the given HTTP client sets no bound: a website
	// is made while the call waits.
	callTimeout = 2 * time.Minute
	maxAnswer   = 32 << 20
	// restWithoutWord is how long nothing is sent after a 429 that says no time.
	restWithoutWord = 5 * time.Second
)

// Config says which panel to talk to, and as whom.
type Config struct {
	// BaseURL is the panel's address, with or without /api. Only https, except on a
	// loopback address.
	BaseURL string
	// Token is an access token with the role SuperAdmin in the selling organization.
	Token string
	// OrgID is the selling organization's id.
	OrgID string
	// RelationPrefix starts our ids at the panel, so that two installations can share
	// one; "" is "ezs-". It must stay the same for the life of the installation.
	RelationPrefix string
	// Settle is how long a call whose answer was lost may still take effect; 0 is 90
	// seconds.
	Settle time.Duration
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// String keeps the token out of logs and errors.
func (c Config) String() string { return "enhance.Config{" + c.BaseURL + "}" }

// GoString keeps the token out of %#v.
func (c Config) GoString() string { return c.String() }

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// ParseSecret reads the token and the selling organization's id out of one secret,
// in any order and with a blank or a comma between.
func ParseSecret(secret string) (token, orgID string, err error) {
	for _, part := range strings.FieldsFunc(secret, func(r rune) bool { return r <= ' ' || r == ',' || r == ';' }) {
		switch {
		case uuidForm.MatchString(strings.ToLower(part)) && orgID == "":
			orgID = strings.ToLower(part)
		case token == "":
			token = part
		default:
			return "", "", errors.New("enhance: there are more than two parts; give the access token and the organization's id, with a blank between")
		}
	}
	switch {
	case token == "":
		return "", "", errors.New("enhance: the access token is missing; make one in the panel under Settings → Access Tokens")
	case orgID == "":
		return "", "", errors.New("enhance: the selling organization's id is missing; it is the UUID in the panel's address after /orgs/: give it after the access token, with a blank between")
	}
	return token, orgID, nil
}

// Client talks to one panel. It is safe for concurrent use. There must be one
// Client per panel in the process that builds: it keeps two services of one
// customer from making the customer twice.
type Client struct {
	*panel.Guard // of all calls to the panel

	base   *url.URL // the panel's root, without a trailing slash
	seller string
	prefix string
	now    func() time.Time
	caller *panel.Caller
	calls  *panel.Calls
	turns  *panel.Turns
}

// New checks the configuration; it makes no call. A nil hc means a client of its
// own. Redirects are never followed: they would carry the token elsewhere.
func New(cfg Config, hc *http.Client) (*Client, error) {
	base, err := panel.ParseBase(cfg.BaseURL, "/api")
	if err != nil {
		return nil, fmt.Errorf("enhance: panel address: %w", err)
	}
	token, seller, err := ParseSecret(cfg.Token + " " + cfg.OrgID)
	if err != nil {
		return nil, err
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r > '~' }) {
		return nil, errors.New("enhance: the access token contains unprintable characters")
	}
	if err := panel.CheckPrefix(cfg.RelationPrefix); err != nil {
		return nil, fmt.Errorf("enhance: %w", err)
	}
	if cfg.Settle < 0 {
		return nil, errors.New("enhance: the settle time is negative")
	}
	c := &Client{base: base, seller: seller, prefix: cmp.Or(cfg.RelationPrefix, defaultPrefix), now: cfg.Now}
	if c.now == nil {
		c.now = time.Now
	}
	c.calls, c.turns = panel.NewCalls(c.now, cmp.Or(cfg.Settle, defaultSettle)), panel.NewTurns(c.now)
	c.Guard = panel.NewGuard(c.now)
	c.caller = &panel.Caller{
		Vendor: vendor, Guard: c.Guard, HTTP: panel.Client(hc, callTimeout), Now: c.now, MaxAnswer: maxAnswer, MaxRetryAfter: 5 * time.Minute, Rest: restWithoutWord, Judge: judge,
		Root: func(panel.Call) string { return base.String() + "/api" },
		Sign: func(r *http.Request, _ panel.Call) {
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Accept", "application/json")
		},
	}
	return c, nil
}

// String names the panel and hides the token.
func (c *Client) String() string { return "enhance(" + c.base.Host + ")" }

// GoString hides the token from %#v.
func (c *Client) GoString() string { return c.String() }

// LogValue hides the token from structured logs.
func (c *Client) LogValue() slog.Value { return slog.StringValue(c.String()) }

// relation is our id of one of our users at the panel, tag that of a service.
func (c *Client) relation(userID string) string { return c.prefix + userID }
func (c *Client) tag(serviceID string) string   { return c.prefix + serviceID }

// do makes one call and decodes the answer into out unless that is nil.
func (c *Client) do(ctx context.Context, call panel.Call, out any) error {
	return c.caller.Do(ctx, call, out)
}
