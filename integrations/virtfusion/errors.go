package virtfusion

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/ezscale/ezscale/engine/provisioning"
)

// maxMessage bounds the panel's text in our errors, in runes.
const maxMessage = 300

// APIError is a failed call. It wraps exactly one class of the engine.
type APIError struct {
	Op      string // what was being done to which thing
	Status  int    // HTTP status; 0 when none arrived
	Message string // the panel's first message, or ours; no secrets
	// RetryAfter is how long the panel asks to wait; 0 when it did not say.
	RetryAfter time.Duration

	class error
	cause error
}

// Error says what was done to which thing, how it failed and what that means.
func (e *APIError) Error() string {
	var b strings.Builder
	b.WriteString("virtfusion: " + e.Op + ": ")
	if e.Status != 0 {
		b.WriteString("status " + strconv.Itoa(e.Status) + ": ")
	}
	if e.Message != "" {
		b.WriteString(e.Message + ": ")
	}
	b.WriteString(e.class.Error())
	return b.String()
}

// Unwrap gives the class and, where there is one, the cause.
func (e *APIError) Unwrap() []error {
	if e.cause == nil {
		return []error{e.class}
	}
	return []error{e.class, e.cause}
}

// refuse is a failure found by ourselves, not answered by the panel.
func refuse(class error, op, format string, args ...any) error {
	return &APIError{Op: op, Message: fmt.Sprintf(format, args...), class: class}
}

// transportError classifies a call without a complete answer. The error of
// net/http repeats the whole address; only its reason is kept.
func transportError(r request, err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	e := &APIError{Op: r.op, Message: "no answer", class: provisioning.ErrTemporary, cause: err}
	switch {
	case neverSent(err):
		e.Message = "the panel cannot be reached (" + clean(err.Error()) + ")"
	case errors.Is(err, context.DeadlineExceeded):
		e.Message = "no answer in time"
		e.class = lost(r.effect)
	default:
		e.class = lost(r.effect)
	}
	return e
}

// neverSent says whether the failure came before the request could leave.
func neverSent(err error) bool {
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var plain tls.RecordHeaderError
	if errors.As(err, &dns) || errors.As(err, &cert) || errors.As(err, &plain) || errors.Is(err, http.ErrSchemeMismatch) {
		return true
	}
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// lost is the class of a call whose answer did not arrive whole.
func lost(e effect) error {
	if e == reads {
		return provisioning.ErrTemporary
	}
	return provisioning.ErrOutcomeUnknown
}

func undecodable(r request, status int, message string) error {
	return &APIError{Op: r.op, Status: status, Message: message, class: lost(r.effect)}
}

// statusError classifies an answer outside 2xx.
func statusError(r request, resp *http.Response, body []byte, now time.Time) error {
	msg := parseMessage(body)
	e := &APIError{Op: r.op, Status: resp.StatusCode, Message: msg, class: classOf(r.effect, resp.StatusCode, msg)}
	if e.Message == "" {
		e.Message = strings.ToLower(http.StatusText(resp.StatusCode))
	}
	if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable {
		e.RetryAfter = parseRetryAfter(resp.Header.Get("Retry-After"), now)
	}
	return e
}

// classOf is the table of answers. A 404 proves absence only with the panel's
// own text; a bare one may be a proxy or a wrong address.
func classOf(e effect, status int, msg string) error {
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return provisioning.ErrCredentials
	case status == http.StatusNotFound && isServerNotFound(msg):
		return provisioning.ErrNotFound
	case status == http.StatusLocked || status == http.StatusTooManyRequests:
		return provisioning.ErrTemporary
	case status >= 500 || status == http.StatusRequestTimeout:
		return lost(e)
	case e >= grows && status == http.StatusUnprocessableEntity && isCapacity(msg):
		return provisioning.ErrCapacity
	}
	return provisioning.ErrPermanent
}

func isServerNotFound(msg string) bool {
	return strings.EqualFold(strings.TrimRight(strings.TrimSpace(msg), "."), "server not found")
}

// isCapacity recognizes a refusal for want of room. The panel's texts are not
// documented, so a scarce thing and a word of want must both appear.
func isCapacity(msg string) bool {
	msg = " " + strings.ToLower(msg)
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(msg, w) })
	}
	things := has("hypervisor", "resource", "capacity", "memory", "storage", "disk", "cpu", "ipv4", "ip address")
	want := has(" no ", "not enough", "insufficient", "out of ", "unavailable", "exhausted", " full", "no available")
	return things && want
}

// parseMessage finds the first message in an error body. The panel has three
// shapes: {"errors":[…]}, {"errors":{"field":[…]}} and {"msg":…} or
// {"message":…}. Anything else, an HTML page or nothing, gives "".
func parseMessage(body []byte) string {
	var shape struct {
		Errors  json.RawMessage `json:"errors"`
		Msg     json.RawMessage `json:"msg"`
		Message json.RawMessage `json:"message"`
	}
	if err := json.Unmarshal(body, &shape); err != nil {
		return ""
	}
	for _, raw := range []json.RawMessage{shape.Errors, shape.Msg, shape.Message} {
		var v any
		if len(raw) == 0 || json.Unmarshal(raw, &v) != nil {
			continue
		}
		if s := firstText(v, 4); s != "" {
			return clean(s)
		}
	}
	return ""
}

// firstText finds the first text in nested lists and objects, the latter by
// sorted key so that the same body gives the same message.
func firstText(v any, depth int) string {
	if depth == 0 {
		return ""
	}
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v)
	case []any:
		for _, item := range v {
			if s := firstText(item, depth-1); s != "" {
				return s
			}
		}
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			if s := firstText(v[k], depth-1); s != "" {
				return s
			}
		}
	}
	return ""
}

// clean makes a foreign text fit for one line of a log.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > maxMessage {
		s = string(runes[:maxMessage]) + "…"
	}
	return strings.TrimSpace(s)
}

// parseRetryAfter reads seconds or an HTTP date, at most an hour (RFC 9110
// section 10.2.3). Anything else is 0.
func parseRetryAfter(s string, now time.Time) time.Duration {
	var d time.Duration
	if n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 32); err == nil {
		d = time.Duration(n) * time.Second
	} else if t, err := http.ParseTime(s); err == nil {
		d = t.Sub(now)
	}
	return min(max(d, 0), time.Hour)
}
