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
)

const (
	defaultPrefix = "ezs-"
	defaultSettle = time.Minute
	// callTimeout bounds one call when the given HTTP client sets no bound. The
	// panel itself waits up to 15 seconds for a node's daemon, and suspending
	// waits a minute for a game to stop.
	callTimeout = 90 * time.Second
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
	base   *url.URL // the panel's root, without a trailing slash
	keys   map[api]string
	prefix string
	settle time.Duration
	now    func() time.Time
	born   time.Time
	http   *http.Client
	recent *recent
}

// New checks the configuration; it makes no call. A nil hc means a client of
// its own. Redirects are never followed: they would carry the key elsewhere.
func New(cfg Config, hc *http.Client) (*Client, error) {
	base, err := parseBase(cfg.BaseURL)
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
	if strings.ContainsFunc(cfg.RelationPrefix, func(r rune) bool { return !isRelationRune(r) }) || len(cfg.RelationPrefix) > 64 {
		return nil, errors.New("pterodactyl: the relation prefix may hold 64 letters, digits, '-' and '_'")
	}
	if cfg.Settle < 0 {
		return nil, errors.New("pterodactyl: the settle time is negative")
	}
	c := &Client{
		base: base, keys: map[api]string{onApplication: application, onClient: client}, prefix: cfg.RelationPrefix, settle: cfg.Settle, now: cfg.Now, recent: newRecent(),
	}
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
	own.Jar = nil // with a session's cookie the panel would take us for a browser
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
		return nil, errors.New("https is required, since an admin key travels there")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("scheme %q is not https", u.Scheme)
	}
	path := strings.TrimRight(u.Path, "/")
	for _, end := range []string{"/application", "/client", "/api"} {
		path = strings.TrimRight(strings.TrimSuffix(path, end), "/")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: path}, nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
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

// api is one of the panel's two APIs; each has its key and its rate limit.
type api string

const (
	onApplication api = "application"
	onClient      api = "client"
)

// effect says what a lost answer of a call may leave behind.
type effect int

const (
	reads  effect = iota // nothing: ask again
	writes               // something: look first
)

// request is one call: op completes "pterodactyl: …" in errors.
type request struct {
	op     string
	api    api // "" is the Application API
	effect effect
	method string
	path   string // below /api/<api>, escaped
	query  url.Values
	body   any // sent as JSON unless nil
}

func (r request) of() api {
	if r.api == "" {
		return onApplication
	}
	return r.api
}

// do makes one call and decodes a 2xx answer into out unless that is nil. While
// the panel has asked to wait, nothing is sent.
func (c *Client) do(ctx context.Context, r request, out any) error {
	req, err := c.build(ctx, r)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return &APIError{Op: r.op, Message: "canceled before it was sent", class: provisioning.ErrTemporary, cause: err}
	}
	if wait := c.recent.waits(r.of(), c.now()); wait > 0 {
		return &APIError{Op: r.op, Message: fmt.Sprintf("the panel takes no calls with this key for %s (rate limit)", wait.Round(time.Second)), RetryAfter: wait, class: provisioning.ErrTemporary}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return transportError(r, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		failed := statusError(r, resp, body, err, c.now())
		c.recent.pause(r.of(), c.now(), failed)
		return failed
	}
	if err != nil {
		return transportError(r, err)
	}
	return decode(r, resp, body, out)
}

// decode reads a success. What is no JSON did not come from the panel, also
// where nothing is to be read.
func decode(r request, resp *http.Response, body []byte, out any) error {
	if len(body) > maxAnswer {
		return undecodable(r, resp.StatusCode, "the answer is too long")
	}
	if len(body) > 0 && !strings.Contains(strings.ToLower(resp.Header.Get("Content-Type")), "json") {
		return undecodable(r, resp.StatusCode, "the answer is no JSON; is a proxy in between?")
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
			return nil, fmt.Errorf("pterodactyl: %s: encode: %w", r.op, errors.Join(provisioning.ErrPermanent, err))
		}
		body = bytes.NewReader(raw)
	}
	target := c.base.String() + "/api/" + string(r.of()) + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, body)
	if err != nil {
		return nil, fmt.Errorf("pterodactyl: %s: %w", r.op, errors.Join(provisioning.ErrPermanent, err))
	}
	req.Header.Set("Authorization", "Bearer "+c.keys[r.of()])
	req.Header.Set("Accept", accept)
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}
