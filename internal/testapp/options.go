package testapp

import "time"

// Option changes how an App starts.
type Option func(*options)

type options struct {
	dir                 string
	drift               time.Duration
	buildTime, taskTime time.Duration
	rateLimits          bool
	sqlConsole          bool
	unchecked           bool
	sealKey             []byte
	wrongStripe         bool
	wrongPanel          bool
	paypal              bool
	games               bool
	hardware            bool
	hosting             bool
}

func (o options) stripeKey() string {
	if o.wrongStripe {
		return "sk_test_somebody_else"
	}
	return StripeKey
}

func (o options) panelToken() string {
	if o.wrongPanel {
		return "not-the-token"
	}
	return PanelToken
}

// Dir starts in a directory of the caller's, with what is in it.
func Dir(dir string) Option { return func(o *options) { o.dir = dir } }

// Steady keeps the clock from moving by itself while Eventually waits.
func Steady() Option { return func(o *options) { o.drift = 0 } }

// BuildTime is how long the panel takes to install a server, on the clock.
func BuildTime(d time.Duration) Option { return func(o *options) { o.buildTime = d } }

// RateLimits keeps the limits of a new installation on.
func RateLimits() Option { return func(o *options) { o.rateLimits = true } }

// SQLConsole opens PocketBase's SQL console.
func SQLConsole() Option { return func(o *options) { o.sqlConsole = true } }

// Unchecked leaves the books unchecked at the end: the test broke them on purpose.
func Unchecked() Option { return func(o *options) { o.unchecked = true } }

// SealKey seals under another key of 32 bytes.
func SealKey(key []byte) Option { return func(o *options) { o.sealKey = key } }

// WrongStripeKey configures a key that Stripe does not know.
func WrongStripeKey() Option { return func(o *options) { o.wrongStripe = true } }

// PayPal offers PayPal beside Stripe, on a sandbox of its own.
func PayPal() Option { return func(o *options) { o.paypal = true } }

// Games offers game servers on a sandbox Pterodactyl, see games.go.
func Games() Option { return func(o *options) { o.games = true } }

// Hardware offers dedicated servers on a sandbox SynergyCP, see hardware.go.
func Hardware() Option { return func(o *options) { o.hardware = true } }

// Hosting offers web hosting and databases on a sandbox Enhance, see hosting.go.
func Hosting() Option { return func(o *options) { o.hosting = true } }

// WrongPanelToken configures a token that the panel does not know.
func WrongPanelToken() Option { return func(o *options) { o.wrongPanel = true } }
