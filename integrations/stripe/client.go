// Package stripe charges customers through Stripe: hosted Checkout pages for
// people, off-session PaymentIntents for renewals, signed webhooks for what
// happened meanwhile. It implements billing.Gateway on stripe-go v79, whose API
// version 2024-06-20 every call and every believed webhook payload has. Rules
// about money (invoices, retries, dunning) are the engine's, not Stripe's: no
// Stripe subscription, invoice or coupon is ever created here. Subscriptions that
// were begun elsewhere are followed and ended.
package stripe

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v79"
	"github.com/stripe/stripe-go/v79/client"

	"github.com/ezscale/ezscale/engine/billing"
)

// defaultTimeout bounds one call when no HTTP client is given. The library's
// own default, 80 seconds, would keep a customer's browser waiting.
const defaultTimeout = 30 * time.Second

// Config says which Stripe account is used. Both secrets are hidden when the
// value is printed or logged.
type Config struct {
	// SecretKey is a secret or restricted key: sk_live_…, rk_test_… . Required.
	SecretKey string `json:"-"`
	// WebhookSecret is the signing secret of our endpoint, whsec_… . Without it
	// payments work and ParseWebhook refuses everything.
	WebhookSecret string `json:"-"`
	// APIURL is the base address; "" is Stripe's own. Plain http is accepted for
	// test keys only, so that a live key never travels unencrypted.
	APIURL string
	// Now tells the time to decide whether a page's expiry is within Stripe's
	// limits; nil is time.Now.
	Now func() time.Time `json:"-"`
}

// String names the mode of the key and shows no secret.
func (c Config) String() string {
	mode := "no key"
	switch {
	case strings.Contains(c.SecretKey, "_live_"):
		mode = "live key"
	case c.SecretKey != "":
		mode = "test key"
	}
	return fmt.Sprintf("stripe config (%s, webhook secret set: %t, API %s)", mode, c.WebhookSecret != "", c.APIURL)
}

// GoString is String: %#v must not print the secrets either.
func (c Config) GoString() string { return c.String() }

// LogValue is String for slog.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// Client is one Stripe account. Safe for concurrent use.
type Client struct {
	config Config
	api    *client.API
	now    func() time.Time
}

var (
	_ billing.Gateway           = (*Client)(nil)
	_ billing.Refunder          = (*Client)(nil)
	_ billing.MethodRemover     = (*Client)(nil)
	_ billing.MethodSaver       = (*Client)(nil)
	_ billing.TransactionLister = (*Client)(nil)
	_ billing.DisputeReader     = (*Client)(nil)
	_ billing.WebhookFacts      = (*Client)(nil)

	_ billing.GatewaySubscriptions = (*Client)(nil)
)

// New returns a client that talks to Stripe through hc; nil stands for a client
// with a 30 second timeout. Errors: billing.ErrNotConfigured for a missing or
// misshapen key or address. Nothing is sent; Check proves that the key works.
//
// The library's own retries are switched off. Between them it sleeps without
// looking at the context, and it repeats answers of proxies that are not
// Stripe's. Whoever calls us stores the idempotency key first and repeats the
// call itself, at its own pace and with the same key.
func New(config Config, hc *http.Client) (*Client, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	if hc == nil {
		hc = &http.Client{Timeout: defaultTimeout}
	}
	base := config.APIURL
	if base == "" {
		base = stripe.APIURL
	}
	backends := stripe.NewBackendsWithConfig(&stripe.BackendConfig{
		URL:               &base,
		HTTPClient:        observed(hc),
		MaxNetworkRetries: stripe.Int64(0),
		EnableTelemetry:   stripe.Bool(false),
		LeveledLogger:     &stripe.LeveledLogger{Level: stripe.LevelNull},
	})
	c := &Client{config: config, api: client.New(config.SecretKey, backends), now: config.Now}
	if c.now == nil {
		c.now = time.Now
	}
	return c, nil
}

// String names the account's mode and shows no secret.
func (c *Client) String() string { return c.config.String() }

// GoString is String: %#v must not print the secrets either.
func (c *Client) GoString() string { return c.config.String() }

// LogValue is String for slog.
func (c *Client) LogValue() slog.Value { return slog.StringValue(c.config.String()) }

func (c Config) check() error {
	switch {
	case c.SecretKey == "":
		return fmt.Errorf("stripe: %w: the secret key is missing", billing.ErrNotConfigured)
	case strings.HasPrefix(c.SecretKey, "pk_"):
		return fmt.Errorf("stripe: %w: this is the publishable key (pk_…), the secret key (sk_… or rk_…) is needed", billing.ErrNotConfigured)
	case !strings.HasPrefix(c.SecretKey, "sk_") && !strings.HasPrefix(c.SecretKey, "rk_"), !printable(c.SecretKey):
		return fmt.Errorf("stripe: %w: a secret key starts with sk_ or rk_ and has no spaces", billing.ErrNotConfigured)
	case !printable(c.WebhookSecret):
		return fmt.Errorf("stripe: %w: the webhook secret has spaces or line breaks", billing.ErrNotConfigured)
	}
	return c.checkURL()
}

func (c Config) checkURL() error {
	if c.APIURL == "" {
		return nil
	}
	u, err := url.Parse(c.APIURL)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("stripe: %w: the API address must look like https://host", billing.ErrNotConfigured)
	}
	switch {
	case u.Scheme == "https":
	case u.Scheme != "http":
		return fmt.Errorf("stripe: %w: the API address must start with https://", billing.ErrNotConfigured)
	case strings.Contains(c.SecretKey, "_test_"), loopback(u.Hostname()):
	default:
		return fmt.Errorf("stripe: %w: a live key is not sent over plain http", billing.ErrNotConfigured)
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// printable reports whether s has only visible ASCII: neither spaces, which the
// library would trim away from a key, nor what a header cannot carry.
func printable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}
