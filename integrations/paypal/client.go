// Package paypal charges customers through PayPal: hosted approval pages of
// Orders v2 for people, saved accounts of the vault for renewals, signed webhooks
// for what happened meanwhile. It implements billing.Gateway and what a gateway
// may do besides on plutov/paypal v4, of which it uses the access token and the
// transport; requests and answers are our own types, as the library's lack the
// vault and misread amounts (see traps_test.go). Rules about money (invoices,
// retries, dunning) are the engine's, not PayPal's; its subscriptions are a
// narrow second mode.
package paypal

import (
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/plutov/paypal/v4"

	"github.com/ezscale/ezscale/engine/billing"
)

const (
	// defaultTimeout bounds one call when no HTTP client is given. The library's
	// own client has none.
	defaultTimeout = 30 * time.Second

	liveURL = "https://api-m.paypal.com"
)

// Config says which PayPal app is used. The secret is hidden when the value is
// printed or logged.
type Config struct {
	// ClientID and Secret are those of the REST app. Required. Sandbox and live
	// have different ones, and nothing in them tells which they are.
	ClientID string
	Secret   string `json:"-"`
	// WebhookID is the id of our webhook registration, not of an event. Without it
	// payments work and ParseWebhook refuses everything.
	WebhookID string
	// APIURL is the base address; "" is PayPal's own. Plain http is accepted for
	// this machine alone.
	APIURL string
	// Sandbox takes PayPal's test environment where no APIURL is given.
	Sandbox bool
	// CertAuthority is the authority, in PEM, that vouches for webhooks; "" are the
	// system's. A sandbox of our own has one of its own.
	CertAuthority string
	// Now tells the time, by which pages expire; nil is time.Now.
	Now func() time.Time `json:"-"`
}

// String names the environment and shows no secret.
func (c Config) String() string {
	return fmt.Sprintf("paypal config (%s, client id set: %t, webhook id set: %t)", c.base(), c.ClientID != "", c.WebhookID != "")
}

// GoString is String: %#v must not print the secret either.
func (c Config) GoString() string { return c.String() }

// LogValue is String for slog.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// Client is one PayPal app. Safe for concurrent use.
type Client struct {
	config Config
	base   string         // without a trailing slash
	roots  *x509.CertPool // nil: the system's
	api    *paypal.Client
	http   *http.Client
	now    func() time.Time
	tokens *tokens
	certs  *certificates
	owners owners
	locks  locks
}

var (
	_ billing.Gateway              = (*Client)(nil)
	_ billing.Refunder             = (*Client)(nil)
	_ billing.MethodRemover        = (*Client)(nil)
	_ billing.MethodSaver          = (*Client)(nil)
	_ billing.TransactionLister    = (*Client)(nil)
	_ billing.DisputeReader        = (*Client)(nil)
	_ billing.WebhookFacts         = (*Client)(nil)
	_ billing.GatewaySubscriptions = (*Client)(nil)
	_ billing.AgreementOpener      = (*Client)(nil)
)

// New returns a client that talks to PayPal through hc; nil stands for a client
// with a 30 second timeout. Errors: billing.ErrNotConfigured for a missing or
// misshapen id, secret or address. Nothing is sent; Check proves that they work.
//
// Nothing is repeated by itself but a call that PayPal refused for an access
// token that it no longer knows. Whoever calls us stores the idempotency key
// first and repeats the call, at its own pace and with the same key.
func New(config Config, hc *http.Client) (*Client, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	if hc == nil {
		hc = &http.Client{Timeout: defaultTimeout}
	}
	c := &Client{config: config, base: config.base(), http: observed(hc), now: config.Now}
	if config.CertAuthority != "" {
		c.roots = x509.NewCertPool()
		if !c.roots.AppendCertsFromPEM([]byte(config.CertAuthority)) {
			return nil, fmt.Errorf("paypal: %w: the authority of webhooks is not a certificate in PEM", billing.ErrNotConfigured)
		}
	}
	if c.now == nil {
		c.now = time.Now
	}
	api, err := c.library()
	if err != nil {
		return nil, err
	}
	c.api, c.locks = api, newLocks()
	c.tokens = newTokens(c.now, c.fetchToken)
	c.certs = &certificates{client: c, known: map[string]certificate{}}
	return c, nil
}

// library returns a client of the library whose calls report to their exchange.
// "Prefer: return=representation" is set once: the library's calls switch it on
// for all later ones, racing with those under way.
func (c *Client) library() (*paypal.Client, error) {
	api, err := paypal.NewClient(c.config.ClientID, c.config.Secret, c.base)
	if err != nil {
		return nil, fmt.Errorf("paypal: %w: %w", billing.ErrNotConfigured, err)
	}
	api.SetHTTPClient(c.http)
	api.SetReturnRepresentation()
	return api, nil
}

// String names the environment and shows no secret.
func (c *Client) String() string { return c.config.String() }

// GoString is String: %#v must not print the secret either.
func (c *Client) GoString() string { return c.config.String() }

// LogValue is String for slog.
func (c *Client) LogValue() slog.Value { return slog.StringValue(c.config.String()) }

func (c Config) base() string {
	switch {
	case c.APIURL == "" && c.Sandbox:
		return sandboxURL
	case c.APIURL == "":
		return liveURL
	}
	return strings.TrimRight(c.APIURL, "/")
}

func (c Config) check() error {
	for name, value := range map[string]string{"client id": c.ClientID, "secret": c.Secret} {
		if value == "" {
			return fmt.Errorf("paypal: %w: the %s is missing", billing.ErrNotConfigured, name)
		}
		if !printable(value) {
			return fmt.Errorf("paypal: %w: the %s has spaces or line breaks", billing.ErrNotConfigured, name)
		}
	}
	if strings.HasPrefix(c.WebhookID, "WH-") || !printable(c.WebhookID) {
		return fmt.Errorf("paypal: %w: the webhook id is that of our registration, without spaces; WH-… is the id of an event", billing.ErrNotConfigured)
	}
	u, err := url.Parse(c.base())
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("paypal: %w: the API address must look like https://host", billing.ErrNotConfigured)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return fmt.Errorf("paypal: %w: the API address must start with https://", billing.ErrNotConfigured)
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// printable reports whether s has only visible ASCII.
func printable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}
