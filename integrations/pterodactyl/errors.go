package pterodactyl

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

// Fault is one error of an answer: the name of the panel's exception, its
// sentence and, for a broken rule, the field and the rule.
type Fault struct {
	Code, Detail, Field, Rule string
}

// APIError is a failed call. It wraps exactly one class of the engine.
type APIError struct {
	Op      string  // what was being done to which thing
	Status  int     // HTTP status; 0 when none arrived
	Message string  // the panel's sentences, or ours; no secrets
	Faults  []Fault // of the panel
	// RetryAfter is how long the panel asks to wait; 0 when it did not say.
	RetryAfter time.Duration

	class error
	cause error
}

// Error says what was done to which thing, how it failed and what that means.
func (e *APIError) Error() string {
	var b strings.Builder
	b.WriteString("pterodactyl: " + e.Op + ": ")
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

// statusError classifies an answer outside 2xx. One that was cut off on its way
// refuses nothing: what it would have said is not known.
func statusError(r request, resp *http.Response, body []byte, cut error, now time.Time) error {
	e := &APIError{Op: r.op, Status: resp.StatusCode, Faults: parseFaults(body)}
	e.class = classOf(r.effect, e)
	e.Message = e.words()
	says := strings.Contains(strings.ToLower(resp.Header.Get("Content-Type")), "json")
	switch {
	case e.class == provisioning.ErrPermanent && (cut != nil || says && len(body) > 0 && !json.Valid(body)): //nolint:errorlint // the class itself
		e.class, e.Message, e.cause = lost(r.effect), "the answer was cut off", cut
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		e.Message = "the panel redirects elsewhere; is its address right?"
	case e.class == provisioning.ErrCredentials: //nolint:errorlint // the class itself
		e.Message = "the panel refuses the " + string(r.of()) + " key (" + e.Message + ")"
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable:
		e.RetryAfter = parseRetryAfter(resp.Header.Get("Retry-After"), now)
	}
	return e
}

// words are the panel's sentences, or those of the protocol.
func (e *APIError) words() string {
	list := []string{}
	for _, f := range e.Faults {
		text := f.Detail
		if f.Field != "" {
			text = f.Field + ": " + text
		}
		if text != "" && len(list) < 4 {
			list = append(list, text)
		}
	}
	if len(list) == 0 {
		return strings.ToLower(http.StatusText(e.Status))
	}
	return clean(strings.Join(list, "; "))
}

// has says whether the answer names an exception.
func (e *APIError) has(code string) bool {
	return slices.ContainsFunc(e.Faults, func(f Fault) bool { return strings.Contains(f.Code, code) })
}

// classOf is the table of answers. A 404 proves absence only with the panel's own
// sentence; a bare one may be a proxy or a wrong address. A node's daemon may
// answer anything, which the panel passes on: only the panel's own refusals
// count as such.
func classOf(e effect, failed *APIError) error {
	status := failed.Status
	switch {
	case status == http.StatusConflict || status == http.StatusLocked || status == http.StatusTooManyRequests:
		return provisioning.ErrTemporary
	case status >= 500 || status == http.StatusRequestTimeout || failed.has("DaemonConnectionException"):
		return lost(e)
	case status == http.StatusUnauthorized || status == http.StatusForbidden || failed.has("TwoFactorAuthRequired"):
		return provisioning.ErrCredentials
	case status == http.StatusNotFound && failed.provesAbsence():
		return provisioning.ErrNotFound
	case status == http.StatusBadRequest && failed.has("NoViable"):
		return provisioning.ErrCapacity
	}
	return provisioning.ErrPermanent
}

func (e *APIError) provesAbsence() bool {
	return slices.ContainsFunc(e.Faults, func(f Fault) bool {
		return strings.Contains(f.Code, "NotFound") && strings.Contains(f.Detail, "requested resource could not be found")
	})
}

// taken says whether a call was refused because another object has the value of
// a field that must be unique.
func taken(err error, field string) bool {
	var failed *APIError
	return errors.As(err, &failed) && failed.Status == http.StatusUnprocessableEntity &&
		slices.ContainsFunc(failed.Faults, func(f Fault) bool { return f.Field == field && strings.EqualFold(f.Rule, "unique") })
}

// parseFaults reads an error body. Anything else, an HTML page or nothing, gives
// none.
func parseFaults(body []byte) []Fault {
	var shape struct {
		Errors many[struct {
			Code   text `json:"code"`
			Detail text `json:"detail"`
			Meta   maybe[struct {
				Field text `json:"source_field"`
				Rule  text `json:"rule"`
			}] `json:"meta"`
		}] `json:"errors"`
	}
	if err := json.Unmarshal(body, &shape); err != nil {
		return nil
	}
	list := []Fault{}
	for _, e := range shape.Errors {
		list = append(list, Fault{clean(string(e.Code)), clean(string(e.Detail)), clean(string(e.Meta.v.Field)), clean(string(e.Meta.v.Rule))})
	}
	return list
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

// parseRetryAfter reads seconds or an HTTP date, at most five minutes: the
// panel's limits are per minute (RFC 9110 section 10.2.3). Anything else is 0.
func parseRetryAfter(s string, now time.Time) time.Duration {
	var d time.Duration
	if n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 32); err == nil {
		d = time.Duration(n) * time.Second
	} else if t, err := http.ParseTime(s); err == nil {
		d = t.Sub(now)
	}
	return min(max(d, 0), 5*time.Minute)
}
