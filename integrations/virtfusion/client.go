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
// Source of paths and shapes: the vendor's OpenAPI document "VirtFusion Global
// API" 1.0.0, https://docs.virtfusion.com/api.
package virtfusion

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
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
)

const (
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
	base    *url.URL // the panel's root, without a trailing slash
	token   string
	prefix  string
	settle  time.Duration
	now     func() time.Time
	born    time.Time
	http    *http.Client
	creates *creates
}

// New checks the configuration; it makes no call. A nil hc means a client of
// its own. Redirects are never followed: they would carry the token elsewhere.
func New(cfg Config, hc *http.Client) (*Client, error) {
	base, err := parseBase(cfg.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("virtfusion: panel address: %w", err)
	}
	if cfg.Token == "" || strings.ContainsFunc(cfg.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("virtfusion: the API token is empty or contains blanks or unprintable characters")
	}
	if strings.ContainsFunc(cfg.RelationPrefix, func(r rune) bool { return !isRelationRune(r) }) {
		return nil, errors.New("virtfusion: the relation prefix may hold letters, digits, '-' and '_' only")
	}
	if cfg.Settle < 0 {
		return nil, errors.New("virtfusion: the settle time is negative")
	}
	c := &Client{base: base, token: cfg.Token, prefix: cfg.RelationPrefix, settle: cfg.Settle, now: cfg.Now, creates: newCreates()}
	if c.prefix == "" {
		c.prefix = defaultPrefix
	}
	if c.settle == 0 {
		c.settle = defaultSettle
	}
	if c.now == nil {
		c.now = time.Now
	}
	c.born = c.now()
	own := http.Client{}
	if hc != nil {
		own = *hc
	}
	if own.Timeout == 0 {
		own.Timeout = callTimeout
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.http = &own
	return c, nil
}

func isRelationRune(r rune) bool {
	return r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}

func parseBase(s string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil {
		return nil, errors.New("not a URL") // the parser's error repeats the text, which may hold a password
	}
	switch {
	case u.Host == "" || u.Hostname() == "":
		return nil, errors.New("a host is missing")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("no user, query or fragment allowed")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, errors.New("https is required, since an admin token travels there")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("scheme %q is not https", u.Scheme)
	}
	path := strings.TrimRight(u.Path, "/")
	path = strings.TrimRight(strings.TrimSuffix(path, apiPath), "/")
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: path}, nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
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

// effect says what a lost answer of a call may leave behind.
type effect int

const (
	reads         effect = iota // nothing: ask again
	writes                      // something: look first
	grows                       // a server takes more: look first, and mind capacity
	createsServer               // a new server: likewise
)

// request is one call: op completes "virtfusion: …" in errors.
type request struct {
	op     string
	effect effect
	method string
	path   string // below /api/v1, escaped
	query  url.Values
	body   any // sent as JSON unless nil
}

// do makes one call and decodes a 2xx answer into out unless that is nil. The
// whole 2xx range is success, because the panel's versions disagree on which.
func (c *Client) do(ctx context.Context, r request, out any) error {
	req, err := c.build(ctx, r)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return &APIError{Op: r.op, Message: "canceled before it was sent", class: provisioning.ErrTemporary, cause: err}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return transportError(r, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return statusError(r, resp, body, c.now())
	}
	if err != nil {
		return transportError(r, err)
	}
	if len(body) > maxAnswer {
		return undecodable(r, resp.StatusCode, "the answer is too long")
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return undecodable(r, resp.StatusCode, "the answer is not the documented JSON")
	}
	return nil
}

func (c *Client) build(ctx context.Context, r request) (*http.Request, error) {
	var body io.Reader
	if r.body != nil {
		raw, err := json.Marshal(r.body)
		if err != nil {
			return nil, fmt.Errorf("virtfusion: %s: encode: %w", r.op, errors.Join(provisioning.ErrPermanent, err))
		}
		body = bytes.NewReader(raw)
	}
	target := c.base.String() + apiPath + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, body)
	if err != nil {
		return nil, fmt.Errorf("virtfusion: %s: %w", r.op, errors.Join(provisioning.ErrPermanent, err))
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Accept", "application/json")
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}
