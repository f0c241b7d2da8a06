// Package synergycp orders and runs dedicated servers through the API of a
// SynergyCP panel. It turns the engine's provisioning interfaces into calls, reads
// answers tolerantly, and puts every failure into one of the engine's error
// classes. It stores nothing: what must survive a crash travels in
// provisioning.Build.
//
// A server here is hardware, which outlives its customer: after a wipe somebody
// else gets it. So nothing is done to a server by its own id alone. Every service
// has a billing id, a number that the panel keeps unique; each call first finds
// the server that carries it, and a service whose billing id no server carries is
// gone. Staff may move a service to other hardware by moving the billing id.
//
// Source of paths and shapes: the vendor's own open-source consumers, as there is
// no public description: the WHMCS module
// (github.com/synergycp/scp-whmcs-integration), the PHP client
// (github.com/synergycp/scp-php-api), and the user interfaces
// (github.com/synergycp/scp-theme-admin, scp-theme-client, scp-ng-bandwidth).
package synergycp

import (
	"cmp"
	"context"
	"encoding/json"
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

// The capabilities a SynergyCP panel offers. A password is set by installing
// anew, so there is no reset.
var (
	_ provisioning.Creator        = (*Client)(nil)
	_ provisioning.Suspender      = (*Client)(nil)
	_ provisioning.Terminator     = (*Client)(nil)
	_ provisioning.Power          = (*Client)(nil)
	_ provisioning.StatusReader   = (*Client)(nil)
	_ provisioning.TrafficReader  = (*Client)(nil)
	_ provisioning.SignInLinker   = (*Client)(nil)
	_ provisioning.Tester         = (*Client)(nil)
	_ provisioning.PlanChanger    = (*Client)(nil)
	_ provisioning.HealthReporter = (*Client)(nil)
	_ provisioning.Pacer          = (*Client)(nil)
	_ provisioning.OptionLister   = (*Client)(nil)
	_ provisioning.Lister         = (*Client)(nil)
)

const (
	vendor        = panel.Vendor("synergycp")
	defaultPrefix = "ezs-"
	defaultSettle = time.Minute
	// callTimeout bounds one call when the given HTTP client sets no bound: the
	// panel talks to switches and to IPMI while it answers.
	callTimeout = 90 * time.Second
	maxAnswer   = 16 << 20
	// restWithoutWord is how long nothing is sent after a 429 that says no time.
	restWithoutWord = 5 * time.Second
)

// Config says which panel to talk to.
type Config struct {
	// BaseURL is the address of the API, usually https://api.<panel>. Only https,
	// except on a loopback address.
	BaseURL string
	// Key is the API key of an integration (System → Integrations).
	Key string
	// RelationPrefix starts the billing ids of clients, so that two installations can
	// share a panel; "" is "ezs-". It must stay the same for the life of the
	// installation.
	RelationPrefix string
	// WipeOnTerminate lets the end of a service wipe its server, which goes back to
	// the inventory. Otherwise the client loses access and people do the rest.
	WipeOnTerminate bool
	// Settle is how long a call whose answer was lost may still take effect; 0 is
	// one minute.
	Settle time.Duration
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// String keeps the key out of logs and errors.
func (c Config) String() string { return "synergycp.Config{" + c.BaseURL + "}" }

// GoString keeps the key out of %#v.
func (c Config) GoString() string { return c.String() }

// Client talks to one panel. It is safe for concurrent use. There must be one
// Client per panel in the process that orders: it keeps two orders from taking the
// same server, since the panel reserves none.
type Client struct {
	*panel.Guard // of all calls to the panel

	base   *url.URL // of the API, without a trailing slash
	key    string
	prefix string
	wipe   bool
	now    func() time.Time
	caller *panel.Caller
	calls  *panel.Calls
	line   *line
	links  *links
}

// New checks the configuration; it makes no call. A nil hc means a client of its
// own. Redirects are never followed: they would carry the key elsewhere.
func New(cfg Config, hc *http.Client) (*Client, error) {
	base, err := panel.ParseBase(cfg.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("synergycp: API address: %w", err)
	}
	if cfg.Key == "" || strings.ContainsFunc(cfg.Key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("synergycp: the integration key is empty or contains blanks or unprintable characters")
	}
	if err := panel.CheckPrefix(cfg.RelationPrefix); err != nil {
		return nil, fmt.Errorf("synergycp: %w", err)
	}
	if cfg.Settle < 0 {
		return nil, errors.New("synergycp: the settle time is negative")
	}
	c := &Client{base: base, key: cfg.Key, prefix: cmp.Or(cfg.RelationPrefix, defaultPrefix), wipe: cfg.WipeOnTerminate, now: cfg.Now, links: &links{}}
	if c.now == nil {
		c.now = time.Now
	}
	settle := cmp.Or(cfg.Settle, defaultSettle)
	c.calls, c.line = panel.NewCalls(c.now, settle), newLine(c.now, settle)
	c.Guard = panel.NewGuard(c.now)
	c.caller = &panel.Caller{
		Vendor: vendor, Guard: c.Guard, HTTP: panel.Client(hc, callTimeout), Now: c.now, MaxAnswer: maxAnswer, MaxRetryAfter: 5 * time.Minute, Rest: restWithoutWord, Judge: judge,
		Root: func(panel.Call) string { return base.String() },
		Sign: func(r *http.Request, call panel.Call) {
			q := r.URL.Query()
			q.Set("key", cmp.Or(call.API, c.key)) // the panel reads it there alone
			r.URL.RawQuery = q.Encode()
			r.Header.Set("Accept", "application/json")
		},
	}
	return c, nil
}

// String names the panel and hides the key.
func (c *Client) String() string { return "synergycp(" + c.base.Host + ")" }

// GoString hides the key from %#v.
func (c *Client) GoString() string { return c.String() }

// LogValue hides the key from structured logs.
func (c *Client) LogValue() slog.Value { return slog.StringValue(c.String()) }

// relation is the billing id of one of our users at the panel.
func (c *Client) relation(userID string) string { return c.prefix + userID }

// do makes one call and decodes the data of a success into out unless that is
// nil. The panel says in the envelope whether it succeeded, whatever the status.
// A call's API is the key of a client as whom it is made; "" is the integration's.
func (c *Client) do(ctx context.Context, call panel.Call, out any) error {
	var got envelope
	if err := c.caller.Do(ctx, call, &got); err != nil {
		return err
	}
	switch string(got.Error) {
	case "false":
	case "":
		return vendor.Unreadable(call, http.StatusOK, "the answer has no envelope; is the address that of the API (https://api.…)?")
	default:
		e := &panel.Error{Vendor: vendor, Op: call.Op, Status: http.StatusOK, Class: provisioning.ErrPermanent}
		e.Message, e.Faults = got.words(), got.faults()
		return e
	}
	if out == nil {
		return nil
	}
	if len(got.Data) == 0 || json.Unmarshal(got.Data, out) != nil {
		return vendor.Unreadable(call, http.StatusOK, "the answer is not the documented JSON")
	}
	return nil
}
