package paypal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
)

// answerLimit bounds how much of an answer is read, in bytes; 500 transactions
// stay below 1 MiB.
const answerLimit = 8 << 20

var errAnswerTooLong = errors.New("answer is longer than 8 MiB")

// exchange watches one call from outside the library, which tells neither the
// status of an answer that is not JSON nor whether anything was sent at all.
type exchange struct {
	client *Client
	what   string // "charge attempt att_1"
	write  bool   // its effect may have happened although the answer is lost

	attempted atomic.Bool // the request was handed to the network code
	dialing   atomic.Bool // a connection was looked for
	connected atomic.Bool // a connection was there: something may have been sent

	// The answer, written by the transport before the library returns.
	status int
	debug  string // PayPal's id of the call, which its support asks for
	body   []byte
}

type exchangeKey struct{}

// begin starts watching a call; what completes "paypal: " in its errors.
func (c *Client) begin(what string, write bool) *exchange {
	return &exchange{client: c, what: what, write: write}
}

// send makes one call of the API with a JSON body (nil: none) and reads the
// answer into out (nil: nothing is read, which 204 needs). key is the
// PayPal-Request-Id, "" for calls that have none. Errors are classed; a refusal
// is a *callError with its issue.
func (x *exchange) send(ctx context.Context, method, path, key string, body, out any) error {
	token, err := x.client.tokens.get(ctx)
	if err != nil {
		return x.fail(kindOf(err), "no access token: "+strings.TrimPrefix(err.Error(), "paypal: "), err)
	}
	err = x.once(ctx, token, method, path, key, body, out)
	if x.status != http.StatusUnauthorized {
		return err
	}
	// PayPal may end a token early. It did not look at the request, so that the
	// same may be sent once more.
	x.client.tokens.drop(token)
	if token, err = x.client.tokens.get(ctx); err != nil {
		return x.fail(kindOf(err), "no access token: "+strings.TrimPrefix(err.Error(), "paypal: "), err)
	}
	return x.once(ctx, token, method, path, key, body, out)
}

func (x *exchange) once(ctx context.Context, token, method, path, key string, body, out any) error {
	x.status, x.body = 0, nil
	req, err := x.request(ctx, method, path, body)
	if err != nil {
		return x.fail(errRefused, "the request cannot be written", err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if key != "" {
		req.Header.Set("PayPal-Request-Id", requestID(key))
	}
	// The library's reading of the answer is not used: it loses the status of what
	// is not JSON, and takes an empty answer for a failure.
	err = x.client.api.Send(req, io.Discard)
	if failed := x.failure(err); failed != nil {
		return failed
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(x.body, out); err != nil {
		return x.lost(fmt.Sprintf("the answer (status %d) cannot be read", x.status), ErrPayload)
	}
	return nil
}

// request writes a call. The library would write spliced bytes anew.
func (x *exchange) request(ctx context.Context, method, path string, body any) (*http.Request, error) {
	s, ok := body.(spliced)
	if !ok {
		return x.client.api.NewRequest(x.watch(ctx), method, x.client.base+path, body)
	}
	raw, err := s.bytes()
	if err != nil {
		return nil, err
	}
	return http.NewRequestWithContext(x.watch(ctx), method, x.client.base+path, bytes.NewReader(raw))
}

func (x *exchange) watch(ctx context.Context) context.Context {
	ctx = context.WithValue(ctx, exchangeKey{}, x)
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { x.dialing.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { x.connected.Store(true) },
	})
}

// untouched reports whether PayPal provably never saw the request: it was never
// handed over, or no connection could be made for it.
func (x *exchange) untouched() bool {
	return !x.attempted.Load() || x.dialing.Load() && !x.connected.Load()
}

// observed returns a copy of hc whose calls report to their exchange and follow
// no redirect: a redirected POST would arrive as a GET of something else, and a
// redirected certificate could come from anywhere.
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

// RoundTrip sends the request and reads the whole answer, within a bound.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	x, watched := req.Context().Value(exchangeKey{}).(*exchange)
	if !watched {
		return nil, errors.New("paypal call without an exchange")
	}
	if err := req.Context().Err(); err != nil {
		return nil, fmt.Errorf("before sending: %w", err)
	}
	x.attempted.Store(true)
	res, err := t.base.RoundTrip(req)
	if err != nil {
		return nil, err // the caller names the call
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, answerLimit+1))
	_ = res.Body.Close()
	if err == nil && len(body) > answerLimit {
		err = errAnswerTooLong
	}
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	x.status, x.debug, x.body = res.StatusCode, res.Header.Get("Paypal-Debug-Id"), body
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}
