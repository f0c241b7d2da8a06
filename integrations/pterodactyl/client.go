// Package pterodactyl builds and runs game servers through the two APIs of a
// Pterodactyl panel (1.11): the Application API for users and servers, the
// Client API for power and live usage. It turns the engine's provisioning
// interfaces into calls, reads answers tolerantly, and puts every failure into
// one of the engine's error classes. It stores nothing: what must survive a
// crash travels in provisioning.Build.
//
// Three rules hold everywhere. Every server and user carries our id as its
// external id, which the panel keeps unique, so that an effect whose answer was
// lost is found by it before anything is repeated. A thing is proven absent only
// by the panel's own JSON answer. Neither a key nor a password ever appears in an
// error or a log.
//
// Source of paths and shapes: the panel's own routes, requests, transformers and
// services, https://github.com/pterodactyl/panel/tree/1.0-develop, files
// routes/api-application.php, routes/api-client.php and
// app/Http/Requests/Api/Application; there is no OpenAPI document.
package pterodactyl

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

// The capabilities a Pterodactyl panel offers. It counts no monthly traffic.
var (
	_ provisioning.Creator          = (*Client)(nil)
	_ provisioning.Suspender        = (*Client)(nil)
	_ provisioning.Terminator       = (*Client)(nil)
	_ provisioning.Power            = (*Client)(nil)
	_ provisioning.StatusReader     = (*Client)(nil)
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
	vendor        = panel.Vendor("pterodactyl")
	defaultPrefix = "ezs-"
	defaultSettle = time.Minute
	// callTimeout bounds one call when the given HTTP client sets no bound. The
	// panel itself waits up to 15 seconds for a node's daemon, and suspending
	// waits a minute for a game to stop.
	callTimeout = 90 * time.Second
	// restWithoutWord is how long nothing is sent after a 429 that says no time.
	restWithoutWord = 5 * time.Second
	// maxAnswer bounds one answer in bytes.
	maxAnswer = 16 << 20
	// accept is the panel's media type; without one that names JSON it answers as
	// to a browser.
	accept = "Application/vnd.pterodactyl.v1+json"
)

// Config says which panel to talk to.
type Config struct {
	// BaseURL is the panel's address, with or without /api. Only https, except on
	// a loopback address.
	BaseURL string
	// ApplicationKey is a key of the admin area (Application API, "ptla_…").
	ApplicationKey string
	// ClientKey is an account key ("ptlc_…") of an administrator.
	ClientKey string
	// RelationPrefix starts the external ids of remote users and servers, so that
	// two installations can share a panel; "" is "ezs-". It must stay the same for
	// the life of the installation.
	RelationPrefix string
	// Settle is how long a call whose answer was lost may still take effect; 0 is
	// one minute. Only what could harm by coming late waits for it.
	Settle time.Duration
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// String keeps the keys out of logs and errors.
func (c Config) String() string { return "pterodactyl.Config{" + c.BaseURL + "}" }

// GoString keeps the keys out of %#v.
func (c Config) GoString() string { return c.String() }

// ParseKeys reads the two keys of a panel out of one secret, in any order and
// with blanks or commas between. An administrator's account key alone opens both
// APIs.
func ParseKeys(secret string) (application, client string, err error) {
	for _, key := range strings.FieldsFunc(secret, func(r rune) bool { return r <= ' ' || r == ',' || r == ';' }) {
		switch {
		case strings.HasPrefix(key, "ptla_") && application == "":
			application = key
		case strings.HasPrefix(key, "ptlc_") && client == "":
			client = key
		case strings.HasPrefix(key, "ptla_"), strings.HasPrefix(key, "ptlc_"):
			return "", "", errors.New("pterodactyl: there are two keys of one kind; give one application key (ptla_…) and one client key (ptlc_…)")
		default:
			return "", "", errors.New("pterodactyl: a key begins with neither ptla_ nor ptlc_; copy it whole, both parts of it")
		}
	}
	switch {
	case client == "" && application == "":
		return "", "", errors.New("pterodactyl: the keys are missing: give the application key (ptla_…) and the client key (ptlc_…), with a blank between")
	case client == "":
		return "", "", errors.New("pterodactyl: the client key (ptlc_…) is missing; power and live usage need it: make one as an administrator under Account → API Credentials and give it after the application key, with a blank between")
	case application == "":
		application = client
	}
	return application, client, nil
}

// Client talks to one panel. It is safe for concurrent use.
type Client struct {
	*panel.Guard // of all calls to the panel

	base   *url.URL // the panel's root, without a trailing slash
	prefix string
	now    func() time.Time
	caller *panel.Caller
	calls  *panel.Calls
	recent *recent
}

// New checks the configuration; it makes no call. A nil hc means a client of
// its own. Redirects are never followed: they would carry the key elsewhere.
func New(cfg Config, hc *http.Client) (*Client, error) {
	base, err := panel.ParseBase(cfg.BaseURL, "/application", "/client", "/api")
	if err != nil {
		return nil, fmt.Errorf("pterodactyl: panel address: %w", err)
	}
	application, client, err := ParseKeys(cfg.ApplicationKey + " " + cfg.ClientKey)
	if err != nil {
		return nil, err
	}
	if strings.ContainsFunc(application+client, func(r rune) bool { return r > '~' }) {
		return nil, errors.New("pterodactyl: a key contains unprintable characters")
	}
	if err := panel.CheckPrefix(cfg.RelationPrefix); err != nil {
		return nil, fmt.Errorf("pterodactyl: %w", err)
	}
	if cfg.Settle < 0 {
		return nil, errors.New("pterodactyl: the settle time is negative")
	}
	c := &Client{base: base, prefix: cmp.Or(cfg.RelationPrefix, defaultPrefix), now: cfg.Now, recent: newRecent()}
	if c.now == nil {
		c.now = time.Now
	}
	c.calls = panel.NewCalls(c.now, cmp.Or(cfg.Settle, defaultSettle))
	keys := map[string]string{onApplication: application, onClient: client}
	c.Guard = panel.NewGuard(c.now)
	c.caller = &panel.Caller{
		Vendor: vendor, Guard: c.Guard, HTTP: panel.Client(hc, callTimeout), Now: c.now, MaxAnswer: maxAnswer, MaxRetryAfter: 5 * time.Minute, Rest: restWithoutWord, Judge: judge,
		Root: func(call panel.Call) string { return base.String() + "/api/" + call.API },
		Sign: func(r *http.Request, call panel.Call) {
			r.Header.Set("Authorization", "Bearer "+keys[call.API])
			r.Header.Set("Accept", accept)
		},
	}
	return c, nil
}

// String names the panel and hides the keys.
func (c *Client) String() string { return "pterodactyl(" + c.base.Host + ")" }

// GoString hides the keys from %#v.
func (c *Client) GoString() string { return c.String() }

// LogValue hides the keys from structured logs.
func (c *Client) LogValue() slog.Value { return slog.StringValue(c.String()) }

// relation is the external id of one of our users at the panel, tag that of a
// service's server.
func (c *Client) relation(userID string) string { return c.prefix + userID }
func (c *Client) tag(serviceID string) string   { return c.prefix + serviceID }

// The panel's two APIs; each has its key and its rate limit.
const (
	onApplication = "application"
	onClient      = "client"
)

// do makes one call and decodes the answer into out unless that is nil. While the
// panel has asked to wait, nothing is sent.
func (c *Client) do(ctx context.Context, call panel.Call, out any) error {
	call.API = cmp.Or(call.API, onApplication)
	return c.caller.Do(ctx, call, out)
}
