package stripe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/stripe/stripe-go/v79"
)

// answerLimit bounds how much of an answer is read, in bytes. The library reads
// without end; Stripe's longest answers here, a list of 100, stay below 1 MiB.
const answerLimit = 8 << 20

var errAnswerTooLong = errors.New("answer is longer than 8 MiB")

// exchange watches one call from outside the library, which tells neither the
// status of an answer that is not JSON nor whether anything was sent at all.
type exchange struct {
	client *Client
	what   string // "charge attempt att_1"
	write  bool   // a POST: its effect may have happened although the answer is lost

	attempted atomic.Bool // the request was handed to the network code
	dialing   atomic.Bool // a connection was looked for
	connected atomic.Bool // a connection was there: something may have been sent
	replayed  atomic.Bool // Stripe repeated a stored answer for this key
	status    atomic.Int32
	requestID atomic.Value
}

type exchangeKey struct{}

// begin starts watching a call; what completes "stripe: " in its errors.
func (c *Client) begin(what string, write bool) *exchange {
	return &exchange{client: c, what: what, write: write}
}

// params are the library's common parameters: always there, because without
// them the library drops the idempotency key and the context in silence.
func (x *exchange) params(ctx context.Context, key string) stripe.Params {
	p := stripe.Params{Context: x.watch(ctx)}
	if key != "" {
		p.IdempotencyKey = &key
	}
	return p
}

func (x *exchange) watch(ctx context.Context) context.Context {
	ctx = context.WithValue(ctx, exchangeKey{}, x)
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { x.dialing.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { x.connected.Store(true) },
	})
}

// untouched reports whether Stripe provably never saw the request: it was never
// handed over, or no connection could be made for it.
func (x *exchange) untouched() bool {
	return !x.attempted.Load() || x.dialing.Load() && !x.connected.Load()
}

func (x *exchange) request() string {
	id, _ := x.requestID.Load().(string)
	return id
}

// observed returns a copy of hc whose calls report to their exchange and follow
// no redirect: a redirected POST would arrive as a GET of something else.
func observed(hc *http.Client) *http.Client {
	own := *hc
	base := own.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	own.Transport = &transport{base}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

type transport struct{ base http.RoundTripper }

// RoundTrip sends the request without the header in which the library tells
// Stripe our kernel and host name.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	x, watched := req.Context().Value(exchangeKey{}).(*exchange)
	if !watched {
		return nil, errors.New("stripe call without an exchange")
	}
	if err := req.Context().Err(); err != nil {
		return nil, fmt.Errorf("before sending: %w", err)
	}
	req = req.Clone(req.Context())
	req.Header.Del("X-Stripe-Client-User-Agent")
	x.attempted.Store(true)
	res, err := t.base.RoundTrip(req)
	if err != nil {
		return nil, err // the caller names the call
	}
	x.status.Store(int32(res.StatusCode))
	x.requestID.Store(res.Header.Get("Request-Id"))
	x.replayed.Store(res.Header.Get("Idempotent-Replayed") == "true")
	res.Body = &bounded{res.Body, answerLimit}
	return res, nil
}

// bounded fails, rather than ends, where a body gets too long.
type bounded struct {
	io.ReadCloser
	left int64
}

// Read reads on until the bound. Errors: errAnswerTooLong past it.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errAnswerTooLong
	}
	return n, err // as it is: io.EOF must stay io.EOF
}
