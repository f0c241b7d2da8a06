package panel

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
)

// Effect says what a lost answer of a call may leave behind.
type Effect int

// The effects, the harmless one first.
const (
	Reads  Effect = iota // nothing: ask again
	Writes               // something: look first
	Grows                // something new, or more of it: likewise, and mind capacity
)

// Lost is the class of a call whose answer did not arrive whole.
func (e Effect) Lost() error {
	if e == Reads {
		return provisioning.ErrTemporary
	}
	return provisioning.ErrOutcomeUnknown
}

// Call is one request to a panel. Op completes "vendor: …" in errors.
type Call struct {
	Op     string
	API    string // which of a panel's APIs, where it has several
	Effect Effect
	Method string
	Path   string // below the API's root, escaped
	Query  url.Values
	Body   any // sent as JSON unless nil
}

// Caller makes the calls to one panel. All but HTTP is set once; it is safe for
// concurrent use.
type Caller struct {
	Vendor Vendor
	HTTP   *http.Client // see Client
	Now    func() time.Time
	// Root is the address in front of a call's path.
	Root func(c Call) string
	// Sign puts the key and the media type on a request.
	Sign func(r *http.Request, c Call)
	// Judge reads the body of an answer outside 2xx into e: Class always, Message
	// and Faults where the panel says something.
	Judge func(c Call, e *Error, body []byte)
	// MaxAnswer bounds an answer in bytes, MaxRetryAfter the wait that a panel may
	// ask for.
	MaxAnswer     int64
	MaxRetryAfter time.Duration
	// Rest is how long nothing is sent to an API after a 429 that names no time.
	// 0: a 429 is passed on, and the next call is sent all the same.
	Rest time.Duration
	// Guard holds calls back; nil holds none.
	Guard *Guard

	mu    sync.Mutex
	until map[string]time.Time // by API
}

// Do makes one call and decodes a 2xx answer into out unless that is nil. The
// whole 2xx range is success, because the versions of a panel disagree on which.
func (c *Caller) Do(ctx context.Context, call Call, out any) error {
	req, err := c.request(ctx, call)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return &Error{Vendor: c.Vendor, Op: call.Op, Message: "canceled before it was sent", Class: provisioning.ErrTemporary, Cause: err}
	}
	if err := c.admit(ctx, call); err != nil {
		return err
	}
	of, err := c.send(req, call, out)
	return c.noted(ctx, of, err)
}

// send makes the call and says what its end means for the panel as a whole: that it
// refuses one thing is an answer, the page of a proxy is none.
func (c *Caller) send(req *http.Request, call Call, out any) (verdict, error) {
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return failed, c.unanswered(call, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, c.MaxAnswer+1))
	of := answered
	if err != nil || resp.StatusCode >= http.StatusInternalServerError {
		of = failed
	}
	switch {
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return of, c.refused(call, resp, body, err)
	case err != nil:
		return of, c.unanswered(call, err)
	case len(body) > 0 && !saysJSON(resp):
		of = failed
	}
	return of, c.decode(call, resp, body, out)
}

func (c *Caller) request(ctx context.Context, call Call) (*http.Request, error) {
	var body io.Reader
	if call.Body != nil {
		raw, err := json.Marshal(call.Body)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: encode: %w", c.Vendor, call.Op, errors.Join(provisioning.ErrPermanent, err))
		}
		body = bytes.NewReader(raw)
	}
	target := c.Root(call) + call.Path
	if len(call.Query) > 0 {
		target += "?" + call.Query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, call.Method, target, body)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", c.Vendor, call.Op, errors.Join(provisioning.ErrPermanent, err))
	}
	if call.Body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	c.Sign(req, call)
	return req, nil
}

// decode reads a success. What is no JSON did not come from the panel, also
// where nothing is to be read.
func (c *Caller) decode(call Call, resp *http.Response, body []byte, out any) error {
	switch {
	case int64(len(body)) > c.MaxAnswer:
		return c.Vendor.Unreadable(call, resp.StatusCode, "the answer is too long")
	case len(body) > 0 && !saysJSON(resp):
		return c.Vendor.Unreadable(call, resp.StatusCode, "the answer is no JSON; is a proxy in between?")
	case out == nil:
		return nil
	case json.Unmarshal(body, out) != nil:
		return c.Vendor.Unreadable(call, resp.StatusCode, "the answer is not the documented JSON")
	}
	return nil
}

func saysJSON(resp *http.Response) bool {
	return strings.Contains(strings.ToLower(resp.Header.Get("Content-Type")), "json")
}

// refused classifies an answer outside 2xx. One that was cut off on its way
// refuses nothing: what it would have said is not known.
func (c *Caller) refused(call Call, resp *http.Response, body []byte, cut error) error {
	e := &Error{Vendor: c.Vendor, Op: call.Op, Status: resp.StatusCode}
	c.Judge(call, e, body)
	if e.Message == "" {
		e.Message = strings.ToLower(http.StatusText(resp.StatusCode))
	}
	switch {
	case e.Class == provisioning.ErrPermanent && (cut != nil || saysJSON(resp) && len(body) > 0 && !json.Valid(body)): //nolint:errorlint // the class itself
		e.Class, e.Message, e.Cause = call.Effect.Lost(), "the answer was cut off", cut
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable:
		e.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), c.Now(), c.MaxRetryAfter)
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		c.pause(call.API, e.RetryAfter)
	}
	return e
}

// retryAfter reads seconds or an HTTP date (RFC 9110 section 10.2.3). Anything
// else is 0.
func retryAfter(s string, now time.Time, most time.Duration) time.Duration {
	var d time.Duration
	if n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 32); err == nil {
		d = time.Duration(n) * time.Second
	} else if t, err := http.ParseTime(s); err == nil {
		d = t.Sub(now)
	}
	return min(max(d, 0), most)
}

// pause notes the wait that a 429 demands.
func (c *Caller) pause(api string, asked time.Duration) {
	if c.Rest == 0 {
		return
	}
	if asked == 0 {
		asked = c.Rest
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.until == nil {
		c.until = map[string]time.Time{}
	}
	c.until[api] = c.Now().Add(asked)
}

// waits is how long an API still takes no calls.
func (c *Caller) waits(api string) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.until[api].Sub(c.Now())
}
